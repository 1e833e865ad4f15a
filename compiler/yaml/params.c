/* Parameters, and what names mean in expressions.
 *
 * A parameter may use others in any order, since a YAML map has none. Each is evaluated once, in
 * source order; a name that is not evaluated yet is evaluated on the spot, and meeting one that is
 * being evaluated is a cycle. Only references forward recurse, and these are limited, so that a
 * long chain in reverse order ends in a message and not on the stack. An override replaces the
 * expression before anything is evaluated: what depends on it follows. */
#include "yaml/expand.h"

#include <math.h>
#include <stdio.h>

enum { MAX_FORWARD = 32 };

typedef struct resolver {
    rp_reader *r;
    const rp_yaml_node *node; /* in whose scope names are looked up */
    rp_expr_scope scope;
    bool quiet;        /* nothing is reported */
    bool reported;     /* the name is known, and what is wrong with it has been said */
    char message[320]; /* else what is wrong with a name, "" for nothing */
} resolver;

static bool evaluate(rp_reader *r, uint32_t index);

static bool resolve_param(resolver *x, const rp_name *param, uint32_t element, rp_value *out) {
    if (element) {
        snprintf(x->message, sizeof x->message, "parameter '%s' has no elements", param->text);
        return false;
    }
    if (!evaluate(x->r, param->value)) {
        x->reported = true;
        return false;
    }
    *out = x->r->params[param->value].result;
    return true;
}

static bool resolve_live(resolver *x, const rp_name *name, uint32_t element, rp_value *out) {
    if (name->value == RP_NONE) {
        x->reported = true;
        return false;
    }
    const rp_graph_buffer *buffer = &x->r->graph->buffers[name->value];
    uint32_t count = (uint32_t)(buffer->size / rp_dtype_size(buffer->dtype));
    if (buffer->kind != RP_LIVE)
        snprintf(x->message, sizeof x->message,
                 "'%s' is a buffer: expressions are over parameters%s", name->text,
                 x->scope == RP_PARAMS_AND_LIVE ? " and live values" : "");
    else if (x->scope == RP_PARAMS_ONLY)
        snprintf(x->message, sizeof x->message,
                 "'%s' is a live value: this is fixed when the pipeline is compiled", name->text);
    else if (buffer->dtype != RP_U32 && buffer->dtype != RP_I32)
        snprintf(x->message, sizeof x->message, "live value '%s' is %s: a grid needs u32 or i32",
                 name->text, rp_dtype_name(buffer->dtype));
    else if (element >= count)
        snprintf(x->message, sizeof x->message, "'%s[%u]' is outside its %u elements", name->text,
                 element, count);
    else {
        *out = (rp_value){.kind = RP_VALUE_LIVE, .element = element, .buffer = name->value};
        return true;
    }
    return false;
}

/* Words that are something else than a name, where nothing of the pipeline has it. */
static bool resolve_word(resolver *x, const char *text, size_t length, rp_value *out) {
    static const struct word {
        const char *text;
        double value;
    } words[] = {{"pi", 3.14159265358979323846}, {"inf", INFINITY}, {"nan", NAN}};
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(words[i].text, text, length) != 0 || words[i].text[length]) continue;
        *out = rp_value_real(words[i].value);
        return true;
    }
    bool truth = (length == 4 && memcmp(text, "true", 4) == 0) ||
                 (length == 5 && memcmp(text, "false", 5) == 0);
    if (truth) snprintf(x->message, sizeof x->message, "'%.*s' is no number", (int)length, text);
    return false;
}

static bool resolve(void *context, const char *text, size_t length, uint32_t element,
                    rp_value *out);

/* A parameter of a block may stand for a name of where the block is used. */
static bool resolve_binding(resolver *x, const rp_yaml_binding *b, uint32_t element,
                            rp_value *out) {
    if (b->is_number && !element) {
        *out = b->value;
        return true;
    }
    const rp_yaml_node *given = b->given;
    if (!b->is_number && given->kind == RP_YAML_SCALAR && rp_read_is_name(given->text)) {
        x->node = given;
        return resolve(x, given->text, given->length, element, out);
    }
    if (!element && !x->quiet && rp_read_is_computed(x->r, given)) {
        x->reported = true;
        return rp_read_given_wrong(x->r, x->node, b);
    }
    if (element)
        snprintf(x->message, sizeof x->message, "'%s' has no elements", b->name);
    else if (given->kind == RP_YAML_SCALAR)
        snprintf(x->message, sizeof x->message, "'%s' is '%.*s' here, which is no number", b->name,
                 RP_CLIP(given));
    else
        snprintf(x->message, sizeof x->message, "'%s' is %s here, not a number", b->name,
                 rp_yaml_kind_name(given));
    return false;
}

