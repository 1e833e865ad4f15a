// One list of K out of L lists of K, as top_k would have made it of all their elements. Entries
// with index 0xffffffff are gaps. `offsets` are added to the indices of each list, for lists that
// number their own part of the data from 0.
//
// local: 256
// grid: min(R, 65535), ceil_div(R, 65535), 1

// Without branches, so that all loads are on their way.
void load_entries(uint row, uint first, bool largest, out uvec2 pairs[4]) {
    const uint ENTRIES = L * K;
    for (uint j = 0u; j < 4u; j++) {
        uint i = first + j * select_threads + gl_LocalInvocationIndex;
        uint at = min(i, max(ENTRIES, 1u) - 1u), index = list_indices(row * ENTRIES + at);
        uint key = select_key(list_values(row * ENTRIES + at), largest);
        bool open = i < ENTRIES && index != select_none;
#if offsets_PRESENT
        index += offsets(at / K);
#endif
        pairs[j] = open ? uvec2(key, index) : select_no_pair;
    }
}

void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= R || K == 0u) return;
    bool largest = order == 0u;
    uvec2 next[4];
    load_entries(row, 0u, largest, next);
    select_begin();
    for (uint tile = 0u; tile < L * K; tile += select_offers) {
        uvec2 pairs[4] = next;
        load_entries(row, tile + select_offers, largest, next); // on their way meanwhile
        select_turn(pairs, K, tile == 0u);
    }
    select_end(K);
    for (uint i = gl_LocalInvocationIndex; i < K; i += select_threads) {
        uvec2 pair = select_pairs[i];
#if values_PRESENT
        list_values_CLASS value;
        select_value(pair, largest, value);
        values_store(row * K + i, value);
#endif
        indices_store(row * K + i, pair.y);
    }
}
