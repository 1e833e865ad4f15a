/* NumPy .npy files, format versions 1.0, 2.0 and 3.0. */
#ifndef CLI_NPY_H
#define CLI_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include "reprise/types.h"

enum { CLI_NPY_MAX_RANK = 32 };

typedef struct cli_npy {
    char descr[16];     /* "<f4" */
    uint32_t item_size; /* bytes of an element */
    uint32_t rank;
    uint64_t shape[CLI_NPY_MAX_RANK];
    const void *data;
    uint64_t size; /* bytes of data */
    void *block;   /* the whole file, mapped or read */
    size_t block_size;
    bool mapped;
} cli_npy;

/* Opens and checks a file; prints what is wrong with it and returns an exit status. Of a pipe no
 * more is read than an array of `most` bytes may have. */
int cli_npy_open(const char *path, uint64_t most, cli_npy *out);
void cli_npy_close(cli_npy *npy);

/* Whether two shapes are the same; one of no dimensions is that of a single element, (1,). `other`
 * has RP_MAX_RANK dimensions at most, `shape` any number. */
bool cli_same_shape(uint32_t rank, const uint64_t *shape, uint32_t other_rank,
                    const uint64_t *other);

/* Checks that the array is what a buffer wants: raw buffers take any array of the right byte size.
 */
int cli_npy_fits(const cli_npy *npy, const char *path, const char *buffer, rp_dtype dtype,
                 uint32_t rank, const uint64_t *shape, uint64_t size);

/* The header of a version 1.0 file for a C-ordered array, its length a multiple of 64. Returns the
 * length, at most CLI_NPY_HEADER. */
enum { CLI_NPY_HEADER = 512 };
size_t cli_npy_header(rp_dtype dtype, uint32_t rank, const uint64_t *shape,
                      char header[CLI_NPY_HEADER]);

/* "(3, 4)", as NumPy writes it. */
void cli_npy_shape_text(uint32_t rank, const uint64_t *shape, char *text, size_t size);

#endif
