// Packs blocks of 32 numbers as GGML's q8_0: the largest magnitude / 127 as an f16, then 32 signed
// bytes. A thread for each block, which reads its 32 neighbours once.
//
// local: 64
// grid: min(ceil_div(R * C, 2048), 65535), ceil_div(ceil_div(R * C, 2048), 65535), 1

void main() {
    uint block = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u +
                 gl_LocalInvocationIndex;
    if (block >= R * C / 32u) return;
    float numbers[32];
    float most = 0.0;
    for (uint c = 0u; c < 32u; c++) {
        numbers[c] = x(block * 32u + c);
        float size = abs(numbers[c]);
        if (size > most) most = size;
    }
    uint scale_bits, at = block * 17u;
    float inverse = quantize_q8_inverse(most, scale_bits);
    out_data[at] = uint16_t(scale_bits);
    for (uint c = 0u; c < 16u; c++) {
        precise float low = numbers[2u * c] * inverse, high = numbers[2u * c + 1u] * inverse;
        out_data[at + 1u + c] = uint16_t(quantize_q8_code(low) | quantize_q8_code(high) << 8);
    }
}
