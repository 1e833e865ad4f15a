// Attention of many tokens, with an online softmax. A workgroup takes U tokens of one head; their
// queries stay in shared memory while tiles of 32 rows of the cache go by. Threads are 8 x 32: a
// thread has U / 8 tokens, and across the tile the row (for scores), or every 32nd column (for
// values). k comes through shared memory in slices of 64 columns, v in slices of a few rows.
//
// Sums are kept relative to the greatest score so far, and scaled down when it rises.
//
// N: workgroups for the tokens of a sequence, Y sequences side by side.
//
// local: 256
// grid: N, H, Y

// with: attention/tokens

const uint ROWS = 32u;   // of the cache in a tile
const uint SLICE = 64u;  // columns of k at a time
const uint SLICES = (D + SLICE - 1u) / SLICE;
const uint SIZE = SLICES * SLICE; // a head, and zeros up to there
const uint CHUNK = SLICES == 1u ? 32u : SLICES == 2u ? 16u : 8u; // rows of v at a time
const uint COLUMNS = SIZE / 32u;                                 // of a thread
const uint TOKENS = U / 8u;                                      // of a thread
const uint PARTS = 256u / U; // threads that look for the greatest score of one token
const float LOWEST = -3.4028235e38;

shared float queries[U * SIZE];
shared float slice[SLICE * (ROWS + 1u)]; // of k by columns, one word apart; of v by rows
shared float weights[U * (ROWS + 1u)];   // scores, then weights
shared float highest[U * PARTS];

// Columns of all the tile's rows of k; zeros past the end, so that no NaN comes from there.
void load_k(uint tile, uint end, uint group, uint first_column) {
    for (uint n = 0u; n < ROWS * SLICE / 256u; n++) {
        uint i = n * 256u + gl_LocalInvocationIndex;
        uint row = i / SLICE, column = i % SLICE;
        float value = 0.0;
        if (tile + row < end && first_column + column < D)
            value = k((place_of(tile + row) * G + group) * D + first_column + column);
        slice[column * (ROWS + 1u) + row] = value;
    }
}

// CHUNK rows of v.
void load_v(uint first_row, uint end, uint group) {
    for (uint n = 0u; n < CHUNK * SIZE / 256u; n++) {
        uint i = n * 256u + gl_LocalInvocationIndex;
        uint row = i / SIZE, column = i % SIZE;
        float value = 0.0;
        if (first_row + row < end && column < D)
            value = v((place_of(first_row + row) * G + group) * D + column);
        slice[i] = value;
    }
}

void main() {
    uint thread = gl_LocalInvocationIndex;
    uint across = thread % 32u;
    uint first = thread / 32u * TOKENS; // of this thread's tokens
    uint head = gl_WorkGroupID.y;
    uint group = head / L;
    uint token; // the workgroup's first
    if (!find_tokens(gl_WorkGroupID.x, U, token)) return;
    find_rows();
    // Rows that any of these tokens sees.
    uint begin = seen_begin(token) / ROWS * ROWS, end = seen_end(min(token + U, tokens) - 1u);

    for (uint i = thread; i < U * SIZE; i += 256u) {
        uint row = i / SIZE, d = i % SIZE;
        queries[i] = token + row < tokens && d < D ? q(((first_token + token + row) * H + head) * D + d) : 0.0;
    }

    float factor = scale == 0.0 ? 1.0 / sqrt(float(D)) : scale;
    precise float sums[16]; // by token and column
    precise float totals[TOKENS];
    float most[TOKENS];
    for (uint n = 0u; n < 16u; n++) sums[n] = 0.0;
    for (uint n = 0u; n < TOKENS; n++) {
        most[n] = LOWEST;
        totals[n] = 0.0;
    }

    for (uint tile = begin; tile < end; tile += ROWS) {
        precise float scores[TOKENS];
        for (uint n = 0u; n < TOKENS; n++) scores[n] = 0.0;
        for (uint s = 0u; s < SLICES; s++) {
            barrier(); // the slice's last readers are done; the first time, the queries are there
            load_k(tile, end, group, s * SLICE);
            barrier();
            for (uint d = 0u; d < SLICE; d++) {
                float key = slice[d * (ROWS + 1u) + across];
                for (uint n = 0u; n < TOKENS; n++)
                    scores[n] = fma(queries[(first + n) * SIZE + s * SLICE + d], key, scores[n]);
            }
        }
        uint row = tile + across;
        float row_more = 0.0;
#if ROWS_LEFT_OUT
        if (row < end) row_more = row_added(row);
#endif
        for (uint n = 0u; n < TOKENS; n++) {
            uint own = token + first + n;
            bool sees = row >= seen_begin(own) && row < min(seen_end(own), end) && row_more != attention_none();
            float score = scores[n] * factor, more = row_more;
            if (softcap != 0.0) score = attention_capped(score, softcap);
#if MASK_BY_TOKEN
            if (sees) more += score_added(own, head, row);
            sees = sees && more != attention_none();
#endif
            scores[n] = sees ? score + more : attention_none();
            weights[(first + n) * (ROWS + 1u) + across] = scores[n];
        }
        barrier();
        float high = LOWEST;
        for (uint n = 0u; n < ROWS / PARTS; n++)
            high = max(high, weights[thread % U * (ROWS + 1u) + thread / U * (ROWS / PARTS) + n]);
        highest[thread] = high;
        barrier();
        for (uint n = 0u; n < TOKENS; n++) {
            high = most[n];
            for (uint p = 0u; p < PARTS; p++) high = max(high, highest[p * U + first + n]);
            float keep = attention_weight(most[n], high);
            most[n] = high;
            float weight = attention_weight(scores[n], high);
            totals[n] = totals[n] * keep + weight;
            weights[(first + n) * (ROWS + 1u) + across] = weight;
            for (uint c = 0u; c < COLUMNS; c++) sums[n * COLUMNS + c] *= keep;
        }
        for (uint chunk = 0u; chunk < ROWS; chunk += CHUNK) {
            barrier();
            load_v(tile + chunk, end, group);
            barrier();
            for (uint row = 0u; row < CHUNK; row++)
                for (uint n = 0u; n < TOKENS; n++) {
                    float weight = weights[(first + n) * (ROWS + 1u) + chunk + row];
                    if (weight == 0.0) continue; // not seen: NaN in v must not matter
                    for (uint c = 0u; c < COLUMNS; c++) {
                        float value = slice[row * SIZE + c * 32u + across];
                        sums[n * COLUMNS + c] = fma(weight, value, sums[n * COLUMNS + c]);
                    }
                }
        }
    }

    barrier();
    for (uint n = 0u; n < TOKENS; n++) weights[(first + n) * (ROWS + 1u) + across] = totals[n];
    barrier();
    for (uint n = 0u; n < TOKENS; n++) {
        float sum = 0.0;
        for (uint row = 0u; row < ROWS; row++) sum += weights[(first + n) * (ROWS + 1u) + row];
        if (token + first + n >= tokens) continue;
#if sinks_PRESENT
        vec2 sink = attention_sink(most[n], sinks(head));
        sum = sum == 0.0 ? 0.0 : sum * sink.x + sink.y;
        for (uint c = 0u; c < COLUMNS; c++) sums[n * COLUMNS + c] *= sink.x;
#endif
        for (uint c = 0u; c < COLUMNS; c++) {
            uint d = c * 32u + across;
            precise float mean = sum == 0.0 ? 0.0 : f_quotient(sums[n * COLUMNS + c], sum);
            if (d < D) out_store(((first_token + token + first + n) * H + head) * D + d, mean);
        }
    }
}
