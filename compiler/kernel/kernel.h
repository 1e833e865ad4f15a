/* Internal: kernels, from GLSL or SPIR-V to a validated and reflected module.
 *
 * rp_kernel_build() does all of it: compile GLSL (glsl.c), validate (spirv_validate.c), reflect
 * (reflect.c), specialise (kernel.c); batch.c does it for many. rp_kernel_add() appends
 * a module to a graph. The two halves of the build are apart for a front end that wants to look at
 * the types of the specialisation constants before it encodes their values: build without
 * constants, look at `constants`, then rp_kernel_specialise(). */
#ifndef RP_KERNEL_KERNEL_H
#define RP_KERNEL_KERNEL_H

#include "graph/graph.h"
#include "kernel/layout.h"
#include "reprise/compiler.h"
#include "spirv/spirv.h"

/* Where a kernel was asked for; used for errors that have no line in the GLSL itself. */
typedef struct rp_kernel_place {
    const char *file; /* may be NULL */
    uint32_t line, column;
} rp_kernel_place;

/* A block, image or sampler of the interface. `name` is what the author called it: the instance name, else the block
 * name, "" when the SPIR-V carries no names. One that the code does not use (any more, after the
 * optimiser) may be bound, to anything; it is no parameter of the graph's kernel and no access. */
typedef struct rp_kernel_binding {
    char *name;
    uint8_t set, binding;
    uint8_t access; /* rp_access: never written: r; `writeonly`: w; a uniform block: u; what is
                     * sampled: s; else rw, as where the code contradicts what is declared */
    bool used, reads, writes; /* what the code does */
    bool readonly, writeonly; /* what is declared */
    uint64_t min_size;     /* bytes of the block's fixed part, and of one element of its last array
                        * when that has no length */
    uint32_t layout;       /* in the module's layouts; RP_NONE: values cannot be given for it, */
    const char *no_layout; /* and why: static text */
    uint8_t resource;      /* rp_resource */
    uint8_t view, format, texel; /* as rp_graph_param */
    uint32_t elements;           /* of an array of descriptors; 0: no array */
} rp_kernel_binding;

/* Whether the code writes what is declared readonly, or reads what is declared writeonly. */
bool rp_kernel_contradicts(const rp_kernel_binding *binding);

/* A specialisation constant that the module has. */
typedef struct rp_kernel_constant {
    char *name; /* "" when unknown */
    uint32_t id;
    rp_scalar scalar; /* RP_SCALAR_OTHER: cannot be set */
    uint64_t value;   /* its bits: the default, or what it was specialised to */
    bool specialised;
} rp_kernel_constant;

/* Owns all its memory, names included; a zeroed module is valid for rp_kernel_free(). */
typedef struct rp_kernel_module {
    rp_allocator allocator;
    char *name, *entry;
    uint32_t *words; /* what the driver gets */
    uint32_t word_count;
    uint32_t *interface; /* GLSL: the same shader unoptimised, with names and unused bindings; NULL
                          * for SPIR-V, whose words are all there is */
    uint32_t interface_count;
    uint64_t hash;     /* rp_hash of the words; never 0 */
    uint32_t local[3]; /* workgroup size, with the specialisation applied */
    uint32_t shared_bytes;
    bool addresses;       /* it uses buffer device addresses: of what, its nodes say */
    bool empty_array;     /* an array is empty while the constants are as they are */
    uint32_t push_bytes;  /* a multiple of 4 */
    uint64_t push_words;  /* bit i: word i belongs to a member; the others are padding */
    uint32_t push_layout; /* as that of a binding */
    const char *no_push_layout;
    bool push_used;              /* by the code; else the block may be left out */
    rp_kernel_binding *bindings; /* ascending (set, binding) */
    uint32_t binding_count;
    rp_block_layouts layouts;      /* of the blocks */
    rp_kernel_constant *constants; /* ascending id */
    uint32_t constant_count;
} rp_kernel_module;

/* Builds a module. Errors in the GLSL are reported at their own file and line, all others at
 * `place`. On failure *out is zeroed. */
rp_status rp_kernel_build(const rp_allocator *allocator, const rp_kernel_params *params,
                          rp_diags *diags, const char *file, uint32_t line, uint32_t column,
                          rp_kernel_module *out);
void rp_kernel_free(rp_kernel_module *module);

/* Builds many modules, in parallel where it may: each job whose status is RP_OK. */
typedef struct rp_kernel_job {
    rp_kernel_params params;
    rp_kernel_place place;
    rp_diags *diags; /* of this job alone */
    rp_status status;
    rp_kernel_module module;
} rp_kernel_job;
/* `tell` (may be NULL) is called on the calling thread, with how many are done: after each one, and
 * several times a second where that takes longer and threads may be used. */
typedef void rp_kernel_tell(void *user, uint32_t done, uint32_t total);
void rp_kernel_build_all(const rp_allocator *allocator, rp_kernel_job *jobs, uint32_t count,
                         rp_kernel_tell *tell, void *user);

/* Whether a use may declare `access` for a binding. NULL when it may, else why not (static text).
 * What is written may be `rw`, and `w` (a promise to write every byte) when the code never reads
 * it, whether the shader says `writeonly` or not; see rp_kernel_for_uses(). */
const char *rp_kernel_access_error(const rp_kernel_binding *binding, rp_access access);

/* Sets specialisation constants and works out again what depends on them (workgroup size, shared
 * bytes, block sizes). An id that the module does not have, or given twice, is an error. On failure
 * the module stays as it was. */
rp_status rp_kernel_specialise(rp_kernel_module *module, const rp_wide_constant *specs,
                               uint32_t count, rp_diags *diags, const char *file, uint32_t line,
                               uint32_t column);

/* The push data of a node that runs the module. */
static inline uint32_t rp_kernel_push_bytes(const rp_kernel_module *module) {
    return module->push_used ? module->push_bytes : 0;
}

/* The words of the push-constant block that belong to no member. */
static inline uint64_t rp_kernel_push_padding(const rp_kernel_module *module) {
    uint32_t words = module->push_bytes / 4;
    uint64_t all = words < 64 ? (UINT64_C(1) << words) - 1 : UINT64_MAX;
    return all & ~module->push_words;
}

/* Appends the module to a graph: the kernel's index, or RP_NONE without memory. The kernel's params
 * are the module's used bindings in order; its specs those constants that were specialised. */
uint32_t rp_kernel_add(rp_graph *graph, const rp_kernel_module *module, rp_source_pos pos);

/* The kernel that a node with these uses runs, as a use has its parameter's access: `kernel`, or
 * where all uses of a parameter that is `rw` promise `w` a copy of it, made once, whose parameters
 * promise the same. Without the grid's use. RP_NONE without memory. */
uint32_t rp_kernel_for_uses(rp_graph *graph, uint32_t kernel, const rp_graph_use *uses,
                            uint32_t use_count);

#endif
