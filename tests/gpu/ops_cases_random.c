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
    {"sample_merge", "T[7,3,9] u32[7,3,9]:below=90 u32[2] u32[1] f32[3]:value=0.7 u32? -",
     "stream=3", FLOATS, NULL},
    {"sample_merge", "f32[5,1,40]:spread=3 u32[5,1,40]:each=40 i32[1] i32[2] - u32? T?",
     "top_p=0.8 temperature=0.6", FLOATS, NULL},
    {"sample_merge", "f32[40,1,40] u32[40,1,40]:below=4000 u32[2]",
     "min_p=0.2 temperature=1.7 order=temperature_last top_p=0.9", NULL, NULL},
    {"sample_merge", "f32[33,2,1000] u32[33,2,1000]:below=99999 u32[2] - f32[33,3]:positive=1",
     NULL, NULL, NULL},
    {"sample_merge", "f32[6,2,20]:special u32[6,2,20]:below=90 u32[2]", NULL, NULL, NULL},
    {"sample_merge", "f32[6,1,20] u32[6,1,20]:below=90 u32[2]", "temperature=0", NULL, NULL},
    {"sample_merge", "f32[2,1,3] u32[2,1,3]:value=4294967295 u32[2]", NULL, NULL, NULL},
    {"sample_merge", "f32[1,1,1] u32[1,1,1]:value=0 u32[1] - - u32? f32?", NULL, NULL, NULL},
    {"dropout", "T[3,67]:special u32[2] u32[1]", "stream=3", FLOATS, NULL},
    {"dropout", "f32[1001] i32[1] i32[2] f16?", "ratio=0.9", NULL, NULL},
    {"dropout", "f32[101] u32[2] -", "ratio=1", NULL, NULL},
    {"dropout", "f32[101]:special u32[2] -", "ratio=0", NULL, NULL},
    {"dropout", "f32 u32 -", NULL, NULL, NULL},
};
const uint32_t op_random_case_count = sizeof op_random_cases / sizeof *op_random_cases;
