/* Two operands of einsum, and the moves and sums between: which op, and with which operand on which side.
 *
 * A matrix product takes either side as it lies or transposed, dimensions shared with the result in front.
 * Where they do not lie so, `permute` moves them; it fuses with the product, but is worth avoiding. So all
 * orders that some operand or the result suggests are tried, and the one that moves fewest elements is taken. */
#include <stdio.h>

#include "composite/einsum.h"

/* ---- Steps ----------------------------------------------------------------------------------- */

rp_status rp_einsum_target(rp_einsum *e, const char *name, uint8_t dtype, bool last,
                           const rp_tensor *shape, rp_given_operand *out) {
    if (last) {
        *out = rp_axes_seen(&e->result, shape);
        e->done = true;
        return RP_OK;
    }
    RP_TRY(rp_expand_temp(e->x, name, out));
    out->argument.tensor.dtype = dtype;
    return RP_OK;
}

/* One `permute` of up to four runs of dimensions. `runs` are their lengths as they lie, `order` says which
 * of them follow one another in the result. */
static rp_status permute(rp_einsum *e, rp_factor *f, const uint32_t *runs, const uint32_t *order,
                         uint32_t count, bool last) {
    enum { MOST = 4 };
    rp_tensor from_shape = {.rank = MOST, .dims = {1, 1, 1, 1}}, to_shape = from_shape;
    char text[MOST + 1] = "abcd";
    rp_labels to = {0};
    uint32_t begin[MOST], pad = MOST - count;
    for (uint32_t i = 0, at = 0; i < count; at += runs[i++]) {
        begin[i] = at;
        for (uint32_t k = 0; k < runs[i]; k++)
            from_shape.dims[pad + i] *= e->sizes[f->labels.at[at + k]];
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t run = order[i];
        to_shape.dims[pad + i] = from_shape.dims[pad + run];
        text[pad + i] = (char)('a' + pad + run);
        memcpy(to.at + to.count, f->labels.at + begin[run], runs[run]);
        to.count += runs[run];
    }
    const rp_attribute attr = {.name = "order", .text = text};
    rp_given_operand from = rp_axes_seen(&f->operand, &from_shape), out;
    RP_TRY(rp_einsum_target(e, "moved", from.argument.tensor.dtype, last, &to_shape, &out));
    RP_TRY(rp_expand_op(e->x, "permute", RP_PARTS({"x", &from}, {"out", &out}), &attr, 1));
    *f = (rp_factor){out, to};
    return RP_OK;
}

static uint32_t place_of(const rp_labels *l, uint8_t label) {
    uint32_t i = 0;
    while (i < l->count && l->at[i] != label) i++;
    return i;
}

/* The runs of `l` whose labels follow one another in `to`, too: their lengths in l's order, and their
 * numbers in that of `to`. */
static uint32_t find_runs(const rp_labels *l, const rp_labels *to, uint32_t *runs,
                          uint32_t *order) {
    uint32_t count = 0, number[RP_MAX_RANK];
    for (uint32_t i = 0; i < l->count; i++) {
        uint32_t at = place_of(to, l->at[i]);
        if (i == 0 || at == 0 || to->at[at - 1] != l->at[i - 1]) runs[count++] = 0;
        runs[count - 1]++;
        number[i] = count - 1;
    }
    for (uint32_t i = 0, made = 0; i < to->count; made++) {
        order[made] = number[place_of(l, to->at[i])];
        i += runs[order[made]];
    }
    return count;
}

rp_status rp_einsum_bring(rp_einsum *e, rp_factor *f, uint32_t at, uint32_t from, uint32_t length) {
    static const uint32_t order[] = {0, 2, 1, 3};
    const uint32_t runs[] = {at, from - at, length, f->labels.count - from - length};
    return permute(e, f, runs, order, 4, false);
}

