/* Motifs of families spatial and resample: values seen as grids, with channels in front or behind, under windows that reach
 * into the padding; convolutions as products, with something in front and behind. */
#include <stdio.h>
#include <string.h>

#include "support/random_ops_parts.h"

/* A grid of the usual number of elements: [rows, 2, 1, h, w], or with channels behind. */
static rops_value grid(rops_maker *m, bool last) {
    uint64_t h = m->columns % 8 == 0 ? 4 : 1, w = m->columns / (2 * h);
    return last ? rops_pick_f32(m, 5, ROPS_DIMS(m->rows, 1, h, w, 2))
                : rops_pick_f32(m, 5, ROPS_DIMS(m->rows, 2, 1, h, w));
}

/* Windows that are smaller than their padding allows. */
static void window(rops_maker *m, char *attrs, size_t size, bool last, bool kernel) {
    static const char *const all[] = {"pad_h=1 pad_end_h=1 pad_w=1 pad_end_w=1",
                                      "stride_w=2 pad_w=1 pad_h=1 pad_end_h=1",
                                      "dilation_w=2 pad_w=2 pad_end_w=2 stride_h=2 pad_h=1 "
                                      "pad_end_h=1"};
    snprintf(attrs, size, "%s%s%s", last ? "channels_last=1 " : "",
             kernel ? "kernel_h=3 kernel_w=2 " : "", all[rops_below(m, 3)]);
}

static void behind(rops_maker *m, rops_value out) {
    uint32_t what = rops_below(m, 4);
    if (what == 0) rops_apply1(m, "relu", out, NULL);
    if (what > 1) return;
    rops_value other = rops_pick(m, out.tensor.rank, out.tensor.dims);
    const rops_call sum = {
        .op = "map", .attrs = "expr=silu(a + b)", .inputs = {out, other}, .input_count = 2};
    if (what == 1) rops_add(m, &sum, NULL, 0);
}

/* What windows see times a weight; or on the right, [.., C * T, places]. */
static void product(rops_maker *m, rops_value windows, bool last) {
    const uint64_t *d = windows.tensor.dims;
    uint64_t n = d[0], made = 3 + rops_below(m, 2) * 9;
    uint64_t seen = last ? d[4] : d[1], places = rp_tensor_elements(&windows.tensor) / n / seen;
    rops_value out;
    if (last) {
        windows.tensor = rops_shape((rp_dtype)windows.tensor.dtype, 2, ROPS_DIMS(n * places, seen));
        rops_value weight = rops_new_input(m, RP_F32, 2, ROPS_DIMS(made, seen), "finite=0.5");
        if (rops_apply(m, "matmul", "transpose_b=1", windows, weight, ROPS_NOTHING, 2, &out))
            behind(m, out);
        return;
    }
    rops_value weight = rops_new_input(m, RP_F32, 2, ROPS_DIMS(1, made * seen), "finite=0.5"), many;
    char times[32];
    if (weight.buffer == RP_NONE) return;
    if (m->sized) { /* as many as there are is no attribute */
        many = rops_new_input(m, RP_F32, 3, ROPS_DIMS(n, made, seen), "finite=0.5");
        if (many.buffer == RP_NONE) return;
    } else {
        snprintf(times, sizeof times, "times=%u", (uint32_t)n);
        if (!rops_apply(m, "repeat_rows", times, weight, ROPS_NOTHING, ROPS_NOTHING, 1, &many))
            return;
    }
    many.tensor = rops_shape(RP_F32, 3, ROPS_DIMS(n, made, seen));
    windows.tensor = rops_shape((rp_dtype)windows.tensor.dtype, 3, ROPS_DIMS(n, seen, places));
    if (rops_apply(m, "matmul", NULL, many, windows, ROPS_NOTHING, 2, &out)) behind(m, out);
}

static void fold(rops_maker *m, rops_value windows, bool last) {
    char attrs[160];
    rops_value out;
    bool floats = RP_DT_FLOAT >> windows.tensor.dtype & 1;
    if (floats && rops_percent(m, 40)) rops_apply1(m, "neg", windows, &windows);
    window(m, attrs, sizeof attrs, last, true);
    char *ends = attrs; /* which fold has not: its sizes are given */
    while ((ends = strstr(ends, "pad_end_"))) memset(ends, ' ', strcspn(ends, " "));
    size_t used = strlen(attrs);
    snprintf(attrs + used, sizeof attrs - used, " size_h=4 size_w=9");
    if (rops_apply(m, "fold", attrs, windows, ROPS_NOTHING, ROPS_NOTHING, 1, &out) && floats)
        behind(m, out);
}

