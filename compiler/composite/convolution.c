/* Convolutions, as products of matrices.
 *
 * `unfold` writes beside one another what windows see, and a product with the weight does the rest: in a
 * compiled graph the product's kernel asks unfold for what it multiplies, and nothing of it is in memory.
 * With channels in front the weight is the left side, so that the product has the shape of the result; with
 * channels behind it the windows are. A transposed convolution is a product first, and `fold` adds up what
 * meets.
 *
 * A window's neighbours are loaded at once where they are channels of one place. So channels that stand in front
 * are brought behind, in a copy of x and of the weight, and filled up with zeros to as many as a load has.
 *
 * Few channels would leave most of a tile empty: those get `conv_direct`, a thread for each result. */
#include "composite/spatial.h"

#include <stdio.h>

#include "base/checked.h"
#include "target/target.h"

/* What there is to multiply: for each of `groups` groups `each` channels with windows of `taps`, making
 * `made` channels. */
typedef struct convolution {
    rp_expansion *x;
    rp_given_operand input; /* x, or some of its images */
    rp_grid in, out;
    rp_windows w;
    uint64_t groups, each, made, taps;
    uint8_t dtype, weight, sums; /* dtypes */
    bool copied;                 /* channels are brought behind, or filled up there */
} convolution;

static rp_given_operand seen3(const rp_given_operand *operand, uint64_t a, uint64_t b, uint64_t c) {
    return rp_expand_seen(operand, 3, (const uint64_t[]){a, b, c});
}

static rp_given_operand seen4(const rp_given_operand *operand, uint64_t a, uint64_t b, uint64_t c,
                              uint64_t d) {
    return rp_expand_seen(operand, 4, (const uint64_t[]){a, b, c, d});
}

static rp_given_operand seen2(const rp_given_operand *operand, uint64_t a, uint64_t b) {
    return rp_expand_seen(operand, 2, (const uint64_t[]){a, b});
}

static rp_status permute(convolution *c, rp_given_operand *from, rp_given_operand *to,
                         const char *order) {
    const rp_attribute attr = {.name = "order", .text = order};
    return rp_expand_op(c->x, "permute", RP_PARTS({"x", from}, {"out", to}), &attr, 1);
}

static rp_status multiply(convolution *c, rp_given_operand *a, rp_given_operand *b,
                          rp_given_operand *out, const char *transposed) {
    const rp_attribute attr = {.name = transposed ? transposed : "transpose_a",
                               .number = transposed != NULL};
    return rp_expand_op(c->x, "matmul", RP_PARTS({"a", a}, {"b", b}, {"out", out}), &attr, 1);
}

/* A transient for sums, in a shape of its own. */
static rp_status make_sums(convolution *c, const char *name, rp_given_operand *out, uint32_t rank,
                           const uint64_t *dims) {
    RP_TRY(rp_expand_temp(c->x, name, out));
    return rp_expand_make(c->x, out, c->sums, rank, dims);
}

/* The weight's matrices for each of x's grids: they are the same for all, of which matmul knows only on its
 * right side. */
static rp_status repeat_weight(convolution *c, const rp_given_operand *weight, uint64_t rows,
                               uint64_t columns, rp_given_operand *out) {
    uint64_t elements = c->groups * rows * columns, count = c->in.count;
    rp_given_operand line = seen2(weight, 1, elements);
    if (c->x->application->choices) { /* as many as there are: no attribute can say that */
        const rp_attribute zero = {.name = "value", .number = 0};
        rp_given_operand first;
        RP_TRY(rp_expand_temp(c->x, "first", &first));
        RP_TRY(rp_expand_make(c->x, &first, RP_U32, 1, &count));
        RP_TRY(rp_expand_op(c->x, "fill", RP_PARTS({"out", &first}), &zero, 1));
        RP_TRY(rp_expand_temp(c->x, "weights", out));
        RP_TRY(rp_expand_op(c->x, "gather_rows",
                            RP_PARTS({"table", &line}, {"ids", &first}, {"out", out}),
                            RP_NO_ATTRS));
        line = *out;
    } else if (count > 1) {
        const rp_attribute times = {.name = "times", .number = (double)count};
        RP_TRY(rp_expand_temp(c->x, "weights", out));
        RP_TRY(rp_expand_op(c->x, "repeat_rows", RP_PARTS({"x", &line}, {"out", out}), &times, 1));
        line = *out;
    }
    *out = seen3(&line, count * c->groups, rows, columns);
    return RP_OK;
}

