/* Family axes, the rest of it: what elements along an axis come to, together (reduce_axis) and one after
 * the other (scan).
 *
 * Both see a tensor as A x B x C and go along B. A workgroup has T lines next to each other, so that
 * what it loads at once are neighbours whatever C is: T is C, rounded up to a power of two, up to 64;
 * the rest of its 256 threads share each line. Few long lines are cut into parts by the composites
 * (compiler/composite/along.c), which run these ops again over what parts came to.
 *
 * Rows of floats have better: row_sum and its like keep a row in a subgroup and fuse with each other. */
#include <math.h>

#include "ops/moves.h"
#include "ops/tables.h"

enum { THREADS = 256, MOST_LINES = 64, QUAD = 4 };

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* Lines of a workgroup. */
static uint64_t lines_of(const rp_op_call *call) {
    uint64_t lines = 1;
    while (lines < MOST_LINES && lines < rp_sym(call, 'C')) lines *= 2;
    return lines;
}

static void bind_tiles(rp_op_call *call, const rp_target *target) {
    (void)target;
    rp_op_bind(call, 'T', lines_of(call));
    rp_op_bind_count(call, 'W', "C", lines_of(call), 1);
    rp_op_bind_count(call, 'G', "APW", 1, 1);
}

static double tile_turns(const rp_op_call *call) {
    uint64_t part = ceil_div(rp_sym(call, 'B'), rp_sym(call, 'P'));
    return ceil((double)part * (double)lines_of(call) / THREADS) + 64;
}

/* E: elements of a part, a multiple of 4. The result has the class of what it is made of. */
static bool rule_along(rp_op_call *call, uint32_t out) {
    uint64_t parts = rp_sym(call, 'P'), along = rp_sym(call, 'B');
    if (parts > along && parts > 1 && !call->asked)
        return rp_op_fail(call, "splits is %llu; expected at most %llu, the length along the axis",
                          (unsigned long long)parts, (unsigned long long)along);
    rp_op_bind_count(call, 'E', "B", parts * QUAD, QUAD);
    return rp_op_joins(call, 0, out);
}

static bool rule_reduce(rp_op_call *call) {
    enum { OUT = 1, PLACES };
    if (call->operands[OUT].absent && call->operands[PLACES].absent)
        return rp_op_fail(call, "neither out nor places is given");
    return rule_along(call, OUT);
}

static bool rule_scan(rp_op_call *call) {
    enum { START = 1, OUT };
    if (!rp_op_joins(call, 0, START)) return false;
    return rule_along(call, OUT);
}

#define SPLITS                                                                                     \
    {                                                                                              \
        .name = "splits", .brief = "parts of the axis, P", .kind = RP_ATTR_INTEGER, .symbol = 'P', \
        .fallback = 1, .low = 1, .high = 65535                                                     \
    }
#define FLAG(name_, brief_)                                                                        \
    { .name = name_, .brief = brief_, .kind = RP_ATTR_INTEGER, .low = 0, .high = 1 }
#define ORDER                                                                                      \
    "Part p is elements p * c to (p + 1) * c along the axis, where c is B / P, rounded up to a "   \
    "multiple of 4; the last ones may be shorter or empty. Floats are joined in f32, in an order " \
    "that depends on the shape alone; integers wrap at 32 bits, i64 and u64 at 64. NaN is "        \
    "skipped by all but sum "                                                                      \
    "and prod; "

static const rp_op_variant reduce_variants[] = {
    {
        .name = "tiles",
        .when = "always",
        .why = "a workgroup has up to 64 lines side by side, and several threads for each",
        .text = 160,
        .groups = "G",
        .sized = "*",
        .bind = bind_tiles,
        .turns = tile_turns,
    },
    {0},
};

static const rp_op_variant scan_variants[] = {
    {
        .name = "tiles",
        .when = "always",
        .why = "a workgroup goes along up to 64 lines, four elements a thread at once",
        .text = 260,
        .groups = "G",
        .sized = "*",
        .bind = bind_tiles,
        .turns = tile_turns,
    },
    {0},
};

const rp_op rp_ops_along[] = {
    {
        .name = "reduce_axis",
        .family = "along",
        .brief = "what the elements along an axis come to: their sum, product, least or largest",
        .notes =
            ORDER "of NaN alone the least is inf, the largest -inf, and argmin and argmax give "
                  "NaN at 0xffffffff. Equal numbers: the first, and -0 equals 0. `reduce_sum` "
                  "and its like are made of it.",
        .form = RP_OP_KERNEL,
        .operand_count = 3,
        .operands = {{.name = "x",
                      .brief = "B elements along the axis",
                      .shape = "*A B C",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true,
                      .sites = 4},
                     {.name = "out",
                      .brief = "what each part comes to",
                      .shape = "*A P C",
                      .dtypes = RP_DT_NUMBER,
                      .access = RP_WRITE,
                      .optional = true,
                      .hook = true,
                      .like = "x"},
                     {.name = "places",
                      .brief =
                          "where along the axis that is, of argmin and argmax; else 0xffffffff",
                      .shape = "*A P C",
                      .dtypes = RP_DT(RP_U32),
                      .access = RP_WRITE,
                      .optional = true,
                      .hook = true}},
        .attr_count = 2,
        .attrs = {{.name = "by",
                   .brief = "what joins two of them",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "sum|prod|min|max|argmin|argmax"},
                  SPLITS},
        .length = "B",
        .variants = reduce_variants,
        .flops = 1,
        .rule = rule_reduce,
    },
    {
        .name = "scan",
        .family = "along",
        .brief = "what the elements along an axis come to, up to each of them",
        .notes =
            ORDER "before the first number the least is inf and the largest -inf, of integers "
                  "what the dtype of 32 or 64 bits has. Parts begin with `start`. `cumsum` and its "
                  "like are made of it.",
        .form = RP_OP_KERNEL,
        .operand_count = 3,
        .operands = {{.name = "x",
                      .brief = "B elements along the axis",
                      .shape = "*A B C",
                      .dtypes = RP_DT_NUMBER,
                      .hook = true,
                      .sites = 8},
                     {.name = "start",
                      .brief = "what stands in front of each part",
                      .shape = "*A P C",
                      .dtypes = RP_DT(RP_F32) | RP_DT_INDEX | RP_DT_LONG,
                      .optional = true,
                      .hook = true},
                     {.name = "out",
                      .brief = "of x's shape",
                      .shape = "*A B C",
                      .dtypes = RP_DT_NUMBER,
                      .access = RP_WRITE,
                      .hook = true,
                      .sites = 8,
                      .like = "x"}},
        .attr_count = 4,
        .attrs = {{.name = "by",
                   .brief = "what joins two of them",
                   .kind = RP_ATTR_CHOICE,
                   .choices = "sum|prod|min|max"},
                  FLAG("exclusive", "1: up to each, without itself"),
                  FLAG("reverse", "1: from the end of each part"),
                  SPLITS},
        .length = "B",
        .variants = scan_variants,
        .flops = 2,
        .rule = rule_scan,
    },
};

const uint32_t rp_ops_along_count = sizeof rp_ops_along / sizeof *rp_ops_along;
