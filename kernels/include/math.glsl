// Functions of formulas. Vulkan asks little of exp, log, sin and cos: an error that grows with the
// argument, 2^-11 for the sine. These here are made of additions and multiplications and good to a
// few units in the last place everywhere, so that a result can be told from a mistake. They cost
// ten to twenty operations, which the loads around them hide.

// Drivers may take it that no float is NaN: a comparison and a choice become an instruction that
// drops it. So NaN is looked for by its bits wherever it counts.
bool f_isnan(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u;
}

bool f_isinf(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) == 0x7f800000u;
}

// min(a, b) is b < a ? b : a: a NaN in b is dropped, one in a stays. The same for max. No compiler sees that
// what is compared is what is chosen: where one does, it takes an instruction that makes 0 of denormals.
float f_min(float a, float b) {
    return f_isnan(a) || f_isnan(b) ? a : f_hidden(b) < a ? b : a;
}

int f_min(int a, int b) {
    return min(a, b);
}

uint f_min(uint a, uint b) {
    return min(a, b);
}

float f_max(float a, float b) {
    return f_isnan(a) || f_isnan(b) ? a : a < f_hidden(b) ? b : a;
}

int f_max(int a, int b) {
    return max(a, b);
}

uint f_max(uint a, uint b) {
    return max(a, b);
}

float f_clamp(float x, float low, float high) {
    return f_min(f_max(x, low), high);
}

int f_clamp(int x, int low, int high) {
    return min(max(x, low), high);
}

uint f_clamp(uint x, uint low, uint high) {
    return min(max(x, low), high);
}

float f_abs(float x) {
    return uintBitsToFloat(floatBitsToUint(x) & 0x7fffffffu);
}

int f_abs(int x) {
    return abs(x);
}

uint f_abs(uint x) {
    return x;
}

