/* Internal: ranges of live sizes, and the forms of a plan that they ask for. */
#ifndef RP_FORMS_H
#define RP_FORMS_H

#include "graph/graph.h"
#include "reprise/plan.h"

/* The largest values that a live size has in the forms of a plan, ascending; the last one is its own. */
typedef struct rp_size_ranges {
    uint32_t buffer; /* of the graph */
    uint32_t count;  /* 2 at least */
    uint32_t most[RP_MAX_FORMS];
} rp_size_ranges;

/* How many forms there are: one for each combination, and 1 without ranges. UINT32_MAX: more than that. */
uint32_t rp_forms_count(const rp_size_ranges *ranges, uint32_t count);
/* The largest value of each ranged size in a form. The first size varies slowest; so each form is for values that none
 * before it is for. */
void rp_forms_most(const rp_size_ranges *ranges, uint32_t count, uint32_t form, uint32_t *out);
/* The ranges that a target names for a size of at most `most`; false: none. */
bool rp_ranges_of_target(const rp_target *target, uint32_t most, rp_size_ranges *out);
/* What is wrong with the limits of ranges, of `count` numbers below `most`; NULL: nothing. `at`: which of them. */
const char *rp_ranges_wrong(const uint32_t *limits, uint32_t count, uint32_t most, uint32_t *at);
/* "tokens <= 8, batch = 1" */
void rp_forms_title(const rp_graph *graph, const rp_size_ranges *ranges, uint32_t count,
                    uint32_t form, char *text, size_t size);

#endif
