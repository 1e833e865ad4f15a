/* The compiler: from a YAML pipeline or from recorded calls to a plan.
 *
 *   rp_program   what recorders share: buffers and kernels. Thread-safe.
 *   rp_recorder  records nodes, in the manner of a command encoder. One thread at a time each;
 *                several recorders on several threads, joined in the order given to
 *                rp_program_graph.
 *   rp_pipeline  a graph from a pipeline in YAML.
 *   rp_compile   graph -> plan in memory.
 *
 * A recorded graph means: all calls of the first recorder, then all of the second, one at a time
 * and fully synchronised. Where the hardware may overlap or reorder them is the compiler's
 * business.
 */
#ifndef REPRISE_COMPILER_H
#define REPRISE_COMPILER_H

#include "reprise/cost.h"
#include "reprise/graph.h"
#include "reprise/image.h"
#include "reprise/ops.h"
#include "reprise/passes.h"
#include "reprise/plan.h"
#include "reprise/plan_build.h"
#include "reprise/signatures.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Programs -------------------------------------------------------------------------------- */

typedef struct rp_program rp_program;

/* Handles of a program's buffers, images among them, kernels and samplers. 0 is never a valid handle:
 * zero-initialise. */
typedef struct rp_buffer {
    uint32_t id;
} rp_buffer;
typedef struct rp_kernel {
    uint32_t id;
} rp_kernel;
typedef struct rp_sampler {
    uint32_t id;
} rp_sampler;

/* `name` is that of the graph: letters, digits, '_', '.' and '-'. */
RP_API rp_status rp_program_create(const rp_allocator *allocator, const char *name,
                                   rp_program **out_program);
/* What graphs that are made from now on are compiled for; composites, and ops over few long rows,
 * are expanded by it. `target` is copied; NULL: `portable`, as at first. Thread-safe, like the other
 * functions of programs. */
RP_API rp_status rp_program_set_target(rp_program *program, const rp_target *target);
/* Destroys the program; its recorders must have been destroyed before. */
RP_API void rp_program_destroy(rp_program *program);

/* Zero is the default everywhere but in `size` and `name`. An image is a buffer with a shape
 * (reprise/image.h): all of that is given, no dtype, rank or shape, and `bytes` is 0 or those of its packed
 * form. Its kind is any but live, and says what it says of other buffers. */
typedef struct rp_buffer_params {
    size_t size;      /* sizeof(rp_buffer_params) */
    const char *name; /* unique; letters, digits, '_' and '.' */
    rp_buffer_kind kind;
    rp_dtype dtype;              /* RP_RAW: `bytes` says how many */
    uint32_t rank;               /* 1 to RP_MAX_RANK; 0 for raw bytes */
    uint64_t shape[RP_MAX_RANK]; /* extents, or what rp_program_extent gave: then `bytes` is 0.
                                  * One may be 0, but of live ones: there are no elements */
    uint64_t bytes;              /* for RP_RAW; 0 or the exact size otherwise */
    const void *initial;         /* live: its first bytes (copied); NULL = zeros */
    uint32_t max_value;          /* live: largest value an element may be set to; 0 = any */
    rp_image_shape image;        /* of an image; format RP_IMAGE_NONE (0): none */
    const uint32_t
        *ranges; /* live, one u32 that dimensions follow: largest values of further forms of
                                  * the plan (rp_program_form), ascending, below max_value; 1: a form
                                  * for exactly 1. Copied. NULL: none */
    uint32_t
        range_count; /* RP_RANGES_AUTO, with `ranges` NULL: those below max_value that the program's
                           * target names (size_ranges); it is set before */
} rp_buffer_params;
enum { RP_RANGES_AUTO = 0x40000000 };
RP_API rp_status rp_program_buffer(rp_program *program, const rp_buffer_params *params,
                                   rp_diags *diags, rp_buffer *out_buffer);

/* Makes a transient a result, of kind out, in graphs that are made from now on: for who knows what to give
 * out only when all is recorded. `name` is a new one, its old one stays taken; NULL: it keeps its name.
 * RP_ERROR_INVALID for a buffer of another kind and for a name that is there already. */
