/* Internal: the graph's data structure, shared by ir/, passes/ and compiler/.
 *
 * Everything is an array in the graph, referred to by index; nothing holds pointers into another
 * array, so arrays grow and clone freely. A graph owns all its memory. Code outside ir/graph builds
 * graphs with the rp_graph_add_* functions below and reads the arrays directly.
 */
#ifndef RP_GRAPH_GRAPH_H
#define RP_GRAPH_GRAPH_H

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/expr.h"
#include "base/scope.h"
#include "base/shape.h"
#include "base/table.h"
#include "ops/op.h"
#include "reprise/graph.h"
#include "reprise/image.h"
#include "target/target.h"

#define RP_NONE UINT32_MAX       /* "no index" */
#define RP_NOT_PLACED UINT64_MAX /* a buffer without an arena offset */

/* A place in a source file; 0 = unknown. Kept for diagnostics, never compared or printed. */
typedef struct rp_source_pos {
    uint32_t line, column;
} rp_source_pos;

typedef struct rp_graph_buffer {
    uint32_t name; /* string; unique among buffers; without the '$' or '%' sigil */
    uint8_t kind;  /* rp_buffer_kind */
    uint8_t dtype; /* rp_dtype; RP_RAW has rank 0 */
    uint8_t rank;
    bool removed;       /* dropped by a pass: not printed, used by nothing */
    bool tagged;        /* tmp: its elements, of 4 bytes, are kept with a tag each that says which
                             * replay wrote it; who reads one waits for it (docs/checker.md) */
    uint32_t first_dim; /* in dims[] */
    uint64_t size;      /* bytes, > 0; of an image its packed ones */
    uint64_t offset;    /* tmp: bytes from the arena's start, or RP_NOT_PLACED; of an image the
                             * number of its alias set: images of one may share memory */
    uint32_t first_default; /* live: its initial bytes in bytes[], RP_NONE = zeros */
    uint32_t max_value;     /* live: largest value an element may take; UINT32_MAX = any */
    /* live: in this form of a plan it is 1 whenever that runs, and so a number where dimensions name it alone; not in
     * text, where it stands in no dimension then */
    bool exact;
    uint32_t
        first_follow; /* live: in follows[], ascending `to`; count > 0: nobody sets it, some of */
    uint32_t follow_count; /* its bytes are those of other live buffers, the rest stays as it is */
    rp_image_shape image;  /* format RP_IMAGE_NONE: no image. dtype is RP_RAW for one */
    rp_source_pos pos;
} rp_graph_buffer;

/* Bytes of a live buffer that are a copy of those of another, which follows nothing itself and is
 * declared before. Bytes are counted from the start of either; all are multiples of 4. */
typedef struct rp_graph_follow {
    uint32_t buffer; /* the other */
    uint32_t from, to, size;
} rp_graph_follow;

enum { RP_MAX_PARAMS = 256 }; /* of one kernel; its specialisation constants likewise */

/* The array at the end of a shader's block, as far as it is known: stride 0 where it is not. */
typedef struct rp_graph_array {
    uint64_t offset;    /* bytes from the block's start */
    uint32_t stride;    /* bytes from one element to the next */
    uint32_t element;   /* bytes of one element, without those between its parts */
    uint8_t components; /* of a scalar or vector; 0 for other elements */
    uint32_t stores;    /* elements that one invocation writes at most; 0 = unknown, or none */
} rp_graph_array;

/* One resource of a kernel's interface, in the order in which nodes list their uses. */
typedef struct rp_graph_param {
    uint8_t access;       /* rp_access */
    uint8_t set, binding; /* descriptor set and binding; in text `set.binding`, left out when it
                           * is set 0 and the binding counts up from 0 */
    uint8_t skip;         /* bytes that the code itself passes over at the start of what is bound:
                           * of kernels made of members, rp_use_skip() of every use; 0 of others */
    uint32_t name;        /* string, RP_NONE when unknown; not part of the text form */
    uint64_t min_size;    /* bytes the shader's block needs at least; 0 = unknown; not printed */
    rp_graph_array array; /* not printed */
    uint8_t resource;     /* rp_resource */
    uint8_t view;         /* rp_view: image, combined */
    uint8_t format;       /* rp_image_format that the shader declares; RP_IMAGE_NONE: none */
    uint8_t texel;        /* rp_texel: image, combined, texels */
    uint32_t elements;    /* descriptors of an array of them; 0: no array */
} rp_graph_param;

