// The first K elements in order of value of each of P parts of each row: as top_k, with a workgroup
// for each part, so that a few long rows keep a whole GPU busy. top_k_merge takes the rest from
// there. Part p is elements p * ceil(N / P) and following.
//
// local: 256
// grid: min(R * P, 65535), ceil_div(R * P, 65535), 1
void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= R * P || K == 0u) return;
    uint row = group / P, size = (N + P - 1u) / P;
    uint begin = min(group % P * size, N), end = min(begin + size, N);
    bool largest = order == 0u;
    select_begin();
    for (uint tile = begin; tile < end; tile += select_offers) {
        uvec2 pairs[4];
        for (uint j = 0u; j < 4u; j++) {
            uint i = tile + j * select_threads + gl_LocalInvocationIndex;
            bool open = i < end;
#if excluded_PRESENT
            if (open) open = (excluded(i / 32u) >> (i % 32u) & 1u) == 0u;
#endif
            pairs[j] = select_no_pair;
            if (open) pairs[j] = uvec2(select_key(x(row * N + i), largest), i);
        }
        select_turn(pairs, K, tile == begin);
    }
    select_end(K);
    for (uint i = gl_LocalInvocationIndex; i < K; i += select_threads) {
        uvec2 pair = select_pairs[i];
        x_CLASS value;
        select_value(pair, largest, value);
        values_store(group * K + i, value);
        indices_store(group * K + i, pair.y);
    }
}
