/* Repetitions, conditions and uses of blocks; see expand.h.
 *
 * An item is an entry of a section that is a map, or of the list of nodes. What it holds is read in
 * the order `repeat`, `if`, and then what it is; each step hands on the origin of what is made, and
 * the label that is put in front. Items of the pipeline itself that are neither repeated nor
 * conditional are taken as they are. */
#include "yaml/expand.h"

#include <stdio.h>

#include "composite/formula.h"

typedef struct item {
    const rp_yaml_node *key, *value; /* key: of a map; NULL in a list */
    const rp_yaml_origin *origin;    /* of what is made of it */
    const rp_yaml_node *label;       /* to stand in front; NULL: none */
} item;

typedef struct expansion {
    rp_reader *r;
    bool is_list; /* of nodes */
    bool wrong;   /* some of what would be made is not known */
    RP_ARRAY(const rp_yaml_node *, flat);
} expansion;

static bool expand_item(expansion *x, const item *it);

static bool stopped(const rp_reader *r) {
    return r->no_memory || r->expansion.full;
}

/* Below a repetition or a block: what stands there is made anew. */
static bool is_inside(const item *it) {
    return it->origin && it->origin->scope;
}

static const rp_yaml_node *instance(expansion *x, const item *it, const rp_yaml_node *node) {
    return is_inside(it) ? rp_instance(x->r, node, it->origin) : node;
}

/* The node with the item's origin, for messages. */
static const rp_yaml_node *place(expansion *x, const item *it, const rp_yaml_node *node) {
    const rp_yaml_node *made = is_inside(it) ? rp_make_node(x->r, node, it->origin) : node;
    return made ? made : node;
}

/* What would be made is not known: its names stay silent, but not before all else is expanded. */
static bool wrong(expansion *x) {
    x->wrong = true;
    return false;
}

/* ---- What is emitted ------------------------------------------------------------------------- */

static bool push(expansion *x, const rp_yaml_node *node) {
    if (!RP_RESERVE(&x->r->a, x->flat, x->flat_count, x->flat_capacity, 1))
        return rp_read_no_memory(x->r);
    x->flat[x->flat_count++] = node;
    return true;
}

/* "outer/inner"; either may be NULL, and a label that is no text is left for its reader. */
static const rp_yaml_node *join_labels(expansion *x, const rp_yaml_node *outer,
                                       const rp_yaml_node *inner) {
    if (!outer || !inner) return outer ? outer : inner;
    if (inner->kind != RP_YAML_SCALAR || rp_yaml_is_null(inner)) return inner;
    rp_text text;
    rp_text_init(&text, &x->r->a);
    rp_text_append(&text, outer->text, outer->length);
    rp_text_char(&text, '/');
    rp_text_append(&text, inner->text, inner->length);
    const rp_yaml_node *made = text.failed
                                   ? (rp_read_no_memory(x->r), NULL)
                                   : rp_make_text(x->r, inner, text.data, text.size, inner->origin);
    rp_text_free(&text);
    return made;
}

/* The pairs of an item that stay, with its label, and room for one more. */
static const rp_yaml_node **keep_pairs(expansion *x, const item *it, uint32_t *count) {
    const rp_yaml_node *from = it->value;
    const rp_yaml_node **items = rp_make(x->r, 2 * (from->count + (size_t)2) * sizeof *items);
    bool labelled = !it->label;
    *count = 0;
    for (uint32_t i = 0; items && i < from->count && !stopped(x->r); i++) {
        const rp_yaml_node *key = rp_yaml_key(from, i), *value = rp_yaml_value(from, i);
        if (rp_yaml_is(key, "repeat") || rp_yaml_is(key, "if") || rp_yaml_is(key, "else")) continue;
        key = is_inside(it) ? rp_instance_key(x->r, key, it->origin) : key;
        value = is_inside(it) ? rp_instance_value(x->r, key, value, it->origin) : value;
        if (!key || !value) return NULL;
        if (it->label && rp_yaml_is(key, "label")) {
            value = join_labels(x, it->label, value);
            labelled = true;
        }
        items[2 * *count] = key;
        items[2 * (*count)++ + 1] = value;
        if (!value) return NULL;
    }
    if (!items || labelled) return items;
    items[2 * *count] = rp_make_text(x->r, from, "label", 5, it->origin);
    items[2 * (*count)++ + 1] = it->label;
    return items[2 * *count - 2] ? items : NULL;
}

