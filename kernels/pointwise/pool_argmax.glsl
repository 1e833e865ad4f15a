// Where window i sees its largest element, the first of several: as in pool_max.
#if x_DTYPE == I8
const int VALUE_least = int(0x80000000u);
#elif x_DTYPE == U8
const uint VALUE_least = 0u;
#else
#define VALUE_least uintBitsToFloat(0xff800000u)
#endif

uint VALUE(uint i) {
    bool last = channels_last != 0u;
    uint c = take_one(i, C, last), where = 0xffffffffu;
    uvec3 first = take_place(i, uvec3(X, Y, Z)) * uvec3(stride_d, stride_h, stride_w) - uvec3(pad_d, pad_h, pad_w);
    x_CLASS most = VALUE_least;
    for (uint t = 0u; t < T; t++) {
        uvec3 at = first + place_of(t, uvec3(I, J, K)) * uvec3(dilation_d, dilation_h, dilation_w);
        if (!is_within(at, uvec3(D, H, W))) continue;
        uint plane = index_of(at, uvec3(D, H, W)), element = i * D * H * W + plane;
        if (last) element = element * C + c;
        x_CLASS one = x(element);
        if (!(one > most || where == 0xffffffffu && one == most)) continue;
        most = one;
        where = of == 0u ? element : plane;
    }
    return where;
}
