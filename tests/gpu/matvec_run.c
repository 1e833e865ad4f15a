#include "matvec.h"

#include <stdlib.h>

#include "support/op_values.h"
#include "support/same_values.h"

matvec_tests T;

void *need(void *block) {
    if (!block) abort();
    return block;
}

rp_tensor tensor_of(const rp_graph *g, uint32_t buffer) {
    const rp_graph_buffer *b = &g->buffers[buffer];
    rp_tensor t = {.dtype = b->dtype, .rank = b->rank};
    for (uint32_t i = 0; i < b->rank; i++) t.dims[i] = g->dims[b->first_dim + i];
    return t;
}

rp_graph *parse(const char *text) {
    rp_graph *g = gpu_parse(text);
    if (T.target) rp_graph_set_target(g, T.target);
    return g;
}

void fill(const rp_graph *g, uint32_t buffer, uint8_t *bytes) {
    const char *name = rp_graph_string(g, g->buffers[buffer].name);
    rp_random random = {12345};
    for (const char *c = name; *c; c++) random.state = random.state * 31 + (uint8_t)*c;
    rp_tensor t = tensor_of(g, buffer);
    const char *how = RP_DT(t.dtype) & RP_DT_FLOAT ? "finite=2" : "each=4";
    rp_values_fill(&random, &t, how, bytes);
}

void run(const rp_graph *g, int level, contents *out) {
    const rp_exec_params params = {.size = sizeof params, .cache_path = "", .tags = RP_TAGS_ON};
    uint32_t replays = level == GPU_ALL_TAGGED ? 3 : 1;
    rp_plan *plan = gpu_compile_ops(g, level, T.target);
    memset(out, 0, sizeof *out);
    rp_exec *exec = gpu_exec(T.device, plan, &params);
    CU_ASSERT_FATAL(g->buffers_count <= MAX_BUFFERS);
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (b->kind == RP_TMP) continue;
        out->bytes[i] = need(calloc(b->size + 4, 1));
        if (b->kind != RP_OUT) fill(g, i, out->bytes[i]);
        if (b->kind != RP_OUT)
            CU_ASSERT_EQUAL(rp_exec_write(exec, 0, rp_graph_string(g, b->name), 0, out->bytes[i],
                                          b->size, NULL),
                            RP_OK);
    }
    for (uint32_t i = 0; i < replays; i++)
        CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    rp_counters counters = {.size = sizeof counters};
    rp_exec_get_counters(exec, &counters);
    CU_ASSERT_EQUAL(counters.replays_tagged, replays - 1);
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (rp_buffer_has_result(b))
            CU_ASSERT_EQUAL(
                rp_exec_read(exec, 0, rp_graph_string(g, b->name), 0, out->bytes[i], b->size, NULL),
                RP_OK);
    }
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
}

void release(contents *c) {
    for (uint32_t i = 0; i < MAX_BUFFERS; i++) free(c->bytes[i]);
}

void compare(const rp_graph *plain, const contents *a, const rp_graph *fused, const contents *b) {
    uint32_t compared = 0;
    for (uint32_t i = 0; i < plain->buffers_count; i++) {
        const rp_graph_buffer *buffer = &plain->buffers[i];
        if (!rp_buffer_has_result(buffer)) continue;
        const char *name = rp_graph_string(plain, buffer->name);
        uint32_t other = rp_graph_find_buffer(fused, name);
        CU_ASSERT_FATAL(other != RP_NONE);
        bool same = rp_first_difference(buffer->dtype, a->bytes[i], b->bytes[other],
                                        buffer->size) == UINT64_MAX;
        CU_ASSERT(same);
        if (!same) fprintf(stderr, "\n  %s differs", name);
        uint8_t *zeros = need(calloc(buffer->size, 1));
        CU_ASSERT(memcmp(a->bytes[i], zeros, buffer->size) != 0);
        free(zeros);
        compared++;
    }
    CU_ASSERT(compared > 0);
    T.fused++;
}
