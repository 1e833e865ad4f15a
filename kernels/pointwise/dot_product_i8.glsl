// Dot product of row i / N of `queries` and the row that codes i % N stand for. The scale is common
// to the row, so that it is applied once, to the sum.
float VALUE(uint i) {
    uint row = i % N, q = i / N * D, b = row * D;
    precise vec4 sums = vec4(0.0);
    uint d = 0u;
    for (; d + 16u <= D; d += 16u) {
        for (uint j = d, n = 0u; n < 4u; j += 4u, n++) {
            vec4 query = vec4(queries(q + j), queries(q + j + 1u), queries(q + j + 2u),
                              queries(q + j + 3u));
            vec4 code = vec4(codes(b + j), codes(b + j + 1u), codes(b + j + 2u), codes(b + j + 3u));
            sums = fma(query, code, sums);
        }
    }
    for (; d < D; d++) sums.x = fma(queries(q + d), float(codes(b + d)), sums.x);
    precise float sum = ((sums.x + sums.y) + (sums.z + sums.w)) * scale(row);
    return sum;
}
