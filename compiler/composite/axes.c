/* Composites along any axes of a tensor: flip, roll, tile, slices with steps.
 *
 * Each is a chain of one op, take_range, with a link for every axis that changes. Links are pointwise
 * and fuse to one kernel, whose index formula is theirs one after the other. So an op for several
 * axes would save nothing, and one for one axis is easy to get right. */
#include <stdio.h>

#include "base/checked.h"
#include "composite/apply.h"
#include "composite/axes.h"

#define R .access = RP_READ
#define W .access = RP_WRITE

/* ---- Shapes ---------------------------------------------------------------------------------- */

rp_tensor rp_axes_shape(const rp_given_operand *operand) {
    rp_tensor t = operand->argument.tensor;
    if (t.rank == 0) t.dims[t.rank++] = 1;
    return t;
}

rp_given_operand rp_axes_seen(const rp_given_operand *operand, const rp_tensor *shape) {
    rp_given_operand out = *operand;
    out.argument.tensor.rank = shape->rank;
    memcpy(out.argument.tensor.dims, shape->dims, sizeof shape->dims);
    return out;
}

const char *rp_axes_end(uint8_t joined, bool most) {
    if (joined == RP_F32) return most ? "inf" : "-inf";
    if (joined == RP_U32) return most ? "4294967295" : "0";
    if (joined == RP_U64) return most ? "18446744073709551615" : "0";
    if (joined == RP_I64) return most ? "9223372036854775807" : "-9223372036854775807 - 1";
    return most ? "2147483647" : "-2147483647 - 1";
}

uint8_t rp_axes_joined(uint8_t dtype) {
    if (rp_op_is_in(dtype, RP_DT_FLOAT)) return RP_F32;
    if (rp_op_is_in(dtype, RP_DT_LONG)) return dtype;
    return rp_op_is_in(dtype, RP_DT_SIGNED) ? RP_I32 : RP_U32;
}

bool rp_axes_widens(uint8_t dtype, uint8_t result) {
    return rp_op_is_in(result, RP_DT_LONG) && !rp_op_is_in(dtype, RP_DT_LONG | RP_DT_FLOAT);
}

rp_status rp_axes_wrong(rp_expansion *x, uint32_t attr, const char *what) {
    rp_application *a = x->application;
    const char *name = x->composite->attrs[attr].name;
    for (uint32_t i = 0; i < a->attr_count; i++)
        if (strcmp(a->attrs[i].name, name) == 0)
            return rp_apply_error(a, RP_BLAME_ATTR, i, "attribute '%s' of %s: %s", name,
                                  x->composite->info.name, what);
    return rp_apply_error(a, RP_BLAME_OP, 0, "attribute '%s' of %s: %s", name,
                          x->composite->info.name, what);
}

rp_status rp_axes_make(rp_expansion *x, rp_given_operand *out, const rp_tensor *shape,
                       uint8_t dtype) {
    rp_tensor *t = &out->argument.tensor;
    if (t->dtype == RP_RAW) t->dtype = dtype;
    if (t->rank == RP_OP_INFER) *t = (rp_tensor){.dtype = t->dtype, .rank = RP_OP_INFER};
    if (t->rank != RP_OP_INFER && !rp_tensor_is_shaped(t, shape)) {
        char own[RP_TENSOR_TEXT], wanted[RP_TENSOR_TEXT];
        rp_tensor expected = *shape;
        expected.dtype = t->dtype;
        return rp_apply_error(x->application, RP_BLAME_OP, 0, "%s: %s is %s, expected %s",
                              x->composite->info.name, out->name, rp_tensor_text(own, t),
                              rp_tensor_text(wanted, &expected));
    }
    if (t->rank == RP_OP_INFER) {
        t->rank = shape->rank;
        memcpy(t->dims, shape->dims, sizeof shape->dims);
    }
    return out->fresh == RP_NONE ? RP_OK
                                 : rp_apply_fresh(x->application, x->composite->info.name, out);
}

