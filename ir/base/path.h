/* Internal: what a path leads to, asked before it is opened. */
#ifndef RP_BASE_PATH_H
#define RP_BASE_PATH_H

#include <stdbool.h>
#include <stdint.h>

/* Why a path is no file to read: "is a folder", "is a device", "is a socket", "is a pipe" unless
 * `pipes` are fine. NULL: it may be one, or is not there at all, which opening it says. A device
 * may never end, and a pipe may never begin: neither is opened to find out. */
const char *rp_path_is_no_file(const char *path, bool pipes);

/* What a path leads to, whatever it is called: two paths with the same numbers are the same file.
 * False where nothing is there. */
bool rp_path_identity(const char *path, uint64_t out[2]);

#endif
