/* The cases of family axes: every axis of tensors of several dimensions, forwards and backwards. */
#include "ops.h"

#include <stddef.h>

#define MOVED "f32 f16 bf16 i8 u8 i32 u32 i16 u16 bool i64 u64 f64"
#define NUMBERS "f32 f16 bf16 i8 u8 i32 u32 i16 u16 bool"
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
};
const uint32_t op_axes_case_count = sizeof op_axes_cases / sizeof *op_axes_cases;
