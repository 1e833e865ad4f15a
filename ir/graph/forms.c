/* A graph without nodes at other largest live values: what a program's buffers are in a smaller form. */
#include <stdio.h>

#include "base/shape.h"
#include "graph/graph.h"

static bool largest(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const rp_graph *g = context;
    (void)element;
    *out = g->buffers[buffer].max_value;
    return true;
}

void rp_graph_limit_live(rp_graph *g, rp_graph_buffer *b, uint32_t most) {
    uint32_t value;
    b->max_value = most;
    b->exact = most == 1;
    if (b->first_default == RP_NONE) return;
    memcpy(&value, g->bytes + b->first_default, sizeof value);
    if (value > most) memcpy(g->bytes + b->first_default, &most, sizeof most);
}

static rp_status limit_sizes(rp_graph *g, char error[RP_SIZE_ERROR]) {
    for (uint32_t i = 0; i < g->sizes.count; i++) {
        bool varies = rp_graph_varying(g, rp_powers_of(i, 1)) != 0;
        const rp_graph_expr *e = &g->exprs[g->size_exprs[i]];
        int64_t most = 0;
        const char *why = "";
        if (!rp_expr_eval(g->expr_ops + e->first_op, e->op_count, largest, g, &most, &why) ||
            most < (varies ? RP_SIZE_LEAST : 1)) {
            snprintf(error, RP_SIZE_ERROR,
                     "%s is at most %lld; a size that varies may be %d at least", g->sizes.text[i],
                     (long long)most, varies ? RP_SIZE_LEAST : 1);
            return RP_ERROR_INVALID;
        }
        g->sizes.most[i] = (uint64_t)most;
    }
    return RP_OK;
}

rp_status rp_graph_limit(rp_graph *g, const uint32_t *buffers, const uint32_t *most, uint32_t count,
                         char error[RP_SIZE_ERROR]) {
    const rp_sizes before = g->sizes;
    for (uint32_t i = 0; i < count; i++) rp_graph_limit_live(g, &g->buffers[buffers[i]], most[i]);
    RP_TRY(limit_sizes(g, error));
    for (uint32_t i = 0; i < g->dims_count; i++)
        g->dims[i] =
            rp_extent_at(&before, (rp_extent){g->dims[i], g->dim_powers[i]}, g->sizes.most);
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        rp_graph_buffer *b = &g->buffers[i];
        if (!b->rank || !rp_buffer_powers(g, b)) continue;
        /* Less than what there were bytes for. */
        (void)rp_shape_bytes((rp_dtype)b->dtype, b->rank, g->dims + b->first_dim, &b->size);
    }
    for (uint32_t i = 0; i < g->dims_count; i++)
        g->dim_powers[i] = rp_graph_varying(g, g->dim_powers[i]);
    return RP_OK;
}

bool rp_graph_sizes_follow(const rp_graph *g, uint32_t live) {
    for (uint32_t i = 0; i < g->sizes.count; i++) {
        const rp_graph_expr *e = &g->exprs[g->size_exprs[i]];
        for (uint32_t s = 0; s < e->op_count; s++) {
            const rp_expr_op *op = &g->expr_ops[e->first_op + s];
            if (op->code == RP_EXPR_LIVE && op->buffer == live) return true;
        }
    }
    return false;
}
