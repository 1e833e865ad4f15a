// Word i: 32 neighbours of a row, a bit each, the first in the lowest. Bits past the row's end are
// 0, so that they never count as a difference.
uint VALUE(uint i) {
    uint row = i / W * C, first = i % W * 32u, bits = 0u;
    for (uint c = 0u; c < 32u && first + c < C; c++)
        bits |= x(row + first + c) >= threshold ? 1u << c : 0u;
    return bits;
}
