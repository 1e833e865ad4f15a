// Element [a, j, c] is that of line [a, :, c] whose place is indices[a, j, c].
out_CLASS VALUE(uint i) {
    uint at = to_place(indices(i), B, indices_DTYPE == U64);
    if (at >= B) return out_CLASS(0);
    return x((i / (C * J) * B + at) * C + i % C);
}
