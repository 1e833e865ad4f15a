/* Plans of equal dispatches, recorded, compiled and replayed as any application does it. */
#include "measure_work.h"

#include <stdio.h>
#include <time.h>
#include "reprise/compiler.h"

/* Some drivers end a loop after 65535 turns. */
enum { LANES = 256, CHAINS = 8, SMALL_BYTES = 4096, STEP = 256, MOST_TURNS = 60000 };

double measure_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- Making the plan ------------------------------------------------------------------------- */

typedef struct maker {
    rp_program *program;
    rp_recorder *recorder;
    rp_buffer data, out, control;
    rp_kernel kernel;
} maker;

static rp_status add_buffer(maker *k, rp_diags *diags, const char *name, rp_buffer_kind kind,
                            uint64_t bytes, rp_buffer *out) {
    const rp_buffer_params params = {
        .size = sizeof params, .name = name, .kind = kind, .dtype = RP_RAW, .bytes = bytes};
    return rp_program_buffer(k->program, &params, diags, out);
}

static rp_status add_kernel(maker *k, rp_diags *diags, const measure_work *w) {
    char local[32], chains[32];
    const char *const defines[] = {local, chains};
    const rp_kernel_params params = {.size = sizeof params,
                                     .name = "measure",
                                     .glsl = w->glsl,
                                     .defines = defines,
                                     .define_count = 2};
    snprintf(local, sizeof local, "LOCAL=%u", w->local);
    snprintf(chains, sizeof chains, "CHAINS=%u", w->chains);
    return rp_program_kernel(k->program, &params, diags, &k->kernel);
}

static void record(maker *k, const measure_work *w) {
    uint64_t part = w->copies ? w->part : STEP;
    if (w->glsl) rp_bind_kernel(k->recorder, k->kernel);
    for (uint32_t i = 0; i < w->count; i++) {
        rp_range from = {.buffer = k->data}, to = {k->out, w->chained ? 0 : i * part, part};
        if (w->copies) from = (rp_range){k->data, i * part, part};
        if (!w->glsl) {
            rp_copy(k->recorder, from, to);
            continue;
        }
        rp_bind(k->recorder, 0, from);
        rp_bind(k->recorder, 1, to);
        if (!w->copies) rp_bind(k->recorder, 2, (rp_range){.buffer = k->control});
        rp_dispatch(k->recorder, w->groups, 1, 1);
    }
}

static rp_status make_graph(maker *k, rp_diags *diags, const measure_work *w, rp_graph **out) {
    rp_status status = rp_program_create(NULL, "measure", &k->program);
    uint64_t part = w->copies ? w->part : STEP;
    if (status == RP_OK) status = add_buffer(k, diags, "data", RP_INOUT, w->bytes, &k->data);
    if (status == RP_OK) status = add_buffer(k, diags, "out", RP_INOUT, part * w->count, &k->out);
    if (status == RP_OK && !w->copies)
        status = add_buffer(k, diags, "control", RP_IN, 16, &k->control);
    if (status == RP_OK && w->glsl) status = add_kernel(k, diags, w);
    if (status == RP_OK) status = rp_recorder_create(k->program, &k->recorder);
    if (status != RP_OK) return status;
    record(k, w);
    return rp_program_graph(k->program, &k->recorder, 1, diags, out);
}

static rp_status make_plan(rp_diags *diags, const measure_work *w, rp_plan **out) {
    maker k = {0};
    rp_graph *graph = NULL;
    const rp_pass_options options = {.size = sizeof options, .pipeline = "schedule,place,sync"};
    rp_status status = make_graph(&k, diags, w, &graph);
    if (status == RP_OK) status = rp_compile(graph, &options, diags, out, NULL);
    rp_graph_destroy(graph);
    rp_recorder_destroy(k.recorder);
    rp_program_destroy(k.program);
    return status;
}

