/* Families quantise, cluster and statistics: shapes, refusals, references against values by hand,
 * and the formulas of their rows ops against the references. */
#include "unit/op_cases.h"

#include "reference/reference.h"

/* ---- Scalar codes ---------------------------------------------------------------------------- */

static void scalar_shapes(void) {
    accepts("quantize_i8", "", "f16[2,3,5]", 1, "i8[2,3,5]");
    accepts("quantize_i8", "", "f16[2,3,5]", 2, "f32[2,3]");
    accepts("quantize_u8", "", "f32[5]", 3, "f32");
    refuses("quantize_i8", "", "i8[2,5]", "x is i8");
    refuses("quantize_i8", "", "f32[2,5] i8[2,4]", "codes is i8[2,4]");
    refuses("quantize_u8", "", "f32[2,5] u8? f32[3]", "scale is f32[3]");
    accepts("dequantize_i8", "", "i8[2,3,5] f32[2,3]", 2, "f32[2,3,5]");
    accepts("dequantize_u8", "", "u8[2,5] f16[2] f32[2] f16?", 3, "f16[2,5]");
    refuses("dequantize_i8", "", "u8[2,5] f32[2]", "codes is u8");
    refuses("dequantize_i8", "", "i8[2,5] f32[3]", "scale is f32[3]");
    accepts("l2_distance_i8", "", "f32[3,8] i8[5,8] f32[5]", 3, "f32[3,5]");
    accepts("dot_product_i8", "", "f16[3,8] i8[5,8] f16[5] f16?", 3, "f16[3,5]");
    refuses("dot_product_i8", "", "f32[3,8] i8[5,8] f32[3]", "scale is f32[3]");
}

static void scalar_codes(void) {
    /* The largest is 127 steps; halves go up; NaN, and rows of next to nothing, are 0. */
    double x[12] = {127, -127, 0.5, -0.5, 1.5, NAN, 1e-36, -1e-36, 0, 0, 0, 0};
    double codes[12], scale[2], zero[2];
    double *arrays[] = {x, codes, scale, zero};
    refer("quantize_i8", "", "f32[2,6]", arrays, NULL);
    CU_ASSERT(equal(codes, (double[]){127, -127, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0}, 12));
    CU_ASSERT(equal(scale, (double[]){1, 0}, 2));
    x[0] = INFINITY;
    refer("quantize_i8", "", "f32[2,6]", arrays, NULL);
    CU_ASSERT(scale[0] == INFINITY && codes[0] == 0 && codes[1] == 0);

    double y[12] = {10, 265, 10.5, 11.4, NAN, 137.5, -2, -2, -2, -2, -2, -2};
    arrays[0] = y;
    refer("quantize_u8", "", "f32[2,6]", arrays, NULL);
    CU_ASSERT(equal(codes, (double[]){0, 255, 1, 1, 0, 128, 0, 0, 0, 0, 0, 0}, 12));
    CU_ASSERT(equal(scale, (double[]){1, 0}, 2));
    CU_ASSERT(equal(zero, (double[]){10, -2}, 2));
    for (uint32_t i = 0; i < 6; i++) y[i] = NAN;
    refer("quantize_u8", "", "f32[2,6]", arrays, NULL);
    CU_ASSERT(zero[0] == 0 && scale[0] == 0 && codes[0] == 0);

    double back[4], c[4] = {-3, 0, 2, 127}, s[2] = {2, 0.5}, z[2] = {1, -1};
    refer("dequantize_i8", "", "i8[2,2] f32[2]", (double *[]){c, s, back}, NULL);
    CU_ASSERT(equal(back, (double[]){-6, 0, 1, 63.5}, 4));
    refer("dequantize_u8", "", "u8[2,2] f32[2] f32[2]", (double *[]){c, s, z, back}, NULL);
    CU_ASSERT(equal(back, (double[]){-5, 1, 0, 62.5}, 4));
    double query[2] = {1, 2}, out[2];
    refer("l2_distance_i8", "", "f32[1,2] i8[2,2] f32[2]", (double *[]){query, c, s, out}, NULL);
    CU_ASSERT(equal(out, (double[]){53, 61.5 * 61.5}, 2));
    refer("l2_distance_i8", "squared=0", "f32[1,2] i8[2,2] f32[2]", (double *[]){query, c, s, out},
          NULL);
    CU_ASSERT(close_to(out, (double[]){sqrt(53), 61.5}, 2));
    refer("dot_product_i8", "", "f32[1,2] i8[2,2] f32[2]", (double *[]){query, c, s, out}, NULL);
    CU_ASSERT(equal(out, (double[]){-6, 128}, 2));
}

