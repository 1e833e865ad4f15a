/* Checking a call of an op and inferring its outputs.
 *
 * A shape is a pattern of dimension symbols, and checking is unification in one direction: inputs
 * bind the symbols from left to right, then attributes and the op's own rule may bind more, then
 * outputs are compared with what is bound, or built from it. Who bound a symbol is remembered, so
 * that a mismatch can be told with both operands: "rms_norm: weight is f32[9], expected its last
 * dimension to be 8, the last dimension of x f32[4,8]".
 *
 * Operands without a pattern broadcast. An output has exactly the shape that the inputs broadcast
 * to (leading dimensions of 1 aside): a larger one would be legal as arithmetic, but is a mistake
 * far more often than it is meant.
 *
 * Everything here is untrusted: dimensions come from files. Products are checked, and a call that
 * was accepted has at most RP_OP_MAX_ELEMENTS elements in each operand. */
#include <math.h>
#include <stdio.h>

#include "base/checked.h"
#include "ops/op_formula.h"
#include "ops/op_sizes.h"
#include "ops/tables.h"

enum { BY_NOBODY = 0, BY_OPERAND = 1, BY_ATTR = 2 };

typedef struct origin {
    uint8_t by, index; /* which operand or attribute */
    uint8_t token;     /* which symbol of its shape */
} origin;

typedef struct checker {
    rp_op_call *call;
    bool infer;
    origin origins['Z' - 'A' + 1];
} checker;

enum { PHRASE_TEXT = 256 };

/* ---- Words for messages ---------------------------------------------------------------------- */

static bool is_symbol(char c) {
    return c >= 'A' && c <= 'Z';
}

/* The symbols of a shape without '*' and spaces; their number. */
static uint32_t read_shape(const char *shape, char symbols[RP_MAX_RANK], bool *star) {
    uint32_t count = 0;
    *star = *shape == '*';
    for (; *shape; shape++)
        if (is_symbol(*shape) && count < RP_MAX_RANK) symbols[count++] = *shape;
    return count;
}

static const char *print_pattern(char text[PHRASE_TEXT], const char *shape) {
    char symbols[RP_MAX_RANK];
    bool star;
    uint32_t count = read_shape(shape, symbols, &star);
    if (count == 0) return "a single element";
    int used = snprintf(text, PHRASE_TEXT, "the shape [");
    for (uint32_t i = 0; i < count; i++)
        used += snprintf(text + used, PHRASE_TEXT - (size_t)used, "%s%.*s", i ? "," : "",
                         star && i == 0 ? 3 : 1, star && i == 0 ? "..." : symbols + i);
    snprintf(text + used, PHRASE_TEXT - (size_t)used, "]");
    return text;
}

/* "last dimension" and the like, for token `index` of an operand's shape. */
static const char *part_of(const rp_op_call *call, uint32_t operand, uint32_t index) {
    char symbols[RP_MAX_RANK];
    bool star;
    uint32_t rank = call->operands[operand].rank;
    uint32_t count = read_shape(rp_op_operand_of(call, operand)->shape, symbols, &star);
    if (star && index == 0) return count == 1 ? "elements" : "leading dimensions";
    return rp_dimension_name(rank > count ? rank - count + index : index,
                             rank > count ? rank : count);
}

/* Reports that token `index` of an operand's shape should be the value of its symbol. */
static bool fail_symbol(checker *c, uint32_t operand, uint32_t index, char symbol, uint64_t found) {
    rp_op_call *call = c->call;
    const origin *from = &c->origins[symbol - 'A'];
    char own[RP_TENSOR_TEXT], other[RP_TENSOR_TEXT], because[PHRASE_TEXT] = "";
    const char *part = part_of(call, operand, index);
    if (from->by == BY_OPERAND)
        snprintf(because, sizeof because, ", the %s of %s %s",
                 part_of(call, from->index, from->token), rp_op_operand_name(call, from->index),
                 rp_tensor_text(other, call->operands + from->index));
    if (from->by == BY_ATTR)
        snprintf(because, sizeof because, ", attribute %s", call->op->attrs[from->index].name);
    return rp_op_fail(
        call, "%s is %s: its %s, %c, %s %llu, expected %llu%s", rp_op_operand_name(call, operand),
        rp_tensor_text(own, call->operands + operand), part, symbol, rp_part_verb(part),
        (unsigned long long)found, (unsigned long long)rp_sym(call, symbol), because);
}

/* ---- One operand alone ----------------------------------------------------------------------- */

