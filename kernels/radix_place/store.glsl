// What all ways of placing end a tile with. It is in order then, and `goals` has for each digit what makes of a
// place in the tile one in the row: neighbours of one digit go to neighbouring places.

uint digit_of(uint key) {
    return key >> shift & 255u;
}

// Element j of the tile.
void store_element(uint row, uint j, uint key, uint place) {
    uint at = goals[digit_of(key)] + j, to = row * N + at;
    if (at >= N) return; // of offsets that are none
#if keys_PRESENT
    keys_store(to, key);
#endif
#if indices_PRESENT
    indices_store(to, place);
#endif
#if values_PRESENT
    values_CLASS value;
    select_value(uvec2(key, 0u), decode != 0u, value);
    values_store(to, value);
#endif
}
