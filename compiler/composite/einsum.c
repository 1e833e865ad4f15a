/* The composite einsum: sums of products by an equation, as pairs of operands one after the other.
 *
 * Dimensions of 1 are dropped at once, so what broadcasts is what has no such dimension, and labels that
 * are neighbours in all operands are one. Diagonals are taken, and what only one operand has is summed,
 * before anything is multiplied. Then every pair is one of two things: a matrix product, or a product
 * element by element with a sum behind it, which fuse (einsum_pair.c). Sums on the way are f32, so only the
 * result is rounded to its dtype. */
#include "composite/einsum.h"

#include "composite/contraction.h"

enum { EQUATION };
enum { OUT = RP_EQUATION_TERMS };

/* ---- Labels ---------------------------------------------------------------------------------- */

bool rp_labels_same(const rp_labels *a, const rp_labels *b) {
    return a->count == b->count && memcmp(a->at, b->at, a->count) == 0;
}

uint64_t rp_labels_set(const rp_labels *l) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < l->count; i++) set |= UINT64_C(1) << l->at[i];
    return set;
}

rp_labels rp_labels_of(const rp_labels *l, uint64_t set) {
    rp_labels out = {0};
    for (uint32_t i = 0; i < l->count; i++)
        if (set >> l->at[i] & 1) out.at[out.count++] = l->at[i];
    return out;
}

static void drop(rp_labels *l, uint32_t at) {
    memmove(l->at + at, l->at + at + 1, l->count - at - 1);
    l->count--;
}

static void drop_label(rp_labels *l, uint8_t label) {
    for (uint32_t i = l->count; i-- > 0;)
        if (l->at[i] == label) drop(l, i);
}

uint64_t rp_einsum_elements(const rp_einsum *e, const rp_labels *l) {
    uint64_t elements = 1;
    for (uint32_t i = 0; i < l->count; i++) elements *= e->sizes[l->at[i]];
    return elements;
}

double rp_einsum_cost(const rp_einsum *e, const rp_labels *l) {
    double elements = 1;
    for (uint32_t i = 0; i < l->count; i++) elements *= (double)e->most[l->at[i]];
    return elements;
}

rp_tensor rp_einsum_shape(const rp_einsum *e, const rp_labels *l) {
    rp_tensor shape = {.rank = 1, .dims = {1}};
    for (uint32_t i = 0; i < l->count; i++) shape.dims[i] = e->sizes[l->at[i]];
    if (l->count) shape.rank = (uint8_t)l->count;
    return shape;
}

/* ---- Dimensions that are none, or one -------------------------------------------------------- */

static bool is_one(const rp_einsum *e, uint64_t size) {
    return rp_choose(e->x->application, size == 1) != 0;
}

/* Of operands those of 1 by themselves, of the result those that are 1 everywhere. */
static void drop_ones(rp_einsum *e) {
    for (uint32_t i = 0; i < e->count; i++) {
        const rp_tensor shape = rp_axes_shape(&e->factors[i].operand);
        rp_labels *l = &e->factors[i].labels;
        for (uint32_t k = l->count; k-- > 0;)
            if (is_one(e, shape.dims[k])) drop(l, k);
    }
    for (uint32_t k = e->out.count; k-- > 0;)
        if (is_one(e, e->sizes[e->out.at[k]])) drop(&e->out, k);
}

/* Whether b stands behind a wherever one of them stands. */
static bool are_neighbours(const rp_labels *l, uint8_t a, uint8_t b) {
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->at[i] != a && l->at[i] != b) continue;
        if (l->at[i] == b || i + 1 == l->count || l->at[i + 1] != b) return false;
        i++;
    }
    return true;
}

static bool are_one(const rp_einsum *e, uint8_t a, uint8_t b) {
    bool one = are_neighbours(&e->out, a, b);
    for (uint32_t i = 0; one && i < e->count; i++)
        one = are_neighbours(&e->factors[i].labels, a, b);
    return one;
}

static void join_labels(rp_einsum *e) {
    for (uint32_t i = 0; i < e->count; i++) {
        rp_labels *l = &e->factors[i].labels;
        for (uint32_t k = 0; k + 1 < l->count;) {
            uint8_t a = l->at[k], b = l->at[k + 1];
            if (are_one(e, a, b)) {
                e->sizes[a] *= e->sizes[b];
                for (uint32_t m = 0; m < e->count; m++) drop_label(&e->factors[m].labels, b);
                drop_label(&e->out, b);
            } else {
                k++;
            }
        }
    }
}

/* Whether the result takes elements of a factor as they are moved, without a conversion of integers. */
static bool takes(const rp_einsum *e, const rp_factor *f) {
    uint8_t from = f->operand.argument.tensor.dtype;
    return from == e->result.argument.tensor.dtype || (RP_DT(from) & RP_DT_FLOAT);
}

