/* Internal: holding kernels and nodes against a target's limits, in the same words when a graph is
 * compiled and when an exec is created. */
#ifndef RP_PLAN_FIT_H
#define RP_PLAN_FIT_H

#include <stdbool.h>
#include "target/target.h"

typedef struct rp_fit {
    const rp_target *target; /* of this version: rp_target_take */
    void (*say)(void *user, const char *message);
    void *user;
    uint32_t errors;
} rp_fit;

typedef struct rp_fit_kernel {
    const char *name;
    const uint32_t *local; /* x, y, z */
    uint32_t shared_bytes, push_bytes;
    uint32_t storage, uniform; /* bindings */
    uint32_t set;              /* the highest one used */
} rp_fit_kernel;

typedef struct rp_fit_binding {
    uint32_t node;
    const char *buffer;
    uint64_t offset, size; /* the range */
    uint8_t skip;          /* bytes before it that are bound */
    bool uniform;
} rp_fit_binding;

/* Each says all that does not fit. */
void rp_fit_check_needs(rp_fit *fit, const char *whose, uint64_t needs);
void rp_fit_check_kernel(rp_fit *fit, const rp_fit_kernel *kernel);
void rp_fit_check_binding(rp_fit *fit, const rp_fit_binding *binding);
void rp_fit_check_grid(rp_fit *fit, uint32_t node, uint32_t axis, uint32_t groups);

#endif
