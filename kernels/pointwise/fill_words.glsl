// The same word everywhere.
uint VALUE(uint i) {
    return f_hidden(pattern);
}
