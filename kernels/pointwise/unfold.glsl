// Element i of what windows see: element t of a window at channel c.
uint VALUE_from(uint i) {
    bool last = channels_last != 0u;
    uint c = take_one(i, C, last), t = take_one(i, T, last);
    uvec3 window = take_place(i, uvec3(X, Y, Z));
    t += take_one(i, T, !last);
    c += take_one(i, C, !last);
    // Below 0 is beyond every grid.
    uvec3 at = window * uvec3(stride_d, stride_h, stride_w) - uvec3(pad_d, pad_h, pad_w) +
               place_of(t, uvec3(I, J, K)) * uvec3(dilation_d, dilation_h, dilation_w);
    if (!is_within(at, uvec3(D, H, W))) return 0xffffffffu;
    uint element = index_of(at, uvec3(D, H, W));
    return last ? (i * D * H * W + element) * C + c : (i * C + c) * D * H * W + element;
}

out_CLASS VALUE(uint i) {
    uint at = VALUE_from(i);
    if (at == 0xffffffffu) return out_CLASS(0);
    return x(at);
}
