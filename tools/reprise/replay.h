/* Replays an exec and measures it. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "reprise/runtime.h"

/* Submits and waits `count` times. Returns an exit status. */
int cli_replay(rp_exec *exec, const char *file, uint32_t count, int print_figures);

#endif
