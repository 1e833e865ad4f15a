/* Graphs: a DAG of GPU work as data, its text form, and its views as JSON, DOT and difference.
 *
 * A graph means: run the nodes one at a time, in id order, fully synchronised. Ids are source order
 * and never change; a pass may reorder, drop or regroup nodes, but node n7 stays n7.
 * docs/ir-text.md is the grammar of the text form; rp_graph_parse(rp_graph_print(g)) equals g.
 *
 * A graph is made by parsing text, by the YAML front end or by recorders (reprise/compiler.h), and
 * is changed only by passes (reprise/passes.h). NULL where a graph or an out-parameter must be
 * gives RP_ERROR_USAGE.
 */
#ifndef REPRISE_GRAPH_H
#define REPRISE_GRAPH_H

#include "reprise/target.h"
#include "reprise/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rp_graph rp_graph;

/* Parses `size` bytes of .rpir text. `file` (may be NULL) names the source in diagnostics; several
 * errors are reported at once, each with line and column. The graph is verified
 * (rp_graph_verify) before it is returned. */
RP_API rp_status rp_graph_parse(const rp_allocator *allocator, const char *text, size_t size,
                                const char *file, rp_diags *diags, rp_graph **out_graph);

RP_API void rp_graph_destroy(rp_graph *graph);
RP_API rp_status rp_graph_clone(const rp_graph *graph, rp_graph **out_graph);

/* Checks every rule that a well-formed graph obeys: ranges inside buffers, access allowed by the
 * buffer's kind, alignment, sizes, no two overlapping uses in one node where one writes (the very
 * same range read and written is in-place work and allowed), the rules of ops, order of ids, and
 * the properties that the stage promises (scheduled: groups; placed: offsets inside the arena;
 * synced: barriers). Reads of bytes that no node wrote are warnings. */
RP_API rp_status rp_graph_verify(const rp_graph *graph, const char *file, rp_diags *diags);

/* Whether two graphs are the same in everything that the text form holds, the target among it
 * (comments and source positions aside), and a 64-bit hash of the same. Kernels are compared by
 * content hash. */
RP_API int rp_graph_equal(const rp_graph *a, const rp_graph *b);
RP_API uint64_t rp_graph_hash(const rp_graph *graph);

/* What the graph is compiled for: `portable` unless its text, its front end or
 * rp_pass_options.target says otherwise. What was not known of it is as `portable` has it. Never
 * NULL; lives as long as the graph. */
RP_API const rp_target *rp_graph_target(const rp_graph *graph);

/* Where node `id` stands in the text that the graph was read from: what messages about a plan call "n3".
 * RP_ERROR_NOT_FOUND where there is no such node, and where no text has it. */
RP_API rp_status rp_graph_node_place(const rp_graph *graph, uint32_t id, uint32_t *out_line,
                                     uint32_t *out_column);

/* ---- Views. Each returns terminated text to be released with rp_text_release. ---------------- */

typedef enum rp_format { RP_FORMAT_TEXT = 0, RP_FORMAT_JSON = 1, RP_FORMAT_DOT = 2 } rp_format;

/* The graph as .rpir text (comments give the statistics and the reason of each barrier), as JSON
 * (docs/json.md) or as Graphviz DOT (groups as clusters, hazards as edges). */
RP_API rp_status rp_graph_print(const rp_graph *graph, rp_format format, char **out_text,
                                size_t *out_size);

/* What changed from `a` to `b`, by node id and buffer name, not by text lines: nodes added,
 * dropped, moved or altered, buffers added, dropped, resized or moved, barriers added, dropped or
 * changed.
 * `*out_text` is empty when the graphs are equal. */
RP_API rp_status rp_graph_diff(const rp_graph *a, const rp_graph *b, char **out_text,
                               size_t *out_size);

RP_API void rp_text_release(const rp_graph *graph, char *text);

/* ---- Statistics ------------------------------------------------------------------------------ */

/* Stages a graph has passed. */
typedef enum rp_stage {
    RP_STAGE_SCHEDULED = 1, /* nodes are in groups */
    RP_STAGE_PLACED = 2,    /* every transient has an arena offset, or is in an alias set */
    RP_STAGE_SYNCED = 4,    /* barriers stand between groups */
} rp_stage;

typedef struct rp_graph_stats {
    size_t size;            /* sizeof(rp_graph_stats) of the caller */
    uint32_t stages;        /* rp_stage bits */
    uint32_t nodes;         /* all nodes, fences among them */
    uint32_t dispatches;    /* run and op nodes */
    uint32_t transfers;     /* copy, fill, update, blit and clear nodes */
    uint32_t unknown;       /* run nodes without declared uses */
    uint32_t groups;        /* 0 before scheduling */
    uint32_t barriers;      /* between groups; the plan's first and last barrier are not counted */
    uint32_t barrier_bound; /* longest dependency path - 1: no order of these nodes needs fewer */
    uint64_t arena_bytes;   /* 0 before placing */
    uint64_t arena_bound_bytes; /* most transient bytes live in one group, each buffer rounded up to
                                 * RP_ARENA_ALIGNMENT: no placement of this schedule needs less */
    uint64_t transient_bytes;   /* all transients but images, each rounded up: the arena without
                                 * sharing */
    uint64_t external_bytes;    /* in, out, inout, weight and live */
    uint64_t image_bytes;       /* transient images, packed, without sharing */
    uint32_t tagged;            /* buffers whose readers wait for them, word by word */
    uint32_t tagged_barriers; /* between groups where they do; as `barriers` without such buffers */
    uint64_t tagged_bytes; /* of those buffers, words and all: twice the bytes of their elements */
} rp_graph_stats;

/* The caller has set out_stats->size; RP_ERROR_USAGE otherwise, and for NULL. */
RP_API rp_status rp_graph_get_stats(const rp_graph *graph, rp_graph_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
