/* What expand functions are written with: matching a composite's operands and attributes with its
 * table, transients between its ops, and applying one op. */
#include <stdarg.h>
#include <stdio.h>
#include "composite/apply.h"
#include "composite/composite.h"
#include "composite/sized.h"
#include "composite/wider.h"
#include "ops/tables.h"

static rp_status match_operands(rp_expansion *e) {
    const rp_composite *c = e->composite;
    rp_application *x = e->application;
    for (uint32_t i = 0; i < x->operand_count; i++) {
        uint32_t place = 0;
        while (place < c->operand_count && strcmp(c->operands[place].name, x->operands[i].name))
            place++;
        if (place == c->operand_count)
            return rp_apply_error(x, RP_BLAME_OPERAND, i, "%s has no operand '%.60s'", c->info.name,
                                  x->operands[i].name);
        if (e->operands[place])
            return rp_apply_error(x, RP_BLAME_OPERAND, i, "operand '%.60s' of %s is given twice",
                                  x->operands[i].name, c->info.name);
        if (x->operands[i].fresh != RP_NONE && c->operands[place].access != RP_WRITE)
            return rp_apply_error(x, RP_BLAME_OPERAND, i,
                                  "operand '%.60s' of %s is read: '%.60s' must be made before",
                                  x->operands[i].name, c->info.name,
                                  rp_graph_string(x->graph, x->operands[i].fresh));
        e->operands[place] = &x->operands[i];
    }
    for (uint32_t i = 0; i < c->operand_count; i++)
        if (!e->operands[i] && !c->operands[i].optional)
            return rp_apply_error(x, RP_BLAME_OP, 0, "operand '%s' of %s is missing",
                                  c->operands[i].name, c->info.name);
    return RP_OK;
}

static rp_status match_attrs(rp_expansion *e) {
    const rp_composite *c = e->composite;
    rp_application *x = e->application;
    bool given[RP_COMPOSITE_MAX_ATTRS] = {false};
    for (uint32_t i = 0; i < c->attr_count; i++) e->attrs[i] = c->attrs[i].fallback;
    for (uint32_t i = 0; i < x->attr_count; i++) {
        uint32_t place = 0;
        while (place < c->attr_count && strcmp(c->attrs[place].name, x->attrs[i].name)) place++;
        if (place == c->attr_count) return rp_attribute_unknown(x, c->info.name, i);
        if (given[place])
            return rp_apply_error(x, RP_BLAME_ATTR, i, "attribute '%s' of %s is given twice",
                                  c->attrs[place].name, c->info.name);
        given[place] = true;
        if (c->attrs[place].kind == RP_ATTR_LIST) {
            RP_TRY(rp_attribute_list(x, c->info.name, &c->attrs[place], i, &e->lists[place]));
            continue;
        }
        if (c->attrs[place].kind == RP_ATTR_NUMBERS) {
            RP_TRY(rp_attribute_numbers(x, c->info.name, &c->attrs[place], i, &e->numbers[place]));
            continue;
        }
        if (c->attrs[place].kind == RP_ATTR_TEXT) {
            RP_TRY(rp_attribute_text(x, c->info.name, &c->attrs[place], i, &e->texts[place]));
            continue;
        }
        double rest;
        RP_TRY(rp_attribute_value(x, c->info.name, &c->attrs[place], i, &e->attrs[place], &rest));
        if (rest != 0) e->texts[place] = x->attrs[i].text;
    }
    for (uint32_t i = 0; i < c->attr_count; i++)
        if (c->attrs[i].required && !given[i])
            return rp_apply_error(x, RP_BLAME_OP, 0, "attribute '%s' of %s is missing",
                                  c->attrs[i].name, c->info.name);
    return RP_OK;
}

/* ---- Letters --------------------------------------------------------------------------------- */

