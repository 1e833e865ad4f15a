/* Families matrix and attention: shapes, refusals, what rules bind for the kernels, and references
 * against values by hand or by another way of computing them. */
#include "ops/product.h"
#include "reprise/needs.h"
#include "unit/op_cases.h"

/* ---- Products -------------------------------------------------------------------------------- */

static void product_shapes(void) {
    accepts("matvec", "", "f32[2048] q8_0[100,2048]", 2, "f32[100]");
    accepts("matvec", "", "f16[8,32] f32[5,32]", 2, "f16[8,5]");
    accepts("matvec", "", "f16[2,4,3] f32[5,3]", 2, "f16[2,4,5]");
    accepts("matvec", "", "bf16[8,32] bf16[5,32]", 2, "bf16[8,5]");
    refuses("matvec", "", "f32[9,32] f32[5,32]", "x has 9 vectors; at most 8");
    refuses("matvec", "", "f32[32] f32[5,33]", "weight is f32[5,33]");
    refuses("matvec", "", "f32[40] q8_0[5,40]", "multiple of 32");
    accepts("matmul", "", "f32[3,4] f32[4,5]", 2, "f32[3,5]");
    accepts("matmul", "transpose_b=1", "f16[2,7,3,32] q4_0[5,32]", 2, "f16[2,7,3,5]");
    accepts("matmul", "transpose_b=1", "i8[2,7,32] i8[5,32]", 2, "i32[2,7,5]");
    refuses("matmul", "", "i8[7,32] f32[32,5] f32[7,5]", "a is i8 and b is f32");
    refuses("matmul", "", "f16[7,32] i8[32,5] f32[7,5]", "a is f16 and b is i8");
    refuses("matmul", "", "i8[7,32] i8[32,5] f32[7,5]", "products of i8 are i32");
    refuses("matmul", "", "f32[7,32] f32[32,5] i32[7,5]", "only products of i8 are i32");
    accepts("matmul", "transpose_a=1", "f32[6,4,3] f32[6,4,5]", 2, "f32[6,3,5]");
    accepts("matmul", "transpose_a=1 transpose_b=1", "f32[4,3] f16[5,4] f16[3,5]", 2, "f16[3,5]");
    refuses("matmul", "", "f32[3,4] f32[5,4]",
            "a has matrices of 3 x 4 and b of 5 x 4: 4 columns cannot meet 5 rows");
    refuses("matmul", "transpose_b=1", "f32[3,4] f32[4,5]", "b of 5 x 4 (transposed)");
    refuses("matmul", "", "f32[6,3,4] f32[2,4,5]", "a has 6 matrices and b has 2");
    refuses("matmul", "transpose_a=2", "f32[3,4] f32[4,5]", "transpose_a");
    refuses("matmul", "", "f32[100000,1] f32[1,100000]", "2^32");
    refuses("matmul", "", "f32[3,4] f32[4,5] f32[3,6]", "out is f32[3,6]");
}

