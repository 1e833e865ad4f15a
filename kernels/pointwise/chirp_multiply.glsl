// Element n of a signal; beyond the end 0. Of half a spectrum the other half are the conjugates.
vec2 VALUE_element(uint n, uint at) {
    bool turned = source == 2u && n > N / 2u;
    if (turned) n = N - n;
    if (n >= M) return vec2(0.0);
    uint i = at + n * S;
    vec2 value = source == 1u ? vec2(x(i), 0.0) : vec2(x(2u * i), x(2u * i + 1u));
    if (turned) value.y = -value.y;
    return value;
}

// A number of the pair that an element times its chirp is.
float VALUE(uint i) {
    uint pair = result == 1u ? i : i / 2u, signal = pair / K, place = pair % K, n = place / S;
    vec2 value = VALUE_element(n, signal * M * S + place % S), chirp = chirp_at(n, N, f_inverse(float(N)));
    if (direction == 0u) chirp.y = -chirp.y;
    bool odd = result == 0u && (i & 1u) != 0u;
    precise float re = value.x * chirp.x - value.y * chirp.y, im = value.x * chirp.y + value.y * chirp.x;
    precise float scaled = (odd ? im : re) * scale;
    return scaled;
}
