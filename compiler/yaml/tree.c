/* The YAML tree: libyaml's events, gathered into nodes.
 *
 * libyaml's own document API is not used: it keeps neither the quoting nor what an alias was, and
 * it loads all documents of a stream one by one without saying that there was a second. Events come
 * with marks, so each node records where it stands. Containers are built with an explicit stack:
 * the children of the open containers lie in `pending`, and move to `children` when their container
 * closes. While the arrays grow, nodes hold indices; finish() turns them into pointers, once.
 *
 * An alias is stored as the index of the node it names. The tree is then a DAG whose size is linear
 * in the text; the classic alias bomb costs nothing unless a reader walks it recursively, and the
 * readers here walk to a fixed depth. An alias inside its own anchor would be a cycle and is
 * refused.
 */
#include "yaml/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/text.h"

typedef struct anchor {
    uint64_t hash;
    uint32_t name; /* in text */
    uint32_t node;
} anchor;

typedef struct frame {
    uint32_t node;
    uint32_t first_pending;
} frame;

struct rp_yaml {
    rp_allocator allocator;
    const char *file; /* while parsing */
    rp_diags *diags;
    rp_yaml_node *nodes;
    uint32_t *first;  /* per node: its text's offset, or its first child */
    uint32_t *weight; /* per node: values it stands for, with its aliases expanded */
    uint32_t node_count, node_capacity, first_capacity, weight_capacity;
    uint32_t *children;
    uint32_t child_count, child_capacity;
    uint32_t *pending;
    uint32_t pending_count, pending_capacity;
    const rp_yaml_node **items; /* children as pointers */
    rp_text text;
    anchor anchors[RP_YAML_MAX_ANCHORS];
    uint32_t anchor_count;
    frame stack[RP_YAML_MAX_DEPTH];
    uint32_t depth;
    uint32_t root;
    uint32_t merged; /* pairs that merge keys brought, kept or not */
    bool too_large;  /* a mistake that ends the parse: whatever holds such a value is too large */
};

