#version 450
// y = (x - mean) / deviation * gain, one invocation per element. `gain` is a live value: the program
// changes it between replays without recording anything again.
layout(local_size_x = 64) in;

layout(set = 0, binding = 0) readonly buffer Input { float value[]; } x;
layout(set = 0, binding = 1) readonly buffer Statistics { vec2 row[]; } statistics;
layout(set = 0, binding = 2) readonly buffer Gain { float value; } gain;
layout(set = 0, binding = 3) writeonly buffer Output { float value[]; } y;
layout(push_constant) uniform Push { uint count; uint columns; } push;

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= push.count) return;
    vec2 s = statistics.row[i / push.columns];
    y.value[i] = (x.value[i] - s.x) * s.y * gain.value;
}
