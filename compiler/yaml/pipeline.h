/* Internal: the reader of YAML pipelines. pipeline.c holds the public functions and the order of
 * work; each section of a pipeline has a file:
 *
 *   read.c     keys, texts, names, integers: what all sections share
 *   include.c, scope.c, expand.c, flat.c  see expand.h
 *   arithmetic.c, expression.c  what expressions say, whatever their names mean
 *   params.c   params, and the meaning of names in expressions
 *   values.c   lists of typed numbers: defaults, push data, fill and update
 *   buffers.c  live and buffers
 *   live_block.c  live values with the members of a block
 *   image.c    images: buffers, samplers, parts, blit, clear, mips
 *   kernels.c  kernels
 *   shader.c   what a kernel is built from
 *   range.c    a buffer or a part of one
 *   nodes.c    the node list; copy, fill, update, fence
 *   run.c      run nodes: bind and grid
 *   push.c     run nodes: push
 *   block.c    values for a block, by its layout
 *   op.c       op and map nodes
 *   operand.c  operands of ops
 *
 * Functions that return bool return false after they have reported why (or noted that memory ran
 * out); their callers go on with the next item, so that one run reports all mistakes. */
#ifndef RP_YAML_PIPELINE_H
#define RP_YAML_PIPELINE_H

#include "base/table.h"
#include "composite/signature.h"
#include "file.h"
#include "forms.h"
#include "graph/graph.h"
#include "kernel/kernel.h"
#include "kernel/addresses.h"
#include "kernel/block_push.h"
#include "kernel/live_push.h"
#include "reprise/compiler.h"
#include "yaml/expression.h"
#include "yaml/tree.h"

/* ---- Names: a hash table from text to index -------------------------------------------------- */

typedef struct rp_name {
    const char *text;         /* not owned */
    const rp_yaml_node *node; /* where it was defined; NULL: nowhere, which was reported */
    uint32_t value;
} rp_name;

typedef struct rp_names {
    rp_name *items;
    uint32_t count, capacity;
    rp_table table; /* rp_table_key of a text -> its item */
    bool broken;    /* their section is no map: that was reported, names that are missing are not */
    bool odd;       /* some are no words: see rp_read_names_odd() */
} rp_names;

/* False without memory. The text must not be in the table yet. */
bool rp_names_add(const rp_allocator *a, rp_names *names, const rp_name *name);
const rp_name *rp_names_find(const rp_names *names, const char *text, size_t length);
void rp_names_free(const rp_allocator *a, rp_names *names);

/* ---- The reader ------------------------------------------------------------------------------ */

typedef enum rp_param_state {
    RP_PARAM_NEW,
    RP_PARAM_BUSY,
    RP_PARAM_DONE,
    RP_PARAM_BAD
} rp_param_state;

typedef struct rp_pipeline_param {
    const rp_yaml_node *key, *value;
    bool overridden;
    uint8_t state;      /* rp_param_state */
    rp_yaml_node given; /* overridden by an expression: that in the place of `value` */
    rp_value result;
} rp_pipeline_param;

typedef struct rp_live_block { /* a live buffer with members */
    uint32_t buffer, layout;
} rp_live_block;

struct rp_pipeline {
    rp_allocator allocator;
    rp_graph *graph;
    rp_graph *forms[RP_MAX_FORMS]; /* those before it, of smaller sizes */
    uint32_t forms_count;
    rp_size_ranges *ranges; /* that they are made of */
    uint32_t ranges_count;
    rp_pipeline_data *data;
    uint32_t data_count, data_capacity;
    RP_ARRAY(char *, files);  /* included, and of its kernels */
    char *flat;               /* text; NULL: not kept */
    rp_block_layouts layouts; /* of these: */
    RP_ARRAY(rp_live_block, live_blocks);
};

/* What was read at a node, for the flat text. */
typedef struct rp_flat_note {
    const rp_yaml_node *node;
    const char *text;
} rp_flat_note;

/* A form that a pipeline is read for. */
typedef struct rp_form_limits {
    const rp_size_ranges *ranges;
    uint32_t count, form;
} rp_form_limits;

