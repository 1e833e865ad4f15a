// MATVEC_WORD_DEPTH times 16 bytes of MATVEC_ROWS rows of blocks, added to their sums, each of which is
// one chain in ascending order. At most one block begins in 16 bytes; the lane there knows its scale,
// and lanes behind it get it from there: from the lane before, or two before (in q8_0), or for the first
// ones of those that share a row from the last ones in the round before.
[[unroll]] for (uint d = 0u; d < MATVEC_WORD_DEPTH; d++) {
    uint word = round + d * matvec_lanes + matvec_lane;
    uint into = 16u * word % VALUE_BLOCK;  // bytes of a block that lie before this word
    uint ends = VALUE_BLOCK - into;        // bytes of this word and behind that belong to it
    uint begins = ends < 16u ? ends : 0u;  // where a block begins here, if one does
    float own[MATVEC_ROWS], before[MATVEC_ROWS];
    uint home = gl_SubgroupInvocationID - matvec_lane; // the first of the lanes that share the row
    [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++) {
        uvec4 raw = VALUE_raws[d * MATVEC_ROWS + r];
        uvec2 half_of_it = begins < 8u ? raw.xy : raw.zw;
        uint pair = (begins & 4u) == 0u ? half_of_it.x : half_of_it.y;
        own[r] = unpackHalf2x16((begins & 2u) == 0u ? pair : pair >> 16).x;
        float one = subgroupShuffle(own[r], home + (matvec_lane + matvec_lanes - 1u) % matvec_lanes);
        float two = subgroupShuffle(own[r], home + (matvec_lane + matvec_lanes - 2u) % matvec_lanes);
        float one_before = matvec_lane == 0u ? VALUE_last[2u * r] : one;
        float two_before = matvec_lane < 2u ? VALUE_last[2u * r + 1u] : two;
        VALUE_last[2u * r] = one;
        VALUE_last[2u * r + 1u] = two;
        before[r] = into == 0u ? own[r] : into <= 16u ? one_before : two_before;
    }
    if (word < VALUE_WORDS) {
        [[unroll]] for (uint j = 0u; j < 4u; j++) {
            bool first_block = 4u * j < ends;
            [[unroll]] for (uint b = 0u; b < B; b++) {
                vec4 x = matvec_tile[(b * VALUE_PARTS + j) * VALUE_WORDS + word];
                vec4 y = matvec_tile[(b * VALUE_PARTS + VALUE_PARTS - 4u + j) * VALUE_WORDS + word];
                [[unroll]] for (uint r = 0u; r < MATVEC_ROWS; r++) {
                    float part = VALUE_part(VALUE_raws[d * MATVEC_ROWS + r][j], x, y);
                    VALUE_sums[r * B + b] =
                        fma(first_block ? before[r] : own[r], part, VALUE_sums[r * B + b]);
                }
            }
        }
    }
}
if (more)
    [[unroll]] for (uint i = 0u; i < MATVEC_WORD_DEPTH * MATVEC_ROWS; i++) VALUE_raws[i] = VALUE_next[i];
