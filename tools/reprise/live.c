/* Live values given on the command line. All elements of one --set go to the runtime in one call,
 * so that a grid which depends on several is never computed from half of them. */
#include <stdlib.h>
#include <string.h>
#include "live.h"
#include "message.h"
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

static int set_one(const cli_command *command, const rp_plan *plan, const char *file,
                   const cli_pair *pair, char *name, rp_exec *exec) {
    uint32_t first, count = 0;
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
    if (result == CLI_OK && exec) {
        rp_diags *diags = cli_diags();
        rp_status status = rp_exec_set_live(exec, 0, buffer.name, first, values, count, diags);
        result = cli_report(diags, file, status);
        rp_diags_destroy(diags);
    }
    free(values);
    return result;
}

int cli_live_set(const cli_command *command, const rp_plan *plan, const char *file,
                 const cli_pairs *given, rp_exec *exec) {
    int result = CLI_OK;
    for (uint32_t i = 0; i < given->count && result == CLI_OK; i++) {
        size_t size = strlen(given->items[i].name) + 1;
        char *name = cli_alloc(size, 1);
        memcpy(name, given->items[i].name, size);
        result = set_one(command, plan, file, &given->items[i], name, exec);
        free(name);
    }
    return result;
}

int cli_leave_out(const cli_texts *switches, const char *file, rp_exec *exec) {
    rp_diags *diags = cli_diags();
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < switches->count && status == RP_OK; i++)
        status = rp_exec_enable(exec, 0, switches->items[i], 0, diags);
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result;
}
