// The K nearest rows of each of P parts of a base, for many queries, by products of tiles.
//
// |a - b|^2 = |a|^2 - 2ab + |b|^2 takes one multiplication and addition an element where differences
// take two operations, and a tile of products does as much for each load of shared memory as
// registers have room. But it cancels, and adds in another order: what comes out is no distance that
// the metric's op gives. So it only filters. Its error is bounded by the length of the sums and by
// |a| and |b|; a row whose filter value is above a query's bound cannot be among the K nearest. The
// few others wait in a list of the query, and at the end their distances are computed as the op
// computes them, to the bit.
//
// The filter value f of row b for query a, with ERROR = (2 D + 64) 2^-24, more than what any sum here
// or in the op can be off by, relative to |a| |b|:
//   l2      |b|^2 (1 - ERROR) - 2ab     distance <= t needs f <= t (1 + 2 ERROR) - |a|^2 (1 - 2 ERROR)
//   dot     -ab - ERROR |a| |b|         product >= t needs f <= -t
//   cosine  -ab / |b|                   distance <= t needs f <= |a| (t - 1 + 4 ERROR)
// The other way round, rows up to f are no further away than what bound_behind(f) is the bound of.
// Where norms are out of the range for which this holds, infinities and NaN among them, a query, or all
// queries for a tile of rows, are computed by the op's arithmetic at once; so is a query for a tile
// of which its list cannot take all that passes.
//
// The first tile gives the first bounds: of 32 groups of rows the least f each, of which K are not
// above the K-th. Its rows, and those of the next tiles, go to the lists a share at a time, so that
// lists need not have room for many.
//
// A thread has the products of U queries and 8 rows; subgroups of 4 x 8 threads, J of them along the
// queries and 4 along the rows. Tiles lie transposed in shared memory ([k][row]), 8 deep, in two
// buffers: one is filled while the other is used. The buffers are room for other work between tiles,
// behind which the first 8 of the next tile are loaded again.
//
// U: queries of a thread; J: subgroups along them; G: queries of a workgroup; B: groups of them; T:
// threads; C: places of a list.
//
// local: T
// grid: min(B * P, 65535), ceil_div(B * P, 65535), 1
const uint L2 = 0u, COSINE = 1u, DOT = 2u;
const uint ROWS = 256u, DEPTH = 8u, QUADS = DEPTH / 4u;
const uint WIDTH = J * 32u; // queries of a tile, and gaps where U is less than 8
const uint PAD = 16u;       // behind four rows of k, so that threads meet no bank twice
const uint QUERY_STEP = 4u * WIDTH + PAD, ROW_STEP = 4u * ROWS + PAD; // four rows of k
const uint QUERY_BUFFER = QUADS * QUERY_STEP, ROW_BUFFER = QUADS * ROW_STEP;
const uint LOADS = (G * QUADS + T - 1u) / T, ROW_LOADS = (ROWS * QUADS + T - 1u) / T;
const uint SPARE = (C - K) / 4u;         // entries that lists may have too many when they are looked through
const uint GROUPS = 32u;                 // of rows, for the first bounds
#define ERROR (float(2u * D + 64u) * 5.9604645e-8)
const float LARGE = 1e36, TINY = 1e-20;  // the range of squared norms
const float INFINITE = 3e38;             // a bound that every f is below, but that of a row left out

shared uvec4 query_tile[2u * QUERY_BUFFER / 4u];
shared uvec4 row_tile[2u * ROW_BUFFER / 4u];
shared float row_squares[QUADS * ROWS]; // sums of parts of each row; then what f takes of it, and inf for those left out
shared float query_squares[G];
shared float bounds[G];                 // of f
shared uint counts[G];                  // entries of a list; more than C: some found no place
shared uvec2 lists[G * C];              // f, row; at the end key, row
shared uint odd[(G + 31u) / 32u];       // queries that are out of range
shared uint odd_rows, wanted, longest;  // longest: the bits of the largest |b|, for dot

vec4 sums[U * 2u];
vec4 query_load[LOADS];
vec4 row_load[ROW_LOADS];
float row_parts[ROW_LOADS];
uint query_at[LOADS], row_at[ROW_LOADS];

// ---- The op's arithmetic: as stream.glsl has it

float four_sums(float x) {
    precise float two = x + subgroupShuffleXor(x, 1u);
    precise float four = two + subgroupShuffleXor(two, 2u);
    return four;
}

