// The next chunks, of these rows or of the rows that come after them.
VALUE_raw VALUE_next[MATVEC_DEPTH * MATVEC_ROWS];
if (more)
    [[unroll]] for (uint d = 0u; d < MATVEC_DEPTH; d++)
        [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++)
            VALUE_next[d * MATVEC_ROWS + r] = VALUE_fetch(
                last ? after[r] : rows[r],
                min(next + matvec_lane + d * matvec_lanes, end / 8u - 1u));
