/* The arrays of a run: buffers by name, and results out of the exec and onto the disk. Inputs are
 * in inputs.c.
 *
 * Outputs are all written under temporary names before the first gets its own:
 * a run leaves every output or none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arrays.h"
#include "message.h"
#include "npy.h"
#include "png_file.h"
#include "output.h"
#include "sizes.h"
#include "values.h"

bool cli_pairs_add(cli_pairs *pairs, const char *text, uint32_t most) {
    if (!pairs->items) pairs->items = cli_alloc(most, sizeof *pairs->items);
    cli_pair pair;
    if (!cli_split(text, &pair.name, &pair.text)) return false;
    pairs->items[pairs->count++] = pair;
    return true;
}

void cli_pairs_free(cli_pairs *pairs) {
    for (uint32_t i = 0; i < pairs->count; i++) free(pairs->items[i].name);
    free(pairs->items);
    *pairs = (cli_pairs){0};
}

static bool has_role(rp_buffer_kind kind, unsigned roles) {
    return roles >> kind & 1;
}

/* Transients are in a plan's source alone: compiled, they are places in the arena. */
static bool is_transient(const rp_plan *plan, const char *name) {
    const char *text = rp_plan_source_text(plan, NULL);
    char line[256];
    int length = snprintf(line, sizeof line, "buf %%%s ", name);
    return text && length > 0 && (size_t)length < sizeof line && strstr(text, line);
}

uint32_t cli_find_buffer(const cli_command *command, const rp_plan *plan, const char *option,
                         const char *name, unsigned roles) {
    uint32_t count = rp_plan_buffer_count(plan), found = UINT32_MAX, fitting = 0;
    const char **names = cli_alloc(count + 1, sizeof *names);
    for (uint32_t i = 0; i < count; i++) {
        rp_plan_buffer_info buffer = cli_plan_buffer(plan, i);
        if (!strcmp(buffer.name, name)) found = i;
        if (has_role(buffer.kind, roles) && !buffer.follows) names[fitting++] = buffer.name;
    }
    const char *near = cli_nearest(name, names);
    if (found == UINT32_MAX && is_transient(plan, name)) {
        cli_usage(
            command,
            "%s: '%s' is a transient, of kind tmp: it lives inside a replay, and others share "
            "its memory; declare it in `buffers` with `kind: %s`",
            option, name, roles == CLI_ROLES_OUTPUT ? "out" : "in");
    } else if (found == UINT32_MAX && near) {
        cli_usage(command, "%s: no buffer '%s'; did you mean '%s'?", option, name, near);
    } else if (found == UINT32_MAX) {
        cli_usage(command, "%s: no buffer '%s'; 'reprise show --stats' lists them", option, name);
    } else {
        rp_buffer_kind kind = cli_plan_buffer(plan, found).kind;
        if (!has_role(kind, roles)) {
            const char *advice = kind == RP_LIVE            ? "set it with --set"
                                 : roles == CLI_ROLES_LIVE  ? "--set is for live buffers"
                                 : roles == CLI_ROLES_INPUT ? "it takes no data"
                                                            : "it holds no result";
            cli_usage(command, "%s: buffer '%s' is of kind %s; %s", option, name,
                      rp_buffer_kind_name(kind), advice);
            found = UINT32_MAX;
        }
    }
    free(names);
    return found;
}

/* ---- Results --------------------------------------------------------------------------------- */

int cli_results_read(const rp_plan *plan, const char *file, rp_exec *exec, uint32_t slot,
                     cli_results *out) {
    rp_diags *diags = cli_diags();
    rp_status status = RP_OK;
    out->count = rp_plan_buffer_count(plan);
    out->data = cli_alloc(out->count + 1, sizeof *out->data);
    for (uint32_t i = 0; i < out->count && status == RP_OK; i++) {
        rp_plan_buffer_info buffer = cli_sized_buffer(plan, i);
        if (!has_role(buffer.kind, CLI_ROLES_OUTPUT)) continue;
        out->data[i] = cli_alloc((size_t)buffer.bytes + 1, 1); /* of a size of 0, too */
        status = rp_exec_read(exec, slot, buffer.name, 0, out->data[i], buffer.bytes, diags);
    }
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result;
}

void cli_results_free(cli_results *results) {
    for (uint32_t i = 0; i < results->count; i++) free(results->data[i]);
    free(results->data);
    *results = (cli_results){0};
}

