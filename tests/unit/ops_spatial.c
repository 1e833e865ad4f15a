/* Families spatial and resample: sizes of what windows make, what its ops refuse and why, and where references put things. */
#include "unit/op_cases.h"

static void shapes(void) {
    accepts("unfold", "kernel_h=3 kernel_w=2", "f32[2,3,1,5,7]", 1, "f32[2,18,1,3,6]");
    accepts("unfold", "kernel_h=3 kernel_w=2 channels_last=1", "f16[2,1,5,7,3]", 1,
            "f16[2,1,3,6,18]");
    accepts("unfold", "kernel_w=3 stride_w=2 pad_w=1 dilation_w=2", "i8[4,1,1,9]", 1,
            "i8[12,1,1,3]");
    accepts("fold", "kernel_w=2 stride_w=2 size_w=8", "f32[1,6,1,1,4]", 1, "f32[1,3,1,1,8]");
    accepts("fold", "kernel_w=2 stride_w=2 size_w=0", "f32[1,6,1,1,4] f32[1,3,1,1,8]", 1,
            "f32[1,3,1,1,8]");
    accepts("fold", "kernel_w=2 channels_last=1 size_w=0", "i32[2,1,1,4,6] i32[2,1,1,5,3]", 1,
            "i32[2,1,1,5,3]");
    accepts("fold", "kernel_w=2 channels_last=1 size_w=5", "i32[2,1,1,4,6]", 1, "i32[2,1,1,5,3]");
    accepts("conv_direct", "groups=2 pad_h=1", "f16[2,4,1,5,7] f32[6,2,1,3,2]", 2,
            "f16[2,6,1,4,6]");
    accepts("conv_direct", "", "i8[2,4,1,5,7] i8[6,4,1,3,2]", 2, "i32[2,6,1,3,6]");
    accepts("pool_max", "kernel_w=3 stride_w=2 ceil_mode=1", "u8[1,2,1,1,8]", 1, "u8[1,2,1,1,4]");
    accepts("pool_max", "kernel_w=3 stride_w=2", "f32[1,2,1,1,8]", 1, "f32[1,2,1,1,3]");
    /* The last of rounded sizes would begin in the padding behind. */
    accepts("pool_average", "kernel_w=2 stride_w=3 pad_end_w=1 ceil_mode=1", "f32[1,2,1,1,6]", 1,
            "f32[1,2,1,1,2]");
    accepts("pool_argmax", "kernel_d=2", "f16[1,2,3,1,1]", 1, "u32[1,2,2,1,1]");
    accepts("pad_axis", "before=2 after=3 mode=reflect", "i32[4,1,7]", 1, "i32[4,6,7]");
    accepts("pad_axis", "value=inf", "f16[4,7]", 1, "f16[4,7]");
    accepts("resize_axis", "size=9", "u8[2,4,7]", 1, "u8[2,9,7]");
    accepts("resize_axis", "scale=2.5 mode=cubic", "f16[2,5,7]", 1, "f16[2,12,7]");
    /* 0.7 as f32 is less than 7 / 10, whose tenth part it is meant to be. */
    accepts("resize_axis", "scale=0.7", "f32[10,3]", 1, "f32[7,3]");
    accepts("resize_axis", "size=7 scale=0.75 coordinates=half_pixel_symmetric", "f32[10,3]", 1,
            "f32[7,3]");
    accepts("resize_axis", "size=1000000", "f32[500000,1]", 1, "f32[1000000,1]");
    /* As large as may be, and not more. */
    accepts("unfold", "kernel_w=4", "u8[1,1,1,1,1000000003]", 1, "u8[1,4,1,1,1000000000]");
}