static bool resolve(void *context, const char *text, size_t length, uint32_t element,
                    rp_value *out) {
    resolver *x = context;
    const rp_yaml_binding *binding = rp_scope_find(x->node, text, length);
    if (binding) {
        const rp_yaml_node *node = x->node;
        bool good = resolve_binding(x, binding, element, out);
        x->node = node;
        return good;
    }
    const rp_name *name = rp_names_find(&x->r->param_names, text, length);
    if (name) return resolve_param(x, name, element, out);
    name = rp_names_find(&x->r->buffer_names, text, length);
    if (name) return resolve_live(x, name, element, out);
    if (resolve_word(x, text, length, out)) return true;
    x->reported = x->r->param_names.broken || x->r->buffer_names.broken;
    if (x->message[0] || x->reported) return false;
    char copy[64], suggestion[192];
    snprintf(copy, sizeof copy, "%.*s", (int)(length < 60 ? length : 60), text);
    rp_read_suggest(x->r, suggestion, sizeof suggestion, &x->r->param_names, copy);
    snprintf(x->message, sizeof x->message, "unknown parameter '%s'%s", copy, suggestion);
    return false;
}

static bool report(rp_reader *r, const rp_yaml_node *node, const char *what, const resolver *x,
                   const rp_expression_error *error) {
    if (x->reported || rp_read_names_odd(r, node->text)) {
        r->failed = true;
        return false;
    }
    if (error->of_value)
        return rp_read_error(r, node, "%s: %s in '%.*s'", what, error->text, RP_CLIP(node));
    rp_yaml_node place = *node;
    if (node->exact) place.column = node->text_column + (uint32_t)error->at;
    return rp_read_error(r, &place, "%s: %s", what, x->message[0] ? x->message : error->text);
}

/* What stands alone only. */
static bool read_literal(const rp_yaml_node *node, rp_value *out) {
    uint64_t hex;
    double infinite;
    if (rp_read_hex(node, 15, &hex)) {
        *out = rp_value_integer((int64_t)hex);
        return true;
    }
    if (!rp_read_infinite(node->text, &infinite)) return false;
    *out = rp_value_real(infinite);
    return true;
}

bool rp_read_expr(rp_reader *r, const rp_yaml_node *node, const char *what, rp_expr_scope scope,
                  rp_value *out, rp_expr *code) {
    *out = rp_value_integer(0);
    if (code) *code = (rp_expr){0};
    if (node->kind != RP_YAML_SCALAR || rp_yaml_is_null(node) || !node->length)
        return rp_read_error(r, node, "%s is a number or an expression, not %s", what,
                             node->kind == RP_YAML_SCALAR ? "nothing" : rp_yaml_kind_name(node));
    if (read_literal(node, out)) return true;
    resolver x = {.r = r, .node = node, .scope = scope};
    rp_expression_error error;
    rp_status status =
        rp_expression_read(&r->a, node->text, node->length, resolve, &x, out, code, &error);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    if (status != RP_OK) return report(r, node, what, &x, &error);
    rp_flat_value(r, node, out, code);
    return true;
}

bool rp_read_is_number(rp_reader *r, const rp_yaml_node *node, rp_value *out) {
    if (node->kind != RP_YAML_SCALAR || !node->length || rp_yaml_is_null(node)) return false;
    if (read_literal(node, out)) return true;
    resolver x = {.r = r, .node = node, .scope = RP_PARAMS_ONLY, .quiet = true};
    rp_expression_error error;
    rp_status status =
        rp_expression_read(&r->a, node->text, node->length, resolve, &x, out, NULL, &error);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    return status == RP_OK;
}

/* Any name is a number. */
static bool resolve_any(void *context, const char *text, size_t length, uint32_t element,
                        rp_value *out) {
    (void)context, (void)text, (void)length, (void)element;
    *out = rp_value_integer(1);
    return true;
}

bool rp_read_is_computed(rp_reader *r, const rp_yaml_node *node) {
    if (node->kind != RP_YAML_SCALAR || !node->text[strcspn(node->text, "+*%<>=!?&|^~() ")])
        return false;
    rp_value value;
    rp_expression_error error;
    rp_status status = rp_expression_read(&r->a, node->text, node->length, resolve_any, NULL,
                                          &value, NULL, &error);
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    return status == RP_OK || error.of_value;
}

/* Defaults that use defaults recurse. */
bool rp_read_given_wrong(rp_reader *r, const rp_yaml_node *name, const rp_yaml_binding *binding) {
    const char *text = binding->name;
    name = rp_make_text(r, name, text, strlen(text), name->origin);
    const rp_yaml_node *given = name ? rp_substitute(r, name, binding->given) : NULL;
    char what[96];
    snprintf(what, sizeof what, "parameter '%.64s'", binding->name);
    if (!given) return false;
    if (r->param_depth == MAX_FORWARD)
        return rp_read_error(r, given, "%s is '%.*s' here, which is no number", what,
                             RP_CLIP(given));
    rp_value value;
    r->param_depth++;
    bool good = rp_read_expr(r, given, what, RP_PARAMS_ONLY, &value, NULL);
    r->param_depth--;
    if (good) rp_read_error(r, given, "%s is no number here", what);
    return false;
}

