/* Calls of ops in one line; see op_calls.h. */
#include "support/op_calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

static bool refuse(rp_op_line *line, const char *what, const char *at) {
    snprintf(line->call.error, sizeof line->call.error, "the line: %s at '%s'", what, at);
    return false;
}

static uint8_t dtype_of(const char *name, size_t length) {
    for (uint32_t d = RP_RAW; rp_dtype_name((rp_dtype)d); d++)
        if (strlen(rp_dtype_name((rp_dtype)d)) == length &&
            memcmp(rp_dtype_name((rp_dtype)d), name, length) == 0)
            return (uint8_t)d;
    return RP_RAW;
}

/* "f32[3,5]", "f16?", "u32", "-" */
static bool parse_tensor(rp_tensor *out, const char *word, size_t length) {
    size_t name = strcspn(word, "[?: ");
    if (name > length) name = length;
    *out = (rp_tensor){.absent = length == 1 && word[0] == '-'};
    if (out->absent) return true;
    out->dtype = dtype_of(word, name);
    if (out->dtype == RP_RAW) return false;
    if (name < length && word[name] == '?') out->rank = RP_OP_INFER;
    if (name == length || word[name] != '[') return name == length || word[name] == '?';
    for (char *end = (char *)word + name; *end != ']'; out->rank++) {
        if (out->rank == RP_MAX_RANK) return false;
        out->dims[out->rank] = strtoull(end + 1, &end, 10);
        if (*end != ',' && *end != ']') return false;
    }
    return true;
}

static bool parse_operands(rp_op_line *line, const char *text, uint32_t *count) {
    *count = 0;
    for (const char *at = text; *(at += strspn(at, " ")); (*count)++) {
        size_t length = strcspn(at, " "), type = strcspn(at, ": ");
        if (*count == RP_OP_MAX_OPERANDS) return refuse(line, "too many operands", at);
        if (!parse_tensor(&line->call.operands[*count], at, type))
            return refuse(line, "not an operand", at);
        if (type < length)
            snprintf(line->fill[*count], sizeof line->fill[*count], "%.*s",
                     (int)(length - type - 1), at + type + 1);
        at += length;
    }
    return true;
}

/* The index of one of the choices "a|b|c". */
static bool choice_of(const char *choices, const char *word, size_t length, double *out) {
    uint32_t index = 0;
    for (const char *at = choices; *at; index++) {
        size_t n = strcspn(at, "|");
        if (n == length && memcmp(at, word, n) == 0) {
            *out = index;
            return true;
        }
        at += n + (at[n] == '|');
    }
    return false;
}

/* As far as it is one: what is none some test wants to see refused. */
static void read_number(const rp_op_attr *attr, const char *text, size_t length, double *number,
                        double *rest) {
    if (!attr->like || !rp_number_parse_exact(text, length, number, rest))
        *number = strtod(text, NULL);
}

static bool parse_attrs(rp_op_line *line, const char *text) {
    const rp_op *op = line->call.op;
    for (const char *at = text; *(at += strspn(at, " "));) {
        size_t name = strcspn(at, "="), length = strcspn(at, " ");
        if (strncmp(at, "expr=", 5) == 0) {
            snprintf(line->expr, sizeof line->expr, "%s", at + 5);
            line->call.formula = line->expr;
            return true;
        }
        uint32_t index = rp_op_attr_index(op, at, name);
        if (index == RP_OP_MISSING || name >= length) return refuse(line, "not an attribute", at);
        if (op->attrs[index].kind != RP_ATTR_CHOICE)
            read_number(&op->attrs[index], at + name + 1, length - name - 1,
                        &line->call.attrs[index], &line->call.rests[index]);
        else if (!choice_of(op->attrs[index].choices, at + name + 1, length - name - 1,
                            &line->call.attrs[index]))
            return refuse(line, "not a choice", at);
        at += length;
    }
    return true;
}