RP_API rp_status rp_program_output(rp_program *program, rp_buffer buffer, const char *name,
                                   rp_diags *diags);

/* A dimension that follows live values of the program, to stand in rp_buffer_params.shape and in
 * rp_operand.shape in place of a number: "tokens", "8 * batch * tokens", "past + limits[1]". Live values
 * are of u32 and have a largest value, of 2 or more; they grow the dimension: + * min max, and / and
 * ceil_div by a number, are possible. Memory is for the largest. In a replay a buffer has as many
 * elements as its shape then has, the first ones of its memory, which are dense; 0 is a size like any
 * other. Ops use such a buffer as a whole (docs/checker.md, rule 4). *out_extent is good for this program
 * alone. RP_ERROR_INVALID for another expression. */
RP_API rp_status rp_program_extent(rp_program *program, const char *expression, rp_diags *diags,
                                   uint64_t *out_extent);

/* And back: the expression of an extent, "8 * $batch * $tokens", which rp_program_extent takes; a number where it
 * follows no live values. Writes at most `size` bytes, terminated when size > 0, and returns the length that
 * all of it needs; 0 for what is no extent of this program, and without memory. */
RP_API size_t rp_program_print_extent(rp_program *program, uint64_t extent, char *text,
                                      size_t size);

/* How kernels read images: a sampler is a value with a name (Vulkan, "Samplers"). `name` and `info` are
 * copied. */
typedef struct rp_sampler_params {
    size_t size;                 /* sizeof(rp_sampler_params) */
    const char *name;            /* unique among samplers; letters, digits, '_' and '.' */
    const rp_sampler_info *info; /* NULL: rp_sampler_default */
} rp_sampler_params;
RP_API rp_status rp_program_sampler(rp_program *program, const rp_sampler_params *params,
                                    rp_diags *diags, rp_sampler *out_sampler);

typedef struct rp_spec_constant {
    uint32_t id;    /* layout(constant_id = id) */
    uint32_t value; /* its 32 bits; floats by their bits */
} rp_spec_constant;

/* A kernel: GLSL source or SPIR-V words, exactly one of the two. The interface (bindings, access,
 * block sizes, push constants, local size) is found by reflection; SPIR-V is validated first. Zero is
 * the default everywhere but in `size` and `name`. */
typedef struct rp_kernel_params {
    size_t size;                /* sizeof(rp_kernel_params) */
    const char *name;           /* unique among kernels */
    const char *glsl;           /* terminated GLSL compute shader */
    const char *glsl_file;      /* its name in messages, and the folder for #include; may be NULL */
    const char *const *defines; /* "NAME", "NAME=VALUE" or "NAME(A, B)=VALUE"; each goes before a
                                 * #define of that name in the GLSL, and a note says so */
    uint32_t define_count;
    const uint32_t *spirv;
    size_t spirv_size;            /* bytes */
    const char *entry;            /* NULL = "main" */
    const rp_spec_constant *spec; /* of 32 bits and bool */
    uint32_t spec_count;
    const char *const *include_folders; /* where #include looks when the file is not beside that
                                         * which includes it, in this order */
    uint32_t include_folder_count;
    const char *prelude;          /* terminated GLSL that stands behind the shader's #version and
                               * #extension lines; NULL: none */
    const char *prelude_file;     /* its name in messages, and the folder for its #include */
    const rp_wide_constant *wide; /* of any width */
    uint32_t wide_count;
    uint32_t array_elements; /* of each array of bindings that has no size in the shader, at most
                              * 4096; 0: such a shader is refused */
} rp_kernel_params;
RP_API rp_status rp_program_kernel(rp_program *program, const rp_kernel_params *params,
                                   rp_diags *diags, rp_kernel *out_kernel);

/* What reflection found of a kernel. Strings live as long as the program. */
typedef struct rp_kernel_interface {
    size_t size; /* sizeof(rp_kernel_interface) of the caller */
    const char *name;
    uint32_t local_size[3]; /* after specialisation */
    uint32_t push_bytes; /* of the push-constant block; 0: none, or one that the code never uses */
    uint32_t binding_count;
} rp_kernel_interface;
RP_API rp_status rp_program_get_kernel(rp_program *program, rp_kernel kernel, rp_diags *diags,
                                       rp_kernel_interface *out_interface);

