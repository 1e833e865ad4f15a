/* Formulas with the user's names in them.
 *
 * In the graph a map's inputs are called a, b, c ..., so that the formula does not depend on what
 * buffers are called and equal computations are equal texts. Front ends let users write names of
 * buffers. The names are replaced in the text itself, token by token, without parsing: everything
 * else stays as it was written, and each byte remembers where it came from, so that the parser's
 * complaints point into the user's text. */
#include "composite/formula.h"

#include <stdio.h>
#include "ops/op_formula.h"
#include "ops/tables.h"

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

size_t rp_formula_number_end(const char *text, size_t at) {
    while (is_digit(text[at]) || text[at] == '.') at++;
    if (text[at] != 'e' && text[at] != 'E') return at;
    size_t digits = at + 1 + (text[at + 1] == '+' || text[at + 1] == '-');
    if (!is_digit(text[digits])) return at;
    while (is_digit(text[digits])) digits++;
    return digits;
}

bool rp_formula_is_constant(const char *name, size_t length) {
    uint32_t place;
    return (length == 3 && (memcmp(name, "inf", 3) == 0 || memcmp(name, "nan", 3) == 0)) ||
           (length == 2 && memcmp(name, "pi", 2) == 0) || rp_formula_place(name, length, &place);
}

bool rp_formula_next_name(const char *text, size_t *at, size_t *begin, size_t *length) {
    for (size_t i = *at; text[i];) {
        if (is_digit(text[i]) || (text[i] == '.' && is_digit(text[i + 1]))) {
            i = rp_formula_number_end(text, i);
            continue;
        }
        if (!is_letter(text[i])) {
            i++;
            continue;
        }
        size_t end = i;
        while (is_letter(text[end]) || is_digit(text[end]) || text[end] == '.') end++;
        size_t next = end + strspn(text + end, " \t\n");
        if (text[next] != '(') {
            *begin = i;
            *length = end - i;
            *at = end;
            return true;
        }
        i = end;
    }
    return false;
}

/* ---- Rewriting ------------------------------------------------------------------------------- */

typedef struct rewriter {
    rp_application *x;
    rp_map_formula *out;
    uint32_t size;
    bool placed;                           /* it names an element's place */
    uint16_t origin[RP_APPLY_MAX_FORMULA]; /* of each byte of the new text */
} rewriter;

static rp_status formula_error(rp_application *x, size_t at, const char *format, ...)
    RP_PRINTF(3, 4);
static rp_status formula_error(rp_application *x, size_t at, const char *format, ...) {
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_apply_error(x, RP_BLAME_ATTR, 0, "%s", message);
    x->error_at = (uint32_t)at + 1;
    return RP_ERROR_INVALID;
}

static bool emit(rewriter *w, const char *text, size_t length, size_t from, bool same) {
    if (length >= RP_APPLY_MAX_FORMULA - w->size) return false;
    for (size_t i = 0; i < length; i++) {
        w->origin[w->size] = (uint16_t)(same ? from + i : from);
        w->out->text[w->size++] = text[i];
    }
    w->out->text[w->size] = '\0';
    return true;
}

/* The letter of an operand, which it gets when it is met first; -1 without any left. */
static int letter_of(rp_map_formula *f, uint32_t operand) {
    for (uint32_t i = 0; i < f->input_count; i++)
        if (f->inputs[i] == operand) return (int)i;
    if (f->input_count == sizeof f->inputs / sizeof *f->inputs) return -1;
    f->inputs[f->input_count] = operand;
    return (int)f->input_count++;
}

static bool is_name(const char *given, const char *name, size_t length) {
    return given && strncmp(given, name, length) == 0 && !given[length];
}

static rp_status emit_name(rewriter *w, const char *text, size_t begin, size_t length) {
    rp_application *x = w->x;
    const char *name = text + begin;
    for (uint32_t i = 0; i < x->operand_count; i++) {
        if (i == w->out->output || !is_name(x->operands[i].name, name, length)) continue;
        int letter = letter_of(w->out, i);
        if (letter < 0) return formula_error(x, begin, "a formula has at most 26 inputs");
        char c = (char)('a' + letter);
        return emit(w, &c, 1, begin, false) ? RP_OK
                                            : formula_error(x, begin, "the formula is too long");
    }
    for (uint32_t i = 0; i < x->number_count; i++) {
        if (!is_name(x->numbers[i].name, name, length)) continue;
        const char *number = x->numbers[i].text;
        return emit(w, number, strlen(number), begin, false)
                   ? RP_OK
                   : formula_error(x, begin, "the formula is too long");
    }
    if (rp_formula_is_constant(name, length))
        return emit(w, name, length, begin, true)
                   ? RP_OK
                   : formula_error(x, begin, "the formula is too long");
    return formula_error(x, begin, "'%.*s' is no operand of this map",
                         (int)(length < 60 ? length : 60), name);
}

