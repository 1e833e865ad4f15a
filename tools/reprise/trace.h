/* Traces: what the program and the device did when, as events that Perfetto and Chrome read. Nothing is kept unless one
 * was begun. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>
#include "reprise/passes.h"
#include "reprise/runtime.h"

/* From now on events are kept. */
void cli_trace_begin(void);
bool cli_trace_is_on(void);
/* Microseconds since then, by CLOCK_MONOTONIC. */
double cli_trace_now(void);

/* Something that the host did from `start` until now, within what encloses it. `slot` is a replay's, or -1. */
void cli_trace_host(const char *category, const char *name, double start, int slot);
/* A pass that has just run. */
void cli_trace_pass(const rp_pass_report *report);
/* A replay was submitted between `start` and now. */
void cli_trace_submit(uint32_t slot, uint32_t number, double start);
/* The slot's last replay, submitted from `begun` on, was waited for between `start` and now: on the host, and on the
 * slot's track how long it stood in the queue and ran on the device. */
void cli_trace_wait(rp_exec *exec, uint32_t slot, uint32_t number, double begun, double start);
/* Sets the device's clock against the host's: before and behind what is traced. */
void cli_trace_calibrate(rp_device *device);

/* Writes it. An exit status after messages. */
int cli_trace_end(const char *path, const char *device);

#endif
