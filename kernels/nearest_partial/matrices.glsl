// The K nearest rows of each of P parts of a base, for several queries, by products of cooperative
// matrices that filter.
//
// As in tiles.glsl: products say which rows cannot be among the nearest, with a bound of their error, and
// the distances of what is left are computed as the metric's op does, to the bit. Here the products are
// of f16, many times faster and a thousand times coarser; still few rows are within their error of the
// K-th. A tile of G queries and R rows goes through shared memory, H elements at a time; the next ones
// are on their way meanwhile.
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
// and queries out of the range for which this holds, infinities and NaN among them, are computed by the
// op's arithmetic at once, for a tile; so is a query for a tile whose list is full of what cannot be
// told apart.
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
const uint L2 = 0u, COSINE = 1u, DOT = 2u;
const uint EIGHTS = H / 8u, STRIDE = EIGHTS + 1u; // of a row in shared memory; meets no bank twice
const uint LOADS = (G * EIGHTS + T - 1u) / T, ROW_LOADS = R * EIGHTS / T;
const uint LANES = T / G < Z ? T / G : Z;         // that measure a query together
const uint OWN = 4u * V;                          // rows of which an invocation has sums
const uint GROUPS = R / 4u;                       // of rows, for the first bounds
const uint SPARE = (C - K) / 4u;                  // entries that a list may have too many when it is pruned
const uint EACH = (C + Z - 1u) / Z;
const uint ROOM = (G + R) * STRIDE * 2u;          // entries that the tiles have room for
const uint ALL = 0xffffffffu;
#define ERROR (float(2u * D + 64u) * 5.9604645e-8)
const float LARGE = 1e36, TINY = 1e-20;           // the range of squared lengths
const float INFINITE = 3e38;                      // a bound that every f is below, but that of a row left out

#define LEFT fcoopmatNV<16, gl_ScopeSubgroup, M, F>
#define RIGHT fcoopmatNV<16, gl_ScopeSubgroup, I, E>
#define SUMS fcoopmatNV<32, gl_ScopeSubgroup, M, E>

shared uvec4 tiles[(G + R) * STRIDE]; // of queries, then of rows
shared float row_adds[R];             // what f takes of a row
shared float row_scales[R];
shared float query_squares[G];
shared float query_shares[G];
shared float bounds[G];               // of f
shared uint counts[G];                // entries of a list; more than C: some found no place
shared uvec2 lists[G * C];            // f, row; at the end key, row
shared uint odd[(G + 31u) / 32u];     // queries that are out of range
shared uint crowded[(G + 31u) / 32u]; // whose lists are full for this tile
shared uint odd_rows, waiting, found;
shared uint largest_query, largest_element, longest, lying; // bits of floats; whether matrices lie otherwise

float values[U * V * 8u];
vec4 query_low[LOADS], query_high[LOADS], row_low[ROW_LOADS], row_high[ROW_LOADS];
float row_parts[ROW_LOADS];
uint query_at[LOADS], row_at[ROW_LOADS];
uint tile_thread, first_query;
float query_scale, row_scale, unscale, flushed, half_error;

// ---- The op's arithmetic: as stream.glsl has it, by one invocation

float four_sums(vec4 x) {
    precise float low = x.x + x.y, high = x.z + x.w;
    precise float four = low + high;
    return four;
}

// The key of the distance of a query and a row.
uint exact_key(uint query, uint row) {
    uint a = query * D, b = row * D;
    vec4 sum = vec4(0.0), left = vec4(0.0), right = vec4(0.0);
    [[dont_unroll]] for (uint d = 0u; d < D; d += 32u) {
        vec4 x[8], y[8];
        [[unroll]] for (uint h = 0u; h < 8u; h++) {
            uint at = min(d + 4u * h, D - 4u);
            x[h] = queries_4(a + at);
            y[h] = base_4(b + at);
        }
        [[unroll]] for (uint h = 0u; h < 8u; h++) {
            if (d + 4u * h >= D) break;
            precise vec4 delta = x[h] - y[h];
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

// ---- Bounds of f

// For rows that are not behind one with this key.
float bound_of(uint g, uint key) {
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
    float square = query_squares[g], size = sqrt(square), share = query_shares[g], most = uintBitsToFloat(longest);
    float bound = f + 2.0 * share * most + 3.0 * size * (flushed + ERROR * most) + 1e-30;
    if (metric == L2) {
        float apart = max(f + square, 0.0);
        most = min(most, 1.2 * (size + sqrt(apart)));
        bound = f + 4.0 * share * most + 6.0 * size * flushed + 1e-30;
        bound += ERROR * (2.0 * most * most + 3.0 * (apart + square));
    }
    if (metric == COSINE) bound = f + 3.0 * share + 8.0 * ERROR * size;
    return bound < INFINITE ? bound : INFINITE;
}

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
        bool inside = D % H == 0u || k + 8u * ((tile_thread + n * T) % EIGHTS) < D;
        query_low[n] = query_high[n] = vec4(0.0);
        if (inside) queries_8(query_at[n] + k, query_low[n], query_high[n]);
    }
}

void load_rows(uint k) {
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        bool inside = D % H == 0u || k + 8u * ((tile_thread + n * T) % EIGHTS) < D;
        row_low[n] = row_high[n] = vec4(0.0);
        if (inside) base_8(row_at[n] + k, row_low[n], row_high[n]);
    }
}

