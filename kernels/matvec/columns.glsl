// The products of VALUE_ROWS rows: a sum of two blocks in each lane, then over lanes. Codes meet digits
// four at a time; what 32 of them make is a number once. No branch stands in it: the rows' instructions
// go side by side.
// Of words a lane has every fourth in the same place of a vector: four addresses serve for all.
float sums[VALUE_ROWS];
uint home = gl_SubgroupID * VALUE_CHUNK, first = matvec_lane * VALUE_PAIR;
[[unroll]] for (uint r = 0u; r < VALUE_ROWS; r++) {
    uint words[VALUE_PAIR];
    [[unroll]] for (uint i = 0u; i < VALUE_PAIR; i++) {
        uint at = first + i % 4u;
        words[i] = floatBitsToUint(matvec_tile[home + at / 4u + (i / 4u + r * VALUE_PART)][at % 4u]);
    }
    vec2 dots, scales = vec2(unpackHalf2x16(words[0]).x, unpackHalf2x16(words[VALUE_PAIR / 2u]).y);
    [[unroll]] for (uint i = 0u; i < VALUE_PAIR; i++) words[i] ^= VALUE_SIGNS;
    [[unroll]] for (uint second = 0u; second < 2u; second++) {
        int sum[3] = {0, 0, 0};
        [[unroll]] for (uint j = 0u; j < VALUE_PAIR / 2u; j++) {
            // The first block begins in the upper half of a word, the second with one.
            uint low = words[second == 0u ? j : VALUE_PAIR / 2u + 1u + j], high = words[j + 1u];
            uvec2 codes = second == 0u ? VALUE_codes(low >> 16 | high << 16, low >> 12 | high << 20)
                                       : VALUE_codes(low, low << 4);
            [[unroll]] for (uint d = 0u; d < 3u; d++) {
                sum[d] += dot_i8(int(codes.x), int(digits[16u * d + 8u * second + VALUE_UPPER + j]), 0);
                if (VALUE_UPPER != 0u)
                    sum[d] += dot_i8(int(codes.y), int(digits[16u * d + 8u * second + j]), 0);
            }
        }
        dots[second] = fma(float(sum[0]), 65536.0, float(sum[1] * 256 + sum[2])) * powers[second];
    }
    sums[r] = fma(dots.x, scales.x, dots.y * scales.y);
}
[[unroll]] for (uint r = 0u; r < VALUE_ROWS; r++) sums[r] = inside ? sums[r] * VALUE_UNIT : 0.0;
[[unroll]] for (uint apart = MATVEC_COLUMN_LANES / 2u; apart > 0u; apart /= 2u)
    [[unroll]] for (uint r = 0u; r < VALUE_ROWS; r++) sums[r] += subgroupShuffleXor(sums[r], apart);
[[unroll]] for (uint r = 0u; r < VALUE_ROWS; r++)
    if (matvec_lane == 0u && slot + r < matvec_count)
        matvec_results[VALUE_NUMBER * MATVEC_RESULTS + (slot + r) * MATVEC_PARTS + part] = sums[r];
subgroupBarrier(); // the next rows come to the same memory
