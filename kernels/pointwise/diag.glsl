// Element i of matrices of M rows and columns that are 0 but for a diagonal.
out_CLASS VALUE(uint i) {
    uint column = i % M, row = i / M % M, b = i / (M * M);
    if (column + V != row + U) return out_CLASS(0);
    return x(b * N + min(row, column));
}
