// Infinities among x: products with them are added to the rows' sums one by one. Bits of which they are.
uvec2 met = uvec2(0u), negative = uvec2(0u);
[[unroll]] for (uint i = 0u; i < 16u; i++) {
    uint word = infinite[i / 8u] ? digits[32u + i] : 0u;
    met[i / 8u] |= ((word & 0x01010101u) * 0x10204080u >> 28) << 4u * (i % 8u);
    negative[i / 8u] |= ((word >> 7 & 0x01010101u) * 0x10204080u >> 28) << 4u * (i % 8u);
}