/* ---- Blocks, bits, parts --------------------------------------------------------------------- */

static void packed_shapes(void) {
    accepts("quantize_q8_0", "", "f32[3,64]", 1, "q8_0[3,64]");
    accepts("quantize_q4_0", "", "f16[2,3,32]", 1, "q4_0[2,3,32]");
    refuses("quantize_q8_0", "", "f32[3,48]", "48 elements, which is not a multiple of 32");
    refuses("quantize_q4_0", "", "f32[3,64] q8_0[3,64]", "out is q8_0");
    accepts("dequantize", "", "q8_0[3,64]", 1, "f32[3,64]");
    accepts("dequantize", "", "f16[7] f16?", 1, "f16[7]");
    refuses("dequantize", "", "i8[3,64]", "x is i8");
    accepts("binary_quantize", "", "f32[5,32]", 1, "u32[5,1]");
    accepts("binary_quantize", "", "f16[2,5,33]", 1, "u32[2,5,2]");
    refuses("binary_quantize", "", "f32[5,33] u32[5,1]", "out is u32[5,1]");
    accepts("pq_encode", "", "f32[9,12] f32[3,256,4]", 2, "u8[9,3]");
    accepts("pq_tables", "metric=dot", "f16[9,12] f32[3,16,4]", 2, "f32[9,3,16]");
    accepts("pq_distance", "", "u8[9,3] f32[2,3,16]", 2, "f32[2,9]");
    refuses("pq_encode", "", "f32[9,13] f32[3,16,4]", "13 elements, expected 3 parts of 4");
    refuses("pq_encode", "", "f32[9,2] f32[3,16,1]", "2 elements, expected 3 parts of 1");
    refuses("pq_tables", "", "f32[9,12] f32[3,257,4]", "257 entries");
    refuses("pq_distance", "", "u8[9,3] f32[2,3,257]", "257 entries");
    refuses("pq_distance", "", "u8[9,4] f32[2,3,16]", "tables is f32[2,3,16]");
}

/* A block with its largest number, of either sign, in place 7. */
static void packed_blocks(void) {
    double x[32], out[32];
    double *arrays[] = {x, out};
    for (int i = 0; i < 32; i++) x[i] = i - 16;
    x[7] = 127;
    refer("quantize_q8_0", "", "f32[32]", arrays, NULL);
    CU_ASSERT(equal(out, x, 32));
    x[3] = 2.5, x[4] = -2.5; /* halves go away from 0 */
    refer("quantize_q8_0", "", "f32[32]", arrays, NULL);
    CU_ASSERT(out[3] == 3 && out[4] == -3);
    x[7] = -254;
    x[0] = NAN;
    refer("quantize_q8_0", "", "f32[32]", arrays, NULL);
    CU_ASSERT(out[7] == -254 && out[0] == 0 && out[31] == 16);
    x[7] = 127 * 65536.0; /* the scale is past f16 */
    refer("quantize_q8_0", "", "f32[32]", arrays, NULL);
    CU_ASSERT(out[7] == INFINITY && isnan(out[31]));

    for (int i = 0; i < 32; i++) x[i] = i % 16 - 8;
    refer("quantize_q4_0", "", "f32[32]", arrays, NULL);
    CU_ASSERT(equal(out, x, 32));
    x[7] = 16; /* scale -2: what is as large on the other side is cut off at 7 steps */
    x[8] = -16;
    refer("quantize_q4_0", "", "f32[32]", arrays, NULL);
    CU_ASSERT(out[7] == 16 && out[8] == -14 && out[0] == -8 && out[1] == -8 && out[15] == 6);
    for (int i = 0; i < 32; i++) x[i] = 0;
    refer("quantize_q4_0", "", "f32[32]", arrays, NULL);
    CU_ASSERT(equal(out, x, 32));
    refer("dequantize", "", "q8_0[32]", arrays, NULL);
    CU_ASSERT(equal(out, x, 32));
}

