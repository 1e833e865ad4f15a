/* Runs a graph of ops on the CPU, by the ops' references: what it means, bytes in and bytes out.
 *
 * Nodes run in the graph's order and their members one after the other; what passes between the
 * members of a node is rounded to its dtype as if it had been stored. A source graph is run by its
 * buffers; a compiled one in its arena, which starts as garbage. Two graphs that mean the same give
 * the same bytes. */
#ifndef RP_TESTS_INTERPRET_H
#define RP_TESTS_INTERPRET_H

#include "graph/graph.h"

/* Contents of the buffers that are not transients, by index; those of a compiled graph are found by
 * name. */
typedef struct interpreted {
    uint8_t **bytes; /* per buffer; NULL for transients */
    uint32_t count;
} interpreted;

/* Fills a buffer before the first node runs. */
typedef void interpret_fill(void *context, const char *buffer, uint64_t size, uint8_t *bytes);

/* Runs the graph once. `backwards`: the nodes of each group in reverse order. Bit i of `absent`:
 * without the optional nodes of label "s<i>", and those without label whose ids are 8 + i, modulo
 * 24. False, with the reason in `why` (400 bytes), when a node is no op or refuses. */
bool interpret_run(const rp_graph *g, bool backwards, uint32_t absent, interpret_fill *fill,
                   void *context, interpreted *out, char *why);
void interpret_free(interpreted *out);

/* Whether the results (out and inout buffers of `a`) are the same bytes in `b`. */
bool interpret_same(const rp_graph *a, const interpreted *of_a, const rp_graph *b,
                    const interpreted *of_b, char *why);

#endif
