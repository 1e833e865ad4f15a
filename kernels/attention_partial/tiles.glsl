// Attention of one token of each sequence over a part of the cache. A workgroup takes one part, one head of
// the cache and the J query heads that read it, so that each row is loaded once for all of them.
//
// Rows of k and v come in tiles, 16 bytes at a time, through shared memory; while a tile is worked
// on, the next one is already on its way to registers. Maxima and sums are kept as the tiles go by
// (online softmax), in four steps: a thread makes the score of one row and head; the maximum of
// each head; weights; then a thread adds up weighted columns of v, for one head or a few, over
// every LANES-th row. At the end the lanes are added up, in order.
//
// attention_append: the row at `position` is the new token's. Nobody reads it in memory: the part that
// it belongs to makes it of key and value, which are asked for when the first tile is on its way, and
// stores it; where it belongs to none, the first part does.
//
// Rows of q8_0 are unpacked on their way to shared memory, and a new one is packed as quantize_q8_0 does it.
//
// A: sequences; L: query heads for each head of the cache; Z: workgroups that share them; O: heads of all
// sequences.
//
// local: 256
// grid: P, G * Z, A
// bind: k uvec4, v uvec4

uint sequence, first_place;
const uint room = S;

// with: attention/rows

#if k_DTYPE == F16 || k_DTYPE == BF16
const uint WIDTH = 8u; // elements in 16 bytes, a column
#else
const uint WIDTH = 4u;
#endif
const uint COLUMNS = (D + WIDTH - 1u) / WIDTH;
// Rows of a tile: two columns of k and two of v for each thread, at most.
const uint TILE = COLUMNS <= 8u ? 64u : COLUMNS <= 16u ? 32u : COLUMNS <= 32u ? 16u : 8u;
const uint PART_ROWS = 32u; // parts are multiples of this
const uint SEGMENTS = 8u;   // threads that look for the maximum of one head
// Where columns of v are added up: heads side by side, heads of one thread, and threads that share
// one column of one head.
const uint SIDE = J * COLUMNS <= 256u ? J : 256u / COLUMNS;
const uint TURNS = (J + SIDE - 1u) / SIDE;
const uint LANES = 256u / (COLUMNS * SIDE);
const uint TURNS_OF_Q = (J * COLUMNS * WIDTH + 255u) / 256u; // elements of q that a thread loads
const float LOWEST = -3.4028235e38;

shared vec4 queries[J * COLUMNS * WIDTH / 4u];
shared uvec4 k_tile[TILE * (COLUMNS + 1u)]; // rows one column apart, against bank conflicts
shared uvec4 v_tile[512];                   // at the end: sums of the lanes
shared float weights[J * TILE];             // scores, then weights
shared float segments[J * SEGMENTS];
shared float most[J];                       // the greatest score so far
shared float keep[J];                       // what earlier sums are worth now
#if key_PRESENT
shared float fresh[2u * D];                 // the new row, rounded as the cache's are: k, then v
uint fresh_row;                             // above all others where it is stored nowhere
#endif

// The elements of a column, four at a time.
vec4 unpack(uvec4 raw, uint n) {
#if k_DTYPE == F16
    return n == 0u ? vec4(unpackHalf2x16(raw.x), unpackHalf2x16(raw.y))
                   : vec4(unpackHalf2x16(raw.z), unpackHalf2x16(raw.w));
#elif k_DTYPE == BF16
    return bf16x4_to_f32(n == 0u ? raw.xy : raw.zw);
#else
    return uintBitsToFloat(raw);
#endif
}

uvec4 pack(float e[8]) {
#if k_DTYPE == F16
    return uvec4(f32_to_f16x4(vec4(e[0], e[1], e[2], e[3])), f32_to_f16x4(vec4(e[4], e[5], e[6], e[7])));
#elif k_DTYPE == BF16
    return uvec4(f32_to_bf16x4(vec4(e[0], e[1], e[2], e[3])), f32_to_bf16x4(vec4(e[4], e[5], e[6], e[7])));
#else
    return floatBitsToUint(vec4(e[0], e[1], e[2], e[3]));
#endif
}

