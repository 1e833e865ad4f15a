// The same as select.glsl where all entries are at hand at once: few of them, and K no more than a subgroup
// has invocations.
//
// Each invocation has the first of its entries sorted with those of its subgroup: of these K are not
// behind the K-th, so what is behind the K-th of any subgroup is none of the first K. What is left, about
// as many as are wanted, is put side by side, and each counts those before it.
//
// Z: invocations of a subgroup.
//
// local: 256
// subgroup: Z
// grid: min(R, 65535), ceil_div(R, 65535), 1
const uint ENTRIES = L * K, EACH = (ENTRIES + 255u) / 256u, SUBGROUPS = 256u / Z;

shared uvec2 bounds[SUBGROUPS];
shared uvec2 near[ENTRIES];
shared uint near_count;

void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= R) return;
    uint thread = gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID;
    bool largest = order == 0u;
    if (thread == 0u) near_count = 0u;
    uvec2 own[EACH], least = select_no_pair;
    [[unroll]] for (uint e = 0u; e < EACH; e++) { // without branches, so that all loads are on their way
        uint i = e * 256u + thread, at = min(i, ENTRIES - 1u), index = list_indices(row * ENTRIES + at);
        uint key = select_key(list_values(row * ENTRIES + at), largest);
        bool open = i < ENTRIES && index != select_none;
#if offsets_PRESENT
        index += offsets(at / K);
#endif
        own[e] = open ? uvec2(key, index) : select_no_pair;
    }
    [[unroll]] for (uint e = 0u; e < EACH; e++) least = select_first(least, own[e]);
    least = select_sort_subgroup(least, Z);
    if (gl_SubgroupInvocationID == K - 1u) bounds[gl_SubgroupID] = least;
    barrier();
    uvec2 bound = bounds[0];
    [[unroll]] for (uint s = 1u; s < SUBGROUPS; s++) bound = select_first(bound, bounds[s]);
    [[unroll]] for (uint e = 0u; e < EACH; e++)
        if (own[e] != select_no_pair && !select_before(bound, own[e])) near[atomicAdd(near_count, 1u)] = own[e];
    barrier();
    uint count = near_count;
    for (uint i = thread; i < max(count, K); i += 256u) {
        uint place = i;
        uvec2 pair = select_no_pair;
        if (i < count) {
            pair = near[i];
            place = 0u;
            for (uint n = 0u; n < count; n++) {
                uvec2 other = near[n];
                place += uint(select_before(other, pair) || (other == pair && n < i));
            }
        }
        if (place >= K) continue;
#if values_PRESENT
        list_values_CLASS value;
        select_value(pair, largest, value);
        values_store(row * K + place, value);
#endif
        indices_store(row * K + place, pair.y);
    }
}
