// The largest element that window i sees; what it begins with nothing is less than.
#if x_DTYPE == I8 || x_DTYPE == I16 || x_DTYPE == I32
const int VALUE_least = int(0x80000000u);
#elif x_DTYPE == I64
const uvec2 VALUE_least = uvec2(0u, 0x80000000u);
#elif x_DTYPE == F32 || x_DTYPE == F16 || x_DTYPE == BF16
#define VALUE_least uintBitsToFloat(0xff800000u)
#else
const x_CLASS VALUE_least = x_CLASS(0u);
#endif

x_CLASS VALUE(uint i) {
    bool last = channels_last != 0u;
    uint c = take_one(i, C, last);
    uvec3 first = take_place(i, uvec3(X, Y, Z)) * uvec3(stride_d, stride_h, stride_w) - uvec3(pad_d, pad_h, pad_w);
    const uint element = last ? C : 1u;
    x_CLASS most = VALUE_least;
    for (uint a = 0u, d = first.x; a < I; a++, d += dilation_d) {
        for (uint b = 0u, h = first.y; b < J; b++, h += dilation_h) {
            if (d >= D || h >= H) continue;
            uint row = ((i * D + d) * H + h) * W * element + c;
            for (uint k = 0u, w = first.z; k < K; k++, w += dilation_w) {
                if (w >= W) continue;
                x_CLASS one = x(row + w * element);
                if (is_more(one, most, x_DTYPE == I64)) most = one;
            }
        }
    }
    return most;
}