typedef struct rp_reader {
    rp_allocator a;
    rp_diags *diags;
    const char *file; /* the pipeline's path; may be NULL */
    const rp_pipeline_source *source;
    rp_pipeline *pipeline;
    rp_graph *graph;
    rp_pipeline_param *params;
    uint32_t param_count;
    uint32_t param_depth;      /* of the parameters being evaluated */
    rp_kernel_module *modules; /* as graph->kernels */
    uint32_t module_count, module_capacity;
    rp_names param_names, buffer_names, kernel_names, sampler_names;
    rp_push_blocks push_blocks;
    RP_ARRAY(char *, kept); /* texts that names may point to */
    uint32_t errors;        /* reported through rp_read_error */
    rp_table reported;      /* below a repetition, a block or an include: once is enough */
    rp_names block_names;
    rp_names index_names; /* of repetitions of nodes: no node makes a transient of that name */
    RP_ARRAY(struct rp_block, blocks);
    RP_ARRAY(rp_yaml *, included);
    struct rp_expansion { /* what repetitions and uses make; see expand.h */
        char *chunk;
        size_t chunk_left, text_bytes;
        uint32_t made, uses;
        bool any_text; /* what is made may hold any text that a use gives */
        bool full;     /* too much: that was reported, nothing more is made */
    } expansion;
    RP_ARRAY(rp_flat_note, notes);
    RP_ARRAY(const rp_yaml_node *, waiting); /* keys of live blocks and their nodes, in turn: until
                                              * the kernels are known */
    rp_table note_table;
    RP_ARRAY(rp_size_ranges, ranges);            /* of live sizes */
    RP_ARRAY(const rp_yaml_node *, range_nodes); /* where they stand */
    const rp_form_limits *limits;                /* of a smaller form; NULL: of the largest */
    bool failed, no_memory;
} rp_reader;

/* ---- read.c ---------------------------------------------------------------------------------- */

/* Reports an error at a node, with notes of what led there; both return false. */
bool rp_read_error(rp_reader *r, const rp_yaml_node *at, const char *format, ...) RP_PRINTF(3, 4);
bool rp_read_no_memory(rp_reader *r);

/* The file in which a node is written; NULL: a text without a name. */
const char *rp_read_file(const rp_reader *r, const rp_yaml_node *node);
/* The place in the pipeline's own file: of a use, where a node is written elsewhere. */
rp_source_pos rp_read_pos(const rp_yaml_node *node);

/* At most 60 bytes of a text, for "%.*s". */
#define RP_CLIP(node) (int)((node)->length < 60 ? (node)->length : 60), (node)->text

/* "a, b, c" for a message; what does not fit any more is left out. Zero-initialise. */
typedef struct rp_name_list {
    char text[256];
    size_t length;
} rp_name_list;
void rp_list_add(rp_name_list *list, const char *format, ...) RP_PRINTF(2, 3);

/* Writes " (did you mean 'x'?)" when `name` nearly is a name of the table that means something,
 * else "". */
void rp_read_suggest(const rp_reader *r, char *text, size_t size, const rp_names *names,
                     const char *name);

/* Checks that a node is a map with no other keys than those of the NULL-terminated list. `what` is
 * "a buffer". Unknown keys are reported, and yield false. */
bool rp_read_map(rp_reader *r, const rp_yaml_node *node, const char *what, const char *const *keys);
bool rp_read_list(rp_reader *r, const rp_yaml_node *node, const char *what);
/* Checks that a node is text and not nothing. */
bool rp_read_text(rp_reader *r, const rp_yaml_node *node, const char *what);
bool rp_read_is_name(const char *text);
/* Checks that a text is a name: a letter or '_', then letters, digits, '_' and '.'. */
bool rp_read_name(rp_reader *r, const rp_yaml_node *node, const char *what);
/* Whether an expression or a formula holds a name that was refused as none, like "3x" or "a-b":
 * what is wrong with it has been said. */
