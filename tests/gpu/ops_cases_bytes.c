/* The cases of products of bytes: exact, so every result has one right value; and of products in
 * parts of k. */
#include "ops.h"

#include <stddef.h>

#define FLOATS "f32 f16 bf16"
#define WEIGHTS "f32 f16 bf16 q8_0 q4_0"

const op_case op_byte_cases[] = {
    {"matmul", "i8[7,5] i8[5,3] i32?", NULL, NULL, NULL},
    {"matmul", "i8[1,1] i8[1,1]", NULL, NULL, NULL},
    {"matmul", "i8[65,67] i8[67,131]", NULL, NULL, NULL},
    {"matmul", "i8[3,33,64] i8[64,17]", NULL, NULL, NULL},
    {"matmul", "i8[3,33,64] i8[3,64,17]", NULL, NULL, NULL},
    {"matmul", "i8[3,64,33] i8[3,64,17]", "transpose_a=1", NULL, NULL},
    {"matmul", "i8[2,20,96] i8[70,96]", "transpose_b=1", NULL, NULL},
    {"matmul", "i8[96,20] i8[70,96]", "transpose_a=1 transpose_b=1", NULL, NULL},
    {"matmul", "i8[130,512] i8[70,512]", "transpose_b=1", NULL, NULL},
    {"matmul", "i8[16,1536] i8[48,1536]", "transpose_b=1", NULL, NULL},
    {"matmul", "i8[2,3,65,61] i8[6,61,39]", NULL, NULL, NULL},
    {"matmul", "i8[128,31] i8[128,1808]", "transpose_a=1", NULL, NULL},
    {"matmul", "i8[127,20] i8[8271,20]", "transpose_b=1", NULL, NULL},
    {"matmul", "T[33,96] q8_0[70,96]", "transpose_b=1", "q8_0 q4_0", NULL},
    {"matmul", "q8_0[1,160] q8_0[70,160]", "transpose_b=1", NULL, NULL},
    {"matmul", "q8_0[2,3,5,64] q8_0[6,35,64]", "transpose_b=1", NULL, NULL},
    {"matmul", "q8_0[2,41,32] q8_0[130,32] T?", "transpose_b=1", "f16 bf16", NULL},
    {"matmul", "q8_0[2,64,96] f16[64,33]", "transpose_a=1", NULL, NULL},
    {"matmul_partial", "T[9,128] q8_0[35,128]", "transpose_b=1 splits=2", "q8_0 q4_0", NULL},
    {"matmul_partial", "T[7,65] U[65,3]", "splits=2", FLOATS, FLOATS},
    {"matmul_partial", "f32[3,64,33] f32[3,64,17]", "transpose_a=1 splits=2", NULL, NULL},
    {"matmul_partial", "f32[2,20,96] U[70,96]", "transpose_b=1 splits=3", NULL, WEIGHTS},
    {"matmul_partial", "f32[2,3,20,97] f32[97,35]", "splits=1", NULL, NULL},
    {"matmul_partial", "f32[96,20] f32[70,96]", "transpose_a=1 transpose_b=1 splits=64", NULL,
     NULL},
    {"matmul_partial", "f32[130,1001] f32[250,1001]", "transpose_b=1 splits=7", NULL, NULL},
    {"matmul_partial", "f32[1,1] f32[1,1]", "splits=1", NULL, NULL},
    {"matmul_partial", "f32[9,70]:rows f32[70,4]", "splits=2", NULL, NULL},
    {"matmul_partial", "f16[65,160] U[70,160]", "transpose_b=1 splits=3", NULL, WEIGHTS},
    {"matmul_partial", "f16[2,61,416] U[416,96]", "splits=3", NULL, WEIGHTS},
    {"matmul_partial", "f16[3,130,40] f16[3,130,50]", "transpose_a=1 splits=2", NULL, NULL},
    {"matmul_partial", "f16[40,99] f16[99,35]", "splits=2", NULL, NULL},
    {"matmul_partial", "f16[33,320] f16[70,320]", "transpose_b=1 splits=9", NULL, NULL},
    {"matmul_partial", "f16[33,64] f16[70,64]", "transpose_b=1 splits=64", NULL, NULL},
    {"matmul_partial", "i8[7,65] i8[65,3]", "splits=2", NULL, NULL},
    {"matmul_partial", "i8[65,300] i8[70,300]", "transpose_b=1 splits=3", NULL, NULL},
    {"matmul_partial", "i8[2,3,48,200] i8[200,35]", "splits=2", NULL, NULL},
    {"matmul_partial", "i8[3,201,33] i8[3,201,48]", "transpose_a=1 splits=7", NULL, NULL},
    {"matmul_partial", "i8[33,640] i8[70,640]", "transpose_b=1 splits=6", NULL, NULL},
    {"matmul_partial", "i8[2,280000]:value=-128 i8[280000,3]:value=-128", "splits=2", NULL, NULL},
    {"matmul_merge", "f32[3,2,5,7] T[2,5,7]?", NULL, FLOATS, NULL},
    {"matmul_merge", "i32[3,2,5,7] i32[2,5,7]?", NULL, NULL, NULL},
    {"matmul_merge", "i32[19,1,40,60]", NULL, NULL, NULL},
    {"matmul_merge", "f32[19,1,40,60]:rows=1", NULL, NULL, NULL},
    {"matmul_merge", "f32[1,1,1,1]", NULL, NULL, NULL},
    /* The sums wrap. */
    {"matmul", "i8[2,140000]:value=-128 i8[140000,3]:value=-128", NULL, NULL, NULL},
    {"matmul", "i8[33,140001]:value=-128 i8[17,140001]", "transpose_b=1", NULL, NULL},
};
const uint32_t op_byte_case_count = sizeof op_byte_cases / sizeof *op_byte_cases;
