// quantize_q8_0 of rows that go to places of their own: a thread for each block, which reads its 32 neighbours
// once.
//
// local: 64
// grid: min(ceil_div(R * C, 2048), 65535), ceil_div(ceil_div(R * C, 2048), 65535), 1

void main() {
    uint block = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 64u +
                 gl_LocalInvocationIndex;
    if (block >= R * C / 32u) return;
    uint blocks = C / 32u, row = uint(index(block / blocks)); // one below 0 is a large one: nowhere
    if (row >= N) return;
    float numbers[32];
    float most = 0.0;
    for (uint c = 0u; c < 32u; c++) {
        numbers[c] = src(block * 32u + c);
        float size = abs(numbers[c]);
        if (size > most) most = size;
    }
    uint scale_bits, at = (row * blocks + block % blocks) * 17u;
    float inverse = quantize_q8_inverse(most, scale_bits);
    dst_data[at] = uint16_t(scale_bits);
    for (uint c = 0u; c < 16u; c++) {
        precise float low = numbers[2u * c] * inverse, high = numbers[2u * c + 1u] * inverse;
        dst_data[at + 1u + c] = uint16_t(quantize_q8_code(low) | quantize_q8_code(high) << 8);
    }
}
