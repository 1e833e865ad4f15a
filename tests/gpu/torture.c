/* Race torture: random plans whose kernels expose a missing barrier, against -O0 on the same
 * device.
 *
 *   RP_CASES=N  how many random graphs (default 12)     RP_SEED=S  the first seed (default 1)
 *   RP_REPLAYS=N  replays of each plan, back to back (default 3)
 *
 * Every kernel waits a while before it reads, by workgroup, and a while before it writes, and mixes
 * words from all over its inputs into each word it writes. A reader that starts too early sees old
 * words, a writer that starts too early destroys what others still wait to read; either changes the
 * hash that ends in the outputs. Scratch buffers are few and reused all the time, so that renaming
 * and the arena are put under stress as well. Some kernels work in place, reading and writing one
 * range through two bindings in either order; these read only the word that they write. Each graph
 * is compiled at -O0 and -O1, replayed several times in a row without waiting, and every byte of
 * every output must agree; so must -O1 with less memory than it would take. Last come canaries: the
 * same plans with all barriers taken out must give wrong answers on a device that overlaps
 * dispatches; otherwise the test could not see a race there either. A device that runs dispatches
 * one after another (lavapipe does) cannot show races; this is said, and not counted as a pass of
 * the canaries.
 */
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "support/unit.h"
#include "support/plan_info.h"

enum { SCRATCH = 5, INPUTS = 2, OUTPUTS = 3, WORDS = 4096, NODES = 60, KERNELS = 10 };

static const char shader[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(set = 0, binding = A_AT) readonly buffer A { uint v[]; } a;\n"
    "#if INPUTS > 1\n"
    "layout(set = 0, binding = 1) readonly buffer B { uint v[]; } b;\n"
    "#endif\n"
    "#if INPUTS > 2\n"
    "layout(set = 0, binding = 2) readonly buffer C { uint v[]; } c;\n"
    "#endif\n"
    "layout(set = 0, binding = OUT_AT) ACCESS buffer Out { uint v[]; } o;\n"
    "layout(push_constant) uniform Push { uint words; uint seed; uint delay; uint a_words;\n"
    "                                     uint b_words; uint c_words; } push;\n"
    "uint mix_in(uint h, uint w) { h = (h ^ w) * 0x9e3779b1u; return h ^ (h >> 15); }\n"
    "uint wait_for(uint h, uint turns) {\n"
    "    for (uint i = 0; i < turns; i++) h = mix_in(h, i);\n"
    "    return h;\n"
    "}\n"
    "void main() {\n"
    "    uint stride = gl_NumWorkGroups.x * 64;\n"
    "    uint late = wait_for(push.seed, push.delay * (gl_WorkGroupID.x % 4));\n"
    "    for (uint i = gl_GlobalInvocationID.x; i < push.words; i += stride) {\n"
    "        uint h = mix_in(push.seed, i), at = mix_in(i, push.seed) ^ late;\n"
    "        h = mix_in(h, a.v[IN_PLACE != 0 ? i : at % push.a_words]);\n"
    "#if INPUTS > 1\n"
    "        h = mix_in(h, b.v[(at >> 3) % push.b_words]);\n"
    "#endif\n"
    "#if INPUTS > 2\n"
    "        h = mix_in(h, c.v[(at >> 7) % push.c_words]);\n"
    "#endif\n"
    "        uint later = wait_for(h, push.delay * ((gl_WorkGroupID.x + 1) % 4));\n"
    "        h = mix_in(h, later);\n"
    "        o.v[i] = UPDATE h;\n"
    "    }\n"
    "}\n";

typedef struct torture {
    rp_device *device;
    bool overlaps; /* the device may run dispatches at the same time */
    uint32_t *spirv[KERNELS];
    size_t spirv_size[KERNELS];
    uint32_t cases, seed, replays;
} torture;

static torture T;

static uint32_t random_below(uint64_t *state, uint32_t limit) { /* xorshift64* */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545f4914f6cdd1dull >> 33) % limit);
}

static void complain(const char *what, const rp_diags *diags) {
    fprintf(stderr, "%s\n", what);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
}

