/* Internal: what a rp_direct is, shared by direct.c, whose calls it takes, and direct_create.c. */
#ifndef RP_RECORDER_DIRECT_H
#define RP_RECORDER_DIRECT_H

#include "recorder/recorder.h"
#include "reprise/direct.h"

/* A binding of a kernel. */
typedef struct rp_direct_slot {
    uint32_t set, binding;
    uint32_t param; /* of the encoder's kernel; RP_NONE: the code does not use it */
} rp_direct_slot;

typedef struct rp_direct_kernel {
    const char *name;
    const rp_direct_slot *slots;
    uint32_t slot_count;
    uint32_t push_declared, push_bytes; /* bytes of its block; what is pushed: as many, or none when
                                         * the code does not use it */
    uint64_t padding;                   /* words of it that belong to no member */
} rp_direct_kernel;

struct rp_direct {
    rp_recorder recorder; /* the first: a recorder of this sink is a rp_direct */
    rp_allocator allocator;
    rp_device *device;
    rp_program *program;
    rp_graph *graph; /* the program's buffers */
    rp_direct_kernel *kernels;
    uint32_t kernel_count;
    rp_direct_slot *slots; /* of all kernels */
    rp_encoder *encoder;
    bool *bound;                     /* by buffer: to a storage */
    bool unbound;                    /* some transient is not */
    bool texels;                     /* some kernel sees a buffer as texels */
    const rp_direct_kernel *current; /* that is set; NULL */
    uint32_t call;                   /* the number of the latest */
    uint32_t optional;               /* rp_optional_begin that are open */
};

/* What the program's handles are of. */
typedef enum rp_direct_handle {
    RP_DIRECT_BUFFER,
    RP_DIRECT_KERNEL,
    RP_DIRECT_SAMPLER
} rp_direct_handle;

extern const rp_recorder_sink rp_direct_sink;

/* The encoder has said what is wrong, or hears it now; later calls are ignored. */
void rp_direct_refuse(rp_direct *direct, rp_call_kind kind, rp_status status, const char *what);
/* What is wrong about a handle that is none of the first `count` of the program's: it may be one of those
 * that were made since. */
const char *rp_direct_why_unknown(rp_direct *direct, rp_direct_handle kind, uint32_t handle,
                                  uint32_t count);

#endif
