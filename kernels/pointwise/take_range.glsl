// Element [a, j, c] is element (S - 1 + j * D) mod B along the axis, from its end where steps go
// backwards; 0xffffffff: there is none.
uint VALUE_from(uint i) {
    if (B == 0u) return 0xffffffffu;
    uint c = i % C, j = i / C % J, a = i / (C * J);
    uint at = (S - 1u + j * D) % B;
    if (int(step) < 0) at = B - 1u - at;
    return (a * B + at) * C + c;
}

out_CLASS VALUE(uint i) {
    uint at = VALUE_from(i);
    if (at == 0xffffffffu) return out_CLASS(0);
    return x(at);
}
