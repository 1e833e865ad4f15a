/* Arrays in .safetensors files, mapped and not copied: what rp_exec_write reads from.
 *
 * A library of its own, libreprise-weights, since it needs a reader of JSON (Jansson) beside
 * libreprise-runtime: a program that replays plans reads its weights without the compiler. */
#ifndef REPRISE_WEIGHTS_H
#define REPRISE_WEIGHTS_H

#include <stddef.h>
#include "reprise/status.h"
#include "reprise/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_weights rp_weights;

/* One array. Everything lives until the file is closed; `data` is read from the disk when it is
 * touched, on any number of threads at once. */
typedef struct rp_weight {
    const char *name;
    const char *type; /* as the file says it: "F32", "BF16" */
    rp_dtype dtype;   /* of a buffer that takes these bytes as they are; RP_RAW: there is none */
    uint32_t rank;    /* may be larger than RP_MAX_RANK: `shape` then has the first dimensions */
    uint64_t shape[RP_MAX_RANK];
    const void *data;
    uint64_t size; /* bytes */
} rp_weight;

/* Opens and maps a file, and checks all of its header: every array lies inside the file, none
 * overlaps another, together they are all of its data, and each has the bytes that its type and
 * shape ask for. A file that shrinks while it is mapped ends the process, as with any mapping. */
RP_API rp_status rp_weights_open(const rp_allocator *allocator, const char *path, rp_diags *diags,
                                 rp_weights **out_weights);
/* The same from memory, which must outlive it; `path` (may be NULL) names it in messages. */
RP_API rp_status rp_weights_from_memory(const rp_allocator *allocator, const void *data,
                                        size_t size, const char *path, rp_diags *diags,
                                        rp_weights **out_weights);
RP_API void rp_weights_close(rp_weights *weights);

/* The arrays in the order of their data; an index out of range gives a zero rp_weight. */
RP_API uint32_t rp_weights_count(const rp_weights *weights);
RP_API rp_weight rp_weights_get(const rp_weights *weights, uint32_t index);
/* The index of a name, UINT32_MAX when there is none; by binary search. */
RP_API uint32_t rp_weights_find(const rp_weights *weights, const char *name);

#ifdef __cplusplus
}
#endif

#endif
