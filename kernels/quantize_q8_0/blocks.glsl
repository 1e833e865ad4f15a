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
    for (uint c = 0u; c < 32u; c++) numbers[c] = x(block * 32u + c);
    uint words[17];
    quantize_q8_block(numbers, words);
    for (uint c = 0u; c < 17u; c++) out_data[block * 17u + c] = uint16_t(words[c]);
}