static uint32_t environment(const char *name, uint32_t otherwise) {
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

/* ---- Kernels, compiled once ------------------------------------------------------------------ */

/* Kernel k reads 1 + k % 3 inputs; some update their output; from 6 on the first input is the
 * output's own range; with an odd number the output is the first binding and not the last. */
static bool updates(uint32_t k) {
    return k >= 3 && k != 6 && k != 7;
}

static bool in_place(uint32_t k) {
    return k >= 6;
}

static uint32_t first_input(uint32_t k) {
    return k % 2 ? 3 : 0;
}

static uint32_t output(uint32_t k) {
    return 3 - first_input(k);
}

static void compile_kernels(void) {
    for (uint32_t k = 0; k < KERNELS; k++) {
        char inputs[16], a_at[16], out_at[16];
        snprintf(inputs, sizeof inputs, "INPUTS=%u", 1 + k % 3);
        snprintf(a_at, sizeof a_at, "A_AT=%u", first_input(k));
        snprintf(out_at, sizeof out_at, "OUT_AT=%u", output(k));
        const char *const defines[] = {inputs,
                                       a_at,
                                       out_at,
                                       in_place(k) ? "IN_PLACE=1" : "IN_PLACE=0",
                                       updates(k) ? "ACCESS=" : "ACCESS=writeonly",
                                       updates(k) ? "UPDATE=o.v[i]^" : "UPDATE="};
        const rp_kernel_params params = {.size = sizeof params,
                                         .name = "k",
                                         .glsl = shader,
                                         .defines = defines,
                                         .define_count = sizeof defines / sizeof *defines};
        rp_diags *diags = rp_diags_create(NULL);
        rp_program *program;
        rp_kernel kernel;
        rp_recorder *none = NULL;
        rp_graph *graph = NULL;
        CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "kernels", &program), RP_OK);
        rp_status status = rp_program_kernel(program, &params, diags, &kernel);
        if (status != RP_OK) complain("kernel", diags);
        CU_ASSERT_EQUAL_FATAL(status, RP_OK);
        CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &none, 0, diags, &graph), RP_OK);
        T.spirv_size[k] = graph->kernels[0].word_count * sizeof(uint32_t);
        T.spirv[k] = malloc(T.spirv_size[k]);
        memcpy(T.spirv[k], graph->words + graph->kernels[0].first_word, T.spirv_size[k]);
        rp_graph_destroy(graph);
        rp_program_destroy(program);
        rp_diags_destroy(diags);
    }
}

/* ---- A random graph -------------------------------------------------------------------------- */

typedef struct recording {
    rp_program *program;
    rp_recorder *recorder;
    rp_kernel kernels[KERNELS];
    rp_buffer buffers[SCRATCH + INPUTS + OUTPUTS]; /* scratch, inputs, outputs */
    uint64_t state;
} recording;

static void declare(recording *r) {
    char name[32];
    rp_diags *diags = rp_diags_create(NULL);
    for (uint32_t i = 0; i < SCRATCH + INPUTS + OUTPUTS; i++) {
        rp_buffer_kind kind = i < SCRATCH            ? RP_TMP
                              : i < SCRATCH + INPUTS ? RP_IN
                              : i % 2                ? RP_INOUT
                                                     : RP_OUT;
        snprintf(name, sizeof name, "b%u", i);
        const rp_buffer_params params = {
            .size = sizeof params, .name = name, .kind = kind, .bytes = WORDS * 4};
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(r->program, &params, diags, &r->buffers[i]), RP_OK);
    }
    for (uint32_t k = 0; k < KERNELS; k++) {
        snprintf(name, sizeof name, "k%u", k);
        const rp_kernel_params params = {.size = sizeof params,
                                         .name = name,
                                         .spirv = T.spirv[k],
                                         .spirv_size = T.spirv_size[k]};
        rp_status status = rp_program_kernel(r->program, &params, diags, &r->kernels[k]);
        if (status != RP_OK) complain("kernel from SPIR-V", diags);
        CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    }
    rp_diags_destroy(diags);
}

/* A quarter, a half or all of a buffer. */
static rp_range random_range(recording *r, uint32_t buffer) {
    uint64_t parts = 1u << random_below(&r->state, 3), size = WORDS * 4 / parts;
    return (rp_range){r->buffers[buffer], size * random_below(&r->state, (uint32_t)parts), size};
}

static bool overlap(rp_range a, rp_range b) {
    return a.buffer.id == b.buffer.id && a.offset < b.offset + b.size &&
           b.offset < a.offset + a.size;
}

