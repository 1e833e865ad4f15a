// Element i of diagonals of L elements: U - 1 columns, or V - 1 rows, stand in front of the first.
out_CLASS VALUE(uint i) {
    uint k = i % L, b = i / L;
    return x((b * R + k + V - 1u) * C + k + U - 1u);
}
