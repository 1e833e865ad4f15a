/* Elements four and eight at a time: what `x_4(i)`, `x_8(i, low, high)` and `out_store_4(i, v)` of
 * text of kernels/ load and store, against `x(i)` and `out_store(i, v)`, bit for bit, on the device
 * at hand. Every dtype, operands that begin where four elements may and elsewhere, values that are
 * computed in the kernel, and results that it goes on with.
 *
 * The texts stand in for those of top_k and matmul, which have the operands that are wanted. */
#include <stdlib.h>

#include "gpu.h"
#include "kernel/kernel.h"
#include "lower/internal.h"
#include "pass.h"
#include "support/op_values.h"

static rp_device *device;

/* ---- A lowering with a text of its own ------------------------------------------------------- */

typedef struct own_text {
    const char *op, *text; /* of the op's kernel */
    uint32_t groups;
    char *glsl; /* what it became; owned */
} own_text;

/* The node runs the module; its uses are the parameters, whether the text looks at them or not. */
static rp_status run_module(rp_graph *g, rp_graph_node *node, const rp_kernel_module *m,
                            const rp_emit *e) {
    rp_graph_param params[RP_MAX_PARAMS];
    rp_graph_spec specs[RP_MAX_PARAMS];
    for (uint32_t i = 0; i < node->use_count; i++)
        params[i] = (rp_graph_param){.access = rp_node_uses(g, node)[i].access,
                                     .binding = (uint8_t)i,
                                     .skip = rp_use_skip(&rp_node_uses(g, node)[i]),
                                     .name = RP_NONE};
    for (uint32_t i = 0; i < e->constants_count; i++)
        specs[i] = (rp_graph_spec){i, 4, e->constants[i].bits};
    const rp_graph_kernel kernel = {.name = rp_graph_intern(g, "own", 3),
                                    .entry = rp_graph_intern(g, "main", 4),
                                    .hash = m->hash,
                                    .word_count = m->word_count,
                                    .local = {e->local, 1, 1},
                                    .param_count = node->use_count,
                                    .spec_count = e->constants_count};
    node->kernel = rp_graph_add_kernel(g, &kernel, params, specs, m->words);
    node->kind = RP_RUN;
    node->grid_kind = RP_GRID_DIRECT;
    memcpy(node->grid, e->grid, sizeof node->grid);
    return node->kernel == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

static rp_status lower_text(rp_graph *graph, rp_graph_node *node, own_text *own, rp_emit *e,
                            rp_diags *diags) {
    e->local = 64;
    rp_emit_grid(e, own->groups);
    for (uint32_t m = 0; m < e->member_count; m++)
        if (strcmp(e->members[m].call.op->name, own->op) == 0)
            rp_emit_core_text(e, &e->main, m, own->text, NULL);
    RP_TRY(rp_emit_assemble(e));
    const rp_kernel_params params = {
        .size = sizeof params, .name = "own", .glsl = e->glsl, .glsl_file = "own"};
    rp_kernel_module module;
    RP_TRY(rp_kernel_build(&graph->allocator, &params, diags, "own", 1, 1, &module));
    rp_status status = run_module(graph, node, &module, e);
    rp_kernel_free(&module);
    return status;
}

static rp_status lower(void *user, rp_graph *graph, bool fast, const rp_pass_options *options,
                       rp_diags *diags, rp_text *summary) {
    (void)options;
    own_text *own = user;
    rp_emit e;
    rp_text_string(summary, "a text of its own");
    RP_TRY(rp_emit_open(&e, &graph->allocator, graph, &graph->nodes[0], fast, diags));
    e.readers = &rp_emit_text_readers;
    rp_status status = lower_text(graph, &graph->nodes[0], own, &e, diags);
    free(own->glsl);
    own->glsl = e.glsl ? strdup(e.glsl) : NULL;
    if (status != RP_OK) fprintf(stderr, "\n%s\n", own->glsl ? own->glsl : "no text");
    rp_emit_close(&e);
    return status;
}

/* ---- Running --------------------------------------------------------------------------------- */

enum { MAX_BYTES = 1 << 20 };

/* Bytes of $y after the node of the program ran with a text; $x and $z hold the same each time. */
static void run(const char *program, const char *how, own_text *own, uint8_t *out) {
    static uint8_t bytes[MAX_BYTES];
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *g = NULL;
    rp_plan *plan = NULL;
    const rp_lowering lowering = {lower, own};
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = rp_pass_level(0), .lowering = &lowering};
    rp_status status = rp_graph_parse(NULL, program, strlen(program), "wide", diags, &g);
    if (status == RP_OK) status = rp_compile(g, &options, diags, &plan, NULL);
    if (status != RP_OK) gpu_report(diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    rp_exec *exec = gpu_exec(device, plan, NULL);
    rp_random random = {7};
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        const char *name = rp_graph_string(g, b->name);
        rp_tensor t = {.dtype = b->dtype, .rank = 1, .dims = {b->size}};
        t.dims[0] =
            b->size / rp_dtype_size((rp_dtype)b->dtype) * rp_dtype_block((rp_dtype)b->dtype);
        CU_ASSERT_FATAL(b->size <= MAX_BYTES);
        if (b->kind != RP_IN) continue;
        rp_values_fill(&random, &t, how, bytes);
        if ((RP_DT(b->dtype) & RP_DT_HALF) && strcmp(how, "special") == 0) /* every one there is */
            for (uint32_t k = 0; k < b->size / 2; k++)
                memcpy(bytes + 2 * k, &(uint16_t){(uint16_t)k}, 2);
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, name, 0, bytes, b->size, NULL), RP_OK);
    }
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    uint64_t size = g->buffers[rp_graph_find_buffer(g, "y")].size;
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, out, size, NULL), RP_OK);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(g);
    rp_diags_destroy(diags);
}

