/* Op and map nodes: keys are the operands and attributes of the op, or composite, that they name.
 *
 * The definition says what each key is, so this file knows no op. The node itself is made by
 * composite/, whose complaints are put where the value stands. A node that is wrong still
 * enters the names that it would have made, so that the nodes that read them stay silent. */
#include "yaml/pipeline.h"

#include <stdio.h>
#include "composite/formula.h"

enum { MAX_KEYS = 32 };

/* What is gathered of one node, with the places it comes from. */
typedef struct gathered {
    rp_given_operand operands[RP_APPLY_MAX_OPERANDS];
    const rp_yaml_node *operand_nodes[RP_APPLY_MAX_OPERANDS];
    rp_attribute attrs[RP_APPLY_MAX_ATTRS];
    const rp_yaml_node *attr_nodes[RP_APPLY_MAX_ATTRS];
    rp_given_number numbers[RP_APPLY_MAX_OPERANDS];
    uint32_t operand_count, attr_count, number_count;
} gathered;

/* All its texts: which of them were to be outputs is not known. */
bool rp_read_wrong_node(rp_reader *r, const rp_yaml_node *node) {
    bool is_map = node->kind == RP_YAML_MAP;
    if (r->no_memory) return false;
    if (node->kind == RP_YAML_SCALAR) return rp_read_made(r, node, RP_NONE) && false;
    for (uint32_t i = 0; i < node->count; i++)
        rp_read_wrong_node(r, is_map ? rp_yaml_value(node, i) : node->items[i]);
    return false;
}

/* ---- Applying -------------------------------------------------------------------------------- */

/* Enters what the node made. */
static bool enter_made(rp_reader *r, const gathered *g) {
    for (uint32_t i = 0; i < g->operand_count; i++)
        if (!rp_read_made(r, g->operand_nodes[i], g->operands[i].argument.buffer)) return false;
    return true;
}

static bool report(rp_reader *r, const rp_application *x, const gathered *g,
                   const rp_yaml_node *op) {
    rp_yaml_node at = *op;
    if (x->blame == RP_BLAME_OPERAND) at = *g->operand_nodes[x->blame_index];
    if (x->blame == RP_BLAME_ATTR) {
        at = *g->attr_nodes[x->blame_index];
        if (at.exact && x->error_at) at.column = at.text_column + x->error_at - 1;
    }
    return rp_read_error(r, &at, "%s", x->error);
}

static bool apply(rp_reader *r, const char *op, const rp_yaml_node *value,
                  const rp_graph_node *base, gathered *g) {
    rp_application x = {.graph = r->graph,
                        .op = op,
                        .node = *base,
                        .operands = g->operands,
                        .attrs = g->attrs,
                        .numbers = g->numbers,
                        .operand_count = g->operand_count,
                        .attr_count = g->attr_count,
                        .number_count = g->number_count};
    rp_status status = rp_apply_to_graph(&x);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    return status == RP_OK ? enter_made(r, g) : report(r, &x, g, value);
}

/* `dtype` of the node is that of its first output, when the node makes it. */
static bool read_node_dtype(rp_reader *r, const rp_yaml_node *node, gathered *g) {
    const rp_yaml_node *dtype = rp_yaml_find(node, "dtype");
    if (!dtype) return true;
    int code = rp_read_dtype(r, dtype);
    for (uint32_t i = 0; i < g->operand_count && code >= 0; i++) {
        rp_given_operand *operand = &g->operands[i];
        if (operand->fresh == RP_NONE || operand->argument.tensor.dtype != RP_RAW) continue;
        operand->argument.tensor.dtype = (uint8_t)code;
        return true;
    }
    return code < 0 ? false
                    : rp_read_error(r, dtype,
                                    "'dtype' is that of an output that the node makes: these "
                                    "buffers have theirs");
}

/* ---- Op nodes -------------------------------------------------------------------------------- */

static bool check_keys(rp_reader *r, const rp_yaml_node *node, const rp_signature *s) {
    const char *keys[MAX_KEYS + 1] = {"op"};
    uint32_t count = 1;
    for (uint32_t i = 0; rp_signature_operand(s, i) && count < MAX_KEYS; i++)
        keys[count++] = rp_signature_operand(s, i);
    for (uint32_t i = 0; rp_signature_attr(s, i) && count < MAX_KEYS; i++)
        keys[count++] = rp_signature_attr(s, i)->name;
    const char *const own[] = {"label", "tag", "dtype", "optional"};
    for (uint32_t i = 0; i < 4 && count < MAX_KEYS; i++) keys[count++] = own[i];
    char what[96];
    snprintf(what, sizeof what, "op %.60s", rp_yaml_find(node, "op")->text);
    return rp_read_map(r, node, what, keys);
}

