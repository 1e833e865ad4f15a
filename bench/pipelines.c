/* What pipelines cost, and what sharing and preparing them saves.
 *
 *   bench_pipelines [KERNELS] [REPEATS]
 *
 * One plan of KERNELS (default 60) kernels, each another one, and one that has all but one of them.
 * Each round opens a device without threads and one with, neither with a cache on the disk, and
 * times in turn: the first exec; another one beside it; one of the other plan; one when all before
 * are gone; and on another device asking for the pipelines in the background, and the exec that is
 * created when they are there. Wall time of the calls, medians over REPEATS (default 9) rounds. A
 * driver may keep a cache of its own: with Mesa, MESA_SHADER_CACHE_DISABLE=true is without. */
#include <stdio.h>
#include <string.h>

#include <reprise/compiler.h>
#include <reprise/runtime.h>

#include "statistics.h"
#include "try.h"

enum {
    FIRST,
    FIRST_THREADS,
    SECOND,
    OTHER,
    LATER,
    PREPARE,
    PREPARED,
    WAYS,
};

static const char *const names[WAYS] = {
    [FIRST] = "first exec, no threads",        [FIRST_THREADS] = "first exec, threads",
    [SECOND] = "second exec of the plan",      [OTHER] = "exec of a plan with one new kernel",
    [LATER] = "exec when the others are gone", [PREPARE] = "rp_device_prepare",
    [PREPARED] = "exec when all is prepared",
};

typedef struct bench {
    uint32_t kernels, repeats;
    rp_diags *diags;
    rp_plan *plan, *other;
    double *times[WAYS];
} bench;

/* Kernels [first, first + count): a few loops and branches each, so that there is something to
 * compile. */
static rp_status add_kernels(rp_program *program, rp_recorder *recorder, rp_buffer data,
                             uint32_t first, uint32_t count, rp_diags *diags) {
    rp_status status = RP_OK;
    for (uint32_t i = first; i < first + count && status == RP_OK; i++) {
        char name[32], glsl[1024];
        rp_kernel kernel;
        snprintf(name, sizeof name, "k%u", i);
        snprintf(glsl, sizeof glsl,
                 "#version 450\n"
                 "layout(local_size_x = 64) in;\n"
                 "layout(binding = 0) buffer Data { float v[]; };\n"
                 "shared float part[64];\n"
                 "void main() {\n"
                 "    uint i = gl_LocalInvocationID.x;\n"
                 "    float x = v[i], sum = 0;\n"
                 "    for (uint k = 0; k < %uu; k++) sum += sin(x * float(k) + %u.5);\n"
                 "    part[i] = sum;\n"
                 "    for (uint s = 32; s > 0; s /= 2) {\n"
                 "        barrier();\n"
                 "        if (i < s) part[i] += part[i + s];\n"
                 "    }\n"
                 "    if (x > 0) v[i] = part[0] * exp(-x); else v[i] = part[0];\n"
                 "}\n",
                 i % 7 + 3, i);
        status = rp_program_kernel(
            program,
            &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = name, .glsl = glsl},
            diags, &kernel);
        if (status != RP_OK) break;
        rp_bind_kernel(recorder, kernel);
        rp_bind(recorder, 0, (rp_range){data, 0, 256});
        rp_dispatch(recorder, 1, 1, 1);
    }
    return status;
}

static rp_status compile(uint32_t first, uint32_t count, rp_diags *diags, rp_plan **out) {
    rp_program *program = NULL;
    rp_recorder *recorder = NULL;
    rp_graph *graph = NULL;
    rp_buffer data;
    const rp_buffer_params params = {
        .size = sizeof params, .name = "data", .kind = RP_INOUT, .bytes = 256};
    rp_status status = rp_program_create(NULL, "pipelines", &program);
    if (status == RP_OK) status = rp_program_buffer(program, &params, diags, &data);
    if (status == RP_OK) status = rp_recorder_create(program, &recorder);
    if (status == RP_OK) status = add_kernels(program, recorder, data, first, count, diags);
    if (status == RP_OK) status = rp_program_graph(program, &recorder, 1, diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, NULL, diags, out, NULL);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    rp_program_destroy(program);
    return status;
}

