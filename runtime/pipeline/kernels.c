/* The kernels of a plan, in the words of the store, those of its forms one behind the other. Only those that a node
 * runs count: others may be abstract, and need neither layout nor pipeline. */
#include "pipeline/store.h"

static void describe_form(const rp_plan *plan, rp_kernel_desc *out) {
    uint32_t count = rp_plan_count(plan, RP_SECTION_KERNELS), push_bytes = 0;
    const rp_plan_kernel *kernels = rp_plan_kernels(plan);
    const rp_plan_node *nodes = rp_plan_nodes(plan);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        if (nodes[i].kind != RP_RUN) continue;
        const rp_plan_kernel *kernel = &kernels[nodes[i].kernel];
        if (kernel->push_bytes > push_bytes) push_bytes = kernel->push_bytes;
        out[nodes[i].kernel] = (rp_kernel_desc){
            .entry = rp_plan_string(plan, kernel->entry),
            .words = (const uint32_t *)rp_plan_records(plan, RP_SECTION_WORDS) + kernel->first_word,
            .word_count = kernel->word_count,
            .params = rp_plan_params(plan) + kernel->first_param,
            .param_count = kernel->param_count,
            .specs =
                (const rp_plan_spec *)rp_plan_records(plan, RP_SECTION_SPECS) + kernel->first_spec,
            .spec_count = kernel->spec_count,
        };
    }
    for (uint32_t i = 0; i < count; i++) {
        out[i].name = rp_plan_string(plan, kernels[i].name);
        out[i].push_bytes = push_bytes;
    }
}

rp_status rp_kernels_describe(const rp_allocator *a, const rp_plan *plan, rp_kernel_desc **out,
                              uint32_t *out_count) {
    uint32_t forms = rp_plan_form_count(plan), count = 0;
    for (uint32_t i = 0; i < forms; i++)
        count += rp_plan_count(rp_plan_form(plan, i), RP_SECTION_KERNELS);
    *out_count = count;
    *out = rp_alloc_zero(a, count, sizeof **out);
    if (!*out) return RP_ERROR_NO_MEMORY;
    rp_kernel_desc *at = *out;
    for (uint32_t i = 0; i < forms; i++) {
        describe_form(rp_plan_form(plan, i), at);
        at += rp_plan_count(rp_plan_form(plan, i), RP_SECTION_KERNELS);
    }
    return RP_OK;
}
