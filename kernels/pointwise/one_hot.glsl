// Element [a, d, c] of lines of D along the axis.
out_CLASS VALUE(uint i) {
    uint line = i / (C * D) * C + i % C;
    bool here = to_place(ids(line), D, ids_DTYPE == U64) == i / C % D;
    return out_CLASS(here ? on : off);
}
