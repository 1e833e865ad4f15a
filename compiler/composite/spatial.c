/* The composites of families spatial and resample, as models name them: convolutions, pooling and norms over grids of one,
 * two or three dimensions. Each is one entry for several names; what expands it is in convolution.c, pooling.c,
 * normalise.c and resample.c. */
#include "composite/spatial.h"

#define R .access = RP_READ
#define W .access = RP_WRITE
enum { MOST = 1 << 30 };

#define LIST(name_, low_, left_out_, brief_)                                                       \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_LIST, .low = low_, .high = MOST,           \
        .choices = left_out_                                                                       \
    }
#define CHOICE(name_, choices_, brief_)                                                            \
    { .name = name_, .brief = brief_, .kind = RP_ATTR_CHOICE, .choices = choices_ }
#define FLAG(name_, brief_)                                                                        \
    { .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .high = 1 }
#define STRIDES                                                                                    \
    LIST("strides", 1, "1",                                                                        \
         "from a window to the next: one number for all dimensions, or each its own")
#define PADS                                                                                       \
    LIST("pads", 0, "0",                                                                           \
         "elements beside the grid: one number, one for each dimension, or as in ONNX those in "   \
         "front of all dimensions and then those behind")
#define DILATIONS LIST("dilations", 1, "1", "from an element of a window to the next")
#define GROUPS                                                                                     \
    {                                                                                              \
        .name = "groups", .brief = "of channels that meet", .kind = RP_ATTR_INTEGER,               \
        .fallback = 1, .low = 1, .high = MOST                                                      \
    }
#define LAYOUT                                                                                     \
    CHOICE("layout", "channels_first|channels_last",                                               \
           "where channels stand: [N, C, H, W] or [N, H, W, C]")
#define AUTO_PAD                                                                                   \
    CHOICE("auto_pad", RP_AUTO_PADS,                                                               \
           "in place of `pads`: as many elements as give a window for each stride, more of them "  \
           "behind or in front; or none")
#define ACTIVATION CHOICE("activation", RP_ACTIVATIONS, "of the result")
#define EPS                                                                                        \
    {                                                                                              \
        .name = "eps", .brief = "keeps the divisor away from 0", .kind = RP_ATTR_NUMBER,           \
        .fallback = 1e-5, .high = 1                                                                \
    }

#define CONV(name_, brief_, grid_, weight_, out_)                                                  \
    {                                                                                              \
        .info.name = name_, .info.family = "spatial", .info.brief = brief_, .notes = conv_notes,   \
        .operand_count = 4, .attr_count = 7,                                                       \
        .operands = {{"x", "the input", grid_, R},                                                 \
                     {"weight", "a window for each channel of the result; C = groups * I",         \
                      weight_, R},                                                                 \
                     {"bias", "added to each channel", "M", R, .optional = true},                  \
                     {"out", "the result", out_, W}},                                              \
        .attrs = {STRIDES, PADS, DILATIONS, GROUPS, LAYOUT, ACTIVATION, AUTO_PAD},                 \
        .expand = rp_expand_conv                                                                   \
    }
#define TRANSPOSED_AUTO_PAD                                                                        \
    CHOICE("auto_pad", RP_AUTO_PADS,                                                               \
           "in place of `pads`: what leaves as much as x times the strides, cut off behind or in " \
           "front where it is odd; or none")
#define TRANSPOSED(name_, brief_, grid_, weight_, out_)                                            \
    {                                                                                              \
        .info.name = name_, .info.family = "spatial", .info.brief = brief_,                        \
        .notes = transposed_notes, .operand_count = 4, .attr_count = 9,                            \
        .operands = {{"x", "the input", grid_, R},                                                 \
                     {"weight", "windows for each channel of x; the result has groups * I",        \
                      weight_, R},                                                                 \
                     {"bias", "added to each channel", "M", R, .optional = true},                  \
                     {"out", "the result", out_, W}},                                              \
        .attrs = {STRIDES,                                                                         \
                  LIST("pads", 0, "0", "what is cut off the result, as `pads` of a convolution"),  \
                  DILATIONS,                                                                       \
                  GROUPS,                                                                          \
                  LAYOUT,                                                                          \
                  ACTIVATION,                                                                      \
                  TRANSPOSED_AUTO_PAD,                                                             \
                  LIST("output_padding", 0, "0",                                                   \
                       "elements more at the end: of the sizes that the stride leaves open"),      \
                  LIST("output_shape", 1, "by the paddings",                                       \
                       "the sizes of the result, in place of `pads`")},                            \
        .expand = rp_expand_conv_transpose                                                         \
    }
