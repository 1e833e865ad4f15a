/* Internal: what the parts of pass `fuse` share. See fuse.c for the whole. */
#ifndef RP_PASSES_FUSE_H
#define RP_PASSES_FUSE_H

#include "graph/deps.h"
#include "kernel_shape.h"
#include "reprise/passes.h"

enum {
    RP_FUSE_RECENT = 1024,
    RP_FUSE_MEMBERS = 40, /* of one node: what a generated kernel stays readable with */
    RP_FUSE_USES = 24,    /* buffers of one kernel, likewise; a target may allow fewer */
    RP_FUSE_REASON = RP_SHAPE_REASON,
};

/* Whether a node can be fused at all. */
static inline bool rp_fuse_is_single(const rp_graph_node *n) {
    return n->kind == RP_OP && n->member_count == 1;
}

/* ---- Values (fuse_values.c) ------------------------------------------------------------------ */

/* Why a value must be in memory whatever is fused. */
typedef enum rp_fuse_escape {
    RP_FUSE_STAYS_INSIDE = 0,
    RP_FUSE_IS_RESULT, /* it lies in a buffer that others see */
    RP_FUSE_IS_SHARED, /* somebody reads only part of it, reads it as another type, or is no op */
} rp_fuse_escape;

/* Who reads what whom, by operands of op nodes (indices into the graph's operands[]). */
typedef struct rp_fuse_values {
    uint32_t *node;   /* operand -> its node */
    uint32_t *writer; /* input -> the output whose bytes it finds, all of them and as the same
                       * type; RP_NONE */
    uint32_t *first_reader, *next_reader; /* output -> its such inputs, in id order; RP_NONE ends */
    uint8_t *escape;                      /* output -> rp_fuse_escape */
    uint32_t *other; /* output -> the node that makes it escape, RP_NONE for none */
} rp_fuse_values;

rp_status rp_fuse_values_build(const rp_graph *graph, rp_fuse_values *out);
void rp_fuse_values_free(const rp_graph *graph, rp_fuse_values *values);

/* ---- Sets of nodes (fuse_set.c) -------------------------------------------------------------- */

/* What is asked of an op again and again. */
typedef struct rp_fuse_call {
    uint32_t node;
    uint64_t used; /* the number of the set that needed it last */
    rp_op_call call;
    rp_op_cost cost;
    rp_op_size size;
} rp_fuse_call;

/* What nodes are merged to already, where pass `flow` comes later. */
typedef struct rp_fuse_tags {
    const uint32_t *owner; /* node -> its cluster */
    bool *product;         /* cluster -> whether some op of it is a product */
} rp_fuse_tags;

typedef struct rp_fuse_set {
    const rp_graph *graph;
    const rp_fuse_values *values;
    const rp_fuse_tags *tags; /* NULL: barriers stand between all kernels */
    uint32_t most_uses;       /* that a kernel of several nodes may have */
    uint32_t count;
    uint32_t nodes[RP_FUSE_MEMBERS];            /* ascending id: a value comes before its readers */
    const rp_fuse_call *calls[RP_FUSE_MEMBERS]; /* checked */
    rp_shape_member members[RP_FUSE_MEMBERS];
    rp_shape shape;              /* after rp_fuse_set_shape() */
    uint32_t views;              /* uses that need a number to begin with */
    char reason[RP_FUSE_REASON]; /* why not */
    rp_fuse_call *recent, *own;  /* by node, modulo RP_FUSE_RECENT; for nodes that collide */
    uint64_t number;
} rp_fuse_set;

bool rp_fuse_set_open(const rp_graph *graph, const rp_fuse_values *values, rp_fuse_set *set);
void rp_fuse_set_close(rp_fuse_set *set);

/* The member of a node of the set. */
static inline const rp_graph_member *rp_fuse_member(const rp_fuse_set *set, uint32_t i) {
    return rp_node_members(set->graph, &set->graph->nodes[set->nodes[i]]);
}

/* The place of a node in the set, RP_NONE when it is not one of it. */
uint32_t rp_fuse_place(const rp_fuse_set *set, uint32_t node);