rp_status rp_axes_temp(rp_expansion *x, const char *name, const rp_tensor *rows, uint8_t dtype,
                       rp_given_operand *out) {
    RP_TRY(rp_expand_temp(x, name, out));
    return rp_axes_make(x, out, rows, dtype);
}

rp_status rp_axes_take(rp_expansion *x, rp_given_operand *from, rp_given_operand *at,
                       rp_given_operand *out) {
    static const rp_attribute axis = {.name = "axis", .number = 1};
    return rp_expand_op(x, "take_along_axis", RP_PARTS({"x", from}, {"indices", at}, {"out", out}),
                        &axis, 1);
}

/* ---- Axes ------------------------------------------------------------------------------------ */

rp_status rp_axes_read(rp_expansion *x, uint32_t attr, uint32_t rank, rp_int_list *out) {
    const rp_int_list *given = &x->lists[attr];
    bool seen[RP_MAX_RANK] = {false};
    char text[64];
    *out = *given;
    if (given->count == 0)
        for (; out->count < rank; out->count++) out->values[out->count] = out->count;
    for (uint32_t i = 0; i < out->count; i++) {
        int64_t *axis = &out->values[i];
        if (*axis < 0) *axis += rank;
        if (*axis < 0 || *axis >= rank) {
            snprintf(text, sizeof text, "%d is none of %u: expected %d to %d",
                     (int)given->values[i], rank, -(int)rank, (int)rank - 1);
            return rp_axes_wrong(x, attr, text);
        }
        if (seen[*axis]) return rp_axes_wrong(x, attr, "an axis is given twice");
        seen[*axis] = true;
    }
    return RP_OK;
}

rp_status rp_axes_around(rp_expansion *x, uint32_t attr, const rp_tensor *shape, rp_lines *out) {
    int axis = (int)x->attrs[attr], rank = shape->rank;
    char text[64];
    *out = (rp_lines){1, 1, 1};
    if (axis < -rank || axis >= rank) {
        snprintf(text, sizeof text, "%d is none of %d: expected %d to %d", axis, rank, -rank,
                 rank - 1);
        return rp_axes_wrong(x, attr, text);
    }
    if (axis < 0) axis += rank;
    for (int i = 0; i < axis; i++) out->front *= shape->dims[i];
    out->along = shape->dims[axis];
    for (int i = axis + 1; i < rank; i++) out->behind *= shape->dims[i];
    return RP_OK;
}

/* ---- Chains of take_range -------------------------------------------------------------------- */

/* One axis of it; a step of 0: as it is. */
typedef struct range {
    int64_t start, step;
    uint64_t count;
} range;

static rp_status take_range(rp_expansion *x, rp_given_operand *in, rp_given_operand *out,
                            uint32_t axis, const range *r) {
    const rp_attribute attrs[] = {{.name = "axis", .number = axis},
                                  {.name = "start", .number = (double)r->start},
                                  {.name = "step", .number = (double)r->step},
                                  {.name = "count", .number = (double)r->count}};
    return rp_expand_op(x, "take_range", RP_PARTS({"x", in}, {"out", out}), attrs, 4);
}

/* A link for each axis that changes; one at least. The first in the chain is evaluated last, so the
 * innermost axis comes first: what follows asks it for neighbours. */
static rp_status chain(rp_expansion *x, rp_given_operand *in, rp_given_operand *out, uint32_t rank,
                       const range *ranges) {
    rp_given_operand temps[RP_MAX_RANK], *from = in;
    uint32_t axes[RP_MAX_RANK], count = 0;
    for (uint32_t axis = rank; axis-- > 0;)
        if (ranges[axis].step) axes[count++] = axis;
    for (uint32_t i = 0; i + 1 < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "axis%u", axes[i]);
        RP_TRY(rp_expand_temp(x, name, &temps[i]));
        RP_TRY(take_range(x, from, &temps[i], axes[i], &ranges[axes[i]]));
        from = &temps[i];
    }
    const range all = {0, 1, in->argument.tensor.rank ? in->argument.tensor.dims[rank - 1] : 1};
    if (count == 0) return take_range(x, from, out, rank - 1, &all);
    return take_range(x, from, out, axes[count - 1], &ranges[axes[count - 1]]);
}

