/* Arrays from .safetensors files: which file, which array, and whether it is what a buffer wants.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "message.h"
#include "npy.h"
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

int cli_weights_open(cli_weights *weights, const char *path, size_t length, uint32_t *out_file) {
    char *copy = cli_alloc(length + 1, 1);
    memcpy(copy, path, length);
    for (uint32_t i = 0; i < weights->count; i++) {
        if (strcmp(weights->paths[i], copy)) continue;
        free(copy);
        *out_file = i;
        return CLI_OK;
    }
    rp_weights *file = NULL;
    cli_file_note(copy);
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, copy, rp_weights_open(NULL, copy, diags, &file));
    rp_diags_destroy(diags);
    if (result != CLI_OK) {
        free(copy);
        return result;
    }
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
    paths[count] = copy;
    *weights = (cli_weights){files, paths, count + 1};
    *out_file = count;
    return CLI_OK;
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
    for (uint32_t i = 0; i < count; i++) names[i] = rp_weights_get(w, i).name;
    const char *near = cli_nearest(tensor, names);
    cli_error(weights->paths[file], "has no tensor '%s'%s%s%s; it has %" PRIu32, tensor,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", count);
    free(names);
    return CLI_INPUT;
}

int cli_weights_take(const cli_weights *weights, uint32_t file, const char *tensor,
                     const rp_plan_buffer_info *buffer, rp_weight *out, bool *widen) {
    const char *path = weights->paths[file];
    uint32_t index = rp_weights_find(weights->files[file], tensor);
    *widen = false;
    if (index == UINT32_MAX) return no_tensor(weights, file, tensor);
    *out = rp_weights_get(weights->files[file], index);
    if (buffer->dtype == RP_RAW || rp_dtype_block(buffer->dtype) > 1) {
        if (out->size == buffer->bytes && (buffer->dtype == RP_RAW || out->dtype == RP_U8))
            return CLI_OK;
        cli_error(path, "tensor '%s' has %" PRIu64 " bytes of %s; buffer '%s' needs %" PRIu64 "%s",
                  tensor, out->size, out->type, buffer->name, buffer->bytes,
                  buffer->dtype == RP_RAW ? "" : " of U8");
        return CLI_INPUT;
    }
    *widen = buffer->dtype == RP_F32 && !strcmp(out->type, "BF16");
    if (out->dtype != buffer->dtype && !*widen) {
        cli_error(path, "tensor '%s' is %s; buffer '%s' is %s%s", tensor, out->type, buffer->name,
                  rp_dtype_name(buffer->dtype),
                  !strcmp(out->type, "BF16") ? ": BF16 fits buffers of f32" : "");
        return CLI_INPUT;
    }
    if (cli_same_shape(out->rank, out->shape, buffer->rank, buffer->shape)) return CLI_OK;
    char have[256], want[256];
    uint32_t shown = out->rank < RP_MAX_RANK ? out->rank : RP_MAX_RANK;
    cli_npy_shape_text(shown, out->shape, have, sizeof have);
    cli_npy_shape_text(buffer->rank, buffer->shape, want, sizeof want);
    cli_error(path, "tensor '%s' has shape %s%s; buffer '%s' has shape %s", tensor, have,
              shown < out->rank ? " and more" : "", buffer->name, want);
    return CLI_INPUT;
}