static uint32_t clamp(size_t value) {
    return value >= UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static rp_status fail(const rp_yaml *y, yaml_mark_t mark, const char *message, const char *detail) {
    rp_diags_add(y->diags, RP_ERROR, y->file, clamp(mark.line) + 1, clamp(mark.column) + 1, message,
                 detail);
    return RP_ERROR_INVALID;
}

/* A new node, linked into the open container. */
static rp_status add_node(rp_yaml *y, rp_yaml_kind kind, yaml_mark_t mark, uint32_t *out) {
    const rp_allocator *a = &y->allocator;
    if (!RP_RESERVE(a, y->nodes, y->node_count, y->node_capacity, 1) ||
        !RP_RESERVE(a, y->first, y->node_count, y->first_capacity, 1) ||
        !RP_RESERVE(a, y->weight, y->node_count, y->weight_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    *out = y->node_count++;
    y->first[*out] = 0;
    y->weight[*out] = 1;
    y->nodes[*out] = (rp_yaml_node){
        .kind = kind, .line = clamp(mark.line) + 1, .column = clamp(mark.column) + 1};
    return RP_OK;
}

static rp_status link_node(rp_yaml *y, uint32_t node, yaml_mark_t mark) {
    if (y->depth == 0) {
        y->root = node;
        return RP_OK;
    }
    const frame *top = &y->stack[y->depth - 1];
    bool is_key =
        y->nodes[top->node].kind == RP_YAML_MAP && (y->pending_count - top->first_pending) % 2 == 0;
    if (is_key && y->nodes[node].kind != RP_YAML_SCALAR)
        return fail(y, mark, "a key must be plain text%s", "");
    if (!RP_RESERVE(&y->allocator, y->pending, y->pending_count, y->pending_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    y->pending[y->pending_count++] = node;
    return RP_OK;
}

static rp_status add_anchor(rp_yaml *y, const yaml_char_t *name, uint32_t node, yaml_mark_t mark) {
    if (!name) return RP_OK;
    if (y->anchor_count == RP_YAML_MAX_ANCHORS) return fail(y, mark, "more than 256 anchors%s", "");
    const char *text = (const char *)name;
    y->anchors[y->anchor_count++] = (anchor){rp_hash(text, strlen(text)), y->text.size, node};
    rp_text_append(&y->text, text, strlen(text) + 1);
    return y->text.failed ? RP_ERROR_NO_MEMORY : RP_OK;
}

static rp_status add_alias(rp_yaml *y, const yaml_event_t *event) {
    const char *name = (const char *)event->data.alias.anchor;
    uint64_t hash = rp_hash(name, strlen(name));
    for (uint32_t i = y->anchor_count; i-- > 0;) {
        const anchor *at = &y->anchors[i];
        if (at->hash != hash || strcmp(y->text.data + at->name, name) != 0) continue;
        for (uint32_t d = 0; d < y->depth; d++)
            if (y->stack[d].node == at->node)
                return fail(y, event->start_mark, "alias '*%s' stands inside what it names", name);
        return link_node(y, at->node, event->start_mark);
    }
    return fail(y, event->start_mark,
                "alias '*%s' names no anchor before it; a text that begins with '*' needs quotes",
                name);
}

static rp_status check_tag(const rp_yaml *y, const yaml_char_t *tag, yaml_mark_t mark) {
    return tag ? fail(
                     y, mark,
                     "tags ('!...') are not supported: give the value alone, or a text that begins "
                     "with '!' in quotes%s",
                     "")
               : RP_OK;
}

static rp_status add_scalar(rp_yaml *y, const yaml_event_t *event) {
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    yaml_mark_t start = event->start_mark, end = event->end_mark;
    RP_TRY(check_tag(y, event->data.scalar.tag, start));
    if (memchr(value, '\0', length)) return fail(y, start, "a zero byte in text%s", "");
    uint32_t index;
    RP_TRY(add_node(y, RP_YAML_SCALAR, start, &index));
    rp_yaml_node *node = &y->nodes[index];
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->length = clamp(length);
    bool in_quotes = event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                     event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    node->text_column = node->column + in_quotes;
    node->exact = start.line == end.line && (in_quotes || !node->quoted) &&
                  end.column - start.column == length + 2 * in_quotes;
    y->first[index] = y->text.size;
    rp_text_append(&y->text, value, length);
    rp_text_append(&y->text, "", 1);
    if (y->text.failed) return RP_ERROR_NO_MEMORY;
    RP_TRY(add_anchor(y, event->data.scalar.anchor, index, start));
    return link_node(y, index, start);
}

static rp_status open_container(rp_yaml *y, rp_yaml_kind kind, const yaml_char_t *tag,
                                const yaml_char_t *anchor_name, bool flow, yaml_mark_t mark) {
    RP_TRY(check_tag(y, tag, mark));
    if (y->depth == RP_YAML_MAX_DEPTH)
        return fail(y, mark, "lists and maps are nested more than 32 deep%s", "");
    uint32_t index;
    RP_TRY(add_node(y, kind, mark, &index));
    y->nodes[index].flow = flow;
    RP_TRY(add_anchor(y, anchor_name, index, mark));
    RP_TRY(link_node(y, index, mark));
    y->stack[y->depth++] = (frame){index, y->pending_count};
    return RP_OK;
}

typedef struct key_entry {
    const char *text;
    const rp_yaml_node *node;
} key_entry;

static int compare_keys(const void *left, const void *right) {
    const key_entry *a = left, *b = right;
    int order = strcmp(a->text, b->text);
    return order ? order : (a->node > b->node) - (a->node < b->node);
}

/* Duplicates by sorting: a map of params may be large. An aliased key is the same node twice, which
 * the comparison takes as equal as well. */
static rp_status check_keys(rp_yaml *y, const uint32_t *pairs, uint32_t count) {
    key_entry *keys = rp_alloc(&y->allocator, count, sizeof *keys);
    if (!keys) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        keys[i] = (key_entry){y->text.data + y->first[pairs[2 * i]], &y->nodes[pairs[2 * i]]};
    qsort(keys, count, sizeof *keys, compare_keys);
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < count; i++) {
        const rp_yaml_node *node = keys[i].node;
        if (i && strcmp(keys[i - 1].text, keys[i].text) == 0) {
            rp_diags_add(y->diags, RP_ERROR, y->file, node->line, node->column,
                         "duplicate key '%.60s': it was given at line %u already", keys[i].text,
                         keys[i - 1].node->line);
            status = RP_ERROR_INVALID;
        }
    }
    rp_release(&y->allocator, keys);
    return status;
}

/* Parentheses that a text opens, less those that it closes; 0 for what is in quotes. */
static int open_parentheses(const rp_yaml *y, uint32_t index) {
    const rp_yaml_node *node = &y->nodes[index];
    int open = 0;
    if (node->kind != RP_YAML_SCALAR || node->quoted) return 0;
    for (const char *c = y->text.data + y->first[index]; *c; c++) open += (*c == '(') - (*c == ')');
    return open;
}

/* {map: max(a, b)} is a map of "max(a" and "b)": said here, where it is one mistake. */
static rp_status check_commas(rp_yaml *y, const uint32_t *children, uint32_t count) {
    uint32_t opened = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        int open = open_parentheses(y, children[i]);
        if (open > 0 && opened == UINT32_MAX) opened = children[i];
        if (open >= 0 || opened == UINT32_MAX) continue;
        const rp_yaml_node *node = &y->nodes[opened];
        rp_diags_add(y->diags, RP_ERROR, y->file, node->line, node->column,
                     "'%.60s' ends at its ',': a text with a comma between { } or [ ] needs quotes",
                     y->text.data + y->first[opened]);
        return RP_ERROR_INVALID;
    }
    return RP_OK;
}

/* ---- Merge keys ------------------------------------------------------------------------------ */

static rp_status merge_error(const rp_yaml *y, uint32_t key, const char *format, ...)
    RP_PRINTF(3, 4);
static rp_status merge_error(const rp_yaml *y, uint32_t key, const char *format, ...) {
    char message[128];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_diags_add(y->diags, RP_ERROR, y->file, y->nodes[key].line, y->nodes[key].column, "%s",
                 message);
    return RP_ERROR_INVALID;
}

/* Appends the pairs of a map to `pending`. */
static rp_status merge_map(rp_yaml *y, uint32_t key, uint32_t map) {
    uint32_t pairs = y->nodes[map].count;
    if (y->nodes[map].kind != RP_YAML_MAP)
        return merge_error(y, key, "'<<' takes a map or a list of maps, not %s",
                           y->nodes[map].kind == RP_YAML_LIST ? "a list in a list" : "text");
    y->too_large = pairs > RP_YAML_MAX_MERGED - y->merged;
    if (y->too_large)
        return merge_error(y, key, "the merge keys bring more than %d values", RP_YAML_MAX_MERGED);
    y->merged += pairs;
    if (!RP_RESERVE(&y->allocator, y->pending, y->pending_count, y->pending_capacity, 2 * pairs))
        return RP_ERROR_NO_MEMORY;
    const uint32_t *from = y->children + y->first[map];
    if (pairs) memcpy(y->pending + y->pending_count, from, 2 * (size_t)pairs * sizeof *from);
    y->pending_count += 2 * pairs;
    return RP_OK;
}

typedef struct pair_entry {
    const char *text;
    uint32_t at; /* its place in the order of precedence */
    bool kept;
} pair_entry;

static int compare_pairs(const void *left, const void *right) {
    const pair_entry *a = left, *b = right;
    int order = strcmp(a->text, b->text);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

static int compare_places(const void *left, const void *right) {
    const pair_entry *a = left, *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

/* Of pairs with the same key the first stays. */
static rp_status keep_first(rp_yaml *y, uint32_t first_pending) {
    uint32_t *pairs = y->pending + first_pending;
    uint32_t count = (y->pending_count - first_pending) / 2, kept = 0;
    pair_entry *entries = rp_alloc(&y->allocator, count, sizeof *entries);
    if (!entries) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        entries[i] = (pair_entry){y->text.data + y->first[pairs[2 * i]], i, true};
    qsort(entries, count, sizeof *entries, compare_pairs);
    for (uint32_t i = 1; i < count; i++)
        entries[i].kept = strcmp(entries[i - 1].text, entries[i].text) != 0;
    qsort(entries, count, sizeof *entries, compare_places);
    for (uint32_t i = 0; i < count; i++) {
        if (!entries[i].kept) continue;
        pairs[2 * kept] = pairs[2 * i];
        pairs[2 * kept++ + 1] = pairs[2 * i + 1];
    }
    rp_release(&y->allocator, entries);
    y->pending_count = first_pending + 2 * kept;
    return RP_OK;
}

/* Puts the pairs that `<<` names behind a map's own in `pending`, as YAML 1.1 says: own keys win,
 * then those of the map that stands earlier in the list. */
static rp_status merge(rp_yaml *y, uint32_t first_pending) {
    uint32_t at = first_pending, end = y->pending_count;
    while (at < end && (y->nodes[y->pending[at]].quoted ||
                        strcmp(y->text.data + y->first[y->pending[at]], "<<") != 0))
        at += 2;
    if (at == end) return RP_OK;
    uint32_t key = y->pending[at], value = y->pending[at + 1];
    memmove(y->pending + at, y->pending + at + 2, (end - at - 2) * sizeof *y->pending);
    y->pending_count -= 2;
    if (y->nodes[value].kind != RP_YAML_LIST) {
        RP_TRY(merge_map(y, key, value));
    } else {
        for (uint32_t i = 0; i < y->nodes[value].count; i++)
            RP_TRY(merge_map(y, key, y->children[y->first[value] + i]));
    }
    return keep_first(y, first_pending);
}

/* ---- Containers ------------------------------------------------------------------------------ */

/* What is wrong with the children, and what merge keys add to them. */
static rp_status complete(rp_yaml *y, uint32_t container, uint32_t first_pending) {
    uint32_t count = y->pending_count - first_pending;
    if (y->nodes[container].flow) RP_TRY(check_commas(y, y->pending + first_pending, count));
    if (y->nodes[container].kind != RP_YAML_MAP || count == 0) return RP_OK;
    RP_TRY(check_keys(y, y->pending + first_pending, count / 2));
    return merge(y, first_pending);
}

static rp_status close_container(rp_yaml *y, yaml_mark_t mark) {
    frame top = y->stack[--y->depth];
    rp_status status = complete(y, top.node, top.first_pending);
    if (status == RP_ERROR_NO_MEMORY || y->too_large) return status;
    uint32_t count = y->pending_count - top.first_pending;
    if (!RP_RESERVE(&y->allocator, y->children, y->child_count, y->child_capacity, count))
        return RP_ERROR_NO_MEMORY;
    const uint32_t *from = y->pending + top.first_pending;
    if (count) memcpy(y->children + y->child_count, from, count * sizeof *from);
    for (uint32_t i = 0; i < count; i++) { /* two terms below 2^25: no overflow */
        y->weight[top.node] += y->weight[from[i]];
        y->too_large = y->weight[top.node] > RP_YAML_MAX_VALUES;
        if (y->too_large) return fail(y, mark, "the aliases expand to more than 2^24 values%s", "");
    }
    rp_yaml_node *node = &y->nodes[top.node];
    y->first[top.node] = y->child_count;
    node->count = node->kind == RP_YAML_MAP ? count / 2 : count;
    y->child_count += count;
    y->pending_count = top.first_pending;
    return status;
}

static rp_status take_event(rp_yaml *y, const yaml_event_t *event, uint32_t *documents) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++*documents > 1 ? fail(y, event->start_mark,
                                       "a second document: a pipeline is one YAML document%s", "")
                                : RP_OK;
    case YAML_ALIAS_EVENT: return add_alias(y, event);
    case YAML_SCALAR_EVENT: return add_scalar(y, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_container(
            y, RP_YAML_LIST, event->data.sequence_start.tag, event->data.sequence_start.anchor,
            event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE, event->start_mark);
    case YAML_MAPPING_START_EVENT:
        return open_container(
            y, RP_YAML_MAP, event->data.mapping_start.tag, event->data.mapping_start.anchor,
            event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE, event->start_mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_container(y, event->start_mark);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return RP_OK;
    }
    return RP_OK;
}

/* The reader of bytes runs ahead of the scanner and knows only an offset. */
static yaml_mark_t mark_of_offset(const char *text, size_t size, size_t offset) {
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < size; i++) {
        mark.column++;
        if (text[i] == '\n') mark.column = 0, mark.line++;
    }
    return mark;
}

/* Most often a text has a character that YAML takes for its own. */
static rp_status not_yaml(const rp_yaml *y, const yaml_parser_t *parser, const char *rest) {
    static const char *const signs[] = {"did not find expected ',' or", "cannot start any token",
                                        "mapping values are not allowed"};
    const char *problem = parser->problem ? parser->problem : "syntax error";
    bool hint = false;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        hint |= strstr(problem, signs[i]) != NULL;
    char text[256];
    snprintf(text, sizeof text, "%s%s", problem,
             *rest == '\t' ? "; YAML is indented with spaces"
             : hint ? "; a text with ': ', or that begins with one of { [ % @ ` ! & *, needs quotes"
                    : "");
    return fail(y, parser->problem_mark, "not YAML: %s", text);
}

/* Duplicate keys and commas do not end the parse: later mistakes are worth reporting with them. */
static rp_status read_events(rp_yaml *y, yaml_parser_t *parser, const char *text, size_t size) {
    rp_status result = RP_OK;
    uint32_t documents = 0;
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            if (parser->error == YAML_MEMORY_ERROR) return RP_ERROR_NO_MEMORY;
            if (parser->error == YAML_READER_ERROR)
                return fail(y, mark_of_offset(text, size, parser->problem_offset), "not YAML: %s",
                            parser->problem ? parser->problem : "unreadable text");
            size_t at = parser->problem_mark.index; /* in characters: in bytes, not behind it */
            return not_yaml(y, parser, at < size ? text + at : "");
        }
        done = event.type == YAML_STREAM_END_EVENT;
        bool closing =
            event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        rp_status status = take_event(y, &event, &documents);
        yaml_event_delete(&event);
        if (status == RP_ERROR_INVALID && closing && !y->too_large)
            result = status;
        else if (status != RP_OK)
            return status;
    }
    if (documents == 0) {
        rp_diags_add(y->diags, RP_ERROR, y->file, 1, 1, "the file is empty");
        return RP_ERROR_INVALID;
    }
    return result;
}

/* Indices become pointers. */
static rp_status finish(rp_yaml *y) {
    y->items = rp_alloc(&y->allocator, y->child_count, sizeof *y->items);
    if (!y->items) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < y->child_count; i++) y->items[i] = &y->nodes[y->children[i]];
    for (uint32_t i = 0; i < y->node_count; i++) {
        rp_yaml_node *node = &y->nodes[i];
        if (node->kind == RP_YAML_SCALAR)
            node->text = y->text.data + y->first[i];
        else
            node->items = y->items + y->first[i];
    }
    return RP_OK;
}

rp_status rp_yaml_parse(const rp_allocator *allocator, const char *text, size_t size,
                        const char *file, rp_diags *diags, rp_yaml **out_yaml) {
    *out_yaml = NULL;
    if (size > RP_YAML_MAX_BYTES) {
        rp_diags_add(diags, RP_ERROR, file, 0, 0,
                     "the file has %zu bytes; a pipeline may have %d at most", size,
                     RP_YAML_MAX_BYTES);
        return RP_ERROR_INVALID;
    }
    if (!text) text = "";
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_yaml *y = rp_alloc_zero(&a, 1, sizeof *y);
    if (!y) return RP_ERROR_NO_MEMORY;
    y->allocator = a;
    y->file = file;
    y->diags = diags;
    rp_text_init(&y->text, &a);

    yaml_parser_t parser;
    rp_status status = RP_ERROR_NO_MEMORY;
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
        status = read_events(y, &parser, text, size);
        yaml_parser_delete(&parser);
    }
    if (status == RP_OK) status = finish(y);
    if (status != RP_OK)
        rp_yaml_destroy(y);
    else
        *out_yaml = y;
    return status;
}

