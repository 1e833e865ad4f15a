/* Internal: how a range of a buffer becomes a tensor, by the same rules whether it was said in YAML
 * or in C. What is wrong comes back as text without a place, which the front end adds. */
#ifndef RP_COMPOSITE_VIEW_H
#define RP_COMPOSITE_VIEW_H

#include "graph/graph.h"

enum { RP_VIEW_ERROR = 192 };

/* What the range is of its buffer. */
typedef enum rp_view_part {
    RP_VIEW_WHOLE, /* all of it: a tensor as it was declared */
    RP_VIEW_ROWS,  /* slices of the first dimension: the other dimensions stay */
    RP_VIEW_BYTES, /* any other part: a list of elements */
} rp_view_part;

/* The shape of a tensor whose dtype is known, from the range alone. A buffer that is seen as
 * another dtype than its own is a list of elements, whatever the part. */
bool rp_view_infer(const rp_graph *graph, const rp_graph_use *range, rp_view_part part,
                   rp_tensor *tensor, char error[RP_VIEW_ERROR]);

/* Whether a range holds a tensor of a given dtype and shape: as many bytes as it needs, and no
 * others where the range's size was given too (`sized`). */
bool rp_view_check(const rp_graph_use *range, bool sized, const rp_tensor *tensor,
                   char error[RP_VIEW_ERROR]);

#endif