/* What stands for the item in the flat section; NULL after a report. */
static const rp_yaml_node *make_value(expansion *x, const item *it) {
    const rp_yaml_node *value = it->value;
    bool is_map = value->kind == RP_YAML_MAP, inside = is_inside(it);
    if (!is_map) return instance(x, it, value);
    if (!inside && !it->label && !rp_yaml_find(value, "if")) return value;
    uint32_t count = 0;
    const rp_yaml_node **items = keep_pairs(x, it, &count);
    if (!items || stopped(x->r)) return NULL;
    if (x->is_list && inside && !rp_instance_formula(x->r, value, items, &count)) return NULL;
    return rp_make_list(x->r, value, RP_YAML_MAP, items, count, it->origin);
}

static bool emit(expansion *x, const item *it) {
    const rp_yaml_node *key = it->key, *value = make_value(x, it);
    if (key && is_inside(it)) key = rp_instance_key(x->r, key, it->origin);
    if (!value || (it->key && !key)) return wrong(x);
    return (!key || push(x, key)) && push(x, value);
}

static bool expand_list(expansion *x, const rp_yaml_node *list, const item *around,
                        const char *what) {
    if (!rp_read_list(x->r, place(x, around, list), what)) return wrong(x);
    bool good = true;
    for (uint32_t i = 0; i < list->count && !stopped(x->r); i++)
        good &= expand_item(
            x, &(item){.value = list->items[i],
                       .origin = is_inside(around) ? around->origin : list->items[i]->origin,
                       .label = around->label});
    return good;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static const char *const use_keys[] = {"use", "label", "if", "else", "repeat"};

static bool is_use_key(const rp_yaml_node *key) {
    for (uint32_t i = 0; i < sizeof use_keys / sizeof *use_keys; i++)
        if (rp_yaml_is(key, use_keys[i])) return true;
    return false;
}

/* The index of the first parameter from `least` on that a text names, where it is an expression or
 * between its braces; RP_NONE: none. */
static uint32_t find_named(rp_reader *r, const rp_yaml_node *node, const rp_names *names,
                           uint32_t least) {
    const char *text = node->text;
    size_t at = 0, begin, length, seen = 0;
    bool braces = strpbrk(text, "{}"), inside = !braces;
    if (inside && !rp_read_is_name(text) && !rp_read_is_computed(r, node)) return RP_NONE;
    while (rp_formula_next_name(text, &at, &begin, &length)) {
        for (; braces && seen < begin; seen++) {
            if (text[seen] != '{' && text[seen] != '}') continue;
            if (text[seen + 1] == text[seen])
                seen++;
            else
                inside = text[seen] == '{';
        }
        const rp_name *name = inside ? rp_names_find(names, text + begin, length) : NULL;
        if (name && name->value >= least) return name->value;
    }
    return RP_NONE;
}

/* A default may use the parameters before its own, params[index]. Its own name is the pipeline's. */
static bool check_default(rp_reader *r, const rp_yaml_node *params, const rp_names *names,
                          uint32_t index, const rp_yaml_node *node) {
    bool good = true, is_map = node->kind == RP_YAML_MAP;
    const char *own = rp_yaml_key(params, index)->text;
    if (node->kind == RP_YAML_SCALAR) {
        uint32_t used = find_named(r, node, names, index + 1);
        if (used == RP_NONE) return true;
        return rp_read_error(r, node, "the default of '%s' uses '%s', which comes after it", own,
                             rp_yaml_key(params, used)->text);
    }
    for (uint32_t i = 0; i < node->count; i++)
        good &= check_default(r, params, names, index,
                              is_map ? rp_yaml_value(node, i) : node->items[i]);
    return good;
}

static bool check_defaults(rp_reader *r, const rp_yaml_node *params) {
    rp_names names = {0};
    bool good = true;
    for (uint32_t i = 0; good && i < params->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(params, i);
        good = rp_names_add(&r->a, &names, &(rp_name){key->text, key, i}) || rp_read_no_memory(r);
    }
    for (uint32_t i = 0; i < params->count && !r->no_memory; i++)
        good &= check_default(r, params, &names, i, rp_yaml_value(params, i));
    rp_names_free(&r->a, &names);
    return good;
}

static bool read_block(rp_reader *r, const rp_yaml_node *key, const rp_yaml_node *node,
                       rp_block *out) {
    static const char *const keys[] = {"params", "nodes", NULL};
    *out = (rp_block){.key = key};
    if (!rp_read_name(r, key, "block") || !rp_read_map(r, node, "a block", keys)) return false;
    const rp_yaml_node *params = rp_yaml_find(node, "params");
    out->nodes = rp_yaml_find(node, "nodes");
    if (!out->nodes) return rp_read_error(r, key, "'nodes' of block '%s' is missing", key->text);
    if (!rp_read_list(r, out->nodes, "'nodes'")) return false;
    if (!params || rp_yaml_is_null(params)) return true;
    if (!rp_read_map(r, params, "'params'", NULL)) return false;
    out->params = params;
    bool good = true;
    for (uint32_t i = 0; i < params->count; i++) {
        const rp_yaml_node *name = rp_yaml_key(params, i);
        good &= rp_read_name(r, name, "parameter");
        if (is_use_key(name))
            good = rp_read_error(r, name,
                                 "a parameter cannot be called '%s': it is a key of every "
                                 "use",
                                 name->text);
    }
    return good && check_defaults(r, params);
}

bool rp_read_blocks(rp_reader *r, const rp_yaml_node *node) {
    if (!rp_read_map(r, node, "'blocks'", NULL)) {
        r->block_names.broken = true;
        return false;
    }
    for (uint32_t i = 0; i < node->count && !r->no_memory; i++) {
        rp_block block;
        const rp_yaml_node *key = rp_yaml_key(node, i);
        bool good = read_block(r, key, rp_yaml_value(node, i), &block);
        if (!RP_RESERVE(&r->a, r->blocks, r->blocks_count, r->blocks_capacity, 1))
            return rp_read_no_memory(r);
        rp_name name = {key->text, key, good ? r->blocks_count : RP_NONE};
        r->blocks[r->blocks_count++] = block;
        if (!rp_names_add(&r->a, &r->block_names, &name)) return rp_read_no_memory(r);
    }
    return !r->failed;
}

/* A block's origin with the parameters that stand before one alone. */
static const rp_yaml_origin *enter_default(rp_reader *r, const rp_yaml_origin *block,
                                           uint32_t index) {
    rp_yaml_origin *origin = rp_make(r, sizeof *origin);
    rp_yaml_scope *scope = rp_make(r, sizeof *scope);
    if (!origin || !scope) return NULL;
    *scope = (rp_yaml_scope){.items = block->scope->items, .count = index};
    *origin = *block;
    origin->scope = scope;
    return origin;
}

/* A parameter that the use gives, or else its default, which may name the parameters before. */
static bool bind_param(expansion *x, const item *use, const rp_block *block, uint32_t index,
                       rp_yaml_origin *origin, rp_yaml_binding *out) {
    const rp_yaml_node *name = rp_yaml_key(block->params, index);
    const rp_yaml_node *given = rp_yaml_find(use->value, name->text);
    if (given && rp_yaml_is_null(given))
        return rp_read_error(x->r, place(x, use, given), "nothing is given for '%s' of block '%s'",
                             name->text, block->key->text);
    if (given) {
        given = is_inside(use) ? rp_instance_value(x->r, NULL, given, use->origin) : given;
    } else {
        given = rp_yaml_value(block->params, index);
        if (rp_yaml_is_null(given))
            return rp_read_error(x->r, origin->at, "'%s' of block '%s' is not given", name->text,
                                 block->key->text);
        const rp_yaml_origin *before = enter_default(x->r, origin, index);
        given = before ? rp_instance(x->r, given, before) : NULL;
    }
    if (!given) return false;
    *out = (rp_yaml_binding){.name = name->text, .given = given};
    out->is_number = rp_read_is_number(x->r, given, &out->value);
    return !x->r->no_memory;
}

/* The origin of a block's nodes, with its parameters. */
static const rp_yaml_origin *enter_block(expansion *x, const item *use, const rp_block *block) {
    uint32_t count = block->params ? block->params->count : 0;
    rp_yaml_origin *origin = rp_make(x->r, sizeof *origin);
    rp_yaml_scope *scope = rp_make(x->r, sizeof *scope);
    rp_yaml_binding *items = rp_make(x->r, count * sizeof *items);
    if (!origin || !scope || !items) return NULL;
    rp_yaml_node *at = rp_make_node(x->r, use->value, use->origin);
    if (!at) return NULL;
    *scope = (rp_yaml_scope){.items = items};
    *origin = (rp_yaml_origin){.kind = RP_ORIGIN_USE,
                               .outer = use->origin,
                               .at = at,
                               .file = block->key->origin ? block->key->origin->file : NULL,
                               .scope = scope,
                               .block = block};
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        good &= bind_param(x, use, block, i, origin, &items[scope->count]);
        if (!good) return NULL;
        scope->count++;
    }
    return origin;
}

