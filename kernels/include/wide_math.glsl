// Integers of 64 bits as numbers. Paragraphs of this file are for kernels that compute with them, which need
// shaderInt64; who moves and converts elements alone has words (wide.glsl). What is undefined in GLSL is here as
// for 32 bits.

int64_t long_of(uvec2 words) {
    return pack64(ivec2(words));
}

uint64_t ulong_of(uvec2 words) {
    return pack64(words);
}

int64_t to_i64(float v) {
    return pack64(ivec2(i64_of_f32(v)));
}

uint64_t to_u64(float v) {
    return pack64(u64_of_f32(v));
}

uvec2 to_words(int64_t v) {
    return uvec2(unpack32(v));
}

uvec2 to_words(uint64_t v) {
    return unpack32(v);
}

float to_f32(int64_t v) {
    return f32_of_i64(uvec2(unpack32(v)));
}

float to_f32(uint64_t v) {
    return f32_of_u64(unpack32(v));
}

int64_t f_min(int64_t a, int64_t b) {
    return b < a ? b : a;
}

uint64_t f_min(uint64_t a, uint64_t b) {
    return b < a ? b : a;
}

int64_t f_max(int64_t a, int64_t b) {
    return a < b ? b : a;
}

uint64_t f_max(uint64_t a, uint64_t b) {
    return a < b ? b : a;
}

int64_t f_clamp(int64_t x, int64_t low, int64_t high) {
    int64_t most = x < low ? low : x;
    return high < most ? high : most;
}

uint64_t f_clamp(uint64_t x, uint64_t low, uint64_t high) {
    uint64_t most = x < low ? low : x;
    return high < most ? high : most;
}

int64_t f_abs(int64_t x) {
    return x < 0l ? int64_t(0ul - uint64_t(x)) : x;
}

uint64_t f_abs(uint64_t x) {
    return x;
}

int64_t f_sign(int64_t x) {
    return x < 0l ? -1l : x > 0l ? 1l : 0l;
}

uint64_t f_sign(uint64_t x) {
    return x == 0ul ? 0ul : 1ul;
}

int64_t f_relu(int64_t x) {
    return x < 0l ? 0l : x;
}

uint64_t f_relu(uint64_t x) {
    return x;
}

int64_t f_div(int64_t a, int64_t b) {
    if (b == 0l) return 0l;
    return b == -1l ? int64_t(0ul - uint64_t(a)) : a / b;
}

uint64_t f_div(uint64_t a, uint64_t b) {
    return b == 0ul ? 0ul : a / b;
}

int64_t f_mod(int64_t a, int64_t b) {
    if (b == 0l || b == -1l) return 0l;
    return a - a / b * b;
}

uint64_t f_mod(uint64_t a, uint64_t b) {
    return b == 0ul ? 0ul : a % b;
}

int f_bits(int64_t x) {
    ivec2 counts = bitCount(unpack32(x));
    return counts.x + counts.y;
}

int f_bits(uint64_t x) {
    ivec2 counts = bitCount(unpack32(x));
    return counts.x + counts.y;
}

void fold_none(uint by, out int64_t v) {
    v = by == 0u ? 0l : by == 1u ? 1l : by == 2u || by == 4u ? 0x7fffffffffffffffl : int64_t(0x8000000000000000ul);
}

void fold_none(uint by, out uint64_t v) {
    v = by == 0u ? 0ul : by == 1u ? 1ul : by == 2u || by == 4u ? 0xfffffffffffffffful : 0ul;
}

int64_t fold(uint by, int64_t a, int64_t b) {
    return by == 0u ? a + b : by == 1u ? a * b : (by == 2u) == (b < a) ? b : a;
}

uint64_t fold(uint by, uint64_t a, uint64_t b) {
    return by == 0u ? a + b : by == 1u ? a * b : (by == 2u) == (b < a) ? b : a;
}

bool fold_is_nan(int64_t v) {
    return false;
}

bool fold_is_nan(uint64_t v) {
    return false;
}
