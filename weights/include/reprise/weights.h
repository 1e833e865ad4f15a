/* Files of arrays, .safetensors and NumPy's .npy: mapped, looked into, and put into device memory.
 *
 * A .safetensors file has any number of arrays with names, a .npy file one, which is called like the
 * file without its folder and ending ("w" of "data/w.npy").
 *
 * Threads: an open file and loaded weights are read by any number of threads at once.
 *
 * A library of its own, libreprise-weights, since it needs a reader of JSON (Jansson) beside
 * libreprise-runtime: a program that replays plans reads its weights without the compiler. */
#ifndef REPRISE_WEIGHTS_H
#define REPRISE_WEIGHTS_H

#include <stddef.h>
#include "reprise/exec.h"
#include "reprise/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_weights rp_weights;

/* One array. It is the file's, all of it, and lives until that is closed. `data` is read from the disk
 * when it is touched, on any number of threads at once. */
typedef struct rp_weight {
    const char *name;
    const char *type; /* as the file says it: "F32", "BF16"; "<f4" in a .npy file */
    rp_dtype dtype;   /* of a buffer that takes these bytes as they are; RP_RAW: there is none */
    uint32_t rank;    /* may be larger than RP_MAX_RANK: `shape` then has the first dimensions */
    uint64_t shape[RP_MAX_RANK];
    const void *data;
    uint64_t size; /* bytes */
} rp_weight;

/* Opens and maps a file, and checks all of its header: every array lies inside the file, none
 * overlaps another, together they are all of its data, and each has the bytes that its type and
 * shape ask for. The first bytes say which of the two formats it is. A file that shrinks while it is
 * mapped ends the process, as with any mapping. */
RP_API rp_status rp_weights_open(const rp_allocator *allocator, const char *path, rp_diags *diags,
                                 rp_weights **out_weights);
/* The same for a .npy file, whatever it is called, which may be a pipe where `pipe_bytes` is not 0:
 * a pipe is read until it ends, and refused when its array has more bytes than that. */
RP_API rp_status rp_weights_open_npy(const rp_allocator *allocator, const char *path,
                                     uint64_t pipe_bytes, rp_diags *diags,
                                     rp_weights **out_weights);
/* The same from memory, which must outlive it; `path` (may be NULL) names it in messages. */
RP_API rp_status rp_weights_from_memory(const rp_allocator *allocator, const void *data,
                                        size_t size, const char *path, rp_diags *diags,
                                        rp_weights **out_weights);
RP_API void rp_weights_close(rp_weights *weights);

/* The arrays in the order of their data; NULL for an index out of range. */
RP_API uint32_t rp_weights_count(const rp_weights *weights);
RP_API const rp_weight *rp_weights_get(const rp_weights *weights, uint32_t index);
/* The index of a name, UINT32_MAX when there is none; by binary search. */
RP_API uint32_t rp_weights_find(const rp_weights *weights, const char *name);

/* Whether an array is what a buffer of a plan wants: of its dtype and shape, where no dimensions are
 * the shape (1). Raw buffers take any array of their size, block-quantised ones the bytes of their
 * blocks as U8. Some arrays are converted: F16 and BF16 fit buffers of f32 as well, and f32 of .npy
 * files, which have no bf16, fits those of bf16. RP_ERROR_INVALID and a message with file, array and
 * buffer otherwise. */
RP_API rp_status rp_weights_check(const rp_weights *weights, uint32_t index,
                                  const rp_plan_buffer_info *buffer, rp_diags *diags);
/* Of an array that fits a buffer of the dtype: 1 where its values must be converted, 0 where the
 * buffer takes its bytes. */
RP_API int rp_weight_converts(const rp_weight *weight, rp_dtype dtype);
/* Values `first` to first + count - 1 of such an array as the buffer has them: widened exactly, or
 * rounded to the nearest even. RP_ERROR_USAGE for others, and past its end. */
RP_API rp_status rp_weight_convert(const rp_weight *weight, rp_dtype dtype, uint64_t first,
                                   uint64_t count, void *out);

/* ---- Into device memory ---------------------------------------------------------------------- */

/* The weights of some plans in device memory, each array once, to be bound by execs. */
typedef struct rp_loaded_weights rp_loaded_weights;

/* The array that a weight buffer takes, where it is not the one of its own name. */
typedef struct rp_weight_name {
    const char *buffer, *array;
} rp_weight_name;

/* Zero is the default everywhere but in `size`. */
typedef struct rp_weights_load_params {
    size_t size; /* sizeof(rp_weights_load_params) */
    const rp_plan *const *plans;
    uint32_t plan_count;
    rp_weights *const *files; /* the first that has an array of the name gives it */
    uint32_t file_count;
    const rp_weight_name *names;
    uint32_t name_count;
    /* Is told every few megabytes how many bytes of how many are on their way, and at the end that
     * all have arrived, on the calling thread. Anything but 0, at the end too, stops with
     * RP_ERROR_CANCELLED. */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
    const rp_allocator *allocator; /* of host memory; NULL: malloc and free */
} rp_weights_load_params;

/* Puts what all weight buffers of the plans ask for into storage, and waits until it is there. The
 * bytes go from the mapped files to the device, without a copy in host memory. An array that several
 * plans, or several buffers, ask for is there once. All arrays are found and checked before device
 * memory is touched, and everything that is wrong is told: RP_ERROR_NOT_FOUND for a buffer that no
 * file has an array for, RP_ERROR_INVALID for one that does not fit. On failure, and when cancelled,
 * nothing stays. Files may be closed and plans destroyed afterwards. */
RP_API rp_status rp_weights_load(rp_device *device, const rp_weights_load_params *params,
                                 rp_diags *diags, rp_loaded_weights **out_loaded);
/* Execs hold on to the storages that are bound to them: this may be done once they are created. */
RP_API void rp_loaded_weights_destroy(rp_loaded_weights *loaded);

/* Device memory that it takes, in bytes. */
RP_API uint64_t rp_loaded_weights_bytes(const rp_loaded_weights *loaded);
/* What to give to rp_exec_params.bindings of any number of execs of a plan: fills in the first
 * `capacity` (`out` may be NULL for 0) and says how many there are, one for each weight buffer. The
 * names are the plan's, and live as long. The plan is one of those that were loaded for, or any
 * other whose weight buffers have the same names, dtypes and shapes; RP_ERROR_NOT_FOUND with the
 * buffer otherwise. */
RP_API rp_status rp_loaded_weights_bindings(const rp_loaded_weights *loaded, const rp_plan *plan,
                                            rp_diags *diags, rp_binding *out, uint32_t capacity,
                                            uint32_t *out_count);

#ifdef __cplusplus
}
#endif

#endif