static void random_dispatch(recording *r, uint32_t target) {
    uint32_t k = random_below(&r->state, KERNELS);
    rp_range out = random_range(r, target), in[3];
    uint32_t push[6] = {(uint32_t)(out.size / 4),
                        random_below(&r->state, 1u << 30),
                        40 + random_below(&r->state, 400),
                        1,
                        1,
                        1};
    for (uint32_t i = 0; i < 3; i++) {
        do in[i] = random_range(r, random_below(&r->state, SCRATCH + INPUTS + OUTPUTS));
        while (overlap(in[i], out));
        if (i == 0 && in_place(k)) in[i] = out;
        push[3 + i] = (uint32_t)(in[i].size / 4);
    }
    rp_bind_kernel(r->recorder, r->kernels[k]);
    rp_bind(r->recorder, first_input(k), in[0]);
    for (uint32_t i = 1; i < 1 + k % 3; i++) rp_bind(r->recorder, i, in[i]);
    rp_bind(r->recorder, output(k), out);
    rp_push(r->recorder, 0, push, sizeof push);
    rp_dispatch(r->recorder, 1 + random_below(&r->state, 8), 1, 1);
}

static void random_node(recording *r, uint32_t i) {
    /* Most nodes work on scratch; now and then, and at the end, results are written. */
    bool result = random_below(&r->state, 6) == 0 || i + OUTPUTS >= NODES;
    uint32_t target = result ? SCRATCH + INPUTS + random_below(&r->state, OUTPUTS)
                             : random_below(&r->state, SCRATCH);
    uint32_t what = random_below(&r->state, 16);
    if (what == 0) {
        rp_fill(r->recorder, random_range(r, target), random_below(&r->state, 1u << 30));
    } else if (what == 1) {
        uint32_t from = (target + 1) % (SCRATCH + INPUTS + OUTPUTS);
        rp_range a = random_range(r, from), b = random_range(r, target);
        a.size = b.size = a.size < b.size ? a.size : b.size;
        rp_copy(r->recorder, a, b);
    } else if (what == 2) {
        uint32_t words[8];
        for (int w = 0; w < 8; w++) words[w] = random_below(&r->state, 1u << 30);
        rp_range to = random_range(r, target);
        to.size = sizeof words;
        rp_update(r->recorder, to, words, sizeof words);
    } else {
        random_dispatch(r, target);
    }
}

static rp_graph *record(uint64_t seed) {
    recording r = {.state = seed * 0x9e3779b97f4a7c15ull + 1};
    rp_graph *graph = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "torture", &r.program), RP_OK);
    declare(&r);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(r.program, &r.recorder), RP_OK);
    /* What is never written is undefined and may differ: begin with defined bytes. */
    for (uint32_t i = 0; i < SCRATCH + INPUTS + OUTPUTS; i++)
        if (i < SCRATCH || (i >= SCRATCH + INPUTS && i % 2 == 0))
            rp_fill(r.recorder, (rp_range){r.buffers[i], 0, 0}, i + 1);
    for (uint32_t i = 0; i < NODES; i++) random_node(&r, i);
    rp_status status = rp_program_graph(r.program, &r.recorder, 1, diags, &graph);
    if (status != RP_OK) complain("recording", diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    rp_recorder_destroy(r.recorder);
    rp_program_destroy(r.program);
    rp_diags_destroy(diags);
    return graph;
}

/* ---- Running --------------------------------------------------------------------------------- */

typedef struct results {
    uint32_t words[OUTPUTS][WORDS];
} results;

static void run_plan(const rp_plan *plan, uint64_t seed, results *out) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    static uint32_t words[WORDS];
    char name[32];
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = ""}; /* thousands of plans, none seen again */
    rp_status status = rp_exec_create(T.device, plan, &params, diags, &exec);
    if (status != RP_OK) complain("exec", diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    uint64_t state = seed + 77;
    for (uint32_t i = SCRATCH; i < SCRATCH + INPUTS + OUTPUTS; i++) {
        snprintf(name, sizeof name, "b%u", i);
        for (uint32_t w = 0; w < WORDS; w++) words[w] = random_below(&state, 1u << 30);
        if (i >= SCRATCH + INPUTS && i % 2 == 0) continue; /* out: not written by the host */
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, name, 0, words, sizeof words, diags), RP_OK);
    }
    for (uint32_t i = 0; i < T.replays; i++)
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_completed(exec), T.replays);
    for (uint32_t i = 0; i < OUTPUTS; i++) {
        snprintf(name, sizeof name, "b%u", SCRATCH + INPUTS + i);
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, name, 0, out->words[i], sizeof words, diags), RP_OK);
    }
    rp_exec_destroy(exec);
    rp_diags_destroy(diags);
}

static rp_plan *compile(const rp_graph *source, int level) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = rp_pass_level(level), .verify_each = 1};
    rp_status status = rp_compile(source, &options, diags, &plan, NULL);
    if (status != RP_OK) complain("compile", diags);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    rp_diags_destroy(diags);
    return plan;
}

/* -O1 with 15/16 of the arena that `packed` takes: other groups, other neighbours in
 * memory. NULL when the graph does not fit. */
