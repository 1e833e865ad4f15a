/* Pooling: ops of family spatial over windows, or over all of a grid reductions of rows. */
#include "composite/spatial.h"

static rp_status read_windows(rp_expansion *x, rp_grid *in, rp_grid *out, rp_windows *w) {
    uint32_t dims = rp_spatial_dims(x);
    RP_TRY(rp_grid_read(x, 0, dims, x->attrs[RP_POOL_LAYOUT] != 0, in));
    *w = (rp_windows){.kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    RP_TRY(rp_grid_list(x, RP_POOL_KERNEL, dims, 1, w->kernel));
    RP_TRY(rp_grid_list(x, RP_POOL_STRIDES, dims, 1, w->stride));
    RP_TRY(rp_grid_list(x, RP_POOL_DILATIONS, dims, 1, w->dilation));
    RP_TRY(rp_grid_pads(x, RP_POOL_PADS, dims, w));
    return rp_windows_count(x, in, RP_POOL_PADS, RP_POOL_AUTO_PAD, x->attrs[RP_POOL_CEIL] != 0, w,
                            out);
}

/* One op from x to an output. */
static rp_status pool(rp_expansion *x, const char *op, rp_given_operand *out, uint8_t dtype,
                      const rp_attribute *more) {
    rp_attribute attrs[RP_WINDOW_ATTRS + 2];
    rp_windows w;
    rp_grid in, made;
    RP_TRY(read_windows(x, &in, &made, &w));
    RP_TRY(rp_grid_make(x, out, dtype, &made));
    uint32_t count = rp_windows_attrs(&w, in.last, true, attrs);
    if (x->attrs[RP_POOL_CEIL] != 0)
        attrs[count++] = (rp_attribute){.name = "ceil_mode", .number = 1};
    if (more->name) attrs[count++] = *more;
    rp_given_operand from = rp_grid_seen(x->operands[0], &in), to = rp_grid_seen(out, &made);
    return rp_expand_op(x, op, RP_PARTS({"x", &from}, {"out", &to}), attrs, count);
}

rp_status rp_expand_max_pool(rp_expansion *x) {
    enum { X, OUT, INDICES };
    const rp_attribute none = {0}, plane = {.name = "of", .text = "plane"};
    uint8_t dtype = x->operands[X]->argument.tensor.dtype;
    RP_TRY(pool(x, "pool_max", x->operands[OUT], dtype, &none));
    if (!x->operands[INDICES]) return RP_OK;
    return pool(x, "pool_argmax", x->operands[INDICES], RP_U32,
                x->attrs[RP_POOL_INDEX] != 0 ? &plane : &none);
}

rp_status rp_expand_avg_pool(rp_expansion *x) {
    enum { OUT = 1 };
    const rp_attribute none = {0}, all = {.name = "count_include_pad", .number = 1};
    return pool(x, "pool_average", x->operands[OUT],
                rp_axes_floats(x->operands[0]->argument.tensor.dtype),
                x->attrs[RP_POOL_COUNT_PAD] != 0 ? &all : &none);
}

/* The largest integers of each channel. */
static rp_status largest_integers(rp_expansion *x, const rp_grid *in, const rp_given_operand *out) {
    const uint64_t places = rp_grid_places(in), rows = in->count * in->channels;
    const uint64_t all[] = {in->last ? in->count : rows, places, in->last ? in->channels : 1};
    const uint64_t one[] = {all[0], 1, all[2]};
    const rp_attribute by = {.name = "by", .text = "max"};
    rp_given_operand from = rp_expand_seen(x->operands[0], 3, all),
                     to = rp_expand_seen(out, 3, one);
    return rp_expand_op(x, "reduce_axis", RP_PARTS({"x", &from}, {"out", &to}), &by, 1);
}

/* Channels become rows. */
rp_status rp_expand_global_pool(rp_expansion *x) {
    enum { X, OUT };
    rp_given_operand *out = x->operands[OUT], rows;
    rp_grid in, made;
    RP_TRY(rp_grid_read(x, X, 0, x->attrs[0] != 0, &in));
    made = in;
    for (uint32_t i = 0; i < 3; i++) made.size[i] = 1;
    uint8_t dtype = x->operands[X]->argument.tensor.dtype,
            means = rp_axes_floats(x->operands[0]->argument.tensor.dtype);
    bool mean = strcmp(x->composite->info.name, "global_average_pool") == 0;
    RP_TRY(rp_grid_make(x, out, mean ? means : dtype, &made));
    if (!mean && dtype != means) return largest_integers(x, &in, out);
    const uint64_t places = rp_grid_places(&in);
    const uint64_t front[] = {in.count, in.channels, places};
    const uint64_t behind[] = {in.count, places, in.channels};
    rp_given_operand from = rp_expand_seen(x->operands[X], 3, in.last ? behind : front);
    rp_given_operand to = rp_expand_seen(out, 2, front);
    if (in.last) {
        RP_TRY(rp_expand_temp(x, "rows", &rows));
        RP_TRY(rp_expand_op(x, "transpose", RP_PARTS({"x", &from}, {"out", &rows}), RP_NO_ATTRS));
        from = rows;
    }
    return rp_expand_op(x, mean ? "row_mean" : "row_max", RP_PARTS({"x", &from}, {"out", &to}),
                        RP_NO_ATTRS);
}
