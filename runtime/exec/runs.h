/* Internal: dispatches of joined kernels (spirv/join.h), which reach their buffers by address.
 *
 * A run is one dispatch of the plan, or several that follow each other with no barrier between them in the tagged
 * form, each as a phase. One alone is recorded in every form. Several are in the tagged form only, and count on
 * more than it does: not on an order of starts, but on all workgroups being on the device together. So that is
 * tried, with the kernel itself, when it is made; and who waits in vain gives up as in the tagged form, with the
 * same consequences (stalls.c).
 *
 * Every run can be recorded dispatch by dispatch through descriptors as well, and is where it cannot be joined, where what
 * it binds has no address, and where its workgroups are not there together. None of that is an error.
 *
 *   runs.c      which dispatches, and their kernels
 *   run_sets.c  what a slot has for them: addresses, descriptors; and the probe */
#ifndef RP_RUNTIME_RUNS_H
#define RP_RUNTIME_RUNS_H

#include "exec/exec.h"

typedef struct rp_run {
    uint32_t first_node, phases; /* nodes behind each other */
    uint32_t end_group;          /* the group behind those of several phases */
    uint32_t kernel;     /* in runs.pipelines; RP_UNSET: recorded through descriptors after all */
    uint32_t rows;       /* of its table, for a phase */
    uint32_t workgroups; /* 0: not tried yet */
} rp_run;

enum { RP_RUN_ROW_BYTES = 16, RP_RUN_MOST_PHASES = 16 };

/* Which dispatches could be runs: from the plan, the device and where the recording is cut. */
rp_status rp_runs_plan(rp_exec *exec, rp_diags *diags);
void rp_runs_free(rp_exec *exec);
/* The kernels, once for the exec, and what a slot has for them, whose nodes have their descriptors. */
rp_status rp_runs_prepare(rp_exec *exec, rp_slot *slot, rp_diags *diags);
void rp_runs_free_slot(const rp_exec *exec, rp_slot *slot);

/* The run that begins with a node in a recording of a slot; NULL. */
const rp_run *rp_run_at(const rp_exec *exec, const rp_slot *slot, rp_recording recording,
                        uint32_t node);
/* How many dispatches fewer a recording has for its runs. */
uint32_t rp_runs_spare(const rp_exec *exec, const rp_slot *slot, rp_recording recording);

/* ---- Between the two files ------------------------------------------------------------------- */

/* Kernels of the phases, each once, in the order of their first phase: what a joined kernel's parts are. */
typedef struct rp_run_parts {
    uint32_t kernels[RP_RUN_MOST_PHASES], count;
    uint32_t of[RP_RUN_MOST_PHASES]; /* by phase */
} rp_run_parts;

rp_run_parts rp_run_list_parts(const rp_plan *plan, const rp_run *run);
/* The words of the probe: run_sets.c. */
rp_status rp_run_probe_create(rp_exec *exec, rp_diags *diags);
/* Addresses and descriptors of a slot. What binds something without an address there has none. */
rp_status rp_run_sets_create(const rp_exec *exec, rp_slot *slot, rp_diags *diags);
/* With how many workgroups each run is dispatched, found with the first set that it has in some slot. */
rp_status rp_runs_find_workgroups(rp_exec *exec, const rp_slot *slot, rp_diags *diags);

#endif
