// The part of MATVEC_ROWS dot products that lies in x from `first` on, added to their sums.
// Lanes take chunks of eight weights in turn, MATVEC_DEPTH of them at once, the next ones on their
// way: what keeps the memory busy is how many loads do not wait for one another. Every sum is one
// chain in ascending order.
for (uint at = first / 8u + matvec_lane; at < end / 8u; at += MATVEC_DEPTH * matvec_lanes) {
    VALUE_raw VALUE_next[MATVEC_DEPTH * MATVEC_ROWS];
    uint next = at + MATVEC_DEPTH * matvec_lanes;
    bool more = next < end / 8u;
    if (more)
        for (uint d = 0u; d < MATVEC_DEPTH; d++)
            for (uint r = 0u; r < MATVEC_ROWS; r++)
                VALUE_next[d * MATVEC_ROWS + r] =
                    VALUE_fetch(rows[r], min(next + d * matvec_lanes, end / 8u - 1u));
    for (uint d = 0u; d < MATVEC_DEPTH; d++) {
        uint chunk = at + d * matvec_lanes;
        if (chunk >= end / 8u) continue;
        uvec2 quads = VALUE_quads(chunk);
        vec4 low[MATVEC_ROWS], high[MATVEC_ROWS];
        float scale[MATVEC_ROWS];
        for (uint r = 0u; r < MATVEC_ROWS; r++)
            VALUE_unpack(VALUE_raws[d * MATVEC_ROWS + r], low[r], high[r], scale[r]);
        for (uint b = 0u; b < B; b++) {
            vec4 p = matvec_quad(b, quads.x), q = matvec_quad(b, quads.y);
            for (uint r = 0u; r < MATVEC_ROWS; r++) {
                precise float part = low[r].x * p.x;
                part = fma(low[r].y, p.y, part);
                part = fma(low[r].z, p.z, part);
                part = fma(low[r].w, p.w, part);
                part = fma(high[r].x, q.x, part);
                part = fma(high[r].y, q.y, part);
                part = fma(high[r].z, q.z, part);
                part = fma(high[r].w, q.w, part);
                VALUE_sums[r * B + b] += scale[r] * part;
            }
        }
    }
    if (more)
        for (uint i = 0u; i < MATVEC_DEPTH * MATVEC_ROWS; i++) VALUE_raws[i] = VALUE_next[i];
}
