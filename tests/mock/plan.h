/* Plans for tests, from compiled .rpir text, barriers and offsets as written: what a test says is
 * what the runtime gets. Kernels get a body of their own that no GPU could run. */
#ifndef RP_MOCK_PLAN_H
#define RP_MOCK_PLAN_H

#include <stdatomic.h>
#include "reprise/graph.h"
#include "reprise/plan.h"

/* NULL with the reason on stderr when the text is not a compiled graph. Kernels named "abstract..."
 * stay without a body, those named "half..." need 16-bit floats, "sized..." subgroups of 16, "late..." are of SPIR-V 1.5. */
rp_plan *mock_plan(const char *text);
/* The same of a compiled graph, whose kernels get bodies. */
rp_plan *mock_plan_of(rp_graph *graph);

/* An allocator that counts, and fails on demand. From any thread. */
typedef struct mock_allocator {
    rp_allocator allocator;
    atomic_long calls, alive; /* calls that allocate or resize */
    long fail_at;             /* call number, counted from 1; 0 = none */
} mock_allocator;
void mock_allocator_init(mock_allocator *allocator);

#endif
