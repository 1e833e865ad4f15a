/* Who uses which buffer, from which group to which it is alive, and who shares memory with whom. */
#include "inspect/internal.h"

#include <stdlib.h>

#include "base/checked.h"

typedef struct life {
    uint32_t buffer, first, last; /* groups; first RP_NONE: nothing uses it */
    uint64_t offset, size;        /* in the arena, rounded up */
} life;

typedef struct memory {
    const rp_graph *g;
    rp_inspect_lists readers, writers; /* by buffer: ids */
    life *lives;                       /* by buffer */
    uint64_t *alive;                   /* by group: bytes of the arena */
} memory;

static void free_memory(memory *m) {
    const rp_allocator *a = &m->g->allocator;
    void *blocks[] = {m->readers.first, m->readers.items, m->writers.first,
                      m->writers.items, m->lives,         m->alive};
    for (uint32_t i = 0; i < sizeof blocks / sizeof *blocks; i++) rp_release(a, blocks[i]);
}

/* Lists for each buffer the nodes with a use that `wanted` takes, each once in a row. */
static bool list_users(const rp_graph *g, bool (*wanted)(uint8_t access), rp_inspect_lists *out) {
    const rp_allocator *a = &g->allocator;
    out->first = rp_alloc_zero(a, (size_t)g->buffers_count + 2, sizeof *out->first);
    out->items = rp_alloc(a, g->uses_count, sizeof *out->items);
    if (!out->first || !out->items) return false;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < g->nodes_count; i++) {
            const rp_graph_node *n = &g->nodes[i];
            const rp_graph_use *uses = rp_node_uses(g, n);
            for (uint32_t u = 0; u < n->use_count; u++) {
                bool seen = !wanted(uses[u].access);
                for (uint32_t k = 0; k < u && !seen; k++)
                    seen = uses[k].buffer == uses[u].buffer && wanted(uses[k].access);
                if (seen) continue;
                if (pass == 0)
                    out->first[uses[u].buffer + 2]++;
                else
                    out->items[out->first[uses[u].buffer + 1]++] = n->id;
            }
        }
        for (uint32_t b = 2; pass == 0 && b < g->buffers_count + 2; b++)
            out->first[b] += out->first[b - 1];
    }
    return true;
}

static void find_lives(memory *m) {
    const rp_graph *g = m->g;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        uint64_t size = rp_buffer_footprint(b);
        if (!rp_align_u64(size, RP_ARENA_ALIGNMENT, &size)) size = rp_buffer_footprint(b);
        m->lives[i] = (life){i, RP_NONE, 0, b->offset, size};
    }
    if (!(g->stages & RP_STAGE_SCHEDULED)) return;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        for (uint32_t u = 0; u < n->use_count; u++) {
            life *l = &m->lives[rp_node_uses(g, n)[u].buffer];
            if (n->group < l->first) l->first = n->group;
            if (n->group > l->last) l->last = n->group;
        }
    }
    for (uint32_t i = 0; i < g->buffers_count; i++) /* a reader of the next replay may still look */
        if (g->buffers[i].tagged && m->lives[i].first != RP_NONE)
            m->lives[i].first = 0, m->lives[i].last = g->group_count - 1;
}

static bool in_arena(const memory *m, uint32_t buffer) {
    const rp_graph_buffer *b = &m->g->buffers[buffer];
    return !b->removed && rp_buffer_in_arena(b) && m->lives[buffer].first != RP_NONE;
}

static void find_alive(memory *m) {
    for (uint32_t i = 0; i < m->g->buffers_count; i++) {
        if (!in_arena(m, i)) continue;
        m->alive[m->lives[i].first] += m->lives[i].size; /* wraps around, sums come out right */
        m->alive[m->lives[i].last + 1] -= m->lives[i].size;
    }
    for (uint32_t i = 1; i < m->g->group_count; i++) m->alive[i] += m->alive[i - 1];
}

