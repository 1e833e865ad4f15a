/* The trials of the op tests: what ops.c makes of the cases, and ops_run.c runs. */
#ifndef RP_TESTS_OPS_TRIAL_H
#define RP_TESTS_OPS_TRIAL_H

#include <stdlib.h>

#include "gpu.h"
#include "ops.h"
#include "support/op_calls.h"

enum { OPS_BATCH = 16 };

/* The ways in which each case is run. */
typedef enum ops_run { OPS_O0, OPS_O1, OPS_TAGGED, OPS_RUNS } ops_run;

typedef struct trial {
    const op_case *from;
    rp_op_line line;
    const rp_target *target;      /* that the variant is chosen for; NULL: `portable` */
    uint32_t skip;                /* variants that would fit and are passed over */
    const rp_op_variant *variant; /* which is left; NULL: the op has none */
    char name[64], operands[256], attrs[256];
    uint8_t *bytes[RP_OP_MAX_OPERANDS]; /* before the run */
    uint8_t *results[OPS_RUNS][RP_OP_MAX_OPERANDS];
    uint32_t buffers[RP_OP_MAX_OPERANDS];
} trial;

typedef struct ops_tests {
    rp_device *device;
    bool on_processor; /* which compiles long texts for seconds */
    const char *only;
    uint64_t seed;
    uint32_t part, parts; /* of the batches, which are done here */
    uint32_t tagged;      /* every so many-th case is run with its operands tagged, too; 0: none */
    uint32_t together;    /* and every so many-th batch as -O1 compiles it */
    trial *trials;
    uint32_t count, first; /* all, and the first of them, which are always tried */
    uint32_t covering;     /* so many, those among them, have every kind of call */
    uint32_t shown;        /* messages about wrong results, that they stay readable */
    uint32_t words;        /* operands that were run tagged */
    char cache[64];
} ops_tests;
extern ops_tests ops;

static inline void *need(void *block) {
    if (!block) abort();
    return block;
}

/* Marks trials that have every kind of call among them; how many. The same for the same seed. */
uint32_t ops_choose(bool *chosen);

/* Runs the trials and compares them with their references. How many were wrong. */
uint32_t ops_try(uint32_t first, uint32_t count);

/* A graph of these trials, all for one target, in which each operand of 32-bit elements that is only read,
 * or only written, is copied by a node of its own from a transient, or to one, so that it can be tagged.
 * `out_operands` (may be NULL) gets the transients: [count][RP_OP_MAX_OPERANDS], RP_NONE for none. */
rp_graph *ops_tagged_graph(const uint32_t *trials, uint32_t count, uint32_t *out_operands);

#endif