/* Images a part at a time, where what windows see of all of them, or give to all of them, would be more elements
 * than an op may have; of an image that is `channels` times `taps` for each of its places. */
static rp_status in_parts(convolution *c, uint64_t channels, uint64_t taps, uint64_t places,
                          rp_given_operand *out,
                          rp_status (*part)(convolution *c, rp_given_operand *out)) {
    uint64_t images = c->in.count, seen = 1, most = 0;
    if (rp_mul_u64(channels, taps, &seen) && rp_mul_u64(seen, places, &seen))
        most = seen ? RP_OP_MAX_ELEMENTS / seen : images;
    if (rp_choose(c->x->application, most == 0 || most >= images) != 0) return part(c, out);
    uint64_t parts = (images + most - 1) / most, step = (images + parts - 1) / parts;
    uint64_t from = rp_tensor_bytes(&c->input.argument.tensor) / images;
    uint64_t to = rp_tensor_bytes(&out->argument.tensor) / images;
    for (uint64_t first = 0; first < images; first += step) {
        convolution some = *c;
        rp_given_operand made = *out;
        some.in.count = some.out.count = images - first < step ? images - first : step;
        some.input.argument.offset += first * from;
        made.argument.offset += first * to;
        c->x->first_id = c->x->application->graph->nodes_count; /* names of transients */
        RP_TRY(part(&some, &made));
    }
    return RP_OK;
}

/* ---- Forward --------------------------------------------------------------------------------- */

/* Whether each window sees one element and none is left out: then x is what they see. */
static bool is_pointwise(const convolution *c) {
    for (uint32_t i = 0; i < 3; i++)
        if (c->w.kernel[i] != 1 || c->w.stride[i] != 1 || c->w.pad[i] || c->w.pad_end[i])
            return false;
    return true;
}

static rp_status unfold(convolution *c, const rp_given_operand *x, const rp_grid *grid,
                        rp_given_operand *out) {
    rp_attribute attrs[RP_WINDOW_ATTRS];
    rp_given_operand in = rp_grid_seen(x, grid);
    *out = in;
    if (is_pointwise(c)) return RP_OK;
    uint32_t count = rp_windows_attrs(&c->w, grid->last, true, attrs);
    RP_TRY(rp_expand_temp(c->x, "windows", out));
    return rp_expand_op(c->x, "unfold", RP_PARTS({"x", &in}, {"out", out}), attrs, count);
}

/* Whether products are of cooperative matrices, for which 16 bytes are loaded at once. */
static bool is_of_matrices(const convolution *c) {
    const rp_target *t = rp_expand_target(c->x);
    bool halves = c->dtype == RP_F16 && c->weight == RP_F16;
    return t->matrix_shapes && (halves || (c->dtype == RP_I8 && c->weight == RP_I8));
}

/* Channels of a group where they stand behind and are loaded at once. Few halves come by fours. */
static uint64_t channels_behind(const convolution *c) {
    uint64_t at_once = is_of_matrices(c) ? 16 / rp_dtype_size((rp_dtype)c->dtype) : 4;
    if (c->dtype == RP_F16 && c->each <= 4) at_once = 4;
    return (c->each + at_once - 1) / at_once * at_once;
}

/* Elements of a window then, whose channels are whole loads together. */
static uint64_t taps_behind(const convolution *c) {
    bool odd =
        is_of_matrices(c) && channels_behind(c) * c->taps * rp_dtype_size(c->dtype) % 16 != 0;
    return c->taps + odd;
}

/* A copy costs a pass over memory. Where windows are loaded element by element that is little, but for a
 * processor with few channels; a product without matrices has no use for zeros. */
