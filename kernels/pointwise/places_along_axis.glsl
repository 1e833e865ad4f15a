// Where indices point to in a tensor that has B elements along the axis: element [a, j, c] to [a, at, c].
uint VALUE(uint i) {
    uint at = to_place(indices(i), B, indices_DTYPE == U64);
    return at < B ? (i / (C * J) * B + at) * C + i % C : 0xffffffffu;
}
