// 1 where element i of random_uniform is below p.
uvec4 VALUE_words(uint i) {
    uvec2 key = uvec2(uint(seed(0u)), 0u), first = uvec2(0u);
    if (S > 1u) key.y = uint(seed(1u));
#if offset_PRESENT
    first.x = uint(offset(0u));
    if (O > 1u) first.y = uint(offset(1u));
#endif
    return random_block(key, first, i / 4u, stream);
}

uint VALUE(uint i) {
#if p_PRESENT
    float chance = p(i);
#else
    float chance = probability;
#endif
    return random_unit(VALUE_words(i)[i % 4u]) < chance ? 1u : 0u;
}
