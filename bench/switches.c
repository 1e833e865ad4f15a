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

#include "recorded.h"
#include "statistics.h"
#include "try.h"

enum { BATCH = 64, LABEL_BYTES = 16 };

static const char shader[] = "#version 450\n"
                             "layout(local_size_x = 64) in;\n"
                             "layout(binding = 0) buffer Data { uint v[]; } data;\n"
                             "void main() { data.v[gl_LocalInvocationID.x] += 1u; }\n";

typedef struct bench {
    recorded r;
    rp_exec *plain, *whole, *each; /* without a switch, with one for all, with one for each */
    char (*labels)[LABEL_BYTES];
    const char **names;
} bench;

static int make_plan(bench *b) {
    rp_buffer data;
    TRY(recorded_begin(&b->r, "switches", shader, (uint64_t)b->r.dispatches * 256, &data));
    for (uint32_t i = 0; i < b->r.dispatches; i++) {
        snprintf(b->labels[i], LABEL_BYTES, "part/%u", i);
        b->names[i] = b->labels[i];
        rp_label_begin(b->r.recorder, b->labels[i]);
        rp_bind(b->r.recorder, 0, (rp_range){data, (uint64_t)i * 256, 256});
        rp_dispatch(b->r.recorder, 1, 1, 1);
        rp_label_end(b->r.recorder);
    }
    TRY(recorded_compile(&b->r));
    return 0;
}

static int make_execs(bench *b) {
    static const char *const part[] = {"part"};
    rp_exec_params params = {.size = sizeof params};
    TRY(rp_device_create(NULL, NULL, b->r.diags, &b->r.device));
    TRY(rp_exec_create(b->r.device, b->r.plan, &params, b->r.diags, &b->plain));
    params.switches = part;
    params.switch_count = 1;
    TRY(rp_exec_create(b->r.device, b->r.plan, &params, b->r.diags, &b->whole));
    params.switches = b->names;
    params.switch_count = b->r.dispatches;
    TRY(rp_exec_create(b->r.device, b->r.plan, &params, b->r.diags, &b->each));
    for (uint32_t i = 0; i < b->r.dispatches; i += 2)
        TRY(rp_exec_enable(b->each, 0, b->names[i], 0, b->r.diags));
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
    TRY(rp_exec_enable(b->whole, 0, "part", 1, b->r.diags));
    if (replay(b->whole, &seconds[ON])) return -1;
    TRY(rp_exec_enable(b->whole, 0, "part", 0, b->r.diags));
    if (replay(b->whole, &seconds[OUT])) return -1;
    if (replay(b->each, &seconds[HALF])) return -1;
    if (set(b->each, "part/1", b->r.diags, &seconds[SET_ONE])) return -1;
    return set(b->whole, "part", b->r.diags, &seconds[SET_ALL]);
}

static int run(bench *b) {
    if (!b->labels || !b->names || make_plan(b) || make_execs(b)) return -1;
    double *times = time_rounds(TIMES, b->r.repeats, one_round, b), ratios[WAYS];
    if (!times) return -1;
    for (uint32_t w = 0; w < WAYS; w++) /* before medians sort the times */
        ratios[w] = median_ratio(times + (size_t)w * b->r.repeats, times, b->r.repeats);
    for (uint32_t w = 0; w < TIMES; w++) {
        printf("%-30s %9.2f us", names[w],
               median(times + (size_t)w * b->r.repeats, b->r.repeats) * 1e6);
        if (w < WAYS) printf("   %.2f", ratios[w]);
        printf("\n");
    }
    free(times);
    return 0;
}

int main(int argc, char **argv) {
    bench b = {0};
    if (!recorded_arguments(&b.r, argc, argv, 2, 300)) return 2;
    b.labels = calloc(b.r.dispatches, LABEL_BYTES);
    b.names = calloc(b.r.dispatches, sizeof *b.names);
    int failed = run(&b);
    rp_exec_destroy(b.plain);
    rp_exec_destroy(b.whole);
    rp_exec_destroy(b.each);
    free(b.labels);
    free(b.names);
    return recorded_end(&b.r, failed);
}
