bool VALUE_finite(float number) {
    return (floatBitsToUint(number) & 0x7f800000u) != 0x7f800000u;
}

// Four differences, loaded at once where rows begin at multiples of four; 0 behind the end.
vec4 VALUE_deltas(uint q, uint b, uint d) {
    precise vec4 delta = vec4(0.0);
    if (D % 4u == 0u) {
        delta = abs(queries_4(q + d) - base_4(b + d));
    } else {
        [[unroll]] for (uint e = 0u; e < 4u; e++)
            if (d + e < D) delta[e] = abs(queries(q + d + e) - base(b + d + e));
    }
    return delta;
}

// (sum of |difference| ^ p) ^ (1 / p) of row i / N of `queries` and row i % N of `base`.
//
// Differences are divided by the largest one first, so that no power overflows and the sum is
// between 1 and D; that costs a second pass over the rows.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    float most = 0.0, odd = 0.0;
    for (uint d = 0u; d < D; d += 4u) {
        vec4 deltas = VALUE_deltas(q, b, d);
        [[unroll]] for (uint e = 0u; e < 4u; e++) {
            float delta = deltas[e];
            // Infinities and NaNs: one NaN makes it NaN, else one infinity makes it infinite.
            if (!VALUE_finite(delta)) {
                if (VALUE_finite(odd) || floatBitsToUint(delta) > 0x7f800000u) odd = delta;
            } else if (delta > most) {
                most = delta;
            }
        }
    }
    if (!VALUE_finite(odd)) return odd;
    if (most == 0.0) return 0.0;
    precise float sum = 0.0;
    for (uint d = 0u; d < D; d += 4u) {
        vec4 deltas = VALUE_deltas(q, b, d);
        [[unroll]] for (uint e = 0u; e < 4u; e++) {
            precise float part = f_div(deltas[e], most);
            if (part > 0.0) sum += pow(part, p); // pow of 0 is undefined where p is not
        }
    }
    precise float apart = most * pow(sum, 1.0 / p);
    return apart;
}