static bool check_given(expansion *x, const item *it, const rp_block *block) {
    const rp_yaml_node *use = it->value;
    rp_name_list list = {0};
    for (uint32_t i = 0; block->params && i < block->params->count; i++)
        rp_list_add(&list, "%s", rp_yaml_key(block->params, i)->text);
    bool good = true;
    for (uint32_t i = 0; i < use->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(use, i);
        if (is_use_key(key) || (block->params && rp_yaml_find(block->params, key->text))) continue;
        good = rp_read_error(x->r, place(x, it, key), "block '%s' has no parameter '%.*s' (%s%s)",
                             block->key->text, RP_CLIP(key),
                             list.length ? "it has " : "it has none", list.text);
    }
    return good;
}

/* The label of a use or a group goes in front of those inside. */
static bool add_label(expansion *x, const item *it, item *inner) {
    const rp_yaml_node *label = rp_yaml_find(it->value, "label");
    inner->label = it->label;
    if (!label) return true;
    if (is_inside(it)) label = rp_instance_value(x->r, NULL, label, it->origin);
    if (!label || !rp_read_text(x->r, label, "label")) return false;
    inner->label = join_labels(x, it->label, label);
    return inner->label != NULL;
}

static bool expand_use(expansion *x, const item *it) {
    rp_reader *r = x->r;
    const rp_yaml_node *name_node = instance(x, it, rp_yaml_find(it->value, "use"));
    const rp_name *name = name_node ? rp_read_find(r, &r->block_names, name_node, "block") : NULL;
    if (!name || name->value == RP_NONE) return wrong(x);
    const rp_block *block = &r->blocks[name->value];
    for (const rp_yaml_origin *o = it->origin; o; o = o->outer)
        if (o->kind == RP_ORIGIN_USE && o->block == block) {
            rp_read_error(r, name_node, "block '%s' uses itself", block->key->text);
            return wrong(x);
        }
    if (r->expansion.uses == RP_EXPAND_MAX_USES) {
        rp_read_error(r, name_node, "blocks use blocks more than %d deep", RP_EXPAND_MAX_USES);
        return wrong(x);
    }
    if (!check_given(x, it, block)) return wrong(x);
    item inner = {.origin = enter_block(x, it, block)};
    if (!inner.origin || !add_label(x, it, &inner)) return wrong(x);
    r->expansion.uses++;
    bool good = expand_list(x, block->nodes, &inner, "'nodes'");
    r->expansion.uses--;
    return good;
}

