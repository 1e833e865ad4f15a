/* Internal: operands of the composites of family spatial as grids, and attributes as windows over them. */
#ifndef RP_COMPOSITE_GRID_H
#define RP_COMPOSITE_GRID_H

#include "composite/composite.h"

/* A tensor as `count` grids of up to three dimensions, whose elements have channels. Sizes stand at the
 * end of `size`, with ones in front. */
typedef struct rp_grid {
    uint32_t dims;
    bool last;                     /* channels stand behind the grid */
    uint32_t lead;                 /* dimensions in front of a grid and its channels */
    uint64_t leading[RP_MAX_RANK]; /* and what they are: their product is `count` */
    uint64_t count, channels, size[3];
} rp_grid;

/* Reads an operand as a grid of `dims` dimensions, 0: as many as it has behind the first two. */
rp_status rp_grid_read(rp_expansion *x, uint32_t operand, uint32_t dims, bool last, rp_grid *out);
uint64_t rp_grid_places(const rp_grid *grid);
/* The operand as [count, C, D, H, W] or [count, D, H, W, C], as ops of the family take it. */
rp_given_operand rp_grid_seen(const rp_given_operand *operand, const rp_grid *grid);
/* The grid's own shape; its rank. */
uint32_t rp_grid_shape(const rp_grid *grid, uint64_t dims[RP_MAX_RANK]);
/* rp_expand_make with that. */
rp_status rp_grid_make(rp_expansion *x, rp_given_operand *out, uint8_t dtype, const rp_grid *grid);
/* A number for each channel, to stand beside the grid's elements; absent stays so. */
rp_status rp_grid_per_channel(rp_expansion *x, rp_given_operand *operand, const rp_grid *grid,
                              rp_given_operand *out);
/* Whether an operand has the shape, or an error that says so. */
rp_status rp_grid_expect(rp_expansion *x, uint32_t operand, uint32_t rank, const uint64_t *dims);

/* Windows over a grid, as attributes have them; ones in front, as in a grid's sizes. */
typedef struct rp_windows {
    uint64_t kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
} rp_windows;

/* One number for each dimension from a list attribute: one for all, or one each; `fallback` where it was
 * left out. */
rp_status rp_grid_list(rp_expansion *x, uint32_t attr, uint32_t dims, uint64_t fallback,
                       uint64_t out[3]);
/* Paddings: one number for all, one for each dimension, or all in front and then all behind. */
rp_status rp_grid_pads(rp_expansion *x, uint32_t attr, uint32_t dims, rp_windows *w);
/* What a window spans along an axis. */
uint64_t rp_windows_extent(const rp_windows *w, uint32_t axis);
/* How many windows there are along each axis, in out->size; `auto_pad` is that attribute, whose choices
 * are RP_AUTO_PADS: with one of the first two `w` gets the paddings by which there is a window for each
 * stride. */
#define RP_AUTO_PADS "notset|same_upper|same_lower|valid"
enum {
    RP_AUTO_PAD_NOTSET,
    RP_AUTO_PAD_SAME_UPPER,
    RP_AUTO_PAD_SAME_LOWER,
    RP_AUTO_PAD_VALID,
};
rp_status rp_windows_count(rp_expansion *x, const rp_grid *in, uint32_t pads, uint32_t auto_pad,
                           bool ceil, rp_windows *w, rp_grid *out);

/* The attributes of an op of the family that says where windows are, appended to `attrs`: the number
 * behind them. Defaults are left out. */
enum { RP_WINDOW_ATTRS = 20 };
uint32_t rp_windows_attrs(const rp_windows *w, bool last, bool kernel, rp_attribute *attrs);

#endif
