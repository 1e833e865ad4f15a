// x as words of q4_0 meet it: for each byte of a row's blocks the two elements that it is multiplied
// with, zero for a scale; the four of a word of 32 bits together, and those of one place in 16 bytes
// side by side, so that lanes meet no bank twice.
void put_q4_0(uint b, uint upper, uint byte, float value) {
    matvec_tile[(b * 8u + upper * 4u + byte / 4u % 4u) * (K / 256u * 9u) + byte / 16u][byte % 4u] = value;
}

void stage_q4_0() {
    barrier(); // nobody reads the tile before any more
    for (uint i = gl_LocalInvocationIndex; i < B * (K / 16u); i += gl_WorkGroupSize.x) {
        uint block = i % (K / 16u) / 2u;
        put_q4_0(i / (K / 16u), i % 2u, block * 18u, 0.0);
        put_q4_0(i / (K / 16u), i % 2u, block * 18u + 1u, 0.0);
    }
    for (uint i = 4u * gl_LocalInvocationIndex; i < B * K; i += 4u * gl_WorkGroupSize.x) {
        vec4 value;
        uint spins = 0u;
        do value = x_4(i);
        while (looks_again(spins));
        for (uint n = 0u; n < 4u; n++)
            put_q4_0(i / K, i % 32u / 16u, i % K / 32u * 18u + 2u + i % 16u + n, value[n]);
    }
    barrier();
}
