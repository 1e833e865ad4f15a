/* What compiling a graph again costs when a little of it has changed, part by part.
 *
 *   bench_change [GRAPH.rpir [NODES [ROUNDS]]]
 *
 * The graph (default: the decoder of 870 dispatches among the golden tests, repeated to 1000 nodes)
 * has abstract kernels; each gets SPIR-V with its parameters and 8 bytes of push constants, compiled
 * once from GLSL, as kernels of an application are. In every round another node pushes other bytes;
 * then the whole of rp_compile is timed and, one after the other, the parts that it consists of, and
 * pieces of the packing, each on its own. Times are CPU time of the thread: the least and the
 * median of ROUNDS (default 200) rounds. The pieces do not add up to the packing, which does more
 * than these, and may share work between them. */
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "graph/graph.h"
#include "repeated.h"
#include "reprise/compiler.h"
#include "reprise/passes.h"
#include "reprise/plan_build.h"
#include "spirv/spirv.h"
#include "statistics.h"
#include "try.h"

enum { PASSES = 16, WARM = 5 };

/* ---- The graph ------------------------------------------------------------------------------- */

/* A shader with the kernel's parameters: a sum of what it reads, in each that it writes. */
static void write_shader(const rp_graph *g, const rp_graph_kernel *k, uint32_t number, rp_text *t) {
    const rp_graph_param *params = g->params + k->first_param;
    rp_text_format(t, "#version 450\nlayout(local_size_x = 64) in;\n"
                      "layout(push_constant) uniform Push { uint count; float scale; } push;\n");
    for (uint32_t i = 0; i < k->param_count; i++) {
        static const char *const access[] = {[RP_READ] = "readonly ", [RP_WRITE] = "writeonly "};
        bool rw = params[i].access != RP_READ && params[i].access != RP_WRITE;
        rp_text_format(t, "layout(set = 0, binding = %u) %sbuffer B%u { float v[]; } b%u;\n", i,
                       rw ? "" : access[params[i].access], i, i);
    }
    rp_text_format(t,
                   "shared float part[64];\nvoid main() {\n"
                   "  uint at = gl_GlobalInvocationID.x, me = gl_LocalInvocationID.x;\n"
                   "  float sum = %u.0;\n"
                   "  for (uint i = at; i < push.count; i += 64u) {\n    sum += 0.0",
                   number);
    for (uint32_t i = 0; i < k->param_count; i++)
        if (params[i].access != RP_WRITE) rp_text_format(t, " + b%u.v[i] * push.scale", i);
    rp_text_format(t, ";\n  }\n  part[me] = sum;\n  barrier();\n"
                      "  for (uint s = 32u; s > 0u; s /= 2u) {\n"
                      "    if (me < s) part[me] += part[me + s];\n    barrier();\n  }\n");
    for (uint32_t i = 0; i < k->param_count; i++)
        if (params[i].access != RP_READ)
            rp_text_format(t, "  b%u.v[at] = exp(part[0]) + sum;\n", i);
    rp_text_format(t, "}\n");
}

/* Gives all kernels of the graph SPIR-V, and all nodes push data. */
static int make_real(rp_graph *g) {
    rp_program *program = NULL;
    rp_graph *compiled = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    TRY(rp_program_create(NULL, "kernels", &program));
    for (uint32_t i = 0; i < g->kernels_count; i++) {
        rp_text glsl;
        rp_text_init(&glsl, NULL);
        write_shader(g, &g->kernels[i], i, &glsl);
        rp_kernel kernel;
        TRY(rp_program_kernel(program,
                              &(rp_kernel_params){.size = sizeof(rp_kernel_params),
                                                  .name = rp_graph_string(g, g->kernels[i].name),
                                                  .glsl = glsl.data},
                              diags, &kernel));
        rp_text_free(&glsl);
    }
    TRY(rp_program_graph(program, NULL, 0, diags, &compiled));
    uint32_t kernels = g->kernels_count;
    for (uint32_t i = 0; i < kernels; i++) {
        rp_graph_kernel k = compiled->kernels[i];
        k.name = g->kernels[i].name;
        k.entry = g->kernels[i].entry;
        rp_graph_param params[RP_MAX_PARAMS];
        for (uint32_t p = 0; p < k.param_count; p++) {
            params[p] = compiled->params[k.first_param + p];
            params[p].name = k.name;
        }
        uint32_t added = rp_graph_add_kernel(g, &k, params, NULL, compiled->words + k.first_word);
        g->kernels[i] = g->kernels[added];
    }
    g->kernels_count = kernels;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        rp_graph_node n = g->nodes[i];
        const uint32_t push[] = {256, i};
        n.byte_count = sizeof push;
        rp_graph_add_node(g, &n, NULL, (const uint8_t *)push);
        g->nodes[i] = g->nodes[--g->nodes_count];
    }
    rp_graph_destroy(compiled);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return 0;
}

