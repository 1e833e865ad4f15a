// Elements 2 j and 2 j + 1 are made of words 2 j and 2 j + 1.

// with: random/words

float VALUE(uint i) {
    uvec4 words = VALUE_words(i);
    vec2 pair = random_normals((i & 2u) == 0u ? words.xy : words.zw);
    precise float number = mean + scale * pair[i & 1u];
    return number;
}

vec4 VALUE_4(uint i) {
    uvec4 words = VALUE_words(i);
    precise vec4 numbers = mean + scale * vec4(random_normals(words.xy), random_normals(words.zw));
    return numbers;
}
