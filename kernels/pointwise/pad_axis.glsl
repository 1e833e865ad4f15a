// Where element [r, y, c] of rows of C comes from; 0xffffffff: from nowhere.
uint VALUE_from(uint i) {
    uint c = i % C, y = i / C % Y, at = y - before; // below 0 is beyond the end
    if (X == 0u) return 0xffffffffu;
    if (mode == 0u) {
        if (at >= X) return 0xffffffffu;
    } else if (mode == 1u) {
        at = uint(clamp(int(at), 0, int(X) - 1));
    } else {
        // x and its mirror image are what is repeated, or x alone.
        uint length = mode == 2u ? max(2u * X - 2u, 1u) : mode == 3u ? X : 2u * X;
        at = (y + (length - before % length)) % length;
        if (mode == 2u) at = min(at, length - at);
        if (mode == 4u && at >= X) at = length - 1u - at;
    }
    return (i / (C * Y) * X + at) * C + c;
}

out_CLASS VALUE(uint i) {
    uint at = VALUE_from(i);
#if out_DTYPE == F64
    if (at == 0xffffffffu) return f64_of_f32(value);
#else
    if (at == 0xffffffffu) return out_CLASS(value);
#endif
    return x(at);
}
