// The K nearest rows of each of P parts of a base, for several queries, in one look at the base; products of
// cooperative matrices filter (kernels/nearest/filter.glsl).
//
// All queries of a workgroup are in shared memory as f16, and nothing of the base goes there: a subgroup has a
// strip of eight rows, each read by four neighbouring threads from its beginning to its end, 16 bytes a thread,
// with H such loads on their way. What a thread has of a row are its elements of a right matrix: which places in a
// sum of products elements have does not matter, as long as both sides have the same. So rows go from memory to the
// products in registers, and no subgroup waits for another.
//
// What passes goes to the query's list at once. When a list is full, all subgroups meet to prune the lists; who found
// no place tries again. Where that makes no room, as with many equal rows, entries get their exact distances, and
// the K first of them stay. So do rows and queries that are out of range: their f is the bound for rows that are not
// behind them. The first bounds come from the least f of groups of rows, of which K are not above the K-th.
//
// Rows that are much nearer to each other than to zero would all be within the error of a product. So squared
// distances are taken from a centre, which changes no difference.
//
// G: queries of a workgroup, U matrices of M; B: groups of them; R: strips between two looks at the lists; C:
// places of a list; T: threads; Z: invocations of a subgroup; E: rows of a strip; F, I: the matrices' depth.
//
// local: T
// subgroup: Z
// grid: min(B * P, 65535), ceil_div(B * P, 65535), 1
// order: kept
const uint STEPS = (D / F + H - 1u) / H * H, PADDED = STEPS * F;
const uint STRIDE = STEPS * 2u + 1u; // of a query in shared memory; meets no bank twice
const uint STRIPS = T / Z;           // of the workgroup at once
const uint PAIRS = 2u * U;           // queries for which an invocation has products with two rows of a strip
const uint GROUPS = 4u * STRIPS;     // of rows, for the first bounds
const uint ALL = 0xffffffffu;

#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, M, F>
#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, I, E>
#define SUMS fcoopmatNV<32, gl_ScopeSubgroup, M, E>

shared uvec4 query_tiles[G * STRIDE];
shared vec4 centre[metric == 0u ? PADDED / 4u : 1u];
shared uint full, unfinished; // whether a list is; whether there are more rows
shared uint lying, moved;     // whether matrices lie otherwise than is expected; whether there is a centre

vec4 next[H];
float values[R * PAIRS * 2u]; // f of the strips' rows
bool is_moved;
float factor, pair_shares[PAIRS]; // what a product becomes f with

vec4 move_query(vec4 x, uint d) {
    return is_moved ? x - centre[d / 4u] : x;
}

// Thread j of four has elements 4 j to 4 j + 3 of each 16 of a row: rows 2 j, 2 j + 1, 2 j + 8 and 2 j + 9 of the right
// matrix, and so columns of the left one.
void keep_query(uint g, uint d, uvec2 halves) {
    uint at = g * STRIDE + d / 16u * 2u, j = d / 4u % 4u;
    query_tiles[at][j] = halves.x;
    query_tiles[at + 1u][j] = halves.y;
}

// with: nearest/filter

// ---- Where elements of matrices are: element e of a right one and of sums

uint right_row(uint e) {
    return quad_lane * 2u + e % 2u + e / 2u * 8u;
}

uint query_of(uint e) {
    return quad + e / 2u * 8u;
}

uint row_of(uint e) {
    return quad_lane * 2u + e % 2u;
}

// Pair i of an invocation is of this query.
uint query_of_pair(uint i) {
    return i / 2u * M + query_of(i % 2u * 2u);
}

