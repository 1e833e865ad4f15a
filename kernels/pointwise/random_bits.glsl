// Element i is word i % 4 of block i / 4.

// with: random/words

uint VALUE(uint i) {
    return VALUE_words(i)[i % 4u];
}

uvec4 VALUE_4(uint i) {
    return VALUE_words(i);
}