rp_status rp_einsum_move(rp_einsum *e, rp_factor *f, const rp_labels *to, bool last) {
    uint32_t runs[RP_MAX_RANK], order[RP_MAX_RANK], count;
    while ((count = find_runs(&f->labels, to, runs, order)) > 4) {
        /* What is first out of place comes there, with what follows it. */
        uint32_t at = 0, from = 0, length = 0;
        while (f->labels.at[at] == to->at[at]) at++;
        from = place_of(&f->labels, to->at[at]);
        while (from + length < f->labels.count &&
               f->labels.at[from + length] == to->at[at + length])
            length++;
        RP_TRY(rp_einsum_bring(e, f, at, from, length));
    }
    return permute(e, f, runs, order, count, last);
}

rp_status rp_einsum_sum(rp_einsum *e, rp_factor *f, uint64_t summed, bool last) {
    const rp_tensor shape = rp_einsum_shape(e, &f->labels);
    const rp_labels kept = rp_labels_of(&f->labels, ~summed);
    const rp_tensor left = rp_einsum_shape(e, &kept);
    rp_given_operand in = rp_axes_seen(&f->operand, &shape), to;
    bool axes[RP_MAX_RANK] = {false};
    for (uint32_t i = 0; i < f->labels.count; i++) axes[i] = summed >> f->labels.at[i] & 1;
    RP_TRY(rp_einsum_target(e, "sum", e->sums, last && rp_labels_same(&kept, &e->out), &left, &to));
    RP_TRY(rp_along_reduce(e->x, "sum", &in, axes, &to));
    *f = (rp_factor){to, kept};
    return RP_OK;
}

/* ---- Element by element ---------------------------------------------------------------------- */

/* All labels of two factors in an order; there may be more than a tensor has. */
typedef struct union_order {
    uint32_t count;
    uint8_t at[2 * RP_MAX_RANK];
} union_order;

static void append(union_order *to, const rp_labels *l, uint64_t *set) {
    for (uint32_t i = 0; i < l->count; i++) {
        if (!(*set >> l->at[i] & 1)) continue;
        *set &= ~(UINT64_C(1) << l->at[i]);
        to->at[to->count++] = l->at[i];
    }
}

/* The labels of `l` in that order. */
static rp_labels in_order(const rp_labels *l, const union_order *order) {
    rp_labels out = {0};
    uint64_t set = rp_labels_set(l);
    for (uint32_t i = 0; i < order->count; i++)
        if (set >> order->at[i] & 1) out.at[out.count++] = order->at[i];
    return out;
}

static double moved_elements(const rp_einsum *e, const rp_labels *l, const rp_labels *to) {
    return rp_labels_same(l, to) ? 0 : rp_einsum_cost(e, l);
}

/* Of orders that begin as the result does, or as either factor, with what is summed at their end or where
 * that factor has it, the one that moves fewest elements. */
static union_order choose_order(const rp_einsum *e, const rp_labels *a, const rp_labels *b,
                                uint64_t summed) {
    const rp_labels *const first[] = {&e->out, a, b}, *const second[] = {a, b};
    union_order best = {0};
    double least = INFINITY;
    for (uint32_t i = 0; i < 12; i++) {
        union_order order = {0};
        uint64_t all = rp_labels_set(a) | rp_labels_set(b), early = i / 6 ? all : all & ~summed;
        all &= ~early;
        append(&order, first[i % 3], &early);
        append(&order, second[i / 3 % 2], &early);
        append(&order, second[1 - i / 3 % 2], &early);
        append(&order, second[i / 3 % 2], &all);
        const rp_labels left = in_order(a, &order), right = in_order(b, &order);
        const rp_labels kept =
            rp_labels_of(&e->out, (rp_labels_set(a) | rp_labels_set(b)) & ~summed);
        const rp_labels made = in_order(&kept, &order);
        double cost = moved_elements(e, a, &left) + moved_elements(e, b, &right) +
                      moved_elements(e, &kept, &made);
        if (!(cost < least)) continue;
        least = cost;
        best = order;
    }
    return best;
}

