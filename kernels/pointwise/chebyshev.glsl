// The largest absolute difference of row i / N of `queries` and row i % N of `base`; a NaN wins and
// stays.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    float most = 0.0;
    for (uint d = 0u; d < D; d++) {
        precise float delta = abs(queries(q + d) - base(b + d));
        if (delta > most || f_isnan(delta)) most = delta;
    }
    return most;
}
