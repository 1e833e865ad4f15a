/* Plans of random graphs for the fake driver, compiled as any other, with bodies for the kernels. Link
 * tests/support/random_graph.c. */
#ifndef RP_MOCK_RANDOM_PLAN_H
#define RP_MOCK_RANDOM_PLAN_H

#include "plan_records.h"
#include "reprise/passes.h"
#include "support.h"
#include "support/cases.h"
#include "support/random_graph.h"

/* A live size, and a buffer that follows it, which no node uses. */
static inline void mock_add_size(rp_graph *g, uint32_t most) {
    rp_graph_buffer live = {.kind = RP_LIVE,
                            .dtype = RP_U32,
                            .rank = 1,
                            .size = sizeof(uint32_t),
                            .offset = RP_NOT_PLACED,
                            .first_default = RP_NONE,
                            .max_value = most,
                            .exact = most == 1};
    rp_graph_buffer sized = {.kind = RP_IN,
                             .dtype = RP_F32,
                             .rank = 1,
                             .size = most * sizeof(float),
                             .offset = RP_NOT_PLACED,
                             .first_default = RP_NONE,
                             .max_value = UINT32_MAX};
    rp_tensor shape = {.dims = {most}, .rank = 1};
    rp_extent extent;
    char error[RP_SIZE_ERROR];
    live.name = rp_graph_intern(g, "form.size", 9);
    sized.name = rp_graph_intern(g, "form.sized", 10);
    const rp_expr_op op = {.code = RP_EXPR_LIVE,
                           .buffer = rp_graph_add_buffer(g, &live, (uint64_t[]){1})};
    CU_ASSERT_EQUAL_FATAL(rp_graph_size(g, &op, 1, &extent, error), RP_OK);
    shape.powers[0] = extent.powers;
    CU_ASSERT_NOT_EQUAL_FATAL(rp_graph_add_shaped(g, &sized, &shape), RP_NONE);
}

/* The same seed gives the same buffers with every pipeline of passes; NULL: the usual ones. With `most` the graph has
 * a live size of at most that, or of exactly 1, for plans of several forms. */
static inline rp_plan *mock_random_form(uint64_t seed, const char *pipeline, uint32_t most) {
    rp_random_shape shape = rp_random_shape_of(seed);
    shape.addressed = 0; /* they differ from exec to exec, and what is pushed is compared */
    shape.images = 0;
    shape.unknown = shape.bursts = 0; /* nothing to bind; too long */
    if (shape.nodes > 24) shape.nodes = 24;
    if (shape.max_words > 256) shape.max_words = 256;
    rp_random_graph *random = rp_random_graph_create(seed, &shape);
    rp_graph *source = rp_random_graph_build(random), *compiled = NULL;
    if (most) mock_add_size(source, most);
    const rp_pass_options options = {.size = sizeof options, .pipeline = pipeline};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, NULL, NULL), RP_OK);
    rp_plan *plan = mock_plan_of(compiled);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    rp_random_graph_destroy(random);
    return plan;
}

static inline rp_plan *mock_random_plan(uint64_t seed, const char *pipeline) {
    return mock_random_form(seed, pipeline, 0);
}

/* Random uses begin at any word. */
static inline void mock_fine_offsets(void) {
    mock.properties.limits.minStorageBufferOffsetAlignment = 4;
    mock.properties.limits.minUniformBufferOffsetAlignment = 4;
}

#endif
