// What the tables of query i / N say about row i % N of the codes, part by part. Codes beyond the
// codebook count as its last entry, so that no code reads outside the tables.
float VALUE(uint i) {
    uint row = i % N * M, table = i / N * M * K;
    precise float sum = 0.0;
    for (uint m = 0u; m < M; m++) sum += tables(table + m * K + min(codes(row + m), max(K, 1u) - 1u));
    return sum;
}
