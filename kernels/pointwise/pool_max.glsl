// The largest element that window i sees; what it begins with nothing is less than.
#if x_DTYPE == I8
const int VALUE_least = int(0x80000000u);
#elif x_DTYPE == U8
const uint VALUE_least = 0u;
#else
#define VALUE_least uintBitsToFloat(0xff800000u)
#endif

x_CLASS VALUE(uint i) {
    bool last = channels_last != 0u;
    uint c = take_one(i, C, last);
    uvec3 first = take_place(i, uvec3(X, Y, Z)) * uvec3(stride_d, stride_h, stride_w) - uvec3(pad_d, pad_h, pad_w);
    x_CLASS most = VALUE_least;
    for (uint t = 0u; t < T; t++) {
        uvec3 at = first + place_of(t, uvec3(I, J, K)) * uvec3(dilation_d, dilation_h, dilation_w);
        if (!is_within(at, uvec3(D, H, W))) continue;
        uint element = i * D * H * W + index_of(at, uvec3(D, H, W));
        x_CLASS one = x(last ? element * C + c : element);
        if (one > most) most = one;
    }
    return most;
}
