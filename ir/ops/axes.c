/* Family axes: ops along any dimension of a tensor, and on its diagonals.
 *
 * A dimension with number `axis` makes three of any number: A elements in front of it, B along it, C
 * behind. Every op here sees its operands so, and binds these symbols by its rule, from the shape that
 * the operand really has: patterns of symbols know leading dimensions by their product alone.
 *
 * What moves elements is pointwise, an output element being one element of the input, so it costs
 * nothing in front of another op. One index formula serves flip, roll, tile and slices with steps:
 * (start + step * j) mod B; composites (compiler/composite/axes.c) name its uses, and chain it for
 * several axes, which fuse. */
#include "base/checked.h"
#include "ops/moves.h"
#include "ops/tables.h"

/* Numbers of elements, of which negative ones count from the end. */
/* ---- Shapes ---------------------------------------------------------------------------------- */

/* Dimension `axis` of a tensor with `more` dimensions beside its own, negative ones counted from the
 * end; RP_MAX_RANK after a message. A single element has one dimension. */
static uint32_t find_axis(rp_op_call *call, uint32_t operand, double axis, uint32_t more) {
    uint32_t rank = call->operands[operand].rank;
    int64_t at = (int64_t)axis;
    rank = (rank ? rank : more ? 0 : 1) + more;
    if (at < 0) at += rank;
    if (at >= 0 && at < rank) return (uint32_t)at;
    rp_op_fail(call, "axis is %d; %s has %u dimension%s: expected %d to %d", (int)axis,
               more ? "out" : rp_op_operand_name(call, operand), rank, rank == 1 ? "" : "s",
               -(int)rank, (int)rank - 1);
    return RP_MAX_RANK;
}

static uint64_t product(const rp_tensor *t, uint32_t from, uint32_t to) {
    uint64_t n = 1; /* of some dimensions of a tensor that was checked: no overflow */
    for (uint32_t i = from; i < to && i < t->rank; i++) n *= t->dims[i];
    return n;
}

/* Binds what stands in front of dimension `axis`, itself, and behind it. */
static void bind_around(rp_op_call *call, uint32_t operand, uint32_t axis, char front, char along,
                        char behind) {
    const rp_tensor *t = &call->operands[operand];
    rp_op_bind(call, front, product(t, 0, axis));
    if (along) rp_op_bind(call, along, axis < t->rank ? t->dims[axis] : 1);
    rp_op_bind(call, behind, product(t, axis + (along != 0), t->rank));
}

/* Gives an output its shape: fills it in where it is not known, else compares. Binds its pattern's
 * `symbol`, the number of elements. */
