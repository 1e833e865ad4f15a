/* Getting the graphs back out of a plan: its two texts are parsed and must have the hashes that the
 * certificate states, so what is checked or shown again is what was proven when the plan was made.
 * Then a plan is built from them, which must be the plan itself: what runs are its records, and
 * whoever looks at the graphs looks at those.
 *
 * The text form names a kernel's SPIR-V by its hash. The words are taken from the plan by name and
 * hash; names are matched through the graph's own string table, linear in both. */
#include "graph/graph.h"
#include "plan/compare.h"
#include "reprise/plan_build.h"

/* Appends the SPIR-V of one kernel of the plan to a kernel of the graph that lacks it. */
static rp_status attach(rp_graph *g, rp_graph_kernel *to, const rp_plan_kernel *from,
                        const uint32_t *words) {
    if (to->word_count || from->word_count == 0 || to->hash != from->hash) return RP_OK;
    if (!RP_RESERVE(&g->allocator, g->words, g->words_count, g->words_capacity, from->word_count))
        return RP_ERROR_NO_MEMORY;
    memcpy(g->words + g->words_count, words + from->first_word,
           (size_t)from->word_count * sizeof *words);
    to->first_word = g->words_count;
    to->word_count = from->word_count;
    g->words_count += from->word_count;
    return RP_OK;
}

static rp_status attach_all(const rp_plan *plan, rp_graph *g) {
    const rp_plan_kernel *kernels = rp_plan_records(plan, RP_SECTION_KERNELS);
    const uint32_t *words = rp_plan_records(plan, RP_SECTION_WORDS);
    uint32_t *by_name = rp_alloc(&g->allocator, g->strings_count, sizeof *by_name);
    if (!by_name) return RP_ERROR_NO_MEMORY;
    memset(by_name, 0xff, (size_t)g->strings_count * sizeof *by_name);
    for (uint32_t i = 0; i < g->kernels_count; i++) by_name[g->kernels[i].name] = i;
    uint32_t strings = g->strings_count;
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_KERNELS) && status == RP_OK; i++) {
        const char *name = rp_plan_string(plan, kernels[i].name);
        uint32_t string = rp_graph_intern(g, name, strlen(name));
        if (string == RP_NONE)
            status = RP_ERROR_NO_MEMORY;
        else if (string < strings && by_name[string] != RP_NONE)
            status = attach(g, &g->kernels[by_name[string]], &kernels[i], words);
    }
    rp_release(&g->allocator, by_name);
    return status;
}

/* One of the two graphs: parsed, compared with the hash that was proven, its kernels filled in. */
static rp_status get(const rp_plan *plan, bool source, rp_diags *diags, rp_graph **out_graph) {
    const rp_certificate *certificate = rp_plan_records(plan, RP_SECTION_CERTIFICATE);
    const char *file = source ? "source text of the plan" : "text of the plan";
    size_t size;
    const char *text = source ? rp_plan_source_text(plan, &size) : rp_plan_text(plan, &size);
    RP_TRY((source ? rp_graph_parse : rp_graph_parse_again)(&plan->allocator, text, size, file,
                                                            diags, out_graph));
    uint64_t hash = rp_graph_hash(*out_graph);
    uint64_t proven = source ? certificate->source_hash : certificate->compiled_hash;
    rp_status status = RP_OK;
    if (hash != proven) {
        rp_diags_add(diags, RP_ERROR, file, 0, 0,
                     "the graph has hash %016llx, the certificate is for %016llx: compile the plan "
                     "again",
                     (unsigned long long)hash, (unsigned long long)proven);
        status = RP_ERROR_DAMAGED;
    }
    if (status == RP_OK) status = attach_all(plan, *out_graph);
    if (status == RP_OK) return RP_OK;
    rp_graph_destroy(*out_graph);
    *out_graph = NULL;
    return status;
}

/* Whether the records are those that the graphs make. */
static rp_status compare_records(const rp_plan *plan, const rp_graph *compiled,
                                 const rp_graph *source, rp_diags *diags) {
    const rp_certificate *certificate = rp_plan_records(plan, RP_SECTION_CERTIFICATE);
    rp_plan *made = NULL;
    rp_status status = rp_plan_build(compiled, source, certificate, NULL, &made);
    if (status == RP_OK) {
        status = rp_plan_compare(plan, made, diags);
    } else if (status != RP_ERROR_NO_MEMORY) {
        rp_diags_add(diags, RP_ERROR, "text of the plan", 0, 0,
                     "no plan can be built from the graph: compile it again");
        status = RP_ERROR_DAMAGED;
    }
    rp_plan_destroy(made);
    return status;
}

rp_status rp_plan_graphs(const rp_plan *plan, rp_diags *diags, rp_graph **out_compiled,
                         rp_graph **out_source) {
    if (out_compiled) *out_compiled = NULL;
    if (out_source) *out_source = NULL;
    if (!plan) return RP_ERROR_USAGE;
    rp_graph *compiled = NULL, *source = NULL;
    rp_status status = get(plan, false, diags, &compiled);
    if (status == RP_OK) status = get(plan, true, diags, &source);
    if (status == RP_OK) status = compare_records(plan, compiled, source, diags);
    if (status == RP_OK && out_compiled) {
        *out_compiled = compiled;
        compiled = NULL;
    }
    if (status == RP_OK && out_source) {
        *out_source = source;
        source = NULL;
    }
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return status;
}