static void tiles(void) {
    /* All of a meets one b: 6 x 10 rows are one matrix, unless a lies in columns. */
    CU_ASSERT_EQUAL(symbol_of("matmul", "", "f32[6,10,4] f32[4,5]", 'G'), 1);
    CU_ASSERT_EQUAL(symbol_of("matmul", "", "f32[6,10,4] f32[4,5]", 'H'), 60);
    CU_ASSERT_EQUAL(symbol_of("matmul", "transpose_a=1", "f32[6,4,10] f32[4,5]", 'G'), 6);
    CU_ASSERT_EQUAL(symbol_of("matmul", "", "f32[6,10,4] f32[6,4,5]", 'H'), 10);
    /* Tiles are as large as keeps all multiprocessors busy: 16 x 8 of these, to 128 x 128. */
    static const struct {
        const char *attrs, *operands;
        uint32_t rows, columns, tiles;
    } sizes[] = {
        {"", "f32[7,129] f32[129,30]", 16, 8, 4},
        {"", "f32[15,129] f32[129,2000]", 16, 16, 125},
        {"transpose_b=1", "f32[30,130] f16[1899,130]", 32, 16, 119},
        {"transpose_a=1", "f32[128,31] q8_0[128,3808]", 32, 16, 238},
        {"transpose_b=1", "f16[63,64] q4_0[3839,64]", 64, 32, 120},
        {"transpose_b=1", "f32[60,64] f32[5758,64]", 64, 48, 120},
        {"", "f32[61,32] f32[32,6399]", 64, 64, 100},
        {"transpose_a=1", "f32[32,62] f16[32,32999]", 64, 64, 516},
        {"transpose_b=1", "f32[127,20] f32[16271,20]", 128, 128, 128},
        {"", "f32[6,7,129] f32[6,129,30]", 16, 8, 24},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t s[26];
        for (char c = 'A'; c <= 'Z'; c++)
            s[c - 'A'] = strchr("UVLIJDCTWXY", c)
                             ? symbol_of("matmul", sizes[i].attrs, sizes[i].operands, c)
                             : 0;
#define S(letter) s[letter - 'A']
        CU_ASSERT_EQUAL(S('I') * S('L') * S('U'), sizes[i].rows);
        CU_ASSERT_EQUAL(S('J') * (32 / S('L')) * S('V'), sizes[i].columns);
        CU_ASSERT_EQUAL(S('W'), sizes[i].tiles);
        /* Two halves of all parts' steps fit, and so do results. */
        CU_ASSERT(S('T') * 4 >= 2 * S('C') * S('D') * (sizes[i].rows + sizes[i].columns));
        CU_ASSERT(S('T') <= 32768 / 16 && S('I') * S('J') * S('C') * 32 <= 256);
#undef S
    }
}

/* Eights of rows unless sixteens are as few in all; narrower tiles where cores would be idle. */
static void columns(void) {
    static const struct {
        const char *operands;
        uint32_t u, v, w;
    } sizes[] = {{"f32[32,384] f32[384,384]", 16, 8, 12},
                 {"f32[8,384] f32[384,384]", 8, 8, 6},
                 {"f32[17,40] f32[40,100]", 8, 8, 6},
                 {"f32[25,40] f32[40,100]", 16, 8, 4},
                 {"f32[3,40] f32[40,50]", 8, 4, 2}};
    const rp_target *target = rp_target_builtin("lavapipe");
    CU_ASSERT_PTR_NOT_NULL_FATAL(target);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rp_op_line line;
        CU_ASSERT_FATAL(rp_op_line_parse(&line, "matmul", "", sizes[i].operands));
        rp_op_choose(&line.call, target);
        CU_ASSERT_STRING_EQUAL(line.call.variant->name, "columns");
        CU_ASSERT_EQUAL(rp_sym(&line.call, 'U'), sizes[i].u);
        CU_ASSERT_EQUAL(rp_sym(&line.call, 'V'), sizes[i].v);
        CU_ASSERT_EQUAL(rp_sym(&line.call, 'W'), sizes[i].w);
        rp_op_choose(&line.call, NULL);
        CU_ASSERT_STRING_EQUAL(line.call.variant->name, "tiles");
    }
}

