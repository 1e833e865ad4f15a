// The K nearest rows of each of P parts of a base, for each query, in one look at the base.
//
// A workgroup has G queries and the rows of a part, T of them a turn. Four neighbouring threads share
// four rows: they load 16 elements of U of them at once, 16 bytes a thread, and exchange them so that
// thread j has elements j, j + 4, j + 8 and j + 12. Those are what the four sums of a distance are
// made of in kernels/pointwise, in their order: so distances here are those of the metric's op, to
// the bit. At the end of the rows the four add up their sums, and each has one row. Nothing of the
// base is in shared memory, and the loads of what comes next are always on their way: with few queries
// of whole rows one behind the other, which memory likes best.
//
// What comes before the K-th of a query's list takes a place behind it. When a list is full, all
// lists are sorted and cut off behind K; who found no place tries again, against what is K-th now.
// That is looked after every R turns. The first bound comes from the least keys of groups of
// threads, so that few rows of the first turn pass.
//
// For one or two queries, which take no time, waiting for one another is what costs: there (L = 1) each
// subgroup has lists of its own in registers, an entry of each an invocation, and shares nothing but what
// is known of the K-th keys. They come together at the end.
//
// G: queries of a workgroup; B: groups of them; T: threads, a power of two; C: places of a list, a
// power of two; H: how many times 16 elements are on their way; R: turns between two looks at the
// lists; S: vectors of the queries in shared memory, 1 where they do not fit; U: rows of four threads that are
// computed together, 1, 2 or 4; L: 1 where subgroups have lists; Z: invocations of a subgroup.
//
// local: T
// subgroup: Z
// grid: min(B * P, 65535), ceil_div(B * P, 65535), 1

#if base_DTYPE == U32
#define NUMBER uint
#define FOUR uvec4
#else
#define NUMBER float
#define FOUR vec4
#endif

const uint L2 = 0u, COSINE = 1u, DOT = 2u, MANHATTAN = 3u, CHEBYSHEV = 4u;
const uint STEPS = D / (16u * H) * H;
const bool STAGED = S >= G * STEPS * 4u;
const uint ALIKE = metric == COSINE ? D / 8u * 8u : D / 16u * 16u; // the rest is the first sum's
const uint SHARE = C < T ? T / C : 1u; // threads of which the first bound takes the least key
const uint NONE = 0xffffffffu;

shared FOUR query_steps[S]; // [query][step][thread of four]
shared float query_squares[G];
shared uvec2 lists[G * C]; // key, row
shared uint counts[G];
shared uvec2 bounds[G];    // the K-th entry, when it was sorted last
shared uint least[G];      // of the keys that are K-th of a subgroup
shared uint full[3];       // a list is: of this turn, the next, and the one before

// ---- Distances

#if base_DTYPE == U32
uint add(uint sum, uint a, uint b) {
    return sum + uint(bitCount(a ^ b));
}

uint join(uint a, uint b) {
    return a + b;
}
#else
float add(float sum, float a, float b) {
    precise float delta = a - b;
    precise float result = sum;
    if (metric == L2) result = fma(delta, delta, sum);
    if (metric == COSINE || metric == DOT) result = fma(a, b, sum);
    if (metric == MANHATTAN) result = sum + abs(delta);
    if (metric == CHEBYSHEV) result = abs(delta) > sum || f_isnan(delta) ? abs(delta) : sum;
    return result;
}

float join(float a, float b) {
    precise float sum = a + b;
    return metric == CHEBYSHEV ? (b > a || f_isnan(b) ? b : a) : sum;
}

#endif

// Of four elements that each of four threads has, every fourth one.
FOUR turn(FOUR x, uint j) {
    bool odd = (j & 1u) != 0u, high = (j & 2u) != 0u;
    NUMBER a = subgroupShuffleXor(odd ? x.x : x.y, 1u), b = subgroupShuffleXor(odd ? x.z : x.w, 1u);
    NUMBER even_0 = odd ? a : x.x, odd_0 = odd ? x.y : a, even_1 = odd ? b : x.z, odd_1 = odd ? x.w : b;
    NUMBER c = subgroupShuffleXor(high ? even_0 : even_1, 2u);
    NUMBER d = subgroupShuffleXor(high ? odd_0 : odd_1, 2u);
    return high ? FOUR(c, d, even_1, odd_1) : FOUR(even_0, odd_0, c, d);
}

