/* The cases of dtypes that few ops take: integers of 16 bits and bool, computed with as i32 and u32;
 * and of 64 bits, moved and converted. All exact. */
#include "ops.h"

#include <stddef.h>

#define SMALL "i16 u16 bool"
#define WIDE "i64 u64 f64"
#define NUMBERS "f32 f16 bf16 i8 u8 i32 u32 i16 u16 bool"
#define IDS "i64 u64 i16 u16"

const op_case op_type_cases[] = {
    {"cast", "T[301]:special U?", NULL, SMALL, NUMBERS},
    {"cast", "T[301]:special U?", NULL, "f32 f16 bf16 i8 u8 i32 u32", SMALL},
    {"cast", "T[601]:special U?", NULL, NUMBERS, WIDE},
    {"cast", "T[601]:special U?", NULL, WIDE, NUMBERS},
    {"cast", "T[601]:special U?", NULL, WIDE, WIDE},
    {"cast", "T[2003] U?", NULL, "i64 u64", "f32 f16 bf16 f64"},
    {"cast", "f64[2003]:spread=40 U?", NULL, NULL, "f32 f16 bf16 i8 u8 i32 u32 i64 u64"},
    {"cast", "f64[2003]:spread=160 U?", NULL, NULL, "f32 f16 bf16 i64 u64"},
    {"cast", "f32[2003]:spread=80 U?", NULL, NULL, WIDE},
    {"cast", "i64 f32?", NULL, NULL, NULL},
    {"add", "T[4,7]:special T[7]:special", NULL, SMALL, NULL},
    {"sub", "i16[4,7]:special i16[7]:special", NULL, NULL, NULL},
    {"mul", "T[4,9]:special T[4,9]:special", NULL, SMALL, NULL},
    {"min", "T[4,7]:special T[4,1]:special", NULL, SMALL, NULL},
    {"max", "T[4,7]:special T[4,1]:special", NULL, SMALL, NULL},
    {"abs", "i16[101]:special", NULL, NULL, NULL},
    {"relu", "i16[101]:special", NULL, NULL, NULL},
    {"square", "T[101]:special", NULL, SMALL, NULL},
    {"clamp", "T[101]:special", "low=-2 high=3", SMALL, NULL},
    {"select", "bool[301] T[301]:special T[301]:special", NULL, NUMBERS, NULL},
    {"select", "bool[5,1] f32[5,9] f32[9]", NULL, NULL, NULL},
    {"equal", "T[31,17]:int=3 T[17]:int=3", NULL, SMALL, NULL},
    {"less", "T[31,17]:tame T[17]:tame bool?", NULL, NUMBERS, NULL},
    {"greater_equal", "f32[31,17]:tame f32[17]:tame bool?", NULL, NULL, NULL},
    {"map", "T[3,67]:special T[67] T[3,1] U?", "expr=a * 2 + b", SMALL, "f32 i16 u16 bool"},
    {"map", "bool[67] bool[67] bool?", "expr=a != 0 && b == 0", NULL, NULL},
    {"softmax", "T[7,37] f32[37] f32?", "scale=0.3", SMALL, NULL},
    {"softmax", "T[7,37] bool[37] f32?", "scale=0.3", "f32 f16", NULL},
    {"softmax", "T[18,64]:tame bool[18,64] T?", NULL, "f32 f16", NULL},
    {"softmax", "f32[2,6,40] bool[6,40]", NULL, NULL, NULL},
    {"softmax", "f32[3,4099] bool[3,1]:value=1", NULL, NULL, NULL},
    {"attention_prefill", "T[2,3,5,2,8] T[2,3,70,2,8] T[2,3,70,2,8] - bool[6,70]", "causal=0",
     "f32 f16", NULL},
    {"attention_prefill", "f16[2,66,4,64] f16[2,66,2,64] f16[2,66,2,64] - bool[2,66]", NULL, NULL,
     NULL},
    {"attention_prefill", "f32[9,2,200] f32[41,1,200] f32[41,1,200] u32:value=32 bool[41]",
     "causal=0", NULL, NULL},
    {"gather_rows", "T[7,5]:special U[3]:below=9", NULL, SMALL, IDS},
    {"gather_rows", "T[7,5]:special U[9]:below=9", NULL, WIDE, "i64 i32"},
    {"gather_rows", "f32[4,3] T[9]:int=5", NULL, IDS, NULL},
    {"gather_rows", "f32[4,3] T[90]", NULL, IDS, NULL},
    {"gather_rows", "q8_0[9,64] T[12]:below=10 f16?", NULL, IDS, NULL},
    {"scatter_rows", "T[3,5]:special U[3]:each=9 T[9,5]", NULL, SMALL, IDS},
    {"scatter_rows", "T[3,5]:special i64[3]:each=9 T[7,5]", NULL, WIDE, NULL},
    {"rope", "f32[9,2,16] T[9]:below=5000", NULL, IDS, NULL},
    {"rope", "f16[9,2,16] T[9]:int=5000", NULL, "i64 i16", NULL},
    {"transpose", "T[7,5]:special", NULL, SMALL " " WIDE, NULL},
    {"permute", "T[3,1,6,5]:special", "order=cadb", SMALL " " WIDE, NULL},
    {"slice", "T[9,7]:special", "row=2 rows=3 column=1 columns=5", SMALL " " WIDE, NULL},
    {"concat", "T[3,5]:special T[3,7]:special", NULL, SMALL " " WIDE, NULL},
    {"repeat_rows", "T[3,5]:special", "times=4", SMALL " " WIDE, NULL},
    {"copy", "T[4099]:special", NULL, SMALL " " WIDE, NULL},
    {"fill", "bool[101]", "value=1", NULL, NULL},
    {"fill", "i16[101]", "value=-300", NULL, NULL},
};
const uint32_t op_type_case_count = sizeof op_type_cases / sizeof *op_type_cases;
