/* The cases of family attention: tests/gpu/ops_cases.c has the others, and says what they are. */
#include "ops.h"

#include <stddef.h>

#define FLOATS "f32 f16 bf16"
#define HALVES "f16 bf16"

const op_case op_attention_cases[] = {
    {"rope", "T[5,3,16] U[5]:below=5000", "layout=neox", FLOATS, "u32 i32"},
    {"rope", "T[5,3,16] U[5]:below=5000", "layout=interleaved", FLOATS, "u32 i32"},
    {"rope", "f32[2,1,10] u32[2]:below=90 - T?", "base=500000 dims=6", FLOATS, NULL},
    {"rope", "f32[67,4,128] u32[67]:below=130000", "layout=neox", NULL, NULL},
    {"rope", "f32[1,2,8] u32[1]:below=9 f32[4]:positive=1", "layout=interleaved", NULL, NULL},
    {"rope", "f32[1,1,2] u32[1]:value=0", NULL, NULL, NULL},
    {"attention_partial", "T[4,16] U[70,2,16] U[70,2,16] u32:value=61", "splits=3", FLOATS, FLOATS},
    {"attention_partial", "f32[8,64] T[300,2,64] T[300,2,64] u32:value=300", NULL, HALVES, NULL},
    {"attention_partial", "f32[3,7] f32[9,1,7] f32[9,1,7] u32:value=0", "splits=2", NULL, NULL},
    {"attention_partial", "f32[2,256] f32[40,2,256] f32[40,2,256] u32:value=33",
     "splits=1 softcap=2 scale=0.3", NULL, NULL},
    {"attention_partial", "f32[1,1] f32[1,1,1] f32[1,1,1] u32:value=1", "splits=1", NULL, NULL},
    {"attention_combine", "f32[3,4,16] f32[3,4] f32[3,4]:positive=9 T?", NULL, FLOATS, NULL},
    {"attention_combine", "f32[19,4,16] f32[19,4] f32[19,4]:positive=9", NULL, NULL, NULL},
    {"attention_combine", "f32[8,5,129] f32[8,5] f32[8,5]:value=0", NULL, NULL, NULL},
    {"attention_combine", "f32[1,1,1] f32[1,1] f32[1,1]:positive=9", NULL, NULL, NULL},
    {"attention_prefill", "T[5,4,16] U[20,2,16] U[20,2,16] u32:value=11 -", NULL, FLOATS, FLOATS},
    {"attention_prefill", "f32[67,2,64] f16[67,1,64] f16[67,1,64] u32:value=0 - T?", NULL, FLOATS,
     NULL},
    {"attention_prefill", "f32[33,3,40] f32[90,3,40] f32[90,3,40] u32:value=50 -",
     "causal=0 softcap=3 scale=0.2", NULL, NULL},
    {"attention_prefill", "f32[3,1,256] f32[140,1,256] f32[140,1,256] u32:value=137 -", NULL, NULL,
     NULL},
    {"attention_prefill", "f16[37,2,48] f16[90,2,48] f16[90,2,48] u32:value=29 -", NULL, NULL,
     NULL},
    {"attention_prefill", "f32[1,1,1] f32[1,1,1] f32[1,1,1] u32:value=0 -", NULL, NULL, NULL},
    /* Sequences, of rows that a mask leaves out; tokens in several shapes. */
    {"attention_prefill", "f32[3,7,4,16] f32[3,9,2,16] f32[3,9,2,16] u32:value=2 T[3,9]:special",
     NULL, FLOATS, NULL},
    {"attention_prefill", "f32[2,3,5,2,8] f32[2,3,70,2,8] f32[2,3,70,2,8] - f32[6,70]:masks",
     "causal=0", NULL, NULL},
    {"attention_prefill", "f16[2,35,1,33] f32[2,35,1,33] f32[2,35,1,33] - f16[2,35]:masks",
     "softcap=4 scale=-0.5", NULL, NULL},
    {"attention_prefill", "f32[2,40,2,8] f32[80,1,8] f32[80,1,8] - f32[80]:finite=2", NULL, NULL,
     NULL},
    /* Enough of them for the larger workgroups that a GPU has; heads of each number of pieces. */
    {"attention_prefill", "f32[2,66,132,4] f32[2,33,66,4] f32[2,33,66,4] - -", NULL, NULL, NULL},
    {"attention_prefill", "f32[2,34,132,4] f32[2,3,132,4] f32[2,3,132,4] - f32[2,3]:masks",
     "causal=0", NULL, NULL},
    {"attention_prefill", "f32[2,18,132,4] f32[2,6,132,4] f32[2,6,132,4] - -", NULL, NULL, NULL},
    {"attention_prefill", "f32[20,1,96] f32[50,1,96] f32[50,1,96] u32:value=30 -", NULL, NULL,
     NULL},
    {"attention_prefill", "f32[9,2,200] f32[41,1,200] f32[41,1,200] u32:value=32 f32[41]:masks",
     "causal=0", NULL, NULL},
    /* Infinities and NaN where nobody looks. */
    {"attention_prefill", "f32[40,2,8] f32[40,2,8] f32[40,2,8]:rows=1 - -", NULL, NULL, NULL},
    {"attention_prefill",
     "f32[3,20,2,8]:finite=0.1 f32[3,20,2,8]:salted f32[3,20,2,8] - f32[3,20]:masks", "causal=0",
     NULL, NULL},
    {"attention_prefill", "f32[3,20,2,8] f32[3,20,2,8] f32[3,20,2,8]:rows=1 - f32[3,20]:masks",
     "causal=0", NULL, NULL},
};
const uint32_t op_attention_case_count = sizeof op_attention_cases / sizeof *op_attention_cases;
