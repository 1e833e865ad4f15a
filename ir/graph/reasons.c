/* The reason of each barrier; see reasons.h.
 *
 * A dump has to say which hazard forced a barrier, not merely that one is there. The hazards are
 * walked once for each form, each looks up the first boundary that covers it, and the result is sorted
 * by boundary. In the tagged form those are left out whose later node waits; what they would have
 * needed is told beside the reasons of the form with all barriers, where they are.
 *
 * Most hazards of the next replay are ordered by barriers that stand there anyway. They are named
 * only at a barrier without another reason, as the plan's first one: elsewhere they would hide what
 * matters. Of those that need a barrier only because the replay before took the other form (what that
 * one has behind a node the later replay may have in front of another), those are named that need a
 * scope which nothing else there does. Cost: O(hazards log hazards) time; 4 bytes a group for each pair of
 * scopes, for each form. */
#include "graph/reasons.h"

#include <stdlib.h>
#include "hazard/boundary.h"

enum { MAX_NODES = 4, MAX_ENTRIES = 8 }; /* on one line */
enum { FEW = 32 };                       /* reasons that are sorted without qsort */

/* What is known of a boundary of one form. */
typedef struct standing {
    bool same_replay; /* it orders a hazard of one replay */
    rp_barrier needs; /* what it needs whatever form the replay before took */
} standing;

typedef struct builder {
    const rp_graph *graph;
    rp_reasons *reasons;
    const rp_hazard *hazards;
    uint32_t count;
    rp_boundaries boundaries[RP_FORMS];
    rp_form form;        /* that is built */
    uint32_t *boundary;  /* of each hazard; RP_NONE: it gives no barrier a reason */
    bool *mixed;         /* of each hazard: behind the other form alone */
    standing *standings; /* by boundary */
} builder;

/* The boundary that orders a hazard of the next replay where the replay before took the other form;
 * RP_NO_BOUNDARY for one of that replay's own. */
static bool find_mixed(builder *b, const rp_hazard *h, uint32_t from, uint32_t to, uint32_t *out) {
    rp_boundaries *own = &b->boundaries[b->form];
    rp_boundaries *other =
        &b->boundaries[b->form == RP_FORM_BARRIERS ? RP_FORM_TAGGED : RP_FORM_BARRIERS];
    if (!rp_boundary_of(other, h, from, to, out)) return false;
    if (*out != RP_NO_BOUNDARY && *out > from) {
        *out = RP_NO_BOUNDARY;
        return true;
    }
    return rp_boundary_of(own, h, own->count - 1, to, out);
}

static bool find_boundary(builder *b, uint32_t i) {
    const rp_graph *g = b->graph;
    const rp_hazard *h = &b->hazards[i];
    uint32_t from = g->nodes[h->from].group, found, behind_other = RP_NO_BOUNDARY;
    uint32_t to = h->to == RP_HAZARD_HOST ? g->group_count : g->nodes[h->to].group;
    b->boundary[i] = RP_NONE;
    b->mixed[i] = false;
    if (!h->next_replay && from == to) return true;
    if (b->form == RP_FORM_TAGGED && rp_hazard_waits(g, h)) return true;
    if (!rp_boundary_of(&b->boundaries[b->form], h, from, to, &found)) return false;
    if (h->next_replay && h->to != RP_HAZARD_HOST && b->reasons->form_count > 1 &&
        !find_mixed(b, h, from, to, &behind_other))
        return false;
    if (found == RP_NO_BOUNDARY) {
        b->reasons->unordered++;
        return true;
    }
    /* Where its own form orders it behind the node, but the other one does not, the mix is what counts. */
    b->mixed[i] = behind_other != RP_NO_BOUNDARY && found > from;
    b->boundary[i] = b->mixed[i] ? behind_other : found;
    if (b->mixed[i]) return true;
    standing *s = &b->standings[found];
    if (!h->next_replay) s->same_replay = true;
    rp_barrier_widen(&s->needs, h->src, h->dst);
    return true;
}

static bool find_boundaries(builder *b) {
    for (uint32_t i = 0; i < b->count; i++)
        if (!find_boundary(b, i)) return false;
    return true;
}

/* Whether a hazard only repeats what its boundary has for other reasons. */
static bool is_repeated(const builder *b, uint32_t i) {
    const rp_hazard *h = &b->hazards[i];
    const standing *s = &b->standings[b->boundary[i]];
    if (!h->next_replay) return false;
    return s->same_replay || (b->mixed[i] && rp_barrier_covers(s->needs, h->src, h->dst));
}

#define COMPARE(x, y)                                                                              \
    if ((x) != (y)) return (x) < (y) ? -1 : 1