void find_rows(uint row, uint end) {
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        uint i = tile_thread + n * T;
        row_at[n] = min(row + i / EIGHTS, max(end, 1u) - 1u) * D + 8u * (i % EIGHTS);
    }
}

uvec4 to_halves(vec4 low, vec4 high) {
    return uvec4(packHalf2x16(low.xy), packHalf2x16(low.zw), packHalf2x16(high.xy), packHalf2x16(high.zw));
}

float add_square(vec4 x, float square) {
    return fma(x.x, x.x, fma(x.y, x.y, fma(x.z, x.z, fma(x.w, x.w, square))));
}

void store_tiles(bool first) {
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint i = tile_thread + n * T;
        if (G * EIGHTS % T == 0u || i < G * EIGHTS)
            tiles[i / EIGHTS * STRIDE + i % EIGHTS] = to_halves(query_low[n] * query_scale, query_high[n] * query_scale);
    }
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        uint i = tile_thread + n * T;
        row_parts[n] = add_square(row_low[n], add_square(row_high[n], first ? 0.0 : row_parts[n]));
        tiles[(G + i / EIGHTS) * STRIDE + i % EIGHTS] = to_halves(row_low[n] * row_scale, row_high[n] * row_scale);
    }
}

// What f takes of each row of a tile, when all of them are stored, and whether they are in range.
void measure_rows(uint row, uint end) {
    float most = 0.0;
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        float square = row_parts[n];
        [[unroll]] for (uint m = 1u; m < EIGHTS; m *= 2u) square += subgroupShuffleXor(square, m);
        uint i = tile_thread + n * T, at = i / EIGHTS;
        float size = sqrt(square) * (1.0 + ERROR);
        bool good = square < LARGE && square * row_scale * row_scale < 2e9 && (square == 0.0 || square > TINY);
        if (metric == COSINE) good = good && (square == 0.0 || size > flushed * 65536.0);
        if (!good) odd_rows = 1u; // a NaN, too
        most = max(most, good ? size : 0.0);
        if (i % EIGHTS != 0u) continue;
        bool open = row + at < end;
#if excluded_PRESENT
        if (open) open = (excluded((row + at) / 32u) >> (row + at) % 32u & 1u) == 0u;
#endif
        float add = metric == L2 ? square * (1.0 - ERROR) : 0.0, scale = size;
        if (metric == COSINE) scale = square > 0.0 ? inversesqrt(square) : 0.0;
        row_adds[at] = open ? add : uintBitsToFloat(0x7f800000u);
        row_scales[at] = scale;
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
    for (uint i = tile_thread; i < G * GROUPS; i += T) {
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
            [[unroll]] for (uint i = 0u; i < OWN; i++) least = min(least, values[(u * V + i / 4u) * 8u + 4u * h + i % 4u]);
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

// Lists of more than K + spare entries lose those that cannot be among the first K, which lowers the
// bounds. A subgroup has a list.
void prune(uint spare) {
    for (uint g = gl_SubgroupID; g < G; g += T / Z) {
        uint asked = counts[g], count = min(asked, C), kept = 0u;
        if (count <= K + spare) continue;
        uvec2 own[EACH];
        float bound = 0.0;
        [[unroll]] for (uint i = 0u; i < EACH; i++) {
            uint at = gl_SubgroupInvocationID + i * Z, rank = 0u;
            own[i] = lists[g * C + min(at, count - 1u)];
            float f = uintBitsToFloat(own[i].x);
            for (uint n = 0u; n < count; n++) {
                float other = uintBitsToFloat(lists[g * C + n].x);
                rank += uint(other < f || (other == f && n < at));
            }
            uvec4 who = subgroupBallot(at < count && rank == K - 1u);
            if (who.x != 0u) bound = subgroupShuffle(f, subgroupBallotFindLSB(who));
        }
        bound = min(bounds[g], bound_behind(g, bound));
        subgroupBarrier();
        [[unroll]] for (uint i = 0u; i < EACH; i++) {
            bool stays = gl_SubgroupInvocationID + i * Z < count && uintBitsToFloat(own[i].x) <= bound;
            uvec4 who = subgroupBallot(stays);
            if (stays) lists[g * C + kept + subgroupBallotExclusiveBitCount(who)] = own[i];
            kept += subgroupBallotBitCount(who);
        }
        if (subgroupElect()) {
            bounds[g] = bound;
            counts[g] = kept;
            if (asked > C && kept == C) atomicOr(crowded[g / 32u], 1u << g % 32u);
        }
    }
}

// What was put down goes to the lists. Whether they were full meanwhile.
bool distribute(uint count, uint row) {
    bool full = false;
    while (true) {
        bool waits = false;
        for (uint i = tile_thread; i < count; i += T) {
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
        prune(SPARE);
        barrier();
        if (tile_thread == 0u) waiting = 0u;
        barrier();
    }
    return full;
}

// A tile of rows for one query by the op's arithmetic, and what its list had before: the K first of
// all stay. The tiles are overwritten.
void exact_tile(uint g, uint row, uint end) {
    uint listed = min(counts[g], C), total = listed + R;
    for (uint i = tile_thread; i < total; i += T) {
        uint at = row + i - listed;
        bool open = at < end;
        if (i < listed) {
            at = lists[g * C + i].y;
            open = at < row; // what this tile put there comes again
        } else if (open) {
#if excluded_PRESENT
            open = (excluded(at / 32u) >> at % 32u & 1u) == 0u;
#endif
        }
        tiles[i].xy = uvec2(select_none);
        if (open) tiles[i].xy = uvec2(exact_key(min(first_query + g, Q - 1u), at), at);
    }
    barrier();
    if (tile_thread == 0u) counts[g] = 0u;
    for (uint first = 0u; first < total; first += T) {
        uint i = first + tile_thread, rank = 0u;
        uvec2 own = tiles[min(i, total - 1u)].xy;
        bool good = i < total && own.y != select_none;
        for (uint n = 0u; n < total && good; n++) rank += uint(select_before(tiles[n].xy, own));
        barrier();
        if (!good || rank >= K) continue;
        float bound = bound_of(g, own.x);
        lists[g * C + rank] = uvec2(floatBitsToUint(bound), own.y);
        atomicMax(counts[g], rank + 1u);
        if (rank == K - 1u && (odd[g / 32u] >> g % 32u & 1u) == 0u) bounds[g] = min(bounds[g], bound);
    }
    barrier();
}

// Told by what 1 and three quarters, or one quarter, of an f16's last place become.
bool rounds_to_nearest() {
    uint bits = packHalf2x16(vec2(f_hidden(1.000732421875), f_hidden(1.000244140625)));
    return bits == 0x3c003c01u;
}

// A power of two that takes `bits` to below 2^13.
float scale_of(uint bits) {
    int exponent = clamp(int(bits >> 23u) - 127, -50, 50);
    return uintBitsToFloat(uint(127 + 12 - exponent) << 23u);
}

// Scales, and what is known of each query.
void measure_queries() {
    uint lane = tile_thread % LANES, most = 0u;
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++)
        [[unroll]] for (uint e = 0u; e < 4u; e++) {
            float x = abs(row_low[n][e]), y = abs(row_high[n][e]);
            if (x < 1e18) most = max(most, floatBitsToUint(x));
            if (y < 1e18) most = max(most, floatBitsToUint(y));
        }
    most = subgroupMax(most);
    if (subgroupElect()) atomicMax(largest_element, most);
    for (uint first = 0u; first < G; first += T / LANES) {
        uint g = first + tile_thread / LANES, query = min(first_query + min(g, G - 1u), Q - 1u) * D;
        float square = 0.0;
        for (uint d = 4u * lane; d < D; d += 16u * LANES) {
            vec4 x[4];
            [[unroll]] for (uint n = 0u; n < 4u; n++) x[n] = queries_4(query + min(d + 4u * LANES * n, D - 4u));
            [[unroll]] for (uint n = 0u; n < 4u; n++)
                if (d + 4u * LANES * n < D) square = add_square(x[n], square);
        }
        [[unroll]] for (uint m = 1u; m < LANES; m *= 2u) square += subgroupShuffleXor(square, m);
        if (lane != 0u || g >= G) continue;
        bool used = first_query + g < Q, good = square < LARGE && square > TINY;
        query_squares[g] = square;
        counts[g] = 0u;
        bounds[g] = used && good ? INFINITE : uintBitsToFloat(0xff800000u);
        if (used && !good) atomicOr(odd[g / 32u], 1u << g % 32u);
        if (good) atomicMax(largest_query, floatBitsToUint(sqrt(square)));
    }
    barrier();
    query_scale = scale_of(largest_query);
    row_scale = scale_of(floatBitsToUint(uintBitsToFloat(largest_element) * sqrt(float(D))));
    if (largest_element == 0u) row_scale = query_scale;
    unscale = 1.0 / query_scale / row_scale;
    flushed = 1.01 * sqrt(float(D)) * 6.1035156e-5 / row_scale;
    for (uint first = 0u; first < G; first += T / LANES) {
        uint g = first + tile_thread / LANES, query = min(first_query + min(g, G - 1u), Q - 1u) * D;
        float lost = 0.0;
        for (uint d = 4u * lane; d < D; d += 16u * LANES) {
            vec4 x[4];
            [[unroll]] for (uint n = 0u; n < 4u; n++)
                x[n] = queries_4(query + min(d + 4u * LANES * n, D - 4u)) * query_scale;
            [[unroll]] for (uint n = 0u; n < 4u; n++) {
                vec4 rounded = vec4(unpackHalf2x16(packHalf2x16(x[n].xy)), unpackHalf2x16(packHalf2x16(x[n].zw)));
                rounded *= vec4(greaterThanEqual(abs(rounded), vec4(6.1035156e-5))); // less may be taken for zero
                if (d + 4u * LANES * n < D) lost = add_square(x[n] - rounded, lost);
            }
        }
        [[unroll]] for (uint m = 1u; m < LANES; m *= 2u) lost += subgroupShuffleXor(lost, m);
        if (lane != 0u || g >= G) continue;
        float size = sqrt(query_squares[g]), each = half_error + float(D) * 2.3841858e-7;
        if (metric == COSINE) each += 1.5258789e-5;
        query_shares[g] = 1.003 * (sqrt(lost) / query_scale + size * each);
    }
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= B * P) return;
    tile_thread = gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID;
    uint part = group / B, size = (N + P - 1u) / P, begin = min(part * size, N), end = min(begin + size, N);
    first_query = group % B * G;
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint i = min(tile_thread + n * T, G * EIGHTS - 1u);
        query_at[n] = min(first_query + i / EIGHTS, Q - 1u) * D + 8u * (i % EIGHTS);
    }
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) row_low[n] = row_high[n] = vec4(0.0);
    if (begin < end) {
        find_rows(begin, end);
        load_rows(0u);
        load_queries(0u);
    }
    for (uint i = tile_thread; i < (G + 31u) / 32u; i += T) {
        odd[i] = 0u;
        crowded[i] = 0u;
    }
    if (tile_thread == 0u) {
        odd_rows = waiting = found = lying = 0u;
        largest_query = largest_element = longest = 0u;
    }
    half_error = rounds_to_nearest() ? 4.8828125e-4 : 9.765625e-4;
    barrier();
    if (gl_SubgroupID == 0u && !lies_as_expected()) lying = 1u;
    measure_queries();
    barrier();

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
        if (tile_thread == 0u) odd_rows = 0u;
        if (count <= ROOM) {
            if (distribute(count, row)) exact = true;
        } else {
            for (uint which = 0u; which < U * V * 8u; which++) { // of which there is room for one each
                barrier();
                if (tile_thread == 0u) found = 0u;
                barrier();
                offer(which);
                barrier();
                if (distribute(found, row)) exact = true;
            }
        }
        if (tile_thread == 0u) found = 0u;
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
            if (tile_thread < (G + 31u) / 32u) crowded[tile_thread] = 0u;
            barrier();
        }
    }

    // What is left gets its distances.
    prune(0u);
    barrier();
    uint total = 0u;
    for (uint g = 0u; g < G; g++) total += min(counts[g], C);
    uint g = 0u, passed = 0u;
    for (uint i = tile_thread; i < total; i += T) {
        while (passed + counts[g] <= i) passed += counts[g++];
        uint at = g * C + i - passed;
        lists[at].x = exact_key(min(first_query + g, Q - 1u), lists[at].y);
    }
    barrier();
    for (uint i = tile_thread; i < G * C; i += T) {
        uint query = i / C, count = counts[query], place = i % C;
        uvec2 own = uvec2(select_none);
        if (first_query + query >= Q) continue;
        if (place < count) {
            own = lists[i];
            place = 0u;
            for (uint n = 0u; n < count; n++) place += uint(select_before(lists[query * C + n], own));
        }
        if (place >= K) continue;
        uint at = ((first_query + query) * P + part) * K + place;
        values_store(at, select_float(own.x, own.y, metric == DOT));
        indices_store(at, own.y);
    }
}
