// 0 where element i of random_uniform is below the ratio.
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
    float drops = ratio;
    precise float rest = 1.0 - drops;
    return random_unit(VALUE_words(i)[i % 4u]) < drops ? 0.0 : f_div(x(i), rest);
}
