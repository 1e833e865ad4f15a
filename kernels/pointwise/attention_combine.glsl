// Element i of the joined parts: each part's sum of values was relative to its own maximum, here
// they become relative to the greatest. Eight parts are loaded before any of them is looked at, so
// that memory is waited for once, not once for each.
const uint VALUE_BLOCK = 8u;

float VALUE(uint i) {
    uint head = i / D;
    float most = uintBitsToFloat(0xff800000u); // -inf
    for (uint p = 0u; p < P; p += VALUE_BLOCK) {
        float sum[VALUE_BLOCK], top[VALUE_BLOCK];
        for (uint k = 0u; k < VALUE_BLOCK; k++) {
            uint part = min(p + k, P - 1u); // the last one again, which changes no maximum
            sum[k] = sums(part * H + head);
            top[k] = maxima(part * H + head);
        }
        for (uint k = 0u; k < VALUE_BLOCK; k++)
            if (sum[k] != 0.0) most = max(most, top[k]);
    }
    precise float total = 0.0;
    precise float weighted = 0.0;
    for (uint p = 0u; p < P; p += VALUE_BLOCK) {
        float sum[VALUE_BLOCK], top[VALUE_BLOCK], value[VALUE_BLOCK];
        for (uint k = 0u; k < VALUE_BLOCK; k++) {
            uint part = min(p + k, P - 1u);
            sum[k] = sums(part * H + head);
            top[k] = maxima(part * H + head);
            value[k] = partial(part * H * D + i);
        }
        for (uint k = 0u; k < VALUE_BLOCK; k++) {
            if (sum[k] == 0.0 || p + k >= P) continue;
            precise float factor = exp(top[k] - most);
            total += factor * sum[k];
            weighted += factor * value[k];
        }
    }
    precise float mean = total == 0.0 ? 0.0 : f_div(weighted, total);
    return mean;
}

// Four elements of one head at once: what their parts weigh is the same.
vec4 VALUE_4(uint i) {
    if (D % 4u != 0u) return vec4(VALUE(i), VALUE(i + 1u), VALUE(i + 2u), VALUE(i + 3u));
    uint head = i / D;
    float most = uintBitsToFloat(0xff800000u); // -inf
    for (uint p = 0u; p < P; p++)
        if (sums(p * H + head) != 0.0) most = max(most, maxima(p * H + head));
    precise float total = 0.0;
    precise vec4 weighted = vec4(0.0);
    for (uint p = 0u; p < P; p += VALUE_BLOCK) {
        vec4 value[VALUE_BLOCK];
        for (uint k = 0u; k < VALUE_BLOCK; k++)
            value[k] = partial_4(min(p + k, P - 1u) * H * D + i);
        for (uint k = 0u; k < VALUE_BLOCK; k++) {
            if (p + k >= P) continue;
            float sum = sums((p + k) * H + head);
            if (sum == 0.0) continue;
            precise float factor = exp(maxima((p + k) * H + head) - most);
            total += factor * sum;
            weighted += factor * value[k];
        }
    }
    if (total == 0.0) return vec4(0.0);
    return vec4(f_div(weighted.x, total), f_div(weighted.y, total), f_div(weighted.z, total),
                f_div(weighted.w, total));
}