/* ---- Groups and conditions ------------------------------------------------------------------- */

/* `nodes` is what was chosen of `nodes` and `else`. */
static bool expand_group(expansion *x, const item *it, const rp_yaml_node *nodes,
                         const char *what) {
    static const char *const keys[] = {"repeat", "if", "else", "nodes", "label", NULL};
    item inner = *it;
    if (!rp_read_map(x->r, place(x, it, it->value), "a group of nodes", keys) ||
        !add_label(x, it, &inner))
        return wrong(x);
    return expand_list(x, nodes, &inner, what);
}

/* 1, 0, or -1 after a report. */
static int read_condition(expansion *x, const item *it, const rp_yaml_node *node) {
    node = instance(x, it, node);
    if (!node) return -1;
    int truth = rp_read_bool(node);
    rp_value value;
    if (truth >= 0) return truth;
    if (!rp_read_expr(x->r, node, "if", RP_PARAMS_ONLY, &value, NULL)) return -1;
    return rp_value_truth(&value);
}

static bool choose_item(expansion *x, const item *it) {
    const rp_yaml_node *condition = rp_yaml_find(it->value, "if"), *nodes = NULL, *other = NULL;
    if (x->is_list) {
        nodes = rp_yaml_find(it->value, "nodes");
        other = rp_yaml_find(it->value, "else");
    }
    if (other && !condition)
        return rp_read_error(x->r, place(x, it, other), "an 'else' without an 'if'") || wrong(x);
    if (condition) {
        int truth = read_condition(x, it, condition);
        if (truth < 0) return wrong(x);
        if (!truth && nodes && other) return expand_group(x, it, other, "'else'");
        if (!truth) return !other || expand_list(x, other, it, "'else'");
    }
    if (nodes) return expand_group(x, it, nodes, "'nodes'");
    return x->is_list && rp_yaml_find(it->value, "use") ? expand_use(x, it) : emit(x, it);
}

