/* SPIR-V validation, so that no driver ever sees a module that is not valid: drivers trust their
 * input and crash on bad modules.
 *
 * SPIRV-Tools judges the language and Vulkan's rules. Then come our own: only capabilities that
 * plans can ask of a device, and a compute entry point of the wanted name. Memory that the graph
 * does not name (device addresses, variable pointers) would make every proof worthless, so those
 * capabilities are refused here, whatever a device offers. */
#include "kernel/spirv.h"

#include <spirv-tools/libspirv.h>
#include <spirv/unified1/spirv.h>
#include <stdarg.h>
#include <stdio.h>
#include "base/text.h"
#include "plan/format.h"
#include "plan/spirv.h"

rp_status rp_kernel_error(const rp_kernel_where *where, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rp_diags_add(where->diags, RP_ERROR, where->place.file, where->place.line, where->place.column,
                 "kernel '%s': %s", where->kernel, text);
    return RP_ERROR_INVALID;
}

static const char *model_name(uint32_t model) {
    switch (model) {
    case SpvExecutionModelVertex: return "vertex";
    case SpvExecutionModelTessellationControl: return "tessellation control";
    case SpvExecutionModelTessellationEvaluation: return "tessellation evaluation";
    case SpvExecutionModelGeometry: return "geometry";
    case SpvExecutionModelFragment: return "fragment";
    case SpvExecutionModelGLCompute: return "compute";
    }
    return "other";
}

/* The entry points a module has, as "'main' (vertex), 'f' (compute)". */
static void list_entries(const uint32_t *words, uint32_t count, rp_text *text) {
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16) {
        if ((words[at] & 0xffff) != SpvOpEntryPoint) continue;
        if (text->size) rp_text_string(text, ", ");
        rp_text_format(text, "'%s' (%s)", (const char *)(words + at + 3),
                       model_name(words[at + 1]));
    }
}

/* Whether the module has the entry point; the scan cannot fail on a valid module otherwise. */
static rp_status check_entry(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                             const char *entry) {
    rp_spirv_info info;
    char why[128];
    if (rp_spirv_scan(words, count, entry, &info, why)) return RP_OK;
    rp_text text;
    rp_text_init(&text, where->allocator);
    list_entries(words, count, &text);
    rp_kernel_error(where, "%s; the module has %s", why, text.size ? text.data : "none at all");
    rp_text_free(&text);
    return RP_ERROR_INVALID;
}

rp_status rp_spirv_validate(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                            const char *entry) {
    if (count > 0 && words[0] == __builtin_bswap32(SpvMagicNumber))
        return rp_kernel_error(where, "the SPIR-V is big-endian; expected little-endian words");
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
    spv_validator_options options = spvValidatorOptionsCreate();
    rp_status status = RP_ERROR_NO_MEMORY;
    if (context && options) {
        spvValidatorOptionsSetUniversalLimit(options, spv_validator_limit_max_id_bound,
                                             RP_SPIRV_MAX_ID_BOUND);
        /* What a device must offer for these layouts is found when the plan is built. */
        spvValidatorOptionsSetScalarBlockLayout(options, true);
        spvValidatorOptionsSetUniformBufferStandardLayout(options, true);
        spv_const_binary_t binary = {.code = words, .wordCount = count};
        spv_diagnostic diagnostic = NULL;
        status = RP_OK;
        if (spvValidateWithOptions(context, options, &binary, &diagnostic) != SPV_SUCCESS) {
            const char *text =
                diagnostic && diagnostic->error ? diagnostic->error : "no reason given";
            rp_kernel_error(where, "not valid SPIR-V for Vulkan 1.2: %.*s",
                            (int)strcspn(text, "\n"), text);
            status = RP_ERROR_INVALID;
        }
        spvDiagnosticDestroy(diagnostic);
    }
    if (options) spvValidatorOptionsDestroy(options);
    if (context) spvContextDestroy(context);
    RP_TRY(status);
    return check_entry(where, words, count, entry);
}

rp_status rp_spirv_check_needs(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                               const char *entry) {
    rp_spirv_info info;
    char why[128];
    if (!rp_spirv_scan(words, count, entry, &info, why)) return rp_kernel_error(where, "%s", why);
    if (info.needs & RP_NEED_DEVICE_ADDRESS)
        return rp_kernel_error(where,
                               "uses buffer device addresses: memory that the graph does not "
                               "name cannot be synchronised; bind buffers instead");
    if (info.unsupported[0])
        return rp_kernel_error(where, "needs %s, which plans do not offer", info.unsupported);
    return RP_OK;
}
