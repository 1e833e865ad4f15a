/* Internal: the steps from GLSL or SPIR-V to a module. What a module says comes from
 * spirv/spirv.h; rp_spirv_validate() comes first. */
#ifndef RP_KERNEL_SPIRV_H
#define RP_KERNEL_SPIRV_H

#include "kernel/kernel.h"

/* Who asks, for messages. */
typedef struct rp_kernel_where {
    const rp_allocator *allocator;
    rp_diags *diags;
    const char *kernel; /* its name */
    rp_kernel_place place;
} rp_kernel_where;

/* Adds "kernel 'name': ..." at the place. Returns RP_ERROR_INVALID, for `return
 * rp_kernel_error(..)`. */
rp_status rp_kernel_error(const rp_kernel_where *where, const char *format, ...) RP_PRINTF(2, 3);
/* The same of something that no plan may need. */
rp_status rp_kernel_not_offered(const rp_kernel_where *where, const char *what);
void rp_kernel_warn(const rp_kernel_where *where, const char *format, ...) RP_PRINTF(2, 3);

/* Compiles the GLSL of `params`; the words are allocated. What its author did wrong is reported by
 * the plain compilation, which comes first. The other one has no words where they had to be mended
 * first: the optimiser takes what is valid. */
typedef enum rp_glsl_level { RP_GLSL_PLAIN, RP_GLSL_OPTIMISED } rp_glsl_level;
rp_status rp_glsl_compile(const rp_kernel_where *where, const rp_kernel_params *params,
                          rp_glsl_level level, uint32_t **out_words, uint32_t *out_count);

/* Says of a module in a language that SPIRV-Tools may be too old to know, as Slang, that it is in an
 * unknown one. Drivers do not ask. The words may be anything. */
void rp_spirv_forget_language(uint32_t *words, uint32_t count);

/* Gives all arrays of bindings without a size so many elements, in valid words that are allocated and
 * are replaced where there are any. */
rp_status rp_spirv_size_arrays(const rp_allocator *allocator, uint32_t elements, uint32_t **words,
                               uint32_t *count);

/* Whether a module is valid for Vulkan 1.2, or of SPIR-V 1.6 for Vulkan 1.3, and has a compute entry point of this name. */
rp_status rp_spirv_validate(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                            const char *entry);

/* The same without a place: RP_ERROR_INVALID with the reason in `why`. Says nothing of entry
 * points. */
rp_status rp_spirv_check(const rp_allocator *a, const uint32_t *words, uint32_t count,
                         char why[512]);

/* Cooperative matrices of SPV_NV_cooperative_matrix become those of SPV_KHR_cooperative_matrix. The
 * words are valid and allocated, and replaced where they have such matrices. */
rp_status rp_matrices_to_khr(const rp_kernel_where *where, uint32_t **words, uint32_t *count);
/* The way back, for a validator that knows the former alone: *out_words is NULL where there is
 * nothing to translate, as in words that make no sense. RP_ERROR_INVALID with the reason in `why`
 * for what only the latter can say, and says wrong. */
rp_status rp_matrices_to_nv(const rp_allocator *a, const uint32_t *words, uint32_t count,
                            uint32_t **out_words, uint32_t *out_count, char why[512]);

/* What a driver gets of a module with cooperative matrices: a copy without names. *out_words is NULL
 * for any other module, which is optimised instead. */
rp_status rp_matrices_words(const rp_allocator *a, const uint32_t *words, uint32_t count,
                            uint32_t **out_words, uint32_t *out_count);

/* A copy of valid words without names, sources and lines: what a driver gets of a module that is not
 * optimised. */
rp_status rp_spirv_without_names(const rp_allocator *a, const uint32_t *words, uint32_t count,
                                 uint32_t **out_words, uint32_t *out_count);

/* Writes the value into every constant that is decorated with this id. Returns how many there are.
 */
uint32_t rp_spirv_set_constant(uint32_t *words, uint32_t count, uint32_t id, rp_scalar scalar,
                               uint64_t value);

/* Fills in the `array` of params of a module, where its code tells; their set and binding are
 * filled in. False without memory. */
bool rp_spirv_arrays(const rp_allocator *a, const rp_kernel_module *module, rp_graph_param *params,
                     uint32_t count);

/* Fills in all that a module's words say of its entry point: sizes, bindings, push-constant members
 * and specialisation constants of `out`, which owns them then; on failure what was filled in is
 * left for rp_kernel_free(). Refuses what plans do not offer. */
rp_status rp_reflect(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                     const char *entry, rp_kernel_module *out);

/* Replaces what the code does to the bindings and the push-constant block of `module` by what these
 * words, optimised ones, do. */
rp_status rp_reflect_usage(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                           const char *entry, rp_kernel_module *module);

/* Releases what rp_reflect() filled in. */
void rp_reflect_free(rp_kernel_module *module);

#endif