// Column c of a row; element by element where rows are no whole number of columns, or
// do not begin at 16 bytes.
// twin: load_k load_v, k_ALIGNED v_ALIGNED, k_data v_data, k v, k_4 v_4
uvec4 load_k(uint place, uint group, uint c) {
#if k_DTYPE == Q8_0
    return floatBitsToUint(k_4((place * G + group) * D + c * WIDTH));
#else
#if k_ALIGNED
    if (D % WIDTH == 0u) return k_data[(place * G + group) * COLUMNS + c];
#endif
    float e[8];
    for (uint n = 0u; n < WIDTH; n++) {
        uint d = c * WIDTH + n;
        e[n] = 0.0;
        if (d < D) e[n] = k((place * G + group) * D + d);
    }
    return pack(e);
#endif
}

#if key_PRESENT
float rounded(float x) {
#if k_DTYPE == F16
    return round_f16(x);
#elif k_DTYPE == BF16
    return round_bf16(x);
#else
    return x;
#endif
}

// Makes row `position` the new one, where it is one that can be stored.
void find_fresh_row(uint row) {
    bool is_there = ring != 0u ? row >= begin_rows && row < end_rows : row < S;
#if table_PRESENT
    is_there = is_there && page_of(row) < V;
#endif
    fresh_row = is_there ? row : 0xffffffffu;
}

#if k_DTYPE != Q8_0
void store_fresh(uint group) {
    uint first = (place_of(fresh_row) * G + group) * D;
    for (uint d = gl_LocalInvocationIndex; d < D; d += 256u) {
        k_store(first + d, fresh[d]);
        v_store(first + d, fresh[D + d]);
    }
}
#else
// Packs the new row in blocks, a thread each, stores it if it is this workgroup's to store, and leaves
// what the blocks are.
void pack_fresh(uint group, bool is_keeper) {
    uint block = gl_LocalInvocationIndex, blocks = D / 32u;
    if (block >= 2u * blocks) return;
    float most = 0.0;
    for (uint n = 0u; n < 32u; n++) {
        float size = abs(fresh[block * 32u + n]);
        if (size > most) most = size;
    }
    uint scale_bits;
    float inverse = quantize_q8_inverse(most, scale_bits);
    uint to = 0u;
    if (is_keeper) to = ((place_of(fresh_row) * G + group) * blocks + block % blocks) * 17u;
    if (is_keeper && block < blocks) k_data[to] = uint16_t(scale_bits);
    if (is_keeper && block >= blocks) v_data[to] = uint16_t(scale_bits);
    for (uint n = 0u; n < 16u; n++) {
        uint at = block * 32u + 2u * n;
        precise float low = fresh[at] * inverse, high = fresh[at + 1u] * inverse;
        uint codes = quantize_q8_code(low) | quantize_q8_code(high) << 8;
        if (is_keeper && block < blocks) k_data[to + 1u + n] = uint16_t(codes);
        if (is_keeper && block >= blocks) v_data[to + 1u + n] = uint16_t(codes);
        fresh[at] = float(int(codes << 24) >> 24) * f16_to_f32(scale_bits);
        fresh[at + 1u] = float(int(codes << 16) >> 24) * f16_to_f32(scale_bits);
    }
}
#endif

// Column c of the new row; `first` is D for v.
uvec4 fresh_column(uint first, uint c) {
    float e[8];
    for (uint n = 0u; n < WIDTH; n++)
        e[n] = c * WIDTH + n < D ? fresh[first + c * WIDTH + n] : 0.0;
    return pack(e);
}
#endif

bool is_cached(uint row) {
#if key_PRESENT
    return row != fresh_row;
#else
    return true;
#endif
}

// A thread's columns of the tile that starts at `tile`, on their way.
void fetch(uint tile, uint end, uint group, out uvec4 from_k[2], out uvec4 from_v[2]) {
    for (uint n = 0u; n < 2u; n++) {
        uint at = n * 256u + gl_LocalInvocationIndex;
        uint row = tile + at / COLUMNS;
        from_k[n] = uvec4(0u);
        from_v[n] = uvec4(0u);
        if (at < TILE * COLUMNS && row < end && is_cached(row)) {
            uint place = place_of(row);
            from_k[n] = load_k(place, group, at % COLUMNS);
            from_v[n] = load_v(place, group, at % COLUMNS);
        }
    }
}

float score_of(uint j, uint row) {
    precise vec4 sum = vec4(0.0);
    for (uint c = 0u; c < COLUMNS; c++) {
        uvec4 raw = k_tile[row * (COLUMNS + 1u) + c];
        for (uint n = 0u; n < WIDTH / 4u; n++)
            sum = fma(queries[(j * COLUMNS + c) * (WIDTH / 4u) + n], unpack(raw, n), sum);
    }
    float factor = scale == 0.0 ? 1.0 / sqrt(float(D)) : scale;
    precise float score = (sum.x + sum.y + sum.z + sum.w) * factor;
    return softcap == 0.0 ? score : attention_capped(score, softcap);
}