static int time_exec(bench *b, rp_device *device, const rp_plan *plan, uint32_t created,
                     double *out, rp_exec **out_exec) {
    const rp_exec_params params = {.size = sizeof params, .cache_path = ""};
    double start = wall_seconds();
    TRY(rp_exec_create(device, plan, &params, b->diags, out_exec));
    *out = wall_seconds() - start;
    rp_counters counters = {sizeof counters};
    TRY(rp_exec_get_counters(*out_exec, &counters));
    return counters.pipelines_created == created ? 0 : -1;
}

static int share(bench *b, rp_device *device, uint32_t round, uint32_t first) {
    rp_exec *execs[4] = {0};
    int failed = time_exec(b, device, b->plan, b->kernels, &b->times[first][round], &execs[0]);
    if (!failed) failed = time_exec(b, device, b->plan, 0, &b->times[SECOND][round], &execs[1]);
    if (!failed) failed = time_exec(b, device, b->other, 1, &b->times[OTHER][round], &execs[2]);
    for (int i = 0; i < 3; i++) rp_exec_destroy(execs[i]);
    if (!failed) failed = time_exec(b, device, b->plan, 0, &b->times[LATER][round], &execs[3]);
    rp_exec_destroy(execs[3]);
    return failed;
}

static int ahead(bench *b, rp_device *device, uint32_t round) {
    const rp_prepare_params params = {.size = sizeof params, .cache_path = ""};
    rp_preparation *preparation;
    rp_exec *exec = NULL;
    double start = wall_seconds();
    TRY(rp_device_prepare(device, b->plan, &params, b->diags, &preparation));
    b->times[PREPARE][round] = wall_seconds() - start;
    TRY(rp_preparation_wait(preparation, NULL, UINT64_MAX, b->diags));
    int failed = time_exec(b, device, b->plan, 0, &b->times[PREPARED][round], &exec);
    rp_exec_destroy(exec);
    rp_preparation_destroy(preparation);
    return failed;
}

/* One part of a round, on a device of its own: how it fails does not matter to the clock. */
static int on_device(bench *b, uint32_t round, uint32_t part) {
    rp_device *device;
    const rp_device_params params = {.size = sizeof params, .pipeline_threads = part == 0 ? -1 : 0};
    TRY(rp_device_create(NULL, &params, b->diags, &device));
    int failed = part == 2   ? ahead(b, device, round)
                 : part == 1 ? share(b, device, round, FIRST_THREADS)
                             : share(b, device, round, FIRST);
    TRY(rp_device_destroy(device, b->diags));
    return failed;
}

static int run(bench *b) {
    TRY(compile(0, b->kernels, b->diags, &b->plan));
    TRY(compile(1, b->kernels, b->diags, &b->other));
    for (int w = 0; w < WAYS; w++) {
        b->times[w] = calloc(b->repeats, sizeof *b->times[w]);
        if (!b->times[w]) return -1;
    }
    for (uint32_t round = 0; round < b->repeats; round++)
        for (uint32_t part = 0; part < 3; part++)
            if (on_device(b, round, part)) return -1;
    printf("%u kernels, median of %u rounds\n", b->kernels, b->repeats);
    double first = median(b->times[FIRST], b->repeats);
    for (int w = 0; w < WAYS; w++) {
        double time = median(b->times[w], b->repeats);
        printf("%-36s %9.3f ms  %.4f\n", names[w], time * 1e3, time / first);
    }
    return 0;
}

int main(int argc, char **argv) {
    bench b = {.kernels = argc > 1 ? (uint32_t)atoi(argv[1]) : 60,
               .repeats = argc > 2 ? (uint32_t)atoi(argv[2]) : 9};
    if (b.kernels == 0 || b.kernels > 1000 || b.repeats == 0) {
        fprintf(stderr, "usage: bench_pipelines [KERNELS] [REPEATS]\n");
        return 2;
    }
    b.diags = rp_diags_create(NULL);
    int failed = run(&b);
    for (uint32_t i = 0; i < rp_diags_count(b.diags); i++)
        fprintf(stderr, "%s\n", rp_diags_get(b.diags, i).message);
    rp_plan_destroy(b.plan);
    rp_plan_destroy(b.other);
    for (int w = 0; w < WAYS; w++) free(b.times[w]);
    rp_diags_destroy(b.diags);
    return failed ? 1 : 0;
}
