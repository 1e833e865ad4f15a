// What code i stands for: `zero` is what code 0 stands for.
float VALUE(uint i) {
    uint row = i / C;
    precise float number = fma(float(codes(i)), scale(row), zero(row));
    return number;
}
