// Weights of q8_0, of which a lane has two blocks, 17 words of 32 bits: a scale and 32 signed bytes
// each.
uvec2 VALUE_codes(uint word, uint unused) {
    return uvec2(word);
}

// The 32 bits of a row with a byte.
uint VALUE_word(uint row, uint byte) {
    return VALUE_weight(row * VALUE_WORDS + byte / 16u)[byte / 4u % 4u];
}

// The sum of a block's products with infinities: at the bits of `met`, those of `negative` with a minus.
float VALUE_spread(uint row, uint block, uint met, uint negative) {
    precise float sum = 0.0;
    for (; met != 0u; met &= met - 1u) {
        uint k = findLSB(met), begin = 34u * block, byte = begin + 2u + k;
        float code = float(bitfieldExtract(int(VALUE_word(row, byte)), 8 * int(byte % 4u), 8));
        float scale = unpackHalf2x16(VALUE_word(row, begin) >> 8u * (begin % 4u)).x;
        sum += code * scale * uintBitsToFloat(0x7f800000u | (negative >> k & 1u) << 31);
    }
    return sum;
}
