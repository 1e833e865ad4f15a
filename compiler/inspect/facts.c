/* Facts of a graph: what follows from it and is not in it. */
#include "inspect/internal.h"

rp_status rp_inspect_facts(rp_text *t, const rp_graph *g, const rp_graph *source, bool fast,
                           rp_diags *diags) {
    uint32_t *glsl = rp_alloc(&g->allocator, g->nodes_count, sizeof *glsl);
    if (!glsl) return RP_ERROR_NO_MEMORY;
    rp_text_char(t, '{');
    rp_status status = rp_inspect_kernels(t, g, fast, glsl, diags);
    if (status == RP_OK) status = rp_inspect_nodes(t, g, source, glsl, diags);
    if (status == RP_OK) status = rp_inspect_barriers(t, g);
    if (status == RP_OK) status = rp_inspect_memory(t, g);
    rp_text_char(t, '}');
    rp_release(&g->allocator, glsl);
    return t->failed ? RP_ERROR_NO_MEMORY : status;
}