typedef rp_wide_constant rp_graph_spec; /* a specialisation constant */

typedef struct rp_graph_kernel {
    uint32_t name;                   /* string; unique among kernels */
    uint64_t hash;                   /* of the SPIR-V words; 0 = abstract (`spirv -`) */
    uint32_t first_word, word_count; /* SPIR-V in words[]; count 0 when the body is not at hand */
    uint32_t entry;                  /* string, "main" by default */
    uint32_t local[3];               /* workgroup size after specialisation */
    uint32_t shared_bytes;           /* workgroup memory, 0 when none or unknown */
    uint32_t push_bytes;             /* size of the push-constant block, multiple of 4 */
    uint32_t first_param, param_count;
    uint32_t first_spec, spec_count;
    bool removed;
    rp_source_pos pos;
} rp_graph_kernel;

typedef struct rp_graph_use {
    uint32_t buffer;
    uint8_t access; /* rp_access */
    bool indirect;  /* the 12 bytes of an indirect grid: read at the indirect stage */
    bool addressed; /* reached through addresses: of a run node's, behind the kernel's params */
    uint64_t offset, size; /* bytes; size > 0. Of an image: whole subresources, packed */
    uint8_t step;          /* rp_use_step */
    uint8_t format;        /* rp_image_format as which a texel buffer is seen, or RP_IMAGE_NONE */
} rp_graph_use;

/* An address in the push data of a run node: 8 bytes, zeros in bytes[], that whoever replays fills
 * in with where a byte of one of the node's addressed uses lies. */
typedef struct rp_graph_address {
    uint32_t at;     /* byte of the push data, a multiple of 4 */
    uint32_t use;    /* counted from the node's first_use */
    uint64_t offset; /* bytes from the use's range's start, inside it */
} rp_graph_address;

/* A sampler as the graph declares it. */
typedef struct rp_graph_sampler {
    uint32_t name; /* string; unique among samplers */
    rp_sampler_info info;
    rp_source_pos pos;
} rp_graph_sampler;

typedef struct rp_graph_node {
    uint32_t id;                     /* source order; never changes; unique */
    uint8_t kind;                    /* rp_node_kind */
    uint8_t grid_kind;               /* rp_grid_kind */
    uint8_t live_mask;               /* RP_GRID_LIVE: bit i = grid[i] indexes exprs[] */
    bool unknown;                    /* run node that may use anything: conflicts with everything.
                                      * It has the uses that are known of it, or none */
    bool optional;                   /* run, op: the host may leave it out of a replay */
    uint32_t kernel;                 /* run: kernels[] */
    uint32_t grid[3];                /* run: workgroups, each > 0 for direct grids */
    uint32_t first_use, use_count;   /* in uses[]: the kernel's params in order, by their steps;
                                    * then what is reached through addresses; for an indirect grid
                                    * one more use follows, with `indirect` set.
                                    * copy, blit: source, destination. fill, update, clear:
                                    * destination */
    uint32_t first_byte, byte_count; /* in bytes[]: push data (run), data (update), the four
                                          * 32-bit words of a texel (clear) */
    uint32_t first_address, address_count; /* in addresses[], ascending `at` */
    uint32_t pattern;                      /* fill: the 32-bit word; blit: rp_filter */
    uint32_t label;                        /* string: path of label scopes, "a/b"; RP_NONE */
    uint32_t op;                           /* string: op tag; RP_NONE */
    uint32_t first_member, member_count;   /* in members[]: the ops it computes; count > 0 for op
                                          * nodes and for run nodes that were lowered from them */
    uint32_t first_sampler, sampler_count; /* in sampler_refs[]: those of the kernel's params of
                                            * kinds combined and sampler, in order; as many for an
                                            * array as it has uses (combined) or elements */
    uint32_t group; /* valid once scheduled; nodes[] is then ordered by group */
    rp_source_pos pos;
} rp_graph_node;

