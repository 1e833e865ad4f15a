// What NAME_DTYPE of an operand may be.
#define F32 1
#define F16 2
#define I8 3
#define U8 4
#define I32 5
#define U32 6
#define Q8_0 7
#define Q4_0 8
#define BF16 9
#define F64 10
#define I16 11
#define U16 12
#define I64 13
#define U64 14
#define BOOL 15

// Conversions between what memory holds and what kernels compute with. Done in integers: what
// packHalf2x16 does with ties, denormals and NaN is up to the device, and results must not be.

// The float that 16 bits stand for.
float f16_to_f32(uint bits16) {
    uint rest = bits16 & 0x7fffu, place = rest << 13;
    uint normal = place + (rest >= 0x7c00u ? 0x70000000u : 0x38000000u);
    precise float tiny = uintBitsToFloat(place + 0x38800000u) - 6.103515625e-5;
    return uintBitsToFloat((bits16 & 0x8000u) << 16 | (rest < 0x400u ? floatBitsToUint(tiny) : normal));
}

// Of four at once, two in a word. A denormal's bits in the mantissa of 2^-14 are that power too much.
vec4 f16x4_to_f32(uvec2 words) {
    uvec4 bits16 = uvec4(words.x & 0xffffu, words.x >> 16, words.y & 0xffffu, words.y >> 16);
    uvec4 rest = bits16 & 0x7fffu, place = rest << 13;
    uvec4 normal = place + 0x38000000u + uvec4(greaterThanEqual(rest, uvec4(0x7c00u))) * 0x38000000u;
    uvec4 tiny = floatBitsToUint(uintBitsToFloat(place + 0x38800000u) - 6.103515625e-5);
    return uintBitsToFloat((bits16 & 0x8000u) << 16 | mix(normal, tiny, lessThan(rest, uvec4(0x400u))));
}

// The bits of the nearest f16, ties to even; beyond 65504 an infinity. Without branches: a denormal among
// the lanes of a subgroup would have all of them go through the one that it takes. Of what is added to 0.5
// the multiples of 2^-24 are left, which denormals are counted in.
uint f32_to_f16(float value) {
    uint bits = floatBitsToUint(value), rest = bits & 0x7fffffffu;
    uint size = rest > 0x7f800000u ? 0x47c00000u : min(rest, 0x477ff000u);
    uint normal = size - 0x38000000u + 0xfffu + (size >> 13 & 1u) >> 13;
    precise float tiny = uintBitsToFloat(size) + 0.5;
    return (size < 0x38800000u ? floatBitsToUint(tiny) - 0x3f000000u : normal) | bits >> 16 & 0x8000u;
}

// Of four at once, two in a word.
uvec2 f32_to_f16x4(vec4 value) {
    uvec4 bits = floatBitsToUint(value), rest = bits & 0x7fffffffu;
    uvec4 size = mix(min(rest, uvec4(0x477ff000u)), uvec4(0x47c00000u), greaterThan(rest, uvec4(0x7f800000u)));
    uvec4 normal = size - 0x38000000u + 0xfffu + (size >> 13 & 1u) >> 13;
    precise vec4 tiny = uintBitsToFloat(size) + 0.5;
    uvec4 narrow = mix(normal, floatBitsToUint(tiny) - 0x3f000000u, lessThan(size, uvec4(0x38800000u)));
    narrow |= bits >> 16 & 0x8000u;
    return uvec2(narrow.x | narrow.y << 16, narrow.z | narrow.w << 16);
}

// The same of bf16, the upper half of a float. NaN is kept one, whatever its bits.
float bf16_to_f32(uint bits16) {
    return uintBitsToFloat(bits16 << 16);
}

vec4 bf16x4_to_f32(uvec2 words) {
    return uintBitsToFloat(uvec4(words.x << 16, words.x & 0xffff0000u, words.y << 16, words.y & 0xffff0000u));
}

uint f32_to_bf16(float value) {
    uint bits = floatBitsToUint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40u;
    return bits + 0x7fffu + (bits >> 16 & 1u) >> 16;
}

uvec2 f32_to_bf16x4(vec4 value) {
    uvec4 bits = floatBitsToUint(value);
    uvec4 near = bits + 0x7fffu + (bits >> 16 & 1u);
    near = mix(near, bits | 0x400000u, greaterThan(bits & 0x7fffffffu, uvec4(0x7f800000u)));
    return near.xz >> 16 | near.yw & 0xffff0000u;
}

float round_bf16(float value) {
    return bf16_to_f32(f32_to_bf16(value));
}

