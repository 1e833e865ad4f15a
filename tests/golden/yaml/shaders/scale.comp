#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { float v[]; } x;
layout(set = 0, binding = 1) writeonly buffer Out { float v[]; } y;
layout(push_constant) uniform Push { uint count; float factor; } push;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < push.count) y.v[i] = push.factor * x.v[i];
}
