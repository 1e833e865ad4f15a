// Elements of 64 bits as two words, the low one first: no device needs 64-bit arithmetic for them.
// Conversions are those of to_i32 and its like: to integers toward zero, saturating, NaN giving 0; to
// floats to the nearest even.

uvec2 shl64(uvec2 v, uint n) {
    if (n == 0u) return v;
    return n < 32u ? uvec2(v.x << n, v.y << n | v.x >> (32u - n)) : uvec2(0u, v.x << (n - 32u));
}

uvec2 shr64(uvec2 v, uint n) {
    if (n == 0u) return v;
    return n < 32u ? uvec2(v.x >> n | v.y << (32u - n), v.y >> n) : uvec2(v.y >> (n - 32u), 0u);
}

uvec2 neg64(uvec2 v) {
    return uvec2(0u - v.x, ~v.y + (v.x == 0u ? 1u : 0u));
}

uvec2 abs64(uvec2 v) {
    return (v.y & 0x80000000u) != 0u ? neg64(v) : v;
}

int msb64(uvec2 v) {
    return v.y != 0u ? 32 + findMSB(v.y) : findMSB(v.x);
}

// v / 2^n, for n from 1 on, rounded to the nearest even; or where `odd`, with the lowest bit set for
// whatever was lost, which another rounding to fewer digits then sees.
uvec2 round64(uvec2 v, uint n, bool odd) {
    if (n > 64u) return uvec2(odd && (v.x | v.y) != 0u ? 1u : 0u, 0u);
    uvec2 kept = n == 64u ? uvec2(0u) : shr64(v, n);
    uvec2 rest = n == 64u ? v : shl64(v, 64u - n);
    bool more = rest.y > 0x80000000u || (rest.y == 0x80000000u && (rest.x != 0u || (kept.x & 1u) != 0u));
    if (odd) return uvec2(kept.x | ((rest.x | rest.y) != 0u ? 1u : 0u), kept.y);
    if (more) kept = uvec2(kept.x + 1u, kept.y + (kept.x == 0xffffffffu ? 1u : 0u));
    return kept;
}

// m * 2^e as f32, of a sign in the highest bit.
float f32_of_parts(uint sign, uvec2 m, int e, bool odd) {
    if ((m.x | m.y) == 0u) return uintBitsToFloat(sign);
    int drop = max(msb64(m) - 23, -149 - e);
    uint digits = (drop > 0 ? round64(m, uint(drop), odd) : shl64(m, uint(-drop))).x;
    int place = e + drop + 149;
    if (place > 254) return uintBitsToFloat(sign | (odd ? 0x7f7fffffu : 0x7f800000u));
    uint bits = (uint(place) << 23) + digits;
    return uintBitsToFloat(sign | (odd ? min(bits, 0x7f7fffffu) : min(bits, 0x7f800000u)));
}

float f32_of_u64(uvec2 v) {
    return f32_of_parts(0u, v, 0, false);
}

float odd_of_u64(uvec2 v) {
    return f32_of_parts(0u, v, 0, true);
}

float f32_of_i64(uvec2 v) {
    return f32_of_parts(v.y & 0x80000000u, abs64(v), 0, false);
}

float odd_of_i64(uvec2 v) {
    return f32_of_parts(v.y & 0x80000000u, abs64(v), 0, true);
}

// The digits of a finite f64, whose value is digits * 2^place64.
uvec2 digits64(uvec2 v) {
    return uvec2(v.x, v.y & 0xfffffu | ((v.y & 0x7ff00000u) != 0u ? 0x100000u : 0u));
}

int place64(uvec2 v) {
    return max(int(v.y >> 20 & 0x7ffu), 1) - 1075;
}

bool isnan64(uvec2 v) {
    uint high = v.y & 0x7fffffffu;
    return high > 0x7ff00000u || (high == 0x7ff00000u && v.x != 0u);
}

float narrow64(uvec2 v, bool odd) {
    uint sign = v.y & 0x80000000u;
    if ((v.y & 0x7ff00000u) == 0x7ff00000u)
        return uintBitsToFloat(sign | (isnan64(v) ? 0x7fc00000u : 0x7f800000u));
    return f32_of_parts(sign, digits64(v), place64(v), odd);
}

float f32_of_f64(uvec2 v) {
    return narrow64(v, false);
}

float odd_of_f64(uvec2 v) {
    return narrow64(v, true);
}

uvec2 f64_of_parts(uint sign, uvec2 m, int e) {
    if ((m.x | m.y) == 0u) return uvec2(0u, sign);
    int drop = msb64(m) - 52;
    uvec2 digits = drop > 0 ? round64(m, uint(drop), false) : shl64(m, uint(-drop));
    return uvec2(digits.x, sign | ((uint(e + drop + 1074) << 20) + digits.y));
}

uvec2 f64_of_u64(uvec2 v) {
    return f64_of_parts(0u, v, 0);
}

uvec2 f64_of_i64(uvec2 v) {
    return f64_of_parts(v.y & 0x80000000u, abs64(v), 0);
}

uvec2 f64_of_u32(uint v) {
    return f64_of_parts(0u, uvec2(v, 0u), 0);
}

uvec2 f64_of_i32(int v) {
    return f64_of_parts(uint(v) & 0x80000000u, uvec2(v < 0 ? 0u - uint(v) : uint(v), 0u), 0);
}

