/* Family random: what its ops accept and refuse, and that the reference makes the words that the
 * generator's authors publish. */
#include "unit/op_cases.h"

static void shapes(void) {
    accepts("random_bits", "stream=4294967295", "u32[2] u32[2] u32[3,5]", 2, "u32[3,5]");
    accepts("random_uniform", "low=-1", "i32 - f16[7]", 2, "f16[7]");
    accepts("random_normal", "", "u32[1,2] u32[1] bf16[7]", 2, "bf16[7]");
    accepts("bernoulli", "", "f32[3,5] u32", 3, "f32[3,5]");
    accepts("bernoulli", "probability=1", "- u32 - bool[9]", 3, "bool[9]");
    accepts("dropout", "ratio=0", "f16[3,5] u32[2]", 3, "f16[3,5]");
}

static void refusals(void) {
    refuses("random_bits", "", "u32[3] - u32[9]", "seed has 3 words, expected one, or two");
    refuses("random_bits", "", "u32[2] u32[2,2] u32[9]", "offset has 4 words");
    refuses("random_bits", "", "u32", "out must be given");
    refuses("random_bits", "", "u32 - f32[9]", "out is f32");
    refuses("random_bits", "stream=4294967296", "u32 - u32[9]", "stream");
    refuses("random_bits", "", "f32 - u32[9]", "seed is f32");
    refuses("random_uniform", "low=1 high=0", "u32 - f32[9]", "low is 1 and high is 0");
    refuses("random_uniform", "low=-3e38 high=3e38", "u32 - f32[9]",
            "a difference that f32 can hold");
    refuses("random_uniform", "high=inf", "u32 - f32[9]", "high is inf");
    refuses("bernoulli", "", "f32[8] u32 - u8[9]", "out is u8[9]");
    refuses("bernoulli", "probability=1.5", "- u32 - u8[9]", "probability");
    refuses("dropout", "ratio=-0.1", "f32[9] u32", "ratio");
}

static void draws(void) {
    accepts("sample_merge", "", "f16[2,3,9] u32[2,3,9] u32[2]", 5, "u32[2]");
    accepts("sample_merge", "top_p=0.9", "f32[2,3,9] u32[2,3,9] i32[1] - f32[2,3]", 6, "f32[2]");
    refuses("sample_merge", "", "f32[1,2,1025] u32[1,2,1025] u32", "lists have 1025 entries");
    refuses("sample_merge", "", "f32[2,3,9] u32[2,3,9] u32 - f32[4]",
            "settings has 4 numbers, expected 3");
    refuses("sample_merge", "", "f32[2,3,9] u32[2,3,8] u32", "list_indices is u32[2,3,8]");
    refuses("sample_merge", "temperature=-1", "f32[2,3,9] u32[2,3,9] u32", "temperature");
    refuses("sample_merge", "min_p=2", "f32[2,3,9] u32[2,3,9] u32", "min_p");
}

static void words(void) {
    double out[4], zero[2] = {0, 0}, ones[2] = {4294967295.0, 4294967295.0};
    refer("random_bits", "", "u32[2] u32[2] u32[4]", (double *[]){zero, zero, out}, NULL);
    CU_ASSERT(equal(out, (double[]){0x6627e8d5p0, 0xe169c58dp0, 0xbc57ac4cp0, 0x9b00dbd8p0}, 4));
    /* The counter's next block is 0. */
    double next[5];
    refer("random_bits", "", "u32[2] u32[2] u32[5]", (double *[]){zero, ones, next}, NULL);
    CU_ASSERT_EQUAL(next[4], out[0]);
}

int main(void) {
    static const rp_test tests[] = {{"shapes", shapes},
                                    {"refusals", refusals},
                                    {"draws", draws},
                                    {"words", words},
                                    {NULL, NULL}};
    return rp_run_tests("random ops", tests);
}
