// The K nearest rows of each of P parts of a base, for several queries, by products of cooperative
// matrices that filter.
//
// kernels/nearest/filter.glsl says how. A tile of G queries and R rows goes through shared memory, H elements at a
// time; the next ones are on their way meanwhile. Odd rows, for a tile, and odd queries are computed by the op's
// arithmetic at once; so is a query for a tile whose list is full of what cannot be told apart.
//
// The first tile gives the first bounds: of groups of four rows the least f each, of which K are not above
// the K-th. What passes is put down where the tiles were, and from there goes to the query's list; who finds
// no place waits until the lists are pruned. Values of f are in registers, where drivers keep them only as
// long as little happens in a branch for each: so nothing else does.
//
// J, L: subgroups along queries and rows, with U x V matrices of sums each; M, E: their sides; F, I: both
// their depth, so that the sides' types differ; Z: invocations of a subgroup; T: of the workgroup; B: groups
// of queries; C: places of a list.
//
// local: T
// subgroup: Z
// grid: min(B * P, 65535), ceil_div(B * P, 65535), 1
// order: kept
const uint EIGHTS = H / 8u, STRIDE = EIGHTS + 1u; // of a row in shared memory; meets no bank twice
const uint LOADS = (G * EIGHTS + T - 1u) / T, ROW_LOADS = R * EIGHTS / T;
const uint OWN = 4u * V;                          // rows of which an invocation has sums
const uint GROUPS = R / 4u;                       // of rows, for the first bounds
const uint SPARE = (C - K) / 4u;                  // entries that a list may have too many when it is pruned
const uint ROOM = (G + R) * STRIDE * 2u;          // entries that the tiles have room for
const uint ALL = 0xffffffffu;
const uint PADDED = D;

#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, M, F>
#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, I, E>
#define SUMS fcoopmatNV<32, gl_ScopeSubgroup, M, E>

shared uvec4 tiles[(G + R) * STRIDE]; // of queries, then of rows
shared float row_adds[R];             // what f takes of a row
shared float row_scales[R];
shared uint crowded[(G + 31u) / 32u]; // whose lists are full for this tile
shared uint odd_rows, waiting, found, lying; // lying: matrices lie otherwise than is expected

float values[U * V * 8u];
vec4 query_low[LOADS], query_high[LOADS], row_low[ROW_LOADS], row_high[ROW_LOADS];
float row_parts[ROW_LOADS];
uint query_at[LOADS], row_at[ROW_LOADS];
uint first_query;

vec4 move_query(vec4 x, uint d) {
    return x;
}

void keep_query(uint g, uint d, uvec2 halves) {} // they come again for each tile

// with: nearest/filter

// ---- Tiles

// Where element e of a matrix of sums is: four invocations share two rows.
uint query_of(uint e) {
    return gl_SubgroupInvocationID / 4u + e / 4u * 8u;
}

uint row_of(uint e) {
    return gl_SubgroupInvocationID % 4u * 2u + e % 2u + e / 2u % 2u * 8u;
}

// Whether matrices of sums lie so. Asked by the first subgroup, before there are tiles.
bool lies_as_expected() {
    for (uint i = gl_SubgroupInvocationID; i < M * E / 4u; i += Z)
        tiles[i] = floatBitsToUint(vec4(i * 4u) + vec4(0.0, 1.0, 2.0, 3.0));
    subgroupBarrier();
    SUMS places;
    coopMatLoadNV(places, tiles, 0u, E / 4u, false);
    bool good = M == 16u && E == 16u && gl_SubgroupSize == 32u;
    [[unroll]] for (uint e = 0u; e < 8u; e++) good = good && places[e] == float(query_of(e) * E + row_of(e));
    return good;
}

void load_queries(uint k) {
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        bool inside = D % H == 0u || k + 8u * ((thread + n * T) % EIGHTS) < D;
        inside = inside && first_query + (thread + n * T) / EIGHTS < Q; // zeros pass no bound
        query_low[n] = query_high[n] = vec4(0.0);
        if (inside) queries_8(query_at[n] + k, query_low[n], query_high[n]);
    }
}

