/* The cases of mixtures of experts: choices of one matrix and of none, lengths that eights divide and do not,
 * few choices and many. */
#include "ops.h"

#include <stddef.h>

#define FLOATS "f32 f16 bf16"
#define WEIGHTS "f32 f16 bf16 q8_0 q4_0"

const op_case op_experts_cases[] = {
    {"matvec_experts", "f32[1,64] U[4,33,64] u32[2]:below=4", NULL, NULL, WEIGHTS},
    {"matvec_experts", "f32[2,61] f32[3,5,61] u32[4]:below=4", NULL, NULL, NULL},
    {"matvec_experts", "T[2,72] f32[3,5,72] i32[2] U?", NULL, "f16 bf16", "f32 f16"},
    {"matvec_experts", "f32[2,8] f32[3,2,8] T[2]:below=3", NULL, "i64 u64 i16 u16 i32 i8 u8", NULL},
    {"matvec_experts", "f32[1,1] f32[1,1,1] u32[1]:value=0", NULL, NULL, NULL},
    {"matvec_experts", "f32[10,64] U[3,70,64] u32[20]:below=4", NULL, NULL, WEIGHTS},
    {"matvec_experts", "T[300,13] f32[2,3,13] u32[300]:below=2 U?", NULL, FLOATS, "f32 bf16"},
    {"matvec_experts", "f32[40,40] f32[1,9,40] u32[40]:value=0", NULL, NULL, NULL},
    {"combine_experts", "T[3,2,7] U[3,2]", NULL, FLOATS, FLOATS},
    {"combine_experts", "f32[3,2,7] f32[3,2] T?", NULL, FLOATS, NULL},
    {"combine_experts", "f32[1,1,1] f32[1,1]", NULL, NULL, NULL},
};
const uint32_t op_experts_case_count = sizeof op_experts_cases / sizeof *op_experts_cases;
