/* Internal: the composites of families spatial and resample, whose table is in spatial.c: where attributes stand in it, and
 * what expands them. */
#ifndef RP_COMPOSITE_SPATIAL_H
#define RP_COMPOSITE_SPATIAL_H

#include "composite/axes.h"
#include "composite/grid.h"

enum { RP_CONV_X, RP_CONV_WEIGHT, RP_CONV_BIAS, RP_CONV_OUT };
enum {
    RP_CONV_STRIDES,
    RP_CONV_PADS,
    RP_CONV_DILATIONS,
    RP_CONV_GROUPS,
    RP_CONV_LAYOUT,
    RP_CONV_ACTIVATION,
    RP_CONV_AUTO_PAD,
    RP_CONV_OUTPUT_PADDING, /* conv_transpose */
    RP_CONV_OUTPUT_SHAPE,
};
/* In the order of the table's choices. */
#define RP_ACTIVATIONS "none|relu|relu6|silu|gelu|gelu_tanh|sigmoid|tanh"

enum {
    RP_POOL_KERNEL,
    RP_POOL_STRIDES,
    RP_POOL_PADS,
    RP_POOL_CEIL,
    RP_POOL_LAYOUT,
    RP_POOL_AUTO_PAD,
    RP_POOL_DILATIONS,
    RP_POOL_INDEX,                     /* max_pool: what `indices` count through */
    RP_POOL_COUNT_PAD = RP_POOL_INDEX, /* avg_pool */
};

/* convolution.c */
rp_status rp_expand_conv(rp_expansion *x);
rp_status rp_expand_conv_transpose(rp_expansion *x);
/* pooling.c */
rp_status rp_expand_max_pool(rp_expansion *x);
rp_status rp_expand_avg_pool(rp_expansion *x);
rp_status rp_expand_global_pool(rp_expansion *x);
/* normalise.c */
rp_status rp_expand_batch_norm(rp_expansion *x);
rp_status rp_expand_group_norm(rp_expansion *x);
rp_status rp_expand_instance_norm(rp_expansion *x);
/* resample.c */
rp_status rp_expand_pad(rp_expansion *x);
rp_status rp_expand_resize(rp_expansion *x);

/* The dimensions that "conv2d" is for. */
static inline uint32_t rp_spatial_dims(const rp_expansion *x) {
    const char *name = x->composite->info.name;
    return (uint32_t)(name[strlen(name) - 2] - '0');
}

#endif
