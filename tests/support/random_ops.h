/* Random graphs of ops whose shapes fit together, for tests of fusion.
 *
 * A graph is a plain description: it can lose nodes and still be built, since a buffer that nothing
 * writes any more becomes an input. Several descriptions can be built side by side into one graph,
 * with buffers of their own each: compiling and running them together is what makes a thousand of
 * them affordable. The same seed gives the same graph on every machine. */
#ifndef RP_TESTS_RANDOM_OPS_H
#define RP_TESTS_RANDOM_OPS_H

#include "support/op_calls.h"

typedef struct rp_random_ops rp_random_ops;

rp_random_ops *rp_random_ops_create(uint64_t seed);
/* A number of the rows and columns that most of its tensors have: graphs of one number have more
 * kernels in common than others. */
uint32_t rp_random_ops_shapes(uint64_t seed);
/* One whose rows or columns, or both, are as many as a live size says, out of what kernels can follow.
 * Everything else is as large as it is. */
enum { RP_SIZED_ROWS = 23, RP_SIZED_COLUMNS = 29, RP_SIZED = 2 }; /* the sizes, and their largest */
rp_random_ops *rp_random_ops_create_sized(uint64_t seed);
/* Builds it from now on with fixed numbers in place of the live sizes; NULL: with live buffers "size0"
 * and "size1". */
void rp_random_ops_fix(rp_random_ops *ops, const uint32_t sizes[RP_SIZED]);
/* What is set for a size in the graph that was built last: it, or about twice as much. */
uint32_t rp_random_ops_live(const rp_random_ops *ops, uint32_t size);
/* A buffer's tensor at these sizes: the first bytes of that at the largest. */
rp_tensor rp_random_ops_tensor_at(const rp_random_ops *ops, uint32_t buffer,
                                  const uint32_t sizes[RP_SIZED]);
rp_random_ops *rp_random_ops_copy(const rp_random_ops *ops);
void rp_random_ops_destroy(rp_random_ops *ops);

uint64_t rp_random_ops_seed(const rp_random_ops *ops);
/* Calls that the generator meant to make and that their op refused: should be none. */
uint32_t rp_random_ops_refused(const rp_random_ops *ops);
void rp_random_ops_drop(rp_random_ops *ops, uint32_t first, uint32_t count);

/* The graph of `count` descriptions; buffer k of item i is "g<i>.b<k>". */
rp_graph *rp_random_ops_build(rp_random_ops *const *items, uint32_t count);

/* How a buffer of the graph is to be filled, and its contents: `item` and `buffer` as in its name,
 * which depends on the item's seed alone. */
const rp_tensor *rp_random_ops_tensor(const rp_random_ops *ops, uint32_t buffer);
uint32_t rp_random_ops_buffers(const rp_random_ops *ops);
void rp_random_ops_fill(const rp_random_ops *ops, uint32_t buffer, void *bytes);
/* The buffer's kind in a graph built now; RP_TMP also for buffers that are not used at all. */
rp_buffer_kind rp_random_ops_kind(const rp_random_ops *ops, uint32_t buffer);

/* Makes it smaller while `fails` says that it still fails. */
typedef bool rp_random_ops_test(void *context, rp_random_ops *ops);
void rp_random_ops_shrink(rp_random_ops *ops, rp_random_ops_test *fails, void *context);

#endif
