/* The cases of families axes and along: every axis of tensors of several dimensions, forwards and backwards. */
#include "ops.h"

#include <stddef.h>

#define MOVED "f32 f16 bf16 i8 u8 i32 u32 i16 u16 bool i64 u64 f64"
#define NUMBERS "f32 f16 bf16 i8 u8 i32 u32 i16 u16 bool"
#define FLOATS "f32 f16 bf16"
#define PLACES "u32 i32 i16 u16 i64"

const op_case op_axes_cases[] = {
    {"take_range", "T[2,3,5]:special", "axis=1 start=-1 step=-1 count=3", MOVED, NULL},
    {"take_range", "f32[70,67]", "start=7 step=-3 count=150", NULL, NULL},
    {"take_range", "f32[3,64]", "start=24 count=64", NULL, NULL},
    {"take_range", "f32[5,8,3]", "axis=0 start=4294967295 step=2147483647 count=2", NULL, NULL},
    {"take_range", "f32", "axis=0 count=1", NULL, NULL},
    {"triu", "T[2,7,5]:special", "k=-1", MOVED, NULL},
    {"triu", "f32[3,67]:special", "k=-2147483648", NULL, NULL},
    {"triu", "f32[300,9]:special", "k=2147483647", NULL, NULL},
    {"triu", "f32[1,1]", NULL, NULL, NULL},
    {"tril", "T[2,5,7]:special", "k=1", MOVED, NULL},
    {"tril", "f32[3,67]:special", "k=-3", NULL, NULL},
    {"tril", "f32[1,1]", NULL, NULL, NULL},
    {"diagonal", "T[2,7,5]:special", "k=-3", MOVED, NULL},
    {"diagonal", "f32[131,67]", "k=66", NULL, NULL},
    {"diagonal", "f32[1,1]", NULL, NULL, NULL},
    {"diag", "T[2,5]:special", "k=-2", MOVED, NULL},
    {"diag", "f32[67]", "k=3", NULL, NULL},
    {"diag", "f32[1]", NULL, NULL, NULL},
    {"take", "T[7,5]:special i32[3]:int=9", "axis=0", MOVED, NULL},
    {"take", "f32[3,7,5] T[2,4]:below=9", "axis=-2", PLACES, NULL},
    {"take", "f32[3,70] T[90]:int=80", "axis=1", "i16 i64", NULL},
    {"take", "f32[3,70] T[90]", "axis=1", "i32 i64", NULL},
    {"take", "f32[1] u32:value=0", NULL, NULL, NULL},
    {"take_along_axis", "T[2,7,5]:special i32[2,4,5]:int=9", "axis=1", MOVED, NULL},
    {"take_along_axis", "f32[3,70] T[3,11]:below=80", NULL, PLACES, NULL},
    {"take_along_axis", "f32[30,7] T[80,7]:int=33", "axis=0", "i16 i64", NULL},
    {"take_along_axis", "f32[1] i32[1]:value=-1", NULL, NULL, NULL},
    {"gather_nd", "T[4,3,5]:special i32[6,2]:int=3", NULL, MOVED, NULL},
    {"gather_nd", "f32[4,3,5] T[2,50,3]:below=4", NULL, PLACES, NULL},
    {"gather_nd", "f32[2,3,2,2,3,2,2,3] i64[40,8]:int=2", NULL, NULL, NULL},
    {"gather_nd", "f32[70] i16[33,1]", NULL, NULL, NULL},
    {"gather_nd", "f32[1] i32[1,1]:value=0", NULL, NULL, NULL},
    {"one_hot", "i32[3,5]:int=8 T?", "depth=7 axis=1", NUMBERS, NULL},
    {"one_hot", "T[67]:below=130", "depth=129 on=2.5 off=-0.1", PLACES, NULL},
    {"one_hot", "T[2,3]", "depth=5 axis=0 on=0.1", "i32 i64", NULL},
    {"one_hot", "u32:value=0", "depth=1", NULL, NULL},

    /* ---- along ---- */
    {"reduce_axis", "T[2,13,5]:special T? -", "by=max", NUMBERS, NULL},
    {"reduce_axis", "f32[3,70,67] T? -", "by=sum", FLOATS, NULL},
    {"reduce_axis", "T[3,70,2]:int=3 U? -", "by=prod", "i8", "i32 i8 i16"},
    {"reduce_axis", "T[3,70,2]:int=3 U? -", "by=prod", "u8", "u32 u8 u16 bool"},
    {"reduce_axis", "T[3,70,2]:int=3 T? -", "by=sum splits=4", "i32 u32", NULL},
    {"reduce_axis", "f32[2,9,3]:special", "by=U splits=2", NULL, "min max argmin argmax"},
    {"reduce_axis", "f32[1,100,70]:tame - u32?", "by=argmin splits=3", NULL, NULL},
    {"reduce_axis", "i32[5,301,1]:int=9 - u32?", "by=argmax", NULL, NULL},
    {"reduce_axis", "u32[1,4099,1]:int=9 u32? u32?", "by=argmin", NULL, NULL},
    {"reduce_axis", "f32[2,31,3]:positive=2 -", "by=argmax", NULL, NULL},
    {"reduce_axis", "f32[3,40,9]:positive=1.5 f32? -", "by=prod", NULL, NULL},
    {"reduce_axis", "f32[1,1,1]", NULL, NULL, NULL},
    {"scan", "T[2,13,5] - T?", "by=sum", NUMBERS, NULL},
    {"scan", "f32[3,70,67] - T?", "by=sum reverse=1", "f16 bf16", NULL},
    {"scan", "i32[3,70,2]:int=3 i32[3,4,2] T?", "by=prod splits=4 exclusive=1", "i8 i32 i16", NULL},
    {"scan", "u32[3,70,2]:int=3 u32[3,4,2] T?", "by=prod splits=4 exclusive=1", "u8 u32 u16 bool",
     NULL},
    {"scan", "f32[2,2100,1] f32[2,2,1]", "by=sum splits=2 reverse=1", NULL, NULL},
    {"scan", "f32[2,4100,1]", "by=sum exclusive=1", NULL, NULL},
    {"scan", "f32[1,1027,1]:special", "by=U", NULL, "min max"},
    {"scan", "i32[3,1100,3]", "by=max reverse=1", NULL, NULL},
    {"scan", "f32[1,1,1]", NULL, NULL, NULL},

    /* ---- order: offsets that are a permutation, or all the same where all digits are ---- */
    {"radix_count", "T[2,301]:special", "shift=24 order=descending blocks=1", NUMBERS, NULL},
    {"radix_count", "T[1,5000]:special", "shift=U blocks=3", "f32", "0 8 16 24"},
    {"radix_count", "u32[1,1]", "blocks=1", NULL, NULL},
    {"radix_place", "T[2,5]:value=1 - u32[2,256,1]:value=0 u32? u32? T?", "blocks=1", NUMBERS,
     NULL},
    {"radix_place", "u32[1,256]:each=256 u32[1,256] u32[1,256,1]:each=256 u32?", "blocks=1", NULL,
     NULL},
    {"radix_place", "u8[1,256]:each=256 - u32[1,256,1]:each=256 u32? - u8?",
     "blocks=1 order=descending decode=descending", NULL, NULL},
    {"radix_place", "u32[2,2000]:value=70000 u32[2,2000] u32[2,256,1]:value=0 - u32? -",
     "shift=8 blocks=1", NULL, NULL},
    {"radix_place", "u32[1,1] - u32[1,256,1]:value=0", "blocks=1", NULL, NULL},
};
const uint32_t op_axes_case_count = sizeof op_axes_cases / sizeof *op_axes_cases;