// The key of the distance of a query and a row, by four neighbouring threads that all get it.
uint exact_key(uint query, uint row) {
    uint j = gl_SubgroupInvocationID % 4u, a = query * D, b = row * D;
    float sum = 0.0, left = 0.0, right = 0.0;
    for (uint d = 0u; d < D; d += 64u) {
        vec4 x[4], y[4];
        [[unroll]] for (uint h = 0u; h < 4u; h++) {
            uint at = min(d + 16u * h, D - 16u);
            [[unroll]] for (uint e = 0u; e < 4u; e++) {
                x[h][e] = queries(a + at + 4u * e + j);
                y[h][e] = base(b + at + 4u * e + j);
            }
        }
        [[unroll]] for (uint h = 0u; h < 4u; h++)
            if (d + 16u * h < D)
                [[unroll]] for (uint e = 0u; e < 4u; e++) {
                    precise float delta = x[h][e] - y[h][e];
                    if (metric == L2) sum = fma(delta, delta, sum);
                    else sum = fma(x[h][e], y[h][e], sum);
                    if (metric == COSINE) {
                        left = fma(x[h][e], x[h][e], left);
                        right = fma(y[h][e], y[h][e], right);
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
    float t = select_float(key, 0u, metric == DOT), square = query_squares[g], bound = -t;
    if (metric == L2) bound = fma(t, 1.0 + 2.0 * ERROR, fma(square, -1.0 + 2.0 * ERROR, 1e-30));
    if (metric == COSINE) bound = sqrt(square) * (t - 1.0 + 4.0 * ERROR);
    return bound < INFINITE ? bound : INFINITE;
}

// For rows that are not behind one with this f.
float bound_behind(uint g, float f) {
    float square = query_squares[g], bound = f;
    if (metric == L2) bound = f + 16.0 * ERROR * (square + max(f + square, 0.0)) + 1e-30;
    if (metric == DOT) bound = f + 4.0 * ERROR * sqrt(square) * uintBitsToFloat(longest) + 1e-30;
    if (metric == COSINE) bound = f + 8.0 * ERROR * sqrt(square);
    return bound < INFINITE ? bound : INFINITE;
}

// ---- Tiles

uint tile_thread, lane_query, lane_row, first_query, place_query, place_row;

void find_places() {
    uint lane = tile_thread % 32u, subgroup = tile_thread / 32u;
    uint down = (lane >> 1u & 1u) | (lane >> 3u & 1u) << 1u;
    uint right = (lane & 1u) | (lane >> 2u & 1u) << 1u | lane >> 4u << 2u;
    uint along = subgroup % J, across = subgroup / J;
    lane_query = (along * 4u + down) * U; // the first of U
    place_query = along * 8u + down;      // in vec4, of U; the next four are 4 further
    lane_row = across * 64u + 4u * right; // the first four of eight; the others are 32 further
    place_row = across * 16u + right;     // in vec4; the others are 8 further
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint i = min(tile_thread + n * T, G * QUADS - 1u);
        query_at[n] = min(first_query + i / QUADS, Q - 1u) * D + 4u * (i % QUADS);
    }
}

uint place_of(uint g) { // where query g stands in a row of k of the tile
    uint i = g % U, down = g / U % 4u, along = g / U / 4u;
    return along * 32u + i / 4u * 16u + down * 4u + i % 4u;
}

// Where this thread's loads of a tile of rows begin.
void find_rows(uint row, uint end) {
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        uint i = tile_thread + n * T;
        row_at[n] = min(row + i / QUADS, max(end, 1u) - 1u) * D + 4u * (i % QUADS);
    }
}

void load_tiles(uint k) {
    [[unroll]] for (uint n = 0u; n < LOADS; n++) query_load[n] = queries_4(query_at[n] + k);
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) row_load[n] = base_4(row_at[n] + k);
}

void store_tiles(uint which) {
    [[unroll]] for (uint n = 0u; n < LOADS; n++) {
        uint i = tile_thread + n * T;
        if (i >= G * QUADS) break;
        uint to = which * QUERY_BUFFER + i % QUADS * QUERY_STEP + place_of(i / QUADS), v = to / 4u, c = to % 4u;
        [[unroll]] for (uint e = 0u; e < 4u; e++) query_tile[v + e * WIDTH / 4u][c] = floatBitsToUint(query_load[n][e]);
    }
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        uint i = tile_thread + n * T;
        uint to = which * ROW_BUFFER + i % QUADS * ROW_STEP + i / QUADS, v = to / 4u, c = to % 4u;
        [[unroll]] for (uint e = 0u; e < 4u; e++) row_tile[v + e * ROWS / 4u][c] = floatBitsToUint(row_load[n][e]);
    }
}

