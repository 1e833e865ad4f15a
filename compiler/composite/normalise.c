/* Norms of grids: of each channel by numbers that are given, of groups of channels by their own.
 *
 * A group is a row for layer_norm, which knows how to add up long ones; what each channel is multiplied
 * with and what is added is a map behind it. With channels behind the grid groups are brought together by a
 * permute, which fuses. */
#include "composite/spatial.h"

#include <stdio.h>

enum { FORMULA = 96 };

rp_status rp_expand_batch_norm(rp_expansion *x) {
    enum { X, SCALE, BIAS, MEAN, VARIANCE, OUT };
    enum { EPS, LAYOUT };
    rp_given_operand **o = x->operands, own[OUT], factor, to, from = *o[X];
    uint64_t dims[RP_MAX_RANK];
    char formula[FORMULA];
    rp_grid grid;
    RP_TRY(rp_grid_read(x, X, 0, x->attrs[LAYOUT] != 0, &grid));
    for (uint32_t i = SCALE; i < OUT; i++)
        if (o[i]) RP_TRY(rp_grid_per_channel(x, o[i], &grid, &own[i]));
    RP_TRY(rp_grid_make(x, o[OUT], rp_axes_floats(from.argument.tensor.dtype), &grid));
    from = rp_expand_seen(&from, rp_grid_shape(&grid, dims), dims);
    to = *o[OUT];
    /* A root and a quotient for each channel, not for each element. */
    RP_TRY(rp_expand_temp(x, "factor", &factor));
    factor.argument.tensor.dtype = RP_F32;
    snprintf(formula, sizeof formula, "%s / sqrt(variance + %.9g)", o[SCALE] ? "scale" : "1",
             x->attrs[EPS]);
    RP_TRY(rp_expand_map(x, formula,
                         RP_PARTS({"scale", o[SCALE] ? &own[SCALE] : NULL},
                                  {"variance", &own[VARIANCE]}, {"out", &factor})));
    return rp_expand_map(x, o[BIAS] ? "(x - mean) * factor + bias" : "(x - mean) * factor",
                         RP_PARTS({"x", &from}, {"factor", &factor},
                                  {"bias", o[BIAS] ? &own[BIAS] : NULL}, {"mean", &own[MEAN]},
                                  {"out", &to}));
}

static rp_status permute(rp_expansion *x, rp_given_operand *from, rp_given_operand *to) {
    const rp_attribute order = {.name = "order", .text = "acbd"};
    return rp_expand_op(x, "permute", RP_PARTS({"x", from}, {"out", to}), &order, 1);
}

/* Groups of a grid's channels, each with a mean of 0 and a variance of 1, into `out`. */
static rp_status normalise(rp_expansion *x, const rp_grid *grid, uint64_t groups, double eps,
                           rp_given_operand *from, rp_given_operand *out) {
    uint64_t each = groups ? grid->channels / groups : 0, places = rp_grid_places(grid);
    const uint64_t rows[] = {grid->count * groups, each * places};
    const uint64_t lying[] = {grid->count, places, groups, each};
    const rp_attribute attr = {.name = "eps", .number = eps};
    rp_given_operand in = rp_expand_seen(from, 2, rows), to = rp_expand_seen(out, 2, rows);
    rp_given_operand gathered, normal;
    if (!grid->last)
        return rp_expand_op(x, "layer_norm", RP_PARTS({"x", &in}, {"out", &to}), &attr, 1);
    in = rp_expand_seen(from, 4, lying);
    RP_TRY(rp_expand_temp(x, "groups", &gathered));
    RP_TRY(permute(x, &in, &gathered));
    gathered = rp_expand_seen(&gathered, 2, rows);
    RP_TRY(rp_expand_temp(x, "rows", &normal));
    RP_TRY(rp_expand_make(x, &normal, RP_F32, 2, rows));
    RP_TRY(rp_expand_op(x, "layer_norm", RP_PARTS({"x", &gathered}, {"out", &normal}), &attr, 1));
    normal = rp_expand_seen(&normal, 4, (const uint64_t[]){grid->count, groups, places, each});
    to = rp_expand_seen(out, 4, lying);
    return permute(x, &normal, &to);
}

static rp_status norm_groups(rp_expansion *x, const rp_grid *grid, uint64_t groups, double eps) {
    enum { X, SCALE, BIAS, OUT };
    rp_given_operand **o = x->operands, scale, bias, normal, to;
    uint64_t dims[RP_MAX_RANK];
    if (o[SCALE]) RP_TRY(rp_grid_per_channel(x, o[SCALE], grid, &scale));
    if (o[BIAS]) RP_TRY(rp_grid_per_channel(x, o[BIAS], grid, &bias));
    RP_TRY(rp_grid_make(x, o[OUT], rp_axes_floats(o[X]->argument.tensor.dtype), grid));
    if (!o[SCALE] && !o[BIAS]) return normalise(x, grid, groups, eps, o[X], o[OUT]);
    uint32_t rank = rp_grid_shape(grid, dims);
    RP_TRY(rp_expand_temp(x, "normal", &normal));
    RP_TRY(rp_expand_make(x, &normal, RP_F32, rank, dims));
    RP_TRY(normalise(x, grid, groups, eps, o[X], &normal));
    to = *o[OUT];
    return rp_expand_map(x,
                         !o[BIAS]    ? "normal * scale"
                         : !o[SCALE] ? "normal + bias"
                                     : "normal * scale + bias",
                         RP_PARTS({"normal", &normal}, {"scale", o[SCALE] ? &scale : NULL},
                                  {"bias", o[BIAS] ? &bias : NULL}, {"out", &to}));
}

rp_status rp_expand_group_norm(rp_expansion *x) {
    enum { GROUPS, EPS, LAYOUT };
    uint64_t groups = (uint64_t)x->attrs[GROUPS];
    rp_grid grid;
    RP_TRY(rp_grid_read(x, 0, 0, x->attrs[LAYOUT] != 0, &grid));
    if (grid.channels % groups != 0)
        return rp_expand_wrong(x, GROUPS,
                               "is %llu, which the %llu channels of x are no multiple "
                               "of",
                               (unsigned long long)groups, (unsigned long long)grid.channels);
    return norm_groups(x, &grid, groups, x->attrs[EPS]);
}

rp_status rp_expand_instance_norm(rp_expansion *x) {
    enum { EPS, LAYOUT };
    rp_grid grid;
    RP_TRY(rp_grid_read(x, 0, 0, x->attrs[LAYOUT] != 0, &grid));
    return norm_groups(x, &grid, grid.channels, x->attrs[EPS]);
}
