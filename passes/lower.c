/* lower: makes kernels of op nodes. The passes know graphs, not shaders: the work is done by the
 * rp_lowering of the options, which the compiler gives. A graph without op nodes is left as it is,
 * with or without one. */
#include "pass.h"

rp_status rp_pass_lower(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    uint32_t ops = 0;
    for (uint32_t i = 0; i < graph->nodes_count; i++) ops += graph->nodes[i].kind == RP_OP;
    *out_changed = ops > 0;
    if (ops == 0) {
        rp_text_string(context->summary, "no op nodes");
        return RP_OK;
    }
    const rp_lowering *lowering = context->options ? context->options->lowering : NULL;
    if (!lowering || !lowering->lower) {
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "pass lower needs the compiler's lowering: there are %u op nodes", ops);
        return RP_ERROR_USAGE;
    }
    return lowering->lower(lowering->user, graph, context->mode == 1, context->options,
                           context->diags, context->summary);
}
