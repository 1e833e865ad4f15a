/* Motifs that front ends make other ops of: composites, and products of vectors, which are products of matrices where
 * how many there are follows a live size. An op of the graph's own stands for each, with its shapes. */
#include <stdio.h>
#include <stdlib.h>

#include "composite/signature.h"
#include "support/random_ops_parts.h"

/* ---- Applying -------------------------------------------------------------------------------- */

enum { WORDS = 8, WORD = 24 };

/* The words of a text, cut at any of the marks. */
static uint32_t split(const char *text, const char *marks, char words[WORDS][WORD]) {
    uint32_t count = 0;
    for (const char *at = text ? text : ""; *at && count < WORDS; at += strspn(at, marks)) {
        size_t length = strcspn(at, marks);
        snprintf(words[count++], WORD, "%.*s", (int)length, at);
        at += length;
    }
    return count;
}

void rops_apply_as(rp_graph *graph, const rops_node *node, const rp_op_argument *arguments) {
    char names[WORDS][WORD], attrs[WORDS][WORD];
    rp_given_operand operands[WORDS];
    rp_attribute attributes[WORDS / 2];
    uint32_t name_count = split(node->as, " ", names), words = split(node->as_attrs, " =", attrs);
    rp_application x = {.graph = graph,
                        .op = names[0],
                        .node = {.kernel = RP_NONE, .label = RP_NONE, .op = RP_NONE},
                        .operands = operands,
                        .attrs = attributes,
                        .attr_count = words / 2};
    for (uint32_t k = 0; k < node->line.call.operand_count && k + 1 < name_count; k++) {
        if (node->operands[k].tensor.absent) continue;
        operands[x.operand_count++] =
            (rp_given_operand){.name = names[k + 1], .argument = arguments[k], .fresh = RP_NONE};
    }
    for (uint32_t i = 0; i < words / 2; i++)
        attributes[i] = (rp_attribute){.name = attrs[2 * i], .number = atof(attrs[2 * i + 1])};
    if (rp_apply_to_graph(&x) == RP_OK) return;
    fprintf(stderr, "\n  random ops: %s {%s}: %s\n", node->as, node->as_attrs ? node->as_attrs : "",
            x.error);
    abort();
}

/* ---- Products -------------------------------------------------------------------------------- */

static rops_value product_weight(rops_maker *m, uint64_t rows) {
    static const rp_dtype dtypes[] = {RP_F32, RP_F16, RP_BF16, RP_Q8_0};
    bool blocks = m->columns % 32 == 0 && !(m->sized && m->ops->sized[1]);
    return rops_new_input(m, dtypes[rops_below(m, blocks ? 4 : 3)], 2, ROPS_DIMS(rows, m->columns),
                          "finite=0.5");
}

/* Rows times a weight as front ends apply them, and what comes behind. */
void rops_products(rops_maker *m) {
    static const uint64_t widths[] = {8, 20, 33};
    uint64_t n = widths[rops_below(m, 3)];
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), out;
    const rops_call call = {.op = "matmul",
                            .attrs = "transpose_b=1",
                            .inputs = {x, product_weight(m, n)},
                            .input_count = 2,
                            .as = !m->sized && rops_percent(m, 50) ? "matvec x weight out"
                                                                   : "linear x weight out"};
    if (!rops_add(m, &call, &out, 1) || rops_percent(m, 30)) return;
    rops_value by = rops_percent(m, 50) ? rops_new_input(m, RP_F32, 1, ROPS_DIMS(n), NULL)
                                        : rops_pick_f32(m, 2, ROPS_DIMS(m->rows, 1));
    rops_apply(m, rops_percent(m, 50) ? "add" : "mul", NULL, out, by, ROPS_NOTHING, 2, NULL);
}

/* Behind products of several matrices, an operand that is repeated along some of their dimensions. */
void rops_repeated(rops_maker *m) {
    static const uint64_t widths[] = {8, 20, 36, 33};
    uint64_t heads = 2 + rops_below(m, 2), n = widths[rops_below(m, 4)], r = m->rows;
    rops_value a = rops_new_input(m, RP_F32, 3, ROPS_DIMS(heads, r, m->columns), NULL), out, by;
    rops_value b = rops_new_input(m, RP_F32, 2, ROPS_DIMS(m->columns, n), "finite=0.5");
    if (a.buffer == RP_NONE || b.buffer == RP_NONE) return;
    if (!rops_apply(m, "matmul", NULL, a, b, ROPS_NOTHING, 2, &out)) return;
    switch (rops_below(m, 4)) {
    case 0: by = rops_new_input(m, RP_F32, 3, ROPS_DIMS(heads, 1, n), NULL); break;
    case 1: by = rops_new_input(m, RP_F32, 3, ROPS_DIMS(heads, r, 1), NULL); break;
    case 2: by = rops_new_input(m, RP_F32, 3, ROPS_DIMS(1, r, 1), NULL); break;
    default: by = rops_new_input(m, RP_F32, 2, ROPS_DIMS(r, n), NULL); break; /* as a mask is */
    }
    const rops_call call = {.op = "map",
                            .attrs =
                                rops_percent(m, 50) ? "expr=a + b" : "expr=b > 0.0 ? a * 0.5 : b",
                            .inputs = {out, by},
                            .input_count = 2,
                            .dtype = RP_F32};
    rops_add(m, &call, NULL, 0);
}

/* ---- Composites ------------------------------------------------------------------------------ */

/* Along the rows, which may vary, as their length may. */
void rops_composites(rops_maker *m) {
    static const struct {
        const char *op, *as, *attrs;
    } drawn[] = {
        {"row_sum", "reduce_sum x out", "axes=1"},
        {"row_sum", "reduce_max x out", "axes=-1"},
        {"row_sum", "reduce_mean x out", "axes=1"},
        {"row_sum", "reduce_l2 x out", "axes=1"},
        {"row_sum", "reduce_log_sum_exp x out", "axes=1"},
        {"row_sum", "reduce_variance x out", "axes=1"},
        {"neg", "cumsum x out", "axis=1"},
        {"neg", "cumsum x out", "axis=0"},
        {"neg", "cummax x out", "axis=1"},
        {"neg", "flip x out", "axes=1"},
        {"neg", "roll x out", "shifts=3 axes=1"},
        {"neg", "sort x values", "axis=1"},
    };
    enum { DRAWN = sizeof drawn / sizeof *drawn };
    uint32_t i = rops_below(m, DRAWN);
    rops_value x = rops_pick_f32(m, 2, ROPS_DIMS(m->rows, m->columns)), out;
    const rops_call call = {.op = drawn[i].op,
                            .inputs = {x},
                            .input_count = 1,
                            .as = drawn[i].as,
                            .as_attrs = drawn[i].attrs};
    if (!rops_add(m, &call, &out, 1) || rops_percent(m, 50)) return;
    if (out.tensor.rank == 1) out.tensor = rops_shape(RP_F32, 2, ROPS_DIMS(m->rows, 1));
    rops_apply(m, "sub", NULL, x, out, ROPS_NOTHING, 2, NULL);
}
