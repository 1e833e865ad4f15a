/* Changes to compiled graphs, and facts about them that are found by looking at every word. */
#ifndef RP_TESTS_MUTATE_H
#define RP_TESTS_MUTATE_H

#include "reprise/passes.h"
#include "support/random_graph.h"

/* A read whose bytes were last written by another node, in id order: both are indices into nodes[].
 * `read` is RP_NONE for a result that the host reads. */
typedef struct dependence {
    uint32_t writer, write_use; /* use: index within the node */
    uint32_t reader, read_use;
    uint64_t at; /* one byte that tells: an offset in the buffer */
} dependence;

typedef struct dependences {
    dependence *items;
    uint32_t count;
} dependences;

/* One item for each read and each writer it sees, on the buffers that the graph names. */
dependences find_dependences(const rp_graph *g);

/* A copy; aborts without memory. */
rp_graph *mutant_of(const rp_graph *g);
/* Puts nodes[] back in the order of their groups. */
void sort_by_group(rp_graph *g);
void drop_node(rp_graph *g, uint32_t index);

/* A mutant in which a node that works in place on a transient reads and writes at a distance of
 * four bytes, everything behind it finding the bytes where they now are: the dataflow is what it
 * was. The transient moves behind the arena, so that nothing else is wrong. `pair` counts pairs of
 * uses; NULL when that pair is no work in place. */
rp_graph *apart_from(const rp_graph *g, uint32_t node, uint32_t pair);

/* Calls rp_check; true when it objects. `said` gets the first message. */
bool objects(const rp_graph *compiled, const rp_graph *source, char said[RP_WHY]);

/* Compiles with a pipeline; NULL when that fails, with the reason in `why`. */
rp_graph *compile_with(const rp_graph *source, const char *pipeline, char why[RP_WHY]);

/* All .rpir files of tests/golden/graphs, one after the other. */
typedef void graph_visit(void *context, const char *name, const rp_graph *source);
uint32_t each_real_graph(graph_visit *visit, void *context);

#endif