void load_rows(uint k) {
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        bool inside = D % H == 0u || k + 8u * ((thread + n * T) % EIGHTS) < D;
        row_low[n] = row_high[n] = vec4(0.0);
        if (inside) base_8(row_at[n] + k, row_low[n], row_high[n]);
    }
}

void find_rows(uint row, uint end) {
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        uint i = thread + n * T;
        row_at[n] = min(row + i / EIGHTS, max(end, 1u) - 1u) * D + 8u * (i % EIGHTS);
    }
}

void store_tiles(bool first) {
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint i = thread + n * T;
        if (G * EIGHTS % T == 0u || i < G * EIGHTS)
            tiles[i / EIGHTS * STRIDE + i % EIGHTS] =
                uvec4(to_halves(query_low[n] * query_scale), to_halves(query_high[n] * query_scale));
    }
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        uint i = thread + n * T;
        row_parts[n] = add_square(row_low[n], add_square(row_high[n], first ? 0.0 : row_parts[n]));
        tiles[(G + i / EIGHTS) * STRIDE + i % EIGHTS] =
            uvec4(to_halves(row_low[n] * row_scale), to_halves(row_high[n] * row_scale));
    }
}

// What f takes of each row of a tile, when all of them are stored, and whether they are in range.
void measure_rows(uint row, uint end) {
    float most = 0.0;
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        float square = row_parts[n];
        [[unroll]] for (uint m = 1u; m < EIGHTS; m *= 2u) square += subgroupShuffleXor(square, m);
        uint i = thread + n * T, at = i / EIGHTS;
        Row its = measure_row(square);
        if (!its.is_good) odd_rows = 1u; // a NaN, too
        if (its.is_good) most = max(most, its.scale);
        if (i % EIGHTS != 0u) continue;
        row_adds[at] = is_open(row + at, end) ? its.add : uintBitsToFloat(0x7f800000u);
        row_scales[at] = its.scale;
    }
    most = subgroupMax(most);
    if (subgroupElect()) atomicMax(longest, floatBitsToUint(most));
}

// Products in `values` become f.
void finish_values() {
    uint across = gl_SubgroupID / J * V * E;
    float adds[OWN], scales[OWN];
    [[unroll]] for (uint i = 0u; i < OWN; i++) {
        adds[i] = row_adds[across + i / 4u * E + row_of(i % 4u)];
        scales[i] = row_scales[across + i / 4u * E + row_of(i % 4u)];
    }
    float factor = metric == L2 ? -2.0 * unscale : -unscale;
    [[unroll]] for (uint u = 0u; u < U; u++)
        [[unroll]] for (uint h = 0u; h < 2u; h++) {
            float share = query_shares[gl_SubgroupID % J * U * M + u * M + query_of(4u * h)];
            if (metric == L2) share *= 2.0;
            [[unroll]] for (uint i = 0u; i < OWN; i++) {
                uint at = (u * V + i / 4u) * 8u + 4u * h + i % 4u;
                if (metric == COSINE) values[at] = fma(values[at] * factor, scales[i], adds[i]);
                else values[at] = fma(-share, scales[i], fma(values[at], factor, adds[i]));
            }
        }
}

void put_down(uint place, uvec2 entry) {
    tiles[place / 2u][place % 2u * 2u] = entry.x;
    tiles[place / 2u][place % 2u * 2u + 1u] = entry.y;
}

// The first bounds, from the least f of each group of four rows. The tiles are overwritten.
void guess_bounds() {
    uint across = gl_SubgroupID / J * V * 4u + gl_SubgroupInvocationID % 4u;
    [[unroll]] for (uint u = 0u; u < U; u++)
        [[unroll]] for (uint h = 0u; h < 2u; h++)
            [[unroll]] for (uint v = 0u; v < V; v++) {
                uint g = gl_SubgroupID % J * U * M + u * M + query_of(4u * h), at = (u * V + v) * 8u + 4u * h;
                float least = min(min(values[at], values[at + 1u]), min(values[at + 2u], values[at + 3u]));
                uint to = g * GROUPS + across + 4u * v;
                tiles[to / 4u][to % 4u] = floatBitsToUint(least);
            }
    barrier();
    for (uint i = thread; i < G * GROUPS; i += T) {
        uint first = i / GROUPS * GROUPS, rank = 0u;
        float own = uintBitsToFloat(tiles[i / 4u][i % 4u]);
        for (uint n = first; n < first + GROUPS; n++) {
            float other = uintBitsToFloat(tiles[n / 4u][n % 4u]);
            rank += uint(other < own || (other == own && n < i));
        }
        if (rank == K - 1u) bounds[i / GROUPS] = min(bounds[i / GROUPS], bound_behind(i / GROUPS, own));
    }
    barrier();
}

