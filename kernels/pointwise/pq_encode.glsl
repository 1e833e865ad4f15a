// Of row i / M, the part i % M: the number of the nearest entry of that part's codebook, the first
// of equally near ones. A distance that is NaN is no distance: entry 0 where all are.
uint VALUE(uint i) {
    uint part = i % M, from = i / M * D + part * S, book = part * K * S, best = 0u;
    float least = uintBitsToFloat(0x7f800000u);
    for (uint entry = 0u; entry < K; entry++) {
        precise float sum = 0.0;
        for (uint s = 0u; s < S; s++) {
            precise float delta = x(from + s) - codebooks(book + entry * S + s);
            sum = fma(delta, delta, sum);
        }
        if (sum < least) {
            least = sum;
            best = entry;
        }
    }
    return best;
}