static bool writes(const rp_op_operand *operand) {
    return operand->access != RP_READ;
}

/* Lists dtypes: "f32, f16 or u8". */
static const char *print_dtypes(char text[PHRASE_TEXT], uint32_t dtypes) {
    int used = 0;
    *text = '\0';
    for (uint32_t d = 0; d < 32; d++) {
        if (!(dtypes >> d & 1) || !rp_dtype_name((rp_dtype)d)) continue;
        dtypes &= ~RP_DT(d);
        used += snprintf(text + used, PHRASE_TEXT - (size_t)used, "%s%s",
                         used == 0 ? "" : (dtypes ? ", " : " or "), rp_dtype_name((rp_dtype)d));
    }
    return text;
}

static bool check_dtype(checker *c, uint32_t index) {
    const rp_op_operand *operand = rp_op_operand_of(c->call, index);
    const rp_tensor *t = c->call->operands + index;
    char text[PHRASE_TEXT];
    if (rp_op_is_in(t->dtype, operand->dtypes)) return true;
    const char *name = rp_dtype_name(t->dtype);
    return rp_op_fail(c->call, "%s is %s, expected %s", rp_op_operand_name(c->call, index),
                      name ? name : "of an unknown dtype", print_dtypes(text, operand->dtypes));
}

/* A dtype that the op takes, and dimensions that can be counted. */
static bool check_tensor(checker *c, uint32_t index) {
    rp_op_call *call = c->call;
    const rp_tensor *t = call->operands + index;
    const char *name = rp_op_operand_name(call, index);
    char text[RP_TENSOR_TEXT];
    if (!check_dtype(c, index)) return false;
    if (t->rank > RP_MAX_RANK)
        return rp_op_fail(call, "%s has %u dimensions; at most %d are possible", name, t->rank,
                          RP_MAX_RANK);
    if (rp_tensor_elements(t) > RP_OP_MAX_ELEMENTS)
        return rp_op_fail(call, "%s is %s: it has more than %llu elements", name,
                          rp_tensor_text(text, t), (unsigned long long)RP_OP_MAX_ELEMENTS);
    uint32_t block = rp_dtype_block(t->dtype);
    if (block > 1 && (t->rank == 0 || t->dims[t->rank - 1] % block != 0))
        return rp_op_fail(call, "%s is %s, expected its last dimension to be a multiple of %u",
                          name, rp_tensor_text(text, t), block);
    return true;
}

/* Compares a tensor with its pattern; binds symbols that are free. */
static bool match_shape(checker *c, uint32_t index) {
    rp_op_call *call = c->call;
    const rp_tensor *t = call->operands + index;
    const char *shape = rp_op_operand_of(call, index)->shape;
    char symbols[RP_MAX_RANK], text[RP_TENSOR_TEXT], phrase[PHRASE_TEXT];
    bool star;
    uint32_t count = read_shape(shape, symbols, &star);
    bool fits = star ? t->rank + 1u >= count : t->rank == count;
    if (count == 0) fits = rp_tensor_elements(t) == 1;
    if (!fits)
        return rp_op_fail(call, "%s is %s, expected %s", rp_op_operand_name(call, index),
                          rp_tensor_text(text, t), print_pattern(phrase, shape));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = t->rank - count + i; /* the dimension; not of the starred one */
        uint64_t value = 1;
        rp_powers powers = 0; /* what they show, where nothing else binds the symbol */
        if (star && i == 0)
            for (uint32_t k = 0; k + count < t->rank + 1u; k++) {
                value *= t->dims[k];
                powers = rp_powers_sum(powers, t->powers[k]);
            }
        else
            value = t->dims[at], powers = t->powers[at];
        if (!rp_op_is_bound(call, symbols[i])) {
            rp_op_bind(call, symbols[i], value);
            call->powers[symbols[i] - 'A'] = powers;
            c->origins[symbols[i] - 'A'] = (origin){BY_OPERAND, (uint8_t)index, (uint8_t)i};
        } else if (rp_sym(call, symbols[i]) != value) {
            return fail_symbol(c, index, i, symbols[i], value);
        }
    }
    return true;
}

/* ---- Attributes ------------------------------------------------------------------------------ */

static double choice_count(const char *choices) {
    double count = 1;
    for (; choices && *choices; choices++) count += *choices == '|';
    return count;
}

