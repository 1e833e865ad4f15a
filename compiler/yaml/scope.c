/* What repetitions and uses of blocks make anew: copies of nodes that know their scope, with the
 * values of its names in their texts.
 *
 * "{i + 1}" in a text is the value of the expression; a text that is nothing but the name of a
 * block's parameter is what was given, be it a map. Numbers in expressions are not put in: they are
 * found when the expression is read, so that a message still points into the text as it was
 * written. */
#include "yaml/expand.h"

#include <stdio.h>

#include "composite/formula.h"

/* ---- Memory ---------------------------------------------------------------------------------- */

void *rp_make(rp_reader *r, size_t size) {
    enum { CHUNK = 1 << 16, ALIGNMENT = 16 };
    struct rp_expansion *x = &r->expansion;
    size = (size / ALIGNMENT + 1) * ALIGNMENT;
    if (size > CHUNK / 4) {
        char *own = rp_read_kept(r, size);
        if (!own) rp_read_no_memory(r);
        return own;
    }
    if (size > x->chunk_left) {
        x->chunk = rp_read_kept(r, CHUNK);
        x->chunk_left = x->chunk ? CHUNK : 0;
        if (!x->chunk) {
            rp_read_no_memory(r);
            return NULL;
        }
    }
    void *made = x->chunk;
    x->chunk += size;
    x->chunk_left -= size;
    return made;
}

static bool too_much(rp_reader *r, const rp_yaml_node *at, const char *what, unsigned limit) {
    if (!r->expansion.full)
        rp_read_error(r, at, "repetitions and blocks make more than %u %s", limit, what);
    r->expansion.full = true;
    return false;
}

rp_yaml_node *rp_make_node(rp_reader *r, const rp_yaml_node *from, const rp_yaml_origin *origin) {
    if (r->expansion.made++ >= RP_EXPAND_MAX_MADE) {
        too_much(r, from, "values", RP_EXPAND_MAX_MADE);
        return NULL;
    }
    rp_yaml_node *node = rp_make(r, sizeof *node);
    if (!node) return NULL;
    *node = *from;
    node->origin = origin;
    return node;
}

const rp_yaml_node *rp_make_list(rp_reader *r, const rp_yaml_node *from, rp_yaml_kind kind,
                                 const rp_yaml_node *const *items, uint32_t count,
                                 const rp_yaml_origin *origin) {
    rp_yaml_node *node = rp_make_node(r, from, origin);
    size_t size = (kind == RP_YAML_MAP ? 2 : 1) * (size_t)count * sizeof *items;
    void *copy = node ? rp_make(r, size) : NULL;
    if (!copy) return NULL;
    if (size) memcpy(copy, items, size);
    node->kind = kind;
    node->items = copy;
    node->count = count;
    return node;
}

const rp_yaml_node *rp_make_text(rp_reader *r, const rp_yaml_node *from, const char *text,
                                 size_t length, const rp_yaml_origin *origin) {
    if (length > RP_EXPAND_MAX_LENGTH)
        rp_read_error(r, from, "the text becomes longer than %d bytes", RP_EXPAND_MAX_LENGTH);
    if (length > RP_EXPAND_MAX_LENGTH) return NULL;
    r->expansion.text_bytes += length + 1;
    if (r->expansion.text_bytes > RP_EXPAND_MAX_TEXT) {
        too_much(r, from, "bytes of text", RP_EXPAND_MAX_TEXT);
        return NULL;
    }
    rp_yaml_node *node = rp_make_node(r, from, origin);
    char *copy = node ? rp_make(r, length + 1) : NULL;
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    node->kind = RP_YAML_SCALAR;
    node->text = copy;
    node->length = (uint32_t)length;
    node->exact = false;
    node->quoted = true;
    return node;
}

/* ---- Names ----------------------------------------------------------------------------------- */

