#version 450
// One workgroup per row: its mean and the reciprocal of its standard deviation.
layout(local_size_x_id = 0) in; // a power of two, set by the pipeline
layout(constant_id = 0) const uint WIDTH = 64;

layout(set = 0, binding = 0) readonly buffer Input { float value[]; } x;
layout(set = 0, binding = 1) writeonly buffer Statistics { vec2 row[]; } statistics;
layout(push_constant) uniform Push { uint columns; float epsilon; } push;

shared vec2 sums[WIDTH];

void main() {
    uint row = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
    vec2 sum = vec2(0.0);
    for (uint i = lane; i < push.columns; i += WIDTH) {
        float v = x.value[row * push.columns + i];
        sum += vec2(v, v * v);
    }
    sums[lane] = sum;
    for (uint half_width = WIDTH / 2; half_width > 0; half_width /= 2) {
        barrier();
        if (lane < half_width) sums[lane] += sums[lane + half_width];
    }
    if (lane == 0) {
        float mean = sums[0].x / float(push.columns);
        float variance = max(sums[0].y / float(push.columns) - mean * mean, 0.0);
        statistics.row[row] = vec2(mean, inversesqrt(variance + push.epsilon));
    }
}
