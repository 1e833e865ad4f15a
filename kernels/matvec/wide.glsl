// MATVEC_DEPTH chunks of eight weights of MATVEC_ROWS rows, added to their sums, each of which is one
// chain in ascending order.
[[unroll]] for (uint d = 0u; d < MATVEC_DEPTH; d++) {
    uint chunk = round + matvec_lane + d * matvec_lanes;
    if (chunk >= end / 8u) continue;
    uvec2 quads = VALUE_quads(chunk);
    vec4 low[MATVEC_ROWS], high[MATVEC_ROWS];
    float scale[MATVEC_ROWS];
    [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++)
        VALUE_unpack(VALUE_raws[d * MATVEC_ROWS + r], low[r], high[r], scale[r]);
    [[unroll]] for (uint b = 0u; b < B; b++) {
        vec4 p = matvec_quad(b, quads.x), q = matvec_quad(b, quads.y);
        [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++) {
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
    [[unroll]] for (uint i = 0u; i < MATVEC_DEPTH * MATVEC_ROWS; i++) VALUE_raws[i] = VALUE_next[i];