/* ---- Repetitions ----------------------------------------------------------------------------- */

typedef struct index_range {
    int64_t begin, end, step;
} index_range;

/* A count, [begin, end] or [begin, end, step]. */
static bool read_index_range(rp_reader *r, const rp_yaml_node *node, index_range *out) {
    *out = (index_range){0, 0, 1};
    if (node->kind != RP_YAML_LIST)
        return rp_read_integer(r, node, "a repetition", 0, INT64_MAX, &out->end);
    if (node->count != 2 && node->count != 3)
        return rp_read_error(r, node,
                             "a repetition is a count, [begin, end] or [begin, end, step]");
    bool good = rp_read_integer(r, node->items[0], "begin", INT64_MIN, INT64_MAX, &out->begin);
    good &= rp_read_integer(r, node->items[1], "end", INT64_MIN, INT64_MAX, &out->end);
    if (node->count == 3)
        good &= rp_read_integer(r, node->items[2], "step", INT64_MIN, INT64_MAX, &out->step);
    return good && (out->step || rp_read_error(r, node->items[2], "a step of 0 never ends"));
}

/* An index has a name of its own. */
static bool check_index(rp_reader *r, const rp_yaml_node *key, const rp_yaml_origin *origin) {
    if (!rp_read_name(r, key, "index")) return false;
    const rp_yaml_node place = {.origin = origin};
    const struct names {
        const rp_names *names;
        const char *what;
    } all[] = {{&r->param_names, "a parameter"},
               {&r->buffer_names, "a buffer or a live value"},
               {&r->kernel_names, "a kernel"}};
    if (rp_scope_find(&place, key->text, key->length))
        return rp_read_error(r, key, "index '%s' hides another index or parameter of that name",
                             key->text);
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++) {
        const rp_name *other = rp_names_find(all[i].names, key->text, key->length);
        if (other && other->node)
            return rp_read_error(r, key, "index '%s' hides %s, from line %u", key->text,
                                 all[i].what, other->node->line);
    }
    return true;
}

static const rp_yaml_origin *enter_repetition(rp_reader *r, const rp_yaml_node *key, int64_t index,
                                              const rp_yaml_origin *outer) {
    rp_yaml_origin *origin = rp_make(r, sizeof *origin);
    rp_yaml_scope *scope = rp_make(r, sizeof *scope);
    rp_yaml_binding *binding = rp_make(r, sizeof *binding);
    if (!origin || !scope || !binding) return NULL;
    *binding =
        (rp_yaml_binding){.name = key->text, .is_number = true, .value = rp_value_integer(index)};
    *scope = (rp_yaml_scope){.outer = outer ? outer->scope : NULL, .items = binding, .count = 1};
    *origin = (rp_yaml_origin){.kind = RP_ORIGIN_REPEAT,
                               .outer = outer,
                               .at = key,
                               .file = outer ? outer->file : NULL,
                               .scope = scope};
    return origin;
}

