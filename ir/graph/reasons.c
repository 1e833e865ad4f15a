/* The reason of each barrier; see reasons.h.
 *
 * A dump has to say which hazard forced a barrier, not merely that one is there. The hazards are
 * walked once, each looks up the first boundary that covers it, and the result is sorted by
 * boundary.
 *
 * Most hazards of the next replay are ordered by barriers that stand there anyway. They are named
 * only at a barrier without another reason, as the plan's first one: elsewhere they would hide what
 * matters. Cost: O(hazards log hazards) time; 4 bytes a group for each pair of scopes. */
#include "graph/reasons.h"

#include <stdlib.h>
#include "hazard/boundary.h"

enum { MAX_NODES = 4, MAX_ENTRIES = 8 }; /* on one line */
enum { FEW = 32 };                       /* hazards that are sorted without qsort */

typedef struct builder {
    const rp_graph *graph;
    rp_reasons *reasons;
    const rp_hazard *hazards;
    uint32_t count;
    rp_boundaries boundaries;
    uint32_t *boundary;    /* of each hazard; RP_NONE: it gives no barrier a reason */
    uint32_t *same_replay; /* per boundary: whether it has a hazard of one replay */
} builder;

static bool find_boundaries(builder *b) {
    const rp_graph *g = b->graph;
    for (uint32_t i = 0; i < b->count; i++) {
        const rp_hazard *h = &b->hazards[i];
        uint32_t from = g->nodes[h->from].group, found;
        uint32_t to = h->to == RP_HAZARD_HOST ? g->group_count : g->nodes[h->to].group;
        b->boundary[i] = RP_NONE;
        if (!h->next_replay && from == to) continue;
        if (!rp_boundary_of(&b->boundaries, h, from, to, &found)) return false;
        if (found == RP_NO_BOUNDARY) {
            b->reasons->unordered++;
            continue;
        }
        b->boundary[i] = found;
        if (!h->next_replay) b->same_replay[found] = 1;
    }
    return true;
}

#define COMPARE(x, y)                                                                              \
    if ((x) != (y)) return (x) < (y) ? -1 : 1

static int compare_hazards(const void *left, const void *right) {
    const rp_hazard *a = left, *b = right;
    COMPARE(a->kind, b->kind);
    COMPARE(a->next_replay, b->next_replay);
    COMPARE(a->from_buffer, b->from_buffer);
    COMPARE(a->to_buffer, b->to_buffer);
    COMPARE(a->from, b->from);
    COMPARE(a->to, b->to);
    COMPARE(a->offset, b->offset);
    return 0;
}

/* As most boundaries have. */
static void sort_few(rp_hazard *hazards, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        rp_hazard h = hazards[i];
        uint32_t at = i;
        for (; at > 0 && compare_hazards(&hazards[at - 1], &h) > 0; at--)
            hazards[at] = hazards[at - 1];
        hazards[at] = h;
    }
}

/* Sorts the hazards by boundary, drops those that only repeat what stands there anyway. */
static bool sort_by_boundary(builder *b) {
    rp_reasons *r = b->reasons;
    const rp_allocator *a = &b->graph->allocator;
    uint32_t barriers = r->barrier_count;
    r->first = rp_alloc_zero(a, (size_t)barriers + 2, sizeof *r->first);
    if (!r->first) return false;
    /* first[b + 2] counts, then first[b + 1] is where b's next hazard goes, then where b ends. */
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t at = b->boundary[i];
        if (at == RP_NONE) continue;
        if (b->hazards[i].next_replay && b->same_replay[at])
            b->boundary[i] = RP_NONE;
        else
            r->first[at + 2]++;
    }
    for (uint32_t i = 2; i < barriers + 2; i++) r->first[i] += r->first[i - 1];
    uint32_t count = r->first[barriers + 1];
    rp_hazard *sorted = r->hazards = rp_alloc(a, count, sizeof *sorted);
    if (!sorted) return false;
    r->hazards_count = r->hazards_capacity = count;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->boundary[i] != RP_NONE) sorted[r->first[b->boundary[i] + 1]++] = b->hazards[i];
    for (uint32_t i = 0; i < barriers; i++) {
        uint32_t here = r->first[i + 1] - r->first[i];
        if (here > FEW)
            qsort(sorted + r->first[i], here, sizeof *sorted, compare_hazards);
        else
            sort_few(sorted + r->first[i], here);
    }
    return true;
}

