/* Parameters, and what names mean in expressions.
 *
 * A parameter may use others in any order, since a YAML map has none. Each is evaluated once, in
 * source order; a name that is not evaluated yet is evaluated on the spot, and meeting one that is
 * being evaluated is a cycle. Only references forward recurse, and these are limited, so that a
 * long chain in reverse order ends in a message and not on the stack. An override replaces the
 * expression before anything is evaluated: what depends on it follows. */
#include "yaml/pipeline.h"

#include <stdio.h>

enum { MAX_FORWARD = 32 };

typedef struct resolver {
    rp_reader *r;
    rp_expr_scope scope;
    bool reported;     /* the name is known, and what is wrong with it has been said */
    char message[320]; /* else what is wrong with a name, "" for nothing */
} resolver;

static bool evaluate(rp_reader *r, uint32_t index);

static bool resolve_param(resolver *x, const rp_name *param, uint32_t element, rp_expr_op *out) {
    if (element) {
        snprintf(x->message, sizeof x->message, "parameter '%s' has no elements", param->text);
        return false;
    }
    if (!evaluate(x->r, param->value)) {
        x->reported = true;
        return false;
    }
    *out = (rp_expr_op){.code = RP_EXPR_CONST, .value = x->r->params[param->value].result};
    return true;
}

static bool resolve_live(resolver *x, const rp_name *name, uint32_t element, rp_expr_op *out) {
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
        *out =
            (rp_expr_op){.code = RP_EXPR_LIVE, .element = (uint16_t)element, .buffer = name->value};
        return true;
    }
    return false;
}

static bool is_truth(const char *text, size_t length) {
    return (length == 4 && memcmp(text, "true", 4) == 0) ||
           (length == 5 && memcmp(text, "false", 5) == 0);
}

static bool resolve(void *context, const char *text, size_t length, uint32_t element,
                    rp_expr_op *out) {
    resolver *x = context;
    const rp_name *name = rp_names_find(&x->r->param_names, text, length);
    if (name) return resolve_param(x, name, element, out);
    name = rp_names_find(&x->r->buffer_names, text, length);
    if (name) return resolve_live(x, name, element, out);
    if (is_truth(text, length)) {
        snprintf(x->message, sizeof x->message, "'%.*s' is no number", (int)length, text);
        return false;
    }
    x->reported = x->r->param_names.broken || x->r->buffer_names.broken;
    if (x->reported) return false;
    char copy[64], suggestion[192];
    snprintf(copy, sizeof copy, "%.*s", (int)(length < 60 ? length : 60), text);
    rp_read_suggest(x->r, suggestion, sizeof suggestion, &x->r->param_names, copy);
    snprintf(x->message, sizeof x->message, "unknown parameter '%s'%s", copy, suggestion);
    return false;
}

/* "1.5", "1e6": a number, but no integer. */
static bool is_fraction(const char *text) {
    size_t length = strspn(text, "0123456789.eE+-");
    return !text[length] && (text[0] >= '0' && text[0] <= '9') && strpbrk(text, ".eE");
}

bool rp_read_expr(rp_reader *r, const rp_yaml_node *node, const char *what, rp_expr_scope scope,
                  rp_expr *out) {
    *out = (rp_expr){0};
    if (node->kind != RP_YAML_SCALAR || rp_yaml_is_null(node) || !node->length)
        return rp_read_error(r, node, "%s is an integer or an expression, not %s", what,
                             node->kind == RP_YAML_SCALAR ? "nothing" : rp_yaml_kind_name(node));
    if (is_fraction(node->text))
        return rp_read_error(r, node, "%s is an integer, not '%.*s'", what, RP_CLIP(node));
    resolver x = {.r = r, .scope = scope};
    char error[128];
    size_t at = 0;
    rp_status status = rp_expr_parse(&r->a, node->text, node->length, resolve, &x, out, error, &at);
    if (status == RP_OK) return true;
    if (status == RP_ERROR_NO_MEMORY) return rp_read_no_memory(r);
    if (x.reported || rp_read_names_odd(r, node->text)) {
        r->failed = true;
        return false;
    }
    rp_yaml_node place = *node;
    if (node->exact) place.column = node->text_column + (uint32_t)at;
    return rp_read_error(r, &place, "%s: %s", what, x.message[0] ? x.message : error);
}

bool rp_expr_is_live(const rp_expr *expr) {
    for (uint32_t i = 0; i < expr->count; i++)
        if (expr->ops[i].code == RP_EXPR_LIVE) return true;
    return false;
}

bool rp_read_integer(rp_reader *r, const rp_yaml_node *node, const char *what, int64_t min,
                     int64_t max, int64_t *out) {
    uint64_t hex;
    int64_t value = 0;
    if (rp_read_hex(node, 15, &hex)) {
        value = (int64_t)hex;
    } else {
        rp_expr expr;
        const char *why = NULL;
        if (!rp_read_expr(r, node, what, RP_PARAMS_ONLY, &expr)) return false;
        bool good = rp_expr_eval(expr.ops, expr.count, NULL, NULL, &value, &why);
        rp_expr_free(&r->a, &expr);
        if (!good) return rp_read_error(r, node, "%s: %s in '%.*s'", what, why, RP_CLIP(node));
    }
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
    if (param->overridden) {
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
    bool good = rp_read_integer(r, param->value, what, INT64_MIN, INT64_MAX, &param->result);
    r->param_depth--;
    param->state = good ? RP_PARAM_DONE : RP_PARAM_BAD;
    return good;
}

static void apply_overrides(rp_reader *r, const rp_param_value *overrides, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const char *text = overrides[i].name ? overrides[i].name : "";
        const rp_name *name = rp_names_find(&r->param_names, text, strlen(text));
        if (name) {
            r->params[name->value].overridden = true;
            r->params[name->value].result = overrides[i].value;
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
