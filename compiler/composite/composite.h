/* Internal: composites, names for several ops.
 *
 * A composite is an entry of one table (composite.c): operands, attributes, documentation, and a
 * function that applies ops to the operands and to transients between them. The nodes get
 * consecutive ids and, where the user gave none, the composite's name as their label. Nothing
 * behind the front ends knows of composites: passes see the ops. */
#ifndef RP_COMPOSITE_COMPOSITE_H
#define RP_COMPOSITE_COMPOSITE_H

#include "composite/application.h"

enum { RP_COMPOSITE_MAX_OPERANDS = 16, RP_COMPOSITE_MAX_ATTRS = 12, RP_COMPOSITE_MAX_TEMPS = 256 };

typedef struct rp_composite rp_composite;
typedef struct rp_expansion rp_expansion;

typedef struct rp_composite_operand {
    const char *name, *brief;
    /* Letters, compared between operands: "*B K", "N C ..."; "...": of any shape. */
    const char *shape;
    uint8_t access; /* rp_access */
    bool optional;
    bool counts; /* an output of u32, which may be asked for as any integer (wider.c) */
} rp_composite_operand;

struct rp_composite {
    rp_composite_info info;
    const char *notes; /* which ops it becomes, and what is chosen from the shapes */
    uint8_t operand_count, attr_count;
    rp_composite_operand operands[RP_COMPOSITE_MAX_OPERANDS];
    rp_op_attr attrs[RP_COMPOSITE_MAX_ATTRS];
    rp_status (*expand)(rp_expansion *x);
};

/* The composite at an index, of all tables one after the other; NULL past the end. */
const rp_composite *rp_composite_get(uint32_t index);

/* The tables, in files of their names. */
#define RP_COMPOSITE_TABLES(X)                                                                     \
    X(attention)                                                                                   \
    X(einsum)                                                                                      \
    X(spatial)                                                                                     \
    X(axes)                                                                                        \
    X(along)                                                                                       \
    X(order)                                                                                       \
    X(experts)                                                                                     \
    X(random)                                                                                      \
    X(signal)

extern const rp_composite rp_composites[];
extern const uint32_t rp_composites_count;
#define RP_X(table)                                                                                \
    extern const rp_composite rp_composites_##table[];                                             \
    extern const uint32_t rp_composites_##table##_count;
RP_COMPOSITE_TABLES(RP_X)
#undef RP_X

struct rp_expansion {
    rp_application *application;
    const rp_composite *composite;
    rp_given_operand *operands[RP_COMPOSITE_MAX_OPERANDS]; /* in the table's order; NULL: absent */
    double attrs[RP_COMPOSITE_MAX_ATTRS];                  /* with defaults */
    rp_int_list lists[RP_COMPOSITE_MAX_ATTRS];      /* of attributes that are lists; none: 0 */
    rp_number_list numbers[RP_COMPOSITE_MAX_ATTRS]; /* of those that are lists of numbers */
    const char *texts[RP_COMPOSITE_MAX_ATTRS]; /* of those that are texts; not given: NULL. Of a
                                                     * number that a double does not hold its digits */
    uint32_t first_id;                         /* of its nodes */
    uint32_t
        temps[RP_COMPOSITE_MAX_TEMPS]; /* names of transients so far, as strings of the graph */
    /* Of each the operands that it is made of, a bit each. */
    uint32_t made_of[RP_COMPOSITE_MAX_TEMPS];
    uint32_t temp_count;
};

/* Matches operands and attributes with the table and expands. */
rp_status rp_composite_apply(rp_application *application, const rp_composite *composite);

/* ---- For expand functions -------------------------------------------------------------------- */

/* Gives the nodes to come the composite's name as their label, where the user gave none. */
rp_status rp_expand_label(rp_expansion *x);

/* An operand of one op: how the op calls it, and what it is. NULL: left out. */
typedef struct rp_part {
    const char *name;
    rp_given_operand *operand;
} rp_part;

/* A transient between ops, named "<composite><id>-<name>": no name a user can give. Where there was
 * one of the same name before, a number stands behind it. */
rp_status rp_expand_temp(rp_expansion *x, const char *name, rp_given_operand *out);
/* Appends an op; operands that were fresh come back made. */
rp_status rp_expand_op(rp_expansion *x, const char *op, const rp_part *parts, uint32_t part_count,
                       const rp_attribute *attrs, uint32_t attr_count);
/* The same of a map by a formula. */
rp_status rp_expand_map(rp_expansion *x, const char *formula, const rp_part *parts, uint32_t count);
#define RP_PARTS(...)                                                                              \
    (const rp_part[]){__VA_ARGS__}, sizeof((const rp_part[]){__VA_ARGS__}) / sizeof(rp_part)
#define RP_NO_ATTRS NULL, 0

/* What it is expanded for. */
static inline const rp_target *rp_expand_target(const rp_expansion *x) {
    return rp_graph_target(x->application->graph);
}
/* Dimension `from_end` (0 = the last) of an operand, in *out; an error when it has fewer. */
rp_status rp_expand_dim(rp_expansion *x, uint32_t operand, uint32_t from_end, uint64_t *out);
/* The same elements in another shape. */
rp_given_operand rp_expand_seen(const rp_given_operand *operand, uint32_t rank,
                                const uint64_t *dims);
/* Makes the output be of a shape: one that was only named is made, in `dtype` where it has none, so that
 * several ops may see it in shapes of their own; any other is compared. */
rp_status rp_expand_make(rp_expansion *x, rp_given_operand *out, uint8_t dtype, uint32_t rank,
                         const uint64_t *dims);
/* Says what is wrong with an attribute, at its place where it was given. */
rp_status rp_expand_wrong(rp_expansion *x, uint32_t attr, const char *format, ...) RP_PRINTF(3, 4);
/* The same of character `at` of a text. */
rp_status rp_expand_wrong_at(rp_expansion *x, uint32_t attr, uint32_t at, const char *format, ...)
    RP_PRINTF(4, 5);
/* Elements over the last `dims` dimensions: how many rows there are. */
uint64_t rp_expand_rows(const rp_given_operand *operand, uint32_t dims);

/* Rows times a weight: `matvec` for up to 8 of them, `matmul` for more. */
rp_status rp_expand_product(rp_expansion *x, rp_given_operand *rows, rp_given_operand *weight,
                            rp_given_operand *out);
/* ceil(n / step), within 1 and most. */
double rp_expand_parts(uint64_t n, uint64_t step, uint64_t most);
/* Into how many parts `lists` rows of n elements are cut, of each of which the k best are taken; as `given`
 * unless that is 0. */
double rp_expand_splits(const rp_expansion *x, double given, uint64_t lists, uint64_t n, double k);
/* The lists that are left when as many are merged, side by side, as are too many for one workgroup. */
rp_status rp_expand_fewer_lists(rp_expansion *x, rp_given_operand *values,
                                rp_given_operand *indices, const rp_attribute *order);

#endif
