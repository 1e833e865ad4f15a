// Turns pairs of elements by an angle, position * frequency. Sine and cosine of a GPU may be too
// coarse, and f32 is too short to reduce the angle of a late token, so here
//   the frequency base^(-2j / R) is made from integer and fractional parts of its exponent, and
//   position * frequency is an integer product, whose low bits are the fraction of a turn: exact.
// R is the number of elements at the front of each head of D that turn.

const bool VALUE_halves = layout == 0u;

bool VALUE_is_first(uint d) {
    return VALUE_halves ? d < R / 2u : d % 2u == 0u;
}

// The element that turns together with element i; i itself where nothing turns.
uint VALUE_pair(uint i) {
    uint d = i % D;
    if (d >= R) return i;
    uint apart = VALUE_halves ? R / 2u : 1u;
    return VALUE_is_first(d) ? i + apart : i - apart;
}

// The first element of pair n, in the order of elements: of each head R / 2 pairs, then the D - R
// elements that do not turn.
uint VALUE_first(uint n) {
    uint pairs = D - R / 2u, k = n % pairs;
    uint d = k >= R / 2u ? k + R / 2u : VALUE_halves ? k : 2u * k;
    return n / pairs * D + d;
}

// Radians for each position, of pair j.
float VALUE_frequency(uint j) {
#if frequencies_PRESENT
    return frequencies(j);
#else
    // base = m * 2^n with m in [sqrt(1/2), sqrt(2)], and log2(m) from the series in (m-1)/(m+1).
    uint bits = floatBitsToUint(base);
    uint n = (bits >> 23) - 127u;
    precise float m = uintBitsToFloat((bits & 0x7fffffu) | 0x3f800000u);
    if (m > 1.41421356) {
        m *= 0.5;
        n++;
    }
    precise float s = (m - 1.0) / (m + 1.0);
    precise float t = s * s;
    precise float log2_m =
        s * (2.88539008 +
             t * (0.961796694 + t * (0.577078016 + t * (0.412198583 + t * 0.320598898))));
    // The exponent is 2j / R * (n + log2(m)): whole halvings, and a rest in [-0.5, 0.5].
    uint product = 2u * j * n;
    precise float rest = float(product % R) / float(R) + float(2u * j) / float(R) * log2_m;
    float more = floor(rest + 0.5);
    precise float e = (more - rest) * 0.693147181;
    precise float power =
        1.0 + e * (1.0 + e * (0.5 + e * (0.166666667 +
                  e * (0.0416666667 + e * (0.00833333333 +
                  e * (0.00138888889 + e * 0.000198412698))))));
    uint halvings = product / R + uint(int(more));
    return uintBitsToFloat(floatBitsToUint(power) - (halvings << 23));
#endif
}

// Cosine and sine of a fraction of a turn in units of 2^-32.
vec2 VALUE_circle(uint phase) {
    uint quarter = (phase + 0x20000000u) >> 30;
    precise float x = float(int(phase - (quarter << 30))) * 1.46291808e-9; // 2 pi / 2^32
    precise float t = x * x;
    precise float c =
        1.0 + t * (-0.5 + t * (0.0416666667 + t * (-0.00138888889 +
                                                   t * (2.48015873e-5 - t * 2.75573192e-7))));
    precise float s =
        x + x * t * (-0.166666667 +
                     t * (0.00833333333 + t * (-0.000198412698 + t * 2.75573192e-6)));
    vec2 turned = (quarter & 1u) == 0u ? vec2(c, s) : vec2(-s, c);
    return (quarter & 2u) == 0u ? turned : -turned;
}

// Cosine and sine of position * frequency.
vec2 VALUE_rotation(uint position, bool backwards, float frequency) {
    precise float turns = frequency * 0.159154943; // each position: mantissa * 2^-shift
    uint bits = floatBitsToUint(turns);
    uint mantissa = (bits & 0x7fffffu) | 0x800000u;
    int shift = 150 - int((bits >> 23) & 0xffu);
    uint high, low;
    umulExtended(mantissa, position, high, low);
    uint phase = 0u;
    if (shift > 0 && shift <= 32)
        phase = low << (32 - shift);
    else if (shift > 32 && shift < 64)
        phase = high << (64 - shift) | low >> (shift - 32);
    else if (shift >= 64 && shift < 96)
        phase = high >> (shift - 64);
    vec2 circle = VALUE_circle(phase);
    return backwards != (turns < 0.0) ? vec2(circle.x, -circle.y) : circle;
}

// That by which the pair of element i turns.
vec2 VALUE_turn(uint i) {
    uint d = i % D;
    uint j = VALUE_halves ? d % (R / 2u) : d / 2u;
#if positions_DTYPE == I32 || positions_DTYPE == I16 || positions_DTYPE == I64
    int position = to_position(positions(i / (H * D)));
    return VALUE_rotation(uint(abs(position)), position < 0, VALUE_frequency(j));
#else
    return VALUE_rotation(to_place(positions(i / (H * D))), false, VALUE_frequency(j));
#endif
}

#if IS_PREPARED
vec2 VALUE_prepared;

void VALUE_prepare(uint i) {
    if (i % D < R) VALUE_prepared = VALUE_turn(i);
}
#endif

float VALUE(uint i) {
    uint d = i % D;
    if (d >= R) return x(i);
#if IS_PREPARED
    vec2 circle = VALUE_prepared;
#else
    vec2 circle = VALUE_turn(i);
#endif
    precise float along = x(i) * circle.x;
    precise float across = x(VALUE_pair(i)) * circle.y;
    precise float turned = VALUE_is_first(d) ? along - across : along + across;
    return turned;
}
