// Counts, modulo 2^32 or 2^64.
out_CLASS VALUE(uint i) {
#if out_DTYPE == I64 || out_DTYPE == U64
    return add64(start, uvec2(i, 0u));
#else
    precise out_CLASS number = out_CLASS(start) + out_CLASS(i);
    return number;
#endif
}
