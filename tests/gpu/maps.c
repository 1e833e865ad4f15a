/* Maps with four elements a thread, which GPUs have where there are enough elements, against one a thread: equal to
 * the bit, on the device at hand. A target so small that any number of elements is enough asks for them. Every
 * dtype that is stored; formulas, operands that repeat and that stand still, elements that are moved, ops that say
 * themselves how to compute four; several outputs, and one in place; a number of elements that is no four. */
#include <stdlib.h>

#include "gpu.h"
#include "reprise/plan_build.h"
#include "support/op_values.h"

static rp_device *device;

enum { MOST_BUFFERS = 8, MAX_BYTES = 1 << 16 };

typedef struct results {
    uint8_t *bytes[MOST_BUFFERS];
    uint32_t groups; /* workgroups of all dispatches */
} results;

static rp_target few_like(const char *name) {
    rp_target few;
    gpu_target_like(device, rp_target_builtin(name), &few);
    few.multiprocessors = few.resident_invocations = 1;
    return few;
}

/* Buffers hold the same each time. */
static results run(const rp_graph *g, const rp_target *target, const char *how) {
    results r = {0};
    rp_plan *plan = gpu_compile_ops(g, 1, target);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    rp_graph *compiled = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_plan_graphs(plan, NULL, &compiled, NULL), RP_OK);
    for (uint32_t i = 0; i < compiled->nodes_count; i++) r.groups += compiled->nodes[i].grid[0];
    rp_graph_destroy(compiled);
    CU_ASSERT_FATAL(g->buffers_count <= MOST_BUFFERS);
    rp_random random = {11};
    for (int out = 0; out < 2; out++) {
        for (uint32_t i = 0; i < g->buffers_count; i++) {
            const rp_graph_buffer *b = &g->buffers[i];
            const char *name = rp_graph_string(g, b->name);
            uint8_t *bytes = calloc(b->size + 4, 1);
            CU_ASSERT_FATAL(bytes && b->size <= MAX_BYTES);
            rp_tensor t = {.dtype = b->dtype, .rank = 1};
            t.dims[0] = b->size / rp_dtype_size((rp_dtype)b->dtype);
            rp_values_fill(&random, &t, how, bytes);
            if (!out && (b->kind == RP_IN || b->kind == RP_INOUT))
                CU_ASSERT_EQUAL(rp_exec_write(exec, 0, name, 0, bytes, b->size, NULL), RP_OK);
            if (out && (b->kind == RP_OUT || b->kind == RP_INOUT)) {
                CU_ASSERT_EQUAL(rp_exec_read(exec, 0, name, 0, bytes, b->size, NULL), RP_OK);
                r.bytes[i] = bytes, bytes = NULL;
            }
            free(bytes);
        }
        if (out) break;
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    }
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    return r;
}

/* `fours`: the small target has fewer workgroups for it. */
static void check(const char *text, bool fours, const char *how) {
    static char program[4096];
    rp_target one, few = few_like("portable");
    gpu_target_like(device, rp_target_builtin("portable"), &one);
    snprintf(program, sizeof program, "reprise 1\ngraph maps {\n%s}\n", text);
    rp_graph *g = gpu_parse(program);
    results a = run(g, &one, how), b = run(g, &few, how);
    uint32_t compared = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        if (a.bytes[i]) {
            bool same = memcmp(a.bytes[i], b.bytes[i], g->buffers[i].size) == 0;
            if (!same)
                fprintf(stderr, "\n  %s of\n%s differs (%s)",
                        rp_graph_string(g, g->buffers[i].name), text, how);
            CU_ASSERT(same);
            compared++;
        }
        free(a.bytes[i]), free(b.bytes[i]);
    }
    CU_ASSERT(compared > 0);
    if (fours ? b.groups >= a.groups : b.groups != a.groups)
        fprintf(stderr, "\n  %u and %u workgroups for\n%s", a.groups, b.groups, text);
    CU_ASSERT(fours ? b.groups < a.groups : b.groups == a.groups);
    rp_graph_destroy(g);
}

/* ---- Programs -------------------------------------------------------------------------------- */