#define KERNEL                                                                                     \
    {                                                                                              \
        .name = "kernel",                                                                          \
        .brief = "elements of a window: one number for all dimensions, or each its own",           \
        .kind = RP_ATTR_LIST, .required = true, .low = 1, .high = MOST                             \
    }
#define CEIL FLAG("ceil_mode", "1: sizes are rounded up")
#define MAX_POOL(name_, brief_, grid_, out_)                                                       \
    {                                                                                              \
        .info.name = name_, .info.family = "spatial", .info.brief = brief_, .notes = max_notes,    \
        .operand_count = 3, .attr_count = 8,                                                       \
        .operands = {{"x", "the input", grid_, R},                                                 \
                     {"out", "the largest element of each window", out_, W},                       \
                     {"indices", "where it is", out_, W, .optional = true, .counts = true}},       \
        .attrs = {KERNEL,                                                                          \
                  STRIDES,                                                                         \
                  PADS,                                                                            \
                  CEIL,                                                                            \
                  LAYOUT,                                                                          \
                  AUTO_PAD,                                                                        \
                  DILATIONS,                                                                       \
                  CHOICE("of", "tensor|plane",                                                     \
                         "what `indices` count through: all of x, or the grid of a channel")},     \
        .expand = rp_expand_max_pool                                                               \
    }
#define AVG_POOL(name_, brief_, grid_, out_)                                                       \
    {                                                                                              \
        .info.name = name_, .info.family = "spatial", .info.brief = brief_, .notes = avg_notes,    \
        .operand_count = 2, .attr_count = 8,                                                       \
        .operands = {{"x", "the input", grid_, R}, {"out", "the mean of each window", out_, W}},   \
        .attrs = {KERNEL,    STRIDES,                                                              \
                  PADS,      CEIL,                                                                 \
                  LAYOUT,    AUTO_PAD,                                                             \
                  DILATIONS, FLAG("count_include_pad", "1: the padding counts, as zeros")},        \
        .expand = rp_expand_avg_pool                                                               \
    }
#define GLOBAL(name_, brief_, notes_, out_)                                                        \
    {                                                                                              \
        .info.name = name_, .info.family = "spatial", .info.brief = brief_, .notes = notes_,       \
        .operand_count = 2, .attr_count = 1,                                                       \
        .operands = {{"x", "the input, of up to three dimensions behind N and C", "N C ...", R},   \
                     {"out", out_, "N C 1...", W}},                                                \
        .attrs = {LAYOUT}, .expand = rp_expand_global_pool                                         \
    }

static const char conv_notes[] =
    "`unfold` and a `matmul` with the weight, batched by image and "
    "group, of which the first is computed "
    "where the second multiplies; without windows of more than one "
    "element the `matmul` alone. Channels in front are brought behind by "
    "`transpose`, those of the weight too, where the target is a GPU and a "
    "group has a multiple of 4, or it is a processor and a group has 32 or more; "
    "for cooperative matrices they are filled up with zeros by `pad_axis`, and "
    "windows with one element more, to 16 bytes. Where a group "
    "makes fewer than 8 channels out of 16 or fewer, or a single one, "
    "as depthwise, `conv_direct`. Bias and "
    "activation are a `map` behind it, which fuses. As ONNX's Conv: "
    "out[n, m, p] is the sum of x[n, c, p * "
    "strides + k * dilations - pads] * weight[m, c, k] over the "
    "channels c of m's group and the elements k of "
    "a window. With `channels_last` the weight has its channels last, "
    "too: [M, H, W, I]. x and weight are "
    "floats, or both i8 with sums in i32; with `channels_last` and "
    "one group a weight may be q8_0 or q4_0. "
    "What stands in front of N counts as more images. An infinite or NaN weight "
    "beside padding gives NaN where a product computes the result, and counts for nothing "
    "where `conv_direct` does.";