static rp_graph *make_graph(const char *path, uint32_t nodes) {
    size_t size = 0;
    char *text = read_text(path, &size);
    rp_graph *g = NULL;
    if (text) (void)rp_graph_parse(NULL, text, size, path, NULL, &g);
    free(text);
    if (!g) return NULL;
    repeat(g, nodes);
    if (g->nodes_count > nodes) g->nodes_count = nodes;
    if (make_real(g) == 0) return g;
    rp_graph_destroy(g);
    return NULL;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

#define PARTS(X)                                                                                   \
    X(WHOLE, "rp_compile")                                                                         \
    X(PASSES, "  passes, with a copy of the graph")                                                \
    X(CHECK, "  checker")                                                                          \
    X(PACK, "  packing (rp_plan_build)")                                                           \
    X(HASHES, "    hashes of both graphs")                                                         \
    X(VERIFY, "    rules of the graph")                                                            \
    X(STATS, "    statistics")                                                                     \
    X(TEXTS, "    texts of both graphs")                                                           \
    X(SPIRV, "    reading all SPIR-V once")                                                        \
    X(OPEN, "    opening the plan")                                                                \
    X(PLAN_HASH, "      hash of its bytes")

typedef enum part {
#define X(symbol, name) PART_##symbol,
    PARTS(X)
#undef X
        PART_COUNT
} part;

static const char *const part_names[] = {
#define X(symbol, name) name,
    PARTS(X)
#undef X
};

typedef struct bench {
    rp_graph *graph;
    uint32_t rounds;
    double *times[PART_COUNT];
    double pass[PASSES];
    char pass_names[PASSES][32];
    uint32_t pass_count;
    size_t plan_bytes;
} bench;

/* Times `call`, which gives a status. */
#define TIMED(b, which, round, call)                                                               \
    do {                                                                                           \
        double start = thread_seconds();                                                           \
        TRY(call);                                                                                 \
        (b)->times[PART_##which][round] = thread_seconds() - start;                                \
    } while (0)

static rp_status hash_both(const rp_graph *source, const rp_graph *compiled) {
    return rp_graph_hash(source) != rp_graph_hash(compiled) ? RP_OK : RP_ERROR_INVALID;
}

static rp_status print_both(const rp_graph *source, const rp_graph *compiled) {
    const rp_graph *both[] = {source, compiled};
    for (int i = 0; i < 2; i++) {
        char *text;
        size_t size;
        rp_status status = rp_graph_print(both[i], RP_FORMAT_TEXT, &text, &size);
        if (status != RP_OK) return status;
        rp_text_release(both[i], text);
    }
    return RP_OK;
}

static rp_status read_all_spirv(const rp_graph *g) {
    rp_spirv_reader reader;
    char why[128];
    rp_status status = RP_OK;
    rp_spirv_reader_init(&reader, NULL);
    for (uint32_t i = 0; i < g->kernels_count && status == RP_OK; i++) {
        const rp_graph_kernel *k = &g->kernels[i];
        if (!k->removed)
            status = rp_spirv_read(&reader, g->words + k->first_word, k->word_count,
                                   rp_graph_string(g, k->entry), NULL, 0, why);
    }
    rp_spirv_reader_free(&reader);
    return status;
}

static rp_status hash_plan(const rp_plan *plan) {
    size_t size;
    const void *data = rp_plan_data(plan, &size);
    return rp_hash(data, size) ? RP_OK : RP_ERROR_INVALID;
}

static void keep_passes(bench *b, uint32_t round, const rp_pass_reports *reports) {
    b->pass_count = rp_pass_reports_count(reports);
    for (uint32_t i = 0; i < b->pass_count && i < PASSES; i++) {
        const rp_pass_report *r = rp_pass_reports_get(reports, i);
        if (round == 0 || r->seconds < b->pass[i]) b->pass[i] = r->seconds;
        snprintf(b->pass_names[i], sizeof b->pass_names[i], "%s", r->pass);
    }
}

/* The check is a part of rp_passes_run, and taken off. */
static int time_round(bench *b, uint32_t round) {
    rp_plan *plan, *again, *opened;
    rp_graph *compiled;
    rp_certificate certificate, checked;
    rp_pass_reports *reports;
    rp_graph_stats stats = {.size = sizeof stats};
    TIMED(b, WHOLE, round, rp_compile(b->graph, NULL, NULL, &plan, NULL));
    const rp_pass_options options = {.size = sizeof options, .lowering = rp_lowering_default()};
    TIMED(b, PASSES, round,
          rp_passes_run(b->graph, &options, NULL, &compiled, &certificate, &reports));
    TIMED(b, CHECK, round, rp_check(compiled, b->graph, NULL, NULL, &checked));
    b->times[PART_PASSES][round] -= b->times[PART_CHECK][round];
    TIMED(b, PACK, round, rp_plan_build(compiled, b->graph, &certificate, NULL, &again));
    TIMED(b, HASHES, round, hash_both(b->graph, compiled));
    TIMED(b, VERIFY, round, rp_graph_verify(compiled, NULL, NULL));
    TIMED(b, STATS, round, rp_graph_get_stats(compiled, &stats));
    TIMED(b, TEXTS, round, print_both(b->graph, compiled));
    TIMED(b, SPIRV, round, read_all_spirv(compiled));
    size_t size, size_again;
    const void *data = rp_plan_data(plan, &size), *data_again = rp_plan_data(again, &size_again);
    TIMED(b, OPEN, round, rp_plan_from_memory(NULL, data, size, "plan", NULL, &opened));
    TIMED(b, PLAN_HASH, round, hash_plan(plan));
    b->plan_bytes = size;
    bool same = size == size_again && memcmp(data, data_again, size) == 0;
    keep_passes(b, round, reports);
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(compiled);
    rp_plan_destroy(plan);
    rp_plan_destroy(again);
    rp_plan_destroy(opened);
    if (same) return 0;
    fprintf(stderr, "bench_change: one graph gave two plans\n");
    return -1;
}

/* Another node pushes other bytes. */
static void change(rp_graph *g, uint32_t round) {
    const rp_graph_node *n = &g->nodes[(uint64_t)round * 617 % g->nodes_count];
    g->bytes[n->first_byte + 4]++;
}

static int run(bench *b) {
    for (uint32_t round = 0; round < WARM + b->rounds; round++) {
        change(b->graph, round);
        if (time_round(b, round < WARM ? 0 : round - WARM) != 0) return -1;
    }
    printf("%u nodes, %u kernels of %u words, plan of %zu bytes; least and median of %u\n",
           b->graph->nodes_count, b->graph->kernels_count, b->graph->words_count, b->plan_bytes,
           b->rounds);
    for (uint32_t i = 0; i < PART_COUNT; i++) {
        double middle = median(b->times[i], b->rounds); /* sorts */
        printf("%-36s %8.3f ms %8.3f ms\n", part_names[i], b->times[i][0] * 1e3, middle * 1e3);
        for (uint32_t p = 0; i == PART_PASSES && p < b->pass_count && p < PASSES; p++)
            printf("    %-32s %8.3f ms\n", b->pass_names[p], b->pass[p] * 1e3);
    }
    return 0;
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : BENCH_GRAPH;
    uint32_t nodes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000;
    bench b = {.rounds = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 200};
    if (nodes == 0 || b.rounds == 0) {
        fprintf(stderr, "usage: bench_change [GRAPH.rpir [NODES [ROUNDS]]]\n");
        return 2;
    }
    b.graph = make_graph(path, nodes);
    if (!b.graph) {
        fprintf(stderr, "bench_change: %s cannot be read as a graph of run nodes\n", path);
        return 1;
    }
    int failed = 0;
    for (uint32_t i = 0; i < PART_COUNT; i++)
        if (!(b.times[i] = calloc(b.rounds, sizeof **b.times))) failed = -1;
    if (!failed) failed = run(&b);
    for (uint32_t i = 0; i < PART_COUNT; i++) free(b.times[i]);
    rp_graph_destroy(b.graph);
    return failed ? 1 : 0;
}
