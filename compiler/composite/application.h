/* Internal: "this op on these operands", as both front ends say it.
 *
 * A front end names an op or a composite, and gives operands and attributes by name; signature.h
 * finds the definition and makes nodes of it. What is wrong comes back as one message and what it
 * is about, for the front end to point at: a line and column of YAML, or the number of a call. */
#ifndef RP_COMPOSITE_APPLICATION_H
#define RP_COMPOSITE_APPLICATION_H

#include "graph/graph.h"
#include "reprise/compiler.h"

typedef struct rp_given_operand {
    const char *name; /* as the op calls it; in a map, as its formula does, and "out" */
    rp_op_argument
        argument;   /* with `fresh`: rank RP_OP_INFER, or a shape; dtype RP_RAW = default */
    uint32_t fresh; /* string: a transient to be made of this name; RP_NONE: it exists */
} rp_given_operand;

/* A name in a map's formula that is a number, as the formula would have it. */
typedef struct rp_given_number {
    const char *name;
    char text[40];
} rp_given_number;

/* Numbers that were chosen while an application was expanded, in their order: those for the largest sizes,
 * which are taken again at others (sized.h). */
enum { RP_CHOICES = 128 };
typedef struct rp_choices {
    bool made;
    bool general; /* nothing is taken that is right for fixed lengths alone */
    bool special; /* something was */
    uint32_t count, next;
    double numbers[RP_CHOICES];
} rp_choices;

typedef enum rp_blame { RP_BLAME_OP, RP_BLAME_OPERAND, RP_BLAME_ATTR } rp_blame;

typedef struct rp_application {
    rp_graph *graph;
    const char *op;
    rp_graph_node node;         /* label, op tag and position of the nodes to be made */
    rp_given_operand *operands; /* those that were fresh come back with their buffer and shape */
    const rp_attribute *attrs;
    const rp_given_number *numbers;
    uint32_t operand_count, attr_count, number_count;
    rp_choices *choices; /* NULL: nothing follows live sizes */
    /* After a mistake: */
    char error[512];
    rp_blame blame;
    uint32_t blame_index; /* in operands or attrs */
    uint32_t error_at; /* byte of a text, from 1, where that attribute is to blame; 0: all of it */
} rp_application;

enum { RP_APPLY_MAX_OPERANDS = 40, RP_APPLY_MAX_ATTRS = 24, RP_APPLY_MAX_FORMULA = 4096 };

/* A number that shapes and the target led to, and that any other could stand for: what is computed is the
 * same. Where sizes vary, what was chosen for the largest (sized.c). */
double rp_choose(rp_application *x, double best);
/* The same of a way that is right only where lengths that it looks at are fixed: not taken where they turn
 * out to vary. */
bool rp_choose_special(rp_application *x, bool best);

/* Whether what is expanded is one of several sizes, of which others are larger. */
static inline bool rp_application_is_asked(const rp_application *x) {
    return x->choices && x->choices->made;
}

/* Records a mistake; returns RP_ERROR_INVALID. */
rp_status rp_apply_error(rp_application *x, rp_blame blame, uint32_t index, const char *format, ...)
    RP_PRINTF(4, 5);

/* What is wrong, for front ends without lines: with the character of a text that is to blame. */
enum { RP_APPLY_MESSAGE = 640 };
void rp_apply_message(const rp_application *x, char out[RP_APPLY_MESSAGE]);

/* The value of attribute `index` by its definition, choices as their index, with what a double does not hold of one
 * like integers (number.h). `op` is what it is an attribute of, for messages. */
rp_status rp_attribute_value(rp_application *application, const char *op, const rp_op_attr *attr,
                             uint32_t index, double *out, double *rest);
/* The integers of a list: those of its text, like "0, -1" or "[0, -1]", or `number` alone. */
typedef struct rp_int_list {
    uint32_t count;
    int64_t values[RP_ATTR_LIST_MOST];
} rp_int_list;
rp_status rp_attribute_list(rp_application *application, const char *op, const rp_op_attr *attr,
                            uint32_t index, rp_int_list *out);
/* The same of numbers: "1, 2.5". */
typedef struct rp_number_list {
    uint32_t count;
    double values[RP_ATTR_LIST_MOST];
} rp_number_list;
rp_status rp_attribute_numbers(rp_application *application, const char *op, const rp_op_attr *attr,
                               uint32_t index, rp_number_list *out);
rp_status rp_attribute_text(rp_application *application, const char *op, const rp_op_attr *attr,
                            uint32_t index, const char **out);
rp_status rp_attribute_unknown(rp_application *application, const char *op, uint32_t index);

#endif
