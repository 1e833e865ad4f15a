/* Printing what an exec and its device counted. */
#ifndef CLI_COUNTERS_H
#define CLI_COUNTERS_H

#include "reprise/runtime.h"

/* Text: a table of those that are not zero. JSON: all of them, {"exec": {...}, "device": {...}}. */
void cli_counters_print(rp_exec *exec, rp_device *device, int json);

#endif
