/* Family signal: what its ops accept and refuse, and a transform that is known by heart. */
#include "unit/op_cases.h"

static void shapes(void) {
    accepts("fft_pass", "samples=16", "f32[3,16,2]", 1, "f32[96]");
    accepts("fft_pass", "samples=16", "f16[3,16,2] f16[96]", 1, "f16[96]");
    accepts("fft_pass", "samples=10 source=real kept=6", "f32[3,10]", 1, "f32[36]");
    accepts("fft_pass", "samples=6 length=10 source=half result=real direction=backward",
            "f32[3,6,2]", 1, "f32[30]");
    accepts("fft_pass", "samples=10 stride=3 length=16", "f32[2,10,3,2]", 1, "f32[192]");
    accepts("fft_pass", "samples=100000 parts=256 length=400", "f32[100000,2]", 1, "f32[204800]");
    accepts("complex_multiply", "", "f32[3,5,2] f16[5,2]", 2, "f32[3,5,2]");
    accepts("complex_multiply", "stride=3", "f32[2,5,3,2] f32[5,2]", 2, "f32[2,5,3,2]");
    accepts("chirp", "length=5", "f32[9,2]", 0, "f32[9,2]");
    accepts("chirp_multiply", "samples=5 length=7 stride=2", "f32[3,5,2,2]", 1, "f32[84]");
    accepts("chirp_multiply", "samples=5 length=7 source=real kept=4", "f32[3,5]", 1, "f32[24]");
    accepts("hann_window", "periodic=0", "f16[9]", 0, "f16[9]");
}

static void refusals(void) {
    refuses("fft_pass", "", "f32[8]", "samples is missing");
    refuses("fft_pass", "samples=3", "f32[4,2]",
            "x has 8 numbers, which are no whole signals of 6");
    refuses("fft_pass", "samples=5000", "f32[5000,2]",
            "length is 5000; one pass transforms up to 4096");
    refuses("fft_pass", "samples=4097 parts=1", "f32[4097,2]", "length is 4097");
    refuses("fft_pass", "samples=16777216 length=4096 parts=4097", "f32[16777216,2]",
            "length times parts is 16781312");
    refuses("fft_pass", "samples=4 kept=5", "f32[4,2]", "kept is 5; a transform has 4 elements");
    refuses("fft_pass", "samples=4 stride=4294967295", "f32[4,2]", "no whole signals");
    refuses("fft_pass", "samples=1 length=4096", "f32[1048576,2]", "more than 4278190080 numbers");
    refuses("fft_pass", "samples=4", "f32[4,2] f32[9]", "out is f32[9]");
    refuses("complex_multiply", "", "f32[3] f32[3]", "a has 3 numbers, expected pairs");
    refuses("complex_multiply", "", "f32[12] f32[8]", "b has 8 numbers");
    refuses("complex_multiply", "", "f32[12] f32[3]", "b has 3 numbers");
    refuses("complex_multiply", "stride=4", "f32[2,5,3,2] f32[5,2]", "b has 10 numbers");
    refuses("chirp", "length=5", "f32[8,2]",
            "out has 16 numbers, expected pairs, at least 9 of them");
    refuses("chirp", "length=5", "f32[19]", "out has 19 numbers");
    refuses("chirp", "length=4194305", "f32[16777216,2]", "length");
    refuses("chirp_multiply", "samples=3 length=7", "f32[4,2]", "no whole signals of 6");
    refuses("chirp_multiply", "samples=4 length=7 kept=8", "f32[4,2]", "kept is 8; a signal has 7");
    refuses("hann_window", "periodic=2", "f32[9]", "periodic");
    refuses("hamming_window", "alpha=1.5", "f32[9]", "alpha");
    refuses("blackman_window", "", "f32[3,3]", "out is f32[3,3]");
}

static void known(void) {
    double x[] = {1, 0, 2, 0, 3, 0, 4, 0}, out[8];
    refer("fft_pass", "samples=4", "f32[4,2]", (double *[]){x, out}, NULL);
    const double want[] = {10, 0, -2, 2, -2, 0, -2, -2};
    for (uint32_t i = 0; i < 8; i++) CU_ASSERT(fabs(out[i] - want[i]) < 1e-12);
    refer("fft_pass", "samples=4 direction=backward result=real", "f32[4,2]", (double *[]){out, x},
          NULL);
    for (uint32_t i = 0; i < 4; i++) CU_ASSERT(fabs(x[i] - (i + 1)) < 1e-12);
}

int main(void) {
    static const rp_test tests[] = {
        {"shapes", shapes}, {"refusals", refusals}, {"known", known}, {NULL, NULL}};
    return rp_run_tests("signal ops", tests);
}