// Of the sums of U rows that each of four threads has, all of row j % U together.
NUMBER gather(NUMBER rows[U], uint j) {
    bool odd = U > 1u && (j & 1u) != 0u, high = U > 2u && (j & 2u) != 0u;
    const uint ONE = U > 1u ? 1u : 0u, TWO = U > 2u ? 2u : 0u, THREE = U > 2u ? 3u : ONE;
    NUMBER a = join(odd ? rows[ONE] : rows[0], subgroupShuffleXor(odd ? rows[0] : rows[ONE], 1u)), b = a;
    if (U > 2u) b = join(odd ? rows[THREE] : rows[TWO], subgroupShuffleXor(odd ? rows[TWO] : rows[THREE], 1u));
    return join(high ? b : a, subgroupShuffleXor(high ? a : b, 2u));
}

// ---- Lists

// Puts each entry of up to 256 where as many come before it.
void rank_lists() {
    const uint EACH = (G * C + T - 1u) / T;
    uvec2 own[EACH];
    uint ranks[EACH];
    [[unroll]] for (uint e = 0u; e < EACH; e++) {
        uint i = gl_LocalInvocationIndex + e * T, list = i / C * C, count = i < G * C ? min(counts[i / C], C) : 0u;
        ranks[e] = K;
        if (i % C >= count) continue;
        own[e] = lists[i];
        ranks[e] = 0u;
        for (uint other = list; other < list + count; other++) ranks[e] += uint(select_before(lists[other], own[e]));
    }
    barrier();
    [[unroll]] for (uint e = 0u; e < EACH; e++) {
        uint i = gl_LocalInvocationIndex + e * T;
        if (ranks[e] < K) lists[i / C * C + ranks[e]] = own[e];
        if (ranks[e] == K - 1u) bounds[i / C] = own[e];
    }
    for (uint g = gl_LocalInvocationIndex; g < G; g += T) counts[g] = min(counts[g], K);
    barrier();
}

// Bitonically, for long lists.
void sort_lists() {
    for (uint i = gl_LocalInvocationIndex; i < G * C; i += T)
        if (i % C >= counts[i / C]) lists[i] = uvec2(NONE);
    barrier();
    for (uint run = 2u; run <= C; run *= 2u)
        for (uint stride = run / 2u; stride > 0u; stride /= 2u) {
            for (uint i = gl_LocalInvocationIndex; i < G * C / 2u; i += T) {
                uint a = 2u * i - (i & (stride - 1u)), b = a + stride;
                uvec2 left = lists[a], right = lists[b];
                if (select_before(right, left) == ((a & run & (C - 1u)) == 0u)) {
                    lists[a] = right;
                    lists[b] = left;
                }
            }
            barrier();
        }
    for (uint g = gl_LocalInvocationIndex; g < G; g += T) {
        if (counts[g] >= K) bounds[g] = lists[g * C + K - 1u];
        counts[g] = min(counts[g], K);
    }
    barrier();
}

void cut_lists() {
    uint most = 0u;
    for (uint g = 0u; g < G; g++) most = max(most, min(counts[g], C));
    if (C <= 256u || (G * C <= 4u * T && most <= 256u)) rank_lists();
    else sort_lists();
}

// Takes the keys up to `bound` into a list that a subgroup has in order, an entry an invocation.
uvec2 insert(uvec2 list, uint key, uint bound, uint row) {
    uvec4 who = subgroupBallot(key <= bound);
    while (who.x != 0u) {
        uint from = uint(findLSB(who.x)), lane = gl_SubgroupInvocationID;
        who.x &= who.x - 1u;
        uvec2 entry = subgroupShuffle(uvec2(key, row), from);
        uint place = subgroupBallotBitCount(subgroupBallot(select_before(list, entry)));
        uvec2 above = subgroupShuffle(list, max(lane, 1u) - 1u);
        if (lane == place) list = entry;
        if (lane > place) list = above;
    }
    return list;
}

// What thread j takes of 16 elements of a query.
FOUR query_four(uint query, uint s, uint j) {
    uint i = min(query, Q - 1u) * D + 16u * s + j;
    return FOUR(queries(i), queries(i + 4u), queries(i + 8u), queries(i + 12u));
}

FOUR fetch(uint row, uint end, uint at) {
    uint i = min(row, max(end, 1u) - 1u) * D + at;
    return D % 4u == 0u ? base_4(i) : FOUR(base(i), base(i + 1u), base(i + 2u), base(i + 3u));
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= B * P) return;
    uint thread = gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID, j = thread % 4u;
    uint first_query = group % B * G, part = group / B, size = (N + P - 1u) / P;
    uint begin = min(part * size, N), end = min(begin + size, N);

    for (uint i = thread; STAGED && i < G * STEPS * 4u; i += T)
        query_steps[i] = query_four(first_query + i / (STEPS * 4u), i / 4u % STEPS, i % 4u);
    for (uint g = thread; g < G; g += T) {
        counts[g] = 0u;
        bounds[g] = uvec2(NONE);
        least[g] = NONE - 1u; // whose key is NONE is no row
    }
    if (thread < 3u) full[thread] = 0u;
