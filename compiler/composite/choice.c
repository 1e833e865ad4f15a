/* What `reprise kernels NAME --target T` says: the ops that a call becomes on a target, which kernel of each
 * is taken and why, and which figures of the target decide that.
 *
 * The call is applied to a graph of its own, as front ends do it, so that this cannot say anything else
 * than what is compiled. Which figures decide is found the same way: each is halved and doubled in turn,
 * and those are named with which the ops, their kernels or their sizes would be others. No op has to say
 * what it looks at. */
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "composite/composite.h"
#include "composite/signature.h"
#include "graph/members.h"
#include "ops/product.h"
#include "ops/tables.h"
#include "text/print.h"

typedef struct chooser {
    const rp_allocator *a;
    const char *name;
    rp_signature signature;
    const rp_kernel_given *given;
    uint32_t count;
    rp_diags *diags;
} chooser;

static rp_status complain(const chooser *c, const char *format, const char *name,
                          const char *value) {
    char message[512];
    snprintf(message, sizeof message, format, name, value);
    rp_diags_add(c->diags, RP_ERROR, NULL, 0, 0, "%s: %s", c->name, message);
    return RP_ERROR_INVALID;
}

/* ---- What was given -------------------------------------------------------------------------- */

static uint8_t dtype_named(const char *text, size_t length) {
    for (uint32_t d = RP_RAW + 1; rp_dtype_name((rp_dtype)d); d++) {
        const char *name = rp_dtype_name((rp_dtype)d);
        if (strlen(name) == length && memcmp(name, text, length) == 0) return (uint8_t)d;
    }
    return RP_RAW;
}

/* "f16[512,1024]"; "u32" is a single element. */
static bool read_type(const char *text, rp_tensor *out) {
    size_t name = strcspn(text, "[");
    *out = (rp_tensor){.dtype = dtype_named(text, name)};
    if (out->dtype == RP_RAW) return false;
    if (!text[name]) return true;
    const char *at = text + name;
    do {
        size_t digits = strspn(++at, "0123456789");
        if (digits == 0 || digits > 18 || out->rank == RP_MAX_RANK) return false;
        out->dims[out->rank++] = strtoull(at, NULL, 10);
        at += digits;
    } while (*at == ',');
    return strcmp(at, "]") == 0;
}

static const rp_op_attr *attr_named(const rp_signature *s, const char *name) {
    const rp_op_attr *attr;
    for (uint32_t i = 0; (attr = rp_signature_attr(s, i)); i++)
        if (strcmp(attr->name, name) == 0) return attr;
    return NULL;
}

static rp_status take_attr(const chooser *c, rp_application *x, const rp_op_attr *attr,
                           const rp_kernel_given *given, rp_attribute *out) {
    bool text =
        !attr || attr->kind == RP_ATTR_CHOICE || /* a map's formula is no attribute of its op */
        attr->kind == RP_ATTR_TEXT || attr->kind == RP_ATTR_LIST || attr->kind == RP_ATTR_NUMBERS;
    *out = (rp_attribute){.name = given->name, .text = text ? given->value : NULL};
    if (x->attr_count == RP_APPLY_MAX_ATTRS)
        return complain(c, "more than %s attributes%s", "24", "");
    x->attr_count++;
    double rest;
    if (text) return RP_OK;
    if (rp_number_parse_exact(given->value, strlen(given->value), &out->number, &rest)) {
        if (rest != 0) out->text = given->value; /* whose digits are more than a double has */
        return RP_OK;
    }
    return complain(c, "%s is '%.60s': expected a number", given->name, given->value);
}

/* The access of an operand of that name, where the signature has it; names of a map's formula are
 * read. */
static uint8_t access_named(const chooser *c, const char *name) {
    const char *known;
    for (uint32_t i = 0; (known = rp_signature_operand(&c->signature, i)); i++)
        if (strcmp(known, name) == 0) return rp_signature_access(&c->signature, i);
    return strcmp(name, "out") == 0 ? RP_WRITE : RP_READ;
}

