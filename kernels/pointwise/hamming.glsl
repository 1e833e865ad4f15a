// Bits that differ between row i / N of `queries` and row i % N of `base`.
uint VALUE(uint i) {
    uint q = i / N * W, b = i % N * W, bits = 0u;
    for (uint w = 0u; w < W; w++) bits += uint(bitCount(queries(q + w) ^ base(b + w)));
    return bits;
}
