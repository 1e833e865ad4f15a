/* What the unit tests of op families share: rules tried by one line of text, references run on
 * small arrays. The expected values are written down by hand or computed in another way. */
#ifndef RP_TESTS_OP_CASES_H
#define RP_TESTS_OP_CASES_H

#include "support/unit.h"

#include <math.h>
#include <string.h>

#include "reference/reference.h"
#include "support/op_calls.h"

/* The op accepts the call, and output `index` is inferred, or checked, to be `tensor`. */
static inline void accepts(const char *op, const char *attrs, const char *operands, uint32_t index,
                           const char *tensor) {
    static rp_op_line line;
    rp_text text;
    rp_text_init(&text, NULL);
    if (rp_op_line_parse(&line, op, attrs, operands))
        rp_tensor_print(&text, &line.call.operands[index]);
    else
        rp_text_string(&text, line.call.error);
    bool same = text.data && strcmp(text.data, tensor) == 0;
    if (!same) printf("\n  %s {%s} (%s): %s\n", op, attrs, operands, text.data);
    CU_ASSERT(same);
    rp_text_free(&text);
}

/* The op refuses the call, in words that contain `message`. */
static inline void refuses(const char *op, const char *attrs, const char *operands,
                           const char *message) {
    static rp_op_line line;
    bool accepted = rp_op_line_parse(&line, op, attrs, operands);
    bool said = strstr(line.call.error, message) != NULL;
    if (accepted || !said)
        printf("\n  %s {%s} (%s): '%s'\n", op, attrs, operands,
               accepted ? "accepted" : line.call.error);
    CU_ASSERT_FALSE(accepted);
    CU_ASSERT_TRUE(said);
}

/* The symbol's value in a call that must be accepted; 0 when it is not. */
static inline uint64_t symbol_of(const char *op, const char *attrs, const char *operands,
                                 char symbol) {
    static rp_op_line line;
    if (!rp_op_line_parse(&line, op, attrs, operands)) return 0;
    rp_op_choose_after(&line.call, NULL, 1000); /* the variant that is always there */
    return rp_sym(&line.call, symbol);
}

/* Runs the reference; operands' data in order, outputs too. `scale` has room for the first output,
 * or is NULL for ops that only move elements. */
static inline void refer(const char *op, const char *attrs, const char *operands,
                         double *const *arrays, double *scale) {
    static rp_op_line line;
    static double zeros[4096];
    rp_op_data data = {.scale = scale ? scale : zeros};
    bool accepted = rp_op_line_parse(&line, op, attrs, operands);
    CU_ASSERT_TRUE(accepted);
    if (!accepted) {
        printf("\n  %s {%s} (%s): %s\n", op, attrs, operands, line.call.error);
        return;
    }
    for (uint32_t i = 0; i < line.call.operand_count; i++) data.operands[i] = arrays[i];
    rp_reference_of(line.call.op)(&line.call, &data);
}

static inline bool equal(const double *a, const double *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (a[i] != b[i]) return false;
    return true;
}

static inline bool close_to(const double *a, const double *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-12 * (1 + fabs(b[i])))) return false;
    return true;
}

#endif