/* A binding, in ascending order of set and number. */
typedef struct rp_binding_info {
    size_t size;      /* sizeof(rp_binding_info) of the caller */
    const char *name; /* the instance's, or else the block's; "" in SPIR-V without names */
    uint32_t set, binding;
    rp_resource resource;
    rp_access access;  /* as the shader has it; rp_bind_access may say otherwise */
    uint32_t elements; /* of an array of bindings; 0: it is none */
    int used;          /* by the code: others need not be bound */
} rp_binding_info;
/* RP_ERROR_USAGE for an index out of range. */
RP_API rp_status rp_program_get_binding(rp_program *program, rp_kernel kernel, uint32_t index,
                                        rp_diags *diags, rp_binding_info *out_binding);

/* ---- Blocks by member ------------------------------------------------------------------------ */

/* What a path says of a block: "near", "lights[2].colour"; "" is the whole block. */
typedef struct rp_block_member {
    size_t size;     /* sizeof(rp_block_member) */
    uint64_t offset; /* bytes from the block's start */
    uint64_t bytes;  /* it takes so many there, with what lies between its numbers; an array at
                            * the end of a block without a length: none */
    uint64_t number_bytes; /* its numbers back to back; 0 where it holds structs */
    rp_dtype dtype;        /* of its numbers; RP_RAW for types that are no dtype */
} rp_block_member;

/* Names the push-constant block in the place of a set. */
#define RP_PUSH_SET UINT32_MAX

/* A member of a kernel's block, by the names and the layout of its shader. RP_ERROR_NOT_FOUND, with
 * the reason, where there is no such block or member. */
RP_API rp_status rp_program_member(rp_program *program, rp_kernel kernel, uint32_t set,
                                   uint32_t binding, const char *path, rp_diags *diags,
                                   rp_block_member *out_member);
/* Puts the numbers of a member, back to back as C has them (`size` is its number_bytes), where they
 * belong in a block of `block_size` bytes: what rp_push takes, what a live buffer begins with, what
 * rp_exec_set_live sets. Matrices are lists of columns, m[i] in the shader. */
RP_API rp_status rp_program_pack(rp_program *program, rp_kernel kernel, uint32_t set,
                                 uint32_t binding, const char *path, const void *numbers,
                                 size_t size, void *block, size_t block_size, rp_diags *diags);

/* ---- Recording ------------------------------------------------------------------------------- */

typedef struct rp_recorder rp_recorder;

/* A range of a buffer; size 0 means "to the buffer's end". */
typedef struct rp_range {
    rp_buffer buffer;
    uint64_t offset, size;
} rp_range;

/* Mips and layers of an image, which are several ranges of its packed bytes where it is some layers of
 * several mips. A count of 0 means "all from the first on"; but where only one mip can be, which is in
 * a storage image and in rp_blit, 0 mips are the first alone. */
typedef struct rp_image_part {
    rp_buffer image;
    uint32_t first_mip, mips, first_layer, layers;
} rp_image_part;

/* A texel's four channels, by what shaders read it as: those of a float format (unorm, snorm and sRGB
 * among them) are floats, linear ones for sRGB. Channels that a format does not have are ignored. */
typedef union rp_texel_value {
    float f[4];
    int32_t i[4];
    uint32_t u[4];
} rp_texel_value;

RP_API rp_status rp_recorder_create(rp_program *program, rp_recorder **out_recorder);
RP_API void rp_recorder_destroy(rp_recorder *recorder);

/* Calls never fail on the spot: the first mistake is kept, with the number of the call, and
 * reported by rp_program_graph; later calls are then ignored. State (kernel, bindings, push data)
 * persists from one dispatch to the next, as in a command buffer; binding another kernel clears
 * bindings and push data. */
RP_API void rp_bind_kernel(rp_recorder *recorder, rp_kernel kernel);
/* Binds a range to set 0, `binding`. */
RP_API void rp_bind(rp_recorder *recorder, uint32_t binding, rp_range range);
RP_API void rp_bind_in_set(rp_recorder *recorder, uint32_t set, uint32_t binding, rp_range range);
/* The same for an element of an array of buffers. Elements of any array are bound from 0 on without
 * gaps, of samplers all; a device without descriptorBindingPartiallyBound wants all of every array. The
 * functions above bind element 0. */
