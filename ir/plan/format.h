/* Internal: the plan file, record by record. docs/plan-format.md is this header in prose; change
 * both together and raise RP_PLAN_VERSION.
 *
 * A file is a 64-byte header, a table of sections, and the sections, each 8-byte aligned and made
 * of records of one fixed size. Offsets are bytes from the file's start, references are indices
 * into other sections, strings are offsets into RP_SECTION_STRINGS (terminated UTF-8).
 * Little-endian. Padding is zero. Reading is mapping: a validated plan is used in place.
 */
#ifndef RP_PLAN_FORMAT_H
#define RP_PLAN_FORMAT_H

#include <stdatomic.h>

#include "base/descriptor.h"
#include "base/expr.h"
#include "base/scope.h"
#include "reprise/image.h"
#include "reprise/plan.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "plans are little-endian and used where they are mapped: this machine is not");

#define RP_PLAN_MAGIC "\x89RPLAN\r\n\x1a\n\0\0\0\0\0" /* 16 bytes with the terminator */

/* The arena, and all other buffers together, have at most this many bytes each, so that a reader
 * may add sizes up without checks. */
#define RP_PLAN_MAX_BYTES (UINT64_C(1) << 62)

typedef struct rp_plan_header {
    char magic[16];
    uint32_t version;       /* RP_PLAN_VERSION */
    uint32_t section_count; /* RP_SECTION_COUNT */
    uint64_t file_size;
    uint64_t content_hash; /* XXH3-64 of everything behind this field, to the file's end */
    uint64_t needs;        /* rp_plan_need bits: what the device must be able to do */
    uint8_t reserved[16];  /* zero */
} rp_plan_header;

/* A file of several forms has the same header, with RP_PLAN_FORMS_VERSION, and the number of forms in the
 * place of that of sections. This table comes next, then the forms in its order, each a plan of RP_PLAN_VERSION
 * by itself, without gap: their sizes are multiples of 8. */
typedef struct rp_plan_form_place {
    uint64_t offset; /* from the file's start */
    uint64_t size;
} rp_plan_form_place;

/* Sections, in file order: symbol, code, record type, name in messages. */
#define RP_SECTION_LIST(X)                                                                         \
    X(RP_SECTION_STRINGS, 0, char, "strings")                                                      \
    X(RP_SECTION_GRAPH, 1, rp_plan_graph, "graph")      /* exactly one */                          \
    X(RP_SECTION_BUFFERS, 2, rp_plan_buffer, "buffers") /* transients behind all others */         \
    X(RP_SECTION_DIMS, 3, uint64_t, "dims")                                                        \
    X(RP_SECTION_KERNELS, 4, rp_plan_kernel, "kernels")                                            \
    X(RP_SECTION_PARAMS, 5, rp_plan_param, "params")                                               \
    X(RP_SECTION_SPECS, 6, rp_plan_spec, "specs") /* ascending ids per kernel */                   \
    X(RP_SECTION_WORDS, 7, uint32_t, "words")     /* SPIR-V */                                     \
    X(RP_SECTION_NODES, 8, rp_plan_node, "nodes") /* in plan order */                              \
    X(RP_SECTION_USES, 9, rp_plan_use, "uses")                                                     \
    X(RP_SECTION_BYTES, 10, uint8_t, "bytes") /* push data, updates, live defaults */              \
    X(RP_SECTION_GROUPS, 11, rp_plan_group, "groups")                                              \
    X(RP_SECTION_BARRIERS, 12, rp_plan_barrier, "barriers") /* groups + 1 */                       \
    X(RP_SECTION_EXPRS, 13, rp_plan_expr, "exprs")                                                 \
    X(RP_SECTION_EXPR_OPS, 14, rp_expr_op, "expr ops")                                             \
    X(RP_SECTION_TEXT, 15, char, "text")                         /* compiled graph, terminated */  \
    X(RP_SECTION_SOURCE_TEXT, 16, char, "source text")           /* source graph, terminated */    \
    X(RP_SECTION_CERTIFICATE, 17, rp_certificate, "certificate") /* exactly one */                 \
    X(RP_SECTION_FOLLOWS, 18, rp_plan_follow, "follows")                                           \
    X(RP_SECTION_LABELS, 19, uint32_t, "labels") /* strings, UINT32_MAX = none */                  \
    X(RP_SECTION_SAMPLERS, 20, rp_plan_sampler, "samplers")                                        \
    X(RP_SECTION_SAMPLER_REFS, 21, uint32_t, "sampler refs")  /* of nodes: samplers */             \
    X(RP_SECTION_ADDRESSES, 22, rp_plan_address, "addresses") /* by node, then by byte */          \
    X(RP_SECTION_TAGGED_BARRIERS, 23, rp_plan_barrier, "tagged barriers") /* as many, or none */   \
    X(RP_SECTION_SIZES, 24, uint32_t, "sizes") /* of dims: exprs, UINT32_MAX = fixed; or none */

