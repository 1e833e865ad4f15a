/* Family data: what its ops accept, what they refuse and why, and where their references put
 * elements. */
#include "unit/op_cases.h"

static const double nine[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void shapes(void) {
    accepts("gather_rows", "", "f32[10,4] u32[2,3]", 2, "f32[2,3,4]");
    accepts("gather_rows", "", "q8_0[10,64] i32[5]", 2, "f32[5,64]");
    accepts("gather_rows", "", "u8[10,4] u32", 2, "u8[4]");
    accepts("gather_rows", "", "q4_0[10,32] u32[1] f16[1,32]", 2, "f16[1,32]");
    accepts("scatter_rows", "", "f32[2,4] u32[2] f16[9,4]", 2, "f16[9,4]");
    accepts("scatter_rows", "", "f32[64] u32 f32[9,64]", 2, "f32[9,64]");
    accepts("transpose", "", "f16[3,5]", 1, "f16[5,3]");
    accepts("transpose", "", "i32[7,2,3,5]", 1, "i32[7,2,5,3]");
    accepts("permute", "order=cadb", "f32[2,3,5,7]", 1, "f32[5,2,7,3]");
    accepts("permute", "order=acbd", "f32[3,5,7]", 1, "f32[1,5,3,7]");
    accepts("slice", "row=1 column=2", "f32[4,3,5]", 1, "f32[4,2,3]");
    accepts("slice", "row=2 rows=1 column=4 columns=1", "u8[3,5]", 1, "u8[1,1]");
    accepts("concat", "", "f32[3,5] f32[3,1]", 2, "f32[3,6]");
    accepts("concat", "", "f16[5] f16[4] f32[9]", 2, "f32[9]");
    accepts("concat", "", "bf16[5] bf16[4] f16[9]", 2, "f16[9]");
    accepts("repeat_rows", "times=4", "f32[2,3]", 1, "f32[2,4,3]");
    accepts("copy", "", "u32[3,5]", 1, "u32[3,5]");
    accepts("copy", "", "u32[3,5] u32[15]", 1, "u32[15]");
    accepts("fill", "value=1e30", "f16[7]", 0, "f16[7]");
    accepts("fill", "value=-128", "i8[7]", 0, "i8[7]");
    accepts("fill", "value=-9223372036854775808", "i64[7]", 0, "i64[7]");
    accepts("fill", "value=9223372036854775807", "i64[7]", 0, "i64[7]");
    accepts("fill", "value=18446744073709551615", "u64[7]", 0, "u64[7]");
    accepts("fill_words", "pattern=4294967295", "u32[7]", 0, "u32[7]");
    accepts("iota", "start=5", "u32[2,2]", 0, "u32[2,2]");
}

static void refusals(void) {
    refuses("gather_rows", "", "q8_0[10,32] u32[1] u32[1,32]", "both floats");
    refuses("gather_rows", "", "f32[10,4] f32[2]", "ids is f32");
    refuses("gather_rows", "", "f32[10,4] u32[2] f32[2,5]", "out is f32[2,5]");
    refuses("scatter_rows", "", "f32[2,4] u32[3] f32[9,4]", "index is u32[3]");
    refuses("scatter_rows", "", "f32[2,4] u32[2] f32[9,5]", "dst is f32[9,5]");
    refuses("scatter_rows", "", "u8[2,4] u32[2] f32[9,4]", "src is u8 and dst is f32");
    refuses("transpose", "", "f32[5]", "x is f32[5]");
    refuses("transpose", "", "f32[3,5] f32[3,5]", "out is f32[3,5]");
    refuses("permute", "", "f32[2,3,5,7]", "order");
    refuses("permute", "order=abcd", "f32[3,5]", "x is f32[3,5]");
    refuses("permute", "order=abcd", "i8[1,2,3,4] u8[1,2,3,4]", "x is i8 and out is u8");
    refuses("slice", "row=3", "f32[3,5]", "x has 3 rows; there is none at 3");
    refuses("slice", "row=1 rows=3", "f32[3,5]", "rows 1 to 3 are not all in x, which has 3");
    refuses("slice", "column=1 columns=4294967295", "f32[3,5]", "columns 1 to 4294967295");
    refuses("slice", "row=0.5", "f32[3,5]", "whole number");
    refuses("concat", "", "f32[3,5] f16[3,5]", "a is f32 and b is f16");
    refuses("concat", "", "f32[3,5] f32[4,5]", "b is f32[4,5]");
    refuses("repeat_rows", "times=0", "f32[3,5]", "neither attribute times nor the shape of out");
    refuses("repeat_rows", "", "f32[3,5] f32[5]", "neither attribute times nor the shape of out");
    accepts("repeat_rows", "", "f32[3,5] f32[3,7,5]", 1, "f32[3,7,5]");
    refuses("copy", "", "f32[3] u32[3]", "use cast");
    refuses("fill", "value=256", "u8[3]", "value is 256, expected an integer from 0 to 255");
    refuses("fill", "value=-1", "u32[3]", "value is -1, expected an integer from 0 to 4294967295");
    refuses("fill", "value=0.5", "i32[3]", "value is 0.5, expected an integer from -2147483648 to");
    refuses("fill", "value=-9223372036854775809", "i64[3]", "from -9223372036854775808 to");
    refuses("fill", "value=9223372036854775808", "i64[3]", "expected an integer from");
    refuses("fill", "value=18446744073709551616", "u64[3]",
            "to 18446744073709551615, as out is u64");
    refuses("fill", "value=inf", "i32[3]", "value is inf, expected an integer");
    refuses("fill", "", "", "out must be given");
    refuses("fill_words", "pattern=4294967296", "u32[3]", "pattern");
}

/* Output dtypes come from files: a rule sees them before they were looked at. */
static void strange_dtypes(void) {
    static rp_op_line line;
    CU_ASSERT_FATAL(rp_op_line_parse(&line, "copy", "", "f32[3] f32[3]"));
    line.call.operands[1].dtype = 200;
    CU_ASSERT_FALSE(rp_op_check(&line.call));
    CU_ASSERT_FATAL(rp_op_line_parse(&line, "transpose", "", "f32[3,2] f32[2,3]"));
    line.call.operands[1].dtype = 200;
    CU_ASSERT_FALSE(rp_op_check(&line.call));
    CU_ASSERT_FATAL(rp_op_line_parse(&line, "fill", "", "f32[3]"));
    line.call.operands[0].dtype = 255;
    CU_ASSERT_FALSE(rp_op_check(&line.call));
}

static void rows_by_number(void) {
    double table[9], ids[4] = {2, 3, -1, 0}, out[12];
    memcpy(table, nine, sizeof table);
    refer("gather_rows", "", "f32[3,3] i32[4]", (double *[]){table, ids, out}, NULL);
    CU_ASSERT(equal(out, (double[]){7, 8, 9, 0, 0, 0, 0, 0, 0, 1, 2, 3}, 12));

    double src[6] = {10, 11, 12, 13, 14, 15}, index[2] = {1, 3};
    refer("scatter_rows", "", "f32[2,3] u32[2] f32[3,3]", (double *[]){src, index, table}, NULL);
    CU_ASSERT(equal(table, (double[]){1, 2, 3, 10, 11, 12, 7, 8, 9}, 9));
}

static void order_of_elements(void) {
    double x[12], out[24];
    for (uint32_t i = 0; i < 12; i++) x[i] = i;
    refer("transpose", "", "f32[2,2,3]", (double *[]){x, out}, NULL);
    CU_ASSERT(equal(out, (double[]){0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}, 12));
    /* As [1,2,2,3], the last two swapped: the same. */
    double same[12];
    refer("permute", "order=abdc", "f32[1,2,2,3]", (double *[]){x, same}, NULL);
    CU_ASSERT(equal(out, same, 12));
    refer("permute", "order=dcba", "f32[1,2,2,3]", (double *[]){x, out}, NULL);
    CU_ASSERT(equal(out, (double[]){0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}, 12));
    CU_ASSERT_EQUAL(symbol_of("permute", "order=dcba", "f32[1,2,2,3]", 'S'), 1);
    CU_ASSERT_EQUAL(symbol_of("permute", "order=dcba", "f32[1,2,2,3]", 'T'), 3);
    CU_ASSERT_EQUAL(symbol_of("permute", "order=dcba", "f32[1,2,2,3]", 'V'), 12);
    refer("slice", "row=1 column=1 columns=2", "f32[2,2,3]", (double *[]){x, out}, NULL);
    CU_ASSERT(equal(out, (double[]){4, 5, 10, 11}, 4));
    refer("concat", "", "f32[2,3] f32[2,1]", (double *[]){x, x + 6, out}, NULL);
    CU_ASSERT(equal(out, (double[]){0, 1, 2, 6, 3, 4, 5, 7}, 8));
    refer("repeat_rows", "times=2", "f32[2,3]", (double *[]){x, out}, NULL);
    CU_ASSERT(equal(out, (double[]){0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}, 12));
    refer("copy", "", "f32[2,3]", (double *[]){x, out}, NULL);
    CU_ASSERT(equal(out, x, 6));
}

/* All 24 orders: turning back by the inverse order gives what was there. */
static void orders(void) {
    char order[] = "abcd", attrs[16], shape[32];
    static const uint64_t dims[4] = {2, 3, 4, 5};
    double x[120], turned[120], back[120];
    uint32_t tried = 0;
    for (uint32_t i = 0; i < 120; i++) x[i] = i;
    for (uint32_t code = 0; code < 256; code++) {
        uint32_t places[4], seen = 0, inverse[4];
        for (uint32_t i = 0; i < 4; i++) seen |= 1u << (places[i] = code >> (2 * i) & 3);
        if (seen != 15) continue;
        for (uint32_t i = 0; i < 4; i++) inverse[places[i]] = i;
        for (uint32_t i = 0; i < 4; i++) order[i] = (char)('a' + places[i]);
        snprintf(attrs, sizeof attrs, "order=%s", order);
        refer("permute", attrs, "f32[2,3,4,5]", (double *[]){x, turned}, NULL);
        snprintf(shape, sizeof shape, "f32[%d,%d,%d,%d]", (int)dims[places[0]],
                 (int)dims[places[1]], (int)dims[places[2]], (int)dims[places[3]]);
        for (uint32_t i = 0; i < 4; i++) order[i] = (char)('a' + inverse[i]);
        snprintf(attrs, sizeof attrs, "order=%s", order);
        refer("permute", attrs, shape, (double *[]){turned, back}, NULL);
        CU_ASSERT(equal(back, x, 120));
        tried++;
    }
    CU_ASSERT_EQUAL(tried, 24);
}

static void made_up(void) {
    double out[3];
    refer("fill", "value=0.1", "f32[3]", (double *[]){out}, NULL);
    CU_ASSERT_EQUAL(out[2], (double)0.1f);
    refer("fill_words", "pattern=4294967295", "u32[3]", (double *[]){out}, NULL);
    CU_ASSERT_EQUAL(out[0], 4294967295.0);
    refer("iota", "start=4294967294", "u32[3]", (double *[]){out}, NULL);
    CU_ASSERT(equal(out, (double[]){4294967294.0, 4294967295.0, 0}, 3));
}

int main(void) {
    static const rp_test tests[] = {{"shapes", shapes},
                                    {"refusals", refusals},
                                    {"strange dtypes", strange_dtypes},
                                    {"rows by number", rows_by_number},
                                    {"order of elements", order_of_elements},
                                    {"orders", orders},
                                    {"made up", made_up},
                                    {NULL, NULL}};
    return rp_run_tests("data ops", tests);
}