RP_API void rp_bind_element(rp_recorder *recorder, uint32_t set, uint32_t binding, uint32_t element,
                            rp_range range);
/* What follows binds the other types of descriptors (Vulkan, "Descriptor Types"). They are judged by
 * rp_program_graph, against what the shader declares.
 *
 * A texel buffer: a range of a buffer, whole texels of it, seen as texels of a format. RP_IMAGE_NONE: of
 * the format that the shader declares, where it does. `element` is 0 where there is no array, here and
 * below. */
RP_API void rp_bind_texels(rp_recorder *recorder, uint32_t set, uint32_t binding, uint32_t element,
                           rp_range range, rp_image_format format);
/* A storage image, one mip, or an image that is sampled and has no sampler of its own. The dispatch uses
 * that part and no other. Layers fit the view that the shader declares: one, all of an array, six. */
RP_API void rp_bind_image(rp_recorder *recorder, uint32_t set, uint32_t binding, uint32_t element,
                          rp_image_part part);
/* An image with its sampler: a sampler2D of GLSL. */
RP_API void rp_bind_combined(rp_recorder *recorder, uint32_t set, uint32_t binding,
                             uint32_t element, rp_image_part part, rp_sampler sampler);
/* A sampler alone. */
RP_API void rp_bind_sampler(rp_recorder *recorder, uint32_t set, uint32_t binding, uint32_t element,
                            rp_sampler sampler);
/* Changes the access that reflection found for a binding of the bound kernel, for this and later
 * dispatches, in all elements of an array: RP_READ_WRITE for a `writeonly` block that is not written whole; RP_WRITE, a promise
 * to write every byte, for a block that says nothing and is written but never read. An access that
 * the shader's declaration or code contradicts is a mistake. */
RP_API void rp_bind_access(rp_recorder *recorder, uint32_t set, uint32_t binding, rp_access access);
/* Sets bytes of the push-constant block; offset and size are multiples of 4. */
RP_API void rp_push(rp_recorder *recorder, uint32_t offset, const void *data, uint32_t size);
/* Lets bytes of the push-constant block follow a range of a live buffer: what rp_exec_set_live sets
 * there is what later replays of the dispatches that come now find, and nothing is recorded again.
 * Offsets and size are multiples of 4. rp_push on the same bytes ends it. Such a dispatch runs a
 * copy of the kernel that reads its block from a buffer (`scale-live` in dumps): a load in place of
 * a constant, a descriptor set more, and 256 bytes of the live block for each different block. */
RP_API void rp_push_live(rp_recorder *recorder, uint32_t offset, rp_range live);
/* Pushes the address of the range's first byte, 8 bytes at `offset`: of a GL_EXT_buffer_reference,
 * a uint64_t or a uvec2. It is filled in where the buffer lies when a plan is replayed: it follows
 * storage that is bound, slots and the arena. Of graphs alone: direct mode has no addresses. */
RP_API void rp_push_address(rp_recorder *recorder, uint32_t offset, rp_range range);
/* Says what the bound kernel does to a range that it reaches through addresses, pushed or read from
 * memory: r, w or rw. All such calls together say it all, until another kernel is bound. A kernel of
 * which nothing is said may do anything: its dispatches are ordered against all others. */
RP_API void rp_use_address(rp_recorder *recorder, rp_range range, rp_access access);

RP_API void rp_dispatch(rp_recorder *recorder, uint32_t x, uint32_t y, uint32_t z);
/* The grid is three u32 at the range's start (12 bytes, offset a multiple of 4), read by the GPU.
 */
RP_API void rp_dispatch_indirect(rp_recorder *recorder, rp_range grid);
/* The grid is given by integer expressions over live values, "ceil_div(n, 64)": see
 * docs/ir-text.md. */
RP_API void rp_dispatch_live(rp_recorder *recorder, const char *x, const char *y, const char *z);

