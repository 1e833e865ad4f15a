// Attention of many tokens with scores and sums in registers, and an online softmax. Teams of eight
// neighbours in a subgroup have U tokens each; P teams are a workgroup, and share what it loads of the
// cache, 32 rows at a time. A thread has the scores of its team's tokens with four of these rows, and sums
// of four columns in every 32.
//
// k and v come through shared memory in pieces, k as 32 elements of 32 rows, v as R whole rows. There are
// two places for pieces: while one is used, the next is on its way into registers, and goes to the other.
// Between two barriers nobody writes where others read. In shared memory the elements of all queries, or
// rows of k, lie next to each other, so that a thread reads four at once; some room behind each four
// elements lets neighbours write to different banks.
//
// Weights go through shared memory within a team, where what takes part in no other row lies as the threads
// have it. Sums are kept relative to the greatest score so far, and scaled down when it rises.
//
// Rows that a mask leaves out have no weight, and their v is not read: a NaN there must not matter. Nor may
// one in a row that only some tokens see, so as soon as v has infinities or NaN, what has no weight is not
// multiplied at all.
//
// C: elements of a head, and zeros up to a whole number of pieces; N: workgroups for the tokens of a sequence,
// Y sequences side by side.
//
// local: 8 * P
// grid: N, H, Y
// order: kept

// with: attention/tokens

const uint LANES = 8u;
const uint KEYS = 32u; // rows of the cache in a tile
const uint QUADS = 8u; // fours of elements in a piece of k
const uint THREADS = P * LANES;
const uint TOKENS = P * U;
const uint FOURS = C / 4u;
const uint COLUMNS = C / 32u;    // fours of a thread's columns
const uint LINE = TOKENS / 4u;   // one element of all queries, in vec4
const uint QUERY_QUAD = TOKENS + 1u;
const uint KEY_LINE = KEYS / 4u;
const uint KEY_QUAD = KEYS + 1u;
const uint PIECE = QUADS * KEY_QUAD;
const uint LOADS = (KEYS * QUADS + THREADS - 1u) / THREADS;
const uint K_PIECES = C / 32u;
const uint V_PIECES = KEYS / R;
const uint TEAM = KEYS * U / 4u + 2u; // a team's weights
const uint TALL = U % 4u == 0u ? 4u : U;
const float LOWEST = -3.4028235e38;

shared vec4 queries[FOURS * QUERY_QUAD]; // and the results, by rows
shared vec4 pieces[2u * PIECE];
shared vec4 weights[P * TEAM];
shared uint odd; // 1: v has infinities or NaN

uint thread, lane, team, head, group;
uint end; // of the rows that some token sees, and the mask does not leave out
vec4 next[LOADS];
float next_mask[LOADS]; // of the rows of v
vec4 scores[U]; // by token, four rows
vec4 sums[U * COLUMNS];

void fence() {
    subgroupBarrier();
}

bool is_odd(vec4 value) {
    uvec4 bits = floatBitsToUint(value) & 0x7f800000u;
    return any(equal(bits, uvec4(0x7f800000u)));
}

// ---- From memory: four elements, zeros past the end of a head ----
//
// Tokens and rows past the end are the last ones: that costs less than a branch, and nobody sees them.

vec4 q_quad(uint token, uint d) {
    uint at = ((first_token + min(token, tokens - 1u)) * H + head) * D;
    if (D % 32u != 0u && d >= D) return vec4(0.0);
    if (D % 4u == 0u) return q_4(at + d);
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = q(at + d + i);
    return r;
}

vec4 k_quad(uint row, uint d) {
    uint at = (place_of(min(row, end - 1u)) * G + group) * D;
    if (D % 32u != 0u && d >= D) return vec4(0.0);
    if (D % 4u == 0u) return k_4(at + d);
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = k(at + d + i);
    return r;
}

vec4 v_quad(uint row, uint d) {
    uint at = (place_of(min(row, end - 1u)) * G + group) * D;
    if (D % 32u != 0u && d >= D) return vec4(0.0);
    if (D % 4u == 0u) return v_4(at + d);
    vec4 r = vec4(0.0);
    for (uint i = 0u; i < 4u && d + i < D; i++) r[i] = v(at + d + i);
    return r;
}

