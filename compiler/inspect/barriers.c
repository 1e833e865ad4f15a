/* What each barrier is for: the bytes of its hazards, and which of these nothing else orders, so that they would
 * break without it. */
#include "inspect/internal.h"

#include <stdlib.h>

#include "graph/reasons.h"
#include "hazard/boundary.h"
#include "hazard/cover.h"

static int by_place(const void *left, const void *right) {
    const rp_hazard *a = left, *b = right;
    if (a->to_buffer != b->to_buffer) return a->to_buffer < b->to_buffer ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The bytes that the hazards are about, each once. `own` has room for them. */
static uint64_t count_bytes(const rp_reason *reasons, uint32_t count, rp_hazard *own) {
    uint64_t bytes = 0, end = 0;
    for (uint32_t i = 0; i < count; i++) own[i] = reasons[i].hazard;
    qsort(own, count, sizeof *own, by_place);
    for (uint32_t i = 0; i < count; i++) {
        if (own[i].to_buffer == RP_NONE) continue;
        if (i == 0 || own[i].to_buffer != own[i - 1].to_buffer) end = 0;
        uint64_t last = own[i].offset + own[i].size;
        uint64_t first = own[i].offset > end ? own[i].offset : end;
        if (last <= first) continue;
        bytes += last - first;
        end = last;
    }
    return bytes;
}

/* Whether no barrier but the one at boundary `at` orders the hazard. */
static bool is_alone(rp_boundaries *b, const rp_graph *g, const rp_reason *r, uint32_t at,
                     bool *out_alone) {
    rp_hazard h = r->hazard;
    uint32_t from = g->nodes[h.from].group, found;
    uint32_t to = h.to == RP_HAZARD_HOST ? g->group_count : g->nodes[h.to].group;
    *out_alone = false;
    if (r->mixed) return true;
    if (at <= from) h.next_replay = false; /* it stands in the next replay: so do those behind it */
    if (!rp_boundary_of(b, &h, at, to, &found)) return false;
    *out_alone = found == RP_NO_BOUNDARY;
    return true;
}

/* How many there are of each kind, and the kind that the barrier is drawn for. */
static void put_kinds(rp_text *t, const rp_reason *reasons, uint32_t count) {
    uint32_t found[RP_ORDER + 1] = {0}, kinds = 0;
    for (uint32_t i = 0; i < count; i++) {
        found[reasons[i].hazard.kind]++;
        kinds |= 1u << reasons[i].hazard.kind;
    }
    rp_text_format(t, ",\"kind\":\"%s\",\"kinds\":{", rp_hazard_name(rp_barrier_reason(kinds)));
    for (uint32_t k = 0; k <= RP_ORDER; k++)
        rp_text_format(t, "%s\"%s\":%u", k ? "," : "", rp_hazard_name((rp_hazard_kind)k), found[k]);
    rp_text_char(t, '}');
}

/* Whether the tagged form has no barrier there: readers wait for words instead. */
static bool waited_for(const rp_graph *g, uint32_t at) {
    const rp_graph_barrier *tagged = &rp_graph_form(g, RP_FORM_TAGGED)[at];
    return g->tagged_barriers_count && !(tagged->src | tagged->dst);
}

static bool put_barrier(rp_text *t, const rp_graph *g, const rp_form_reasons *r, uint32_t at,
                        rp_boundaries *boundaries, rp_hazard *own) {
    uint32_t first = r->first[at], count = r->first[at + 1] - first;
    bool alone, comma = false, inner = at > 0 && at < g->group_count;
    rp_text_format(t, "{\"before_group\":%u", at);
    put_kinds(t, r->reasons + first, count);
    rp_json_number(t, "bytes", count_bytes(r->reasons + first, count, own));
    rp_text_string(t, ",\"alone\":[");
    for (uint32_t i = 0; i < count; i++) {
        if (!is_alone(boundaries, g, &r->reasons[first + i], at, &alone)) return false;
        if (!alone) continue;
        if (comma) rp_text_char(t, ',');
        rp_text_u64(t, i);
        comma = true;
    }
    rp_text_char(t, ']');
    if (inner && !comma) rp_json_flag(t, "needless", true);
    if (waited_for(g, at)) rp_json_flag(t, "tagged_away", true);
    rp_text_char(t, '}');
    return true;
}

static bool put_all(rp_text *t, const rp_graph *g, const rp_reasons *reasons) {
    const rp_form_reasons *r = &reasons->forms[RP_FORM_BARRIERS];
    bool first = true, ok = true;
    uint32_t total = reasons->barrier_count ? r->first[reasons->barrier_count] : 0;
    rp_hazard *own = rp_alloc(&g->allocator, total, sizeof *own);
    rp_boundaries boundaries = {
        .a = &g->allocator, .barriers = g->barriers, .count = g->barriers_count};
    ok = own != NULL;
    for (uint32_t i = 0; ok && i < reasons->barrier_count; i++) {
        const rp_graph_barrier *b = &g->barriers[i];
        const rp_graph_barrier *tagged = &rp_graph_form(g, RP_FORM_TAGGED)[i];
        if (!(b->src | b->dst | tagged->src | tagged->dst))
            continue; /* as in the graph's own list */
        rp_text_string(t, first ? "\n" : ",\n");
        first = false;
        ok = put_barrier(t, g, r, i, &boundaries, own);
    }
    rp_boundaries_free(&boundaries);
    rp_release(&g->allocator, own);
    return ok;
}

rp_status rp_inspect_barriers(rp_text *t, const rp_graph *g) {
    rp_reasons reasons;
    RP_TRY(rp_reasons_build(g, &reasons));
    rp_text_string(t, ",\n\"barriers\":[");
    bool ok = put_all(t, g, &reasons);
    rp_text_char(t, ']');
    rp_reasons_free(g, &reasons);
    return ok ? RP_OK : RP_ERROR_NO_MEMORY;
}
