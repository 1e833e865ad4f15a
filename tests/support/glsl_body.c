#include "support/glsl_body.h"

#include <shaderc/shaderc.h>
#include <stdlib.h>
#include "base/hash.h"
#include "support/unit.h"

void rp_give_glsl(rp_graph *g, const char *name, const char *glsl) {
    uint32_t index = rp_graph_find_kernel(g, name);
    CU_ASSERT_NOT_EQUAL_FATAL(index, RP_NONE);
    shaderc_compiler_t compiler = shaderc_compiler_initialize();
    shaderc_compile_options_t options = shaderc_compile_options_initialize();
    shaderc_compile_options_set_target_env(options, shaderc_target_env_vulkan,
                                           shaderc_env_version_vulkan_1_2);
    shaderc_compilation_result_t result = shaderc_compile_into_spv(
        compiler, glsl, strlen(glsl), shaderc_compute_shader, name, "main", options);
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
