/* Internal: packing for a caller that knows where the certificate comes from. */
#ifndef RP_PLAN_BUILD_H
#define RP_PLAN_BUILD_H

#include "reprise/plan_build.h"

/* rp_plan_build with the certificate that rp_check has just given for these very graphs: whether it
 * is theirs is not found out again by hashing both. */
rp_status rp_plan_build_proven(const rp_graph *compiled, const rp_graph *source,
                               const rp_certificate *certificate, rp_diags *diags,
                               rp_plan **out_plan);

#endif
