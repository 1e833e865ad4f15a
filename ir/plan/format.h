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

#include "base/expr.h"
#include "base/scope.h"
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
    X(RP_SECTION_LABELS, 19, uint32_t, "labels") /* strings, UINT32_MAX = none */

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
    uint8_t kind, dtype, rank, reserved;
    uint32_t first_dim; /* RP_SECTION_DIMS */
    uint32_t max_value; /* live: largest value of an element; UINT32_MAX = any */
    uint64_t size;
    uint64_t offset;        /* tmp: in the arena; others: UINT64_MAX */
    uint32_t first_default; /* live: `size` bytes in RP_SECTION_BYTES; UINT32_MAX = zeros */
    uint32_t first_follow, follow_count; /* live: bytes that are a copy of other live buffers */
    uint32_t reserved2;
} rp_plan_buffer;

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
} rp_plan_param;

typedef struct rp_plan_spec {
    uint32_t id;
    uint32_t bytes; /* of its type: 1, 2, 4 or 8 */
    uint64_t value; /* its bits, no more than it has bytes for */
} rp_plan_spec;

typedef enum rp_plan_node_flag {
    RP_NODE_UNKNOWN = 1,  /* without declared uses; nothing can be bound for it */
    RP_NODE_OPTIONAL = 2, /* the host may leave it out of a replay */
    RP_NODE_FLAGS = 3
} rp_plan_node_flag;

typedef struct rp_plan_node {
    uint32_t id;
    uint8_t kind, grid_kind, live_mask;
    uint8_t flags;    /* rp_plan_node_flag bits, of run nodes */
    uint32_t kernel;  /* UINT32_MAX unless run */
    uint32_t grid[3]; /* live_mask bit i: grid[i] indexes RP_SECTION_EXPRS */
    uint32_t first_use, use_count;
    uint32_t first_byte, byte_count;
    uint32_t pattern;
    uint32_t label, op; /* strings, UINT32_MAX = none */
    uint32_t group;
    uint32_t first_label, label_count; /* the labels of the ops that it computes, each once, where
                                        * they are not all `label`; else none */
} rp_plan_node;

typedef struct rp_plan_use {
    uint32_t buffer;
    uint8_t access, indirect, reserved[2];
    uint64_t offset, size;
} rp_plan_use;

typedef struct rp_plan_group {
    uint32_t first_node, node_count;
} rp_plan_group;

typedef rp_barrier rp_plan_barrier; /* src, dst: rp_scope bits; both 0 = no barrier */

typedef struct rp_plan_expr {
    uint32_t first_op, op_count;
} rp_plan_expr;

/* rp_plan_header.needs: RP_PLAN_NEED_LIST of reprise/needs.h. */

/* Layout is part of the format. */
_Static_assert(sizeof(rp_plan_header) == 64, "plan header");
_Static_assert(sizeof(rp_plan_section) == 24, "plan section");
_Static_assert(sizeof(rp_plan_graph) == 32, "plan graph");
_Static_assert(sizeof(rp_plan_buffer) == 48, "plan buffer");
_Static_assert(sizeof(rp_plan_follow) == 16, "plan follow");
_Static_assert(sizeof(rp_plan_kernel) == 64, "plan kernel");
_Static_assert(sizeof(rp_plan_param) == 4, "plan param");
_Static_assert(sizeof(rp_plan_spec) == 16, "plan spec");
_Static_assert(sizeof(rp_plan_node) == 64, "plan node");
_Static_assert(sizeof(rp_plan_use) == 24, "plan use");
_Static_assert(sizeof(rp_plan_barrier) == 8, "plan barrier");
_Static_assert(sizeof(rp_expr_op) == 16, "expression step");
_Static_assert(sizeof(rp_certificate) == 40, "certificate");

/* An open plan, for the runtime: the bytes, and a typed pointer per section. The caller holds it
 * once, each exec once more. */
struct rp_plan {
    atomic_uint holders;
    rp_allocator allocator;
    const uint8_t *data;
    size_t size;
    bool mapped; /* data is a file mapping, else a block of the allocator */
    const rp_plan_header *header;
    const rp_plan_section *sections;
    uint32_t external_count; /* buffers that are not transients: the first ones */
};

/* One more holder, to be let go with rp_plan_destroy. */
static inline const rp_plan *rp_plan_retain(const rp_plan *plan) {
    atomic_fetch_add_explicit(&((rp_plan *)plan)->holders, 1, memory_order_relaxed);
    return plan;
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
