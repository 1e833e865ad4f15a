/* Internal: what matmul and matmul_partial are made of, for their entries in ops/matrix.c and for who
 * cuts a product into parts. */
#ifndef RP_OPS_PRODUCT_H
#define RP_OPS_PRODUCT_H

#include "ops/op.h"

enum { RP_PRODUCT_MOST_PARTS = 64 };

extern const rp_op_variant rp_product_variants[], rp_product_partial_variants[];

/* Binds O, the steps of k in each of so many parts: a multiple of 32, which all loads are whole in; all
 * of k where it is one. */
void rp_product_bind_steps(rp_op_call *call, uint64_t parts);
/* Binds X and Y, the tiles of so many results along columns and rows, and W, all of them. */
void rp_product_bind_grid(rp_op_call *call, uint64_t rows, uint64_t columns);
/* Products that a call of either op makes, each over a part of k. */
uint64_t rp_product_count(const rp_op_call *call);

/* Nanoseconds in which a thread hands on so many results of a tile, four at a time, each time through
 * shared memory and to the caches. */
double rp_product_end_time(const rp_target *target, double results);

/* In how many parts of k a checked call of matmul is computed on the target; 1: as one, or another
 * op. A question of shapes, dtypes and the target alone. */
uint64_t rp_product_parts(const rp_op_call *call, const rp_target *target);
/* Appends `before` and how long a call of either op would take whole, and in how many parts; nothing, and
 * false, of others, and where it could not be in parts. */
bool rp_product_explain_parts(const rp_op_call *call, const rp_target *target, const char *before,
                              rp_text *text);

#endif
