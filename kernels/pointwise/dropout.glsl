// 0 where element i of random_uniform is below the ratio.

// with: random/words

float VALUE(uint i) {
    float drops = ratio;
    precise float rest = 1.0 - drops;
    return random_unit(VALUE_words(i)[i % 4u]) < drops ? 0.0 : f_div(x(i), rest);
}
