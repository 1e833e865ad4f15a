// 1 - (sum of minima) / (sum of maxima) of row i / N of `queries` and row i % N of `base`. Four elements are
// loaded at once where rows begin at multiples of four, and joined one after the other.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    precise float least = 0.0, most = 0.0;
    for (uint d = 0u; d < D; d += 4u) {
        vec4 left = vec4(0.0), right = vec4(0.0);
        if (D % 4u == 0u) {
            left = queries_4(q + d);
            right = base_4(b + d);
        }
        [[unroll]] for (uint e = 0u; e < 4u; e++) {
            if (D % 4u != 0u && d + e >= D) break;
            float u = D % 4u == 0u ? left[e] : queries(q + d + e), v = D % 4u == 0u ? right[e] : base(b + d + e);
            precise float both = u + v; // NaN where either is: comparisons alone would drop it
            bool ordered = u <= v || v < u;
            least += ordered ? (v < u ? v : u) : both;
            most += ordered ? (u < v ? v : u) : both;
        }
    }
    if (most == 0.0) return 0.0; // two empty sets are the same
    precise float apart = 1.0 - f_div(least, most);
    return apart;
}
