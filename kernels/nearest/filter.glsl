// What the ways of searching a base share that filter by products of f16: bounds, queries, lists.
//
// Products say which rows cannot be among the nearest, with a bound of their error; the distances of what is left
// are computed as the metric's op does, to the bit. Products of f16 are many times faster than differences and a
// thousand times coarser; still few rows are within their error of the K-th.
//
// With |a| and |b| the lengths of query and row, and both scaled by powers of two so that f16 has them,
// a product is off by no more than share |b| + |a| FLUSHED:
//   share    what rounding the query to f16 takes away, which is measured, + |a| (HALF + D 2^-22)
//   HALF     2^-11 where the device rounds to the nearest f16, which is asked, else 2^-10
//   D 2^-22  twice what sums of 16 products may lose that are cut off behind 23 bits
//   FLUSHED  elements of b that are too small for f16
// The filter value f of row b for query a, ERROR being what sums of f32 can be off by:
//   l2      |b|^2 (1 - ERROR) - 2ab - 2 share |b|   distance <= t needs f <= t (1 + 2 ERROR)
//                                                     - |a|^2 (1 - 2 ERROR) + 2 |a| FLUSHED
//   dot     -ab - share |b|                         product >= t needs f <= -t + |a| FLUSHED
//   cosine  -ab / |b|                               distance <= t needs f <= |a| (t - 1 + 4 ERROR) + share
// The other way round, rows up to f are no further away than what bound_behind(f) is the bound of. Rows
// and queries out of the range for which this holds, infinities and NaN among them, are `odd`: no f is of use there.
//
// In front of this stand
//   PADDED              elements that a query has with what fills it up
//   move_query(x, d)    elements d to d + 3 of a query as products have them
//   keep_query(g, d, h) takes those of query g of the workgroup, scaled, as f16; zeros from D on
const uint L2 = 0u, COSINE = 1u, DOT = 2u;
const uint LANES = T / G < Z ? T / G : Z;         // that measure a query together
const uint EACH = (C + Z - 1u) / Z;               // entries of a list that an invocation has
const uint SHARES = (PADDED / 4u + LANES - 1u) / LANES, KEPT = SHARES < 8u ? SHARES : 8u; // of a query, four elements
const uint AHEAD = D <= 128u ? D / 4u : 16u;       // elements that are asked for at once, for an exact distance
#define ERROR (float(2u * D + 64u) * 5.9604645e-8)
const float LARGE = 1e36, TINY = 1e-20;           // the range of squared lengths
#define LOST (sqrt(float(D)) * 1.1e-19)            // of a query, scaled, where squares are flushed
const float INFINITE = 3e38;                      // a bound that every f is below, but that of a row left out

shared float query_squares[G];
shared float query_shares[G];
shared float bounds[G];                           // of f
shared uint counts[G];                            // entries of a list; more than C: some found no place
shared uvec2 lists[G * C];                        // f, row; at the end key, row
shared uint odd[(G + 31u) / 32u];                 // queries that are out of range
shared uint starts[G + 1u];                       // of lists, were they one behind the other
shared uint largest_query, largest_element, longest; // bits of floats

uint thread, lane, quad, quad_lane; // of the workgroup and the subgroup; the group of four there, and in it
vec4 shares[KEPT];                  // of the query that an invocation measures
float query_scale, row_scale, unscale, flushed, half_error;

void begin_filter() {
    lane = gl_SubgroupInvocationID;
    thread = gl_SubgroupID * gl_SubgroupSize + lane;
    quad = lane / 4u;
    quad_lane = lane % 4u;
    for (uint i = thread; i < (G + 31u) / 32u; i += T) odd[i] = 0u;
    if (thread == 0u) largest_query = largest_element = longest = 0u;
}

// ---- The op's arithmetic, as stream.glsl has it: four neighbours have a pair, each one of its four sums

float four_sums(float sum) {
    precise float two = sum + subgroupShuffleXor(sum, 1u);
    precise float four = two + subgroupShuffleXor(two, 2u);
    return four;
}

