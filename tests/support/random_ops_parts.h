/* Inside random_ops: the description, and what motifs are made with. */
#ifndef RP_TESTS_RANDOM_OPS_PARTS_H
#define RP_TESTS_RANDOM_OPS_PARTS_H

#include "support/random_ops.h"

enum { ROPS_MAX_BUFFERS = 160, ROPS_MAX_NODES = 48, ROPS_MAX_VALUES = 96, ROPS_OPERANDS = 12 };

/* A tensor in a buffer. */
typedef struct rops_value {
    uint32_t buffer;
    uint64_t offset;
    rp_tensor tensor;
} rops_value;

typedef struct rops_node {
    rp_op_line line; /* the call, checked */
    rops_value operands[ROPS_OPERANDS];
    const char *as, *as_attrs; /* rops_call */
    uint8_t optional; /* 0: no; 1 to 3: under the label "s1" to "s3"; ROPS_ALONE: without a label */
} rops_node;

enum { ROPS_ALONE = 4 };

typedef struct rops_buffer {
    rp_tensor tensor;
    char fill[24];
    bool result; /* the host reads it */
} rops_buffer;

struct rp_random_ops {
    uint64_t seed;
    uint32_t refused;
    rops_buffer buffers[ROPS_MAX_BUFFERS];
    uint32_t buffer_count;
    rops_node *nodes;
    uint32_t node_count;
    bool sized[RP_SIZED];       /* dimensions that are multiples of its largest follow that size */
    rp_powers powers[RP_SIZED]; /* of these in the graph that was built last */
    bool halved;                /* there they are half of what is live */
    bool fixed;                 /* it is built with numbers in place of sizes: */
    uint32_t sizes[RP_SIZED];
};

/* While a graph is being made. */
typedef struct rops_maker {
    rp_random_ops *ops;
    rp_random random;
    rops_value values[ROPS_MAX_VALUES]; /* computed so far, of floats */
    uint32_t value_count;
    uint64_t rows, columns; /* the usual shape in this graph */
    bool sized;             /* it follows live sizes */
} rops_maker;

rp_tensor rops_shape(rp_dtype dtype, uint32_t rank, const uint64_t *dims);
uint32_t rops_new_buffer(rops_maker *m, const rp_tensor *tensor, const char *fill);
rops_value rops_new_input(rops_maker *m, rp_dtype dtype, uint32_t rank, const uint64_t *dims,
                          const char *fill);

/* Appends a node: `inputs` (a buffer of RP_NONE: left out) and then outputs, whose shapes are
 * inferred. The first output goes where `into` says, the last ones where `kept` says, which are changed
 * in place, others to new buffers, or over old ones. The
 * first `out_count` outputs are returned in `out`; those that are floats become values. False when
 * the op refuses, or there is no room. */
typedef struct rops_call {
    const char *op, *attrs;
    rops_value inputs[ROPS_OPERANDS];
    uint32_t input_count;
    rops_value into;
    bool has_into;
    rops_value kept[2];
    uint32_t kept_count;
    rp_dtype dtype; /* of the first output; RP_RAW: its default */
    /* What front ends would be given, "linear x weight out", a name for each operand; the op stands for it where
     * shapes are concerned. NULL: the op itself. */
    const char *as, *as_attrs;
} rops_call;
bool rops_add(rops_maker *m, const rops_call *call, rops_value *out, uint32_t out_count);

bool rops_percent(rops_maker *m, uint32_t percent);
uint32_t rops_below(rops_maker *m, uint32_t limit);

/* ---- What motifs are made of ---- */

#define ROPS_DIMS(...)                                                                             \
    (const uint64_t[]) {                                                                           \
        __VA_ARGS__                                                                                \
    }

/* An operand that is left out. */
#define ROPS_NOTHING ((rops_value){.buffer = RP_NONE, .tensor = {.absent = true}})

/* f16 or bf16. */
rp_dtype rops_half(rops_maker *m);
/* A value with that many elements, recent ones rather than old ones, seen in that shape; or a new
 * input. */
rops_value rops_pick(rops_maker *m, uint32_t rank, const uint64_t *dims);
/* The same, of f32: for ops that do not take a mixture. */
rops_value rops_pick_f32(rops_maker *m, uint32_t rank, const uint64_t *dims);
/* One call with up to three inputs. */
bool rops_apply(rops_maker *m, const char *op, const char *attrs, rops_value a, rops_value b,
                rops_value c, uint32_t count, rops_value *out);
bool rops_apply1(rops_maker *m, const char *op, rops_value a, rops_value *out);

/* Whether the shape follows a live size. */
bool rops_is_sized(const rp_random_ops *ops, const rp_tensor *tensor);

/* One random motif: one to six nodes. */
void rops_motif(rops_maker *m);
/* A second operand that broadcasts to the usual shape. */
rops_value rops_partner(rops_maker *m);
/* Those with numbers in them: random_ops_constants.c. */
void rops_filled(rops_maker *m);
void rops_folded(rops_maker *m);
void rops_scalars(rops_maker *m);
void rops_literals(rops_maker *m);
/* Those of family attention: random_ops_attention.c. */
void rops_attention(rops_maker *m);
void rops_prefill(rops_maker *m);
/* Of families spatial and resample: random_ops_spatial.c. */
void rops_spatial(rops_maker *m);
void rops_resample(rops_maker *m);
/* Of families random, signal and experts: random_ops_made.c. */
void rops_made(rops_maker *m);
/* What front ends make other ops of: random_ops_composites.c. */
void rops_products(rops_maker *m);
void rops_repeated(rops_maker *m);
void rops_composites(rops_maker *m);
/* Appends to the graph what front ends make of a node. */
void rops_apply_as(rp_graph *graph, const rops_node *node, const rp_op_argument *arguments);
/* Of family axes: random_ops_axes.c. */
void rops_axes(rops_maker *m);
void rops_along(rops_maker *m);
void rops_integers(rops_maker *m);
/* Integers that are made of a number of their dtype, or bounded and scaled by such: random_ops_constants.c. */
bool rops_whole(rops_maker *m, uint8_t dtype, rops_value *out);
bool rops_bounded(rops_maker *m, rops_value *x);

#endif
