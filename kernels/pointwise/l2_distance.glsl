// Euclidean distance of row i / N of `queries` and row i % N of `base`.
//
// By differences, not by |a|^2 - 2ab + |b|^2, which cancels: equal vectors are exactly 0 apart.
// Four sums in turn keep the additions from waiting for one another.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    precise vec4 sums = vec4(0.0);
    uint d = 0u;
    for (; d + 16u <= D; d += 16u) {
        for (uint j = d, n = 0u; n < 4u; j += 4u, n++) {
            precise vec4 delta = vec4(queries(q + j) - base(b + j),
                                      queries(q + j + 1u) - base(b + j + 1u),
                                      queries(q + j + 2u) - base(b + j + 2u),
                                      queries(q + j + 3u) - base(b + j + 3u));
            sums = fma(delta, delta, sums);
        }
    }
    for (; d < D; d++) {
        precise float delta = queries(q + d) - base(b + d);
        sums.x = fma(delta, delta, sums.x);
    }
    precise float sum = (sums.x + sums.y) + (sums.z + sums.w);
    return squared != 0u ? sum : f_root(sum);
}
