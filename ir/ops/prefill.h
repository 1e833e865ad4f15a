/* Internal: attention of many tokens, and what all ops of attention ask of heads. */
#ifndef RP_OPS_PREFILL_H
#define RP_OPS_PREFILL_H

#include "ops/op.h"

enum { RP_OP_MAX_GRID = 65535 }; /* workgroups along y and z */

static inline void rp_op_bind(rp_op_call *call, char symbol, uint64_t value) {
    call->symbols[symbol - 'A'] = value;
}

/* Heads that fit, and H / G as L; the cache's keys are operand k, its values the next one. */
bool rp_op_check_heads(rp_op_call *call, uint32_t k);

/* Of attention_prefill. */
bool rp_op_prefill_rule(rp_op_call *call);
extern const rp_op_variant rp_op_prefill_variants[];

#endif