static int compare_reasons(const void *left, const void *right) {
    const rp_hazard *a = &((const rp_reason *)left)->hazard,
                    *b = &((const rp_reason *)right)->hazard;
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
static void sort_few(rp_reason *reasons, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        rp_reason r = reasons[i];
        uint32_t at = i;
        for (; at > 0 && compare_reasons(&reasons[at - 1], &r) > 0; at--)
            reasons[at] = reasons[at - 1];
        reasons[at] = r;
    }
}

/* Sorts the hazards by boundary, drops those that only repeat what stands there anyway. */
static bool sort_by_boundary(builder *b) {
    rp_form_reasons *r = &b->reasons->forms[b->form];
    const rp_allocator *a = &b->graph->allocator;
    uint32_t barriers = b->reasons->barrier_count;
    r->first = rp_alloc_zero(a, (size_t)barriers + 2, sizeof *r->first);
    if (!r->first) return false;
    /* first[b + 2] counts, then first[b + 1] is where b's next reason goes, then where b ends. */
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t at = b->boundary[i];
        if (at == RP_NONE) continue;
        if (is_repeated(b, i))
            b->boundary[i] = RP_NONE;
        else
            r->first[at + 2]++;
    }
    for (uint32_t i = 2; i < barriers + 2; i++) r->first[i] += r->first[i - 1];
    rp_reason *sorted = r->reasons = rp_alloc(a, r->first[barriers + 1], sizeof *sorted);
    if (!sorted) return false;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->boundary[i] != RP_NONE)
            sorted[r->first[b->boundary[i] + 1]++] = (rp_reason){b->hazards[i], b->mixed[i]};
    for (uint32_t i = 0; i < barriers; i++) {
        uint32_t here = r->first[i + 1] - r->first[i];
        if (here > FEW)
            qsort(sorted + r->first[i], here, sizeof *sorted, compare_reasons);
        else
            sort_few(sorted + r->first[i], here);
    }
    return true;
}

rp_status rp_reasons_build(const rp_graph *graph, rp_reasons *out) {
    *out = (rp_reasons){0};
    if (!(graph->stages & RP_STAGE_SYNCED) || !(graph->stages & RP_STAGE_SCHEDULED)) return RP_OK;
    const rp_allocator *a = &graph->allocator;
    builder b = {.graph = graph, .reasons = out};
    out->barrier_count = graph->barriers_count;
    out->form_count = graph->tagged_barriers_count ? RP_FORMS : 1;
    rp_hazard *made;
    RP_TRY(rp_hazards_list(graph, &b.hazards, &b.count, &made));
    b.boundary = rp_alloc(a, b.count, sizeof *b.boundary);
    b.mixed = rp_alloc(a, b.count, sizeof *b.mixed);
    b.standings = rp_alloc(a, graph->barriers_count, sizeof *b.standings);
    bool ok = b.boundary && b.mixed && b.standings;
    for (uint32_t f = 0; f < out->form_count; f++)
        b.boundaries[f] = (rp_boundaries){
            .a = a, .barriers = rp_graph_form(graph, (rp_form)f), .count = graph->barriers_count};
    for (uint32_t f = 0; ok && f < out->form_count; f++) {
        b.form = (rp_form)f;
        memset(b.standings, 0, graph->barriers_count * sizeof *b.standings);
        ok = find_boundaries(&b) && sort_by_boundary(&b);
    }
    for (uint32_t f = 0; f < out->form_count; f++) rp_boundaries_free(&b.boundaries[f]);
    rp_release(a, made);
    rp_release(a, b.boundary);
    rp_release(a, b.mixed);
    rp_release(a, b.standings);
    if (ok) return RP_OK;
    rp_reasons_free(graph, out);
    return RP_ERROR_NO_MEMORY;
}

void rp_reasons_free(const rp_graph *graph, rp_reasons *reasons) {
    for (uint32_t f = 0; f < RP_FORMS; f++) {
        rp_release(&graph->allocator, reasons->forms[f].first);
        rp_release(&graph->allocator, reasons->forms[f].reasons);
    }
    *reasons = (rp_reasons){0};
}

void rp_buffer_print(rp_text *text, const rp_graph *graph, uint32_t buffer) {
    const rp_graph_buffer *b = &graph->buffers[buffer];
    rp_text_char(text, b->kind == RP_TMP ? '%' : '$');
    rp_text_string(text, rp_graph_string(graph, b->name));
}