bool rp_read_not_integer(rp_reader *r, const rp_yaml_node *node, const char *what) {
    bool literal = !node->text[strspn(node->text, "0123456789.eE+-")];
    return rp_read_error(r, node, "%s is an integer, not '%.*s'%s", what, RP_CLIP(node),
                         literal ? "" : ", which is a float: floor, ceil or round it");
}

bool rp_read_integer(rp_reader *r, const rp_yaml_node *node, const char *what, int64_t min,
                     int64_t max, int64_t *out) {
    rp_value number;
    if (!rp_read_expr(r, node, what, RP_PARAMS_ONLY, &number, NULL)) return false;
    if (number.kind == RP_VALUE_REAL) return rp_read_not_integer(r, node, what);
    int64_t value = number.integer;
    if (value >= min && value <= max) {
        *out = value;
        return true;
    }
    if (max == INT64_MAX)
        return rp_read_error(r, node, "%s is %lld: expected at least %lld", what, (long long)value,
                             (long long)min);
    return rp_read_error(r, node, "%s is %lld: expected %lld to %lld", what, (long long)value,
                         (long long)min, (long long)max);
}

static bool evaluate(rp_reader *r, uint32_t index) {
    rp_pipeline_param *param = &r->params[index];
    switch ((rp_param_state)param->state) {
    case RP_PARAM_DONE: return true;
    case RP_PARAM_BAD: return false;
    case RP_PARAM_BUSY:
        return rp_read_error(r, param->key, "parameter '%s' depends on itself", param->key->text);
    case RP_PARAM_NEW: break;
    }
    if (param->overridden && !param->given.text) {
        param->state = RP_PARAM_DONE;
        return true;
    }
    if (r->param_depth == MAX_FORWARD) {
        param->state = RP_PARAM_BAD;
        return rp_read_error(r, param->key,
                             "more than %d parameters depend on later ones in a row: define "
                             "parameters before their use",
                             MAX_FORWARD);
    }
    param->state = RP_PARAM_BUSY;
    r->param_depth++;
    char what[96];
    snprintf(what, sizeof what, "parameter '%.64s'", param->key->text);
    const rp_yaml_node *value = param->overridden ? &param->given : param->value;
    bool good = rp_read_expr(r, value, what, RP_PARAMS_ONLY, &param->result, NULL);
    r->param_depth--;
    param->state = good ? RP_PARAM_DONE : RP_PARAM_BAD;
    return good;
}

static void apply_overrides(rp_reader *r, const rp_param_value *overrides, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const char *text = overrides[i].name ? overrides[i].name : "";
        const rp_name *name = rp_names_find(&r->param_names, text, strlen(text));
        if (name) {
            rp_pipeline_param *param = &r->params[name->value];
            param->overridden = true;
            param->result = rp_value_integer(overrides[i].value);
            param->given = *param->key;
            param->given.text = overrides[i].text;
            param->given.length = overrides[i].text ? (uint32_t)strlen(overrides[i].text) : 0;
            param->given.exact = false;
            param->given.quoted = true;
            continue;
        }
        char suggestion[192];
        rp_read_suggest(r, suggestion, sizeof suggestion, &r->param_names, text);
        rp_diags_add(r->diags, RP_ERROR, r->file, 0, 0, "no parameter '%.60s' to set%s", text,
                     suggestion);
        r->failed = true;
    }
}

bool rp_read_params(rp_reader *r, const rp_yaml_node *node, const rp_param_value *overrides,
                    uint32_t override_count) {
    bool is_map = node && rp_read_map(r, node, "'params'", NULL);
    r->param_names.broken = node && !is_map;
    uint32_t count = is_map ? node->count : 0;
    r->params = rp_alloc_zero(&r->a, count, sizeof *r->params);
    if (!r->params) return rp_read_no_memory(r);
    for (uint32_t i = 0; i < count; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        bool good = rp_read_name(r, key, "parameter");
        r->param_names.odd |= !good;
        r->params[r->param_count] =
            (rp_pipeline_param){.key = key,
                                .value = rp_yaml_value(node, i),
                                .state = good ? RP_PARAM_NEW : RP_PARAM_BAD};
        rp_name name = {key->text, key, r->param_count++};
        if (!rp_names_add(&r->a, &r->param_names, &name)) return rp_read_no_memory(r);
    }
    apply_overrides(r, overrides, override_count);
    for (uint32_t i = 0; i < r->param_count; i++) evaluate(r, i);
    return !r->failed;
}
