/* Elements of 64 bits: what moves and converts them runs on every device, what computes with them needs
 * shaderInt64, and the plan says which; for each built-in target, whose large maps have several elements
 * a thread. What is computed, tests/gpu/ops.c and python/tests/test_integers.py see. */
#include <math.h>
#include <stdio.h>

#include "reference/reference.h"
#include "reprise/compiler.h"
#include "support/op_calls.h"
#include "support/unit.h"

typedef struct case_of {
    const char *op, *attrs, *operands;
    bool computes;
} case_of;

static const case_of cases[] = {
    {"cast", "", "i64[7] f32[7]", false},
    {"cast", "", "u64[16777216] f16[16777216]", false},
    {"cast", "", "f64[16777216] i64[16777216]", false},
    {"map", "expr=a", "i64[9] u8[9]", false},
    {"map", "expr=a < b", "i32[9] i32[9] u64[9]", false},
    {"copy", "", "u64[16777216] u64[16777216]", false},
    {"transpose", "", "i64[4096,4096] i64[4096,4096]", false},
    {"gather_rows", "", "i64[4,5] u64[3] i64[3,5]", false},
    {"add", "", "i32[9] i32[9] i32[9]", false},
    {"add", "", "i64[9] i64[9] i64[9]", true},
    {"add", "", "u64[16777216] u64[16777216] u64[16777216]", true},
    {"mul", "", "i64[16777216] f32[1] f32[16777216]", true},
    {"less", "", "u64[9] i32[9] u8[9]", true},
    {"map", "expr=-a", "i64[9] i8[9]", true},
    {"map", "expr=i64(a) << 40", "i32[9] f32[9]", true},
    {"map", "expr=a + 5000000000", "u32[9] u32[9]", true},
    {"transpose", "", "f64[4096,4096] f64[4096,4096]", false},
    {"one_hot", "depth=5", "i32[9] i64[9,5]", false},
    {"fill", "value=18446744073709551615", "u64[9]", false},
    {"iota", "start=-9223372036854775808", "i64[16777216]", false},
    {"clamp", "low=-inf high=9007199254740993", "i64[9] i64[9]", true},
    {"pad_axis", "before=2 value=9007199254740993", "i64[4,5] i64[6,5]", false},
    {"pool_max", "kernel_w=2", "i64[1,2,1,1,8] i64[1,2,1,1,7]", false},
    {"fold", "kernel_w=2 size_w=9", "u64[1,2,1,1,8] u64[1,1,1,1,9]", false},
    {"histogram", "low=0 high=9 bins=3", "i64[9] u32[3]", true},
    {"reduce_axis", "", "i64[2,9,3] i64[2,1,3] -", true},
    {"reduce_axis", "", "i32[2,9,3] i32[2,1,3] -", false},
    {"scan", "", "u64[2,9,3] - u64[2,9,3]", true},
    {"fold_at", "", "i64[4,2] u32[3] u32[3] i64[3,2] i64[4,2]", true},
    {"select", "", "bool[9] i64[9] i64[9] i64[9]", true},
};

static void try_line(const case_of *from, const rp_target *target) {
    rp_op_line line;
    rp_op_argument arguments[RP_OP_MAX_OPERANDS] = {0};
    rp_plan *plan = NULL;
    if (!rp_op_line_parse(&line, from->op, from->attrs, from->operands)) {
        printf("\n    %s: %s", from->op, line.call.error);
        CU_FAIL("a call was refused");
        return;
    }
    rp_graph *g = rp_graph_create(NULL, "wide");
    rp_diags *diags = rp_diags_create(NULL);
    for (uint32_t k = 0; k < line.call.operand_count; k++) {
        char name[16];
        snprintf(name, sizeof name, "b%u", k);
        arguments[k].tensor = line.call.operands[k];
        if (line.call.operands[k].absent) continue;
        uint8_t access = rp_op_operand_of(&line.call, k)->access;
        rp_buffer_kind kind = access == RP_WRITE ? RP_OUT : access == RP_READ ? RP_IN : RP_INOUT;
        arguments[k].buffer = rp_add_tensor_buffer(g, name, kind, &line.call.operands[k]);
    }
    rp_op_line_add(g, &line, 0, arguments);
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = rp_pass_level(1),
                                     .lowering = rp_lowering_default(),
                                     .target = target};
    CU_ASSERT_EQUAL(rp_compile(g, &options, diags, &plan, NULL), RP_OK);
    for (uint32_t i = 0; !plan && i < rp_diags_count(diags); i++)
        printf("\n    %s (%s) for %s: %s", from->op, from->operands, target->name,
               rp_diags_get(diags, i).message);
    bool needs = plan && (rp_plan_needs(plan) & RP_NEED_INT64) != 0;
    if (plan && needs != from->computes)
        printf("\n    %s (%s) for %s", from->op, from->operands, target->name);
    if (plan) CU_ASSERT_EQUAL(needs, from->computes);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
}

