// How many elements of each block of a row have each value of a digit, 8 bits of their keys
// (include/select.glsl): a workgroup for each block counts in shared memory. Every 32 threads have counts
// of their own, since many elements may have one digit, and those that count it wait for each other.
//
// G: workgroups in all.
//
// local: 256
// grid: min(G, 65535), ceil_div(G, 65535), 1
const uint COPIES = 8u;

shared uint counted[COPIES * 256u];

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= G) return;
    uint t = gl_LocalInvocationIndex, row = group / P, block = group % P, own = t / 32u * 256u;
    uint begin = min(block * E, N), end = min(N, begin + E);
    for (uint c = 0u; c < COPIES; c++) counted[c * 256u + t] = 0u;
    barrier();
    for (uint i = begin + t; i < end; i += 256u)
        atomicAdd(counted[own + (select_key(x(row * N + i), order != 0u) >> shift & 255u)], 1u);
    barrier();
    uint sum = 0u;
    for (uint c = 0u; c < COPIES; c++) sum += counted[c * 256u + t];
    counts_store((row * 256u + t) * P + block, sum);
}