static bool lookup(void *context, const char *name, size_t length, uint32_t *out) {
    const rp_map_formula *f = context;
    if (rp_formula_place(name, length, out)) {
        *out += sizeof f->inputs / sizeof *f->inputs;
        return true;
    }
    if (length != 1 || name[0] < 'a' || (uint32_t)(name[0] - 'a') >= f->input_count) return false;
    *out = (uint32_t)(name[0] - 'a');
    return true;
}

/* The dtype of an output that is made: by the formula's type, not by its first input, which may be
 * the bytes of a picture. Floats are f16, or bf16, where no float is anything else. */
static uint8_t natural_dtype(const rewriter *w, rp_formula *formula) {
    uint8_t types[26 + RP_FORMULA_PLACES];
    bool f16 = false, bf16 = false, f32 = false;
    char error[160];
    for (uint32_t i = 0; i < w->out->input_count; i++) {
        uint8_t dtype = w->x->operands[w->out->inputs[i]].argument.tensor.dtype;
        types[i] = rp_op_formula_type(dtype);
        f16 |= dtype == RP_F16;
        bf16 |= dtype == RP_BF16;
        f32 |= dtype == RP_F32;
    }
    memset(types + 26, RP_TYPE_I32, RP_FORMULA_PLACES);
    if (!rp_formula_check(formula, types, error)) return RP_RAW; /* the op will say so */
    switch ((rp_formula_type)formula->nodes[formula->count - 1].type) {
    case RP_TYPE_F32:
        return f16 && !bf16 && !f32 ? RP_F16 : bf16 && !f16 && !f32 ? RP_BF16 : RP_F32;
    case RP_TYPE_NUMBER:
    case RP_TYPE_I32: return RP_I32;
    case RP_TYPE_U32: return RP_U32;
    case RP_TYPE_I64: return RP_I64;
    case RP_TYPE_U64: return RP_U64;
    case RP_TYPE_BOOL: return RP_U8;
    }
    return RP_RAW;
}

/* What the op would say too, but with the place. */
static rp_status parse(rewriter *w) {
    rp_formula formula = {0};
    char error[160] = "";
    size_t at = 0;
    const rp_allocator *a = &w->x->graph->allocator;
    rp_status status =
        rp_formula_parse(a, w->out->text, w->size, lookup, w->out, &formula, error, &at);
    if (status == RP_OK) w->out->dtype = natural_dtype(w, &formula);
    for (uint32_t i = 0; i < formula.count; i++)
        w->placed |= formula.nodes[i].code == RP_FORMULA_NAME && formula.nodes[i].name >= 26;
    rp_formula_free(a, &formula);
    if (status != RP_ERROR_INVALID) return status;
    size_t end = strlen(w->x->attrs[0].text);
    return formula_error(w->x, at < w->size ? w->origin[at] : end, "%s", error);
}

static rp_status check_operands(rp_application *x, const rp_map_formula *f, bool placed) {
    for (uint32_t i = 0; i < x->operand_count; i++) {
        bool used = i == f->output;
        for (uint32_t k = 0; !used && k < f->input_count; k++) used = f->inputs[k] == i;
        if (!used)
            return rp_apply_error(x, RP_BLAME_OPERAND, i, "operand '%.60s' is not in the formula",
                                  x->operands[i].name);
    }
    if (f->input_count || placed) return RP_OK;
    return rp_apply_error(x, RP_BLAME_ATTR, 0,
                          "a formula without an input: use the op 'fill' for constants");
}

rp_status rp_map_rewrite(rp_application *x, rp_map_formula *out) {
    *out = (rp_map_formula){.output = RP_NONE};
    rewriter w = {.x = x, .out = out};
    for (uint32_t i = 0; i < x->operand_count; i++)
        if (is_name(x->operands[i].name, "out", 3)) out->output = i;
    if (out->output == RP_NONE)
        return rp_apply_error(x, RP_BLAME_OP, 0, "operand 'out' of map is missing");
    if (x->attr_count != 1 || !is_name(x->attrs[0].name, "expr", 4) || !x->attrs[0].text)
        return rp_apply_error(x, RP_BLAME_OP, 0, "a map has one attribute, 'expr': its formula");
    const char *text = x->attrs[0].text;
    if (strlen(text) >= RP_APPLY_MAX_FORMULA)
        return rp_apply_error(x, RP_BLAME_ATTR, 0, "the formula is longer than %d bytes",
                              RP_APPLY_MAX_FORMULA - 1);
    size_t at = 0, done = 0, begin, length;
    while (rp_formula_next_name(text, &at, &begin, &length)) {
        if (!emit(&w, text + done, begin - done, done, true))
            return formula_error(x, begin, "the formula is too long");
        RP_TRY(emit_name(&w, text, begin, length));
        done = at;
    }
    if (!emit(&w, text + done, strlen(text + done), done, true))
        return formula_error(x, done, "the formula is too long");
    RP_TRY(parse(&w));
    return check_operands(x, out, w.placed);
}
