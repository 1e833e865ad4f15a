/* How long a replay takes. */
#ifndef CLI_MEASURE_WHOLE_H
#define CLI_MEASURE_WHOLE_H

#include "device.h"
#include "source.h"

typedef struct cli_measured {
    char device[600]; /* "NVIDIA H200, driver 550.54": what a time belongs to */
    uint32_t form;    /* of the plan that ran; UINT32_MAX: none */
    double whole_ns;
} cli_measured;

/* Replays a pipeline or a plan with data that is made up, `rounds` times (0: 20), and takes the median of the GPU's time. An
 * exit status after messages. */
int cli_measure_whole(const cli_command *command, cli_source *source, const rp_pass_options *passes,
                      cli_device *device, uint32_t rounds, cli_measured *out);

#endif