rp_status rp_reasons_build(const rp_graph *graph, rp_reasons *out) {
    *out = (rp_reasons){0};
    if (!(graph->stages & RP_STAGE_SYNCED) || !(graph->stages & RP_STAGE_SCHEDULED)) return RP_OK;
    const rp_allocator *a = &graph->allocator;
    builder b = {
        .graph = graph,
        .reasons = out,
        .boundaries = {.a = a, .barriers = graph->barriers, .count = graph->barriers_count}};
    out->barrier_count = graph->barriers_count;
    rp_hazard *made;
    RP_TRY(rp_hazards_list(graph, &b.hazards, &b.count, &made));
    b.boundary = rp_alloc(a, b.count, sizeof *b.boundary);
    b.same_replay = rp_alloc_zero(a, graph->barriers_count, sizeof *b.same_replay);
    bool ok = b.boundary && b.same_replay && find_boundaries(&b) && sort_by_boundary(&b);

    rp_boundaries_free(&b.boundaries);
    rp_release(a, made);
    rp_release(a, b.boundary);
    rp_release(a, b.same_replay);
    if (ok) return RP_OK;
    rp_reasons_free(graph, out);
    return RP_ERROR_NO_MEMORY;
}

void rp_reasons_free(const rp_graph *graph, rp_reasons *reasons) {
    rp_release(&graph->allocator, reasons->first);
    rp_release(&graph->allocator, reasons->hazards);
    *reasons = (rp_reasons){0};
}

void rp_buffer_print(rp_text *text, const rp_graph *graph, uint32_t buffer) {
    const rp_graph_buffer *b = &graph->buffers[buffer];
    rp_text_char(text, b->kind == RP_TMP ? '%' : '$');
    rp_text_string(text, rp_graph_string(graph, b->name));
}

/* Appends up to MAX_NODES different nodes of one side of hazards[0..count). */
static void print_side(rp_text *text, const rp_graph *graph, const rp_hazard *hazards,
                       uint32_t count, bool to_side) {
    uint32_t seen[MAX_NODES], seen_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node = to_side ? hazards[i].to : hazards[i].from, k = 0;
        while (k < seen_count && seen[k] != node) k++;
        if (k < seen_count) continue;
        if (seen_count) rp_text_char(text, ',');
        if (seen_count == MAX_NODES) {
            rp_text_string(text, "...");
            return;
        }
        seen[seen_count++] = node;
        if (node == RP_HAZARD_HOST) {
            rp_text_string(text, "host");
            continue;
        }
        rp_text_char(text, 'n');
        rp_text_u64(text, graph->nodes[node].id);
    }
}

/* One entry: hazards of the same kind on the same buffers. */
static void print_entry(rp_text *text, const rp_graph *graph, const rp_hazard *hazards,
                        uint32_t count) {
    const rp_hazard *h = &hazards[0];
    rp_text_string(text, rp_hazard_name(h->kind));
    rp_text_char(text, ' ');
    if (h->to_buffer != RP_NONE) {
        if (h->from_buffer != h->to_buffer && h->from_buffer != RP_NONE) {
            rp_buffer_print(text, graph, h->from_buffer);
            rp_text_char(text, '/');
        }
        rp_buffer_print(text, graph, h->to_buffer);
        rp_text_char(text, ' ');
    }
    print_side(text, graph, hazards, count, false);
    rp_text_string(text, h->next_replay ? "->next " : "->");
    print_side(text, graph, hazards, count, true);
    if (rp_hazard_waits(graph, h)) rp_text_string(text, " (waits)");
}

void rp_reasons_print(rp_text *text, const rp_graph *graph, const rp_reasons *reasons, uint32_t b) {
    if (b >= reasons->barrier_count) return;
    uint32_t at = reasons->first[b], end = reasons->first[b + 1], entries = 0;
    while (at < end) {
        const rp_hazard *h = &reasons->hazards[at];
        uint32_t stop = at + 1;
        while (stop < end && reasons->hazards[stop].kind == h->kind &&
               reasons->hazards[stop].from_buffer == h->from_buffer &&
               reasons->hazards[stop].to_buffer == h->to_buffer &&
               reasons->hazards[stop].next_replay == h->next_replay)
            stop++;
        if (entries < MAX_ENTRIES) {
            if (entries) rp_text_string(text, ", ");
            print_entry(text, graph, h, stop - at);
        }
        entries++;
        at = stop;
    }
    if (entries <= MAX_ENTRIES) return;
    rp_text_string(text, ", and ");
    rp_text_u64(text, entries - MAX_ENTRIES);
    rp_text_string(text, " more");
}