// Puts down what passes: of an invocation all, or the one value `which`.
void offer(uint which) {
    uint across = gl_SubgroupID / J * V * E;
    [[unroll]] for (uint u = 0u; u < U; u++)
        [[unroll]] for (uint h = 0u; h < 2u; h++) {
            uint g = gl_SubgroupID % J * U * M + u * M + query_of(4u * h);
            float bound = bounds[g], least = INFINITE;
            [[unroll]] for (uint i = 0u; i < OWN; i++)
                least = min(least, values[(u * V + i / 4u) * 8u + 4u * h + i % 4u]);
            if (least <= bound)
                [[unroll]] for (uint i = 0u; i < OWN; i++) {
                    uint at = (u * V + i / 4u) * 8u + 4u * h + i % 4u;
                    if (values[at] <= bound && (which == ALL || which == at)) {
                        uint place = atomicAdd(found, 1u), to = g * R + across + i / 4u * E + row_of(i % 4u);
                        if (place < ROOM) put_down(place, uvec2(floatBitsToUint(values[at]), to));
                    }
                }
        }
}

// Makes room in lists of more than K + SPARE entries. A subgroup has a list.
void make_room() {
    for (uint g = gl_SubgroupID; g < G; g += T / Z) {
        uint asked = counts[g];
        if (min(asked, C) <= K + SPARE) continue;
        prune_list(g);
        if (asked > C && counts[g] == C && subgroupElect()) atomicOr(crowded[g / 32u], 1u << g % 32u);
    }
}

// What was put down goes to the lists. Whether they were full meanwhile.
bool distribute(uint count, uint row) {
    bool full = false;
    while (true) {
        bool waits = false;
        for (uint i = thread; i < count; i += T) {
            uvec2 entry = i % 2u == 0u ? tiles[i / 2u].xy : tiles[i / 2u].zw;
            uint g = entry.y / R;
            if (entry.y == select_none) continue;
            bool passes = uintBitsToFloat(entry.x) <= bounds[g] && (crowded[g / 32u] >> g % 32u & 1u) == 0u;
            uint place = passes ? atomicAdd(counts[g], 1u) : 0u;
            if (passes && place >= C) {
                waits = true;
                continue;
            }
            if (passes) lists[g * C + place] = uvec2(entry.x, row + entry.y % R);
            put_down(i, uvec2(select_none));
        }
        if (waits) waiting = 1u;
        barrier();
        if (waiting == 0u) return full;
        full = true;
        make_room();
        barrier();
        if (thread == 0u) waiting = 0u;
        barrier();
    }
    return full;
}

