/* What setting live values costs, by how many grids follow from them.
 *
 *   bench_live [DISPATCHES] [REPEATS]
 *
 * One plan of DISPATCHES (default 1000) dispatches, each with a live grid of its own, which follows
 * from element 0 of a live buffer, as all do, and from another element that is its own. Set are
 * elements of no grid, of one, of ten and of all; beside them stands a memcpy of one element, which
 * is the least it can cost. Each round times a batch of each in turn; for one call, medians over
 * REPEATS (default 300) rounds. */
#include <stdio.h>
#include <string.h>

#include <reprise/compiler.h>
#include <reprise/runtime.h>

#include "statistics.h"

enum { BATCH = 64 };

static const char shader[] = "#version 450\n"
                             "layout(local_size_x = 64) in;\n"
                             "layout(set = 0, binding = 0) buffer Data { uint v[]; } data;\n"
                             "void main() { data.v[gl_LocalInvocationID.x] += 1u; }\n";

typedef struct bench {
    uint32_t dispatches, repeats;
    rp_diags *diags;
    rp_program *program;
    rp_recorder *recorder;
    rp_plan *plan;
    rp_device *device;
    rp_exec *exec;
    uint32_t live; /* the live buffer's index in the plan */
    uint32_t *values;
} bench;

#define TRY(call)                                                                                  \
    do {                                                                                           \
        rp_status result = (call);                                                                 \
        if (result != RP_OK) {                                                                     \
            fprintf(stderr, "bench_live: %s: %s\n", #call, rp_status_name(result));                \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

/* Element 0 is everybody's, 1 nobody's, 2 and more that of one dispatch each. */
static int make_exec(bench *b) {
    rp_buffer data, live;
    rp_kernel kernel;
    uint32_t elements = b->dispatches + 2;
    TRY(rp_program_create(NULL, "live", &b->program));
    TRY(rp_program_buffer(
        b->program,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "data", .kind = RP_INOUT, .bytes = 256},
        b->diags, &data));
    TRY(rp_program_buffer(b->program,
                          &(rp_buffer_params){.size = sizeof(rp_buffer_params),
                                              .name = "n",
                                              .kind = RP_LIVE,
                                              .dtype = RP_U32,
                                              .rank = 1,
                                              .shape = {elements},
                                              .initial = b->values},
                          b->diags, &live));
    TRY(rp_program_kernel(
        b->program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "add", .glsl = shader},
        b->diags, &kernel));
    TRY(rp_recorder_create(b->program, &b->recorder));
    rp_bind_kernel(b->recorder, kernel);
    rp_bind(b->recorder, 0, (rp_range){data, 0, 256});
    for (uint32_t i = 0; i < b->dispatches; i++) {
        char x[64];
        snprintf(x, sizeof x, "min(n[0], 1) * ceil_div(n[%u], 64)", i + 2);
        rp_dispatch_live(b->recorder, x, "1", "1");
    }
    rp_graph *graph = NULL;
    TRY(rp_program_graph(b->program, &b->recorder, 1, b->diags, &graph));
    rp_status compiled = rp_compile(graph, NULL, b->diags, &b->plan, NULL);
    rp_graph_destroy(graph);
    TRY(compiled);
    TRY(rp_device_create(NULL, NULL, b->diags, &b->device));
    TRY(rp_exec_create(b->device, b->plan, NULL, b->diags, &b->exec));
    TRY(rp_exec_find(b->exec, "n", &b->live));
    return 0;
}

static uint32_t copied[16];

static rp_status copy(bench *b, uint32_t first, uint32_t count) {
    memcpy(copied, b->values + first, count * sizeof *copied);
    __asm__ volatile("" ::: "memory"); /* each copy is made, though the next one is the same */
    return RP_OK;
}

static rp_status set(bench *b, uint32_t first, uint32_t count) {
    return rp_exec_set_live_at(b->exec, 0, b->live, first, b->values + first, count, b->diags);
}

static const struct way {
    const char *name;
    rp_status (*run)(bench *b, uint32_t first, uint32_t count);
    uint32_t first, count;
} ways[] = {
    {"memcpy of 1 element", copy, 1, 1}, {"1 element, no grid", set, 1, 1},
    {"1 element, 1 grid", set, 2, 1},    {"10 elements, 10 grids", set, 2, 10},
    {"1 element, all grids", set, 0, 1},
};
enum { WAYS = sizeof ways / sizeof *ways };

static int one_round(void *state, double *seconds) {
    bench *b = state;
    for (uint32_t w = 0; w < WAYS; w++) {
        double start = wall_seconds();
        for (uint32_t i = 0; i < BATCH; i++) TRY(ways[w].run(b, ways[w].first, ways[w].count));
        seconds[w] = (wall_seconds() - start) / BATCH;
    }
    return 0;
}

static int run(bench *b) {
    b->diags = rp_diags_create(NULL);
    b->values = malloc((b->dispatches + 2) * sizeof *b->values);
    if (!b->diags || !b->values) return -1;
    for (uint32_t i = 0; i < b->dispatches + 2; i++) b->values[i] = 1 + i % 1000;
    if (make_exec(b)) return -1;
    double *times = time_rounds(WAYS, b->repeats, one_round, b);
    for (uint32_t w = 0; times && w < WAYS; w++)
        printf("%-24s %9.3f us\n", ways[w].name,
               median(times + (size_t)w * b->repeats, b->repeats) * 1e6);
    free(times);
    return times ? 0 : -1;
}

static void close_all(bench *b) {
    rp_exec_destroy(b->exec);
    rp_device_destroy(b->device, NULL);
    rp_plan_destroy(b->plan);
    rp_recorder_destroy(b->recorder);
    rp_program_destroy(b->program);
    rp_diags_destroy(b->diags);
    free(b->values);
}

int main(int argc, char **argv) {
    bench b = {.dispatches = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000,
               .repeats = argc > 2 ? (uint32_t)atoi(argv[2]) : 300};
    if (b.dispatches < 10 || b.dispatches > 60000 || b.repeats == 0) {
        fprintf(stderr, "usage: bench_live [DISPATCHES: 10 to 60000] [REPEATS]\n");
        return 2;
    }
    int failed = run(&b);
    for (uint32_t i = 0; i < rp_diags_count(b.diags); i++)
        fprintf(stderr, "%s\n", rp_diags_get(b.diags, i).message);
    close_all(&b);
    return failed ? 1 : 0;
}
