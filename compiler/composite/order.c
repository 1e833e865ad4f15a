/* Composites that put elements in order: sort, argsort, the best of many, distinct ones.
 *
 * Rows that a workgroup keeps are sorted by top_k, of all there is. Longer ones are sorted by digits,
 * least first: count, scan, move (ir/ops/order.c), once for each 8 bits in which keys of the dtype
 * can differ. Integers of 64 bits are sorted by their lower halves, and then, what is equal staying in order, by
 * their upper ones. Keys and indices move together, and values come out of the keys. Elements along another
 * axis than the last are transposed in front and behind, which fuses. */
#include <stdio.h>

#include "composite/axes.h"

/* What top_k sorts; a block of the sort, and how many for each multiprocessor. */
enum { SHORT = 1024, TILE = 2048, ENOUGH = 8, MOST_BLOCKS = 8192 };

/* Bits of a key that differ among elements of a dtype, as lowest bits of digits. A float of 16 bits is
 * compared as f32: f16 has bits 13 to 31 of it, bf16 the upper 16. What is signed has bit 31, too. */
typedef struct digits {
    uint32_t count;
    uint8_t shifts[4];
} digits;

static digits digits_of(uint8_t dtype) {
    switch ((rp_dtype)dtype) {
    case RP_BOOL:
    case RP_U8: return (digits){1, {0}};
    case RP_U16: return (digits){2, {0, 8}};
    case RP_I8: return (digits){2, {0, 24}};
    case RP_BF16: return (digits){2, {16, 24}};
    case RP_I16: return (digits){3, {0, 8, 24}};
    case RP_F16: return (digits){3, {8, 16, 24}};
    default: return (digits){4, {0, 8, 16, 24}};
    }
}

static uint64_t blocks_of(const rp_expansion *x, uint64_t rows, uint64_t length) {
    uint64_t wanted = ENOUGH * (uint64_t)rp_expand_target(x)->multiprocessors / (rows ? rows : 1);
    uint64_t turns = rp_expand_target(x)->loop_turns, least = 1;
    if (turns) least = length / TILE * 200 / turns + 1;
    uint64_t most = (length + TILE - 1) / TILE;
    if (wanted > most) wanted = most;
    if (wanted < least) wanted = least;
    if (wanted > MOST_BLOCKS) wanted = MOST_BLOCKS;
    return (uint64_t)rp_choose(x->application, (double)(wanted ? wanted : 1));
}

/* One pass: `keys` and `indices` are moved, where they are not NULL, and come back moved. */
typedef struct pass {
    uint32_t number;
    uint8_t shift;
    uint64_t rows, length, blocks;
    const char *order, *decode;
} pass;

static rp_status move(rp_expansion *x, const pass *p, rp_given_operand *in,
                      rp_given_operand *places, rp_given_operand *keys, rp_given_operand *indices,
                      rp_given_operand *values) {
    static const rp_along sum = {.by = "sum", .exclusive = true};
    rp_given_operand counts, offsets;
    const rp_attribute attrs[] = {{.name = "shift", .number = p->shift},
                                  {.name = "order", .text = p->order},
                                  {.name = "blocks", .number = (double)p->blocks},
                                  {.name = "decode", .text = p->decode}};
    char name[24];
    snprintf(name, sizeof name, "counts%u", p->number);
    RP_TRY(rp_expand_temp(x, name, &counts));
    RP_TRY(rp_expand_op(x, "radix_count", RP_PARTS({"x", in}, {"counts", &counts}), attrs, 3));
    snprintf(name, sizeof name, "offsets%u", p->number);
    RP_TRY(rp_expand_temp(x, name, &offsets));
    RP_TRY(rp_axes_make(x, &offsets, &counts.argument.tensor, RP_U32));
    const rp_tensor *made = &counts.argument.tensor;
    const rp_lines l = {p->rows, made->dims[made->rank - 2] * made->dims[made->rank - 1], 1};
    RP_TRY(rp_along_scan(x, &sum, &l, &counts, &offsets));
    return rp_expand_op(x, "radix_place",
                        RP_PARTS({"x", in}, {"places", places}, {"offsets", &offsets},
                                 {"keys", keys}, {"indices", indices}, {"values", values}),
                        attrs, 4);
}

