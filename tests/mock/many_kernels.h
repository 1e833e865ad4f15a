/* A plan of many kernels, each another one: k0, k1, ... */
#ifndef RP_MOCK_MANY_KERNELS_H
#define RP_MOCK_MANY_KERNELS_H

#include <stdio.h>
#include <stdlib.h>
#include "plan.h"

/* The number with which mock.on_pipeline is called for kernel 0; the others follow. */
enum { MANY_FIRST = 8 };

static inline rp_plan *many_kernels(uint32_t count) {
    size_t size = 512 + count * 256, at = 0;
    char *text = malloc(size);
    if (!text) abort();
#define ADD(...) at += (size_t)snprintf(text + at, size - at, __VA_ARGS__)
    ADD("reprise 1\ngraph many scheduled placed synced arena 0 {\n  buf $y inout 64\n");
    for (uint32_t i = 0; i < count; i++) ADD("  kern @k%u spirv - local 64 1 1 (rw)\n", i);
    for (uint32_t i = 0; i < count; i++)
        ADD("  %sgroup %u\n    n%u = run @k%u grid 1 1 1 (rw $y)\n",
            i ? "barrier compute:w -> compute:rw\n  " : "", i, i, i);
    ADD("}\n");
#undef ADD
    rp_plan *plan = mock_plan(text);
    free(text);
    return plan;
}

#endif
