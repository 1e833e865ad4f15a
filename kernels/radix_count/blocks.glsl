// How many elements of each block of a row have each value of a digit, 8 bits of their keys
// (include/select.glsl): a workgroup for each block counts in shared memory.
//
// G: workgroups in all.
//
// local: 256
// grid: min(G, 65535), ceil_div(G, 65535), 1
shared uint counted[256];

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= G) return;
    uint t = gl_LocalInvocationIndex, row = group / P, block = group % P;
    uint begin = min(block * E, N), end = min(N, begin + E);
    counted[t] = 0u;
    barrier();
    for (uint i = begin + t; i < end; i += 256u)
        atomicAdd(counted[select_key(x(row * N + i), order != 0u) >> shift & 255u], 1u);
    barrier();
    counts_store((row * 256u + t) * P + block, counted[t]);
}
