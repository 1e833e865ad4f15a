/* Every pipeline of tests/golden/pipelines, or of the folder RP_PIPELINES, on the device at hand: -O1
 * gives the bits of -O0, and results that are numbers. Inputs are made up: small numbers, integers below 4.
 * RP_PIPELINE is part of the name of those that are tried, of all without. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>

#include "gpu.h"
#include "support/op_values.h"
#include "support/plan_info.h"

static rp_device *device;

static void *need(void *block) {
    if (!block) abort();
    return block;
}

static rp_tensor tensor_of(const rp_plan_buffer_info *b) {
    rp_tensor t = {.dtype = (uint8_t)b->dtype, .rank = (uint8_t)b->rank};
    for (uint32_t i = 0; i < b->rank; i++) t.dims[i] = b->shape[i];
    return t;
}

static void write_inputs(rp_exec *exec, const rp_plan *plan) {
    rp_random random = {4711};
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info b = plan_buffer(plan, i);
        if (b.kind == RP_OUT || b.kind == RP_LIVE || b.kind == RP_TMP) continue;
        rp_tensor t = tensor_of(&b);
        void *bytes = need(calloc(b.bytes, 1));
        bool number = RP_DT(b.dtype) & RP_DT_FLOAT;
        rp_values_fill(&random, &t,
                       number             ? "positive=1"
                       : b.dtype == RP_I8 ? "int=9"
                                          : "below=4",
                       bytes);
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, b.name, 0, bytes, b.bytes, NULL), RP_OK);
        free(bytes);
    }
}

/* All results, one after the other. */
static uint8_t *results_of(const rp_graph *graph, const char *name, int level, uint64_t *size,
                           uint64_t *bad) {
    rp_diags *diags = rp_diags_create(NULL);
    *size = *bad = 0;
    rp_plan *plan = gpu_try_compile_ops(graph, level, NULL, diags);
    if (!plan) {
        fprintf(stderr, "\n  %s at -O%d", name, level);
        gpu_report(diags);
    }
    rp_diags_destroy(diags);
    if (!plan) return NULL;
    rp_exec *exec = gpu_exec(device, plan, NULL);
    write_inputs(exec, plan);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    uint8_t *all = NULL;
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info b = plan_buffer(plan, i);
        if (b.kind != RP_OUT && b.kind != RP_INOUT) continue;
        all = need(realloc(all, *size + b.bytes));
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, b.name, 0, all + *size, b.bytes, NULL), RP_OK);
        for (uint64_t k = 0; b.dtype == RP_F32 && k < b.bytes / 4; k++) {
            float value;
            memcpy(&value, all + *size + k * 4, 4);
            *bad += !isfinite(value);
        }
        *size += b.bytes;
    }
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    return all;
}

static void try_pipeline(const char *path, const char *name) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    uint64_t size[2], bad[2];
    rp_status status = rp_pipeline_load(NULL, path, NULL, 0, diags, &pipeline);
    if (status != RP_OK) gpu_report(diags);
    CU_ASSERT_EQUAL(status, RP_OK);
    if (pipeline) {
        uint8_t *plain = results_of(rp_pipeline_graph(pipeline), name, 0, &size[0], &bad[0]);
        uint8_t *fused = results_of(rp_pipeline_graph(pipeline), name, 1, &size[1], &bad[1]);
        bool same = plain && fused && size[0] == size[1] && memcmp(plain, fused, size[0]) == 0;
        if (!same) fprintf(stderr, "\n  %s: -O1 differs from -O0", name);
        if (bad[0] > 0)
            fprintf(stderr, "\n  %s: %llu results are no numbers", name,
                    (unsigned long long)bad[0]);
        CU_ASSERT(same);
        CU_ASSERT_EQUAL(bad[0], 0);
        free(plain);
        free(fused);
    }
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
}

/* A processor leaves out those that differ from another in dtypes or tiles alone, and are of long kernels. */
static bool is_tried(const char *name) {
    static const char *const like_others[] = {
        "decoder-layer.yaml", "decoder-layer-q4.yaml", /* decoder-layer-q8.yaml */
        "distance-topk-split.yaml",                    /* distance-topk-batch.yaml */
    };
    bool like = false;
    for (uint32_t i = 0; i < sizeof like_others / sizeof *like_others; i++)
        like |= strcmp(name, like_others[i]) == 0;
    return !like || gpu_tries(device, 1, 2);
}

static void test_pipelines(void) {
    const char *folder = getenv("RP_PIPELINES"), *only = getenv("RP_PIPELINE");
    if (!folder) folder = RP_SOURCE_ROOT "/tests/golden/pipelines";
    uint32_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *e; directory && (e = readdir(directory));) {
        size_t length = strlen(e->d_name);
        char path[1024];
        if (length < 6 || strcmp(e->d_name + length - 5, ".yaml") != 0) continue;
        if (only ? !strstr(e->d_name, only) : !is_tried(e->d_name)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        count++;
        try_pipeline(path, e->d_name);
    }
    if (directory) closedir(directory);
    printf("%u pipelines ... ", count);
    CU_ASSERT(only ? count > 0 : count >= 30);
}

int main(void) {
    static const rp_test tests[] = {{"-O1 against -O0", test_pipelines}, {NULL, NULL}};
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        gpu_report(diags);
        return 99;
    }
    int failures = rp_run_tests("pipelines", tests);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures;
}
