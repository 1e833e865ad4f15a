bool VALUE_nan(float number) {
    return (floatBitsToUint(number) & 0x7fffffffu) > 0x7f800000u;
}

// The largest absolute difference of row i / N of `queries` and row i % N of `base`; a NaN wins and
// stays.
float VALUE(uint i) {
    uint q = i / N * D, b = i % N * D;
    float most = 0.0;
    for (uint d = 0u; d < D; d++) {
        precise float delta = abs(queries(q + d) - base(b + d));
        if (delta > most || VALUE_nan(delta)) most = delta;
    }
    return most;
}
