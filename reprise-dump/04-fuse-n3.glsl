#version 450
// m0: map -> v0 in b3
layout(local_size_x = 256) in;

layout(constant_id = 0) const uint ELEMENTS = 1u;

layout(binding = 0) readonly buffer Block_b0 { float b0[]; };
layout(binding = 1) readonly buffer Block_b1 { float b1[]; };
layout(binding = 2) readonly buffer Block_b2 { float b2[]; };
layout(binding = 3) writeonly buffer Block_b3 { float b3[]; };

// Constants that no compiler knows. What is fused decides what is a constant, and what a compiler
// computes from constants is not what the device computes: it keeps denormals that the device takes
// for zeros, and has no error where the device's function has one. So every number of a formula, an
// attribute or a fill is as unknown as one from memory: no workgroup's place equals the number of
// workgroups, but nothing says so.
uint f_hidden(uint bits) {
    uint zero = uint(gl_WorkGroupID.x == gl_NumWorkGroups.x) +
                uint(gl_WorkGroupID.y == gl_NumWorkGroups.y);
    return bits | zero; // an exclusive or would cancel out where it is done twice
}

float f_hidden(float number) {
    return uintBitsToFloat(f_hidden(floatBitsToUint(number)));
}

// The same of the number with these bits.
float f_number(uint bits) {
    return uintBitsToFloat(f_hidden(bits));
}

float f_number(float number) {
    return f_hidden(number);
}

// The device's own quotients and roots, which Vulkan lets be off by a few units. Where a compiler sees
// one of them taken of another, it makes one of two: 1 / sqrt(1 / x) became sqrt(x), in the fused
// kernel alone, and other bits came out. So it sees neither what goes in nor what comes out.
float f_quotient(float a, float b) {
    return f_hidden(f_hidden(a) / f_hidden(b));
}

float f_inverse_root(float x) {
    return f_hidden(inversesqrt(f_hidden(x)));
}

// Drivers may take it that no float is NaN: a comparison and a choice become an instruction that
// drops it. So NaN is looked for by its bits wherever it counts.
bool f_isnan(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u;
}

bool f_isinf(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) == 0x7f800000u;
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
    float q = f_quotient(a, b);
    precise float better = q + f_quotient(fma(-q, b, a), b);
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

// Division by zero gives 0; -2^31 / -1 wraps.
int f_div(int a, int b) {
    if (b == 0) return 0;
    return b == -1 ? int(0u - uint(a)) : a / b;
}

uint f_div(uint a, uint b) {
    return b == 0u ? 0u : a / b;
}

// Vulkan promises 2 units for inversesqrt, and more than 4 for 1 / sqrt; and nothing for what is not
// positive and finite.
float f_rsqrt(float x) {
    if (x == 0.0) return uintBitsToFloat(floatBitsToUint(x) & 0x80000000u | 0x7f800000u);
    if (f_isnan(x) || x < 0.0) return uintBitsToFloat(0x7fc00000u);
    return f_isinf(x) ? 0.0 : f_inverse_root(x);
}

float m0_out(float a_, float b_, float c_) {
    precise float t0 = (f_div(b_, f_number(128256.0))) + f_number(1e-06);
    precise float r = (a_ * f_rsqrt(t0)) * c_;
    return r;
}

float r0_f32(uint i) {
    return b0[i];
}

float r1_f32(uint i) {
    return b1[i];
}

float r2_f32(uint i) {
    return b2[i];
}


void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint i = group * 256u + gl_LocalInvocationIndex;
    if (i >= ELEMENTS) return;
    float e0 = m0_out(r0_f32(i), r1_f32(0u), r2_f32(i));
    b3[i] = e0;
}

