/* Internal: the reason of each barrier: which hazards it is the first to order.
 *
 * hazard/boundary.h says which barrier orders a hazard; one of the next replay is dropped where the
 * barrier has a reason of one replay. A graph with tagged buffers has reasons in each form. Used by every
 * form of a graph's text, so that text, JSON and DOT tell the same story. */
#ifndef RP_GRAPH_REASONS_H
#define RP_GRAPH_REASONS_H

#include "base/text.h"
#include "graph/hazards.h"

typedef struct rp_reason {
    rp_hazard hazard;
    bool mixed; /* of the next replay, and only behind a replay of the other form */
} rp_reason;

typedef struct rp_form_reasons {
    uint32_t *first; /* barrier b: reasons[first[b]] .. reasons[first[b + 1] - 1], sorted by kind,
                      * buffers, nodes and bytes */
    rp_reason *reasons;
} rp_form_reasons;

typedef struct rp_reasons {
    uint32_t barrier_count; /* that of the graph: group_count + 1, 0 unless it is synced */
    uint32_t form_count;    /* RP_FORMS with tagged buffers; else 1, or 0 unless it is synced */
    rp_form_reasons forms[RP_FORMS];
    uint32_t unordered; /* hazards between groups that no barrier orders; 0 in a proven graph */
} rp_reasons;

/* Built once per print; O(hazards log + groups). A graph that is not synced has no reasons. */
rp_status rp_reasons_build(const rp_graph *graph, rp_reasons *out);
void rp_reasons_free(const rp_graph *graph, rp_reasons *reasons);

/* Appends the separator and the reason of barrier `b` on one line:
 * "raw %n n0->n1,n2, war %n/%h n1,n2->n3". Long lists are cut and counted. With tagged buffers follows
 * what that form has there besides, and what it need not have: "; with tags: war %a/%b n1->n5; not needed:
 * n1,n2 wait for all words of %n (n0)". Nothing for a barrier without a reason. */
void rp_reasons_print(rp_text *text, const rp_graph *graph, const rp_reasons *reasons, uint32_t b,
                      const char *separator);

/* Appends "$name" or "%name". */
void rp_buffer_print(rp_text *text, const rp_graph *graph, uint32_t buffer);

#endif
