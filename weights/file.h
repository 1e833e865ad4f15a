/* Internal: an open file of arrays, whatever its format. file.c opens and searches it; each format
 * has a reader, which fills in the arrays in the order of their data. */
#ifndef RP_WEIGHTS_FILE_H
#define RP_WEIGHTS_FILE_H

#include "base/alloc.h"
#include "reprise/weights.h"

enum { RP_NPY_DESCR = 16 };

struct json_t;

struct rp_weights {
    rp_allocator allocator;
    char *path;      /* NULL: nobody named it */
    rp_diags *diags; /* while opening */
    const void *block;
    size_t block_size;
    bool mapped, owned; /* else it is the caller's */
    bool npy;           /* a .npy file */
    rp_weight *items;   /* in the order of their data */
    uint32_t *by_name;  /* their indices in the order of their names */
    uint32_t count;
    /* .safetensors */
    struct json_t *header;       /* holds all names */
    uint64_t data_at, data_size; /* of the arrays, in the block */
    /* .npy */
    char *npy_name;
    char npy_descr[RP_NPY_DESCR];
};

/* Says what is wrong with the file; RP_ERROR_INVALID. */
rp_status rp_weights_fail(const rp_weights *w, const char *format, ...) RP_PRINTF(2, 3);
/* The same into `diags`, once it is open. */
rp_status rp_weights_say(const rp_weights *w, rp_diags *diags, const char *format, ...)
    RP_PRINTF(3, 4);

/* "(3, 4)", as NumPy writes it. */
void rp_shape_text(uint32_t rank, const uint64_t *shape, char *text, size_t size);

rp_status rp_safetensors_read(rp_weights *w);
void rp_safetensors_release(rp_weights *w);

bool rp_npy_begins(const void *data, size_t size);
rp_status rp_npy_read(rp_weights *w);

#endif