rp_status measure_open(measure *m, const measure_work *work) {
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_plan *plan = NULL;
    measure_close(m);
    m->work = *work;
    if (!m->work.local) m->work.local = LANES;
    if (!m->work.chains) m->work.chains = CHAINS;
    if (!m->work.groups) m->work.groups = 1;
    if (!m->work.count) m->work.count = 1;
    if (!m->work.bytes) m->work.bytes = SMALL_BYTES;
    rp_status status = make_plan(m->diags, &m->work, &plan);
    if (status == RP_OK) status = rp_exec_create(m->device, plan, &params, m->diags, &m->exec);
    rp_plan_destroy(plan);
    return status;
}

void measure_close(measure *m) {
    rp_exec_destroy(m->exec);
    m->exec = NULL;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

/* Replays in a row, of which the last one's time counts; *burst becomes about five milliseconds'
 * worth. */
static rp_status burst_of(measure *m, uint32_t *burst, double *out_seconds) {
    double start = measure_now();
    for (uint32_t i = 0; i < *burst; i++) {
        rp_status status = rp_exec_submit(m->exec, NULL, m->diags, NULL);
        if (status != RP_OK) return status;
    }
    rp_status status = rp_exec_wait(m->exec, 0, UINT64_MAX, m->diags);
    if (status != RP_OK) return status;
    double each = (measure_now() - start) / *burst;
    *burst = each < 0.005 / 64 ? 64 : each > 0.005 ? 1 : (uint32_t)(0.005 / each);
    *out_seconds = rp_exec_gpu_seconds(m->exec, 0);
    if (*out_seconds >= 0) return RP_OK;
    rp_diags_add(m->diags, RP_ERROR, NULL, 0, 0,
                 "the device's queue has no timestamps: its costs cannot be measured");
    return RP_ERROR_UNSUPPORTED;
}

static rp_status set_turns(measure *m, uint32_t turns) {
    const uint32_t control[4] = {turns, (uint32_t)(m->work.bytes / 16 - 1), 1, UINT32_MAX};
    if (m->work.copies) return RP_OK;
    return rp_exec_write(m->exec, 0, "control", 0, control, sizeof control, m->diags);
}

rp_status measure_replay(measure *m, uint32_t turns, double *out_seconds) {
    enum { MOST = 24, LEAST = 4 };
    double least = -1, start = measure_now();
    uint32_t burst = 1;
    *out_seconds = -1;
    m->late |= start > m->deadline;
    if (m->late) return RP_OK;
    rp_status status = set_turns(m, turns);
    for (uint32_t i = 0; i < MOST && status == RP_OK; i++) {
        double seconds;
        status = burst_of(m, &burst, &seconds);
        double spent = measure_now() - start;
        if (i == 0 || (i < LEAST && spent < 0.015)) continue; /* still warming up */
        if (least < 0 || seconds < least) least = seconds;
        if ((i >= LEAST && spent > 0.04) || spent > 0.12) break;
    }
    *out_seconds = status == RP_OK ? least : -1;
    return status;
}

rp_status measure_turn(measure *m, double period, double *out_seconds) {
    uint32_t turns = 1, burst = 1;
    double seconds = 0;
    *out_seconds = -1;
    m->late |= measure_now() > m->deadline;
    for (int tries = 0; tries < 12 && turns < MOST_TURNS && !m->late; tries++) {
        rp_status status = set_turns(m, turns);
        for (int i = 0; i < 2 && status == RP_OK; i++) {
            burst = 1;
            status = burst_of(m, &burst, &seconds);
        }
        if (status != RP_OK) return status;
        double more = seconds > 0 ? 1.2 * period / seconds : 16;
        if (more <= 1.2) break;
        turns = more > 16 ? turns * 16 : more < 2 ? turns * 2 : (uint32_t)(turns * more);
        if (turns > MOST_TURNS) turns = MOST_TURNS;
    }
    rp_status status = measure_replay(m, turns, &seconds);
    if (seconds >= 0) *out_seconds = seconds / turns;
    return status;
}