// The key of the distance of a query and a row; the same in all four. By all invocations of a subgroup.
uint exact_key(uint query, uint row) {
    uint a = query * D + quad_lane, b = row * D + quad_lane;
    float sum = 0.0, left = 0.0, right = 0.0;
    [[dont_unroll]] for (uint d = 0u; d < D; d += 4u * AHEAD) {
        float x[AHEAD], y[AHEAD];
        [[unroll]] for (uint h = 0u; h < AHEAD; h++) {
            uint at = min(d + 4u * h, D - 4u);
            x[h] = queries(a + at);
            y[h] = base(b + at);
        }
        [[unroll]] for (uint h = 0u; h < AHEAD; h++) {
            if (d + 4u * h >= D) break;
            precise float delta = x[h] - y[h];
            if (metric == L2) sum = fma(delta, delta, sum);
            else sum = fma(x[h], y[h], sum);
            if (metric == COSINE) {
                left = fma(x[h], x[h], left);
                right = fma(y[h], y[h], right);
            }
        }
    }
    float distance = four_sums(sum);
    if (metric == COSINE) distance = nearest_cosine(distance, four_sums(left), four_sums(right));
    return select_key(distance, metric == DOT);
}

bool is_open(uint row, uint end) {
    bool open = row < end;
#if excluded_PRESENT
    if (open) open = (excluded(row / 32u) >> row % 32u & 1u) == 0u;
#endif
    return open;
}

// ---- Bounds of f

bool is_odd(uint g) {
    return (odd[g / 32u] >> g % 32u & 1u) != 0u;
}

// For rows that are not behind one with this key. Of an odd query f is made of keys.
float bound_of(uint g, uint key) {
    if (is_odd(g)) return float(key >> 8u);
    if (key >= 0xfffffffeu) return INFINITE;
    float t = select_float(key, 0u, metric == DOT), square = query_squares[g], size = sqrt(square);
    float bound = fma(size, flushed, -t);
    if (metric == L2)
        bound = fma(t, 1.0 + 2.0 * ERROR, fma(square, -1.0 + 2.0 * ERROR, fma(size, 2.0 * flushed, 1e-30)));
    if (metric == COSINE) bound = fma(size, t - 1.0 + 4.0 * ERROR, query_shares[g]);
    return bound < INFINITE ? bound : INFINITE;
}

// For rows that are not behind one with this f.
float bound_behind(uint g, float f) {
    if (is_odd(g)) return f;
    float square = query_squares[g], size = sqrt(square), share = query_shares[g], most = uintBitsToFloat(longest);
    float bound = f + 2.0 * share * most + 3.0 * size * (flushed + ERROR * most) + 1e-30;
    if (metric == L2) {
        // From |b|^2 - 2 (|a| + 2 share) |b| - 2 |a| FLUSHED <= f.
        float apart = max(f + square, 0.0);
        most = min(most, 1.1 * (size + 2.0 * share +
                                sqrt(apart + 4.0 * share * (size + share) + 2.0 * size * flushed)));
        bound = f + 4.0 * share * most + 6.0 * size * flushed + 1e-30;
        bound += ERROR * (2.0 * most * most + 3.0 * (apart + square));
    }
    if (metric == COSINE) bound = f + 3.0 * share + 8.0 * ERROR * size;
    return bound < INFINITE ? bound : INFINITE;
}

// ---- Queries and rows

uvec2 to_halves(vec4 x) {
    return uvec2(packHalf2x16(x.xy), packHalf2x16(x.zw));
}

float add_square(vec4 x, float square) {
    return fma(x.x, x.x, fma(x.y, x.y, fma(x.z, x.z, fma(x.w, x.w, square))));
}

// Bits of the largest element, and of `most`, that is no infinity.
uint larger(vec4 x, uint most) {
    [[unroll]] for (uint e = 0u; e < 4u; e++)
        if (abs(x[e]) < 1e18) most = max(most, floatBitsToUint(abs(x[e])));
    return most;
}

// Told by what 1 and three quarters, or one quarter, of an f16's last place become.
bool rounds_to_nearest() {
    uint bits = packHalf2x16(vec2(f_hidden(1.000732421875), f_hidden(1.000244140625)));
    return bits == 0x3c003c01u;
}

// A power of two that takes `bits` to below 2^13, for all lengths in range; of what is shorter elements are flushed.
float scale_of(uint bits) {
    int exponent = clamp(int(bits >> 23u) - 127, -36, 60);
    return uintBitsToFloat(uint(127 + 12 - exponent) << 23u);
}

// Elements of an invocation's n-th share of a query.
uint share_at(uint n) {
    return 4u * (thread % LANES + LANES * n);
}

// Asks for shares from `first` on.
void load_shares(uint first_query, uint first) {
    uint query = min(first_query + min(thread / LANES, G - 1u), Q - 1u);
    [[unroll]] for (uint n = 0u; n < KEPT; n++) shares[n] = queries_4(query * D + min(share_at(first + n), D - 4u));
}

