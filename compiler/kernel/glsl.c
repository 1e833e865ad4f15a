/* GLSL to SPIR-V with shaderc: Vulkan 1.2, SPIR-V 1.5, no debug information, deterministic.
 *
 * A shader is compiled twice. The unoptimised words keep what the optimiser removes: the names, and
 * the bindings and constants that the code does not use. An author who binds a block that happens
 * to be unused under some #define must not be told that it does not exist. shaderc can keep unused
 * bindings only in later versions, and never names. The optimised words are what a driver gets;
 * they cost most of the time, and are made when the others have been accepted.
 *
 * #include is resolved against the folder of the including file. shaderc's "file:line: error: text"
 * lines become diagnostics at that line. */
#include "kernel/spirv.h"

#include <ctype.h>
#include <stdio.h>
#include "base/text.h"
#include "file.h"
#include "kernel/guard.h"

enum { MAX_INCLUDE_DEPTH = 64, MAX_INCLUDE_BYTES = 1 << 24 };

/* ---- #include -------------------------------------------------------------------------------- */

typedef struct include_file {
    shaderc_include_result result; /* what shaderc sees, first */
    char *path, *text;
    char why[RP_FILE_WHY]; /* without text */
} include_file;

/* What shaderc gets when there is no memory even for an error: an include that failed. */
static shaderc_include_result no_memory = {"", 0, "out of memory", 13, NULL};

static void release_include(void *user, shaderc_include_result *result) {
    const rp_kernel_where *where = user;
    if (result == &no_memory) return;
    include_file *file = (include_file *)result;
    rp_release(where->allocator, file->path);
    rp_release(where->allocator, file->text);
    rp_release(where->allocator, file);
}

/* The path of `name` as written in `from`. */
static char *include_path(const rp_allocator *a, const char *from, const char *name) {
    const char *slash = strrchr(from, '/');
    rp_text path;
    char *taken = NULL;
    rp_text_init(&path, a);
    if (name[0] != '/' && slash) rp_text_append(&path, from, (size_t)(slash - from) + 1);
    rp_text_string(&path, name);
    if (rp_text_take(&path, &taken, NULL) != RP_OK) return NULL;
    return taken;
}

static shaderc_include_result *resolve_include(void *user, const char *requested, int type,
                                               const char *requesting, size_t depth) {
    const rp_kernel_where *where = user;
    (void)type; /* "file" and <file> mean the same: there are no system folders */
    include_file *file = rp_alloc_zero(where->allocator, 1, sizeof *file);
    if (!file) return &no_memory;
    uint32_t size = 0;
    rp_status status = RP_ERROR_NO_MEMORY;
    if (depth >= MAX_INCLUDE_DEPTH) {
        snprintf(file->why, sizeof file->why, "the includes nest deeper than %d files",
                 MAX_INCLUDE_DEPTH);
        status = RP_ERROR_IO;
    } else if ((file->path = include_path(where->allocator, requesting, requested))) {
        status = rp_file_read(where->allocator, file->path, MAX_INCLUDE_BYTES, &file->text, &size,
                              file->why);
    }
    if (status == RP_ERROR_NO_MEMORY) snprintf(file->why, sizeof file->why, "out of memory");
    if (status == RP_OK)
        file->result =
            (shaderc_include_result){file->path, strlen(file->path), file->text, size, NULL};
    else
        file->result = (shaderc_include_result){"", 0, file->why, strlen(file->why), NULL};
    return &file->result;
}

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

/* ---- #version -------------------------------------------------------------------------------- */

/* Behind white space and comments; counts lines. */
static const char *skip_blank(const char *c, uint32_t *line) {
    for (;;) {
        if (c[0] == '/' && c[1] == '/') {
            c += strcspn(c, "\n");
        } else if (c[0] == '/' && c[1] == '*') {
            for (c += 2; *c && !(c[0] == '*' && c[1] == '/'); c++) *line += *c == '\n';
            if (*c) c += 2;
        } else if (isspace((unsigned char)*c)) {
            *line += *c++ == '\n';
        } else {
            return c;
        }
    }
}

