/* Internal: shaderc and SPIRV-Tools, behind functions that return.
 *
 * Both libraries are C++ under a C interface, and their calls may throw: std::bad_alloc at any
 * time. An exception must not pass through frames of C, nor out of this library. So nobody else
 * calls them: guard.cpp is the one file of C++, catches everything, and says RP_ERROR_NO_MEMORY or
 * RP_ERROR_INVALID. */
#ifndef RP_KERNEL_GUARD_H
#define RP_KERNEL_GUARD_H

#include <shaderc/shaderc.h>
#include "base/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rp_guard_output { RP_GUARD_WORDS, RP_GUARD_OPTIMISED, RP_GUARD_TEXT } rp_guard_output;

/* A GLSL compute shader with entry point main, for Vulkan 1.2 and SPIR-V 1.5. */
typedef struct rp_guard_shader {
    const char *glsl, *file;
    const char *const *defines; /* "NAME", "NAME=VALUE" or "NAME(A)=VALUE", checked */
    uint32_t define_count;
    rp_guard_output output;             /* words, or what the preprocessor makes */
    shaderc_include_resolve_fn resolve; /* these two throw nothing */
    shaderc_include_result_release_fn release;
    void *user;
} rp_guard_shader;

typedef struct rp_guard_result {
    char *messages;  /* "" when there are none */
    uint32_t *words; /* NULL: it does not compile, `messages` say why */
    uint32_t count;
    char *text; /* RP_GUARD_TEXT: in place of words */
} rp_guard_result;

/* RP_OK with words (or text), or with messages why there are none; all are released by the caller. */
rp_status rp_guard_compile(const rp_allocator *a, const rp_guard_shader *shader,
                           rp_guard_result *out);

/* Whether SPIRV-Tools finds the words valid for Vulkan 1.2, or those of SPIR-V 1.6 for 1.3: RP_OK, or RP_ERROR_INVALID with the
 * first line of its reason in `why`. */
rp_status rp_guard_validate(const uint32_t *words, uint32_t count, uint32_t max_id_bound,
                            char why[512]);

#ifdef __cplusplus
}
#endif

#endif
