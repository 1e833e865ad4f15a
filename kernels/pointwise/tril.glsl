// Element i where its column is not right of diagonal column + V = row + U.
out_CLASS VALUE(uint i) {
    if (i % C + V <= i / C % R + U) return x(i);
    return out_CLASS(0);
}
