// Element [r, y, c] of rows of C lies (y * S + T) / U - 1 elements from the first.
uint VALUE_place(uint i) {
    return i / C % Y * S + T;
}

uint VALUE_index(uint i, int at) {
    return (i / (C * Y) * X + uint(clamp(at, 0, int(X) - 1))) * C + i % C;
}

uint VALUE_from(uint i) {
    if (X == 0u) return 0xffffffffu;
    uint place = VALUE_place(i), rest = place % U;
    bool up = rounding == 0u ? 2u * rest > U : rounding == 1u ? 2u * rest >= U : rounding == 3u && rest > 0u;
    return VALUE_index(i, int(place / U) - (up ? 0 : 1));
}

#if x_DTYPE == F32 || x_DTYPE == F16 || x_DTYPE == BF16
// The weight of the element `k` from the one before the place, which is f behind that.
float VALUE_weight(int k, float f) {
    precise float g = 1.0 - f, near = k < 1 ? f : g, far = k < 1 ? g : f, w = far;
    if (mode == 1u) return w;
    float a = cubic_coeff_a;
    if (k == 0 || k == 1) w = ((a + 2.0) * near - (a + 3.0)) * near * near + 1.0;
    else w = a * near * far * far;
    return w;
}
#endif

#if x_DTYPE == F32 || x_DTYPE == F16 || x_DTYPE == BF16
// The sum that leaves nothing out where A elements are made of B, which is more: what lies around the place up to B / A
// times as far as would be looked otherwise. One of them at least is in x.
float VALUE_filtered(uint i) {
    const int reach = int((mode == 1u ? B : 2u * B) / A) + 1;
    uint place = VALUE_place(i);
    int first = min(int(place / U) - 1, int(X) - 1);
    float f = f_quotient(float(place % U), float(U)), narrower = f_quotient(float(A), float(B));
    precise float sum = f_hidden(0.0), total = 0.0;
    for (int k = -reach; k <= reach + 1; k++) {
        int at = first + k;
        precise float t = abs(float(k) - f) * narrower;
        if (t >= (mode == 1u ? 1.0 : 2.0) || exclude_outside != 0u && (at < 0 || at >= int(X))) continue;
        float w = t < 1.0 ? VALUE_weight(0, t) : VALUE_weight(-1, t - 1.0);
        sum = fma(w, x(VALUE_index(i, at)), sum);
        total += w;
    }
    return f_quotient(sum, total);
}
#endif

out_CLASS VALUE(uint i) {
    if (X == 0u) return out_CLASS(0);
    if (mode == 0u) return x(VALUE_from(i));
#if x_DTYPE == F32 || x_DTYPE == F16 || x_DTYPE == BF16
    if (antialias != 0u && B > A) return VALUE_filtered(i);
    uint place = VALUE_place(i), rest = place % U;
    int first = int(place / U) - 1;
    float f = f_quotient(float(rest), float(U));
    precise float sum = f_hidden(0.0), total = 0.0;
    for (int k = -1; k < 3; k++) {
        int at = first + k;
        // On an element the others have no weight, not even where rounding leaves some.
        if (rest == 0u && k != 0 || mode == 1u && (k < 0 || k > 1)) continue;
        if (exclude_outside != 0u && mode == 2u && (at < 0 || at >= int(X))) continue;
        float w = rest == 0u ? 1.0 : VALUE_weight(k, f);
        sum = fma(w, x(VALUE_index(i, at)), sum);
        total += w;
    }
    return exclude_outside != 0u && mode == 2u ? f_quotient(sum, total) : sum;
#else
    return out_CLASS(0);
#endif
}
