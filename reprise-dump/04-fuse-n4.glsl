#version 450
// m0: row_max -> v0, m1: map -> v1, m2: row_sum -> v2 in b2, m3: map -> v3 in b3
layout(local_size_x = 256) in;

layout(constant_id = 0) const uint m0_R = 1u;
layout(constant_id = 1) const uint m0_C = 1u;
layout(constant_id = 2) const uint m2_C = 1u;

layout(binding = 0) readonly buffer Block_b0 { float b0[]; };
layout(binding = 1) readonly buffer Block_b1 { float b1[]; };
layout(binding = 2) writeonly buffer Block_b2 { float b2[]; };
layout(binding = 3) writeonly buffer Block_b3 { float b3[]; };

// Drivers may take it that no float is NaN: a comparison and a choice become an instruction that
// drops it. So NaN is looked for by its bits wherever it counts.
bool f_isnan(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u;
}

float f_max(float a, float b) {
    return f_isnan(a) || f_isnan(b) ? a : a < b ? b : a;
}

int f_max(int a, int b) {
    return max(a, b);
}

uint f_max(uint a, uint b) {
    return max(a, b);
}

// value * 2^k for k from -252 to 254, in two factors, since 2^k itself may not be a float.
float f_scale(float value, int k) {
    int first = k >> 1;
    precise float once = value * uintBitsToFloat(uint(first + 127) << 23);
    precise float twice = once * uintBitsToFloat(uint(k - first + 127) << 23);
    return twice;
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
    if (f_isnan(x)) return x;
    float y = x < -104.0 ? -104.0 : x > 89.0 ? 89.0 : x; // 0 and inf
    float n = roundEven(y * 1.44269504);
    precise float r = y - n * 0.693359375;
    r = r + n * 2.12194440e-4;
    return f_scale(f_exp_small(r), int(n));
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

float reduce_max() {
    uint t = gl_LocalInvocationIndex;
    barrier();
    if (t < 32u) {
        float most = reduce_values[t];
        for (uint k = t + 32u; k < 256u; k += 32u) most = f_max(most, reduce_values[k]);
        reduce_few[t] = most;
    }
    barrier();
    float most = reduce_few[0];
    for (uint k = 1u; k < 32u; k++) most = f_max(most, reduce_few[k]);
    return most;
}

float m0_largest;
float m2_total;

float m0_largest_of(float x_) {
    precise float r = x_;
    return r;
}

float r0_f32(uint i) {
    return b0[i];
}

void m0_steps(uint row) {
    {
        precise float largest_ = uintBitsToFloat(0xff800000u);
        for (uint c = gl_LocalInvocationIndex; c < m0_C; c += 256u) {
            uint i = row * m0_C + c;
            largest_ = f_max(largest_, m0_largest_of(r0_f32(i)));
        }
        reduce_values[gl_LocalInvocationIndex] = largest_;
        m0_largest = reduce_max();
    }
}

float m2_total_of(float x_) {
    precise float r = x_;
    return r;
}

float m1_out(float a_, float b_, float c_) {
    precise float t0 = a_ - b_;
    precise float r = (a_ == b_) ? c_ : (c_ * f_exp(t0));
    return r;
}

float m0_out(float largest_) {
    precise float r = largest_;
    return r;
}

float v0(uint i) {
    float e0 = m0_out(m0_largest);
    return e0;
}

float r1_f32(uint i) {
    return b1[i];
}

void m2_steps(uint row) {
    {
        precise float total_ = 0.0;
        for (uint c = gl_LocalInvocationIndex; c < m2_C; c += 256u) {
            uint i = row * m2_C + c;
            float e1 = m1_out(r0_f32(i), v0(0u), r1_f32(i));
            total_ += m2_total_of(e1);
        }
        reduce_values[gl_LocalInvocationIndex] = total_;
        m2_total = reduce_sum();
    }
}

float m2_out(float total_) {
    precise float r = total_;
    return r;
}

float m3_out(float a_) {
    precise float r = a_;
    return r;
}


void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= m0_R) return;
    m0_steps(row);
    m2_steps(row);
    if (gl_LocalInvocationIndex != 0u) return;
    float e2 = m2_out(m2_total);
    float e0 = m0_out(m0_largest);
    float e3 = m3_out(e0);
    b2[row] = e2;
    b3[row] = e3;
}

