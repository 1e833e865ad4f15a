/* Proving a plan: its records against its text, its graph against the source, the kernels that were
 * made of ops against the ops, and the certificate against all that was found. */
#include "graph/graph.h"
#include "reprise/compiler.h"

/* The plan's certificate was given for its own source; against another one only what it says of the
 * compiled graph can be held. */
static rp_status compare_certificate(const rp_plan *plan, const rp_certificate *found,
                                     rp_diags *diags) {
    rp_plan_info info = {.size = sizeof info};
    RP_TRY(rp_plan_get_info(plan, &info));
    const rp_certificate stated = info.certificate;
    bool same = stated.checker_version == found->checker_version &&
                stated.verdict == found->verdict && stated.compiled_hash == found->compiled_hash;
    if (stated.source_hash == found->source_hash)
        same = same && stated.reads_proven == found->reads_proven &&
               stated.conflicts_proven == found->conflicts_proven;
    if (same) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "the certificate is not what checker %u finds: it says verdict %u, %llu reads and "
                 "%llu conflicts by checker %u, found are verdict %u, %llu and %llu: compile it "
                 "again",
                 found->checker_version, stated.verdict, (unsigned long long)stated.reads_proven,
                 (unsigned long long)stated.conflicts_proven, stated.checker_version,
                 found->verdict, (unsigned long long)found->reads_proven,
                 (unsigned long long)found->conflicts_proven);
    return RP_ERROR_UNPROVEN;
}

static rp_status check_form(const rp_plan *plan, const rp_graph *source, rp_diags *diags,
                            rp_certificate *out_certificate) {
    rp_graph *compiled = NULL, *own = NULL;
    rp_certificate found = {0};
    RP_TRY(rp_plan_graphs(plan, diags, &compiled, &own));
    rp_status status = rp_check(compiled, source ? source : own, "text of the plan", diags, &found);
    if (status == RP_OK) status = rp_check_kernels(compiled, "text of the plan", diags);
    if (status == RP_OK) status = compare_certificate(plan, &found, diags);
    if (status == RP_OK && out_certificate) *out_certificate = found;
    rp_graph_destroy(compiled);
    rp_graph_destroy(own);
    return status;
}

rp_status rp_plan_check(const rp_plan *plan, const rp_graph *source, rp_diags *diags,
                        rp_certificate *out_certificate) {
    uint32_t count = rp_plan_form_count(plan);
    rp_certificate found = {0};
    if (out_certificate) *out_certificate = found;
    if (!plan) return RP_ERROR_USAGE;
    if (source && count > 1) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the plan has %u forms, each with a source of its own: prove them one by one",
                     count);
        return RP_ERROR_USAGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        rp_status status = check_form(rp_plan_form(plan, i), source, diags, &found);
        if (status == RP_OK) continue;
        char title[256];
        (void)rp_plan_form_title(plan, i, title, sizeof title);
        if (count > 1) rp_diags_add(diags, RP_NOTE, NULL, 0, 0, "in form %u: %s", i + 1, title);
        return status;
    }
    if (out_certificate) *out_certificate = found;
    return RP_OK;
}