/* ---- One operand ----------------------------------------------------------------------------- */

/* The same where n varies: of matrices, with what stood behind them in front. */
static rp_status take_varying(rp_einsum *e, rp_factor *f, uint32_t at, bool alone) {
    uint32_t behind = f->labels.count - at - 2;
    if (behind) RP_TRY(rp_einsum_bring(e, f, at, at + 2, behind));
    uint64_t n = e->sizes[f->labels.at[at + behind]];
    drop(&f->labels, f->labels.count - 1);
    uint64_t lines = rp_einsum_elements(e, &f->labels) / (n ? n : 1);
    const rp_tensor whole = {.rank = 3, .dims = {lines, n, n}};
    const rp_tensor taken = {.rank = 2, .dims = {lines, n}};
    rp_given_operand from = rp_axes_seen(&f->operand, &whole), to;
    RP_TRY(rp_einsum_target(e, "diagonal", from.argument.tensor.dtype,
                            alone && takes(e, f) && rp_labels_same(&f->labels, &e->out), &taken,
                            &to));
    RP_TRY(rp_expand_op(e->x, "diagonal", RP_PARTS({"x", &from}, {"out", &to}), RP_NO_ATTRS));
    f->operand = to;
    return RP_OK;
}

/* Elements n + 1 apart of two dimensions that are neighbours. */
static rp_status take_diagonal(rp_einsum *e, rp_factor *f, uint32_t at, bool alone) {
    if (!rp_choose_special(e->x->application, true)) return take_varying(e, f, at, alone);
    uint64_t n = e->sizes[f->labels.at[at]];
    rp_labels front = {.count = at}, behind = {.count = f->labels.count - at - 2};
    memcpy(front.at, f->labels.at, front.count);
    memcpy(behind.at, f->labels.at + at + 2, behind.count);
    uint64_t lines = rp_einsum_elements(e, &front), rest = rp_einsum_elements(e, &behind);
    const rp_tensor whole = {.rank = 3, .dims = {lines, n * n, rest}};
    const rp_tensor taken = {.rank = 3, .dims = {lines, n, rest}};
    const rp_attribute attrs[] = {{.name = "axis", .number = 1},
                                  {.name = "step", .number = (double)(n + 1)},
                                  {.name = "count", .number = (double)n}};
    rp_given_operand from = rp_axes_seen(&f->operand, &whole), to;
    drop(&f->labels, at + 1);
    RP_TRY(rp_einsum_target(e, "diagonal", from.argument.tensor.dtype,
                            alone && takes(e, f) && rp_labels_same(&f->labels, &e->out), &taken,
                            &to));
    RP_TRY(rp_expand_op(e->x, "take_range", RP_PARTS({"x", &from}, {"out", &to}), attrs, 3));
    f->operand = to;
    return RP_OK;
}

/* The first two places of one label; false: there are none. */
static bool find_twice(const rp_labels *l, uint32_t *first, uint32_t *second) {
    for (*first = 0; *first < l->count; ++*first)
        for (*second = *first + 1; *second < l->count; ++*second)
            if (l->at[*first] == l->at[*second]) return true;
    return false;
}

static rp_status take_diagonals(rp_einsum *e, rp_factor *f, bool alone) {
    uint32_t first, second;
    while (find_twice(&f->labels, &first, &second)) {
        if (second != first + 1) RP_TRY(rp_einsum_bring(e, f, first + 1, second, 1));
        RP_TRY(take_diagonal(e, f, first, alone));
    }
    return RP_OK;
}

/* ---- All of them ----------------------------------------------------------------------------- */

/* What stands in the result or in another operand. */
static uint64_t needed(const rp_einsum *e, uint32_t but) {
    uint64_t set = rp_labels_set(&e->out);
    for (uint32_t i = 0; i < e->count; i++)
        if (i != but) set |= rp_labels_set(&e->factors[i].labels);
    return set;
}

static rp_status multiply(rp_einsum *e) {
    uint64_t sets[RP_EQUATION_TERMS];
    rp_contraction_step steps[RP_CONTRACTION_MOST];
    for (uint32_t i = 0; i < e->count; i++) sets[i] = rp_labels_set(&e->factors[i].labels);
    if (!rp_contraction_order(sets, e->count, rp_labels_set(&e->out), e->most, RP_MAX_RANK, steps))
        return rp_expand_wrong(e->x, EQUATION, "has products of more than %d dimensions on the way",
                               RP_MAX_RANK);
    for (uint32_t i = 0; i + 1 < e->count; i++)
        RP_TRY(rp_einsum_multiply(e, &e->factors[steps[i].left], &e->factors[steps[i].right],
                                  steps[i].summed, i + 2 == e->count, &e->factors[e->count + i]));
    return RP_OK;
}