// A tile of rows for one query by the op's arithmetic, and what its list had before: the K first of
// all stay. The tiles are overwritten.
void exact_tile(uint g, uint row, uint end) {
    uint listed = min(counts[g], C), total = listed + R;
    for (uint first = 0u; first < total; first += T / 4u) {
        uint i = min(first + thread / 4u, total - 1u), at = row + i - listed;
        bool open = is_open(at, end);
        if (i < listed) {
            at = lists[g * C + i].y;
            open = at < row; // what this tile put there comes again
        }
        uint key = exact_key(min(first_query + g, Q - 1u), min(at, end - 1u));
        if (quad_lane == 0u) tiles[i].xy = open ? uvec2(key, at) : uvec2(select_none);
    }
    barrier();
    if (thread == 0u) counts[g] = 0u;
    for (uint first = 0u; first < total; first += T) {
        uint i = first + thread, rank = 0u;
        uvec2 own = tiles[min(i, total - 1u)].xy;
        bool good = i < total && own.y != select_none;
        for (uint n = 0u; n < total && good; n++) rank += uint(select_before(tiles[n].xy, own));
        barrier();
        if (!good || rank >= K) continue;
        float bound = bound_of(g, own.x);
        lists[g * C + rank] = uvec2(floatBitsToUint(bound), own.y);
        atomicMax(counts[g], rank + 1u);
        if (rank == K - 1u && !is_odd(g)) bounds[g] = min(bounds[g], bound);
    }
    barrier();
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= B * P) return;
    begin_filter();
    uint part = group / B, size = (N + P - 1u) / P, begin = min(part * size, N), end = min(begin + size, N);
    first_query = group % B * G;
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint i = min(thread + n * T, G * EIGHTS - 1u);
        query_at[n] = min(first_query + i / EIGHTS, Q - 1u) * D + 8u * (i % EIGHTS);
    }
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) row_low[n] = row_high[n] = vec4(0.0);
    if (begin < end) {
        find_rows(begin, end);
        load_rows(0u);
        load_queries(0u);
    }
    load_shares(first_query, 0u);
    for (uint i = thread; i < (G + 31u) / 32u; i += T) crowded[i] = 0u;
    if (thread == 0u) odd_rows = waiting = found = lying = 0u;
    barrier();
    if (gl_SubgroupID == 0u && !lies_as_expected()) lying = 1u;
    uint most = 0u;
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) most = larger(row_low[n], larger(row_high[n], most));
    measure_queries(first_query, most);
    barrier();
    for (uint g = thread; g < G; g += T)
        if (is_odd(g)) bounds[g] = uintBitsToFloat(0xff800000u);

    uint down = gl_SubgroupID % J * U * M, right = G + gl_SubgroupID / J * V * E;
    for (uint row = begin; row < end; row += R) {
        SUMS sums[U * V];
        [[unroll]] for (uint i = 0u; i < U * V; i++) sums[i] = SUMS(0.0);
        for (uint k = 0u; k < D; k += H) {
            bool last = k + H >= D;
            store_tiles(k == 0u);
            if (last) {
                measure_rows(row, end);
                find_rows(row + R, end);
            }
            barrier();
            load_rows(last ? 0u : k + H);
            load_queries(last ? 0u : k + H);
            [[unroll]] for (uint step = 0u; step < H; step += F) {
                LEFT left[U];
                [[unroll]] for (uint u = 0u; u < U; u++)
                    coopMatLoadNV(left[u], tiles, (down + u * M) * STRIDE + step / 8u, STRIDE, false);
                [[unroll]] for (uint v = 0u; v < V; v++) {
                    RIGHT one;
                    coopMatLoadNV(one, tiles, (right + v * E) * STRIDE + step / 8u, STRIDE, true);
                    [[unroll]] for (uint u = 0u; u < U; u++)
                        sums[u * V + v] = coopMatMulAddNV(left[u], one, sums[u * V + v]);
                }
            }
            barrier(); // before the tiles are overwritten
        }
        [[unroll]] for (uint i = 0u; i < U * V; i++)
            [[unroll]] for (uint e = 0u; e < 8u; e++) values[i * 8u + e] = sums[i][e];
        finish_values();
        bool all = lying != 0u || odd_rows != 0u, exact = all;
        if (row == begin && !all && 2u * K <= GROUPS) guess_bounds();
        if (!all) offer(ALL);
        barrier();
        uint count = found;
        if (thread == 0u) odd_rows = 0u;
        if (count <= ROOM) {
            if (distribute(count, row)) exact = true;
        } else {
            for (uint which = 0u; which < U * V * 8u; which++) { // of which there is room for one each
                barrier();
                if (thread == 0u) found = 0u;
                barrier();
                offer(which);
                barrier();
                if (distribute(found, row)) exact = true;
            }
        }
        if (thread == 0u) found = 0u;
        for (uint i = 0u; i < (G + 31u) / 32u; i++) {
            uint which = all ? 0xffffffffu : odd[i] | crowded[i];
            while (which != 0u) {
                uint g = 32u * i + uint(findLSB(which));
                which &= which - 1u;
                if (g < G && first_query + g < Q) exact_tile(g, row, end);
            }
        }
        if (exact) {
            barrier();
            if (thread < (G + 31u) / 32u) crowded[thread] = 0u;
            barrier();
        }
    }

    finish_lists(first_query, part);
}
