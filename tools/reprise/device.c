/* Opening a device takes a second on some drivers, so a command does it once, and asks for it before
 * the pipeline is read only where what is read depends on it. */
#include "device.h"

#include "message.h"

static rp_status open(cli_device *device, rp_diags *diags) {
    const rp_device_params params = {
        .size = sizeof params, .select = device->select, .validation = device->validate};
    return device->handle ? RP_OK : rp_device_create(NULL, &params, diags, &device->handle);
}

int cli_device_open(cli_device *device) {
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, NULL, open(device, diags));
    rp_diags_destroy(diags);
    return result;
}

void cli_device_close(cli_device *device) {
    rp_device_destroy(device->handle, NULL);
    device->handle = NULL;
}

bool cli_device_target(cli_device *device, rp_target *out) {
    rp_target target = RP_TARGET_INIT;
    if (open(device, NULL) != RP_OK || rp_device_target(device->handle, &target) != RP_OK)
        return false;
    *out = target;
    return true;
}
