/* Family search: shapes, refusals, and references against values by hand or by sorting. */
#include "unit/op_cases.h"

#include <stdlib.h>

#define NO_INDEX 4294967295.0

/* ---- Distances ------------------------------------------------------------------------------- */

static void distance_shapes(void) {
    static const char *const names[] = {"l2_distance", "cosine_distance", "dot_product",
                                        "manhattan",   "chebyshev",       "minkowski",
                                        "jaccard"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        accepts(names[i], "", "f32[3,7] f16[5,7]", 2, "f32[3,5]");
        accepts(names[i], "", "f16[1,1] f32[1,1] f16?", 2, "f16[1,1]");
        refuses(names[i], "", "f32[3,7] f32[5,8]",
                "base is f32[5,8]: its last dimension, D, is 8, expected 7");
        refuses(names[i], "", "f32[7] f32[5,7]", "queries is f32[7]");
        refuses(names[i], "", "f32[3,7] u32[5,7]", "base is u32");
        refuses(names[i], "", "f32[3,7] f32[5,7] f32[5,3]", "out is f32[5,3]");
        refuses(names[i], "", "f32[70000,1] f32[70000,1]", "elements");
    }
    accepts("hamming", "", "u32[3,2] u32[5,2]", 2, "u32[3,5]");
    accepts("jaccard_bits", "", "u32[3,2] u32[5,2]", 2, "f32[3,5]");
    refuses("hamming", "", "u32[3,2] u32[5,3]", "base is u32[5,3]");
    refuses("hamming", "", "f32[3,2] u32[5,2]", "queries is f32");
    refuses("minkowski", "p=0", "f32[3,7] f32[5,7]", "attribute p is 0");
    refuses("l2_distance", "squared=2", "f32[3,7] f32[5,7]", "attribute squared is 2");
}

