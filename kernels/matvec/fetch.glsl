// The loads of a lane's first chunks, before x is at hand: they take longer than x does.
VALUE_raw VALUE_raws[MATVEC_DEPTH * MATVEC_ROWS];
if (slot < matvec_count)
    [[unroll]] for (uint d = 0u; d < MATVEC_DEPTH; d++)
        [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++)
            VALUE_raws[d * MATVEC_ROWS + r] = VALUE_fetch(
                rows[r], min(first / 8u + matvec_lane + d * matvec_lanes, end / 8u - 1u));
