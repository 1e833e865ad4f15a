/* GLSL to SPIR-V with shaderc: Vulkan 1.2, SPIR-V 1.5, no debug information, deterministic.
 *
 * A shader is compiled twice. The unoptimised words keep what the optimiser removes: the names, and
 * the bindings and constants that the code does not use. An author who binds a block that happens
 * to be unused under some #define must not be told that it does not exist. shaderc can keep unused
 * bindings only in later versions, and never names. The optimised words are what a driver gets;
 * they cost most of the time, and are made when the others have been accepted.
 *
 * shaderc's "file:line: error: text" lines become diagnostics at that line. */
#include "kernel/glsl.h"

#include <ctype.h>
#include <stdio.h>

/* ---- Messages -------------------------------------------------------------------------------- */

static const char *find(const char *text, size_t size, const char *wanted) {
    size_t length = strlen(wanted);
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(text + i, wanted, length) == 0) return text + i;
    return NULL;
}

/* Turns "file:line: error: text", or the same without line, into a diagnostic. Returns whether it
 * is an error. */
static bool add_message(const rp_kernel_where *where, const char *line, size_t size) {
    const char *mark = find(line, size, ": error: ");
    rp_severity severity = mark ? RP_ERROR : RP_WARNING;
    size_t mark_size = mark ? 9 : 11;
    if (!mark) mark = find(line, size, ": warning: ");
    if (!mark) return false; /* "1 error generated." */
    const char *text = mark + mark_size, *name_end = mark;
    while (name_end > line && isdigit((unsigned char)name_end[-1])) name_end--;
    uint32_t number = 0;
    if (name_end < mark && name_end > line && name_end[-1] == ':') {
        for (const char *c = name_end; c < mark && number < 100000000; c++)
            number = number * 10 + (uint32_t)(*c - '0');
        name_end--;
    } else {
        name_end = mark;
    }
    char *file = rp_alloc_zero(where->allocator, (size_t)(name_end - line) + 1, 1);
    if (file) memcpy(file, line, (size_t)(name_end - line));
    rp_diags_add(where->diags, severity, file, number, 0, "%.*s", (int)(line + size - text), text);
    rp_release(where->allocator, file);
    return severity == RP_ERROR;
}

/* All messages of a compilation; returns whether one was an error. */
static bool add_messages(const rp_kernel_where *where, const char *text) {
    bool error = false;
    while (text && *text) {
        size_t size = strcspn(text, "\n");
        error |= add_message(where, text, size);
        text += size + (text[size] == '\n');
    }
    return error;
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static rp_status run_shaderc(const rp_glsl_source *source, rp_guard_output output,
                             rp_guard_result *out) {
    const rp_kernel_params *params = source->params;
    const rp_guard_shader shader = {.glsl = source->text,
                                    .file = source->file,
                                    .defines = params->defines,
                                    .define_count = params->define_count,
                                    .output = output,
                                    .resolve = rp_glsl_resolve,
                                    .release = rp_glsl_release,
                                    .user = (void *)source};
    rp_status status = rp_guard_compile(source->where->allocator, &shader, out);
    if (source->no_memory) { /* shaderc takes it for an include that is not there */
        rp_release(source->where->allocator, out->messages);
        rp_release(source->where->allocator, out->words);
        rp_release(source->where->allocator, out->text);
        *out = (rp_guard_result){0};
        return RP_ERROR_NO_MEMORY;
    }
    if (status == RP_OK || status == RP_ERROR_NO_MEMORY) return status;
    return rp_kernel_error(source->where, "shaderc failed");
}

/* Whether a definition says what the define does: "TILE 16" and "TILE=16". */
static bool says_the_same(const rp_glsl_own *own, const char *define) {
    size_t name = strcspn(define, "=");
    const char *value = define[name] ? define + name + 1 : "", *text = own->text + name;
    if (strncmp(own->text, define, name) != 0) return false;
    return strcmp(text + strspn(text, " \t"), value) == 0;
}

/* Tells of the definitions in files that gave way, where they count. */
static rp_status tell_of_own(rp_glsl_source *source) {
    rp_guard_result result;
    if (source->own_count == 0) return RP_OK;
    RP_TRY(rp_glsl_source_again(source, true));
    RP_TRY(run_shaderc(source, RP_GUARD_TEXT, &result));
    if (result.text) rp_glsl_find_marks(source, result.text);
    for (uint32_t i = 0; i < source->own_count; i++) {
        const rp_glsl_own *own = &source->own[i];
        const char *define = source->params->defines[own->define];
        if (!own->counts || says_the_same(own, define)) continue;
        rp_diags_add(source->where->diags, RP_NOTE, own->file, own->line, 0,
                     "'#define %.60s' gives way to '%.60s', which kernel '%s' is built with",
                     own->text, define, source->where->kernel);
    }
    rp_release(source->where->allocator, result.messages);
    rp_release(source->where->allocator, result.text);
    return RP_OK;
}

static rp_status compile(rp_glsl_source *source, rp_glsl_level level, uint32_t **out_words,
                         uint32_t *out_count) {
    const rp_kernel_where *where = source->where;
    bool plain = level == RP_GLSL_PLAIN; /* the other compilation has the same messages */
    rp_guard_result result;
    RP_TRY(run_shaderc(source, plain ? RP_GUARD_WORDS : RP_GUARD_OPTIMISED, &result));
    bool error = plain && add_messages(where, result.messages);
    bool unfit = !plain && !result.words && strstr(result.messages, "failed to optimize");
    rp_status status = RP_OK;
    if (unfit)
        status = RP_OK; /* it compiled before, and was mended */
    else if (!result.words && !error)
        status = rp_kernel_error(where, "shaderc failed: %.400s", result.messages);
    else if (!result.words)
        status = RP_ERROR_INVALID;
    rp_release(where->allocator, result.messages);
    if (result.words) status = rp_glsl_mend(where->allocator, result.words, result.count);
    if (status == RP_ERROR_NO_MEMORY) {
        rp_release(where->allocator, result.words);
        return status;
    }
    *out_words = result.words;
    *out_count = result.count;
    if (status == RP_OK && plain) status = tell_of_own(source);
    return status;
}

rp_status rp_glsl_compile(const rp_kernel_where *where, const rp_kernel_params *params,
                          rp_glsl_level level, uint32_t **out_words, uint32_t *out_count) {
    rp_glsl_source source;
    rp_status status = rp_glsl_source_make(where, params, &source);
    if (status == RP_OK) status = compile(&source, level, out_words, out_count);
    rp_glsl_source_free(&source);
    return status;
}
