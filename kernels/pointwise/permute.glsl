// Element [w, x, y, z] of the output; S, T, U and V are what a step along each of its dimensions
// is in the input.
uint VALUE_from(uint i) {
    uint at = i % Z * V;
    i /= Z;
    at += i % Y * U;
    i /= Y;
    at += i % X * T;
    i /= X;
    return at + i * S;
}

out_CLASS VALUE(uint i) {
    return x(VALUE_from(i));
}

#if x_DTYPE != F64 && x_DTYPE != I64 && x_DTYPE != U64
out_CLASS_4 VALUE_4(uint i) {
    if (Z % 4u != 0u) return out_CLASS_4(VALUE(i), VALUE(i + 1u), VALUE(i + 2u), VALUE(i + 3u));
    uint at = VALUE_from(i);
    out_CLASS_4 four;
    for (uint k = 0u; k < 4u; k++) four[k] = x(at + k * V);
    return four;
}
#endif
