// Weights of q8_0: blocks of 17 words of 16 bits, a scale and 32 signed bytes, so that no wider load
// is aligned. Four lanes share a block: one whole block each would spread every load of the lanes
// over a kilobyte.
struct VALUE_raw {
    uint scale;
    uvec4 words;
};

VALUE_raw VALUE_fetch(uint row, uint chunk) {
    uint block = (row * (K / 32u) + chunk / 4u) * 17u;
    uint at = block + 1u + chunk % 4u * 4u;
    return VALUE_raw(VALUE_weight(block),
                     uvec4(VALUE_weight(at), VALUE_weight(at + 1u), VALUE_weight(at + 2u),
                           VALUE_weight(at + 3u)));
}

// Both bytes of a word. The bits of byte + 128 in the mantissa of 2^23, or eight places higher in
// that of 2^15, are that power plus byte + 128: cheaper than shifting, extending and converting.
vec2 VALUE_bytes(uint word) {
    return uintBitsToFloat(uvec2((word & 0xffu) ^ 0x4b000080u, (word & 0xff00u) ^ 0x47008000u)) -
           vec2(8388736.0, 32896.0);
}

void VALUE_unpack(VALUE_raw raw, out vec4 low, out vec4 high, out float scale) {
    low = vec4(VALUE_bytes(raw.words.x), VALUE_bytes(raw.words.y));
    high = vec4(VALUE_bytes(raw.words.z), VALUE_bytes(raw.words.w));
    scale = unpackHalf2x16(raw.scale).x;
}

// Which quads of x a chunk meets.
uvec2 VALUE_quads(uint chunk) {
    return uvec2(2u * chunk, 2u * chunk + 1u);
}
