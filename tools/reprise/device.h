/* The device that a command works on, opened when it is first wanted. */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include <stdbool.h>
#include "reprise/runtime.h"

typedef struct cli_device {
    const char *select; /* --device; NULL: the first that is suitable */
    bool validate;
    rp_device *handle; /* owned; NULL: not opened yet */
} cli_device;

/* Opens it unless it is open. An exit status, after messages where it is not CLI_OK. */
int cli_device_open(cli_device *device);
void cli_device_close(cli_device *device);
/* What is compiled for it, and measured against. Opens it too: early, before the files are known to be
 * right, and so in silence. False, with `out` as it was, where that fails; cli_device_open then says
 * why. */
bool cli_device_target(cli_device *device, rp_target *out);

#endif
