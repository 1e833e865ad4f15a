/* Internal: what the parts of the checker share. See check.c for the whole. */
#ifndef RP_CHECK_CHECK_H
#define RP_CHECK_CHECK_H

#include "graph/graph.h"
#include "reprise/check.h"

enum {
    RP_CHECK_MAX_ERRORS = 100, /* then the checker stops: the list of diagnostics is full */
    RP_CHECK_RANGE = 160,      /* bytes of a printed range; longer names are cut */
};

/* One run of the checker. Without a source, the members that speak of it are NULL. */
typedef struct rp_check_run {
    const rp_allocator *a;
    const rp_graph *compiled, *source;
    const char *file;
    rp_diags *diags;
    uint32_t errors;
    bool has_unknown;        /* some node has no declared uses */
    rp_form form;            /* whose barriers rule 2 judges */
    rp_form next_form;       /* that the next replay takes */
    uint32_t *by_id;         /* source nodes (compiled ones without source) in id order */
    uint32_t *plan_of;       /* source node -> compiled node, RP_NONE when dropped */
    uint32_t *source_of;     /* compiled node -> source node; RP_NONE for a fused node */
    uint32_t *source_use;    /* operand of a fused compiled node -> the source use it stands for */
    uint32_t *source_buffer; /* compiled external buffer -> the same one of the source */
    uint64_t reads_proven, conflicts_proven;
} rp_check_run;

/* The rules. Each adds its findings to the diagnostics and fails only without memory. */
rp_status rp_check_match(rp_check_run *run);   /* rule 0: the same nodes, check_match.c */
rp_status rp_check_flow(rp_check_run *run);    /* rule 1: the same dataflow, check_flow.c */
rp_status rp_check_races(rp_check_run *run);   /* rule 2: no races, check_race.c */
rp_status rp_check_aliases(rp_check_run *run); /* its images that share memory, check_alias.c */
rp_status rp_check_tags(rp_check_run *run);    /* its tagged buffers, check_tags.c */
void rp_check_sizes(rp_check_run *run);        /* rule 4: at every live size, check_sizes.c */
rp_status rp_check_orders(rp_check_run *run);  /* fences, nodes without uses, check_order.c */

/* Part of rule 0, check_members.c. Whether a node made of ops has workgroups for all that it writes: a
 * grid of numbers, or one of the live sizes that its operands follow. */
bool rp_check_grid_is_known(const rp_graph *graph, const rp_graph_node *node);
/* Whether a node was fused: it has members that are nodes of their
 * own in the source. */
bool rp_check_is_fused(const rp_check_run *run, const rp_graph_node *node);
/* Matches the members of a fused node with their source nodes: fills in plan_of and source_use. */
void rp_check_match_fused(rp_check_run *run, uint32_t index);
/* Whether a compiled node is left out of a replay just when the source's is: both never, or both by
 * the same label or their own number. A node that stands for several has no number of its own. */
bool rp_check_same_switch(const rp_check_run *run, const rp_graph_node *node,
                          const rp_graph_node *source);
/* What differs between the members of a node and those of the same node in the source, NULL when
 * nothing does. */
const char *rp_check_members_difference(const rp_check_run *run, const rp_graph_node *node,
                                        const rp_graph_node *source);
/* The operand that computes what operand `reader` of the node reads as a value: a place in
 * operands[], RP_NONE when no earlier member does, or several do. */
uint32_t rp_check_value_writer(const rp_graph *graph, const rp_graph_node *node, uint32_t reader);

/* Helpers of check_match.c: the source node of an id, RP_NONE when there is none; and what is wrong
 * about where a use went, NULL when rule 1 may judge it. */
uint32_t rp_check_find_id(const rp_check_run *run, uint32_t id);
const char *rp_check_use_difference(const rp_check_run *run, const rp_graph_use *use,
                                    const rp_graph_use *source);