static rp_status expand_flip(rp_expansion *x) {
    enum { X, OUT };
    rp_tensor shape = rp_axes_shape(x->operands[X]);
    rp_int_list axes;
    range ranges[RP_MAX_RANK] = {{0}};
    RP_TRY(rp_axes_read(x, 0, shape.rank, &axes));
    for (uint32_t i = 0; i < axes.count; i++)
        ranges[axes.values[i]] = (range){-1, -1, shape.dims[axes.values[i]]};
    return chain(x, x->operands[X], x->operands[OUT], shape.rank, ranges);
}

/* Without axes the elements are one line, whatever the shape. */
static rp_status expand_roll(rp_expansion *x) {
    enum { X, OUT };
    enum { SHIFTS, AXES };
    const rp_int_list *shifts = &x->lists[SHIFTS];
    rp_tensor shape = rp_axes_shape(x->operands[X]), line = {.rank = 1};
    rp_given_operand in = *x->operands[X], *out = x->operands[OUT], flat;
    bool whole = x->lists[AXES].count == 0;
    rp_int_list axes = {.count = 1};
    range ranges[RP_MAX_RANK] = {{0}};
    if (whole) {
        if (shifts->count != 1)
            return rp_axes_wrong(x, SHIFTS, "without axes expected a single integer");
        line.dims[0] = rp_tensor_elements(&shape);
        RP_TRY(rp_axes_make(x, out, &shape, shape.dtype));
        in = rp_axes_seen(&in, &line);
        flat = rp_axes_seen(out, &line);
        shape = in.argument.tensor;
    } else {
        RP_TRY(rp_axes_read(x, AXES, shape.rank, &axes));
    }
    if (shifts->count != 1 && shifts->count != axes.count)
        return rp_axes_wrong(x, SHIFTS, "expected one integer, or as many as axes has");
    for (uint32_t i = 0; i < axes.count; i++) {
        int64_t shift = shifts->values[shifts->count == 1 ? 0 : i];
        ranges[axes.values[i]] = (range){-shift, 1, shape.dims[axes.values[i]]};
    }
    return chain(x, &in, whole ? &flat : out, shape.rank, ranges);
}

/* Repetitions are of the last axes; where there are more of them than axes, x has more of 1. */
static rp_status expand_tile(rp_expansion *x) {
    enum { X, OUT };
    const rp_int_list *repeats = &x->lists[0];
    if (repeats->count > RP_MAX_RANK)
        return rp_axes_wrong(x, 0, "out would have more than 8 dimensions");
    if (repeats->count == 0) return rp_axes_wrong(x, 0, "is missing");
    rp_tensor own = rp_axes_shape(x->operands[X]), shape = {.dtype = own.dtype};
    shape.rank = own.rank > repeats->count ? own.rank : (uint8_t)repeats->count;
    range ranges[RP_MAX_RANK] = {{0}};
    for (uint32_t i = 0; i < shape.rank; i++) {
        uint32_t behind = shape.rank - i; /* dimensions from here on */
        shape.dims[i] = behind <= own.rank ? own.dims[own.rank - behind] : 1;
        int64_t times = behind <= repeats->count ? repeats->values[repeats->count - behind] : 1;
        uint64_t count;
        if (!rp_mul_u64(shape.dims[i], (uint64_t)times, &count) || count > UINT32_MAX)
            return rp_axes_wrong(x, 0, "out would have more than 2^32 elements");
        if (times != 1) ranges[i] = (range){0, 1, count};
    }
    rp_given_operand in = rp_axes_seen(x->operands[X], &shape);
    return chain(x, &in, x->operands[OUT], shape.rank, ranges);
}

