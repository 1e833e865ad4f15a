#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer X { uint v[]; } x;
void main() { x.v[gl_GlobalInvocationID.x] = 1u; }
