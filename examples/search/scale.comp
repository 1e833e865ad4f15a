#version 450
// One divided by the Euclidean length of each row, 0 for a row of zeros. One workgroup a row.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Rows { vec4 v[]; } rows;
layout(set = 0, binding = 1) writeonly buffer Scale { float v[]; } scale;
layout(push_constant) uniform Push { uint columns; } push;

shared float sums[64];

void main() {
    uint quads = push.columns / 4, first = gl_WorkGroupID.x * quads, lane = gl_LocalInvocationID.x;
    float sum = 0.0;
    for (uint c = lane; c < quads; c += 64) sum += dot(rows.v[first + c], rows.v[first + c]);
    sums[lane] = sum;
    barrier();
    if (lane > 0) return;
    for (uint i = 1; i < 64; i++) sum += sums[i];
    scale.v[gl_WorkGroupID.x] = sum > 0.0 ? inversesqrt(sum) : 0.0;
}
