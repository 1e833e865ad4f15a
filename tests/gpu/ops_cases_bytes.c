/* The cases of products of bytes: exact, so every result has one right value. */
#include "ops.h"

#include <stddef.h>

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
    /* The sums wrap. */
    {"matmul", "i8[2,140000]:value=-128 i8[140000,3]:value=-128", NULL, NULL, NULL},
    {"matmul", "i8[33,140001]:value=-128 i8[17,140001]", "transpose_b=1", NULL, NULL},
};
const uint32_t op_byte_case_count = sizeof op_byte_cases / sizeof *op_byte_cases;
