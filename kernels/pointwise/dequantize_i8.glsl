// What code i stands for.
float VALUE(uint i) {
    precise float number = float(codes(i)) * scale(i / C);
    return number;
}