/* Rows of `in`, sorted into `values` and `indices`, either of which may be NULL; both are rows, too. */
static rp_status sort_rows(rp_expansion *x, rp_given_operand *in, bool descending,
                           rp_given_operand *values, rp_given_operand *indices);

/* Of 64 bits: by one half, then by the other. */
static rp_status sort_long(rp_expansion *x, rp_given_operand *in, bool descending,
                           rp_given_operand *values, rp_given_operand *indices) {
    const rp_tensor rows = in->argument.tensor;
    uint8_t upper = rows.dtype == RP_I64 ? RP_I32 : RP_U32;
    rp_given_operand low, high, turned, first, second, both, *at = indices ? indices : &both;
    RP_TRY(rp_axes_temp(x, "low", &rows, RP_U32, &low));
    RP_TRY(rp_axes_temp(x, "high", &rows, upper, &high));
    RP_TRY(rp_expand_map(x, "u32(x)", RP_PARTS({"x", in}, {"out", &low})));
    RP_TRY(rp_expand_map(x, upper == RP_I32 ? "i32(x >> 32)" : "u32(x >> 32)",
                         RP_PARTS({"x", in}, {"out", &high})));
    RP_TRY(rp_axes_temp(x, "first", &rows, RP_U32, &first));
    RP_TRY(sort_rows(x, &low, descending, NULL, &first));
    RP_TRY(rp_axes_temp(x, "turned", &rows, upper, &turned));
    RP_TRY(rp_axes_take(x, &high, &first, &turned));
    RP_TRY(rp_axes_temp(x, "second", &rows, RP_U32, &second));
    RP_TRY(sort_rows(x, &turned, descending, NULL, &second));
    if (!indices) RP_TRY(rp_axes_temp(x, "both", &rows, RP_U32, &both));
    RP_TRY(rp_axes_take(x, &first, &second, at));
    return values ? rp_axes_take(x, in, at, values) : RP_OK;
}

static rp_status sort_rows(rp_expansion *x, rp_given_operand *in, bool descending,
                           rp_given_operand *values, rp_given_operand *indices) {
    const rp_tensor *t = &in->argument.tensor;
    uint64_t length = t->dims[1], rows = t->dims[0];
    rp_given_operand unused, keys[2], places[2], *from = in, *with = NULL;
    digits d = digits_of(t->dtype);
    const char *order = descending ? "descending" : "ascending";
    if (t->dtype == RP_I64 || t->dtype == RP_U64)
        return sort_long(x, in, descending, values, indices);
    if (rp_choose(x->application, length <= SHORT) != 0) {
        const rp_attribute attrs[] = {
            {.name = "k", .number = (double)length},
            {.name = "order", .text = descending ? "largest" : "smallest"}};
        if (!indices) RP_TRY(rp_expand_temp(x, "indices", indices = &unused));
        return rp_expand_op(
            x, "top_k", RP_PARTS({"x", in}, {"values", values}, {"indices", indices}), attrs, 2);
    }
    pass p = {.rows = rows, .length = length, .blocks = blocks_of(x, rows, length)};
    for (uint32_t i = 0; i < d.count; i++) {
        bool last = i + 1 == d.count;
        char name[24];
        p.number = i;
        p.shift = d.shifts[i];
        p.order = i == 0 ? order : "ascending"; /* keys are keys of themselves */
        p.decode = order;
        if (last) return move(x, &p, from, with, NULL, indices, values);
        snprintf(name, sizeof name, "keys%u", i);
        RP_TRY(rp_expand_temp(x, name, &keys[i % 2]));
        snprintf(name, sizeof name, "places%u", i);
        if (indices) RP_TRY(rp_expand_temp(x, name, &places[i % 2]));
        RP_TRY(move(x, &p, from, with, &keys[i % 2], indices ? &places[i % 2] : NULL, NULL));
        from = &keys[i % 2];
        with = indices ? &places[i % 2] : NULL;
    }
    return RP_OK;
}

/* A result of rows back to where its axis was. */
static rp_status transpose(rp_expansion *x, rp_given_operand *in, rp_given_operand *out) {
    return rp_expand_op(x, "transpose", RP_PARTS({"x", in}, {"out", out}), RP_NO_ATTRS);
}

