/* The arrays that go into a run: which file belongs to which buffer, and into the exec.
 *
 * Everything about files is checked before a device is opened, so that wrong input is found on a
 * machine without one. Files are mapped, and the device's staging memory is filled straight from
 * the mapping: weights are never copied in host memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arrays.h"
#include "message.h"
#include "png_file.h"
#include "sizes.h"
#include "values.h"

static bool takes_input(rp_buffer_kind kind) {
    return (unsigned)CLI_ROLES_INPUT >> kind & 1;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* How much of `text` is the path of a .safetensors file; 0 for a .npy file. With a tensor beside it
 * all is, whatever the file is called. */
static size_t tensor_path(const char *text, const char *tensor) {
    return tensor ? strlen(text) : cli_weights_path(text);
}

static bool was_refused(const cli_inputs *inputs, const char *text, const char *tensor) {
    size_t length = tensor_path(text, tensor);
    return cli_weights_refused(&inputs->weights, text, length ? length : strlen(text));
}

/* `text` is FILE.npy, FILE.safetensors or FILE.safetensors:TENSOR; `tensor` (may be NULL) wins over
 * the text's, and the buffer's name stands in for both. In silence where the file was refused
 * before. */
static int open_array(const rp_plan *plan, uint32_t index, const char *text, const char *tensor,
                      cli_inputs *inputs) {
    rp_plan_buffer_info buffer = cli_sized_buffer(plan, index);
    cli_array *array = &inputs->arrays[index];
    cli_weights *files = &inputs->weights;
    size_t length = tensor_path(text, tensor);
    uint32_t file;
    int status;
    if (was_refused(inputs, text, tensor)) return CLI_INPUT;
    if (!tensor && cli_is_png(text)) {
        status = cli_png_read(text, &buffer, &array->texels);
        if (status == CLI_OK)
            array->weight = (rp_weight){
                .name = buffer.name, .type = "png", .data = array->texels, .size = buffer.bytes};
        return status;
    }
    if (length) {
        const char *in_text = text[length] ? text + length + 1 : buffer.name;
        status = cli_weights_open(files, text, length, &file);
        if (status == CLI_OK)
            status =
                cli_weights_take(files, file, tensor ? tensor : in_text, &buffer, &array->weight);
    } else {
        uint64_t most = buffer.bytes * (buffer.dtype == RP_BF16 ? 2 : 1); /* as f32 */
        status = cli_weights_open_npy(files, text, most, &file);
        if (status == CLI_OK) status = cli_weights_take_npy(files, file, &buffer, &array->weight);
    }
    array->converted = rp_weight_converts(&array->weight, buffer.dtype);
    return status;
}

/* The pipeline's own file for a buffer, where it has one. */
static const rp_pipeline_data *pipeline_data(const rp_pipeline *pipeline, const char *buffer) {
    for (uint32_t i = 0; i < rp_pipeline_data_count(pipeline); i++) {
        const rp_pipeline_data *data = rp_pipeline_get_data(pipeline, i);
        if (!strcmp(data->buffer, buffer)) return data;
    }
    return NULL;
}

/* The first file of --weights that has an array of the buffer's name; *found is false when none
 * has. */
static int open_by_name(const rp_plan *plan, uint32_t index, const cli_input_files *files,
                        cli_inputs *inputs, bool *found) {
    const char *name = cli_plan_buffer(plan, index).name;
    *found = false;
    for (uint32_t i = 0; i < files->weights->count; i++) {
        uint32_t file;
        int status = cli_weights_open(&inputs->weights, files->weights->items[i],
                                      strlen(files->weights->items[i]), &file);
        if (status != CLI_OK) return status;
        if (!cli_weights_has(&inputs->weights, file, name)) continue;
        *found = true;
        return open_array(plan, index, files->weights->items[i], name, inputs);
    }
    return CLI_OK;
}

static int open_default(const rp_plan *plan, uint32_t index, const char *file,
                        const cli_input_files *files, cli_inputs *inputs) {
    rp_plan_buffer_info buffer = cli_sized_buffer(plan, index);
    const rp_pipeline_data *data = pipeline_data(files->pipeline, buffer.name);
    char name[512];
    if (data) {
        bool said = was_refused(inputs, data->path, data->tensor);
        int status = open_array(plan, index, data->path, data->tensor, inputs);
        if (status != CLI_OK && !said)
            cli_note("%s:%u:%u: buffer '%s' takes its data from this file", file, data->line,
                     data->column, buffer.name);
        return status;
    }
    bool found;
    int status = open_by_name(plan, index, files, inputs, &found);
    if (status != CLI_OK || found) return status;
    if (buffer.kind == RP_INOUT || files->optional) return CLI_OK; /* begins with zeros */
    if (buffer.bytes == 0) return CLI_OK;                          /* there is nothing to give */
    cli_buffer_text(&buffer, name, sizeof name);
    cli_error(file, "buffer %s of kind %s has no data; give it with -i %s=FILE.npy%s", name,
              rp_buffer_kind_name(buffer.kind), buffer.name,
              files->weights->count ? ": no file of --weights has it"
              : files->pipeline     ? " or with `data: FILE.npy` in the pipeline"
                                    : "");
    return CLI_INPUT;
}

