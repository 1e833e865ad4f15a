/* Family resample: one axis of a tensor made longer or shorter, by what lies beyond its ends or between its
 * elements.
 *
 * Both ops are of one axis; several in a row are all that padding and resizing in more dimensions are, as
 * both treat each axis by itself. They are pointwise, so such a chain is one kernel, and so is what reads it.
 *
 * Where an element of a resized axis lies among those of the given one is a fraction of whole numbers,
 * whatever the mode of coordinates: (y * S + T) / U - 1. The rule works S, T and U out, and kernels divide
 * integers: no rounding decides which element is the nearest. A scale that is given is taken for the
 * simplest fraction that is this number in f32. */
#include <math.h>

#include "base/checked.h"
#include "ops/moves.h"
#include "ops/tables.h"

enum { LIMIT = 1 << 30 };

/* ---- Padding --------------------------------------------------------------------------------- */

enum { BEFORE, AFTER, PAD_MODE, PAD_VALUE };
enum { CONSTANT };

static bool rule_pad(rp_op_call *call) {
    uint64_t size = rp_sym(call, 'X');
    uint64_t padded = size + (uint64_t)call->attrs[BEFORE] + (uint64_t)call->attrs[AFTER];
    bool constant = call->attrs[PAD_MODE] == CONSTANT;
    if (padded > LIMIT)
        return rp_op_fail(call, "the axis would have %llu elements; at most %d are possible",
                          (unsigned long long)padded, LIMIT);
    rp_op_bind(call, 'Y', padded);
    /* Zeros can come from nowhere; another number cannot. */
    rp_op_bind(call, 'G', constant && !(call->attrs[PAD_VALUE] == 0) ? 1 : rp_sym(call, 'C'));
    return rp_op_same_class(call, 0, 1);
}

/* ---- Resizing -------------------------------------------------------------------------------- */

enum { SIZE, SCALE, MODE, COORDINATES, ANTIALIAS = 7 };
enum { NEAREST, LINEAR, CUBIC };
enum { HALF_PIXEL, ASYMMETRIC, ALIGN_CORNERS, PYTORCH_HALF_PIXEL, HALF_PIXEL_SYMMETRIC };

typedef struct fraction {
    uint64_t over, under;
} fraction;

static fraction reduced(uint64_t over, uint64_t under) {
    uint64_t common = rp_common_divisor(over, under);
    return (fraction){over / common, under / common};
}

/* The fraction of the least numbers that is a scale when rounded to f32, by its continued fraction. False
 * where they would be too large to count with. */
static bool simplest(double scale, fraction *out) {
    uint64_t over[2] = {1, 0}, under[2] = {0, 1};
    float wanted = (float)scale;
    double rest = wanted;
    for (uint32_t i = 0; i < 40; i++) {
        double whole = floor(rest);
        if (whole > LIMIT) return false;
        const uint64_t next_over = (uint64_t)whole * over[0] + over[1];
        const uint64_t next_under = (uint64_t)whole * under[0] + under[1];
        if (next_over > LIMIT || next_under > LIMIT) return false;
        over[1] = over[0], over[0] = next_over;
        under[1] = under[0], under[0] = next_under;
        *out = (fraction){next_over, next_under};
        if ((float)((double)next_over / (double)next_under) == wanted) return next_over > 0;
        if (rest == whole) return false;
        rest = 1 / (rest - whole);
    }
    return false;
}

/* Binds Y from the scale where no size was given; *out: how many elements are made of one. */
static bool read_scale(rp_op_call *call, fraction *out) {
    uint64_t size = rp_sym(call, 'X'), made = rp_sym(call, 'Y');
    double scale = call->attrs[SCALE];
    if (scale == 0 && made == 0 && !rp_op_is_bound(call, 'Y'))
        return rp_op_fail(call, "neither a size nor a scale is given");
    if (size > LIMIT || made > LIMIT)
        return rp_op_fail(call, "the axis has more than %d elements", LIMIT);
    if (size == 0 && !call->asked)
        return rp_op_fail(call, "the axis of x has no elements to make others of");
    *out = reduced(made ? made : 1, size ? size : 1);
    if (scale == 0) return true;
    if (!simplest(scale, out))
        return rp_op_fail(call, "attribute scale is %.9g: it is no fraction of numbers below 2^30",
                          scale);
    if (made) return true;
    made = size * out->over / out->under;
    if ((made < 1 && !call->asked) || made > LIMIT)
        return rp_op_fail(call, "a scale of %.9g makes %llu elements of %llu, expected 1 to %d",
                          scale, (unsigned long long)made, (unsigned long long)size, LIMIT);
    rp_op_bind(call, 'Y', made);
    return true;
}

/* Binds S, T and U from a place (y * step + first) / parts, which may be negative, but not by a whole element
 * or more. */