typedef enum rp_section {
#define RP_X(symbol, code, ...) symbol = code,
    RP_SECTION_LIST(RP_X)
#undef RP_X
        RP_SECTION_COUNT
} rp_section;

typedef struct rp_plan_section {
    uint32_t code;   /* rp_section, equal to its index in the table */
    uint32_t stride; /* bytes of a record */
    uint64_t offset; /* from the file's start: the end of the section before, rounded up
                      * to a multiple of 8 */
    uint64_t count;  /* records */
} rp_plan_section;

typedef struct rp_plan_graph {
    uint32_t name;          /* string */
    uint32_t barrier_count; /* between groups */
    uint32_t barrier_bound;
    uint32_t dispatch_count;
    uint64_t arena_bytes, arena_bound_bytes;
} rp_plan_graph;

typedef struct rp_plan_buffer {
    uint32_t name; /* string */
    uint8_t kind, dtype, rank;
    uint8_t format;         /* rp_image_format of an image, whose dtype is raw; 0 = no image */
    uint32_t first_dim;     /* RP_SECTION_DIMS */
    uint32_t max_value;     /* live: largest value of an element; UINT32_MAX = any */
    uint64_t size;          /* of an image its packed bytes */
    uint64_t offset;        /* tmp: in the arena, of an image its alias set; others: UINT64_MAX */
    uint32_t first_default; /* live: `size` bytes in RP_SECTION_BYTES; UINT32_MAX = zeros */
    uint32_t first_follow, follow_count; /* live: bytes that are a copy of other live buffers */
    uint8_t dim;                         /* rp_image_dim, and the rest of rp_image_shape; else 0 */
    uint8_t tagged; /* tmp: 1 for elements with tags: 2 * size bytes of the arena */
    uint16_t mips;
    uint32_t width, height, depth, layers;
} rp_plan_buffer;

/* The shape of an image. */
static inline rp_image_shape rp_plan_image(const rp_plan_buffer *b) {
    return (rp_image_shape){b->format, b->dim, b->mips, b->width, b->height, b->depth, b->layers};
}

static inline bool rp_plan_is_image(const rp_plan_buffer *b) {
    return b->format != RP_IMAGE_NONE;
}

/* What memory it takes, or of it a range of so many bytes. */
static inline uint64_t rp_plan_footprint(const rp_plan_buffer *b, uint64_t bytes) {
    return b->tagged ? 2 * bytes : bytes;
}

/* Transients in the arena; images have memory of their own, which those of one alias set may share. */
static inline bool rp_plan_in_arena(const rp_plan_buffer *b) {
    return b->kind == RP_TMP && b->format == RP_IMAGE_NONE;
}

/* rp_sampler_info behind a name. */
typedef struct rp_plan_sampler {
    uint32_t name; /* string */
    uint8_t mag, min, mip, u, v, w, compare, border, unnormalised, reserved[3];
    float anisotropy, bias, min_level, max_level;
} rp_plan_sampler;

static inline rp_sampler_info rp_plan_sampler_info(const rp_plan_sampler *s) {
    rp_sampler_info info;
    memcpy(&info, &s->mag, sizeof info);
    return info;
}

/* Bytes of a live buffer that follow another: `size` bytes behind `from` there are those behind
 * `to` here, always. Multiples of 4; ascending `to` in a buffer. */
typedef struct rp_plan_follow {
    uint32_t buffer; /* live, follows nothing */
    uint32_t from, to, size;
} rp_plan_follow;

