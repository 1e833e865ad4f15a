/* Internal: encoders, and the parts they are made of.
 *
 *   encoder.c  creating, where buffers lie, begin and end
 *   kernels.c  what kernels do, whether they fit, their pipelines
 *   encode.c   the calls: what is wrong with them, hazards, commands
 *   bind.c     what kernels bind beside single buffers, and what descriptors ask for
 *   images.c   copies, blits and clears of images, and their layouts
 *   sets.c     descriptor sets by what they bind
 */
#ifndef RP_RUNTIME_ENCODER_H
#define RP_RUNTIME_ENCODER_H

#include "base/table.h"
#include "driver/barrier.h"
#include "hazard/cover.h"
#include "hazard/tracker.h"
#include "memory/image.h"
#include "memory/storage.h"
#include "pipeline/bound.h"
#include "pipeline/writer.h"
#include "reprise/encoder.h"

/* ---- sets.c ---------------------------------------------------------------------------------- */

/* What one descriptor of a set holds: bytes [lo, hi) of the VkBuffer of the storage with this serial
 * number, seen in some way; and where the tracker found them. */
typedef struct rp_set_range {
    uint64_t serial, lo, hi, seen;
    rp_tracker_hint hint;
} rp_set_range;

/* A descriptor set of a layout. Those of a layout form a list by their last use, as far as that is
 * known: see sets.c. */
typedef struct rp_cached_set {
    VkDescriptorSet handle;
    uint64_t used;   /* the last encoding that used it; 0: it binds nothing */
    uint64_t listed; /* that which put it where it is in the list */
    uint64_t hash;
    uint32_t family;
    uint32_t first_range;  /* in ranges[] */
    uint32_t follower;     /* the set that was used after it the last time; RP_UNSET */
    uint32_t chain;        /* the next of its bucket */
    uint32_t older, newer; /* in its layout's list */
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
    uint32_t last; /* the set used last; RP_UNSET */
    VkDescriptorPool *pools;
    uint32_t pool_count, pool_capacity;
    uint64_t done;    /* encodings that the GPU is done with */
    uint32_t written; /* sets, in all */
} rp_sets;

void rp_sets_init(rp_sets *sets, rp_device *device);
/* The family of a layout, made when there is none; RP_UNSET without memory. */
uint32_t rp_sets_family(rp_sets *sets, const rp_set_layout *layout);

/* A range that a call uses, found in its VkBuffer; or packed bytes of an image, which count from
 * RP_IMAGE_ORIGIN. */
typedef struct rp_encoder_use {
    uint64_t serial; /* of the storage; 0: nothing is bound */
    uint64_t lo, hi;
    uint64_t seen; /* 0 of single buffers: what a descriptor says beside them, rp_seen_* */
    uint32_t space, buffer;
    uint32_t read, write; /* scope bits */
    uint32_t range;       /* of a descriptor: in the ranges[] of sets */
} rp_encoder_use;

/* A sampler, of those that the encoder has; a format, of texels; how many mips of some of the layers of an
 * image, of which lo and hi are the first. */
enum { RP_SEEN_FORMAT = 32, RP_SEEN_MIPS = 40 };
static inline uint64_t rp_seen_sampler(uint32_t sampler) {
    return (uint64_t)sampler + 1;
}
#define RP_SAMPLER_SERIAL UINT64_MAX /* of a sampler alone, which is no storage */

/* What a set is found by: its family, and for each of the layout's descriptors a use. */
typedef struct rp_set_key {
    uint32_t family, count;
    const uint16_t *at; /* uses[] by descriptor */
    const rp_encoder_use *uses;
} rp_set_key;

static inline bool rp_set_has(const rp_sets *s, uint32_t set, const rp_set_key *key) {
    const rp_cached_set *c = &s->all[set];
    if (c->family != key->family || !c->used) return false;
    const rp_set_range *have = s->ranges + c->first_range;
    for (uint32_t i = 0; i < key->count; i++) {
        const rp_encoder_use *u = &key->uses[key->at[i]];
        if ((have[i].lo ^ u->lo) | (have[i].hi ^ u->hi) | (have[i].serial ^ u->serial) |
            (have[i].seen ^ u->seen)) /* one jump: mostly all are the same */
            return false;
    }
    return true;
}

/* rp_sets_find of a set that does not follow as it did before. */
uint32_t rp_sets_search(rp_sets *sets, const rp_set_key *key, uint64_t number);

/* The set of a key, used by encoding `number` from now on; RP_UNSET when there is none. */
static inline uint32_t rp_sets_find(rp_sets *s, const rp_set_key *key, uint64_t number) {
    uint32_t set = s->last == RP_UNSET ? RP_UNSET : s->all[s->last].follower;
    if (set == RP_UNSET || !rp_set_has(s, set, key)) return rp_sets_search(s, key, number);
    s->all[set].used = number;
    return s->last = set;
}

/* Writes one that is not there. */
rp_status rp_sets_make(rp_sets *sets, const rp_set_key *key, const rp_named *named, uint64_t number,
                       rp_diags *diags, uint32_t *out);
