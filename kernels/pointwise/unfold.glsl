// What element i of what windows see is: element t of a window at channel c of grid n.
struct VALUE_element {
    uint n, c, t;
    uvec3 window;
};

VALUE_element VALUE_of(uint i) {
    bool last = channels_last != 0u;
    VALUE_element e;
    e.c = take_one(i, C, last);
    e.t = take_one(i, T, last);
    e.window = take_place(i, uvec3(X, Y, Z));
    e.t += take_one(i, T, !last);
    e.c += take_one(i, C, !last);
    e.n = i;
    return e;
}

// What of its grid it sees; below 0 is beyond every grid.
uvec3 VALUE_seen(VALUE_element e) {
    return e.window * uvec3(stride_d, stride_h, stride_w) - uvec3(pad_d, pad_h, pad_w) +
           place_of(e.t, uvec3(I, J, K)) * uvec3(dilation_d, dilation_h, dilation_w);
}

uint VALUE_from(uint i) {
    VALUE_element e = VALUE_of(i);
    uvec3 at = VALUE_seen(e);
    if (!is_within(at, uvec3(D, H, W))) return 0xffffffffu;
    uint element = index_of(at, uvec3(D, H, W));
    return channels_last != 0u ? (e.n * D * H * W + element) * C + e.c : (e.n * C + e.c) * D * H * W + element;
}

out_CLASS VALUE(uint i) {
    uint at = VALUE_from(i);
    if (at == 0xffffffffu) return out_CLASS(0);
    return x(at);
}

#if out_DTYPE != I64 && out_DTYPE != U64 && out_DTYPE != F64
// Four neighbours: elements of windows one behind the other, where channels stand in front and the windows of a
// grid are fours.
out_CLASS_4 VALUE_4(uint i) {
    if (channels_last != 0u || X * Y * Z % 4u != 0u)
        return out_CLASS_4(VALUE(i), VALUE(i + 1u), VALUE(i + 2u), VALUE(i + 3u));
    VALUE_element e = VALUE_of(i);
    out_CLASS_4 four = out_CLASS_4(0);
    uint plane = (e.n * C + e.c) * D * H * W;
    uvec3 at = VALUE_seen(e);
    for (uint k = 0u; k < 4u; k++) {
        if (is_within(at, uvec3(D, H, W))) four[k] = x(plane + index_of(at, uvec3(D, H, W)));
        e.window.z++;
        at.z += stride_w;
        if (e.window.z < Z) continue;
        e.window.z = 0u;
        e.window.y++;
        if (e.window.y == Y) {
            e.window.y = 0u;
            e.window.x++;
        }
        at = VALUE_seen(e);
    }
    return four;
}
#endif