static bool is_worth_a_copy(const convolution *c) {
    enum { SOFTWARE = 32 };
    bool whole = channels_behind(c) == c->each, blocks = RP_DT(c->weight) & RP_DT_BLOCK;
    bool software = rp_target_is_software(rp_expand_target(c->x));
    bool there = c->in.last && (c->groups > 1 || (whole && taps_behind(c) == c->taps));
    bool best = !is_pointwise(c) && !there && !blocks && (whole || is_of_matrices(c)) &&
                (c->each >= SOFTWARE || !software);
    return rp_choose_special(c->x->application, best);
}

/* Rows of `size` times `each` elements, filled up with zeros to `wanted` times as many. */
static rp_status fill_up(convolution *c, const rp_given_operand *rows, uint64_t count,
                         uint64_t size, uint64_t each, uint64_t wanted, const char *name,
                         rp_given_operand *out) {
    *out = *rows;
    if (wanted == size) return RP_OK;
    const rp_attribute after = {.name = "after", .number = (double)(wanted - size)};
    rp_given_operand from = seen3(rows, count, size, each), to;
    RP_TRY(rp_expand_temp(c->x, name, out));
    RP_TRY(rp_expand_make(c->x, out, rows->argument.tensor.dtype, 3,
                          (const uint64_t[]){count, wanted, each}));
    to = *out;
    return rp_expand_op(c->x, "pad_axis", RP_PARTS({"x", &from}, {"out", &to}), &after, 1);
}

/* Channels of so many places. */
static rp_status fill_channels(convolution *c, const rp_given_operand *rows, uint64_t places,
                               const char *name, rp_given_operand *out) {
    return fill_up(c, rows, places, c->each, 1, channels_behind(c), name, out);
}

/* Elements of so many windows. */
static rp_status fill_taps(convolution *c, const rp_given_operand *windows, uint64_t count,
                           const char *name, rp_given_operand *out) {
    return fill_up(c, windows, count, c->taps, channels_behind(c), taps_behind(c), name, out);
}

/* `count` matrices of channels and places with their channels behind, filled up. */
static rp_status bring_behind(convolution *c, const rp_given_operand *from, uint64_t count,
                              uint64_t places, const char *const names[2], rp_given_operand *out) {
    rp_given_operand matrices = seen3(from, count, c->each, places), turned, to;
    if (places == 1) return fill_channels(c, from, count, names[1], out);
    RP_TRY(rp_expand_temp(c->x, names[0], &turned));
    RP_TRY(rp_expand_make(c->x, &turned, from->argument.tensor.dtype, 3,
                          (const uint64_t[]){count, places, c->each}));
    to = turned;
    RP_TRY(rp_expand_op(c->x, "transpose", RP_PARTS({"x", &matrices}, {"out", &to}), RP_NO_ATTRS));
    return fill_channels(c, &turned, count * places, names[1], out);
}

/* What windows see of `count` grids whose channels stand behind, both filled up. */
static rp_status unfold_behind(convolution *c, const rp_given_operand *x, uint64_t count,
                               rp_given_operand *out) {
    rp_given_operand windows;
    rp_grid grid = c->in;
    grid.last = true;
    grid.count = count;
    grid.channels = channels_behind(c);
    RP_TRY(unfold(c, x, &grid, &windows));
    return fill_taps(c, &windows, count * rp_grid_places(&c->out), "more", out);
}

/* Groups are like images of their own then. */
static rp_status conv_turned(convolution *c, rp_given_operand *out) {
    static const char *const of_x[] = {"behind", "filled"};
    static const char *const of_weight[] = {"turned", "weight"};
    uint64_t all = c->in.count * c->groups, places = rp_grid_places(&c->out);
    uint64_t k = channels_behind(c) * taps_behind(c), matrices = c->groups * c->made;
    rp_given_operand x, weight, taps, windows, weights;
    RP_TRY(bring_behind(c, &c->input, all, rp_grid_places(&c->in), of_x, &x));
    RP_TRY(bring_behind(c, c->x->operands[RP_CONV_WEIGHT], matrices, c->taps, of_weight, &weight));
    RP_TRY(fill_taps(c, &weight, matrices, "taps", &taps));
    RP_TRY(unfold_behind(c, &x, all, &windows));
    RP_TRY(repeat_weight(c, &taps, c->made, k, &weights));
    rp_given_operand b = seen3(&windows, all, places, k), to = seen3(out, all, c->made, places);
    return multiply(c, &weights, &b, &to, "transpose_b");
}

