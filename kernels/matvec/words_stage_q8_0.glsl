// x as words of q8_0 meet it: for each byte of a row's blocks the element that it is multiplied with,
// zero for a scale; the four of a word of 32 bits together, and those of one place in 16 bytes side by
// side, so that lanes meet no bank twice.
void put_q8_0(uint b, uint byte, float value) {
    matvec_tile[(b * 4u + byte / 4u % 4u) * (K / 256u * 17u) + byte / 16u][byte % 4u] = value;
}

void stage_q8_0() {
    barrier(); // nobody reads the tile before any more
    for (uint i = gl_LocalInvocationIndex; i < B * (K / 32u); i += gl_WorkGroupSize.x) {
        put_q8_0(i / (K / 32u), i % (K / 32u) * 34u, 0.0);
        put_q8_0(i / (K / 32u), i % (K / 32u) * 34u + 1u, 0.0);
    }
    for (uint i = 4u * gl_LocalInvocationIndex; i < B * K; i += 4u * gl_WorkGroupSize.x) {
        vec4 value;
        uint spins = 0u;
        do value = x_4(i);
        while (looks_again(spins));
        for (uint n = 0u; n < 4u; n++)
            put_q8_0(i / K, i % K / 32u * 34u + 2u + i % 32u + n, value[n]);
    }
    barrier();
}