void rp_sets_free(rp_sets *sets);

typedef struct rp_encoder_param_info rp_encoder_param_info;

/* Two parameters of a kernel that its code puts together: images that are read through samplers of their
 * own. In order of kernels. */
typedef struct rp_encoder_pair {
    uint32_t kernel, image, sampler;
} rp_encoder_pair;
typedef struct rp_encoder_pairs {
    rp_encoder_pair *items;
    uint32_t count, capacity;
} rp_encoder_pairs;

/* ---- kernels.c ------------------------------------------------------------------------------- */

/* Puts the constants of each kernel into its list `wide`, in order of id; *out owns them all. */
rp_status rp_encoder_join_constants(const rp_allocator *a, rp_encoder_kernel *kernels,
                                    uint32_t count, rp_wide_constant **out);

/* Whether the kernels are what they say, and fit the device. RP_ERROR_INVALID, RP_ERROR_UNSUPPORTED.
 * `infos`, for the parameters of all kernels in a row, gets what is known of them, `pairs` what belongs
 * together. */
rp_status rp_encoder_check(rp_device *device, const rp_encoder_kernel *kernels, uint32_t count,
                           rp_diags *diags, rp_encoder_param_info *infos, rp_encoder_pairs *pairs);
/* Asks for the pipelines of kernels that were checked. */
rp_status rp_encoder_prepare(rp_device *device, const rp_encoder_params *params,
                             const rp_encoder_param_info *infos, rp_diags *diags,
                             rp_preparation **out);

/* ---- encoder.c ------------------------------------------------------------------------------- */

static inline uint64_t rp_low_bits(uint32_t count) {
    return count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
}

/* A parameter of a kernel. */
struct rp_encoder_param_info {
    uint64_t min_size;           /* bytes that its range needs */
    uint16_t first;              /* its first descriptor among those of the kernel: in uses[] */
    uint16_t elements;           /* of an array; 0: none */
    uint8_t access;              /* rp_access, unless it is said otherwise */
    uint8_t allowed;             /* what may be said, bit rp_access */
    uint8_t read, write;         /* scope bits of the access */
    uint8_t resource;            /* rp_resource */
    uint8_t view, format, texel; /* of images and texels, as rp_plan_param */
    bool reads, writes;          /* of storage, what the code does */
};

static inline uint32_t rp_param_descriptors(const rp_encoder_param_info *p) {
    return p->elements ? p->elements : 1;
}

/* The descriptors of a kernel in one set. */
typedef struct rp_encoder_set {
    uint32_t set, family, count;
    const uint16_t *at; /* uses[], by binding, ascending, and element */
} rp_encoder_set;

typedef struct rp_encoder_pipeline { /* a kernel, as it is encoded */
    VkPipeline handle;               /* null until it was waited for */
    const rp_layout *layout;
    const char *name;
    uint64_t all_params, all_push; /* the bits of unset and unpushed */
    uint32_t param_count, push_bytes;
    uint32_t use_count; /* descriptors; as many as parameters where it is plain: */
    bool plain;         /* it binds single buffers and nothing else */
    const rp_encoder_param_info *params;
    const rp_encoder_set *sets; /* that bind anything */
    uint32_t set_count;
    uint32_t first_pair, pair_count;
} rp_encoder_pipeline;

/* Where a buffer lies. */
typedef struct rp_encoder_place {
    uint64_t reach;  /* bytes that calls may use as a buffer: all of one that is bound, else none */
    uint64_t offset; /* in the VkBuffer */
    uint64_t serial; /* of the storage */
    uint32_t space;  /* of the tracker: one for each VkBuffer */
    uint32_t denied; /* scope bits that calls may not have */
    VkBuffer handle; /* of an image its VkImage: see RP_IMAGE_ORIGIN */
    rp_storage *storage; /* NULL: nowhere */
    uint64_t size;
    const char *name;
    rp_image_shape shape;           /* of an image */
    VkFormatFeatureFlags2 features; /* of its format */
    bool read_only;
    bool lent; /* an image that the application wants in another layout than GENERAL */
} rp_encoder_place;

enum { RP_MAX_DESCRIPTORS = 1024 }; /* of one kernel, and ranges that a dispatch uses */

struct rp_encoder {
    rp_device *device;
    rp_allocator allocator;
    char *names; /* of kernels and buffers */
    rp_preparation *preparation;
    rp_encoder_pipeline *kernels;
    uint32_t kernel_count;
    rp_encoder_param_info *params; /* of all kernels */
    rp_encoder_pairs pairs;        /* the same */
    uint16_t *set_uses;            /* the same: of their sets */
    rp_encoder_set *kernel_sets;
    rp_encoder_place *places;
    uint32_t place_count;
    rp_sets sets;
    rp_sampler_object **samplers;
    rp_sampler_info *sampler_infos;
    uint32_t sampler_count;

    VkBuffer *spaces; /* VkBuffers that the tracker has a space for */
    uint32_t space_count, space_capacity;
    rp_table space_of; /* hash of a VkBuffer -> space */
    bool renumber;     /* some place has the number of a space that is gone */
    uint32_t max_groups[3];

