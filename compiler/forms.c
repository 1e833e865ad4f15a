/* Ranges of live sizes become forms of a plan: every combination of a largest value of each; and plans of
 * several forms are compiled, graph by graph. */
#include "forms.h"

#include <stdio.h>
#include "base/alloc.h"
#include "base/checked.h"
#include "reprise/compiler.h"

uint32_t rp_forms_count(const rp_size_ranges *ranges, uint32_t count) {
    uint64_t forms = 1;
    for (uint32_t i = 0; i < count; i++)
        if (!rp_mul_u64(forms, ranges[i].count, &forms) || forms > UINT32_MAX) return UINT32_MAX;
    return (uint32_t)forms;
}

void rp_forms_most(const rp_size_ranges *ranges, uint32_t count, uint32_t form, uint32_t *out) {
    for (uint32_t i = count; i-- > 0; form /= ranges[i].count)
        out[i] = ranges[i].most[form % ranges[i].count];
}

bool rp_ranges_of_target(const rp_target *target, uint32_t most, rp_size_ranges *out) {
    out->count = 0;
    for (uint32_t bit = 0; bit < 32 && out->count + 1 < RP_MAX_FORMS; bit++)
        if ((target->size_ranges >> bit & 1) && (uint64_t)1 << bit < most)
            out->most[out->count++] = (uint32_t)1 << bit;
    out->most[out->count++] = most;
    return out->count > 1;
}

const char *rp_ranges_wrong(const uint32_t *limits, uint32_t count, uint32_t most, uint32_t *at) {
    for (*at = 0; *at < count; ++*at) {
        if (limits[*at] < 1) return "the largest size of a range is 1 at least";
        if (*at && limits[*at] <= limits[*at - 1]) return "ranges ascend";
        if (limits[*at] >= most)
            return "ranges end below max, which is the largest size of the last one";
    }
    return NULL;
}

void rp_forms_title(const rp_graph *graph, const rp_size_ranges *ranges, uint32_t count,
                    uint32_t form, char *text, size_t size) {
    uint32_t most[RP_MAX_FORMS];
    *text = '\0';
    if (count <= RP_MAX_FORMS) rp_forms_most(ranges, count, form, most);
    for (uint32_t i = 0; i < count && i < RP_MAX_FORMS; i++) {
        size_t at = strlen(text);
        snprintf(text + at, size - at, "%s%s %s %u", at ? ", " : "",
                 rp_graph_string(graph, graph->buffers[ranges[i].buffer].name),
                 most[i] == 1 ? "=" : "<=", most[i]);
    }
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static rp_status compile_all(const rp_graph *const *graphs, uint32_t count,
                             const rp_pass_options *options, rp_diags *diags, rp_plan **plans,
                             rp_pass_reports **reports) {
    for (uint32_t i = 0; i < count; i++)
        RP_TRY(rp_compile(graphs[i], options, diags, &plans[i], reports ? &reports[i] : NULL));
    return RP_OK;
}

rp_status rp_compile_forms(const rp_graph *const *graphs, uint32_t count,
                           const rp_pass_options *options, rp_diags *diags, rp_plan **out_plan,
                           rp_pass_reports **out_reports) {
    if (out_plan) *out_plan = NULL;
    for (uint32_t i = 0; out_reports && i < count; i++) out_reports[i] = NULL;
    if (!graphs || !out_plan || count == 0) return RP_ERROR_USAGE;
    for (uint32_t i = 0; i < count; i++)
        if (!graphs[i]) return RP_ERROR_USAGE;
    if (count > RP_MAX_FORMS) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%u forms are too many for a plan: %d are the most", count, RP_MAX_FORMS);
        return RP_ERROR_USAGE;
    }
    if (count == 1) return rp_compile(graphs[0], options, diags, out_plan, out_reports);
    rp_plan *plans[RP_MAX_FORMS] = {0};
    rp_status status = compile_all(graphs, count, options, diags, plans, out_reports);
    if (status == RP_OK)
        status = rp_plan_join(&graphs[0]->allocator, (const rp_plan *const *)plans, count, diags,
                              out_plan);
    for (uint32_t i = 0; i < count; i++) rp_plan_destroy(plans[i]);
    for (uint32_t i = 0; status != RP_OK && out_reports && i < count; i++) {
        rp_pass_reports_destroy(out_reports[i]);
        out_reports[i] = NULL;
    }
    return status;
}
