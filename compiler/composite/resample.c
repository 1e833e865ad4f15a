/* Padding and resizing along several axes: a chain of one op for each that changes. The links are pointwise
 * and fuse; the innermost axis comes first, so that what follows asks it for neighbours. */
#include "composite/spatial.h"

#include <stdio.h>

/* ---- Axes ------------------------------------------------------------------------------------ */

/* What is done along one axis of x. */
typedef struct link {
    bool used;
    uint64_t size;         /* after it */
    int64_t before, after; /* pad */
    double scale;          /* resize; 0: by the sizes */
} link;

/* The axes that `count` numbers are for: those that are given, or the last ones. */
static rp_status read_axes(rp_expansion *x, uint32_t attr, uint32_t count, uint32_t rank,
                           uint32_t *out) {
    const rp_int_list *axes = &x->lists[attr];
    if (axes->count == 0 && count > rank)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: x has %u dimensions, and numbers for %u are given",
                              x->composite->info.name, rank, count);
    for (uint32_t i = 0; axes->count == 0 && i < count; i++) out[i] = rank - count + i;
    for (uint32_t i = 0; i < axes->count; i++) {
        int64_t axis = axes->values[i] + (axes->values[i] < 0 ? (int64_t)rank : 0);
        if (axis < 0 || axis >= (int64_t)rank)
            return rp_expand_wrong(x, attr, "has %lld, expected %d to %d",
                                   (long long)axes->values[i], -(int)rank, (int)rank - 1);
        for (uint32_t k = 0; k < i; k++)
            if (out[k] == (uint32_t)axis)
                return rp_expand_wrong(x, attr, "has axis %u twice", (uint32_t)axis);
        out[i] = (uint32_t)axis;
    }
    return RP_OK;
}

/* How many axes `given` numbers, `each` of them for one, are for: those that are listed, and else as many as
 * there are numbers for. One number is for all, which without a list are `all`. */
static rp_status count_axes(rp_expansion *x, uint32_t attr, uint32_t axes_attr, uint32_t given,
                            uint32_t each, uint32_t all, uint32_t *out) {
    uint32_t listed = x->lists[axes_attr].count;
    *out = listed ? listed : given == 1 ? all : given / each;
    if (given == 1 || given == *out * each) return RP_OK;
    if (!listed)
        return rp_expand_wrong(x, attr, "has %u numbers, expected %u for each axis", given, each);
    return rp_expand_wrong(x, attr, "has %u numbers, expected 1 or %u: %u for each of %u axes",
                           given, *out * each, each, *out);
}

/* The operand as rows along an axis, before a link or after it. */
static rp_given_operand along(const rp_given_operand *operand, const rp_tensor *shape,
                              uint32_t axis) {
    uint64_t dims[3] = {1, shape->dims[axis], 1};
    for (uint32_t i = 0; i < shape->rank; i++)
        if (i != axis) dims[i < axis ? 0 : 2] *= shape->dims[i];
    return rp_expand_seen(operand, 3, dims);
}

/* Puts one axis through its link. */
typedef rp_status apply_link(rp_expansion *x, uint32_t axis, const link *l, rp_given_operand *from,
                             rp_given_operand *to, uint64_t size);

static rp_status chain(rp_expansion *x, const link *links, uint8_t between, apply_link *apply) {
    enum { X, OUT };
    rp_given_operand from = *x->operands[X], *out = x->operands[OUT], next, to;
    rp_tensor shape = from.argument.tensor, made = shape;
    uint32_t left = 0;
    for (uint32_t i = 0; i < shape.rank; i++) {
        left += links[i].used;
        if (links[i].used) made.dims[i] = links[i].size;
    }
    if (rp_tensor_elements(&made) > RP_OP_MAX_ELEMENTS)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: %s would have more than %llu elements", x->composite->info.name,
                              out->name, (unsigned long long)RP_OP_MAX_ELEMENTS);
    RP_TRY(rp_expand_make(x, out, shape.dtype, made.rank, made.dims));
    for (uint32_t axis = shape.rank; axis-- > 0;) {
        if (!links[axis].used) continue;
        rp_given_operand in = along(&from, &shape, axis);
        uint64_t size = shape.dims[axis];
        shape.dims[axis] = links[axis].size;
        if (--left == 0) {
            to = along(out, &shape, axis);
            return apply(x, axis, &links[axis], &in, &to, size);
        }
        char name[16];
        snprintf(name, sizeof name, "axis%u", axis);
        RP_TRY(rp_expand_temp(x, name, &next));
        RP_TRY(rp_expand_make(x, &next, between, shape.rank, shape.dims));
        to = along(&next, &shape, axis);
        RP_TRY(apply(x, axis, &links[axis], &in, &to, size));
        from = next;
    }
    return RP_OK;
}

