// Counts, modulo 2^32.
uint VALUE(uint i) {
    return f_hidden(start) + i;
}
