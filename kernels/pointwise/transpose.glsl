// Element [b, c, r] of the transposes is [b, r, c] of x.
out_CLASS VALUE(uint i) {
    uint r = i % R;
    uint c = i / R % C;
    uint b = i / (R * C);
    return x((b * R + r) * C + c);
}