typedef struct rp_plan_kernel {
    uint32_t name, entry; /* strings */
    uint64_t hash;        /* of the SPIR-V; 0 = abstract, the plan cannot be executed */
    uint32_t first_word, word_count;
    uint32_t local[3];
    uint32_t shared_bytes, push_bytes;
    uint32_t first_param, param_count;
    uint32_t first_spec, spec_count;
    uint32_t reserved;
} rp_plan_kernel;

typedef struct rp_plan_param {
    uint8_t access, set, binding;
    uint8_t skip; /* what is bound begins so many bytes before the use's range, at a multiple of
                   * RP_ARENA_ALIGNMENT */
    uint8_t resource, view, format, texel; /* rp_resource, rp_view, rp_image_format, rp_texel */
    uint32_t elements;                     /* descriptors of an array of them; 0: no array */
} rp_plan_param;

typedef struct rp_plan_spec {
    uint32_t id;
    uint32_t bytes; /* of its type: 1, 2, 4 or 8 */
    uint64_t value; /* its bits, no more than it has bytes for */
} rp_plan_spec;

typedef enum rp_plan_node_flag {
    RP_NODE_UNKNOWN =
        1, /* may use anything, whatever its uses say; without any, nothing is bound */
    RP_NODE_OPTIONAL = 2, /* the host may leave it out of a replay */
    RP_NODE_SIZED = 4,    /* made of ops, with the grid of the live sizes that its shapes follow: it
                           * writes all that there is, in every replay */
    RP_NODE_FLAGS = 7
} rp_plan_node_flag;

typedef struct rp_plan_node {
    uint32_t id;
    uint8_t kind, grid_kind, live_mask;
    uint8_t flags;    /* rp_plan_node_flag bits, of run nodes */
    uint32_t kernel;  /* UINT32_MAX unless run */
    uint32_t grid[3]; /* live_mask bit i: grid[i] indexes RP_SECTION_EXPRS */
    uint32_t first_use, use_count;
    uint32_t first_sampler, sampler_count; /* RP_SECTION_SAMPLER_REFS */
    uint32_t first_byte,
        byte_count;     /* of a run node with tagged uses 4 zeros come first, for the tag */
    uint32_t pattern;   /* fill: the word; blit: rp_filter */
    uint32_t label, op; /* strings, UINT32_MAX = none */
    uint32_t group;
    uint32_t first_label, label_count; /* the labels of the ops that it computes, each once, where
                                        * they are not all `label`; else none */
} rp_plan_node;

typedef struct rp_plan_use {
    uint32_t buffer;
    uint8_t access, indirect;
    uint8_t step;   /* to which descriptor it belongs: rp_use_step */
    uint8_t format; /* rp_image_format as which a texel buffer is seen; 0 = none */
    uint64_t offset, size;
} rp_plan_use;

/* 8 bytes of a node's push data that are the device's address of a byte of one of its uses. */
typedef struct rp_plan_address {
    uint32_t node;
    uint32_t at;  /* byte of the push data */
    uint32_t use; /* counted from the node's first_use; an addressed one */
    uint32_t reserved;
    uint64_t offset; /* from the start of the use's range */
} rp_plan_address;

typedef struct rp_plan_group {
    uint32_t first_node, node_count;
} rp_plan_group;

typedef rp_barrier rp_plan_barrier; /* src, dst: rp_scope bits; both 0 = no barrier */

typedef struct rp_plan_expr {
    uint32_t first_op, op_count;
} rp_plan_expr;

/* rp_plan_header.needs: RP_PLAN_NEED_LIST of reprise/needs.h. */

/* Layout is part of the format. */
_Static_assert(sizeof(rp_plan_form_place) == 16, "plan form");
_Static_assert(sizeof(rp_plan_header) == 64, "plan header");
_Static_assert(sizeof(rp_plan_section) == 24, "plan section");
_Static_assert(sizeof(rp_plan_graph) == 32, "plan graph");
_Static_assert(sizeof(rp_plan_buffer) == 64, "plan buffer");
_Static_assert(sizeof(rp_plan_follow) == 16, "plan follow");
_Static_assert(sizeof(rp_plan_kernel) == 64, "plan kernel");
_Static_assert(sizeof(rp_plan_param) == 12, "plan param");
_Static_assert(sizeof(rp_plan_sampler) == 32 && offsetof(rp_plan_sampler, mag) == 4 &&
                   sizeof(rp_sampler_info) == 28,
               "plan sampler");
