/* Live values given on the command line. All elements of one --set go to the runtime in one call,
 * so that a grid which depends on several is never computed from half of them. */
#include "live.h"

#include <stdlib.h>
#include <string.h>
#include "message.h"
#include "sizes.h"
#include "values.h"

/* Splits "name[3]" into the name and 3. False when the index is malformed. */
static bool split_index(char *name, uint32_t *first) {
    char *bracket = strchr(name, '[');
    *first = 0;
    if (!bracket) return true;
    char *end = strchr(bracket, ']');
    int64_t index;
    if (!end || end[1]) return false;
    *end = '\0';
    bool fine = cli_number(bracket + 1, 0, RP_MAX_LIVE_BYTES, &index);
    *bracket = '\0';
    *first = fine ? (uint32_t)index : 0;
    return fine;
}

/* ---- Members of live blocks ------------------------------------------------------------------ */

/* Reads "1,2,3" as numbers of a member; `numbers` has room for them. */
static int parse_numbers(const cli_command *command, const cli_pair *pair,
                         const rp_block_member *member, unsigned char *numbers) {
    uint64_t width = rp_dtype_size(member->dtype), count = 0, room = member->number_bytes / width;
    for (const char *text = pair->text;; text++) {
        size_t length = strcspn(text, ",");
        if (count == room)
            return cli_usage(command, "--set: '%s' has %llu numbers, more are given", pair->name,
                             (unsigned long long)room);
        if (!cli_parse_element(member->dtype, text, length, numbers + width * count++))
            return cli_usage(command, "--set: '%.*s' is no value of type %s", (int)length, text,
                             rp_dtype_name(member->dtype));
        text += length;
        if (!*text) break;
    }
    if (count == room) return CLI_OK;
    return cli_usage(command, "--set: '%s' has %llu numbers, not %llu", pair->name,
                     (unsigned long long)room, (unsigned long long)count);
}

/* Sets the bytes that numbers take in a block, and none between them. */
static rp_status write_member(const rp_pipeline *pipeline, const char *path, const char *buffer,
                              const rp_block_member *member, const unsigned char *numbers,
                              rp_exec *exec, uint32_t slot, rp_diags *diags) {
    size_t end = (size_t)(member->offset + member->bytes);
    unsigned char *block = cli_alloc(end, 1), *mask = cli_alloc(end, 1);
    unsigned char *ones = cli_alloc((size_t)member->number_bytes, 1);
    memset(ones, 1, (size_t)member->number_bytes);
    rp_status status =
        rp_pipeline_pack(pipeline, path, numbers, (size_t)member->number_bytes, block, end, diags);
    if (status == RP_OK)
        status =
            rp_pipeline_pack(pipeline, path, ones, (size_t)member->number_bytes, mask, end, diags);
    for (size_t at = 0, next; at < end && status == RP_OK; at = next) {
        next = at + 1;
        while (next < end && mask[next] == mask[at]) next++;
        if (mask[at])
            status = rp_exec_set_live(exec, slot, buffer, (uint32_t)at, block + at,
                                      (uint32_t)(next - at), diags);
    }
    free(block);
    free(mask);
    free(ones);
    return status;
}

/* "camera.near=0.5". */
static int set_member(const cli_command *command, const rp_pipeline *pipeline, const char *file,
                      const cli_pair *pair, const char *buffer, const rp_block_member *member,
                      rp_exec *exec, uint32_t slot) {
    if (member->number_bytes == 0)
        return cli_usage(command, "--set: '%s' is a struct: set its members", pair->name);
    if (member->dtype == RP_RAW)
        return cli_usage(command, "--set: '%s' has numbers that are not set here", pair->name);
    unsigned char *numbers = cli_alloc((size_t)member->number_bytes, 1);
    int result = parse_numbers(command, pair, member, numbers);
    if (result == CLI_OK && exec) {
        rp_diags *diags = cli_diags();
        rp_status status =
            write_member(pipeline, pair->name, buffer, member, numbers, exec, slot, diags);
        result = cli_report(diags, file, status);
        rp_diags_destroy(diags);
    }
    free(numbers);
    return result;
}

