// Joins updates with the elements that they are for: a thread for each element of the result finds the
// first update for its slice by bisection, and takes them as long as they are for it, in their order.
//
// B: workgroups.
//
// local: 256
// grid: min(B, 65535), ceil_div(B, 65535), 1
void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint i = group * 256u + gl_LocalInvocationIndex;
    if (group >= B || i >= N * C) return;
    uint slice = i / C, low = 0u, high = M;
    while (low < high) {
        uint middle = low + (high - low) / 2u;
        if (places_data[middle] < slice)
            low = middle + 1u;
        else
            high = middle;
    }
    data_CLASS result = data(i);
    for (; low < M && places_data[low] == slice; low++) {
        uint update = order_data[low];
        if (update < M) result = fold(by, result, data_CLASS(updates(update * C + i % C)));
    }
    out_store(i, out_CLASS(result));
}