// Asked by a subgroup, before there are queries.
bool lies_as_expected() {
    for (uint i = lane; i < F * E / 8u; i += Z) {
        vec4 low = vec4(i * 8u) + vec4(0.0, 1.0, 2.0, 3.0);
        query_tiles[i] = uvec4(to_halves(low), to_halves(low + 4.0));
    }
    for (uint i = lane; i < M * E / 4u; i += Z)
        query_tiles[F * E / 8u + i] = floatBitsToUint(vec4(i * 4u) + vec4(0.0, 1.0, 2.0, 3.0));
    meet_subgroup();
    RIGHT rights;
    SUMS sums;
    coopMatLoadNV(rights, query_tiles, 0u, E / 8u, false);
    coopMatLoadNV(sums, query_tiles, F * E / 8u, E / 4u, false);
    bool good = M * E == 128u && F * E == 128u && gl_SubgroupSize == 32u;
    [[unroll]] for (uint e = 0u; e < 4u; e++) {
        good = good && float(rights[e]) == float(right_row(e) * E + quad);
        good = good && sums[e] == float(query_of(e) * E + row_of(e));
    }
    return good;
}

// ---- Rows

vec4 fetch(uint row, uint end, uint at) {
    return base_4(min(row, max(end, 1u) - 1u) * D + (D == PADDED ? at : min(at, D - 4u)));
}

// Loads of which the first has a row's elements from `at` on become what products have.
void move_rows(uint at) {
    if (D == PADDED && !is_moved) return;
    [[unroll]] for (uint h = 0u; h < H; h++) {
        if (is_moved) next[h] -= centre[at / 4u + h * F / 4u];
        if (D != PADDED && at + h * F >= D) next[h] = vec4(0.0);
    }
}

// The centre: of three rows the middle element each. It is used where it is much further from zero than rows are
// from each other: whether it is so. By a subgroup.
bool find_centre(uint begin, uint end) {
    uint a = begin * D, b = (begin + (end - begin) / 2u) * D, c = (end - 1u) * D;
    float far = 0.0, apart = 0.0;
    for (uint d = 4u * lane; d < PADDED; d += 4u * Z) {
        vec4 x = vec4(0.0), y = x, z = x;
        if (d < D) x = base_4(a + d), y = base_4(b + d), z = base_4(c + d);
        vec4 middle = max(min(x, y), min(max(x, y), z));
        [[unroll]] for (uint e = 0u; e < 4u; e++)
            if (!(abs(middle[e]) < 1e17)) middle[e] = 0.0;
        centre[d / 4u] = middle;
        far = add_square(middle, far);
        apart = min(add_square(x - y, 0.0), min(add_square(y - z, 0.0), add_square(x - z, 0.0))) + apart;
    }
    far = subgroupAdd(far);
    apart = subgroupAdd(apart);
    return far > 2.0 * apart; // not with NaN
}

// f of the rows of R strips, of which the first begins at `first`. True: some row is out of range. Rows of the next
// strips are asked for meanwhile.
bool compute_strips(uint first, uint end) {
    float most = 0.0;
    bool are_odd = false;
    [[unroll]] for (uint r = 0u; r < R; r++) {
        SUMS sums[U];
        [[unroll]] for (uint u = 0u; u < U; u++) sums[u] = SUMS(0.0);
        float square = 0.0;
        uint row = first + r * STRIPS * E + quad;
        [[dont_unroll]] for (uint s = 0u; s < STEPS; s += H) {
            bool last = s + H == STEPS;
            uint next_row = last ? row + STRIPS * E : row, next_at = 4u * quad_lane + (last ? 0u : s + H) * F;
            move_rows(4u * quad_lane + s * F);
            [[unroll]] for (uint h = 0u; h < H; h++) {
                vec4 x = next[h];
                next[h] = fetch(next_row, end, next_at + h * F);
                square = add_square(x, square);
                uvec2 halves = to_halves(x * row_scale);
                f16vec2 low = unpackFloat2x16(halves.x), high = unpackFloat2x16(halves.y);
                RIGHT right;
                right[0] = low.x;
                right[1] = low.y;
                right[2] = high.x;
                right[3] = high.y;
                [[unroll]] for (uint u = 0u; u < U; u++) {
                    LEFT left;
                    coopMatLoadNV(left, query_tiles, u * M * STRIDE + (s + h) * 2u, STRIDE, false);
                    sums[u] = coopMatMulAddNV(left, right, sums[u]);
                }
            }
        }
        square += subgroupShuffleXor(square, 1u);
        square += subgroupShuffleXor(square, 2u);
        Row its = measure_row(square);
        if (!is_open(row, end)) its.add = uintBitsToFloat(0x7f800000u);
        if (its.is_good) most = max(most, its.scale);
        are_odd = are_odd || (!its.is_good && row < end);
        [[unroll]] for (uint e = 0u; e < 2u; e++) {
            float add = subgroupShuffle(its.add, 4u * row_of(e)), scale = subgroupShuffle(its.scale, 4u * row_of(e));
            [[unroll]] for (uint i = 0u; i < PAIRS; i++) {
                float product = sums[i / 2u][i % 2u * 2u + e] * factor;
                if (metric == COSINE) product = fma(product, scale, add);
                else product = fma(-pair_shares[i], scale, product + add);
                values[(r * PAIRS + i) * 2u + e] = product;
            }
        }
    }
    if (metric != COSINE) {
        most = subgroupMax(most);
        if (subgroupElect() && most > uintBitsToFloat(longest)) atomicMax(longest, floatBitsToUint(most));
    }
    return subgroupAny(are_odd);
}

