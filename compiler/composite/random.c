/* The composites of family random: drawing tokens from logits.
 *
 * `sample` looks at all logits once, in parts; what is left are lists of the best of each part, which one
 * workgroup merges and draws from: two dispatches with a barrier between them for one row of 128256.
 * Sorting all of a row, as frameworks do, would take several. */
#include <math.h>
#include <stdio.h>

#include "composite/composite.h"

enum { MOST_CANDIDATES = 1024, MERGED = 8192 };

/* ---- From the best --------------------------------------------------------------------------- */

/* The lists [*R, L, K] that are drawn from: of parts of the rows, or of rows as they are. */
static rp_status list_best(rp_expansion *x, rp_given_operand *logits, rp_given_operand *excluded,
                           double k, rp_given_operand *values, rp_given_operand *indices) {
    uint64_t n;
    RP_TRY(rp_expand_dim(x, 0, 0, &n));
    k = rp_choose(x->application, k > (double)n ? (double)n : k); /* shorter rows leave gaps */
    double splits = rp_expand_splits(x, 0, rp_expand_rows(logits, 1), n, k);
    double merged = floor(MERGED / k); /* parts whose lists one workgroup merges */
    if (splits > merged && merged >= rp_expand_target(x)->multiprocessors) splits = merged;
    splits = rp_choose(x->application, splits);
    const rp_attribute attrs[] = {{.name = "k", .number = k}, {.name = "splits", .number = splits}};
    const rp_attribute largest = {.name = "order", .text = "largest"};
    RP_TRY(rp_expand_temp(x, "values", values));
    RP_TRY(rp_expand_temp(x, "indices", indices));
    RP_TRY(rp_expand_op(
        x, splits > 1 ? "top_k_partial" : "top_k",
        RP_PARTS({"x", logits}, {"excluded", excluded}, {"values", values}, {"indices", indices}),
        attrs, splits > 1 ? 2 : 1));
    if (splits > 1) return rp_expand_fewer_lists(x, values, indices, &largest);
    rp_given_operand *const lists[] = {values, indices};
    for (uint32_t i = 0; i < 2; i++) { /* one for each row */
        rp_tensor *t = &lists[i]->argument.tensor;
        if (t->rank == RP_MAX_RANK)
            return rp_apply_error(x->application, RP_BLAME_OP, 0,
                                  "sample: logits have %d dimensions, "
                                  "expected fewer",
                                  RP_MAX_RANK);
        t->dims[t->rank] = t->dims[t->rank - 1];
        t->dims[t->rank++ - 1] = 1;
    }
    return RP_OK;
}

static rp_status expand_sample(rp_expansion *x) {
    enum { LOGITS, SEED, OFFSET, SETTINGS, EXCLUDED, OUT, PROBABILITY };
    enum { TOP_K, TEMPERATURE, TOP_P, MIN_P, ORDER, STREAM };
    rp_given_operand **o = x->operands, values, indices;
    const rp_attribute attrs[] = {
        {.name = "temperature", .number = x->attrs[TEMPERATURE]},
        {.name = "top_p", .number = x->attrs[TOP_P]},
        {.name = "min_p", .number = x->attrs[MIN_P]},
        {.name = "order", .text = x->attrs[ORDER] > 0 ? "temperature_last" : "temperature_first"},
        {.name = "stream", .number = x->attrs[STREAM]}};
    RP_TRY(list_best(x, o[LOGITS], o[EXCLUDED], x->attrs[TOP_K], &values, &indices));
    return rp_expand_op(x, "sample_merge",
                        RP_PARTS({"list_values", &values}, {"list_indices", &indices},
                                 {"seed", o[SEED]}, {"offset", o[OFFSET]},
                                 {"settings", o[SETTINGS]}, {"out", o[OUT]},
                                 {"probability", o[PROBABILITY]}),
                        attrs, sizeof attrs / sizeof *attrs);
}

/* ---- From all -------------------------------------------------------------------------------- */

/* The largest of logits with noise of Gumbel's distribution: -log of a number of the exponential one, which
 * is -log(1 - u). Small u keep all their digits, for among many it is the least that wins. */
