// The first K elements of each row in order of value, of rows of up to 256: a workgroup has G of
// them. Each element counts how many of its row come before it, and that is its place.
//
// Without `excluded` places in the row are the indices, and keys are all that is compared.
//
// G: rows of a workgroup; B: workgroups.
//
// local: 256
// grid: min(B, 65535), ceil_div(B, 65535), 1
shared uint keys[256];
#if excluded_PRESENT
shared uint left_out[256];
#endif

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint t = gl_LocalInvocationIndex, i = t % N, row = group * G + t / N, first = t - i;
    bool largest = order == 0u, used = t < G * N && row < R;
    uint key = 0u, out_of = 0u, place = 0u;
    if (used) key = select_key(x(row * N + i), largest);
#if excluded_PRESENT
    if (used) out_of = excluded(i / 32u) >> (i % 32u) & 1u;
    left_out[t] = out_of;
#endif
    keys[t] = key;
    barrier();
    if (!used) return;
    for (uint j = 0u; j < N; j++) {
        uint other = keys[first + j];
        bool before = select_before(uvec2(other, j), uvec2(key, i));
#if excluded_PRESENT
        uint other_out = left_out[first + j]; // those come last, in any order
        before = other_out < out_of || (other_out == out_of && before);
#endif
        place += uint(before);
    }
    if (place >= K) return;
    uvec2 pair = out_of == 0u ? uvec2(key, i) : select_no_pair;
#if values_PRESENT
    x_CLASS value;
    select_value(pair, largest, value);
    values_store(row * K + place, value);
#endif
    indices_store(row * K + place, pair.y);
}