// A score and what a mask adds to it.
float masked(float score, uint head, uint row) {
    float more = 0.0;
#if ROWS_LEFT_OUT
    more = row_added(row);
#endif
#if MASK_BY_TOKEN
    if (more != attention_none()) more = score_added(0u, head, row);
#endif
    return more == attention_none() ? more : score + more;
}

// Scores of a tile's `count` rows become weights, in four steps.
void weigh(uint tile, uint count, uint first_head) {
    uint thread = gl_LocalInvocationIndex;
    for (uint i = thread; i < J * TILE; i += 256u) {
        weights[i] = i % TILE < count ? score_of(i / TILE, i % TILE) : LOWEST;
#if ROWS_LEFT_OUT || MASK_BY_TOKEN
        if (i % TILE < count) weights[i] = masked(weights[i], first_head + i / TILE, tile + i % TILE);
#endif
    }
    barrier();
    if (thread < J * SEGMENTS) {
        float high = LOWEST;
        for (uint n = 0u; n < TILE / SEGMENTS; n++)
            high = max(high, weights[thread / SEGMENTS * TILE + n * SEGMENTS + thread % SEGMENTS]);
        segments[thread] = high;
    }
    barrier();
    if (thread < J) {
        float high = most[thread];
        for (uint n = 0u; n < SEGMENTS; n++) high = max(high, segments[thread * SEGMENTS + n]);
        keep[thread] = attention_weight(most[thread], high);
        most[thread] = high;
    }
    barrier();
    for (uint i = thread; i < J * TILE; i += 256u)
        weights[i] = i % TILE < count ? attention_weight(weights[i], most[i / TILE]) : 0.0;
    barrier();
}

