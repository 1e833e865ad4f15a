/* What it costs that a pipeline is written with repetitions, blocks and expressions.
 *
 *   bench_yaml PIPELINE.yaml [ROUNDS]
 *
 * The pipeline (examples/by-hand/layers.yaml has 16 layers in 42 lines) and its flat text, in turn:
 * reading alone, and reading and compiling at -O1 with the kernels of ops in the cache in memory.
 * Wall time, medians of ROUNDS (default 31) and of the ratios pair by pair. Both are the same
 * graph, which is checked. */
#include <stdio.h>
#include <string.h>

#include <reprise/compiler.h>

#include "statistics.h"
#include "try.h"

enum { READ, READ_FLAT, COMPILE, COMPILE_FLAT, WAYS };

static const char *const names[WAYS] = {"reading", "reading the flat one", "reading and compiling",
                                        "reading and compiling the flat one"};

typedef struct bench {
    const char *path, *flat;
} bench;

static int read_pipeline(const bench *b, int flat, rp_pipeline **out) {
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = b->path,
                                       .text = flat ? b->flat : NULL,
                                       .text_size = flat ? strlen(b->flat) : 0};
    TRY(rp_pipeline_read(NULL, &source, NULL, out));
    return 0;
}

static int compile(const bench *b, int flat, rp_plan **out) {
    rp_pipeline *pipeline;
    if (read_pipeline(b, flat, &pipeline)) return -1;
    TRY(rp_compile(rp_pipeline_graph(pipeline), NULL, NULL, out, NULL));
    rp_pipeline_destroy(pipeline);
    return 0;
}

static int run_round(void *state, double *seconds) {
    const bench *b = state;
    for (int flat = 0; flat < 2; flat++) {
        rp_pipeline *pipeline;
        double begin = wall_seconds();
        if (read_pipeline(b, flat, &pipeline)) return -1;
        rp_pipeline_destroy(pipeline);
        seconds[READ + flat] = wall_seconds() - begin;
    }
    for (int flat = 0; flat < 2; flat++) {
        rp_plan *plan;
        double begin = wall_seconds();
        if (compile(b, flat, &plan)) return -1;
        seconds[COMPILE + flat] = wall_seconds() - begin;
        rp_plan_destroy(plan);
    }
    return 0;
}

static int same(const bench *b) {
    rp_pipeline *written, *flat;
    if (read_pipeline(b, 0, &written) || read_pipeline(b, 1, &flat)) return 0;
    int equal = rp_graph_equal(rp_pipeline_graph(written), rp_pipeline_graph(flat));
    rp_pipeline_destroy(written);
    rp_pipeline_destroy(flat);
    return equal;
}

static int measure(bench *b, uint32_t rounds) {
    double *times = same(b) ? time_rounds(WAYS, rounds, run_round, b) : NULL;
    if (!times) return -1;
    for (int w = 0; w < WAYS; w += 2) {
        double ratio = median_ratio(times + w * rounds, times + (w + 1) * rounds, rounds);
        printf("%-36s %8.3f ms\n", names[w], median(times + w * rounds, rounds) * 1e3);
        printf("%-36s %8.3f ms, ratio %.3f\n", names[w + 1],
               median(times + (w + 1) * rounds, rounds) * 1e3, ratio);
    }
    free(times);
    return 0;
}

int main(int argc, char **argv) {
    uint32_t rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : 31;
    if (argc < 2 || !rounds) {
        fprintf(stderr, "usage: bench_yaml PIPELINE.yaml [ROUNDS]\n");
        return 2;
    }
    const rp_pipeline_source source = {.size = sizeof source, .path = argv[1], .keep_flat = 1};
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline;
    rp_status status = rp_pipeline_read(NULL, &source, diags, &pipeline);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "%s\n", rp_diags_get(diags, i).message);
    if (status != RP_OK) return 1;
    bench b = {.path = argv[1], .flat = rp_pipeline_flat_text(pipeline)};
    int failed = measure(&b, rounds);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    return failed != 0;
}