/* What a letter stands for, and the operand that said so; NULL: it is free. */
typedef struct bound_letter {
    uint64_t number;
    const char *operand, *part; /* "x", "last dimension" */
    const rp_tensor *tensor;
} bound_letter;

/* A shape's letters: the first may be any leading dimensions, "*B K"; behind the last there may be others, "N C ...",
 * or ones, "N C 1...". */
typedef struct pattern {
    char letters[RP_MAX_RANK];
    uint32_t count;
    bool star, rest, single;
} pattern;

static pattern read_pattern(const char *shape) {
    pattern p = {.star = *shape == '*', .rest = strstr(shape, "...") != NULL};
    for (const char *c = shape; *c; c++)
        if (*c >= 'A' && *c <= 'Z' && p.count < RP_MAX_RANK) p.letters[p.count++] = *c;
    return p;
}

/* The attribute that says where channels lie; attr_count of a composite that has none, whose operands are no grids. */
static uint32_t layout_of(const rp_expansion *e) {
    uint32_t i = 0;
    while (i < e->composite->attr_count && strcmp(e->composite->attrs[i].name, "layout") != 0) i++;
    return i;
}

static bool has_grids(const rp_expansion *e) {
    return layout_of(e) < e->composite->attr_count;
}

/* Whether channels, which shapes name second, lie behind all other dimensions. */
static bool has_channels_last(const rp_expansion *e) {
    return has_grids(e) && e->attrs[layout_of(e)] != 0;
}

/* The dimension that letter `index` stands for. */
static uint32_t letter_place(const rp_expansion *e, const pattern *p, uint32_t index,
                             const rp_tensor *t) {
    uint32_t at = p->rest ? index : t->rank - p->count + index;
    uint32_t channels = p->single ? 0 : 1;
    if ((p->rest || p->single || p->count > 2) && !p->star && index >= channels &&
        has_channels_last(e))
        at = index == channels ? t->rank - 1u : at - 1;
    return at;
}

static rp_status wrong_operand(rp_expansion *e, uint32_t operand, const char *format, ...)
    RP_PRINTF(3, 4);
static rp_status wrong_operand(rp_expansion *e, uint32_t operand, const char *format, ...) {
    char message[2 * RP_TENSOR_TEXT + 200];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return rp_apply_error(e->application, RP_BLAME_OP, 0, "%s: %s %s", e->composite->info.name,
                          e->composite->operands[operand].name, message);
}

/* Binds the letters of an operand's shape to its dimensions, or compares them with what is bound. */
static rp_status match_letters(rp_expansion *e, uint32_t operand, bound_letter letters[26]) {
    const rp_composite_operand *own = &e->composite->operands[operand];
    const rp_tensor *t = &e->operands[operand]->argument.tensor;
    pattern p = read_pattern(own->shape);
    if (p.count == 0) return RP_OK; /* of any shape */
    if (p.letters[0] == 'N' && p.count > 2 && t->rank + 1u == p.count && has_grids(e)) {
        p.count--; /* of one grid alone */
        memmove(p.letters, p.letters + 1, p.count);
        p.single = true;
    }
    bool more = p.star || p.rest;
    if (t->rank < p.count - p.star || (t->rank > p.count && !more))
        return wrong_operand(e, operand, "has %u dimensions, expected %s%u", t->rank,
                             more ? "at least " : "", p.count - p.star);
    for (uint32_t i = 0; i < p.count; i++) {
        bound_letter *letter = letters + (p.letters[i] - 'A');
        bool leading = p.star && i == 0;
        uint32_t at = leading ? 0 : letter_place(e, &p, i, t);
        uint64_t number = leading ? rp_expand_rows(e->operands[operand], p.count - 1) : t->dims[at];
        const char *part = !leading       ? rp_dimension_name(at, t->rank)
                           : p.count == 1 ? "elements"
                                          : "leading dimensions";
        if (!letter->operand) *letter = (bound_letter){number, own->name, part, t};
        if (letter->number == number) continue;
        char there[RP_TENSOR_TEXT], here[RP_TENSOR_TEXT];
        return wrong_operand(e, operand,
                             "is %s: its %s, %c, %s %llu, expected %llu, the %s of %s %s",
                             rp_tensor_text(here, t), part, p.letters[i], rp_part_verb(part),
                             (unsigned long long)number, (unsigned long long)letter->number,
                             letter->part, letter->operand, rp_tensor_text(there, letter->tensor));
    }
    return RP_OK;
}

