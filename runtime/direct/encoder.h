/* Internal: encoders, and the parts they are made of.
 *
 *   encoder.c  creating, where buffers lie, begin and end
 *   kernels.c  what kernels do, whether they fit, their pipelines
 *   encode.c   the calls: what is wrong with them, hazards, commands
 *   sets.c     descriptor sets by what they bind
 */
#ifndef RP_RUNTIME_ENCODER_H
#define RP_RUNTIME_ENCODER_H

#include "base/table.h"
#include "driver/barrier.h"
#include "hazard/cover.h"
#include "hazard/tracker.h"
#include "memory/storage.h"
#include "pipeline/bound.h"
#include "reprise/encoder.h"

/* ---- sets.c ---------------------------------------------------------------------------------- */

/* What one binding of a set holds: bytes [lo, hi) of the VkBuffer of the storage with this serial
 * number. */
typedef struct rp_set_range {
    uint64_t serial, lo, hi;
} rp_set_range;

/* A descriptor set of a layout. Those of a layout form a list by their last use. */
typedef struct rp_cached_set {
    VkDescriptorSet handle;
    uint64_t used; /* the last encoding that used it; 0: it binds nothing */
    uint64_t hash;
    uint32_t family;
    uint32_t chain;        /* the next of its bucket */
    uint32_t older, newer; /* in its layout's list */
    uint32_t first_range;  /* in ranges[] */
} rp_cached_set;

typedef struct rp_set_family { /* the sets of one layout */
    const rp_set_layout *layout;
    uint32_t oldest, newest, count;
} rp_set_family;

typedef struct rp_sets {
    rp_device *device;
    rp_set_family *families;
    uint32_t family_count, family_capacity;
    rp_cached_set *all;
    uint32_t count, capacity;
    rp_set_range *ranges;
    uint32_t range_count, range_capacity;
    uint32_t *buckets; /* the first set of each; a power of two of them */
    uint32_t bucket_count;
    VkDescriptorPool *pools;
    uint32_t pool_count, pool_capacity;
    uint64_t done;    /* encodings that the GPU is done with */
    uint32_t written; /* sets, in all */
} rp_sets;

/* The family of a layout, made when there is none; RP_UNSET without memory. */
uint32_t rp_sets_family(rp_sets *sets, const rp_set_layout *layout);

/* A range that a call uses, found in its VkBuffer. */
typedef struct rp_encoder_use {
    uint64_t serial; /* of the storage; 0: nothing is set */
    uint64_t lo, hi;
    uint64_t hash; /* its part of that of a descriptor set */
    uint32_t space, buffer;
    uint32_t read, write; /* scope bits */
} rp_encoder_use;

/* What a set is found by: its family, and for each of the layout's bindings a use. */
typedef struct rp_set_key {
    uint32_t family, count;
    const uint8_t *params; /* uses[] by binding */
    const rp_encoder_use *uses;
    uint64_t hash; /* the sum of theirs */
} rp_set_key;

static inline uint64_t rp_set_hash(uint64_t serial, uint64_t lo, uint64_t hi, uint32_t position) {
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = (serial ^ lo << 24) * odd + position;
    return (hash ^ hash >> 32 ^ hi) * odd;
}

/* The set of a key, used by encoding `number` from now on; null when there is none. */
VkDescriptorSet rp_sets_find(rp_sets *sets, const rp_set_key *key, uint64_t number);
/* Writes one that is not there. */
rp_status rp_sets_make(rp_sets *sets, const rp_set_key *key, const VkDescriptorBufferInfo *buffers,
                       uint64_t number, rp_diags *diags, VkDescriptorSet *out);
void rp_sets_free(rp_sets *sets);

typedef struct rp_encoder_param_info rp_encoder_param_info;

/* ---- kernels.c ------------------------------------------------------------------------------- */

/* Whether the kernels are what they say, and fit the device. RP_ERROR_INVALID, RP_ERROR_UNSUPPORTED.
 * `infos`, for the parameters of all kernels in a row, gets what is known of them but for `set`. */
rp_status rp_encoder_check(rp_device *device, const rp_encoder_kernel *kernels, uint32_t count,
                           rp_diags *diags, rp_encoder_param_info *infos);
/* Asks for the pipelines of kernels that were checked. */
rp_status rp_encoder_prepare(rp_device *device, const rp_encoder_params *params, rp_diags *diags,
                             rp_preparation **out);

