// Selects as top_k_merge does, and draws one of what was selected: with few candidates another dispatch behind a
// barrier would take longer than the draw.
//
// local: 256
// grid: min(R, 65535), ceil_div(R, 65535), 1

// Without branches, so that all loads are on their way.
void load_entries(uint row, uint first, out uvec2 pairs[4]) {
    const uint ENTRIES = L * K;
    for (uint j = 0u; j < 4u; j++) {
        uint i = first + j * select_threads + gl_LocalInvocationIndex;
        uint at = min(i, max(ENTRIES, 1u) - 1u), place = list_indices(row * ENTRIES + at);
        uint key = select_key(list_values(row * ENTRIES + at), true);
        pairs[j] = i < ENTRIES && place != select_none ? uvec2(key, place) : select_no_pair;
    }
}

// with: random/words

// exp(score - best), by a temperature; 1 for what is as good as the best, whatever it is, 0 for NaN.
float weight(float score, float best, float heat) {
    if (score == best) return 1.0;
    float scaled = f_div(score - best, heat);
    return f_isnan(scaled) ? 0.0 : f_exp(scaled);
}

void main() {
    uint row = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, t = gl_LocalInvocationIndex;
    if (row >= R) return;
    uvec2 next[4];
    load_entries(row, 0u, next);
    select_begin();
    for (uint tile = 0u; tile < L * K; tile += select_offers) {
        uvec2 pairs[4] = next;
        load_entries(row, tile + select_offers, next); // on their way meanwhile
        select_turn(pairs, K, tile == 0u);
    }
    select_end(K);
    vec3 set = vec3(temperature, top_p, min_p);
#if settings_PRESENT
    uint at = Y > 3u ? row * 3u : 0u;
    for (uint i = 0u; i < 3u; i++) set[i] = settings(at + i);
#endif
    float best = select_float(select_pairs[0].x, select_pairs[0].y, true);
    float heat = set.x > 0.0 ? set.x : 1.0, filter_heat = order == 0u ? heat : 1.0, total;
    vec4 weights = vec4(0.0), drawn = vec4(0.0);
    for (uint i = 0u; i < 4u; i++) {
        if (4u * t + i >= K) continue;
        uvec2 pair = select_pairs[4u * t + i];
        if (pair.y == select_none) continue;
        float score = select_float(pair.x, pair.y, true);
        weights[i] = weight(score, best, filter_heat);
        drawn[i] = weight(score, best, heat);
    }
    precise vec4 sums = sample_scan(weights, total);
    precise float share = set.y * total;
    for (uint i = 0u; i < 4u; i++) {
        bool first = t == 0u && i == 0u;
        bool left = (set.y >= 1.0 || sums[i] < share) && weights[i] >= set.z;
        if (!first && (!left || !(set.x > 0.0))) drawn[i] = 0.0;
    }
    if (t == 0u && drawn.x == 0.0) drawn.x = 1.0; // NaN alone
    sums = sample_scan(drawn, total) + drawn;
    if (t == 0u) {
        sample_chosen = K;
        sample_last = 0u;
    }
    barrier();
    precise float target = random_unit(VALUE_words(row)[row % 4u]) * total;
    for (uint i = 0u; i < 4u; i++) {
        if (drawn[i] > 0.0) atomicMax(sample_last, 4u * t + i);
        if (drawn[i] > 0.0 && sums[i] > target) atomicMin(sample_chosen, 4u * t + i);
    }
    barrier();
    uint chosen = sample_chosen < K ? sample_chosen : sample_last; // where rounding left nobody above
    if (t != chosen / 4u) return;
    out_store(row, select_pairs[chosen].y);
#if probability_PRESENT
    probability_store(row, f_div(drawn[chosen % 4u], total));
#endif
}
