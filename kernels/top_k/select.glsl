// The first K elements of each row in order of value: a workgroup for each row goes through it once
// and keeps the best so far (include/select.glsl).
//
// local: 256
// grid: min(R, 65535), ceil_div(R, 65535), 1
// use: select
void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= R) return;
    bool largest = order == 0u;
    select_begin();
    for (uint tile = 0u; tile < N; tile += select_offers) {
        for (uint j = 0u; j < select_offers; j += select_threads) {
            uint i = tile + j + gl_LocalInvocationIndex;
            if (i >= N) break;
#if excluded_PRESENT
            if ((excluded(i / 32u) >> (i % 32u) & 1u) != 0u) continue;
#endif
            select_offer(select_key(x(row * N + i), largest), i, K);
        }
        select_round(K);
    }
    select_end(K);
    for (uint i = gl_LocalInvocationIndex; i < K; i += select_threads) {
        uint key = select_keys[i], index = select_indices[i];
#if values_PRESENT
#if x_DTYPE == F32 || x_DTYPE == F16
        values_store(row * K + i, select_float(key, index, largest));
#elif x_DTYPE == I32 || x_DTYPE == I8
        values_store(row * K + i, select_int(key, largest));
#else
        values_store(row * K + i, select_uint(key, largest));
#endif
#endif
        indices_store(row * K + i, index);
    }
}