/* Whether there is nothing to do: never where there may be more. */
static bool is_nothing(const rp_expansion *x, uint64_t elements) {
    return rp_choose(x->application, elements == 0) != 0;
}

rp_status rp_order_lines(rp_expansion *x, const rp_given_operand *in, const rp_lines *l,
                         bool descending, rp_given_operand *values, rp_given_operand *indices) {
    const rp_tensor rows = {.rank = 2, .dims = {l->front * l->behind, l->along}};
    const rp_tensor across = {.rank = 3, .dims = {l->front, l->along, l->behind}};
    const rp_tensor turned = {.rank = 3, .dims = {l->front, l->behind, l->along}};
    rp_given_operand from = rp_axes_seen(in, &rows), line, sorted[2], to;
    rp_given_operand *results[2] = {values, indices}, *parts[2] = {NULL, NULL};
    bool turns = rp_choose(x->application, (double)l->behind) > 1;
    static const char *const names[] = {"values", "indices"};
    if (is_nothing(x, l->front * l->along * l->behind)) return RP_OK;
    if (turns) {
        from = rp_axes_seen(in, &across);
        RP_TRY(rp_expand_temp(x, "lines", &line));
        RP_TRY(transpose(x, &from, &line));
        from = rp_axes_seen(&line, &rows);
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (!results[i]) continue;
        parts[i] = &sorted[i];
        if (!turns)
            sorted[i] = rp_axes_seen(results[i], &rows);
        else
            RP_TRY(rp_expand_temp(x, names[i], &sorted[i]));
        if (turns) sorted[i].argument.tensor.dtype = results[i]->argument.tensor.dtype;
    }
    RP_TRY(sort_rows(x, &from, descending, parts[0], parts[1]));
    for (uint32_t i = 0; i < 2 && turns; i++) {
        if (!results[i]) continue;
        from = rp_axes_seen(&sorted[i], &turned);
        to = rp_axes_seen(results[i], &across);
        RP_TRY(transpose(x, &from, &to));
    }
    return RP_OK;
}

enum { AXIS, ORDER };

static rp_status expand_sort(rp_expansion *x) {
    enum { X, VALUES, INDICES };
    rp_given_operand **o = x->operands;
    rp_tensor shape = rp_axes_shape(o[X]);
    rp_lines l;
    RP_TRY(rp_axes_around(x, AXIS, &shape, &l));
    RP_TRY(rp_axes_make(x, o[VALUES], &shape, shape.dtype));
    if (o[INDICES]) RP_TRY(rp_axes_make(x, o[INDICES], &shape, RP_U32));
    return rp_order_lines(x, o[X], &l, x->attrs[ORDER] > 0, o[VALUES], o[INDICES]);
}

static rp_status expand_argsort(rp_expansion *x) {
    enum { X, OUT };
    rp_given_operand **o = x->operands;
    rp_tensor shape = rp_axes_shape(o[X]);
    rp_lines l;
    RP_TRY(rp_axes_around(x, AXIS, &shape, &l));
    RP_TRY(rp_axes_make(x, o[OUT], &shape, RP_U32));
    return rp_order_lines(x, o[X], &l, x->attrs[ORDER] > 0, NULL, o[OUT]);
}

/* ---- Distinct elements ----------------------------------------------------------------------- */

/* Puts elements of `src` where `index` says into `dst`, which has been filled. */
static rp_status scatter(rp_expansion *x, const rp_given_operand *src,
                         const rp_given_operand *index, const rp_given_operand *dst, uint64_t n) {
    const rp_tensor column = {.rank = 2, .dims = {n, 1}};
    rp_given_operand from = rp_axes_seen(src, &column), at = *index,
                     to = rp_axes_seen(dst, &column);
    return rp_expand_op(x, "scatter_rows", RP_PARTS({"src", &from}, {"index", &at}, {"dst", &to}),
                        RP_NO_ATTRS);
}

static rp_status fill(rp_expansion *x, rp_given_operand *out, double value) {
    const rp_attribute attr = {.name = "value", .number = value};
    return rp_expand_op(x, "fill", RP_PARTS({"out", out}), &attr, 1);
}