/* An operand alone may be the result already, or small integers; and either may be in another order. */
static rp_status finish(rp_einsum *e) {
    rp_factor *f = &e->factors[2 * e->count - 2];
    bool in_order = rp_labels_same(&f->labels, &e->out);
    if (e->done) return RP_OK;
    if (in_order || !takes(e, f)) {
        const rp_tensor shape = rp_einsum_shape(e, &f->labels);
        rp_given_operand from = rp_axes_seen(&f->operand, &shape);
        RP_TRY(rp_einsum_target(e, "wide", e->sums, in_order, &shape, &f->operand));
        RP_TRY(
            rp_expand_op(e->x, "cast", RP_PARTS({"x", &from}, {"out", &f->operand}), RP_NO_ATTRS));
    }
    return in_order ? RP_OK : rp_einsum_move(e, f, &e->out, true);
}

/* Sizes that choices are made by. */
static void choose_sizes(rp_einsum *e) {
    uint64_t all = rp_labels_set(&e->out);
    for (uint32_t i = 0; i < e->count; i++) all |= rp_labels_set(&e->factors[i].labels);
    for (uint32_t l = 0; l < RP_EQUATION_LABELS; l++)
        if (all >> l & 1) e->most[l] = (uint64_t)rp_choose(e->x->application, (double)e->sizes[l]);
}

static rp_status compute(rp_einsum *e) {
    drop_ones(e);
    for (uint32_t i = 0; i < e->count; i++)
        RP_TRY(take_diagonals(e, &e->factors[i], e->count == 1));
    join_labels(e);
    choose_sizes(e);
    for (uint32_t i = 0; i < e->count; i++) {
        uint64_t alone = rp_labels_set(&e->factors[i].labels) & ~needed(e, i);
        if (alone) RP_TRY(rp_einsum_sum(e, &e->factors[i], alone, e->count == 1));
    }
    RP_TRY(multiply(e));
    return finish(e);
}

/* ---- Dtypes ---------------------------------------------------------------------------------- */

static bool all_are(const rp_einsum *e, uint32_t dtypes) {
    for (uint32_t i = 0; i < e->count; i++)
        if (!rp_op_is_in(e->factors[i].operand.argument.tensor.dtype, dtypes)) return false;
    return true;
}

/* Whether the result has the elements of one operand, each once at most. */
static bool only_moves(const rp_einsum *e, const rp_equation *equation) {
    return e->count == 1 && !(rp_labels_set(&equation->terms[0]) & ~rp_labels_set(&equation->out));
}

/* Says so at the first operand that is not of the class of those before it, or of none. */
static rp_status no_class(const rp_einsum *e, uint32_t is_signed, uint32_t is_unsigned) {
    const uint32_t classes[] = {RP_DT_FLOAT, is_signed, is_unsigned};
    uint32_t like = UINT32_MAX, i = 0;
    uint8_t dtype = RP_RAW;
    for (; i < e->count && like; i++) {
        uint32_t own = 0;
        dtype = e->factors[i].operand.argument.tensor.dtype;
        for (uint32_t k = 0; k < 3; k++) own |= rp_op_is_in(dtype, classes[k]) ? classes[k] : 0;
        like &= own;
    }
    return rp_apply_error(
        e->x->application, RP_BLAME_OP, 0,
        "einsum: %s is %s; expected operands of floats, of signed integers or of unsigned "
        "ones, and no mixture",
        e->x->composite->operands[i - 1].name, rp_dtype_name((rp_dtype)dtype));
}

static rp_status choose_dtypes(rp_einsum *e, const rp_equation *equation, uint8_t *natural) {
    const uint32_t is_signed = RP_DT_SIGNED, is_unsigned = RP_DT_INTEGER & ~RP_DT_SIGNED;
    const rp_given_operand *out = e->x->operands[OUT];
    uint8_t first = e->factors[0].operand.argument.tensor.dtype;
    bool floats = all_are(e, RP_DT_FLOAT);
    bool with_sign = all_are(e, is_signed), wide = !all_are(e, ~(uint32_t)RP_DT_LONG);
    e->sums = floats ? RP_F32 : with_sign ? (wide ? RP_I64 : RP_I32) : (wide ? RP_U64 : RP_U32);
    *natural = floats && all_are(e, RP_DT(first)) ? first : e->sums;
    if (only_moves(e, equation) && all_are(e, RP_DT_ANY))
        *natural = first;
    else if (!floats && !all_are(e, is_signed) && !all_are(e, is_unsigned))
        return no_class(e, is_signed, is_unsigned);
    uint8_t own = out->argument.tensor.dtype;
    if (own == RP_RAW || own == *natural || (floats && RP_DT(own) & RP_DT_FLOAT)) return RP_OK;
    return rp_apply_error(e->x->application, RP_BLAME_OP, 0, "einsum: out is %s, expected %s",
                          rp_dtype_name((rp_dtype)own),
                          floats ? "f32, f16 or bf16" : rp_dtype_name((rp_dtype)*natural));
}

