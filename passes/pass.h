/* Internal: what a pass is. One file, one entry point, listed in passes.def.
 *
 * A pass rewrites the graph in place. It reports through rp_pass_context what it did, in one line,
 * and returns whether it changed the graph: the manager compares hashes and calls a lie a bug. */
#ifndef RP_PASSES_PASS_H
#define RP_PASSES_PASS_H

#include "base/text.h"
#include "graph/graph.h"
#include "reprise/passes.h"

/* Makes every op node of the graph a run node with the same uses, members and place: kernel, grid,
 * push data. `fast` allows contraction (a * b + c in one rounding) within generated code. Appends
 * to `summary`. */
struct rp_lowering {
    rp_status (*lower)(void *user, rp_graph *graph, bool fast, const rp_pass_options *options,
                       rp_diags *diags, rp_text *summary);
    void *user;
};

typedef struct rp_pass_context {
    const rp_pass_options *options;
    int mode; /* index into the pass's modes, 0 = the first (the default) */
    rp_diags *diags;
    rp_text *summary; /* the pass appends its one line here */
    rp_text *details; /* and a line for each decision here, where it has any to tell */
} rp_pass_context;

typedef rp_status rp_pass_function(rp_graph *graph, rp_pass_context *context, bool *out_changed);

#define RP_PASS(name, modes, needs, brief) rp_pass_function rp_pass_##name;
#include "passes.def"
#undef RP_PASS

#endif