static void refusals(void) {
    refuses("unfold", "", "f32[3,5,7]", "x is f32[3,5,7], expected the shape [...,P,Q,R,S]");
    refuses("unfold", "kernel_w=8", "f32[1,1,1,7]",
            "the window spans 8 elements along w, and the grid has 7 with its padding");
    refuses("unfold", "kernel_w=0", "f32[1,1,1,7]", "kernel_w is 0");
    refuses("unfold", "stride_h=0", "f32[1,1,1,7]", "stride_h is 0");
    refuses("unfold", "pad_d=-1", "f32[1,1,1,7]", "pad_d is -1");
    refuses("unfold", "channels_last=2", "f32[1,1,1,7]", "channels_last is 2");
    refuses("unfold", "", "f32[1,1,1,7] i32[1,1,1,7]", "x is f32 and out is i32");
    refuses("unfold", "kernel_w=5", "u8[1,1,1,1000000000]", "more than 4278190080 elements");
    refuses("unfold", "kernel_h=2 kernel_w=3 pad_w=1073741824", "f32[1,1,2,7]",
            "the grid has 1073741831 elements along w");
    refuses("unfold", "kernel_w=3 dilation_w=1073741824", "f32[1,1,2,7]",
            "the window spans more than");
    refuses("unfold", "kernel_d=65536 kernel_h=65536 pad_d=65536 pad_h=65536", "f32[1,1,2,7]",
            "the window has too many elements");
    refuses("fold", "kernel_w=4", "f32[1,6,1,1,4]",
            "x has 6 channels, no multiple of the window's 4 elements");
    refuses("fold", "size_w=0", "f32[1,6,1,1,4]", "neither attribute size_w nor the shape of out");
    refuses("fold", "stride_w=1073741824", "f32[1,6,1,1,4]", "more than 1073741824 elements");
    refuses("fold", "", "i32[1,6,1,1,1] u32[1,6,1,1,1]", "x is i32 and out is u32");
    refuses("conv_direct", "groups=2", "f32[1,6,1,1,4] f32[4,2,1,1,1]",
            "x has 6 channels, and weight takes 2 for each of 2 groups");
    refuses("conv_direct", "groups=2", "f32[1,4,1,1,4] f32[5,2,1,1,1]",
            "weight makes 5 channels, no multiple of 2 groups");
    refuses("conv_direct", "", "i8[1,4,1,1,4] f32[5,4,1,1,1]", "i8 is multiplied with i8");
    refuses("conv_direct", "", "i8[1,4,1,1,4] i8[5,4,1,1,1] f32[1,5,1,1,4]", "out is f32");
    refuses("conv_direct", "", "f32[1,4,1,1,4] f32[5,4,1,1,1] i32[1,5,1,1,4]", "out is i32");
    refuses("conv_direct", "", "f32[1,4,1,1,4] f32[5,4,1,1,5]", "the window spans 5 elements");
    refuses("pool_max", "kernel_w=2 pad_w=2", "f32[1,4,1,1,4]",
            "the grid is padded by 2 elements along w, of which the window spans 2");
    refuses("pool_max", "", "bool[1,4,1,1,4]", "x is bool");
    refuses("pool_max", "", "i8[1,4,1,1,4] f32[1,4,1,1,4]", "x is i8 and out is f32");
    refuses("pool_argmax", "of=row", "f32[1,4,1,1,4]", "of");
    refuses("pool_average", "", "u8[1,4,1,1,4]", "x is u8");
    refuses("pad_axis", "", "f32[7]", "x is f32[7], expected the shape [...,X,C]");
    refuses("pad_axis", "before=-1", "f32[7,1]", "before is -1");
    refuses("pad_axis", "before=1073741824", "f32[7,1]", "the axis would have 1073741831 elements");
    refuses("pad_axis", "after=2 value=0.5", "i8[7,1]",
            "value is 0.5, expected an integer from -128 to 127, as x is i8");
    refuses("pad_axis", "after=2 value=2", "bool[7,1]",
            "value is 2, expected an integer from 0 to 1");
    refuses("pad_axis", "after=2", "i8[7,1] f32[9,1]", "x is i8 and out is f32");
    refuses("pad_axis", "after=2", "f32[7,1] f32[8,1]", "out is f32[8,1]");
    refuses("pad_axis", "after=1000000000", "u8[7,5]", "more than 4278190080 elements");
    refuses("resize_axis", "", "f32[7,1]", "neither a size nor a scale is given");
    refuses("resize_axis", "scale=0.1", "f32[7,1]", "makes 0 elements of 7");
    refuses("resize_axis", "scale=-1", "f32[7,1]", "scale is -1");
    refuses("resize_axis", "scale=nan", "f32[7,1]", "scale is not a number");
    refuses("resize_axis", "scale=1000000000", "f32[70,1]", "makes 70000000000 elements");
    refuses("resize_axis", "scale=0.000000001", "f32[70,1]", "makes 0 elements");
    refuses("resize_axis", "size=3 mode=linear", "i8[7,1]", "x is i8, expected a float");
    refuses("resize_axis", "size=100003", "f32[100019,1]", "too many to count");
    refuses("resize_axis", "size=3 scale=0.1 coordinates=half_pixel_symmetric", "f32[7,1]",
            "the first element lies before all of x");
}

static void places(void) {
    double x[4] = {1, 2, 3, 4}, out[12], sum[4], scale[12] = {0};
    refer("unfold", "kernel_w=3 pad_w=1 pad_end_w=1", "f32[1,1,1,4] f32[3,1,1,4]",
          (double *[]){x, out}, NULL);
    CU_ASSERT(equal(out, (double[]){0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 0}, 12));
    refer("fold", "kernel_w=3 pad_w=1 size_w=4", "f32[3,1,1,4] f32[1,1,1,4]",
          (double *[]){out, sum}, scale);
    CU_ASSERT(equal(sum, (double[]){2, 6, 9, 8}, 4));
    refer("pool_average", "kernel_w=3 pad_w=1 pad_end_w=1 stride_w=3 count_include_pad=1",
          "f32[1,1,1,4] f32[1,1,1,2]", (double *[]){x, sum}, scale);
    CU_ASSERT(equal(sum, (double[]){1, 7.0 / 3}, 2));
    refer("pad_axis", "before=3 after=2 mode=reflect", "f32[4,1] f32[9,1]", (double *[]){x, out},
          NULL);
    CU_ASSERT(equal(out, (double[]){4, 3, 2, 1, 2, 3, 4, 3, 2}, 9));
    refer("resize_axis", "size=8 mode=linear", "f32[4,1] f32[8,1]", (double *[]){x, out}, scale);
    CU_ASSERT(equal(out, (double[]){1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4}, 8));
}

int main(void) {
    static const rp_test tests[] = {
        {"shapes", shapes}, {"refusals", refusals}, {"places", places}, {NULL, NULL}};
    return rp_run_tests("spatial ops", tests);
}