/* "[3, 4]" for an element of a buffer. */
static void element_text(const rp_plan_buffer_info *buffer, uint64_t element, char *text,
                         size_t size) {
    uint64_t at[RP_MAX_RANK] = {element};
    uint32_t rank = buffer->rank ? buffer->rank : 1;
    for (uint32_t d = buffer->rank; d-- > 0; element /= buffer->shape[d])
        at[d] = element % buffer->shape[d];
    size_t length = (size_t)snprintf(text, size, "[");
    for (uint32_t d = 0; d < rank && length < size; d++)
        length += (size_t)snprintf(text + length, size - length, "%s%" PRIu64 "%s", d ? ", " : "",
                                   at[d], d + 1 == rank ? "]" : "");
}

static bool compare_buffer(const char *file, const rp_plan_buffer_info *given, const uint8_t *a,
                           const uint8_t *b, const char *b_name) {
    rp_plan_buffer_info shown = cli_shown_buffer(given), *buffer = &shown;
    uint32_t width = rp_dtype_size(buffer->dtype);
    uint64_t count = buffer->bytes / width, different = 0, first = 0;
    for (uint64_t i = count; i-- > 0;) {
        if (cli_same_element(buffer->dtype, a, b, i)) continue;
        different++;
        first = i;
    }
    if (!different) return true;
    char where[256], bits[2][16];
    int digits = cli_digits(buffer->dtype);
    element_text(buffer, first, where, sizeof where);
    const uint8_t *sides[] = {a, b};
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < width; i++)
            snprintf(bits[side] + 2 * i, 3, "%02x", sides[side][first * width + width - 1 - i]);
    cli_error(file,
              "buffer '$%s' differs from %s: %" PRIu64 " of %" PRIu64 " elements, first at %s: "
              "%.*g (0x%s) here, %.*g (0x%s) with %s",
              buffer->name, b_name, different, count, where, digits,
              cli_element(buffer->dtype, a, first), bits[0], digits,
              cli_element(buffer->dtype, b, first), bits[1], b_name);
    return false;
}

/* Leaves the bytes that no node writes out of the comparison, by making them equal in `b`, and says
 * which they are. Returns how many. */
static uint64_t set_aside(const rp_plan *plan, uint32_t index, const uint8_t *a, uint8_t *b) {
    enum { NAMED = 4 };
    uint32_t count = 0;
    uint64_t bytes = 0;
    if (rp_plan_get_unwritten(plan, index, NULL, 0, &count) != RP_OK || count == 0) return 0;
    rp_plan_bytes *ranges = cli_alloc(count, sizeof *ranges);
    if (rp_plan_get_unwritten(plan, index, ranges, count, &count) != RP_OK) count = 0;
    rp_plan_buffer_info buffer = cli_sized_buffer(plan, index);
    const char *name = buffer.name;
    for (uint32_t i = 0; i < count; i++) {
        if (ranges[i].offset >= buffer.bytes) continue; /* behind its live size */
        if (ranges[i].size > buffer.bytes - ranges[i].offset)
            ranges[i].size = buffer.bytes - ranges[i].offset;
        memcpy(b + ranges[i].offset, a + ranges[i].offset, (size_t)ranges[i].size);
        bytes += ranges[i].size;
        if (i < NAMED)
            printf("not compared: bytes %" PRIu64 " to %" PRIu64
                   " of '$%s', which no node writes\n",
                   ranges[i].offset, ranges[i].offset + ranges[i].size, name);
    }
    if (count > NAMED) printf("not compared: %u more ranges of '$%s'\n", count - NAMED, name);
    free(ranges);
    return bytes;
}

int cli_results_compare(const rp_plan *plan, const char *file, const cli_results *a, cli_results *b,
                        const char *b_name) {
    uint64_t bytes = 0, buffers = 0;
    bool equal = true;
    for (uint32_t i = 0; i < a->count; i++) {
        rp_plan_buffer_info buffer = cli_sized_buffer(plan, i);
        if (!a->data[i]) continue;
        bytes += buffer.bytes - set_aside(plan, i, a->data[i], b->data[i]);
        equal &= compare_buffer(file, &buffer, a->data[i], b->data[i], b_name);
        buffers++;
    }
    if (!equal) return CLI_INPUT;
    printf("bit-equal to %s: %" PRIu64 " buffers, %" PRIu64 " bytes\n", b_name, buffers, bytes);
    return CLI_OK;
}

