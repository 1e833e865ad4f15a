/* SPIR-V from its assembly text, by SPIRV-Tools (through shaderc). */
#ifndef RP_TESTS_ASSEMBLE_H
#define RP_TESTS_ASSEMBLE_H

#include <shaderc/shaderc.h>
#include <stdlib.h>
#include <string.h>
#include "support/unit.h"

/* The words, to be freed, with their version set (0x00010500 is SPIR-V 1.5); *size in bytes. A
 * failure is that of the test. */
static inline uint32_t *rp_assemble(const char *text, uint32_t version, size_t *size) {
    shaderc_compiler_t compiler = shaderc_compiler_initialize();
    shaderc_compile_options_t options = shaderc_compile_options_initialize();
    shaderc_compile_options_set_target_env(options, shaderc_target_env_vulkan,
                                           shaderc_env_version_vulkan_1_2);
    shaderc_compilation_result_t result =
        shaderc_assemble_into_spv(compiler, text, strlen(text), options);
    uint32_t *words = NULL;
    if (shaderc_result_get_compilation_status(result) == shaderc_compilation_status_success) {
        *size = shaderc_result_get_length(result);
        words = malloc(*size);
        if (words) memcpy(words, shaderc_result_get_bytes(result), *size);
    } else {
        fprintf(stderr, "%s\n", shaderc_result_get_error_message(result));
    }
    shaderc_result_release(result);
    shaderc_compile_options_release(options);
    shaderc_compiler_release(compiler);
    CU_ASSERT_PTR_NOT_NULL_FATAL(words);
    if (words) words[1] = version;
    return words;
}

#endif
