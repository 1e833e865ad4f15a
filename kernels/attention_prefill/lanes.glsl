// Attention of many tokens for devices that run subgroups of 8 lanes as the vectors of a processor, where
// a load costs most (kernels/matmul/columns.glsl). A workgroup is one subgroup and takes eight tokens of
// one head. For scores a lane has R rows of the cache, and loads four elements of each; for sums it has
// four of every 32 columns. What all lanes need comes from the one that loaded or computed it.
//
// Sums are kept relative to the greatest score so far, and scaled down when it rises. What has no weight
// is not added: NaN in such a row must not matter.
//
// C: columns by fours that a lane has; N: workgroups for the tokens of a sequence, Y sequences side by side.
//
// local: 8
// grid: N, H, Y

// with: attention/tokens

const uint TOKENS = 8u;
const uint LANES = 8u;
const uint KEYS = LANES * R; // rows of the cache in a tile
const float LOWEST = -3.4028235e38;

#if MASK_BY_TOKEN
shared float masks[TOKENS * KEYS]; // what is added to the tile's scores
#endif
float scores[TOKENS * R];
uint places[R]; // of the lane's rows
vec4 sums[TOKENS * C];
vec4 results[TOKENS * C];
uint lane, head, group;

// Four elements; what is past the end of a head does not count.

vec4 q_quad(uint token, uint d) {
    uint at = ((first_token + min(token, tokens - 1u)) * H + head) * D;
    if (D % 4u == 0u) return q_4(at + d);
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = q(at + d + i);
    return r;
}

vec4 k_quad(uint place, uint d) {
    uint at = (place * G + group) * D;
    if (D % 4u == 0u) return k_4(at + d);
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = k(at + d + i);
    return r;
}

vec4 v_quad(uint place, uint d) {
    uint at = (place * G + group) * D;
    if (D % 4u == 0u) return v_4(at + min(d, D - 4u));
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = v(at + d + i);
    return r;
}

float lanes_max(float x) {
    x = max(x, subgroupShuffleXor(x, 1u));
    x = max(x, subgroupShuffleXor(x, 2u));
    return max(x, subgroupShuffleXor(x, 4u));
}

float lanes_sum(float x) {
    precise float sum = x + subgroupShuffleXor(x, 1u);
    sum = sum + subgroupShuffleXor(sum, 2u);
    sum = sum + subgroupShuffleXor(sum, 4u);
    return sum;
}

void multiply_k(uint token, uint tile, uint end) {
    [[unroll]] for (uint i = 0u; i < TOKENS * R; i++) scores[i] = 0.0;
    [[unroll]] for (uint i = 0u; i < R; i++) places[i] = place_of(min(tile + lane * R + i, end - 1u));
    [[dont_unroll]] for (uint d = 0u; d < D; d += 4u) {
        vec4 loaded = q_quad(token + lane, d), rows[R];
        [[unroll]] for (uint i = 0u; i < R; i++) rows[i] = k_quad(places[i], d);
        [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
            vec4 four = subgroupBroadcast(loaded, t);
            [[unroll]] for (uint i = 0u; i < R; i++) {
                float score = fma(four.x, rows[i].x, scores[t * R + i]);
                score = fma(four.y, rows[i].y, score);
                score = fma(four.z, rows[i].z, score);
                scores[t * R + i] = fma(four.w, rows[i].w, score);
            }
        }
    }
}

void multiply_v(uint tile, uint end) {
    [[unroll]] for (uint from = 0u; from < LANES; from++)
        [[unroll]] for (uint i = 0u; i < R; i++) {
            if (tile + from * R + i >= end) continue;
#if table_PRESENT
            uint place = subgroupBroadcast(places[i], from);
#else
            uint place = place_of(tile + from * R + i);
#endif
            [[unroll]] for (uint c = 0u; c < C; c++) {
                vec4 columns = v_quad(place, (c * LANES + lane) * 4u);
                [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
                    float weight = subgroupBroadcast(scores[t * R + i], from);
                    vec4 more = fma(vec4(weight), columns, sums[t * C + c]);
                    sums[t * C + c] = weight == 0.0 ? sums[t * C + c] : more;
                }
            }
        }
}