// Adds what was loaded to the squares of its rows, and leaves them after the last step.
void add_squares(bool first, bool last) {
    [[unroll]] for (uint n = 0u; n < ROW_LOADS; n++) {
        vec4 x = row_load[n];
        float square = first ? 0.0 : row_parts[n];
        row_parts[n] = fma(x.x, x.x, fma(x.y, x.y, fma(x.z, x.z, fma(x.w, x.w, square))));
        uint i = tile_thread + n * T;
        if (last) row_squares[i % QUADS * ROWS + i / QUADS] = row_parts[n];
    }
}

void multiply(uint which) {
    uint left = which * QUERY_BUFFER / 4u + place_query, right = which * ROW_BUFFER / 4u + place_row;
    [[unroll]] for (uint n = 0u; n < QUADS; n++)
        [[unroll]] for (uint k = 0u; k < 4u; k++) {
            uint l = left + n * QUERY_STEP / 4u + k * WIDTH / 4u, r = right + n * ROW_STEP / 4u + k * ROWS / 4u;
            vec4 a[2], b[2];
            a[0] = uintBitsToFloat(query_tile[l]);
            if (U > 4u) a[1] = uintBitsToFloat(query_tile[l + 4u]);
            b[0] = uintBitsToFloat(row_tile[r]);
            b[1] = uintBitsToFloat(row_tile[r + 8u]);
            [[unroll]] for (uint i = 0u; i < U; i++) {
                sums[2u * i] = fma(vec4(a[i / 4u][i % 4u]), b[0], sums[2u * i]);
                sums[2u * i + 1u] = fma(vec4(a[i / 4u][i % 4u]), b[1], sums[2u * i + 1u]);
            }
        }
}

// What f takes of each row of a tile, and whether the rows' norms are in range.
void finish_squares(uint row, uint end) {
    for (uint i = tile_thread; i < ROWS; i += T) {
        float square = 0.0, extra = 0.0;
        [[unroll]] for (uint n = 0u; n < QUADS; n++) square += row_squares[n * ROWS + i];
        bool open = row + i < end;
#if excluded_PRESENT
        if (open) open = (excluded((row + i) / 32u) >> (row + i) % 32u & 1u) == 0u;
#endif
        if (!(square < LARGE && (square == 0.0 || square > TINY))) odd_rows = 1u; // a NaN, too
        float value = square * (1.0 - ERROR);
        if (metric == DOT) {
            value = sqrt(square) * (1.0 + ERROR);
            if (open) atomicMax(longest, floatBitsToUint(value));
        }
        if (metric == COSINE) value = square > 0.0 ? inversesqrt(square) : 0.0;
        if (!open) extra = uintBitsToFloat(0x7f800000u);
        if (!open && metric == L2) value = extra;
        if (!open && metric == DOT) value = -extra;
        row_squares[i] = value;
        row_squares[ROWS + i] = extra;
    }
}

bool is_odd(uint g) {
    return (odd[g / 32u] >> g % 32u & 1u) != 0u;
}

// Sums become values of f.
void finish_sums() {
    vec4 values[2], extra[2];
    [[unroll]] for (uint c = 0u; c < 2u; c++)
        [[unroll]] for (uint e = 0u; e < 4u; e++) {
            values[c][e] = row_squares[lane_row + 32u * c + e];
            extra[c][e] = row_squares[ROWS + lane_row + 32u * c + e];
        }
    [[unroll]] for (uint i = 0u; i < U; i++) {
        float share = 0.0;
        if (metric == DOT) share = ERROR * sqrt(query_squares[lane_query + i]);
        [[unroll]] for (uint c = 0u; c < 2u; c++) {
            vec4 f = sums[2u * i + c];
            if (metric == L2) f = fma(f, vec4(-2.0), values[c]);
            if (metric == DOT) f = fma(values[c], vec4(-share), -f);
            if (metric == COSINE) f = fma(-f, values[c], extra[c]);
            sums[2u * i + c] = f;
        }
    }
}

// The first bounds, from the least f of each thread's rows. The tile of rows is overwritten.
void guess_bounds() {
    [[unroll]] for (uint i = 0u; i < U; i++) {
        vec4 least = min(sums[2u * i], sums[2u * i + 1u]);
        uint to = (lane_query + i) * GROUPS + lane_row / 64u * 8u + lane_row % 64u / 4u;
        row_tile[to / 4u][to % 4u] = floatBitsToUint(min(min(least.x, least.y), min(least.z, least.w)));
    }
    barrier();
    for (uint i = tile_thread; i < G * GROUPS; i += T) {
        uint first = i / GROUPS * GROUPS, rank = 0u;
        float own = uintBitsToFloat(row_tile[i / 4u][i % 4u]);
        for (uint n = first; n < first + GROUPS; n++) {
            float other = uintBitsToFloat(row_tile[n / 4u][n % 4u]);
            rank += uint(other < own || (other == own && n < i));
        }
        if (rank == K - 1u) bounds[i / GROUPS] = min(bounds[i / GROUPS], bound_behind(i / GROUPS, own));
    }
    barrier();
}

