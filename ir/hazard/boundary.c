/* From hazards to the barriers that order them; see boundary.h. */
#include "hazard/boundary.h"

/* The table of a pair of scopes, made on first use; NULL without memory. */
static const uint32_t *table_of(rp_boundaries *b, uint32_t src, uint32_t dst) {
    for (uint32_t i = 0; i < b->table_count; i++)
        if (b->tables[i].src == src && b->tables[i].dst == dst) return b->tables[i].next;
    if (!RP_RESERVE(b->a, b->tables, b->table_count, b->table_capacity, 1)) return NULL;
    uint32_t *next = rp_alloc(b->a, (size_t)b->count + 1, sizeof *next);
    if (!next) return NULL;
    next[b->count] = RP_NO_BOUNDARY;
    for (uint32_t i = b->count; i--;)
        next[i] = rp_barrier_covers(b->barriers[i], src, dst) ? i : next[i + 1];
    b->tables[b->table_count++] = (rp_boundary_table){src, dst, next};
    return next;
}

bool rp_boundary_of(rp_boundaries *b, const rp_hazard *h, uint32_t from_group, uint32_t to_group,
                    uint32_t *out) {
    const uint32_t *next = table_of(b, h->src, h->dst);
    if (!next) return false;
    *out = next[from_group + 1];
    if (h->to == RP_HAZARD_HOST) return true;
    if (h->next_replay && *out == RP_NO_BOUNDARY)
        *out = next[0];
    else if (h->next_replay)
        return true;
    if (*out != RP_NO_BOUNDARY && *out > to_group) *out = RP_NO_BOUNDARY;
    return true;
}

void rp_boundaries_free(rp_boundaries *b) {
    for (uint32_t i = 0; i < b->table_count; i++) rp_release(b->a, b->tables[i].next);
    rp_release(b->a, b->tables);
    *b = (rp_boundaries){0};
}