/* A number that may follow sizes, as one in a formula can. */
static rp_status fill_number(rp_expansion *x, rp_given_operand *out, uint64_t value) {
    const rp_attribute pattern = {.name = "pattern", .number = (double)value};
    char formula[40];
    if (rp_choose_special(x->application, true))
        return rp_expand_op(x, "fill_words", RP_PARTS({"out", out}), &pattern, 1);
    snprintf(formula, sizeof formula, "index < 0 ? 0 : %llu", (unsigned long long)value);
    return rp_expand_map(x, formula, RP_PARTS({"out", out}));
}

/* A transient of u32, one for each element. */
static rp_status numbers(rp_expansion *x, const char *name, uint64_t n, rp_given_operand *out) {
    const rp_tensor line = {.rank = 1, .dims = {n}};
    RP_TRY(rp_expand_temp(x, name, out));
    return rp_axes_make(x, out, &line, RP_U32);
}

static rp_status shifted(rp_expansion *x, rp_given_operand *in, double start,
                         rp_given_operand *out) {
    const rp_attribute attrs[] = {{.name = "start", .number = start},
                                  {.name = "count", .number = (double)in->argument.tensor.dims[0]}};
    return rp_expand_op(x, "take_range", RP_PARTS({"x", in}, {"out", out}), attrs, 2);
}

/* Sorted, an element that differs from the one before it is a new one; the sum of such says which. */
static rp_status expand_unique(rp_expansion *x) {
    enum { X, VALUES, COUNTS, INVERSE, COUNT };
    static const rp_along sum = {.by = "sum"};
    rp_given_operand **o = x->operands, sorted, places, before, fresh, rank, at, first, starts,
                     next;
    rp_tensor shape = rp_axes_shape(o[X]), line = {.rank = 1};
    uint64_t n = rp_tensor_elements(&shape);
    line.dims[0] = n;
    const rp_tensor one = {.rank = 1, .dims = {1}};
    const rp_lines l = {1, n, 1};
    bool floats = shape.dtype == RP_F32 || shape.dtype == RP_F16 || shape.dtype == RP_BF16;
    char formula[96];
    RP_TRY(rp_axes_make(x, o[VALUES], &line, shape.dtype));
    if (o[COUNTS]) RP_TRY(rp_axes_make(x, o[COUNTS], &line, RP_U32));
    if (o[INVERSE]) RP_TRY(rp_axes_make(x, o[INVERSE], &shape, RP_U32));
    RP_TRY(rp_axes_make(x, o[COUNT], &one, RP_U32));
    if (is_nothing(x, n)) return fill(x, o[COUNT], 0);
    RP_TRY(rp_expand_temp(x, "sorted", &sorted));
    RP_TRY(rp_axes_make(x, &sorted, &line, shape.dtype));
    RP_TRY(numbers(x, "places", n, &places));
    RP_TRY(rp_order_lines(x, o[X], &l, false, &sorted, o[INVERSE] ? &places : NULL));
    RP_TRY(rp_expand_temp(x, "before", &before));
    RP_TRY(shifted(x, &sorted, -1, &before));
    RP_TRY(numbers(x, "fresh", n, &fresh));
    RP_TRY(rp_expand_map(x,
                         floats ? "i0 == 0 || (s != b && !(isnan(s) && isnan(b))) ? 1 : 0"
                                : "i0 == 0 || s != b ? 1 : 0",
                         RP_PARTS({"s", &sorted}, {"b", &before}, {"out", &fresh})));
    RP_TRY(numbers(x, "rank", n, &rank));
    RP_TRY(rp_along_scan(x, &sum, &l, &fresh, &rank));
    RP_TRY(numbers(x, "at", n, &at)); /* past the end where it is not the first */
    RP_TRY(rp_expand_map(x, "fresh != 0 ? rank - 1 : 4294967295",
                         RP_PARTS({"fresh", &fresh}, {"rank", &rank}, {"out", &at})));
    RP_TRY(fill(x, o[VALUES], 0));
    RP_TRY(scatter(x, &sorted, &at, o[VALUES], n));
    const rp_attribute last[] = {{.name = "start", .number = -1}, {.name = "count", .number = 1}};
    RP_TRY(rp_expand_op(x, "take_range", RP_PARTS({"x", &rank}, {"out", o[COUNT]}), last, 2));
    if (o[INVERSE]) {
        rp_given_operand to = rp_axes_seen(o[INVERSE], &line), number;
        RP_TRY(numbers(x, "number", n, &number));
        RP_TRY(rp_expand_map(x, "rank - 1", RP_PARTS({"rank", &rank}, {"out", &number})));
        RP_TRY(fill(x, &to, 0));
        RP_TRY(scatter(x, &number, &places, &to, n));
    }
    if (!o[COUNTS]) return RP_OK;
    RP_TRY(numbers(x, "first", n, &first));
    RP_TRY(numbers(x, "starts", n, &starts));
    static const rp_attribute zero = {.name = "start", .number = 0};
    RP_TRY(rp_expand_op(x, "iota", RP_PARTS({"out", &first}), &zero, 1));
    RP_TRY(fill_number(x, &starts, n));
    RP_TRY(scatter(x, &first, &at, &starts, n));
    RP_TRY(numbers(x, "next", n, &next));
    RP_TRY(shifted(x, &starts, 1, &next));
    snprintf(formula, sizeof formula, "(i0 + 1 == %llu ? %llu : next) - starts",
             (unsigned long long)n, (unsigned long long)n);
    return rp_expand_map(x, formula,
                         RP_PARTS({"next", &next}, {"starts", &starts}, {"out", o[COUNTS]}));
}