/* ---- encoder.c ------------------------------------------------------------------------------- */

/* A parameter of a kernel. */
struct rp_encoder_param_info {
    uint64_t min_size; /* bytes that its range needs */
    uint8_t access;    /* rp_access, unless it is said otherwise */
    uint8_t allowed;   /* what may be said, bit rp_access */
    uint8_t set;       /* in its kernel's sets */
    uint8_t position;  /* in that set's params */
};

/* The bindings of a kernel in one set. */
typedef struct rp_encoder_set {
    uint32_t set, family, count;
    const uint8_t *params; /* by binding, ascending */
} rp_encoder_set;

typedef struct rp_encoder_pipeline { /* a kernel, as it is encoded */
    VkPipeline handle;               /* null until it was waited for */
    const rp_layout *layout;
    const char *name;
    uint32_t param_count, push_bytes;
    const rp_encoder_param_info *params;
    const rp_encoder_set *sets; /* that bind anything */
    uint32_t set_count;
} rp_encoder_pipeline;

/* Where a buffer lies. */
typedef struct rp_encoder_place {
    uint64_t reach;  /* bytes that calls may use: all of the buffer where it is bound, else none */
    uint64_t offset; /* in the VkBuffer */
    uint64_t serial; /* of the storage */
    uint32_t space;  /* of the tracker: one for each VkBuffer */
    uint32_t denied; /* scope bits that calls may not have */
    VkBuffer handle;
    rp_storage *storage; /* NULL: nowhere */
    uint64_t size;
    const char *name;
} rp_encoder_place;

struct rp_encoder {
    rp_device *device;
    rp_allocator allocator;
    char *names; /* of kernels and buffers */
    rp_preparation *preparation;
    rp_encoder_pipeline *kernels;
    uint32_t kernel_count;
    rp_encoder_param_info *params; /* of all kernels */
    uint8_t *set_params;           /* the same */
    rp_encoder_set *kernel_sets;
    rp_encoder_place *places;
    uint32_t place_count;
    rp_sets sets;

    VkBuffer *spaces; /* VkBuffers that the tracker has a space for */
    uint32_t space_count, space_capacity;
    rp_table space_of; /* hash of a VkBuffer -> space */
    bool renumber;     /* some place has the number of a space that is gone */
    uint32_t max_groups[3];

    /* The encoding, from begin to end. */
    bool encoding;
    rp_status status; /* of the first call that failed */
    rp_diags *diags;
    uint64_t number;
    const rp_encoder_pipeline *kernel;              /* that is set; NULL */
    rp_encoder_use uses[RP_MAX_ENCODER_PARAMS + 1]; /* by parameter; the grid behind them */
    uint64_t set_hash[RP_MAX_SETS];                 /* by the kernel's sets */
    uint32_t unset;                                 /* parameters without a range */
    uint64_t unpushed;                              /* bit i: bytes 4i to 4i + 3 are not set */
    uint8_t push[RP_MAX_PUSH_BYTES];
    bool changed;  /* a range or an access, since the last dispatch */
    bool in_place; /* two uses share bytes, and one writes */
    rp_bound bound;
    rp_tracker tracker;
    rp_cover cover;
    uint32_t step;     /* the number of the call, of those that work; a barrier's position */
    bool fenced;       /* a fence came since the last of them */
    uint32_t unwaited; /* scope bits that have not waited for what the application had open */
    uint64_t incoming_stages, incoming_access;
    uint32_t open;                 /* scope bits that no barrier's source covers */
    uint32_t labels;               /* open ones */
    uint32_t conflicts, uncovered; /* of the call: kinds of hazard, as bits */
    uint32_t used;                 /* by it: scope bits */
    rp_barrier barrier;            /* that it needs */
    rp_barrier lowered_from;       /* the latest barrier, and what became of it */
    VkMemoryBarrier2 lowered;
    uint32_t sets_before; /* sets.written when it began */
    rp_encoder_report report;
};

/* Closes the encoding with a message; returns the status. */
rp_status rp_encoder_refuse(rp_encoder *encoder, rp_status status, const char *format, ...)
    RP_PRINTF(3, 4) __attribute__((cold));
/* A call's conflict: its scopes go into encoder->barrier, unless a barrier orders it already. */
void rp_encoder_on_conflict(void *context, const rp_touch *touch, rp_hazard_kind kind,
                            const rp_touched *earlier, uint32_t dst, uint64_t lo, uint64_t hi);

#endif
