/* What it costs that nodes can be left out.
 *
 *   bench_switches [DISPATCHES] [REPEATS]
 *
 * One plan of DISPATCHES (default 1000) small dispatches that do not wait for each other, each under
 * a label of its own, "part/0" and so on. Replayed, submitted and waited for, are: an exec without
 * switches; one with a switch for all, "part"; the same with all left out; and one with a switch for
 * each, every other left out. Each round does all of it in turn: medians over REPEATS (default 300)
 * rounds, and the median of each round's ratio to the exec without switches. Then setting a switch
 * of one node, and one of all. */
#include <stdio.h>

#include <reprise/compiler.h>
#include <reprise/runtime.h>

#include "statistics.h"

enum { BATCH = 64, LABEL_BYTES = 16 };

static const char shader[] = "#version 450\n"
                             "layout(local_size_x = 64) in;\n"
                             "layout(binding = 0) buffer Data { uint v[]; } data;\n"
                             "void main() { data.v[gl_LocalInvocationID.x] += 1u; }\n";

typedef struct bench {
    uint32_t dispatches, repeats;
    rp_diags *diags;
    rp_program *program;
    rp_recorder *recorder;
    rp_plan *plan;
    rp_device *device;
    rp_exec *plain, *whole, *each; /* without a switch, with one for all, with one for each */
    char (*labels)[LABEL_BYTES];
    const char **names;
} bench;

#define TRY(call)                                                                                  \
    do {                                                                                           \
        rp_status result = (call);                                                                 \
        if (result != RP_OK) {                                                                     \
            fprintf(stderr, "bench_switches: %s: %s\n", #call, rp_status_name(result));            \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

static int make_plan(bench *b) {
    rp_buffer data;
    rp_kernel kernel;
    rp_graph *graph = NULL;
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = "data",
                                     .kind = RP_INOUT,
                                     .bytes = (uint64_t)b->dispatches * 256};
    TRY(rp_program_create(NULL, "switches", &b->program));
    TRY(rp_program_buffer(b->program, &params, b->diags, &data));
    TRY(rp_program_kernel(
        b->program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = "add", .glsl = shader},
        b->diags, &kernel));
    TRY(rp_recorder_create(b->program, &b->recorder));
    rp_bind_kernel(b->recorder, kernel);
    for (uint32_t i = 0; i < b->dispatches; i++) {
        snprintf(b->labels[i], LABEL_BYTES, "part/%u", i);
        b->names[i] = b->labels[i];
        rp_label_begin(b->recorder, b->labels[i]);
        rp_bind(b->recorder, 0, (rp_range){data, (uint64_t)i * 256, 256});
        rp_dispatch(b->recorder, 1, 1, 1);
        rp_label_end(b->recorder);
    }
    TRY(rp_program_graph(b->program, &b->recorder, 1, b->diags, &graph));
    rp_status compiled = rp_compile(graph, NULL, b->diags, &b->plan, NULL);
    rp_graph_destroy(graph);
    TRY(compiled);
    return 0;
}

static int make_execs(bench *b) {
    static const char *const part[] = {"part"};
    rp_exec_params params = {.size = sizeof params};
    TRY(rp_device_create(NULL, NULL, b->diags, &b->device));
    TRY(rp_exec_create(b->device, b->plan, &params, b->diags, &b->plain));
    params.switches = part;
    params.switch_count = 1;
    TRY(rp_exec_create(b->device, b->plan, &params, b->diags, &b->whole));
    params.switches = b->names;
    params.switch_count = b->dispatches;
    TRY(rp_exec_create(b->device, b->plan, &params, b->diags, &b->each));
    for (uint32_t i = 0; i < b->dispatches; i += 2)
        TRY(rp_exec_enable(b->each, 0, b->names[i], 0, b->diags));
    return 0;
}

static int replay(rp_exec *exec, double *seconds) {
    double start = wall_seconds();
    TRY(rp_exec_submit(exec, NULL, NULL, NULL));
    TRY(rp_exec_wait(exec, 0, UINT64_MAX, NULL));
    *seconds = wall_seconds() - start;
    return 0;
}

static int set(rp_exec *exec, const char *name, rp_diags *diags, double *seconds) {
    double start = wall_seconds();
    for (int i = 0; i < BATCH; i++) TRY(rp_exec_enable(exec, 0, name, i % 2, diags));
    *seconds = (wall_seconds() - start) / BATCH;
    return 0;
}

enum { PLAIN, ON, OUT, HALF, WAYS, SET_ONE = WAYS, SET_ALL, TIMES };
static const char *const names[TIMES] = {"no switches",        "all under a switch",
                                         "the same, left out", "a switch each, half left out",
                                         "one node's set",     "all nodes' set"};

static int one_round(void *state, double *seconds) {
    bench *b = state;
    if (replay(b->plain, &seconds[PLAIN])) return -1;
    TRY(rp_exec_enable(b->whole, 0, "part", 1, b->diags));
    if (replay(b->whole, &seconds[ON])) return -1;
    TRY(rp_exec_enable(b->whole, 0, "part", 0, b->diags));
    if (replay(b->whole, &seconds[OUT])) return -1;
    if (replay(b->each, &seconds[HALF])) return -1;
    if (set(b->each, "part/1", b->diags, &seconds[SET_ONE])) return -1;
    return set(b->whole, "part", b->diags, &seconds[SET_ALL]);
}

static int run(bench *b) {
    if (!b->diags || !b->labels || !b->names || make_plan(b) || make_execs(b)) return -1;
    double *times = time_rounds(TIMES, b->repeats, one_round, b), ratios[WAYS];
    if (!times) return -1;
    for (uint32_t w = 0; w < WAYS; w++) /* before medians sort the times */
        ratios[w] = median_ratio(times + (size_t)w * b->repeats, times, b->repeats);
    for (uint32_t w = 0; w < TIMES; w++) {
        printf("%-30s %9.2f us", names[w],
               median(times + (size_t)w * b->repeats, b->repeats) * 1e6);
        if (w < WAYS) printf("   %.2f", ratios[w]);
        printf("\n");
    }
    free(times);
    return 0;
}

static void close_all(bench *b) {
    rp_exec_destroy(b->plain);
    rp_exec_destroy(b->whole);
    rp_exec_destroy(b->each);
    rp_device_destroy(b->device, NULL);
    rp_plan_destroy(b->plan);
    rp_recorder_destroy(b->recorder);
    rp_program_destroy(b->program);
    rp_diags_destroy(b->diags);
    free(b->labels);
    free(b->names);
}

int main(int argc, char **argv) {
    bench b = {.dispatches = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000,
               .repeats = argc > 2 ? (uint32_t)atoi(argv[2]) : 300};
    if (b.dispatches < 2 || b.dispatches > 60000 || b.repeats == 0) {
        fprintf(stderr, "usage: bench_switches [DISPATCHES: 2 to 60000] [REPEATS]\n");
        return 2;
    }
    b.diags = rp_diags_create(NULL);
    b.labels = calloc(b.dispatches, LABEL_BYTES);
    b.names = calloc(b.dispatches, sizeof *b.names);
    int failed = run(&b);
    for (uint32_t i = 0; i < rp_diags_count(b.diags); i++)
        fprintf(stderr, "%s\n", rp_diags_get(b.diags, i).message);
    close_all(&b);
    return failed ? 1 : 0;
}
