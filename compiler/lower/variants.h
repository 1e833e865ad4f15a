/* Internal: the ways in which a generated kernel may compute an op, for `reprise kernels NAME`. The
 * name is what rp_emit.variant says. */
#ifndef RP_LOWER_VARIANTS_H
#define RP_LOWER_VARIANTS_H

#include <stdint.h>

typedef struct rp_kernel_variant {
    const char *name;
    const char *when; /* shapes and dtypes that it is chosen for */
    const char *why;
} rp_kernel_variant;

/* Ends with a NULL name. */
extern const rp_kernel_variant rp_matvec_variants[];

#endif