/* One element of a list as text. */
static int put_element(rp_reader *r, const rp_yaml_node *node, const char *what, bool integer,
                       char *out, size_t size) {
    int64_t whole = 0;
    double number = 0;
    bool good = integer ? rp_read_integer(r, node, what, INT64_MIN, INT64_MAX, &whole)
                        : rp_read_double(r, node, what, &number);
    if (!good) return -1;
    return integer ? snprintf(out, size, "%lld", (long long)whole)
                   : snprintf(out, size, "%.17g", number);
}

/* A list of integers, or of numbers, or one alone, as the text of an attribute. */
static const char *read_elements(rp_reader *r, const rp_yaml_node *node, const char *what,
                                 bool integer) {
    enum { DIGITS = 28 };
    bool list = node->kind == RP_YAML_LIST, good = true;
    uint32_t count = list ? node->count : 1;
    if (count < 1 || count > RP_ATTR_LIST_MOST) {
        rp_read_error(r, node, "%s has %u %s, expected 1 to %d", what, count,
                      integer ? "integers" : "numbers", RP_ATTR_LIST_MOST);
        return NULL;
    }
    char *text = rp_read_kept(r, DIGITS * (size_t)count + 1);
    if (!text) {
        rp_read_no_memory(r);
        return NULL;
    }
    *text = '\0';
    for (uint32_t i = 0, used = 0; i < count; i++) {
        if (used) text[used++] = ',';
        int length =
            put_element(r, list ? node->items[i] : node, what, integer, text + used, DIGITS - 1);
        good &= length > 0;
        used += length > 0 ? (uint32_t)length : 0;
    }
    return good ? text : NULL;
}

static bool is_live(const rp_reader *r, const rp_yaml_node *node) {
    const rp_name *name = rp_names_find(&r->buffer_names, node->text, node->length);
    return name && name->value != RP_NONE && r->graph->buffers[name->value].kind == RP_LIVE;
}

static bool read_attr(rp_reader *r, const rp_yaml_node *node, const rp_op_attr *attr, gathered *g) {
    rp_attribute *out = &g->attrs[g->attr_count];
    *out = (rp_attribute){.name = attr->name};
    g->attr_nodes[g->attr_count] = node;
    char what[96];
    snprintf(what, sizeof what, "attribute '%.60s'", attr->name);
    if (attr->shown && node->kind == RP_YAML_SCALAR && is_live(r, node))
        return rp_read_error(r, node,
                             "%s: '%.*s' is a live value: leave it out, and let the shape of an "
                             "output say how many there are",
                             what, RP_CLIP(node));
    if (attr->kind == RP_ATTR_CHOICE || attr->kind == RP_ATTR_TEXT) {
        if (!rp_read_text(r, node, what)) return false;
        out->text = node->text;
    } else if (attr->kind == RP_ATTR_LIST || attr->kind == RP_ATTR_NUMBERS) {
        out->text = read_elements(r, node, what, attr->kind == RP_ATTR_LIST);
        if (!out->text) return false;
    } else if (attr->kind == RP_ATTR_NUMBER) {
        if (!rp_read_exact(r, node, what, &out->number, &out->text)) return false;
    } else {
        int64_t value = rp_read_bool(node);
        if (value < 0 && !rp_read_integer(r, node, what, INT64_MIN, INT64_MAX, &value))
            return false;
        out->number = (double)value;
    }
    g->attr_count++;
    return true;
}

static bool read_op_operand(rp_reader *r, const rp_yaml_node *node, const char *name,
                            uint8_t access, gathered *g) {
    g->operand_nodes[g->operand_count] = node;
    bool good = rp_read_operand(r, node, name, access, &g->operands[g->operand_count]);
    g->operand_count += good;
    return good;
}

/* In the order of the definition, so that `dtype` means its first output. */
static bool gather(rp_reader *r, const rp_yaml_node *node, const rp_signature *s, gathered *g) {
    bool good = true;
    const char *name;
    const rp_op_attr *attr;
    for (uint32_t i = 0; (name = rp_signature_operand(s, i)) && !r->no_memory; i++) {
        const rp_yaml_node *value = rp_yaml_find(node, name);
        if (value) good &= read_op_operand(r, value, name, rp_signature_access(s, i), g);
    }
    for (uint32_t i = 0; (attr = rp_signature_attr(s, i)); i++) {
        const rp_yaml_node *value = rp_yaml_find(node, attr->name);
        if (value) good &= read_attr(r, value, attr, g);
    }
    return good;
}