/* The place in the set of the node that computes operand `input`'s value; RP_NONE when the input
 * comes from memory. *out_operand becomes the output's number within that member. */
uint32_t rp_fuse_producer(const rp_fuse_set *set, uint32_t input, uint32_t *out_operand);

/* Where an operand of a node of the set lies in memory. */
static inline const rp_graph_use *rp_fuse_use(const rp_fuse_set *set, uint32_t operand) {
    const rp_graph *g = set->graph;
    return &rp_node_uses(g, &g->nodes[set->values->node[operand]])[g->operands[operand].use];
}

/* Whether the graph never writes what the input reads. */
static inline bool rp_fuse_is_given(const rp_fuse_set *set, uint32_t input) {
    uint8_t kind = set->graph->buffers[rp_fuse_use(set, input)->buffer].kind;
    return kind == RP_IN || kind == RP_WEIGHT || kind == RP_LIVE;
}

/* Whether an output of a member has to be written to memory. */
bool rp_fuse_is_stored(const rp_fuse_set *set, uint32_t output);

/* Fills in the calls of the set's nodes. False with the reason. */
bool rp_fuse_set_calls(rp_fuse_set *set);

/* Whether one generated kernel can compute the set: fills in `shape`, or `reason` and returns
 * false. Order and profit are others' affair. */
bool rp_fuse_set_shape(rp_fuse_set *set);

/* Whether nodes that somebody wants in one kernel (rp_pass_options.fused) are in two of the clusters that the set
 * is made of. */
bool rp_fuse_is_wanted(const rp_pass_options *options, const rp_fuse_set *set,
                       const uint32_t *owner, const uint32_t *clusters, uint32_t count);

/* ---- Source order (fuse_order.c) ------------------------------------------------------------- */

typedef struct rp_fuse_order {
    rp_deps deps;
    uint32_t *vertex;     /* node -> vertex */
    uint32_t *position;   /* node -> the id that stands for its place: what it was merged into */
    uint32_t *low, *high; /* join -> one more than the largest place before it (0: none), and the
                           * smallest behind it (RP_NONE) */
    uint32_t *stack;
} rp_fuse_order;

rp_status rp_fuse_order_build(const rp_graph *graph, rp_fuse_order *out);
void rp_fuse_order_free(const rp_graph *graph, rp_fuse_order *order);

/* The id for the merged node; RP_NONE, with the reason, when there is none. */
uint32_t rp_fuse_order_find(const rp_fuse_order *order, rp_fuse_set *set);

/* Says that a node's place is now that of the id. */
void rp_fuse_order_move(rp_fuse_order *order, uint32_t node, uint32_t position);

/* ---- Cost (fuse_cost.c) ---------------------------------------------------------------------- */

/* The figures of a target that an estimate is made of. */
enum { RP_FUSE_PARTS = 5, RP_FUSE_WORDS = 2 /* the part that words are of */ };
extern const uint8_t rp_fuse_figures[RP_FUSE_PARTS];

/* The set as one kernel, by the costs of the graph's target. */
typedef struct rp_fuse_estimate {
    double parts[RP_FUSE_PARTS]; /* seconds that depend on each figure */
    uint32_t worst;              /* the place in the set of what is computed again most often, */
    double repeats;              /* and how often each element of it is */
    double turns;                /* of all loops of one invocation, about */
} rp_fuse_estimate;
rp_fuse_estimate rp_fuse_time(const rp_fuse_set *set);

/* fuse_tags.c: of the clusters that the set is made of, those without a barrier in front where values
 * between them are tagged: seconds that the words take, and *out_barriers what the barriers would. */
double rp_fuse_words_in_place_of_barriers(const rp_fuse_set *set, double *out_barriers);

static inline double rp_fuse_seconds(const double parts[RP_FUSE_PARTS]) {
    double seconds = 0;
    for (uint32_t i = 0; i < RP_FUSE_PARTS; i++) seconds += parts[i];
    return seconds;
}

#endif
