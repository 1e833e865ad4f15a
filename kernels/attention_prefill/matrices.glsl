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
// What a mask adds comes with a tile's k. Rows that it leaves out are zeros in v, and those at the ends
// are not read. Scores with a mask stay as they are, for no power of two has an exponent of -1e38 * LOG2E,
// and a mask of the least number must still weigh all rows alike.
//
// What cannot be done so (matrices that lie in another way, infinities or NaN in v, where a token that does
// not see them, or whose weight is too small for f16, would get 0 * NaN) is computed token by token.
//
// N: workgroups for the tokens of a sequence, Y sequences side by side; Z: invocations of a subgroup; F, I: both
// the depth of a matrix, so that the sides' types differ; M: 2 where scores are capped, or their factor is below
// 0, else 1.
//
// local: U * Z
// subgroup: Z
// grid: N, H, Y

// with: attention/tokens

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
#if ROWS_LEFT_OUT || MASK_BY_TOKEN
const float UNIT = LOG2E; // of scores, as a power of two
#else
const float UNIT = 1.0;
#endif
#if ROWS_LEFT_OUT
const uint MASK_TURNS = (R + THREADS - 1u) / THREADS;
#endif

shared uvec4 tiles[2u * V_TILE > OTHER ? 2u * V_TILE : OTHER]; // k, then v; queries on their way in, and results
shared uvec4 queries[KEPT == DEPTHS ? 1u : TOKENS * HELD_STRIDE];
shared uint odd; // 1: to be computed token by token
#if ROWS_LEFT_OUT
shared float masks[R];       // of the tile's rows
shared uint least, most_row; // the first row that counts, and the end of those that do
#endif

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