/* Where a slice begins or ends, as ONNX clamps it: backwards -1 is in front of the first. */
static int64_t clamped(int64_t at, int64_t length, bool backwards, bool begins) {
    if (at < 0) at += length;
    int64_t low = backwards && !begins ? -1 : 0;
    int64_t high = backwards && begins ? length - 1 : length;
    return at < low ? low : at > high ? high : at;
}

static rp_status expand_slice_axes(rp_expansion *x) {
    enum { X, OUT };
    enum { STARTS, ENDS, AXES, STEPS };
    const rp_int_list *starts = &x->lists[STARTS], *ends = &x->lists[ENDS];
    const rp_int_list *steps = &x->lists[STEPS];
    rp_tensor shape = rp_axes_shape(x->operands[X]);
    rp_int_list axes;
    range ranges[RP_MAX_RANK] = {{0}};
    RP_TRY(rp_axes_read(x, AXES, shape.rank, &axes));
    if (x->lists[AXES].count == 0 && starts->count < axes.count) axes.count = starts->count;
    if (starts->count != axes.count)
        return rp_axes_wrong(x, STARTS, "expected an integer for each axis");
    if (ends->count != axes.count)
        return rp_axes_wrong(x, ENDS, "expected an integer for each axis");
    if (steps->count && steps->count != axes.count)
        return rp_axes_wrong(x, STEPS, "expected an integer for each axis");
    for (uint32_t i = 0; i < axes.count; i++) {
        int64_t length = (int64_t)shape.dims[axes.values[i]];
        int64_t step = steps->count ? steps->values[i] : 1;
        if (step == 0) return rp_axes_wrong(x, STEPS, "a step of 0");
        int64_t start = clamped(starts->values[i], length, step < 0, true);
        int64_t end = clamped(ends->values[i], length, step < 0, false);
        int64_t span = step < 0 ? start - end : end - start, size = step < 0 ? -step : step;
        if (span < 0) span = 0;
        if (starts->values[i] < 0 && starts->values[i] + length == start)
            start = starts->values[i]; /* the same from an end that varies */
        ranges[axes.values[i]] = (range){start, step, (uint64_t)((span + size - 1) / size)};
    }
    return chain(x, x->operands[X], x->operands[OUT], shape.rank, ranges);
}

/* Rows of what stands behind the axis, each several times. */
static rp_status expand_repeat(rp_expansion *x) {
    enum { X, OUT };
    enum { REPEATS, AXIS };
    rp_tensor shape = rp_axes_shape(x->operands[X]), result = shape;
    uint64_t times = (uint64_t)x->attrs[REPEATS];
    rp_lines l;
    RP_TRY(rp_axes_around(x, AXIS, &shape, &l));
    int axis = (int)x->attrs[AXIS] + (x->attrs[AXIS] < 0 ? shape.rank : 0);
    if (!rp_mul_u64(l.along, times, &result.dims[axis]) || result.dims[axis] > UINT32_MAX)
        return rp_axes_wrong(x, REPEATS, "out would have more than 2^32 elements");
    RP_TRY(rp_axes_make(x, x->operands[OUT], &result, shape.dtype));
    const rp_tensor rows = {.rank = 2, .dims = {l.front * l.along, l.behind}};
    const rp_tensor several = {.rank = 3, .dims = {l.front * l.along, times, l.behind}};
    rp_given_operand in = rp_axes_seen(x->operands[X], &rows);
    rp_given_operand out = rp_axes_seen(x->operands[OUT], &several);
    const rp_attribute attr = {.name = "times", .number = (double)times};
    return rp_expand_op(x, "repeat_rows", RP_PARTS({"x", &in}, {"out", &out}), &attr, 1);
}

static rp_status expand_where(rp_expansion *x) {
    enum { CONDITION, X, Y, OUT };
    rp_given_operand **o = x->operands;
    return rp_expand_op(
        x, "select",
        RP_PARTS({"condition", o[CONDITION]}, {"a", o[X]}, {"b", o[Y]}, {"out", o[OUT]}),
        RP_NO_ATTRS);
}