// f of strips with rows that are out of range, `all`, or for queries that are. Row `quad` of the first is `row`.
void exact_values(uint first_query, uint row, uint end, bool all) {
    [[dont_unroll]] for (uint i = 0u; i < R * G; i++) {
        uint r = i / G, g = i % G, at = row + r * STRIPS * E;
        if (first_query + g >= Q || !(all || is_odd(g))) continue;
        uint key = exact_key(first_query + g, min(at, N - 1u));
        float f = is_open(at, end) ? bound_of(g, key) : uintBitsToFloat(0x7f800000u);
        [[unroll]] for (uint e = 0u; e < 2u; e++) {
            float one = subgroupShuffle(f, 4u * row_of(e));
            [[unroll]] for (uint j = 0u; j < R * PAIRS; j++)
                if (i == j / PAIRS * G + query_of_pair(j % PAIRS)) values[j * 2u + e] = one;
        }
    }
}

// ---- Lists

// The first bounds. The lists are overwritten.
void guess_bounds() {
    [[unroll]] for (uint i = 0u; i < PAIRS; i++) {
        float least = uintBitsToFloat(0x7f800000u);
        [[unroll]] for (uint r = 0u; r < R; r++)
            least = min(least, min(values[(r * PAIRS + i) * 2u], values[(r * PAIRS + i) * 2u + 1u]));
        uint to = gl_SubgroupID * 4u + quad_lane;
        lists[query_of_pair(i) * C + to / 2u][to % 2u] = floatBitsToUint(least);
    }
    barrier();
    for (uint i = thread; i < G * GROUPS; i += T) {
        uint g = i / GROUPS, at = i % GROUPS, rank = 0u;
        float own = uintBitsToFloat(lists[g * C + at / 2u][at % 2u]);
        for (uint first = 0u; first < GROUPS; first += 8u)
            [[unroll]] for (uint n = first; n < first + 8u; n += 2u) {
                vec2 two = uintBitsToFloat(lists[g * C + n / 2u]);
                rank += uint(two.x < own || (two.x == own && n < at));
                rank += uint(two.y < own || (two.y == own && n + 1u < at));
            }
        if (rank == K - 1u) bounds[g] = min(bounds[g], bound_behind(g, own));
    }
    barrier();
}

// Puts into the lists what passes, of the values in `which`; gives those that found no place. The first strip begins at
// `row`.
uint offer(uint which, uint row) {
    uint waiting = 0u;
    [[unroll]] for (uint i = 0u; i < PAIRS; i++) {
        uint g = query_of_pair(i);
        float bound = bounds[g];
        [[unroll]] for (uint r = 0u; r < R; r++)
            [[unroll]] for (uint e = 0u; e < 2u; e++) {
                uint at = (r * PAIRS + i) * 2u + e;
                if ((which >> at & 1u) != 0u && values[at] <= bound) {
                    uint place = atomicAdd(counts[g], 1u);
                    if (place < C)
                        lists[g * C + place] = uvec2(floatBitsToUint(values[at]), row + r * STRIPS * E + row_of(e));
                    else
                        waiting |= 1u << at;
                }
            }
    }
    if (waiting != 0u) atomicOr(full, 1u);
    return waiting;
}