static void test_dtypes(void) {
    static const char *const types[] = {"f32", "f16", "bf16", "i8", "u8", "i32", "u32"};
    static char text[1024];
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(text, sizeof text,
                 "  buf $a in %s[12,64]\n  buf $b in %s[64]\n  buf $y out %s[12,64]\n"
                 "  n0 = op add (r $a:%s[12,64], r $b:%s[64], w $y:%s[12,64])\n",
                 types[i], types[i], types[i], types[i], types[i], types[i]);
        check(text, true, i < 3 ? "special" : "each=4");
    }
    check("  buf $a in f16[12,64]\n  buf $y out i8[12,64]\n"
          "  n0 = op cast (r $a:f16[12,64], w $y:i8[12,64])\n",
          true, "spread=6");
    check("  buf $a in f32[12,64]\n  buf $y out bool[12,64]\n"
          "  n0 = op cast (r $a:f32[12,64], w $y:bool[12,64])\n",
          true, "special");
}

static void test_formulas(void) {
    static const char repeated[] =
        "  buf $a in f16[12,64]\n  buf $r in f32[12,1]\n  buf $s in f32[1]\n  buf $y out "
        "f16[12,64]\n"
        "  buf $z out f32[12,64]\n  buf %t tmp f16[12,64]\n"
        "  n0 = op map {expr=\"a * b + c\"} (r $a:f16[12,64], r $r:f32[12,1], r $s:f32[1], w "
        "%t:f16[12,64])\n"
        "  n1 = op silu (r %t:f16[12,64], w $y:f16[12,64])\n"
        "  n2 = op map {expr=\"exp(a) - b\"} (r %t:f16[12,64], r $r:f32[12,1], w $z:f32[12,64])\n";
    /* Over what it reads: the values were in memory before, and nobody reads them behind it. */
    static const char in_place[] =
        "  buf $y inout f32[12,64]\n"
        "  n0 = op map {expr=\"a / 3 + a\"} (r $y:f32[12,64], w $y:f32[12,64])\n";
    static const char odd[] = "  buf $a in f16[769]\n  buf $y out f16[769]\n"
                              "  n0 = op gelu (r $a:f16[769], w $y:f16[769])\n";
    check(repeated, true, "finite=2");
    check(repeated, true, "special");
    check(in_place, true, "special");
    check(odd, false, "special");
}

static void test_moved(void) {
    check("  buf $a in f16[24,32]\n  buf $i in u32[24]\n  buf $y out f16[24,32]\n"
          "  n0 = op gather_rows (r $a:f16[24,32], r $i:u32[24], w $y:f16[24,32])\n",
          true, "each=4");
    check("  buf $a in f32[2,4,6,32]\n  buf $y out f32[2,6,4,32]\n  buf %t tmp f32[2,6,4,32]\n"
          "  n0 = op permute {order=acbd} (r $a:f32[2,4,6,32], w %t:f32[2,6,4,32])\n"
          "  n1 = op neg (r %t:f32[2,6,4,32], w $y:f32[2,6,4,32])\n",
          true, "special");
    check("  buf $a in f16[1,24,5,32]\n  buf $y out f16[1,5,24,32]\n"
          "  n0 = op permute {order=acbd} (r $a:f16[1,24,5,32], w $y:f16[1,5,24,32])\n",
          true, "special");
    check("  buf $a in f32[32,24]\n  buf $y out f32[24,32]\n"
          "  n0 = op transpose (r $a:f32[32,24], w $y:f32[24,32])\n",
          true, "special");
    check("  buf $a in f16[30,12,5]\n  buf $y out f16[30,5,12]\n  buf %t tmp f16[30,5,12]\n"
          "  n0 = op transpose (r $a:f16[30,12,5], w %t:f16[30,5,12])\n"
          "  n1 = op silu (r %t:f16[30,5,12], w $y:f16[30,5,12])\n",
          true, "special");
    check("  buf $a in f32[32,26]\n  buf $y out f32[26,32]\n  buf $z out f32[32,26]\n"
          "  buf %t tmp f32[26,32]\n"
          "  n0 = op transpose (r $a:f32[32,26], w %t:f32[26,32])\n"
          "  n1 = op relu (r %t:f32[26,32], w $y:f32[26,32])\n"
          "  n2 = op transpose (r %t:f32[26,32], w $z:f32[32,26])\n",
          true, "special");
}

/* Elements of every size, moved together and apart. Of 64 bits none are four. */
static void test_moved_types(void) {
    static const char *const types[] = {"f32", "f16", "bf16", "i8",  "u8",  "bool", "i16",
                                        "u16", "i32", "u32",  "i64", "u64", "f64"};
    static char text[1024];
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        bool wide = strstr(types[i], "64") != NULL;
        snprintf(text, sizeof text,
                 "  buf $a in %s[4,8,12]\n  buf $y out %s[4,12,8]\n  buf $z out %s[1,8,4,12]\n"
                 "  n0 = op transpose (r $a:%s[4,8,12], w $y:%s[4,12,8])\n"
                 "  n1 = op permute {order=acbd} (r $a:%s[1,4,8,12], w $z:%s[1,8,4,12])\n",
                 types[i], types[i], types[i], types[i], types[i], types[i], types[i]);
        check(text, !wide, "each=4");
    }
}