static void distances(void) {
    double a[6] = {1, 2, 2, 0, 0, 0}, b[9] = {1, 2, 2, 3, 2, 0, -1, 0, 4}, out[6], scale[6] = {0};
    double *arrays[] = {a, b, out};
    refer("l2_distance", "", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){0, 8, 12, 9, 13, 17}, 6));
    refer("l2_distance", "squared=0", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(close_to(out, (double[]){0, sqrt(8), sqrt(12), 3, sqrt(13), sqrt(17)}, 6));
    refer("dot_product", "", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){9, 7, 7, 0, 0, 0}, 6));
    CU_ASSERT(equal(scale, (double[]){9, 7, 9, 0, 0, 0}, 6));
    refer("cosine_distance", "", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(
        close_to(out, (double[]){0, 1 - 7 / (3 * sqrt(13)), 1 - 7 / (3 * sqrt(17)), 1, 1, 1}, 6));
    refer("manhattan", "", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){0, 4, 6, 5, 5, 5}, 6));
    refer("chebyshev", "", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){0, 2, 2, 2, 3, 4}, 6));
    refer("minkowski", "p=1", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(close_to(out, (double[]){0, 4, 6, 5, 5, 5}, 6));
    refer("minkowski", "p=2", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(close_to(out, (double[]){0, sqrt(8), sqrt(12), 3, sqrt(13), sqrt(17)}, 6));
    refer("minkowski", "p=3", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(close_to(out + 3, (double[]){cbrt(17), cbrt(35), cbrt(65)}, 3));
    b[6] = 1;
    refer("jaccard", "", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(close_to(out, (double[]){0, 1 - 3 / 7., 1 - 3 / 7., 1, 1, 1}, 6));
    for (int i = 0; i < 9; i++) b[i] = 0;
    refer("jaccard", "", "f32[2,3] f32[3,3]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){1, 1, 1, 0, 0, 0}, 6));
}

static void distances_not_finite(void) {
    double a[3] = {1, NAN, 0}, b[3] = {INFINITY, 0, 0}, out[1];
    double *arrays[] = {a, b, out};
    static const char *const names[] = {"l2_distance", "manhattan", "chebyshev",
                                        "minkowski",   "jaccard",   "dot_product"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        a[1] = NAN;
        refer(names[i], "", "f32[1,3] f32[1,3]", arrays, NULL);
        CU_ASSERT(isnan(out[0]));
        a[1] = 0;
        refer(names[i], "", "f32[1,3] f32[1,3]", arrays, NULL);
        CU_ASSERT(strcmp(names[i], "jaccard") == 0 ? out[0] == 1 : out[0] == INFINITY);
    }
}

static void bits(void) {
    double a[2] = {0xff00ff00u, 1}, b[6] = {0xff00ff00u, 1, 0x00ff00ffu, 3, 0, 0}, out[3];
    double *arrays[] = {a, b, out};
    refer("hamming", "", "u32[1,2] u32[3,2]", arrays, NULL);
    CU_ASSERT(equal(out, (double[]){0, 33, 17}, 3));
    refer("jaccard_bits", "", "u32[1,2] u32[3,2]", arrays, NULL);
    CU_ASSERT(close_to(out, (double[]){0, 1 - 1 / 34., 1}, 3));
    a[0] = a[1] = 0;
    refer("jaccard_bits", "", "u32[1,2] u32[3,2]", arrays, NULL);
    CU_ASSERT(equal(out, (double[]){1, 1, 0}, 3));
}

/* ---- Selection ------------------------------------------------------------------------------- */

static void selection_shapes(void) {
    accepts("top_k", "k=3", "f16[4,5,9] -", 2, "f16[4,5,3]");
    accepts("top_k", "k=3", "f16[4,5,9] -", 3, "u32[4,5,3]");
    accepts("top_k", "k=9", "i32[9] u32[1] -", 3, "u32[9]");
    accepts("top_k", "k=2", "f32[3,40] - f16?", 2, "f16[3,2]");
    refuses("top_k", "k=10", "f32[4,9] -", "k is 10, but rows of x have 9 elements");
    refuses("top_k", "k=1025", "f32[4,9000] -", "attribute k is 1025, expected 0 to 1024");
    refuses("top_k", "k=0", "f32[4,9] -", "neither attribute k nor the shape of indices");
    accepts("top_k", "", "f32[4,9] - f32[4,2]", 3, "u32[4,2]");
    accepts("top_k", "", "f32[4,9] - - u32[4,0]", 3, "u32[4,0]");
    refuses("top_k", "", "f32[4,9000] - - u32[4,2000]", "2000 elements are to be kept");
    refuses("top_k", "", "f32[4,9] - - u32[4,10]", "k is 10, but rows of x have 9 elements");
    refuses("top_k", "k=3", "f32[4,33] u32[1]", "excluded has 1 words of 32 bits");
    refuses("top_k", "k=3", "f32[4,9] - u32?", "x is f32 and values is u32");
    refuses("top_k", "k=3", "i8[4,9] - u8?", "x is i8 and values is u8");
    refuses("top_k", "k=3", "f32[4,9] - f32[4,3] -", "indices is missing");
    refuses("top_k", "k=3", "f32[4,9] - f32[4,2] u32[4,3]", "values is f32[4,2]");
    accepts("top_k_partial", "k=3 splits=4", "f32[2,9] -", 2, "f32[2,4,3]");
    accepts("top_k_partial", "k=3 splits=4", "f32[9] -", 3, "u32[4,3]");
    refuses("top_k_partial", "k=3 splits=10", "f32[2,9] -", "splits is 10");
    refuses("top_k_partial", "k=3", "f32[2,9] -", "attribute splits is missing");
    refuses("top_k_partial", "k=10 splits=2", "f32[2,9] -", "k is 10");
    accepts("top_k_merge", "", "f32[2,4,3] u32[2,4,3] -", 3, "f32[2,3]");
    accepts("top_k_merge", "", "u32[4,3] u32[4,3] u32[4]", 4, "u32[3]");
    refuses("top_k_merge", "", "f32[2,4,3] u32[2,4,4]", "list_indices is u32[2,4,4]");
    refuses("top_k_merge", "", "f32[2,4,3] u32[2,4,3] u32[3]", "offsets is u32[3]");
    refuses("top_k_merge", "", "f32[2,2000] u32[2,2000] -", "2000 entries");
    refuses("top_k_merge", "", "f32[2,4,3] u32[2,4,3] - i32?", "values is i32");
}

static void selection_order(void) {
    double x[8] = {3, NAN, -0.0, 0, INFINITY, 3, -INFINITY, 3}, values[8], indices[8];
    double *arrays[] = {x, NULL, values, indices};
    refer("top_k", "k=8 order=smallest", "f32[8] -", arrays, NULL);
    CU_ASSERT(equal(indices, (double[]){6, 2, 3, 0, 5, 7, 4, 1}, 8));
    CU_ASSERT(equal(values, (double[]){-INFINITY, 0, 0, 3, 3, 3, INFINITY}, 7));
    CU_ASSERT(isnan(values[7]));
    refer("top_k", "k=8", "f32[8] -", arrays, NULL);
    CU_ASSERT(equal(indices, (double[]){4, 0, 5, 7, 2, 3, 6, 1}, 8));
    arrays[2] = NULL;
    refer("top_k", "k=2", "f32[8] - - u32[2]", arrays, NULL);
    CU_ASSERT(equal(indices, (double[]){4, 0}, 2));
}

/* With elements 0, 4 and 5 left out there are too few. */
static void selection_excluded(void) {
    double x[8] = {3, 9, 1, 5, 7, 7, 2, 2}, mask[1] = {1 + 16 + 32}, values[7], indices[7];
    double *arrays[] = {x, mask, values, indices};
    refer("top_k", "k=7", "f32[8] u32[1]", arrays, NULL);
    CU_ASSERT(equal(indices, (double[]){1, 3, 6, 7, 2, NO_INDEX, NO_INDEX}, 7));
    CU_ASSERT(equal(values, (double[]){9, 5, 2, 2, 1, -INFINITY, -INFINITY}, 7));
    refer("top_k", "k=7 order=smallest", "i8[8] u32[1]", arrays, NULL);
    CU_ASSERT(equal(values, (double[]){1, 2, 2, 5, 9, 127, 127}, 7));
    refer("top_k", "k=7", "i32[8] u32[1]", arrays, NULL);
    CU_ASSERT_EQUAL(values[6], -2147483648.0);
    refer("top_k", "k=7", "u8[8] u32[1]", arrays, NULL);
    CU_ASSERT_EQUAL(values[6], 0);
    refer("top_k", "k=7 order=smallest", "u32[8] u32[1]", arrays, NULL);
    CU_ASSERT_EQUAL(values[6], 4294967295.0);
}

static const double *sorted_row;

static int by_value(const void *a, const void *b) {
    double i = *(const double *)a, j = *(const double *)b;
    double u = sorted_row[(uint32_t)i], v = sorted_row[(uint32_t)j];
    return u != v ? (u < v ? -1 : 1) : (i > j) - (i < j);
}

/* However the rows are split, merging the parts gives what sorting gives. */
static void parts_and_merge(void) {
    enum { ROWS = 3, N = 37, K = 11 };
    static double x[ROWS * N], values[ROWS * N * K], indices[ROWS * N * K], best[ROWS * K],
        where[ROWS * K];
    char attrs[64], lists[96];
    for (uint32_t i = 0; i < ROWS * N; i++) x[i] = (i * 7919u + 13u) % 17u;
    for (uint32_t parts = 1; parts <= N; parts++) {
        snprintf(attrs, sizeof attrs, "k=%d splits=%u order=smallest", K, parts);
        refer("top_k_partial", attrs, "f32[3,37] -", (double *[]){x, NULL, values, indices}, NULL);
        snprintf(lists, sizeof lists, "f32[3,%u,11] u32[3,%u,11] -", parts, parts);
        refer("top_k_merge", "order=smallest", lists,
              (double *[]){values, indices, NULL, best, where}, NULL);
        for (uint32_t r = 0; r < ROWS; r++) {
            double order[N];
            for (uint32_t i = 0; i < N; i++) order[i] = i;
            sorted_row = x + r * N;
            qsort(order, N, sizeof *order, by_value);
            CU_ASSERT(equal(where + r * K, order, K));
            for (uint32_t i = 0; i < K; i++)
                CU_ASSERT_EQUAL(best[r * K + i], sorted_row[(uint32_t)order[i]]);
        }
    }
}

static void merge_offsets(void) {
    double values[6] = {1, 5, 7, 1, 2, 9}, indices[6] = {4, 0, NO_INDEX, 3, 1, 2};
    double offsets[2] = {0, 100}, best[3], where[3];
    double *arrays[] = {values, indices, offsets, best, where};
    refer("top_k_merge", "order=smallest", "f32[2,3] u32[2,3] u32[2]", arrays, NULL);
    CU_ASSERT(equal(where, (double[]){4, 103, 101}, 3));
    CU_ASSERT(equal(best, (double[]){1, 1, 2}, 3));
    refer("top_k_merge", "", "f32[2,3] u32[2,3] u32[2]", arrays, NULL);
    CU_ASSERT(equal(where, (double[]){102, 0, 101}, 3));
}

/* ---- The suite ------------------------------------------------------------------------------- */

int main(void) {
    static const rp_test tests[] = {{"shapes of distances", distance_shapes},
                                    {"distances", distances},
                                    {"distances with infinities and NaN", distances_not_finite},
                                    {"distances of bits", bits},
                                    {"shapes of selections", selection_shapes},
                                    {"order of selections", selection_order},
                                    {"exclusion and gaps", selection_excluded},
                                    {"parts and their merging", parts_and_merge},
                                    {"offsets of lists", merge_offsets},
                                    {NULL, NULL}};
    return rp_run_tests("ops_search", tests);
}