static rp_status take_operand(const chooser *c, rp_application *x, const rp_kernel_given *given,
                              rp_given_operand *out) {
    rp_graph *g = x->graph;
    rp_tensor t;
    if (x->operand_count == RP_APPLY_MAX_OPERANDS)
        return complain(c, "more than %s operands%s", "40", "");
    if (!read_type(given->value, &t))
        return complain(c, "%s is '%.60s': expected a type like f16[512,1024]", given->name,
                        given->value);
    uint64_t bytes = rp_tensor_bytes(&t);
    if (bytes == 0 || bytes > RP_MAX_BUFFER_BYTES)
        return complain(c, "%s is %.60s: a buffer has 1 to 2^40 bytes", given->name, given->value);
    uint8_t access = access_named(c, given->name);
    rp_graph_buffer buffer = {.name = rp_graph_intern(g, given->name, strlen(given->name)),
                              .kind = access == RP_READ    ? RP_IN
                                      : access == RP_WRITE ? RP_OUT
                                                           : RP_INOUT,
                              .dtype = t.dtype,
                              .rank = t.rank ? t.rank : 1,
                              .size = bytes,
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = UINT32_MAX};
    const uint64_t one = 1;
    if (buffer.name == RP_NONE) return RP_ERROR_NO_MEMORY;
    *out = (rp_given_operand){.name = given->name, .fresh = RP_NONE};
    out->argument.tensor = t;
    out->argument.buffer = rp_graph_add_buffer(g, &buffer, t.rank ? t.dims : &one);
    x->operand_count++;
    return out->argument.buffer == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

static bool is_optional(const rp_signature *s, uint32_t index) {
    return s->op ? s->op->operands[index].optional : s->composite->operands[index].optional;
}

/* Outputs that nobody gave take what the op makes of its inputs. */
static rp_status take_outputs(const chooser *c, rp_application *x, rp_given_operand *operands) {
    const char *name;
    for (uint32_t i = 0; (name = rp_signature_operand(&c->signature, i)); i++) {
        bool given = rp_signature_access(&c->signature, i) != RP_WRITE ||
                     is_optional(&c->signature, i) || x->operand_count == RP_APPLY_MAX_OPERANDS;
        for (uint32_t k = 0; k < x->operand_count && !given; k++)
            given = strcmp(operands[k].name, name) == 0;
        if (given) continue;
        rp_given_operand *out = &operands[x->operand_count++];
        *out = (rp_given_operand){.name = name,
                                  .fresh = rp_graph_intern(x->graph, name, strlen(name))};
        out->argument.tensor = (rp_tensor){.dtype = RP_RAW, .rank = RP_OP_INFER};
        out->argument.buffer = RP_NONE;
        if (out->fresh == RP_NONE) return RP_ERROR_NO_MEMORY;
    }
    return RP_OK;
}

static rp_status apply(const chooser *c, rp_graph *g) {
    rp_given_operand operands[RP_APPLY_MAX_OPERANDS];
    rp_attribute attrs[RP_APPLY_MAX_ATTRS];
    rp_application x = {.graph = g,
                        .op = c->name,
                        .node = {.kernel = RP_NONE, .label = RP_NONE, .op = RP_NONE},
                        .operands = operands,
                        .attrs = attrs};
    for (uint32_t i = 0; i < c->count; i++) {
        const rp_kernel_given *given = &c->given[i];
        const rp_op_attr *attr = attr_named(&c->signature, given->name);
        bool formula = c->signature.op == rp_op_map && strcmp(given->name, "expr") == 0;
        RP_TRY(attr || formula ? take_attr(c, &x, attr, given, &attrs[x.attr_count])
                               : take_operand(c, &x, given, &operands[x.operand_count]));
    }
    RP_TRY(take_outputs(c, &x, operands));
    rp_status status = rp_apply_to_graph(&x);
    if (status == RP_ERROR_INVALID) rp_diags_add(c->diags, RP_ERROR, NULL, 0, 0, "%s", x.error);
    return status;
}

/* The call's graph on a target. */
static rp_status make_graph(const chooser *c, const rp_target *target, rp_graph **out) {
    *out = rp_graph_create(c->a, "choice");
    if (!*out) return RP_ERROR_NO_MEMORY;
    rp_status status = rp_graph_set_target(*out, target);
    return status == RP_OK ? apply(c, *out) : status;
}

/* ---- What is taken --------------------------------------------------------------------------- */

/* The `index`th op of a graph as a call, checked and with its kernel chosen. */
static bool call_at(const rp_graph *g, uint32_t index, rp_op_call *out) {
    rp_member_call(g, rp_node_members(g, &g->nodes[index]), out);
    return rp_member_choose(g, out);
}

/* All that was chosen: ops, types, kernels and sizes, for comparing. */
static void put_choices(const rp_graph *g, rp_text *text) {
    rp_op_call call;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        if (!call_at(g, i, &call)) continue;
        rp_text_format(text, "%s %s", call.op->name, call.variant ? call.variant->name : "");
        for (uint32_t k = 0; k < call.operand_count; k++) {
            rp_text_char(text, ' ');
            rp_tensor_print(text, &call.operands[k]);
        }
        for (char symbol = 'A'; symbol <= 'Z'; symbol++)
            rp_text_format(text, " %llu", (unsigned long long)rp_sym(&call, symbol));
        if (call.op->form == RP_OP_ROWS)
            rp_text_format(text, " %u", rp_op_row_threads(&call, rp_graph_target(g)));
        rp_text_char(text, '\n');
    }
}

