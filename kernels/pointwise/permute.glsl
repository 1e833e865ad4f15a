// Element [w, x, y, z] of the output; S, T, U and V are what a step along each of its dimensions
// is in the input.
out_CLASS VALUE(uint i) {
    uint at = i % Z * V;
    i /= Z;
    at += i % Y * U;
    i /= Y;
    at += i % X * T;
    i /= X;
    return x(at + i * S);
}