/* "430" to "460 core", "310 es", "320 es". */
static bool is_served_version(const char *c) {
    static const char *const desktop[] = {"430", "440", "450", "460"}, *const es[] = {"310", "320"};
    size_t digits = strspn(c, "0123456789");
    const char *profile = c + digits + strspn(c + digits, " \t");
    size_t length = 0;
    while (isalnum((unsigned char)profile[length])) length++;
    for (size_t i = 0; digits == 3 && i < 4; i++)
        if (memcmp(c, desktop[i], 3) == 0)
            return length == 0 || (length == 4 && memcmp(profile, "core", 4) == 0);
    for (size_t i = 0; digits == 3 && i < 2; i++)
        if (memcmp(c, es[i], 3) == 0) return length == 2 && memcmp(profile, "es", 2) == 0;
    return false;
}

/* glslang writes to stdout when a version has no compute shaders, and a library must not. So such
 * versions never get there. */
static rp_status check_version(const rp_kernel_where *where, const rp_kernel_params *params) {
    uint32_t line = 1;
    const char *c = skip_blank(params->glsl, &line);
    bool found = *c == '#';
    if (found) c += 1 + strspn(c + 1, " \t");
    found = found && strncmp(c, "version", 7) == 0;
    if (found) c += 7 + strspn(c + 7, " \t");
    if (found && is_served_version(c)) return RP_OK;
    const char *file = params->glsl_file ? params->glsl_file : where->kernel;
    if (found)
        rp_diags_add(
            where->diags, RP_ERROR, file, line, 0,
            "'#version %.*s' has no compute shaders for Vulkan; expected 430 to 460, 310 es "
            "or 320 es",
            (int)strcspn(c, "\r\n") < 30 ? (int)strcspn(c, "\r\n") : 30, c);
    else
        rp_diags_add(where->diags, RP_ERROR, file, line, 0,
                     "a shader starts with its '#version'; expected '#version 450'");
    return RP_ERROR_INVALID;
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static rp_status check_defines(const rp_kernel_where *where, const rp_kernel_params *params) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < params->define_count; i++) {
        const char *define = params->defines[i] ? params->defines[i] : "";
        size_t name = strcspn(define, "=");
        bool valid = name > 0 && !isdigit((unsigned char)define[0]) && !strchr(define, '\n');
        for (size_t c = 0; c < name; c++)
            if (!isalnum((unsigned char)define[c]) && define[c] != '_') valid = false;
        if (!valid)
            status =
                rp_kernel_error(where, "'%s' is not a define; expected NAME or NAME=VALUE", define);
    }
    return status;
}

rp_status rp_glsl_compile(const rp_kernel_where *where, const rp_kernel_params *params,
                          rp_glsl_level level, uint32_t **out_words, uint32_t *out_count) {
    RP_TRY(check_version(where, params));
    RP_TRY(check_defines(where, params));
    bool plain = level == RP_GLSL_PLAIN; /* the other compilation has the same messages */
    const rp_guard_shader shader = {.glsl = params->glsl,
                                    .file = params->glsl_file ? params->glsl_file : where->kernel,
                                    .defines = params->defines,
                                    .define_count = params->define_count,
                                    .optimise = !plain,
                                    .resolve = resolve_include,
                                    .release = release_include,
                                    .user = (void *)where};
    rp_guard_result result;
    rp_status status = rp_guard_compile(where->allocator, &shader, &result);
    if (status == RP_ERROR_NO_MEMORY) return status;
    if (status != RP_OK) return rp_kernel_error(where, "shaderc failed");
    bool error = plain && add_messages(where, result.messages);
    if (!result.words && !error)
        status = rp_kernel_error(where, "shaderc failed: %.400s", result.messages);
    else if (!result.words)
        status = RP_ERROR_INVALID;
    rp_release(where->allocator, result.messages);
    *out_words = result.words;
    *out_count = result.count;
    return status;
}
