/* Files of arrays: which file, which array, and whether it is what a buffer wants. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "message.h"
#include "weights.h"

size_t cli_weights_path(const char *text) {
    static const char ending[] = ".safetensors";
    size_t length = 0;
    for (const char *at = text; (at = strstr(at, ending)); at++) {
        const char *end = at + sizeof ending - 1;
        if (*end == '\0' || *end == ':') length = (size_t)(end - text);
    }
    return length;
}

/* Keeps a file; its index. */
static uint32_t add(cli_weights *weights, rp_weights *file, char *path) {
    uint32_t count = weights->count;
    rp_weights **files = cli_alloc(count + 1, sizeof(rp_weights *));
    char **paths = cli_alloc(count + 1, sizeof(char *));
    for (uint32_t i = 0; i < count; i++) {
        files[i] = weights->files[i];
        paths[i] = weights->paths[i];
    }
    free(weights->files);
    free(weights->paths);
    files[count] = file;
    paths[count] = path;
    *weights = (cli_weights){files, paths, count + 1};
    return count;
}

static char *copy_path(const char *path, size_t length) {
    char *copy = cli_alloc(length + 1, 1);
    memcpy(copy, path, length);
    return copy;
}

/* The same with what opening it came to, which is said: where that failed it is a file refused. */
static int keep(cli_weights *weights, rp_status status, rp_diags *diags, rp_weights *file,
                char *path, uint32_t *out_file) {
    int result = cli_report(diags, path, status);
    rp_diags_destroy(diags);
    *out_file = add(weights, file, path);
    return result;
}

int cli_weights_open(cli_weights *weights, const char *path, size_t length, uint32_t *out_file) {
    char *copy = copy_path(path, length);
    for (uint32_t i = 0; i < weights->count; i++) {
        if (strcmp(weights->paths[i], copy)) continue;
        free(copy);
        *out_file = i;
        return CLI_OK;
    }
    rp_weights *file = NULL;
    cli_file_note(copy);
    rp_diags *diags = cli_diags();
    rp_status status = rp_weights_open(NULL, copy, diags, &file);
    return keep(weights, status, diags, file, copy, out_file);
}

int cli_weights_open_npy(cli_weights *weights, const char *path, uint64_t most,
                         uint32_t *out_file) {
    rp_weights *file = NULL;
    cli_file_note(path);
    rp_diags *diags = cli_diags();
    rp_status status = rp_weights_open_npy(NULL, path, most, diags, &file);
    return keep(weights, status, diags, file, copy_path(path, strlen(path)), out_file);
}

bool cli_weights_refused(const cli_weights *weights, const char *path, size_t length) {
    for (uint32_t i = 0; i < weights->count; i++)
        if (!weights->files[i] && strlen(weights->paths[i]) == length &&
            memcmp(weights->paths[i], path, length) == 0)
            return true;
    return false;
}

void cli_weights_close(cli_weights *weights) {
    for (uint32_t i = 0; i < weights->count; i++) {
        rp_weights_close(weights->files[i]);
        free(weights->paths[i]);
    }
    free(weights->files);
    free(weights->paths);
    *weights = (cli_weights){0};
}

bool cli_weights_has(const cli_weights *weights, uint32_t file, const char *tensor) {
    return rp_weights_find(weights->files[file], tensor) != UINT32_MAX;
}

static int no_tensor(const cli_weights *weights, uint32_t file, const char *tensor) {
    const rp_weights *w = weights->files[file];
    uint32_t count = rp_weights_count(w);
    const char **names = cli_alloc((size_t)count + 1, sizeof *names);
    for (uint32_t i = 0; i < count; i++) names[i] = rp_weights_get(w, i)->name;
    const char *near = cli_nearest(tensor, names);
    cli_error(weights->paths[file], "has no tensor '%s'%s%s%s; it has %" PRIu32, tensor,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", count);
    free(names);
    return CLI_INPUT;
}

static int take(const cli_weights *weights, uint32_t file, uint32_t index,
                const rp_plan_buffer_info *buffer, rp_weight *out) {
    const rp_weights *w = weights->files[file];
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, weights->paths[file], rp_weights_check(w, index, buffer, diags));
    rp_diags_destroy(diags);
    *out = *rp_weights_get(w, index);
    return result;
}

int cli_weights_take(const cli_weights *weights, uint32_t file, const char *tensor,
                     const rp_plan_buffer_info *buffer, rp_weight *out) {
    uint32_t index = rp_weights_find(weights->files[file], tensor);
    if (index == UINT32_MAX) return no_tensor(weights, file, tensor);
    return take(weights, file, index, buffer, out);
}

int cli_weights_take_npy(const cli_weights *weights, uint32_t file,
                         const rp_plan_buffer_info *buffer, rp_weight *out) {
    return take(weights, file, 0, buffer, out);
}
