// Weights of q8_0 as a lane loads them whose rows begin at multiples of 16 bytes: 16 bytes at a time,
// wherever blocks begin and end. A block has 34 bytes, a scale and 32 signed bytes; so a word of 32
// bits belongs to one block, but for two bytes of a scale in either half of it, and x has zeros
// there.
//
// The bits of byte + 128 in the mantissa of 2^23, or eight places higher in that of 2^15, are that
// power plus byte + 128: cheaper than shifting, extending and converting.
float VALUE_part(uint word, vec4 x, vec4 unused) {
    uint upper = word >> 16;
    vec4 codes = uintBitsToFloat(uvec4((word & 0xffu) ^ 0x4b000080u, (word & 0xff00u) ^ 0x47008000u,
                                       (upper & 0xffu) ^ 0x4b000080u, (upper & 0xff00u) ^ 0x47008000u)) -
                 vec4(8388736.0, 32896.0, 8388736.0, 32896.0);
    precise float part = codes.x * x.x;
    part = fma(codes.y, x.y, part);
    part = fma(codes.z, x.z, part);
    return fma(codes.w, x.w, part);
}
