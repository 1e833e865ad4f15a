/* Internal: what a name stands for, and the way from an application to the nodes of a graph: one
 * for an op (apply.h), several for a composite (composite.h). The front ends need no more than
 * this. */
#ifndef RP_COMPOSITE_SIGNATURE_H
#define RP_COMPOSITE_SIGNATURE_H

#include "composite/application.h"

typedef struct rp_composite rp_composite;

/* What a name stands for: exactly one of the two. */
typedef struct rp_signature {
    const rp_op *op;
    const rp_composite *composite;
} rp_signature;

/* False when there is neither an op nor a composite of this name. */
bool rp_signature_find(const char *name, rp_signature *out);
/* The name of operand `index`, NULL past the end; `map` has `out` alone here. */
const char *rp_signature_operand(const rp_signature *signature, uint32_t index);
uint8_t rp_signature_access(const rp_signature *signature, uint32_t index);
/* The attribute `index`, NULL past the end. */
const rp_op_attr *rp_signature_attr(const rp_signature *signature, uint32_t index);

/* Appends the nodes. RP_ERROR_INVALID with error and blame filled in, RP_ERROR_NO_MEMORY. */
rp_status rp_apply_to_graph(rp_application *application);

#endif
