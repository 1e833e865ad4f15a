/* Replays a plan, and has no compiler: it links libreprise-runtime alone, so neither shaderc, nor
 * yaml, nor a C++ runtime come along.
 *
 *   replay-only PLAN.rplan
 *
 * Fills each input with 0, 1, 2, ..., replays once, and prints how the results begin. */
#include <reprise/runtime.h>

#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 8 };

static rp_diags *diags;

static void check(rp_status status) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char line[1024];
        rp_diag diag = rp_diags_get(diags, i);
        rp_diag_format(&diag, line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
    rp_diags_clear(diags);
    if (status == RP_OK) return;
    fprintf(stderr, "replay-only: %s: %s\n", rp_status_name(status), rp_status_advice(status));
    exit(1);
}

static void write_input(rp_exec *exec, const rp_plan_buffer_info *buffer) {
    float *values = malloc(buffer->bytes);
    if (!values) check(RP_ERROR_NO_MEMORY);
    for (uint64_t i = 0; i < buffer->bytes / sizeof *values; i++) values[i] = (float)i;
    check(rp_exec_write(exec, 0, buffer->name, 0, values, buffer->bytes, diags));
    free(values);
}

static void print_output(rp_exec *exec, const rp_plan_buffer_info *buffer) {
    float values[SHOWN];
    uint64_t count = buffer->bytes / sizeof *values;
    if (count > SHOWN) count = SHOWN;
    check(rp_exec_read(exec, 0, buffer->name, 0, values, count * sizeof *values, diags));
    printf("%s =", buffer->name);
    for (uint64_t i = 0; i < count; i++) printf(" %g", values[i]);
    printf(" ...\n");
}

int main(int argc, char **argv) {
    rp_plan *plan;
    rp_device *device;
    rp_exec *exec;
    if (argc != 2) {
        fprintf(stderr, "usage: replay-only PLAN.rplan\n");
        return 2;
    }
    diags = rp_diags_create(NULL);
    check(rp_plan_open(NULL, argv[1], diags, &plan));
    check(rp_device_create(NULL, NULL, diags, &device));
    check(rp_exec_create(device, plan, NULL, diags, &exec));
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info buffer = {.size = sizeof buffer};
        check(rp_plan_get_buffer(plan, i, &buffer));
        if (buffer.kind == RP_IN && buffer.dtype == RP_F32) write_input(exec, &buffer);
    }
    check(rp_exec_submit(exec, NULL, NULL, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, NULL));
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info buffer = {.size = sizeof buffer};
        check(rp_plan_get_buffer(plan, i, &buffer));
        if (buffer.kind == RP_OUT && buffer.dtype == RP_F32) print_output(exec, &buffer);
    }
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    return 0;
}
