// What the B elements along an axis come to, in P parts of E. A workgroup has T lines side by side, T
// being a power of two, and 256 / T threads for each; what they have is joined in shared memory, as a
// tree whose shape depends on T alone.
//
// W: workgroups along C; G: workgroups in all.
//
// local: 256
// grid: min(G, 65535), ceil_div(G, 65535), 1
shared x_CLASS values[256];
shared uint found[256];

// Takes a number at a place, or what others made of several: the first of equal ones stays.
void take(inout x_CLASS best, inout uint best_place, x_CLASS v, uint place) {
    if (by < 4u) {
        best = fold(by, best, v);
        return;
    }
    if (place == fold_nowhere || fold_is_nan(v)) return;
    bool first = best_place == fold_nowhere || (by == 4u ? v < best : v > best) ||
                 (v == best && place < best_place);
    if (!first) return;
    best = v;
    best_place = place;
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= G) return;
    uint t = gl_LocalInvocationIndex, lane = t / T, lanes = 256u / T;
    uint column = group % W * T + t % T, part = group / W % P, front = group / (W * P);
    uint begin = min(part * E, B), end = min(B, begin + E);
    // Four at once: loads do not wait for one another.
    x_CLASS best[4];
    uint place[4];
    [[unroll]] for (uint k = 0u; k < 4u; k++) {
        fold_none(by, best[k]);
        place[k] = fold_nowhere;
    }
    if (column < C)
        for (uint first = begin + lane; first < end; first += 4u * lanes)
            [[unroll]] for (uint k = 0u; k < 4u; k++) {
                uint row = first + k * lanes;
                if (row < end) take(best[k], place[k], x((front * B + row) * C + column), row);
            }
    take(best[0], place[0], best[2], place[2]);
    take(best[1], place[1], best[3], place[3]);
    take(best[0], place[0], best[1], place[1]);
    values[t] = best[0];
    found[t] = place[0];
    for (uint span = lanes / 2u; span > 0u; span /= 2u) {
        barrier();
        if (lane < span) {
            take(best[0], place[0], values[t + span * T], found[t + span * T]);
            values[t] = best[0];
            found[t] = place[0];
        }
    }
    if (lane != 0u || column >= C) return;
    uint to = (front * P + part) * C + column;
#if out_PRESENT
    out_store(to, out_CLASS(best[0]));
#endif
#if places_PRESENT
    places_store(to, place[0]);
#endif
}
