/* Grids and windows of the composites of family spatial; see grid.h.
 *
 * The family's ops know grids of three dimensions. Composites are called for one, two or three, and get
 * lists as ONNX has them: here lists become attributes along d, h and w, with ones for what is not there. */
#include "composite/grid.h"

#include <stdio.h>
#include "base/checked.h"

/* ---- Grids ----------------------------------------------------------------------------------- */

static rp_status wrong_shape(rp_expansion *x, uint32_t operand, const char *expected) {
    const rp_tensor *t = &x->operands[operand]->argument.tensor;
    char own[128];
    int used = snprintf(own, sizeof own, "%s[", rp_dtype_name((rp_dtype)t->dtype));
    for (uint32_t i = 0; i < t->rank && used < 100; i++)
        used += snprintf(own + used, sizeof own - (size_t)used, "%s%llu", i ? "," : "",
                         (unsigned long long)t->dims[i]);
    return rp_apply_error(x->application, RP_BLAME_OP, 0, "%s: %s is %s], expected %s",
                          x->composite->info.name, x->composite->operands[operand].name, own,
                          expected);
}

rp_status rp_grid_read(rp_expansion *x, uint32_t operand, uint32_t dims, bool last, rp_grid *out) {
    const rp_tensor *t = &x->operands[operand]->argument.tensor;
    static const char *const names[2][4] = {
        {"[N,C,...]", "[...,C,W]", "[...,C,H,W]", "[...,C,D,H,W]"},
        {"[N,...,C]", "[...,W,C]", "[...,H,W,C]", "[...,D,H,W,C]"}};
    const char *expected = names[last][dims];
    if (dims == 0 && (t->rank < 2 || t->rank > 5))
        return wrong_shape(x, operand,
                           last ? "[N,...,C] with up to three dimensions in between"
                                : "[N,C,...] with up to three more dimensions");
    if (dims == 0) dims = t->rank - 2u;
    if (t->rank < dims + 1) return wrong_shape(x, operand, expected);
    *out = (rp_grid){.dims = dims, .last = last, .count = 1, .size = {1, 1, 1}};
    out->lead = t->rank - dims - 1;
    memcpy(out->leading, t->dims, out->lead * sizeof *t->dims);
    for (uint32_t i = 0; i < out->lead; i++) out->count *= t->dims[i]; /* within the buffer */
    const uint64_t *own = t->dims + out->lead;
    out->channels = own[last ? dims : 0];
    for (uint32_t i = 0; i < dims; i++) out->size[3 - dims + i] = own[last ? i : i + 1];
    return RP_OK;
}

uint64_t rp_grid_places(const rp_grid *grid) {
    return grid->size[0] * grid->size[1] * grid->size[2];
}

rp_given_operand rp_grid_seen(const rp_given_operand *operand, const rp_grid *g) {
    const uint64_t front[] = {g->count, g->channels, g->size[0], g->size[1], g->size[2]};
    const uint64_t behind[] = {g->count, g->size[0], g->size[1], g->size[2], g->channels};
    return rp_expand_seen(operand, 5, g->last ? behind : front);
}

uint32_t rp_grid_shape(const rp_grid *g, uint64_t dims[RP_MAX_RANK]) {
    uint32_t rank = g->lead;
    memcpy(dims, g->leading, rank * sizeof *dims);
    if (!g->last) dims[rank++] = g->channels;
    for (uint32_t i = 3 - g->dims; i < 3; i++) dims[rank++] = g->size[i];
    if (g->last) dims[rank++] = g->channels;
    return rank;
}

rp_status rp_grid_make(rp_expansion *x, rp_given_operand *out, uint8_t dtype, const rp_grid *grid) {
    uint64_t dims[RP_MAX_RANK], elements = grid->count;
    if (!rp_mul_u64(elements, grid->channels, &elements) || elements > RP_OP_MAX_ELEMENTS ||
        !rp_mul_u64(elements, rp_grid_places(grid), &elements) || elements > RP_OP_MAX_ELEMENTS)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: %s would have more than %llu elements", x->composite->info.name,
                              out->name, (unsigned long long)RP_OP_MAX_ELEMENTS);
    uint32_t rank = rp_grid_shape(grid, dims);
    return rp_expand_make(x, out, dtype, rank, dims);
}

rp_status rp_grid_per_channel(rp_expansion *x, rp_given_operand *operand, const rp_grid *grid,
                              rp_given_operand *out) {
    const rp_tensor *t = &operand->argument.tensor;
    if (rp_tensor_elements(t) != grid->channels)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: %s has %llu elements, expected %llu, one for each channel",
                              x->composite->info.name, operand->name,
                              (unsigned long long)rp_tensor_elements(t),
                              (unsigned long long)grid->channels);
    uint64_t dims[4] = {grid->channels, 1, 1, 1};
    *out = rp_expand_seen(operand, grid->last ? 1 : grid->dims + 1, dims);
    return RP_OK;
}

rp_status rp_grid_expect(rp_expansion *x, uint32_t operand, uint32_t rank, const uint64_t *dims) {
    const rp_tensor *t = &x->operands[operand]->argument.tensor;
    char expected[128] = "[";
    if (t->rank == rank && memcmp(t->dims, dims, rank * sizeof *dims) == 0) return RP_OK;
    for (uint32_t i = 0, used = 1; i < rank && used < 100; i++)
        used += (uint32_t)snprintf(expected + used, sizeof expected - used, "%llu%s",
                                   (unsigned long long)dims[i], i + 1 < rank ? "," : "]");
    return wrong_shape(x, operand, expected);
}

