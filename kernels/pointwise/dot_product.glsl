// Dot product of row i / N of `queries` and row i % N of `base`, in four sums in turn.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    precise vec4 sums = vec4(0.0);
    uint d = 0u;
    for (; d + 16u <= D; d += 16u) {
        for (uint j = d, n = 0u; n < 4u; j += 4u, n++) {
            vec4 query = vec4(queries(q + j), queries(q + j + 1u), queries(q + j + 2u),
                              queries(q + j + 3u));
            sums = fma(query, vec4(base(b + j), base(b + j + 1u), base(b + j + 2u),
                                   base(b + j + 3u)), sums);
        }
    }
    for (; d < D; d++) sums.x = fma(queries(q + d), base(b + d), sums.x);
    precise float sum = (sums.x + sums.y) + (sums.z + sums.w);
    return sum;
}