/* Neighbours that both factors have, or that one has, as one dimension: shapes of the factors, of their
 * product, and which of its dimensions are summed. False: there are too many. */
typedef struct elementwise {
    rp_tensor left, right, product, kept;
    bool axes[RP_MAX_RANK];
} elementwise;

static bool shape_elementwise(const rp_einsum *e, const union_order *order, uint64_t left,
                              uint64_t right, uint64_t summed, elementwise *out) {
    uint32_t kind = 0, count = 0;
    *out = (elementwise){.product = {.rank = 1, .dims = {1}}};
    for (uint32_t i = 0; i < order->count; i++) {
        uint8_t l = order->at[i];
        uint32_t own = (uint32_t)(left >> l & 1) | (uint32_t)(right >> l & 1) << 1 |
                       (uint32_t)(summed >> l & 1) << 2;
        if (own != kind && count == RP_MAX_RANK) return false;
        if (own != kind) out->product.dims[count++] = 1;
        kind = own;
        uint64_t *size = &out->product.dims[count - 1];
        *size *= e->sizes[l];
        out->left.dims[count - 1] = own & 1 ? *size : 1;
        out->right.dims[count - 1] = own & 2 ? *size : 1;
        out->axes[count - 1] = (own & 4) != 0;
        out->kept.dims[count - 1] = own & 4 ? 1 : *size;
    }
    if (count == 0) out->left.dims[0] = out->right.dims[0] = out->kept.dims[0] = 1;
    out->product.rank = count ? (uint8_t)count : 1;
    out->left.rank = out->right.rank = out->kept.rank = out->product.rank;
    return true;
}

static rp_status multiply_elements(rp_einsum *e, rp_factor a, rp_factor b, uint64_t summed,
                                   bool last, rp_factor *out) {
    static const rp_attribute product = {.name = "expr", .text = "a * b"};
    const union_order order = choose_order(e, &a.labels, &b.labels, summed);
    const rp_labels left = in_order(&a.labels, &order), right = in_order(&b.labels, &order);
    uint64_t in_a = rp_labels_set(&a.labels), in_b = rp_labels_set(&b.labels);
    out->labels.count = 0;
    for (uint32_t i = 0; i < order.count; i++)
        if (!(summed >> order.at[i] & 1)) out->labels.at[out->labels.count++] = order.at[i];
    bool ends = last && rp_labels_same(&out->labels, &e->out);
    elementwise s;
    if (!shape_elementwise(e, &order, in_a, in_b, summed, &s))
        return rp_expand_wrong(e->x, 0, "has products of more than %d dimensions on the way",
                               RP_MAX_RANK);
    if (!rp_labels_same(&a.labels, &left)) RP_TRY(rp_einsum_move(e, &a, &left, false));
    if (!rp_labels_same(&b.labels, &right)) RP_TRY(rp_einsum_move(e, &b, &right, false));
    rp_given_operand from_a = rp_axes_seen(&a.operand, &s.left);
    rp_given_operand from_b = rp_axes_seen(&b.operand, &s.right), to;
    RP_TRY(rp_einsum_target(e, "product", e->sums, ends && !summed, &s.product, &to));
    RP_TRY(rp_expand_op(e->x, "map", RP_PARTS({"a", &from_a}, {"b", &from_b}, {"out", &to}),
                        &product, 1));
    out->operand = to;
    if (!summed) return RP_OK;
    rp_given_operand from = rp_axes_seen(&to, &s.product);
    RP_TRY(rp_einsum_target(e, "sum", e->sums, ends, &s.kept, &out->operand));
    return rp_along_reduce(e->x, "sum", &from, s.axes, &out->operand);
}

/* ---- Matrix products ------------------------------------------------------------------------- */

/* How one side lies: its own dimensions (rows of the left side, columns of the right one) in front of those
 * that are summed, or behind, both behind what is shared with the result; or on either side of them. */