/* Numbers of rows have any size: rows are moved by fours all the same, where they are not of 64 bits. */
static void test_numbers(void) {
    static const char *const types[] = {"i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"};
    static const char *const moved[] = {"f16", "f32", "i8", "i64"};
    static char text[1024];
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++)
        for (uint32_t k = 0; k < sizeof moved / sizeof *moved; k++) {
            const char *of = moved[k], *by = types[i];
            snprintf(text, sizeof text,
                     "  buf $a in %s[24,32]\n  buf $i in %s[24]\n  buf $y out %s[24,32]\n"
                     "  buf $z inout %s[32,32]\n"
                     "  n0 = op gather_rows (r $a:%s[24,32], r $i:%s[24], w $y:%s[24,32])\n"
                     "  n1 = op scatter_rows (r $a:%s[24,32], r $i:%s[24], rw $z:%s[32,32])\n",
                     of, by, of, of, of, by, of, of, by, of);
            check(text, strcmp(of, "i64") != 0, "each=30");
        }
}

/* Every order of four dimensions, six in a graph. */
static void test_orders(void) {
    static const uint32_t dims[4] = {4, 8, 12, 16};
    static char text[4096];
    uint32_t made = 0, count = 0;
    for (uint32_t n = 0; n < 256; n++) {
        const uint32_t at[4] = {n >> 6, n >> 4 & 3, n >> 2 & 3, n & 3};
        if ((1 << at[0] | 1 << at[1] | 1 << at[2] | 1 << at[3]) != 15) continue;
        if (count == 0) made = (uint32_t)sprintf(text, "  buf $a in f16[4,8,12,16]\n");
        made += (uint32_t)sprintf(text + made,
                                  "  buf $y%u out f16[%u,%u,%u,%u]\n"
                                  "  n%u = op permute {order=%c%c%c%c} (r $a:f16[4,8,12,16], w "
                                  "$y%u:f16[%u,%u,%u,%u])\n",
                                  count, dims[at[0]], dims[at[1]], dims[at[2]], dims[at[3]], count,
                                  'a' + at[0], 'a' + at[1], 'a' + at[2], 'a' + at[3], count,
                                  dims[at[0]], dims[at[1]], dims[at[2]], dims[at[3]]);
        if (++count < 6) continue;
        check(text, true, "special");
        count = 0;
    }
    CU_ASSERT_EQUAL(count, 0);
}

/* Ops that say how to compute four, rounded and not, with what follows; those that do not. */
static void test_own(void) {
    static const char *const types[] = {"f32", "f16", "bf16"};
    static char text[1024];
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(
            text, sizeof text,
            "  buf $s in u32[2]\n  buf $a in f32[16,96]\n  buf $y out %s[16,96]\n  buf $z out "
            "f32[16,96]\n"
            "  buf %%t tmp %s[16,96]\n"
            "  n0 = op random_normal (r $s:u32[2], -, w %%t:%s[16,96])\n"
            "  n1 = op map {expr=\"a + b\"} (r %%t:%s[16,96], r $a:f32[16,96], w $z:f32[16,96])\n"
            "  n2 = op relu (r %%t:%s[16,96], w $y:%s[16,96])\n",
            types[i], types[i], types[i], types[i], types[i], types[i]);
        check(text, true, "special");
    }
    check("  buf $x in f16[2,1,7,6,24]\n  buf $w in f16[24,1,3,2,1]\n  buf $y out f16[2,1,4,5,24]\n"
          "  n0 = op conv_direct {stride_h=2, dilation_w=1, pad_h=1, channels_last=1, pad_end_h=1, "
          "groups=24} (r $x:f16[2,1,7,6,24], r $w:f16[24,1,3,2,1], w $y:f16[2,1,4,5,24])\n",
          false, "finite=2");
}

int main(void) {
    static const rp_test tests[] = {{"every dtype", test_dtypes},
                                    {"formulas", test_formulas},
                                    {"what is moved", test_moved},
                                    {"elements of every size", test_moved_types},
                                    {"numbers of rows of every size", test_numbers},
                                    {"every order", test_orders},
                                    {"ops that say how", test_own},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    int failures = rp_run_tests("maps", tests);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