// Four bytes of a word, and back.
ivec4 unpack_i8(uint word) {
    return ivec4(uvec4(word << 24, word << 16, word << 8, word)) >> 24;
}

uvec4 unpack_u8(uint word) {
    return uvec4(word, word >> 8, word >> 16, word >> 24) & 255u;
}

ivec4 unpack_i16(uvec2 words) {
    return ivec4(words.x << 16, words.x, words.y << 16, words.y) >> 16;
}

uvec4 unpack_u16(uvec2 words) {
    return uvec4(words.x & 65535u, words.x >> 16, words.y & 65535u, words.y >> 16);
}

uvec2 pack_u16(uvec4 value) {
    value = min(value, 65535u);
    return uvec2(value.x | value.y << 16, value.z | value.w << 16);
}

uvec2 pack_i16(ivec4 value) {
    return pack_u16(uvec4(clamp(value, -32768, 32767)) & 65535u);
}

uint pack_i8(ivec4 value) {
    uvec4 bytes = uvec4(clamp(value, -128, 127)) & 255u;
    return bytes.x | bytes.y << 8 | bytes.z << 16 | bytes.w << 24;
}

uint pack_bool(uvec4 value) {
    value = min(value, 1u);
    return value.x | value.y << 8 | value.z << 16 | value.w << 24;
}

uint pack_u8(uvec4 value) {
    uvec4 bytes = min(value, 255u);
    return bytes.x | bytes.y << 8 | bytes.z << 16 | bytes.w << 24;
}

// The bytes of four values that are within them already.
uint to_bytes(ivec4 value) {
    return uint(value.x) & 255u | (uint(value.y) & 255u) << 8 | (uint(value.z) & 255u) << 16 | uint(value.w) << 24;
}

uint to_bytes(uvec4 value) {
    return value.x & 255u | (value.y & 255u) << 8 | (value.z & 255u) << 16 | value.w << 24;
}

// What is left of a value that goes through an f16, in the same way.
float round_f16(float value) {
    uint bits = floatBitsToUint(value), rest = bits & 0x7fffffffu;
    precise float more = uintBitsToFloat(rest) + 0.5;
    precise float tiny = more - 0.5;
    uint size = rest + 0xfffu + (rest >> 13 & 1u) & 0xffffe000u;
    size = rest < 0x38800000u ? floatBitsToUint(tiny) : size;
    size = rest < 0x477ff000u ? size : rest > 0x7f800000u ? 0x7fc00000u : 0x7f800000u;
    return uintBitsToFloat(size | bits & 0x80000000u);
}

// To integers: toward zero, saturating; NaN gives 0.
int to_i32(float value) {
    if (value >= 2147483648.0) return 0x7fffffff;
    if (value <= -2147483648.0) return int(0x80000000u);
    return (floatBitsToUint(value) & 0x7fffffffu) > 0x7f800000u ? 0 : int(value);
}

int to_i32(uint value) {
    return int(min(value, 0x7fffffffu));
}

uint to_u32(float value) {
    if (value >= 4294967296.0) return 0xffffffffu;
    return value >= 1.0 ? uint(value) : 0u;
}

uint to_u32(int value) {
    return uint(max(value, 0));
}

int to_i8(int value) {
    return clamp(value, -128, 127);
}

int to_i8(uint value) {
    return int(min(value, 127u));
}

uint to_u8(uint value) {
    return min(value, 255u);
}

uint to_u8(int value) {
    return uint(clamp(value, 0, 255));
}

int to_i16(int value) {
    return clamp(value, -32768, 32767);
}

int to_i16(uint value) {
    return int(min(value, 32767u));
}

uint to_u16(uint value) {
    return min(value, 65535u);
}

uint to_u16(int value) {
    return uint(clamp(value, 0, 65535));
}

// What is not 0 is 1; NaN is not 0.
uint to_bool(float value) {
    return (floatBitsToUint(value) & 0x7fffffffu) != 0u ? 1u : 0u;
}

uint to_bool(int value) {
    return value != 0 ? 1u : 0u;
}

uint to_bool(uint value) {
    return min(value, 1u);
}

// What a mask of bool adds to scores.
float to_mask(uint value) {
    return uintBitsToFloat(value != 0u ? 0u : 0xff800000u);
}

vec4 to_mask(uvec4 value) {
    return uintBitsToFloat(mix(uvec4(0xff800000u), uvec4(0u), notEqual(value, uvec4(0u))));
}

// What stands for waiting in a kernel that nothing is tagged for.
bool looks_once(inout uint spins) {
    return false;
}

void waits_for_none(uint i) {}
