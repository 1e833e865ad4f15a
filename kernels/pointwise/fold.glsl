// Element i of a grid: the sum of what the windows that see it have for it. Element t of a window sees it
// from window (at - t * dilation) / stride, where that is whole and there is one.
#if x_DTYPE == I32 || x_DTYPE == U32 || x_DTYPE == I64 || x_DTYPE == U64
#define VALUE_zero x_CLASS(0)
#else
#define VALUE_zero f_hidden(0.0) // to which an element of -0 adds nothing
#endif

x_CLASS VALUE(uint i) {
    bool last = channels_last != 0u;
    uint c = take_one(i, C, last);
    uvec3 at = take_place(i, uvec3(D, H, W)) + uvec3(pad_d, pad_h, pad_w);
    c += take_one(i, C, !last);
    const uvec3 stride = uvec3(stride_d, stride_h, stride_w);
    precise x_CLASS sum = VALUE_zero;
    for (uint t = 0u; t < T; t++) {
        uvec3 from = at - place_of(t, uvec3(I, J, K)) * uvec3(dilation_d, dilation_h, dilation_w);
        uvec3 window = from / stride;
        if (any(notEqual(window * stride, from)) || int(from.x | from.y | from.z) < 0) continue;
        if (!is_within(window, uvec3(X, Y, Z))) continue;
        uint place = index_of(window, uvec3(X, Y, Z));
        x_CLASS more =
            x(last ? ((i * X * Y * Z + place) * T + t) * C + c : ((i * C + c) * T + t) * X * Y * Z + place);
#if x_DTYPE == I64 || x_DTYPE == U64
        sum = add64(sum, more);
#else
        sum += more;
#endif
    }
    return sum == x_CLASS(0) ? x_CLASS(0) : sum; // a sum from zero on is never -0: some compilers leave the zero out
}
