/* The forms of a plan: which there are, and which one a replay runs. */
#include "plan/forms.h"

#include <stdio.h>

static const rp_plan_buffer *buffers_of(const rp_plan *plan) {
    return rp_plan_records(plan, RP_SECTION_BUFFERS);
}

uint32_t rp_plan_form_count(const rp_plan *plan) {
    if (!plan) return 0;
    return plan->form_count ? plan->form_count : 1;
}

const rp_plan *rp_plan_form(const rp_plan *plan, uint32_t index) {
    if (index >= rp_plan_form_count(plan)) return NULL;
    return plan->form_count ? &plan->forms[index] : plan;
}

bool rp_plan_is_ranged(const rp_plan *plan, uint32_t buffer) {
    bool differs = false;
    for (uint32_t i = 0; i < plan->form_count; i++)
        differs |=
            buffers_of(&plan->forms[i])[buffer].max_value != buffers_of(plan)[buffer].max_value;
    return differs;
}

bool rp_plan_takes_value(const rp_plan *plan, const rp_plan *form, uint32_t buffer,
                         uint32_t value) {
    return rp_plan_is_exact(plan, form, buffer) ? value == 1
                                                : value <= buffers_of(form)[buffer].max_value;
}

rp_status rp_plan_form_title(const rp_plan *plan, uint32_t index, char *text, size_t size) {
    const rp_plan *form = rp_plan_form(plan, index);
    if (!form || !text || !size) return RP_ERROR_USAGE;
    *text = '\0';
    for (uint32_t i = 0; i < plan->external_count; i++) {
        if (!rp_plan_is_ranged(plan, i)) continue;
        size_t at = strlen(text);
        const rp_plan_buffer *b = &buffers_of(form)[i];
        snprintf(text + at, size - at, "%s%s %s %u", at ? ", " : "", rp_plan_string(form, b->name),
                 rp_plan_is_exact(plan, form, i) ? "=" : "<=", b->max_value);
    }
    return RP_OK;
}

bool rp_plan_fits_form(const rp_plan *plan, uint32_t index, rp_expr_live *live, void *context) {
    const rp_plan *form = rp_plan_form(plan, index);
    for (uint32_t i = 0; i < form->external_count; i++) {
        const rp_plan_buffer *b = &buffers_of(form)[i];
        int64_t value;
        if (b->kind != RP_LIVE || b->dtype != RP_U32 || b->size != sizeof(uint32_t)) continue;
        if (!live(context, i, 0, &value) || !rp_plan_takes_value(plan, form, i, (uint32_t)value))
            return false;
    }
    return true;
}
