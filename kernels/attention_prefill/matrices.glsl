// Attention of many tokens by cooperative matrices of f16, added up in f32, with a running softmax. A
// workgroup takes U * Q * C tokens of one head, of which each of U subgroups has Q rows of matrices. Tiles of
// R rows of the cache go by: k of one is multiplied while its v is on the way, and v while k of the next is;
// so there are two barriers a tile, and one set of registers for what is loaded. Of queries the first P - 1
// matrices of each row are in registers, the others in shared memory. The workgroups with most to do come
// first.
//
// Scores stay in registers: softmax is over rows, so it takes a subgroup that has a matrix of sums in the
// way that `row_of` says. Factors lie as sums do: so weights become factors without leaving the invocation
// that has them. Sums are relative to a greatest score that may be up to SLACK below the true one, in powers
// of two; so they are scaled down seldom, and weights stay within f16.
//
// What cannot be done so (matrices that lie in another way, infinities or NaN in rows of v that some
// token of a tile does not see, where 0 * NaN would show) is computed token by token.
//
// N: workgroups for all tokens; Z: invocations of a subgroup; F, I: both the depth of a matrix, so that
// the sides' types differ; M: 2 where scores are capped, or their factor is below 0, else 1.
//
// local: U * Z
// subgroup: Z
// grid: N, H, 1

const uint THREADS = U * Z;
const uint TOKENS = U * Q * C;
const uint EIGHTS = D / 8u;
const uint STRIDE = EIGHTS + 1u; // of a row in shared memory; meets no bank twice
const uint TURNS = (R * EIGHTS + THREADS - 1u) / THREADS;
const uint DEPTHS = D / F;
const uint WIDTHS = D / E;
const uint KEYS = R / E;
const uint STEPS = R / F;
const uint KEPT = P - 1u; // P is one more: symbols are never 0
const uint KEPT_EIGHTS = KEPT * F / 8u;
const uint KEPT_STRIDE = KEPT_EIGHTS + 1u;
const uint HELD_STRIDE = EIGHTS - KEPT_EIGHTS + 1u;
const uint OUT_STRIDE = E / 4u + 1u; // of a row of sums on their way out
const uint PART = C * OUT_STRIDE;    // of a subgroup
const uint ELEMENTS = 8u;            // of a matrix of sums that an invocation has
const uint V_TILE = R * STRIDE;
const uint OTHER = U * PART > TOKENS * KEPT_STRIDE ? U * PART : TOKENS * KEPT_STRIDE;
const bool NONE_OVER = R * EIGHTS % THREADS == 0u;
const float LOWEST = -3.4028235e38;
const float SLACK = 8.0;
const float LOG2E = 1.44269504;

shared uvec4 tiles[2u * V_TILE > OTHER ? 2u * V_TILE : OTHER]; // k, then v; queries on their way in, and results
shared uvec4 queries[KEPT == DEPTHS ? 1u : TOKENS * HELD_STRIDE];
shared uint odd; // 1: to be computed token by token

#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, C, F>
#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, I, E>
#define SUMS fcoopmatNV<32, gl_ScopeSubgroup, C, E>

// Where element e of a matrix of sums is: four invocations share two rows.
uint row_of(uint e) {
    return gl_SubgroupInvocationID / 4u + e / 4u * 8u;
}

uint column_of(uint e) {
    return gl_SubgroupInvocationID % 4u * 2u + e % 2u + e / 2u % 2u * 8u;
}

bool has_odd(uvec4 halves) {
    uvec4 low = halves & 0x7c00u, high = halves & 0x7c000000u;
    return any(equal(low, uvec4(0x7c00u))) || any(equal(high, uvec4(0x7c000000u)));
}

