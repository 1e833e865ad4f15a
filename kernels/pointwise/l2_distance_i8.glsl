// Euclidean distance of row i / N of `queries` and the row that codes i % N stand for. The query
// stays as it is: only the base is quantised. Four elements are loaded at once where rows begin at
// multiples of four; what is not a multiple of 16 is the first sum's.
float VALUE(uint i) {
    uint row = i % N, q = i / N * D, b = row * D;
    float step_size = scale(row);
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
            precise vec4 delta = query - code * step_size;
            sums = fma(delta, delta, sums);
        }
    }
    for (; d < D; d++) {
        precise float delta = queries(q + d) - float(codes(b + d)) * step_size;
        sums.x = fma(delta, delta, sums.x);
    }
    precise float sum = (sums.x + sums.y) + (sums.z + sums.w);
    return squared != 0u ? sum : f_root(sum);
}
