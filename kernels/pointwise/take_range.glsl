// Element [a, j, c] is element (S - 1 + j * D) mod B along the axis, from its end where steps go
// backwards.
uint VALUE_from(uint i) {
    uint c = i % C, j = i / C % J, a = i / (C * J);
    uint at = (S - 1u + j * D) % B;
    if (int(step) < 0) at = B - 1u - at;
    return (a * B + at) * C + c;
}

out_CLASS VALUE(uint i) {
    return x(VALUE_from(i));
}
