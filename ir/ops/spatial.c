/* Family spatial: ops over grids of up to three dimensions, an element of which has channels.
 *
 * All are pointwise: what an element of the result is made of follows from its index. `unfold` writes
 * down what a window sees, so that a convolution is a product of matrices and is computed by whatever
 * matmul is: in front of one it is never in memory, its kernel asks for windows where they are
 * multiplied. `fold` is the reverse, adding up what windows that meet have made of an element: behind a
 * product, a transposed convolution. Where a window sees few channels a product would multiply mostly
 * nothing, and `conv_direct` gives each result a thread. Pooling goes over the same windows. `pad_axis` and
 * `resize_axis` are of one dimension at a time: several in a row fuse, and say the same.
 *
 * Why not a kernel of its own for convolutions: what it would gain, shared windows in shared memory, is what
 * caches do for gathers; what it would lose is every tile, matrix unit and dtype that products have.
 *
 * A grid has three dimensions here, those that it lacks being 1; channels stand in front of them or
 * behind. Its operand's pattern has letters for places, P Q R S, and the rule gives them their meaning:
 * C channels, D H W the grid, X Y Z windows along each, I J K what a window has, T in all. */
#include <math.h>

#include "base/checked.h"
#include "ops/moves.h"
#include "ops/tables.h"

enum { LIMIT = 1 << 30 }; /* of a grid with its padding, so that 32 bits count below 0, too */

/* Where attributes stand: those of all windows, and behind them those of each op. */
enum { STRIDE = 0, DILATION = 3, PAD = 6, LAST = 9, PAD_END = 10, KERNEL = 13, CEIL = 16 };
enum { FOLD_KERNEL = 10 };
enum { CONV_GROUPS = 13 };

static uint64_t attr(const rp_op_call *call, uint32_t index) {
    return (uint64_t)call->attrs[index];
}

/* ---- Grids ----------------------------------------------------------------------------------- */

/* Binds C and three symbols of the grid from four dimensions as they lie. */
static void read_grid(rp_op_call *call, const char places[4], char channels, const char grid[3]) {
    bool last = call->attrs[LAST] != 0;
    rp_op_bind(call, channels, rp_sym(call, places[last ? 3 : 0]));
    for (uint32_t i = 0; i < 3; i++)
        rp_op_bind(call, grid[i], rp_sym(call, places[last ? i : i + 1]));
}

/* The reverse: A B E F as they lie. */
static void lay_grid(rp_op_call *call, uint64_t channels, const char grid[3]) {
    bool last = call->attrs[LAST] != 0;
    rp_op_bind(call, last ? 'F' : 'A', channels);
    for (uint32_t i = 0; i < 3; i++)
        rp_op_bind(call, "ABEF"[last ? i : i + 1], rp_sym(call, grid[i]));
}

static const char *const axes[] = {"d", "h", "w"};

/* What a window spans along an axis. */
static uint64_t extent(const rp_op_call *call, uint32_t axis) {
    uint64_t taps = rp_sym(call, "IJK"[axis]);
    return (taps - 1) * attr(call, DILATION + axis) + 1;
}

/* Binds T, what a window has in all. */
static bool count_taps(rp_op_call *call) {
    uint64_t taps = 1;
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t along = rp_sym(call, "IJK"[i]);
        if (along == 0) return rp_op_fail(call, "the window has no elements along %s", axes[i]);
        if (along > LIMIT || (along - 1) * attr(call, DILATION + i) >= LIMIT)
            return rp_op_fail(call, "the window spans more than %d elements along %s", LIMIT,
                              axes[i]);
        if (!rp_mul_u64(taps, along, &taps) || taps > RP_OP_MAX_ELEMENTS)
            return rp_op_fail(call, "the window has too many elements");
    }
    rp_op_bind(call, 'T', taps);
    return true;
}

static bool read_kernel(rp_op_call *call, uint32_t first) {
    for (uint32_t i = 0; i < 3; i++) rp_op_bind(call, "IJK"[i], attr(call, first + i));
    return count_taps(call);
}