/* ---- Updates --------------------------------------------------------------------------------- */

/* Joins `count` updates with the slices of `size` elements that `at` says, or puts them there. */
static rp_status update(rp_expansion *x, uint32_t reduction, rp_given_operand *at, uint64_t count,
                        uint64_t size) {
    enum { DATA, INDICES, UPDATES, OUT };
    static const char *const joins[] = {NULL, "sum", "prod", "min", "max"};
    rp_given_operand **o = x->operands, places, order;
    rp_tensor shape = rp_axes_shape(o[DATA]);
    const rp_tensor slices = {.rank = 2,
                              .dims = {size ? rp_tensor_elements(&shape) / size : 0, size}};
    const rp_tensor given = {.rank = 2, .dims = {count, size}}, line = {.rank = 1, .dims = {count}};
    const rp_lines l = {1, count, 1};
    RP_TRY(rp_axes_make(x, o[OUT], &shape, shape.dtype));
    rp_given_operand data = rp_axes_seen(o[DATA], &slices), out = rp_axes_seen(o[OUT], &slices);
    rp_given_operand updates = rp_axes_seen(o[UPDATES], &given), to = rp_axes_seen(at, &line);
    if (reduction == 0) {
        RP_TRY(rp_expand_op(x, "copy", RP_PARTS({"x", &data}, {"out", &out}), RP_NO_ATTRS));
        return rp_expand_op(x, "scatter_rows",
                            RP_PARTS({"src", &updates}, {"index", &to}, {"dst", &out}),
                            RP_NO_ATTRS);
    }
    RP_TRY(numbers(x, "places", count, &places));
    RP_TRY(numbers(x, "order", count, &order));
    RP_TRY(rp_order_lines(x, &to, &l, false, &places, &order));
    const rp_attribute by = {.name = "by", .text = joins[reduction]};
    return rp_expand_op(x, "fold_at",
                        RP_PARTS({"data", &data}, {"places", &places}, {"order", &order},
                                 {"updates", &updates}, {"out", &out}),
                        &by, 1);
}

static rp_status unlike(rp_expansion *x, const char *what) {
    return rp_apply_error(x->application, RP_BLAME_OP, 0, "%s: %s", x->composite->info.name, what);
}

static bool same_dims(const rp_tensor *a, uint32_t from_a, const rp_tensor *b, uint32_t from_b) {
    if (a->rank - from_a != b->rank - from_b) return false;
    for (uint32_t i = from_a; i < a->rank; i++)
        if (a->dims[i] != b->dims[from_b + i - from_a]) return false;
    return true;
}

