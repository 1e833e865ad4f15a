/* Rounds of replays on request, so that a script can time something else in between (bench/peers).
 *
 *   replay_rounds PLAN.rplan [MILLISECONDS [auto|off|persistent]]
 *
 * Says which device it is, then for each line on stdin replays for about MILLISECONDS (300): half of
 * them one by one, the host waiting for each, half with a full queue (busy.h). Answers each with a
 * line: the median time from submission to completion and the median of the GPU's own, in
 * microseconds, and the lowest clock in MHz, 0 where it is not known. The first round warms up for
 * longer, until the clock is high. Buffers hold random numbers (fill.h). Where what they are matters to
 * the time, as the length of a cache does, the line names them: "length=512 position=511" sets all
 * elements of these buffers, of u32 and of kind in or live, before the round. "length=1..256 position=0..255"
 * is a walk, as that of a model that writes: what it answers is the time of one replay for each number, one
 * behind the other, the host waiting for each; both times are that one then. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reprise/runtime.h"
#include "busy.h"
#include "fill.h"

enum { MOST_WAITED = 4096, MOST_SETTINGS = 8 };

static int complain(const char *what, const rp_diags *diags) {
    fprintf(stderr, "replay_rounds: %s\n", what);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
    return 1;
}

static rp_status replay_waiting(rp_exec *exec, double period, double *out_seconds) {
    static double wall[MOST_WAITED];
    double begin = wall_seconds();
    uint32_t count = 0;
    do {
        double start = wall_seconds();
        rp_status status = rp_exec_submit(exec, NULL, NULL, NULL);
        if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
        if (status != RP_OK) return status;
        wall[count++] = wall_seconds() - start;
    } while (wall_seconds() - begin < period && count < MOST_WAITED);
    *out_seconds = median(wall, count);
    return RP_OK;
}

/* ---- Numbers that a line sets ---------------------------------------------------------------- */

typedef struct setting {
    char name[64];
    rp_buffer_kind kind;
    uint32_t first, last, elements;
} setting;

typedef struct settings {
    setting list[MOST_SETTINGS];
    uint32_t count, steps; /* of the walk; 1: no walk */
} settings;

static bool read_setting(const rp_plan *plan, char *word, setting *out) {
    char *value = strchr(word, '='), *end = NULL;
    if (!value || (size_t)(value - word) >= sizeof out->name) return false;
    *value++ = '\0';
    memcpy(out->name, word, strlen(word) + 1);
    out->first = out->last = (uint32_t)strtoul(value, &end, 0);
    if (strncmp(end, "..", 2) == 0) out->last = (uint32_t)strtoul(end + 2, &end, 0);
    if (end == value || *end || out->last < out->first) return false;
    for (uint32_t at = 0; at < rp_plan_buffer_count(plan); at++) {
        rp_plan_buffer_info b = {.size = sizeof b};
        if (rp_plan_get_buffer(plan, at, &b) != RP_OK || strcmp(b.name, out->name) != 0) continue;
        out->kind = b.kind;
        out->elements = (uint32_t)(b.bytes / sizeof(uint32_t));
        return b.dtype == RP_U32 && (b.kind == RP_IN || b.kind == RP_LIVE);
    }
    return false;
}

static rp_status read_settings(const rp_plan *plan, char *line, settings *out, rp_diags *diags) {
    *out = (settings){.steps = 1};
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
        setting *s = &out->list[out->count];
        if (out->count == MOST_SETTINGS || !read_setting(plan, word, s)) {
            rp_diags_add(
                diags, RP_ERROR, NULL, 0, 0,
                "%s: expected NAME=NUMBER or NAME=FIRST..LAST, of an input or live values of "
                "u32",
                word);
            return RP_ERROR_USAGE;
        }
        if (s->last > s->first && s->last - s->first + 1 > out->steps)
            out->steps = s->last - s->first + 1;
        out->count++;
    }
    return RP_OK;
}

