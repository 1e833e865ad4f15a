/* The shapes of buffers at the live sizes of a run: those of --set, and what the plan begins with. */
#ifndef CLI_SIZES_H
#define CLI_SIZES_H

#include "reprise/plan.h"

/* Notes a live value of --set; `buffer` is the plan's own text. */
void cli_sizes_note(const char *buffer, uint32_t element, uint32_t value);

/* cli_plan_buffer() with the shape and the bytes that there are. Its shape lives until the end of the
 * run, or until the same is asked again. */
rp_plan_buffer_info cli_sized_buffer(const rp_plan *plan, uint32_t index);

void cli_sizes_free(void);

#endif
