/* Random source graphs for property and mutation tests.
 *
 * A random graph is a plain description from which an rp_graph is built; so it can be made smaller
 * while a property still fails. The same seed gives the same graph on every machine. RP_SEED in the
 * environment sets the first seed of a suite, RP_CASES how many graphs it tries. */
#ifndef RP_TESTS_RANDOM_GRAPH_H
#define RP_TESTS_RANDOM_GRAPH_H

#include "graph/graph.h"

typedef struct rp_random {
    uint64_t state;
} rp_random;

uint64_t rp_random_next(rp_random *r);
uint32_t rp_random_below(rp_random *r, uint32_t limit); /* 0 for limit 0 */
bool rp_random_percent(rp_random *r, uint32_t percent);

/* What a graph is like. The numbers from `slices` on are percentages. */
typedef struct rp_random_shape {
    uint32_t nodes, transients;
    uint32_t reach;     /* reads look back this many writes: 1 is a chain, many is wide */
    uint32_t max_words; /* largest buffer, in words of 4 bytes */
    uint32_t slices;    /* uses of a part of a buffer */
    uint32_t partial;   /* rw uses */
    uint32_t in_place;  /* run nodes that read and write the same range through two uses */
    uint32_t transfers; /* copies, fills and updates among the nodes */
    uint32_t results;   /* writes that go to an out or inout buffer */
    uint32_t undefined; /* reads of any bytes, written or not */
    uint32_t fences, unknown, live, indirect; /* among the nodes */
    uint32_t optional;                        /* of run nodes whose grid is not indirect */
    uint32_t addressed;                       /* of run nodes: a use reached through an address */
    uint32_t bursts; /* a buffer written by so many nodes that its readers are folded */
    uint32_t images; /* among the buffers; 0 for graphs that are to be replayed */
} rp_random_shape;

/* A shape that itself depends on the seed, so that a suite sees chains, wide graphs, graphs with
 * nothing but slices, and all between. */
rp_random_shape rp_random_shape_of(uint64_t seed);

typedef struct rp_random_graph rp_random_graph;
rp_random_graph *rp_random_graph_create(uint64_t seed, const rp_random_shape *shape);
void rp_random_graph_destroy(rp_random_graph *random);
rp_graph *rp_random_graph_build(const rp_random_graph *random);

/* A property of source graphs: true when it holds; else `why` says what is wrong. */
enum { RP_WHY = 1024 };
typedef bool rp_property(void *context, uint64_t seed, const rp_graph *source, char why[RP_WHY]);

/* Makes the graph smaller while the property still fails: drops nodes, then single uses. */
void rp_random_graph_shrink(rp_random_graph *random, rp_property *property, void *context);

/* Tries `cases` random graphs (RP_CASES overrides). For each failure it prints the seed, the reason
 * and the smallest graph that fails, as text. Returns the number of failures; stops at three. */
uint32_t rp_random_suite(const char *name, uint32_t cases, rp_property *property, void *context);

/* Prints the diagnostics into `why`, as far as they fit. */
void rp_why_diags(char why[RP_WHY], const char *prefix, const rp_diags *diags);

#endif
