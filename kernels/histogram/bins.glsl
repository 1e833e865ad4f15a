// Adds to the counts of B bins of equal width. A workgroup takes 4096 elements and counts them in
// shared memory where the bins fit, so that a crowded bin costs one atomic addition in memory for
// each workgroup.
//
// local: 256
// grid: min(ceil_div(N, 4096), 65535), ceil_div(ceil_div(N, 4096), 65535), 1

shared uint histogram_counts[2048];

// The last bin that begins at or before the number. (number - low) * B >= bin * (high - low) says
// so in products and a difference, which every device rounds alike; the quotient, which devices are
// free to round, is a first guess.
uint histogram_bin(float number) {
    precise float range = high - low, place = (number - low) * float(B);
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

void main() {
    bool shares = B <= 2048u;
    uint first = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 4096u;
    for (uint bin = gl_LocalInvocationIndex; shares && bin < B; bin += 256u)
        histogram_counts[bin] = 0u;
    barrier();
    for (uint j = gl_LocalInvocationIndex; j < 4096u && first + j < N; j += 256u) {
        float number = x(first + j);
        if (f_isnan(number)) continue;
        bool below = number < low, above = number > high;
        if (outside == 0u && (below || above)) continue;
        uint bin = below ? 0u : above ? B - 1u : histogram_bin(number);
        if (shares) atomicAdd(histogram_counts[bin], 1u);
        else atomicAdd(counts_data[bin], 1u);
    }
    barrier();
    for (uint bin = gl_LocalInvocationIndex; shares && bin < B; bin += 256u) {
        uint count = histogram_counts[bin];
        if (count > 0u) atomicAdd(counts_data[bin], count);
    }
}
