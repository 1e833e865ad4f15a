// Element i of the window.
float VALUE(uint i) {
    if (N == 1u) return 1.0;
    precise float height = 0.5 - 0.5 * window_cosine(i, N - 1u + periodic);
    return height;
}
