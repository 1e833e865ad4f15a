#if q_offsets_PRESENT
uint VALUE_offset(uint n) {
    return n == 0u ? 0u : min(to_count(q_offsets(n)), T);
}
#endif

// Element i is token t of sequence b, which has `tokens`.
uint VALUE(uint i) {
    uint b = i / T, t = i % T, tokens = T;
#if q_offsets_PRESENT
    uint low = 0u, high = B; // the last sequence that does not begin behind the token
    while (high - low > 1u) {
        uint middle = (low + high) / 2u;
        if (VALUE_offset(middle) <= t) low = middle;
        else high = middle;
    }
    b = low;
    tokens = VALUE_offset(b + 1u);
    if (t >= tokens) return 0xffffffffu;
    tokens -= min(VALUE_offset(b), tokens);
    t -= min(VALUE_offset(b), t);
#endif
    uint room = S;
#if table_PRESENT
    room = S * X;
#endif
    uint row = add_up_to_most(to_count(position(min(b, position_COUNT - 1u))), t);
    if (ring != 0u && tokens - t > room) return 0xffffffffu; // a later token takes its slot
    uint slot = ring != 0u ? row % room : row;
    if (slot >= room) return 0xffffffffu;
#if table_PRESENT
    uint page = uint(table(b * X + slot / S));
    return page < N ? page * S + slot % S : 0xffffffffu;
#else
    return b * S + slot;
#endif
}
