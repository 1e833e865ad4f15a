#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer A { float v[]; } a;
layout(set = 0, binding = 1) readonly buffer B { float v[]; } b;
layout(set = 0, binding = 2) writeonly buffer Sum { float v[]; } sum;
layout(push_constant) uniform Push { uint count; } push;

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < push.count) sum.v[i] = a.v[i] + b.v[i];
}
