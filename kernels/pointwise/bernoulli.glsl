// 1 where element i of random_uniform is below p.

// with: random/words

uint VALUE(uint i) {
#if p_PRESENT
    float chance = p(i);
#else
    float chance = probability;
#endif
    return random_unit(VALUE_words(i)[i % 4u]) < chance ? 1u : 0u;
}