/* Nothing is known of an op that does not exist; its new names are its outputs, most likely. */
static bool unknown_op(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *value) {
    rp_names names = {0};
    bool good = true;
    for (uint32_t i = 0; good && rp_op_at(i); i++)
        good = rp_names_add(&r->a, &names, &(rp_name){rp_op_name(rp_op_at(i)), value, i});
    const rp_composite_info *info;
    for (uint32_t i = 0; good && (info = rp_composite_at(i)); i++)
        good = rp_names_add(&r->a, &names, &(rp_name){info->name, value, i});
    char suggestion[192];
    rp_read_suggest(r, suggestion, sizeof suggestion, &names, value->text);
    rp_names_free(&r->a, &names);
    if (!good) return rp_read_no_memory(r);
    rp_read_error(r, value, "there is no op '%.*s'%s; 'reprise kernels' lists them", RP_CLIP(value),
                  suggestion);
    return rp_read_wrong_node(r, node);
}

bool rp_read_op(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *value,
                const rp_graph_node *base) {
    rp_signature signature;
    if (!rp_read_text(r, value, "op")) return rp_read_wrong_node(r, node);
    if (rp_yaml_is(value, "map")) {
        rp_read_error(r, value, "a map is written '- map: \"a * b\"', with its formula");
        return rp_read_wrong_node(r, node);
    }
    if (!rp_signature_find(value->text, &signature)) return unknown_op(r, node, value);
    gathered g = {0};
    bool good = check_keys(r, node, &signature);
    good &= gather(r, node, &signature, &g);
    good = good && read_node_dtype(r, node, &g);
    if (good) return apply(r, value->text, value, base, &g) || rp_read_wrong_node(r, node);
    return rp_read_wrong_node(r, node);
}

/* ---- Map nodes ------------------------------------------------------------------------------- */

/* Whether the name was met before, in `bind` or in the formula. What was wrong with it has been
 * said then. */
static bool is_known(const rp_yaml_node *bind, const rp_yaml_node *nodes, uint32_t count,
                     const char *name) {
    if (bind && rp_yaml_find(bind, name)) return true;
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(nodes[i].text, name) == 0) return true;
    return false;
}

static bool read_bind(rp_reader *r, const rp_yaml_node *bind, gathered *g) {
    if (!bind) return true;
    if (!rp_read_map(r, bind, "'bind'", NULL)) return false;
    bool good = true;
    for (uint32_t i = 0; i < bind->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(bind, i);
        if (g->operand_count + 1 == RP_APPLY_MAX_OPERANDS)
            return rp_read_error(r, key, "a map has at most 26 inputs");
        good &= rp_read_name(r, key, "name in a formula") &&
                read_op_operand(r, rp_yaml_value(bind, i), key->text, RP_READ, g);
    }
    return good;
}

/* A number as a formula has it: in parentheses where a sign stands in front. */
static bool give_number(rp_reader *r, gathered *g, const char *name, const rp_value *value) {
    rp_given_number *number = &g->numbers[g->number_count++];
    rp_text text;
    rp_text_init(&text, &r->a);
    rp_value_print(&text, value);
    bool good = !text.failed, sign = good && text.data[0] == '-';
    *number = (rp_given_number){.name = name};
    if (good) snprintf(number->text, sizeof number->text, sign ? "(%s)" : "%s", text.data);
    rp_text_free(&text);
    return good || rp_read_no_memory(r);
}

/* A name of the formula that `bind` does not have: a buffer, or else a parameter. `name` is a copy
 * of a node, with the name for its text and its place. */
static bool read_free_name(rp_reader *r, const rp_yaml_node *name, gathered *g) {
    const rp_name *buffer = rp_names_find(&r->buffer_names, name->text, name->length);
    const rp_name *param = rp_names_find(&r->param_names, name->text, name->length);
    if (!buffer && !param && rp_formula_is_constant(name->text, name->length)) return true;
    if (!buffer && param) {
        const rp_pipeline_param *p = &r->params[param->value];
        if (p->state != RP_PARAM_DONE) return false;
        if (g->number_count == RP_APPLY_MAX_OPERANDS)
            return rp_read_error(r, name, "too many parameters in a formula");
        return give_number(r, g, param->text, &p->result);
    }
    if (g->operand_count + 1 == RP_APPLY_MAX_OPERANDS)
        return rp_read_error(r, name, "a map has at most 26 inputs");
    if (buffer) return read_op_operand(r, name, buffer->text, RP_READ, g);
    return rp_read_find(r, &r->buffer_names, name, "buffer") != NULL;
}