static void put_buffers(rp_text *t, const memory *m) {
    const rp_graph *g = m->g;
    bool first = true, scheduled = (g->stages & RP_STAGE_SCHEDULED) != 0;
    rp_text_string(t, ",\n\"buffers\":[");
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        if (g->buffers[i].removed) continue;
        const uint32_t *r = m->readers.first, *w = m->writers.first;
        bool used = scheduled && m->lives[i].first != RP_NONE;
        rp_text_format(t, "%s{\"buffer\":%u", first ? "\n" : ",\n", i);
        first = false;
        rp_json_key(t, "writers");
        rp_inspect_list(t, m->writers.items + w[i], w[i + 1] - w[i]);
        rp_json_key(t, "readers");
        rp_inspect_list(t, m->readers.items + r[i], r[i + 1] - r[i]);
        rp_json_optional(t, "first_group", used ? m->lives[i].first : RP_NONE, RP_NONE);
        rp_json_optional(t, "last_group", used ? m->lives[i].last : RP_NONE, RP_NONE);
        if (in_arena(m, i)) rp_json_number(t, "arena_bytes", m->lives[i].size);
        rp_text_char(t, '}');
    }
    rp_text_char(t, ']');
}

static int by_offset(const void *left, const void *right) {
    const life *a = left, *b = right;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    return (a->buffer > b->buffer) - (a->buffer < b->buffer);
}

/* Pairs of transients with a byte in common; of each with those that begin behind it at most
 * RP_INSPECT_ALIASES. */
static bool put_aliases(rp_text *t, const memory *m) {
    const rp_graph *g = m->g;
    life *placed = rp_alloc(&g->allocator, g->buffers_count, sizeof *placed);
    uint32_t count = 0;
    bool first = true;
    if (!placed) return false;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (in_arena(m, i) && m->lives[i].offset != RP_NOT_PLACED) placed[count++] = m->lives[i];
    qsort(placed, count, sizeof *placed, by_offset);
    rp_text_string(t, ",\n\"aliases\":[");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t end = placed[i].offset + placed[i].size;
        for (uint32_t k = i + 1; k < count && k <= i + RP_INSPECT_ALIASES && placed[k].offset < end;
             k++) {
            rp_text_format(t, "%s[%u,%u]", first ? "" : ",", placed[i].buffer, placed[k].buffer);
            first = false;
        }
    }
    rp_text_char(t, ']');
    rp_release(&g->allocator, placed);
    return true;
}

/* The first of the groups with the most alive, and what the arena has above that. */
static void put_fullest(rp_text *t, const memory *m) {
    const rp_graph *g = m->g;
    uint32_t fullest = 0;
    for (uint32_t i = 1; i < g->group_count; i++)
        if (m->alive[i] > m->alive[fullest]) fullest = i;
    rp_json_optional(t, "fullest_group", g->group_count ? fullest : RP_NONE, RP_NONE);
    if (!(g->stages & RP_STAGE_PLACED)) return;
    uint64_t bound = g->group_count ? m->alive[fullest] : 0;
    rp_json_number(t, "above_bound_bytes", g->arena_bytes > bound ? g->arena_bytes - bound : 0);
}

static bool reads(uint8_t access) {
    return rp_access_reads(access);
}

static bool writes(uint8_t access) {
    return rp_access_writes(access);
}

rp_status rp_inspect_memory(rp_text *t, const rp_graph *g) {
    const rp_allocator *a = &g->allocator;
    memory m = {.g = g,
                .lives = rp_alloc(a, g->buffers_count, sizeof *m.lives),
                .alive = rp_alloc_zero(a, (size_t)g->group_count + 2, sizeof *m.alive)};
    bool ok =
        m.lives && m.alive && list_users(g, reads, &m.readers) && list_users(g, writes, &m.writers);
    if (ok) {
        find_lives(&m);
        put_buffers(t, &m);
    }
    if (ok && (g->stages & RP_STAGE_SCHEDULED)) {
        find_alive(&m);
        ok = put_aliases(t, &m);
        rp_text_string(t, ",\n\"alive_bytes\":[");
        for (uint32_t i = 0; i < g->group_count; i++) {
            if (i) rp_text_char(t, ',');
            rp_text_u64(t, m.alive[i]);
        }
        rp_text_char(t, ']');
    }
    if (ok && (g->stages & RP_STAGE_SCHEDULED)) put_fullest(t, &m);
    free_memory(&m);
    return ok ? RP_OK : RP_ERROR_NO_MEMORY;
}
