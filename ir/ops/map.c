/* Family map: element-wise ops. All are formulas (ops/formula.h) over inputs that broadcast, so one
 * generated kernel serves them all, and any chain of them is one kernel too.
 *
 * `map` is the general one, with the formula in the graph. The others are names for formulas that
 * are common enough to be worth a word in a dump; nothing else knows about them. */
#include <math.h>

#include "ops/tables.h"

enum {
    /* u8 (and u16, and bool) is computed as u32, where 3 - 5 wraps to a large number and is then stored as 255: nobody
     * wants that, so subtraction and negation do not take it. */
    SUBTRACTED = RP_DT_FLOAT | RP_DT_SIGNED | RP_DT_INDEX | RP_DT_LONG,
    /* Smaller integers become f32, which holds them. */
    SCALED = RP_DT_FLOAT | RP_DT_INDEX | RP_DT_LONG,
};

#define IN(name_, brief_, dtypes_)                                                                 \
    { .name = name_, .brief = brief_, .dtypes = dtypes_, .access = RP_READ, .at = RP_AT_SAME }
#define OUT(dtypes_, like_)                                                                        \
    { .name = "out", .brief = "the result", .dtypes = dtypes_, .access = RP_WRITE, .like = like_ }
#define MAP(name_, formula_, brief_, notes_)                                                       \
    .name = name_, .family = "map", .brief = brief_, .notes = notes_, .form = RP_OP_POINTWISE,     \
    .expression = formula_

/* One input x, or two inputs a and b, all of the same dtypes as the output. */
#define UNARY(name_, dtypes_, formula_, brief_, notes_)                                            \
    {                                                                                              \
        MAP(name_, formula_, brief_, notes_), .operand_count = 2, .operands = {                    \
            {.name = "x",                                                                          \
             .brief = "the input",                                                                 \
             .dtypes = dtypes_,                                                                    \
             .taken = (uint32_t)(dtypes_) == RP_DT_FLOAT ? RP_DT_INTEGER : 0,                      \
             .access = RP_READ,                                                                    \
             .at = RP_AT_SAME},                                                                    \
            OUT(dtypes_, "x")                                                                      \
        }                                                                                          \
    }
#define BINARY(name_, dtypes_, formula_, brief_, notes_)                                           \
    {                                                                                              \
        MAP(name_, formula_, brief_, notes_), .operand_count = 3, .operands = {                    \
            IN("a", "left side", dtypes_),                                                         \
            IN("b", "right side", dtypes_),                                                        \
            OUT(dtypes_, "a")                                                                      \
        }                                                                                          \
    }
#define COMPARE(name_, formula_, brief_)                                                           \
    {                                                                                              \
        MAP(name_, formula_, brief_, compare_notes), .operand_count = 3, .operands = {             \
            IN("a", "left side", RP_DT_NUMBER),                                                    \
            IN("b", "right side", RP_DT_NUMBER),                                                   \
            OUT(RP_DT(RP_U8) | RP_DT(RP_BOOL), NULL)                                               \
        }                                                                                          \
    }
#define GATED(name_, formula_, brief_, notes_)                                                     \
    {                                                                                              \
        MAP(name_, formula_, brief_, notes_), .operand_count = 3, .operands = {                    \
            IN("gate", "goes through the activation", RP_DT_FLOAT),                                \
            IN("up", "is multiplied by it", RP_DT_FLOAT),                                          \
            OUT(RP_DT_FLOAT, "gate")                                                               \
        }                                                                                          \
    }
#define NUMBER_OF(name_, brief_, fallback_, low_, high_)                                           \
    .name = name_, .brief = brief_, .kind = RP_ATTR_NUMBER, .fallback = fallback_, .low = low_,    \
    .high = high_

static const char wrap_notes[] = "f32: correctly rounded. Integers wrap in 32 bits, of i64 and u64 "
                                 "in 64, and saturate when stored in "
                                 "fewer; exact.";
static const char subtract_notes[] = "f32: correctly rounded. Integers wrap in 32 bits, of i64 and "
                                     "u64 in 64, and saturate when stored in "
                                     "fewer; exact. Differences of u8, u16 and bool, which have no "
                                     "sign, are those of a map: `i32(a) - i32(b)`.";
static const char divide_notes[] =
    "f32: within 2.5 ulp; x / 0 is an infinity, 0 / 0 NaN. Integers truncate toward zero; x / 0 "
    "is 0, and the least i32 or i64 by -1 is itself.";
static const char min_notes[] = "Exact. A NaN in a stays, a NaN in b is dropped.";
static const char compare_notes[] =
    "Exact: 1 where it holds, else 0. Comparisons with NaN are 0, but for not_equal; -0 equals 0.";
