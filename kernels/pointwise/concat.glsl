// Element i of rows that are A elements of a, then B of b. An `if` rather than `?:`, so that only
// one of the two is evaluated.
out_CLASS VALUE(uint i) {
    uint line = i / C;
    uint at = i % C;
    if (at < A) return a(line * A + at);
    return b(line * B + at - A);
}