void rp_yaml_destroy(rp_yaml *y) {
    if (!y) return;
    rp_allocator a = y->allocator;
    rp_release(&a, y->nodes);
    rp_release(&a, y->first);
    rp_release(&a, y->weight);
    rp_release(&a, y->children);
    rp_release(&a, y->pending);
    rp_release(&a, (void *)y->items);
    rp_text_free(&y->text);
    rp_release(&a, y);
}

void rp_yaml_set_origin(rp_yaml *y, const rp_yaml_origin *origin) {
    for (uint32_t i = 0; i < y->node_count; i++) y->nodes[i].origin = origin;
}

const rp_yaml_node *rp_yaml_root(const rp_yaml *y) {
    return &y->nodes[y->root];
}

const rp_yaml_node *rp_yaml_find(const rp_yaml_node *map, const char *key) {
    for (uint32_t i = 0; map->kind == RP_YAML_MAP && i < map->count; i++)
        if (rp_yaml_is(rp_yaml_key(map, i), key)) return rp_yaml_value(map, i);
    return NULL;
}

bool rp_yaml_is_null(const rp_yaml_node *node) {
    return node->kind == RP_YAML_SCALAR && !node->quoted &&
           (node->length == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

const char *rp_yaml_kind_name(const rp_yaml_node *node) {
    switch (node->kind) {
    case RP_YAML_LIST: return "a list";
    case RP_YAML_MAP: return "a map";
    case RP_YAML_SCALAR: return rp_yaml_is_null(node) ? "nothing" : "text";
    }
    return "nothing";
}