/* The live buffer whose name a path begins with; NULL for none. */
static const char *buffer_of(const rp_plan *plan, const char *path) {
    const char *best = NULL;
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info buffer = cli_plan_buffer(plan, i);
        size_t length = strlen(buffer.name);
        bool begins = buffer.kind == RP_LIVE && !strncmp(path, buffer.name, length) &&
                      (path[length] == '.' || path[length] == '[');
        if (begins && (!best || length > strlen(best))) best = buffer.name;
    }
    return best;
}

/* Notes sizes for the shapes of arrays, before there is an exec. What it would refuse is said here: else
 * the array would be blamed for a shape that no buffer can have. */
static int note_sizes(const char *file, const rp_plan_buffer_info *buffer, uint32_t first,
                      const unsigned char *values, uint32_t count) {
    for (uint32_t i = 0; i < count && buffer->dtype == RP_U32; i++) {
        uint32_t value;
        memcpy(&value, values + 4 * (size_t)i, sizeof value);
        if (value > buffer->max_value) {
            cli_error(file, "%s[%u] cannot be set to %u: its declared maximum is %u", buffer->name,
                      first + i, value, buffer->max_value);
            return CLI_INPUT;
        }
        cli_sizes_note(buffer->name, first + i, value);
    }
    return CLI_OK;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static int set_one(const cli_command *command, const rp_plan *plan, const rp_pipeline *pipeline,
                   const char *file, const cli_pair *pair, char *name, rp_exec *exec,
                   uint32_t slot) {
    uint32_t first, count = 0;
    rp_block_member member = {.size = sizeof member};
    const char *block = pipeline ? buffer_of(plan, pair->name) : NULL;
    if (block && strchr(pair->name, '.') &&
        rp_pipeline_member(pipeline, pair->name, NULL, &member) == RP_OK)
        return set_member(command, pipeline, file, pair, block, &member, exec, slot);
    if (!split_index(name, &first))
        return cli_usage(command, "--set: '%s' is no NAME or NAME[INDEX]", pair->name);
    uint32_t index = cli_find_buffer(command, plan, "--set", name, CLI_ROLES_LIVE);
    if (index == UINT32_MAX) return CLI_USAGE;
    rp_plan_buffer_info buffer = cli_plan_buffer(plan, index);
    uint32_t width = rp_dtype_size(buffer.dtype);
    uint64_t room = buffer.bytes / width;
    unsigned char *values = cli_alloc((size_t)buffer.bytes + 1, 1);
    int result = CLI_OK;
    for (const char *text = pair->text; result == CLI_OK;) {
        size_t length = strcspn(text, ",");
        if (first + (uint64_t)count >= room) {
            result =
                cli_usage(command, "--set: '%s' has %llu elements, element %u is behind its end",
                          name, (unsigned long long)room, first + count);
        } else if (!cli_parse_element(buffer.dtype, text, length, values + (size_t)count * width)) {
            result = cli_usage(command, "--set: '%.*s' is no value of type %s", (int)length, text,
                               rp_dtype_name(buffer.dtype));
        }
        count++;
        if (!text[length]) break;
        text += length + 1;
    }
    if (result == CLI_OK && !exec) result = note_sizes(file, &buffer, first, values, count);
    if (result == CLI_OK && exec) {
        rp_diags *diags = cli_diags();
        rp_status status = rp_exec_set_live(exec, slot, buffer.name, first, values, count, diags);
        result = cli_report(diags, file, status);
        rp_diags_destroy(diags);
    }
    free(values);
    return result;
}

int cli_live_set(const cli_command *command, const rp_plan *plan, const rp_pipeline *pipeline,
                 const char *file, const cli_pairs *given, rp_exec *exec, uint32_t slot) {
    int result = CLI_OK;
    for (uint32_t i = 0; i < given->count && result == CLI_OK; i++) {
        size_t size = strlen(given->items[i].name) + 1;
        char *name = cli_alloc(size, 1);
        memcpy(name, given->items[i].name, size);
        result = set_one(command, plan, pipeline, file, &given->items[i], name, exec, slot);
        free(name);
    }
    return result;
}

int cli_leave_out(const cli_texts *switches, const char *file, rp_exec *exec, uint32_t slot) {
    rp_diags *diags = cli_diags();
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < switches->count && status == RP_OK; i++)
        status = rp_exec_enable(exec, slot, switches->items[i], 0, diags);
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result;
}
