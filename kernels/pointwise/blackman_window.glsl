// Element i of the window; cos 2 t is 2 cos^2 t - 1.
float VALUE(uint i) {
    if (N == 1u) return 1.0;
    float c = window_cosine(i, N - 1u + periodic);
    precise float height = 0.42 - 0.5 * c + 0.08 * (2.0 * c * c - 1.0);
    return height;
}