// Rows that pass go to the lists: of each thread's eight those with number % shares == share.
void offer(uint row, uint share, uint shares) {
    [[unroll]] for (uint i = 0u; i < U; i++) {
        uint g = lane_query + i;
        float bound = bounds[g];
        vec4 least = min(sums[2u * i], sums[2u * i + 1u]);
        if (min(min(least.x, least.y), min(least.z, least.w)) <= bound)
            [[unroll]] for (uint c = 0u; c < 2u; c++)
                [[unroll]] for (uint e = 0u; e < 4u; e++) {
                    float f = sums[2u * i + c][e];
                    if (f <= bound && ((4u * c + e) & (shares - 1u)) == share) {
                        uint place = atomicAdd(counts[g], 1u);
                        if (place < C) lists[g * C + place] = uvec2(floatBitsToUint(f), row + lane_row + 32u * c + e);
                    }
                }
    }
}

// Lists of more than K + spare entries lose those that cannot be among the first K, which lowers the
// bounds. A list that is over-full stays.
void prune(uint spare) {
    uint j = tile_thread % 4u;
    for (uint first = 0u; first < G; first += T / 4u) {
        uint g = min(first + tile_thread / 4u, G - 1u), count = first + tile_thread / 4u < G ? counts[g] : 0u;
        if (count <= K + spare || count > C) count = 0u;
        for (uint i = j; i < count; i += 4u) {
            float own = uintBitsToFloat(lists[g * C + i].x);
            uint rank = 0u;
            for (uint n = 0u; n < count; n++) {
                float other = uintBitsToFloat(lists[g * C + n].x);
                rank += uint(other < own || (other == own && n < i));
            }
            if (rank == K - 1u) bounds[g] = min(bounds[g], bound_behind(g, own));
        }
        barrier();
        if (count > 0u && j == 0u) {
            float bound = bounds[g];
            uint left = 0u;
            for (uint n = 0u; n < count; n++) {
                uvec2 entry = lists[g * C + n];
                if (uintBitsToFloat(entry.x) <= bound) lists[g * C + left++] = entry;
            }
            counts[g] = left;
        }
        barrier();
    }
}

// A tile of rows for one query by the op's arithmetic, and what its list had before: the K first of
// all stay. The tile of rows is overwritten.
void exact_tile(uint g, uint row, uint end) {
    uint listed = min(counts[g], C), total = listed + ROWS;
    for (uint first = 0u; first < total; first += T / 4u) {
        uint i = first + tile_thread / 4u, at = row + i - listed;
        bool open = i < total;
        if (open && i < listed) {
            at = lists[g * C + i].y;
            open = at < row; // what this tile put there comes again
        } else {
            open = open && at < end;
#if excluded_PRESENT
            if (open) open = (excluded(at / 32u) >> at % 32u & 1u) == 0u;
#endif
        }
        uint key = exact_key(min(first_query + g, Q - 1u), open ? at : row);
        if (i < total && tile_thread % 4u == 0u) row_tile[i].xy = open ? uvec2(key, at) : uvec2(select_none);
    }
    barrier();
    if (tile_thread == 0u) counts[g] = 0u;
    for (uint first = 0u; first < total; first += T) {
        uint i = first + tile_thread, rank = 0u;
        uvec2 own = row_tile[min(i, total - 1u)].xy;
        bool good = i < total && own.y != select_none;
        for (uint n = 0u; n < total && good; n++) rank += uint(select_before(row_tile[n].xy, own));
        barrier();
        if (!good || rank >= K) continue;
        float bound = bound_of(g, own.x);
        lists[g * C + rank] = uvec2(floatBitsToUint(bound), own.y);
        atomicMax(counts[g], rank + 1u);
        if (rank == K - 1u && !is_odd(g)) bounds[g] = bound;
    }
    barrier();
}