/* NumPy has no bf16: such arrays are saved as the f32 that they are. NULL for any other. */
static float *as_f32(const rp_plan_buffer_info *buffer, const void *data) {
    if (buffer->dtype != RP_BF16) return NULL;
    uint64_t count = buffer->bytes / rp_dtype_size(buffer->dtype);
    float *values = cli_alloc((size_t)count + 1, sizeof *values);
    for (uint64_t i = 0; i < count; i++) values[i] = (float)cli_element(buffer->dtype, data, i);
    return values;
}

/* Writes a file under its temporary name; NULL after a message. */
static cli_output *write_array(const rp_plan_buffer_info *given, const void *data,
                               const char *path) {
    rp_plan_buffer_info shown = cli_shown_buffer(given), *buffer = &shown;
    if (cli_is_png(path)) return cli_png_write(path, given, data);
    char header[CLI_NPY_HEADER];
    /* Raw bytes are a flat array of u1. */
    size_t length = buffer->dtype != RP_RAW
                        ? cli_npy_header(buffer->dtype, buffer->rank, buffer->shape, header)
                        : cli_npy_header(buffer->dtype, 1, &buffer->bytes, header);
    cli_output *output = cli_output_begin(path);
    if (!output) return NULL;
    float *values = as_f32(buffer, data);
    bool good = cli_output_write(output, header, length) &&
                cli_output_write(output, values ? values : data,
                                 (size_t)buffer->bytes * (values ? 2 : 1)) &&
                cli_output_finish(output);
    free(values);
    if (good) return output;
    cli_output_abandon(output);
    return NULL;
}

int cli_results_check(const cli_command *command, const rp_plan *plan, const cli_pairs *outputs) {
    for (uint32_t i = 0; i < outputs->count; i++) {
        const cli_pair *pair = &outputs->items[i];
        if (cli_find_buffer(command, plan, "-o", pair->name, CLI_ROLES_OUTPUT) == UINT32_MAX)
            return CLI_USAGE;
        for (uint32_t j = 0; j < i; j++)
            if (cli_output_same(pair->text, outputs->items[j].text))
                return cli_usage(command, "-o names the file '%s' twice: '%s' is the same",
                                 pair->text, outputs->items[j].text);
        int status = cli_output_check(pair->text);
        if (status != CLI_OK) return status;
        uint32_t index = cli_find_buffer(command, plan, "-o", pair->name, CLI_ROLES_OUTPUT);
        rp_plan_buffer_info buffer = cli_sized_buffer(plan, index);
        if (cli_is_png(pair->text) && !cli_png_fits(pair->text, &buffer)) return CLI_INPUT;
    }
    return CLI_OK;
}

int cli_results_save(const cli_command *command, const rp_plan *plan, const cli_results *results,
                     const cli_pairs *outputs, int summarise) {
    int result = CLI_OK;
    bool *saved = cli_alloc(results->count + 1, sizeof *saved);
    cli_output **files = cli_alloc(outputs->count + 1, sizeof(cli_output *));
    for (uint32_t i = 0; i < outputs->count && result == CLI_OK; i++) {
        uint32_t index =
            cli_find_buffer(command, plan, "-o", outputs->items[i].name, CLI_ROLES_OUTPUT);
        if (index == UINT32_MAX) {
            result = CLI_USAGE;
            break;
        }
        rp_plan_buffer_info buffer = cli_sized_buffer(plan, index);
        files[i] = write_array(&buffer, results->data[index], outputs->items[i].text);
        saved[index] = true;
        if (!files[i]) result = CLI_ENVIRONMENT;
    }
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (!files[i]) continue;
        if (result != CLI_OK)
            cli_output_abandon(files[i]);
        else if (!cli_output_commit(files[i]))
            result = CLI_ENVIRONMENT;
    }
    for (uint32_t i = 0; i < results->count && result == CLI_OK; i++) {
        rp_plan_buffer_info buffer = cli_sized_buffer(plan, i);
        if (summarise && results->data[i] && !saved[i])
            cli_print_summary(&buffer, results->data[i]);
    }
    free(files);
    free(saved);
    return result;
}
