/* SPIR-V validation, so that no driver ever sees a module that is not valid: drivers trust their
 * input and crash on bad modules. SPIRV-Tools judges the language and Vulkan's rules; then there
 * must be a compute entry point of the wanted name. */
#include "kernel/spirv.h"

#include <spirv/unified1/spirv.h>
#include <stdarg.h>
#include <stdio.h>
#include "base/text.h"
#include "kernel/guard.h"
#include "spirv/spirv.h"

enum { NEWEST = 0x00010600 };

void rp_spirv_forget_language(uint32_t *words, uint32_t count) {
    for (uint32_t at = RP_SPIRV_HEADER; at < count && words[at] >> 16;) {
        uint32_t op = words[at] & 0xffff, length = words[at] >> 16;
        if (op == SpvOpFunction) return;
        if (op == SpvOpSource && length > 1 && length <= count - at &&
            words[at + 1] > SpvSourceLanguageHLSL)
            words[at + 1] = SpvSourceLanguageUnknown;
        if (length > count - at) return;
        at += length;
    }
}

/* "kernel 'name': ..." at the place. */
static void add(const rp_kernel_where *where, rp_severity severity, const char *format,
                va_list args) {
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    rp_diags_add(where->diags, severity, where->place.file, where->place.line, where->place.column,
                 "kernel '%s': %s", where->kernel, text);
}

rp_status rp_kernel_error(const rp_kernel_where *where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add(where, RP_ERROR, format, args);
    va_end(args);
    return RP_ERROR_INVALID;
}

rp_status rp_kernel_not_offered(const rp_kernel_where *where, const char *what) {
    if (strstr(what, "arrays of bindings without a size"))
        return rp_kernel_error(where,
                               "it has arrays of bindings without a size: give them one in the "
                               "shader, or to the kernel ('arrays: 16', "
                               "rp_kernel_params.array_elements)");
    return rp_kernel_error(
        where, "needs %s, which plans do not offer: 'reprise devices --needs' lists what they do",
        what);
}

void rp_kernel_warn(const rp_kernel_where *where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add(where, RP_WARNING, format, args);
    va_end(args);
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

static bool has_entry(const uint32_t *words, uint32_t count, const char *entry) {
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16)
        if ((words[at] & 0xffff) == SpvOpEntryPoint &&
            words[at + 1] == SpvExecutionModelGLCompute &&
            strcmp((const char *)(words + at + 3), entry) == 0)
            return true;
    return false;
}

static rp_status check_entry(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                             const char *entry) {
    if (has_entry(words, count, entry)) return RP_OK;
    rp_text text;
    rp_text_init(&text, where->allocator);
    list_entries(words, count, &text);
    rp_kernel_error(where, "there is no compute entry point '%.64s'; the module has %s", entry,
                    text.size ? text.data : "none at all");
    rp_text_free(&text);
    return RP_ERROR_INVALID;
}

rp_status rp_spirv_check(const rp_allocator *a, const uint32_t *words, uint32_t count,
                         char why[512]) {
    uint32_t *known, known_count;
    RP_TRY(rp_matrices_to_nv(a, words, count, &known, &known_count, why));
    rp_status status = rp_guard_validate(known ? known : words, known ? known_count : count,
                                         RP_SPIRV_MAX_ID_BOUND, why);
    rp_release(a, known);
    return status;
}

/* What plans do not offer comes first: of some of it the validator has not heard. What it cannot parse
 * may be younger than it is. */
static rp_status not_valid(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                           const char *why) {
    char refused[RP_SPIRV_UNSUPPORTED];
    bool unknown = strncmp(why, "Invalid opcode", 14) == 0 || strstr(why, " operand: ");
    if (rp_spirv_refused(words, count, refused)) return rp_kernel_not_offered(where, refused);
    return rp_kernel_error(where, "not valid SPIR-V for Vulkan 1.%d: %s%s",
                           count > 1 && words[1] == NEWEST ? 3 : 2, why,
                           unknown ? ": it is damaged, or younger than the validator here: compile "
                                     "it without debug information, or for --target-env vulkan1.2"
                                   : "");
}

rp_status rp_spirv_validate(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                            const char *entry) {
    if (count > 0 && words[0] == __builtin_bswap32(SpvMagicNumber))
        return rp_kernel_error(where, "the SPIR-V is big-endian; expected little-endian words");
    if (count > 1 && words[0] == SpvMagicNumber && words[1] > NEWEST)
        return rp_kernel_error(
            where,
            "this is SPIR-V %u.%u, 1.6 is the newest that is taken: compile with "
            "--target-env vulkan1.3, or vulkan1.2 for older devices",
            words[1] >> 16 & 0xff, words[1] >> 8 & 0xff);
    char why[512];
    rp_status status = rp_spirv_check(where->allocator, words, count, why);
    if (status == RP_ERROR_INVALID) return not_valid(where, words, count, why);
    RP_TRY(status);
    return check_entry(where, words, count, entry);
}
