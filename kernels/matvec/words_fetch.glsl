// The loads of a lane's first words, before x is at hand: they take longer than x does.
uvec4 VALUE_raws[MATVEC_WORD_DEPTH * MATVEC_ROWS];
if (slot < matvec_count)
    [[unroll]] for (uint d = 0u; d < MATVEC_WORD_DEPTH; d++)
        [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++)
            VALUE_raws[d * MATVEC_ROWS + r] = VALUE_weight(
                rows[r] * VALUE_WORDS + min(matvec_lane + d * matvec_lanes, VALUE_WORDS - 1u));
