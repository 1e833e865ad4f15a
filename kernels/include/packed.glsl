// Eight f16 in four words, as cooperative matrices multiply them.

uvec4 f32x8_to_f16(vec4 low, vec4 high) {
    return uvec4(f32_to_f16x4(low), f32_to_f16x4(high));
}

// Two codes of a block times its scale. A code from 0 to 255 behind the bits of 1024.0 is added to it; the
// product is rounded once, to f16.
uint i8x2_halves(uint codes, f16vec2 scale) {
    uint biased = codes ^ 0x8080u; // from -128 to 127: 128 more
    f16vec2 code = unpackFloat2x16(biased & 0xffu | (biased & 0xff00u) << 8 | 0x64006400u) - f16vec2(1152.0);
    return packFloat2x16(code * scale);
}

uint u4x2_halves(uint codes, f16vec2 scale) {
    f16vec2 code = unpackFloat2x16(codes & 0xffu | (codes & 0xff00u) << 8 | 0x64006400u) - f16vec2(1032.0);
    return packFloat2x16(code * scale);
}