static rp_status choices_on(const chooser *c, const rp_target *target, rp_text *text) {
    chooser silent = *c;
    rp_graph *g = NULL;
    silent.diags = NULL;
    rp_status status = make_graph(&silent, target, &g);
    if (status == RP_OK) put_choices(g, text);
    rp_graph_destroy(g);
    if (status == RP_ERROR_INVALID) status = RP_OK; /* then it is no choice at all */
    return text->failed ? RP_ERROR_NO_MEMORY : status;
}

/* Whether the choices on the target with the figure times 2^by are others. */
static rp_status differs(const chooser *c, const rp_target *target, uint32_t key, int by,
                         const rp_text *now, bool *out) {
    rp_target other = *target;
    uint64_t *figure = rp_target_figure_of(&other, key);
    *figure = by < 0 ? *figure / 2 : *figure <= UINT64_MAX / 2 ? *figure * 2 : *figure;
    if (*figure == 0) return RP_OK;
    rp_text then;
    rp_text_init(&then, c->a);
    rp_status status = choices_on(c, &other, &then);
    if (status == RP_OK)
        *out |= then.size != now->size || memcmp(then.data, now->data, now->size) != 0;
    rp_text_free(&then);
    return status;
}

static rp_status put_deciding(const chooser *c, const rp_target *target, rp_text *out) {
    rp_text now;
    uint32_t found = 0;
    rp_text_init(&now, c->a);
    rp_status status = choices_on(c, target, &now);
    for (uint32_t key = 0; key < RP_TARGET_KEYS && status == RP_OK; key++) {
        bool decides = false;
        uint64_t figure = *rp_target_figure_of((rp_target *)target, key);
        if (figure == 0 || key == RP_TARGET_KEY_needs || key == RP_TARGET_KEY_matrix_shapes)
            continue;
        status = differs(c, target, key, -1, &now, &decides);
        if (status == RP_OK) status = differs(c, target, key, 1, &now, &decides);
        if (!decides) continue;
        rp_text_format(out, found++ ? ", %s %llu" : "decided by %s %llu", rp_target_keys[key],
                       (unsigned long long)figure);
    }
    rp_text_format(out, "%s of target %s\n", found ? "" : "decided by no figure", target->name);
    rp_text_free(&now);
    return status;
}

/* ---- For people ------------------------------------------------------------------------------ */

/* What the target lacks for it, the most special first; or what it is for. */
static void put_reason(const rp_op_variant *v, const rp_target *target, const char *before,
                       rp_text *out) {
    uint64_t missing = v->needs & ~target->needs,
             special = missing & ~(uint64_t)RP_NEED_SUBGROUP_SIZE;
    uint32_t more = 0;
    if (!special) special = missing;
    while (special & (special - 1)) special &= special - 1;
    for (uint64_t rest = missing ^ special; rest; rest &= rest - 1) more++;
    if (missing)
        rp_text_format(out, "the target lacks %s", rp_plan_need_name(special));
    else if (strcmp(v->when, "always") == 0)
        rp_text_string(out, "for all others");
    else
        rp_text_format(out, "%sfor %s", before, v->when);
    if (more) rp_text_format(out, ", and %u feature%s more", more, more > 1 ? "s" : "");
    rp_text_char(out, '\n');
}