bool rp_read_names_odd(const rp_reader *r, const char *text);
/* Finds a name, or reports "unknown buffer 'x' (did you mean ...)", and enters it with RP_NONE:
 * what is missing is reported once. */
const rp_name *rp_read_find(rp_reader *r, rp_names *names, const rp_yaml_node *node,
                            const char *what);
/* The code of one of a set's keywords; -1 after reporting that it is none. */
typedef const char *rp_keyword(uint32_t code);
int rp_read_keyword(rp_reader *r, const rp_yaml_node *node, const char *what, rp_keyword *keyword,
                    uint32_t count);
/* The dtype that a node names; -1 after reporting. */
int rp_read_dtype(rp_reader *r, const rp_yaml_node *node);
/* `true` or `false`: 1 or 0; -1 for anything else, without a report. */
int rp_read_bool(const rp_yaml_node *node);
/* "0x" and 1 to `max_digits` hexadecimal digits. */
bool rp_read_hex(const rp_yaml_node *node, uint32_t max_digits, uint64_t *out);
/* Room for a text that lives as long as the reader; NULL without memory. */
char *rp_read_kept(rp_reader *r, size_t size);
/* The path that a text names, relative to the folder of the file that it is written in; allocated;
 * NULL without memory. */
char *rp_read_path(rp_reader *r, const rp_yaml_node *node);

/* ---- params.c -------------------------------------------------------------------------------- */

bool rp_read_params(rp_reader *r, const rp_yaml_node *node, const rp_param_value *overrides,
                    uint32_t override_count);
typedef enum rp_expr_scope { RP_PARAMS_ONLY, RP_PARAMS_AND_LIVE } rp_expr_scope;
/* A number or an expression over params, and over live values with RP_PARAMS_AND_LIVE: then `code`
 * gets the steps of a live value; it may be NULL otherwise. */
bool rp_read_expr(rp_reader *r, const rp_yaml_node *node, const char *what, rp_expr_scope scope,
                  rp_value *out, rp_expr *code);
/* Whether a text is a number or an expression over params; nothing is reported. */
bool rp_read_is_number(rp_reader *r, const rp_yaml_node *node, rp_value *out);
/* An integer or an expression over params, within [min, max]. */
bool rp_read_integer(rp_reader *r, const rp_yaml_node *node, const char *what, int64_t min,
                     int64_t max, int64_t *out);
/* Reports a float where an integer is expected. */
bool rp_read_not_integer(rp_reader *r, const rp_yaml_node *node, const char *what);

/* ---- flat.c ---------------------------------------------------------------------------------- */

/* Notes what an expression was worth (`code`: that of a live value), or the text that stands for a
 * node in the flat pipeline. Nothing where no flat text is kept. */
void rp_flat_value(rp_reader *r, const rp_yaml_node *node, const rp_value *value,
                   const rp_expr *code);
void rp_flat_text(rp_reader *r, const rp_yaml_node *node, const char *text);

/* ---- values.c -------------------------------------------------------------------------------- */

/* "inf", "-.inf", ".nan" and the like. */
bool rp_read_infinite(const char *text, double *out);
/* A decimal number, .inf, .nan, or an expression over params. */
bool rp_read_double(rp_reader *r, const rp_yaml_node *node, const char *what, double *out);
/* The same; an integer of 64 bits that a double does not hold as digits, which the reader keeps. NULL otherwise. */
bool rp_read_exact(rp_reader *r, const rp_yaml_node *node, const char *what, double *out,
                   const char **digits);
/* Encodes one number or expression over params as `dtype` at out[0 .. rp_dtype_size): integers for
 * all types, floats for floats. */
bool rp_read_number(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, uint8_t out[8]);
/* Encodes a list of numbers, or a single one. *out is allocated. */
bool rp_read_numbers(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, uint8_t **out,
                     uint32_t *out_size);
/* The bytes of "00100000 acc52737". *out is allocated. */
bool rp_read_bytes(rp_reader *r, const rp_yaml_node *node, uint8_t **out, uint32_t *out_size);

