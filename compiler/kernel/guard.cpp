/* See guard.h. Objects of the libraries are held by owners that release them whichever way a
 * function is left. */
#include "kernel/guard.h"

#include <spirv-tools/libspirv.h>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

namespace {

template <auto release> struct releaser {
    template <typename T> void operator()(T *object) const { release(object); }
};

using shader_options =
    std::unique_ptr<shaderc_compile_options, releaser<shaderc_compile_options_release>>;
using shader_result = std::unique_ptr<shaderc_compilation_result, releaser<shaderc_result_release>>;
using tools_context = std::unique_ptr<spv_context_t, releaser<spvContextDestroy>>;
using tools_options =
    std::unique_ptr<spv_validator_options_t, releaser<spvValidatorOptionsDestroy>>;
using tools_diagnostic = std::unique_ptr<spv_diagnostic_t, releaser<spvDiagnosticDestroy>>;

/* Runs `body`, which returns a status; an exception becomes one. */
template <typename T> rp_status guarded(T body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return RP_ERROR_NO_MEMORY;
    } catch (...) {
        return RP_ERROR_INVALID;
    }
}

/* The one compiler of the process. glslang parses thousands of built-in declarations when the first
 * compiler is created, 70 ms, and forgets them with the last one: creating a compiler for each
 * kernel would make that most of the time. shaderc allows its use from several threads at once. It
 * is never released; a few MiB stay until the process ends. */
shaderc_compiler_t the_compiler() {
    static const shaderc_compiler_t compiler = shaderc_compiler_initialize();
    return compiler;
}

void add_defines(shaderc_compile_options_t options, const rp_guard_shader *shader) {
    for (uint32_t i = 0; i < shader->define_count; i++) {
        const char *define = shader->defines[i];
        size_t name = std::strcspn(define, "=");
        const char *value = define[name] == '=' ? define + name + 1 : nullptr;
        shaderc_compile_options_add_macro_definition(options, define, name, value,
                                                     value ? std::strlen(value) : 0);
    }
}

rp_status take_result(const rp_allocator *a, shaderc_compilation_result_t result, bool is_text,
                      rp_guard_result *out) {
    const char *messages = shaderc_result_get_error_message(result);
    out->messages = static_cast<char *>(rp_dup(a, messages, std::strlen(messages) + 1));
    if (!out->messages) return RP_ERROR_NO_MEMORY;
    if (shaderc_result_get_compilation_status(result) != shaderc_compilation_status_success)
        return RP_OK;
    size_t size = shaderc_result_get_length(result);
    if (is_text) {
        out->text = static_cast<char *>(rp_alloc_zero(a, size + 1, 1));
        if (out->text) std::memcpy(out->text, shaderc_result_get_bytes(result), size);
        return out->text ? RP_OK : RP_ERROR_NO_MEMORY;
    }
    out->words = static_cast<uint32_t *>(rp_dup(a, shaderc_result_get_bytes(result), size));
    out->count = static_cast<uint32_t>(size / 4);
    return out->words ? RP_OK : RP_ERROR_NO_MEMORY;
}

rp_status compile(const rp_allocator *a, const rp_guard_shader *shader, rp_guard_result *out) {
    shader_options options(shaderc_compile_options_initialize());
    if (!options || !the_compiler()) return RP_ERROR_NO_MEMORY;
    shaderc_compile_options_set_target_env(options.get(), shaderc_target_env_vulkan,
                                           shaderc_env_version_vulkan_1_2);
    shaderc_compile_options_set_target_spirv(options.get(), shaderc_spirv_version_1_5);
    shaderc_compile_options_set_include_callbacks(options.get(), shader->resolve, shader->release,
                                                  shader->user);
    shaderc_compile_options_set_optimization_level(
        options.get(), shader->output == RP_GUARD_OPTIMISED ? shaderc_optimization_level_performance
                                                            : shaderc_optimization_level_zero);
    add_defines(options.get(), shader);
    bool is_text = shader->output == RP_GUARD_TEXT;
    auto make = is_text ? shaderc_compile_into_preprocessed_text : shaderc_compile_into_spv;
    shader_result result(make(the_compiler(), shader->glsl, std::strlen(shader->glsl),
                              shaderc_compute_shader, shader->file, "main", options.get()));
    return result ? take_result(a, result.get(), is_text, out) : RP_ERROR_NO_MEMORY;
}

rp_status validate(const uint32_t *words, uint32_t count, uint32_t max_id_bound, char why[512]) {
    bool newer = count > 1 && words[1] > 0x00010500;
    tools_context context(spvContextCreate(newer ? SPV_ENV_VULKAN_1_3 : SPV_ENV_VULKAN_1_2));
    tools_options options(spvValidatorOptionsCreate());
    if (!context || !options) return RP_ERROR_NO_MEMORY;
    spvValidatorOptionsSetUniversalLimit(options.get(), spv_validator_limit_max_id_bound,
                                         max_id_bound);
    /* What a device must offer for these layouts is found when the plan is built. */
    spvValidatorOptionsSetScalarBlockLayout(options.get(), true);
    spvValidatorOptionsSetUniformBufferStandardLayout(options.get(), true);
    spv_const_binary_t binary = {words, count};
    spv_diagnostic raw = nullptr;
    spv_result_t result = spvValidateWithOptions(context.get(), options.get(), &binary, &raw);
    tools_diagnostic diagnostic(raw);
    if (result == SPV_SUCCESS) return RP_OK;
    if (result == SPV_ERROR_OUT_OF_MEMORY) return RP_ERROR_NO_MEMORY;
    const char *text = diagnostic && diagnostic->error ? diagnostic->error : "no reason given";
    std::snprintf(why, 512, "%.*s", static_cast<int>(std::strcspn(text, "\n")), text);
    return RP_ERROR_INVALID;
}

} // namespace

extern "C" rp_status rp_guard_compile(const rp_allocator *a, const rp_guard_shader *shader,
                                      rp_guard_result *out) {
    *out = {};
    rp_status status = guarded([=] { return compile(a, shader, out); });
    if (status == RP_OK) return RP_OK;
    rp_release(a, out->messages);
    rp_release(a, out->words);
    rp_release(a, out->text);
    *out = {};
    return status;
}

extern "C" rp_status rp_guard_validate(const uint32_t *words, uint32_t count, uint32_t max_id_bound,
                                       char why[512]) {
    std::snprintf(why, 512, "SPIRV-Tools failed");
    return guarded([=] { return validate(words, count, max_id_bound, why); });
}
