/* The composites of products with few of many weights, and of small weights beside large ones: mixtures of
 * experts, low-rank adapters. What they become is fused like any other ops; the chosen experts are known on
 * the GPU alone, so a plan holds for every choice. */
#include <stdio.h>

#include "composite/composite.h"

/* ---- Mixtures of experts --------------------------------------------------------------------- */

enum { X, ROUTER, GATE, UP, DOWN, RESIDUAL, OUT };
enum { EXPERTS, GATES };
enum { OF_CHOSEN, OF_ALL };

/* Which experts each row goes to, and what their results count. */
static rp_status route(rp_expansion *x, rp_given_operand *ids, rp_given_operand *gates) {
    const rp_attribute k = {.name = "k", .number = x->attrs[EXPERTS]};
    rp_given_operand scores, shares, best;
    bool all = x->attrs[GATES] == OF_ALL;
    RP_TRY(rp_expand_temp(x, "scores", &scores));
    RP_TRY(rp_expand_temp(x, "ids", ids));
    RP_TRY(rp_expand_temp(x, "gates", gates));
    scores.argument.tensor.dtype = RP_F32;
    RP_TRY(rp_expand_product(x, x->operands[X], x->operands[ROUTER], &scores));
    if (all) {
        RP_TRY(rp_expand_temp(x, "shares", &shares));
        RP_TRY(rp_expand_op(x, "softmax", RP_PARTS({"x", &scores}, {"out", &shares}), RP_NO_ATTRS));
        return rp_expand_op(x, "top_k",
                            RP_PARTS({"x", &shares}, {"values", gates}, {"indices", ids}), &k, 1);
    }
    RP_TRY(rp_expand_temp(x, "best", &best));
    RP_TRY(rp_expand_op(x, "top_k", RP_PARTS({"x", &scores}, {"values", &best}, {"indices", ids}),
                        &k, 1));
    return rp_expand_op(x, "softmax", RP_PARTS({"x", &best}, {"out", gates}), RP_NO_ATTRS);
}

static rp_status expand_moe_ffn(rp_expansion *x) {
    static const rp_attribute gated = {.name = "expr", .text = "silu(gate) * up"};
    static const rp_attribute add = {.name = "expr", .text = "residual + sum"};
    rp_given_operand **o = x->operands, ids, gates, gate, up, hidden, down, sum;
    RP_TRY(route(x, &ids, &gates));
    RP_TRY(rp_expand_temp(x, "gate", &gate));
    RP_TRY(rp_expand_temp(x, "up", &up));
    RP_TRY(rp_expand_temp(x, "hidden", &hidden));
    RP_TRY(rp_expand_temp(x, "down", &down));
    RP_TRY(rp_expand_op(x, "matvec_experts",
                        RP_PARTS({"x", o[X]}, {"weight", o[GATE]}, {"ids", &ids}, {"out", &gate}),
                        RP_NO_ATTRS));
    RP_TRY(rp_expand_op(x, "matvec_experts",
                        RP_PARTS({"x", o[X]}, {"weight", o[UP]}, {"ids", &ids}, {"out", &up}),
                        RP_NO_ATTRS));
    RP_TRY(rp_expand_op(x, "map", RP_PARTS({"gate", &gate}, {"up", &up}, {"out", &hidden}), &gated,
                        1));
    RP_TRY(rp_expand_op(
        x, "matvec_experts",
        RP_PARTS({"x", &hidden}, {"weight", o[DOWN]}, {"ids", &ids}, {"out", &down}), RP_NO_ATTRS));
    if (!o[RESIDUAL])
        return rp_expand_op(x, "combine_experts",
                            RP_PARTS({"x", &down}, {"gates", &gates}, {"out", o[OUT]}),
                            RP_NO_ATTRS);
    RP_TRY(rp_expand_temp(x, "sum", &sum));
    RP_TRY(rp_expand_op(x, "combine_experts",
                        RP_PARTS({"x", &down}, {"gates", &gates}, {"out", &sum}), RP_NO_ATTRS));
    return rp_expand_op(
        x, "map", RP_PARTS({"residual", o[RESIDUAL]}, {"sum", &sum}, {"out", o[OUT]}), &add, 1);
}