static rp_status expand_categorical(rp_expansion *x) {
    enum { LOGITS, SEED, OFFSET, OUT };
    enum { TEMPERATURE, STREAM };
    rp_given_operand **o = x->operands, bits, unit, noisy;
    const rp_attribute stream = {.name = "stream", .number = x->attrs[STREAM]};
    const rp_attribute to_unit = {.name = "expr", .text = "(f32(bits) + 0.5) * 2.32830644e-10"};
    char formula[256];
    snprintf(formula, sizeof formula,
             "logits / %.9g - log(unit < 0.0625 ? unit * (1.0 + unit * (0.5 + unit * (0.333333333 "
             "+ unit * "
             "(0.25 + unit * 0.2)))) : -log(1.0 - unit))",
             x->attrs[TEMPERATURE]);
    const rp_attribute add = {.name = "expr", .text = formula};
    RP_TRY(rp_expand_temp(x, "bits", &bits));
    RP_TRY(rp_expand_temp(x, "unit", &unit));
    RP_TRY(rp_expand_temp(x, "noisy", &noisy));
    bits.argument.tensor = o[LOGITS]->argument.tensor;
    bits.argument.tensor.dtype = RP_U32;
    noisy.argument.tensor.dtype = RP_F32;
    RP_TRY(rp_expand_op(x, "random_bits",
                        RP_PARTS({"seed", o[SEED]}, {"offset", o[OFFSET]}, {"out", &bits}), &stream,
                        1));
    RP_TRY(rp_expand_op(x, "map", RP_PARTS({"bits", &bits}, {"out", &unit}), &to_unit, 1));
    RP_TRY(rp_expand_op(x, "map", RP_PARTS({"logits", o[LOGITS]}, {"unit", &unit}, {"out", &noisy}),
                        &add, 1));
    return rp_expand_op(x, "argmax", RP_PARTS({"x", &noisy}, {"out", o[OUT]}), RP_NO_ATTRS);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define R .access = RP_READ
#define W .access = RP_WRITE
#define STREAM                                                                                     \
    {                                                                                              \
        .name = "stream",                                                                          \
        .brief = "draws of different streams have nothing to do with each other",                  \
        .kind = RP_ATTR_INTEGER, .high = UINT32_MAX                                                \
    }
#define NUMBER(NAME, BRIEF, FALLBACK, HIGH)                                                        \
    { .name = NAME, .brief = BRIEF, .kind = RP_ATTR_NUMBER, .fallback = FALLBACK, .high = HIGH }

const rp_composite rp_composites_random[] = {
    {.info.name = "sample",
     .info.family = "random",
     .info.brief = "draws a token from logits: temperature, top-k, top-p, min-p",
     .notes = "`top_k`, or `top_k_partial` and perhaps `top_k_merge` for long rows when there are "
              "few, and `sample_merge`, which has the definition of every filter and their order. "
              "top_k is at most 1024, so that top_p and min_p see the 1024 best of a vocabulary, "
              "not all "
              "of it; `random_categorical` draws from all, without filters. The default top_k is "
              "Hugging Face's.",
     .operand_count = 7,
     .attr_count = 6,
     .operands = {{"logits", "a row for each draw", "*R N", R},
                  {"seed", "u32, one word or two, or one i64", "*S", R},
                  {"offset", "the first block of four draws, one word or two", "*O", R,
                   .optional = true},
                  {"settings",
                   "temperature, top_p and min_p in place of the attributes, f32, for all "
                   "rows or for each",
                   "*Y", R, .optional = true},
                  {"excluded",
                   "bit i % 32 of word i / 32 is 1 where token i is not to be drawn; or bool", "W",
                   R, .optional = true},
                  {"out", "the tokens", "*R", W, .counts = true},
                  {"probability", "of each among those that were left", "*R", W, .optional = true}},
     .attrs = {{.name = "top_k",
                .brief = "how many of the best are looked at",
                .kind = RP_ATTR_INTEGER,
                .fallback = 50,
                .low = 1,
                .high = MOST_CANDIDATES},
               NUMBER("temperature", "logits are divided by it; 0: the best is taken", 1, 1e30),
               NUMBER("top_p", "share of the weight that the best are taken for; 1: all", 1, 1),
               NUMBER("min_p", "least weight beside the best's; 0: any", 0, 1),
               {.name = "order",
                .brief = "whether top_p and min_p see logits divided by the temperature",
                .kind = RP_ATTR_CHOICE,
                .choices = "temperature_first|temperature_last"},
               STREAM},
     .expand = expand_sample},
    {.info.name = "random_categorical",
     .info.family = "random",
     .info.brief = "draws from all of a row, by logits",
     .notes =
         "argmax of logits / temperature - log(-log(1 - u)), u being (word + 1/2) / 2^32 of "
         "`random_bits`: token i with probability softmax(logits / temperature)[i]. As JAX's "
         "`random.categorical`. `random_bits`, two `map` and an `argmax`, which fuse. NaN is never "
         "drawn, nor is -inf unless all are.",
     .operand_count = 4,
     .attr_count = 2,
     .operands = {{"logits", "a row for each draw", "*R N", R},
                  {"seed", "u32, one word or two, or one i64", "*S", R},
                  {"offset", "the first block of four words, one word or two", "*O", R,
                   .optional = true},
                  {"out", "the tokens", "*R", W, .counts = true}},
     .attrs = {{.name = "temperature",
                .brief = "logits are divided by it",
                .kind = RP_ATTR_NUMBER,
                .fallback = 1,
                .low = 1e-6,
                .high = 1e6},
               STREAM},
     .expand = expand_categorical},
};

const uint32_t rp_composites_random_count =
    sizeof rp_composites_random / sizeof *rp_composites_random;