static void test_needs(void) {
    const rp_target *target;
    for (uint32_t i = 0; (target = rp_target_list(i)); i++)
        for (uint32_t k = 0; k < sizeof cases / sizeof *cases; k++) try_line(&cases[k], target);
}

/* ---- Formulas -------------------------------------------------------------------------------- */

enum { I = RP_TYPE_I32, U = RP_TYPE_U32, L = RP_TYPE_I64, M = RP_TYPE_U64 };

static bool look_up(void *context, const char *name, size_t length, uint32_t *out) {
    (void)context;
    *out = (uint32_t)(*name - 'a');
    return length == 1 && *name >= 'a' && *name <= 'h';
}

/* Names a to d have type `first`, e to h are f32, i32, u32 and bool. */
static void same(const char *text, uint8_t first, const double *values, double expected) {
    const uint8_t types[] = {first, first, first, first, RP_TYPE_F32, I, U, RP_TYPE_BOOL};
    const rp_allocator heap = rp_allocator_or_default(NULL);
    rp_formula formula;
    char error[160] = "";
    size_t at = 0;
    bool parsed =
        rp_formula_parse(&heap, text, strlen(text), look_up, NULL, &formula, error, &at) == RP_OK &&
        rp_formula_check(&formula, types, error);
    double found = parsed ? rp_formula_eval(&formula, values) : NAN;
    if (found != expected)
        printf("\n    %s: %.17g, expected %.17g %s", text, found, expected, error);
    CU_ASSERT(found == expected);
    rp_formula_free(&heap, &formula);
}

/* Values are given as doubles, which hold them; results are compared as doubles. */
static void test_64_bits(void) {
    const double values[8] = {-7, 2, -0x1p63, -1, 1.5, -3, 4294967295.0, 1};
    same("a / b * 10 + a % b", L, values, -31);
    same("c / d", L, values, -0x1p63);
    same("c % d", L, values, 0);
    same("c / (a + 7) + c % (a + 7)", L, values, 0);
    same("-c", L, values, -0x1p63);
    same("abs(c) - 1", L, values, 0x1p63);
    same("a - g", L, values, -4294967302.0); /* u32 by its value */
    same("a + f", L, values, -10);
    same("d >> 70", L, values, -1); /* counts modulo 64 */
    same("u64(d) >> 33", L, values, 2147483647);
    same("1 << 40", I, values, 256);
    same("b << 40", L, values, 0x1p41);
    same("9007199254740993 - 9007199254740992", I, values, 1);
    same("9223372036854775808 == c", L, values, 1); /* of one width bits are unchanged */
    same("18446744073709551615 % 10", I, values, 5);
    same("i32(c + 5)", L, values, 5);
    same("u32(d)", L, values, 4294967295.0);
    same("i64(e * 1e18) > 1499999999999999999", L, values, 1);
    same("u64(f * 1.0)", I, values, 0);
    same("i64(1e19)", I, values, 0x1p63);
    same("d < 0 ? 1 : 2", L, values, 1);
    same("clamp(a, -9223372036854775807, c)", L, values, -0x1p63);
    same("bits(c) + bits(d)", L, values, 65);
    same("sign(c) * max(a, b) + min(a, b) + relu(a)", L, values, -9);
    same("!c || d && 0", L, values, 0);
    same("f32(c) * 0.5", L, values, -0x1p62);
    const double large[8] = {0x1p63, 3, 0x1p63, 1, 0, -1, 7, 0};
    same("a / b", M, large, 3074457345618258602.0);
    same("b - a - c", M, large, 3);
    same("a < b ? 1 : 2", M, large, 2);
    same("a + f < 0", M, large, 0); /* with i32 it is i64: the least and -1 wrap */
    same("sign(a) + abs(b) + min(a, b)", M, large, 7);
    same("~b & 12 ^ a >> 62", M, large, 14);
}

int main(void) {
    static const rp_test tests[] = {
        {"who needs numbers of 64 bits", test_needs}, {"formulas", test_64_bits}, {NULL, NULL}};
    return rp_run_tests("integers_64", tests);
}
