/* Plans of random graphs for the fake driver, compiled as any other, with bodies for the kernels. Link
 * tests/support/random_graph.c. */
#ifndef RP_MOCK_RANDOM_PLAN_H
#define RP_MOCK_RANDOM_PLAN_H

#include "plan_records.h"
#include "reprise/passes.h"
#include "support.h"
#include "support/cases.h"
#include "support/random_graph.h"

/* The same seed gives the same buffers with every pipeline of passes; NULL: the usual ones. */
static inline rp_plan *mock_random_plan(uint64_t seed, const char *pipeline) {
    rp_random_shape shape = rp_random_shape_of(seed);
    shape.addressed = 0; /* they differ from exec to exec, and what is pushed is compared */
    shape.images = 0;
    shape.unknown = shape.bursts = 0; /* nothing to bind; too long */
    if (shape.nodes > 24) shape.nodes = 24;
    if (shape.max_words > 256) shape.max_words = 256;
    rp_random_graph *random = rp_random_graph_create(seed, &shape);
    rp_graph *source = rp_random_graph_build(random), *compiled = NULL;
    const rp_pass_options options = {.size = sizeof options, .pipeline = pipeline};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, NULL, NULL), RP_OK);
    rp_plan *plan = mock_plan_of(compiled);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    rp_random_graph_destroy(random);
    return plan;
}

/* Random uses begin at any word. */
static inline void mock_fine_offsets(void) {
    mock.properties.limits.minStorageBufferOffsetAlignment = 4;
    mock.properties.limits.minUniformBufferOffsetAlignment = 4;
}

#endif