/* Maps broadcast, and ids of other experts give zeros: what ops take may be no operand of theirs. */
static rp_status check_letters(rp_expansion *e) {
    bound_letter letters[26] = {0};
    for (uint32_t i = 0; i < e->composite->operand_count; i++)
        if (e->operands[i] && e->operands[i]->argument.tensor.rank <= RP_MAX_RANK)
            RP_TRY(match_letters(e, i, letters));
    return RP_OK;
}

static rp_status apply(rp_application *x, const void *what) {
    const rp_composite *composite = what;
    rp_expansion e = {.application = x, .composite = composite, .first_id = x->graph->nodes_count};
    RP_TRY(match_operands(&e));
    RP_TRY(match_attrs(&e));
    RP_TRY(check_letters(&e));
    RP_TRY(rp_expand_label(&e));
    return composite->expand(&e);
}

rp_status rp_composite_apply(rp_application *x, const rp_composite *composite) {
    const rp_signature signature = {.composite = composite};
    if (rp_wider_gives(x, &signature)) return rp_wider_give(x, &signature);
    return rp_application_is_sized(x) ? rp_apply_sized(x, apply, composite) : apply(x, composite);
}

rp_status rp_expand_label(rp_expansion *e) {
    rp_application *x = e->application;
    const char *name = e->composite->info.name;
    if (x->node.label == RP_NONE) x->node.label = rp_graph_intern(x->graph, name, strlen(name));
    return x->node.label == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

static bool is_named(const rp_expansion *e, uint32_t name) {
    for (uint32_t i = 0; i < e->temp_count; i++)
        if (e->temps[i] == name) return true;
    return false;
}

rp_status rp_expand_temp(rp_expansion *e, const char *name, rp_given_operand *out) {
    char text[96];
    int n = snprintf(text, sizeof text, "%s%u-%s", e->composite->info.name, e->first_id, name);
    *out = (rp_given_operand){.name = name,
                              .argument = {.tensor = {.rank = RP_OP_INFER}, .buffer = RP_NONE}};
    out->fresh = rp_graph_intern(e->application->graph, text, (size_t)n);
    for (uint32_t again = 2; out->fresh != RP_NONE && is_named(e, out->fresh); again++) {
        int more = snprintf(text + n, sizeof text - (size_t)n, "%u", again);
        out->fresh = rp_graph_intern(e->application->graph, text, (size_t)(n + more));
    }
    if (e->temp_count < RP_COMPOSITE_MAX_TEMPS) e->temps[e->temp_count++] = out->fresh;
    return out->fresh == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

/* ---- Ops ------------------------------------------------------------------------------------- */

static uint32_t name_of(const rp_expansion *e, const rp_given_operand *operand) {
    const rp_graph *g = e->application->graph;
    if (operand->fresh != RP_NONE) return operand->fresh;
    return operand->argument.buffer < g->buffers_count ? g->buffers[operand->argument.buffer].name
                                                       : RP_NONE;
}

/* The composite's operands that an op's operand is, or is made of, a bit each. */
static uint32_t made_of(const rp_expansion *e, const rp_given_operand *operand, bool *is_one) {
    uint32_t name = name_of(e, operand), same = 0;
    for (uint32_t i = 0; i < e->composite->operand_count; i++)
        if (e->operands[i] && name_of(e, e->operands[i]) == name) same |= 1u << i;
    *is_one = same != 0;
    for (uint32_t i = 0; !same && i < e->temp_count; i++)
        if (e->temps[i] == name) return e->made_of[i];
    return same;
}

static void note_made(rp_expansion *e, const rp_given_operand *operand, uint32_t of) {
    uint32_t name = name_of(e, operand);
    for (uint32_t i = 0; i < e->temp_count; i++)
        if (e->temps[i] == name) e->made_of[i] |= of;
}

/* " (x is data, out is made of data, updates)": whose operands an op's are, where it calls them otherwise. */
static void say_operands(const rp_expansion *e, const rp_part *parts, uint32_t count,
                         char text[160]) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count && used < 120; i++) {
        bool is_one;
        uint32_t of = parts[i].operand ? made_of(e, parts[i].operand, &is_one) : 0;
        const char *before = "";
        for (uint32_t k = 0; is_one && of >> k; k++)
            if ((of >> k & 1) && strcmp(e->composite->operands[k].name, parts[i].name) == 0) of = 0;
        for (uint32_t k = 0; of >> k && used < 120; k++) {
            const char *name = e->composite->operands[k].name;
            if (!(of >> k & 1)) continue;
            int n = *before ? snprintf(text + used, 160 - used, "%s%s", before, name)
                            : snprintf(text + used, 160 - used, "%s%s is %s%s", used ? "; " : " (",
                                       parts[i].name, is_one ? "" : "made of ", name);
            used += n > 0 ? (size_t)n : 0;
            before = ", ";
        }
    }
    if (used && used < 159) snprintf(text + used, 160 - used, ")");
}