/* An operand of an op: a range of a buffer seen as a tensor. */
typedef struct rp_operand {
    const char *name; /* as the op calls it (reprise kernels OP); in a map, as its formula does, and
                       * "out" */
    rp_range range;
    rp_dtype dtype; /* RP_RAW: dtype and shape are the buffer's own, or with an offset or a size as
                     * much of it as the range holds, as rank 1 */
    uint32_t rank;
    uint64_t shape[RP_MAX_RANK]; /* extents, or what rp_program_extent gave */
} rp_operand;

typedef struct rp_attribute {
    const char *name;
    const char *text; /* a choice, a list ("0, -1"), a text ("ij,jk->ik"), the formula of a map
                       * ("expr"), or the digits of an integer, of which a double holds 53 bits; NULL:
                       * `number` */
    double number;
} rp_attribute;

/* Records an op of reprise/ops.h, or a composite (docs/ops.md) as the ops it stands for. Operands
 * in any order; optional ones may be left out. Shapes, dtypes and attributes are checked when the
 * graph is made. Nothing that was bound for dispatches is used or changed. */
RP_API void rp_apply(rp_recorder *recorder, const char *op, const rp_operand *operands,
                     uint32_t operand_count, const rp_attribute *attributes,
                     uint32_t attribute_count);

/* Judges such a call and says what its outputs would be, before there are buffers for them: an operand whose
 * buffer has the handle 0 is an output that is to be made. What is 0 of its dtype and its shape is filled
 * in (a dimension that follows live values as rp_program_extent gives it), ready for rp_program_buffer;
 * what is given is kept to. Outputs that are optional are computed when they are among the operands.
 * RP_ERROR_INVALID for a call that rp_program_graph would not take, with the same message. */
RP_API rp_status rp_program_infer(rp_program *program, const char *op, rp_operand *operands,
                                  uint32_t operand_count, const rp_attribute *attributes,
                                  uint32_t attribute_count, rp_diags *diags);

/* The composites: static; NULL past the end. Families are those of the ops. */
typedef struct rp_composite_info {
    const char *name, *family, *brief;
} rp_composite_info;
RP_API const rp_composite_info *rp_composite_at(uint32_t index);
/* The page of an op or a composite in Markdown: rp_op_doc's, and which kernels may compute it.
 * RP_ERROR_NOT_FOUND for another name. Release with rp_op_doc_release. */
RP_API rp_status rp_kernel_doc(const rp_allocator *allocator, const char *name, char **out_text);

/* What is given to an op by name: the type of an operand, "f16[512,1024]", or an attribute's value. */
typedef struct rp_kernel_given {
    const char *name, *value;
} rp_kernel_given;
/* What computes an op or a composite on a target (NULL: `portable`), as text for people: the ops that
 * it becomes, the kernels that there are for each, which one is taken, and which figures of the target
 * decide it. Outputs that are not given take their type from the inputs. With `count` 0: what each
 * kernel of the op is for, or what the target lacks for it. RP_ERROR_NOT_FOUND for another name;
 * mistakes in what is given are diagnostics. Release with rp_op_doc_release. */
RP_API rp_status rp_kernel_choice(const rp_allocator *allocator, const char *name,
                                  const rp_kernel_given *given, uint32_t count,
                                  const rp_target *target, rp_diags *diags, char **out_text);

/* Of an image a range is whole subresources of its packed bytes, and the copy keeps their order. */
RP_API void rp_copy(rp_recorder *recorder, rp_range source, rp_range destination);
/* The same by mips and layers: one mip, or all layers of some (Vulkan, "Copy Commands"). From image to
 * image, texels of one size in mips of the same extents, bit by bit; between an image and a buffer,
 * packed texels, which begin in the buffer at a multiple of 4 and of a texel's bytes. A range of size 0
 * has the bytes of the part. */
RP_API void rp_copy_image(rp_recorder *recorder, rp_image_part source, rp_image_part destination);
RP_API void rp_copy_to_image(rp_recorder *recorder, rp_range source, rp_image_part destination);
RP_API void rp_copy_from_image(rp_recorder *recorder, rp_image_part source, rp_range destination);
/* Scales a mip of an image to all of a mip of an image, layer by layer, and converts what its texels are
 * (vkCmdBlitImage): between floats, or signed, or unsigned integers, the latter two by RP_FILTER_NEAREST.
 * The device's queue has to draw (rp_device_info.queue_draws). */