uvec2 f64_of_f32(float v) {
    uint bits = floatBitsToUint(v), sign = bits & 0x80000000u, digits = bits & 0x7fffffu;
    uint place = bits >> 23 & 0xffu;
    if (place == 0u) return f64_of_parts(sign, uvec2(digits, 0u), -149);
    return uvec2(digits << 29, sign | (place == 255u ? 0x7ff00000u : (place + 896u) << 20) | digits >> 3);
}

// digits * 2^place without what is behind the point, at most 2^64 - 1.
uvec2 whole64(uvec2 digits, int place) {
    if ((digits.x | digits.y) == 0u || place < -63) return uvec2(0u);
    if (place <= 0) return shr64(digits, uint(-place));
    return msb64(digits) + place > 63 ? uvec2(0xffffffffu) : shl64(digits, uint(place));
}

uvec2 i64_of_whole(bool negative, uvec2 v) {
    if ((v.y & 0x80000000u) != 0u) v = negative ? uvec2(0u, 0x80000000u) : uvec2(0xffffffffu, 0x7fffffffu);
    return negative ? neg64(v) : v;
}

uvec2 i64_of_f64(uvec2 v) {
    return isnan64(v) ? uvec2(0u) : i64_of_whole((v.y & 0x80000000u) != 0u, whole64(digits64(v), place64(v)));
}

uvec2 u64_of_f64(uvec2 v) {
    return isnan64(v) || (v.y & 0x80000000u) != 0u ? uvec2(0u) : whole64(digits64(v), place64(v));
}

uvec2 i64_of_f32(float v) {
    return i64_of_f64(f64_of_f32(v));
}

uvec2 u64_of_f32(float v) {
    return u64_of_f64(f64_of_f32(v));
}

uvec2 i64_of_i32(int v) {
    return uvec2(uint(v), uint(v >> 31));
}

uvec2 i64_of_u32(uint v) {
    return uvec2(v, 0u);
}

uvec2 u64_of_i32(int v) {
    return uvec2(uint(max(v, 0)), 0u);
}

uvec2 u64_of_u32(uint v) {
    return uvec2(v, 0u);
}

uvec2 i64_of_u64(uvec2 v) {
    return v.y > 0x7fffffffu ? uvec2(0xffffffffu, 0x7fffffffu) : v;
}

uvec2 u64_of_i64(uvec2 v) {
    return v.y > 0x7fffffffu ? uvec2(0u) : v;
}

int i32_of_i64(uvec2 v) {
    if (v.y == uint(int(v.x) >> 31)) return int(v.x);
    return (v.y & 0x80000000u) != 0u ? int(0x80000000u) : 0x7fffffff;
}

uint u32_of_i64(uvec2 v) {
    if (v.y == 0u) return v.x;
    return v.y > 0x7fffffffu ? 0u : 0xffffffffu;
}

int i32_of_u64(uvec2 v) {
    return v.y == 0u && v.x <= 0x7fffffffu ? int(v.x) : 0x7fffffff;
}

uint u32_of_u64(uvec2 v) {
    return v.y == 0u ? v.x : 0xffffffffu;
}

int i32_of_f64(uvec2 v) {
    return i32_of_i64(i64_of_f64(v));
}

uint u32_of_f64(uvec2 v) {
    return u32_of_u64(u64_of_f64(v));
}

uint bool_of_i64(uvec2 v) {
    return (v.x | v.y) != 0u ? 1u : 0u;
}

uint bool_of_u64(uvec2 v) {
    return (v.x | v.y) != 0u ? 1u : 0u;
}

uint bool_of_f64(uvec2 v) {
    return (v.x | v.y & 0x7fffffffu) != 0u ? 1u : 0u;
}

// Whether a is more than b; those of 64 bits have a sign or none.
bool is_more(float a, float b, bool with_sign) {
    return a > b;
}

bool is_more(int a, int b, bool with_sign) {
    return a > b;
}

bool is_more(uint a, uint b, bool with_sign) {
    return a > b;
}

bool is_more(uvec2 a, uvec2 b, bool with_sign) {
    uint turn = with_sign ? 0x80000000u : 0u, high = a.y ^ turn, other = b.y ^ turn;
    return high > other || (high == other && a.x > b.x);
}

uvec2 add64(uvec2 a, uvec2 b) {
    uint low = a.x + b.x;
    return uvec2(low, a.y + b.y + uint(low < b.x));
}

// A number of a row. What is negative, or has more than 32 bits, is past every table's end.
uint to_row(uint v) {
    return v;
}

uint to_row(int v) {
    return uint(v);
}

uint to_row(uvec2 v) {
    return v.y == 0u ? v.x : 0xffffffffu;
}

// A number of one of n places, of which negative ones count from the end; else past the end. What has
// 64 bits has no sign where `positive`.
uint to_place(uint v, uint n, bool positive) {
    return v;
}

uint to_place(int v, uint n, bool positive) {
    uint back = 0u - uint(v);
    return v >= 0 ? uint(v) : back <= n ? n - back : 0xffffffffu;
}

uint to_place(uvec2 v, uint n, bool positive) {
    uint back = 0u - v.x;
    if (v.y == 0u) return v.x;
    return !positive && v.y == 0xffffffffu && back - 1u < n ? n - back : 0xffffffffu;
}

// A position with a sign, and one without: the nearest that 32 bits hold.
int to_position(int v) {
    return v;
}

int to_position(uvec2 v) {
    return i32_of_i64(v);
}

uint to_place(uint v) {
    return v;
}

uint to_place(uvec2 v) {
    return u32_of_u64(v);
}
