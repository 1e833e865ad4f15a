// As many bits of element i's word as the output holds below 1, so that none is rounded to 1.

// with: random/words

uint VALUE_kept(uint word) {
#if out_DTYPE == F16
    return word & 0xffe00000u;
#elif out_DTYPE == BF16
    return word & 0xff000000u;
#else
    return word;
#endif
}

float VALUE(uint i) {
    float least = low, most = high;
    precise float number = least + random_unit(VALUE_kept(VALUE_words(i)[i % 4u])) * (most - least);
    return number;
}

vec4 VALUE_4(uint i) {
    uvec4 words = VALUE_words(i);
    float least = low, most = high;
    vec4 units = vec4(random_unit(VALUE_kept(words.x)), random_unit(VALUE_kept(words.y)),
                      random_unit(VALUE_kept(words.z)), random_unit(VALUE_kept(words.w)));
    precise vec4 numbers = least + units * (most - least);
    return numbers;
}