void rp_check_fail_use(rp_check_run *run, const rp_graph_node *node, const rp_graph_use *use,
                       const rp_graph_use *source, const char *what);

/* Records a finding at a node of the compiled graph (NULL: at none). */
void rp_check_fail(rp_check_run *run, const rp_graph_node *at, const char *format, ...)
    RP_PRINTF(3, 4);

/* "%h[0+256]" */
const char *rp_check_range(char text[RP_CHECK_RANGE], const rp_graph *graph, uint32_t buffer,
                           uint64_t offset, uint64_t size);
/* "compute:w" */
const char *rp_check_bit(char text[RP_CHECK_RANGE], uint32_t scope);

static inline bool rp_check_stop(const rp_check_run *run) {
    return run->errors >= RP_CHECK_MAX_ERRORS;
}

static inline bool rp_check_external(const rp_graph_buffer *b) {
    return b->kind != RP_TMP;
}

/* Whether what was in the range before decides what the node does or leaves there. A node whose
 * grid is not known may write only part of what it says, an optional one nothing at all. */
static inline bool rp_check_reads(const rp_graph_node *n, const rp_graph_use *u) {
    return u->access != RP_WRITE || !rp_node_is_certain(n);
}

static inline bool rp_check_writes(const rp_graph_use *u) {
    return u->access == RP_WRITE || u->access == RP_READ_WRITE;
}

/* A node reads before it writes, in whatever order its uses are listed. Calls `visit` with each use
 * that the node reads through, then with each that it writes through: with one that does both in
 * both turns. `k` counts from the node's first use. */
typedef void rp_check_visit(void *context, const rp_graph_node *node, uint32_t k, bool writes);
static inline void rp_check_visit_uses(const rp_graph *graph, const rp_graph_node *node,
                                       rp_check_visit *visit, void *context) {
    const rp_graph_use *uses = rp_node_uses(graph, node);
    for (uint32_t k = 0; k < node->use_count; k++)
        if (rp_check_reads(node, &uses[k])) visit(context, node, k, false);
    for (uint32_t k = 0; k < node->use_count; k++)
        if (rp_check_writes(&uses[k])) visit(context, node, k, true);
}

/* ---- Physical bytes -------------------------------------------------------------------------- */

/* Memory comes in spaces: every external buffer and every transient without offset is one, the
 * arena is the last. */
static inline bool rp_check_in_arena(const rp_graph *g, uint32_t buffer) {
    return rp_buffer_in_arena(&g->buffers[buffer]) && g->buffers[buffer].offset != RP_NOT_PLACED;
}

static inline uint32_t rp_check_space(const rp_graph *g, uint32_t buffer) {
    return rp_check_in_arena(g, buffer) ? g->buffers_count : buffer;
}

/* The first byte of a use in its space. */
static inline uint64_t rp_check_base(const rp_graph *g, const rp_graph_use *u) {
    return (rp_check_in_arena(g, u->buffer) ? g->buffers[u->buffer].offset : 0) + u->offset;
}

/* ---- Boundaries ------------------------------------------------------------------------------ */

/* Two replays in a row have 2 * (group_count + 1) boundaries, numbered from 0; group g of replay r
 * stands right behind boundary r * (group_count + 1) + g, and that number is its position. A
 * boundary b lies between the positions p < q when p < b <= q. */
static inline uint32_t rp_check_position(const rp_graph *g, const rp_graph_node *n,
                                         uint32_t replay) {
    return replay * (g->group_count + 1) + n->group;
}

/* Whether a boundary orders everything before it against everything after it. */
static inline bool rp_check_full(const rp_graph_barrier *b) {
    const uint32_t src = RP_SCOPE_COMPUTE_W | RP_SCOPE_TRANSFER_W | RP_SCOPE_INDIRECT_R;
    return (b->src & src) == src && (b->dst & RP_SCOPE_ANY) == RP_SCOPE_ANY;
}

#endif