float f_sign(float x) {
    return f_isnan(x) ? x : x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

int f_sign(int x) {
    return sign(x);
}

uint f_sign(uint x) {
    return min(x, 1u);
}

float f_relu(float x) {
    return f_hidden(x) < 0.0 && !f_isnan(x) ? 0.0 : x; // as f_max
}

int f_relu(int x) {
    return max(x, 0);
}

uint f_relu(uint x) {
    return x;
}

// The sign is a bit. Arithmetic would turn denormals into zeros on devices that do so, but not where
// a compiler sees that two signs cancel out. Which bit it is no compiler knows: one makes a negation of
// it and moves that into a choice, where a constant 0 keeps its sign (NVIDIA's, 580).
float f_neg(float x) {
    return uintBitsToFloat(floatBitsToUint(x) ^ f_hidden(0x80000000u));
}

// value * 2^k for k from -252 to 254, in two factors, since 2^k itself may not be a float.
float f_scale(float value, int k) {
    int first = k >> 1;
    precise float once = value * uintBitsToFloat(uint(first + 127) << 23);
    precise float twice = once * uintBitsToFloat(uint(k - first + 127) << 23);
    return twice;
}

// A positive finite number as a float from 1 to 2 and a power of 2; in integers, so that denormals
// count on every device.
float f_fraction(uint size, out int power) {
    int shift = size < 0x00800000u ? 23 - findMSB(size) : 0;
    power = max(int(size >> 23), 1) - 127 - shift;
    return uintBitsToFloat(size << shift & 0x007fffffu | 0x3f800000u);
}

// Vulkan lets a quotient be off by 2.5 units, and what a driver makes of it may depend on what stands
// around. So it is corrected by its remainder, which fma gives exactly, wherever nothing on the way
// can overflow or be denormal.
float f_div_near(float a, float b) {
    float inverse = f_inverse(b);
    precise float q = a * inverse;
    precise float better = fma(fma(-q, b, a), inverse, q);
    return better;
}

// Vulkan says nothing of quotients by denormals and by numbers above 2^126, nor of those of
// infinities. So what is far from 1 is divided as fractions, and special cases are told apart here.
float f_div(float a, float b) {
    uint size_a = floatBitsToUint(a) & 0x7fffffffu, size_b = floatBitsToUint(b) & 0x7fffffffu;
    const uint LOW = 0x2f800000u, RANGE = 0x4f800000u - 0x2f800000u; // 2^-32 to 2^32
    bool near = size_a - LOW < RANGE && size_b - LOW < RANGE;
    uint sign = (floatBitsToUint(a) ^ floatBitsToUint(b)) & 0x80000000u;
    int power_a = 0, power_b = 0;
    if (!near) {
        a = f_fraction(size_a, power_a);
        b = f_fraction(size_b, power_b);
    }
    float q = f_div_near(a, b);
    if (near) return q;
    const uint INF = 0x7f800000u;
    uint bits = floatBitsToUint(f_scale(q, clamp(power_a - power_b, -252, 254)));
    if (size_a == 0u || size_b == INF) bits = 0u;
    if (size_a == INF || size_b == 0u) bits = INF;
    if (size_a > INF || size_b > INF || size_a == size_b && (size_a == INF || size_a == 0u))
        return uintBitsToFloat(0x7fc00000u);
    return uintBitsToFloat(bits | sign);
}

// A quotient by a number of elements. By a power of two it is a product, which is rounded no more often.
float f_div_by(float a, uint count) {
    if (count == 0u || (count & (count - 1u)) != 0u) return f_div(a, float(count));
    precise float q = a * uintBitsToFloat(uint(127 - findMSB(count)) << 23);
    return q;
}

// Division by zero gives 0; -2^31 / -1 wraps.
int f_div(int a, int b) {
    if (b == 0) return 0;
    return b == -1 ? int(0u - uint(a)) : a / b;
}

uint f_div(uint a, uint b) {
    return b == 0u ? 0u : a / b;
}

// The remainder has the sign of a. GLSL leaves that open where something is negative.
int f_mod(int a, int b) {
    if (b == 0 || b == -1) return 0;
    uint size = uint(abs(a)) % uint(abs(b));
    return a < 0 ? int(0u - size) : int(size);
}

uint f_mod(uint a, uint b) {
    return b == 0u ? 0u : a % b;
}

// Vulkan promises 2 units for inversesqrt, and more than 4 for 1 / sqrt; and nothing for what is not
// positive and finite.
float f_rsqrt(float x) {
    if (x == 0.0) return uintBitsToFloat(floatBitsToUint(x) & 0x80000000u | 0x7f800000u);
    if (f_isnan(x) || x < 0.0) return uintBitsToFloat(0x7fc00000u);
    return f_isinf(x) ? 0.0 : f_inverse_root(x);
}

float f_sqrt(float x) {
    if (x == 0.0) return x;
    if (f_isnan(x) || x < 0.0) return uintBitsToFloat(0x7fc00000u);
    return f_isinf(x) ? x : f_root(x);
}

// exp(r) for |r| up to log(2) / 2: seven terms of the series.
float f_exp_small(float r) {
    precise float p = fma(r, 1.98412698e-4, 1.38888889e-3);
    p = fma(p, r, 8.33333333e-3);
    p = fma(p, r, 4.16666667e-2);
    p = fma(p, r, 1.66666667e-1);
    p = fma(p, r, 0.5);
    p = fma(p, r, 1.0);
    p = fma(p, r, 1.0);
    return p;
}

// Powers of 2 are taken out: log(2) in two parts, the first so short that its product with n is
// exact.
float f_exp(float x) {
    float y = x < -104.0 ? -104.0 : x > 89.0 ? 89.0 : x; // 0 and inf
    float n = roundEven(y * 1.44269504);
    precise float r = y - n * 0.693359375;
    r = r + n * 2.12194440e-4;
    float value = f_scale(f_exp_small(r), int(n));
    return f_isnan(x) ? x : value;
}

float f_exp2(float x) {
    float y = x < -151.0 ? -151.0 : x > 129.0 ? 129.0 : x;
    float n = roundEven(y);
    precise float r = (y - n) * 0.693147181;
    float value = f_scale(f_exp_small(r), int(n));
    return f_isnan(x) ? x : value;
}

// x = m * 2^e with m around 1; returns m - 1. x is positive and finite.
float f_split(float x, out float e) {
    uint bits = floatBitsToUint(x), lift = 0u;
    if (bits < 0x800000u) { // denormal
        bits = floatBitsToUint(float(bits)); // times 2^149
        lift = 149u;
    }
    uint up = bits + (0x3f800000u - 0x3f3504f3u); // the exponent changes at the root of 1/2
    e = float(int(up >> 23) - 127 - int(lift));
    return uintBitsToFloat((up & 0x7fffffu) + 0x3f3504f3u) - 1.0;
}

// log(1 + f) - f for f from sqrt(1/2) - 1 to sqrt(2) - 1, by a polynomial.
float f_log_rest(float f) {
    precise float p = fma(f, -0.0620141515, 0.105308136);
    p = fma(p, f, -0.106462044);
    p = fma(p, f, 0.110377939);
    p = fma(p, f, -0.124507429);
    p = fma(p, f, 0.142865238);
    p = fma(p, f, -0.166680015);
    p = fma(p, f, 0.200000101);
    p = fma(p, f, -0.249999903);
    p = fma(p, f, 0.333333333);
    precise float square = f * f, cube = square * f;
    precise float rest = fma(cube, p, -0.5 * square);
    return rest;
}

float f_log(float x) {
    if (x == 0.0) return uintBitsToFloat(0xff800000u);
    if (f_isnan(x) || x < 0.0) return uintBitsToFloat(0x7fc00000u);
    if (f_isinf(x)) return x;
    float e, f = f_split(x, e);
    precise float low = f_log_rest(f) - e * 2.12194440e-4;
    precise float sum = (f + low) + e * 0.693359375;
    return sum;
}

float f_log2(float x) {
    if (x == 0.0) return uintBitsToFloat(0xff800000u);
    if (f_isnan(x) || x < 0.0) return uintBitsToFloat(0x7fc00000u);
    if (f_isinf(x)) return x;
    float e, f = f_split(x, e);
    // 1 / log(2) is 1 and 0.442695041, so that a large part of f needs no rounding.
    precise float rest = f_log_rest(f);
    precise float sum = e + (f + (rest + (f + rest) * 0.442695041));
    return sum;
}

// 2^(y log2(x)), with the exponent's whole and fractional parts kept apart: the error grows with
// |y|, not with the result.
float f_pow(float x, float y) {
    if (y == 0.0) return 1.0;
    if (f_isnan(x) || x < 0.0 || f_isnan(y)) return uintBitsToFloat(0x7fc00000u);
    if (x == 0.0 || f_isinf(x))
        return (x == 0.0) == (y > 0.0) ? 0.0 : uintBitsToFloat(0x7f800000u);
    float e, f = f_split(x, e);
    precise float rest = f_log_rest(f);
    precise float part = f + (rest + (f + rest) * 0.442695041);
    y = f_clamp(y, -1e30, 1e30);
    precise float a = y * e, b = y * part;
    if (a + b < -151.0) return 0.0;
    if (a + b > 129.0) return uintBitsToFloat(0x7f800000u);
    // What rounding a took away, by halves of y; e has few bits.
    precise float high = y * 4097.0;
    high = high - (high - y);
    precise float lost = (high * e - a) + (y - high) * e;
    float n = roundEven(a + b);
    precise float r = ((a - n) + b + lost) * 0.693147181;
    return f_scale(f_exp_small(r), int(n));
}

// The bits of 2 / pi, behind 32 zeros.
const uint f_two_over_pi[8] = uint[8](0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u,
                                      0xdb629599u, 0x3c439041u, 0xfe5163abu);

// What is left of a large |x| (above 256) when multiples of pi / 2 are taken out, and their number
// modulo 4. x is a whole number m times 2^e. Of 2 / pi times 2^e only the bits from 2^1 down matter,
// since the others give multiples of 4; 96 of them leave more than enough behind the point.
float f_quarter_rest(float x, out uint quarter) {
    uint bits = floatBitsToUint(x), m = bits & 0x7fffffu | 0x800000u;
    uint first = (bits >> 23 & 0xffu) - 120u; // place of the bit of 2^1: e - 2, and 32 for the zeros
    uint at = first >> 5, shift = first & 31u, down = 31u - shift;
    uint high = f_two_over_pi[at] << shift | f_two_over_pi[at + 1u] >> down >> 1u;
    uint middle = f_two_over_pi[at + 1u] << shift | f_two_over_pi[at + 2u] >> down >> 1u;
    uint low = f_two_over_pi[at + 2u] << shift | f_two_over_pi[at + 3u] >> down >> 1u;
    uint carried, unused, from_low, from_middle, second;
    umulExtended(m, low, from_low, unused);
    umulExtended(m, middle, from_middle, second);
    second = uaddCarry(second, from_low, carried);
    uint top = m * high + from_middle + carried; // 2 bits before the point, 30 behind it
    quarter = top >> 30;
    uint part = top << 2 | second >> 30, rest = second << 2;
    bool up = part >> 31 != 0u; // more than half a quarter: back from the next one
    if (up) {
        quarter++;
        rest = ~rest + 1u;
        part = ~part + uint(rest == 0u);
    }
    uint zeros = part != 0u ? 31u - uint(findMSB(part)) : 31u;
    uint lead = part << zeros | rest >> (31u - zeros) >> 1u;
    float size = float(lead) * uintBitsToFloat((95u - zeros) << 23); // lead * 2^-(32 + zeros)
    precise float r = size * 1.57079633;
    if (up != (bits >> 31 != 0u)) r = -r;
    if (bits >> 31 != 0u) quarter = 0u - quarter;
    return r;
}

// Cosine and sine: multiples of pi / 2 are taken out, up to 256 in three parts of few bits each, so
// that products are exact.
vec2 f_circle(float x) {
    uint quarter;
    float r;
    if (f_abs(x) > 256.0) {
        r = f_quarter_rest(x, quarter);
    } else {
        float n = roundEven(x * 0.636619772);
        precise float part = x - n * 1.5703125;
        part = part - n * 4.837512969970703125e-4;
        part = part - n * 7.54978995489188e-8;
        r = part;
        quarter = uint(int(n));
    }
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
    vec2 turned = (quarter & 1u) == 0u ? vec2(c, s) : vec2(-s, c);
    return (quarter & 2u) == 0u ? turned : -turned;
}

float f_sin(float x) {
    if (f_isnan(x) || f_isinf(x)) return uintBitsToFloat(0x7fc00000u);
    return x == 0.0 ? x : f_circle(x).y;
}

float f_cos(float x) {
    if (f_isnan(x) || f_isinf(x)) return uintBitsToFloat(0x7fc00000u);
    return f_circle(x).x;
}

// Near 0 a polynomial, else by exp, which may overflow: 2 / inf is 0.
float f_tanh(float x) {
    float size = f_abs(x);
    if (size < 0.6) {
        precise float z = x * x;
        precise float p = fma(z, -0.000896543426, 0.00334177877);
        p = fma(p, z, -0.00880469892);
        p = fma(p, z, 0.0218623076);
        p = fma(p, z, -0.0539678296);
        p = fma(p, z, 0.133333324);
        p = fma(p, z, -0.333333333);
        p = fma(p * z, x, x);
        return p;
    }
    precise float t = 1.0 - f_quotient(2.0, f_exp(2.0 * size) + 1.0);
    return x < 0.0 ? -t : t;
}

// What rounding took of x^2, by halves of x.
float f_square_lost(float x, float square) {
    precise float high = x * 4097.0;
    high = high - (high - x);
    precise float low = x - high;
    precise float lost = ((high * high - square) + 2.0 * high * low) + low * low;
    return lost;
}

// 1 - erf(z) for z from 1 on: exp(-z^2) and a polynomial of 1 / (1 + z / 2). z^2 comes in two parts,
// with what is lost of it by rounding, since exp would multiply that.
float f_erfc_tail(float z, float square, float lost) {
    precise float t = f_inverse(fma(z, 0.5, 1.0));
    precise float p = fma(t, -0.0702550921, 0.220624224);
    p = fma(p, t, -0.194095474);
    p = fma(p, t, -0.0276571835);
    p = fma(p, t, 0.00717941384);
    p = fma(p, t, 0.0742303432);
    p = fma(p, t, 0.17920366);
    p = fma(p, t, 0.246358934);
    p = fma(p, t, 0.282136075);
    p = fma(p, t, 0.282093289);
    precise float tail = f_exp(-square) * (1.0 - lost) * (p * t);
    return z > 10.3 ? 0.0 : tail;
}

float f_erf_small(float x) {
    precise float z = x * x;
    precise float p = fma(z, 1.05893703e-6, -1.39093358e-5);
    p = fma(p, z, 1.19565619e-4);
    p = fma(p, z, -8.54263794e-4);
    p = fma(p, z, 5.22378347e-3);
    p = fma(p, z, -0.0268661332);
    p = fma(p, z, 0.112837913);
    p = fma(p, z, -0.376126389);
    p = fma(p, z, 1.12837917);
    p = p * x;
    return p;
}

float f_erf(float x) {
    float size = f_abs(x);
    if (size < 1.0) return f_erf_small(x);
    if (f_isnan(x)) return x;
    precise float square = size * size;
    precise float value = 1.0 - f_erfc_tail(size, square, f_square_lost(size, square));
    return x < 0.0 ? -value : value;
}

float f_sigmoid(float x) {
    precise float value = f_div(1.0, 1.0 + f_exp(-x));
    return value;
}

float f_silu(float x) {
    precise float value = f_div(x, 1.0 + f_exp(-x));
    return value;
}

// x times the normal distribution's integral: of its lower tail for |x|, or of the rest of it, which near 0
// is a half and never cancels. The tail is exp(-x^2 / 2) and a polynomial of 1 / (1 + |x| / sqrt(8)),
// good to an ulp for all x. There are no branches, so that several of them run side by side. x^2 comes with
// what is lost of it by rounding, by two parts of x so short that their products are exact.
float f_gelu(float x) {
    float size = f_abs(x);
    precise float square = x * x;
    float high = uintBitsToFloat(floatBitsToUint(x) & 0xfffff000u);
    precise float low = x - high;
    precise float lost = fma(low, low, fma(2.0 * high, low, fma(high, high, -square)));
    precise float t = f_quotient(1.0, fma(size, 0.353553391, 1.0));
    precise float p = fma(t, -0.02958606, 0.14253962);
    p = fma(p, t, -0.244123101);
    p = fma(p, t, 0.139633402);
    p = fma(p, t, -0.0137270037);
    p = fma(p, t, 0.101519108);
    p = fma(p, t, 0.121507369);
    p = fma(p, t, 0.141193792);
    p = fma(p, t, 0.141042858);
    float y = max(-0.5 * square, -150.0);
    float n = roundEven(y * 1.44269504);
    precise float r = fma(n, 2.12194440e-4, fma(n, -0.693359375, y));
    precise float part = f_exp_small(r) * fma(lost, -0.5, 1.0) * (p * t);
    part = f_scale(part, int(n));
    part = size > 14.6 ? 0.0 : part;
    precise float rest = 1.0 - part;
    precise float value = x * (x < 0.0 ? part : rest);
    return value;
}

// 0.5 x (1 + tanh(u)) is x / (1 + exp(-2u)), which does not cancel.
float f_gelu_tanh(float x) {
    precise float u = 1.59576912 * (x + 0.044715 * x * x * x);
    precise float value = f_div(x, 1.0 + f_exp(-u));
    return value;
}

float f_softcap(float x, float c) {
    precise float value = c * f_tanh(f_div(x, c));
    return value;
}