_Static_assert(sizeof(rp_plan_spec) == 16, "plan spec");
_Static_assert(sizeof(rp_plan_node) == 72, "plan node");
_Static_assert(sizeof(rp_plan_use) == 24, "plan use");
_Static_assert(sizeof(rp_plan_address) == 24, "plan address");
_Static_assert(sizeof(rp_plan_barrier) == 8, "plan barrier");
_Static_assert(sizeof(rp_expr_op) == 16, "expression step");
_Static_assert(sizeof(rp_certificate) == 40, "certificate");

/* An open plan, for the runtime: the bytes, and a typed pointer per section. The caller holds it
 * once, each exec once more. A plan of several forms has the records of the last one, which is that of the
 * largest sizes, as its own. */
struct rp_plan {
    atomic_uint holders;
    rp_allocator allocator;
    const uint8_t *file; /* all of it */
    size_t file_size;
    bool mapped;         /* file is a file mapping, else a block of the allocator */
    const uint8_t *data; /* the records: the file, or one form of it */
    size_t size;
    rp_plan
        *forms; /* of a file of several: each as a plan that only looks at its bytes; else NULL */
    uint32_t form_count;
    rp_plan *whole; /* of such a one: the plan that it is a form of; else NULL */
    const rp_plan_header *header;
    const rp_plan_section *sections;
    uint32_t external_count; /* buffers that are not transients: the first ones */
    uint64_t *image_dims;    /* RP_IMAGE_RANK for each of those, NULL where none is an image */
};

/* Of an image as an array, at most: layers or depth, rows, columns, channels. */
enum { RP_IMAGE_RANK = 4 };
/* The extents of an image as NumPy has them, and how many: 0 where it has several mips. */
uint32_t rp_image_array(const rp_image_shape *shape, uint64_t dims[RP_IMAGE_RANK]);

/* One more holder, to be let go with rp_plan_destroy. */
static inline const rp_plan *rp_plan_retain(const rp_plan *plan) {
    rp_plan *held = plan->whole ? plan->whole : (rp_plan *)plan;
    atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
    return plan;
}

/* How many of a run node's uses are bound to its kernel's params: all params, or none of a node that
 * is unknown. `uses` are the node's. */
static inline uint32_t rp_plan_bound(const rp_plan_use *uses, const rp_plan_node *node) {
    uint32_t bound = node->use_count;
    while (bound > 0 && (uses[bound - 1].indirect || uses[bound - 1].step == RP_USE_ADDRESSED))
        bound--;
    return bound;
}

/* The descriptors of a run node, whose kernel is valid, for rp_descriptor_step(): uses are counted from
 * the node's first, samplers from its first. */
static inline rp_descriptor_source rp_plan_descriptors(const rp_plan_node *n,
                                                       const rp_plan_kernel *kernels,
                                                       const rp_plan_param *params,
                                                       const rp_plan_use *uses) {
    bool unknown = n->flags & RP_NODE_UNKNOWN;
    const rp_plan_kernel *k = &kernels[n->kernel];
    uint32_t count = rp_plan_bound(uses + n->first_use, n);
    return (rp_descriptor_source){.params = (const uint8_t *)(params + k->first_param),
                                  .param_stride = sizeof *params,
                                  .resource_at = offsetof(rp_plan_param, resource),
                                  .elements_at = offsetof(rp_plan_param, elements),
                                  .uses = (const uint8_t *)(uses + n->first_use),
                                  .use_stride = sizeof *uses,
                                  .step_at = offsetof(rp_plan_use, step),
                                  .param_count = unknown && count == 0 ? 0 : k->param_count,
                                  .use_count = count};
}

/* The records of a section; the count is sections[code].count. */
static inline const void *rp_plan_records(const rp_plan *plan, rp_section code) {
    return plan->data + plan->sections[code].offset;
}

static inline uint32_t rp_plan_count(const rp_plan *plan, rp_section code) {
    return (uint32_t)plan->sections[code].count; /* validated to fit */
}

static inline const char *rp_plan_string(const rp_plan *plan, uint32_t string) {
    return string == UINT32_MAX ? NULL
                                : (const char *)rp_plan_records(plan, RP_SECTION_STRINGS) + string;
}

#endif