/* Integers under windows: the largest, where they are, or all of them, joined again. */
static void whole_windows(rops_maker *m, rops_value x, const char *attrs, bool last) {
    static const rp_dtype dtypes[] = {RP_I64, RP_U64, RP_I32, RP_U32, RP_I16, RP_U8};
    static const char *const ops[] = {"pool_max", "pool_argmax", "unfold"};
    rp_dtype dtype = dtypes[rops_below(m, 6)];
    uint32_t op = rops_below(m, 3);
    rops_value out;
    const rops_call cast = {.op = "cast", .inputs = {x}, .input_count = 1, .dtype = dtype};
    if (!rops_add(m, &cast, &x, 1)) return;
    if (!rops_apply(m, ops[op], attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, &out)) return;
    if (op == 2 && ((RP_DT_INDEX | RP_DT_LONG) >> dtype & 1)) {
        fold(m, out, last);
        return;
    }
    const rops_call back = {.op = "cast", .inputs = {out}, .input_count = 1, .dtype = RP_F32};
    rops_add(m, &back, NULL, 0);
}

void rops_spatial(rops_maker *m) {
    static const char *const pools[] = {"pool_max", "pool_average", "pool_argmax"};
    bool last = rops_percent(m, 50);
    char attrs[160];
    rops_value x = grid(m, last), out;
    uint32_t what = rops_below(m, 5);
    window(m, attrs, sizeof attrs, last, what > 1);
    if (rops_percent(m, 40)) rops_apply1(m, rops_percent(m, 50) ? "relu" : "tanh", x, &x);
    if (what <= 1) {
        rops_value weight =
            last ? rops_new_input(m, RP_F32, 5, ROPS_DIMS(6, 1, 3, 2, 1), "finite=0.5")
                 : rops_new_input(m, RP_F32, 5, ROPS_DIMS(6, 1, 1, 3, 2), "finite=0.5");
        size_t used = strlen(attrs);
        snprintf(attrs + used, sizeof attrs - used, " groups=2");
        if (rops_apply(m, "conv_direct", attrs, x, weight, ROPS_NOTHING, 2, &out)) behind(m, out);
    } else if (what == 2 && rops_percent(m, 40)) {
        whole_windows(m, x, attrs, last);
    } else if (what == 2) {
        if (rops_apply(m, pools[rops_below(m, 3)], attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, &out) &&
            (RP_DT(out.tensor.dtype) & RP_DT_FLOAT))
            behind(m, out);
    } else if (rops_apply(m, "unfold", attrs, x, ROPS_NOTHING, ROPS_NOTHING, 1, &out)) {
        if (rops_percent(m, 30))
            fold(m, out, last);
        else
            product(m, out, last);
    }
}

/* ---- Axes ------------------------------------------------------------------------------------ */

/* An axis in the middle, longer or shorter, or two of them one after the other. */
void rops_resample(rops_maker *m) {
    static const char *const pads[] = {"mode=constant before=2 after=1",
                                       "mode=constant value=-3 before=1",
                                       "mode=edge before=3 after=2",
                                       "mode=reflect before=5 after=3",
                                       "mode=wrap after=7",
                                       "mode=symmetric before=4 after=1"};
    static const char *const sizes[] = {
        "size=6",
        "size=3 mode=linear antialias=1",
        "size=9 mode=linear coordinates=align_corners",
        "scale=1.7 mode=cubic",
        "size=5 mode=cubic exclude_outside=1 coordinates=asymmetric",
        "scale=2 coordinates=asymmetric rounding=floor"};
    uint64_t inner = m->columns % 8 == 0 && rops_percent(m, 50) ? 8 : 2;
    rops_value x = rops_pick_f32(m, 3, ROPS_DIMS(m->rows, m->columns / inner, inner));
    if (rops_percent(m, 40)) rops_apply1(m, "silu", x, &x);
    for (uint32_t i = 1 + rops_below(m, 2); i > 0; i--) {
        bool pad = rops_percent(m, 50);
        if (!rops_apply(m, pad ? "pad_axis" : "resize_axis",
                        pad ? pads[rops_below(m, 6)] : sizes[rops_below(m, 6)], x, ROPS_NOTHING,
                        ROPS_NOTHING, 1, &x))
            return;
        uint64_t whole = x.tensor.dims[0] * x.tensor.dims[1];
        if (x.tensor.dims[2] > 1 && whole < 4096) /* the other axis next */
            x.tensor =
                rops_shape((rp_dtype)x.tensor.dtype, 3, ROPS_DIMS(whole, x.tensor.dims[2], 1));
    }
    behind(m, x);
}