// Whether matrices of sums, and factors, lie as row_of() and column_of() say. Asked by a whole subgroup.
bool lies_as_expected() {
    uint part = gl_SubgroupID * PART;
    for (uint i = gl_SubgroupInvocationID; i < C * E / 4u; i += Z)
        tiles[part + i] = floatBitsToUint(vec4(i * 4u) + vec4(0.0, 1.0, 2.0, 3.0));
    subgroupBarrier();
    SUMS places;
    coopMatLoadNV(places, tiles, part, E / 4u, false);
    subgroupBarrier();
    for (uint i = gl_SubgroupInvocationID; i < C * F / 8u; i += Z)
        tiles[part + i] = f32x8_to_f16(vec4(i * 8u) + vec4(0.0, 1.0, 2.0, 3.0), vec4(i * 8u) + vec4(4.0, 5.0, 6.0, 7.0));
    subgroupBarrier();
    LEFT factors;
    coopMatLoadNV(factors, tiles, part, F / 8u, false);
    bool good = C == 16u && E == 16u && F == 16u && Z == 32u;
    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) {
        float place = float(row_of(e) * E + column_of(e));
        good = good && places[e] == place && float(factors[e]) == place;
    }
    subgroupBarrier();
    return good;
}

// One token an invocation, four columns at a time: slow, and of no assumption.
void by_tokens(uint token, uint head, uint group, uint before, uint total, float factor) {
    uint t = token + gl_LocalInvocationIndex;
    if (gl_LocalInvocationIndex >= TOKENS || t >= T) return;
    uint seen = causal != 0u ? before + min(t + 1u, S - before) : total;
    for (uint first = 0u; first < D; first += 4u) {
        float most = LOWEST, weights = 0.0;
        vec4 mean = vec4(0.0);
        for (uint row = 0u; row < seen; row++) {
            uint at = (row * G + group) * D;
            float score = 0.0;
            for (uint d = 0u; d < D; d++) score = fma(q((t * H + head) * D + d), k(at + d), score);
            score = softcap == 0.0 ? score * factor : attention_capped(score * factor, softcap);
            float high = max(most, score), keep = exp(most - high), weight = exp(score - high);
            weights = weights * keep + weight;
            mean = mean * keep + weight * v_4(at + first);
            most = high;
        }
        if (most == LOWEST) weights = 0.0;
        out_store_4((t * H + head) * D + first, weights == 0.0 ? vec4(0.0) : mean / weights);
    }
}

// Eight elements of row `row` of a tile of the cache; zeros from `end` on.
uvec4 k_eight(uint row, uint end, uint group, uint eight) {
    return row < end ? k_halves((row * G + group) * D + eight * 8u) : uvec4(0u);
}

uvec4 v_eight(uint row, uint end, uint group, uint eight) {
    return row < end ? v_halves((row * G + group) * D + eight * 8u) : uvec4(0u);
}

// Where eight elements of a tile are; not all invocations have as many.
uint tile_place(uint at) {
    return at / EIGHTS * STRIDE + at % EIGHTS;
}

float quad_max(float x) {
    x = max(x, subgroupShuffleXor(x, 1u));
    return max(x, subgroupShuffleXor(x, 2u));
}

float quad_sum(float x) {
    x += subgroupShuffleXor(x, 1u);
    return x + subgroupShuffleXor(x, 2u);
}

