// Element i of a convolution: channel m at a window. V results and U channels are a group.
// Sums begin with a zero that is not known to be one: the first product would keep the sign of its own.
#if x_DTYPE == I8
#define VALUE_zero 0
#define VALUE_add(x, y, sum) ((x) * (y) + (sum))
#else
#define VALUE_zero f_hidden(0.0)
#define VALUE_add(x, y, sum) fma(x, y, sum)
#endif

x_CLASS VALUE(uint i) {
    bool last = channels_last != 0u;
    uint m = take_one(i, M, last);
    uvec3 first = take_place(i, uvec3(X, Y, Z)) * uvec3(stride_d, stride_h, stride_w) - uvec3(pad_d, pad_h, pad_w);
    m += take_one(i, M, !last);
    // From a channel to the next, and from an element of the grid: in x, and of the window in the weight.
    const uint channel = last ? 1u : D * H * W, element = last ? C : 1u;
    const uint weight_channel = last ? 1u : T, weight_element = last ? U : 1u;
    uint from = i * C * D * H * W + m / V * U * channel, by = m * U * T;
    precise x_CLASS sum = VALUE_zero;
    for (uint a = 0u, d = first.x; a < I; a++, d += dilation_d) {
        for (uint b = 0u, h = first.y; b < J; b++, h += dilation_h) {
            if (d >= D || h >= H) continue;
            uint row = from + (d * H + h) * W * element, weight_row = by + (a * J + b) * K * weight_element;
            for (uint c = 0u, w = first.z; c < K; c++, w += dilation_w) {
                if (w >= W) continue;
                for (uint u = 0u; u < U; u++)
                    sum = VALUE_add(x(row + w * element + u * channel),
                                    weight(weight_row + c * weight_element + u * weight_channel), sum);
            }
        }
    }
    return sum == x_CLASS(0) ? x_CLASS(0) : sum; // a sum from zero on is never -0: some compilers leave the zero out
}