#if base_DTYPE != U32
    if (metric == COSINE)
        for (uint g = 0u; g < G; g++) {
            uint query = min(first_query + g, Q - 1u) * D;
            float square = 0.0;
            for (uint d = j; d < ALIKE; d += 4u) square = fma(queries(query + d), queries(query + d), square);
            for (uint d = ALIKE; d < D && j == 0u; d++)
                square = fma(queries(query + d), queries(query + d), square);
            precise float two = square + subgroupShuffleXor(square, 1u);
            precise float all = two + subgroupShuffleXor(two, 2u);
            query_squares[g] = all; // the same in all threads
        }
#endif
    barrier();

    uvec2 own_lists[G];
    [[unroll]] for (uint g = 0u; g < G; g++) own_lists[g] = uvec2(NONE);
    FOUR next[U * H];
    uint quads = gl_SubgroupSize / 4u, place = gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID / 4u;
    uint row = begin + place; // of those that are next
    if (STEPS != 0u && begin < end)
        [[unroll]] for (uint i = 0u; i < U * H; i++) next[i] = fetch(row + i % U * quads, end, 4u * j + i / U * 16u);
    for (uint turns = 0u; begin + turns * R * T < end; turns++) {
        uint keys[R * G], waiting = 0u, own = begin + turns * R * T + place + j * quads;
        [[unroll]] for (uint r = 0u; r < R; r++) {
            NUMBER distances[G], square = NUMBER(0);
            for (uint first = 0u; first < 4u; first += U) {
                NUMBER sums[G * U], squares[U];
                [[unroll]] for (uint i = 0u; i < G * U; i++) sums[i] = NUMBER(0);
                [[unroll]] for (uint u = 0u; u < U; u++) squares[u] = NUMBER(0);
                uint behind = first + U < 4u ? row + U * quads : row + T - first * quads;
                for (uint s = 0u; s < STEPS; s += H) {
                    bool last = s + H == STEPS;
                    uint next_row = last ? behind : row, next_at = 4u * j + (last ? 0u : s + H) * 16u;
                    [[unroll]] for (uint h = 0u; h < H; h++) {
                        FOUR x[U];
                        [[unroll]] for (uint u = 0u; u < U; u++) {
                            x[u] = turn(next[U * h + u], j);
#if base_DTYPE != U32
                            if (metric == COSINE)
                                [[unroll]] for (uint e = 0u; e < 4u; e++)
                                    squares[u] = fma(x[u][e], x[u][e], squares[u]);
#endif
                        }
                        [[unroll]] for (uint u = 0u; u < U; u++)
                            next[U * h + u] = fetch(next_row + u * quads, end, next_at + 16u * h);
                        [[unroll]] for (uint g = 0u; g < G; g++) {
                            FOUR a = STAGED ? query_steps[(g * STEPS + s + h) * 4u + j]
                                            : query_four(first_query + g, s + h, j);
                            [[unroll]] for (uint e = 0u; e < 4u; e++)
                                [[unroll]] for (uint u = 0u; u < U; u++)
                                    sums[g * U + u] = add(sums[g * U + u], a[e], x[u][e]);
                        }
                    }
                }
                for (uint d = STEPS * 16u; d < D;) { // what is not a multiple of 16, or of 8, is the first sum's
                    bool alike = d < ALIKE;
                    if (alike || j == 0u)
                        [[unroll]] for (uint u = 0u; u < U; u++) {
                            uint at = alike ? d + j : d;
                            NUMBER value = base(min(row + u * quads, max(end, 1u) - 1u) * D + at);
#if base_DTYPE != U32
                            if (metric == COSINE) squares[u] = fma(value, value, squares[u]);
#endif
                            [[unroll]] for (uint g = 0u; g < G; g++)
                                sums[g * U + u] =
                                    add(sums[g * U + u], queries(min(first_query + g, Q - 1u) * D + at), value);
                        }
                    d += alike ? 4u : 1u;
                }
                bool is_own = j / U * U == first;
                NUMBER gathered;
                if (metric == COSINE) {
                    gathered = gather(squares, j);
                    if (is_own) square = gathered;
                }
                [[unroll]] for (uint g = 0u; g < G; g++) {
                    NUMBER some[U];
                    [[unroll]] for (uint u = 0u; u < U; u++) some[u] = sums[g * U + u];
                    gathered = gather(some, j);
                    if (is_own) distances[g] = gathered;
                }
                row = behind;
            }

            bool open = own + r * T < end;
#if excluded_PRESENT
            if (open) open = (excluded((own + r * T) / 32u) >> (own + r * T) % 32u & 1u) == 0u;
#endif
            [[unroll]] for (uint g = 0u; g < G; g++) {
                NUMBER distance = distances[g];
#if base_DTYPE != U32
                if (metric == COSINE) distance = nearest_cosine(distance, query_squares[g], square);
#endif
                keys[r * G + g] = open ? select_key(distance, metric == DOT) : NONE;
            }
            if (L == 1u) {
                [[unroll]] for (uint g = 0u; g < G; g++) {
                    uint bound = least[g], key = keys[r * G + g];
                    if (turns == 0u && r == 0u) {
                        own_lists[g] = select_sort_subgroup(uvec2(key, key == NONE ? NONE : own), Z);
                    } else {
                        if (!subgroupAny(key <= bound)) continue;
                        own_lists[g] = insert(own_lists[g], key, bound, own + r * T);
                    }
                    uint last_key = subgroupShuffle(own_lists[g].x, K - 1u);
                    if (last_key < bound && subgroupElect()) atomicMin(least[g], last_key);
                }
                continue;
            }
            if (r == 0u && turns == 0u && C <= 256u && C <= T) {
                // A bound to begin with: the K-th of the least keys of C groups of threads.
                [[unroll]] for (uint g = 0u; g < G; g++) {
                    uint least = keys[g];
                    [[unroll]] for (uint m = 1u; m < SHARE; m *= 2u) least = min(least, subgroupShuffleXor(least, m));
                    if (thread % SHARE == 0u) lists[g * C + thread / SHARE].x = least;
                }
                barrier();
                for (uint i = thread; i < G * C; i += T) {
                    uint list = i / C * C, least = lists[i].x, rank = 0u;
                    for (uint other = list; other < list + C; other++)
                        rank += uint(lists[other].x < least || (lists[other].x == least && other < i));
                    if (rank == K - 1u) bounds[i / C] = uvec2(least, NONE);
                }
                barrier();
            }
            [[unroll]] for (uint g = 0u; g < G; g++)
                if (open && select_before(uvec2(keys[r * G + g], own + r * T), bounds[g])) {
                    uint place = atomicAdd(counts[g], 1u);
                    if (place < C) lists[g * C + place] = uvec2(keys[r * G + g], own + r * T);
                    else waiting |= 1u << r * G + g;
                }
        }
        if (L == 1u) continue;
        if (waiting != 0u) full[turns % 3u] = 1u;
        barrier();
        bool again = full[turns % 3u] != 0u;
        if (thread == 0u) full[(turns + 2u) % 3u] = 0u; // all have left the turn before this one
        while (again) {
            cut_lists();
            if (thread == 0u) full[turns % 3u] = 0u;
            barrier();
            [[unroll]] for (uint i = 0u; i < R * G; i++)
                if ((waiting >> i & 1u) != 0u) {
                    uvec2 entry = uvec2(keys[i], own + i / G * T);
                    waiting ^= 1u << i;
                    if (select_before(entry, bounds[i % G])) {
                        uint place = atomicAdd(counts[i % G], 1u);
                        if (place < C) lists[i % G * C + place] = entry;
                        else waiting |= 1u << i;
                    }
                }
            if (waiting != 0u) full[turns % 3u] = 1u;
            barrier();
            again = full[turns % 3u] != 0u;
        }
    }
    if (L == 1u) {
        barrier(); // what is behind the K-th of any subgroup stays there
        [[unroll]] for (uint g = 0u; g < G; g++)
            if (gl_SubgroupInvocationID < K && own_lists[g].x <= least[g])
                lists[g * C + atomicAdd(counts[g], 1u)] = own_lists[g];
    }
    barrier();
    cut_lists();
    for (uint i = thread; i < G * K; i += T) {
        uint query = first_query + i / K, at = (query * P + part) * K + i % K;
        if (query >= Q) break;
        uvec2 entry = i % K < counts[i / K] ? lists[i / K * C + i % K] : uvec2(NONE);
#if base_DTYPE == U32
        values_store(at, select_uint(entry.x, false));
#else
        values_store(at, select_float(entry.x, entry.y, metric == DOT));
#endif
        indices_store(at, entry.y);
    }
}
