/* The page of an op in Markdown, from its definition alone: what the command line prints and what
 * the reference is made of. Whoever adds an op writes no page for it. */
#include "ops/tables.h"

#include <math.h>

/* ---- Words ----------------------------------------------------------------------------------- */

/* "*R C" as "[..., C]", with R the product of what the dots stand for. */
static void put_shape(rp_text *t, const rp_op_operand *operand) {
    if (!operand->shape) {
        bool output = operand->access != RP_READ;
        rp_text_string(t, output ? "as the inputs broadcast" : "broadcasts");
        return;
    }
    if (!*operand->shape) {
        rp_text_string(t, "one element");
        return;
    }
    bool star = false, first = true;
    rp_text_string(t, "`[");
    for (const char *c = operand->shape; *c; c++) {
        if (*c == '*') star = true;
        if (*c < 'A' || *c > 'Z') continue;
        if (!first) rp_text_string(t, ", ");
        if (star && first)
            rp_text_string(t, "...");
        else
            rp_text_char(t, *c);
        first = false;
    }
    rp_text_string(t, "]`");
    if (star) rp_text_format(t, ", the dots multiply to %c", operand->shape[1]);
}

static void put_dtypes(rp_text *t, uint32_t dtypes) {
    bool first = true;
    for (uint32_t d = 0; d < 32; d++) {
        const char *name = rp_dtype_name((rp_dtype)d);
        if (!(dtypes >> d & 1) || !name) continue;
        rp_text_format(t, "%s%s", first ? "" : ", ", name);
        first = false;
    }
}

/* Where the dtype comes from when it is not given. */
static void put_default(rp_text *t, const rp_op *op, const rp_op_operand *operand) {
    uint32_t lowest = operand->fallback;
    if (operand->access == RP_READ) return;
    while (!operand->fallback && lowest < 31 && !(operand->dtypes >> lowest & 1)) lowest++;
    if (operand->dtypes == RP_DT(lowest)) return; /* no choice */
    if (op == rp_op_map) {
        rp_text_string(t, "; default by the formula");
        return;
    }
    if (!operand->like) {
        rp_text_format(t, "; default %s", rp_dtype_name((rp_dtype)lowest));
        return;
    }
    rp_text_format(t, "; default that of `%s`", operand->like);
    uint32_t like = rp_op_operand_index(op, operand->like, strlen(operand->like));
    if (like < op->operand_count && op->operands[like].dtypes & ~operand->dtypes)
        rp_text_format(t, " or %s", rp_dtype_name((rp_dtype)lowest));
}

static const char *access_word(uint8_t access) {
    switch ((rp_access)access) {
    case RP_READ:
    case RP_SAMPLED:
    case RP_UNIFORM: return "read";
    case RP_WRITE: return "written";
    case RP_READ_WRITE: break;
    }
    return "written in part";
}

