/* The cases of family spatial: channels in front and behind, windows that reach into the padding at
 * every side, beyond it, with gaps, and steps that leave elements out. */
#include "ops.h"

#include <stddef.h>

#define FLOATS "f32 f16 bf16"
#define MOVED "f32 f16 bf16 i8 u8 bool i32 u32"
#define POOLED "f32 f16 bf16 i8 u8"

const op_case op_spatial_cases[] = {
    {"unfold", "T[2,3,1,5,7]:special",
     "kernel_h=3 kernel_w=2 pad_h=1 pad_w=1 stride_w=2 pad_end_h=2", MOVED, NULL},
    {"unfold", "T[2,1,5,7,4]:special",
     "channels_last=1 kernel_h=3 kernel_w=2 pad_h=1 pad_end_w=2 dilation_h=2", MOVED, NULL},
    {"unfold", "f32[3,4,3,5,2] T?", "kernel_d=2 kernel_h=3 pad_d=1 stride_d=2 dilation_h=2", FLOATS,
     NULL},
    {"unfold", "f32[1,1,1,1,1]", NULL, NULL, NULL},
    {"unfold", "f32[2,3,2,1,1,37]", "kernel_w=5 pad_w=4 pad_end_w=4 dilation_w=2 stride_w=3", NULL,
     NULL},
    {"fold", "T[2,18,1,3,5] U?", "kernel_h=3 kernel_w=2 pad_h=1 stride_h=2 size_h=6 size_w=6",
     FLOATS, FLOATS},
    {"fold", "i32[2,18,1,3,5]", "kernel_h=3 kernel_w=2 stride_w=2 dilation_h=2 size_h=7 size_w=10",
     NULL, NULL},
    {"fold", "f32[2,1,3,5,18]:salted",
     "channels_last=1 kernel_h=3 kernel_w=2 pad_w=1 stride_w=3 size_h=9 size_w=13", NULL, NULL},
    {"fold", "f32[2,24,3,2,2]",
     "kernel_d=2 kernel_h=2 kernel_w=2 stride_d=2 dilation_w=2 pad_d=1 size_d=5 size_h=3 size_w=4",
     NULL, NULL},
    {"fold", "f32[1,1,1,1,1]", NULL, NULL, NULL},
    {"conv_direct", "T[2,4,1,5,7] U[6,2,1,3,2]", "groups=2 pad_h=1 pad_end_w=1 stride_h=2", FLOATS,
     FLOATS},
    {"conv_direct", "f32[2,4,1,5,7] f32[4,1,1,3,3] T?",
     "groups=4 pad_h=1 pad_w=2 pad_end_h=1 dilation_w=2", FLOATS, NULL},
    {"conv_direct", "i8[2,4,1,5,7] i8[8,1,1,3,3]", "groups=4 pad_h=1 pad_w=1", NULL, NULL},
    {"conv_direct", "f16[2,1,5,7,4] f32[8,1,3,3,1]",
     "channels_last=1 groups=4 pad_h=1 pad_w=1 stride_w=2 pad_end_h=1", NULL, NULL},
    {"conv_direct", "f32[1,4,3,5,6]:salted f32[2,3,2,2,3]",
     "channels_last=1 groups=2 pad_d=1 dilation_h=2", NULL, NULL},
    {"conv_direct", "f32[1,1,1,1,1] f32[1,1,1,1,1]", NULL, NULL, NULL},
    {"pool_max", "T[2,3,1,6,7]:special", "kernel_h=3 kernel_w=2 pad_h=1 pad_end_h=2 stride_w=2",
     POOLED, NULL},
    {"pool_max", "T[2,1,6,7,3]:salted",
     "channels_last=1 ceil_mode=1 kernel_h=3 kernel_w=3 stride_h=2 stride_w=2 pad_h=1 pad_w=1",
     POOLED, NULL},
    {"pool_max", "f32[1,2,5,4,3] f16?",
     "kernel_d=2 kernel_h=2 kernel_w=2 dilation_d=3 pad_d=1 ceil_mode=1 stride_h=3", NULL, NULL},
    {"pool_max", "f32[1,1,1,1,1]", NULL, NULL, NULL},
    {"pool_argmax", "T[2,3,1,6,7]:special", "kernel_h=3 kernel_w=2 pad_h=1 pad_end_h=2 stride_w=2",
     POOLED, NULL},
    {"pool_argmax", "f32[2,1,6,7,3]:int=2",
     "of=plane channels_last=1 ceil_mode=1 kernel_h=3 kernel_w=3 stride_h=2 stride_w=2 pad_h=1",
     NULL, NULL},
    {"pool_argmax", "f32[1,1,1,1,1]", NULL, NULL, NULL},
    {"pool_average", "T[2,3,1,6,7]:salted U?",
     "kernel_h=3 kernel_w=2 pad_h=1 pad_end_h=2 stride_w=2", FLOATS, FLOATS},
    {"pool_average", "f32[2,1,6,7,3]",
     "channels_last=1 ceil_mode=1 count_include_pad=1 kernel_h=3 kernel_w=3 stride_h=2 stride_w=2 "
     "pad_h=1 pad_w=2 pad_end_h=1",
     NULL, NULL},
    {"pool_average", "f32[1,2,5,4,3]", "kernel_d=2 kernel_w=2 dilation_d=3 stride_h=3 ceil_mode=1",
     NULL, NULL},
    {"pool_average", "f32[1,1,1,1,1]", NULL, NULL, NULL},
};
const uint32_t op_spatial_case_count = sizeof op_spatial_cases / sizeof *op_spatial_cases;
