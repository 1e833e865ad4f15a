// The mean of what window i sees.
float VALUE(uint i) {
    bool last = channels_last != 0u;
    uint c = take_one(i, C, last), count = 0u;
    const uvec3 size = uvec3(D, H, W), pad = uvec3(pad_d, pad_h, pad_w);
    const uvec3 padded = pad + size + uvec3(pad_end_d, pad_end_h, pad_end_w);
    uvec3 first = take_place(i, uvec3(X, Y, Z)) * uvec3(stride_d, stride_h, stride_w);
    const uint element = last ? C : 1u;
    precise float sum = f_hidden(0.0); // an element of -0 adds nothing to it
    for (uint a = 0u, d = first.x; a < I; a++, d += dilation_d) {
        for (uint b = 0u, h = first.y; b < J; b++, h += dilation_h) {
            bool within = d - pad_d < D && h - pad_h < H, counted = d < padded.x && h < padded.y;
            uint row = ((i * D + d - pad_d) * H + h - pad_h) * W * element + c;
            for (uint k = 0u, w = first.z; k < K; k++, w += dilation_w) {
                bool seen = within && w - pad_w < W;
                if (seen || count_include_pad != 0u && counted && w < padded.z) count++;
                if (seen) sum += x(row + (w - pad_w) * element);
            }
        }
    }
    sum = sum == 0.0 ? 0.0 : sum; // from zero on it is never -0: some compilers leave the zero out
    return f_quotient(sum, float(max(count, 1u)));
}
