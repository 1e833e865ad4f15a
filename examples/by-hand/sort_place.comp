#version 450
// A key's place: where those of its digit and block begin, behind the equal ones before it.
layout(local_size_x = BLOCK) in;
layout(set = 0, binding = 0) readonly buffer Keys { uint value[]; } keys;
layout(set = 0, binding = 1) readonly buffer Places { uint value[]; } places;
layout(set = 0, binding = 2) writeonly buffer Sorted { uint value[]; } sorted;
layout(push_constant) uniform Push { uint shift; } push;
shared uint digits[BLOCK];
void main() {
    uint i = gl_LocalInvocationID.x, key = keys.value[gl_GlobalInvocationID.x], rank = 0u;
    uint digit = key >> push.shift & (DIGITS - 1u);
    digits[i] = digit;
    barrier();
    for (uint k = 0u; k < i; k++) rank += digits[k] == digit ? 1u : 0u;
    sorted.value[places.value[digit * BLOCKS + gl_WorkGroupID.x] + rank] = key;
}
