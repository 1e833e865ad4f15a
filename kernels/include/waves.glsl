// cos(2 pi i / p) of a window of N elements that goes on after p of them.
float window_cosine(uint i, uint p) {
    float part = f_div(float(i % p), float(p));
    precise float angle = part * 6.28318531;
    return f_cos(angle);
}
