// MATVEC_ROWS dot products with rows of blocks. Lanes take 16 bytes in turn, MATVEC_WORD_DEPTH of them
// at once. At most one block begins in 16 bytes; the lane there knows its scale, and lanes behind it
// get it from there: from the lane before, or two before (in q8_0), or for the first ones of the
// subgroup from the last ones in the round before. Every sum is one chain in ascending order.
float VALUE_last[2u * MATVEC_ROWS]; // scales that began in the lane before and two before, last round
for (uint r = 0u; r < 2u * MATVEC_ROWS; r++) VALUE_last[r] = 0.0;
for (uint round = 0u; round * matvec_lanes < VALUE_WORDS; round += MATVEC_WORD_DEPTH) {
    for (uint d = 0u; d < MATVEC_WORD_DEPTH; d++) {
        uint word = (round + d) * matvec_lanes + matvec_lane;
        uint into = 16u * word % VALUE_BLOCK;  // bytes of a block that lie before this word
        uint ends = VALUE_BLOCK - into;        // bytes of this word and behind that belong to it
        uint begins = ends < 16u ? ends : 0u;  // where a block begins here, if one does
        float own[MATVEC_ROWS], before[MATVEC_ROWS];
        for (uint r = 0u; r < MATVEC_ROWS; r++) {
            uvec4 raw = VALUE_raws[d * MATVEC_ROWS + r];
            uvec2 half_of_it = begins < 8u ? raw.xy : raw.zw;
            uint pair = (begins & 4u) == 0u ? half_of_it.x : half_of_it.y;
            own[r] = unpackHalf2x16((begins & 2u) == 0u ? pair : pair >> 16).x;
            float one = subgroupShuffle(own[r], (matvec_lane + matvec_lanes - 1u) % matvec_lanes);
            float two = subgroupShuffle(own[r], (matvec_lane + matvec_lanes - 2u) % matvec_lanes);
            float one_before = matvec_lane == 0u ? VALUE_last[2u * r] : one;
            float two_before = matvec_lane < 2u ? VALUE_last[2u * r + 1u] : two;
            VALUE_last[2u * r] = one;
            VALUE_last[2u * r + 1u] = two;
            before[r] = into == 0u ? own[r] : into <= 16u ? one_before : two_before;
        }
        if (word < VALUE_WORDS) {
            for (uint j = 0u; j < 4u; j++) {
                bool first = 4u * j < ends;
                for (uint b = 0u; b < B; b++) {
                    vec4 x = matvec_tile[(b * VALUE_PARTS + j) * VALUE_WORDS + word];
                    vec4 y = matvec_tile[(b * VALUE_PARTS + VALUE_PARTS - 4u + j) * VALUE_WORDS + word];
                    for (uint r = 0u; r < MATVEC_ROWS; r++) {
                        float part = VALUE_part(VALUE_raws[d * MATVEC_ROWS + r][j], x, y);
                        VALUE_sums[r * B + b] = fma(first ? before[r] : own[r], part, VALUE_sums[r * B + b]);
                    }
                }
            }
        }
    }
    uint next = (round + MATVEC_WORD_DEPTH) * matvec_lanes + matvec_lane;
    for (uint d = 0u; d < MATVEC_WORD_DEPTH; d++)
        for (uint r = 0u; r < MATVEC_ROWS; r++)
            VALUE_raws[d * MATVEC_ROWS + r] =
                VALUE_weight(rows[r] * VALUE_WORDS + min(next + d * matvec_lanes, VALUE_WORDS - 1u));
}