static bool bind_places(rp_op_call *call, int64_t step, int64_t first, int64_t parts) {
    int64_t last = (int64_t)rp_sym(call, 'Y') - 1;
    if (first <= -parts)
        return rp_op_fail(call, "with this scale the first element lies before all of x");
    /* Each is below 2^62, as all that they are made of is below 2^30. */
    if (parts > INT32_MAX / 2 || step > INT32_MAX || first > INT32_MAX ||
        last * step + first + parts > UINT32_MAX)
        return rp_op_fail(call, "places between %llu and %llu elements are too many to count",
                          (unsigned long long)rp_sym(call, 'X'),
                          (unsigned long long)rp_sym(call, 'Y'));
    rp_op_bind(call, 'S', (uint64_t)step);
    rp_op_bind(call, 'T', (uint64_t)(first + parts));
    rp_op_bind(call, 'U', (uint64_t)parts);
    return true;
}

/* The same of sizes that vary, where nothing else is given: not in the lowest terms, but the sizes themselves, of
 * which the first place is a sum. */
static void count_places(rp_op_call *call) {
    uint64_t x = rp_sym(call, 'X'), y = rp_sym(call, 'Y');
    bool half = call->attrs[COORDINATES] != ASYMMETRIC;
    rp_op_bind(call, 'A', y);
    rp_op_bind(call, 'B', x);
    rp_op_bind(call, 'S', half ? 2 * x : x);
    rp_op_bind(call, 'U', half ? 2 * y : y);
    rp_op_bind_count(call, 'T', "Y", 1, 1);
    if (half) rp_op_count_more(call, 'T', 'X');
}

static bool counts_places(const rp_op_call *call) {
    int how = (int)call->attrs[COORDINATES];
    return call->attrs[SCALE] == 0 && (call->asked || rp_op_is_sized(call)) &&
           (how == HALF_PIXEL || how == HALF_PIXEL_SYMMETRIC || how == ASYMMETRIC);
}

/* With a scale of over / under, from the coordinates of ONNX's Resize times 2 * over. */
static bool place(rp_op_call *call, fraction scale) {
    int64_t x = (int64_t)rp_sym(call, 'X'), y = (int64_t)rp_sym(call, 'Y');
    int64_t over = (int64_t)scale.over, under = (int64_t)scale.under;
    switch ((int)call->attrs[COORDINATES]) {
    case ASYMMETRIC: return bind_places(call, under, 0, over);
    case ALIGN_CORNERS: {
        if (y == 1 || x == 1) return bind_places(call, 1, 0, 1); /* all are the first */
        fraction steps = reduced((uint64_t)(x - 1), (uint64_t)(y - 1));
        return bind_places(call, (int64_t)steps.over, 0, (int64_t)steps.under);
    }
    case PYTORCH_HALF_PIXEL:
        if (y == 1) return bind_places(call, 1, 0, 1);
        break;
    case HALF_PIXEL_SYMMETRIC: /* y / (scale * x) is 1 where the scale is that of the sizes */
        return bind_places(call, 2 * under, under - over + x * over - y * under, 2 * over);
    default: break;
    }
    return bind_places(call, 2 * under, under - over, 2 * over);
}

/* Binds A and B, elements of out for those of x, and L, elements that one of out is made of at the most. Only a filter
 * is as wide as what it leaves out. */
static bool bind_filter(rp_op_call *call, fraction scale) {
    static const uint64_t elements[] = {[NEAREST] = 1, [LINEAR] = 2, [CUBIC] = 4};
    uint64_t most = elements[(uint32_t)call->attrs[MODE]];
    bool filter = call->attrs[ANTIALIAS] != 0 && call->attrs[MODE] != NEAREST;
    if (filter && scale.under > scale.over)
        most = (most * scale.under + scale.over - 1) / scale.over + 1;
    rp_op_bind(call, 'A', scale.over);
    rp_op_bind(call, 'B', scale.under);
    rp_op_bind(call, 'L', most);
    return true;
}

static bool rule_resize(rp_op_call *call) {
    uint8_t x = call->operands[0].dtype;
    fraction scale = {1, 1};
    if (call->attrs[MODE] != NEAREST && !(RP_DT_FLOAT >> x & 1))
        return rp_op_fail(call, "x is %s, expected a float: nothing lies between other elements",
                          rp_dtype_name(x));
    if (!read_scale(call, &scale) || !place(call, scale) || !bind_filter(call, scale)) return false;
    if (counts_places(call)) count_places(call);
    rp_op_bind(call, 'G', call->attrs[MODE] == NEAREST ? rp_sym(call, 'C') : 1);
    return rp_op_same_class(call, 0, 1);
}

/* ---- The table ------------------------------------------------------------------------------- */

/* What resizing computes with it converts; the others move elements. */
#define AXIS(brief_, dtypes_)                                                                      \
    { .name = "x", .brief = brief_, .shape = "*R X C", .dtypes = dtypes_ }
#define OUT(brief_, dtypes_)                                                                       \
    {                                                                                              \
        .name = "out", .brief = brief_, .shape = "*R Y C", .dtypes = dtypes_, .access = RP_WRITE,  \
        .like = "x"                                                                                \
    }