void main() {
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= B * P) return;
    tile_thread = gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID;
    uint part = group / B, size = (N + P - 1u) / P, begin = min(part * size, N), end = min(begin + size, N);
    first_query = group % B * G;
    find_places();

    for (uint i = tile_thread; i < (G + 31u) / 32u; i += T) odd[i] = 0u;
    if (tile_thread == 0u) {
        odd_rows = 0u;
        wanted = 0u;
        longest = 0u;
    }
    barrier();
    for (uint first = 0u; first < G; first += T / 4u) {
        uint g = first + tile_thread / 4u, query = min(first_query + min(g, G - 1u), Q - 1u) * D;
        float square = 0.0;
        for (uint d = 4u * (tile_thread % 4u); d < D; d += 16u) {
            vec4 x = queries_4(query + d);
            square = fma(x.x, x.x, fma(x.y, x.y, fma(x.z, x.z, fma(x.w, x.w, square))));
        }
        square = four_sums(square);
        if (tile_thread % 4u != 0u || g >= G) continue;
        bool used = first_query + g < Q, good = square < LARGE && square > TINY;
        query_squares[g] = square;
        counts[g] = 0u;
        bounds[g] = used && good ? INFINITE : uintBitsToFloat(0xff800000u);
        if (used && !good) atomicOr(odd[g / 32u], 1u << g % 32u);
    }
    if (begin < end) {
        find_rows(begin, end);
        load_tiles(0u);
        store_tiles(0u);
        add_squares(true, false);
    }
    barrier();
    for (uint row = begin; row < end; row += ROWS) {
        [[unroll]] for (uint i = 0u; i < U * 2u; i++) sums[i] = vec4(0.0);
        for (uint k = 0u; k < D; k += 2u * DEPTH) {
            bool last = k + 2u * DEPTH == D;
            load_tiles(k + DEPTH);
            subgroupBarrier(); // or the loads sink behind the arithmetic
            multiply(0u);
            subgroupBarrier();
            store_tiles(1u);
            add_squares(false, last);
            barrier();
            if (last) find_rows(row + ROWS, end);
            load_tiles(last ? 0u : k + 2u * DEPTH);
            subgroupBarrier();
            multiply(1u);
            subgroupBarrier();
            store_tiles(0u);
            add_squares(last, false);
            barrier();
        }
        finish_squares(row, end);
        barrier();
        finish_sums();
        bool all = odd_rows != 0u, again = all;
        barrier(); // before odd_rows is set anew
        uint done = (row - begin) / ROWS, shares = done < 2u ? 8u : done < 6u ? 4u : done < 12u ? 2u : 1u;
        uint trigger = done < 2u ? K + SPARE + 1u : K + (C - K) * 2u / 3u;
        if (!all) {
            if (row == begin) {
                again = true;
                guess_bounds();
            }
            for (uint share = 0u; share < shares; share++) {
                offer(row, share, shares);
                barrier();
                if (tile_thread < G && counts[tile_thread] > trigger) wanted = 1u;
                barrier();
                if (wanted == 0u) continue;
                prune(SPARE);
                if (tile_thread == 0u) wanted = 0u;
                barrier();
            }
        }
        for (uint g = 0u; g < G; g++) {
            if (!(all || is_odd(g) || counts[g] > C) || first_query + g >= Q) continue;
            exact_tile(g, row, end);
            again = true;
        }
        if (again) { // the first step of the next tile was overwritten
            if (tile_thread == 0u) odd_rows = 0u;
            load_tiles(0u);
            store_tiles(0u);
            barrier();
        }
    }

    // What is left gets its distances, an entry of each query at a time.
    prune(0u);
    if (tile_thread < G) atomicMax(wanted, counts[tile_thread]);
    barrier();
    uint most = wanted;
    for (uint e = 0u; e < most; e++)
        for (uint first = 0u; first < G; first += T / 4u) {
            uint g = min(first + tile_thread / 4u, G - 1u);
            bool open = first + tile_thread / 4u < G && e < counts[g];
            uint row = open ? lists[g * C + e].y : 0u, key = exact_key(min(first_query + g, Q - 1u), row);
            if (open && tile_thread % 4u == 0u) lists[g * C + e].x = key;
        }
    barrier();
    for (uint i = tile_thread; i < G * C; i += T) {
        uint g = i / C, count = counts[g], place = i % C;
        uvec2 own = uvec2(select_none);
        if (first_query + g >= Q) continue;
        if (place < count) {
            own = lists[i];
            place = 0u;
            for (uint n = 0u; n < count; n++) place += uint(select_before(lists[g * C + n], own));
        }
        if (place >= K) continue;
        uint at = ((first_query + g) * P + part) * K + place;
        values_store(at, select_float(own.x, own.y, metric == DOT));
        indices_store(at, own.y);
    }
}