/* Binds X Y Z. The last window begins within the grid or its padding in front, also where sizes are
 * rounded up. */
static bool count_windows(rp_op_call *call, bool ceil) {
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t size = rp_sym(call, "DHW"[i]), front = attr(call, PAD + i);
        uint64_t padded = size + front + attr(call, PAD_END + i), spans = extent(call, i);
        uint64_t stride = attr(call, STRIDE + i);
        if (padded > LIMIT)
            return rp_op_fail(call,
                              "the grid has %llu elements along %s with its padding; at most "
                              "%d are possible",
                              (unsigned long long)padded, axes[i], LIMIT);
        if (spans > padded && call->asked) {
            rp_op_bind(call, "XYZ"[i], 0); /* of sizes so small there are none */
            continue;
        }
        if (spans > padded)
            return rp_op_fail(call,
                              "the window spans %llu elements along %s, and the grid has %llu "
                              "with its padding",
                              (unsigned long long)spans, axes[i], (unsigned long long)padded);
        uint64_t steps = (padded - spans + (ceil ? stride - 1 : 0)) / stride;
        if (ceil && steps * stride >= size + front) steps--;
        rp_op_bind(call, "XYZ"[i], steps + 1);
    }
    return true;
}

static bool rule_windows(rp_op_call *call, bool ceil) {
    read_grid(call, "PQRS", 'C', "DHW");
    return read_kernel(call, KERNEL) && count_windows(call, ceil);
}

/* ---- Rules ----------------------------------------------------------------------------------- */

static bool rule_unfold(rp_op_call *call) {
    uint64_t seen;
    if (!rule_windows(call, false)) return false;
    if (!rp_mul_u64(rp_sym(call, 'C'), rp_sym(call, 'T'), &seen))
        return rp_op_fail(call, "the windows have too many elements");
    lay_grid(call, seen, "XYZ");
    rp_op_bind(call, 'G', call->attrs[LAST] != 0 ? rp_sym(call, 'C') : 1);
    uint8_t x = call->operands[0].dtype, out = call->operands[1].dtype;
    bool floats = rp_op_is_in(x, RP_DT_FLOAT) && rp_op_is_in(out, RP_DT_FLOAT);
    if (out == RP_RAW || x == out || floats) return true;
    return rp_op_fail(call, "x is %s and out is %s; they must be the same, or both floats",
                      rp_dtype_name(x), rp_dtype_name(out));
}

static bool rule_fold(rp_op_call *call) {
    read_grid(call, "PQRS", 'U', "XYZ");
    if (!read_kernel(call, FOLD_KERNEL)) return false;
    uint64_t seen = rp_sym(call, 'U'), taps = rp_sym(call, 'T');
    if (seen % taps != 0)
        return rp_op_fail(call, "x has %llu channels, no multiple of the window's %llu elements",
                          (unsigned long long)seen, (unsigned long long)taps);
    rp_op_bind(call, 'C', seen / taps);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t rank = call->operands[1].rank, place = rank - 3 + i - (call->attrs[LAST] != 0);
        if (!rp_op_bind_shown(call, "DHW"[i], 1, place)) return false;
        uint64_t size = rp_sym(call, "DHW"[i]), front = attr(call, PAD + i);
        uint64_t windows = rp_sym(call, "XYZ"[i]);
        uint64_t spans = windows ? (windows - 1) * attr(call, STRIDE + i) + extent(call, i) : 0;
        if (size + front > LIMIT || spans > LIMIT)
            return rp_op_fail(call, "the grid has more than %d elements along %s with its padding",
                              LIMIT, axes[i]);
    }
    lay_grid(call, seen / taps, "DHW");
    return rp_op_same_class(call, 0, 1);
}