static const char clamp_notes[] = "Exact; NaN stays NaN. Of integers of 32 and 64 bits the ends "
                                  "are such, or what of them lies nearest "
                                  "to the ends.";
static const char exact_notes[] = "Exact; NaN stays NaN.";
static const char gate_notes[] =
    "Large negative numbers give -0 or 0; -inf gives NaN, since it is multiplied by 0.";

static const char gelu_notes[] =
    "Within 64 ulp, also where it is next to nothing. Large negative numbers give -0 or 0; -inf "
    "gives NaN, since it is multiplied by 0.";
static const char gelu_tanh_notes[] =
    "Within 16 |u| ulp for a tanh of u, also where it is next to nothing. Large negative numbers "
    "give -0 or 0; -inf gives NaN, since it is multiplied by 0.";

static bool rule_clamp(rp_op_call *call) {
    const double *ends = call->attrs, *rests = call->rests;
    char low[RP_ATTR_SHOWN], high[RP_ATTR_SHOWN];
    if (ends[0] < ends[1] || (ends[0] == ends[1] && rests[0] <= rests[1])) return true;
    return rp_op_fail(call, "attribute low is %s, more than high, which is %s",
                      rp_op_attr_text(low, ends[0], rests[0]),
                      rp_op_attr_text(high, ends[1], rests[1]));
}