/* ---- The sections ---------------------------------------------------------------------------- */

typedef struct rp_shape {
    rp_tensor tensor; /* dimensions alone */
    uint64_t elements;
} rp_shape;
/* A list of 1 to RP_MAX_RANK dimensions, or one alone. They may follow live values. */
bool rp_read_shape(rp_reader *r, const rp_yaml_node *node, rp_shape *out);
/* Bytes of a shape; an error at `node` when they overflow, or when blocks do not fit the last
 * dimension. */
bool rp_read_extent(rp_reader *r, const rp_yaml_node *node, rp_dtype dtype, const rp_shape *shape,
                    uint64_t *out_bytes);

/* ranges.c. Reads the ranges of a live value, if there are any, which is the next buffer of the graph. In a smaller
 * form its largest value and its default are no more than what that has. */
bool rp_read_ranges(rp_reader *r, const rp_yaml_node *node, rp_graph_buffer *buffer);
/* Whether what has ranges is a size, and how many forms there are. */
bool rp_check_ranges(rp_reader *r);
bool rp_read_live(rp_reader *r, const rp_yaml_node *node);
/* Enters a live value, or with NULL a name that was refused. */
bool rp_enter_buffer(rp_reader *r, const rp_yaml_node *key, const rp_graph_buffer *item,
                     const rp_tensor *shape);
/* live_block.c: those that waited. */
bool rp_read_live_blocks(rp_reader *r);
/* run.c: the index of the binding that a key names; -1 for none. And their names, for a message. */
int rp_find_binding(const rp_kernel_module *module, const char *text);
void rp_list_bindings(const rp_kernel_module *module, rp_name_list *list);
bool rp_read_buffers(rp_reader *r, const rp_yaml_node *node);
bool rp_read_kernels(rp_reader *r, const rp_yaml_node *node);

/* What the params of a kernel point to. Zero, with `defines` initialised. */
typedef struct rp_shader_text {
    const rp_yaml_node *source; /* that of `glsl` or `spirv` */
    char *path, *text, *prelude_path, *prelude;
    rp_text defines;          /* back to back */
    const char **define_list; /* into `defines` */
    RP_ARRAY(const char *, folders);
    uint32_t own_folders; /* the first ones, which were allocated */
} rp_shader_text;
bool rp_read_shader(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *node,
                    rp_shader_text *out, rp_kernel_params *params);
void rp_free_shader(rp_reader *r, rp_shader_text *text);

bool rp_read_nodes(rp_reader *r, const rp_yaml_node *node);
bool rp_read_run(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *kernel,
                 const rp_graph_node *base);
/* `value` is that of the key `op` or `map`. */
bool rp_read_op(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *value,
                const rp_graph_node *base);
bool rp_read_map_node(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *value,
                      const rp_graph_node *base);
/* Values that go where a layout says. */
typedef struct rp_block_values {
    const char *what, *owner; /* for messages: "push member" of "kernel 'k'" */
    uint8_t *bytes;           /* zeros, `size` of them */
    uint64_t size;
    uint32_t open_count;                /* elements of the array at the block's end */
    RP_ARRAY(rp_graph_follow, follows); /* ascending `to`; the caller's */
    rp_push_addresses *addresses; /* what is an address goes there; NULL: nothing may be one */
} rp_block_values;
bool rp_read_block(rp_reader *r, const rp_yaml_node *node, const rp_block_layouts *layouts,
                   uint32_t index, rp_block_values *out);
/* The same, for which the bytes are made, at least so many: the caller's, whatever comes back. */
bool rp_read_new_block(rp_reader *r, const rp_yaml_node *node, const rp_block_layouts *layouts,
                       uint32_t index, uint64_t least, rp_block_values *out);
/* One number; `follows` is in the order of the calls. */
bool rp_read_typed(rp_reader *r, const rp_yaml_node *node, rp_scalar scalar, uint32_t offset,
                   rp_block_values *out);

/* Fills push[0 .. module->push_bytes), and says what of it follows live values or is an address; the
 * rest is zero already. */
