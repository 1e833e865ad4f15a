// Element [b, j, k] of the windows of U rows and V columns; 0xffffffff: x has no elements.
uint VALUE_from(uint i) {
    if (R * C == 0u) return 0xffffffffu;
    uint k = i % V;
    uint j = i / V % U;
    uint b = i / (U * V);
    return (b * R + row + j) * C + column + k;
}

out_CLASS VALUE(uint i) {
    uint at = VALUE_from(i);
    if (at == 0xffffffffu) return out_CLASS(0);
    return x(at);
}
