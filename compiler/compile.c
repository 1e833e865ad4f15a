/* Graph to plan: the passes, the checker at their end, and the packing. */
#include "reprise/compiler.h"

#include "base/alloc.h"
#include "base/sized.h"
#include "plan/build.h"

rp_status rp_compile(const rp_graph *graph, const rp_pass_options *options, rp_diags *diags,
                     rp_plan **out_plan, rp_pass_reports **out_reports) {
    if (out_plan) *out_plan = NULL;
    if (out_reports) *out_reports = NULL;
    if (!graph || !out_plan) return RP_ERROR_USAGE;
    rp_pass_options own = {0};
    if (options && !rp_sized_take(options, &own, sizeof own))
        return rp_sized_refuse(diags, "rp_pass_options");
    own.size = sizeof own;
    rp_graph *compiled = NULL;
    rp_certificate certificate = {0};
    rp_pass_reports *reports = NULL;
    if (!own.lowering) own.lowering = rp_lowering_default();
    RP_TRY(rp_passes_run(graph, &own, diags, &compiled, &certificate, &reports));
    rp_status status = rp_plan_build_proven(compiled, graph, &certificate, diags, out_plan);
    rp_graph_destroy(compiled);
    if (status == RP_OK && out_reports)
        *out_reports = reports;
    else
        rp_pass_reports_destroy(reports);
    return status;
}
