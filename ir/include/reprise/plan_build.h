/* Between graphs and plans: packing a compiled graph, and getting the graphs back out of a plan.
 * Part of the compiler library; reprise/compiler.h includes it. */
#ifndef REPRISE_PLAN_BUILD_H
#define REPRISE_PLAN_BUILD_H

#include "reprise/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Packs a graph that is already compiled (scheduled, placed, synced), with the source it came from
 * and the checker's certificate, whose hashes must be those of the two graphs. The same graphs give
 * the same bytes. A kernel that needs something the runtime cannot serve (images, ray tracing) is
 * RP_ERROR_UNSUPPORTED, and the diagnostic names it. */
RP_API rp_status rp_plan_build(const rp_graph *compiled, const rp_graph *source,
                               const rp_certificate *certificate, rp_diags *diags,
                               rp_plan **out_plan);

/* Puts plans together as the forms of one, each of one form and complete in itself: the same graph, compiled for
 * other largest values of live sizes. They may differ in those, in the shapes that follow from them, and in all that is
 * below the buffers which the application sees. Those are the same, and so are live values; one that is more than a
 * form's largest begins there as that. Forms go by their order, from the first on: none may be
 * hidden by one before it, and no largest value is above the last one's. At most RP_MAX_FORMS. What does not agree is
 * RP_ERROR_INVALID. The plans are copied. */
RP_API rp_status rp_plan_join(const rp_allocator *allocator, const rp_plan *const *forms,
                              uint32_t count, rp_diags *diags, rp_plan **out_plan);

/* The two graphs of a plan, which rp_check can prove once more. Its texts are parsed, must have the
 * hashes that the certificate states, and must make this very plan again: every record that would
 * run is compared. RP_ERROR_DAMAGED otherwise, with the section, record and field that differ.
 * Kernels get their SPIR-V from the plan. Either out-parameter may be NULL. */
RP_API rp_status rp_plan_graphs(const rp_plan *plan, rp_diags *diags, rp_graph **out_compiled,
                                rp_graph **out_source);

#ifdef __cplusplus
}
#endif

#endif
