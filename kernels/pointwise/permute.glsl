// Element [w, x, y, z] of the output; S, T, U and V are what a step along each of its dimensions
// is in the input.
uint VALUE_from(uint i) {
    uint at = i % Z * V;
    i /= Z;
    at += i % Y * U;
    i /= Y;
    at += i % X * T;
    i /= X;
    return at + i * S;
}

out_CLASS VALUE(uint i) {
    return x(VALUE_from(i));
}