// Sums up what they are as products have them. A query that there is not is zeros, which pass no bound.
float measure_shares(uint first_query, uint first, float square) {
    bool used = thread / LANES < G && first_query + thread / LANES < Q;
    [[unroll]] for (uint n = 0u; n < KEPT; n++) {
        uint d = share_at(first + n);
        shares[n] = used && d < D ? move_query(shares[n], d) : vec4(0.0);
        square = add_square(shares[n], square);
    }
    return square;
}

// Scales, and what is known of each query. `most` is what `larger` says of some rows. load_shares(first_query, 0) came
// before. By all.
void measure_queries(uint first_query, uint most) {
    uint g = thread / LANES;
    bool is_first = thread % LANES == 0u && g < G;
    half_error = rounds_to_nearest() ? 4.8828125e-4 : 9.765625e-4;
    most = subgroupMax(most);
    if (subgroupElect()) atomicMax(largest_element, most);
    float square = measure_shares(first_query, 0u, 0.0), lost = 0.0;
    [[dont_unroll]] for (uint first = KEPT; first < SHARES; first += KEPT) {
        load_shares(first_query, first);
        square = measure_shares(first_query, first, square);
    }
    [[unroll]] for (uint m = 1u; m < LANES; m *= 2u) square += subgroupShuffleXor(square, m);
    if (is_first) {
        bool used = first_query + g < Q;
        bool good = square < LARGE && (square > TINY || (metric == L2 && square == 0.0));
        query_squares[g] = square;
        counts[g] = 0u;
        bounds[g] = used ? INFINITE : uintBitsToFloat(0xff800000u);
        if (used && !good) atomicOr(odd[g / 32u], 1u << g % 32u);
        if (good) atomicMax(largest_query, floatBitsToUint(sqrt(square)));
    }
    barrier();
    query_scale = scale_of(largest_query);
    row_scale = scale_of(floatBitsToUint(uintBitsToFloat(largest_element) * sqrt(float(D))));
    if (largest_element == 0u) row_scale = query_scale;
    unscale = 1.0 / query_scale / row_scale;
    flushed = 1.01 * sqrt(float(D)) * 6.1035156e-5 / row_scale;
    [[dont_unroll]] for (uint first = 0u; first < SHARES; first += KEPT) {
        if (SHARES > KEPT) {
            load_shares(first_query, first);
            measure_shares(first_query, first, 0.0);
        }
        [[unroll]] for (uint n = 0u; n < KEPT; n++) {
            vec4 x = shares[n] * query_scale;
            uvec2 halves = to_halves(x);
            vec4 rounded = vec4(unpackHalf2x16(halves.x), unpackHalf2x16(halves.y));
            rounded *= vec4(greaterThanEqual(abs(rounded), vec4(6.1035156e-5))); // less may be taken for zero
            lost = add_square(x - rounded, lost);
            if (g < G && share_at(first + n) < PADDED) keep_query(g, share_at(first + n), halves);
        }
    }
    [[unroll]] for (uint m = 1u; m < LANES; m *= 2u) lost += subgroupShuffleXor(lost, m);
    if (is_first) {
        float size = sqrt(square), each = half_error + float(D) * 2.3841858e-7;
        if (metric == COSINE) each += 1.5258789e-5;
        query_shares[g] = 1.003 * ((sqrt(lost) + LOST) / query_scale + size * each);
    }
}

// What is known of a row from its squared length.
struct Row {
    float add, scale; // f of a product p is p scale + add for cosine, else add + p - share scale
    bool is_good;     // it is in range
};

Row measure_row(float square) {
    Row row;
    row.scale = sqrt(square) * (1.0 + ERROR);
    row.add = metric == L2 ? square * (1.0 - ERROR) : 0.0;
    row.is_good = square < LARGE && square * row_scale * row_scale < 2e9 && (square == 0.0 || square > TINY);
    if (metric == COSINE) {
        row.is_good = row.is_good && (square == 0.0 || row.scale > flushed * 65536.0);
        row.scale = square > 0.0 ? inversesqrt(square) : 0.0;
    }
    return row;
}

// ---- Lists

void meet_subgroup() {
    subgroupMemoryBarrierShared();
    subgroupBarrier();
}

