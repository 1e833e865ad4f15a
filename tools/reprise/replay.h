/* Replays an exec and measures it. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "reprise/runtime.h"

/* Replays `count` times, one slot after the other, each waited for before its slot is taken again. Returns an exit
 * status. */
int cli_replay(rp_exec *exec, const char *file, uint32_t count, uint32_t slots, int print_figures);

#endif
