/* The vocabulary of ops: what a pipeline can compute without a shader of its own.
 *
 * The list is fixed at build time. `reprise kernels` prints it, docs/ops.md is generated from it.
 * An op node of a graph names one op, gives its attributes and its operands; each operand is a
 * range of a buffer seen as a tensor: a dtype and a shape, dense and row-major. f16 and
 * bf16 values are computed in f32 and rounded to the nearest even when stored.
 *
 * Block-quantised weights keep the layout that GGML files have: q8_0 is blocks of 32 values as an
 * f16 scale and 32 signed bytes (34 bytes), q4_0 an f16 scale and 16 bytes of two 4-bit values,
 * low nibbles first, minus 8 (18 bytes). The last dimension of such a tensor is a multiple of 32.
 */
#ifndef REPRISE_OPS_H
#define REPRISE_OPS_H

#include <stddef.h>
#include "reprise/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_op rp_op;

/* The number of ops, the op at an index (NULL past the end; ordered by family, then as listed in
 * the reference), and the op of a name (not terminated: `length` bytes), NULL when there is none.
 */
RP_API uint32_t rp_op_count(void);
RP_API const rp_op *rp_op_at(uint32_t index);
RP_API const rp_op *rp_op_find(const char *name, size_t length);

/* Static text; NULL for NULL. Families: "map", "rows", "parts", "data", "axes", "along", "order",
 * "matrix", "attention", "search", "quantise", "cluster", "spatial", "resample", "statistics",
 * "random". */
RP_API const char *rp_op_name(const rp_op *op);
RP_API const char *rp_op_family(const rp_op *op);
RP_API const char *rp_op_brief(const rp_op *op);

/* The op's page in Markdown, from its definition: operands with shapes and dtypes, attributes with
 * ranges and defaults, formula or steps, numerics. Release with rp_op_doc_release. */
RP_API rp_status rp_op_doc(const rp_allocator *allocator, const rp_op *op, char **out_text);
RP_API void rp_op_doc_release(const rp_allocator *allocator, char *text);

#ifdef __cplusplus
}
#endif

#endif