static rp_status expand_scatter_elements(rp_expansion *x) {
    enum { DATA, INDICES, UPDATES, OUT };
    enum { AXIS_OF, REDUCTION };
    rp_given_operand **o = x->operands, at;
    rp_tensor data = rp_axes_shape(o[DATA]), indices = rp_axes_shape(o[INDICES]);
    rp_tensor updates = rp_axes_shape(o[UPDATES]), other = data;
    rp_lines l;
    RP_TRY(rp_axes_around(x, AXIS_OF, &data, &l));
    int axis = (int)x->attrs[AXIS_OF] + (x->attrs[AXIS_OF] < 0 ? data.rank : 0);
    if (!same_dims(&indices, 0, &updates, 0))
        return unlike(x, "updates must have the shape of indices");
    if (indices.rank == data.rank) other.dims[axis] = indices.dims[axis];
    if (!same_dims(&other, 0, &indices, 0))
        return unlike(x, "indices must have the shape of data but for the axis");
    const rp_attribute attrs[] = {{.name = "axis", .number = axis},
                                  {.name = "length", .number = (double)l.along}};
    if (is_nothing(x, rp_tensor_elements(&data))) return rp_axes_make(x, o[OUT], &data, data.dtype);
    RP_TRY(rp_expand_temp(x, "at", &at));
    rp_given_operand from = rp_axes_seen(o[INDICES], &indices);
    rp_given_operand shaped = rp_axes_seen(o[DATA], &data);
    bool fixed = rp_choose_special(x->application, true); /* what varies is asked of the tensor */
    RP_TRY(
        rp_expand_op(x, "places_along_axis",
                     RP_PARTS({"indices", &from}, {"data", fixed ? NULL : &shaped}, {"out", &at}),
                     attrs, fixed ? 2 : 1));
    return update(x, (uint32_t)x->attrs[REDUCTION], &at, rp_tensor_elements(&indices), 1);
}

