// Element i of the joined parts: each part's sum of values was relative to its own maximum, here
// they become relative to the greatest. Sums and maxima of a block of parts are loaded before any of
// them is looked at, and values of those that have some, so that memory is waited for twice, not once
// for each; most often there is one block. Many who ask for an element read no part without rows.
const uint VALUE_BLOCK = 16u;

struct VALUE_parts {
    float sum[VALUE_BLOCK], factor[VALUE_BLOCK];
    float keep; // what the blocks before are worth now
};

// The sums of a block, and what its parts' values count. `most` is the greatest score so far.
VALUE_parts VALUE_weigh(uint first, uint head, inout float most) {
    VALUE_parts b;
    float top[VALUE_BLOCK], before = most;
    [[unroll]] for (uint k = 0u; k < VALUE_BLOCK; k++) {
        uint part = min(first + k, P - 1u);
        b.sum[k] = sums(part * H + head);
        top[k] = maxima(part * H + head);
    }
    [[unroll]] for (uint k = 0u; k < VALUE_BLOCK; k++) {
        if (first + k >= P) b.sum[k] = 0.0;
        if (b.sum[k] != 0.0) most = max(most, top[k]);
    }
    [[unroll]] for (uint k = 0u; k < VALUE_BLOCK; k++)
        b.factor[k] = b.sum[k] == 0.0 ? 0.0 : exp(top[k] - most);
    b.keep = first == 0u ? 0.0 : exp(before - most);
    return b;
}

float VALUE(uint i) {
    uint head = i / D;
    float most = uintBitsToFloat(0xff800000u); // -inf
    precise float total = 0.0;
    precise float weighted = 0.0;
    for (uint p = 0u; p < P; p += VALUE_BLOCK) {
        VALUE_parts b = VALUE_weigh(p, head, most);
        float value[VALUE_BLOCK];
        [[unroll]] for (uint k = 0u; k < VALUE_BLOCK; k++) {
            value[k] = 0.0;
            if (b.sum[k] != 0.0) value[k] = partial((p + k) * H * D + i);
        }
        if (total != 0.0) total *= b.keep, weighted *= b.keep;
        [[unroll]] for (uint k = 0u; k < VALUE_BLOCK; k++) {
            if (b.sum[k] == 0.0) continue;
            total += b.factor[k] * b.sum[k];
            weighted += b.factor[k] * value[k];
        }
    }
#if sinks_PRESENT
    vec2 sink = attention_sink(most, sinks(head % sinks_COUNT));
    if (total != 0.0) total = total * sink.x + sink.y, weighted *= sink.x;
#endif
    precise float mean = total == 0.0 ? 0.0 : f_div(weighted, total);
    return mean;
}

// Four elements of one head at once: what their parts weigh is the same.
vec4 VALUE_4(uint i) {
    if (D % 4u != 0u) return vec4(VALUE(i), VALUE(i + 1u), VALUE(i + 2u), VALUE(i + 3u));
    uint head = i / D;
    float most = uintBitsToFloat(0xff800000u); // -inf
    precise float total = 0.0;
    precise vec4 weighted = vec4(0.0);
    for (uint p = 0u; p < P; p += VALUE_BLOCK) {
        VALUE_parts b = VALUE_weigh(p, head, most);
        vec4 value[VALUE_BLOCK];
        [[unroll]] for (uint k = 0u; k < VALUE_BLOCK; k++) {
            value[k] = vec4(0.0);
            if (b.sum[k] != 0.0) value[k] = partial_4((p + k) * H * D + i);
        }
        if (total != 0.0) total *= b.keep, weighted *= b.keep;
        [[unroll]] for (uint k = 0u; k < VALUE_BLOCK; k++) {
            if (b.sum[k] == 0.0) continue;
            total += b.factor[k] * b.sum[k];
            weighted += b.factor[k] * value[k];
        }
    }
    if (total == 0.0) return vec4(0.0);
#if sinks_PRESENT
    vec2 sink = attention_sink(most, sinks(head % sinks_COUNT));
    total = total * sink.x + sink.y, weighted *= sink.x;
#endif
    return f_div_4(weighted, vec4(total));
}
