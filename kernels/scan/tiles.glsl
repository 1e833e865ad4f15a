// What the elements along an axis come to, up to each of them: the B of a line in P parts of E, a
// multiple of 4. A workgroup goes through a part of T lines side by side, T being a power of two, in
// steps of 256 / T quads of each line. A thread joins four neighbours; their sums are scanned in shared
// memory, by doubling; then the four are what is before them, and they, one after the other.
//
// Where lines are contiguous (C is 1), four are loaded and stored at once.
//
// W: workgroups along C; G: workgroups in all.
//
// local: 256
// grid: min(G, 65535), ceil_div(G, 65535), 1
shared x_CLASS sums[512];

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= G) return;
    uint t = gl_LocalInvocationIndex, lane = t / T, lanes = 256u / T;
    uint column = group % W * T + t % T, part = group / W % P, front = group / (W * P);
    uint begin = min(part * E, B), length = min(B, begin + E) - begin;
    bool backwards = reverse != 0u, quads = C == 1u && (backwards ? B % 4u == 0u : A == 1u || B % 4u == 0u);
    x_CLASS none, carry;
    fold_none(by, none);
    carry = none;
#if start_PRESENT
    if (column < C) carry = x_CLASS(start((front * P + part) * C + column));
#endif
    for (uint step = 0u; step < length; step += 4u * lanes) {
        uint at = step + 4u * lane; // in the order of the scan
        uint first = front * B + begin + (backwards ? length - 4u - at : at); // where C is 1
        bool whole = quads && at + 4u <= length;
        x_CLASS_4 v = x_CLASS_4(none);
        if (whole) {
            v = x_4(first);
            if (backwards) v = v.wzyx;
        } else if (column < C) {
            [[unroll]] for (uint k = 0u; k < 4u; k++) {
                uint row = begin + (backwards ? length - 1u - at - k : at + k);
                if (at + k < length) v[k] = x((front * B + row) * C + column);
            }
        }
        x_CLASS sum = fold(by, fold(by, v.x, v.y), fold(by, v.z, v.w));
        uint from = 0u;
        sums[t] = sum;
        barrier();
        for (uint span = 1u; span < lanes; span *= 2u) {
            if (lane >= span) sum = fold(by, sums[from + t - span * T], sum);
            from = 256u - from;
            sums[from + t] = sum;
            barrier();
        }
        x_CLASS before = carry;
        if (lane > 0u) before = fold(by, carry, sums[from + t - T]);
        x_CLASS_4 result;
        [[unroll]] for (uint k = 0u; k < 4u; k++) {
            x_CLASS next = fold(by, before, v[k]);
            result[k] = exclusive != 0u ? before : next;
            before = next;
        }
        carry = fold(by, carry, sums[from + (lanes - 1u) * T + t % T]);
        barrier(); // before sums are others
        if (whole) {
            out_store_4(first, out_CLASS_4(backwards ? result.wzyx : result));
        } else if (column < C) {
            [[unroll]] for (uint k = 0u; k < 4u; k++) {
                uint row = begin + (backwards ? length - 1u - at - k : at + k);
                if (at + k < length) out_store((front * B + row) * C + column, out_CLASS(result[k]));
            }
        }
    }
}