    /* The encoding, from begin to end. */
    bool encoding;
    rp_status status; /* of the first call that failed; RP_ERROR_USAGE outside of an encoding */
    rp_diags *diags;
    uint64_t number;
    const rp_encoder_pipeline *kernel;    /* that is set; NULL */
    rp_encoder_use *uses;                 /* by descriptor of the kernel; the grid behind them */
    rp_encoder_use *pieces;               /* of a kernel that is not plain: the ranges of uses */
    uint32_t piece_count, piece_capacity; /* the grid not among them */
    VkDescriptorSet handles[RP_MAX_SETS]; /* by the kernel's sets */
    rp_storage **lent; /* held: images that calls have taken out of the layout that they had */
    uint32_t lent_count, lent_capacity;
    uint64_t unset;    /* bit i: parameter i has no range */
    uint64_t unpushed; /* bit i: bytes 4i to 4i + 3 are not set */
    uint8_t push[RP_MAX_PUSH_BYTES];
    uint32_t push_end; /* no byte from here on was changed since they were pushed */
    bool changed;      /* a range or an access, since the last dispatch */
    bool in_place;     /* two uses of the kernel share bytes, and one writes */
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
    rp_barrier needed;             /* by it: bits of the earlier calls, bits of its own */
    rp_barrier lowered_from;       /* what the latest barrier was needed for, */
    rp_covered covered;            /* what it covers, */
    VkMemoryBarrier2 lowered;      /* and what became of it */
    uint32_t sets_before;          /* sets.written when it began */
    rp_encoder_report report;
};

/* Closes the encoding with a message; returns the status. */
rp_status rp_encoder_refuse(rp_encoder *encoder, rp_status status, const char *format, ...)
    RP_PRINTF(3, 4) __attribute__((cold));
/* No parameter has this number; a range is smaller than its parameter's block; a use does what its buffer
 * or image is not for. */
rp_status rp_encoder_refuse_param(rp_encoder *encoder, uint32_t param) __attribute__((cold));
rp_status rp_encoder_refuse_size(rp_encoder *encoder, uint32_t param, const rp_encoder_use *use)
    __attribute__((cold));
rp_status rp_encoder_refuse_use(rp_encoder *encoder, const char *what, uint32_t buffer,
                                uint32_t denied) __attribute__((cold));
/* What is wrong with a range of a buffer. */
rp_status rp_encoder_refuse_range(rp_encoder *encoder, const char *what, uint32_t buffer,
                                  uint64_t offset, uint64_t size) __attribute__((cold));
/* Bytes of a buffer; false when something is wrong, or they are not those of a buffer. */
bool rp_encoder_find(const rp_encoder *encoder, const rp_encoder_range *range, uint32_t read,
                     uint32_t write, rp_encoder_use *out);
rp_status rp_encoder_check_overlaps(rp_encoder *encoder, const char *what,
                                    const rp_encoder_use *uses, uint32_t count);
/* The barrier before a transfer, whose uses share no bytes. */
rp_status rp_encoder_order_transfer(rp_encoder *encoder, const rp_encoder_use *uses,
                                    uint32_t count);

/* ---- bind.c ---------------------------------------------------------------------------------- */

/* Nothing is bound to the kernel, which is not plain. */
void rp_encoder_clear_uses(rp_encoder *encoder);
/* What a call uses of a kernel that is not plain, as ranges, with room for a grid: all that must be bound
 * is. */
rp_status rp_encoder_list_pieces(rp_encoder *encoder);
/* The uses of a kernel that is not plain move with a buffer. */
void rp_encoder_move_uses(rp_encoder *encoder, uint32_t buffer, uint64_t before);
/* Writes the descriptor set of a key, in which no other one was found. */
rp_status rp_encoder_make_set(rp_encoder *encoder, const rp_set_key *key, uint32_t *out);

/* ---- images.c -------------------------------------------------------------------------------- */

/* Packed bytes of an image of which `part` is some; false when something is wrong, after a message. */
bool rp_encoder_find_part(rp_encoder *encoder, const char *what, const rp_encoder_part *part,
                          bool one_mip, rp_subresources *out);
/* A copy of which at least one side is an image. */
rp_status rp_encoder_copy_image(rp_encoder *encoder, const rp_encoder_range *from,
                                const rp_encoder_range *to);
/* Where the storage of an image cannot be used as `scopes` ask. */
uint32_t rp_encoder_denied(const rp_storage *storage);
/* Brings what is lent into GENERAL, in front of a call that uses it; and all of it back. */
rp_status rp_encoder_borrow(rp_encoder *encoder, const rp_encoder_use *uses, uint32_t count);
void rp_encoder_give_back(rp_encoder *encoder);
/* Nothing is lent any more. */
void rp_encoder_forget_lent(rp_encoder *encoder);

/* A call's conflict: its scopes go into encoder->barrier, unless a barrier orders it already. */
void rp_encoder_on_conflict(void *context, const rp_touch *touch, rp_hazard_kind kind,
                            const rp_touched *earlier, uint32_t dst, uint64_t lo, uint64_t hi);

#endif
