#version 450
// How often each digit is in a block of keys; digits first, so that sums are in the order of places.
layout(local_size_x = BLOCK) in;
layout(set = 0, binding = 0) readonly buffer Keys { uint value[]; } keys;
layout(set = 0, binding = 1) writeonly buffer Counts { uint value[]; } counts;
layout(push_constant) uniform Push { uint shift; } push;
shared uint found[DIGITS];
void main() {
    uint i = gl_LocalInvocationID.x;
    if (i < DIGITS) found[i] = 0u;
    barrier();
    atomicAdd(found[keys.value[gl_GlobalInvocationID.x] >> push.shift & (DIGITS - 1u)], 1u);
    barrier();
    if (i < DIGITS) counts.value[i * BLOCKS + gl_WorkGroupID.x] = found[i];
}
