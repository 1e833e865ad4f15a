// Conversions of f16 by the device itself, in place of those of common.glsl and math4.glsl, where it says that they
// round to the nearest even and keep denormals (docs/decisions/0023-halves.md).

float f16_to_f32(uint bits16) {
    return float(unpackFloat2x16(bits16).x);
}

vec4 f16x4_to_f32(uvec2 words) {
    return vec4(vec2(unpackFloat2x16(words.x)), vec2(unpackFloat2x16(words.y)));
}

uint f32_to_f16(float value) {
    return packFloat2x16(f16vec2(vec2(value, 0.0)));
}

uvec2 f32_to_f16x4(vec4 value) {
    return uvec2(packFloat2x16(f16vec2(value.xy)), packFloat2x16(f16vec2(value.zw)));
}

// A way there and back: a driver that sees it leaves it out, with its rounding.
float round_f16(float value) {
    return f16_to_f32(f_hidden(f32_to_f16(value)));
}

vec4 round_f16_4(vec4 value) {
    uvec2 words = f32_to_f16x4(value) | f_hidden(0u);
    return f16x4_to_f32(words);
}
