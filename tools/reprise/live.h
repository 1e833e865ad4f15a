/* --set NAME=VALUE[,VALUE...] and --set NAME[K]=VALUE. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "arrays.h"

/* Sets the live values in a slot of an exec, or with exec NULL only checks how they are written. `pipeline`
 * (NULL: a plan) knows the members of live blocks. Returns an exit status. */
int cli_live_set(const cli_command *command, const rp_plan *plan, const rp_pipeline *pipeline,
                 const char *file, const cli_pairs *given, rp_exec *exec, uint32_t slot);

/* --without: leaves out the nodes of these switches in a slot. Returns an exit status. */
int cli_leave_out(const cli_texts *switches, const char *file, rp_exec *exec, uint32_t slot);

#endif
