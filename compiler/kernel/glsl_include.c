/* #include in GLSL.
 *
 * "file" and <file> mean the same: a path relative to the folder of the file that includes it, else
 * of the file that includes that one, and so on up to the shader, as other compilers of GLSL look
 * for it; else relative to the include folders of the kernel, in their order. The prelude is
 * included too, by a name that no file has: its lines are then counted, and what it includes is
 * found, as its own.
 *
 * An include is refused when it is missing, or nests too deep, which is a cycle as a rule; not every
 * file that includes itself is one, since a condition may end it. What is read in all is bounded as
 * well: a file that includes itself twice would be read 2^64 times before depth ends it. */
#include "kernel/glsl.h"

#include <stdio.h>
#include "base/path.h"
#include "base/text.h"
#include "file.h"

enum { MAX_DEPTH = 64, MAX_FILE_BYTES = 1 << 24, MAX_FILES = 1 << 14, MAX_ALL_BYTES = 1 << 27 };

struct rp_glsl_file {
    shaderc_include_result result; /* what shaderc sees, first */
    char *path, *text;
    rp_glsl_id id;         /* zeros: of no file */
    char why[RP_GLSL_WHY]; /* without text */
};

/* What shaderc gets when there is no memory even for an error: an include that failed. */
static shaderc_include_result no_memory = {"", 0, "out of memory", 13, NULL};

void rp_glsl_release(void *user, shaderc_include_result *result) {
    rp_glsl_source *s = user;
    if (result == &no_memory) return;
    rp_glsl_file *file = (rp_glsl_file *)result;
    if (s->open_count && s->open[s->open_count - 1] == file) s->open_count--;
    rp_release(s->where->allocator, file->path);
    rp_release(s->where->allocator, file->text);
    rp_release(s->where->allocator, file);
}

/* ---- Looking for it -------------------------------------------------------------------------- */

/* `folder` and `name` with a '/' between; `folder` ends at `length`. */
static char *join(const rp_allocator *a, const char *folder, size_t length, const char *name) {
    rp_text path;
    char *taken = NULL;
    rp_text_init(&path, a);
    rp_text_append(&path, folder, length);
    if (length && folder[length - 1] != '/') rp_text_char(&path, '/');
    rp_text_string(&path, name);
    return rp_text_take(&path, &taken, NULL) == RP_OK ? taken : NULL;
}

static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The path of a name in the place-th folder where it may be; *more is false behind the last one. */
static char *candidate(const rp_glsl_source *s, const char *name, uint32_t place, bool *more) {
    const rp_allocator *a = s->where->allocator;
    *more = true;
    if (name[0] == '/' && place == 0) return join(a, "", 0, name);
    if (name[0] != '/' && place <= s->open_count) {
        const char *from =
            place < s->open_count ? s->open[s->open_count - 1 - place]->path : s->file;
        return join(a, from, folder_length(from), name);
    }
    uint32_t folder = place - s->open_count - 1;
    if (name[0] != '/' && folder < s->params->include_folder_count) {
        const char *path = s->params->include_folders[folder];
        return join(a, path, strlen(path), name);
    }
    *more = false;
    return NULL;
}

/* Sets the path, and the id of what is there. Where nothing is it is the nearest place. */
static rp_status find_file(rp_glsl_source *s, const char *name, rp_glsl_file *file) {
    bool more;
    for (uint32_t place = 0;; place++) {
        char *path = candidate(s, name, place, &more);
        if (!more) return RP_OK;
        if (!path) return RP_ERROR_NO_MEMORY;
        bool there = rp_path_identity(path, file->id.number);
        if (there || place == 0) {
            rp_release(s->where->allocator, file->path);
            file->path = path;
        } else {
            rp_release(s->where->allocator, path);
        }
        if (there) return RP_OK;
    }
}

/* ---- What is refused ------------------------------------------------------------------------- */

static bool same(rp_glsl_id a, rp_glsl_id b) {
    return a.number[0] == b.number[0] && a.number[1] == b.number[1];
}

/* "it includes itself: 'a.glsl' includes 'b.glsl' includes 'a.glsl'" where it does. */
static void say_too_deep(const rp_glsl_source *s, rp_glsl_file *file) {
    uint32_t last = s->open_count;
    while (last > 0 && !same(s->open[last - 1]->id, file->id)) last--;
    if (last == 0) {
        snprintf(file->why, RP_GLSL_WHY, "the includes nest deeper than %d files", MAX_DEPTH);
        return;
    }
    int used = snprintf(file->why, RP_GLSL_WHY, "it includes itself without end:");
    for (uint32_t i = last - 1; i < s->open_count && used < RP_GLSL_WHY - 200; i++)
        used += snprintf(file->why + used, (size_t)(RP_GLSL_WHY - used), " '%.100s' includes",
                         s->open[i]->path);
    snprintf(file->why + used, (size_t)(RP_GLSL_WHY - used),
             " '%.100s'; #pragma once, or #ifndef around the whole file, ends that", file->path);
}

