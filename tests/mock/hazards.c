#include "hazards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Images are memories of their own, numbered behind the buffers. */
enum {
    WORDS = 1024,
    BUFFERS = 16,
    MEMORIES = 2 * BUFFERS,
    MOST_OPS = 512,
    MOST_ACCESSES = 8,
    SETS = 4096,
    BINDINGS = 8,
    ELEMENTS = 2
};

static const char *const stage_names[] = {"indirect", "compute", "transfer", "host"};
static const char *const access_names[] = {"IR", "UR", "TR", "TW", "HR", "SR", "SW", "SS"};
enum { STAGES = 4, ACCESSES = 8 };

static uint32_t stage_of(uint32_t access) { /* indices */
    static const uint32_t of[ACCESSES] = {0, 1, 2, 2, 3, 1, 1, 1};
    return of[access];
}

static bool is_write(uint32_t access) {
    return access_names[access][1] == 'W';
}

typedef struct access {
    uint32_t kind;           /* in access_names */
    uint32_t memory, lo, hi; /* words */
} access;

typedef struct op {
    bool barrier;
    uint32_t src_stages, src_access, dst_stages, dst_access; /* bits */
    access accesses[MOST_ACCESSES];
    uint32_t count;
    char line[160];
} op;

struct hazard_stream {
    op ops[MOST_OPS];
    uint32_t count;
    const hazard_binding *bindings;
    size_t binding_count;
    uint32_t pipeline, sets[4];
};

/* ---- Descriptor sets ------------------------------------------------------------------------- */

static struct { uint32_t memory, lo, hi; } sets[SETS][BINDINGS][ELEMENTS];

/* "b1+16 64": which memory, and bytes of it; how many characters, 0 for something else. */
static size_t read_bytes(const char *text, uint32_t *memory, unsigned long long *offset,
                         unsigned long long *size) {
    char what;
    unsigned number;
    int length = 0;
    if (sscanf(text, "%c%u+%llu %llu%n", &what, &number, offset, size, &length) != 4 ||
        (what != 'b' && what != 'i') || number >= BUFFERS)
        return 0;
    *memory = number + (what == 'i' ? BUFFERS : 0);
    return (size_t)length;
}

/* "s1.2 storage b1+0 64", "s1.2[1] combined i0+0 64 sampler 3", "s1.2 sampler sampler 3" */
void hazard_sets(const char *text) {
    for (; *text; text = strchr(text, '\n') + 1) {
        unsigned set, binding, element = 0, memory = 0;
        unsigned long long offset, size;
        int at = 0;
        if (sscanf(text, "s%u.%u%n", &set, &binding, &at) != 2 || set >= SETS ||
            binding >= BINDINGS)
            abort();
        text += at;
        if (*text == '[' && (sscanf(text, "[%u]%n", &element, &at) != 1 || element >= ELEMENTS))
            abort();
        text = strchr(text, ' ') + 1;
        text += strcspn(text, "0123456789+\n") - 1; /* the kind may be several words */
        if (!read_bytes(text, &memory, &offset, &size)) continue; /* a sampler */
        sets[set][binding][element].memory = memory;
        sets[set][binding][element].lo = (uint32_t)(offset / 4);
        sets[set][binding][element].hi = (uint32_t)((offset + size) / 4);
    }
}

void hazard_forget_sets(void) {
    memset(sets, 0, sizeof sets);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool add(op *o, const char *kind, uint32_t memory, uint64_t offset, uint64_t size) {
    for (uint32_t i = 0; i < ACCESSES; i++) {
        if (strncmp(kind, access_names[i], 2) != 0) continue;
        if (o->count == MOST_ACCESSES || memory >= MEMORIES || (offset + size) / 4 > WORDS)
            return false;
        o->accesses[o->count++] =
            (access){i, memory, (uint32_t)(offset / 4), (uint32_t)((offset + size) / 4)};
        return true;
    }
    return false;
}

/* "compute|transfer:SW:TW" */
static bool read_scope(const char *text, uint32_t *stages, uint32_t *accesses) {
    char copy[160], *save = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *part = strtok_r(copy, "|:", &save); part; part = strtok_r(NULL, "|:", &save)) {
        bool known = false;
        for (uint32_t i = 0; i < STAGES; i++)
            if (strcmp(part, stage_names[i]) == 0) *stages |= 1u << i, known = true;
        for (uint32_t i = 0; i < ACCESSES; i++)
            if (strcmp(part, access_names[i]) == 0) *accesses |= 1u << i, known = true;
        if (!known) return false;
    }
    return true;
}

