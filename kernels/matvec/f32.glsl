// Weights of f32: a chunk is two loads of 16 bytes.
struct VALUE_raw {
    vec4 low, high;
};

VALUE_raw VALUE_fetch(uint row, uint chunk) {
    uint at = row * (K / 4u) + 2u * chunk;
    return VALUE_raw(VALUE_weight(at), VALUE_weight(at + 1u));
}

void VALUE_unpack(VALUE_raw raw, out vec4 low, out vec4 high, out float scale) {
    low = raw.low;
    high = raw.high;
    scale = 1.0;
}

// Which quads of x a chunk meets.
uvec2 VALUE_quads(uint chunk) {
    return uvec2(2u * chunk, 2u * chunk + 1u);
}