static rp_status conv_front(convolution *c, rp_given_operand *out) {
    uint64_t all = c->in.count * c->groups, k = c->each * c->taps, places = rp_grid_places(&c->out);
    rp_given_operand windows, weights;
    if (c->copied) return conv_turned(c, out);
    RP_TRY(unfold(c, &c->input, &c->in, &windows));
    RP_TRY(repeat_weight(c, c->x->operands[RP_CONV_WEIGHT], c->made, k, &weights));
    rp_given_operand b = seen3(&windows, all, k, places), to = seen3(out, all, c->made, places);
    return multiply(c, &weights, &b, &to, NULL);
}

static rp_status conv_last(convolution *c, rp_given_operand *out) {
    uint64_t places = c->in.count * rp_grid_places(&c->out), g = c->groups, k = c->each * c->taps;
    rp_given_operand *weight = c->x->operands[RP_CONV_WEIGHT], x, filled, taps;
    rp_given_operand windows, by_group, product;
    if (c->copied) {
        k = channels_behind(c) * taps_behind(c);
        RP_TRY(fill_channels(c, &c->input, c->in.count * rp_grid_places(&c->in), "filled", &x));
        RP_TRY(fill_channels(c, weight, c->made * c->taps, "weight", &filled));
        RP_TRY(fill_taps(c, &filled, c->made, "taps", &taps));
        RP_TRY(unfold_behind(c, &x, c->in.count, &windows));
        weight = &taps;
    } else {
        RP_TRY(unfold(c, &c->input, &c->in, &windows));
    }
    rp_given_operand b = seen3(weight, g, c->made, k);
    if (g == 1) {
        rp_given_operand a = seen3(&windows, 1, places, k), to = seen3(out, 1, places, c->made);
        return multiply(c, &a, &b, &to, "transpose_b");
    }
    rp_given_operand mixed = seen4(&windows, places, c->taps, g, c->each);
    RP_TRY(rp_expand_temp(c->x, "groups", &by_group));
    RP_TRY(permute(c, &mixed, &by_group, "cabd"));
    rp_given_operand a = seen3(&by_group, g, places, k);
    RP_TRY(make_sums(c, "product", &product, 3, (const uint64_t[]){g, places, c->made}));
    RP_TRY(multiply(c, &a, &b, &product, "transpose_b"));
    rp_given_operand from = seen4(&product, 1, g, places, c->made);
    rp_given_operand to = seen4(out, 1, places, g, c->made);
    return permute(c, &from, &to, "acbd");
}

static rp_status conv_direct(convolution *c, rp_given_operand *out) {
    rp_attribute attrs[RP_WINDOW_ATTRS + 1];
    uint32_t count = rp_windows_attrs(&c->w, c->in.last, false, attrs);
    const rp_grid weight = {.last = c->in.last,
                            .count = c->groups * c->made,
                            .channels = c->each,
                            .size = {c->w.kernel[0], c->w.kernel[1], c->w.kernel[2]}};
    rp_given_operand x = rp_grid_seen(&c->input, &c->in);
    rp_given_operand w = rp_grid_seen(c->x->operands[RP_CONV_WEIGHT], &weight);
    rp_given_operand to = rp_grid_seen(out, &c->out);
    attrs[count++] = (rp_attribute){.name = "groups", .number = (double)c->groups};
    return rp_expand_op(c->x, "conv_direct", RP_PARTS({"x", &x}, {"weight", &w}, {"out", &to}),
                        attrs, count);
}

/* A tile has at least eight rows: with fewer channels, and not many that each of them adds up, most of the
 * work of a tile would be for nothing. */
static bool is_narrow(const convolution *c) {
    enum { TILE = 8, FEW = 16 };
    bool floats = rp_op_is_in(c->weight, RP_DT_FLOAT | RP_DT(RP_I8));
    return floats &&
           rp_choose(c->x->application, c->made < TILE && (c->made == 1 || c->each <= FEW)) != 0;
}

