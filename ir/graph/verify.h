/* Internal: the parts of rp_graph_verify, one file each. All errors are collected; only missing
 * memory stops a part. */
#ifndef RP_GRAPH_VERIFY_H
#define RP_GRAPH_VERIFY_H

#include "graph/graph.h"

typedef struct rp_verifier {
    const rp_graph *graph;
    const char *file;
    rp_diags *diags;
    rp_status status; /* RP_ERROR_INVALID after the first error, RP_ERROR_NO_MEMORY at once */
} rp_verifier;

void rp_verify_error(rp_verifier *v, rp_source_pos pos, const char *format, ...) RP_PRINTF(3, 4);

/* Buffers and kernels. */
void rp_verify_declarations(rp_verifier *v);
/* Nodes, each for itself, and their ids. An index out of range is an error like any other, so this
 * can run on graphs whose declarations are wrong. */
void rp_verify_nodes(rp_verifier *v);
/* The members of one node (any number), whose uses are ranges of buffers. */
void rp_verify_members(rp_verifier *v, const rp_graph_node *n);
/* Uses of buffers whose size is live, by a node whose uses are sound: that it uses what there is. */
void rp_verify_sizes(rp_verifier *v, const rp_graph_node *n);
/* The uses and samplers of a run node whose kernel and ranges are sound, against its parameters. */
void rp_verify_params(rp_verifier *v, const rp_graph_node *n);
/* Tagged buffers, and who uses them how. */
void rp_verify_tags(rp_verifier *v);
/* What the stages promise: groups, arena offsets, barriers. */
void rp_verify_stages(rp_verifier *v);
/* Warnings for transients and outputs that are read before they are written, and for results with
 * bytes that no node writes. */
void rp_verify_reads(rp_verifier *v);

/* Warnings for kernels of the author's that cannot write what their uses promise. */
void rp_verify_promises(rp_verifier *v);

/* The declarations and nodes of a graph that is known to be incomplete: no stages, no warnings. */
rp_status rp_graph_verify_parts(const rp_graph *graph, const char *file, rp_diags *diags);

/* A use as a message shows it: "rw %n[0+64]". */
typedef struct rp_shown_use {
    char text[128];
} rp_shown_use;
rp_shown_use rp_show_use(const rp_graph *graph, const rp_graph_use *use);

#endif