static void bits(void) {
    double x[66], out[4];
    double *arrays[] = {x, out};
    for (int i = 0; i < 66; i++) x[i] = i % 33 < 30 ? -1 : 1;
    x[0] = -0.0, x[1] = NAN, x[65] = -1;
    refer("binary_quantize", "", "f32[2,33]", arrays, NULL);
    CU_ASSERT(equal(out, (double[]){0xc0000001u, 1, 0xc0000000u, 0}, 4));
    refer("binary_quantize", "threshold=-1", "f32[2,33]", arrays, NULL);
    CU_ASSERT(equal(out, (double[]){0xfffffffdu, 1, 0xffffffffu, 1}, 4));
}

static void product_codes(void) {
    double x[8] = {0, 0, 5, 5, 9, 9, NAN, 1}, codes[4], tables[12], out[4];
    double books[12] = {0, 1, 1, 0, 8, 8, /* part 1 */ 1, 1, 4, 4, 6, 6};
    refer("pq_encode", "", "f32[2,4] f32[2,3,2]", (double *[]){x, books, codes}, NULL);
    CU_ASSERT(equal(codes, (double[]){0, 1, 2, 0}, 4));
    refer("pq_tables", "", "f32[1,4] f32[2,3,2]", (double *[]){x, books, tables}, NULL);
    CU_ASSERT(equal(tables, (double[]){1, 1, 128, 32, 2, 2}, 6));
    refer("pq_tables", "metric=dot", "f32[1,4] f32[2,3,2]", (double *[]){x, books, tables + 6},
          NULL);
    CU_ASSERT(equal(tables + 6, (double[]){0, 0, 0, 10, 40, 60}, 6));
    codes[3] = 200; /* past the last entry */
    refer("pq_distance", "", "u8[2,2] f32[2,2,3]", (double *[]){codes, tables, out}, NULL);
    CU_ASSERT(equal(out, (double[]){3, 130, 40, 60}, 4));
}

/* ---- Clusters -------------------------------------------------------------------------------- */

static void clusters(void) {
    accepts("kmeans_accumulate", "clusters=3", "f16[9,5] u32[9]", 2, "f32[3,5]");
    accepts("kmeans_accumulate", "clusters=3", "f32[9,5] u32[9]", 3, "u32[3]");
    refuses("kmeans_accumulate", "clusters=0", "f32[9,5] u32[9]",
            "the shape of sums must be given");
    refuses("kmeans_accumulate", "clusters=70000", "f32[9,5] u32[9]", "0 to 65535");
    refuses("kmeans_accumulate", "clusters=3", "f32[9,5] u32[8]", "assignment is u32[8]");
    accepts("kmeans_update", "", "f32[3,5] u32[3] f16[3,5]", 3, "f16[3,5]");
    refuses("kmeans_update", "", "f32[3,5] u32[4] f32[3,5]", "counts is u32[4]");
    double x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, assignment[4] = {1, 7, 1, 0};
    double sums[6], counts[3], old[6] = {9, 9, 9, 9, 8, 7}, out[6], scale[6] = {0};
    refer("kmeans_accumulate", "clusters=3", "f32[4,2] u32[4]",
          (double *[]){x, assignment, sums, counts}, scale);
    CU_ASSERT(equal(sums, (double[]){7, 8, 6, 8, 0, 0}, 6));
    CU_ASSERT(equal(counts, (double[]){1, 2, 0}, 3));
    refer("kmeans_update", "", "f32[3,2] u32[3] f32[3,2]", (double *[]){sums, counts, old, out},
          NULL);
    CU_ASSERT(equal(out, (double[]){7, 8, 3, 4, 8, 7}, 6));
}