static bool add_kernel(hazard_stream *s, op *o) {
    for (size_t i = 0; i < s->binding_count; i++) {
        const hazard_binding *b = &s->bindings[i];
        if (b->pipeline != s->pipeline) continue;
        uint32_t set = s->sets[b->set];
        uint32_t lo = sets[set][b->binding][b->element].lo;
        uint32_t hi = sets[set][b->binding][b->element].hi;
        for (const char *at = b->access; *at; at += 2)
            if (hi == lo ||
                !add(o, at, sets[set][b->binding][b->element].memory, lo * 4ull, (hi - lo) * 4ull))
                return false;
    }
    return true;
}

/* "b1+0 i2+64 256", and of what is scaled " from 64": one memory to another; uploads name the image
 * first. */
static bool add_copy(op *o, const char *text, bool upload) {
    char what[2];
    unsigned number[2];
    unsigned long long at[2], size, from_size;
    int found = sscanf(text, "%c%u+%llu %c%u+%llu %llu from %llu", &what[0], &number[0], &at[0],
                       &what[1], &number[1], &at[1], &size, &from_size);
    if (found < 7) return false;
    for (int i = 0; i < 2; i++) number[i] += what[i] == 'i' ? BUFFERS : 0;
    uint64_t read = found == 8 ? from_size : size;
    return add(o, "TR", number[upload], at[upload], read) &&
           add(o, "TW", number[!upload], at[!upload], size);
}

static bool read_line(hazard_stream *s, const char *line) {
    static const char *const copies[] = {"copy ", "upload ", "download ", "blit nearest ",
                                         "blit linear "};
    op *o = &s->ops[s->count];
    unsigned a, set;
    uint32_t memory;
    unsigned long long from, to, size;
    char src[80], dst[80];
    memset(o, 0, sizeof *o);
    snprintf(o->line, sizeof o->line, "%.150s", line);
    if (sscanf(line, "barrier %79s -> %79s", src, dst) == 2) {
        o->barrier = true;
        s->count++;
        return read_scope(src, &o->src_stages, &o->src_access) &&
               read_scope(dst, &o->dst_stages, &o->dst_access);
    }
    if (sscanf(line, "pipeline p%u", &s->pipeline) == 1) return true;
    if (sscanf(line, "set %u s%u", &a, &set) == 2) {
        if (a >= 4 || set >= SETS) return false;
        s->sets[a] = set;
        return true;
    }
    if (strncmp(line, "push ", 5) == 0 || strncmp(line, "label ", 6) == 0 ||
        strcmp(line, "end_label") == 0 || strcmp(line, "simultaneous") == 0)
        return true;
    s->count++;
    if (strncmp(line, "dispatch ", 9) == 0) return add_kernel(s, o);
    if (sscanf(line, "indirect b%u+%llu", &a, &from) == 2)
        return add_kernel(s, o) && add(o, "IR", a, from, 12);
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        if (strncmp(line, copies[i], strlen(copies[i])) == 0)
            return add_copy(o, line + strlen(copies[i]), *line == 'u');
    if (strncmp(line, "clear ", 6) == 0)
        return read_bytes(line + 6, &memory, &to, &size) && add(o, "TW", memory, to, size);
    if (sscanf(line, "fill b%u+%llu %llu", &a, &to, &size) == 3 ||
        sscanf(line, "update b%u+%llu %llu", &a, &to, &size) == 3)
        return add(o, "TW", a, to, size);
    return false;
}

hazard_stream *hazard_read(const char *commands, const hazard_binding *bindings, size_t count) {
    hazard_stream *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->bindings = bindings;
    s->binding_count = count;
    s->pipeline = UINT32_MAX;
    while (*commands) {
        char line[512];
        size_t length = strcspn(commands, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, commands);
        if (s->count == MOST_OPS || !read_line(s, line)) {
            printf("\n  not understood: %s\n", line);
            free(s);
            return NULL;
        }
        commands += length + (commands[length] == '\n');
    }
    return s;
}

void hazard_free(hazard_stream *s) {
    free(s);
}

/* ---- Judging --------------------------------------------------------------------------------- */

