/* --target: by name, from a device or from a file. */
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "files.h"
#include "message.h"
#include "reprise/runtime.h"

enum { MOST_BYTES = 1 << 20 }; /* such a file has a few hundred */

static int from_device(rp_target *out) {
    rp_device *device = NULL;
    rp_diags *diags = cli_diags();
    rp_status status = rp_device_create(NULL, NULL, diags, &device);
    if (status == RP_OK) status = rp_device_target(device, out);
    int result = cli_report(diags, NULL, status);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return result;
}

int cli_target_read(const char *text, rp_target *out) {
    *out = (rp_target)RP_TARGET_INIT;
    if (strcmp(text, "device") == 0) return from_device(out);
    const rp_target *builtin = rp_target_builtin(text);
    if (builtin) {
        *out = *builtin;
        return CLI_OK;
    }
    size_t size;
    struct stat info;
    int descriptor = cli_file_open(text, "the limits of a device", &info);
    if (descriptor < 0) return CLI_INPUT;
    char *file = cli_file_read(descriptor, text, MOST_BYTES, &size);
    close(descriptor);
    if (!file) return CLI_INPUT;
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, text, rp_target_parse(file, size, text, diags, out));
    rp_diags_destroy(diags);
    free(file);
    return result;
}