/* What is in front of a text's own statements. */
#define TEXT(COUNT, STATEMENTS)                                                                    \
    "void main() {\n"                                                                              \
    "    uint i = 8u * (gl_WorkGroupID.x * 64u + gl_LocalInvocationIndex);\n"                      \
    "    if (i >= " COUNT ") return;\n" STATEMENTS "}\n"

/* The texts that must do the same: by one, by four, by eight. */
#define TEXTS(OP, COUNT, X, Y)                                                                     \
    {                                                                                              \
        {OP,                                                                                       \
         TEXT(COUNT, "    for (uint k = 0u; k < 8u; k++) " Y "_store(i + k, " X "(i + k));\n"), 0, \
         NULL},                                                                                    \
            {OP,                                                                                   \
             TEXT(COUNT, "    " Y "_store_4(i, " X "_4(i));\n"                                     \
                         "    " Y "_store_4(i + 4u, " X "_4(i + 4u));\n"),                         \
             0, NULL},                                                                             \
        {                                                                                          \
            OP,                                                                                    \
                TEXT(COUNT, "    " X "_CLASS_4 low, high;\n    " X "_8(i, low, high);\n"           \
                            "    " Y "_store_4(i + 4u, high);\n    " Y "_store_4(i, low);\n"),     \
                0, NULL                                                                            \
        }                                                                                          \
    }

static const own_text selecting[] = TEXTS("top_k", "R * N", "x", "values");
static const own_text multiplying[] = TEXTS("matmul", "R * S", "b", "out");

/* Whether four elements are one load or store: then a use is declared with a second type, and with
 * a third where eight are one as well. */
static bool is_wide(const char *glsl, const char *use) {
    uint32_t blocks = 0;
    char block[32];
    snprintf(block, sizeof block, "buffer Block_%s", use);
    for (const char *c = glsl; (c = strstr(c, block)); c++) blocks++;
    CU_ASSERT(blocks >= 1 && blocks <= 3);
    return blocks > 1;
}

static void compare(const own_text texts[3], const char *program, const char *how, uint64_t count,
                    bool wide_in, bool wide_out) {
    static uint8_t got[3][MAX_BYTES];
    for (uint32_t t = 0; t < 3; t++) {
        own_text own = texts[t];
        own.groups = (uint32_t)((count + 511) / 512);
        memset(got[t], 0, sizeof got[t]);
        run(program, how, &own, got[t]);
        bool in = is_wide(own.glsl, "b0"), out = is_wide(own.glsl, "b1");
        bool same = memcmp(got[0], got[t], MAX_BYTES) == 0;
        if (t && (in != wide_in || out != wide_out || !same))
            fprintf(stderr, "\n  text %u: %s in, %s out, %s\n%s\n%s", t, in ? "wide" : "narrow",
                    out ? "wide" : "narrow", same ? "same" : "different", program, own.glsl);
        CU_ASSERT_TRUE(same);
        if (t) CU_ASSERT(in == wide_in && out == wide_out);
        free(own.glsl);
    }
    bool any = false;
    for (uint32_t i = 0; i < MAX_BYTES && !any; i++) any = got[0][i] != 0;
    CU_ASSERT_TRUE(any);
}

/* ---- From memory to memory ------------------------------------------------------------------- */

