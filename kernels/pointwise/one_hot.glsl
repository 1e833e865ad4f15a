// Element [a, d, c] of lines of D along the axis.
out_CLASS VALUE(uint i) {
    uint line = i / (C * D) * C + i % C;
    bool here = to_place(ids(line), D) == i / C % D;
#if out_DTYPE == I64
    return i64_of_f32(here ? on : off);
#elif out_DTYPE == U64
    return u64_of_f32(here ? on : off);
#else
    return out_CLASS(here ? on : off);
#endif
}