/* One link at least: something must be made. */
static void use_one(link *links, const rp_tensor *shape) {
    for (uint32_t i = 0; i < shape->rank; i++)
        if (links[i].used) return;
    links[shape->rank - 1].used = true;
}

/* x's shape; a single element has one dimension. */
static rp_tensor shape_of(rp_expansion *x) {
    rp_tensor *own = &x->operands[0]->argument.tensor;
    if (own->rank == 0) own->dims[own->rank++] = 1;
    return *own;
}

/* ---- Padding --------------------------------------------------------------------------------- */

enum { PADS, PAD_MODE, PAD_VALUE, PAD_AXES };
static const char *const pad_modes[] = {"constant", "edge", "reflect", "wrap", "symmetric"};

/* Negative paddings cut off. */
static rp_status pad_link(rp_expansion *x, uint32_t axis, const link *l, rp_given_operand *from,
                          rp_given_operand *to, uint64_t size) {
    rp_given_operand kept = *from;
    int64_t first = l->before < 0 ? -l->before : 0, last = l->after < 0 ? -l->after : 0;
    if (first || last) {
        const rp_attribute window[] = {
            {.name = "row", .number = (double)first},
            {.name = "rows", .number = (double)((int64_t)size - first - last)}};
        char name[16];
        snprintf(name, sizeof name, "cut%u", axis);
        bool only = l->before <= 0 && l->after <= 0;
        if (only) return rp_expand_op(x, "slice", RP_PARTS({"x", from}, {"out", to}), window, 2);
        RP_TRY(rp_expand_temp(x, name, &kept));
        RP_TRY(rp_expand_op(x, "slice", RP_PARTS({"x", from}, {"out", &kept}), window, 2));
    }
    const rp_attribute attrs[] = {
        {.name = "before", .number = l->before > 0 ? (double)l->before : 0},
        {.name = "after", .number = l->after > 0 ? (double)l->after : 0},
        {.name = "mode", .text = pad_modes[(uint32_t)x->attrs[PAD_MODE]]},
        {.name = "value", .text = x->texts[PAD_VALUE], .number = x->attrs[PAD_VALUE]}};
    return rp_expand_op(x, "pad_axis", RP_PARTS({"x", &kept}, {"out", to}), attrs, 4);
}

rp_status rp_expand_pad(rp_expansion *x) {
    const rp_int_list *pads = &x->lists[PADS];
    link links[RP_MAX_RANK] = {{0}};
    uint32_t count = 0, axes[RP_ATTR_LIST_MOST];
    rp_tensor shape = shape_of(x);
    RP_TRY(count_axes(x, PADS, PAD_AXES, pads->count, 2, shape.rank, &count));
    RP_TRY(read_axes(x, PAD_AXES, count, shape.rank, axes));
    for (uint32_t i = 0; i < shape.rank; i++) links[i].size = shape.dims[i];
    for (uint32_t i = 0; i < count; i++) {
        link *l = &links[axes[i]];
        int64_t size = (int64_t)shape.dims[axes[i]];
        l->before = pads->values[pads->count == 1 ? 0 : i];
        l->after = pads->values[pads->count == 1 ? 0 : count + i];
        l->used = l->before || l->after;
        int64_t kept = size + (l->before < 0 ? l->before : 0) + (l->after < 0 ? l->after : 0);
        if (kept < 0)
            return rp_expand_wrong(x, PADS, "cuts off more than the %lld elements of axis %u",
                                   (long long)size, axes[i]);
        l->size = (uint64_t)(size + l->before + l->after);
    }
    use_one(links, &shape);
    return chain(x, links, shape.dtype, pad_link);
}

/* ---- Resizing -------------------------------------------------------------------------------- */