/* R rows of 1024; 64 of them hold every f16, or bf16. */
static void copy(const char *dtype, uint32_t size, uint32_t rows, uint32_t from, uint32_t to) {
    char program[1024];
    uint32_t bytes = rows * 1024 * size;
    snprintf(program, sizeof program,
             "reprise 1\ngraph wide {\n  buf $x in %s[%u]\n  buf $y out %s[%u]\n"
             "  buf $i out u32[%u,1024]\n"
             "  n0 = op top_k {k=1024} (r $x[%u+%u]:%s[%u,1024], -, w $y[%u+%u]:%s[%u,1024], "
             "w $i:u32[%u,1024])\n}\n",
             dtype, rows * 1024 + 64, dtype, rows * 1024 + 64, rows, from, bytes, dtype, rows, to,
             bytes, dtype, rows, rows);
    compare(selecting, program, "special", (uint64_t)rows * 1024, from % (4 * size) == 0,
            to % (4 * size) == 0);
}

static void test_memory(void) {
    static const struct {
        const char *name;
        uint32_t size;
    } dtypes[] = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"i8", 1},
                  {"u8", 1},  {"i32", 4}, {"u32", 4}};
    for (uint32_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        uint32_t size = dtypes[d].size;
        copy(dtypes[d].name, size, size == 2 ? 64 : 3, 0, 0);
        copy(dtypes[d].name, size, 1, size, 4 * size);
        copy(dtypes[d].name, size, 1, 4 * size, 3 * size); /* for eight of f16: not aligned */
    }
}

static void test_blocks(void) {
    static const char *const dtypes[] = {"q8_0", "q4_0"};
    for (uint32_t d = 0; d < 2; d++) {
        char program[512];
        snprintf(program, sizeof program,
                 "reprise 1\ngraph wide {\n  buf $x in %s[8,96]\n  buf $a in f32[8,8]\n"
                 "  buf $y out f32[8,96]\n"
                 "  n0 = op matmul (r $a:f32[8,8], r $x:%s[8,96], w $y:f32[8,96])\n}\n",
                 dtypes[d], dtypes[d]);
        /* Use 1 is x: nothing but its own words; use 2 is y, which `compare` does not look at. */
        compare(multiplying, program, "", 8 * 96, false, false);
    }
}

/* ---- Sixteen bytes ---------------------------------------------------------------------------- */

#define SIXTEENS(STATEMENTS)                                                                       \
    "void main() {\n"                                                                              \
    "    uint i = 16u * (gl_WorkGroupID.x * 64u + gl_LocalInvocationIndex);\n"                     \
    "    if (i >= R * S) return;\n" STATEMENTS "}\n"

static const own_text by_one = {
    "matmul", SIXTEENS("    for (uint k = 0u; k < 16u; k++) out_store(i + k, b(i + k));\n"), 0,
    NULL};
static const own_text by_sixteen = {
    "matmul",
    SIXTEENS("    uvec4 w = b_bytes(i);\n"
             "    for (uint k = 0u; k < 16u; k++)\n"
             "        out_store(i + k, int(w[k / 4u] << 24u - k % 4u * 8u) >> 24);\n"),
    0, NULL};

/* In memory, where sixteen may begin and not; moved; and computed. */
static void test_bytes(void) {
    static const struct {
        const char *node;
        bool wide; /* one load of sixteen */
    } cases[] = {
        {"n1 = op matmul (r $a:i8[8,8], r $x[0+768]:i8[8,96], w $y:i32[8,96])", true},
        {"n1 = op matmul (r $a:i8[8,8], r $x[8+768]:i8[8,96], w $y:i32[8,96])", false},
        {"n1 = fused {\n    n0 = permute {order=acbd} (r $x[0+768]:i8[2,4,2,48], w "
         "^t:i8[2,2,4,48])\n"
         "    n1 = matmul (r $a:i8[8,8], r ^t:i8[8,96], w $y:i32[8,96])\n  }",
         true},
        {"n1 = fused {\n    n0 = permute {order=acbd} (r $x[0+768]:i8[2,6,8,8], w ^t:i8[2,8,6,8])\n"
         "    n1 = matmul (r $a:i8[8,8], r ^t:i8[8,96], w $y:i32[8,96])\n  }",
         false},
        {"n1 = fused {\n    n0 = map {expr=\"a * 3 - 2\"} (r $x[0+768]:i8[8,96], w ^t:i8[8,96])\n"
         "    n1 = matmul (r $a:i8[8,8], r ^t:i8[8,96], w $y:i32[8,96])\n  }",
         false},
    };
    static uint8_t one[MAX_BYTES], sixteen[MAX_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char program[1024];
        snprintf(program, sizeof program,
                 "reprise 1\ngraph wide {\n  buf $x in i8[800]\n  buf $a in i8[8,8]\n"
                 "  buf $y out i32[8,96]\n  %s\n}\n",
                 cases[i].node);
        own_text first = by_one, second = by_sixteen;
        first.groups = second.groups = 1;
        run(program, "", &first, one);
        run(program, "", &second, sixteen);
        CU_ASSERT_EQUAL(memcmp(one, sixteen, 8 * 96 * 4), 0);
        bool wide = strstr(second.glsl, "{ uvec4 b") != NULL; /* an array of words */
        CU_ASSERT_EQUAL(wide, cases[i].wide);
        if (wide != cases[i].wide) fputs(second.glsl, stderr);
        free(first.glsl);
        free(second.glsl);
    }
}