// What is added to the scores of a row, -inf past the end.
float mask_of(uint row) {
    if (row >= end) return attention_none();
#if ROWS_LEFT_OUT
    return row_added(row);
#else
    return 0.0;
#endif
}

void fetch_k(uint tile, uint piece) {
    [[unroll]] for (uint i = 0u; i < LOADS; i++) {
        uint n = thread + i * THREADS;
        next[i] = k_quad(tile + n / QUADS, (piece * QUADS + n % QUADS) * 4u);
    }
}

void fetch_v(uint tile, uint piece) {
    [[unroll]] for (uint i = 0u; i < LOADS; i++) {
        uint n = thread + i * THREADS, row = tile + piece * R + n / FOURS;
        next[i] = v_quad(row, n % FOURS * 4u);
        next_mask[i] = mask_of(row);
    }
}

// ---- To shared memory ----

void stash_queries(uint token) {
    for (uint n = thread; n < TOKENS * FOURS; n += THREADS) {
        uint row = n / FOURS, quad = n % FOURS;
        vec4 four = q_quad(token + row, quad * 4u);
        [[unroll]] for (uint i = 0u; i < 4u; i++)
            queries[quad * QUERY_QUAD + i * LINE + row / 4u][row % 4u] = four[i];
    }
}

void stash_k(uint half_) {
    [[unroll]] for (uint i = 0u; i < LOADS; i++) {
        uint n = thread + i * THREADS, row = n / QUADS;
        if (KEYS * QUADS % THREADS != 0u && n >= KEYS * QUADS) continue;
        uint at = half_ * PIECE + n % QUADS * KEY_QUAD + row / 4u;
        [[unroll]] for (uint d = 0u; d < 4u; d++) pieces[at + d * KEY_LINE][row % 4u] = next[i][d];
    }
}

void stash_v(uint half_) {
    bool found = false;
    [[unroll]] for (uint i = 0u; i < LOADS; i++) {
        uint n = thread + i * THREADS;
        if (R * FOURS % THREADS != 0u && n >= R * FOURS) continue;
        vec4 row = next_mask[i] == attention_none() ? vec4(0.0) : next[i];
        pieces[half_ * PIECE + n] = row;
        found = found || is_odd(row);
    }
    if (found) odd = 1u;
}

// ---- Arithmetic ----

// Four values, or two, from place `at` on, of an array that has so many next to each other.
vec4 of_queries(uint at) {
    if (TALL == 4u) return queries[at / 4u];
    vec4 four = queries[at / 4u];
    return at % 4u == 0u ? four : four.zwxy;
}

vec4 of_weights(uint at) {
    if (TALL == 4u) return weights[at / 4u];
    vec4 four = weights[at / 4u];
    return at % 4u == 0u ? four : four.zwxy;
}

void multiply_k(uint half_, uint piece) {
    for (uint quad = 0u; quad < QUADS; quad++)
        [[unroll]] for (uint i = 0u; i < 4u; i++) {
            vec4 rows = pieces[half_ * PIECE + quad * KEY_QUAD + i * KEY_LINE + lane];
            uint line = (piece * QUADS + quad) * QUERY_QUAD + i * LINE;
            [[unroll]] for (uint c = 0u; c < U / TALL; c++) {
                vec4 four = of_queries(line * 4u + team * U + c * 4u);
                [[unroll]] for (uint t = 0u; t < TALL; t++)
                    scores[c * TALL + t] = fma(vec4(four[t]), rows, scores[c * TALL + t]);
            }
        }
}

// Weights lie as thread after thread has them, one of its rows after the other.
uint weights_of(uint row) {
    return team * TEAM * 4u + (row % 4u * LANES + row / 4u) * U;
}

void multiply_v(uint half_, uint piece) {
    for (uint first = 0u; first < R; first += 4u)
        [[unroll]] for (uint i = 0u; i < 4u; i++) {
            uint from = weights_of(piece * R + first + i);
            vec4 columns[COLUMNS];
            [[unroll]] for (uint c = 0u; c < COLUMNS; c++)
                columns[c] = pieces[half_ * PIECE + (first + i) * FOURS + c * LANES + lane];
            [[unroll]] for (uint r = 0u; r < U / TALL; r++) {
                vec4 four = of_weights(from + r * 4u);
                [[unroll]] for (uint t = 0u; t < TALL; t++)
                    [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
                        uint at = (r * TALL + t) * COLUMNS + c;
                        sums[at] = fma(vec4(four[t]), columns[c], sums[at]);
                    }
            }
        }
}

