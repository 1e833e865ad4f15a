// Reductions of the 256 partial results of a row in reduce_values (and reduce_places). All threads
// of the workgroup call them, at least 32; all get the result. A fixed tree, first over strides of
// 128, 64 and 32, then over the 32 that are left, which every thread adds up for itself: two
// barriers, and the same bits whatever the subgroups are.

shared float reduce_values[256];

shared float reduce_few[32];

shared uint reduce_places[256];

shared uint reduce_few_places[32];

float reduce_sum() {
    uint t = gl_LocalInvocationIndex;
    barrier();
    if (t < 32u) {
        precise float sum = ((reduce_values[t] + reduce_values[t + 128u]) +
                             (reduce_values[t + 64u] + reduce_values[t + 192u])) +
                            ((reduce_values[t + 32u] + reduce_values[t + 160u]) +
                             (reduce_values[t + 96u] + reduce_values[t + 224u]));
        reduce_few[t] = sum;
    }
    barrier();
    precise vec4 sums = vec4(0.0);
    for (uint k = 0u; k < 32u; k += 8u) {
        precise vec4 low = vec4(reduce_few[k], reduce_few[k + 1u], reduce_few[k + 2u],
                                reduce_few[k + 3u]);
        precise vec4 high = vec4(reduce_few[k + 4u], reduce_few[k + 5u], reduce_few[k + 6u],
                                 reduce_few[k + 7u]);
        sums += low + high;
    }
    precise float total = (sums.x + sums.z) + (sums.y + sums.w);
    return total;
}

float reduce_min() {
    uint t = gl_LocalInvocationIndex;
    barrier();
    if (t < 32u) {
        float least = reduce_values[t];
        for (uint k = t + 32u; k < 256u; k += 32u) least = f_min(least, reduce_values[k]);
        reduce_few[t] = least;
    }
    barrier();
    float least = reduce_few[0];
    for (uint k = 1u; k < 32u; k++) least = f_min(least, reduce_few[k]);
    return least;
}

float reduce_max() {
    uint t = gl_LocalInvocationIndex;
    barrier();
    if (t < 32u) {
        float most = reduce_values[t];
        for (uint k = t + 32u; k < 256u; k += 32u) most = f_max(most, reduce_values[k]);
        reduce_few[t] = most;
    }
    barrier();
    float most = reduce_few[0];
    for (uint k = 1u; k < 32u; k++) most = f_max(most, reduce_few[k]);
    return most;
}

// Takes the value at a place if it is less, or as little at an earlier place. A NaN is neither.
void reduce_least(inout float best, inout uint best_place, float value, uint place) {
    if (!f_isnan(value) && (value < best || value == best && place < best_place)) {
        best = value;
        best_place = place;
    }
}

void reduce_most(inout float best, inout uint best_place, float value, uint place) {
    if (!f_isnan(value) && (value > best || value == best && place < best_place)) {
        best = value;
        best_place = place;
    }
}

uint reduce_argmin() {
    uint t = gl_LocalInvocationIndex;
    barrier();
    if (t < 32u) {
        float best = reduce_values[t];
        uint place = reduce_places[t];
        for (uint k = t + 32u; k < 256u; k += 32u)
            reduce_least(best, place, reduce_values[k], reduce_places[k]);
        reduce_few[t] = best;
        reduce_few_places[t] = place;
    }
    barrier();
    float best = reduce_few[0];
    uint place = reduce_few_places[0];
    for (uint k = 1u; k < 32u; k++)
        reduce_least(best, place, reduce_few[k], reduce_few_places[k]);
    return place;
}

uint reduce_argmax() {
    uint t = gl_LocalInvocationIndex;
    barrier();
    if (t < 32u) {
        float best = reduce_values[t];
        uint place = reduce_places[t];
        for (uint k = t + 32u; k < 256u; k += 32u)
            reduce_most(best, place, reduce_values[k], reduce_places[k]);
        reduce_few[t] = best;
        reduce_few_places[t] = place;
    }
    barrier();
    float best = reduce_few[0];
    uint place = reduce_few_places[0];
    for (uint k = 1u; k < 32u; k++) reduce_most(best, place, reduce_few[k], reduce_few_places[k]);
    return place;
}