// Whether one of eight is no number: then its exponent and one more reach the sign's bit.
bool has_odd(uvec4 halves) {
    uvec4 up = (halves & 0x7c007c00u) + 0x04000400u;
    return ((up.x | up.y | up.z | up.w) & 0x80008000u) != 0u;
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
void by_tokens(uint token, uint head, float factor) {
    uint t = token + gl_LocalInvocationIndex;
    uint from = (first_token + t) * H + head;
    if (gl_LocalInvocationIndex >= TOKENS || t >= tokens) return;
    uint seen = seen_end(t);
    for (uint first = 0u; first < D; first += 4u) {
        float most = LOWEST, weights = 0.0;
        vec4 mean = vec4(0.0);
        for (uint row = seen_begin(t); row < seen; row++) {
            uint at = (place_of(row) * G + head / L) * D;
            float score = 0.0;
            for (uint d = 0u; d < D; d++) score = fma(q(from * D + d), k(at + d), score);
            score = softcap == 0.0 ? score * factor : attention_capped(score * factor, softcap);
            float more = 0.0;
#if ROWS_LEFT_OUT
            more = row_added(row);
#endif
#if MASK_BY_TOKEN
            if (more != attention_none()) more = score_added(t, head, row);
#endif
            if (more == attention_none()) continue;
            score += more;
            float high = max(most, score), keep = exp(most - high), weight = exp(score - high);
            weights = weights * keep + weight;
            mean *= keep;
            if (weight != 0.0) mean += weight * v_4(at + first);
            most = high;
        }
#if sinks_PRESENT
        vec2 sink = attention_sink(most, sinks(head));
        weights = weights == 0.0 ? 0.0 : weights * sink.x + sink.y;
        mean *= sink.x;
#endif
        out_store_4(from * D + first, weights == 0.0 ? vec4(0.0) : mean / weights);
    }
}

// Eight elements of a row, in whose place the head is `first` elements on; zeros from `end` on.
uvec4 k_eight(uint row, uint end, uint first, uint eight) {
    return row < end ? k_halves(first + place_of(row) * G * D + eight * 8u) : uvec4(0u);
}

uvec4 v_eight(uint row, uint end, uint first, uint eight) {
    return row < end ? v_halves(first + place_of(row) * G * D + eight * 8u) : uvec4(0u);
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

#if ROWS_LEFT_OUT
// What is added to the scores of a row, -inf past the end.
float mask_of(uint row, uint end) {
    return row < end ? row_added(row) : attention_none();
}

// Makes `least` and `most_row` known behind the next barrier.
void find_rows_that_count(uint begin, uint end) {
    uint low = end, high = 0u;
    for (uint row = begin + gl_LocalInvocationIndex; row < end; row += THREADS)
        if (mask_of(row, end) != attention_none()) {
            low = min(low, row);
            high = row + 1u;
        }
    for (uint k = Z / 2u; k > 0u; k /= 2u) {
        low = min(low, subgroupShuffleXor(low, k));
        high = max(high, subgroupShuffleXor(high, k));
    }
    if (gl_SubgroupInvocationID != 0u) return;
    atomicMin(least, low);
    atomicMax(most_row, high);
}
#endif

void main() {
    uint thread = gl_LocalInvocationIndex;
    uint head = gl_WorkGroupID.y;
    uint token;
    if (!find_tokens(N - 1u - gl_WorkGroupID.x, TOKENS, token)) return;
    find_rows();
    uint cache = head / L * D;                // where its head begins in a row
    uint own = token + gl_SubgroupID * Q * C; // the subgroup's first
    uint own_last = min(own + Q * C, tokens) - 1u;
    // Rows that some token of the workgroup sees, and of the subgroup; and that all of that see.
    uint begin = seen_begin(token) / R * R, end = seen_end(min(token + TOKENS, tokens) - 1u);
    uint own_end = seen_end(own_last);
    uint own_all_begin = seen_begin(own_last), own_all_see = seen_end(min(own, tokens - 1u));
    float factor = scale == 0.0 ? 1.0 / sqrt(float(D)) : scale;

#if ROWS_LEFT_OUT
    if (thread == 0u) {
        least = end;
        most_row = 0u;
    }
#endif
    if (thread == 0u) odd = 0u;
    barrier();
#if ROWS_LEFT_OUT
    find_rows_that_count(begin, end);
#endif
    if (!lies_as_expected()) atomicOr(odd, 1u);
    barrier(); // it used the tiles
    for (uint i = thread; i < TOKENS * EIGHTS; i += THREADS) {
        uint row = i / EIGHTS, eight = i % EIGHTS, t = token + row;
        uvec4 halves = t < tokens ? q_halves(((first_token + t) * H + head) * D + eight * 8u) : uvec4(0u);
        if (eight < KEPT_EIGHTS) tiles[row * KEPT_STRIDE + eight] = halves;
        else queries[row * HELD_STRIDE + eight - KEPT_EIGHTS] = halves;
    }
    barrier();
    LEFT kept[KEPT == 0u ? 1u : Q * KEPT];
    [[unroll]] for (uint i = 0u; i < Q * KEPT; i++) {
        uint row = (gl_SubgroupID * Q + i / KEPT) * C;
        coopMatLoadNV(kept[i], tiles, row * KEPT_STRIDE + i % KEPT * (F / 8u), KEPT_STRIDE, false);
    }
#if ROWS_LEFT_OUT
    begin = least / R * R;
    end = most_row;
    own_end = min(own_end, end);
#endif
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
        if (NONE_OVER || at < R * EIGHTS) tiles[tile_place(at)] = k_eight(begin + at / EIGHTS, end, cache, at % EIGHTS);
        next[i] = v_eight(begin + at / EIGHTS, end, cache, at % EIGHTS);
    }
#if ROWS_LEFT_OUT
    float next_mask[MASK_TURNS];
    [[unroll]] for (uint i = 0u; i < MASK_TURNS; i++)
        if (thread + i * THREADS < R) masks[thread + i * THREADS] = mask_of(begin + thread + i * THREADS, end);
#endif
    barrier();
    for (uint tile = begin; tile < end; tile += R) {
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
            float slope = factor;
            if (M == 2u) {
                [[unroll]] for (uint i = 0u; i < Q * KEYS; i++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
                        score[i][e] = softcap == 0.0 ? -score[i][e] : attention_capped(score[i][e] * factor, softcap);
                slope = softcap == 0.0 ? -factor : 1.0;
            }
            // Exponents are powers of two: scores times `steep`, which is not negative, and UNIT.
#if ROWS_LEFT_OUT || MASK_BY_TOKEN
            const float steep = 1.0;
            [[unroll]] for (uint n = 0u; n < KEYS; n++)
                [[unroll]] for (uint e = 0u; e < ELEMENTS / 2u; e++) {
#if ROWS_LEFT_OUT
                    float row_more = masks[n * E + column_of(e)];
#else
                    float row_more = 0.0;
#endif
                    [[unroll]] for (uint i = 0u; i < 2u * Q; i++) {
                        uint m = i / 2u * KEYS + n, place = e + i % 2u * (ELEMENTS / 2u);
                        float more = row_more;
#if MASK_BY_TOKEN
                        uint t = min(own + i / 2u * C + row_of(place), tokens - 1u);
                        if (more != attention_none())
                            more = score_added(t, head, min(tile + n * E + column_of(e), end - 1u));
#endif
                        float sum = fma(score[m][place], slope, more);
                        score[m][place] = more == attention_none() ? attention_none() : sum;
                    }
                }
#else
            float steep = slope * LOG2E;
#endif
            if (tile + R > own_all_see || tile < own_all_begin)
                [[unroll]] for (uint r = 0u; r < Q; r++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) {
                        uint t = own + r * C + row_of(e), from = seen_begin(t), seen = seen_end(t);
                        [[unroll]] for (uint n = 0u; n < KEYS; n++) {
                            uint row = tile + n * E + column_of(e);
                            if (row < from || row >= seen) score[r * KEYS + n][e] = attention_none();
                        }
                    }
            [[unroll]] for (uint r = 0u; r < Q; r++) {
                float high[2] = float[2](LOWEST, LOWEST);
                [[unroll]] for (uint n = 0u; n < KEYS; n++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++)
                        high[e / 4u] = max(high[e / 4u], score[r * KEYS + n][e]);
                bool rises = false;
                [[unroll]] for (uint h = 0u; h < 2u; h++) {
                    high[h] = max(quad_max(high[h]) * steep, LOWEST);
                    rises = rises || high[h] > most[2u * r + h] + SLACK / UNIT;
                }
                if (subgroupAny(rises)) {
                    float keep[2];
                    [[unroll]] for (uint h = 0u; h < 2u; h++) {
                        float now = max(high[h], most[2u * r + h]);
                        keep[h] = exp2((most[2u * r + h] - now) * UNIT);
                        totals[2u * r + h] *= keep[h];
                        most[2u * r + h] = now;
                    }
                    [[unroll]] for (uint w = 0u; w < WIDTHS; w++)
                        [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) sums[r * WIDTHS + w][e] *= keep[e / 4u];
                }
                [[unroll]] for (uint n = 0u; n < KEYS; n++)
                    [[unroll]] for (uint e = 0u; e < ELEMENTS; e++) {
#if ROWS_LEFT_OUT || MASK_BY_TOKEN
                        float x = exp2((score[r * KEYS + n][e] - most[2u * r + e / 4u]) * UNIT);
#else
                        float x = exp2(fma(score[r * KEYS + n][e], steep, -most[2u * r + e / 4u]));
#endif
                        totals[2u * r + e / 4u] += x;
                        weight[r * STEPS + n][e] = float16_t(x);
                    }
            }
        }
        bool found = false;
        [[unroll]] for (uint i = 0u; i < TURNS; i++) {
            uint at = thread + i * THREADS;
#if ROWS_LEFT_OUT
            if (masks[min(at / EIGHTS, R - 1u)] == attention_none()) next[i] = uvec4(0u);
#endif
            if (NONE_OVER || at < R * EIGHTS) tiles[V_TILE + tile_place(at)] = next[i];
            found = found || has_odd(next[i]);
        }
        if (found) atomicOr(odd, 1u);
        barrier(); // v is there, and k of no more use
        bool more = tile + R < end;
        if (more)
            [[unroll]] for (uint i = 0u; i < TURNS; i++) {
                uint at = thread + i * THREADS;
                next[i] = k_eight(tile + R + at / EIGHTS, end, cache, at % EIGHTS);
            }
#if ROWS_LEFT_OUT
        [[unroll]] for (uint i = 0u; i < MASK_TURNS; i++)
            next_mask[i] = mask_of(tile + R + thread + i * THREADS, end);
#endif
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
                next[i] = v_eight(tile + R + at / EIGHTS, end, cache, at % EIGHTS);
            }
#if ROWS_LEFT_OUT
        [[unroll]] for (uint i = 0u; i < MASK_TURNS; i++)
            if (thread + i * THREADS < R) masks[thread + i * THREADS] = next_mask[i];
#endif
        barrier(); // k is there, and v of no more use
    }

    if (odd != 0u) {
        by_tokens(token, head, factor);
        return;
    }
    [[unroll]] for (uint r = 0u; r < Q; r++) {
        float shares[2];
        [[unroll]] for (uint h = 0u; h < 2u; h++) {
            float all = quad_sum(totals[2u * r + h]), keep = 1.0;
#if sinks_PRESENT
            float sink = sinks(head) * (LOG2E / UNIT), high = max(most[2u * r + h], sink);
            keep = exp2((most[2u * r + h] - high) * UNIT);
            all = all == 0.0 ? 0.0 : all * keep + exp2((sink - high) * UNIT);
#endif
            shares[h] = all == 0.0 ? 0.0 : keep / all;
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
            if (t < tokens) out_store_4(((first_token + t) * H + head) * D + m % WIDTHS * E + i % (E / 4u) * 4u, means);
        }
    }
}
