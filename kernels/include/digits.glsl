// Numbers for products of bytes: each as a * 65536 + b * 256 + c times a power of two that is the same
// for the 32 of a block, which eight lanes in a row have, four each. That is within 2^-22 of the block's
// largest; powers end at 2^-126. Four a, four b, four c are a word each. An infinity is 1 or -1 among
// zeros and leaves the rest to the power; a NaN makes the power one.
float digits_of(vec4 x, out uint digits[3]) {
    uvec4 sizes = floatBitsToUint(x) & 0x7fffffffu;
    uint most = max(max(sizes.x, sizes.y), max(sizes.z, sizes.w));
    for (uint apart = 1u; apart < 8u; apart *= 2u)
        most = max(most, subgroupShuffleXor(most, apart));
    // What would be rounded to 2^22 has half as many steps.
    uint exponent = max((most + 4u) >> 23, 23u);
    float steps = uintBitsToFloat((275u - exponent) << 23);
    // A sum near 3 * 2^22 is rounded to an integer, whose bits are its last ones.
    uvec4 whole = floatBitsToUint(fma(x, vec4(steps), vec4(12582912.0))) - 0x4b400000u;
    float power = uintBitsToFloat((exponent - 21u) << 23);
    if (most >= 0x7f800000u) {
        whole = uvec4(equal(sizes, uvec4(0x7f800000u))) * (1u - 2u * (floatBitsToUint(x) >> 31));
        power = uintBitsToFloat(most);
    }
    uvec4 s = (whole + 0x808080u) ^ 0x808080u;
    digits[0] = s.x >> 16 & 0xffu | s.y >> 8 & 0xff00u | s.z & 0xff0000u | s.w << 8 & 0xff000000u;
    digits[1] = s.x >> 8 & 0xffu | s.y & 0xff00u | s.z << 8 & 0xff0000u | s.w << 16 & 0xff000000u;
    digits[2] = s.x & 0xffu | s.y << 8 & 0xff00u | s.z << 16 & 0xff0000u | s.w << 24;
    return power;
}
