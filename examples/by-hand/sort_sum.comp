#version 450
// Where the keys of each digit and block begin: the sum of all counts before. One workgroup.
layout(local_size_x = BLOCK) in;
layout(set = 0, binding = 0) readonly buffer Counts { uint value[]; } counts;
layout(set = 0, binding = 1) writeonly buffer Places { uint value[]; } places;
shared uint sums[BLOCK];
void main() {
    uint i = gl_LocalInvocationID.x, each = (DIGITS * BLOCKS + BLOCK - 1u) / BLOCK, sum = 0u;
    uint begin = min(i * each, DIGITS * BLOCKS), end = min(begin + each, DIGITS * BLOCKS);
    for (uint k = begin; k < end; k++) sum += counts.value[k];
    sums[i] = sum;
    barrier();
    uint before = 0u;
    for (uint k = 0u; k < i; k++) before += sums[k];
    for (uint k = begin; k < end; k++) {
        places.value[k] = before;
        before += counts.value[k];
    }
}
