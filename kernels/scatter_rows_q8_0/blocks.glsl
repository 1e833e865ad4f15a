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
    for (uint c = 0u; c < 32u; c++) numbers[c] = src(block * 32u + c);
    uint words[17];
    quantize_q8_block(numbers, words);
    for (uint c = 0u; c < 17u; c++) dst_data[(row * blocks + block % blocks) * 17u + c] = uint16_t(words[c]);
}
