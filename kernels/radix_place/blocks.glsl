// One pass of a sort by digits: moves the elements of each row to where a digit, 8 bits of their keys,
// puts them, those with equal digits in the order that they have. `offsets` says where each block's
// elements of each digit begin.
//
// A workgroup takes its block in tiles of 2048. It counts a tile's digits, and goes through it again in
// eight rounds of 256: each thread sets its bit among those of its digit, and how many stand before it is
// what bits there are to be counted. So places do not depend on who comes first. They are places in
// shared memory, where the tile is in order at the end; neighbours of one digit leave it for neighbouring
// places, in one store where they can. Elements are asked for twice, since what was kept of them would
// not fit beside that.
//
// G: workgroups in all.
//
// local: 256
// grid: min(G, 65535), ceil_div(G, 65535), 1
const uint TILE = 2048u;

shared uint bits[2048];         // eight words for each digit: who of a round has it
shared uint total[256];         // of a tile: elements of each digit
shared uint starts[512];        // where the next one of each goes in the tile; twice, for the scan
shared uint goals[256];         // what makes of a place in the tile one in the row
shared uint tile_keys[2048];
shared uint tile_places[2048];

// with: radix_place/store

uint key_at(uint i) {
    return select_key(x(i), order != 0u);
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= G) return;
    uint t = gl_LocalInvocationIndex, row = group / P, block = group % P;
    uint begin = min(block * E, N), end = min(N, begin + E), word = t / 32u;
    goals[t] = offsets((row * 256u + t) * P + block);
    for (uint k = 0u; k < TILE; k += 256u) bits[k + t] = 0u;
    for (uint tile = begin; tile < end; tile += TILE) {
        uint size = min(TILE, end - tile);
        total[t] = 0u;
        barrier();
        for (uint k = t; k < size; k += 256u) atomicAdd(total[digit_of(key_at(row * N + tile + k))], 1u);
        barrier();
        uint sum = total[t], from = 0u;
        starts[t] = sum;
        barrier();
        for (uint span = 1u; span < 256u; span *= 2u) {
            if (t >= span) sum += starts[from + t - span];
            from = 256u - from;
            starts[from + t] = sum;
            barrier();
        }
        from = 256u - from; // the half that nobody reads
        sum -= total[t];
        starts[from + t] = sum;
        goals[t] -= sum;
        barrier();
        for (uint k = 0u; k < size; k += 256u) {
            uint i = k + t, key = 0u, place = tile + i;
            bool here = i < size;
            if (here) {
                key = key_at(row * N + tile + i);
#if places_PRESENT
                place = places(row * N + tile + i);
#endif
            }
            uint digit = digit_of(key), before = 0u, all = 0u;
            if (here) atomicOr(bits[digit * 8u + word], 1u << (t % 32u));
            barrier();
            for (uint w = 0u; w < 8u; w++) {
                uint set = bits[digit * 8u + w];
                all += uint(bitCount(set));
                if (w == word) set &= (1u << (t % 32u)) - 1u;
                if (w <= word) before += uint(bitCount(set));
            }
            if (here) {
                uint to = starts[from + digit] + before;
                tile_keys[to] = key;
                tile_places[to] = place;
            }
            barrier();
            if (here && before == 0u) {
                starts[from + digit] += all;
                for (uint w = 0u; w < 8u; w++) bits[digit * 8u + w] = 0u;
            }
            barrier();
        }
        for (uint j = t; j < size; j += 256u) store_element(row, j, tile_keys[j], tile_places[j]);
        barrier();
        goals[t] += sum + total[t];
    }
}
