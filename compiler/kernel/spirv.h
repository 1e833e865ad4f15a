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
void rp_kernel_warn(const rp_kernel_where *where, const char *format, ...) RP_PRINTF(2, 3);

/* Compiles the GLSL of `params`; the words are allocated. What its author did wrong is reported by
 * the plain compilation, which comes first. */
typedef enum rp_glsl_level { RP_GLSL_PLAIN, RP_GLSL_OPTIMISED } rp_glsl_level;
rp_status rp_glsl_compile(const rp_kernel_where *where, const rp_kernel_params *params,
                          rp_glsl_level level, uint32_t **out_words, uint32_t *out_count);

/* Whether a module is valid for Vulkan 1.2, and has a compute entry point of this name. */
rp_status rp_spirv_validate(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                            const char *entry);

/* Writes the value into every constant that is decorated with this id. Returns how many there are.
 */
uint32_t rp_spirv_set_constant(uint32_t *words, uint32_t count, uint32_t id, uint32_t value);

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