/* ---- With other ops in the kernel ------------------------------------------------------------ */

/* A formula, a broadcast and a text in front; what reads the results behind. */
static void test_fused(void) {
    static const char *const in_front =
        "reprise 1\ngraph wide {\n  buf $x in f16[3,1024]\n  buf $y out f32[3,1024]\n"
        "  buf $z in f32%s\n  buf $i out u32[3,1024]\n"
        "  n2 = fused {\n"
        "    n0 = map {expr=\"a * a + b * 0.5\"} (r $x:f16[3,1024], r $z:f32%s, w "
        "^t:f32[3,1024])\n"
        "    n1 = add (r ^t:f32[3,1024], r $x:f16[3,1024], w ^u:f32[3,1024])\n"
        "    n2 = top_k {k=1024} (r ^u:f32[3,1024], -, w $y:f32[3,1024], w $i:u32[3,1024])\n"
        "  }\n}\n";
    static const struct {
        const char *shape;
        bool wide;
    } broadcasts[] = {{"[1024]", true}, {"[3,1]", false}, {"[1]", false}};
    for (uint32_t i = 0; i < sizeof broadcasts / sizeof *broadcasts; i++) {
        char program[1024];
        snprintf(program, sizeof program, in_front, broadcasts[i].shape, broadcasts[i].shape);
        compare(selecting, program, "finite=4", 3 * 1024, true, broadcasts[i].wide);
    }
    static const char *const behind =
        "reprise 1\ngraph wide {\n  buf $x in f32[2,1024]\n  buf $y out f32[2,1024]\n"
        "  buf $i out u32[2,1024]\n"
        "  n1 = fused {\n"
        "    n0 = top_k {k=1024} (r $x:f32[2,1024], -, w ^t:f16[2,1024], w $i:u32[2,1024])\n"
        "    n1 = map {expr=\"a * 2 + 1\"} (r ^t:f16[2,1024], w $y:f32[2,1024])\n"
        "  }\n}\n";
    compare(selecting, behind, "special", 2 * 1024, true, false);
}

/* The texts give the same floats; any NaN is as good as another. */
static void compare_values(const own_text texts[3], const char *program, const char *how,
                           uint64_t count) {
    static uint32_t got[3][MAX_BYTES / 4];
    for (uint32_t t = 0; t < 3; t++) {
        own_text own = texts[t];
        own.groups = (uint32_t)((count + 511) / 512);
        run(program, how, &own, (uint8_t *)got[t]);
        uint64_t at = 0;
        while (at < count && (got[0][at] == got[t][at] || ((got[0][at] & INT32_MAX) > 0x7f800000 &&
                                                           (got[t][at] & INT32_MAX) > 0x7f800000)))
            at++;
        CU_ASSERT_EQUAL(at, count);
        if (at < count)
            fprintf(stderr, "\n  text %u, %s: element %llu is %08x, by one %08x\n%s\n%s", t, how,
                    (unsigned long long)at, got[t][at], got[0][at], program, own.glsl);
        free(own.glsl);
    }
}

/* Formulas of four at once give what those of one do; also functions that have none for four, and
 * integers in between. */
