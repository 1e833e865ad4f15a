// 1 - (sum of minima) / (sum of maxima) of row i / N of `queries` and row i % N of `base`.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    precise float least = 0.0, most = 0.0;
    for (uint d = 0u; d < D; d++) {
        float u = queries(q + d), v = base(b + d);
        precise float both = u + v; // NaN where either is: comparisons alone would drop it
        bool ordered = u <= v || v < u;
        least += ordered ? (v < u ? v : u) : both;
        most += ordered ? (u < v ? v : u) : both;
    }
    if (most == 0.0) return 0.0; // two empty sets are the same
    precise float apart = 1.0 - f_div(least, most);
    return apart;
}
