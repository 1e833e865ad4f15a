/* There is one compiler, which is never released, as in compiler/kernel/guard.cpp: creating one takes as long as
 * compiling a dozen of these shaders. */
#include "support/shader_words.h"

#include <shaderc/shaderc.h>
#include <stdlib.h>
#include <string.h>
#include "support/unit.h"

static shaderc_compiler_t compiler;

static shaderc_compile_options_t make_options(void) {
    if (!compiler) compiler = shaderc_compiler_initialize();
    shaderc_compile_options_t options = shaderc_compile_options_initialize();
    shaderc_compile_options_set_target_env(options, shaderc_target_env_vulkan,
                                           shaderc_env_version_vulkan_1_2);
    return options;
}

static uint32_t *take_words(shaderc_compilation_result_t result, size_t *size) {
    uint32_t *words = NULL;
    *size = shaderc_result_get_length(result);
    if (shaderc_result_get_compilation_status(result) != shaderc_compilation_status_success)
        fprintf(stderr, "\n  %s", shaderc_result_get_error_message(result));
    else if ((words = malloc(*size)))
        memcpy(words, shaderc_result_get_bytes(result), *size);
    shaderc_result_release(result);
    CU_ASSERT_PTR_NOT_NULL_FATAL(words);
    return words;
}

uint32_t *rp_shader_words(const char *glsl, const char *name, uint32_t *count) {
    shaderc_compile_options_t options = make_options();
    shaderc_compilation_result_t result = shaderc_compile_into_spv(
        compiler, glsl, strlen(glsl), shaderc_compute_shader, name, "main", options);
    shaderc_compile_options_release(options);
    size_t size;
    uint32_t *words = take_words(result, &size);
    *count = (uint32_t)(size / 4);
    return words;
}

uint32_t *rp_assemble(const char *text, uint32_t version, size_t *size) {
    shaderc_compile_options_t options = make_options();
    shaderc_compilation_result_t result =
        shaderc_assemble_into_spv(compiler, text, strlen(text), options);
    shaderc_compile_options_release(options);
    uint32_t *words = take_words(result, size);
    words[1] = version;
    return words;
}
