/* Internal: from "this op on these operands" to op nodes of a graph, for both front ends.
 *
 * A front end names an op or a composite, and gives operands and attributes by name. apply.c finds
 * the definition, puts operands in the op's order, checks them by the op's own rules, makes the
 * transients that were only named, and appends the node; composites (composite.h) do so once for
 * each op they stand for. What is wrong comes back as one message and what it is about, for the
 * front end to point at. */
#ifndef RP_COMPOSITE_APPLY_H
#define RP_COMPOSITE_APPLY_H

#include "graph/graph.h"
#include "reprise/compiler.h"

typedef struct rp_composite rp_composite;

/* What a name stands for: exactly one of the two. */
typedef struct rp_signature {
    const rp_op *op;
    const rp_composite *composite;
} rp_signature;

/* False when there is neither an op nor a composite of this name. */
bool rp_signature_find(const char *name, rp_signature *out);
/* The name of operand `index`, NULL past the end; `map` has `out` alone here. */
const char *rp_signature_operand(const rp_signature *signature, uint32_t index);
uint8_t rp_signature_access(const rp_signature *signature, uint32_t index);
/* The attribute `index`, NULL past the end. */
const rp_op_attr *rp_signature_attr(const rp_signature *signature, uint32_t index);

typedef struct rp_given_operand {
    const char *name; /* as the op calls it; in a map, as its formula does, and "out" */
    rp_op_argument
        argument;   /* with `fresh`: rank RP_OP_INFER, or a shape; dtype RP_RAW = default */
    uint32_t fresh; /* string: a transient to be made of this name; RP_NONE: it exists */
} rp_given_operand;

/* A name in a map's formula that is a number. */
typedef struct rp_given_number {
    const char *name;
    int64_t value;
} rp_given_number;

typedef enum rp_blame { RP_BLAME_OP, RP_BLAME_OPERAND, RP_BLAME_ATTR } rp_blame;

typedef struct rp_application {
    rp_graph *graph;
    const char *op;
    rp_graph_node node;         /* label, op tag and position of the nodes to be made */
    rp_given_operand *operands; /* those that were fresh come back with their buffer and shape */
    const rp_attribute *attrs;
    const rp_given_number *numbers;
    uint32_t operand_count, attr_count, number_count;
    /* After a mistake: */
    char error[512];
    rp_blame blame;
    uint32_t blame_index; /* in operands or attrs */
    uint32_t error_at;    /* byte of a map's formula, where that is to blame */
} rp_application;

enum { RP_APPLY_MAX_OPERANDS = 40, RP_APPLY_MAX_ATTRS = 16, RP_APPLY_MAX_FORMULA = 4096 };

/* RP_ERROR_INVALID with error and blame filled in, RP_ERROR_NO_MEMORY. */
rp_status rp_apply_to_graph(rp_application *application);

/* Records a mistake; returns RP_ERROR_INVALID. */
rp_status rp_apply_error(rp_application *x, rp_blame blame, uint32_t index, const char *format, ...)
    RP_PRINTF(4, 5);

/* ---- Formulas of maps ------------------------------------------------------------------------ */

/* The next name in a formula at or after *at, in *begin and *length; false at the end. Names of
 * functions (a '(' follows) and `inf`, `nan`, `pi` are left out. Names may hold '.'. */
bool rp_formula_next_name(const char *text, size_t *at, size_t *begin, size_t *length);
bool rp_formula_is_constant(const char *name, size_t length);

#endif