/* All of --weights, needed or not. */
static int open_weights(const cli_input_files *files, cli_inputs *inputs) {
    int result = CLI_OK;
    for (uint32_t i = 0; i < files->weights->count; i++) {
        const char *path = files->weights->items[i];
        uint32_t file;
        if (cli_weights_refused(&inputs->weights, path, strlen(path))) continue; /* named twice */
        int status = cli_weights_open(&inputs->weights, path, strlen(path), &file);
        if (status > result) result = status;
    }
    return result;
}

int cli_inputs_open(const cli_command *command, const rp_plan *plan, const char *file,
                    const cli_input_files *files, cli_inputs *out) {
    int result = open_weights(files, out);
    if (result != CLI_OK) {
        cli_inputs_close(out);
        return result;
    }
    out->count = rp_plan_buffer_count(plan);
    out->arrays = cli_alloc(out->count + 1, sizeof *out->arrays);
    bool *named = cli_alloc(out->count + 1, sizeof *named);
    for (uint32_t i = 0; i < files->given->count && result != CLI_USAGE; i++) {
        const cli_pair *pair = &files->given->items[i];
        uint32_t index = cli_find_buffer(command, plan, "-i", pair->name, CLI_ROLES_INPUT);
        int status = index == UINT32_MAX ? CLI_USAGE
                     : named[index] ? cli_usage(command, "-i names buffer '%s' twice", pair->name)
                                    : open_array(plan, index, pair->text, NULL, out);
        if (index != UINT32_MAX) named[index] = true;
        if (status > result) result = status;
    }
    for (uint32_t i = 0; i < out->count && result != CLI_USAGE; i++) {
        if (named[i] || !takes_input(cli_plan_buffer(plan, i).kind)) continue;
        int status = open_default(plan, i, file, files, out);
        if (status > result) result = status;
    }
    free(named);
    if (result != CLI_OK) cli_inputs_close(out);
    return result;
}

void cli_inputs_close(cli_inputs *inputs) {
    for (uint32_t i = 0; i < inputs->count; i++) free(inputs->arrays[i].texels);
    free(inputs->arrays);
    cli_weights_close(&inputs->weights);
    *inputs = (cli_inputs){0};
}

/* ---- Uploading ------------------------------------------------------------------------------- */

/* What is done of all arrays, shown while it takes a while. */
typedef struct upload {
    rp_exec *exec;
    uint32_t slot;
    rp_diags *diags;
    uint64_t done, total;
} upload;

enum { PIECE = 64 << 20, SHOW_FROM = 256 << 20 };

static rp_status write_piece(upload *u, const char *buffer, uint64_t at, const void *data,
                             uint64_t size) {
    if (u->total >= SHOW_FROM)
        cli_progress("uploading %s: %.1f of %.1f GB", buffer, (double)u->done / 1e9,
                     (double)u->total / 1e9);
    u->done += size;
    return rp_exec_write(u->exec, u->slot, buffer, at, data, size, u->diags);
}

static rp_status upload_converted(upload *u, const rp_plan_buffer_info *buffer,
                                  const cli_array *array) {
    enum { VALUES = 1 << 16 };
    uint64_t width = rp_dtype_size(buffer->dtype), count = buffer->bytes / width;
    void *values = cli_alloc(VALUES, (size_t)width);
    rp_status status = RP_OK;
    for (uint64_t at = 0; at < count && status == RP_OK; at += VALUES) {
        uint64_t here = count - at < VALUES ? count - at : VALUES;
        status = rp_weight_convert(&array->weight, buffer->dtype, at, here, values);
        if (status == RP_OK)
            status = write_piece(u, buffer->name, width * at, values, width * here);
    }
    free(values);
    return status;
}

static rp_status upload_array(upload *u, const rp_plan_buffer_info *buffer,
                              const cli_array *array) {
    if (array->converted) return upload_converted(u, buffer, array);
    const rp_weight *w = &array->weight;
    rp_status status = RP_OK;
    for (uint64_t at = 0; at < w->size && status == RP_OK; at += PIECE) {
        uint64_t left = w->size - at;
        status = write_piece(u, buffer->name, at, (const char *)w->data + at,
                             left < PIECE ? left : PIECE);
    }
    return status;
}

/* Weights, and state that replays carry on, are there once for all slots. */
static bool is_uploaded(const cli_inputs *inputs, const rp_plan *plan, uint32_t i, uint32_t slot) {
    return inputs->arrays[i].weight.data && (slot == 0 || cli_plan_buffer(plan, i).kind == RP_IN);
}

int cli_inputs_upload(const cli_inputs *inputs, const rp_plan *plan, const char *file,
                      rp_exec *exec, uint32_t slot) {
    upload u = {.exec = exec, .slot = slot, .diags = cli_diags()};
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < inputs->count; i++)
        if (is_uploaded(inputs, plan, i, slot)) u.total += cli_sized_buffer(plan, i).bytes;
    for (uint32_t i = 0; i < inputs->count && status == RP_OK; i++) {
        rp_plan_buffer_info buffer = cli_sized_buffer(plan, i);
        if (is_uploaded(inputs, plan, i, slot))
            status = upload_array(&u, &buffer, &inputs->arrays[i]);
    }
    cli_progress(NULL);
    int result = cli_report(u.diags, file, status);
    rp_diags_destroy(u.diags);
    return result;
}