/* A question of the target: where tiles are few and k is deep. */
static void product_parts(void) {
    static const struct {
        const char *target, *operands;
        uint32_t parts;
    } cases[] = {
        {"h200", "f32[16,1536] f32[384,1536] f32[16,384]", 4},
        {"h200", "f32[256,1536] q8_0[384,1536] f32[256,384]", 4},
        {"h200", "f32[257,1536] f32[384,1536] f32[257,384]", 1},
        {"h200", "f32[512,1024] f32[1024,1024] f32[512,1024]", 4},
        {"h200", "f32[16,256] f32[384,256] f32[16,384]", 1},
        {"h200", "f16[64,4096] f16[1024,4096] f16[64,1024]", 8},
        {"h200", "f16[128,4096] f16[4096,4096] f16[128,4096]", 4},
        {"h200", "f16[512,1024] f16[1024,1024] f16[512,1024]", 1},
        {"h200", "f16[4096,4096] f16[4096,4096] f16[4096,4096]", 1},
        {"h200", "i8[64,4096] i8[1024,4096] i32[64,1024]", 8},
        {"h200", "i8[64,1536] i8[384,1536] i32[64,384]", 1},
        {"lavapipe", "f32[16,1536] f32[384,1536] f32[16,384]", 1},
        {"portable", "f32[16,1536] f32[384,1536] f32[16,384]", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_op_line line;
        CU_ASSERT_FATAL(rp_op_line_parse(&line, "matmul", "transpose_b=1", cases[i].operands));
        CU_ASSERT_FATAL(rp_op_check(&line.call));
        CU_ASSERT_EQUAL(rp_product_parts(&line.call, rp_target_builtin(cases[i].target)),
                        cases[i].parts);
    }
    accepts("matmul_partial", "splits=3", "f32[2,5,64] q4_0[64,32]", 2, "f32[3,2,5,32]");
    CU_ASSERT_EQUAL(symbol_of("matmul_partial", "splits=3", "f32[5,200] f32[200,7]", 'O'), 96);
    refuses("matmul_partial", "splits=65", "f32[5,200] f32[200,7]", "splits");
    accepts("matmul_partial", "splits=2", "i8[5,200] i8[200,7]", 2, "i32[2,1,5,7]");
    refuses("matmul_partial", "splits=2", "i8[5,200] i8[200,7] f32[2,1,5,7]",
            "products of i8 are i32");
    accepts("matmul_merge", "", "i32[3,2,5,7]", 1, "i32[2,5,7]");
    refuses("matmul_merge", "", "i32[3,2,5,7] f32[2,5,7]", "expected i32");
    refuses("matmul_merge", "", "f32[3,2,5,7] i32[2,5,7]", "expected f32, f16 or bf16");
    accepts("matmul_merge", "", "f32[3,2,5,7] bf16[2,5,7]", 1, "bf16[2,5,7]");
}

/* Bytes go by cooperative matrices where there are such, and as floats do elsewhere. */
static void byte_variants(void) {
    static const struct {
        const char *target, *operands, *variant;
        uint32_t edge; /* of a tile of matrices */
    } cases[] = {
        {"h200", "i8[4096,4096] i8[4096,4096]", "matrices_i8", 128},
        {"h200", "i8[16,1536] i8[1536,384]", "matrices_i8", 32},
        {"h200", "i8[15,1536] i8[1536,384]", "dots", 0},
        {"h200", "i8[64,8] i8[8,64]", "dots", 0},
        {"lavapipe", "i8[64,64] i8[64,64]", "columns", 0},
        {"portable", "i8[64,64] i8[64,64]", "tiles", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_op_line line;
        CU_ASSERT_FATAL(rp_op_line_parse(&line, "matmul", "", cases[i].operands));
        CU_ASSERT_FATAL(rp_op_infer(&line.call));
        rp_op_choose(&line.call, rp_target_builtin(cases[i].target));
        CU_ASSERT_STRING_EQUAL(line.call.variant->name, cases[i].variant);
        if (!cases[i].edge) continue;
        CU_ASSERT_EQUAL(2 * rp_sym(&line.call, 'U') * rp_sym(&line.call, 'C'), cases[i].edge);
        CU_ASSERT_EQUAL(rp_sym(&line.call, 'W'), rp_sym(&line.call, 'X') * rp_sym(&line.call, 'Y'));
    }
    /* Lines of shared memory hold sixteens: no matrix of 8 columns will do. */
    rp_target narrow = *rp_target_builtin("h200");
    narrow.matrix_shapes = RP_MATRIX_16_8_32_I8_I32 | RP_MATRIX_8_8_32_I8_I32;
    rp_op_line line;
    CU_ASSERT_FATAL(rp_op_line_parse(&line, "matmul", "", "i8[64,64] i8[64,64]"));
    CU_ASSERT_FATAL(rp_op_infer(&line.call));
    rp_op_choose(&line.call, &narrow);
    CU_ASSERT_STRING_EQUAL(line.call.variant->name, "dots");
    CU_ASSERT_EQUAL(rp_sym(&line.call, 'O'), 64);
    narrow.needs &= ~(uint64_t)RP_NEED_INT_DOT;
    rp_op_choose(&line.call, &narrow);
    CU_ASSERT_STRING_EQUAL(line.call.variant->name, "tiles");
    CU_ASSERT_EQUAL(rp_sym(&line.call, 'O'), 64);
}

static void bytes(void) {
    static double a[2 * 131073], b[131073], out[2], scale[2];
    double *arrays[] = {a, b, out};
    for (uint32_t i = 0; i < 2 * 131073; i++) a[i] = i < 131073 ? -128 : 127;
    for (uint32_t i = 0; i < 131073; i++) b[i] = -128;
    refer("matmul", "", "i8[2,131073] i8[131073,1]", arrays, scale);
    CU_ASSERT(out[0] == 16384 - 0x1p31 && out[1] == 131073 * -16256.0);
}

static void products(void) {
    double a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {1, -1, 2, 0, 3, 1}, out[4], scale[4] = {0};
    double *arrays[] = {a, b, out};
    refer("matmul", "", "f32[2,3] f32[3,2]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){14, 2, 32, 2}, 4));
    CU_ASSERT(equal(scale, (double[]){14, 4, 32, 10}, 4));
    /* The same memory, read as transposes. */
    refer("matmul", "transpose_a=1", "f32[3,2] f32[3,2]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){22, 4, 28, 4}, 4));
    refer("matmul", "transpose_b=1", "f32[2,3] f32[2,3]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){5, 9, 11, 21}, 4));
    refer("matvec", "", "f32[2,3] f32[2,3]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){5, 9, 11, 21}, 4));
    CU_ASSERT(equal(scale, (double[]){9, 9, 21, 21}, 4));
    /* Two matrices, 1 x 3 each, with one b and with one each. */
    refer("matmul", "", "f32[2,1,3] f32[3,1]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){5, 11}, 2));
    refer("matmul", "", "f32[2,1,3] f32[2,3,1]", arrays, scale);
    CU_ASSERT(equal(out, (double[]){5, 21}, 2));
}

/* ---- Rope ------------------------------------------------------------------------------------ */

static void rope_shapes(void) {
    accepts("rope", "", "f32[4,8,64] u32[4]", 3, "f32[4,8,64]");
    accepts("rope", "dims=4 layout=interleaved", "f16[8,7] i32 - f16[8,7]", 3, "f16[8,7]");
    accepts("rope", "", "f32[4,8,64] u32[4] f32[32]", 3, "f32[4,8,64]");
    CU_ASSERT_EQUAL(symbol_of("rope", "", "f32[4,8,64] u32[4]", 'R'), 64);
    CU_ASSERT_EQUAL(symbol_of("rope", "dims=16", "f32[4,8,64] u32[4]", 'R'), 16);
    refuses("rope", "", "f32[4,8,7] u32[4]", "dims is 7, expected an even number");
    refuses("rope", "dims=66", "f32[4,8,64] u32[4]", "up to 64");
    refuses("rope", "", "f32[4,8,64] u32[5]", "positions is u32[5]");
    refuses("rope", "", "f32[4,8,64] u32[4] f32[64]", "frequencies has 64 elements, expected 32");
    refuses("rope", "base=0", "f32[4,8,64] u32[4]", "base");
    refuses("rope", "layout=other", "f32[4,8,64] u32[4]", "not a choice");
}

/* Turning is a multiplication by e^(i angle), here by repeated multiplication. */
static void rope_turns(void) {
    double x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, positions[1] = {3}, out[8], scale[8] = {0};
    for (uint32_t interleaved = 0; interleaved < 2; interleaved++) {
        double expected[8];
        memcpy(expected, x, sizeof x);
        for (uint32_t j = 0; j < 3; j++) {
            uint32_t one = interleaved ? 2 * j : j, two = interleaved ? 2 * j + 1 : j + 3;
            double step = 1 / cbrt(pow(100, (double)j));
            double re = x[one], im = x[two], c = cos(step), s = sin(step);
            for (uint32_t n = 0; n < 3; n++) {
                double next = re * c - im * s;
                im = im * c + re * s;
                re = next;
            }
            expected[one] = re, expected[two] = im;
        }
        refer("rope", interleaved ? "base=100 dims=6 layout=interleaved" : "base=100 dims=6",
              "f32[1,1,8] u32[1]", (double *[]){x, positions, NULL, out}, scale);
        CU_ASSERT(close_to(out, expected, 8));
        CU_ASSERT_EQUAL(scale[7], 0);
    }
    /* A quarter turn by given frequencies, backwards. */
    double quarter[1] = {1.57079632679489662}, minus[1] = {-1};
    refer("rope", "", "f32[1,1,2] i32[1] f32[1]", (double *[]){x, minus, quarter, out}, scale);
    CU_ASSERT(close_to(out, (double[]){2, -1}, 2));
}

/* ---- Attention ------------------------------------------------------------------------------- */

static void attention_shapes(void) {
    static const char *const call = "f32[8,64] f16[100,2,64] f16[100,2,64] u32";
    accepts("attention_partial", "splits=4", call, 7, "f32[4,8,64]");
    accepts("attention_partial", "splits=4", call, 8, "f32[4,8]");
    accepts("attention_partial", "", call, 9, "f32[8,8]");
    /* With so many parts that no multiprocessor is left, one workgroup has all that share a head. */
    CU_ASSERT_EQUAL(symbol_of("attention_partial", "splits=100", call, 'J'), 4);
    CU_ASSERT_EQUAL(symbol_of("attention_partial", "splits=100", call, 'Z'), 1);
    CU_ASSERT_EQUAL(symbol_of("attention_partial", "splits=1", call, 'J'), 1);
    CU_ASSERT_EQUAL(symbol_of("attention_partial", "splits=1", call, 'Z'), 4);
    /* 12 query heads over one: two workgroups of 6, or as many as there are multiprocessors for. */
    static const char *const wide = "f32[12,64] f16[100,1,64] f16[100,1,64] u32";
    CU_ASSERT_EQUAL(symbol_of("attention_partial", "splits=200", wide, 'J'), 6);
    CU_ASSERT_EQUAL(symbol_of("attention_partial", "splits=200", wide, 'Z'), 2);
    CU_ASSERT_EQUAL(symbol_of("attention_partial", "splits=1", wide, 'Z'), 12);
    static const char *const fresh =
        "f32[8,64] f32[2,64] f16[2,64] u32 u32 - - f32? f32? f32? f16[100,2,64] f16[100,2,64]";
    accepts("attention_append", "splits=4", fresh, 7, "f32[4,8,64]");
    refuses("attention_append", "",
            "f32[8,64] f32[3,64] f32[2,64] u32 u32 - - f32? f32? f32? f16[9,2,64] f16[9,2,64]",
            "value is f32[2,64]");
    refuses("attention_append", "",
            "f32[8,64] f32[2,64] f32[2,64] u32 u32 - - f32? f32? f32? f16[9,2,64] f32[9,2,64]",
            "k is f16 and v is f32");
    refuses("attention_append", "",
            "f32[8,64] f32[2,64] f32[2,64] u32[2] u32 - - f32? f32? f32? f16[9,2,64] f16[9,2,64]",
            "position has 2 elements, expected 1 or as many as sequences, 1");
    accepts("attention_combine", "", "f32[4,8,64] f32[4,8] f32[4,8]", 4, "f32[8,64]");
    accepts("attention_combine", "", "f32[4,8,64] f32[4,8] f32[4,8] - f16[1,8,64]", 4,
            "f16[1,8,64]");
    static const char *const many = "f16[33,8,64] f16[100,2,64] f16[100,2,64] u32";
    accepts("attention_prefill", "", many, 10, "f16[33,8,64]");
    CU_ASSERT_EQUAL(symbol_of("attention_prefill", "", many, 'N'), 2);
    /* Over one cache all tokens are one sequence; over several each has its own. */
    static const char *const caches = "f32[3,2,5,4,8] f32[6,9,2,8] f32[3,2,9,2,8] - f32[3,2,9]";
    accepts("attention_prefill", "", caches, 10, "f32[3,2,5,4,8]");
    CU_ASSERT_EQUAL(symbol_of("attention_prefill", "", caches, 'A'), 6);
    CU_ASSERT_EQUAL(symbol_of("attention_prefill", "", caches, 'T'), 5);
    CU_ASSERT_EQUAL(
        symbol_of("attention_prefill", "", "f32[3,5,4,8] f32[9,2,8] f32[9,2,8] u32 -", 'T'), 15);
    refuses("attention_prefill", "", "f32[3,5,4,8] f32[2,9,2,8] f32[2,9,2,8]",
            "q has 3 sequences and k 2 caches");
    refuses("attention_prefill", "", "f32[3,5,4,8] f32[3,9,2,8] f32[3,9,2,8] - f32[9]",
            "mask has 1 lines, expected one for each sequence, 3");

    refuses("attention_partial", "", "f32[7,64] f16[9,2,64] f16[9,2,64] u32",
            "q has 7 heads, expected a multiple of the 2 of k and v");
    refuses("attention_partial", "", "f32[8,64] f16[9,2,64] f32[9,2,64] u32",
            "k is f16 and v is f32");
    refuses("attention_partial", "", "f32[8,257] f16[9,2,257] f16[9,2,257] u32", "at most 256");
    refuses("attention_partial", "", "f32[8,64] f16[9,2,64] f16[8,2,64] u32", "v is f16[8,2,64]");
    refuses("attention_partial", "", "f32[8,64] f16[9,2,64] f16[9,2,64] u32[2]",
            "length has 2 elements, expected 1 or as many as sequences, 1");
    refuses("attention_partial", "splits=257", call, "splits");
    refuses("attention_partial", "softcap=-1", call, "softcap");
    refuses("attention_prefill", "causal=2", many, "causal");
    refuses("attention_prefill", "", "f16[33,65536,1] f16[9,2,1] f16[9,2,1] u32", "65536 heads");
}

enum { HEADS = 4, GROUPS = 2, SIZE = 3, ROWS = 80, PARTS = 3 };

typedef struct cache {
    double q[HEADS * SIZE], k[ROWS * GROUPS * SIZE], v[ROWS * GROUPS * SIZE];
} cache;

static void fill_cache(cache *c) {
    uint32_t state = 1;
    double *all = c->q;
    for (size_t i = 0; i < sizeof *c / sizeof *all; i++) {
        state = state * 1664525u + 1013904223u;
        double value = (double)(state >> 16) / 32768 - 1;
        if (i < HEADS * SIZE)
            c->q[i] = value;
        else if (i < HEADS * SIZE + ROWS * GROUPS * SIZE)
            c->k[i - HEADS * SIZE] = value;
        else
            c->v[i - HEADS * SIZE - ROWS * GROUPS * SIZE] = value;
    }
}

/* Softmax without a maximum, which these small scores do not need. */
static void plain_attention(const cache *c, uint32_t rows, double scale, double cap, double *out) {
    for (uint32_t h = 0; h < HEADS; h++) {
        double total = 0;
        for (uint32_t d = 0; d < SIZE; d++) out[h * SIZE + d] = 0;
        for (uint32_t row = 0; row < rows; row++) {
            uint32_t at = (row * GROUPS + h / 2) * SIZE;
            double s = 0;
            for (uint32_t d = 0; d < SIZE; d++) s += c->q[h * SIZE + d] * c->k[at + d];
            s *= scale;
            if (cap != 0) s = tanh(s / cap) * cap;
            total += exp(s);
            for (uint32_t d = 0; d < SIZE; d++) out[h * SIZE + d] += exp(s) * c->v[at + d];
        }
        for (uint32_t d = 0; rows && d < SIZE; d++) out[h * SIZE + d] /= total;
    }
}

/* In parts and joined, or for the last token of a prefill: the same. */
static void attention_is_softmax(void) {
    static cache c;
    static const double lengths[] = {0, 1, 31, 33, 65, 80, 1000};
    fill_cache(&c);
    for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        double partial[PARTS * HEADS * SIZE], maxima[PARTS * HEADS], sums[PARTS * HEADS];
        double out[HEADS * SIZE], expected[HEADS * SIZE], scale[PARTS * HEADS * SIZE] = {0};
        double length = lengths[i], rows = fmin(length, ROWS);
        plain_attention(&c, (uint32_t)rows, 0.5, 2, expected);
        refer("attention_partial", "splits=3 scale=0.5 softcap=2",
              "f32[4,3] f32[80,2,3] f32[80,2,3] u32",
              (double *[]){c.q, c.k, c.v, &length, NULL, NULL, NULL, partial, maxima, sums}, scale);
        /* Parts of 32 rows, and 16 at the end. */
        CU_ASSERT_EQUAL(sums[HEADS] != 0, rows > 32);
        CU_ASSERT_EQUAL(maxima[2 * HEADS] == -INFINITY, rows <= 64);
        refer("attention_combine", "", "f32[3,4,3] f32[3,4] f32[3,4]",
              (double *[]){partial, maxima, sums, NULL, out}, scale);
        CU_ASSERT(close_to(out, expected, HEADS * SIZE));
        if (rows == 0) continue;
        double past = length - 1;
        plain_attention(&c, (uint32_t)rows, 1 / sqrt(3), 0, expected);
        refer("attention_prefill", "", "f32[1,4,3] f32[80,2,3] f32[80,2,3] u32",
              (double *[]){c.q, c.k, c.v, &past, NULL, NULL, NULL, NULL, NULL, NULL, out}, scale);
        CU_ASSERT(close_to(out, expected, HEADS * SIZE));
    }
}

/* Two tokens: the first sees one row less, unless it may look ahead. */
static void prefill_order(void) {
    static cache c;
    double q[2 * HEADS * SIZE], out[2 * HEADS * SIZE], expected[HEADS * SIZE], past = 7;
    double scale[2 * HEADS * SIZE] = {0};
    double *arrays[] = {q, c.k, c.v, &past, NULL, NULL, NULL, NULL, NULL, NULL, out};
    fill_cache(&c);
    memcpy(q, c.q, sizeof c.q);
    memcpy(q + HEADS * SIZE, c.q, sizeof c.q);
    for (uint32_t causal = 0; causal < 2; causal++) {
        refer("attention_prefill", causal ? "causal=1" : "causal=0",
              "f32[2,4,3] f32[80,2,3] f32[80,2,3] u32", arrays, scale);
        plain_attention(&c, causal ? 8 : 9, 1 / sqrt(3), 0, expected);
        CU_ASSERT(close_to(out, expected, HEADS * SIZE));
        plain_attention(&c, 9, 1 / sqrt(3), 0, expected);
        CU_ASSERT(close_to(out + HEADS * SIZE, expected, HEADS * SIZE));
    }
}

/* A score of -inf has no weight, NaN in a row that counts spreads, in one that does not it does
 * not. */
static void special_scores(void) {
    double q[1] = {1}, k[4] = {-INFINITY, 0, 0, NAN}, v[4] = {NAN, 2, 4, NAN}, length = 3;
    double partial[1], maxima[1], sums[1], scale[1];
    double *arrays[] = {q, k, v, &length, NULL, NULL, NULL, partial, maxima, sums};
    static const char *const call = "f32[1,1] f32[4,1,1] f32[4,1,1] u32";
    refer("attention_partial", "splits=1", call, arrays, scale);
    CU_ASSERT_EQUAL(partial[0], 6);
    CU_ASSERT_EQUAL(maxima[0], 0);
    CU_ASSERT_EQUAL(sums[0], 2);
    length = 4;
    refer("attention_partial", "splits=1", call, arrays, scale);
    CU_ASSERT_TRUE(isnan(partial[0]) && isnan(sums[0]));
    length = 1;
    refer("attention_partial", "splits=1", call, arrays, scale);
    CU_ASSERT_EQUAL(partial[0], 0);
    CU_ASSERT_EQUAL(sums[0], 0);
}

int main(void) {
    static const rp_test tests[] = {{"product shapes", product_shapes},
                                    {"tiles", tiles},
                                    {"columns", columns},
                                    {"products", products},
                                    {"products of bytes", bytes},
                                    {"variants of bytes", byte_variants},
                                    {"products in parts", product_parts},
                                    {"rope shapes", rope_shapes},
                                    {"rope turns", rope_turns},
                                    {"attention shapes", attention_shapes},
                                    {"attention is softmax", attention_is_softmax},
                                    {"prefill order", prefill_order},
                                    {"special scores", special_scores},
                                    {NULL, NULL}};
    return rp_run_tests("matrix and attention ops", tests);
}
