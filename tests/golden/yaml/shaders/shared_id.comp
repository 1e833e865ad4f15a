#version 450
// The workgroup size and a constant that loops use share their id.
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint WIDTH = 8;
layout(set = 0, binding = 0) writeonly buffer Y { uint v[]; } y;
shared uint part[WIDTH];
void main() {
    part[gl_LocalInvocationID.x] = gl_LocalInvocationID.x;
    barrier();
    y.v[gl_GlobalInvocationID.x] = part[WIDTH - 1 - gl_LocalInvocationID.x];
}