bool is_full() {
    uint flag = 0u;
    if (subgroupElect()) flag = atomicOr(full, 0u);
    return subgroupBroadcastFirst(flag) != 0u;
}

// Makes room in all lists that are full or soon will be. By all.
void make_room(uint first_query) {
    const uint SPARE = (C - K) / 4u;
    [[dont_unroll]] for (uint g = gl_SubgroupID; g < G; g += STRIPS) {
        if (counts[g] <= K + SPARE) continue;
        prune_list(g);
        uint count = counts[g];
        if (count + SPARE < C) continue;
        [[dont_unroll]] for (uint first = 0u; first < count; first += Z / 4u)
            resolve_entry(g, min(first_query + g, Q - 1u), min(first + quad, count - 1u), first + quad < count);
        meet_subgroup();
        sort_list(g);
        float bound = bound_of(g, lists[g * C + K - 1u].x);
        meet_subgroup();
        for (uint i = lane; i < K; i += Z) lists[g * C + i].x = floatBitsToUint(bound_of(g, lists[g * C + i].x));
        if (subgroupElect()) bounds[g] = min(bounds[g], bound);
    }
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= B * P) return;
    uint part = group / B, size = (N + P - 1u) / P, begin = min(part * size, N), end = min(begin + size, N);
    uint first_query = group % B * G, most = 0u;
    begin_filter();
    if (thread == 0u) full = unfinished = lying = 0u;
    [[unroll]] for (uint h = 0u; h < H; h++) next[h] = vec4(0.0);
    if (begin < end)
        [[unroll]] for (uint h = 0u; h < H; h++)
            next[h] = fetch(begin + gl_SubgroupID * E + quad, end, h * F + 4u * quad_lane);
    load_shares(first_query, 0u);
    if (metric == L2 && gl_SubgroupID == 0u) moved = begin < end && find_centre(begin, end) ? 1u : 0u;
    barrier();
    is_moved = metric == L2 && moved != 0u;
    if (gl_SubgroupID == 0u && !lies_as_expected()) lying = 1u;
    [[unroll]] for (uint h = 0u; h < H; h++)
        most = larger(is_moved ? next[h] - centre[h * F / 4u + quad_lane] : next[h], most);
    measure_queries(first_query, most);
    barrier();

    bool all = lying != 0u, queries_odd = false;
    factor = metric == L2 ? -2.0 * unscale : -unscale;
    [[unroll]] for (uint i = 0u; i < (G + 31u) / 32u; i++) queries_odd = queries_odd || odd[i] != 0u;
    [[unroll]] for (uint i = 0u; i < PAIRS; i++)
        pair_shares[i] = query_shares[query_of_pair(i)] * (metric == L2 ? 2.0 : 1.0);
    uint turn = begin, own = begin, waiting = 0u;
    for (bool more = begin < end; more;) {
        // Each subgroup goes on by itself until a list is full. What is rare stays out of its loop.
        for (bool rare = true; rare;) {
            bool rows_odd = false;
            rare = false;
            while (turn < end && !subgroupAny(waiting != 0u) && !is_full()) {
                own = turn + gl_SubgroupID * E;
                rows_odd = compute_strips(own, end);
                rare = rows_odd || queries_odd || all || turn == begin;
                if (rare) break;
                waiting = offer(ALL, own);
                turn += R * STRIPS * E;
            }
            if (!rare) break;
            if (rows_odd || queries_odd || all) exact_values(first_query, own + quad, end, rows_odd || all);
            if (turn == begin) {
                barrier();
                if (2u * K <= GROUPS && GROUPS <= 2u * C) guess_bounds();
            }
            waiting = offer(ALL, own);
            turn += R * STRIPS * E;
        }
        if (turn < end) unfinished = 1u;
        barrier();
        bool crowded = full != 0u;
        more = crowded || unfinished != 0u;
        if (crowded) make_room(first_query);
        barrier();
        if (thread == 0u) full = unfinished = 0u;
        barrier();
        waiting = offer(waiting, own);
    }
    finish_lists(first_query, part);
}
