// Element i of the pairs exp(i pi m m / N), m being the distance of the pair from either end.
float VALUE(uint i) {
    uint j = i / 2u, m = min(j, L / 2u - j);
    if (m >= N) return 0.0;
    vec2 value = chirp_at(m, N, f_inverse(float(N)));
    return (i & 1u) == 0u ? value.x : direction == 0u ? value.y : -value.y;
}
