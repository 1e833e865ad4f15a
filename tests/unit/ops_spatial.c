/* Family spatial: sizes of what windows make, what its ops refuse and why, and where references put things. */
#include "unit/op_cases.h"

static void shapes(void) {
    accepts("unfold", "kernel_h=3 kernel_w=2", "f32[2,3,1,5,7]", 1, "f32[2,18,1,3,6]");
    accepts("unfold", "kernel_h=3 kernel_w=2 channels_last=1", "f16[2,1,5,7,3]", 1,
            "f16[2,1,3,6,18]");
    accepts("unfold", "kernel_w=3 stride_w=2 pad_w=1 dilation_w=2", "i8[4,1,1,9]", 1,
            "i8[12,1,1,3]");
    accepts("fold", "kernel_w=2 stride_w=2 size_w=8", "f32[1,6,1,1,4]", 1, "f32[1,3,1,1,8]");
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
    refuses("fold", "size_w=0", "f32[1,6,1,1,4]", "size_w is 0");
    refuses("fold", "stride_w=1073741824", "f32[1,6,1,1,4]", "more than 1073741824 elements");
    refuses("fold", "", "i32[1,6,1,1,1] u32[1,6,1,1,1]", "out is u32");
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
    refuses("pool_max", "", "i32[1,4,1,1,4]", "x is i32");
    refuses("pool_max", "", "i8[1,4,1,1,4] f32[1,4,1,1,4]", "x is i8 and out is f32");
    refuses("pool_argmax", "of=row", "f32[1,4,1,1,4]", "of");
    refuses("pool_average", "", "u8[1,4,1,1,4]", "x is u8");
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
}

int main(void) {
    static const rp_test tests[] = {
        {"shapes", shapes}, {"refusals", refusals}, {"places", places}, {NULL, NULL}};
    return rp_run_tests("spatial ops", tests);
}
