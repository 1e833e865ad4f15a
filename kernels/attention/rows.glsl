// What all kernels of attention ask of the rows of a cache: which of them a token sees, where they lie, and
// what a mask adds to their scores. In front of it stand `sequence`, the one at hand; `room`, how many rows
// its cache has; `first_place`, where that begins.
//
// V, X: of a table of pages, how many there are, and the rows of each.
//
// Rows count from a sequence's first one. A token sees those from seen_begin() to seen_end(): what length,
// causality, window and the room of a ring leave. A mask, and pages that are not there, leave out more.

#if mask_PRESENT && mask_RANK == 4
#define MASK_BY_TOKEN 1 // for each head and token
#else
#define MASK_BY_TOKEN 0
#endif

#if mask_PRESENT && mask_RANK != 4 || table_PRESENT
#define ROWS_LEFT_OUT 1 // no token sees them, or something is added to all their scores
#else
#define ROWS_LEFT_OUT 0
#endif

uint past_rows;             // in front of the first token's own
uint begin_rows, end_rows;  // those that are there

// The rows that are there, of a sequence of `total` with `past` in front of its tokens.
void set_rows(uint past, uint total) {
    past_rows = past;
    end_rows = ring != 0u ? min(total, 0x7fffffffu) : min(total, room);
    begin_rows = ring != 0u ? end_rows - min(end_rows, room) : 0u;
}

uint seen_begin(uint token) {
    if (window == 0u) return begin_rows;
    uint own_end = add_up_to_most(past_rows, token + 1u);
    return max(begin_rows, own_end - min(own_end, window));
}

uint seen_end(uint token) {
    uint own_end = add_up_to_most(past_rows, token + 1u);
    if (causal != 0u) return min(own_end, end_rows);
    return window == 0u ? end_rows : min(add_up_to_most(own_end, window - 1u), end_rows);
}

uint slot_of(uint row) {
    return ring != 0u ? row % room : row;
}

#if table_PRESENT
uint page_of(uint row) {
    return uint(table(sequence * (S / X) + slot_of(row) / X));
}
#endif

// Where a row lies, in rows of k and v; of a page that is not there, the very first one.
uint place_of(uint row) {
#if table_PRESENT
    uint page = page_of(row);
    return page < V ? page * X + slot_of(row) % X : 0u;
#else
    return first_place + slot_of(row);
#endif
}

#if MASK_BY_TOKEN
// What the mask adds to one score.
float score_added(uint token, uint head, uint row) {
    uint line = min(sequence, mask_DIM_4 - 1u) * mask_DIM_3 + min(head, mask_DIM_3 - 1u);
    return mask((line * mask_DIM_2 + min(token, mask_DIM_2 - 1u)) * S + slot_of(row));
}
#endif

#if ROWS_LEFT_OUT
// What is added to all scores of a row; -inf where nobody sees it.
float row_added(uint row) {
#if table_PRESENT
    if (page_of(row) >= V) return attention_none();
#endif
#if mask_PRESENT && mask_RANK != 4
    return mask(sequence * S + slot_of(row));
#else
    return 0.0;
#endif
}
#endif