static bool give_shape(rp_op_call *call, uint32_t output, const rp_tensor *shape, char symbol) {
    rp_tensor *out = &call->operands[output];
    uint64_t n = 1;
    for (uint32_t i = 0; i < shape->rank; i++)
        if (!rp_mul_u64(n, shape->dims[i], &n) || n > RP_OP_MAX_ELEMENTS)
            return rp_op_fail(call, "%s would have more than %llu elements",
                              rp_op_operand_name(call, output),
                              (unsigned long long)RP_OP_MAX_ELEMENTS);
    rp_op_bind(call, symbol, n);
    if (out->absent) return true;
    if (out->rank == RP_OP_INFER) {
        out->rank = shape->rank;
        memcpy(out->dims, shape->dims, sizeof out->dims);
        return true;
    }
    if (rp_tensor_is_shaped(out, shape)) return true;
    char own[RP_TENSOR_TEXT], wanted[RP_TENSOR_TEXT];
    rp_tensor expected = *shape;
    expected.dtype = out->dtype;
    return rp_op_fail(call, "%s is %s, expected %s", rp_op_operand_name(call, output),
                      rp_tensor_text(own, out), rp_tensor_text(wanted, &expected));
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

/* S - 1 is where the range begins, counted from the end of the axis where it goes backwards, and D
 * the length of a step. G: elements that stay neighbours. Where ends move a range that begins before the first
 * element is not taken around them: it begins E elements before. */
static bool rule_take_range(rp_op_call *call) {
    enum { X, OUT };
    enum { AXIS, START, STEP, COUNT };
    uint32_t axis = find_axis(call, X, call->attrs[AXIS], 0);
    if (axis == RP_MAX_RANK) return false;
    int64_t start = (int64_t)call->attrs[START], step = (int64_t)call->attrs[STEP];
    uint64_t last;
    if (step == 0) return rp_op_fail(call, "step is 0; expected a step forwards or backwards");
    if (call->attrs[COUNT] == 0) rp_op_bind(call, 'J', 0);
    if (!rp_op_bind_shown(call, 'J', OUT, axis)) return false;
    uint64_t count = rp_sym(call, 'J');
    bind_around(call, X, axis, 'A', 'B', 'C');
    bool sized = call->asked || rp_op_is_sized(call);
    int64_t length = (int64_t)rp_sym(call, 'B'), first = step < 0 ? -start - 1 : start;
    if (!sized) first = length ? (first % length + length) % length : 0;
    uint64_t size = (uint64_t)(step < 0 ? -step : step), before = first < 0 ? (uint64_t)-first : 0;
    uint64_t behind = first < 0 ? (uint64_t)length : (uint64_t)first; /* at most */
    if (!rp_mul_u64(count ? count - 1 : 0, size, &last) || last + behind > UINT32_MAX)
        return rp_op_fail(call, "%llu steps of %lld are more than 2^32 elements",
                          (unsigned long long)count, (long long)step);
    rp_op_bind(call, 'S', first < 0 ? 1 : (uint64_t)first + 1);
    rp_op_bind(call, 'E', before);
    rp_op_bind(call, 'D', size);
    uint64_t together = rp_common_divisor(rp_common_divisor((uint64_t)length, count),
                                          before ? before : (uint64_t)first);
    rp_op_bind(call, 'G', (step == 1 ? together : 1) * rp_sym(call, 'C'));
    rp_tensor shape = call->operands[X];
    if (shape.rank == 0) shape.rank = 1;
    shape.dims[axis] = count;
    return give_shape(call, OUT, &shape, 'M') && rp_op_same_class(call, X, OUT);
}

/* ---- Diagonals ------------------------------------------------------------------------------- */

/* Diagonal k of a matrix is where column + V = row + U; V - 1 rows, or U - 1 columns, stand in front
 * of it. */
static void bind_diagonal(rp_op_call *call, uint32_t attr) {
    double k = call->attrs[attr];
    rp_op_bind(call, 'U', k > 0 ? (uint64_t)k + 1 : 1);
    rp_op_bind(call, 'V', k < 0 ? (uint64_t)-k + 1 : 1);
}

/* Beyond the matrix all diagonals are alike; those near one whose size varies stay what they are. */
static bool rule_triangle(rp_op_call *call) {
    enum { NEAR = 1 << 24 };
    bool sized = call->asked || rp_op_is_sized(call);
    bind_diagonal(call, 0);
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t beyond = rp_sym(call, "CR"[i]) + 1, least = sized && beyond < NEAR ? NEAR : beyond;
        if (rp_sym(call, "UV"[i]) > least) rp_op_bind(call, "UV"[i], beyond);
    }
    return rp_op_same_class(call, 0, 1);
}

static bool rule_diagonal(rp_op_call *call) {
    bind_diagonal(call, 0);
    uint64_t rows = rp_sym(call, 'R'), columns = rp_sym(call, 'C');
    uint64_t down = rp_sym(call, 'V') - 1, right = rp_sym(call, 'U') - 1;
    if (down >= rows || right >= columns)
        return rp_op_fail(call, "k is %d; matrices of %llu x %llu have no such diagonal",
                          (int)call->attrs[0], (unsigned long long)rows,
                          (unsigned long long)columns);
    uint64_t tall = rows - down, wide = columns - right;
    rp_op_bind(call, 'L', tall < wide ? tall : wide);
    return rp_op_same_class(call, 0, 1);
}

static bool rule_diag(rp_op_call *call) {
    bind_diagonal(call, 0);
    rp_op_bind(call, 'M', rp_sym(call, 'N') + rp_sym(call, 'U') + rp_sym(call, 'V') - 2);
    return rp_op_same_class(call, 0, 1);
}

/* ---- By numbers ------------------------------------------------------------------------------ */