static bool check_attr(checker *c, uint32_t index) {
    rp_op_call *call = c->call;
    const rp_op_attr *attr = call->op->attrs + index;
    double value = call->attrs[index];
    if (isnan(value) && rp_op_attr_takes_nan(attr)) return true;
    if (isnan(value))
        return rp_op_fail(
            call, attr->required ? "attribute %s is missing" : "attribute %s is not a number",
            attr->name);
    switch ((rp_op_attr_kind)attr->kind) {
    case RP_ATTR_CHOICE:
        if (value < 0 || value >= choice_count(attr->choices) || value != floor(value))
            return rp_op_fail(call, "attribute %s is not one of %s", attr->name, attr->choices);
        return true;
    case RP_ATTR_INTEGER:
        if (value != floor(value))
            return rp_op_fail(call, "attribute %s is %g, expected a whole number", attr->name,
                              value);
        /* Kernels take it as a 32-bit word, whatever range the op allows. */
        if (value < INT32_MIN || value > UINT32_MAX)
            return rp_op_fail(call, "attribute %s is %.9g, more than 32 bits hold", attr->name,
                              value);
        break;
    case RP_ATTR_NUMBER: break;
    case RP_ATTR_LIST:
    case RP_ATTR_NUMBERS: return rp_op_fail(call, "attribute %s is a list", attr->name);
    case RP_ATTR_TEXT: return rp_op_fail(call, "attribute %s is a text", attr->name);
    }
    if (!(value >= attr->low && value <= attr->high))
        return rp_op_fail(call, "attribute %s is %.9g, expected %.9g to %.9g", attr->name, value,
                          attr->low, attr->high);
    if (rp_op_attr_overflows(attr, value))
        return rp_op_fail(call, "attribute %s is %.9g, too large for f32", attr->name, value);
    if (attr->symbol && value >= 1) {
        rp_op_bind(call, attr->symbol, (uint64_t)value);
        c->origins[attr->symbol - 'A'] = (origin){BY_ATTR, (uint8_t)index, 0};
    }
    return true;
}

/* ---- Broadcasting ---------------------------------------------------------------------------- */

/* The dimension of a tensor at `place`, counted from the end; 1 beyond its first. */
static uint64_t dim_from_end(const rp_tensor *t, uint32_t place) {
    return place < t->rank ? t->dims[t->rank - 1 - place] : 1;
}

/* Widens `shape` so that input `index` broadcasts to it. */
static bool broadcast_input(checker *c, rp_tensor *shape, uint32_t index) {
    const rp_tensor *t = c->call->operands + index;
    char one[RP_TENSOR_TEXT], other[RP_TENSOR_TEXT];
    for (uint32_t place = 0; place < t->rank; place++) {
        uint64_t own = dim_from_end(t, place), now = dim_from_end(shape, place);
        if (own == now || own == 1 || now == 1) continue;
        shape->dtype = t->dtype; /* of no meaning; keeps the message below readable */
        rp_tensor_text(other, shape);
        return rp_op_fail(c->call, "%s is %s, which does not broadcast to %s",
                          rp_op_operand_name(c->call, index), rp_tensor_text(one, t),
                          strchr(other, '[') ? strchr(other, '[') : "a single element");
    }
    rp_tensor wide = *shape;
    wide.rank = t->rank > shape->rank ? t->rank : shape->rank;
    for (uint32_t place = 0; place < wide.rank; place++) {
        uint64_t own = dim_from_end(t, place), now = dim_from_end(shape, place);
        wide.dims[wide.rank - 1 - place] = now == 1 ? own : now;
        wide.powers[wide.rank - 1 - place] = now == 1 && own != 1 ? t->powers[t->rank - 1 - place]
                                             : place < shape->rank
                                                 ? shape->powers[shape->rank - 1 - place]
                                                 : 0;
    }
    *shape = wide;
    return true;
}

static bool is_broadcast_input(const rp_op_call *call, uint32_t index) {
    const rp_op_operand *operand = rp_op_operand_of(call, index);
    return !writes(operand) && !operand->shape && !call->operands[index].absent;
}

static bool names_places(const rp_formula *formula) {
    for (uint32_t i = 0; i < formula->count; i++)
        if (formula->nodes[i].code == RP_FORMULA_NAME && formula->nodes[i].name >= RP_OP_NAME_PLACE)
            return true;
    return false;
}

/* Whether a map's output may be larger than what its inputs broadcast to, `wide`: its formula names places, which
 * have the output's shape. */