static rp_status refuse_all(rp_glsl_source *s, const rp_glsl_file *file) {
    memcpy(s->why, file->why, RP_GLSL_WHY);
    s->full = true;
    return RP_ERROR_IO;
}

static bool is_once(const rp_glsl_source *s, const rp_glsl_file *file) {
    for (uint32_t i = 0; i < s->once_count; i++)
        if (same(s->once[i], file->id)) return true;
    return false;
}

/* ---- Reading it ------------------------------------------------------------------------------ */

/* Makes the file's text the one to be compiled. */
static rp_status take_text(rp_glsl_source *s, rp_glsl_file *file, char *text) {
    const rp_allocator *a = s->where->allocator;
    if (rp_glsl_take_once(text)) {
        if (!RP_RESERVE(a, s->once, s->once_count, s->once_capacity, 1)) return RP_ERROR_NO_MEMORY;
        s->once[s->once_count++] = file->id;
    }
    file->text = rp_glsl_give_way(s, file->path, text);
    return file->text ? RP_OK : RP_ERROR_NO_MEMORY;
}

static rp_status read_prelude(rp_glsl_source *s, rp_glsl_file *file) {
    const rp_allocator *a = s->where->allocator;
    const char *name = s->params->prelude_file ? s->params->prelude_file : "prelude";
    file->path = rp_dup(a, name, strlen(name) + 1);
    char *text = rp_dup(a, s->params->prelude, strlen(s->params->prelude) + 1);
    rp_status status = file->path && text ? take_text(s, file, text) : RP_ERROR_NO_MEMORY;
    rp_release(a, text);
    return status;
}

static rp_status read_file(rp_glsl_source *s, const char *name, rp_glsl_file *file) {
    const rp_allocator *a = s->where->allocator;
    RP_TRY(find_file(s, name, file));
    if (s->open_count >= MAX_DEPTH) {
        say_too_deep(s, file);
        return refuse_all(s, file);
    }
    if (is_once(s, file)) {
        file->text = rp_dup(a, "", 1);
        return file->text ? RP_OK : RP_ERROR_NO_MEMORY;
    }
    char *text;
    uint32_t size, most = MAX_ALL_BYTES - s->byte_count;
    RP_TRY(rp_file_read(a, file->path, most < MAX_FILE_BYTES ? most : MAX_FILE_BYTES, &text, &size,
                        file->why));
    s->byte_count += size;
    rp_status status = RP_ERROR_IO;
    if (memchr(text, '\0', size))
        snprintf(file->why, RP_GLSL_WHY, "it is not GLSL: it holds a zero byte");
    else
        status = take_text(s, file, text);
    rp_release(a, text);
    return status;
}

/* When too much was included the compilation has failed, and ends sooner without the rest. What was
 * refused as "file" is asked for once more, as <file>. */
static rp_status read_any(rp_glsl_source *s, const char *name, int type, rp_glsl_file *file) {
    if (s->full && type == shaderc_include_type_standard) {
        memcpy(file->why, s->why, RP_GLSL_WHY);
        return RP_ERROR_IO;
    }
    if (s->full) {
        file->path = rp_dup(s->where->allocator, name, strlen(name) + 1);
        file->text = rp_dup(s->where->allocator, "", 1);
        return file->path && file->text ? RP_OK : RP_ERROR_NO_MEMORY;
    }
    if (++s->file_count > MAX_FILES) {
        snprintf(file->why, RP_GLSL_WHY, "more than %d files are included in all", MAX_FILES);
        return refuse_all(s, file);
    }
    bool prelude = s->params->prelude && strcmp(name, RP_GLSL_PRELUDE) == 0;
    return prelude ? read_prelude(s, file) : read_file(s, name, file);
}

shaderc_include_result *rp_glsl_resolve(void *user, const char *requested, int type,
                                        const char *requesting, size_t depth) {
    rp_glsl_source *s = user;
    (void)requesting, (void)depth; /* the open files say the same */
    rp_glsl_file *file = rp_alloc_zero(s->where->allocator, 1, sizeof *file);
    s->no_memory |= !file;
    if (!file) return &no_memory;
    rp_status status = read_any(s, requested, type, file);
    if (status == RP_OK &&
        !RP_RESERVE(s->where->allocator, s->open, s->open_count, s->open_capacity, 1))
        status = RP_ERROR_NO_MEMORY;
    if (status == RP_ERROR_NO_MEMORY) snprintf(file->why, RP_GLSL_WHY, "out of memory");
    s->no_memory |= status == RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        s->open[s->open_count++] = file;
        file->result = (shaderc_include_result){file->path, strlen(file->path), file->text,
                                                strlen(file->text), NULL};
    } else {
        file->result = (shaderc_include_result){"", 0, file->why, strlen(file->why), NULL};
    }
    return &file->result;
}
