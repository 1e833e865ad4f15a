/* Internal: what the parts of an inspection share. Each put function appends a value of the JSON document; check
 * text->failed at the end. */
#ifndef RP_INSPECT_INTERNAL_H
#define RP_INSPECT_INTERNAL_H

#include "graph/graph.h"
#include "reprise/inspect.h"
#include "views/json_text.h"

enum {
    RP_INSPECT_LINE =
        480, /* bytes of a line of a difference that are shown, of more the beginning */
    RP_INSPECT_LINES = 8000,    /* of one difference */
    RP_INSPECT_NEAR = 32,       /* nodes of a list of neighbours */
    RP_INSPECT_PLAIN = 1 << 18, /* bytes of a document that stands in its page as it is */
    RP_INSPECT_ALIASES = 8,     /* of a transient with those that begin behind it */
};

/* A list of uint32_t lists, one for each of `count` items: items[first[i]] .. items[first[i + 1]]. */
typedef struct rp_inspect_lists {
    uint32_t *first, *items;
} rp_inspect_lists;

/* source.c: the nodes of the source graph, each with its place and its line of text. */
void rp_inspect_source(rp_text *text, const rp_graph *source, const char *lines, size_t size);

/* passes.c: a pass with what it decided and changed; and what differs between two graphs. */
rp_status rp_inspect_pass(rp_text *text, const rp_pass_report *report, const rp_graph *before,
                          const rp_graph *after);
rp_status rp_inspect_difference(rp_text *text, const rp_graph *before, const rp_graph *after);

/* facts.c: what the graph's own JSON does not say of it. `source` may be NULL. */
rp_status rp_inspect_facts(rp_text *text, const rp_graph *graph, const rp_graph *source, bool fast,
                           rp_diags *diags);
/* nodes.c */
rp_status rp_inspect_nodes(rp_text *text, const rp_graph *graph, const rp_graph *source,
                           const uint32_t *glsl, rp_diags *diags);
/* barriers.c */
rp_status rp_inspect_barriers(rp_text *text, const rp_graph *graph);
/* memory.c: who uses what, from which group to which, and what lies where */
rp_status rp_inspect_memory(rp_text *text, const rp_graph *graph);
/* kernels.c: the generated texts and the modules. glsl[node] becomes the number of its text, or RP_NONE. */
rp_status rp_inspect_kernels(rp_text *text, const rp_graph *graph, bool fast, uint32_t *glsl,
                             rp_diags *diags);

/* page.c: the page around a document. */
rp_status rp_inspect_page(rp_text *page, const char *json, size_t size);
/* pack.c: the same JSON of ASCII alone, without '<' and '~' */
void rp_inspect_ascii(rp_text *text, const char *json, size_t size);
/* and such a text in less; false without memory, or for one of 4 GiB and more. */
bool rp_inspect_pack(rp_text *text, const char *ascii, size_t size);

/* [1,2,3] */
void rp_inspect_list(rp_text *text, const uint32_t *items, uint32_t count);

#endif