// How many of a list's entries are in front of one by their f, or by their place where that is the same.
uint rank_of(uint g, uint count, float f, uint at) {
    uint rank = 0u;
    for (uint n = 0u; n < count; n++) {
        float other = uintBitsToFloat(lists[g * C + n].x);
        rank += uint(other < f || (other == f && n < at));
    }
    return rank;
}

// A list loses what cannot be among the first K, which lowers the bound. It has K entries at least. By a subgroup.
void prune_list(uint g) {
    uint count = min(counts[g], C), kept = 0u;
    uvec2 own[EACH];
    float bound = 0.0;
    [[unroll]] for (uint i = 0u; i < EACH; i++) {
        uint at = lane + i * Z;
        own[i] = lists[g * C + min(at, count - 1u)];
        float f = uintBitsToFloat(own[i].x);
        uint rank = rank_of(g, count, f, at);
        uvec4 who = subgroupBallot(at < count && rank == K - 1u);
        if (who.x != 0u) bound = subgroupShuffle(f, subgroupBallotFindLSB(who));
    }
    bound = min(bounds[g], bound_behind(g, bound));
    meet_subgroup();
    [[unroll]] for (uint i = 0u; i < EACH; i++) {
        bool stays = lane + i * Z < count && uintBitsToFloat(own[i].x) <= bound;
        uvec4 who = subgroupBallot(stays);
        if (stays) lists[g * C + kept + subgroupBallotExclusiveBitCount(who)] = own[i];
        kept += subgroupBallotBitCount(who);
    }
    meet_subgroup();
    if (subgroupElect()) {
        bounds[g] = bound;
        counts[g] = kept;
    }
    meet_subgroup();
}

// Entry i of a list gets its key; `inside`: there is such an entry. By four neighbours, all of a subgroup.
void resolve_entry(uint g, uint query, uint i, bool inside) {
    uint key = exact_key(query, lists[g * C + i].y);
    if (quad_lane == 0u && inside) lists[g * C + i].x = key;
}

// Of a list whose entries have keys the K first stay, in order. By a subgroup.
void sort_list(uint g) {
    uint count = counts[g], ranks[EACH];
    uvec2 own[EACH];
    [[unroll]] for (uint i = 0u; i < EACH; i++) {
        uint at = lane + i * Z;
        own[i] = lists[g * C + min(at, max(count, 1u) - 1u)];
        ranks[i] = at < count ? 0u : K;
        for (uint n = 0u; n < count && at < count; n++) ranks[i] += uint(select_before(lists[g * C + n], own[i]));
    }
    meet_subgroup();
    [[unroll]] for (uint i = 0u; i < EACH; i++)
        if (ranks[i] < K) lists[g * C + ranks[i]] = own[i];
    if (subgroupElect()) counts[g] = min(count, K);
    meet_subgroup();
}

// What is left in the lists gets its distances, and the K first of each are stored. By all.
void finish_lists(uint first_query, uint part) {
    barrier();
    for (uint g = gl_SubgroupID; g < G; g += T / Z)
        if (counts[g] > K) prune_list(g);
    barrier();
    if (gl_SubgroupID == 0u) {
        uint before = 0u;
        for (uint g = lane; g < (G + Z - 1u) / Z * Z; g += Z) {
            uint count = g < G ? counts[g] : 0u, sum = before + subgroupInclusiveAdd(count);
            if (g < G) starts[g] = sum - count;
            before = subgroupShuffle(sum, Z - 1u);
        }
        starts[G] = before;
    }
    barrier();
    uint total = starts[G];
    [[dont_unroll]] for (uint first = 0u; first < total; first += T / 4u) {
        uint i = min(first + thread / 4u, total - 1u), g = 0u, behind = G; // starts[g] <= i < starts[behind]
        while (behind - g > 1u) {
            uint middle = (g + behind) / 2u;
            if (starts[middle] <= i) g = middle;
            else behind = middle;
        }
        resolve_entry(g, min(first_query + g, Q - 1u), i - starts[g], first + thread / 4u < total);
    }
    barrier();
    for (uint g = gl_SubgroupID; g < G && first_query + g < Q; g += T / Z) {
        sort_list(g);
        uint count = counts[g];
        for (uint i = lane; i < K; i += Z) {
            uint at = ((first_query + g) * P + part) * K + i;
            uvec2 entry = i < count ? lists[g * C + i] : uvec2(select_none);
            values_store(at, select_float(entry.x, entry.y, metric == DOT));
            indices_store(at, entry.y);
        }
    }
}
