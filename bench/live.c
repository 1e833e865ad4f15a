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

#include "recorded.h"
#include "statistics.h"
#include "try.h"

enum { BATCH = 64 };

static const char shader[] = "#version 450\n"
                             "layout(local_size_x = 64) in;\n"
                             "layout(set = 0, binding = 0) buffer Data { uint v[]; } data;\n"
                             "void main() { data.v[gl_LocalInvocationID.x] += 1u; }\n";

typedef struct bench {
    recorded r;
    rp_exec *exec;
    uint32_t live; /* the live buffer's index in the plan */
    uint32_t *values;
} bench;

/* Element 0 is everybody's, 1 nobody's, 2 and more that of one dispatch each. */
static int make_exec(bench *b) {
    rp_buffer data, live;
    uint32_t elements = b->r.dispatches + 2;
    TRY(recorded_begin(&b->r, "live", shader, 256, &data));
    TRY(rp_program_buffer(b->r.program,
                          &(rp_buffer_params){.size = sizeof(rp_buffer_params),
                                              .name = "n",
                                              .kind = RP_LIVE,
                                              .dtype = RP_U32,
                                              .rank = 1,
                                              .shape = {elements},
                                              .initial = b->values},
                          b->r.diags, &live));
    rp_bind(b->r.recorder, 0, (rp_range){data, 0, 256});
    for (uint32_t i = 0; i < b->r.dispatches; i++) {
        char x[64];
        snprintf(x, sizeof x, "min(n[0], 1) * ceil_div(n[%u], 64)", i + 2);
        rp_dispatch_live(b->r.recorder, x, "1", "1");
    }
    TRY(recorded_compile(&b->r));
    TRY(rp_device_create(NULL, NULL, b->r.diags, &b->r.device));
    TRY(rp_exec_create(b->r.device, b->r.plan, NULL, b->r.diags, &b->exec));
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
    return rp_exec_set_live_at(b->exec, 0, b->live, first, b->values + first, count, b->r.diags);
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
    b->values = malloc((b->r.dispatches + 2) * sizeof *b->values);
    if (!b->values) return -1;
    for (uint32_t i = 0; i < b->r.dispatches + 2; i++) b->values[i] = 1 + i % 1000;
    if (make_exec(b)) return -1;
    double *times = time_rounds(WAYS, b->r.repeats, one_round, b);
    for (uint32_t w = 0; times && w < WAYS; w++)
        printf("%-24s %9.3f us\n", ways[w].name,
               median(times + (size_t)w * b->r.repeats, b->r.repeats) * 1e6);
    free(times);
    return times ? 0 : -1;
}

int main(int argc, char **argv) {
    bench b = {0};
    if (!recorded_arguments(&b.r, argc, argv, 10, 300)) return 2;
    int failed = run(&b);
    rp_exec_destroy(b.exec);
    free(b.values);
    return recorded_end(&b.r, failed);
}
