/* Internal: what ops of attention share, and what their table says by functions. */
#ifndef RP_OPS_ATTENTION_H
#define RP_OPS_ATTENTION_H

#include "ops/op.h"

enum { RP_OP_MAX_GRID = 65535 }; /* workgroups along y and z */

/* Heads that fit, and H / G as L; the cache's keys are operand k, its values the next one. */
bool rp_op_check_heads(rp_op_call *call, uint32_t k);

/* Where there is a table of pages, of shape "*V X": A, the sequences, are its lines, and S, their rows, what
 * one has room for; then binds V, the pages that there are, and X, the rows of each. */
bool rp_op_attention_pages(rp_op_call *call, uint32_t k, uint32_t table);
/* Numbers of sequences, `symbol` of them: one for all of the A, or one for each. */
bool rp_op_attention_numbers(rp_op_call *call, uint32_t operand, char symbol);
/* A mask of so many lines and columns: for each sequence's rows, or for heads and tokens as well. */
bool rp_op_attention_mask(rp_op_call *call, uint32_t mask, char lines, char columns,
                          uint64_t tokens);

/* Of attention_prefill. Workgroups for so many tokens each, of all sequences or, side by side, of one; and binds N
 * to them. */
uint64_t rp_op_prefill_tiles(const rp_op_call *call, uint64_t each);
void rp_op_prefill_bind_tiles(rp_op_call *call, uint64_t each);
bool rp_op_prefill_rule(rp_op_call *call);
extern const rp_op_variant rp_op_prefill_variants[];

/* Of attention_partial and attention_append. */
bool rp_op_partial_rule(rp_op_call *call);
bool rp_op_append_rule(rp_op_call *call);
extern const rp_op_variant rp_op_partial_variants[], rp_op_append_variants[];

#endif
