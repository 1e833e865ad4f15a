// The same as blocks.glsl where subgroups are of a known size. Each subgroup counts its own part of a
// tile, in order and without a barrier: of its invocations those with equal digits find each other by
// ballots, one for each bit, and the first of them counts for all. What stands before an element of the
// same digit is then what earlier rounds and earlier invocations of its subgroup have of it, and what
// subgroups before it have. So places do not depend on who comes first, and an element is asked for once.
//
// Counts are no longer needed when elements are put in order, which happens in the same memory.
//
// Z: invocations of a subgroup; G: workgroups in all.
//
// local: 256
// subgroup: Z
// grid: min(G, 65535), ceil_div(G, 65535), 1
const uint TILE = 2048u, EACH = TILE / 256u, SUBGROUPS = 256u / Z; // 16 at most

shared uint cells[2u * TILE];                        // counts of each subgroup; then keys, and places behind them
shared uint starts[256];                             // where each digit begins in the tile
shared uint goals[256];                              // what makes of a place in the tile one in the row
shared uint parts[SUBGROUPS];                        // of the scan of counts

// with: radix_place/store

// Those of the subgroup that have the same digit; none of them for who is not `here`.
uint alike(uint digit, bool here) {
    uint same = subgroupBallot(here).x;
    [[unroll]] for (uint bit = 0u; bit < 8u; bit++) {
        bool set = (digit >> bit & 1u) != 0u;
        uint with = subgroupBallot(set).x;
        same &= set ? with : ~with;
    }
    return here ? same : 0u;
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= G) return;
    uint lane = gl_SubgroupInvocationID, own = gl_SubgroupID * 256u, t = gl_SubgroupID * Z + lane;
    uint row = group / P, block = group % P;
    uint begin = min(block * E, N), end = min(N, begin + E), before = (1u << lane) - 1u;
    uint goal = offsets((row * 256u + t) * P + block); // of digit t
    for (uint tile = begin; tile < end; tile += TILE) {
        uint size = min(TILE, end - tile), first = gl_SubgroupID * Z * EACH + lane;
        uint keys_of[EACH], places_of[EACH], ranks[EACH];
        [[unroll]] for (uint e = 0u; e < EACH; e++) {
            uint i = min(first + e * Z, size - 1u), at = row * N + tile + i;
            keys_of[e] = select_key(x(at), order != 0u);
#if places_PRESENT
            places_of[e] = places(at);
#else
            places_of[e] = tile + i;
#endif
        }
        for (uint i = t; i < SUBGROUPS * 256u; i += 256u) cells[i] = 0u;
        barrier();
        [[unroll]] for (uint e = 0u; e < EACH; e++) {
            bool here = first + e * Z < size;
            uint digit = digit_of(keys_of[e]), same = alike(digit, here);
            uint earlier = cells[own + digit];
            subgroupBarrier();
            if (here && (same & before) == 0u) cells[own + digit] = earlier + uint(bitCount(same));
            subgroupBarrier();
            ranks[e] = earlier + uint(bitCount(same & before));
        }
        barrier();
        uint all = 0u;
        for (uint s = 0u; s < SUBGROUPS; s++) { // of digit t
            uint count = cells[s * 256u + t];
            cells[s * 256u + t] = all;
            all += count;
        }
        uint start = subgroupExclusiveAdd(all);
        if (lane == Z - 1u) parts[gl_SubgroupID] = start + all;
        barrier();
        for (uint s = 0u; s < gl_SubgroupID; s++) start += parts[s];
        starts[t] = start;
        goals[t] = goal - start;
        goal += all;
        barrier();
        [[unroll]] for (uint e = 0u; e < EACH; e++) {
            uint digit = digit_of(keys_of[e]);
            ranks[e] += starts[digit] + cells[own + digit];
        }
        barrier();
        [[unroll]] for (uint e = 0u; e < EACH; e++) {
            if (first + e * Z >= size) continue;
            cells[ranks[e]] = keys_of[e];
            cells[TILE + ranks[e]] = places_of[e];
        }
        barrier();
        for (uint j = t; j < size; j += 256u) store_element(row, j, cells[j], cells[TILE + j]);
        barrier();
    }
}