static bool rule_take(rp_op_call *call) {
    enum { X, IDS, OUT };
    const rp_tensor *x = &call->operands[X], *ids = &call->operands[IDS];
    uint32_t axis = find_axis(call, X, call->attrs[0], 0);
    if (axis == RP_MAX_RANK) return false;
    bind_around(call, X, axis, 'A', 'B', 'C');
    rp_tensor shape = {.dtype = x->dtype};
    if ((x->rank ? x->rank - 1u : 0u) + ids->rank > RP_MAX_RANK)
        return rp_op_fail(call, "out would have more than %d dimensions", RP_MAX_RANK);
    for (uint32_t i = 0; i < axis; i++) shape.dims[shape.rank++] = x->dims[i];
    for (uint32_t i = 0; i < ids->rank; i++) shape.dims[shape.rank++] = ids->dims[i];
    for (uint32_t i = axis + 1; i < x->rank; i++) shape.dims[shape.rank++] = x->dims[i];
    return give_shape(call, OUT, &shape, 'M') && rp_op_same_class(call, X, OUT);
}

/* The indices have x's shape but for the axis. */
static bool rule_take_along_axis(rp_op_call *call) {
    enum { X, INDICES, OUT };
    const rp_tensor *x = &call->operands[X], *indices = &call->operands[INDICES];
    uint32_t axis = find_axis(call, X, call->attrs[0], 0);
    if (axis == RP_MAX_RANK) return false;
    if (x->rank != indices->rank)
        return rp_op_fail(call, "x has %u dimensions and indices has %u; expected as many", x->rank,
                          indices->rank);
    for (uint32_t i = 0; i < x->rank; i++)
        if (i != axis && x->dims[i] != indices->dims[i])
            return rp_op_fail(call,
                              "indices has %llu as dimension %u, expected that of x, %llu: they "
                              "may differ along axis %u alone",
                              (unsigned long long)indices->dims[i], i,
                              (unsigned long long)x->dims[i], axis);
    bind_around(call, X, axis, 'A', 'B', 'C');
    rp_op_bind(call, 'J', indices->rank ? indices->dims[axis] : 1);
    return give_shape(call, OUT, indices, 'M') && rp_op_same_class(call, X, OUT);
}

/* Binds O to O + 7, the first K dimensions of x, and 1 for others; C, the elements behind them. */
static bool rule_gather_nd(rp_op_call *call) {
    enum { X, INDICES, OUT };
    const rp_tensor *x = &call->operands[X], *indices = &call->operands[INDICES];
    uint64_t count = rp_sym(call, 'K');
    if (count > x->rank)
        return rp_op_fail(call, "indices has rows of %llu, but x has %u dimensions",
                          (unsigned long long)count, x->rank);
    for (uint32_t i = 0; i < RP_MAX_RANK; i++)
        rp_op_bind(call, (char)('O' + i), i < count ? x->dims[i] : 1);
    rp_op_bind(call, 'C', product(x, (uint32_t)count, x->rank));
    rp_tensor shape = {.rank = (uint8_t)(indices->rank - 1)};
    memcpy(shape.dims, indices->dims, sizeof shape.dims);
    if (shape.rank + x->rank - count > RP_MAX_RANK)
        return rp_op_fail(call, "out would have more than %d dimensions", RP_MAX_RANK);
    for (uint32_t i = (uint32_t)count; i < x->rank; i++) shape.dims[shape.rank++] = x->dims[i];
    return give_shape(call, OUT, &shape, 'M') && rp_op_same_class(call, X, OUT);
}

static bool rule_one_hot(rp_op_call *call) {
    enum { IDS, OUT };
    const rp_tensor *ids = &call->operands[IDS];
    if (ids->rank == RP_MAX_RANK)
        return rp_op_fail(call, "out would have more than %d dimensions", RP_MAX_RANK);
    uint32_t axis = find_axis(call, IDS, call->attrs[1], 1);
    if (axis == RP_MAX_RANK) return false;
    if (!rp_op_bind_shown(call, 'D', OUT, axis)) return false;
    bind_around(call, IDS, axis, 'A', 0, 'C');
    rp_tensor shape = {.rank = (uint8_t)(ids->rank + 1)};
    memcpy(shape.dims, ids->dims, axis * sizeof *shape.dims);
    shape.dims[axis] = rp_sym(call, 'D');
    memcpy(shape.dims + axis + 1, ids->dims + axis, (ids->rank - axis) * sizeof *shape.dims);
    return give_shape(call, OUT, &shape, 'M');
}

/* ---- Where numbers point to ------------------------------------------------------------------- */