enum { SIZES, SCALES, MODE, COORDINATES, ROUNDING, COEFFICIENT, EXCLUDE, RESIZE_AXES, ANTIALIAS };
static const char *const modes[] = {"nearest", "linear", "cubic"};
static const char *const coordinates[] = {"half_pixel", "asymmetric", "align_corners",
                                          "pytorch_half_pixel", "half_pixel_symmetric"};
static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

static rp_status resize_link(rp_expansion *x, uint32_t axis, const link *l, rp_given_operand *from,
                             rp_given_operand *to, uint64_t size) {
    (void)axis;
    (void)size;
    const rp_attribute attrs[] = {
        {.name = "size", .number = (double)l->size},
        {.name = "scale", .number = l->scale},
        {.name = "mode", .text = modes[(uint32_t)x->attrs[MODE]]},
        {.name = "coordinates", .text = coordinates[(uint32_t)x->attrs[COORDINATES]]},
        {.name = "rounding", .text = roundings[(uint32_t)x->attrs[ROUNDING]]},
        {.name = "cubic_coeff_a", .number = x->attrs[COEFFICIENT]},
        {.name = "exclude_outside", .number = x->attrs[EXCLUDE]},
        {.name = "antialias", .number = x->attrs[ANTIALIAS]}};
    return rp_expand_op(x, "resize_axis", RP_PARTS({"x", from}, {"out", to}), attrs, 8);
}

/* The size that the op makes of a scale: asked of the op, so that both say the same. */
static rp_status scaled(rp_expansion *x, uint64_t size, double scale, uint64_t *out) {
    rp_op_call call;
    rp_op_call_init(&call, rp_op_find("resize_axis", strlen("resize_axis")), 2);
    call.operands[0] = (rp_tensor){.dtype = RP_F32, .rank = 2, .dims = {size, 1}};
    call.operands[1] = (rp_tensor){.dtype = RP_F32, .rank = RP_OP_INFER};
    call.asked = rp_application_is_asked(x->application);
    call.attrs[rp_op_attr_index(call.op, "scale", strlen("scale"))] = scale;
    if (!rp_op_infer(&call)) return rp_expand_wrong(x, SCALES, "is wrong: %s", call.error);
    *out = call.operands[1].dims[0];
    return RP_OK;
}

static rp_status read_link(rp_expansion *x, uint32_t i, uint64_t size, link *l) {
    const rp_int_list *sizes = &x->lists[SIZES];
    const rp_number_list *scales = &x->numbers[SCALES];
    if (sizes->count) {
        l->size = (uint64_t)sizes->values[sizes->count == 1 ? 0 : i];
        l->used = !rp_choose_special(x->application, l->size == size);
        return RP_OK;
    }
    l->scale = scales->values[scales->count == 1 ? 0 : i];
    if (l->scale == 1) {
        l->scale = 0;
        return RP_OK;
    }
    l->used = true;
    return scaled(x, size, l->scale, &l->size);
}

rp_status rp_expand_resize(rp_expansion *x) {
    uint32_t given = x->lists[SIZES].count + x->numbers[SCALES].count, count = 0;
    uint32_t axes[RP_ATTR_LIST_MOST];
    link links[RP_MAX_RANK] = {{0}};
    bool by_size = x->lists[SIZES].count != 0;
    rp_tensor shape = shape_of(x);
    if (by_size == (x->numbers[SCALES].count != 0))
        return rp_apply_error(x->application, RP_BLAME_OP, 0, "resize: %s sizes and scales",
                              by_size ? "there are both" : "expected one of");
    RP_TRY(count_axes(x, by_size ? SIZES : SCALES, RESIZE_AXES, given, 1, 1, &count));
    RP_TRY(read_axes(x, RESIZE_AXES, count, shape.rank, axes));
    for (uint32_t i = 0; i < shape.rank; i++) links[i].size = shape.dims[i];
    for (uint32_t i = 0; i < count; i++)
        RP_TRY(read_link(x, i, shape.dims[axes[i]], &links[axes[i]]));
    use_one(links, &shape);
    bool sums = x->attrs[MODE] != 0 && rp_op_is_in(shape.dtype, RP_DT_FLOAT);
    return chain(x, links, sums ? RP_F32 : shape.dtype, resize_link);
}
