/* How far results of functions may be from the reference, beside what sums are allowed.
 *
 * Vulkan's appendix "Precision and Operation of SPIR-V Instructions" is where most of these come
 * from; the rest adds such errors up. */
#include "ops.h"

const op_bound op_bounds[] = {
    {"matmul/matrices", 4096 + 16, 0, "blocks become f16: half a unit of 2^-10; and the same",
     .blocks = true},
    {"matmul/matrices", 16, 0,
     "hardware adds 16 products at once and cuts off what it aligns away"},
    {"matmul_partial/matrices", 4096 + 16, 0, "the same", .blocks = true},
    {"matmul_partial/matrices", 16, 0, "the same"},
    {"attention_prefill/matrices", 8192, 0,
     "weights become f16: half a unit of 2^-10; scores of up to 40 are off by 32 units, which "
     "counts "
     "in the weight and in their sum"},
    {"div", 5, 0, "a quotient: 2.5 ulp"},
    {"reciprocal", 5, 0, "a quotient: 2.5 ulp"},
    {"sqrt", 6, 0, "1 / inversesqrt: 2 ulp and 2.5 ulp"},
    {"rsqrt", 4, 0, "2 ulp"},
    {"log", 6, 0x1p-21, "3 ulp, or 2^-21 between 0.5 and 2"},
    {"exp", 220, 0, "3 + 2 |x| ulp, |x| up to 104"},
    {"sigmoid", 220, 0, "exp, and a quotient"},
    {"silu", 220, 4e-37, "exp, and a quotient; 0 where exp overflows"},
    {"gelu", 64, 0, "erfc by a polynomial and exp, near 0 by its series"},
    {"gelu_tanh", 1400, 4e-37, "16 |u| ulp for a tanh of u, which ends at 88"},
    {"tanh", 64, 2e-7, "exp, and a quotient"},
    {"softcap", 64, 1e-5, "tanh by exp, times 30"},
    {"swiglu", 220, 0, "silu"},
    {"geglu", 64, 1e-6, "gelu"},
    {"geglu_tanh", 64, 1e-6, "gelu_tanh"},
    {"pow", 400, 0, "exp2(y * log2(x)): the errors of both"},
    {"map", 64, 5e-6, "whichever function is in the formula; sin and cos: 2^-11 is allowed"},
    {"softmax", 64, 0, "exp of a difference, a sum, a quotient"},
    {"logsumexp", 32, 1e-6, "exp and log"},
    {"softmax_partial", 64, 0, "exp of a difference, a sum"},
    {"softmax_merge", 220, 0, "exp of a difference, a sum"},
    {"variance_merge", 32, 1e-6, "the mean's error, twice; what rounding took of it is not known"},
    {"variance_partial", 32, 1e-5,
     "the mean's error, twice; what rounding took of it is not known"},
    {"rms_norm", 8, 0, "half the error of the sum, rsqrt"},
    {"layer_norm", 32, 1e-5, "the mean's error over the deviation"},
    {"l2_normalize", 8, 1e-30, "squares below 1e-38 count as 0"},
    {"variance", 32, 0, "the mean's error, twice"},
    {"resize_axis", 8, 0, "weights by polynomials of a quotient"},
    {"moments", 32, 2e-6, "the mean's error over the deviation; terms of both signs cancel"},
    {"random_normal", 8, 0, "2^-20 of the radius and 1"},
    {"sample_merge", 600, 0, "exp of a difference, sums of up to 1024"},
    {"dropout", 5, 0, "a quotient: 2.5 ulp"},
    {"fft_pass", 60, 0, "8 + 4 log2(N) units of the root of the sum of squares"},
    {"chirp", 4, 0, "sine and cosine"},
    {"chirp_multiply", 4, 0, "sine and cosine"},
    {"hann_window", 4, 0, "2^-21 of the whole"},
    {"hamming_window", 4, 0, "2^-21 of the whole"},
    {"blackman_window", 4, 0, "2^-21 of the whole"},
    {"minkowski", 64, 0, "pow, and the root of the sum"},
};
const uint32_t op_bound_count = sizeof op_bounds / sizeof *op_bounds;