static void put_number(rp_text *t, double value) {
    if (isinf(value))
        rp_text_string(t, value < 0 ? "-inf" : "inf");
    else
        rp_text_format(t, "%.10g", value);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* A cell's text: '|' would end the cell. */
static void put_cell(rp_text *t, const char *text) {
    for (; *text; text++) {
        if (*text == '|') rp_text_char(t, '\\');
        rp_text_char(t, *text);
    }
}

static void put_operands(rp_text *t, const rp_op *op) {
    rp_text_string(t, "| operand | is | shape | dtype | |\n|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < op->operand_count; i++) {
        const rp_op_operand *operand = op->operands + i;
        rp_text_format(t, "| `%s` | %s", operand->name, access_word(operand->access));
        if (operand->optional) rp_text_string(t, ", optional");
        if (operand->absent) rp_text_format(t, " (%s)", operand->absent);
        rp_text_string(t, " | ");
        put_shape(t, operand);
        rp_text_string(t, " | ");
        put_dtypes(t, operand->dtypes);
        put_default(t, op, operand);
        rp_text_string(t, " | ");
        put_cell(t, operand->brief);
        rp_text_string(t, " |\n");
    }
    rp_text_char(t, '\n');
}

/* The choice at `index` of "a|b|c". */
static void put_choice(rp_text *t, const char *choices, double index) {
    for (; index >= 1 && *choices; index--) {
        choices += strcspn(choices, "|");
        choices += *choices == '|';
    }
    rp_text_append(t, choices, strcspn(choices, "|"));
}

static void put_attr(rp_text *t, const rp_op_attr *attr) {
    rp_text_format(t, "| `%s` | ", attr->name);
    if (attr->kind == RP_ATTR_CHOICE) {
        put_cell(t, attr->choices);
    } else {
        rp_text_string(t, attr->kind == RP_ATTR_INTEGER ? "integer" : "number");
        if (attr->like) rp_text_format(t, " like `%s`", attr->like);
        rp_text_string(t, ", ");
        put_number(t, attr->low);
        rp_text_string(t, " to ");
        put_number(t, attr->high);
        if (rp_op_attr_takes_nan(attr)) rp_text_string(t, ", or nan");
    }
    rp_text_string(t, " | ");
    if (attr->required)
        rp_text_string(t, "required");
    else if (attr->kind == RP_ATTR_CHOICE)
        put_choice(t, attr->choices, attr->fallback);
    else
        put_number(t, attr->fallback);
    rp_text_string(t, " | ");
    put_cell(t, attr->brief);
    if (attr->symbol) rp_text_format(t, " (%c)", attr->symbol);
    rp_text_string(t, " |\n");
}

static void put_attrs(rp_text *t, const rp_op *op) {
    if (op->attr_count == 0 && op != rp_op_map) return;
    rp_text_string(t, "| attribute | values | default | |\n|---|---|---|---|\n");
    if (op == rp_op_map)
        rp_text_string(t, "| `expr` | text | required | the formula, over `a`, `b`, `c` ... |\n");
    for (uint32_t i = 0; i < op->attr_count; i++) put_attr(t, op->attrs + i);
    rp_text_char(t, '\n');
}

/* ---- What is computed ------------------------------------------------------------------------ */

static const char *reduce_word(uint8_t reduce) {
    switch ((rp_reduce)reduce) {
    case RP_REDUCE_SUM: return "sum";
    case RP_REDUCE_MIN: return "minimum";
    case RP_REDUCE_MAX: return "maximum";
    case RP_REDUCE_ARGMIN: return "index of the minimum";
    case RP_REDUCE_ARGMAX:
    case RP_REDUCE_NONE: break;
    }
    return "index of the maximum";
}

static void put_steps(rp_text *t, const rp_op *op) {
    rp_text_format(t, "Along %s, of length `n`:\n\n",
                   op->parts ? "each part of the last dimension" : "the last dimension");
    for (uint32_t i = 0; i < op->step_count; i++) {
        const rp_op_step *step = &op->steps[i];
        if (step->reduce == RP_REDUCE_NONE)
            rp_text_format(t, "    %s = %s\n", step->name, step->expression);
        else if (step->at)
            rp_text_format(t, "    %s = %s at the %s of %s\n", step->name, step->at,
                           reduce_word(step->reduce), step->expression);
        else
            rp_text_format(t, "    %s = %s of %s\n", step->name, reduce_word(step->reduce),
                           step->expression);
    }
    for (uint32_t i = 0; i < op->operand_count; i++)
        if (op->operands[i].expression)
            rp_text_format(t, "    %s = %s\n", op->operands[i].name, op->operands[i].expression);
    rp_text_char(t, '\n');
}

/* The operands of a kernel to which other ops can be attached. */
static void put_hooks(rp_text *t, const rp_op *op) {
    const char *before = "Other ops can be computed in the same kernel: ";
    for (uint32_t i = 0; i < op->operand_count; i++) {
        if (!op->operands[i].hook) continue;
        bool output = op->operands[i].access != RP_READ;
        rp_text_format(t, "%s%s `%s`", before, output ? "on the way out of" : "on the way in to",
                       op->operands[i].name);
        before = ", ";
    }
    if (*before == ',') rp_text_string(t, ".\n\n");
}

static void put_meaning(rp_text *t, const rp_op *op) {
    switch ((rp_op_form)op->form) {
    case RP_OP_POINTWISE:
        if (op->expression)
            rp_text_format(t, "Element by element:\n\n    out = %s\n\n", op->expression);
        else if (op == rp_op_map)
            rp_text_string(t, "Element by element: the formula in `expr`.\n\n");
        else
            rp_text_format(t, "Element by element, by kernels/pointwise/%s.glsl.\n\n", op->name);
        return;
    case RP_OP_ROWS: put_steps(t, op); return;
    case RP_OP_SCATTER:
        rp_text_format(t,
                       "Each element of `%s` goes to one place, given by "
                       "kernels/scatter/%s.glsl.\n\n",
                       op->operands[0].name, op->name);
        return;
    case RP_OP_KERNEL: put_hooks(t, op); return;
    }
}

/* Dtypes that front ends make others of, and the operands that they are of. */
static void put_taken(rp_text *t, const rp_op *op) {
    for (uint32_t i = 0; i < op->operand_count; i++) {
        const rp_op_operand *o = &op->operands[i];
        if (!o->taken) continue;
        rp_text_format(t, "\nFront ends %s `%s` of ", o->access == RP_READ ? "take" : "give",
                       o->name);
        put_dtypes(t, o->taken);
        if (o->access != RP_READ)
            rp_text_string(t, ", too, converted.\n");
        else if (op->taken_as && (i == 0 || o->taken == op->operands[0].taken))
            rp_text_format(t, ", too, and make a [%s](#%s) of it.\n", op->taken_as, op->taken_as);
        else
            rp_text_format(t, ", too, %s.\n",
                           o->dtypes & RP_DT(RP_F32)    ? "converted to f32"
                           : o->words                   ? "seen as the words that they lie in"
                           : o->taken == RP_DT(RP_BOOL) ? "one for each bit"
                                                        : "converted to i32 or u32");
    }
}

/* In the order in which they are tried. */
static void put_variants(rp_text *t, const rp_op *op) {
    if (!op->variants) return;
    rp_text_string(t, "\n| kernel | when | why |\n|---|---|---|\n");
    for (const rp_op_variant *v = op->variants; v->name; v++)
        rp_text_format(t, "| `%s` | %s | %s |\n", v->name, v->when, v->why);
}

/* ---- The page -------------------------------------------------------------------------------- */

rp_status rp_op_doc(const rp_allocator *allocator, const rp_op *op, char **out_text) {
    if (!out_text) return RP_ERROR_USAGE;
    *out_text = NULL;
    if (!op) return RP_ERROR_USAGE;
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_text t;
    rp_text_init(&t, &a);
    rp_text_format(&t, "## %s\n\nFamily %s: %s.\n\n", op->name, op->family, op->brief);
    put_operands(&t, op);
    put_attrs(&t, op);
    put_meaning(&t, op);
    if (op->notes) rp_text_format(&t, "Numerics: %s\n", op->notes);
    put_taken(&t, op);
    put_variants(&t, op);
    rp_status status = rp_text_take(&t, out_text, NULL);
    rp_text_free(&t);
    return status;
}

void rp_op_doc_release(const rp_allocator *allocator, char *text) {
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_release(&a, text);
}