/* One operand of an op in a node. An input is read from memory (`use`), or is a value that an
 * earlier member of the same node computed (`value`). An output is written to memory, or is only a
 * value (`use` RP_NONE); every output has a value number, counted from 0 in each node. */
typedef struct rp_graph_operand {
    uint8_t access; /* rp_access, as the op declares it */
    uint8_t dtype, rank;
    bool absent;        /* optional and left out: no use and no value */
    uint32_t first_dim; /* in dims[] */
    uint32_t use;       /* counted from the node's first_use; several inputs may share a use */
    uint32_t value;     /* RP_NONE for inputs from memory */
    uint32_t name;      /* string: an output that is not in memory, named after the buffer it had;
                         * unique in the node. RP_NONE otherwise */
} rp_graph_operand;

typedef struct rp_graph_attr {
    uint32_t name;       /* string: one of the op's attributes; "expr" is the formula of a map */
    uint32_t text;       /* string: a choice or a formula; RP_NONE for a number */
    double number, rest; /* number.h */
} rp_graph_attr;

/* One source op node inside a node. The members of a node mean: run one after the other, in the
 * order of their ids, each value before its readers. */
typedef struct rp_graph_member {
    uint32_t id; /* of the source node */
    const rp_op *op;
    uint32_t first_operand, operand_count; /* in operands[]: the op's, in its order */
    uint32_t first_attr, attr_count;       /* in attrs[]: those that are not the default */
    rp_source_pos pos;
} rp_graph_member;

typedef struct rp_graph_expr {   /* a grid expression */
    uint32_t first_op, op_count; /* in expr_ops[] */
} rp_graph_expr;

/* The barrier before group `i` is barriers[i]; barriers[0] stands against the previous replay,
 * barriers[group_count] against the host. A barrier with empty scopes is absent. */
typedef rp_barrier rp_graph_barrier;

/* The forms that the barriers of a plan with tagged buffers come in. In the form `tagged` a boundary
 * need not order what readers of tagged buffers wait for. Without such buffers there is but one form. */
typedef enum rp_form { RP_FORM_BARRIERS, RP_FORM_TAGGED, RP_FORMS } rp_form;

#define RP_ARRAY(type, name)                                                                       \
    type *name;                                                                                    \
    uint32_t name##_count, name##_capacity

struct rp_graph {
    rp_allocator allocator;
    uint32_t name;          /* string */
    uint32_t stages;        /* rp_stage bits */
    uint64_t arena_bytes;   /* RP_STAGE_PLACED */
    uint32_t group_count;   /* RP_STAGE_SCHEDULED */
    uint32_t skip_variants; /* of each op, so many that would fit are passed over: for tests, which
                             * try all; no part of the text form */
    rp_target target;       /* all figures are filled in: rp_target_fill */

    RP_ARRAY(char, strings); /* terminated, back to back; an index is a byte offset */
    rp_table string_table;   /* rp_table_key of a string -> its index */
    RP_ARRAY(rp_graph_buffer, buffers);
    RP_ARRAY(uint64_t, dims);        /* at the largest live sizes */
    RP_ARRAY(rp_powers, dim_powers); /* dims[i] follows the sizes dim_powers[i]; as many as dims */
    RP_ARRAY(rp_graph_follow, follows);
    RP_ARRAY(rp_graph_kernel, kernels);
    RP_ARRAY(rp_graph_param, params);
    RP_ARRAY(rp_graph_spec, specs);
    RP_ARRAY(uint32_t, words);
    RP_ARRAY(rp_graph_node, nodes); /* in plan order */
    RP_ARRAY(rp_graph_use, uses);
    RP_ARRAY(rp_graph_sampler, samplers);
    RP_ARRAY(uint32_t, sampler_refs); /* indices of samplers */
    RP_ARRAY(rp_graph_address, addresses);
    RP_ARRAY(uint8_t, bytes);
    RP_ARRAY(rp_graph_member, members);
    RP_ARRAY(rp_graph_operand, operands);
    RP_ARRAY(rp_graph_attr, attrs);
    RP_ARRAY(rp_graph_expr, exprs);
    RP_ARRAY(rp_expr_op, expr_ops);
    RP_ARRAY(rp_graph_barrier, barriers); /* RP_STAGE_SYNCED: group_count + 1 */
    RP_ARRAY(rp_graph_barrier,
             tagged_barriers); /* the same in the form `tagged`; empty without tagged
                                                  * buffers */

