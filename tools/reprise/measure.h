/* What things cost on a device: `reprise devices --measure`. */
#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include <stdbool.h>
#include "reprise/runtime.h"

/* Measures the costs in RP_TARGET_LIST that kernels can measure, in less than ten seconds, and puts
 * them in place of those that `target` has; whatever cannot be measured stays. *out_late: something
 * was left out for want of time. */
rp_status cli_measure(rp_device *device, rp_target *target, bool *out_late, rp_diags *diags);

#endif