static const char transposed_notes[] = "A `matmul` with the weight, batched by image and group, "
                                       "and `fold`; bias and activation are a `map` "
                                       "behind it. As ONNX's ConvTranspose: along each dimension "
                                       "the result has (size - 1) * strides + dilations "
                                       "* (window - 1) + 1 + output_padding - pads elements. With "
                                       "`channels_last` the weight is [C, H, W, I].";
static const char max_notes[] = "`pool_max`, and `pool_argmax` for `indices`. As ONNX's MaxPool. "
                                "NaN is skipped. Strides are 1 unless they "
                                "are given.";
static const char avg_notes[] =
    "`pool_average`. As ONNX's AveragePool. Strides are 1 unless they are given.";
static const char batch_notes[] = "Two `map`: a factor for each channel, scale / sqrt(variance + "
                                  "eps), and (x - mean) * factor + bias. As ONNX's "
                                  "BatchNormalization for inference.";
static const char group_notes[] =
    "`layer_norm` over each group of channels of an image, and a `map` with scale and bias of each "
    "channel. As "
    "ONNX's GroupNormalization. With `channels_last` a `permute` in front and one behind.";
static const char instance_notes[] =
    "`layer_norm` over each channel of an image, and a `map` with scale and bias. As ONNX's "
    "InstanceNormalization. With `channels_last` a `permute` in front and one behind.";

static const char pad_notes[] = "`pad_axis` for each axis that gets some, and `slice` where it "
                                "loses some, which fuse. As ONNX's Pad and "
                                "NumPy's pad.";
static const char resize_notes[] = "`resize_axis` for each axis that changes, the last one first; "
                                   "they fuse where that costs less than it "
                                   "saves. As ONNX's Resize, without crops and filters: what is "
                                   "smaller is not smoothed before. Between "
                                   "two axes sums are f32.";

#define AXES                                                                                       \
    {                                                                                              \
        .name = "axes", .brief = "which of x's, from 0, or from its end below 0",                  \
        .kind = RP_ATTR_LIST, .low = -RP_MAX_RANK, .high = RP_MAX_RANK - 1,                        \
        .choices = "the last ones"                                                                 \
    }
#define SCALED                                                                                     \
    {"x", "the input, of up to three dimensions behind N and C", "N C ...", R},                    \
        {"scale", "multiplies each channel", "C", R, .optional = true}, {                          \
        "bias", "is added to each channel", "C", R, .optional = true                               \
    }