static void test_formulas(void) {
    static const char *const formulas[] = {
#define RP_X(name, arity, floats)                                                                  \
    arity == 1 ? #name "(a)" : arity == 2 ? #name "(a, b)" : #name "(a, b, a + b)",
        RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
            "a / b",
        "-(a - b) * a",
        "a < b ? a : b * 2",
        "f32(i32(a) / 3) + b",
        "silu(a + b) * gelu(b) - a / (1 + abs(b))",
    };
    static const char *const fills[] = {"finite=6", "spread=30"};
    for (uint32_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        char program[1024];
        if (strstr(formulas[i], "(a)") && !gpu_tries_middle(device, i))
            continue;                                       /* tests/gpu/ops.c has all */
        if (strncmp(formulas[i], "bits", 4) == 0) continue; /* of integers alone */
        snprintf(program, sizeof program,
                 "reprise 1\ngraph wide {\n  buf $x in f32[2,1024]\n  buf $y out f32[2,1024]\n"
                 "  buf $z in f16[1024]\n  buf $i out u32[2,1024]\n"
                 "  n1 = fused {\n"
                 "    n0 = map {expr=\"%s\"} (r $x:f32[2,1024]%s, w ^t:f%s[2,1024])\n"
                 "    n1 = top_k {k=1024} (r ^t:f%s[2,1024], -, w $y:f32[2,1024], w "
                 "$i:u32[2,1024])\n"
                 "  }\n}\n",
                 formulas[i], strchr(formulas[i], 'b') ? ", r $z:f16[1024]" : "",
                 i % 2 ? "32" : "16", i % 2 ? "32" : "16");
        compare_values(selecting, program, "special", 2 * 1024);
        compare_values(selecting, program, fills[i % 2], 2 * 1024);
    }
}

/* An op that moves elements in front: what stays together comes together. */
static void test_moved(void) {
    static const struct {
        const char *dtype, *op, *from, *to;
        bool wide;
    } cases[] = {
        {"f32", "permute {order=acbd}", "[2,8,4,96]", "[2,4,8,96]", true},
        {"f16", "permute {order=cabd}", "[2,8,4,96]", "[4,2,8,96]", true},
        {"bf16", "permute {order=cabd}", "[2,8,4,96]", "[4,2,8,96]", true},
        {"u8", "permute {order=bacd}", "[2,8,4,96]", "[8,2,4,96]", true},
        {"f32", "permute {order=acbd}", "[2,8,5,12]", "[2,5,8,12]", true}, /* no eights */
        {"f32", "permute {order=abdc}", "[2,4,96,8]", "[2,4,8,96]", false},
        {"f16", "permute {order=acbd}", "[2,8,4,98]", "[2,4,8,98]", false},
        {"f16", "slice {row=1,rows=16,column=8,columns=64}", "[3,19,96]", "[3,16,64]", true},
        {"f32", "slice {row=1,rows=16,column=4,columns=64}", "[3,19,96]", "[3,16,64]", true},
        {"f32", "slice {row=1,rows=16,column=6,columns=64}", "[3,19,96]", "[3,16,64]", false},
        {"i32", "repeat_rows {times=3}", "[8,96]", "[8,3,96]", true},
        {"f32", "repeat_rows {times=4}", "[8,94]", "[8,4,94]", false},
        {"f16", "unfold {channels_last=1,kernel_w=3,pad_w=1,pad_end_w=1}", "[2,1,1,6,96]",
         "[2,1,1,6,288]", true}, /* with zeros that come from nowhere */
        {"f32", "unfold {channels_last=1,kernel_w=3,pad_w=1,pad_end_w=1}", "[2,1,1,6,4]",
         "[2,1,1,6,12]", true},
    };
    for (uint32_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const char *dtype = cases[c].dtype, *from = cases[c].from, *to = cases[c].to;
        unsigned last = (unsigned)strtoul(strrchr(to, ',') + 1, NULL, 10);
        char program[1024];
        snprintf(program, sizeof program,
                 "reprise 1\ngraph wide {\n  buf $x in %s%s\n  buf $y out %s%s\n"
                 "  buf $i out u32%s\n"
                 "  n1 = fused {\n"
                 "    n0 = %s (r $x:%s%s, w ^t:%s%s)\n"
                 "    n1 = top_k {k=%u} (r ^t:%s%s, -, w $y:%s%s, w $i:u32%s)\n"
                 "  }\n}\n",
                 dtype, from, dtype, to, to, cases[c].op, dtype, from, dtype, to, last, dtype, to,
                 dtype, to, to);
        compare(selecting, program, "special", 8192, cases[c].wide, true);
    }
}

int main(void) {
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    int failures = rp_run_tests("loads", (rp_test[]){{"from memory to memory", test_memory},
                                                     {"blocks", test_blocks},
                                                     {"with other ops", test_fused},
                                                     {"moved", test_moved},
                                                     {"formulas", test_formulas},
                                                     {"bytes", test_bytes},
                                                     {0}});
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
