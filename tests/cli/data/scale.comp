#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer X { float v[]; } x;
layout(set = 0, binding = 1) writeonly buffer Y { float v[]; } y;
layout(set = 0, binding = 2) readonly buffer Factor { float v; } factor;
layout(push_constant) uniform Push { uint count; } push;

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < push.count) y.v[i] = x.v[i] * factor.v;
}
