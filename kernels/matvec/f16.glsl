// Weights of f16: a chunk is one load of 16 bytes.
struct VALUE_raw {
    uvec4 bits;
};

VALUE_raw VALUE_fetch(uint row, uint chunk) {
    return VALUE_raw(VALUE_weight(row * (K / 8u) + chunk));
}

void VALUE_unpack(VALUE_raw raw, out vec4 low, out vec4 high, out float scale) {
    low = vec4(unpackHalf2x16(raw.bits.x), unpackHalf2x16(raw.bits.y));
    high = vec4(unpackHalf2x16(raw.bits.z), unpackHalf2x16(raw.bits.w));
    scale = 1.0;
}

// Which quads of x a chunk meets.
uvec2 VALUE_quads(uint chunk) {
    return uvec2(2u * chunk, 2u * chunk + 1u);
}
