/* A symbolic memory: what a graph computes, without analysis.
 *
 * Every word of memory is a 64-bit tag. A node reads tags and writes, to each word, a hash of its
 * kernel, its data, the place and all it read. The source runs node by node. The compiled graph
 * runs against an adversary: accesses happen in any order that the barriers allow, and a read whose
 * bytes were written before, but not made visible to it, finds garbage. Equal results, again and
 * again, say that the compiled graph computes what the source means. */
#ifndef RP_TESTS_SIMULATE_H
#define RP_TESTS_SIMULATE_H

#include "support/random_graph.h"

/* Runs both graphs, `replays` (1 or 2) times in a row, and compares out and inout buffers where the
 * source defines them. Bit i of `absent`: the first replay leaves out the i-th node that may be
 * (optional, with a live grid, or one that writes with `rw` alone), in order of ids (modulo 64); the
 * second leaves out the others. */
bool rp_simulate_same(const rp_graph *source, const rp_graph *compiled, uint32_t replays,
                      uint64_t absent, uint64_t seed, char why[RP_WHY]);

/* Four runs with different seeds, one replay and two. Of up to two such nodes each subset is
 * left out, of more none, all, and two others. */
bool rp_simulate_some(const rp_graph *source, const rp_graph *compiled, uint64_t seed,
                      char why[RP_WHY]);

#endif