    rp_sizes sizes;                /* that dimensions follow; size i is the expression */
    uint32_t size_exprs[RP_SIZES]; /* exprs[size_exprs[i]] over live values */

    struct rp_known_hazards *known; /* what pass sync found, for whoever asks again (hazards.h) */
};

/* ---- Building -------------------------------------------------------------------------------- */

/* An empty graph for target `portable`; NULL without memory. */
rp_graph *rp_graph_create(const rp_allocator *allocator, const char *name);

/* Compiles for another target from now on; NULL: `portable`. One without its size is refused. */
rp_status rp_graph_set_target(rp_graph *graph, const rp_target *target);

/* The index of a string, added when new; RP_NONE without memory. */
uint32_t rp_graph_intern(rp_graph *graph, const char *text, size_t length);
/* The same for one that is there already; RP_NONE when it is not. */
uint32_t rp_graph_find_string(const rp_graph *graph, const char *text, size_t length);
/* The text of a string index; "" for RP_NONE. Valid until the next intern. */
static inline const char *rp_graph_string(const rp_graph *graph, uint32_t string) {
    return string < graph->strings_count ? graph->strings + string : "";
}

/* Each copies *item and appends it, and returns its index, or RP_NONE without memory. Arrays that
 * the item refers to (dims, params, ...) are appended by the caller first, with RP_RESERVE or the
 * functions below. */
uint32_t rp_graph_add_buffer(rp_graph *graph, const rp_graph_buffer *buffer, const uint64_t *dims);
/* The same with a tensor's shape, which may follow live sizes of the graph. */
uint32_t rp_graph_add_shaped(rp_graph *graph, const rp_graph_buffer *buffer,
                             const rp_tensor *shape);
/* Appends dimensions; `powers` NULL: they follow no sizes. RP_NONE without memory. */
uint32_t rp_graph_add_dims(rp_graph *graph, const uint64_t *dims, const rp_powers *powers,
                           uint32_t count);
uint32_t rp_graph_add_kernel(rp_graph *graph, const rp_graph_kernel *kernel,
                             const rp_graph_param *params, const rp_graph_spec *specs,
                             const uint32_t *words);
uint32_t rp_graph_add_node(rp_graph *graph, const rp_graph_node *node, const rp_graph_use *uses,
                           const uint8_t *bytes);
uint32_t rp_graph_add_expr(rp_graph *graph, const rp_expr_op *ops, uint32_t count);

/* An operand as a builder gives it: a range of a buffer seen as a tensor, or absent. */
typedef struct rp_op_argument {
    rp_tensor tensor; /* tensor.absent: everything else is ignored */
    uint32_t buffer;
    uint64_t offset; /* bytes; the size is the tensor's */
} rp_op_argument;

/* Appends an op node of one member, whose id is node->id: fills in kind, uses and member of a copy
 * of *node (which gives id, label, op tag and position). Arguments are the op's operands in order;
 * `attrs` are copied. The op's rules are not checked here: rp_graph_verify does. The node's index,
 * or RP_NONE without memory. */
uint32_t rp_graph_add_op(rp_graph *graph, const rp_graph_node *node, const rp_op *op,
                         const rp_op_argument *arguments, uint32_t argument_count,
                         const rp_graph_attr *attrs, uint32_t attr_count);

/* ---- Reading --------------------------------------------------------------------------------- */

uint32_t rp_graph_find_buffer(const rp_graph *graph, const char *name); /* RP_NONE; linear */
uint32_t rp_graph_find_kernel(const rp_graph *graph, const char *name); /* RP_NONE; linear */

static inline bool rp_graph_is_portable(const rp_graph *g) {
    return rp_target_same(&g->target, rp_target_portable);
}

static inline const rp_graph_use *rp_node_uses(const rp_graph *g, const rp_graph_node *n) {
    return g->uses + n->first_use;
}

static inline bool rp_access_reads(uint8_t access) {
    return access != RP_WRITE;
}

static inline bool rp_access_writes(uint8_t access) {
    return access == RP_WRITE || access == RP_READ_WRITE;
}

