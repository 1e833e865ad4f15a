// Element [b, j, k] of the windows of U rows and V columns.
uint VALUE_from(uint i) {
    uint k = i % V;
    uint j = i / V % U;
    uint b = i / (U * V);
    return (b * R + row + j) * C + column + k;
}

out_CLASS VALUE(uint i) {
    return x(VALUE_from(i));
}
