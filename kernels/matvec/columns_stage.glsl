// x in digits, once for the workgroup: for two blocks 13 vectors, the words of each digit and the two
// powers, so that lanes meet few banks twice.
[[unroll]] for (uint n = 0u; n < MATVEC_FOURS; n++) {
    uint four = self + n * gl_WorkGroupSize.x, home = four / 16u * 13u + four / 4u % 4u, digits[3];
    float power = digits_of(fours[n], digits);
    if (four < K / 4u) {
        [[unroll]] for (uint d = 0u; d < 3u; d++)
            matvec_tile[home + 4u * d][four % 4u] = uintBitsToFloat(digits[d]);
        if (four % 8u == 0u) matvec_tile[four / 16u * 13u + 12u][four / 8u % 2u] = power;
    }
}
barrier();
// A lane has the same two blocks of columns in all rows: their x stays in registers.
uint pair = part * MATVEC_COLUMN_LANES + matvec_lane, digits[48];
[[unroll]] for (uint i = 0u; i < 12u; i++) {
    uvec4 four = floatBitsToUint(matvec_tile[13u * pair + i]);
    [[unroll]] for (uint n = 0u; n < 4u; n++) digits[4u * i + n] = four[n];
}
bool inside = 64u * pair < K;
vec2 powers = inside ? matvec_tile[13u * pair + 12u].xy : vec2(0.0);
// A block with infinities adds nothing here, and them at the end.
bvec2 infinite = equal(floatBitsToUint(powers), uvec2(0x7f800000u));
powers = mix(powers, vec2(0.0), infinite);
barrier(); // weights come to the same memory
