// How far part i / K % M of query i / (K * M) is from entry i % K of that part's codebook.
float VALUE(uint i) {
    uint part = i / K % M, q = i / (K * M) * D + part * S, entry = (part * K + i % K) * S;
    precise float sum = 0.0;
    for (uint s = 0u; s < S; s++) {
        float u = queries(q + s), v = codebooks(entry + s);
        precise float delta = u - v;
        sum = metric == 0u ? fma(delta, delta, sum) : fma(u, v, sum);
    }
    return sum;
}
