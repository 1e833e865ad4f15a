#version 450
// m0: map -> v0, m1: row_sum -> v1 in b2
layout(local_size_x = 256) in;

layout(constant_id = 0) const uint m1_R = 1u;
layout(constant_id = 1) const uint m1_C = 1u;

layout(binding = 0) readonly buffer Block_b0 { float b0[]; };
layout(binding = 1) readonly buffer Block_b1 { float b1[]; };
layout(binding = 2) writeonly buffer Block_b2 { float b2[]; };

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

float m1_total;

float m1_total_of(float x_) {
    precise float r = x_;
    return r;
}

float m0_out(float a_, float b_) {
    precise float r = a_ * b_;
    return r;
}

float r0_f32(uint i) {
    return b0[i];
}

float r1_f32(uint i) {
    return b1[i];
}

void m1_steps(uint row) {
    {
        precise float total_ = 0.0;
        for (uint c = gl_LocalInvocationIndex; c < m1_C; c += 256u) {
            uint i = row * m1_C + c;
            float e0 = m0_out(r0_f32(i), r1_f32(i));
            total_ += m1_total_of(e0);
        }
        reduce_values[gl_LocalInvocationIndex] = total_;
        m1_total = reduce_sum();
    }
}

float m1_out(float total_) {
    precise float r = total_;
    return r;
}


void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= m1_R) return;
    m1_steps(row);
    if (gl_LocalInvocationIndex != 0u) return;
    float e1 = m1_out(m1_total);
    b2[row] = e1;
}