const rp_yaml_binding *rp_scope_find(const rp_yaml_node *node, const char *name, size_t length) {
    const rp_yaml_scope *scope = node->origin ? node->origin->scope : NULL;
    for (; scope; scope = scope->outer)
        for (uint32_t i = 0; i < scope->count; i++)
            if (strncmp(scope->items[i].name, name, length) == 0 && !scope->items[i].name[length])
                return &scope->items[i];
    return NULL;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Appends the value of the expression text[begin .. end), or the text of a parameter. */
static bool append_value(rp_reader *r, const rp_yaml_node *node, size_t begin, size_t end,
                         rp_text *out) {
    while (begin < end && strchr(" \t", node->text[begin])) begin++;
    while (end > begin && strchr(" \t", node->text[end - 1])) end--;
    const rp_yaml_binding *b = rp_scope_find(node, node->text + begin, end - begin);
    if (b && !b->is_number && b->given->kind != RP_YAML_SCALAR)
        return rp_read_error(r, node, "'{%s}' is %s here, not a text", b->name,
                             rp_yaml_kind_name(b->given));
    if (b && !b->is_number && !r->expansion.any_text && rp_read_is_computed(r, b->given))
        return rp_read_given_wrong(r, node, b);
    if (b && !b->is_number) {
        rp_text_append(out, b->given->text, b->given->length);
        return true;
    }
    char *copy = rp_make(r, end - begin + 1);
    if (!copy) return false;
    memcpy(copy, node->text + begin, end - begin);
    copy[end - begin] = '\0';
    rp_yaml_node inner = *node;
    inner.text = copy;
    inner.length = (uint32_t)(end - begin);
    inner.text_column += (uint32_t)begin;
    inner.quoted = true; /* "{}" is no null, and "{true}" no truth */
    rp_value value;
    if (!rp_read_expr(r, &inner, "{}", RP_PARAMS_ONLY, &value, NULL)) return false;
    rp_value_print(out, &value);
    return true;
}

static bool interpolate(rp_reader *r, const rp_yaml_node *node, rp_text *out) {
    const char *text = node->text;
    for (size_t i = 0; i < node->length;) {
        size_t plain = strcspn(text + i, "{}");
        rp_text_append(out, text + i, plain);
        i += plain;
        if (i == node->length) break;
        if (text[i + 1] == text[i]) {
            rp_text_char(out, text[i]);
            i += 2;
            continue;
        }
        size_t end = i + strcspn(text + i, "}");
        if (text[i] == '}')
            return rp_read_error(r, node, "a '}' without a '{' in '%.*s': the sign itself is '}}'",
                                 RP_CLIP(node));
        if (end == node->length)
            return rp_read_error(r, node, "a '{' without a '}' in '%.*s': the sign itself is '{{'",
                                 RP_CLIP(node));
        if (!append_value(r, node, i + 1, end, out)) return false;
        i = end + 1;
    }
    return true;
}

/* A text of its own is a copy of the node, too: names in it are looked up in the scope. */
static const rp_yaml_node *make_text(rp_reader *r, const rp_yaml_node *from,
                                     const rp_yaml_origin *origin) {
    rp_yaml_node *node = rp_make_node(r, from, origin);
    if (!node || !strpbrk(node->text, "{}")) return node;
    rp_text text;
    rp_text_init(&text, &r->a);
    const rp_yaml_node *made = NULL;
    if (interpolate(r, node, &text))
        made = text.failed ? (rp_read_no_memory(r), NULL)
                           : rp_make_text(r, node, text.data ? text.data : "", text.size, origin);
    rp_text_free(&text);
    return made;
}

/* ---- Copies ---------------------------------------------------------------------------------- */

/* A long list of numbers is the same everywhere. */
static bool is_plain_data(const rp_yaml_node *node) {
    enum { SHORT = 16 };
    if (node->kind != RP_YAML_LIST || node->count <= SHORT) return false;
    for (uint32_t i = 0; i < node->count; i++) {
        const rp_yaml_node *item = node->items[i];
        if (item->kind != RP_YAML_SCALAR || item->text[strspn(item->text, "0123456789.eE+-")])
            return false;
    }
    return true;
}

/* What stands in one origin becomes the same in another; what was substituted into it stays. */
static const rp_yaml_node *move(rp_reader *r, const rp_yaml_node *node, const rp_yaml_origin *from,
                                const rp_yaml_origin *origin) {
    if (node->origin != from) return node;
    rp_yaml_node *made = rp_make_node(r, node, origin);
    uint32_t count = node->kind == RP_YAML_MAP    ? 2 * node->count
                     : node->kind == RP_YAML_LIST ? node->count
                                                  : 0;
    if (!made || !count || is_plain_data(node)) return made;
    const rp_yaml_node **items = rp_make(r, count * sizeof *items);
    if (!items) return NULL;
    made->items = items;
    for (uint32_t i = 0; i < count; i++)
        if (!(items[i] = move(r, node->items[i], from, origin))) return NULL;
    return made;
}

const rp_yaml_node *rp_substitute(rp_reader *r, const rp_yaml_node *name,
                                  const rp_yaml_node *given) {
    rp_yaml_origin *origin = rp_make(r, sizeof *origin);
    if (!origin) return NULL;
    *origin = (rp_yaml_origin){.kind = RP_ORIGIN_GIVEN,
                               .outer = name->origin,
                               .at = name,
                               .file = given->origin ? given->origin->file : NULL,
                               .scope = given->origin ? given->origin->scope : NULL};
    return move(r, given, given->origin, origin);
}

const rp_yaml_node *rp_instance_key(rp_reader *r, const rp_yaml_node *node,
                                    const rp_yaml_origin *origin) {
    return make_text(r, node, origin);
}

const rp_yaml_node *rp_instance_value(rp_reader *r, const rp_yaml_node *key,
                                      const rp_yaml_node *node, const rp_yaml_origin *origin) {
    bool outer = r->expansion.any_text;
    r->expansion.any_text |=
        !key || rp_yaml_is(key, "map") || rp_yaml_is(key, "label") || rp_yaml_is(key, "tag");
    const rp_yaml_node *made = rp_instance(r, node, origin);
    r->expansion.any_text = outer;
    return made;
}

const rp_yaml_node *rp_instance(rp_reader *r, const rp_yaml_node *node,
                                const rp_yaml_origin *origin) {
    if (node->kind == RP_YAML_SCALAR) {
        const rp_yaml_node *made = make_text(r, node, origin);
        const rp_yaml_binding *b = made ? rp_scope_find(made, node->text, node->length) : NULL;
        return b && b->given ? rp_substitute(r, made, b->given) : made;
    }
    if (is_plain_data(node)) return node;
    uint32_t count = node->kind == RP_YAML_MAP ? 2 * node->count : node->count;
    rp_yaml_node *made = rp_make_node(r, node, origin);
    const rp_yaml_node **items = made ? rp_make(r, count * sizeof *items) : NULL;
    if (!items) return NULL;
    made->items = items;
    bool good = true;
    for (uint32_t i = 0; i < count && !r->expansion.full && !r->no_memory; i++) {
        bool key = node->kind == RP_YAML_MAP && i % 2 == 0;
        items[i] = key ? rp_instance_key(r, node->items[i], origin)
                   : node->kind == RP_YAML_MAP
                       ? rp_instance_value(r, node->items[i - 1], node->items[i], origin)
                       : rp_instance(r, node->items[i], origin);
        good &= items[i] != NULL;
    }
    return good && !r->expansion.full && !r->no_memory ? made : NULL;
}

/* ---- Formulas -------------------------------------------------------------------------------- */

/* The formula with the numbers of its scope in it; operands that it names are collected. */
static bool rewrite(rp_reader *r, const rp_yaml_node *formula, const rp_yaml_node *bind,
                    rp_text *out, const rp_yaml_binding **operands, uint32_t *count) {
    const char *text = formula->text;
    size_t at = 0, begin, length, done = 0;
    while (rp_formula_next_name(text, &at, &begin, &length)) {
        const rp_yaml_binding *b = rp_scope_find(formula, text + begin, length);
        if (!b || (bind && rp_yaml_find(bind, b->name))) continue;
        if (b->is_number) {
            bool sign = rp_value_number(&b->value) < 0;
            rp_text_append(out, text + done, begin - done);
            rp_text_string(out, sign ? "(" : "");
            rp_value_print(out, &b->value);
            rp_text_string(out, sign ? ")" : "");
            done = at;
            continue;
        }
        if (rp_read_is_computed(r, b->given)) return rp_read_given_wrong(r, formula, b);
        bool known = false;
        for (uint32_t i = 0; i < *count; i++) known |= operands[i] == b;
        if (known) continue;
        if (*count == RP_APPLY_MAX_OPERANDS)
            return rp_read_error(r, formula, "a map has at most 26 inputs");
        operands[(*count)++] = b;
    }
    rp_text_string(out, text + done);
    return !out->failed || rp_read_no_memory(r);
}

/* A name that means an operand and an index would mean only one of them. */
static bool check_bind(rp_reader *r, const rp_yaml_node *bind) {
    bool good = true;
    for (uint32_t i = 0; bind && i < bind->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(bind, i);
        const rp_yaml_binding *b = rp_scope_find(key, key->text, key->length);
        if (b && !b->given)
            good = rp_read_error(r, key, "'%s' is an index here: give the operand another name",
                                 b->name);
    }
    return good;
}

/* `bind` with the operands that the formula names by parameters. */
static const rp_yaml_node *extend_bind(rp_reader *r, const rp_yaml_node *formula,
                                       const rp_yaml_node *bind,
                                       const rp_yaml_binding *const *operands, uint32_t count) {
    uint32_t own = bind ? bind->count : 0, filled = 2 * own;
    const rp_yaml_node **items = rp_make(r, 2 * (own + (size_t)count) * sizeof *items);
    if (!items) return NULL;
    if (own) memcpy(items, bind->items, filled * sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = operands[i]->name;
        const rp_yaml_node *key = rp_make_text(r, formula, name, strlen(name), formula->origin);
        const rp_yaml_node *value = key ? rp_substitute(r, key, operands[i]->given) : NULL;
        if (!value) return NULL;
        items[filled++] = key;
        items[filled++] = value;
    }
    return rp_make_list(r, bind ? bind : formula, RP_YAML_MAP, items, own + count, formula->origin);
}

static const rp_yaml_node **find_pair(const rp_yaml_node **items, uint32_t count, const char *key) {
    for (uint32_t i = 0; i < count; i++)
        if (rp_yaml_is(items[2 * i], key)) return &items[2 * i + 1];
    return NULL;
}

bool rp_instance_formula(rp_reader *r, const rp_yaml_node *node, const rp_yaml_node **items,
                         uint32_t *count) {
    const rp_yaml_node **map = find_pair(items, *count, "map"),
                       **pair = find_pair(items, *count, "bind");
    const rp_yaml_node *bind = pair ? *pair : NULL;
    if (!map || (*map)->kind != RP_YAML_SCALAR || (bind && bind->kind != RP_YAML_MAP)) return true;
    const rp_yaml_binding *operands[RP_APPLY_MAX_OPERANDS];
    uint32_t operand_count = 0;
    rp_text text;
    rp_text_init(&text, &r->a);
    const rp_yaml_node *formula = *map, *made = formula;
    bool good = check_bind(r, bind) && rewrite(r, formula, bind, &text, operands, &operand_count);
    if (good && strcmp(text.data ? text.data : "", formula->text) != 0)
        made = rp_make_text(r, formula, text.data, text.size, formula->origin);
    rp_text_free(&text);
    if (!good || !made) return false;
    *map = made;
    if (!operand_count) return true;
    const rp_yaml_node *extended = extend_bind(r, made, bind, operands, operand_count);
    if (!extended) return false;
    if (pair) {
        *pair = extended;
        return true;
    }
    items[2 * *count] = rp_make_text(r, node, "bind", 4, node->origin);
    items[2 * *count + 1] = extended;
    return items[2 * (*count)++] != NULL;
}
