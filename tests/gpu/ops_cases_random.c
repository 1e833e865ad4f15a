/* The cases of random numbers: seeds and offsets of one word and two, counters that carry. */
#include "ops.h"

#include <stddef.h>

#define FLOATS "f32 f16 bf16"

const op_case op_random_cases[] = {
    {"random_bits", "u32[2] u32[2] u32[70003]", "stream=7", NULL, NULL},
    {"random_bits", "T[1] u32[2]:value=4294967295 u32[1001]", "stream=4294967295", "u32 i32", NULL},
    {"random_bits", "u32 - u32", NULL, NULL, NULL},
    {"random_bits", "i32[2] i32[1] u32[3,67]", NULL, NULL, NULL},
    {"random_uniform", "u32[2] u32[1] T[3,67]", "stream=3", FLOATS, NULL},
    {"random_uniform", "i32[1] i32[2] T[4099]", "low=-3 high=0.7", FLOATS, NULL},
    {"random_uniform", "u32 - f32", NULL, NULL, NULL},
    {"random_uniform", "u32 - f32[64]", "low=2 high=2", NULL, NULL},
    {"random_normal", "u32[2] u32[1] T[3,67]", "stream=3", FLOATS, NULL},
    {"random_normal", "i32[1] i32[2] f32[70003]", "mean=1.5 scale=-0.3", NULL, NULL},
    {"random_normal", "u32 - f32", NULL, NULL, NULL},
    {"bernoulli", "T[3,67]:special u32[2] u32[1] U[3,67]", "stream=3", FLOATS, "u8 bool"},
    {"bernoulli", "f32[1001]:positive=1 u32[1] - T[1001]", NULL, "u8 f32 f16 bf16", NULL},
    {"bernoulli", "- i32[1] i32[2] u8[1001]", "probability=0.3", NULL, NULL},
    {"bernoulli", "- u32 - u8", NULL, NULL, NULL},
    {"dropout", "T[3,67]:special u32[2] u32[1]", "stream=3", FLOATS, NULL},
    {"dropout", "f32[1001] i32[1] i32[2] f16?", "ratio=0.9", NULL, NULL},
    {"dropout", "f32[101] u32[2] -", "ratio=1", NULL, NULL},
    {"dropout", "f32[101]:special u32[2] -", "ratio=0", NULL, NULL},
    {"dropout", "f32 u32 -", NULL, NULL, NULL},
};
const uint32_t op_random_case_count = sizeof op_random_cases / sizeof *op_random_cases;
