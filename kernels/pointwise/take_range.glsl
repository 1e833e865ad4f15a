// Element [a, j, c] is element (S - 1 - E + j * D) mod B along the axis, from its end where steps go
// backwards; 0xffffffff: there is none.
uint VALUE_from(uint i) {
    if (B == 0u) return 0xffffffffu;
    uint c = i % C, j = i / C % J, a = i / (C * J);
    uint before = E == 0u ? 0u : B - 1u - (E - 1u) % B;
    uint at = (S - 1u + before + j * D) % B;
    if (int(step) < 0) at = B - 1u - at;
    return (a * B + at) * C + c;
}

out_CLASS VALUE(uint i) {
    uint at = VALUE_from(i);
    if (at == 0xffffffffu) return out_CLASS(0);
    return x(at);
}