/* ---- Low-rank adapters ----------------------------------------------------------------------- */

static rp_status expand_lora(rp_expansion *x) {
    enum { ROWS, WEIGHT, A, B, BIAS, RESULT };
    rp_given_operand **o = x->operands, whole, low, high;
    char formula[96];
    snprintf(formula, sizeof formula, "product%s + %.9g * adapter", o[BIAS] ? " + bias" : "",
             x->attrs[0]);
    const rp_attribute sum = {.name = "expr", .text = formula};
    RP_TRY(rp_expand_temp(x, "product", &whole));
    RP_TRY(rp_expand_temp(x, "low", &low));
    RP_TRY(rp_expand_temp(x, "adapter", &high));
    RP_TRY(rp_expand_product(x, o[ROWS], o[WEIGHT], &whole));
    RP_TRY(rp_expand_product(x, o[ROWS], o[A], &low));
    RP_TRY(rp_expand_product(x, &low, o[B], &high));
    return rp_expand_op(
        x, "map",
        RP_PARTS({"product", &whole}, {"adapter", &high}, {"bias", o[BIAS]}, {"out", o[RESULT]}),
        &sum, 1);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define R .access = RP_READ
#define W .access = RP_WRITE

const rp_composite rp_composites_experts[] = {
    {.info.name = "moe_ffn",
     .info.family = "experts",
     .info.brief = "the feed-forward block of a mixture of experts",
     .notes = "scores = x router^T; the `experts` largest of a row choose matrices; out = residual "
              "+ sum over "
              "them of gates * down (silu(gate x) * (up x)). `matvec` or `matmul` for the scores, "
              "`top_k`, "
              "`softmax`, three `matvec_experts`, `combine_experts`. Gates `chosen` are the "
              "softmax of the "
              "chosen scores (Mixtral), which is that of all, divided by its sum over the chosen; "
              "`all` is the "
              "softmax of all scores, as it is.",
     .operand_count = 7,
     .attr_count = 2,
     .operands = {{"x", "rows", "*N D", R},
                  {"router", "a row for each expert", "E D", R},
                  {"gate", "weights", "E F D", R},
                  {"up", "weights", "E F D", R},
                  {"down", "weights", "E D F", R},
                  {"residual", "added to the result", "*N D", R, .optional = true},
                  {"out", "the result", "*N D", W}},
     .attrs = {{.name = "experts",
                .brief = "how many a row goes to",
                .kind = RP_ATTR_INTEGER,
                .required = true,
                .low = 1,
                .high = 1024},
               {.name = "gates",
                .brief = "of which scores the softmax is taken",
                .kind = RP_ATTR_CHOICE,
                .choices = "chosen|all"}},
     .expand = expand_moe_ffn},
    {.info.name = "lora",
     .info.family = "experts",
     .info.brief = "a product with a weight and a low-rank adapter beside it",
     .notes = "out = x weight^T + scale * (x a^T) b^T, and bias: Hu et al., LoRA, 2021; scale is "
              "alpha / "
              "r there. Three products, each a `matvec` or a `matmul` as in `linear`, of which "
              "those of x are "
              "one dispatch where they are `matvec`, and a `map`.",
     .operand_count = 6,
     .attr_count = 1,
     .operands = {{"x", "rows", "*B K", R},
                  {"weight", "a row for each element of the result", "M K", R},
                  {"a", "to the low rank", "L K", R},
                  {"b", "and back", "M L", R},
                  {"bias", "added to each row", "M", R, .optional = true},
                  {"out", "the results", "*B M", W}},
     .attrs = {{.name = "scale",
                .brief = "multiplies what the adapter gives",
                .kind = RP_ATTR_NUMBER,
                .fallback = 1,
                .low = -1e30,
                .high = 1e30}},
     .expand = expand_lora},
};

const uint32_t rp_composites_experts_count =
    sizeof rp_composites_experts / sizeof *rp_composites_experts;