/* Places of names are nodes of their own: `nodes` has room for as many as there can be, and `texts`
 * for their texts, which stay as long as the reader: it may enter them. */
static bool read_names(rp_reader *r, const rp_yaml_node *formula, const rp_yaml_node *bind,
                       rp_yaml_node *nodes, char *texts, gathered *g) {
    size_t at = 0, begin, length, used = 0;
    uint32_t count = 0;
    bool good = true;
    while (rp_formula_next_name(formula->text, &at, &begin, &length) &&
           count < 2 * RP_APPLY_MAX_OPERANDS) {
        rp_yaml_node *name = &nodes[count];
        *name = *formula;
        name->kind = RP_YAML_SCALAR;
        if (formula->exact) name->column = formula->text_column + (uint32_t)begin;
        memcpy(texts + used, formula->text + begin, length);
        texts[used + length] = '\0';
        name->text = texts + used;
        name->length = (uint32_t)length;
        if (is_known(bind, nodes, count, name->text)) continue;
        good &= read_free_name(r, name, g);
        used += length + 1;
        count++;
    }
    return good;
}

/* The formula with the parameters' values in it. */
static bool note_formula(rp_reader *r, const rp_yaml_node *formula, const gathered *g) {
    if (!r->source->keep_flat || !g->number_count) return true;
    const char *text = formula->text;
    size_t at = 0, begin, length, done = 0;
    rp_text out;
    rp_text_init(&out, &r->a);
    while (rp_formula_next_name(text, &at, &begin, &length))
        for (uint32_t i = 0; i < g->number_count; i++) {
            const rp_given_number *number = &g->numbers[i];
            if (strncmp(number->name, text + begin, length) != 0 || number->name[length]) continue;
            rp_text_append(&out, text + done, begin - done);
            rp_text_string(&out, number->text);
            done = at;
        }
    rp_text_string(&out, text + done);
    bool good = !out.failed;
    if (good) rp_flat_text(r, formula, out.data);
    rp_text_free(&out);
    return good || rp_read_no_memory(r);
}

static bool read_map_parts(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *formula,
                           rp_yaml_node *nodes, char *texts, gathered *g) {
    const rp_yaml_node *bind = rp_yaml_find(node, "bind");
    bool good = read_bind(r, bind, g);
    good &= read_names(r, formula, bind, nodes, texts, g);
    const rp_yaml_node *out = rp_yaml_find(node, "out");
    if (!out) return rp_read_error(r, formula, "'out' of this map is missing");
    good &= read_op_operand(r, out, "out", RP_WRITE, g);
    g->attrs[0] = (rp_attribute){.name = "expr", .text = formula->text};
    g->attr_nodes[0] = formula;
    g->attr_count = 1;
    return good;
}

bool rp_read_map_node(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node *formula,
                      const rp_graph_node *base) {
    static const char *const keys[] = {"map",   "bind", "out",      "dtype",
                                       "label", "tag",  "optional", NULL};
    bool good = rp_read_map(r, node, "a map", keys);
    if (!rp_read_text(r, formula, "a formula") || rp_read_names_odd(r, formula->text))
        return rp_read_wrong_node(r, node);
    if (formula->length >= RP_APPLY_MAX_FORMULA) {
        rp_read_error(r, formula, "the formula is longer than %d bytes", RP_APPLY_MAX_FORMULA - 1);
        return rp_read_wrong_node(r, node);
    }
    gathered g = {0};
    rp_yaml_node *nodes = rp_alloc(&r->a, 2 * RP_APPLY_MAX_OPERANDS, sizeof *nodes);
    char *texts = rp_read_kept(r, 2 * (size_t)formula->length + 2);
    if (!nodes || !texts) {
        good = rp_read_no_memory(r);
    } else {
        good &= read_map_parts(r, node, formula, nodes, texts, &g);
        good = good && read_node_dtype(r, node, &g);
        good = good && apply(r, "map", formula, base, &g) && note_formula(r, formula, &g);
    }
    rp_release(&r->a, nodes);
    return good || rp_read_wrong_node(r, node);
}