void main() {
    lane = gl_SubgroupInvocationID;
    head = gl_WorkGroupID.y;
    group = head / L;
    uint token; // the workgroup's first
    if (!find_tokens(gl_WorkGroupID.x, TOKENS, token)) return;
    find_rows();
    // Rows that any of these tokens sees.
    uint begin = seen_begin(token) / KEYS * KEYS, end = seen_end(min(token + TOKENS, tokens) - 1u);
    float factor = scale == 0.0 ? 1.0 / sqrt(float(D)) : scale;
    float most[TOKENS];
    precise float totals[TOKENS];
    [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
        most[t] = LOWEST;
        totals[t] = 0.0;
    }
    [[unroll]] for (uint i = 0u; i < TOKENS * C; i++) sums[i] = vec4(0.0);

    for (uint tile = begin; tile < end; tile += KEYS) {
        float more[R];
        [[unroll]] for (uint i = 0u; i < R; i++) more[i] = 0.0;
#if ROWS_LEFT_OUT
        float counts = 0.0;
        [[unroll]] for (uint i = 0u; i < R; i++) {
            more[i] = row_added(min(tile + lane * R + i, end - 1u));
            if (more[i] != attention_none()) counts = 1.0;
        }
        if (lanes_max(counts) == 0.0) continue;
#endif
#if MASK_BY_TOKEN
        subgroupBarrier(); // the last tile's are read
        [[dont_unroll]] for (uint n = lane; n < TOKENS * KEYS; n += LANES)
            masks[n] = score_added(token + n / KEYS, head, min(tile + n % KEYS, end - 1u));
        subgroupBarrier();
#endif
        multiply_k(token, tile, end);
        [[unroll]] for (uint i = 0u; i < TOKENS * R; i++) scores[i] *= factor;
        if (softcap != 0.0)
            [[unroll]] for (uint i = 0u; i < TOKENS * R; i++) scores[i] = attention_capped(scores[i], softcap);
        [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
            uint from = seen_begin(token + t), seen = seen_end(token + t);
            float high = LOWEST;
            [[unroll]] for (uint i = 0u; i < R; i++) {
                uint row = tile + lane * R + i;
                float added = more[i];
#if MASK_BY_TOKEN
                if (added != attention_none()) added = masks[t * KEYS + lane * R + i];
#endif
                bool sees = row >= from && row < min(seen, end) && added != attention_none();
                scores[t * R + i] = sees ? scores[t * R + i] + added : attention_none();
                high = max(high, scores[t * R + i]);
            }
            high = max(most[t], lanes_max(high));
            float keep = attention_weight(most[t], high);
            most[t] = high;
            totals[t] *= keep;
            [[unroll]] for (uint i = 0u; i < R; i++) {
                scores[t * R + i] = attention_weight(scores[t * R + i], high);
                totals[t] += scores[t * R + i];
            }
            [[unroll]] for (uint c = 0u; c < C; c++) sums[t * C + c] *= keep;
        }
        multiply_v(tile, end);
    }

    [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
        float all = lanes_sum(totals[t]);
#if sinks_PRESENT
        vec2 sink = attention_sink(most[t], sinks(head));
        all = all == 0.0 ? 0.0 : all * sink.x + sink.y;
        [[unroll]] for (uint c = 0u; c < C; c++) sums[t * C + c] *= sink.x;
#endif
        float share = all == 0.0 ? 0.0 : f_quotient(1.0, all);
        [[unroll]] for (uint c = 0u; c < C; c++)
            results[t * C + c] = all == 0.0 ? vec4(0.0) : sums[t * C + c] * share;
    }
    [[dont_unroll]] for (uint t = 0u; t < TOKENS && token + t < tokens; t++)
        [[dont_unroll]] for (uint c = 0u; c < C; c++) {
            uint d = (c * LANES + lane) * 4u, to = ((first_token + token + t) * H + head) * D + d;
            if (d >= D) continue;
            if (D % 4u == 0u) out_store_4(to, results[t * C + c]);
            else for (uint i = 0u; i < 4u && d + i < D; i++) out_store(to + i, results[t * C + c][i]);
        }
}