/* Where sums have 64 bits so have all factors: products of smaller ones would wrap at 32. */
static rp_status widen(rp_einsum *e) {
    for (uint32_t i = 0; i < e->count && rp_op_is_wide(e->sums); i++) {
        rp_given_operand *own = &e->factors[i].operand, from = *own;
        if (own->argument.tensor.dtype == e->sums) continue;
        RP_TRY(rp_expand_temp(e->x, "wide", own));
        own->argument.tensor.dtype = e->sums;
        RP_TRY(rp_expand_op(e->x, "cast", RP_PARTS({"x", &from}, {"out", own}), RP_NO_ATTRS));
    }
    return RP_OK;
}

/* ---- The composite --------------------------------------------------------------------------- */

static rp_status expand_einsum(rp_expansion *x) {
    rp_einsum e = {.x = x};
    rp_equation equation;
    uint8_t dtype;
    while (e.count < RP_EQUATION_TERMS && x->operands[e.count]) e.count++;
    for (uint32_t i = e.count; i < RP_EQUATION_TERMS; i++)
        if (x->operands[i])
            return rp_apply_error(x->application, RP_BLAME_OP, 0,
                                  "einsum: there is an operand '%s' but none '%s'",
                                  x->operands[i]->name, x->composite->operands[e.count].name);
    RP_TRY(rp_equation_read(x, EQUATION, x->operands, e.count, &equation));
    memcpy(e.sizes, equation.sizes, sizeof equation.sizes);
    for (uint32_t i = 0; i < e.count; i++)
        e.factors[i] = (rp_factor){*x->operands[i], equation.terms[i]};
    RP_TRY(choose_dtypes(&e, &equation, &dtype));
    rp_tensor shape = {.rank = (uint8_t)equation.out.count};
    for (uint32_t i = 0; i < equation.out.count; i++)
        shape.dims[i] = equation.sizes[equation.out.at[i]];
    RP_TRY(rp_axes_make(x, x->operands[OUT], &shape, dtype));
    e.result = *x->operands[OUT];
    e.out = equation.out;
    if (!only_moves(&e, &equation)) RP_TRY(widen(&e));
    return compute(&e);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define R .access = RP_READ
#define OPERAND(name_)                                                                             \
    { name_, "the next one", "...", R, .optional = true }

const rp_composite rp_composites_einsum[] = {
    {.info.name = "einsum",
     .info.family = "matrix",
     .info.brief = "sums of products of any operands, by an equation over their dimensions",
     .notes =
         "A letter is a dimension, `...` any others, which broadcast; a letter in several "
         "operands is the same dimension of all, 1 meeting any number; twice in one, its "
         "diagonal. What is not in the result is summed. Without `->` the result has what `...` "
         "stands for and each letter that is there once, A to Z and a to z. As numpy.einsum and "
         "ONNX Einsum. Operands are multiplied in pairs, in the order that multiplies least: by "
         "`matmul` or `matvec` where both have dimensions of their own, of floats or of i8, else "
         "by a map and `reduce_sum`, with `permute` where neither takes operands as they lie. All "
         "operands are floats, or signed integers, or unsigned ones; sums on the way are f32, or "
         "wrap at 32 bits, with an operand of 64 at these. Of floats of one dtype the result has "
         "it, else f32; of integers it is i32, u32, i64 or u64, but one operand that is only moved "
         "keeps any dtype.",
     .operand_count = RP_EQUATION_TERMS + 1,
     .attr_count = 1,
     .operands = {{"a", "the first term's", "...", R},
                  OPERAND("b"),
                  OPERAND("c"),
                  OPERAND("d"),
                  OPERAND("e"),
                  OPERAND("f"),
                  OPERAND("g"),
                  OPERAND("h"),
                  {"out", "the sums", "...", .access = RP_WRITE}},
     .attrs = {{.name = "equation",
                .brief = "a term for each operand, as in `bhqd,bhkd->bhqk`",
                .kind = RP_ATTR_TEXT,
                .required = true}},
     .expand = expand_einsum},
};

const uint32_t rp_composites_einsum_count =
    sizeof rp_composites_einsum / sizeof *rp_composites_einsum;