static bool widens(const rp_op_call *call, const rp_tensor *out, const rp_tensor *wide) {
    rp_formula_block block;
    rp_formula formula;
    char error[160];
    size_t at = 0;
    if (call->op != rp_op_map) return false;
    for (uint32_t place = 0; place < out->rank || place < wide->rank; place++)
        if (dim_from_end(wide, place) != 1 && dim_from_end(wide, place) != dim_from_end(out, place))
            return false;
    return rp_op_parse_formula(call, call->formula, &block, &formula, error, &at) &&
           names_places(&formula);
}

/* ---- Outputs --------------------------------------------------------------------------------- */

/* The leading dimensions that a starred symbol stands for in the first input that has it. */
static bool leading_dims(const rp_op_call *call, char symbol, rp_tensor *out) {
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_op_operand *operand = rp_op_operand_of(call, i);
        const rp_tensor *t = call->operands + i;
        char symbols[RP_MAX_RANK];
        bool star;
        if (writes(operand) || !operand->shape || t->absent) continue;
        uint32_t count = read_shape(operand->shape, symbols, &star);
        if (!star || count == 0 || symbols[0] != symbol) continue;
        out->rank = (uint8_t)(t->rank + 1 - count);
        memcpy(out->dims, t->dims, out->rank * sizeof *out->dims);
        memcpy(out->powers, t->powers, out->rank * sizeof *out->powers);
        return true;
    }
    return false;
}

static bool infer_shape(checker *c, uint32_t index) {
    rp_op_call *call = c->call;
    rp_tensor *t = call->operands + index;
    const char *name = rp_op_operand_name(call, index);
    char symbols[RP_MAX_RANK];
    bool star;
    uint32_t count = read_shape(rp_op_operand_of(call, index)->shape, symbols, &star);
    t->rank = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = rp_sym(call, symbols[i]);
        if (star && i == 0 && leading_dims(call, symbols[0], t)) continue;
        if (!rp_op_is_bound(call, symbols[i]))
            return rp_op_fail(call, "the shape of %s must be given: its %s is not known", name,
                              part_of(call, index, i));
        if (t->rank == RP_MAX_RANK)
            return rp_op_fail(call, "%s would have more than %d dimensions", name, RP_MAX_RANK);
        t->powers[t->rank] = call->powers[symbols[i] - 'A'];
        t->dims[t->rank++] = value;
    }
    return true;
}

static void default_dtype(checker *c, uint32_t index) {
    const rp_op_operand *operand = rp_op_operand_of(c->call, index);
    rp_tensor *t = c->call->operands + index;
    uint32_t like = RP_OP_MISSING;
    if (operand->like)
        like = rp_op_operand_index(c->call->op, operand->like, strlen(operand->like));
    if (like < index && !c->call->operands[like].absent) {
        t->dtype = c->call->operands[like].dtype;
        if (operand->dtypes >> t->dtype & 1) return;
        if (t->dtype == RP_I8 && !operand->fallback &&
            (operand->dtypes & RP_DT(RP_I32))) { /* sums of it */
            t->dtype = RP_I32;
            return;
        }
    }
    t->dtype = operand->fallback;
    while (!operand->fallback && t->dtype < 31 && !(operand->dtypes >> t->dtype & 1)) t->dtype++;
}

/* One output: `wide` is what the inputs without a pattern broadcast to, NULL where there are none. */
static bool check_output(checker *c, uint32_t index, const rp_tensor *wide) {
    rp_op_call *call = c->call;
    rp_tensor *t = call->operands + index;
    const char *shape = rp_op_operand_of(call, index)->shape;
    char own[RP_TENSOR_TEXT], other[RP_TENSOR_TEXT];
    if (c->infer && t->dtype == RP_RAW) default_dtype(c, index);
    if (c->infer && t->rank == RP_OP_INFER) {
        memset(t->powers, 0, sizeof t->powers); /* op_sizes.c finds what is not shown here */
        if (shape && !infer_shape(c, index)) return false;
        if (!shape && !wide)
            return rp_op_fail(call, "%s must be given with its shape: no input says it",
                              rp_op_operand_name(call, index));
        if (!shape) {
            rp_tensor_reshape(t, wide);
        }
    }
    if (!check_tensor(c, index)) return false;
    if (shape) return match_shape(c, index);
    if (!wide || rp_tensor_is_shaped(t, wide) || widens(call, t, wide)) return true;
    rp_tensor_text(other, wide);
    return rp_op_fail(call, "%s is %s, but the inputs broadcast to %s",
                      rp_op_operand_name(call, index), rp_tensor_text(own, t),
                      strchr(other, '[') ? strchr(other, '[') : "a single element");
}

