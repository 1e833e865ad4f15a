// One list of K out of L lists of K, as top_k would have made it of all their elements. Entries
// with index 0xffffffff are gaps. `offsets` are added to the indices of each list, for lists that
// number their own part of the data from 0.
//
// local: 256
// grid: min(R, 65535), ceil_div(R, 65535), 1
// use: select
void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (row >= R) return;
    bool largest = order == 0u;
    uint entries = L * K;
    select_begin();
    for (uint tile = 0u; tile < entries; tile += select_offers) {
        for (uint j = 0u; j < select_offers; j += select_threads) {
            uint i = tile + j + gl_LocalInvocationIndex;
            if (i >= entries) break;
            uint index = list_indices(row * entries + i);
            if (index == select_none) continue;
#if offsets_PRESENT
            index += offsets(i / K);
#endif
            select_offer(select_key(list_values(row * entries + i), largest), index, K);
        }
        select_round(K);
    }
    select_end(K);
    for (uint i = gl_LocalInvocationIndex; i < K; i += select_threads) {
        uint key = select_keys[i], index = select_indices[i];
#if values_PRESENT
#if list_values_DTYPE == F32 || list_values_DTYPE == F16
        values_store(row * K + i, select_float(key, index, largest));
#elif list_values_DTYPE == I32 || list_values_DTYPE == I8
        values_store(row * K + i, select_int(key, largest));
#else
        values_store(row * K + i, select_uint(key, largest));
#endif
#endif
        indices_store(row * K + i, index);
    }
}