const rp_op rp_ops_resample[] = {
    {
        .name = "pad_axis",
        .family = "resample",
        .brief = "elements in front of an axis and behind it",
        .notes = "Along the dimension before the last, of rows of C elements: out[r, y, c] is x[r, "
                 "y - before, c] "
                 "where that is, else `value`; the element at that end (`edge`); or what lies "
                 "there when x goes on "
                 "for ever, mirrored at its last element (`reflect`) or behind it (`symmetric`), "
                 "or from its start "
                 "again (`wrap`), as in NumPy's pad. Elements are moved as they are. `pad` is this "
                 "for several axes.",
        .form = RP_OP_POINTWISE,
        .text = 50,
        .together = 'G',
        .outside = true,
        .operand_count = 2,
        .attr_count = 4,
        .operands = {AXIS("what is padded", RP_DT_ANY), OUT("the same with more", RP_DT_ANY)},
        .attrs =
            {{.name = "before",
              .brief = "elements in front",
              .kind = RP_ATTR_INTEGER,
              .high = LIMIT},
             {.name = "after", .brief = "elements behind", .kind = RP_ATTR_INTEGER, .high = LIMIT},
             {.name = "mode",
              .brief = "what they are",
              .kind = RP_ATTR_CHOICE,
              .choices = "constant|edge|reflect|wrap|symmetric"},
             {.name = "value",
              .brief = "of constant",
              .kind = RP_ATTR_NUMBER,
              .low = -INFINITY,
              .high = INFINITY,
              .like = "x"}},
        .rule = rule_pad,
    },
    {
        .name = "resize_axis",
        .family = "resample",
        .brief = "elements of an axis and between them, at equal distances",
        .notes =
            "Along the dimension before the last, of rows of C elements: out[r, y, c] is what x[r, "
            ":, c] is at "
            "coordinate p(y): with a scale s, which is Y / X unless it is given, (y + 0.5) / s - "
            "0.5 "
            "(half_pixel), y / s (asymmetric), y * (X - 1) / (Y - 1) (align_corners), half_pixel "
            "but 0 where Y is "
            "1 (pytorch_half_pixel), or half_pixel about the middle of what a given scale makes "
            "(half_pixel_symmetric). That is the nearest element, by `rounding`; or a sum of the "
            "two around it "
            "by their distances, or of four by the cubic of Keys. Beyond the ends the last element "
            "goes on, or "
            "with `exclude_outside` a cubic leaves out what is not there and its weights are "
            "scaled to 1. "
            "With `antialias` a sum that makes x smaller leaves nothing out: it is of all elements "
            "around p(y), weighed by their distances times s, with weights that are scaled to 1; "
            "`exclude_outside` is for all of these. Coordinates are exact. What has no weight is "
            "not looked at. Elements are moved as "
            "they are by "
            "`nearest`; sums are made in f32 with fma. As in ONNX's Resize; `resize` is this for "
            "several axes.",
        .form = RP_OP_POINTWISE,
        .text = 140,
        .together = 'G',
        .operand_count = 2,
        .attr_count = 8,
        .operands = {{.name = "x",
                      .brief = "what is resized",
                      .shape = "*R X C",
                      .dtypes = RP_DT_ANY,
                      .sites = 6,
                      .reads = "RYCL"},
                     OUT("in another size", RP_DT_ANY)},
        .attrs = {{.name = "size",
                   .brief = "of the axis, Y; 0: by the scale, rounded down",
                   .kind = RP_ATTR_INTEGER,
                   .symbol = 'Y',
                   .shown = true,
                   .high = LIMIT},
                  {.name = "scale",
                   .brief = "elements for each of x's; 0: by the sizes",
                   .kind = RP_ATTR_NUMBER,
                   .high = LIMIT},
                  {.name = "mode",
                   .brief = "what lies between elements",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "nearest|linear|cubic"},
                  {.name = "coordinates",
                   .brief = "where elements lie",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "half_pixel|asymmetric|align_corners|pytorch_half_pixel|"
                              "half_pixel_symmetric"},
                  {.name = "rounding",
                   .brief = "which element is the nearest",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "round_prefer_floor|round_prefer_ceil|floor|ceil"},
                  {.name = "cubic_coeff_a",
                   .brief = "of the cubic",
                   .kind = RP_ATTR_NUMBER,
                   .fallback = -0.75,
                   .low = -8,
                   .high = 8},
                  {.name = "exclude_outside",
                   .brief =
                       "1: what is beyond the ends has no weight, in a cubic and with antialias",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1},
                  {.name = "antialias",
                   .brief = "1: sums that make x smaller are of all that they would leave out",
                   .kind = RP_ATTR_INTEGER,
                   .high = 1}},
        .length = "L",
        .flops = 6,
        .rule = rule_resize,
    },
};

const uint32_t rp_ops_resample_count = sizeof rp_ops_resample / sizeof *rp_ops_resample;
