/* Conversions between f16 and f32, by integers and, for targets whose devices convert exactly, by the device: every
 * half, and floats around all that lies between two halves, against arithmetic in double precision. What goes through
 * an f16 within a kernel is rounded like what is stored as one. */
#include <stdlib.h>

#include "gpu.h"
#include "support/op_values.h"

static rp_device *device;

enum { HALVES = 65536, CASES = 65536 };

static const char program[] =
    "reprise 1\ngraph halves {\n"
    "  buf $h in f16[65536]\n  buf $x in f32[65536]\n"
    "  buf $wide out f32[65536]\n  buf $narrow out f16[65536]\n"
    "  buf $through out f32[65536]\n"
    "  n0 = op cast (r $h:f16[65536], w $wide:f32[65536])\n"
    "  n1 = op cast (r $x:f32[65536], w $narrow:f16[65536])\n"
    "  n2 = op map {expr=\"f16(a)\"} (r $x:f32[65536], w $through:f32[65536])\n}\n";

typedef struct results {
    float wide[HALVES], through[CASES];
    uint16_t narrow[CASES];
} results;

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* Halves, what lies in the middle of two, and the floats next to both, with all exponents; then any bits. */
static void fill(float x[CASES]) {
    static const uint32_t tails[] = {0, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x2000, 0x3000};
    enum { TAILS = sizeof tails / sizeof *tails };
    rp_random random = {5};
    uint32_t count = 0;
    for (uint32_t exponent = 0; exponent < 256; exponent++)
        for (uint32_t k = 0; k < 16; k++)
            for (uint32_t t = 0; t < TAILS; t++) {
                uint32_t head = k < 2   ? k
                                : k < 4 ? 1020 + k
                                        : (uint32_t)rp_random_next(&random) & 1023;
                uint32_t bits = exponent << 23 | (((head << 13) + tails[t]) & 0x7fffff);
                x[count++] = float_of(bits | (uint32_t)(rp_random_next(&random) & 1) << 31);
            }
    while (count < CASES) x[count++] = float_of((uint32_t)rp_random_next(&random));
}

static void run(const rp_target *target, int level, const float *x, results *out) {
    static uint16_t halves[HALVES];
    for (uint32_t i = 0; i < HALVES; i++) halves[i] = (uint16_t)i;
    rp_graph *g = gpu_parse(program);
    rp_plan *plan = gpu_compile_ops(g, level, target);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "h", 0, halves, sizeof halves, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, 4 * CASES, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "wide", 0, out->wide, sizeof out->wide, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "narrow", 0, out->narrow, sizeof out->narrow, NULL),
                    RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "through", 0, out->through, sizeof out->through, NULL),
                    RP_OK);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(g);
}

static bool is_nan_half(uint16_t bits) {
    return (bits & 0x7fff) > 0x7c00;
}

/* The same bits, or both NaN. */
static void same(const char *what, uint32_t from, float got, float wanted) {
    bool equal = (got != got && wanted != wanted) || bits_of(got) == bits_of(wanted);
    if (!equal)
        fprintf(stderr, "\n  %s of %08x: %08x, expected %08x", what, from, bits_of(got),
                bits_of(wanted));
    CU_ASSERT(equal);
}

static void check(const rp_target *target) {
    static float x[CASES];
    static results got;
    fill(x);
    for (int level = 0; level < 2; level++) {
        run(target, level, x, &got);
        for (uint32_t i = 0; i < HALVES; i++)
            same("f32", i, got.wide[i], (float)rp_value_of_f16((uint16_t)i));
        for (uint32_t i = 0; i < CASES; i++) {
            uint16_t wanted = x[i] != x[i] ? 0x7e00 : rp_f16_of_value((double)x[i]);
            bool equal =
                got.narrow[i] == wanted || (is_nan_half(got.narrow[i]) && is_nan_half(wanted));
            if (!equal)
                fprintf(stderr, "\n  f16 of %08x: %04x, expected %04x", bits_of(x[i]),
                        got.narrow[i], wanted);
            CU_ASSERT(equal);
            same("through f16", bits_of(x[i]), got.through[i], (float)rp_value_of_f16(wanted));
        }
    }
}

static void test_integers(void) {
    rp_target portable;
    check(gpu_target_like(device, rp_target_builtin("portable"), &portable));
}

static void test_device(void) {
    rp_target h200;
    check(gpu_target_like(device, rp_target_builtin("h200"), &h200));
}

int main(void) {
    static const rp_test tests[] = {
        {"by integers", test_integers}, {"as the device has them", test_device}, {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    int failures = rp_run_tests("halves", tests);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
