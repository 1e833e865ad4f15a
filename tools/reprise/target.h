/* --target: the limits that a compile keeps to. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "reprise/target.h"

/* "device": the limits of the device that run would choose; a name of rp_target_list; else a file, as `reprise devices
 * --limits` prints it. An exit status, after a message where it is not CLI_OK. */
int cli_target_read(const char *text, rp_target *out);

#endif