/* A dimension of the tensor, which an attribute says, or its own shape, which may vary. */
enum { SHAPED_DATA = 1 };
static bool bind_dimension(rp_op_call *call, char symbol, uint32_t dim, bool given) {
    const rp_tensor *data = &call->operands[SHAPED_DATA];
    uint64_t known = rp_sym(call, symbol);
    if (dim >= data->rank)
        return rp_op_fail(call, "data has %u dimensions, expected more than %u", data->rank, dim);
    if (given && known != data->dims[dim])
        return rp_op_fail(call, "dimension %u of data is %llu, and an attribute says %llu", dim,
                          (unsigned long long)data->dims[dim], (unsigned long long)known);
    rp_op_bind(call, symbol, data->dims[dim]);
    return true;
}

/* Of tensors whose slices 32 bits count. */
static bool countable(rp_op_call *call, uint64_t slices) {
    return slices <= RP_OP_MAX_ELEMENTS ||
           rp_op_fail(call, "the tensor has more than %llu elements",
                      (unsigned long long)RP_OP_MAX_ELEMENTS);
}

static bool rule_places_along_axis(rp_op_call *call) {
    uint32_t axis = find_axis(call, 0, call->attrs[0], 0);
    uint64_t slices;
    if (axis == RP_MAX_RANK) return false;
    bool given = rp_op_is_bound(call, 'B');
    if (!call->operands[SHAPED_DATA].absent && !bind_dimension(call, 'B', axis, given))
        return false;
    if (!rp_op_is_bound(call, 'B'))
        return rp_op_fail(call,
                          "neither attribute length nor the shape of data says how many there are");
    bind_around(call, 0, axis, 'A', 'J', 'C');
    if (!rp_mul_u64(rp_sym(call, 'A') * rp_sym(call, 'C'), rp_sym(call, 'B'), &slices))
        slices = UINT64_MAX;
    return countable(call, slices);
}

