/* NumPy .npy files that the program writes. */
#ifndef CLI_NPY_H
#define CLI_NPY_H

#include <stddef.h>
#include "reprise/types.h"

/* The header of a version 1.0 file for a C-ordered array, its length a multiple of 64. Returns the
 * length, at most CLI_NPY_HEADER. */
enum { CLI_NPY_HEADER = 512 };
size_t cli_npy_header(rp_dtype dtype, uint32_t rank, const uint64_t *shape,
                      char header[CLI_NPY_HEADER]);

#endif
