// Attention of many tokens for devices that run subgroups of 8 lanes as the vectors of a processor, where
// a load costs most (kernels/matmul/columns.glsl). A workgroup is one subgroup and takes eight tokens of
// one head. For scores a lane has V rows of the cache, and loads four elements of each; for sums it has
// four of every 32 columns. What all lanes need comes from the one that loaded or computed it.
//
// Sums are kept relative to the greatest score so far, and scaled down when it rises. What has no weight
// is not added: NaN in such a row must not matter.
//
// A: sequences; C: columns by fours that a lane has; N: workgroups for the tokens of a sequence.
//
// local: 8
// grid: N, H, A

const uint TOKENS = 8u;
const uint LANES = 8u;
const uint KEYS = LANES * V; // rows of the cache in a tile
const float LOWEST = -3.4028235e38;

float scores[TOKENS * V];
vec4 sums[TOKENS * C];
vec4 results[TOKENS * C];
uint lane, batch, head, group;

// Four elements; what is past the end of a head does not count.

vec4 q_quad(uint token, uint d) {
    uint at = ((batch * T + min(token, T - 1u)) * H + head) * D;
    if (D % 4u == 0u) return q_4(at + d);
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = q(at + d + i);
    return r;
}

vec4 k_quad(uint row, uint d) {
    uint at = ((batch * S + row) * G + group) * D;
    if (D % 4u == 0u) return k_4(at + d);
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = k(at + d + i);
    return r;
}

vec4 v_quad(uint row, uint d) {
    uint at = ((batch * S + row) * G + group) * D;
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
    [[unroll]] for (uint i = 0u; i < TOKENS * V; i++) scores[i] = 0.0;
    [[dont_unroll]] for (uint d = 0u; d < D; d += 4u) {
        vec4 loaded = q_quad(token + lane, d), rows[V];
        [[unroll]] for (uint i = 0u; i < V; i++) rows[i] = k_quad(min(tile + lane * V + i, end - 1u), d);
        [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
            vec4 four = subgroupBroadcast(loaded, t);
            [[unroll]] for (uint i = 0u; i < V; i++) {
                float score = fma(four.x, rows[i].x, scores[t * V + i]);
                score = fma(four.y, rows[i].y, score);
                score = fma(four.z, rows[i].z, score);
                scores[t * V + i] = fma(four.w, rows[i].w, score);
            }
        }
    }
}

void multiply_v(uint tile, uint end) {
    [[unroll]] for (uint from = 0u; from < LANES; from++)
        [[unroll]] for (uint i = 0u; i < V; i++) {
            if (tile + from * V + i >= end) continue;
            [[unroll]] for (uint c = 0u; c < C; c++) {
                vec4 columns = v_quad(tile + from * V + i, (c * LANES + lane) * 4u);
                [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
                    float weight = subgroupBroadcast(scores[t * V + i], from);
                    vec4 more = fma(vec4(weight), columns, sums[t * C + c]);
                    sums[t * C + c] = weight == 0.0 ? sums[t * C + c] : more;
                }
            }
        }
}

void main() {
    lane = gl_SubgroupInvocationID;
    uint token = gl_WorkGroupID.x * TOKENS; // the workgroup's first
    head = gl_WorkGroupID.y;
    group = head / L;
    batch = gl_WorkGroupID.z;

    uint before = min(past(0u), S);
    uint total = before + min(T, S - before);
    // Rows that any of these tokens sees.
    uint end = causal != 0u ? before + min(min(token + TOKENS, T), S - before) : total;
    float factor = scale == 0.0 ? 1.0 / sqrt(float(D)) : scale;
    float most[TOKENS];
    precise float totals[TOKENS];
    [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
        most[t] = LOWEST;
        totals[t] = 0.0;
    }
    [[unroll]] for (uint i = 0u; i < TOKENS * C; i++) sums[i] = vec4(0.0);

    for (uint tile = 0u; tile < end; tile += KEYS) {
        float more[V];
        [[unroll]] for (uint i = 0u; i < V; i++) more[i] = 0.0;
#if mask_PRESENT
        float counts = 0.0;
        [[unroll]] for (uint i = 0u; i < V; i++) {
            more[i] = mask(batch * S + min(tile + lane * V + i, end - 1u));
            if (more[i] != attention_none()) counts = 1.0;
        }
        if (lanes_max(counts) == 0.0) continue;
#endif
        multiply_k(token, tile, end);
        [[unroll]] for (uint i = 0u; i < TOKENS * V; i++) scores[i] *= factor;
        if (softcap != 0.0)
            [[unroll]] for (uint i = 0u; i < TOKENS * V; i++) scores[i] = attention_capped(scores[i], softcap);
        [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
            uint seen = causal != 0u ? before + min(token + t + 1u, S - before) : total;
            float high = LOWEST;
            [[unroll]] for (uint i = 0u; i < V; i++) {
                bool sees = tile + lane * V + i < min(seen, end) && more[i] != attention_none();
                scores[t * V + i] = sees ? scores[t * V + i] + more[i] : attention_none();
                high = max(high, scores[t * V + i]);
            }
            high = max(most[t], lanes_max(high));
            float keep = attention_weight(most[t], high);
            most[t] = high;
            totals[t] *= keep;
            [[unroll]] for (uint i = 0u; i < V; i++) {
                scores[t * V + i] = attention_weight(scores[t * V + i], high);
                totals[t] += scores[t * V + i];
            }
            [[unroll]] for (uint c = 0u; c < C; c++) sums[t * C + c] *= keep;
        }
        multiply_v(tile, end);
    }

    [[unroll]] for (uint t = 0u; t < TOKENS; t++) {
        float all = lanes_sum(totals[t]);
        float share = all == 0.0 ? 0.0 : f_quotient(1.0, all);
        [[unroll]] for (uint c = 0u; c < C; c++)
            results[t * C + c] = all == 0.0 ? vec4(0.0) : sums[t * C + c] * share;
    }
    [[dont_unroll]] for (uint t = 0u; t < TOKENS && token + t < T; t++)
        [[dont_unroll]] for (uint c = 0u; c < C; c++) {
            uint d = (c * LANES + lane) * 4u, to = ((batch * T + token + t) * H + head) * D + d;
            if (d >= D) continue;
            if (D % 4u == 0u) out_store_4(to, results[t * C + c]);
            else for (uint i = 0u; i < 4u && d + i < D; i++) out_store(to + i, results[t * C + c][i]);
        }
}