/* How many of a run node's uses are bound to its kernel's params: all params, or none where the node
 * is unknown and nothing is said of them. */
static inline uint32_t rp_node_bound(const rp_graph *g, const rp_graph_node *n) {
    uint32_t bound = n->use_count;
    while (bound > 0 && (g->uses[n->first_use + bound - 1].indirect ||
                         g->uses[n->first_use + bound - 1].addressed))
        bound--;
    return bound;
}

/* Whether every replay runs all of the node's workgroups: they are known at compile time, or are as
 * many as what ops write follows live sizes, and nobody may leave the node out. What another node writes may be only a part of what it says, or
 * nothing. */
static inline bool rp_node_is_certain(const rp_graph_node *n) {
    return (n->grid_kind == RP_GRID_DIRECT || n->member_count) && !n->optional;
}

/* Whether a use replaces every byte of its range in every replay. */
static inline bool rp_use_overwrites(const rp_graph_node *n, const rp_graph_use *u) {
    return u->access == RP_WRITE && rp_node_is_certain(n);
}

/* Whether two nodes are in every replay together or not at all: no one can leave them out, or they
 * are optional and go by the same label. */
static inline bool rp_node_same_switch(const rp_graph_node *a, const rp_graph_node *b) {
    return a->optional == b->optional &&
           (!a->optional || (a->label != RP_NONE && a->label == b->label));
}

/* A node reads before it writes, in whatever order its uses are listed. Calls `visit` with each use
 * that only reads, then with each that writes (one that does both comes there: no other use of the
 * node writes its bytes). `use` is an index in uses[]. Stops, and returns false, when `visit` does.
 */
typedef bool rp_use_visit(void *context, const rp_graph_node *node, uint32_t use);
static inline bool rp_node_visit_uses(const rp_graph *graph, const rp_graph_node *node,
                                      rp_use_visit *visit, void *context) {
    for (uint32_t phase = 0; phase < 2; phase++)
        for (uint32_t u = node->first_use; u < node->first_use + node->use_count; u++)
            if (rp_access_writes(graph->uses[u].access) == (phase == 1) && !visit(context, node, u))
                return false;
    return true;
}

/* How far into a descriptor the range begins, where the descriptor begins at an offset that every
 * device takes. */
static inline uint8_t rp_use_skip(const rp_graph_use *u) {
    return (uint8_t)(u->offset % RP_ARENA_ALIGNMENT);
}

static inline const rp_graph_member *rp_node_members(const rp_graph *g, const rp_graph_node *n) {
    return g->members + n->first_member;
}

static inline const rp_graph_operand *rp_member_operands(const rp_graph *g,
                                                         const rp_graph_member *m) {
    return g->operands + m->first_operand;
}

/* ---- Live sizes, sizes.c ---------------------------------------------------------------------- */

enum { RP_SIZE_ERROR = 192 };

/* What an expression over live values is as a dimension, RP_EXPR_CONST alone included: finds or adds
 * the sizes that it follows. `text` is how a person wrote it. RP_ERROR_INVALID with `error`; of the
 * expression everything but the names is untrusted, and it is valid code. */
rp_status rp_graph_size(rp_graph *graph, const rp_expr_op *ops, uint32_t count, rp_extent *out,
                        char error[RP_SIZE_ERROR]);
/* Appends the code of a number that follows sizes. */
rp_status rp_graph_size_code(const rp_graph *graph, rp_extent extent, rp_expr *out);
/* Prints a dimension: its number, or "{8 * $tokens}"; of one that follows sizes what is in the braces. */
void rp_graph_print_size(rp_text *text, const rp_graph *graph, uint32_t dim);
/* The same of any number that follows the graph's sizes. */
void rp_graph_print_extent(rp_text *text, const rp_graph *graph, rp_extent extent);
void rp_graph_print_dim(rp_text *text, const rp_graph *graph, uint32_t dim);
/* "4 x {ceil_div($tokens, 64)} x 1": the workgroups of a node whose grid is not indirect. */
void rp_graph_print_grid(rp_text *text, const rp_graph *graph, const rp_graph_node *node);
/* Whether dimensions of two graphs are the same, sizes by the names of live buffers. */
bool rp_graph_same_dims(const rp_graph *g, uint32_t first, const rp_graph *h, uint32_t other,
                        uint32_t count);
