// The words of the block that element i is of: its own is word i % 4. Key and first block are numbers of 64 bits
// in one word or two, the low one first.
uvec4 VALUE_words(uint i) {
    uvec2 key = uvec2(uint(seed(0u)), 0u), first = uvec2(0u);
    if (S > 1u) key.y = uint(seed(1u));
#if offset_PRESENT
    first.x = uint(offset(0u));
    if (O > 1u) first.y = uint(offset(1u));
#endif
    return random_block(key, first, i / 4u, stream);
}