RP_API void rp_blit(rp_recorder *recorder, rp_image_part source, rp_image_part destination,
                    rp_filter filter);
/* Makes the mips behind the part's first one, each from the one before, by blits: `mips` counts the first,
 * and 0 layers are all. */
RP_API void rp_make_mips(rp_recorder *recorder, rp_image_part part, rp_filter filter);
/* Gives all texels of one mip, or of all layers of some, one value (vkCmdClearColorImage; of depth the
 * first channel, from 0 to 1). */
RP_API void rp_clear(rp_recorder *recorder, rp_image_part destination, rp_texel_value value);
/* Offset and size are multiples of 4; of an image nothing is filled or updated. */
RP_API void rp_fill(rp_recorder *recorder, rp_range destination, uint32_t pattern);
/* A destination of size 0 means `size` bytes from its offset. */
RP_API void rp_update(rp_recorder *recorder, rp_range destination, const void *data, uint32_t size);
RP_API void rp_fence(rp_recorder *recorder);

/* Says where the calls that come stand in the application's own source, or in a file that it reads: messages
 * of rp_program_graph are then at that place, not at a call's number, and the graph's nodes keep line and
 * column for those of compiling and for rp_graph_node_place; which file that is the application knows.
 * `file` is copied and may be NULL. Line 0: nothing is said of what comes. Direct mode ignores it. */
RP_API void rp_source_line(rp_recorder *recorder, const char *file, uint32_t line, uint32_t column);

/* Labels nest; they name nodes in dumps and in debug tools. */
RP_API void rp_label_begin(rp_recorder *recorder, const char *label);
RP_API void rp_label_end(rp_recorder *recorder);
/* Tags the next node with what it computes ("rms_norm"). */
RP_API void rp_op_tag(rp_recorder *recorder, const char *op);

/* The dispatches and ops between the two are optional: the plan is right with each of them and
 * without, so that they may be left out of single replays. What a node that is left out would have
 * written keeps what was there; a transient that nobody else wrote is then undefined. The price is
 * paid when compiling: `w` counts as `rw`, and an op fuses only with ops that are optional under
 * the very same label. Pairs nest. Fences in between stay; copies, fills, updates and indirect
 * dispatches there are mistakes. */
RP_API void rp_optional_begin(rp_recorder *recorder);
RP_API void rp_optional_end(rp_recorder *recorder);

/* The source graph of the recorders' calls, in the order given: the caller's, for rp_graph_destroy,
 * and independent of program and recorders. Recorders stay as they are, and may record more.
 * RP_ERROR_INVALID for a mistake in a call, or for a graph that is not well formed, with the number
 * of the call. */
RP_API rp_status rp_program_graph(rp_program *program, rp_recorder *const *recorders,
                                  uint32_t recorder_count, rp_diags *diags, rp_graph **out_graph);

/* Ranges of live sizes (rp_buffer_params.ranges) make a program one for several forms of a plan: the same
 * calls with other largest values, one form for each combination, at most RP_MAX_FORMS. What was recorded is
 * played anew for each, so ops over smaller shapes may become others. Ranges of buffers that follow sizes have a size of 0. */
/* How many there are: 1 without ranges. 0 for NULL. */
RP_API uint32_t rp_program_form_count(rp_program *program);
/* The source graph of a form, as rp_program_graph gives that of the last one: rp_compile_forms takes all of them, in
 * this order. */
RP_API rp_status rp_program_form(rp_program *program, rp_recorder *const *recorders,
                                 uint32_t recorder_count, uint32_t form, rp_diags *diags,
                                 rp_graph **out_graph);

/* ---- YAML ------------------------------------------------------------------------------------ */

/* An override of a pipeline parameter: by an integer, or by the text of an expression, as the
 * pipeline could have it ("0.5"). */
typedef struct rp_param_value {
    const char *name;
    int64_t value;
    const char *text; /* NULL: `value` */
} rp_param_value;

