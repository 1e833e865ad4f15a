// x is computed once for the workgroup, all of it, four elements at a time.
void matvec_stage() {
    for (uint i = 4u * gl_LocalInvocationIndex; i < B * K; i += 4u * gl_WorkGroupSize.x) {
        uint spins = 0u;
        do matvec_tile[i / 4u] = x_4(i);
        while (looks_again(spins));
    }
    barrier();
}

// Elements 4 * quad to 4 * quad + 3 of row b of x.
vec4 matvec_quad(uint b, uint quad) {
    return matvec_tile[b * (K / 4u) + quad];
}
