/* Internal: files that the front ends read whole: pipelines, shaders and what these include. */
#ifndef RP_FILE_H
#define RP_FILE_H

#include "base/alloc.h"

enum { RP_FILE_WHY = 256 };

/* Reads a file of at most `limit` bytes. *out is allocated and terminated. RP_ERROR_IO fills in
 * `why`. */
rp_status rp_file_read(const rp_allocator *a, const char *path, uint32_t limit, char **out,
                       uint32_t *out_size, char why[RP_FILE_WHY]);

#endif