/* What nodes make is not known yet, so that it has other names is checked where it is made. */
static bool keep_index(expansion *x, const rp_yaml_node *key) {
    rp_names *names = &x->r->index_names;
    if (!x->is_list || rp_names_find(names, key->text, key->length)) return true;
    return rp_names_add(&x->r->a, names, &(rp_name){key->text, key, 0}) || rp_read_no_memory(x->r);
}

/* The indices from `index` on, of which the last is the fastest. */
static bool repeat_item(expansion *x, const item *it, const rp_yaml_node *repeat, uint32_t index) {
    if (index == repeat->count) return choose_item(x, it);
    const rp_yaml_node *key = place(x, it, rp_yaml_key(repeat, index));
    const rp_yaml_node *node = instance(x, it, rp_yaml_value(repeat, index));
    index_range range;
    bool good = node && check_index(x->r, key, it->origin) && keep_index(x, key) &&
                read_index_range(x->r, node, &range);
    if (!good) return wrong(x);
    for (int64_t i = range.begin; (range.step > 0 ? i < range.end : i > range.end);) {
        if (!rp_make_node(x->r, key, it->origin)) return false; /* even what is empty is counted */
        item inner = *it;
        inner.origin = enter_repetition(x->r, key, i, it->origin);
        if (!inner.origin) return false;
        good = repeat_item(x, &inner, repeat, index + 1);
        if (!good || stopped(x->r) || __builtin_add_overflow(i, range.step, &i)) break;
    }
    return good;
}

static bool expand_item(expansion *x, const item *it) {
    if (it->value->kind != RP_YAML_MAP) return emit(x, it);
    const rp_yaml_node *repeat = rp_yaml_find(it->value, "repeat");
    if (!repeat) return choose_item(x, it);
    const rp_yaml_node *at = place(x, it, repeat);
    if (!rp_read_map(x->r, at, "'repeat'", NULL)) return wrong(x);
    if (repeat->count < 1 || repeat->count > RP_EXPAND_MAX_INDICES)
        return rp_read_error(x->r, at, "'repeat' has 1 to %d indices, not %u",
                             RP_EXPAND_MAX_INDICES, repeat->count) ||
               wrong(x);
    return repeat_item(x, it, repeat, 0);
}

/* ---- Sections -------------------------------------------------------------------------------- */

/* Whether any item is more than itself. */
static bool has_work(const rp_yaml_node *section, bool is_list) {
    static const char *const keys[] = {"repeat", "if", "use", "nodes", "else"};
    for (uint32_t i = 0; i < section->count; i++) {
        const rp_yaml_node *value = is_list ? section->items[i] : rp_yaml_value(section, i);
        for (uint32_t k = 0; k < (is_list ? sizeof keys / sizeof *keys : 2); k++)
            if (rp_yaml_find(value, keys[k])) return true;
    }
    return false;
}

const rp_yaml_node *rp_expand(rp_reader *r, const rp_yaml_node *section, const char *what) {
    bool is_list = section->kind == RP_YAML_LIST;
    if (section->kind == RP_YAML_SCALAR || is_list != (strcmp(what, "nodes") == 0) ||
        !has_work(section, is_list))
        return section;
    expansion x = {.r = r, .is_list = is_list};
    for (uint32_t i = 0; i < section->count && !stopped(r); i++) {
        const rp_yaml_node *key = is_list ? NULL : rp_yaml_key(section, i);
        const rp_yaml_node *value = is_list ? section->items[i] : rp_yaml_value(section, i);
        expand_item(&x, &(item){.key = key, .value = value, .origin = value->origin});
    }
    if (x.wrong) r->buffer_names.broken = r->kernel_names.broken = true;
    const rp_yaml_node *made =
        stopped(r) ? NULL
                   : rp_make_list(r, section, section->kind, x.flat,
                                  is_list ? x.flat_count : x.flat_count / 2, section->origin);
    rp_release(&r->a, x.flat);
    return made;
}