typedef enum layout { OWN_FIRST, SUMMED_FIRST, SUMMED_BETWEEN, MOVED } layout;

/* Which dimensions play which part, in orders. */
typedef struct plan {
    bool swapped; /* the second factor is on the left */
    rp_labels batch, summed, left, right;
    layout a, b;
    bool vectors; /* matvec takes it */
    double cost;
} plan;

static rp_labels joined(const rp_labels *a, const rp_labels *b, const rp_labels *c) {
    rp_labels out = *a;
    memcpy(out.at + out.count, b->at, b->count);
    out.count += b->count;
    memcpy(out.at + out.count, c->at, c->count);
    out.count += c->count;
    return out;
}

static layout layout_of(const rp_labels *l, const rp_labels *batch, const rp_labels *own,
                        const rp_labels *summed) {
    const rp_labels own_first = joined(batch, own, summed);
    const rp_labels summed_first = joined(batch, summed, own);
    if (rp_labels_same(l, &own_first)) return OWN_FIRST;
    if (rp_labels_same(l, &summed_first)) return SUMMED_FIRST;
    const rp_labels rest = rp_labels_of(l, ~rp_labels_set(summed));
    uint32_t at = place_of(l, summed->at[0]);
    bool run = !batch->count && rp_labels_same(&rest, own) && at + summed->count <= l->count &&
               memcmp(l->at + at, summed->at, summed->count) == 0;
    return run ? SUMMED_BETWEEN : MOVED;
}

static rp_labels product_labels(const plan *p) {
    return joined(&p->batch, &p->left, &p->right);
}

/* A matrix that is one for all may meet several on the left, and none on the right. Where all else is equal
 * vectors times a matrix of rows are taken. */
static void judge(const rp_einsum *e, const rp_factor *a, const rp_factor *b, bool last, plan *p) {
    const rp_labels made = product_labels(p);
    p->a = layout_of(&a->labels, &p->batch, &p->left, &p->summed);
    p->b = layout_of(&b->labels, &p->batch, &p->right, &p->summed);
    if (p->b == SUMMED_BETWEEN) p->b = MOVED;
    p->cost = p->a == MOVED ? rp_einsum_cost(e, &a->labels) : 0;
    p->cost += p->b == MOVED ? rp_einsum_cost(e, &b->labels) : 0;
    p->cost += last && !rp_labels_same(&made, &e->out) ? rp_einsum_cost(e, &made) : 0;
    p->vectors = e->sums == RP_F32 && !p->batch.count && (p->a == OWN_FIRST || p->a == MOVED) &&
                 (p->b == OWN_FIRST || p->b == MOVED) &&
                 rp_einsum_cost(e, &p->left) <= RP_OP_PRODUCT_VECTORS;
    p->cost -= p->vectors ? 0.5 : 0;
}

static plan choose_plan(const rp_einsum *e, const rp_factor *x, const rp_factor *y, uint64_t summed,
                        bool last) {
    uint64_t shared = rp_labels_set(&x->labels) & rp_labels_set(&y->labels);
    plan best = {.cost = INFINITY};
    for (uint32_t i = 0; i < 48; i++) {
        const rp_factor *a = i % 2 ? y : x, *b = i % 2 ? x : y;
        const rp_labels *const orders[] = {&a->labels, &b->labels, &e->out};
        plan p = {.swapped = i % 2 != 0};
        p.batch = rp_labels_of(orders[i / 2 % 3], shared & ~summed);
        p.summed = rp_labels_of(orders[i / 6 % 2], summed);
        p.left =
            rp_labels_of(i / 12 % 2 ? &e->out : &a->labels, rp_labels_set(&a->labels) & ~shared);
        p.right =
            rp_labels_of(i / 24 % 2 ? &e->out : &b->labels, rp_labels_set(&b->labels) & ~shared);
        judge(e, a, b, last, &p);
        if (p.cost < best.cost) best = p;
    }
    return best;
}

