// Dot product of row i / N of `queries` and the row that codes i % N stand for. The scale is common
// to the row, so that it is applied once, to the sum. Loads and sums are those of l2_distance_i8.
float VALUE(uint i) {
    uint row = i % N, q = i / N * D, b = row * D;
    precise vec4 sums = vec4(0.0);
    uint d = 0u;
    for (; d + 16u <= D; d += 16u) {
        for (uint j = d, n = 0u; n < 4u; j += 4u, n++) {
            vec4 query, code;
            if (D % 4u == 0u) {
                query = queries_4(q + j);
                code = vec4(codes_4(b + j));
            } else {
                [[unroll]] for (uint e = 0u; e < 4u; e++) {
                    query[e] = queries(q + j + e);
                    code[e] = float(codes(b + j + e));
                }
            }
            sums = fma(query, code, sums);
        }
    }
    for (; d < D; d++) sums.x = fma(queries(q + d), float(codes(b + d)), sums.x);
    precise float sum = ((sums.x + sums.y) + (sums.z + sums.w)) * scale(row);
    return sum;
}