bool rp_read_push(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                  uint8_t push[RP_MAX_PUSH_BYTES], rp_live_push *live,
                  rp_push_addresses *addresses);
/* Appends what is reached through addresses to a node's bound uses, and gives it its addresses. */
bool rp_read_uses(rp_reader *r, const rp_yaml_node *run, const rp_kernel_module *module,
                  rp_push_addresses *addresses, rp_graph_use *uses, rp_graph_node *out);

/* ---- image.c --------------------------------------------------------------------------------- */

/* Uses as they are gathered, and the samplers beside them. */
/* What a run node binds. A block with addresses in it is none of the uses: it becomes the push data. */
typedef struct rp_use_list {
    RP_ARRAY(rp_graph_use, uses);
    RP_ARRAY(uint32_t, samplers);
    rp_push_addresses addresses; /* in the block that is pushed */
    const rp_yaml_node *pushed;  /* where its values stand; NULL: there is none */
    rp_block_push block;
    uint8_t bytes[RP_MAX_PUSH_BYTES]; /* of it */
} rp_use_list;

/* An rp_image_format; -1 after reporting. */
int rp_read_format(rp_reader *r, const rp_yaml_node *node);
/* The keys of an image in a buffer: image, extent, dim, layers, mips. */
bool rp_read_image(rp_reader *r, const rp_yaml_node *node, rp_graph_buffer *out);
bool rp_read_samplers(rp_reader *r, const rp_yaml_node *node);
/* The index of a sampler by its name; RP_NONE after reporting. */
uint32_t rp_read_sampler(rp_reader *r, const rp_yaml_node *node);
/* An image, or some of its mips and layers, as uses of one descriptor: the first has `step`. Without
 * mips being named it is all of them, or with `one_mip` the first. `out_sampler` (NULL: there is none):
 * what stands at its key `sampler`. */
bool rp_read_part(rp_reader *r, const rp_yaml_node *node, rp_use_list *list, uint8_t access,
                  uint8_t step, bool one_mip, const rp_yaml_node **out_sampler);
bool rp_read_blit(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node);
bool rp_read_clear(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node);
/* Appends a blit for each mip but the first. */
bool rp_read_mips(rp_reader *r, const rp_yaml_node *map, rp_graph_node *node);

enum {
    RP_BIND_ALIGNMENT = 4
}; /* of what own kernels bind; a device may ask for more, which is said when it is known */

/* ---- range.c --------------------------------------------------------------------------------- */

/* A buffer's name, or a map {buffer, offset, size | elements | rows} with the further keys a caller
 * allows. *sized tells whether the map gave an extent; without one the range reaches the buffer's
 * end. The range lies inside the buffer, offset a multiple of `alignment`. */
typedef enum rp_range_keys {
    RP_RANGE_PLAIN,
    RP_RANGE_WITH_ACCESS,
    RP_RANGE_OPERAND, /* `dtype` and `shape`, for the caller */
    RP_RANGE_TEXELS   /* `access` and `format` */
} rp_range_keys;
bool rp_read_range(rp_reader *r, const rp_yaml_node *node, rp_range_keys keys, uint32_t alignment,
                   rp_graph_use *out, bool *sized);
/* Reports a write to a buffer that must not be written. */
bool rp_read_writable(rp_reader *r, const rp_yaml_node *at, uint32_t buffer);

/* ---- operand.c ------------------------------------------------------------------------------- */

/* Reads one operand of an op. An output that names nothing yet becomes a transient to be made:
 * out->fresh. `what` is the operand's name. */
bool rp_read_operand(rp_reader *r, const rp_yaml_node *node, const char *what, uint8_t access,
                     rp_given_operand *out);
/* Enters the names that a node may have made which is wrong, so that others may use them without
 * being reported as well. Returns false. */
bool rp_read_wrong_node(rp_reader *r, const rp_yaml_node *node);
/* Enters the name of a transient that a node made; `buffer` is RP_NONE when the node is wrong. */
bool rp_read_made(rp_reader *r, const rp_yaml_node *node, uint32_t buffer);

#endif
