// Weights of q4_0, of which a lane has two blocks, 9 words of 32 bits: a scale each and 16 bytes with
// the codes of elements j and, in its upper half, j + 16. Four bits in the upper half of a byte, with the
// sign turned round, are sixteen times what they stand for.
uvec2 VALUE_codes(uint upper, uint lower) {
    return uvec2(upper, lower) & 0xf0f0f0f0u;
}

// The 32 bits of a row with a byte.
uint VALUE_word(uint row, uint byte) {
    return VALUE_weight(row * VALUE_WORDS + byte / 16u)[byte / 4u % 4u];
}

// The sum of a block's products with infinities: at the bits of `met`, those of `negative` with a minus.
float VALUE_spread(uint row, uint block, uint met, uint negative) {
    precise float sum = 0.0;
    for (; met != 0u; met &= met - 1u) {
        uint k = findLSB(met), begin = 18u * block, byte = begin + 2u + k % 16u;
        uint shift = 8u * (byte % 4u) + k / 16u * 4u;
        float code = float(int(VALUE_word(row, byte) >> shift & 0xfu) - 8);
        float scale = unpackHalf2x16(VALUE_word(row, begin) >> 8u * (begin % 4u)).x;
        sum += code * scale * uintBitsToFloat(0x7f800000u | (negative >> k & 1u) << 31);
    }
    return sum;
}