void multiply_odd_v(uint half_, uint piece) {
    [[dont_unroll]] for (uint n = 0u; n < R; n++) {
        uint from = weights_of(piece * R + n);
        [[unroll]] for (uint t = 0u; t < U; t++) {
            float weight = weights[(from + t) / 4u][(from + t) % 4u];
            [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
                vec4 column = pieces[half_ * PIECE + n * FOURS + c * LANES + lane];
                vec4 more = fma(vec4(weight), column, sums[t * COLUMNS + c]);
                if (weight != 0.0) sums[t * COLUMNS + c] = more;
            }
        }
    }
}

float team_max(float x) {
    x = max(x, subgroupShuffleXor(x, 1u));
    x = max(x, subgroupShuffleXor(x, 2u));
    return max(x, subgroupShuffleXor(x, 4u));
}

float team_sum(float x) {
    precise float sum = x + subgroupShuffleXor(x, 1u);
    sum = sum + subgroupShuffleXor(sum, 2u);
    sum = sum + subgroupShuffleXor(sum, 4u);
    return sum;
}

// Scores become what the definition says, -inf where a token does not see a row.
void finish_scores(uint tile, uint token, float factor) {
    vec4 more;
#if MASK_BY_TOKEN
    // A team's part of the mask comes through the place of its weights.
    [[dont_unroll]] for (uint n = lane; n < U * KEYS; n += LANES) {
        uint row = tile + n % KEYS, to = weights_of(n % KEYS) + n / KEYS;
        bool counts = mask_of(row) != attention_none();
        weights[to / 4u][to % 4u] = counts ? score_added(token + n / KEYS, head, row) : attention_none();
    }
    subgroupBarrier();
#else
    [[unroll]] for (uint i = 0u; i < 4u; i++) more[i] = mask_of(tile + lane * 4u + i);
#endif
    [[unroll]] for (uint t = 0u; t < U; t++) scores[t] *= factor;
    if (softcap != 0.0)
        [[unroll]] for (uint t = 0u; t < U; t++)
            [[unroll]] for (uint i = 0u; i < 4u; i++) scores[t][i] = attention_capped(scores[t][i], softcap);
    [[unroll]] for (uint t = 0u; t < U; t++) {
        uint from = seen_begin(token + t), seen = seen_end(token + t);
        [[unroll]] for (uint i = 0u; i < 4u; i++) {
            uint row = tile + lane * 4u + i;
#if MASK_BY_TOKEN
            uint at = weights_of(lane * 4u + i) + t;
            more[i] = weights[at / 4u][at % 4u];
#endif
            bool sees = more[i] != attention_none() && row >= from && row < seen;
            scores[t][i] = sees ? scores[t][i] + more[i] : attention_none();
        }
    }
}

