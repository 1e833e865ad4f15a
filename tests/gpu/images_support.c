#include "images.h"

#include <shaderc/shaderc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

/* The words of a kernel become the graph's. */
static void give_body(rp_graph *g, const images_kernel *kernel) {
    uint32_t index = rp_graph_find_kernel(g, kernel->name);
    CU_ASSERT_NOT_EQUAL_FATAL(index, RP_NONE);
    shaderc_compiler_t compiler = shaderc_compiler_initialize();
    shaderc_compile_options_t options = shaderc_compile_options_initialize();
    shaderc_compile_options_set_target_env(options, shaderc_target_env_vulkan,
                                           shaderc_env_version_vulkan_1_2);
    shaderc_compilation_result_t result =
        shaderc_compile_into_spv(compiler, kernel->glsl, strlen(kernel->glsl),
                                 shaderc_compute_shader, kernel->name, "main", options);
    if (shaderc_result_get_compilation_status(result) != shaderc_compilation_status_success)
        fprintf(stderr, "\n  %s", shaderc_result_get_error_message(result));
    const uint32_t *words = (const uint32_t *)(const void *)shaderc_result_get_bytes(result);
    uint32_t count = (uint32_t)(shaderc_result_get_length(result) / 4);
    CU_ASSERT_FATAL(count > 0 &&
                    RP_RESERVE(&g->allocator, g->words, g->words_count, g->words_capacity, count));
    memcpy(g->words + g->words_count, words, count * sizeof *words);
    rp_graph_kernel *k = &g->kernels[index];
    k->first_word = g->words_count;
    k->word_count = count;
    k->hash = rp_hash(words, count * sizeof *words);
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].kind == RP_RUN && g->nodes[i].kernel == index)
            k->push_bytes = g->nodes[i].byte_count;
    g->words_count += count;
    shaderc_result_release(result);
    shaderc_compile_options_release(options);
    shaderc_compiler_release(compiler);
}

rp_plan *images_plan(const char *text, const images_kernel *kernels, int level) {
    rp_graph *graph = gpu_parse(text);
    for (; kernels && kernels->name; kernels++) give_body(graph, kernels);
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
