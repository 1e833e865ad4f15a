// The first K elements of each row in order of value: a row a thread, which keeps the best so far in
// registers. Each element goes along them and changes places with what comes after it.
//
// B: workgroups.
//
// local: 64
// grid: min(B, 65535), ceil_div(B, 65535), 1
void main() {
    uint row = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u + gl_LocalInvocationIndex;
    if (row >= R) return;
    bool largest = order == 0u;
    uint keys[K], indices[K];
    [[unroll]] for (uint k = 0u; k < K; k++) {
        keys[k] = select_none;
        indices[k] = select_none;
    }
    for (uint i = 0u; i < N; i++) {
#if excluded_PRESENT
        if ((excluded(i / 32u) >> (i % 32u) & 1u) != 0u) continue;
#endif
        uint key = select_key(x(row * N + i), largest), index = i;
        [[unroll]] for (uint k = 0u; k < K; k++) {
            bool first = select_before(uvec2(key, index), uvec2(keys[k], indices[k]));
            uint later_key = first ? keys[k] : key, later_index = first ? indices[k] : index;
            keys[k] = first ? key : keys[k];
            indices[k] = first ? index : indices[k];
            key = later_key;
            index = later_index;
        }
    }
    [[unroll]] for (uint k = 0u; k < K; k++) {
#if values_PRESENT
        x_CLASS value;
        select_value(uvec2(keys[k], indices[k]), largest, value);
        values_store(row * K + k, value);
#endif
        indices_store(row * K + k, indices[k]);
    }
}