/* Appends up to MAX_NODES different nodes of one side of reasons[0..count); how many those are. */
static uint32_t print_side(rp_text *text, const rp_graph *graph, const rp_reason *reasons,
                           uint32_t count, bool to_side) {
    uint32_t seen[MAX_NODES], seen_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rp_hazard *h = &reasons[i].hazard;
        uint32_t node = to_side ? h->to : h->from, k = 0;
        while (k < seen_count && seen[k] != node) k++;
        if (k < seen_count) continue;
        if (seen_count) rp_text_char(text, ',');
        if (seen_count == MAX_NODES) {
            rp_text_string(text, "...");
            return seen_count + 1;
        }
        seen[seen_count++] = node;
        if (node == RP_HAZARD_HOST) {
            rp_text_string(text, "host");
            continue;
        }
        rp_text_char(text, 'n');
        rp_text_u64(text, graph->nodes[node].id);
    }
    return seen_count;
}

/* One entry: hazards of the same kind on the same buffers. */
static void print_entry(rp_text *text, const rp_graph *graph, rp_form form,
                        const rp_reason *reasons, uint32_t count) {
    const rp_hazard *h = &reasons[0].hazard;
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
    print_side(text, graph, reasons, count, false);
    rp_text_string(text, h->next_replay ? "->next " : "->");
    print_side(text, graph, reasons, count, true);
    if (reasons[0].mixed)
        rp_text_string(text, form == RP_FORM_TAGGED ? " (behind the form with all barriers)"
                                                    : " (behind the tagged form)");
}

/* "n7 waits for all words of %x (n3)": readers of one buffer. */
static void print_wait(rp_text *text, const rp_graph *graph, const rp_reason *reasons,
                       uint32_t count) {
    bool several = print_side(text, graph, reasons, count, true) > 1;
    rp_text_string(text, several ? " wait for all words of " : " waits for all words of ");
    rp_buffer_print(text, graph, reasons[0].hazard.to_buffer);
    rp_text_string(text, " (");
    print_side(text, graph, reasons, count, false);
    rp_text_char(text, ')');
}

/* Which reasons of a barrier are printed. */
typedef enum selection {
    ALL,     /* those of the form with all barriers */
    WAITING, /* of these, the ones that tags order */
    ADDED,   /* those of the tagged form that the other one does not have there */
} selection;

static bool is_selected(const rp_graph *graph, const rp_reasons *all, uint32_t b,
                        const rp_reason *reason, selection which) {
    const rp_form_reasons *r = &all->forms[RP_FORM_BARRIERS];
    switch (which) {
    case ALL: return true;
    case WAITING: return rp_hazard_waits(graph, &reason->hazard);
    case ADDED:
        return !bsearch(reason, r->reasons + r->first[b], r->first[b + 1] - r->first[b],
                        sizeof *reason, compare_reasons);
    }
    return false;
}

/* Whether two reasons, one behind the other, make one entry. */
static bool is_alike(const rp_reason *a, const rp_reason *b) {
    const rp_hazard *x = &a->hazard, *y = &b->hazard;
    return x->kind == y->kind && x->from_buffer == y->from_buffer && x->to_buffer == y->to_buffer &&
           x->next_replay == y->next_replay && a->mixed == b->mixed;
}

/* Appends `intro` and the reasons that are selected, if any. */
static bool print_list(rp_text *text, const rp_graph *graph, const rp_reasons *all, uint32_t b,
                       selection which, const char *separator, const char *intro) {
    rp_form form = which == ADDED ? RP_FORM_TAGGED : RP_FORM_BARRIERS;
    const rp_form_reasons *r = &all->forms[form];
    uint32_t at = r->first[b], end = r->first[b + 1], entries = 0;
    while (at < end) {
        uint32_t stop = at + 1;
        bool selected = is_selected(graph, all, b, &r->reasons[at], which);
        while (stop < end && is_alike(&r->reasons[at], &r->reasons[stop]) &&
               is_selected(graph, all, b, &r->reasons[stop], which) == selected)
            stop++;
        if (selected && entries == 0) {
            rp_text_string(text, separator);
            rp_text_string(text, intro);
        }
        if (selected && entries < MAX_ENTRIES) {
            if (entries) rp_text_string(text, ", ");
            if (which == WAITING)
                print_wait(text, graph, &r->reasons[at], stop - at);
            else
                print_entry(text, graph, form, &r->reasons[at], stop - at);
        }
        entries += selected;
        at = stop;
    }
    if (entries > MAX_ENTRIES) {
        rp_text_string(text, ", and ");
        rp_text_u64(text, entries - MAX_ENTRIES);
        rp_text_string(text, " more");
    }
    return entries > 0;
}

void rp_reasons_print(rp_text *text, const rp_graph *graph, const rp_reasons *all, uint32_t b,
                      const char *separator) {
    if (b >= all->barrier_count) return;
    bool any = print_list(text, graph, all, b, ALL, separator, "");
    if (all->form_count == 1) return;
    any |= print_list(text, graph, all, b, ADDED, any ? "; " : separator, "with tags: ");
    print_list(text, graph, all, b, WAITING, "; ", "not needed: ");
}
