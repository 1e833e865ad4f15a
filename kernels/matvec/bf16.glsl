// Weights of bf16: a chunk is one load of 16 bytes.
struct VALUE_raw {
    uvec4 bits;
};

VALUE_raw VALUE_fetch(uint row, uint chunk) {
    return VALUE_raw(VALUE_weight(row * (K / 8u) + chunk));
}

void VALUE_unpack(VALUE_raw raw, out vec4 low, out vec4 high, out float scale) {
    low = bf16x4_to_f32(raw.bits.xy);
    high = bf16x4_to_f32(raw.bits.zw);
    scale = 1.0;
}

// Which quads of x a chunk meets.
uvec2 VALUE_quads(uint chunk) {
    return uvec2(2u * chunk, 2u * chunk + 1u);
}
