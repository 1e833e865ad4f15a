// The first K elements of each row in order of value: a workgroup for each row goes through it once
// and keeps the best so far (include/select.glsl).
//
// local: 256
// grid: min(R, 65535), ceil_div(R, 65535), 1
void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= R || K == 0u) return;
    bool largest = order == 0u;
    select_begin();
    for (uint tile = 0u; tile < N; tile += select_offers) {
        uvec2 pairs[4];
        for (uint j = 0u; j < 4u; j++) {
            uint i = tile + j * select_threads + gl_LocalInvocationIndex;
            bool open = i < N;
#if excluded_PRESENT
            if (open) open = (excluded(i / 32u) >> (i % 32u) & 1u) == 0u;
#endif
            pairs[j] = select_no_pair;
            if (open) pairs[j] = uvec2(select_key(x(row * N + i), largest), i);
        }
        select_turn(pairs, K, tile == 0u);
    }
    select_end(K);
    for (uint i = gl_LocalInvocationIndex; i < K; i += select_threads) {
        uvec2 pair = select_pairs[i];
#if values_PRESENT
        x_CLASS value;
        select_value(pair, largest, value);
        values_store(row * K + i, value);
#endif
        indices_store(row * K + i, pair.y);
    }
}
