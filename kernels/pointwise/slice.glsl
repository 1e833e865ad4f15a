// Element [b, j, k] of the windows of U rows and V columns.
out_CLASS VALUE(uint i) {
    uint k = i % V;
    uint j = i / V % U;
    uint b = i / (U * V);
    return x((b * R + row + j) * C + column + k);
}