static bool covered(const hazard_stream *s, uint32_t from, uint32_t from_kind, uint32_t to,
                    uint32_t to_kind) {
    for (uint32_t i = from + 1; i < to; i++) {
        const op *b = &s->ops[i];
        if (!b->barrier || !(b->src_stages >> stage_of(from_kind) & 1) ||
            !(b->dst_stages >> stage_of(to_kind) & 1) || !(b->dst_access >> to_kind & 1))
            continue;
        /* What only read has nothing to make available. */
        if (!is_write(from_kind) || b->src_access >> from_kind & 1) return true;
    }
    return false;
}

/* Of a word: its last write, and the reads of each kind since; op number plus 1, 0: none. */
typedef struct word {
    uint32_t write, write_kind, read[ACCESSES];
} word;

static bool judge(const hazard_stream *s, const word *w, uint32_t at, const access *a, bool quiet) {
    uint32_t bad = 0;
    if (w->write && w->write - 1 != at && !covered(s, w->write - 1, w->write_kind, at, a->kind))
        bad = w->write;
    for (uint32_t k = 0; is_write(a->kind) && k < ACCESSES; k++)
        if (w->read[k] && w->read[k] - 1 != at && !covered(s, w->read[k] - 1, k, at, a->kind))
            bad = w->read[k];
    if (bad && !quiet)
        printf("\n  not ordered in %s%u: op %u \"%s\" and op %u \"%s\"\n",
               a->memory < BUFFERS ? "b" : "i", a->memory % BUFFERS, bad - 1, s->ops[bad - 1].line,
               at, s->ops[at].line);
    return bad == 0;
}

bool hazard_ordered(const hazard_stream *s, bool quiet) {
    static word words[MEMORIES][WORDS];
    memset(words, 0, sizeof words);
    for (uint32_t at = 0; at < s->count; at++) {
        const op *o = &s->ops[at];
        /* All reads of a command come before its writes. */
        for (uint32_t phase = 0; phase < 2; phase++)
            for (uint32_t i = 0; i < o->count; i++) {
                const access *a = &o->accesses[i];
                if (is_write(a->kind) != (phase == 1)) continue;
                for (uint32_t w = a->lo; w < a->hi; w++)
                    if (!judge(s, &words[a->memory][w], at, a, quiet)) return false;
            }
        for (uint32_t i = 0; i < o->count; i++)
            for (uint32_t w = o->accesses[i].lo; w < o->accesses[i].hi; w++)
                if (!is_write(o->accesses[i].kind))
                    words[o->accesses[i].memory][w].read[o->accesses[i].kind] = at + 1;
        for (uint32_t i = 0; i < o->count; i++)
            for (uint32_t w = o->accesses[i].lo; w < o->accesses[i].hi; w++)
                if (is_write(o->accesses[i].kind))
                    words[o->accesses[i].memory][w] =
                        (word){.write = at + 1, .write_kind = o->accesses[i].kind};
    }
    return true;
}

/* Without a stage of the source with all its accesses, or without an access of the destination. */
static bool needed(hazard_stream *s, uint32_t at, bool source, uint32_t bit) {
    op *o = &s->ops[at], before = *o;
    if (source) {
        o->src_stages &= ~(1u << bit);
        for (uint32_t k = 0; k < ACCESSES; k++)
            if (stage_of(k) == bit) o->src_access &= ~(1u << k);
    } else {
        o->dst_access &= ~(1u << bit);
    }
    bool fails = !hazard_ordered(s, true);
    *o = before;
    if (!fails)
        printf("\n  not needed: %s of op %u \"%s\"\n",
               source ? stage_names[bit] : access_names[bit], at, o->line);
    return fails;
}

bool hazard_minimal(hazard_stream *s) {
    for (uint32_t at = 0; at < s->count; at++) {
        const op *o = &s->ops[at];
        for (uint32_t i = 0; o->barrier && i < STAGES; i++)
            if (o->src_stages >> i & 1 && !needed(s, at, true, i)) return false;
        for (uint32_t i = 0; o->barrier && i < ACCESSES; i++)
            if (o->dst_access >> i & 1 && !needed(s, at, false, i)) return false;
    }
    return true;
}

uint32_t hazard_barriers(const hazard_stream *s) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->count; i++) count += s->ops[i].barrier;
    return count;
}

uint32_t hazard_nodes(const hazard_stream *s) {
    return s->count - hazard_barriers(s);
}
