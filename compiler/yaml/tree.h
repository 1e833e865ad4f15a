/* Internal: YAML text as a tree in which every node knows its line and column. */
#ifndef RP_YAML_TREE_H
#define RP_YAML_TREE_H

#include "base/alloc.h"

typedef enum rp_yaml_kind { RP_YAML_SCALAR, RP_YAML_LIST, RP_YAML_MAP } rp_yaml_kind;

typedef struct rp_yaml_node rp_yaml_node;
typedef struct rp_yaml_origin rp_yaml_origin; /* expand.h */
struct rp_yaml_node {
    rp_yaml_kind kind;
    bool flow;             /* list, map: written with [] or {} */
    bool quoted;           /* scalar: in quotes or a block, hence text even if it reads `true` */
    bool exact;            /* scalar: byte i of `text` stands in the file at `text_column` + i */
    uint32_t line, column; /* from 1 */
    uint32_t text_column;
    const char *text; /* scalar: terminated, no zero byte inside */
    uint32_t length;
    const rp_yaml_node *const *items; /* list: items; map: key, value, key, value, ... */
    uint32_t count;                   /* list: items; map: pairs */
    const rp_yaml_origin *origin;     /* NULL: written as it is, in the pipeline's own file */
};

enum {
    RP_YAML_MAX_BYTES = 16 << 20, /* one document */
    RP_YAML_MAX_DEPTH = 32,       /* nested lists and maps */
    RP_YAML_MAX_ANCHORS = 256,
    RP_YAML_MAX_VALUES = 1 << 24, /* with every alias expanded */
    RP_YAML_MAX_MERGED = 1 << 20, /* pairs that merge keys bring */
};

typedef struct rp_yaml rp_yaml;

/* Parses exactly one document. An alias is the very node it names, so a tree may have shared parts
 * but never cycles: its memory is linear in the text, whatever the aliases, and a walk of all of it
 * is bounded by RP_YAML_MAX_VALUES. Keys are scalars, unique in their map. A merge key (`<<`) is
 * gone: its pairs stand behind the map's own. Tags are refused. `file` (may be NULL) names the text
 * in messages. */
rp_status rp_yaml_parse(const rp_allocator *allocator, const char *text, size_t size,
                        const char *file, rp_diags *diags, rp_yaml **out_yaml);
void rp_yaml_destroy(rp_yaml *yaml);
/* Of all nodes. */
void rp_yaml_set_origin(rp_yaml *yaml, const rp_yaml_origin *origin);
const rp_yaml_node *rp_yaml_root(const rp_yaml *yaml);

static inline const rp_yaml_node *rp_yaml_key(const rp_yaml_node *map, uint32_t i) {
    return map->items[2 * i];
}
static inline const rp_yaml_node *rp_yaml_value(const rp_yaml_node *map, uint32_t i) {
    return map->items[2 * i + 1];
}

/* Whether a scalar's text equals `text`. */
static inline bool rp_yaml_is(const rp_yaml_node *node, const char *text) {
    return node->kind == RP_YAML_SCALAR && strcmp(node->text, text) == 0;
}

/* The value of a key, NULL without it. Linear: for the small maps of a pipeline. */
const rp_yaml_node *rp_yaml_find(const rp_yaml_node *map, const char *key);

/* An empty or `null` or `~` plain scalar. */
bool rp_yaml_is_null(const rp_yaml_node *node);

/* "a list", "a map", "text", for messages. */
const char *rp_yaml_kind_name(const rp_yaml_node *node);

#endif
