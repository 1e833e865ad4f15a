// 1 - (bits in both) / (bits in either) of row i / N of `queries` and row i % N of `base`.
float VALUE(uint i) {
    uint q = i / N * W, b = i % N * W, meet = 0u, either = 0u;
    for (uint w = 0u; w < W; w++) {
        uint u = queries(q + w), v = base(b + w);
        meet += uint(bitCount(u & v));
        either += uint(bitCount(u | v));
    }
    if (either == 0u) return 0.0; // two empty sets are the same
    precise float apart = f_quotient(float(either - meet), float(either));
    return apart;
}
