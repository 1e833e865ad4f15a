// Weights of q4_0 as a lane loads them whose rows begin at multiples of 16 bytes: 16 bytes at a time,
// wherever blocks begin and end. A block has 18 bytes, a scale and 16 with two codes each, of elements
// j and j + 16; so a word of 32 bits belongs to one block, but for two bytes of a scale in either half
// of it, and x has zeros there.
//
// Four bits p places up in the mantissa of 2^(23 - p) are that power plus their value: cheaper than
// shifting and converting.
float VALUE_part(uint word, vec4 x, vec4 y) {
    uint upper = word >> 8;
    vec4 low = uintBitsToFloat(uvec4((word & 0xfu) | 0x4b000000u, (word & 0xf00u) | 0x47000000u,
                                     (word & 0xf0000u) | 0x43000000u,
                                     (upper & 0xf0000u) | 0x43000000u)) -
               vec4(8388616.0, 32776.0, 136.0, 136.0);
    vec4 high = uintBitsToFloat(uvec4((word & 0xf0u) | 0x49000000u, (word & 0xf000u) | 0x45000000u,
                                      (upper & 0xf000u) | 0x45000000u,
                                      (upper >> 8 & 0xf000u) | 0x45000000u)) -
                vec4(524296.0, 2056.0, 2056.0, 2056.0);
    precise float part = low.x * x.x;
    part = fma(low.y, x.y, part);
    part = fma(low.z, x.z, part);
    part = fma(low.w, x.w, part);
    part = fma(high.x, y.x, part);
    part = fma(high.y, y.y, part);
    part = fma(high.z, y.z, part);
    return fma(high.w, y.w, part);
}