/* One side as a tensor of matrices; moved where it has to be. */
static rp_status take_side(rp_einsum *e, rp_factor *f, const plan *p, const rp_labels *own,
                           layout *how, rp_given_operand *out) {
    if (*how == MOVED) {
        const rp_labels to = joined(&p->batch, own, &p->summed);
        RP_TRY(rp_einsum_move(e, f, &to, false));
        *how = OWN_FIRST;
    }
    rp_labels front = p->batch, behind = *own;
    if (*how == SUMMED_BETWEEN) {
        front.count = place_of(&f->labels, p->summed.at[0]);
        memcpy(front.at, own->at, front.count);
        behind.count -= front.count;
        memmove(behind.at, behind.at + front.count, behind.count);
    }
    uint64_t rows = rp_einsum_elements(e, &behind), k = rp_einsum_elements(e, &p->summed);
    rp_tensor shape = {.rank = 0};
    if (front.count) shape.dims[shape.rank++] = rp_einsum_elements(e, &front);
    shape.dims[shape.rank++] = *how == OWN_FIRST ? rows : k;
    shape.dims[shape.rank++] = *how == OWN_FIRST ? k : rows;
    *out = rp_axes_seen(&f->operand, &shape);
    return RP_OK;
}

static rp_status multiply_matrices(rp_einsum *e, rp_factor x, rp_factor y, uint64_t summed,
                                   bool last, rp_factor *out) {
    plan p = choose_plan(e, &x, &y, summed, last);
    rp_given_operand left, right, to;
    RP_TRY(take_side(e, p.swapped ? &y : &x, &p, &p.left, &p.a, &left));
    RP_TRY(take_side(e, p.swapped ? &x : &y, &p, &p.right, &p.b, &right));
    const rp_tensor *rows = &left.argument.tensor;
    rp_tensor shape = {.rank = rows->rank, .dims = {rows->dims[0], rows->dims[1]}};
    shape.dims[shape.rank - 2] = rows->dims[rows->rank - (p.a == OWN_FIRST ? 2 : 1)];
    shape.dims[shape.rank - 1] = rp_einsum_elements(e, &p.right);
    out->labels = product_labels(&p);
    last = last && rp_labels_same(&out->labels, &e->out);
    RP_TRY(rp_einsum_target(e, "product", e->sums, last, &shape, &to));
    const rp_attribute attrs[] = {{.name = "transpose_a", .number = p.a != OWN_FIRST},
                                  {.name = "transpose_b", .number = p.b == OWN_FIRST}};
    if (p.vectors)
        RP_TRY(rp_expand_product(e->x, &left, &right, &to));
    else
        RP_TRY(rp_expand_op(e->x, "matmul", RP_PARTS({"a", &left}, {"b", &right}, {"out", &to}),
                            attrs, 2));
    out->operand = to;
    return RP_OK;
}

/* Whether `matmul` takes such elements, which are floats or integers of one sign. */
static bool are_factors(const rp_einsum *e, const rp_factor *a, const rp_factor *b) {
    uint8_t left = a->operand.argument.tensor.dtype, right = b->operand.argument.tensor.dtype;
    return e->sums == RP_F32 || (left == RP_I8 && right == RP_I8);
}

rp_status rp_einsum_multiply(rp_einsum *e, const rp_factor *left, const rp_factor *right,
                             uint64_t summed, bool last, rp_factor *out) {
    uint64_t a = rp_labels_set(&left->labels), b = rp_labels_set(&right->labels);
    bool rows = (a & ~b) != 0, columns = (b & ~a) != 0, batch = (a & b & ~summed) != 0;
    bool matrices = summed && ((rows && columns) || ((rows || columns) && !batch));
    return matrices && are_factors(e, left, right)
               ? multiply_matrices(e, *left, *right, summed, last, out)
               : multiply_elements(e, *left, *right, summed, last, out);
}
