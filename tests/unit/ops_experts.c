/* Family experts: what its ops accept and refuse, and which variant a call is for. */
#include "unit/op_cases.h"

static void shapes(void) {
    accepts("matvec_experts", "", "f32[1,64] q4_0[8,96,64] u32[1,2]", 3, "f32[1,2,96]");
    accepts("matvec_experts", "", "f16[4,61] f32[3,5,61] i64[4]", 3, "f16[4,5]");
    accepts("combine_experts", "", "f32[4,2,96] f32[4,2]", 2, "f32[4,96]");
}

static void refusals(void) {
    refuses("matvec_experts", "", "f32[2,64] f32[8,96,64] u32[3]", "x has 2 vectors and ids are 3");
    refuses("matvec_experts", "", "f32[2,64] f32[8,96,32] u32[2]", "weight is f32[8,96,32]");
    refuses("matvec_experts", "", "f32[2,64] f32[96,64] u32[2]", "weight is f32[96,64]");
    refuses("matvec_experts", "", "f32[2,64] f32[8,96,64] f32[2]", "ids is f32");
    refuses("combine_experts", "", "f32[4,2,96] f32[4,3]", "gates is f32[4,3]");
}

static void variants(void) {
    static rp_op_line line;
    static const struct {
        const char *operands, *variant;
    } calls[] = {{"f32[1,64] f32[8,96,64] u32[2]", "rows"},
                 {"f32[8,64] f32[8,96,64] u32[8,2]", "grouped"},
                 {"f32[8,64] f32[9,96,64] u32[8,2]", "rows"},
                 {"f32[4,64] f32[2,96,64] u32[8]", "rows"}};
    for (uint32_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        CU_ASSERT_FATAL(rp_op_line_parse(&line, "matvec_experts", "", calls[i].operands));
        rp_op_choose(&line.call, NULL);
        CU_ASSERT_STRING_EQUAL(line.call.variant->name, calls[i].variant);
    }
}

int main(void) {
    static const rp_test tests[] = {
        {"shapes", shapes}, {"refusals", refusals}, {"variants", variants}, {NULL, NULL}};
    return rp_run_tests("experts ops", tests);
}