void main() {
    thread = gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID;
    lane = thread % LANES;
    team = thread / LANES;
    head = gl_WorkGroupID.y;
    group = head / L;
    uint token; // the workgroup's first; those with most to do come first
    if (!find_tokens(N - 1u - gl_WorkGroupID.x, TOKENS, token)) return;
    find_rows();
    end = seen_end(min(token + TOKENS, tokens) - 1u);
    uint begin = seen_begin(token) / KEYS * KEYS;
    if (thread == 0u) odd = 0u;
    stash_queries(token);
#if ROWS_LEFT_OUT
    // From the first row that counts to the last one: each subgroup finds them for itself.
    uint least = end, most_row = 0u;
    for (uint row = begin + gl_SubgroupInvocationID; row < end; row += gl_SubgroupSize)
        if (row_added(row) != attention_none()) {
            least = min(least, row);
            most_row = row + 1u;
        }
    for (uint k = gl_SubgroupSize / 2u; k > 0u; k /= 2u) {
        least = min(least, subgroupShuffleXor(least, k));
        most_row = max(most_row, subgroupShuffleXor(most_row, k));
    }
    begin = least / KEYS * KEYS;
    end = most_row;
#endif
    if (begin < end) fetch_k(begin, 0u);

    float factor = scale == 0.0 ? 1.0 / sqrt(float(D)) : scale;
    float most[U];
    precise float totals[U];
    [[unroll]] for (uint t = 0u; t < U; t++) {
        most[t] = LOWEST;
        totals[t] = 0.0;
    }
    [[unroll]] for (uint i = 0u; i < U * COLUMNS; i++) sums[i] = vec4(0.0);

    uint half_ = 0u;
    for (uint tile = begin; tile < end; tile += KEYS) {
        [[unroll]] for (uint t = 0u; t < U; t++) scores[t] = vec4(0.0);
        for (uint piece = 0u; piece < K_PIECES; piece++) {
            stash_k(half_);
            barrier(); // the first time, the queries are there, too
            if (piece + 1u < K_PIECES) fetch_k(tile, piece + 1u);
            else fetch_v(tile, 0u);
            fence();
            multiply_k(half_, piece);
            fence();
            half_ ^= 1u;
        }
        finish_scores(tile, token + team * U, factor);
        [[unroll]] for (uint t = 0u; t < U; t++) {
            float high = max(max(scores[t].x, scores[t].y), max(scores[t].z, scores[t].w));
            high = max(most[t], team_max(high));
            float keep = attention_weight(most[t], high);
            most[t] = high;
            [[unroll]] for (uint i = 0u; i < 4u; i++) scores[t][i] = attention_weight(scores[t][i], high);
            totals[t] = totals[t] * keep + ((scores[t].x + scores[t].y) + (scores[t].z + scores[t].w));
            [[unroll]] for (uint c = 0u; c < COLUMNS; c++) sums[t * COLUMNS + c] *= keep;
        }
        subgroupBarrier(); // the last weights are read
        [[unroll]] for (uint i = 0u; i < 4u; i++) {
            uint to = weights_of(lane * 4u + i);
            [[unroll]] for (uint t = 0u; t < U; t++)
                if (TALL != 4u) weights[(to + t) / 4u][(to + t) % 4u] = scores[t][i];
                else if (t % 4u == 0u)
                    weights[(to + t) / 4u] = vec4(scores[t][i], scores[(t + 1u) % U][i],
                                                  scores[(t + 2u) % U][i], scores[(t + 3u) % U][i]);
        }
        subgroupBarrier();
        for (uint piece = 0u; piece < V_PIECES; piece++) {
            stash_v(half_);
            barrier();
            if (piece + 1u < V_PIECES) fetch_v(tile, piece + 1u);
            else if (tile + KEYS < end) fetch_k(tile + KEYS, 0u);
            fence();
            if (odd == 0u) multiply_v(half_, piece);
            else multiply_odd_v(half_, piece);
            fence();
            half_ ^= 1u;
        }
    }

    // Through shared memory, so that what is fused behind results is in the text once.
    barrier();
    [[unroll]] for (uint t = 0u; t < U; t++) {
        float all = team_sum(totals[t]);
#if sinks_PRESENT
        vec2 sink = attention_sink(most[t], sinks(head));
        all = all == 0.0 ? 0.0 : all * sink.x + sink.y;
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) sums[t * COLUMNS + c] *= sink.x;
#endif
        float share = all == 0.0 ? 0.0 : f_quotient(1.0, all);
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++)
            queries[(team * U + t) * FOURS + c * LANES + lane] =
                all == 0.0 ? vec4(0.0) : sums[t * COLUMNS + c] * share;
    }
    barrier();
    [[dont_unroll]] for (uint n = thread; n < TOKENS * FOURS; n += THREADS) {
        uint row = token + n / FOURS, d = n % FOURS * 4u;
        if (row >= tokens || d >= D) continue;
        uint to = ((first_token + row) * H + head) * D + d;
        if (D % 4u == 0u) out_store_4(to, queries[n]);
        else for (uint i = 0u; i < 4u && d + i < D; i++) out_store(to + i, queries[n][i]);
    }
}