static rp_status convolve(convolution *c, rp_given_operand *out) {
    if (is_narrow(c)) return conv_direct(c, out);
    uint64_t channels = c->in.channels, taps = c->taps;
    c->copied = is_worth_a_copy(c);
    if (c->copied) channels = c->groups * channels_behind(c), taps = taps_behind(c);
    return in_parts(c, channels, taps, rp_grid_places(&c->out), out,
                    c->in.last ? conv_last : conv_front);
}

/* ---- Transposed ------------------------------------------------------------------------------ */

/* What each element of x gives to each element of the windows that it is under. */
static rp_status spread_front(convolution *c, rp_given_operand *out) {
    uint64_t all = c->in.count * c->groups, k = c->made * c->taps, places = rp_grid_places(&c->in);
    rp_given_operand weights, b = seen3(&c->input, all, c->each, places);
    RP_TRY(repeat_weight(c, c->x->operands[RP_CONV_WEIGHT], c->each, k, &weights));
    rp_given_operand to = seen3(out, all, k, places);
    return multiply(c, &weights, &b, &to, "transpose_a");
}

static rp_status spread_last(convolution *c, rp_given_operand *out) {
    uint64_t places = c->in.count * rp_grid_places(&c->in), g = c->groups, k = c->taps * c->made;
    rp_given_operand *x = &c->input, by_group, product;
    rp_given_operand b = seen3(c->x->operands[RP_CONV_WEIGHT], g, c->each, k);
    if (g == 1) {
        rp_given_operand a = seen3(x, 1, places, c->each), to = seen3(out, 1, places, k);
        return multiply(c, &a, &b, &to, NULL);
    }
    rp_given_operand mixed = seen4(x, 1, places, g, c->each);
    RP_TRY(rp_expand_temp(c->x, "groups", &by_group));
    RP_TRY(permute(c, &mixed, &by_group, "acbd"));
    rp_given_operand a = seen3(&by_group, g, places, c->each);
    RP_TRY(make_sums(c, "product", &product, 3, (const uint64_t[]){g, places, k}));
    RP_TRY(multiply(c, &a, &b, &product, NULL));
    rp_given_operand from = seen4(&product, g, places, c->taps, c->made);
    rp_given_operand to = seen4(out, places, c->taps, g, c->made);
    return permute(c, &from, &to, "bcad");
}

static rp_status spread_and_fold(convolution *c, rp_given_operand *out) {
    static const char *const sizes[] = {"size_d", "size_h", "size_w"};
    rp_attribute attrs[RP_WINDOW_ATTRS + 3];
    rp_given_operand windows;
    rp_grid seen = c->in;
    uint64_t dims[RP_MAX_RANK];
    seen.channels = c->out.channels * c->taps;
    seen.lead = 1;
    seen.leading[0] = seen.count;
    uint32_t rank = rp_grid_shape(&seen, dims);
    RP_TRY(make_sums(c, "windows", &windows, rank, dims));
    RP_TRY(c->in.last ? spread_last(c, &windows) : spread_front(c, &windows));
    rp_windows w = c->w;
    memset(w.pad_end, 0, sizeof w.pad_end); /* follows from the sizes */
    uint32_t count = rp_windows_attrs(&w, c->in.last, true, attrs);
    for (uint32_t i = 0; i < 3; i++)
        attrs[count++] = (rp_attribute){.name = sizes[i], .number = (double)c->out.size[i]};
    rp_given_operand from = rp_grid_seen(&windows, &seen), to = rp_grid_seen(out, &c->out);
    return rp_expand_op(c->x, "fold", RP_PARTS({"x", &from}, {"out", &to}), attrs, count);
}

static rp_status convolve_transposed(convolution *c, rp_given_operand *out) {
    return in_parts(c, c->out.channels, c->taps, rp_grid_places(&c->in), out, spread_and_fold);
}

/* ---- Bias and activation --------------------------------------------------------------------- */

/* What stands in front of the sum in a formula, and behind it. */
static const char *const activations[][2] = {
    {"", ""},       {"relu(", ")"},      {"clamp(", ", 0.0, 6.0)"}, {"silu(", ")"},
    {"gelu(", ")"}, {"gelu_tanh(", ")"}, {"sigmoid(", ")"},         {"tanh(", ")"},
};

