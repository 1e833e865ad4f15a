/* Internal: the tables of ops, one for each family, each in its own file. ops/op.c counts and
 * searches them in this order, which is the order of `reprise kernels` and of the reference page.
 */
#ifndef RP_OPS_TABLES_H
#define RP_OPS_TABLES_H

#include "ops/op.h"

/* Every family: its name. The table of family `map` is rp_ops_map, with rp_ops_map_count ops. */
#define RP_OP_FAMILIES(X)                                                                          \
    X(map)                                                                                         \
    X(rows)                                                                                        \
    X(parts)                                                                                       \
    X(data)                                                                                        \
    X(axes)                                                                                        \
    X(along)                                                                                       \
    X(order)                                                                                       \
    X(matrix)                                                                                      \
    X(experts)                                                                                     \
    X(attention)                                                                                   \
    X(search)                                                                                      \
    X(quantise)                                                                                    \
    X(cluster)                                                                                     \
    X(spatial)                                                                                     \
    X(resample)                                                                                    \
    X(statistics)                                                                                  \
    X(random)                                                                                      \
    X(signal)

#define RP_X(family)                                                                               \
    extern const rp_op rp_ops_##family[];                                                          \
    extern const uint32_t rp_ops_##family##_count;
RP_OP_FAMILIES(RP_X)
#undef RP_X

/* The op whose operands vary: its attribute "expr" is a formula over inputs a, b, c ... */
extern const rp_op *const rp_op_map;

#endif