/* A line for each kernel, in the order in which they are tried. */
static void put_variants(const rp_op_call *taken, const rp_target *target, rp_text *out) {
    uint32_t fitting = 0;
    for (const rp_op_variant *v = taken->op->variants; v && v->name; v++) {
        rp_op_call call = *taken;
        rp_text_format(out, "    %-12s ", v->name);
        if (taken->op->product) {
            put_reason(v, target, "", out);
            continue;
        }
        rp_op_choose_after(&call, target, fitting);
        if (call.variant != v || fitting >= rp_op_fitting(taken, target)) {
            put_reason(v, target, "not this; ", out);
            continue;
        }
        rp_text_string(out, v == taken->variant ? "taken" : "could");
        rp_op_explain(&call, target, ": ", out);
        rp_text_char(out, '\n');
        fitting++;
    }
}

static void put_op(const rp_graph *g, uint32_t index, rp_text *out) {
    const rp_graph_node *n = &g->nodes[index];
    const rp_target *target = rp_graph_target(g);
    rp_op_call call;
    rp_text_string(out, "  ");
    rp_print_member(out, g, n, rp_node_members(g, n));
    rp_text_char(out, '\n');
    if (!call_at(g, index, &call)) return;
    if (call.op->form == RP_OP_ROWS)
        rp_text_format(out, "    a row has %u threads\n", rp_op_row_threads(&call, target));
    put_variants(&call, target, out);
    if (rp_product_explain_parts(&call, target, "    ", out)) rp_text_char(out, '\n');
}

/* Of an op on no operands: what there is for them. */
static rp_status put_needs(const chooser *c, const rp_target *target, rp_text *out) {
    const rp_op *op = c->signature.op;
    if (!op || !op->variants) {
        rp_diags_add(c->diags, RP_ERROR, NULL, 0, 0,
                     "%s is %s: give the types of its operands, as in x=f32[16,384]", c->name,
                     op ? "computed by a kernel that is made for them" : "several ops");
        return RP_ERROR_INVALID;
    }
    rp_text_format(out, "%s on target %s:\n", c->name, target->name);
    for (const rp_op_variant *v = op->variants; v->name; v++) {
        rp_text_format(out, "    %-12s ", v->name);
        put_reason(v, target, "", out);
    }
    return RP_OK;
}

static rp_status put_all(const chooser *c, const rp_target *target, rp_text *out) {
    rp_graph *g = NULL;
    if (c->count == 0) return put_needs(c, target, out);
    rp_status status = make_graph(c, target, &g);
    if (status == RP_OK) {
        rp_text_format(out, "%s on target %s:\n", c->name, target->name);
        for (uint32_t i = 0; i < g->nodes_count; i++) put_op(g, i, out);
        status = put_deciding(c, target, out);
    }
    rp_graph_destroy(g);
    return status;
}

rp_status rp_kernel_choice(const rp_allocator *allocator, const char *name,
                           const rp_kernel_given *given, uint32_t count, const rp_target *target,
                           rp_diags *diags, char **out_text) {
    rp_target filled;
    if (!out_text) return RP_ERROR_USAGE;
    *out_text = NULL;
    if (!name || (!given && count) || !rp_target_fill(target, &filled)) return RP_ERROR_USAGE;
    for (uint32_t i = 0; i < count; i++)
        if (!given[i].name || !given[i].value) return RP_ERROR_USAGE;
    rp_allocator a = rp_allocator_or_default(allocator);
    chooser c = {.a = &a, .name = name, .given = given, .count = count, .diags = diags};
    if (!rp_signature_find(name, &c.signature)) return RP_ERROR_NOT_FOUND;
    rp_text out;
    rp_text_init(&out, &a);
    rp_status status = put_all(&c, &filled, &out);
    if (status == RP_OK) status = rp_text_take(&out, out_text, NULL);
    rp_text_free(&out);
    return status;
}
