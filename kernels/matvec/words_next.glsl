// The next words, of these rows or of the rows that come after them.
uvec4 VALUE_next[MATVEC_WORD_DEPTH * MATVEC_ROWS];
if (more)
    [[unroll]] for (uint d = 0u; d < MATVEC_WORD_DEPTH; d++)
        [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++)
            VALUE_next[d * MATVEC_ROWS + r] =
                VALUE_weight((last ? after[r] : rows[r]) * VALUE_WORDS +
                             min(next + matvec_lane + d * matvec_lanes, VALUE_WORDS - 1u));