const rp_composite rp_composites_spatial[] = {
    CONV("conv1d", "convolution of signals", "N C W", "M I K", "N M X"),
    CONV("conv2d", "convolution of images", "N C H W", "M I J K", "N M Y X"),
    CONV("conv3d", "convolution of volumes", "N C D H W", "M I J K L", "N M Z Y X"),
    TRANSPOSED("conv_transpose1d", "transposed convolution of signals", "N C W", "C I K", "N M X"),
    TRANSPOSED("conv_transpose2d", "transposed convolution of images", "N C H W", "C I J K",
               "N M Y X"),
    TRANSPOSED("conv_transpose3d", "transposed convolution of volumes", "N C D H W", "C I J K L",
               "N M Z Y X"),
    MAX_POOL("max_pool1d", "the largest elements of windows of signals", "N C W", "N C X"),
    MAX_POOL("max_pool2d", "the largest elements of windows of images", "N C H W", "N C Y X"),
    MAX_POOL("max_pool3d", "the largest elements of windows of volumes", "N C D H W", "N C Z Y X"),
    AVG_POOL("avg_pool1d", "means of windows of signals", "N C W", "N C X"),
    AVG_POOL("avg_pool2d", "means of windows of images", "N C H W", "N C Y X"),
    AVG_POOL("avg_pool3d", "means of windows of volumes", "N C D H W", "N C Z Y X"),
    GLOBAL("global_average_pool", "the mean of each channel of each image",
           "`row_mean`; with `channels_last` behind a `transpose`. As ONNX's GlobalAveragePool.",
           "the means"),
    GLOBAL("global_max_pool", "the largest element of each channel of each image",
           "`row_max`; with `channels_last` behind a `transpose`. As ONNX's GlobalMaxPool.",
           "the largest"),
    {.info.name = "batch_norm",
     .info.family = "spatial",
     .info.brief = "normalises channels by means and variances that are known",
     .notes = batch_notes,
     .operand_count = 6,
     .attr_count = 2,
     .operands = {SCALED,
                  {"mean", "of each channel", "C", R},
                  {"variance", "of each channel", "C", R},
                  {"out", "the result", "N C ...", W}},
     .attrs = {EPS, LAYOUT},
     .expand = rp_expand_batch_norm},
    {.info.name = "group_norm",
     .info.family = "spatial",
     .info.brief = "normalises groups of channels by their own means and variances",
     .notes = group_notes,
     .operand_count = 4,
     .attr_count = 3,
     .operands = {SCALED, {"out", "the result", "N C ...", W}},
     .attrs = {{.name = "groups",
                .brief = "how many",
                .kind = RP_ATTR_INTEGER,
                .required = true,
                .low = 1,
                .high = MOST},
               EPS,
               LAYOUT},
     .expand = rp_expand_group_norm},
    {.info.name = "instance_norm",
     .info.family = "spatial",
     .info.brief = "normalises each channel of each image by its own mean and variance",
     .notes = instance_notes,
     .operand_count = 4,
     .attr_count = 2,
     .operands = {SCALED, {"out", "the result", "N C ...", W}},
     .attrs = {EPS, LAYOUT},
     .expand = rp_expand_instance_norm},
    {.info.name = "pad",
     .info.family = "resample",
     .info.brief = "elements around a tensor",
     .notes = pad_notes,
     .operand_count = 2,
     .attr_count = 4,
     .operands = {{"x", "the input, of any dimensions", "...", R},
                  {"out", "the same with more", "...", W}},
     .attrs = {{.name = "pads",
                .brief = "elements in front of each axis and then behind each; one number: of all; "
                         "those below 0 "
                         "are cut off",
                .kind = RP_ATTR_LIST,
                .required = true,
                .low = -MOST,
                .high = MOST},
               CHOICE("mode", "constant|edge|reflect|wrap|symmetric", "what they are"),
               {.name = "value",
                .brief = "of constant",
                .kind = RP_ATTR_NUMBER,
                .low = -INFINITY,
                .high = INFINITY,
                .like = "x"},
               AXES},
     .expand = rp_expand_pad},
    {.info.name = "resize",
     .info.family = "resample",
     .info.brief = "a tensor at other places: larger or smaller images",
     .notes = resize_notes,
     .operand_count = 2,
     .attr_count = 9,
     .operands = {{"x", "the input, of any dimensions", "...", R},
                  {"out", "in another size", "...", W}},
     .attrs = {LIST("sizes", 1, "by `scales`", "of each axis"),
               {.name = "scales",
                .brief = "elements for each of x's along an axis; sizes are rounded down",
                .kind = RP_ATTR_NUMBERS,
                .low = 1e-9,
                .high = MOST,
                .choices = "by `sizes`"},
               CHOICE("mode", "nearest|linear|cubic", "what lies between elements"),
               CHOICE("coordinates",
                      "half_pixel|asymmetric|align_corners|pytorch_half_pixel|half_pixel_symmetric",
                      "where elements lie: ONNX's coordinate_transformation_mode"),
               CHOICE("rounding", "round_prefer_floor|round_prefer_ceil|floor|ceil",
                      "which element is the nearest: ONNX's nearest_mode"),
               {.name = "cubic_coeff_a",
                .brief = "of the cubic",
                .kind = RP_ATTR_NUMBER,
                .fallback = -0.75,
                .low = -8,
                .high = 8},
               FLAG("exclude_outside",
                    "1: what is beyond the ends has no weight, in a cubic and with antialias"),
               AXES,
               FLAG("antialias", "1: where x becomes smaller sums leave nothing out")},
     .expand = rp_expand_resize},
};

const uint32_t rp_composites_spatial_count =
    sizeof rp_composites_spatial / sizeof *rp_composites_spatial;