void main() {
    uint thread = gl_LocalInvocationIndex;
    uint head = gl_WorkGroupID.y, group = head / L;
    uint token = (N - 1u - gl_WorkGroupID.x) * TOKENS;
    uint own = token + gl_SubgroupID * Q * C; // the subgroup's first
    uint before = min(past(0u), S);
    uint total = before + min(T, S - before);
    // Rows that some token of the workgroup sees, and of the subgroup; and that all of them see.
    uint end = causal != 0u ? before + min(min(token + TOKENS, T), S - before) : total;
    uint own_end = causal != 0u ? before + min(min(own + Q * C, T), S - before) : total;
    uint all_see = causal != 0u ? before + min(min(token, T) + 1u, S - before) : total;
    uint own_all_see = causal != 0u ? before + min(min(own, T) + 1u, S - before) : total;
    float factor = scale == 0.0 ? 1.0 / sqrt(float(D)) : scale;

    if (thread == 0u) odd = 0u;
    barrier();
    if (!lies_as_expected()) atomicOr(odd, 1u);
    barrier(); // it used the tiles
    for (uint i = thread; i < TOKENS * EIGHTS; i += THREADS) {
        uint row = i / EIGHTS, eight = i % EIGHTS, t = token + row;
        uvec4 halves = t < T ? q_halves((t * H + head) * D + eight * 8u) : uvec4(0u);
        if (eight < KEPT_EIGHTS) tiles[row * KEPT_STRIDE + eight] = halves;
        else queries[row * HELD_STRIDE + eight - KEPT_EIGHTS] = halves;
    }
    barrier();
    LEFT kept[KEPT == 0u ? 1u : Q * KEPT];
    [[unroll]] for (uint i = 0u; i < Q * KEPT; i++) {
        uint row = (gl_SubgroupID * Q + i / KEPT) * C;
        coopMatLoadNV(kept[i], tiles, row * KEPT_STRIDE + i % KEPT * (F / 8u), KEPT_STRIDE, false);
    }
    barrier(); // before the tiles are overwritten

    SUMS sums[Q * WIDTHS];
    [[unroll]] for (uint i = 0u; i < Q * WIDTHS; i++) sums[i] = SUMS(0.0);
    float most[2u * Q], totals[2u * Q]; // of an invocation's two rows in each matrix
    [[unroll]] for (uint i = 0u; i < 2u * Q; i++) {
        most[i] = LOWEST;
        totals[i] = 0.0;
    }

    uvec4 next[TURNS];
    [[unroll]] for (uint i = 0u; i < TURNS; i++) {
        uint at = thread + i * THREADS;
        if (NONE_OVER || at < R * EIGHTS) tiles[tile_place(at)] = k_eight(at / EIGHTS, end, group, at % EIGHTS);
        next[i] = v_eight(at / EIGHTS, end, group, at % EIGHTS);
    }
    barrier();
    for (uint tile = 0u; tile < end; tile += R) {
        LEFT weight[Q * STEPS];
        if (tile < own_end) {
            SUMS score[Q * KEYS];
            [[unroll]] for (uint i = 0u; i < Q * KEYS; i++) score[i] = SUMS(0.0);
            [[unroll]] for (uint d = 0u; d < DEPTHS; d++) {
                LEFT query[Q];
                [[unroll]] for (uint r = 0u; r < Q; r++) {
                    uint first = (gl_SubgroupID * Q + r) * C * HELD_STRIDE;
                    if (d < KEPT) query[r] = kept[r * KEPT + d];
                    else coopMatLoadNV(query[r], queries, first + (d - KEPT) * (F / 8u), HELD_STRIDE, false);
                }
                [[unroll]] for (uint n = 0u; n < KEYS; n++) {
                    RIGHT key;
                    coopMatLoadNV(key, tiles, n * E * STRIDE + d * (F / 8u), STRIDE, true);
                    [[unroll]] for (uint r = 0u; r < Q; r++)
                        score[r * KEYS + n] = coopMatMulAddNV(query[r], key, score[r * KEYS + n]);
                }
            }
            // Exponents are powers of two: scores times `steep`, which is not negative.
            float steep = factor * LOG2E;
            if (M == 2u) {
                [[unroll]] for (uint i = 0u; i < Q * KEYS; i++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
                        score[i][e] = softcap == 0.0 ? -score[i][e] : attention_capped(score[i][e] * factor, softcap);
                steep = softcap == 0.0 ? -steep : LOG2E;
            }
            if (tile + R > own_all_see)
                [[unroll]] for (uint r = 0u; r < Q; r++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) {
                        uint t = own + r * C + row_of(e);
                        uint seen = causal != 0u ? before + min(t + 1u, S - before) : total;
                        [[unroll]] for (uint n = 0u; n < KEYS; n++)
                            if (tile + n * E + column_of(e) >= seen)
                                score[r * KEYS + n][e] = attention_none();
                    }
            [[unroll]] for (uint r = 0u; r < Q; r++) {
                float high[2] = float[2](LOWEST, LOWEST);
                [[unroll]] for (uint n = 0u; n < KEYS; n++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
                        high[e / 4u] = max(high[e / 4u], score[r * KEYS + n][e]);
                bool rises = false;
                [[unroll]] for (uint h = 0u; h < 2u; h++) {
                    high[h] = max(quad_max(high[h]) * steep, LOWEST);
                    rises = rises || high[h] > most[2u * r + h] + SLACK;
                }
                if (subgroupAny(rises)) {
                    float keep[2];
                    [[unroll]] for (uint h = 0u; h < 2u; h++) {
                        float now = max(high[h], most[2u * r + h]);
                        keep[h] = exp2(most[2u * r + h] - now);
                        totals[2u * r + h] *= keep[h];
                        most[2u * r + h] = now;
                    }
                    [[unroll]] for (uint w = 0u; w < WIDTHS; w++)
                        [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) sums[r * WIDTHS + w][e] *= keep[e / 4u];
                }
                [[unroll]] for (uint n = 0u; n < KEYS; n++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) {
                        float x = exp2(fma(score[r * KEYS + n][e], steep, -most[2u * r + e / 4u]));
                        totals[2u * r + e / 4u] += x;
                        weight[r * STEPS + n][e] = float16_t(x);
                    }
            }
        }
        bool found = false;
        [[unroll]] for (uint i = 0u; i < TURNS; i++) {
            uint at = thread + i * THREADS;
            if (NONE_OVER || at < R * EIGHTS) tiles[V_TILE + tile_place(at)] = next[i];
            if (tile + R > all_see) found = found || has_odd(next[i]);
        }
        if (found) atomicOr(odd, 1u);
        barrier(); // v is there, and k of no more use
        bool more = tile + R < end;
        if (more)
            [[unroll]] for (uint i = 0u; i < TURNS; i++) {
                uint at = thread + i * THREADS;
                next[i] = k_eight(tile + R + at / EIGHTS, end, group, at % EIGHTS);
            }
        if (tile < own_end) {
            [[unroll]] for (uint n = 0u; n < STEPS; n++)
                [[unroll]] for (uint w = 0u; w < WIDTHS; w++) {
                    RIGHT value;
                    coopMatLoadNV(value, tiles, V_TILE + n * F * STRIDE + w * (E / 8u), STRIDE, false);
                    [[unroll]] for (uint r = 0u; r < Q; r++)
                        sums[r * WIDTHS + w] = coopMatMulAddNV(weight[r * STEPS + n], value, sums[r * WIDTHS + w]);
                }
        }
        if (more)
            [[unroll]] for (uint i = 0u; i < TURNS; i++) {
                uint at = thread + i * THREADS;
                if (NONE_OVER || at < R * EIGHTS) tiles[tile_place(at)] = next[i];
                next[i] = v_eight(tile + R + at / EIGHTS, end, group, at % EIGHTS);
            }
        barrier(); // k is there, and v of no more use
    }

    if (odd != 0u) {
        by_tokens(token, head, group, before, total, factor);
        return;
    }
    [[unroll]] for (uint r = 0u; r < Q; r++) {
        float shares[2];
        [[unroll]] for (uint h = 0u; h < 2u; h++) {
            float all = quad_sum(totals[2u * r + h]);
            shares[h] = all == 0.0 ? 0.0 : 1.0 / all;
        }
        [[unroll]] for (uint w = 0u; w < WIDTHS; w++)
            [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) sums[r * WIDTHS + w][e] *= shares[e / 4u];
    }
    uint part = gl_SubgroupID * PART;
    // A matrix at a time, so that what is fused behind results is there once.
    [[dont_unroll]] for (uint m = 0u; m < Q * WIDTHS; m++) {
        subgroupBarrier();
        [[unroll]] for (uint i = 0u; i < Q * WIDTHS; i++)
            if (i == m) coopMatStoreNV(sums[i], tiles, part, OUT_STRIDE, false);
        subgroupBarrier();
        [[dont_unroll]] for (uint i = gl_SubgroupInvocationID; i < C * E / 4u; i += Z) {
            uint t = own + m / WIDTHS * C + i / (E / 4u);
            vec4 means = uintBitsToFloat(tiles[part + i / (E / 4u) * OUT_STRIDE + i % (E / 4u)]);
            if (t < T) out_store_4((t * H + head) * D + m % WIDTHS * E + i % (E / 4u) * 4u, means);
        }
    }
}
