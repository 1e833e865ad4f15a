#include "images.h"

#include "support/glsl_body.h"

rp_plan *images_plan(const char *text, const images_kernel *kernels, int level) {
    rp_graph *graph = gpu_parse(text);
    for (; kernels && kernels->name; kernels++) rp_give_glsl(graph, kernels->name, kernels->glsl);
    rp_plan *plan = gpu_compile(graph, level);
    rp_graph_destroy(graph);
    return plan;
}

rp_device *images_open(void) {
    return gpu_open(1);
}

void images_close(rp_device *device) {
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
}

void images_fill(uint8_t *bytes, uint64_t size, uint32_t seed) {
    for (uint64_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((i * 2654435761u + seed * 40503u) >> 13 ^ i);
}

void images_replay(rp_exec *exec) {
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
    gpu_report(diags);
    rp_diags_destroy(diags);
}
