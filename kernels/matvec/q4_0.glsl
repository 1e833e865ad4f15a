// Weights of q4_0: blocks of 9 words of 16 bits, a scale and 16 bytes; byte j holds elements j and,
// in its upper half, j + 16, both plus 8. Four lanes share a block, four bytes each.
struct VALUE_raw {
    uint scale;
    uvec2 words;
};

VALUE_raw VALUE_fetch(uint row, uint chunk) {
    uint block = (row * (K / 32u) + chunk / 4u) * 9u;
    uint at = block + 1u + chunk % 4u * 2u;
    return VALUE_raw(VALUE_weight(block), uvec2(VALUE_weight(at), VALUE_weight(at + 1u)));
}

// Four bits p places up in the mantissa of 2^(23 - p) are that power plus their value: cheaper than
// shifting and converting.
void VALUE_unpack(VALUE_raw raw, out vec4 low, out vec4 high, out float scale) {
    uvec4 words = raw.words.xxyy;
    low = uintBitsToFloat((words & uvec4(0xfu, 0xf00u, 0xfu, 0xf00u)) |
                          uvec4(0x4b000000u, 0x47000000u, 0x4b000000u, 0x47000000u)) -
          vec4(8388616.0, 32776.0, 8388616.0, 32776.0);
    high = uintBitsToFloat((words & uvec4(0xf0u, 0xf000u, 0xf0u, 0xf000u)) |
                           uvec4(0x49000000u, 0x45000000u, 0x49000000u, 0x45000000u)) -
           vec4(524296.0, 2056.0, 524296.0, 2056.0);
    scale = unpackHalf2x16(raw.scale).x;
}

// Which quads of x a chunk meets.
uvec2 VALUE_quads(uint chunk) {
    uint first = chunk / 4u * 8u + chunk % 4u;
    return uvec2(first, first + 4u);
}