/* Copies a shape out of the graph: dimensions alone. */
void rp_graph_shape(const rp_graph *graph, uint32_t first_dim, uint8_t rank, rp_tensor *out);
/* What sizes the elements of a buffer, and of a use of a node's member, follow. */
rp_powers rp_dims_powers(const rp_graph *graph, uint32_t first, uint32_t rank);
static inline rp_powers rp_buffer_powers(const rp_graph *g, const rp_graph_buffer *b) {
    return g->sizes.count ? rp_dims_powers(g, b->first_dim, b->rank) : 0;
}
/* The live buffers behind the sizes, each once, in the order of the sizes: calls `visit` with each
 * until it returns false. */
typedef bool rp_size_visit(void *context, uint32_t buffer);
void rp_graph_visit_sizes(const rp_graph *graph, rp_powers powers, rp_size_visit *visit,
                          void *context);
/* members.c. Drops nodes of a verified graph in source order that have nothing to do: all that they write has no
 * elements. */
void rp_graph_drop_idle(rp_graph *graph);
/* The powers without those of sizes that are numbers in this form. */
rp_powers rp_graph_varying(const rp_graph *graph, rp_powers powers);
/* forms.c. Gives live buffers of a graph without nodes other, smaller largest values, and buffers the shapes that follow
 * from them. RP_ERROR_INVALID, with the reason, where a size is then too small to vary. */
/* A live buffer's largest value, and no more than that to begin with. `buffer` need not be in the graph yet. */
void rp_graph_limit_live(rp_graph *graph, rp_graph_buffer *buffer, uint32_t most);
rp_status rp_graph_limit(rp_graph *graph, const uint32_t *buffers, const uint32_t *most,
                         uint32_t count, char error[RP_SIZE_ERROR]);
/* Whether some dimension of the graph follows a live buffer. */
bool rp_graph_sizes_follow(const rp_graph *graph, uint32_t live);
/* All sizes that the members of a node follow: the bits of their powers. */
rp_powers rp_node_powers(const rp_graph *graph, const rp_graph_node *node);
/* How many uses its members' operands have. A run node that was lowered from members which follow sizes
 * has others behind them: it reads the live buffers of these sizes, in their order, each whole. */
uint32_t rp_node_member_uses(const rp_graph *graph, const rp_graph_node *node);
/* Adds those, unless they are there; whether the uses behind the members' are these. */
rp_status rp_node_add_size_uses(rp_graph *graph, rp_graph_node *node);
bool rp_node_has_size_uses(const rp_graph *graph, const rp_graph_node *node);

/* A member as a call of its op, attributes and types filled in but not yet checked (rp_op_check
 * binds the symbols). The formula points into the graph's strings. */
void rp_member_call(const rp_graph *graph, const rp_graph_member *member, rp_op_call *out);
/* Leaves an attribute of a member, by its place in the definition, to the shapes that show it. */
void rp_member_clear(rp_graph *graph, uint32_t member, uint32_t attr);

/* Checks a member's call and chooses its variant for the graph's target; false with call->error. */
bool rp_member_choose(const rp_graph *graph, rp_op_call *call);

/* Fences and nodes without declared uses order everything. */
static inline bool rp_node_orders_all(const rp_graph_node *n) {
    return n->kind == RP_FENCE || n->unknown;
}

static inline bool rp_buffer_has_result(const rp_graph_buffer *b) {
    return b->kind == RP_OUT || b->kind == RP_INOUT;
}

/* Whether nodes may write it. Of other kinds verification knows that none does: nothing conflicts
 * there, and whoever looks for conflicts need not look. */
static inline bool rp_buffer_can_change(const rp_graph_buffer *b) {
    return b->kind == RP_TMP || rp_buffer_has_result(b);
}

/* Whether it has a shape without elements: its RP_EMPTY_BYTES are nobody's. */
static inline bool rp_buffer_is_empty(const rp_graph *g, const rp_graph_buffer *b) {
    return rp_shape_is_empty(b->rank, g->dims + b->first_dim);
}

static inline bool rp_buffer_is_image(const rp_graph_buffer *b) {
    return b->image.format != RP_IMAGE_NONE;
}

