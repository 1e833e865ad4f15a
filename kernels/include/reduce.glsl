// Reductions of the 256 partial results of a row in reduce_values (and reduce_places). All threads
// of the workgroup call them, at least 32; all get the result, the same bits whatever the subgroups
// are, behind two barriers. Sums: a fixed tree, first over strides of 128, 64 and 32, then over the 32
// that are left, which every thread adds up for itself. What has one result in any order is found in
// subgroups, then by every thread among their results: 32 at most, for no more of them have any.

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

// Numbers in the order of floats, -0 before 0. No partial result is a NaN.
uint reduce_key(float value) {
    uint bits = floatBitsToUint(value);
    return (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
}

float reduce_value(uint key) {
    return uintBitsToFloat((key & 0x80000000u) != 0u ? key & 0x7fffffffu : ~key);
}

float reduce_min() {
    uint least = 0xffffffffu;
    barrier();
    for (uint k = gl_LocalInvocationIndex; k < 256u; k += gl_WorkGroupSize.x)
        least = min(least, reduce_key(reduce_values[k]));
    least = subgroupMin(least);
    if (subgroupElect() && gl_SubgroupID < 32u) reduce_few_places[gl_SubgroupID] = least;
    barrier();
    for (uint k = 0u; k < min(gl_NumSubgroups, 32u); k++) least = min(least, reduce_few_places[k]);
    return reduce_value(least);
}

float reduce_max() {
    uint most = 0u;
    barrier();
    for (uint k = gl_LocalInvocationIndex; k < 256u; k += gl_WorkGroupSize.x)
        most = max(most, reduce_key(reduce_values[k]));
    most = subgroupMax(most);
    if (subgroupElect() && gl_SubgroupID < 32u) reduce_few_places[gl_SubgroupID] = most;
    barrier();
    for (uint k = 0u; k < min(gl_NumSubgroups, 32u); k++) most = max(most, reduce_few_places[k]);
    return reduce_value(most);
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

uint reduce_argmin(out float best) {
    uint place = 0xffffffffu;
    best = uintBitsToFloat(0x7f800000u);
    barrier();
    for (uint k = gl_LocalInvocationIndex; k < 256u; k += gl_WorkGroupSize.x)
        reduce_least(best, place, reduce_values[k], reduce_places[k]);
    float here = subgroupMin(best);
    place = subgroupMin(best == here ? place : 0xffffffffu);
    if (subgroupElect() && gl_SubgroupID < 32u) {
        reduce_few[gl_SubgroupID] = here;
        reduce_few_places[gl_SubgroupID] = place;
    }
    barrier();
    for (uint k = 0u; k < min(gl_NumSubgroups, 32u); k++)
        reduce_least(here, place, reduce_few[k], reduce_few_places[k]);
    best = here == 0.0 ? 0.0 : here; // of equal zeros a subgroup may take either
    return place;
}

uint reduce_argmax(out float best) {
    uint place = 0xffffffffu;
    best = uintBitsToFloat(0xff800000u);
    barrier();
    for (uint k = gl_LocalInvocationIndex; k < 256u; k += gl_WorkGroupSize.x)
        reduce_most(best, place, reduce_values[k], reduce_places[k]);
    float here = subgroupMax(best);
    place = subgroupMin(best == here ? place : 0xffffffffu);
    if (subgroupElect() && gl_SubgroupID < 32u) {
        reduce_few[gl_SubgroupID] = here;
        reduce_few_places[gl_SubgroupID] = place;
    }
    barrier();
    for (uint k = 0u; k < min(gl_NumSubgroups, 32u); k++)
        reduce_most(here, place, reduce_few[k], reduce_few_places[k]);
    best = here == 0.0 ? 0.0 : here; // of equal zeros a subgroup may take either
    return place;
}

// Reductions within teams: `team` neighbours of a subgroup, a power of two. All of them call; all get the
// result, which is the same bits for each, since every step joins two results that two threads have.

float team_sum(float x, uint team) {
    precise float sum = x;
    for (uint k = team / 2u; k > 0u; k /= 2u) sum = sum + subgroupShuffleXor(sum, k);
    return sum;
}

float team_min(float x, uint team) {
    uint least = reduce_key(x);
    for (uint k = team / 2u; k > 0u; k /= 2u) least = min(least, subgroupShuffleXor(least, k));
    return reduce_value(least);
}

float team_max(float x, uint team) {
    uint most = reduce_key(x);
    for (uint k = team / 2u; k > 0u; k /= 2u) most = max(most, subgroupShuffleXor(most, k));
    return reduce_value(most);
}

uint team_argmin(float best, uint place, uint team) {
    for (uint k = team / 2u; k > 0u; k /= 2u) {
        float other = subgroupShuffleXor(best, k);
        reduce_least(best, place, other, subgroupShuffleXor(place, k));
    }
    return place;
}

uint team_argmax(float best, uint place, uint team) {
    for (uint k = team / 2u; k > 0u; k /= 2u) {
        float other = subgroupShuffleXor(best, k);
        reduce_most(best, place, other, subgroupShuffleXor(place, k));
    }
    return place;
}