static rp_status expand_scatter_nd(rp_expansion *x) {
    enum { DATA, INDICES, UPDATES };
    static const char *const names[] = {"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"};
    rp_given_operand **o = x->operands, at;
    rp_tensor data = rp_axes_shape(o[DATA]), indices = rp_axes_shape(o[INDICES]);
    rp_tensor updates = o[UPDATES]->argument.tensor, front = indices;
    uint64_t depth = indices.dims[indices.rank - 1], size = 1, count = 1;
    rp_attribute attrs[RP_MAX_RANK];
    if (depth > data.rank) return unlike(x, "rows of indices are longer than data has dimensions");
    for (uint32_t i = 0; i < depth; i++)
        attrs[i] = (rp_attribute){.name = names[i], .number = (double)data.dims[i]};
    for (uint64_t i = depth; i < data.rank; i++) size *= data.dims[i];
    front.rank--;
    for (uint32_t i = 0; i < front.rank; i++) count *= front.dims[i];
    if (updates.rank < front.rank || !same_dims(&data, (uint32_t)depth, &updates, front.rank))
        return unlike(x, "updates must have the shape of the slices behind that of indices' rows");
    updates.rank = front.rank;
    if (!same_dims(&front, 0, &updates, 0))
        return unlike(x, "updates must have the shape of the slices behind that of indices' rows");
    RP_TRY(rp_expand_temp(x, "at", &at));
    rp_given_operand from = rp_axes_seen(o[INDICES], &indices);
    rp_given_operand shaped = rp_axes_seen(o[DATA], &data);
    bool fixed = rp_choose_special(x->application, true);
    RP_TRY(
        rp_expand_op(x, "places_nd",
                     RP_PARTS({"indices", &from}, {"data", fixed ? NULL : &shaped}, {"out", &at}),
                     attrs, fixed ? (uint32_t)depth : 0));
    return update(x, (uint32_t)x->attrs[0], &at, count, size);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define R .access = RP_READ
#define W .access = RP_WRITE
#define ATTRS                                                                                      \
    {                                                                                              \
        {.name = "axis",                                                                           \
         .brief = "along which; negative ones count from the last",                                \
         .kind = RP_ATTR_INTEGER,                                                                  \
         .fallback = -1,                                                                           \
         .low = -RP_MAX_RANK,                                                                      \
         .high = RP_MAX_RANK - 1},                                                                 \
        {                                                                                          \
            .name = "order", .brief = "which comes first", .kind = RP_ATTR_CHOICE,                 \
            .choices = "ascending|descending"                                                      \
        }                                                                                          \
    }
#define SORTS                                                                                      \
    "`top_k` of rows of up to 1024 elements; longer ones are sorted by digits, with a "            \
    "`radix_count`, a `scan` and a `radix_place` for each 8 bits in which elements of the dtype "  \
    "can differ; i64 and u64 by their halves, one after the other. Equal elements stay in their "  \
    "order in either direction; -0 equals 0 and comes "                                            \
    "out as 0; NaN comes last. "

#define REDUCTION                                                                                  \
    {                                                                                              \
        .name = "reduction", .brief = "what is done with an update: it replaces, or is joined",    \
        .kind = RP_ATTR_CHOICE, .choices = "none|add|mul|min|max"                                  \
    }
#define UPDATES_                                                                                   \
    "Replacing is a `copy` and `scatter_rows`, for which places must be distinct. Joining sorts "  \
    "places, and a `fold_at` takes all updates of an element in their order: any number for one, " \
    "and the same bits on every run. Negative places count from the end; updates out of range "    \
    "are left out. "

const rp_composite rp_composites_order[] = {
    {.info.name = "sort",
     .info.family = "order",
     .info.brief = "elements along an axis in order, and where they were",
     .notes = SORTS "As numpy.sort with kind stable, torch.sort with stable=True.",
     .operand_count = 3,
     .attr_count = 2,
     .operands = {{"x", "any numbers", "*N", R},
                  {"values", "of x's shape", "*N", W},
                  {"indices", "their places along the axis", "*N", W, .optional = true,
                   .counts = true}},
     .attrs = ATTRS,
     .expand = expand_sort},
    {.info.name = "argsort",
     .info.family = "order",
     .info.brief = "where elements along an axis are, in order",
     .notes = SORTS "As numpy.argsort with kind stable.",
     .operand_count = 2,
     .attr_count = 2,
     .operands = {{"x", "any numbers", "*N", R}, {"out", "of x's shape", "*N", W, .counts = true}},
     .attrs = ATTRS,
     .expand = expand_argsort},
    {.info.name = "unique",
     .info.family = "order",
     .info.brief = "the distinct elements of a tensor in order, and how often each is there",
     .notes = "A `sort`, a `scan` of where elements change, and `scatter_rows`. Behind the first "
              "`count` of them values and counts are 0. NaN is one element, the last; -0 equals 0. "
              "As numpy.unique with return_counts and return_inverse.",
     .operand_count = 5,
     .operands = {{"x", "any numbers", "*N", R},
                  {"values", "as many as x has, of which `count` are used", "N", W},
                  {"counts", "how often each is in x", "N", W, .optional = true, .counts = true},
                  {"inverse", "which of them each element of x is", "*N", W, .optional = true,
                   .counts = true},
                  {"count", "how many there are", "1", W, .counts = true}},
     .expand = expand_unique},
    {.info.name = "scatter_elements",
     .info.family = "order",
     .info.brief = "a tensor with elements along an axis replaced, or joined with others",
     .notes = UPDATES_ "As ONNX ScatterElements, numpy.put_along_axis; torch.scatter_reduce.",
     .operand_count = 4,
     .attr_count = 2,
     .operands = {{"data", "the tensor", "*N", R},
                  {"indices", "places along the axis; of data's shape elsewhere", "*M", R},
                  {"updates", "an element for each", "*M", R},
                  {"out", "of data's shape", "*N", W}},
     .attrs = {{.name = "axis",
                .brief = "along which; negative ones count from the last",
                .kind = RP_ATTR_INTEGER,
                .low = -RP_MAX_RANK,
                .high = RP_MAX_RANK - 1},
               REDUCTION},
     .expand = expand_scatter_elements},
    {.info.name = "scatter_nd",
     .info.family = "order",
     .info.brief = "a tensor with elements or slices replaced, or joined with others",
     .notes = UPDATES_ "As ONNX ScatterND; numpy.add.at.",
     .operand_count = 4,
     .attr_count = 1,
     .operands = {{"data", "the tensor", "*N", R},
                  {"indices", "a place along each of the first K dimensions of data", "*J K", R},
                  {"updates", "a slice of data for each row of indices", "*M", R},
                  {"out", "of data's shape", "*N", W}},
     .attrs = {REDUCTION},
     .expand = expand_scatter_nd},
};

const uint32_t rp_composites_order_count = sizeof rp_composites_order / sizeof *rp_composites_order;
