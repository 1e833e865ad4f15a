/* What benchmarks of one recorded plan share: their two arguments, one buffer and one kernel, the
 * plan, and the end. */
#ifndef REPRISE_BENCH_RECORDED_H
#define REPRISE_BENCH_RECORDED_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <reprise/compiler.h>
#include <reprise/runtime.h>

typedef struct recorded {
    uint32_t dispatches, repeats;
    rp_diags *diags;
    rp_program *program;
    rp_recorder *recorder;
    rp_plan *plan;
    rp_device *device;
} recorded;

/* [DISPATCHES] [REPEATS]: 1000 of at least `least` and at most 60000, and `repeats`. False after a
 * line of usage. */
static inline bool recorded_arguments(recorded *r, int argc, char **argv, uint32_t least,
                                      uint32_t repeats) {
    r->dispatches = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000;
    r->repeats = argc > 2 ? (uint32_t)atoi(argv[2]) : repeats;
    r->diags = rp_diags_create(NULL);
    if (r->diags && r->dispatches >= least && r->dispatches <= 60000 && r->repeats) return true;
    fprintf(stderr, "usage: %s [DISPATCHES: %u to 60000] [REPEATS]\n", argv[0], least);
    return false;
}

/* A program with an inout buffer "data" of so many bytes, and a recorder with the kernel bound. */
static inline rp_status recorded_begin(recorded *r, const char *name, const char *glsl,
                                       uint64_t bytes, rp_buffer *out_data) {
    const rp_buffer_params buffer = {
        .size = sizeof buffer, .name = "data", .kind = RP_INOUT, .bytes = bytes};
    const rp_kernel_params params = {.size = sizeof params, .name = "add", .glsl = glsl};
    rp_kernel kernel;
    rp_status status = rp_program_create(NULL, name, &r->program);
    if (status == RP_OK) status = rp_program_buffer(r->program, &buffer, r->diags, out_data);
    if (status == RP_OK) status = rp_program_kernel(r->program, &params, r->diags, &kernel);
    if (status == RP_OK) status = rp_recorder_create(r->program, &r->recorder);
    if (status == RP_OK) rp_bind_kernel(r->recorder, kernel);
    return status;
}

static inline rp_status recorded_compile(recorded *r) {
    rp_graph *graph = NULL;
    rp_status status = rp_program_graph(r->program, &r->recorder, 1, r->diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, NULL, r->diags, &r->plan, NULL);
    rp_graph_destroy(graph);
    return status;
}

/* Says what was wrong, and lets go of everything; execs are gone before. An exit status. */
static inline int recorded_end(recorded *r, int failed) {
    for (uint32_t i = 0; i < rp_diags_count(r->diags); i++)
        fprintf(stderr, "%s\n", rp_diags_get(r->diags, i).message);
    rp_device_destroy(r->device, NULL);
    rp_plan_destroy(r->plan);
    rp_recorder_destroy(r->recorder);
    rp_program_destroy(r->program);
    rp_diags_destroy(r->diags);
    return failed ? 1 : 0;
}

#endif
