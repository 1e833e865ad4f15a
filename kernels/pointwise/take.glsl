// Element [a, i, c] is that of the slice whose number is ids[i].
out_CLASS VALUE(uint i) {
    uint c = i % C, k = i / C % I, a = i / (C * I);
    uint at = to_place(ids(k), B, ids_DTYPE == U64);
    if (at >= B) return out_CLASS(0);
    return x((a * B + at) * C + c);
}