/* The sums themselves, or a map behind them. */
static rp_status finish(convolution *c, rp_status (*sum)(convolution *c, rp_given_operand *out)) {
    rp_expansion *x = c->x;
    rp_given_operand *out = x->operands[RP_CONV_OUT], *bias = x->operands[RP_CONV_BIAS];
    const char *const *activation = activations[(uint32_t)x->attrs[RP_CONV_ACTIVATION]];
    rp_given_operand sums, beside, to;
    uint64_t dims[RP_MAX_RANK];
    char formula[64];
    if (bias) RP_TRY(rp_grid_per_channel(x, bias, &c->out, &beside));
    RP_TRY(rp_grid_make(x, out, c->dtype == RP_I8 ? RP_I32 : c->dtype, &c->out));
    if (!bias && !**activation) return sum(c, out);
    uint32_t rank = rp_grid_shape(&c->out, dims);
    RP_TRY(make_sums(c, "sums", &sums, rank, dims));
    RP_TRY(sum(c, &sums));
    snprintf(formula, sizeof formula, "%s%s%s", activation[0], bias ? "sums + bias" : "sums",
             activation[1]);
    const rp_attribute expr = {.name = "expr", .text = formula};
    to = *out;
    return rp_expand_op(x, "map",
                        RP_PARTS({"sums", &sums}, {"bias", bias ? &beside : NULL}, {"out", &to}),
                        &expr, 1);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static rp_status read_groups(convolution *c, uint64_t channels, const char *of) {
    c->groups = (uint64_t)c->x->attrs[RP_CONV_GROUPS];
    if (channels % c->groups == 0) return RP_OK;
    return rp_expand_wrong(c->x, RP_CONV_GROUPS,
                           "is %llu, which the %llu channels of %s are no "
                           "multiple of",
                           (unsigned long long)c->groups, (unsigned long long)channels, of);
}

/* Reads x, the windows and the weight, whose first dimension and channels are given back. */
static rp_status read_all(convolution *c, uint64_t *first, uint64_t *channels) {
    rp_expansion *x = c->x;
    uint32_t dims = rp_spatial_dims(x);
    bool last = x->attrs[RP_CONV_LAYOUT] != 0;
    rp_grid weight;
    RP_TRY(rp_grid_read(x, RP_CONV_X, dims, last, &c->in));
    RP_TRY(rp_grid_read(x, RP_CONV_WEIGHT, dims, last, &weight));
    if (weight.lead != 1)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: weight has %u dimensions, expected %u", x->composite->info.name,
                              weight.lead + dims + 1, dims + 2);
    c->w = (rp_windows){.stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    memcpy(c->w.kernel, weight.size, sizeof weight.size);
    RP_TRY(rp_grid_list(x, RP_CONV_STRIDES, dims, 1, c->w.stride));
    RP_TRY(rp_grid_list(x, RP_CONV_DILATIONS, dims, 1, c->w.dilation));
    RP_TRY(rp_grid_pads(x, RP_CONV_PADS, dims, &c->w));
    c->input = *x->operands[RP_CONV_X];
    c->taps = rp_grid_places(&weight);
    c->dtype = x->operands[RP_CONV_X]->argument.tensor.dtype;
    c->weight = x->operands[RP_CONV_WEIGHT]->argument.tensor.dtype;
    c->sums = c->dtype == RP_I8 ? RP_I32 : RP_F32;
    *first = weight.count;
    *channels = weight.channels;
    return RP_OK;
}

rp_status rp_expand_conv(rp_expansion *x) {
    convolution c = {.x = x};
    uint64_t made = 0;
    RP_TRY(read_all(&c, &made, &c.each));
    RP_TRY(read_groups(&c, made, "weight"));
    if (c.in.channels != c.each * c.groups)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: x has %llu channels, expected %llu: weight takes %llu for each "
                              "of %llu groups",
                              x->composite->info.name, (unsigned long long)c.in.channels,
                              (unsigned long long)(c.each * c.groups), (unsigned long long)c.each,
                              (unsigned long long)c.groups);
    c.made = made / c.groups;
    RP_TRY(rp_windows_count(x, &c.in, RP_CONV_PADS, RP_CONV_AUTO_PAD, false, &c.w, &c.out));
    c.out.channels = made;
    return finish(&c, convolve);
}