void main() {
    uint thread = gl_LocalInvocationIndex;
    uint part = gl_WorkGroupID.x;
    uint group = gl_WorkGroupID.y / Z;
    uint first_of_group = gl_WorkGroupID.y % Z * J;
    if (first_of_group >= L) return; // of heads that vary there may be fewer than it is shared for
    uint first_head = group * L + first_of_group;
    uint heads = min(J, L - first_of_group);

    sequence = A == 1u ? 0u : gl_WorkGroupID.z;
    first_place = sequence * S;

    uint total = to_count(length(min(sequence, length_COUNT - 1u)));
#if position_PRESENT
    uint own_row = to_count(position(min(sequence, position_COUNT - 1u)));
#else
    uint own_row = max(total, 1u) - 1u;
#endif
    set_rows(own_row, total);
    uint first_row = seen_begin(0u), last_row = max(seen_end(0u), first_row), rows = last_row - first_row;
    uint chunk = ((rows + P - 1u) / P + PART_ROWS - 1u) / PART_ROWS * PART_ROWS;
    uint begin = min(part * chunk, rows);
    uint end = begin + min(chunk, rows - begin);
    begin += first_row;
    end += first_row;

#if key_PRESENT
    find_fresh_row(own_row);
    bool is_in_part = fresh_row >= begin && fresh_row < end;
    bool is_seen = fresh_row >= first_row && fresh_row < last_row;
    bool is_keeper = fresh_row != 0xffffffffu && (is_in_part || part == 0u && !is_seen);
#endif

    uvec4 from_k[2], from_v[2];
    fetch(begin, end, group, from_k, from_v);
    // Loads of q, and of the new row, are on their way together.
    float own[TURNS_OF_Q];
#if key_PRESENT
    float fresh_own[2];
#endif
    q_await((sequence * H + first_head) * D + (thread / 32u * 32u) % (heads * D));
    uint spins = 0u;
    do {
        for (uint n = 0u; n < TURNS_OF_Q; n++) {
            uint i = n * 256u + thread, j = i / (COLUMNS * WIDTH), d = i % (COLUMNS * WIDTH);
            own[n] = 0.0;
            if (j < heads && d < D) own[n] = q((sequence * H + first_head + j) * D + d);
        }
#if key_PRESENT
        for (uint n = 0u; n < 2u; n++) {
            uint i = n * 256u + thread;
            fresh_own[n] = 0.0;
            if (!(is_in_part || is_keeper) || i >= 2u * D) continue;
            if (i < D)
                fresh_own[n] = key((sequence * G + group) * D + i);
            else
                fresh_own[n] = value((sequence * G + group) * D + i - D);
        }
#endif
    } while (looks_again(spins));
    for (uint n = 0u; n < TURNS_OF_Q; n++) {
        uint i = n * 256u + thread;
        if (i < J * COLUMNS * WIDTH) queries[i / 4u][i % 4u] = own[n];
    }
    if (thread < J) most[thread] = LOWEST;
#if key_PRESENT
    for (uint n = 0u; n < 2u; n++)
        if (n * 256u + thread < 2u * D) fresh[n * 256u + thread] = rounded(fresh_own[n]);
    barrier();
#if k_DTYPE == Q8_0
    pack_fresh(group, is_keeper && gl_WorkGroupID.y % Z == 0u);
    barrier();
#else
    if (is_keeper && gl_WorkGroupID.y % Z == 0u) store_fresh(group);
#endif
#endif

    uint column = thread % COLUMNS;
    uint side = thread / COLUMNS % SIDE;
    uint lane = thread / (COLUMNS * SIDE);
    precise vec4 sums[TURNS * 2u]; // of this thread's column, for its heads
    precise float totals[TURNS];   // of their weights
    for (uint t = 0u; t < TURNS; t++) {
        sums[2u * t] = vec4(0.0);
        sums[2u * t + 1u] = vec4(0.0);
        totals[t] = 0.0;
    }

    for (uint tile = begin; tile < end; tile += TILE) {
        uint count = min(TILE, end - tile);
        for (uint n = 0u; n < 2u; n++) {
            uint at = n * 256u + thread;
            if (at < TILE * COLUMNS) {
                k_tile[at / COLUMNS * (COLUMNS + 1u) + at % COLUMNS] = from_k[n];
                v_tile[at] = from_v[n];
#if key_PRESENT
                if (tile + at / COLUMNS == fresh_row && fresh_row < end) {
                    k_tile[at / COLUMNS * (COLUMNS + 1u) + at % COLUMNS] = fresh_column(0u, at % COLUMNS);
                    v_tile[at] = fresh_column(D, at % COLUMNS);
                }
#endif
            }
        }
        barrier();
        fetch(tile + TILE, end, group, from_k, from_v);
        weigh(tile, count, first_head);
        for (uint t = 0u; t < TURNS; t++) {
            uint j = t * SIDE + side;
            if (j >= J || lane >= LANES) continue;
            sums[2u * t] *= keep[j];
            sums[2u * t + 1u] *= keep[j];
            totals[t] *= keep[j];
            for (uint row = lane; row < count; row += LANES) {
                float weight = weights[j * TILE + row];
                if (weight == 0.0) continue; // so that an infinity in v does not matter
                uvec4 raw = v_tile[row * COLUMNS + column];
                totals[t] += weight;
                sums[2u * t] = fma(vec4(weight), unpack(raw, 0u), sums[2u * t]);
                if (WIDTH == 8u)
                    sums[2u * t + 1u] = fma(vec4(weight), unpack(raw, 1u), sums[2u * t + 1u]);
            }
        }
        barrier(); // before the tile is overwritten
    }

    // Sums over the lanes, of values and of weights.
    for (uint t = 0u; t < TURNS; t++) {
        v_tile[2u * thread] = floatBitsToUint(sums[2u * t]);
        v_tile[2u * thread + 1u] = floatBitsToUint(sums[2u * t + 1u]);
        k_tile[thread / 4u][thread % 4u] = floatBitsToUint(totals[t]);
        barrier();
        for (uint i = thread; i < SIDE * COLUMNS * WIDTH; i += 256u) {
            uint at = i / WIDTH; // a thread of lane 0
            uint j = t * SIDE + at / COLUMNS, d = at % COLUMNS * WIDTH + i % WIDTH;
            precise float sum = 0.0, total = 0.0;
            for (uint n = 0u; n < LANES; n++) {
                uint other = at + n * COLUMNS * SIDE;
                sum += uintBitsToFloat(v_tile[2u * other + i % WIDTH / 4u][i % 4u]);
                total += uintBitsToFloat(k_tile[other / 4u][other % 4u]);
            }
            if (j >= heads || d >= D) continue;
            uint head = part * O + sequence * H + first_head + j;
            partial_store(head * D + d, sum);
            if (d != 0u) continue;
            maxima_store(head, total == 0.0 ? attention_none() : most[j]);
            sums_store(head, total);
        }
        barrier(); // before the next heads' sums
    }
}