rp_status rp_expand_op(rp_expansion *e, const char *op, const rp_part *parts, uint32_t part_count,
                       const rp_attribute *attrs, uint32_t attr_count) {
    rp_application *outer = e->application;
    rp_given_operand operands[RP_APPLY_MAX_OPERANDS];
    uint32_t from[RP_APPLY_MAX_OPERANDS], count = 0, of = 0;
    char whose[160];
    for (uint32_t i = 0; i < part_count && count < RP_APPLY_MAX_OPERANDS; i++) {
        bool is_one;
        if (!parts[i].operand) continue;
        of |= made_of(e, parts[i].operand, &is_one);
        operands[count] = *parts[i].operand;
        operands[count].name = parts[i].name;
        from[count++] = i;
    }
    rp_application inner = {.graph = outer->graph,
                            .op = op,
                            .node = outer->node,
                            .operands = operands,
                            .attrs = attrs,
                            .operand_count = count,
                            .attr_count = attr_count,
                            .choices = outer->choices};
    rp_status status = rp_apply_op(&inner, rp_op_find(op, strlen(op)));
    if (status == RP_ERROR_INVALID) {
        say_operands(e, parts, part_count, whose);
        rp_apply_error(outer, RP_BLAME_OP, 0, "%s: %s%s", e->composite->info.name, inner.error,
                       whose);
    }
    for (uint32_t i = 0; i < count && status == RP_OK; i++) {
        note_made(e, parts[from[i]].operand, of);
        parts[from[i]].operand->argument = operands[i].argument;
        parts[from[i]].operand->fresh = operands[i].fresh;
    }
    return status;
}

rp_status rp_expand_map(rp_expansion *x, const char *formula, const rp_part *parts,
                        uint32_t count) {
    const rp_attribute expr = {.name = "expr", .text = formula};
    return rp_expand_op(x, "map", parts, count, &expr, 1);
}

enum { SHAPE = 96 };

static void print_shape(const rp_expansion *e, const rp_tensor *tensor, char out[SHAPE]) {
    rp_text text;
    rp_text_init(&text, &e->application->graph->allocator);
    rp_tensor_print(&text, tensor);
    snprintf(out, SHAPE, "%s", text.data && !text.failed ? text.data : "?");
    rp_text_free(&text);
}

