// x is computed once for the workgroup, MATVEC_TILE elements of each of its rows at a time, four by four.
uint matvec_first = 0u; // where the tile starts

void matvec_stage(uint first) {
    barrier(); // nobody reads the tile before any more
    for (uint i = 4u * gl_LocalInvocationIndex; i < B * MATVEC_TILE; i += 4u * gl_WorkGroupSize.x) {
        uint k = first + i % MATVEC_TILE, spins = 0u;
        if (k >= K) continue;
        do matvec_tile[i / 4u] = x_4(i / MATVEC_TILE * K + k);
        while (looks_again(spins));
    }
    matvec_first = first;
    barrier();
}

// Elements 4 * quad to 4 * quad + 3 of row b of x.
vec4 matvec_quad(uint b, uint quad) {
    return matvec_tile[b * (MATVEC_TILE / 4u) + quad - matvec_first / 4u];
}