/* An array that the pipeline names for a buffer (`data: file.npy`). It is the pipeline's, and lives as
 * long. */
typedef struct rp_pipeline_data {
    const char *buffer, *path; /* the path is already resolved against the pipeline's folder */
    const char *tensor;        /* of a file that holds several; NULL: not named */
    uint32_t line, column;
} rp_pipeline_data;

typedef struct rp_pipeline rp_pipeline;

/* What a pipeline is read from. Zero is the default everywhere but in `size`. */
typedef struct rp_pipeline_source {
    size_t size;      /* sizeof(rp_pipeline_source) */
    const char *path; /* names the text in messages, and gives the folder */
    const char *text; /* NULL: that of the file `path` */
    size_t text_size; /* bytes */
    const rp_param_value *params;
    uint32_t param_count;
    const rp_target *target;    /* becomes the graph's, and composites are expanded by it; NULL:
                                 * `portable` */
    rp_pass_progress *progress; /* as in rp_pass_options, while kernels are compiled: several times
                                 * a second with an allocator of NULL, else after each kernel */
    void *progress_user;
    int keep_flat;                      /* for rp_pipeline_flat_text */
    const char *const *include_folders; /* of all its shaders, behind their own */
    uint32_t include_folder_count;
} rp_pipeline_source;

/* Reads a YAML pipeline (docs/yaml.md) with its kernels, and builds the source graph. Files are
 * found relative to the pipeline's folder. With `allocator` NULL kernels are compiled on several
 * threads, which are gone when the call returns; an application's own allocator is called on this
 * one only. */
RP_API rp_status rp_pipeline_read(const rp_allocator *allocator, const rp_pipeline_source *source,
                                  rp_diags *diags, rp_pipeline **out_pipeline);
/* The same in short: from a file, */
RP_API rp_status rp_pipeline_load(const rp_allocator *allocator, const char *path,
                                  const rp_param_value *params, uint32_t param_count,
                                  rp_diags *diags, rp_pipeline **out_pipeline);
/* and from memory. */
RP_API rp_status rp_pipeline_parse(const rp_allocator *allocator, const char *text, size_t size,
                                   const char *path, const rp_param_value *params,
                                   uint32_t param_count, rp_diags *diags,
                                   rp_pipeline **out_pipeline);
RP_API void rp_pipeline_destroy(rp_pipeline *pipeline);
/* The source graph. It is the pipeline's, and lives as long. */
RP_API const rp_graph *rp_pipeline_graph(const rp_pipeline *pipeline);
/* Of a pipeline with ranges (`live: {tokens: {max: 512, ranges: [8, 64]}}`) the source graph of each form of the plan, for
 * rp_compile_forms in this order; the last is rp_pipeline_graph's. 1 without ranges, 0 for NULL. NULL for an index out
 * of range. */
RP_API uint32_t rp_pipeline_form_count(const rp_pipeline *pipeline);
RP_API const rp_graph *rp_pipeline_form(const rp_pipeline *pipeline, uint32_t index);
/* What a form is for: as rp_plan_form_title. */
RP_API rp_status rp_pipeline_form_title(const rp_pipeline *pipeline, uint32_t index, char *text,
                                        size_t size);
RP_API uint32_t rp_pipeline_data_count(const rp_pipeline *pipeline);
/* NULL for an index out of range. */
RP_API const rp_pipeline_data *rp_pipeline_get_data(const rp_pipeline *pipeline, uint32_t index);
/* The paths of what it was made from beside its own file: the pipelines that it includes, and the
 * shader of each kernel; not of what shaders include. NULL for an index out of range. */
RP_API uint32_t rp_pipeline_file_count(const rp_pipeline *pipeline);
RP_API const char *rp_pipeline_get_file(const rp_pipeline *pipeline, uint32_t index);

/* The same of a live block (`live: {camera: {block: ...}}`): the path begins with its name,
 * "camera.near", or is its name. */
RP_API rp_status rp_pipeline_member(const rp_pipeline *pipeline, const char *path, rp_diags *diags,
                                    rp_block_member *out_member);
