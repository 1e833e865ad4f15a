// cos(2 pi i / p) of a window of N elements that goes on after p of them.
float window_cosine(uint i, uint p) {
    float part = f_div(float(i % p), float(p));
    precise float angle = part * 6.28318531;
    return f_cos(angle);
}

// exp(-2 pi i k / n) for k < n <= 2^24. Quarters of the circle are taken out of the integers.
vec2 unit_root(uint k, uint n, float inverse) {
    uint quarter = (4u * k + n / 2u) / n;
    precise float r = float(int(4u * k) - int(quarter * n)) * inverse * 1.57079633;
    precise float t = r * r;
    precise float s = fma(t, 2.75573192e-6, -1.98412698e-4);
    s = fma(s, t, 8.33333333e-3);
    s = fma(s, t, -1.66666667e-1);
    s = fma(s * t, r, r);
    precise float c = fma(t, -2.75573192e-7, 2.48015873e-5);
    c = fma(c, t, -1.38888889e-3);
    c = fma(c, t, 4.16666667e-2);
    c = fma(c, t, -0.5);
    c = fma(c, t, 1.0);
    vec2 turned = (quarter & 1u) == 0u ? vec2(c, -s) : vec2(-s, -c);
    return (quarter & 2u) == 0u ? turned : -turned;
}

// exp(i pi m m / n) for m < n <= 2^22: the square modulo 2 n, eight bits of m at a time, in 32 bits.
vec2 chirp_at(uint m, uint n, float inverse) {
    uint most = 2u * n, square = (m >> 16) * m % most;
    square = (square * 256u + (m >> 8 & 255u) * m) % most;
    square = (square * 256u + (m & 255u) * m) % most;
    vec2 value = unit_root(square, most, inverse * 0.5);
    return vec2(value.x, -value.y);
}