const rp_op rp_ops_map[] = {
    {.name = "map",
     .family = "map",
     .brief = "a formula over up to 26 inputs, which broadcast",
     .notes =
         "As the formula's operators say. `i0`, `i1` ... are an element's place along each "
         "dimension of out, `index` that among all its elements, i32: of at most 2^31. Where a "
         "formula names one, inputs broadcast to the shape of out, which is given; one of "
         "places alone has no input.",
     .form = RP_OP_POINTWISE,
     .operand_count = 2,
     .operands = {IN("a", "inputs, called a, b, c ... in the formula", RP_DT_NUMBER),
                  OUT(RP_DT_NUMBER, "a")}},

    BINARY("add", RP_DT_NUMBER, "a + b", "sum", wrap_notes),
    BINARY("sub", SUBTRACTED, "a - b", "difference", subtract_notes),
    BINARY("mul", RP_DT_NUMBER, "a * b", "product", wrap_notes),
    BINARY("div", RP_DT_NUMBER, "a / b", "quotient", divide_notes),
    BINARY("min", RP_DT_NUMBER, "min(a, b)", "the smaller", min_notes),
    BINARY("max", RP_DT_NUMBER, "max(a, b)", "the larger", min_notes),
    {MAP("pow", "pow(x, exponent)", "power",
         "Within 4 + |exponent| units. x < 0 gives NaN; x to the power of 0 is 1; 0 to another "
         "power "
         "is 0 or inf."),
     .operand_count = 3,
     .operands = {IN("x", "the base", RP_DT_FLOAT), IN("exponent", "the exponent", RP_DT_FLOAT),
                  OUT(RP_DT_FLOAT, "x")}},
    {MAP("scale", "x * factor + offset", "multiplies by one number and adds another",
         "Rounded after the multiplication and after the addition. Of integers of 32 and 64 bits "
         "where out is such: they wrap, exact."),
     .operand_count = 2, .attr_count = 2,
     .operands = {IN("x", "the input", RP_DT_NUMBER),
                  {.name = "out",
                   .brief = "the result",
                   .dtypes = SCALED,
                   .access = RP_WRITE,
                   .like = "x",
                   .fallback = RP_F32}},
     .attrs = {{NUMBER_OF("factor", "multiplies", 1, -INFINITY, INFINITY), .like = "out"},
               {NUMBER_OF("offset", "is added", 0, -INFINITY, INFINITY), .like = "out"}}},
    {MAP("add_scaled", "a + b * factor", "sum with one side multiplied by a number",
         "Rounded after the multiplication and after the addition."),
     .operand_count = 3, .attr_count = 1,
     .operands = {IN("a", "left side", RP_DT_FLOAT), IN("b", "right side", RP_DT_FLOAT),
                  OUT(RP_DT_FLOAT, "a")},
     .attrs = {{NUMBER_OF("factor", "multiplies b", 1, -INFINITY, INFINITY)}}},

    UNARY("abs", RP_DT_NUMBER, "abs(x)", "absolute value",
          "Exact. The least i32 and i64 stay what they are; i8 -128 becomes 127."),
    UNARY(
        "neg", SUBTRACTED, "-x", "negation",
        "Exact. The least i32 and i64 stay what they are; i8 -128 becomes 127; u32 and u64 wrap."),
    UNARY("square", RP_DT_NUMBER, "x * x", "x times x", wrap_notes),
    UNARY("reciprocal", RP_DT_FLOAT, "1.0 / x", "1 / x",
          "Within 2.5 ulp. Zeros give infinities, infinities zeros."),
    UNARY("sqrt", RP_DT_FLOAT, "sqrt(x)", "square root",
          "As precise as Vulkan asks: that of 1 / rsqrt. Numbers below 0 give NaN, -0 gives -0."),
    UNARY("rsqrt", RP_DT_FLOAT, "rsqrt(x)", "1 / square root",
          "Within 2 ulp. 0 gives inf, -0 -inf, numbers below 0 give NaN."),
    UNARY("exp", RP_DT_FLOAT, "exp(x)", "e to the power of x",
          "Within 3 + 2 |x| ulp. inf and 0 where f32 ends; -inf gives 0."),
    UNARY("log", RP_DT_FLOAT, "log(x)", "natural logarithm",
          "Within 3 ulp, between 0.5 and 2 within 2^-21. 0 gives -inf, numbers below 0 NaN."),
    UNARY("tanh", RP_DT_FLOAT, "tanh(x)", "hyperbolic tangent", "Infinities give 1 and -1."),
    UNARY("sigmoid", RP_DT_FLOAT, "sigmoid(x)", "1 / (1 + exp(-x))", "Infinities give 1 and 0."),
    UNARY("silu", RP_DT_FLOAT, "silu(x)", "x * sigmoid(x)", gate_notes),
    UNARY("gelu", RP_DT_FLOAT, "gelu(x)", "x times the normal distribution's integral, with erf",
          gelu_notes),
    UNARY("gelu_tanh", RP_DT_FLOAT, "gelu_tanh(x)", "approximation of gelu with tanh",
          gelu_tanh_notes),
    UNARY("relu", RP_DT_NUMBER, "relu(x)", "x, or 0 where it is negative", exact_notes),
    {MAP("clamp", "clamp(x, low, high)", "limits to a range", clamp_notes), .operand_count = 2,
     .attr_count = 2, .operands = {IN("x", "the input", RP_DT_NUMBER), OUT(RP_DT_NUMBER, "x")},
     .attrs = {{.name = "low",
                .brief = "the least result",
                .kind = RP_ATTR_NUMBER,
                .required = true,
                .low = -INFINITY,
                .high = INFINITY,
                .like = "x",
                .saturates = true},
               {.name = "high",
                .brief = "the largest result",
                .kind = RP_ATTR_NUMBER,
                .required = true,
                .low = -INFINITY,
                .high = INFINITY,
                .like = "x",
                .saturates = true}},
     .rule = rule_clamp},
    {MAP("softcap", "softcap(x, cap)", "cap * tanh(x / cap)", "Infinities give cap and -cap."),
     .operand_count = 2, .attr_count = 1,
     .operands = {IN("x", "the input", RP_DT_FLOAT), OUT(RP_DT_FLOAT, "x")},
     .attrs = {{.name = "cap",
                .brief = "what results stay below",
                .kind = RP_ATTR_NUMBER,
                .required = true,
                .low = 1e-30,
                .high = 1e30}}},

    GATED("swiglu", "silu(gate) * up", "silu of one input, times the other", gate_notes),
    GATED("geglu", "gelu(gate) * up", "gelu of one input, times the other", gate_notes),
    GATED("geglu_tanh", "gelu_tanh(gate) * up", "gelu_tanh of one input, times the other",
          gate_notes),

    {MAP("cast", "x", "conversion to the output's dtype",
         "To f16 and bf16 rounded to nearest even; to integers truncated toward zero and "
         "saturated, NaN "
         "gives 0. To bool, what is not 0 is 1, NaN and fractions too."),
     .operand_count = 2, .operands = {IN("x", "the input", RP_DT_ANY), OUT(RP_DT_ANY, NULL)}},
    {MAP("select", "condition != 0 ? a : b", "one of two inputs, element by element",
         "Exact. A NaN is a condition that holds."),
     .operand_count = 4,
     .operands = {IN("condition", "not 0 chooses a", RP_DT_NUMBER),
                  IN("a", "where the condition holds", RP_DT_NUMBER),
                  IN("b", "where it does not", RP_DT_NUMBER), OUT(RP_DT_NUMBER, "a")}},

    COMPARE("equal", "a == b", "whether a equals b"),
    COMPARE("not_equal", "a != b", "whether a differs from b"),
    COMPARE("less", "a < b", "whether a is less than b"),
    COMPARE("less_equal", "a <= b", "whether a is at most b"),
    COMPARE("greater", "a > b", "whether a is more than b"),
    COMPARE("greater_equal", "a >= b", "whether a is at least b"),
};

const uint32_t rp_ops_map_count = sizeof rp_ops_map / sizeof *rp_ops_map;
const rp_op *const rp_op_map = rp_ops_map;