bool rp_op_line_writes(const rp_op_call *call, uint32_t operand) {
    const rp_op_operand *o = rp_op_operand_of(call, operand);
    return o && rp_access_writes(o->access);
}

bool rp_op_line_parse(rp_op_line *line, const char *op, const char *attrs, const char *operands) {
    const rp_op *found = rp_op_find(op, strlen(op));
    uint32_t given;
    memset(line, 0, sizeof *line);
    if (!found) return refuse(line, "no such op", op);
    rp_op_call_init(&line->call, found, found->operand_count);
    if (!parse_operands(line, operands, &given) || !parse_attrs(line, attrs ? attrs : ""))
        return false;
    if (line->call.formula) line->call.operand_count = given;
    if (given > line->call.operand_count) return refuse(line, "too many operands", operands);
    bool infer = false;
    for (uint32_t i = 0; i < line->call.operand_count; i++) {
        if (i >= given)
            line->call.operands[i] = rp_op_line_writes(&line->call, i)
                                         ? (rp_tensor){.rank = RP_OP_INFER, .dtype = RP_RAW}
                                         : (rp_tensor){.absent = true};
        infer |= !line->call.operands[i].absent && line->call.operands[i].rank == RP_OP_INFER;
    }
    return infer ? rp_op_infer(&line->call) : rp_op_check(&line->call);
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

static uint32_t intern(rp_graph *graph, const char *text, size_t length) {
    uint32_t string = rp_graph_intern(graph, text, length);
    if (string == RP_NONE) abort();
    return string;
}

static void list_attrs(rp_graph *graph, rp_op_line *line) {
    const rp_op *op = line->call.op;
    line->attr_count = 0;
    for (uint32_t i = 0; i < op->attr_count; i++) {
        const rp_op_attr *attr = &op->attrs[i];
        rp_graph_attr item = {intern(graph, attr->name, strlen(attr->name)), RP_NONE,
                              line->call.attrs[i], line->call.rests[i]};
        if (!attr->required && rp_number_same(item.number, attr->fallback) && item.rest == 0)
            continue;
        if (attr->kind == RP_ATTR_CHOICE) {
            const char *at = attr->choices;
            for (double k = 0; k < item.number; k++) at += strcspn(at, "|") + 1;
            item.text = intern(graph, at, strcspn(at, "|"));
            item.number = 0;
        }
        line->attrs[line->attr_count++] = item;
    }
    if (line->call.formula)
        line->attrs[line->attr_count++] =
            (rp_graph_attr){intern(graph, "expr", 4),
                            intern(graph, line->call.formula, strlen(line->call.formula)), 0, 0};
}

void rp_op_line_add(rp_graph *graph, rp_op_line *line, uint32_t id,
                    const rp_op_argument *arguments) {
    rp_graph_node node = {.id = id, .label = RP_NONE, .op = RP_NONE};
    list_attrs(graph, line);
    if (rp_graph_add_op(graph, &node, line->call.op, arguments, line->call.operand_count,
                        line->attrs, line->attr_count) == RP_NONE)
        abort();
}

uint32_t rp_add_tensor_buffer(rp_graph *graph, const char *name, rp_buffer_kind kind,
                              const rp_tensor *tensor) {
    rp_graph_buffer buffer = {.name = intern(graph, name, strlen(name)),
                              .kind = (uint8_t)kind,
                              .dtype = tensor->dtype,
                              .rank = tensor->rank,
                              .size = rp_tensor_bytes(tensor),
                              .offset = RP_NOT_PLACED,
                              .first_default = RP_NONE,
                              .max_value = UINT32_MAX};
    const rp_tensor one = {.rank = 1, .dims = {1}};
    if (tensor->rank == 0) buffer.rank = 1; /* buffers have shapes; a single element is [1] */
    uint32_t index = rp_graph_add_shaped(graph, &buffer, tensor->rank ? tensor : &one);
    if (index == RP_NONE) abort();
    return index;
}