/* The paddings of one axis by which `wanted` of so many elements are left: with an odd number to cut off the larger
 * part in front, with same_upper behind, as ONNX has it. */
static void cut_to(convolution *c, uint32_t axis, uint64_t spans, uint64_t wanted) {
    bool upper = c->x->attrs[RP_CONV_AUTO_PAD] == RP_AUTO_PAD_SAME_UPPER;
    uint64_t cut = spans > wanted ? spans - wanted : 0;
    c->w.pad[axis] = upper ? cut / 2 : cut - cut / 2;
    c->w.pad_end[axis] = cut - c->w.pad[axis];
}

/* Along one axis: all that the windows are over, with what is to be added, less the paddings. `wanted`: elements of
 * the result, 0 where the paddings say it. */
static rp_status count_transposed(convolution *c, uint32_t axis, uint64_t more, uint64_t wanted) {
    rp_windows *w = &c->w;
    uint64_t stride = w->stride[axis], size = c->in.size[axis];
    uint64_t spans = (size - 1) * stride + rp_windows_extent(w, axis) + more;
    if (more && more >= (stride > w->dilation[axis] ? stride : w->dilation[axis]))
        return rp_expand_wrong(c->x, RP_CONV_OUTPUT_PADDING,
                               "is %llu along %c, expected less than the stride or the dilation",
                               (unsigned long long)more, "dhw"[axis]);
    double how = c->x->attrs[RP_CONV_AUTO_PAD];
    if (wanted > spans)
        return rp_expand_wrong(c->x, RP_CONV_OUTPUT_SHAPE,
                               "has %llu along %c, and windows make %llu",
                               (unsigned long long)wanted, "dhw"[axis], (unsigned long long)spans);
    if (wanted)
        cut_to(c, axis, spans, wanted);
    else if (how == RP_AUTO_PAD_SAME_UPPER || how == RP_AUTO_PAD_SAME_LOWER)
        cut_to(c, axis, spans, size * stride);
    uint64_t cut = w->pad[axis] + w->pad_end[axis];
    if (cut >= spans)
        return rp_expand_wrong(c->x, RP_CONV_PADS, "cuts off all of %llu elements along %c",
                               (unsigned long long)spans, "dhw"[axis]);
    c->out.size[axis] = spans - cut;
    return RP_OK;
}

/* What says how much is cut off: one of three. */
static rp_status check_cuts(convolution *c) {
    rp_expansion *x = c->x;
    bool pads = x->lists[RP_CONV_PADS].count, shape = x->lists[RP_CONV_OUTPUT_SHAPE].count;
    if (pads && x->attrs[RP_CONV_AUTO_PAD] != RP_AUTO_PAD_NOTSET)
        return rp_expand_wrong(x, RP_CONV_AUTO_PAD, "says what the padding is, and so does pads");
    if (pads && shape)
        return rp_expand_wrong(x, RP_CONV_OUTPUT_SHAPE,
                               "says what the padding is, and so does pads");
    return RP_OK;
}

rp_status rp_expand_conv_transpose(rp_expansion *x) {
    convolution c = {.x = x};
    uint64_t channels = 0, more[3] = {0}, wanted[3] = {0};
    RP_TRY(read_all(&c, &channels, &c.made));
    if (channels != c.in.channels)
        return rp_apply_error(x->application, RP_BLAME_OP, 0,
                              "%s: x has %llu channels, expected %llu, the first dimension of "
                              "weight",
                              x->composite->info.name, (unsigned long long)c.in.channels,
                              (unsigned long long)channels);
    RP_TRY(read_groups(&c, channels, "x"));
    RP_TRY(check_cuts(&c));
    RP_TRY(rp_grid_list(x, RP_CONV_OUTPUT_PADDING, c.in.dims, 0, more));
    RP_TRY(rp_grid_list(x, RP_CONV_OUTPUT_SHAPE, c.in.dims, 0, wanted));
    c.each = channels / c.groups;
    c.out = c.in;
    c.out.channels = c.made * c.groups;
    for (uint32_t i = 0; i < 3; i++) RP_TRY(count_transposed(&c, i, more[i], wanted[i]));
    return finish(&c, convolve_transposed);
}