static bool rule_places_nd(rp_op_call *call) {
    uint64_t slices = 1, dims = rp_sym(call, 'K');
    if (dims > RP_MAX_RANK)
        return rp_op_fail(call, "indices has rows of %llu, expected at most %d",
                          (unsigned long long)dims, RP_MAX_RANK);
    for (uint32_t i = 0; i < RP_MAX_RANK; i++) {
        char symbol = (char)('O' + i);
        bool given = rp_sym(call, symbol) != 1;
        if (i < dims && !call->operands[SHAPED_DATA].absent &&
            !bind_dimension(call, symbol, i, given))
            return false;
        uint64_t size = rp_sym(call, symbol);
        if (i >= dims && size != 1)
            return rp_op_fail(call, "d%u is %llu, but indices has rows of %llu", i,
                              (unsigned long long)size, (unsigned long long)dims);
        if (!rp_mul_u64(slices, size, &slices)) slices = UINT64_MAX;
    }
    return countable(call, slices);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define MOVES                                                                                      \
    "Elements are moved as they are: zeros keep their sign, denormals and infinities stay, NaN "   \
    "stays NaN. To f16 and bf16 they are rounded to the nearest even."
#define FROM_THE_END                                                                               \
    "Negative numbers count from the end; one that is before the first element or past the last "  \
    "gives 0. "

#define MOVER(name_, brief_, notes_)                                                               \
    .name = name_, .family = "axes", .brief = brief_, .notes = notes_, .form = RP_OP_POINTWISE
#define IN(name_, brief_, shape_, dtypes_)                                                         \
    { .name = name_, .brief = brief_, .shape = shape_, .dtypes = dtypes_ }
#define OUT(brief_, shape_)                                                                        \
    {                                                                                              \
        .name = "out", .brief = brief_, .shape = shape_, .dtypes = RP_DT_ANY, .access = RP_WRITE,  \
        .like = "x"                                                                                \
    }
#define AXIS(brief_, fallback_)                                                                    \
    {                                                                                              \
        .name = "axis", .brief = brief_ "; negative ones count from the last",                     \
        .kind = RP_ATTR_INTEGER, .fallback = fallback_, .low = -RP_MAX_RANK,                       \
        .high = RP_MAX_RANK - 1                                                                    \
    }
#define SIZE(name_, symbol_)                                                                       \
    {                                                                                              \
        .name = name_, .brief = "elements along that dimension", .kind = RP_ATTR_INTEGER,          \
        .symbol = symbol_, .fallback = 1, .low = 1, .high = UINT32_MAX                             \
    }
#define SHAPED                                                                                     \
    {                                                                                              \
        .name = "data", .brief = "the tensor, of which the shape alone is looked at",              \
        .shape = "*Y", .dtypes = RP_DT_ANY, .reads = "", .optional = true, .absent = "0"           \
    }
#define POINTS "Negative numbers count from the end; 0xffffffff where one is out of range. "
#define DIAGONAL                                                                                   \
    {                                                                                              \
        .name = "k", .brief = "which diagonal: above the main one, or below it where negative",    \
        .kind = RP_ATTR_INTEGER, .low = INT32_MIN, .high = INT32_MAX                               \
    }

const rp_op rp_ops_axes[] = {
    {MOVER("take_range", "elements start, start + step, ... along an axis, around its end",
           "Element j along the axis is element (start + step * j) mod B of x, which has B there. "
           "`flip`, `roll`, `tile` and `slice_axis` are made of it. " MOVES),
     .together = 'G', .operand_count = 2, .attr_count = 4,
     .operands = {IN("x", "any elements", "*N", RP_DT_ANY),
                  OUT("x with `count` along the axis", "*M")},
     .attrs = {AXIS("along which", -1),
               {.name = "start",
                .brief = "the first element; negative ones count from the end",
                .kind = RP_ATTR_INTEGER,
                .low = INT32_MIN,
                .high = UINT32_MAX},
               {.name = "step",
                .brief = "from one to the next; negative: backwards; not 0",
                .kind = RP_ATTR_INTEGER,
                .fallback = 1,
                .low = INT32_MIN,
                .high = INT32_MAX},
               {.name = "count",
                .brief = "how many along the axis; -1: as out has",
                .kind = RP_ATTR_INTEGER,
                .symbol = 'J',
                .shown = true,
                .fallback = -1,
                .low = -1,
                .high = UINT32_MAX}},
     .rule = rule_take_range},
    {MOVER("triu", "the upper triangle of matrices, 0 below it",
           "Keeps columns c >= r + k of row r. As ONNX Trilu, numpy.triu. " MOVES),
     .operand_count = 2, .attr_count = 1,
     .operands = {{.name = "x",
                   .brief = "matrices",
                   .shape = "*B R C",
                   .dtypes = RP_DT_ANY,
                   .at = RP_AT_SAME},
                  OUT("their triangles", "*B R C")},
     .attrs = {DIAGONAL}, .rule = rule_triangle},
    {MOVER("tril", "the lower triangle of matrices, 0 above it",
           "Keeps columns c <= r + k of row r. As ONNX Trilu, numpy.tril. " MOVES),
     .operand_count = 2, .attr_count = 1,
     .operands = {{.name = "x",
                   .brief = "matrices",
                   .shape = "*B R C",
                   .dtypes = RP_DT_ANY,
                   .at = RP_AT_SAME},
                  OUT("their triangles", "*B R C")},
     .attrs = {DIAGONAL}, .rule = rule_triangle},
    {MOVER("diagonal", "a diagonal of matrices",
           "Element i is that of row i and column i + k, or of row i - k and column i. As "
           "numpy.diagonal of the last two axes. " MOVES),
     .operand_count = 2, .attr_count = 1,
     .operands =
         {{.name = "x", .brief = "matrices", .shape = "*B R C", .dtypes = RP_DT_ANY, .reads = "BL"},
          OUT("L elements of each", "*B L")},
     .attrs = {DIAGONAL}, .rule = rule_diagonal},
    {MOVER("diag", "square matrices with given diagonals, 0 elsewhere",
           "Of N + |k| rows. As numpy.diag of a vector, torch.diag_embed. " MOVES),
     .operand_count = 2, .attr_count = 1,
     .operands =
         {{.name = "x", .brief = "diagonals", .shape = "*B N", .dtypes = RP_DT_ANY, .reads = "BN"},
          OUT("a matrix for each", "*B M M")},
     .attrs = {DIAGONAL}, .rule = rule_diag},
    {MOVER("take", "slices of a tensor along an axis, by their numbers",
           FROM_THE_END "As ONNX Gather, numpy.take. " MOVES),
     .operand_count = 3, .attr_count = 1,
     .operands = {IN("x", "the slices", "*N", RP_DT_ANY),
                  IN("ids", "their numbers", "*I", RP_DT_ID),
                  OUT("x with the shape of ids in the place of the axis", "*M")},
     .attrs = {AXIS("along which", 0)}, .rule = rule_take},
    {MOVER("take_along_axis", "elements along an axis, by numbers for each line",
           FROM_THE_END "As ONNX GatherElements, numpy.take_along_axis; torch.gather. " MOVES),
     .operand_count = 3, .attr_count = 1,
     .operands = {IN("x", "any elements", "*N", RP_DT_ANY),
                  IN("indices", "places along the axis; of x's shape elsewhere", "*M", RP_DT_ID),
                  OUT("element indices[..., j, ...] of x's line, for each", "*M")},
     .attrs = {AXIS("along which", -1)}, .rule = rule_take_along_axis},
    {MOVER("gather_nd", "elements or slices of a tensor, by their places",
           "A row of indices has a number for each of the first K dimensions of x. " FROM_THE_END
           "As ONNX GatherND. " MOVES),
     .operand_count = 3,
     .operands = {IN("x", "any elements", "*N", RP_DT_ANY),
                  {.name = "indices",
                   .brief = "a place for each slice",
                   .shape = "*J K",
                   .dtypes = RP_DT_ID,
                   .reads = "MK"},
                  OUT("the slices, of x's dimensions behind the first K", "*M")},
     .rule = rule_gather_nd},
    {MOVER("one_hot", "a number everywhere, and another one at a given place of each line",
           "Negative numbers count from the end; where a number is out of range all of the line is "
           "`off`. Numbers are taken as f32, converted as `cast` does. As ONNX OneHot."),
     .operand_count = 2, .attr_count = 4,
     .operands = {IN("ids", "places", "*N", RP_DT_ID),
                  {.name = "out",
                   .brief = "a line of D elements for each, along `axis` of it",
                   .shape = "*M",
                   .dtypes = RP_DT_NUMBER,
                   .access = RP_WRITE}},
     .attrs = {{.name = "depth",
                .brief = "elements of a line; 0: as out has",
                .kind = RP_ATTR_INTEGER,
                .symbol = 'D',
                .shown = true,
                .high = UINT32_MAX},
               AXIS("of the output, where lines lie", -1),
               {.name = "on",
                .brief = "at the place",
                .kind = RP_ATTR_NUMBER,
                .fallback = 1,
                .low = -3.4e38,
                .high = 3.4e38,
                .like = "out"},
               {.name = "off",
                .brief = "elsewhere",
                .kind = RP_ATTR_NUMBER,
                .low = -3.4e38,
                .high = 3.4e38,
                .like = "out"}},
     .rule = rule_one_hot},
    {MOVER("places_along_axis", "the place in a tensor of each of some elements along an axis",
           POINTS "`scatter_elements` is made of it."),
     .operand_count = 3, .attr_count = 2,
     .operands = {{.name = "indices",
                   .brief = "places along the axis",
                   .shape = "*M",
                   .dtypes = RP_DT_ID,
                   .at = RP_AT_SAME},
                  SHAPED,
                  {.name = "out",
                   .brief = "places among all elements",
                   .shape = "*M",
                   .dtypes = RP_DT(RP_U32),
                   .access = RP_WRITE}},
     .attrs = {AXIS("along which", -1),
               {.name = "length",
                .brief = "elements of the tensor along the axis, which elsewhere has the shape of "
                         "indices; 0: as data has",
                .kind = RP_ATTR_INTEGER,
                .symbol = 'B',
                .high = UINT32_MAX}},
     .rule = rule_places_along_axis},
    {MOVER("places_nd", "the number of each of some slices of a tensor",
           POINTS "`data` says dimensions in place of `d0` and those behind it. `scatter_nd` is "
                  "made of it."),
     .operand_count = 3, .attr_count = 8,
     .operands = {{.name = "indices",
                   .brief = "a place along each of the first K dimensions",
                   .shape = "*J K",
                   .dtypes = RP_DT_ID,
                   .reads = "JK"},
                  SHAPED,
                  {.name = "out",
                   .brief = "numbers of slices",
                   .shape = "*J",
                   .dtypes = RP_DT(RP_U32),
                   .access = RP_WRITE}},
     .attrs = {SIZE("d0", 'O'), SIZE("d1", 'P'), SIZE("d2", 'Q'), SIZE("d3", 'R'), SIZE("d4", 'S'),
               SIZE("d5", 'T'), SIZE("d6", 'U'), SIZE("d7", 'V')},
     .rule = rule_places_nd},
};

const uint32_t rp_ops_axes_count = sizeof rp_ops_axes / sizeof *rp_ops_axes;
