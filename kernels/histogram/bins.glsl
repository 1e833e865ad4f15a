// Adds to the counts of B bins of equal width. A workgroup takes 4096 elements and counts them in
// shared memory where the bins fit, so that a crowded bin costs one atomic addition in memory for
// each workgroup.
//
// local: 256
// grid: min(ceil_div(N, 4096), 65535), ceil_div(ceil_div(N, 4096), 65535), 1

shared uint histogram_counts[2048];

// The last bin that begins at or before the number, B for none. (number - low) * B >= bin * (high - low)
// says so in products and a difference, which every device rounds alike; the quotient, which devices
// are free to round, is a first guess.
uint histogram_bin(float number, float from, float to) {
    if (f_isnan(number)) return B;
    if (number < from || number > to) return outside == 0u ? B : number < from ? 0u : B - 1u;
    precise float range = to - from, place = (number - from) * float(B);
    uint bin = uint(clamp(place / range, 0.0, float(B - 1u)));
    precise float start = float(bin) * range, next = float(bin + 1u) * range;
    while (bin > 0u && place < start) {
        bin--;
        start = float(bin) * range;
    }
    while (bin + 1u < B && place >= next) {
        bin++;
        next = float(bin + 1u) * range;
    }
    return bin;
}

#if x_DTYPE == I32 || x_DTYPE == U32 || x_DTYPE == I64 || x_DTYPE == U64
#if x_DTYPE == I64 || x_DTYPE == U64
#define histogram_word uint64_t
#else
#define histogram_word uint
#endif

// (rest + more) modulo all, of which both are less than it; how often it went in.
uint histogram_add(inout histogram_word rest, histogram_word more, histogram_word all) {
    bool over = rest >= all - more;
    rest = over ? rest - (all - more) : rest + more;
    return over ? 1u : 0u;
}

// The same of integers: the quotient of part * B by all, by the bits of B, so that no product is larger than what
// these are.
uint histogram_bin(x_CLASS number, x_CLASS from, x_CLASS to) {
    if (number < from || number > to) return outside == 0u ? B : number < from ? 0u : B - 1u;
    histogram_word all = histogram_word(to) - histogram_word(from);
    histogram_word part = histogram_word(number) - histogram_word(from), rest = histogram_word(0);
    if (part == all) return B - 1u;
    uint bin = 0u;
    for (int bit = findMSB(B); bit >= 0; bit--) {
        bin = 2u * bin + histogram_add(rest, rest, all);
        if ((B >> bit & 1u) != 0u) bin += histogram_add(rest, part, all);
    }
    return bin;
}
#endif

void main() {
    bool shares = B <= 2048u;
    uint first = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 4096u;
    for (uint bin = gl_LocalInvocationIndex; shares && bin < B; bin += 256u)
        histogram_counts[bin] = 0u;
    barrier();
    for (uint j = gl_LocalInvocationIndex; j < 4096u && first + j < N; j += 256u) {
        uint bin = histogram_bin(x(first + j), low, high);
        if (bin == B) continue;
        if (shares) atomicAdd(histogram_counts[bin], 1u);
        else atomicAdd(counts_data[bin], 1u);
    }
    barrier();
    for (uint bin = gl_LocalInvocationIndex; shares && bin < B; bin += 256u) {
        uint count = histogram_counts[bin];
        if (count > 0u) atomicAdd(counts_data[bin], count);
    }
}
