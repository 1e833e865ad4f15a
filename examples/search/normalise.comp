#version 450
// Divides each row by its Euclidean length; a row of zeros stays zero. One workgroup a row.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Rows { float v[]; } rows;
layout(set = 0, binding = 1) writeonly buffer Unit { float v[]; } unit;
layout(push_constant) uniform Push { uint columns; } push;

shared float sums[64];

void main() {
    uint first = gl_WorkGroupID.x * push.columns, lane = gl_LocalInvocationID.x;
    float sum = 0.0;
    for (uint c = lane; c < push.columns; c += 64) sum += rows.v[first + c] * rows.v[first + c];
    sums[lane] = sum;
    barrier();
    for (uint half_count = 32; half_count > 0; half_count /= 2) {
        if (lane < half_count) sums[lane] += sums[lane + half_count];
        barrier();
    }
    float scale = sums[0] > 0.0 ? inversesqrt(sums[0]) : 0.0;
    for (uint c = lane; c < push.columns; c += 64) unit.v[first + c] = rows.v[first + c] * scale;
}
