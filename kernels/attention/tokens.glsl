// The tokens of a workgroup of attention_prefill, and the rows of their sequence: of sequences side by side, or
// of packed ones, which lie one behind the other with one more of the tokens that belong to none.

uint sequence;    // of the workgroup
uint first_token; // of the sequence, in q
#if q_offsets_PRESENT
uint tokens;      // of the sequence
#else
const uint tokens = T;
#endif

uint first_place; // of the sequence's rows, in k and v
#if k_offsets_PRESENT
uint room;        // how many rows there are
#else
const uint room = S;
#endif

// with: attention/rows

#if q_offsets_PRESENT
uint offset_of(uint n) {
    return n == 0u ? 0u : n > A ? T : min(to_count(q_offsets(n)), T);
}
#endif

// Finds the `count` tokens, or fewer, that tile `tile` has; its first one in `token`. False: there are none.
bool find_tokens(uint tile, uint count, out uint token) {
#if q_offsets_PRESENT
    // A sequence's tiles begin behind as many as its first token has in front of it, and one for each
    // sequence before it. So nobody has to add up.
    uint low = 0u, high = A + 1u;
    while (high - low > 1u) {
        uint middle = (low + high) / 2u;
        if (offset_of(middle) / count + middle <= tile) low = middle;
        else high = middle;
    }
    first_token = offset_of(low);
    tokens = max(offset_of(low + 1u), first_token) - first_token;
    token = (tile - first_token / count - low) * count;
    sequence = low;
    return token < tokens;
#else
    sequence = gl_WorkGroupID.z;
    first_token = sequence * T;
    token = tile * count;
    return true;
#endif
}

void find_rows() {
    first_place = sequence * S;
#if q_offsets_PRESENT
    if (sequence == A) { // tokens of no sequence
        sequence = 0u;
        set_rows(0u, 0u);
        return;
    }
#endif
#if k_offsets_PRESENT
    first_place = min(to_count(k_offsets(sequence)), S);
    room = max(min(to_count(k_offsets(sequence + 1u)), S), first_place) - first_place;
    uint total = room;
#elif length_PRESENT
    uint total = 0u;
#else
    uint total = whole != 0u ? room : 0u;
#endif
#if length_PRESENT
    total = to_count(length(min(sequence, length_COUNT - 1u)));
#if k_offsets_PRESENT
    total = min(total, room);
#endif
#endif
#if past_PRESENT
    uint before = to_count(past(min(sequence, past_COUNT - 1u)));
#else
    uint before = total - min(total, tokens);
#endif
#if !length_PRESENT && !k_offsets_PRESENT
    if (whole == 0u) total = add_up_to_most(before, tokens);
#endif
    set_rows(before, total);
}
