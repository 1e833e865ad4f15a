// Fours of x that a thread makes digits of; those of a block are in eight lanes in a row.
uint self = gl_SubgroupID * MATVEC_COLUMN_LANES + gl_SubgroupInvocationID;
vec4 fours[MATVEC_FOURS];
uint x_spins = 0u;
do {
    [[unroll]] for (uint n = 0u; n < MATVEC_FOURS; n++)
        fours[n] = x_4(min(4u * (self + n * gl_WorkGroupSize.x), K - 4u));
} while (subgroupAny(looks_again(x_spins)));