/* ---- The table ------------------------------------------------------------------------------- */

const rp_composite rp_composites_axes[] = {
    {.info.name = "where",
     .info.family = "map",
     .info.brief = "one of two inputs, element by element",
     .notes = "`select`. As ONNX Where, numpy.where.",
     .operand_count = 4,
     .operands = {{"condition", "not 0 chooses x", "...", R},
                  {"x", "where the condition holds; all broadcast", "...", R},
                  {"y", "where it does not", "...", R},
                  {"out", "the result", "...", W}},
     .expand = expand_where},
    {.info.name = "flip",
     .info.family = "axes",
     .info.brief = "the elements in reverse order along axes",
     .notes = "a `take_range` for each axis. As numpy.flip.",
     .operand_count = 2,
     .attr_count = 1,
     .operands = {{"x", "any elements", "*N", R}, {"out", "of x's shape", "*N", W}},
     .attrs = {RP_AXES("axes", "all")},
     .expand = expand_flip},
    {.info.name = "roll",
     .info.family = "axes",
     .info.brief = "shifts elements along axes, around their ends",
     .notes = "a `take_range` for each axis. As numpy.roll: element i goes to i + shift.",
     .operand_count = 2,
     .attr_count = 2,
     .operands = {{"x", "any elements", "*N", R}, {"out", "of x's shape", "*N", W}},
     .attrs = {RP_REQUIRED_LIST("shifts", INT32_MIN, INT32_MAX,
                                "by how many; one for all axes, or one for each"),
               RP_AXES("axes", "all elements as one line")},
     .expand = expand_roll},
    {.info.name = "tile",
     .info.family = "axes",
     .info.brief = "a tensor several times over along its axes",
     .notes = "a `take_range` for each axis. As ONNX Tile, numpy.tile.",
     .operand_count = 2,
     .attr_count = 1,
     .operands = {{"x", "any elements", "*N", R},
                  {"out", "x's dimensions times the repetitions", "*M", W}},
     .attrs = {RP_REQUIRED_LIST("repeats", 1, UINT32_MAX, "how often along each of the last axes")},
     .expand = expand_tile},
    {.info.name = "repeat",
     .info.family = "axes",
     .info.brief = "each element along an axis several times over",
     .notes = "`repeat_rows`. As numpy.repeat, torch.repeat_interleave.",
     .operand_count = 2,
     .attr_count = 2,
     .operands = {{"x", "any elements", "*N", R}, {"out", "x with `repeats` for each", "*M", W}},
     .attrs = {{.name = "repeats",
                .brief = "copies of each",
                .kind = RP_ATTR_INTEGER,
                .required = true,
                .low = 1,
                .high = UINT32_MAX},
               {.name = "axis",
                .brief = "along which; negative ones count from the last",
                .kind = RP_ATTR_INTEGER,
                .fallback = -1,
                .low = -RP_MAX_RANK,
                .high = RP_MAX_RANK - 1}},
     .expand = expand_repeat},
    {.info.name = "slice_axes",
     .info.family = "axes",
     .info.brief = "a window of a tensor, in steps along its axes",
     .notes =
         "a `take_range` for each axis. As ONNX Slice: negative starts and ends count from the "
         "end, what is beyond an axis is clamped to it, and steps may go backwards.",
     .operand_count = 2,
     .attr_count = 4,
     .operands = {{"x", "any elements", "*N", R}, {"out", "the window", "*M", W}},
     .attrs = {RP_REQUIRED_LIST("starts", INT32_MIN, INT32_MAX,
                                "the first element along each axis"),
               RP_REQUIRED_LIST("ends", INT32_MIN, INT32_MAX, "behind the last one"),
               RP_AXES("axes", "the first"),
               RP_LIST("steps", "1", INT32_MIN, INT32_MAX, "from one to the next; not 0")},
     .expand = expand_slice_axes},
};

const uint32_t rp_composites_axes_count = sizeof rp_composites_axes / sizeof *rp_composites_axes;