static rp_status set_values(rp_exec *exec, const settings *all, uint32_t step, rp_diags *diags) {
    for (uint32_t k = 0; k < all->count; k++) {
        const setting *s = &all->list[k];
        uint32_t number = s->last - s->first < step ? s->last : s->first + step;
        if (step > 0 && s->first == s->last) continue;
        for (uint32_t i = 0; i < s->elements; i++) {
            rp_status status = s->kind == RP_LIVE
                                   ? rp_exec_set_live(exec, 0, s->name, i, &number, 1, diags)
                                   : rp_exec_write(exec, 0, s->name, i * sizeof number, &number,
                                                   sizeof number, diags);
            if (status != RP_OK) return status;
        }
    }
    return RP_OK;
}

/* Walks for a while: the median of the time of one. */
static rp_status walk(rp_exec *exec, const settings *all, double period, double *out_seconds,
                      rp_diags *diags) {
    static double wall[MOST_WAITED];
    double begin = wall_seconds();
    uint32_t count = 0;
    do {
        double start = wall_seconds();
        for (uint32_t step = 0; step < all->steps; step++) {
            rp_status status = set_values(exec, all, step, diags);
            if (status == RP_OK) status = rp_exec_submit(exec, NULL, NULL, NULL);
            if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
            if (status != RP_OK) return status;
        }
        wall[count++] = wall_seconds() - start;
    } while (wall_seconds() - begin < period && count < MOST_WAITED);
    *out_seconds = median(wall, count);
    return RP_OK;
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

static rp_status serve(rp_exec *exec, const rp_plan *plan, double period, gpu_clock *clock,
                       rp_diags *diags) {
    static double gpu[BUSY_SAMPLES];
    double wall = 0, unused;
    char line[256];
    uint32_t count = 0;
    bool warm = false;
    while (fgets(line, sizeof line, stdin)) {
        settings all;
        rp_status status = read_settings(plan, line, &all, diags);
        if (status == RP_OK) status = set_values(exec, &all, 0, diags);
        if (!warm && status == RP_OK) status = busy_seconds(exec, period, clock, &unused, NULL);
        warm = true;
        if (status == RP_OK)
            status = all.steps > 1 ? walk(exec, &all, period, &wall, diags)
                                   : replay_waiting(exec, period / 2, &wall);
        unsigned least = clock_least(clock);
        if (status == RP_OK && all.steps == 1) {
            status = busy_replays(exec, period / 2, gpu, &count);
            least = clock_least(clock);
        }
        if (status != RP_OK) return status;
        printf("%.3f %.3f %u\n", wall * 1e6, all.steps > 1 ? wall * 1e6 : median(gpu, count) * 1e6,
               least);
        fflush(stdout);
    }
    return RP_OK;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: replay_rounds PLAN.rplan [MILLISECONDS [auto|off|persistent]]\n");
        return 2;
    }
    double period = argc > 2 ? atof(argv[2]) * 1e-3 : 0.3;
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    rp_device *device = NULL;
    rp_exec *exec = NULL;
    rp_device_info info = {.size = sizeof info};
    const char *way = argc > 3 ? argv[3] : "";
    const rp_exec_params params = {.size = sizeof params,
                                   .timestamps = 1,
                                   .joining = strcmp(way, "persistent") == 0 ? RP_JOINING_PERSISTENT
                                              : strcmp(way, "off") == 0      ? RP_JOINING_OFF
                                                                             : RP_JOINING_AUTO};
    rp_status status = rp_plan_open(NULL, argv[1], diags, &plan);
    if (status == RP_OK) status = rp_device_create(NULL, NULL, diags, &device);
    if (status == RP_OK) status = rp_exec_create(device, plan, &params, diags, &exec);
    if (status == RP_OK) status = fill_buffers(exec, plan);
    if (status == RP_OK) {
        gpu_clock clock;
        rp_device_get_info(device, &info);
        printf("%s\n", info.name);
        fflush(stdout);
        clock_open(&clock, info.name);
        status = serve(exec, plan, period, &clock, diags);
        clock_close(&clock);
    }
    int failed = status == RP_OK ? 0 : complain(rp_status_name(status), diags);
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    return failed;
}