/* Floats with floats, or i8 with i8 into i32. */
static bool check_classes(rp_op_call *call) {
    uint8_t x = call->operands[0].dtype, w = call->operands[1].dtype, out = call->operands[2].dtype;
    if ((x == RP_I8) != (w == RP_I8))
        return rp_op_fail(call, "x is %s and weight is %s; i8 is multiplied with i8",
                          rp_dtype_name(x), rp_dtype_name(w));
    if (out != RP_RAW && (x == RP_I8) != (out == RP_I32))
        return rp_op_fail(call, "out is %s, expected %s", rp_dtype_name(out),
                          x == RP_I8 ? "i32: products of i8 are" : "a float, as x is");
    return true;
}

static bool rule_conv_direct(rp_op_call *call) {
    if (!check_classes(call)) return false;
    read_grid(call, "PQRS", 'C', "DHW");
    read_grid(call, "ABEF", 'U', "IJK"); /* of the weight; out's are bound below */
    uint64_t groups = attr(call, CONV_GROUPS), channels = rp_sym(call, 'C');
    uint64_t made = rp_sym(call, 'M'), each = rp_sym(call, 'U');
    if (channels != each * groups)
        return rp_op_fail(
            call, "x has %llu channels, and weight takes %llu for each of %llu groups",
            (unsigned long long)channels, (unsigned long long)each, (unsigned long long)groups);
    if (made % groups != 0)
        return rp_op_fail(call, "weight makes %llu channels, no multiple of %llu groups",
                          (unsigned long long)made, (unsigned long long)groups);
    if (!count_taps(call) || !count_windows(call, false)) return false;
    rp_op_bind(call, 'V', made / groups);
    lay_grid(call, made, "XYZ");
    return true;
}

static bool rule_pool(rp_op_call *call) {
    if (!rule_windows(call, call->attrs[CEIL] != 0)) return false;
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t most = attr(call, PAD + i), end = attr(call, PAD_END + i);
        if (end > most) most = end;
        if (most >= extent(call, i))
            return rp_op_fail(call,
                              "the grid is padded by %llu elements along %s, of which the "
                              "window spans %llu: it would see nothing else",
                              (unsigned long long)most, axes[i],
                              (unsigned long long)extent(call, i));
    }
    lay_grid(call, rp_sym(call, 'C'), "XYZ");
    return true;
}

