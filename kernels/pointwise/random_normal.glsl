// Elements 2 j and 2 j + 1 are made of words 2 j and 2 j + 1.
uvec4 VALUE_words(uint i) {
    uvec2 key = uvec2(uint(seed(0u)), 0u), first = uvec2(0u);
    if (S > 1u) key.y = uint(seed(1u));
#if offset_PRESENT
    first.x = uint(offset(0u));
    if (O > 1u) first.y = uint(offset(1u));
#endif
    return random_block(key, first, i / 4u, stream);
}

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
