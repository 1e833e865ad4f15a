// Element [b, c, r] of the transposes is [b, r, c] of x.
uint VALUE_from(uint i) {
    uint r = i % R;
    uint c = i / R % C;
    uint b = i / (R * C);
    return (b * R + r) * C + c;
}

out_CLASS VALUE(uint i) {
    return x(VALUE_from(i));
}

#if x_DTYPE != F64 && x_DTYPE != I64 && x_DTYPE != U64
out_CLASS_4 VALUE_4(uint i) {
    if (R % 4u != 0u) return out_CLASS_4(VALUE(i), VALUE(i + 1u), VALUE(i + 2u), VALUE(i + 3u));
    uint at = VALUE_from(i);
    out_CLASS_4 four;
    for (uint k = 0u; k < 4u; k++) four[k] = x(at + k * C);
    return four;
}
#endif
