#version 450
// m0: variance_partial -> v0 in b1 -> v1 in b2 -> v2 in b3 -> v3 in b4
layout(local_size_x = 256) in;

layout(constant_id = 0) const uint rows = 1u;
layout(constant_id = 1) const uint m0_C = 1u;
layout(constant_id = 2) const uint m0_P = 1u;
layout(constant_id = 3) const uint m0_part = 1u;

layout(binding = 0) readonly buffer Block_b0 { float b0[]; };
layout(binding = 1) writeonly buffer Block_b1 { float b1[]; };
layout(binding = 2) writeonly buffer Block_b2 { float b2[]; };
layout(binding = 3) writeonly buffer Block_b3 { float b3[]; };
layout(binding = 4) writeonly buffer Block_b4 { float b4[]; };

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

shared float reduce_values[256];

shared float reduce_few[32];

float reduce_sum() {
    uint t = gl_LocalInvocationIndex;
    barrier();
    if (t < 32u) {
        precise float sum = ((reduce_values[t] + reduce_values[t + 128u]) +
                             (reduce_values[t + 64u] + reduce_values[t + 192u])) +
                            ((reduce_values[t + 32u] + reduce_values[t + 160u]) +
                             (reduce_values[t + 96u] + reduce_values[t + 224u]));
        reduce_few[t] = sum;
    }
    barrier();
    precise vec4 sums = vec4(0.0);
    for (uint k = 0u; k < 32u; k += 8u) {
        precise vec4 low = vec4(reduce_few[k], reduce_few[k + 1u], reduce_few[k + 2u],
                                reduce_few[k + 3u]);
        precise vec4 high = vec4(reduce_few[k + 4u], reduce_few[k + 5u], reduce_few[k + 6u],
                                 reduce_few[k + 7u]);
        sums += low + high;
    }
    precise float total = (sums.x + sums.z) + (sums.y + sums.w);
    return total;
}

float m0_total;
float m0_rest;
float m0_spread;
uint m0_n;

float m0_total_of(float x_) {
    precise float r = x_;
    return r;
}

float m0_rest_of(float x_, float total_) {
    precise float r = x_ - (f_div(total_, float(m0_n)));
    return r;
}

float m0_spread_of(float x_, float total_, float rest_) {
    precise float r = ((x_ - (f_div(total_, float(m0_n)))) - (f_div(rest_, float(m0_n)))) * ((x_ - (f_div(total_, float(m0_n)))) - (f_div(rest_, float(m0_n))));
    return r;
}

float r0_f32(uint i) {
    return b0[i];
}

void m0_steps(uint row) {
    uint whole = row / m0_P;
    uint begin = min(row % m0_P * m0_part, m0_C);
    uint end = min(begin + m0_part, m0_C);
    m0_n = end - begin;
    {
        precise float total_ = 0.0;
        for (uint c = begin + gl_LocalInvocationIndex; c < end; c += 256u) {
            uint i = whole * m0_C + c;
            total_ += m0_total_of(r0_f32(i));
        }
        reduce_values[gl_LocalInvocationIndex] = total_;
        m0_total = reduce_sum();
    }
    {
        precise float rest_ = 0.0;
        for (uint c = begin + gl_LocalInvocationIndex; c < end; c += 256u) {
            uint i = whole * m0_C + c;
            rest_ += m0_rest_of(r0_f32(i), m0_total);
        }
        reduce_values[gl_LocalInvocationIndex] = rest_;
        m0_rest = reduce_sum();
    }
    {
        precise float spread_ = 0.0;
        for (uint c = begin + gl_LocalInvocationIndex; c < end; c += 256u) {
            uint i = whole * m0_C + c;
            spread_ += m0_spread_of(r0_f32(i), m0_total, m0_rest);
        }
        reduce_values[gl_LocalInvocationIndex] = spread_;
        m0_spread = reduce_sum();
    }
}

float m0_counts() {
    precise float r = float(m0_n);
    return r;
}

float m0_means(float total_) {
    precise float r = (float(m0_n) == f_number(0.0)) ? f_number(0.0) : (f_div(total_, float(m0_n)));
    return r;
}

float m0_rests(float rest_) {
    precise float r = (float(m0_n) == f_number(0.0)) ? f_number(0.0) : (f_div(rest_, float(m0_n)));
    return r;
}

float m0_spreads(float spread_) {
    precise float r = spread_;
    return r;
}


void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= rows) return;
    m0_steps(row);
    if (gl_LocalInvocationIndex != 0u) return;
    float e0 = m0_counts();
    float e1 = m0_means(m0_total);
    float e2 = m0_rests(m0_rest);
    float e3 = m0_spreads(m0_spread);
    b1[row] = e0;
    b2[row] = e1;
    b3[row] = e2;
    b4[row] = e3;
}

