/* Internal: composites, and ops that become several, on shapes that follow live sizes.
 *
 * What expands them makes attributes and shapes of numbers. So it is asked at several sizes, as rules of ops
 * are (ops/ask.h), each time onto a graph of its own. Where all are of the same ops, dimensions follow what
 * their numbers show, and so do numbers in formulas, which become live values there. Numbers that are
 * chosen, as into how many parts a row is cut, are chosen for the largest sizes: who expands says by
 * rp_choose() that it chooses. */
#ifndef RP_COMPOSITE_SIZED_H
#define RP_COMPOSITE_SIZED_H

#include "composite/application.h"
#include "ops/ask.h"

/* Whether the shape of some operand follows live sizes. */
bool rp_application_is_sized(const rp_application *x);

/* Appends what `apply` makes of an application, with dimensions that follow sizes: `apply` is called with
 * numbers alone, several times. RP_ERROR_INVALID with error and blame filled in. */
typedef rp_status rp_applying(rp_application *x, const void *what);
rp_status rp_apply_sized(rp_application *x, rp_applying *apply, const void *what);

/* ---- sized_formula.c: numbers in formulas of maps --------------------------------------------- */

/* A number that is written in the formula of a node. */
typedef struct rp_formula_number {
    uint32_t node;
    uint32_t at, length; /* bytes of the text */
    uint64_t most;
    rp_guess guess;
} rp_formula_number;

typedef struct rp_formula_numbers {
    RP_ARRAY(rp_formula_number, list);
} rp_formula_numbers;

/* Notes the integers in a formula. */
rp_status rp_formula_numbers_find(rp_formula_numbers *numbers, const rp_graph *sizes_of,
                                  uint32_t node, const char *text);
/* Learns from the same formula at other sizes; false where more than integers differ. */
bool rp_formula_numbers_learn(rp_formula_numbers *numbers, const rp_graph *sizes_of,
                              const rp_question *q, uint32_t node, const char *text,
                              const char *there);
/* Puts live values into the formula of node `first + n` of the graph in place of numbers of node n that
 * follow sizes. RP_ERROR_INVALID: a number is no product of sizes, or there are too many of them. */
rp_status rp_formula_numbers_put(const rp_formula_numbers *numbers, rp_graph *graph, uint32_t first,
                                 uint32_t node);

#endif