/* ---- Statistics ------------------------------------------------------------------------------ */

static void histograms(void) {
    accepts("histogram", "low=0 high=1 bins=4", "f16[3,7] u32[4]", 1, "u32[4]");
    refuses("histogram", "low=0 high=1 bins=4", "f32[7] u32[5]", "counts is u32[5]");
    refuses("histogram", "low=1 high=1 bins=4", "f32[7] u32[4]", "low must be the smaller one");
    refuses("histogram", "low=-3e38 high=3e38 bins=4", "f32[7] u32[4]", "high - low is inf");
    refuses("histogram", "low=0 high=1e-40 bins=4", "f32[7] u32[4]", "expected 1e-30 to");
    refuses("histogram", "low=0 high=1", "f32[7] u32[4]", "attribute bins is missing");
    refuses("histogram", "low=0 high=1 bins=0", "f32[7] u32[4]", "attribute bins is 0");
    double x[10] = {0, 0.25, 0.2499999, 0.999, 1, 1.5, -1, NAN, INFINITY, -INFINITY};
    double counts[4] = {10, 0, 4294967295.0, 0};
    double *arrays[] = {x, counts};
    refer("histogram", "low=0 high=1 bins=4", "f32[10] u32[4]", arrays, NULL);
    CU_ASSERT(equal(counts, (double[]){12, 1, 4294967295.0, 2}, 4));
    x[0] = 0.5;
    refer("histogram", "low=0 high=1 bins=4 outside=clamp", "f32[10] u32[4]", arrays, NULL);
    CU_ASSERT(equal(counts, (double[]){15, 2, 0, 6}, 4)); /* and the third wrapped */
    /* Every edge belongs to the bin that it begins. */
    double edges[50], many[49] = {0};
    for (int i = 0; i < 50; i++) edges[i] = i;
    refer("histogram", "low=0 high=49 bins=49", "f32[50] u32[49]", (double *[]){edges, many}, NULL);
    for (int i = 0; i < 49; i++) CU_ASSERT_EQUAL(many[i], i == 48 ? 2 : 1);
}

static void moments(void) {
    double x[10] = {1, 2, 3, 4, 10, 0.7, 0.7, 0.7, 0.7, 0.7},
           y[10] = {2, 4, 6, 8, 20, 1, 2, 3, 4, 5};
    double mean[2], variance[2], skewness[2], kurtosis[2], scale[2] = {0};
    accepts("moments", "", "f32[2,3,5]", 4, "f32[2,3]");
    accepts("moments", "", "f32[2,5] f32? - - f16?", 4, "f16[2]");
    refuses("moments", "", "f32[2,5] -", "mean is missing");
    refer("moments", "", "f32[2,5]", (double *[]){x, mean, variance, skewness, kurtosis}, scale);
    CU_ASSERT(close_to(mean, (double[]){4, 0.7}, 2));
    CU_ASSERT(close_to(variance, (double[]){10, 0}, 2));
    CU_ASSERT(close_to(skewness, (double[]){36 / pow(10, 1.5), 0}, 2));
    CU_ASSERT(close_to(kurtosis, (double[]){278.8 / 100 - 3, 0}, 2));
    accepts("covariance", "", "f32[2,5] f16[2,5]", 2, "f32[2]");
    refuses("correlation", "", "f32[2,5] f32[2,6]", "y is f32[2,6]");
    refer("covariance", "", "f32[2,5] f32[2,5]", (double *[]){x, y, mean}, scale);
    CU_ASSERT(close_to(mean, (double[]){20, 0}, 2));
    refer("correlation", "", "f32[2,5] f32[2,5]", (double *[]){x, y, mean}, scale);
    CU_ASSERT(close_to(mean, (double[]){1, 0}, 2));
}

/* ---- Formulas -------------------------------------------------------------------------------- */

