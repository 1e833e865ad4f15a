// Packs blocks of 32 numbers as GGML's q4_0: the number of the largest magnitude / -8 as an f16,
// then 4 bits each: number c in the low half of byte c, number c + 16 in the high half. A thread
// for each block, which reads its 32 neighbours once.
//
// The reciprocal is corrected to the nearest f32, so that the codes are the same on every device.
//
// local: 64
// grid: min(ceil_div(R * C, 2048), 65535), ceil_div(ceil_div(R * C, 2048), 65535), 1

uint quantize_code(float number) {
    precise float raised = number + 8.5;
    return f_isnan(number) ? 8u : min(uint(max(raised, 0.0)), 15u);
}

void main() {
    uint block = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u +
                 gl_LocalInvocationIndex;
    if (block >= R * C / 32u) return;
    float numbers[32];
    float most = 0.0;
    for (uint c = 0u; c < 32u; c++) {
        numbers[c] = x(block * 32u + c);
        if (abs(numbers[c]) > abs(most)) most = numbers[c];
    }
    precise float unit = most * -0.125;
    float size = abs(unit);
    float inverse = size > 1e-30 && size < 1e30 ? quantize_reciprocal(unit) : 0.0;
    uint at = block * 9u;
    out_data[at] = uint16_t(f32_to_f16(unit));
    for (uint c = 0u; c < 8u; c++) {
        precise vec4 codes = inverse * vec4(numbers[2u * c], numbers[2u * c + 16u],
                                            numbers[2u * c + 1u], numbers[2u * c + 17u]);
        out_data[at + 1u + c] = uint16_t(quantize_code(codes.x) | quantize_code(codes.y) << 4 |
                                         quantize_code(codes.z) << 8 |
                                         quantize_code(codes.w) << 12);
    }
}
