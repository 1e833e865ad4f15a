// Element i of a convolution: channel m at a window. V results and U channels are a group.
#if x_DTYPE == I8
#define VALUE_add(x, y, sum) ((x) * (y) + (sum))
#else
#define VALUE_add(x, y, sum) fma(x, y, sum)
#endif

x_CLASS VALUE(uint i) {
    bool last = channels_last != 0u;
    uint m = take_one(i, M, last);
    uvec3 first = take_place(i, uvec3(X, Y, Z)) * uvec3(stride_d, stride_h, stride_w) - uvec3(pad_d, pad_h, pad_w);
    m += take_one(i, M, !last);
    uint channel = i * C + m / V * U; // the group's first, if they stand in front
    precise x_CLASS sum = x_CLASS(0);
    for (uint t = 0u; t < T; t++) {
        uvec3 at = first + place_of(t, uvec3(I, J, K)) * uvec3(dilation_d, dilation_h, dilation_w);
        if (!is_within(at, uvec3(D, H, W))) continue;
        uint element = index_of(at, uvec3(D, H, W));
        uint from = last ? (i * D * H * W + element) * C + m / V * U : channel * D * H * W + element;
        uint by = last ? (m * T + t) * U : m * U * T + t;
        for (uint u = 0u; u < U; u++)
            sum = VALUE_add(x(from + u * (last ? 1u : D * H * W)), weight(by + u * (last ? 1u : T)), sum);
    }
    return sum;
}
