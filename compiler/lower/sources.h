/* Internal: the text of kernels/, embedded into the library by cmake/RepriseKernels.cmake. */
#ifndef RP_LOWER_SOURCES_H
#define RP_LOWER_SOURCES_H

#include <stdint.h>

typedef struct rp_kernel_text {
    const char *name; /* path below kernels/ without ".glsl" */
    const char *text;
} rp_kernel_text;

extern const rp_kernel_text rp_kernel_sources[];
extern const uint32_t rp_kernel_sources_count;

#endif
