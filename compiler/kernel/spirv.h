/* Internal: what the front end needs to know about a SPIR-V module. rp_spirv_validate() comes
 * first: every other function here trusts that the module is valid. */
#ifndef RP_KERNEL_SPIRV_H
#define RP_KERNEL_SPIRV_H

#include "kernel/kernel.h"

enum {
    RP_SPIRV_HEADER = 5,             /* words before the first instruction; word 3 bounds the ids */
    RP_SPIRV_MAX_ID_BOUND = 1 << 20, /* tables are indexed by id: a module may not claim more */
};

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

/* One compiled GLSL shader: `words` with and without optimisation, allocated. */
typedef struct rp_glsl_result {
    uint32_t *words, *interface;
    uint32_t word_count, interface_count;
} rp_glsl_result;
rp_status rp_glsl_compile(const rp_kernel_where *where, const rp_kernel_params *params,
                          rp_glsl_result *out);

/* Whether a module is valid for Vulkan 1.2, and has a compute entry point of this name. */
rp_status rp_spirv_validate(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                            const char *entry);

/* Whether a module asks for nothing that plans do not offer. Called behind rp_reflect(), which
 * knows the names of the images and samplers it refuses. */
rp_status rp_spirv_check_needs(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                               const char *entry);

/* Writes the value into every constant that is decorated with this id. Returns how many there are.
 */
uint32_t rp_spirv_set_constant(uint32_t *words, uint32_t count, uint32_t id, uint32_t value);

/* Workgroup size and workgroup memory of an entry point, with the specialisation constants as they
 * stand in the words. */
rp_status rp_spirv_sizes(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                         const char *entry, uint32_t local[3], uint32_t *shared_bytes);

/* What the code does to the buffers behind its variables: RP_SPIRV_READS | RP_SPIRV_WRITES per
 * variable id, 0 for ids of anything else. The caller releases the table of word 3 (bound) entries.
 */
enum { RP_SPIRV_READS = 1, RP_SPIRV_WRITES = 2 };
rp_status rp_spirv_usage(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                         uint8_t **out_flags);

/* Fills in params[i].array for each binding i of a module, where its code tells; set and binding of
 * the params are filled in. False without memory. */
bool rp_spirv_arrays(const rp_allocator *a, const rp_kernel_module *module, rp_graph_param *params);

/* Fills in the bindings, push-constant members and specialisation constants of `out`, which owns
 * them then; on failure what was filled in is left for rp_kernel_free(). */
rp_status rp_reflect(const rp_kernel_where *where, const uint32_t *words, uint32_t count,
                     const char *entry, rp_kernel_module *out);

/* Releases what rp_reflect() filled in. */
void rp_reflect_free(rp_kernel_module *module);

#endif
