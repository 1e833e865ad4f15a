// 1 - cosine of the angle between row i / N of `queries` and row i % N of `base`. The norms are
// summed along with the product, so each element is read once.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    precise vec4 both = vec4(0.0), left = vec4(0.0), right = vec4(0.0);
    uint d = 0u;
    for (; d + 8u <= D; d += 8u) {
        for (uint j = d, n = 0u; n < 2u; j += 4u, n++) {
            vec4 u = vec4(queries(q + j), queries(q + j + 1u), queries(q + j + 2u),
                          queries(q + j + 3u));
            vec4 v = vec4(base(b + j), base(b + j + 1u), base(b + j + 2u), base(b + j + 3u));
            both = fma(u, v, both);
            left = fma(u, u, left);
            right = fma(v, v, right);
        }
    }
    for (; d < D; d++) {
        float u = queries(q + d), v = base(b + d);
        both.x = fma(u, v, both.x);
        left.x = fma(u, u, left.x);
        right.x = fma(v, v, right.x);
    }
    precise float product = (both.x + both.y) + (both.z + both.w);
    precise float left_square = (left.x + left.y) + (left.z + left.w);
    precise float right_square = (right.x + right.y) + (right.z + right.w);
    // A vector without a direction is at a right angle to everything. So is one that is so short
    // that squares of its elements are lost.
    if (!f_isnan(left_square) && left_square < 1e-30) return 1.0;
    if (!f_isnan(right_square) && right_square < 1e-30) return 1.0;
    precise float cosine = f_div(product, f_root(left_square) * f_root(right_square));
    cosine = f_clamp(cosine, -1.0, 1.0); // rounding; a NaN stays
    precise float apart = 1.0 - cosine;
    return apart;
}
