// What the ways of searching a base share.

// The distance from a product and two squared lengths, as kernels/pointwise/cosine_distance.glsl has it.
float nearest_cosine(float product, float left_square, float right_square) {
    if (!f_isnan(left_square) && left_square < 1e-30) return 1.0;
    if (!f_isnan(right_square) && right_square < 1e-30) return 1.0;
    precise float cosine = f_div(product, f_root(left_square) * f_root(right_square));
    cosine = f_clamp(cosine, -1.0, 1.0);
    precise float apart = 1.0 - cosine;
    return apart;
}