/* Transients in the arena; images have memory of their own. */
static inline bool rp_buffer_in_arena(const rp_graph_buffer *b) {
    return b->kind == RP_TMP && !rp_buffer_is_image(b);
}

/* Bytes that it takes of an arena: a tagged one has a tag of 4 bytes with each element of as many. */
static inline uint64_t rp_buffer_footprint(const rp_graph_buffer *b) {
    return b->tagged ? 2 * b->size : b->size;
}

/* Whether some buffer is tagged. */
bool rp_graph_has_tags(const rp_graph *graph);
/* Whether some use of the node is of a tagged buffer; whether it reads one: then it may have to wait. */
bool rp_node_has_tags(const rp_graph *graph, const rp_graph_node *node);
bool rp_node_waits(const rp_graph *graph, const rp_graph_node *node);

/* Why a buffer cannot be tagged, and why not with this use of it by an op or a kernel made of ops; NULL
 * where it can. The graph's declarations and nodes are valid. */
const char *rp_tags_wrong_buffer(const rp_graph_buffer *buffer);
const char *rp_tags_wrong_use(const rp_graph *graph, const rp_graph_node *node,
                              const rp_graph_use *use);

/* What a lowering adds to a node with tagged uses: RP_TAG_BYTES of push data, for whoever replays to fill
 * in; and, to the kernel of one that waits, a parameter for the word of stalls behind those of the uses. */
rp_status rp_node_add_tag(rp_graph *graph, rp_graph_node *node);
static inline rp_graph_param rp_stall_param(const rp_graph_node *node) {
    return (rp_graph_param){.access = RP_READ_WRITE,
                            .binding = (uint8_t)node->use_count,
                            .name = RP_NONE,
                            .resource = RP_RESOURCE_STALL};
}

/* The barriers of a form, group_count + 1 of a graph that is synced. */
static inline const rp_graph_barrier *rp_graph_form(const rp_graph *g, rp_form form) {
    return form == RP_FORM_TAGGED && g->tagged_barriers_count ? g->tagged_barriers : g->barriers;
}

/* An op is not a kernel yet, but will be one. */
static inline bool rp_node_is_compute(const rp_graph_node *n) {
    return n->kind == RP_RUN || n->kind == RP_OP;
}

/* The scope bit of the reading part and of the writing part of a use, RP_SCOPE_NONE for none. */
static inline uint32_t rp_use_read_scope(const rp_graph_node *node, const rp_graph_use *use) {
    return rp_scope_of_read(rp_node_is_compute(node), use->indirect, use->access);
}

static inline uint32_t rp_use_write_scope(const rp_graph_node *node, const rp_graph_use *use) {
    return rp_scope_of_write(rp_node_is_compute(node), use->indirect, use->access);
}

/* The index of a sampler, a copy of *sampler; RP_NONE without memory. */
uint32_t rp_graph_add_sampler(rp_graph *graph, const rp_graph_sampler *sampler);
uint32_t rp_graph_find_sampler(const rp_graph *graph, const char *name); /* RP_NONE; linear */

/* The descriptors of a run node, for rp_descriptor_step(): uses are counted from the node's first,
 * samplers from its first. None for a node without declared uses. */
rp_descriptor_source rp_node_descriptors(const rp_graph *graph, const rp_graph_node *node);

/* Appends "compute:rw,indirect:r"; "none" for an empty scope. Parsing returns false on bad text. */
void rp_scope_print(rp_text *text, uint32_t scope);
bool rp_scope_parse(const char *text, size_t length, uint32_t *out);

/* Renumbers nothing, moves nodes: order[i] is the index of the node that comes i-th. */
rp_status rp_graph_reorder(rp_graph *graph, const uint32_t *order);

/* rp_graph_verify and rp_graph_parse of what was made of a verified graph: errors are said,
 * warnings are not, because the source's were. Cost: twice that of the other when there are errors. */
rp_status rp_graph_verify_again(const rp_graph *graph, rp_diags *diags);
rp_status rp_graph_parse_again(const rp_allocator *allocator, const char *text, size_t size,
                               const char *file, rp_diags *diags, rp_graph **out_graph);

#endif