static bool rule_pool_max(rp_op_call *call) {
    uint8_t x = call->operands[0].dtype, out = call->operands[1].dtype;
    bool floats = rp_op_is_in(x, RP_DT_FLOAT) && rp_op_is_in(out, RP_DT_FLOAT);
    if (out != RP_RAW && x != out && !floats)
        return rp_op_fail(call, "x is %s and out is %s; they must be the same, or both floats",
                          rp_dtype_name(x), rp_dtype_name(out));
    return rule_pool(call);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define INTEGER(name_, fallback_, low_, brief_)                                                    \
    {                                                                                              \
        .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .fallback = fallback_,            \
        .low = low_, .high = LIMIT                                                                 \
    }
#define ALONG(name_, fallback_, low_, brief_)                                                      \
    INTEGER(name_ "_d", fallback_, low_, brief_), INTEGER(name_ "_h", fallback_, low_, brief_),    \
        INTEGER(name_ "_w", fallback_, low_, brief_)
#define FLAG(name_, brief_)                                                                        \
    { .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .high = 1 }
#define WINDOWS                                                                                    \
    ALONG("stride", 1, 1, "from a window to the next"),                                            \
        ALONG("dilation", 1, 1, "from an element of a window to the next"),                        \
        ALONG("pad", 0, 0, "elements in front of the grid"),                                       \
        FLAG("channels_last", "1: channels stand behind the grid, [..., D, H, W, C]")
#define PAD_ENDS ALONG("pad_end", 0, 0, "elements behind it")
#define KERNELS ALONG("kernel", 1, 1, "elements of a window")
#define GRID "*N P Q R S"
#define OUT(brief_, dtypes_, like_)                                                                \
    {                                                                                              \
        .name = "out", .brief = brief_, .shape = "*N A B E F", .dtypes = dtypes_,                  \
        .access = RP_WRITE, .like = like_                                                          \
    }

enum {
    DT_POOLED = RP_DT_NUMBER & ~(uint32_t)RP_DT(RP_BOOL),
    DT_FOLDED = RP_DT_FLOAT | RP_DT_INDEX | RP_DT_LONG,
};

#define SIZE(NAME, SYMBOL)                                                                         \
    {                                                                                              \
        .name = NAME, .brief = "of the grid; 0: as out has", .kind = RP_ATTR_INTEGER,              \
        .symbol = SYMBOL, .shown = true, .fallback = 1, .high = LIMIT                              \
    }

const rp_op rp_ops_spatial[] = {
    {
        .name = "unfold",
        .family = "spatial",
        .brief = "what each window of a grid sees, beside one another",
        .notes =
            "x is [..., C, D, H, W], and out [..., C * T, X, Y, Z]: channel c * T + t at a window "
            "is what "
            "its element t sees of channel c, 0 in the padding. With `channels_last` x is [..., D, "
            "H, W, "
            "C] and out [..., X, Y, Z, T * C]. Window p begins at p * stride - pad. PyTorch's "
            "unfold, "
            "im2col elsewhere: times a weight it is a convolution. Elements are moved as they are.",
        .form = RP_OP_POINTWISE,
        .text = 60,
        .together = 'G',
        .outside = true,
        .operand_count = 2,
        .attr_count = 16,
        .operands =
            {{.name = "x", .brief = "the grid", .shape = GRID, .dtypes = RP_DT_ANY, .sites = 2},
             OUT("what the windows see", RP_DT_ANY, "x")},
        .attrs = {WINDOWS, PAD_ENDS, KERNELS},
        .rule = rule_unfold,
    },
    {
        .name = "fold",
        .family = "spatial",
        .brief = "adds up what windows of a grid have for each of its elements",
        .notes = "The reverse of unfold: x is [..., C * T, X, Y, Z], out [..., C, D, H, W], and an "
                 "element of "
                 "out is the sum of all of x that unfold would have taken from there, 0 where that "
                 "is nothing. "
                 "With `channels_last` x is [..., X, Y, Z, T * C] and out [..., D, H, W, C]. Added "
                 "up in f32, integers as such (they wrap), "
                 "in the order of the window's elements. PyTorch's fold, col2im elsewhere: behind "
                 "a product it "
                 "is a transposed convolution.",
        .form = RP_OP_POINTWISE,
        .text = 160,
        .operand_count = 2,
        .attr_count = 16,
        .operands = {{.name = "x",
                      .brief = "what the windows have",
                      .shape = GRID,
                      .dtypes = DT_FOLDED,
                      .reads = "NPQRS"},
                     OUT("the grid", DT_FOLDED, "x")},
        .attrs = {WINDOWS, KERNELS, SIZE("size_d", 'D'), SIZE("size_h", 'H'), SIZE("size_w", 'W')},
        .length = "T",
        .flops = 1,
        .rule = rule_fold,
    },
    {
        .name = "conv_direct",
        .family = "spatial",
        .brief = "convolution with a thread for each result: for windows that see few channels",
        .notes = "x is [..., C, D, H, W], weight [M, C / groups, I, J, K], out [..., M, X, Y, Z]: "
                 "the sum over "
                 "the channels of a result's group and the elements of its window of x times "
                 "weight, as in ONNX "
                 "(no kernel is turned). With `channels_last` x is [..., D, H, W, C], weight [M, "
                 "I, J, K, C / "
                 "groups] and out [..., X, Y, Z, M]. The padding is 0 and is not multiplied. Added "
                 "up in f32 "
                 "with fma, the elements of a window in their order and for each the channels. "
                 "Products of i8 "
                 "are i32, modulo 2^32. `conv2d` and its like choose between this and a product.",
        .form = RP_OP_POINTWISE,
        .text = 220,
        .operand_count = 3,
        .attr_count = 14,
        .operands = {{.name = "x",
                      .brief = "the grid",
                      .shape = GRID,
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_I8),
                      .reads = "NMXYZUT"},
                     {.name = "weight",
                      .brief = "a window for each channel of the result",
                      .shape = "M A B E F",
                      .dtypes = RP_DT_FLOAT | RP_DT(RP_I8),
                      .reads = "NMXYZUT"},
                     OUT("the sums", RP_DT_FLOAT | RP_DT(RP_I32), "x")},
        .attrs = {WINDOWS, PAD_ENDS, INTEGER("groups", 1, 1, "of channels that meet")},
        .length = "UT",
        .flops = 2,
        .rule = rule_conv_direct,
    },
    {
        .name = "pool_max",
        .family = "spatial",
        .brief = "the largest element that each window of a grid sees",
        .notes =
            "For each channel by itself; the padding is never the largest. With `ceil_mode` a last "
            "window may reach beyond the padding, as long as it begins in front of its end. NaN is "
            "skipped; a window of NaN alone gives -inf. Exact. `max_pool2d` and its like are this.",
        .form = RP_OP_POINTWISE,
        .text = 150,
        .operand_count = 2,
        .attr_count = 17,
        .operands = {{.name = "x",
                      .brief = "the grid",
                      .shape = GRID,
                      .dtypes = DT_POOLED,
                      .reads = "NCXYZT"},
                     OUT("the largest", DT_POOLED, "x")},
        .attrs = {WINDOWS, PAD_ENDS, KERNELS, FLAG("ceil_mode", "1: sizes are rounded up")},
        .length = "T",
        .flops = 1,
        .rule = rule_pool_max,
    },
    {
        .name = "pool_argmax",
        .family = "spatial",
        .brief = "where each window of a grid sees its largest element",
        .notes =
            "The element's index in all of x, the first of several; with `of` its index in its "
            "channel's grid. As pool_max takes it; of NaN alone 0xffffffff. ONNX's Indices, with "
            "`plane` those of PyTorch.",
        .form = RP_OP_POINTWISE,
        .text = 170,
        .operand_count = 2,
        .attr_count = 18,
        .operands = {{.name = "x",
                      .brief = "the grid",
                      .shape = GRID,
                      .dtypes = DT_POOLED,
                      .reads = "NCXYZT"},
                     OUT("indices", RP_DT(RP_U32), NULL)},
        .attrs = {WINDOWS,
                  PAD_ENDS,
                  KERNELS,
                  FLAG("ceil_mode", "1: sizes are rounded up"),
                  {.name = "of",
                   .brief = "what is counted through",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "tensor|plane"}},
        .length = "T",
        .flops = 1,
        .rule = rule_pool,
    },
    {
        .name = "pool_average",
        .family = "spatial",
        .brief = "the mean of what each window of a grid sees",
        .notes = "For each channel by itself: the sum in f32, in order, divided by how many "
                 "elements of the "
                 "window lie in the grid, or with `count_include_pad` in the grid or its padding; "
                 "0 where "
                 "that is none. What reaches beyond the padding, with `ceil_mode`, is not counted. "
                 "`avg_pool2d` and its like are this.",
        .form = RP_OP_POINTWISE,
        .text = 170,
        .operand_count = 2,
        .attr_count = 18,
        .operands = {{.name = "x",
                      .brief = "the grid",
                      .shape = GRID,
                      .dtypes = RP_DT_FLOAT,
                      .taken = DT_POOLED & ~(uint32_t)RP_DT_FLOAT,
                      .reads = "NCXYZT"},
                     OUT("the means", RP_DT_FLOAT, "x")},
        .attrs = {WINDOWS, PAD_ENDS, KERNELS, FLAG("ceil_mode", "1: sizes are rounded up"),
                  FLAG("count_include_pad", "1: the padding counts, as zeros")},
        .length = "T",
        .flops = 1,
        .rule = rule_pool,
    },
};

const uint32_t rp_ops_spatial_count = sizeof rp_ops_spatial / sizeof *rp_ops_spatial;
