/* Internal: texts of the source tree that are embedded into the library by cmake/RepriseTexts.cmake. */
#ifndef RP_COMPILER_EMBEDDED_H
#define RP_COMPILER_EMBEDDED_H

#include <stdint.h>

typedef struct rp_embedded_text {
    const char *name, *text;
} rp_embedded_text;

/* kernels/: paths below it without ".glsl". */
extern const rp_embedded_text rp_kernel_sources[];
extern const uint32_t rp_kernel_sources_count;

/* compiler/inspect/page/: names of files. */
extern const rp_embedded_text rp_page_sources[];
extern const uint32_t rp_page_sources_count;

#endif