RP_API rp_status rp_pipeline_pack(const rp_pipeline *pipeline, const char *path,
                                  const void *numbers, size_t size, void *block, size_t block_size,
                                  rp_diags *diags);

/* The pipeline as a flat YAML text that reads as the very same graph: without params, blocks, include,
 * repetitions, conditions, aliases and comments, every expression as its value. Paths in it are
 * relative to the pipeline's folder. The pipeline's, and lives as long; NULL unless it was read with
 * `keep_flat`. */
RP_API const char *rp_pipeline_flat_text(const rp_pipeline *pipeline);

/* ---- Compiling ------------------------------------------------------------------------------- */

/* Runs the passes and the checker, and packs the result: the caller's, for rp_plan_destroy, and
 * independent of the graph. options NULL: -O1 with rp_lowering_default(). out_reports may be NULL.
 * RP_ERROR_INVALID for a graph or a pipeline of passes that is wrong, RP_ERROR_UNSUPPORTED for what
 * does not fit the target, RP_ERROR_UNPROVEN where the checker rejects the result. */
RP_API rp_status rp_compile(const rp_graph *graph, const rp_pass_options *options, rp_diags *diags,
                            rp_plan **out_plan, rp_pass_reports **out_reports);

/* The same for the forms of a plan (rp_plan_form): each graph is compiled by itself, and what comes of them is joined
 * (rp_plan_join), so they are in its order. `count` is 1 to RP_MAX_FORMS; of one it is rp_compile. out_reports (may be NULL) has
 * room for as many. */
RP_API rp_status rp_compile_forms(const rp_graph *const *graphs, uint32_t count,
                                  const rp_pass_options *options, rp_diags *diags,
                                  rp_plan **out_plan, rp_pass_reports **out_reports);

/* Generates kernels from op nodes: GLSL from kernels/ and the ops' formulas, compiled in parallel,
 * cached by content in memory and under $XDG_CACHE_HOME/reprise/kernels (or ~/.cache/...). For
 * rp_pass_options.lowering; rp_compile uses it where that is NULL. Thread-safe. */
RP_API const rp_lowering *rp_lowering_default(void);

/* The GLSL that an op node, or a run node lowered from one, is computed with: `node` is an index
 * below the graph's nodes, `fast` as in pass `lower=fast`. Empty for other nodes. Release with
 * rp_text_release. */
RP_API rp_status rp_node_glsl(const rp_graph *graph, uint32_t node, int fast, rp_diags *diags,
                              char **out_text);

/* "n6 rms_norm.matvec": a node's id and its kernel, or the ops it computes; cut off at `size`. */
RP_API rp_status rp_node_title(const rp_graph *graph, uint32_t node, char *text, size_t size);

/* ---- Proving --------------------------------------------------------------------------------- */

/* Proves all that can be proven of a plan: that its records are what its text says
 * (rp_plan_graphs), that the compiled graph computes what the source means (rp_check), that kernels
 * which were made of ops are those that the ops make (rp_check_kernels), and that the certificate
 * states what was found. Of a plan of several forms all of that is proven of each, and `source` is NULL; the
 * certificate is that of the last. `source` NULL: the source that the plan carries. RP_ERROR_DAMAGED or
 * RP_ERROR_UNPROVEN with diagnostics otherwise. `out_certificate` (may be NULL) gets what was
 * found.
 */
RP_API rp_status rp_plan_check(const rp_plan *plan, const rp_graph *source, rp_diags *diags,
                               rp_certificate *out_certificate);

/* Whether every run node that was lowered from ops has the kernel, the specialisation constants and
 * the grid that lowering its ops gives, exactly or fast: it is lowered again and compared.
 * RP_ERROR_UNPROVEN with a diagnostic for each node otherwise; `file` (may be NULL) names the graph
 * in them. Nodes whose kernel is abstract are not judged. SPIR-V is what this version of Reprise
 * makes: a graph that another version compiled may not be proven. */
RP_API rp_status rp_check_kernels(const rp_graph *compiled, const char *file, rp_diags *diags);

/* rp_plan_build and rp_plan_graphs, between graphs and plans: see reprise/plan_build.h. */

#ifdef __cplusplus
}
#endif

#endif