static rp_plan *compile_tight(const rp_graph *source, const rp_plan *packed) {
    rp_plan *plan = NULL;
    const rp_pass_options options = {.size = sizeof options,
                                     .arena_limit = plan_info(packed).arena_bytes / 16 * 15,
                                     .verify_each = 1};
    rp_status status = rp_compile(source, &options, NULL, &plan, NULL);
    CU_ASSERT(status == RP_OK || status == RP_ERROR_INVALID);
    return plan;
}

/* The plan of -O1 with every barrier taken out. */
static rp_plan *compile_broken(const rp_graph *source) {
    rp_graph *compiled = NULL;
    rp_plan *plan = NULL;
    rp_certificate certificate = {0};
    const rp_pass_options options = {.size = sizeof options, .pipeline = rp_pass_level(1)};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, &certificate, NULL),
                          RP_OK);
    memset(compiled->barriers, 0, compiled->group_count * sizeof *compiled->barriers);
    certificate.compiled_hash = rp_graph_hash(compiled); /* forged: no checker would sign this */
    CU_ASSERT_EQUAL_FATAL(rp_plan_build(compiled, source, &certificate, NULL, &plan), RP_OK);
    rp_graph_destroy(compiled);
    return plan;
}

static results expected, got;

static bool same(uint64_t seed, const char *what) {
    for (uint32_t i = 0; i < OUTPUTS; i++)
        for (uint32_t w = 0; w < WORDS; w++)
            if (expected.words[i][w] != got.words[i][w]) {
                if (what)
                    fprintf(stderr, "seed %llu, %s: output %u, word %u is %08x, expected %08x\n",
                            (unsigned long long)seed, what, i, w, got.words[i][w],
                            expected.words[i][w]);
                return false;
            }
    return true;
}

static void test_random_plans(void) {
    uint32_t tight_plans = 0;
    for (uint32_t c = 0; c < T.cases; c++) {
        uint64_t seed = T.seed + c;
        rp_graph *source = record(seed);
        rp_plan *oracle = compile(source, 0), *packed = compile(source, 1);
        rp_plan *tight = compile_tight(source, packed);
        run_plan(oracle, seed, &expected);
        for (uint32_t again = 0; again < 2; again++) {
            run_plan(packed, seed, &got);
            CU_ASSERT(same(seed, "-O1 against -O0"));
        }
        if (tight) {
            tight_plans++;
            run_plan(tight, seed, &got);
            CU_ASSERT(same(seed, "-O1 with an arena limit against -O0"));
        }
        rp_plan_destroy(tight);
        rp_plan_destroy(oracle);
        rp_plan_destroy(packed);
        rp_graph_destroy(source);
    }
    printf("%u of %u graphs fit into less memory\n", tight_plans, T.cases);
    CU_ASSERT(tight_plans * 3 >= T.cases); /* else the limit tests nothing */
}

static void test_canaries(void) {
    uint32_t wrong = 0;
    for (uint32_t c = 0; c < T.cases; c++) {
        uint64_t seed = T.seed + c;
        rp_graph *source = record(seed);
        rp_plan *oracle = compile(source, 0), *broken = compile_broken(source);
        run_plan(oracle, seed, &expected);
        run_plan(broken, seed, &got);
        wrong += !same(seed, NULL);
        rp_plan_destroy(oracle);
        rp_plan_destroy(broken);
        rp_graph_destroy(source);
    }
    printf("plans without barriers: %u of %u gave wrong answers%s\n", wrong, T.cases,
           T.overlaps ? "" : " (this device runs dispatches in order: it cannot show races)");
    if (T.overlaps) CU_ASSERT(wrong * 4 >= T.cases * 3);
}

int main(void) {
    static const rp_test tests[] = {{"kernels", compile_kernels},
                                    {"random plans against -O0", test_random_plans},
                                    {"canaries: no barriers", test_canaries},
                                    {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    T.cases = environment("RP_CASES", 12);
    T.seed = environment("RP_SEED", 1);
    T.replays = environment("RP_REPLAYS", 3);
    if (rp_device_create(NULL, NULL, diags, &T.device) != RP_OK) {
        complain("no device", diags);
        return 99;
    }
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(T.device, &info);
    T.overlaps = !info.is_cpu;
    printf("torture on %s: %u cases from seed %u, %u replays\n", info.name, T.cases, T.seed,
           T.replays);
    int failures = rp_run_tests("race torture", tests);
    rp_device_destroy(T.device, NULL);
    for (uint32_t k = 0; k < KERNELS; k++) free(T.spirv[k]);
    rp_diags_destroy(diags);
    return failures;
}