rp_status rp_expand_dim(rp_expansion *e, uint32_t operand, uint32_t from_end, uint64_t *out) {
    const rp_tensor *tensor = &e->operands[operand]->argument.tensor;
    *out = 0;
    if (tensor->rank != RP_OP_INFER && from_end < tensor->rank) {
        *out = tensor->dims[tensor->rank - 1 - from_end];
        return RP_OK;
    }
    char shape[SHAPE];
    print_shape(e, tensor, shape);
    return rp_apply_error(e->application, RP_BLAME_OP, 0, "%s: %s is %s, expected [%s]",
                          e->composite->info.name, e->composite->operands[operand].name, shape,
                          e->composite->operands[operand].shape);
}

uint64_t rp_expand_rows(const rp_given_operand *operand, uint32_t dims) {
    const rp_tensor *tensor = &operand->argument.tensor;
    uint64_t rows = 1;
    for (uint32_t i = 0; i + dims < tensor->rank && tensor->rank != RP_OP_INFER; i++)
        rows *= tensor->dims[i]; /* within the buffer's size: no overflow */
    return rows;
}

rp_given_operand rp_expand_seen(const rp_given_operand *operand, uint32_t rank,
                                const uint64_t *dims) {
    rp_given_operand out = *operand;
    out.argument.tensor.rank = (uint8_t)rank;
    memcpy(out.argument.tensor.dims, dims, rank * sizeof *dims);
    return out;
}

rp_status rp_expand_make(rp_expansion *e, rp_given_operand *out, uint8_t dtype, uint32_t rank,
                         const uint64_t *dims) {
    rp_tensor *tensor = &out->argument.tensor;
    if (tensor->dtype == RP_RAW) tensor->dtype = dtype;
    if (tensor->rank == RP_OP_INFER) {
        tensor->rank = (uint8_t)rank;
        memcpy(tensor->dims, dims, rank * sizeof *dims);
    }
    if (tensor->rank != rank || memcmp(tensor->dims, dims, rank * sizeof *dims) != 0) {
        rp_tensor wanted = {.dtype = tensor->dtype, .rank = (uint8_t)rank};
        char own[SHAPE], expected[SHAPE];
        memcpy(wanted.dims, dims, rank * sizeof *dims);
        print_shape(e, tensor, own);
        print_shape(e, &wanted, expected);
        return rp_apply_error(e->application, RP_BLAME_OP, 0, "%s: %s is %s, expected %s",
                              e->composite->info.name, out->name, own, expected);
    }
    return out->fresh == RP_NONE ? RP_OK
                                 : rp_apply_fresh(e->application, e->composite->info.name, out);
}

static rp_status wrong_at(rp_expansion *e, uint32_t attr, uint32_t character, const char *format,
                          va_list args) {
    rp_application *x = e->application;
    const char *name = e->composite->attrs[attr].name;
    char what[256];
    vsnprintf(what, sizeof what, format, args);
    for (uint32_t i = 0; i < x->attr_count; i++) {
        if (strcmp(x->attrs[i].name, name) != 0) continue;
        rp_apply_error(x, RP_BLAME_ATTR, i, "attribute '%s' of %s %s", name,
                       e->composite->info.name, what);
        x->error_at = character;
        return RP_ERROR_INVALID;
    }
    return rp_apply_error(x, RP_BLAME_OP, 0, "attribute '%s' of %s %s", name,
                          e->composite->info.name, what);
}

rp_status rp_expand_wrong(rp_expansion *e, uint32_t attr, const char *format, ...) {
    va_list args;
    va_start(args, format);
    rp_status status = wrong_at(e, attr, 0, format, args);
    va_end(args);
    return status;
}

rp_status rp_expand_wrong_at(rp_expansion *e, uint32_t attr, uint32_t at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    rp_status status = wrong_at(e, attr, at + 1, format, args);
    va_end(args);
    return status;
}
