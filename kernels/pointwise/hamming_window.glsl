// Element i of the window.
float VALUE(uint i) {
    if (N == 1u) return 1.0;
    precise float height = alpha - (1.0 - alpha) * window_cosine(i, N - 1u + periodic);
    return height;
}