static bool check_outputs(checker *c) {
    rp_op_call *call = c->call;
    rp_tensor wide = {.dtype = RP_F32};
    bool first = true, any = false;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        if (!is_broadcast_input(call, i)) continue;
        if (!broadcast_input(c, &wide, i)) return false;
        any = true;
    }
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_op_operand *operand = rp_op_operand_of(call, i);
        if (!writes(operand) || call->operands[i].absent) continue;
        if (!check_output(c, i, any ? &wide : NULL)) return false;
        if (first && operand->shape) {
            /* Inputs that broadcast do so to this output's shape, and must not exceed it. */
            rp_tensor target = call->operands[i];
            for (uint32_t k = 0; k < call->operand_count; k++) {
                if (!is_broadcast_input(call, k)) continue;
                rp_tensor before = target;
                if (!broadcast_input(c, &target, k)) return false;
                char one[RP_TENSOR_TEXT], other[RP_TENSOR_TEXT];
                if (!rp_tensor_is_shaped(&before, &target))
                    return rp_op_fail(call, "%s is %s, which does not broadcast to %s %s",
                                      rp_op_operand_name(call, k),
                                      rp_tensor_text(one, call->operands + k),
                                      rp_op_operand_name(call, i), rp_tensor_text(other, &before));
            }
        }
        first = false;
    }
    return true;
}

/* ---- The whole call -------------------------------------------------------------------------- */

static bool check_count(checker *c) {
    rp_op_call *call = c->call;
    const rp_op *op = call->op;
    if (op == rp_op_map) {
        if (call->operand_count < 1 || call->operand_count > RP_OP_MAP_INPUTS + 1)
            return rp_op_fail(call, "it takes up to %d inputs and an output, not %u operands",
                              RP_OP_MAP_INPUTS, call->operand_count);
        if (!call->formula) return rp_op_fail(call, "attribute expr is missing");
        return true;
    }
    if (call->operand_count != op->operand_count)
        return rp_op_fail(call, "it takes %u operands, not %u", op->operand_count,
                          call->operand_count);
    if (call->formula) return rp_op_fail(call, "it takes no attribute expr");
    return true;
}

/* Places are i32. */
static bool check_places(rp_op_call *call, const rp_formula *formula) {
    uint64_t elements = rp_tensor_elements(&call->operands[call->operand_count - 1]);
    if (!names_places(formula) || elements <= (uint64_t)INT32_MAX + 1) return true;
    return rp_op_fail(call, "out has %llu elements; the place of more than 2147483648 is no i32",
                      (unsigned long long)elements);
}

/* The formula of a map: names inputs that are there, with types that its operators take. */
static bool check_formula(checker *c) {
    rp_op_call *call = c->call;
    rp_formula_block block;
    rp_formula formula;
    char error[160];
    size_t at = 0;
    if (call->op != rp_op_map) return true;
    if (rp_op_parse_formula(call, call->formula, &block, &formula, error, &at))
        return check_places(call, &formula);
    return rp_op_fail(call, "in '%.60s', column %zu: %s", call->formula, at + 1, error);
}

bool rp_op_check_fixed(rp_op_call *call, bool infer) {
    checker c = {.call = call, .infer = infer};
    memset(call->symbols, 0, sizeof call->symbols);
    memset(call->powers, 0, sizeof call->powers);
    memset(call->counts, 0, sizeof call->counts);
    call->bound = 0;
    call->variant = NULL;
    call->error[0] = '\0';
    if (!check_count(&c)) return false;
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        if (!check_attr(&c, i)) return false;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_op_operand *operand = rp_op_operand_of(call, i);
        if (call->operands[i].absent) {
            if (operand->optional) continue;
            return rp_op_fail(call, "%s is missing", rp_op_operand_name(call, i));
        }
        if (writes(operand)) continue;
        if (!check_tensor(&c, i)) return false;
        if (operand->shape && !match_shape(&c, i)) return false;
    }
    if (call->op->rule && !call->op->rule(call)) return false;
    return check_outputs(&c) && rp_op_check_values(call) && check_formula(&c);
}

static bool check_call(rp_op_call *call, bool infer) {
    if (!rp_op_is_sized(call)) return rp_op_check_fixed(call, infer);
    rp_op_call given = *call;
    return rp_op_check_fixed(call, infer) && rp_op_check_sizes(call, &given, infer);
}

bool rp_op_check(rp_op_call *call) {
    return check_call(call, false);
}

bool rp_op_infer(rp_op_call *call) {
    return check_call(call, true);
}
