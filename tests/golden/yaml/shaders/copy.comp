#version 450
// No names for the blocks' instances, a workgroup size and a factor by specialisation.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const float FACTOR = 1.0;
layout(constant_id = 2) const bool TWICE = false;
layout(constant_id = 3) const int SHIFT = 0;
layout(set = 0, binding = 0) readonly buffer Source { float source[]; };
layout(set = 0, binding = 1) buffer Target { float target[]; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    target[i] += source[i] * FACTOR * (TWICE ? 2.0 : 1.0) + float(SHIFT);
}
