/* Every variant that needs something of a device which few have is compiled for each built-in target
 * that it fits, whatever the device at hand: to SPIR-V that is valid and within the target, in a plan
 * that is proven and says what it needs. What it computes, tests/gpu/ops.c and tests/gpu/matrices.c
 * see on a device that has it. */
#include "../gpu/ops.h"

#include <stdlib.h>

#include "plan/format.h"
#include "reprise/compiler.h"
#include "support/op_calls.h"
#include "support/unit.h"

enum { MOST = 512 };

static struct {
    const rp_op_variant *variants[MOST]; /* what was compiled: of which variant, */
    const rp_target *targets[MOST];      /* for which target, */
    char operands[MOST][64];             /* and of which dtypes and attributes */
    uint32_t count;
} T;

/* The dtypes of a call and its integer attributes: what the text of a kernel depends on. */
static void describe(const rp_op_call *call, char out[64]) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < call->operand_count && at + 2 < 64; i++)
        out[at++] = call->operands[i].absent ? '-' : (char)('a' + call->operands[i].dtype);
    for (uint32_t i = 0; i < call->op->attr_count && at + 2 < 64; i++)
        out[at++] = call->attrs[i] == 0 ? '0' : call->attrs[i] < 0 ? 'n' : '1';
    out[at] = '\0';
}

static bool is_known(const rp_op_variant *variant, const rp_target *target, const char *operands) {
    for (uint32_t i = 0; i < T.count; i++)
        if (T.variants[i] == variant && T.targets[i] == target &&
            strcmp(T.operands[i], operands) == 0)
            return true;
    return false;
}

static void compile(rp_op_line *line, const rp_op_variant *variant, uint32_t skip,
                    const rp_target *target) {
    rp_graph *g = rp_graph_create(NULL, "variant");
    rp_diags *diags = rp_diags_create(NULL);
    rp_op_argument arguments[RP_OP_MAX_OPERANDS] = {0};
    rp_plan *plan = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    g->skip_variants = skip;
    for (uint32_t k = 0; k < line->call.operand_count; k++) {
        char name[16];
        arguments[k].tensor = line->call.operands[k];
        if (line->call.operands[k].absent) continue;
        uint8_t access = rp_op_operand_of(&line->call, k)->access;
        snprintf(name, sizeof name, "b%u", k);
        arguments[k].buffer = rp_add_tensor_buffer(g, name,
                                                   access == RP_WRITE        ? RP_OUT
                                                   : access == RP_READ_WRITE ? RP_INOUT
                                                                             : RP_IN,
                                                   &line->call.operands[k]);
    }
    rp_op_line_add(g, line, 0, arguments);
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = rp_pass_level(1),
                                     .lowering = rp_lowering_default(),
                                     .target = target};
    CU_ASSERT_EQUAL(rp_compile(g, &options, diags, &plan, NULL), RP_OK);
    for (uint32_t i = 0; !plan && i < rp_diags_count(diags); i++)
        fprintf(stderr, "\n  %s/%s for %s: %s", rp_op_name(line->call.op), variant->name,
                target->name, rp_diags_get(diags, i).message);
    if (plan) CU_ASSERT_EQUAL(rp_plan_needs(plan) & variant->needs, variant->needs);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    rp_graph_destroy(g);
}

/* By each variant with needs that fits. */
static void try_call(rp_op_line *line, const rp_target *target) {
    uint32_t fitting = rp_op_fitting(&line->call, target);
    for (uint32_t skip = 0; skip < fitting; skip++) {
        rp_op_call call = line->call;
        char operands[64];
        rp_op_choose_after(&call, target, skip);
        describe(&call, operands);
        if (!call.variant || !call.variant->needs || is_known(call.variant, target, operands))
            continue;
        CU_ASSERT_FATAL(T.count < MOST);
        T.variants[T.count] = call.variant;
        T.targets[T.count] = target;
        strcpy(T.operands[T.count++], operands);
        compile(line, call.variant, skip, target);
    }
}

/* `T` and `U` of a case replaced by one dtype each. */
static void expand(char *out, size_t size, const char *from, const char *type, const char *more) {
    size_t at = 0;
    for (const char *c = from ? from : ""; *c && at + 40 < size; c++) {
        const char *with = *c == 'T' ? type : *c == 'U' ? more : c;
        size_t length = with == c ? 1 : strcspn(with, " ");
        memcpy(out + at, with, length);
        at += length;
    }
    out[at] = '\0';
}

static void try_cases(const op_case *cases, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const op_case *c = &cases[i];
        const char *type = c->types ? c->types : "T", *more = c->more ? c->more : "U";
        for (const char *a = type; *a; a += strcspn(a, " "), a += strspn(a, " "))
            for (const char *b = more; *b; b += strcspn(b, " "), b += strspn(b, " ")) {
                char operands[256], attrs[256];
                rp_op_line line;
                expand(operands, sizeof operands, c->operands, a, b);
                expand(attrs, sizeof attrs, c->attrs, a, b);
                bool parsed = rp_op_line_parse(&line, c->op, attrs, operands);
                if (!parsed) fprintf(stderr, "\n%s %s: %s\n", c->op, operands, line.call.error);
                CU_ASSERT_FATAL(parsed);
                for (uint32_t t = 0; rp_target_list(t); t++) try_call(&line, rp_target_list(t));
            }
    }
}

static void test_compile(void) {
    try_cases(op_cases, op_case_count);
    try_cases(op_attention_cases, op_attention_case_count);
    try_cases(op_byte_cases, op_byte_case_count);
    try_cases(op_type_cases, op_type_case_count);
    try_cases(op_spatial_cases, op_spatial_case_count);
    try_cases(op_axes_cases, op_axes_case_count);
    printf("%u compiled ... ", T.count);
}

static void test_complete(void) {
    for (uint32_t i = 0; i < rp_op_count(); i++)
        for (const rp_op_variant *v = rp_op_at(i)->variants; v && v->name; v++) {
            bool found = !v->needs || rp_op_at(i)->product;
            for (uint32_t k = 0; k < T.count; k++) found |= T.variants[k] == v;
            if (!found)
                fprintf(stderr, "\n  %s/%s: no case that it fits on a built-in target",
                        rp_op_name(rp_op_at(i)), v->name);
            CU_ASSERT(found);
        }
}

int main(void) {
    static const rp_test tests[] = {{"what few devices have compiles for those", test_compile},
                                    {"no such variant without a case", test_complete},
                                    {0}};
    return rp_run_tests("variants", tests);
}
