/* A mutator of IR text for libFuzzer. Bytes changed at random are mostly text that does not parse;
 * to get beyond the parser, half of the inputs have whole lines repeated, dropped or swapped, or a
 * word taken over from another line, and then their nodes numbered anew. What this makes wrong is
 * still text that somebody could have written. */
#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { MAX_LINES = 512, SCRATCH = FUZZ_MAX_BYTES * 2 };

typedef struct line {
    const char *text;
    size_t size; /* with its newline */
} line;

typedef struct lines {
    line items[MAX_LINES + 1];
    uint32_t count;
    uint32_t random;
} lines;

static uint32_t pick(lines *l, size_t below) {
    l->random = l->random * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)l->random * below) >> 32);
}

static void split(lines *l, const char *text, size_t size) {
    for (size_t at = 0; at < size && l->count < MAX_LINES;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) + 1 - at : size - at;
        l->items[l->count++] = (line){text + at, length};
        at += length;
    }
}

static void move_lines(lines *l) {
    uint32_t from = pick(l, l->count), to = pick(l, l->count);
    line kept = l->items[from];
    switch (pick(l, 3)) {
    case 0: /* repeat */
        memmove(l->items + to + 1, l->items + to, (l->count - to) * sizeof kept);
        l->items[to] = kept;
        l->count++;
        break;
    case 1: /* drop */
        l->count--;
        memmove(l->items + from, l->items + from + 1, (l->count - from) * sizeof kept);
        break;
    default: /* swap */
        l->items[from] = l->items[to];
        l->items[to] = kept;
        break;
    }
}

/* ---- Words ----------------------------------------------------------------------------------- */

static bool in_word(char c) {
    return c > ' ' && !strchr("(),:=[]{}", c);
}

/* A word of the line, chosen at random; NULL when it has none. */
static const char *pick_word(lines *l, const line *in, size_t *out_length) {
    size_t begin = pick(l, in->size), end;
    while (begin < in->size && !in_word(in->text[begin])) begin++;
    if (begin == in->size) return NULL;
    while (begin > 0 && in_word(in->text[begin - 1])) begin--;
    for (end = begin; end < in->size && in_word(in->text[end]);) end++;
    *out_length = end - begin;
    return in->text + begin;
}

/* Puts a word of another line in the place of one of this line; the new line is made in `room`. */
static void take_word(lines *l, char room[SCRATCH]) {
    line *to = l->items + pick(l, l->count), *from = l->items + pick(l, l->count);
    size_t old_length = 0, new_length = 0;
    const char *old = pick_word(l, to, &old_length), *new = pick_word(l, from, &new_length);
    if (!old || !new || to->size - old_length + new_length > SCRATCH) return;
    size_t before = (size_t)(old - to->text), after = to->size - before - old_length;
    memcpy(room, to->text, before);
    memcpy(room + before, new, new_length);
    memcpy(room + before + new_length, old + old_length, after);
    *to = (line){room, before + new_length + after};
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Bytes of "  n12", 0 when the line is no node. */
static size_t number_end(const line *in) {
    size_t at = 0, digits = 0;
    while (at < in->size && in->text[at] == ' ') at++;
    if (at == in->size || in->text[at++] != 'n') return 0;
    for (; at < in->size && in->text[at] >= '0' && in->text[at] <= '9'; at++) digits++;
    return digits ? at : 0;
}

/* The members that follow the first line of a fused node, 0 for another line. */
static uint32_t members_after(const lines *l, uint32_t index) {
    static const char mark[] = "= fused {";
    const line *in = l->items + index;
    uint32_t members = 0;
    bool fused = false;
    for (size_t i = 0; i + sizeof mark <= in->size && !fused; i++)
        fused = memcmp(in->text + i, mark, sizeof mark - 1) == 0;
    for (uint32_t i = index + 1; fused && i < l->count && number_end(l->items + i); i++) members++;
    return members;
}

/* Numbers nodes in order; a fused node has the number of its last member. */
static size_t join(const lines *l, uint8_t *out, size_t max_size) {
    size_t used = 0;
    uint32_t next = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        const line *in = l->items + i;
        size_t skip = number_end(in);
        char number[32] = "";
        if (skip) {
            uint32_t members = members_after(l, i);
            snprintf(number, sizeof number, "  n%u", members ? next + members - 1 : next);
            next += members == 0;
        }
        size_t length = strlen(number), rest = in->size - skip;
        if (used + length + rest > max_size) break;
        memcpy(out + used, number, length);
        memcpy(out + used + length, in->text + skip, rest);
        used += length + rest;
    }
    return used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    static char text[FUZZ_MAX_BYTES], room[4][SCRATCH];
    lines l = {.random = seed};
    if (pick(&l, 2) == 0 || size == 0 || size > sizeof text)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(text, data, size);
    split(&l, text, size);
    for (uint32_t i = 0, steps = 1 + pick(&l, 4); i < steps && l.count > 1; i++) {
        if (pick(&l, 2) || l.count >= MAX_LINES)
            take_word(&l, room[i]);
        else
            move_lines(&l);
    }
    size_t made = join(&l, data, max_size);
    return made ? made : LLVMFuzzerMutate(data, size, max_size);
}
