/* Internal: from the tree of a pipeline as it is written to one without `repeat`, `if`, `use` and
 * `include`, which the readers of sections see.
 *
 *   include.c  the sections of a pipeline and of the files that it includes, joined
 *   scope.c    what is made anew for each repetition and each use of a block: texts with the values
 *              of indices and parameters in them
 *   expand.c   which of it there is, and how often
 *   flat.c     what is left, as text
 *
 * Every node that is made knows by what: its origin. Messages point at the text, and in notes at the
 * uses and repetitions that led there; names in expressions are looked up in the origin's scope
 * first. What does not depend on any (a large list of numbers) is not copied. */
#ifndef RP_YAML_EXPAND_H
#define RP_YAML_EXPAND_H

#include "yaml/pipeline.h"

/* A name of a scope: an index, or a parameter of a block. */
typedef struct rp_yaml_binding {
    const char *name;
    const rp_yaml_node *given; /* a parameter: what the use gives; NULL: an index */
    bool is_number;
    rp_value value; /* where it is a number */
} rp_yaml_binding;

typedef struct rp_yaml_scope rp_yaml_scope;
struct rp_yaml_scope {
    const rp_yaml_scope *outer; /* of a block: NULL, it sees its own parameters alone */
    const rp_yaml_binding *items;
    uint32_t count;
};

typedef struct rp_block {
    const rp_yaml_node *key, *params, *nodes;
} rp_block;

typedef enum rp_origin_kind {
    RP_ORIGIN_INCLUDE, /* `at`: the path in the list of includes */
    RP_ORIGIN_REPEAT,  /* the index */
    RP_ORIGIN_USE,     /* the use of `block` */
    RP_ORIGIN_GIVEN,   /* the parameter's name, in the block, where what was given stands now */
} rp_origin_kind;

struct rp_yaml_origin {
    rp_origin_kind kind;
    const rp_yaml_origin *outer; /* where `at` stands */
    const rp_yaml_node *at;
    const char *file; /* in which the nodes are written; NULL: the pipeline's own */
    const rp_yaml_scope *scope;
    const rp_block *block;
};

enum {
    RP_EXPAND_MAX_MADE = 1 << 22,   /* nodes that repetitions and uses make */
    RP_EXPAND_MAX_TEXT = 64 << 20,  /* bytes of their texts */
    RP_EXPAND_MAX_LENGTH = 1 << 16, /* one text */
    RP_EXPAND_MAX_INDICES = 8,      /* of one repetition */
    RP_EXPAND_MAX_USES = 32,        /* blocks in blocks, files in files */
};

/* ---- include.c ------------------------------------------------------------------------------- */

enum { RP_SECTIONS = 7 };

/* The sections of all files, by name: NULL where nobody has one. */
typedef struct rp_sections {
    const rp_yaml_node *params, *blocks, *live, *buffers, *samplers, *kernels, *nodes;
} rp_sections;

bool rp_read_includes(rp_reader *r, const rp_yaml_node *root, rp_sections *out);

/* ---- scope.c --------------------------------------------------------------------------------- */

/* Memory that lives as long as the reader; NULL without any. */
void *rp_make(rp_reader *r, size_t size);
/* A copy of a node for the caller to change, counted against RP_EXPAND_MAX_MADE; NULL after a
 * report, or without memory. */
rp_yaml_node *rp_make_node(rp_reader *r, const rp_yaml_node *from, const rp_yaml_origin *origin);
/* A list of `count` items, or a map of as many pairs; like `from` but for that. */
const rp_yaml_node *rp_make_list(rp_reader *r, const rp_yaml_node *from, rp_yaml_kind kind,
                                 const rp_yaml_node *const *items, uint32_t count,
                                 const rp_yaml_origin *origin);
const rp_yaml_node *rp_make_text(rp_reader *r, const rp_yaml_node *from, const char *text,
                                 size_t length, const rp_yaml_origin *origin);

const rp_yaml_binding *rp_scope_find(const rp_yaml_node *node, const char *name, size_t length);

/* What was given for a parameter, where its name stands: it keeps its place and its own scope, and
 * its origin tells of both. NULL after a report, or without memory. */
const rp_yaml_node *rp_substitute(rp_reader *r, const rp_yaml_node *name,
                                  const rp_yaml_node *given);

/* The value below a repetition or a block that stands for `node` there; NULL after a report. */
const rp_yaml_node *rp_instance(rp_reader *r, const rp_yaml_node *node,
                                const rp_yaml_origin *origin);
/* The same of the value of a key whose text may be anything: what it names is found later. `key`
 * NULL: of what a use gives, too. */
const rp_yaml_node *rp_instance_value(rp_reader *r, const rp_yaml_node *key,
                                      const rp_yaml_node *node, const rp_yaml_origin *origin);
/* The same of a key, which is never a parameter itself. */
const rp_yaml_node *rp_instance_key(rp_reader *r, const rp_yaml_node *node,
                                    const rp_yaml_origin *origin);
/* A map node's pairs [0, count) with what its formula names of the scope: numbers are put in,
 * operands are added as `bind`. `items` has room for one pair more. */
bool rp_instance_formula(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node **items,
                         uint32_t *count);

/* ---- params.c --------------------------------------------------------------------------------- */

/* Whether a text was meant as an expression: it reads as one, whatever its names are, and does not
 * look like a name or a path. */
bool rp_read_is_computed(rp_reader *r, const rp_yaml_node *node);
/* Reports what is wrong with the expression that was given for a parameter, where `name` uses it. */
bool rp_read_given_wrong(rp_reader *r, const rp_yaml_node *name, const rp_yaml_binding *binding);

/* ---- flat.c ---------------------------------------------------------------------------------- */

/* The sections as they were read become the pipeline's flat text. */
bool rp_flat_print(rp_reader *r, const rp_yaml_node *root, const rp_sections *flat);

/* ---- expand.c -------------------------------------------------------------------------------- */

bool rp_read_blocks(rp_reader *r, const rp_yaml_node *node);
/* A section without repetitions, conditions and uses: a map of `what` ("buffers"), or the list of
 * nodes. The section itself where it has none. NULL after a report that leaves nothing to read. */
const rp_yaml_node *rp_expand(rp_reader *r, const rp_yaml_node *section, const char *what);

#endif