/* ---- Windows --------------------------------------------------------------------------------- */

rp_status rp_grid_list(rp_expansion *x, uint32_t attr, uint32_t dims, uint64_t fallback,
                       uint64_t out[3]) {
    const rp_int_list *list = &x->lists[attr];
    if (list->count > 1 && list->count != dims)
        return rp_expand_wrong(x, attr, "has %u numbers, expected %s%u", list->count,
                               dims > 1 ? "1 or " : "", dims);
    for (uint32_t i = 0; i < dims; i++)
        out[3 - dims + i] =
            list->count ? (uint64_t)list->values[list->count > 1 ? i : 0] : fallback;
    return RP_OK;
}

rp_status rp_grid_pads(rp_expansion *x, uint32_t attr, uint32_t dims, rp_windows *w) {
    const rp_int_list *list = &x->lists[attr];
    bool both = list->count == 2 * dims;
    if (list->count > 1 && list->count != dims && !both)
        return rp_expand_wrong(x, attr,
                               "has %u numbers, expected 1, %s%u: in front of all "
                               "dimensions, then behind",
                               list->count,
                               dims == 1   ? ""
                               : dims == 2 ? "2 or "
                                           : "3 or ",
                               2 * dims);
    for (uint32_t i = 0; i < dims && list->count; i++) {
        w->pad[3 - dims + i] = (uint64_t)list->values[list->count > 1 ? i : 0];
        w->pad_end[3 - dims + i] = (uint64_t)list->values[both              ? dims + i
                                                          : list->count > 1 ? i
                                                                            : 0];
    }
    return RP_OK;
}

uint64_t rp_windows_extent(const rp_windows *w, uint32_t axis) {
    return (w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

static void pad_same(rp_windows *w, uint32_t axis, uint64_t size, bool upper) {
    uint64_t stride = w->stride[axis], windows = (size + stride - 1) / stride;
    uint64_t needed = (windows - 1) * stride + rp_windows_extent(w, axis);
    uint64_t missing = needed > size ? needed - size : 0;
    w->pad[axis] = upper ? missing / 2 : missing - missing / 2;
    w->pad_end[axis] = missing - w->pad[axis];
}

rp_status rp_windows_count(rp_expansion *x, const rp_grid *in, uint32_t pads, uint32_t auto_pad,
                           bool ceil, rp_windows *w, rp_grid *out) {
    uint32_t how = (uint32_t)x->attrs[auto_pad];
    if (how != RP_AUTO_PAD_NOTSET && x->lists[pads].count)
        return rp_expand_wrong(x, auto_pad, "says what the padding is, and so does %s",
                               x->composite->attrs[pads].name);
    *out = *in;
    for (uint32_t i = 0; i < 3; i++) {
        if (how == RP_AUTO_PAD_SAME_UPPER || how == RP_AUTO_PAD_SAME_LOWER)
            pad_same(w, i, in->size[i], how == RP_AUTO_PAD_SAME_UPPER);
        uint64_t padded = in->size[i] + w->pad[i] + w->pad_end[i], spans = rp_windows_extent(w, i);
        if (spans > padded && rp_application_is_asked(x->application)) {
            out->size[i] = 0; /* of sizes so small there are none */
            continue;
        }
        if (spans > padded)
            return rp_apply_error(x->application, RP_BLAME_OP, 0,
                                  "%s: a window spans %llu elements along %c, and x has %llu "
                                  "with the padding",
                                  x->composite->info.name, (unsigned long long)spans, "dhw"[i],
                                  (unsigned long long)padded);
        uint64_t steps = (padded - spans + (ceil ? w->stride[i] - 1 : 0)) / w->stride[i];
        if (ceil && steps * w->stride[i] >= in->size[i] + w->pad[i]) steps--;
        out->size[i] = steps + 1;
    }
    return RP_OK;
}

static void put(rp_attribute *attrs, uint32_t *count, const char *const names[3],
                const uint64_t values[3], uint64_t fallback) {
    for (uint32_t i = 0; i < 3; i++)
        if (values[i] != fallback)
            attrs[(*count)++] = (rp_attribute){.name = names[i], .number = (double)values[i]};
}

uint32_t rp_windows_attrs(const rp_windows *w, bool last, bool kernel, rp_attribute *attrs) {
    static const char *const strides[] = {"stride_d", "stride_h", "stride_w"};
    static const char *const dilations[] = {"dilation_d", "dilation_h", "dilation_w"};
    static const char *const pads[] = {"pad_d", "pad_h", "pad_w"};
    static const char *const ends[] = {"pad_end_d", "pad_end_h", "pad_end_w"};
    static const char *const kernels[] = {"kernel_d", "kernel_h", "kernel_w"};
    uint32_t count = 0;
    put(attrs, &count, strides, w->stride, 1);
    put(attrs, &count, dilations, w->dilation, 1);
    put(attrs, &count, pads, w->pad, 0);
    put(attrs, &count, ends, w->pad_end, 0);
    if (kernel) put(attrs, &count, kernels, w->kernel, 1);
    if (last) attrs[count++] = (rp_attribute){.name = "channels_last", .number = 1};
    return count;
}
