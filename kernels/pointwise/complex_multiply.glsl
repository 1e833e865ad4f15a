// Element i of products of pairs: of the real part for even i.
float VALUE(uint i) {
    uint pair = i & ~1u, other = pair / 2u / S * 2u % B;
    float re = b(other), im = b(other + 1u), x = a(pair), y = a(pair + 1u);
    precise float even = x * re - y * im;
    precise float odd = x * im + y * re;
    return (i & 1u) == 0u ? even : odd;
}