static double evaluate(const rp_op_call *call, const char *text, const double *names) {
    static rp_formula_block block;
    rp_formula formula;
    char error[160] = "";
    size_t at = 0;
    if (rp_op_parse_formula(call, text, &block, &formula, error, &at))
        return rp_formula_eval(&formula, names);
    printf("\n  %s: '%s', %zu: %s\n", call->op->name, text, at, error);
    CU_FAIL("a formula does not parse");
    return NAN;
}

/* Sums, minima and maxima of one row, then the outputs at one element, as a kernel computes them.
 */
static void evaluate_row(const rp_op_call *call, double *const *inputs, uint32_t element,
                         double *outputs) {
    double names[RP_OP_NAME_COUNT] = {0};
    uint32_t n = (uint32_t)rp_sym(call, 'C'), first = 0;
    names[RP_OP_NAME_LENGTH] = n;
    while (call->op->operands[first].access == RP_READ) first++;
    for (uint32_t s = 0; s < call->op->step_count; s++) {
        const rp_op_step *step = &call->op->steps[s];
        double result = 0;
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t k = 0; k < first; k++) names[k] = inputs[k][i];
            double term = evaluate(call, step->expression, names);
            if (i == 0 || step->reduce == RP_REDUCE_NONE)
                result = term;
            else if (step->reduce == RP_REDUCE_SUM)
                result += term;
            else if (step->reduce == RP_REDUCE_MIN)
                result = term < result ? term : result;
            else
                result = term > result ? term : result;
        }
        names[RP_OP_NAME_STEP + s] = result;
    }
    for (uint32_t k = 0; k < first; k++) names[k] = inputs[k][element];
    for (uint32_t k = first; k < call->operand_count; k++)
        outputs[k] = rp_reference_store(call->operands[k].dtype,
                                        evaluate(call, call->op->operands[k].expression, names));
}

/* Numbers in this row are far from any tie, so double and f32 agree on the codes. */
static void formulas(void) {
    enum { N = 13 };
    static const char *const ops[] = {"quantize_i8", "quantize_u8", "moments", "covariance",
                                      "correlation"};
    static rp_op_line line;
    for (uint32_t o = 0; o < sizeof ops / sizeof *ops; o++) {
        double x[N], y[N], results[5][N] = {{0}}, scale[N] = {0}, outputs[5] = {0};
        bool two = o >= 3;
        for (uint32_t i = 0; i < N; i++) {
            x[i] = (double)(i * 37 % 101) * 0.1234567 - 4;
            y[i] = (double)(i * 53 % 89) * -0.31 + x[i];
        }
        double *arrays[5] = {x, two ? y : results[1], results[2], results[3], results[4]};
        const char *operands = two ? "f32[1,13] f32[1,13]" : "f32[1,13]";
        CU_ASSERT_FATAL(rp_op_line_parse(&line, ops[o], "", operands));
        refer(ops[o], "", operands, arrays, scale);
        for (uint32_t i = 0; i < N; i++) {
            evaluate_row(&line.call, (double *[]){x, y}, i, outputs);
            for (uint32_t k = two ? 2 : 1; k < line.call.operand_count; k++) {
                bool each = rp_tensor_elements(&line.call.operands[k]) == N;
                double expected = results[k][each ? i : 0];
                /* References of codes take the span in f32. */
                CU_ASSERT_DOUBLE_EQUAL(outputs[k], expected, 1e-6 * (1 + fabs(expected)));
                CU_ASSERT(!each || outputs[k] == expected);
            }
        }
    }
}

/* ---- The suite ------------------------------------------------------------------------------- */

int main(void) {
    static const rp_test tests[] = {{"shapes of scalar codes", scalar_shapes},
                                    {"scalar codes", scalar_codes},
                                    {"shapes of packed codes", packed_shapes},
                                    {"blocks", packed_blocks},
                                    {"bits", bits},
                                    {"product codes", product_codes},
                                    {"clusters", clusters},
                                    {"histograms", histograms},
                                    {"moments", moments},
                                    {"formulas against references", formulas},
                                    {NULL, NULL}};
    return rp_run_tests("ops_quantise", tests);
}
