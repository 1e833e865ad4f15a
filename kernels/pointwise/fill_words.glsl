// The same word everywhere.
uint VALUE(uint i) {
    return pattern;
}
