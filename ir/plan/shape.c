/* The shapes of a plan's buffers at given live values, and the form that runs then. */
#include "plan/shape.h"

#include "base/shape.h"
#include "plan/forms.h"

bool rp_plan_eval_shape(const rp_plan *plan, uint32_t buffer, rp_expr_live *live, void *context,
                        uint64_t shape[RP_MAX_RANK], uint64_t *out_bytes) {
    const rp_plan_buffer *b =
        (const rp_plan_buffer *)rp_plan_records(plan, RP_SECTION_BUFFERS) + buffer;
    const uint64_t *dims = rp_plan_records(plan, RP_SECTION_DIMS);
    const uint32_t *sizes = rp_plan_records(plan, RP_SECTION_SIZES);
    const rp_plan_expr *exprs = rp_plan_records(plan, RP_SECTION_EXPRS);
    const rp_expr_op *ops = rp_plan_records(plan, RP_SECTION_EXPR_OPS);
    bool some = rp_plan_count(plan, RP_SECTION_SIZES) != 0;
    for (uint32_t d = 0; d < b->rank; d++) {
        uint32_t expr = some ? sizes[b->first_dim + d] : UINT32_MAX;
        int64_t value = 0;
        const char *why;
        shape[d] = dims[b->first_dim + d];
        if (expr == UINT32_MAX) continue;
        if (!rp_expr_eval(ops + exprs[expr].first_op, exprs[expr].op_count, live, context, &value,
                          &why))
            return false;
        shape[d] = (uint64_t)value;
    }
    *out_bytes = rp_shape_is_empty(b->rank, shape) ? 0 : b->size;
    return b->rank == 0 || *out_bytes == 0 ||
           rp_shape_bytes((rp_dtype)b->dtype, b->rank, shape, out_bytes);
}

typedef struct given {
    const rp_plan *plan;
    const rp_plan_live_value *values;
    uint32_t count;
} given;

/* The value that was given, or the one at first. */
static bool find_value(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const given *g = context;
    const rp_plan_buffer *b =
        (const rp_plan_buffer *)rp_plan_records(g->plan, RP_SECTION_BUFFERS) + buffer;
    const uint8_t *bytes = rp_plan_records(g->plan, RP_SECTION_BYTES);
    uint32_t value = 0;
    if (b->first_default != UINT32_MAX)
        memcpy(&value, bytes + b->first_default + 4 * (size_t)element, sizeof value);
    for (uint32_t i = 0; i < g->count; i++)
        if (g->values[i].element == element &&
            strcmp(g->values[i].buffer, rp_plan_string(g->plan, b->name)) == 0)
            value = g->values[i].value;
    *out = value;
    return value <= b->max_value;
}

static rp_status check_values(const rp_plan_live_value *values, uint32_t count) {
    if (!values && count) return RP_ERROR_USAGE;
    for (uint32_t i = 0; i < count; i++)
        if (!values[i].buffer) return RP_ERROR_USAGE;
    return RP_OK;
}

rp_status rp_plan_choose_form(const rp_plan *plan, const rp_plan_live_value *values,
                              uint32_t value_count, uint32_t *out_form) {
    if (!plan || !out_form || check_values(values, value_count) != RP_OK) return RP_ERROR_USAGE;
    given g = {plan, values, value_count};
    for (*out_form = 0; *out_form < rp_plan_form_count(plan); ++*out_form)
        if (rp_plan_fits_form(plan, *out_form, find_value, &g)) return RP_OK;
    *out_form = 0;
    return RP_ERROR_USAGE;
}

rp_status rp_plan_get_shape(const rp_plan *plan, uint32_t buffer, const rp_plan_live_value *values,
                            uint32_t value_count, uint64_t *shape, uint64_t *out_bytes) {
    if (buffer >= rp_plan_buffer_count(plan) || !shape ||
        check_values(values, value_count) != RP_OK)
        return RP_ERROR_USAGE;
    rp_plan_buffer_info info = {.size = sizeof info};
    RP_TRY(rp_plan_get_buffer(plan, buffer, &info));
    uint64_t bytes = rp_shape_is_empty(info.rank, info.shape) ? 0 : info.bytes;
    given g = {plan, values, value_count};
    if (info.rank) memcpy(shape, info.shape, info.rank * sizeof *shape);
    if (info.sized && !rp_plan_eval_shape(plan, buffer, find_value, &g, shape, &bytes))
        return RP_ERROR_USAGE;
    if (out_bytes) *out_bytes = bytes;
    return RP_OK;
}
