// The mean of what window i sees.
float VALUE(uint i) {
    bool last = channels_last != 0u;
    uint c = take_one(i, C, last), count = 0u;
    const uvec3 pad = uvec3(pad_d, pad_h, pad_w);
    const uvec3 padded = pad + uvec3(D, H, W) + uvec3(pad_end_d, pad_end_h, pad_end_w);
    uvec3 first = take_place(i, uvec3(X, Y, Z)) * uvec3(stride_d, stride_h, stride_w);
    precise float sum = 0.0;
    for (uint t = 0u; t < T; t++) {
        uvec3 at = first + place_of(t, uvec3(I, J, K)) * uvec3(dilation_d, dilation_h, dilation_w);
        bool within = is_within(at - pad, uvec3(D, H, W));
        if (within || count_include_pad != 0u && is_within(at, padded)) count++;
        if (!within) continue;
        uint element = i * D * H * W + index_of(at - pad, uvec3(D, H, W));
        sum += x(last ? element * C + c : element);
    }
    return f_quotient(sum, float(max(count, 1u)));
}
