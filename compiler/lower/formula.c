/* Formulas as GLSL.
 *
 * Each formula of a member becomes one function of its operands' values, with the conversion to the
 * output's dtype at its end: `float m0_out(float x_, float weight_) { ... }`. It knows nothing of
 * indices, so it serves wherever elements are computed.
 *
 * Types follow ops/formula.h: where types meet, GLSL's constructors or the saturating helpers of
 * kernels/include are written out. Integers of 64 bits come and leave as two words; a formula that computes
 * with them makes numbers of these, and then its kernel needs shaderInt64. What goes into a helper is first put into a variable, since
 * `precise` does not reach through arguments of calls. */
#include <math.h>
#include <stdio.h>
#include "base/number.h"
#include "lower/internal.h"
#include "ops/op_formula.h"

typedef struct formula_job {
    rp_emit *e;
    uint32_t member;
    rp_formula formula;
    rp_text lines; /* statements before the result */
    uint32_t temporaries;
    bool four; /* of four floats side by side */
} formula_job;

/* ---- Names ----------------------------------------------------------------------------------- */

typedef struct name_context {
    const rp_op_call *call;
    uint32_t steps; /* how many steps may be named */
} name_context;

static bool look_up(void *context, const char *name, size_t length, uint32_t *out) {
    const name_context *names = context;
    const rp_op *op = names->call->op;
    for (uint32_t i = 0; i < names->call->operand_count; i++) {
        const char *own = rp_op_operand_name(names->call, i);
        if (strlen(own) != length || memcmp(own, name, length) != 0) continue;
        if (rp_op_operand_of(names->call, i)->access != RP_READ) continue;
        *out = i;
        return true;
    }
    uint32_t attr = rp_op_attr_index(op, name, length);
    if (attr != RP_OP_MISSING) {
        *out = RP_NAME_ATTR + attr;
        return true;
    }
    for (uint32_t i = 0; i < names->steps; i++) {
        if (strlen(op->steps[i].name) != length || memcmp(op->steps[i].name, name, length) != 0)
            continue;
        *out = RP_NAME_STEP + i;
        return true;
    }
    if (op->form == RP_OP_POINTWISE && rp_formula_place(name, length, out)) {
        *out += RP_NAME_PLACE;
        return true;
    }
    *out = RP_NAME_LENGTH;
    return op->form == RP_OP_ROWS && length == 1 && *name == 'n';
}

bool rp_emit_is_index_step(const rp_op_step *step) {
    return step->reduce == RP_REDUCE_ARGMIN || step->reduce == RP_REDUCE_ARGMAX;
}

static void set_types(const rp_op_call *call, uint8_t types[RP_NAME_COUNT]) {
    memset(types, RP_TYPE_F32, RP_NAME_COUNT);
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (!call->operands[i].absent && !rp_op_is_bool_mask(call, i))
            types[i] = rp_op_formula_type(call->operands[i].dtype);
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        types[RP_NAME_ATTR + i] = rp_op_attr_type(call, i);
    for (uint32_t i = 0; i < call->op->step_count; i++)
        if (rp_emit_is_index_step(&call->op->steps[i])) types[RP_NAME_STEP + i] = RP_TYPE_U32;
    memset(types + RP_NAME_PLACE, RP_TYPE_I32, RP_FORMULA_PLACES);
}

static const char *type_name(uint8_t type) {
    switch ((rp_formula_type)type) {
    case RP_TYPE_I32: return "int";
    case RP_TYPE_U32: return "uint";
    case RP_TYPE_I64: return "int64_t";
    case RP_TYPE_U64: return "uint64_t";
    case RP_TYPE_BOOL: return "bool";
    case RP_TYPE_F32:
    case RP_TYPE_NUMBER: break;
    }
    return "float";
}

/* A word that is neither GLSL's nor a name of kernels/ or of this folder: none of those ends with
 * an underscore. Operands and steps may be called anything. */
const char *rp_emit_word(rp_emit *e, const char *name) {
    return rp_emit_name(e, "%s_", name);
}

/* The length of rows, a uint. */
static const char *length_word(rp_emit *e, uint32_t member) {
    if (e->members[member].call.op->parts) return rp_emit_name(e, "m%u_n", member);
    return rp_emit_symbol(e, member, 'C');
}

static const char *name_word(rp_emit *e, uint32_t member, uint32_t name) {
    const rp_op_call *call = &e->members[member].call;
    if (name < RP_NAME_ATTR) return rp_emit_word(e, rp_op_operand_name(call, name));
    if (name < RP_NAME_STEP) return rp_emit_attr_number(e, member, name - RP_NAME_ATTR);
    if (name < RP_NAME_LENGTH) return rp_emit_word(e, call->op->steps[name - RP_NAME_STEP].name);
    if (name >= RP_NAME_PLACE) return rp_emit_name(e, "place%u_", name - RP_NAME_PLACE);
    return rp_emit_name(e, "float(%s)", length_word(e, member));
}

/* ---- Expressions ----------------------------------------------------------------------------- */

static void put(formula_job *job, rp_text *to, uint32_t index, uint8_t wanted);

/* In decimals where GLSL reads them as they are; it knows no -0, and may take denormals for 0. */
static void put_float(rp_emit *e, rp_text *to, double value) {
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    if (isnan(narrow)) bits = 0x7fc00000;
    if (bits != 0 && !isnormal(narrow)) {
        rp_text_string(to, rp_emit_number(e, rp_emit_name(e, "0x%08xu", bits)));
        return;
    }
    if (!e->fast) rp_text_string(to, "f_number(");
    size_t start = to->size;
    rp_number_print(to, value);
    if (!to->failed && !strpbrk(to->data + start, ".e")) rp_text_string(to, ".0");
    if (!e->fast) rp_text_char(to, ')');
}

static void put_number(rp_emit *e, rp_text *to, const rp_formula_node *n, uint8_t type) {
    if (type == RP_TYPE_I32 && n->number <= INT32_MAX)
        rp_text_u64(to, (uint64_t)n->number);
    else if (type == RP_TYPE_I32)
        rp_text_format(to, "int(%uu)", (uint32_t)(int64_t)n->number);
    else if (type == RP_TYPE_U32)
        rp_text_format(to, "%uu", (uint32_t)(int64_t)n->number);
    else if (rp_formula_is_wide(type))
        rp_text_format(to, type == RP_TYPE_I64 ? "%llul" : "%lluul", (unsigned long long)n->whole);
    else if (type == RP_TYPE_BOOL)
        rp_text_string(to, n->number != 0 ? "true" : "false");
    else
        put_float(e, to, n->number);
}

/* Whether a node is one word or call that needs no brackets. */
static bool is_simple(const rp_formula_node *n) {
    return n->code == RP_FORMULA_NUMBER || n->code == RP_FORMULA_NAME ||
           n->code > RP_FORMULA_SELECT;
}

/* An operand of an operator. */
static void put_operand(formula_job *job, rp_text *to, uint32_t index, uint8_t wanted) {
    const rp_formula_node *n = &job->formula.nodes[index];
    bool bare = is_simple(n) || n->type != wanted;
    if (!bare) rp_text_char(to, '(');
    put(job, to, index, wanted);
    if (!bare) rp_text_char(to, ')');
}

/* An argument of a helper: a variable unless it is a word. */
static void put_argument(formula_job *job, rp_text *to, uint32_t index, uint8_t wanted) {
    const rp_formula_node *n = &job->formula.nodes[index];
    if (n->code == RP_FORMULA_NUMBER || n->code == RP_FORMULA_NAME) {
        put(job, to, index, wanted);
        return;
    }
    rp_text own;
    rp_text_init(&own, &job->e->allocator);
    put(job, &own, index, wanted);
    uint32_t number = job->temporaries++;
    rp_text_format(&job->lines, "    %s%s t%u = %s;\n",
                   wanted == RP_TYPE_F32 ? rp_emit_precise(job->e) : "",
                   job->four ? "vec4" : type_name(wanted), number, own.data ? own.data : "");
    if (own.failed) rp_emit_no_memory(job->e);
    rp_text_free(&own);
    rp_text_format(to, "t%u", number);
}

static void put_binary(formula_job *job, rp_text *to, const rp_formula_node *n, const char *sign,
                       uint8_t type) {
    put_operand(job, to, n->args[0], type);
    rp_text_format(to, " %s ", sign);
    put_operand(job, to, n->args[1], type);
}

/* A helper of `count` arguments, and of `more` behind them if it is not NULL. */
static void put_call_with(formula_job *job, rp_text *to, const rp_formula_node *n,
                          const char *helper, uint32_t count, uint8_t type, const char *more) {
    /* Arguments first: they may need statements. */
    rp_text args;
    rp_text_init(&args, &job->e->allocator);
    for (uint32_t i = 0; i < count; i++) {
        if (i) rp_text_string(&args, ", ");
        put_argument(job, &args, n->args[i], type);
    }
    if (more) rp_text_format(&args, ", %s", more);
    bool own = strncmp(helper, "f_", 2) == 0 || strcmp(helper, "round_f16") == 0;
    rp_text_format(to, "%s%s(%s)", helper, job->four && own ? "_4" : "",
                   args.data ? args.data : "");
    if (args.failed) rp_emit_no_memory(job->e);
    rp_text_free(&args);
}

static void put_call(formula_job *job, rp_text *to, const rp_formula_node *n, const char *helper,
                     uint32_t count, uint8_t type) {
    put_call_with(job, to, n, helper, count, type, NULL);
}

/* The count of a shift is taken modulo the bits of what is shifted. */
static void put_shift(formula_job *job, rp_text *to, const rp_formula_node *n, const char *sign) {
    put_operand(job, to, n->args[0], n->type);
    rp_text_format(to, " %s (", sign);
    put_operand(job, to, n->args[1], RP_TYPE_U32);
    rp_text_string(to, rp_formula_is_wide(n->type) ? " & 63u)" : " & 31u)");
}

/* What computes a function: GLSL's own where that is exact, else a helper of kernels/include. */
static const char *function_of(uint8_t code) {
    static const char *const helpers[] = {
#define RP_X(name, arity, floats) [RP_FORMULA_##name] = "f_" #name,
        RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
    };
    if (code == RP_FORMULA_floor) return "floor";
    if (code == RP_FORMULA_ceil) return "ceil";
    if (code == RP_FORMULA_round) return "roundEven";
    if (code == RP_FORMULA_trunc) return "trunc";
    if (code == RP_FORMULA_f16) return "round_f16";
    if (code == RP_FORMULA_bf16) return "round_bf16";
    if (code == RP_FORMULA_bits) return "bitCount";
    return helpers[code];
}

static void put_function(formula_job *job, rp_text *to, const rp_formula_node *n) {
    uint8_t type = rp_formula_operand_type(&job->formula, n);
    bool converts = n->code == RP_FORMULA_f32 || n->code == RP_FORMULA_i32 ||
                    n->code == RP_FORMULA_u32 || n->code == RP_FORMULA_i64 ||
                    n->code == RP_FORMULA_u64;
    bool counts_64 = n->code == RP_FORMULA_bits && rp_formula_is_wide(type);
    if (converts)
        put_operand(job, to, n->args[0], n->type);
    else
        put_call(job, to, n, counts_64 ? "f_bits" : function_of(n->code), rp_formula_arity(n->code),
                 type);
}

/* An attribute is one for all four. */
static void put_name(formula_job *job, rp_text *to, uint32_t name) {
    const char *word = name_word(job->e, job->member, name);
    rp_text_format(to, job->four && name >= RP_NAME_ATTR ? "vec4(%s)" : "%s", word);
}

static bool is_length(const formula_job *job, uint32_t node) {
    const rp_formula_node *n = &job->formula.nodes[node];
    return n->code == RP_FORMULA_NAME && n->name >= RP_NAME_LENGTH && n->name < RP_NAME_PLACE;
}

/* By the length of a row, which is a whole number. */
static void put_quotient(formula_job *job, rp_text *to, const rp_formula_node *n, uint8_t type) {
    if (is_length(job, n->args[1]) && !job->four)
        put_call_with(job, to, n, "f_div_by", 1, type, length_word(job->e, job->member));
    else
        put_call(job, to, n, "f_div", 2, type);
}

/* A node in its own type. */
static void put_node(formula_job *job, rp_text *to, const rp_formula_node *n) {
    uint8_t type = n->type;
    switch ((rp_formula_code)n->code) {
    case RP_FORMULA_NUMBER:
        if (job->four) rp_text_string(to, "vec4(");
        put_number(job->e, to, n, type);
        if (job->four) rp_text_char(to, ')');
        return;
    case RP_FORMULA_NAME: put_name(job, to, n->name); return;
    case RP_FORMULA_NEGATE:
        if (type == RP_TYPE_F32) {
            put_call(job, to, n, "f_neg", 1, type);
            return;
        }
        rp_text_string(to, type == RP_TYPE_U32 ? "0u - " : type == RP_TYPE_U64 ? "0ul - " : "-");
        put_operand(job, to, n->args[0], type);
        return;
    case RP_FORMULA_NOT:
        rp_text_char(to, '!');
        put_operand(job, to, n->args[0], RP_TYPE_BOOL);
        return;
    case RP_FORMULA_INVERT:
        rp_text_char(to, '~');
        put_operand(job, to, n->args[0], type);
        return;
    case RP_FORMULA_ADD: put_binary(job, to, n, "+", type); return;
    case RP_FORMULA_SUB: put_binary(job, to, n, "-", type); return;
    case RP_FORMULA_MUL: put_binary(job, to, n, "*", type); return;
    case RP_FORMULA_DIV: put_quotient(job, to, n, type); return;
    case RP_FORMULA_MOD: put_call(job, to, n, "f_mod", 2, type); return;
    case RP_FORMULA_AND: put_binary(job, to, n, "&", type); return;
    case RP_FORMULA_OR: put_binary(job, to, n, "|", type); return;
    case RP_FORMULA_XOR: put_binary(job, to, n, "^", type); return;
    case RP_FORMULA_LEFT: put_shift(job, to, n, "<<"); return;
    case RP_FORMULA_RIGHT: put_shift(job, to, n, ">>"); return;
    case RP_FORMULA_LT:
        put_binary(job, to, n, "<", rp_formula_operand_type(&job->formula, n));
        return;
    case RP_FORMULA_LE:
        put_binary(job, to, n, "<=", rp_formula_operand_type(&job->formula, n));
        return;
    case RP_FORMULA_GT:
        put_binary(job, to, n, ">", rp_formula_operand_type(&job->formula, n));
        return;
    case RP_FORMULA_GE:
        put_binary(job, to, n, ">=", rp_formula_operand_type(&job->formula, n));
        return;
    case RP_FORMULA_EQ:
        put_binary(job, to, n, "==", rp_formula_operand_type(&job->formula, n));
        return;
    case RP_FORMULA_NE:
        put_binary(job, to, n, "!=", rp_formula_operand_type(&job->formula, n));
        return;
    case RP_FORMULA_BOTH: put_binary(job, to, n, "&&", RP_TYPE_BOOL); return;
    case RP_FORMULA_EITHER: put_binary(job, to, n, "||", RP_TYPE_BOOL); return;
    case RP_FORMULA_SELECT:
        put_operand(job, to, n->args[0], RP_TYPE_BOOL);
        rp_text_string(to, " ? ");
        put_operand(job, to, n->args[1], type);
        rp_text_string(to, " : ");
        put_operand(job, to, n->args[2], type);
        return;
#define RP_X(name, arity, floats) case RP_FORMULA_##name:
        RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
        put_function(job, to, n);
        return;
    }
}

static const char *conversion(uint8_t from, uint8_t to) {
    static const char *const of_float[] = {
        [RP_TYPE_I32] = "to_i32",
        [RP_TYPE_U32] = "to_u32",
        [RP_TYPE_I64] = "to_i64",
        [RP_TYPE_U64] = "to_u64",
    };
    if (from == RP_TYPE_F32 && rp_formula_is_integer(to)) return of_float[to];
    return to == RP_TYPE_F32 && rp_formula_is_wide(from) ? "to_f32" : type_name(to);
}

/* A node as `wanted`. Recursion is as deep as the formula: RP_FORMULA_MAX_NODES at most. */
static void put(formula_job *job, rp_text *to, uint32_t index, uint8_t wanted) {
    const rp_formula_node *n = &job->formula.nodes[index];
    if (n->type == wanted) {
        put_node(job, to, n);
        return;
    }
    rp_text_format(to, "%s(", conversion(n->type, wanted));
    put_argument(job, to, index, n->type);
    rp_text_char(to, ')');
}

/* ---- Functions ------------------------------------------------------------------------------- */

/* Which operands, steps and places the formula names, in order. */
static void find_args(const rp_formula *formula, rp_emit_args *out) {
    bool used[RP_NAME_COUNT] = {false};
    for (uint32_t i = 0; i < formula->count; i++)
        if (formula->nodes[i].code == RP_FORMULA_NAME) used[formula->nodes[i].name] = true;
    out->count = 0;
    for (uint32_t name = 0; name < RP_NAME_COUNT; name++)
        if (used[name] && name != RP_NAME_LENGTH && (name < RP_NAME_ATTR || name >= RP_NAME_STEP))
            out->names[out->count++] = (uint8_t)name;
}

static void put_signature(formula_job *job, rp_text *to, const char *name, const char *type,
                          const rp_emit_args *args, const uint8_t *types) {
    rp_text_format(to, "%s %s(", type, name);
    for (uint32_t i = 0; i < args->count; i++) {
        bool wide = rp_formula_is_wide(types[args->names[i]]);
        rp_text_format(to, "%s%s %s%s", i ? ", " : "",
                       job->four ? "vec4"
                       : wide    ? "uvec2"
                                 : type_name(types[args->names[i]]),
                       name_word(job->e, job->member, args->names[i]), wide ? "words" : "");
    }
    rp_text_string(to, ") {\n");
    for (uint32_t i = 0; i < args->count; i++) {
        const char *word = name_word(job->e, job->member, args->names[i]);
        uint8_t own = types[args->names[i]];
        if (rp_formula_is_wide(own))
            rp_text_format(to, "    %s %s = %s(%swords);\n", type_name(own), word,
                           own == RP_TYPE_I64 ? "long_of" : "ulong_of", word);
    }
}

static bool parse(formula_job *job, const char *text, const uint8_t *types) {
    rp_emit *e = job->e;
    const rp_op_call *call = &e->members[job->member].call;
    name_context names = {call, call->op->step_count};
    char error[256];
    size_t at = 0;
    rp_status status = rp_formula_parse(&e->allocator, text, strlen(text), look_up, &names,
                                        &job->formula, error, &at);
    if (status == RP_ERROR_NO_MEMORY) {
        rp_emit_no_memory(e);
        return false;
    }
    if (status != RP_OK || job->formula.count == 0) {
        rp_emit_fail(e, "formula '%s' of %s at byte %zu: %s", text, call->op->name, at, error);
        return false;
    }
    if (rp_formula_check(&job->formula, types, error)) return true;
    rp_emit_fail(e, "formula '%s' of %s: %s", text, call->op->name, error);
    return false;
}

/* A formula that is an operand or an attribute of 64 bits, and no more: nothing is computed with it. */
static bool put_wide(formula_job *job, const char *name, uint8_t dtype, const rp_emit_args *args) {
    rp_emit *e = job->e;
    const rp_formula_node *n = job->formula.nodes;
    const rp_op_call *call = &e->members[job->member].call;
    if (job->formula.count != 1 || n->code != RP_FORMULA_NAME || n->name >= RP_NAME_STEP)
        return false;
    if (n->name >= RP_NAME_ATTR) {
        uint32_t attr = n->name - RP_NAME_ATTR;
        uint8_t type = rp_op_attr_type(call, attr);
        if (!rp_formula_is_wide(type)) return false;
        rp_text_format(&e->functions, "%s %s() {\n    return %s;\n}\n\n", rp_emit_class(dtype),
                       name,
                       rp_emit_converted_64(e, rp_emit_dtype_of(type), dtype,
                                            rp_emit_attr(e, job->member, attr)));
        return true;
    }
    uint8_t from = call->operands[args->names[0]].dtype;
    if (!rp_op_is_wide(from)) return false;
    rp_text_format(&e->functions, "%s %s(%s x) {\n    return %s;\n}\n\n", rp_emit_class(dtype),
                   name, rp_emit_class(from), rp_emit_converted_64(e, from, dtype, "x"));
    return true;
}

void rp_emit_formula(rp_emit *e, uint32_t member, const char *text, const char *name, uint8_t dtype,
                     rp_emit_args *out) {
    *out = (rp_emit_args){.count = 0};
    if (e->status != RP_OK) return;
    formula_job job = {.e = e, .member = member};
    rp_text_init(&job.lines, &e->allocator);
    uint8_t types[RP_NAME_COUNT];
    set_types(&e->members[member].call, types);
    rp_text result;
    rp_text_init(&result, &e->allocator);
    bool parsed = parse(&job, text, types);
    if (parsed) find_args(&job.formula, out);
    if (parsed && !put_wide(&job, name, dtype, out)) {
        uint32_t last = job.formula.count - 1;
        uint8_t type = job.formula.nodes[last].type;
        if (type == RP_TYPE_BOOL) /* true is 1 */
            type = rp_op_is_wide(dtype) ? RP_TYPE_U32 : rp_op_formula_type(dtype);
        put(&job, &result, last, type);
        put_signature(&job, &e->functions, name, rp_emit_class(dtype), out, types);
        rp_text_format(&e->functions, "%s    %s%s r = %s;\n", job.lines.data ? job.lines.data : "",
                       type == RP_TYPE_F32 ? rp_emit_precise(e) : "", type_name(type),
                       result.data ? result.data : "");
        rp_emit_put_result(e, dtype, type);
    }
    if (result.failed || job.lines.failed) rp_emit_no_memory(e);
    rp_text_free(&result);
    rp_text_free(&job.lines);
    rp_formula_free(&e->allocator, &job.formula);
}

/* ---- Four at once ---------------------------------------------------------------------------- */

/* Whether a node is of floats alone, by what kernels/include has for four. */
static bool has_four(const rp_formula_node *n) {
    if (n->type != RP_TYPE_F32) return false;
    switch ((rp_formula_code)n->code) {
    case RP_FORMULA_NAME: return n->name < RP_NAME_STEP;
    case RP_FORMULA_NUMBER:
    case RP_FORMULA_NEGATE:
    case RP_FORMULA_ADD:
    case RP_FORMULA_SUB:
    case RP_FORMULA_MUL:
    case RP_FORMULA_DIV:
    case RP_FORMULA_min:
    case RP_FORMULA_max:
    case RP_FORMULA_abs:
    case RP_FORMULA_exp:
    case RP_FORMULA_tanh:
    case RP_FORMULA_sigmoid:
    case RP_FORMULA_silu:
    case RP_FORMULA_gelu:
    case RP_FORMULA_gelu_tanh:
    case RP_FORMULA_relu:
    case RP_FORMULA_floor:
    case RP_FORMULA_ceil:
    case RP_FORMULA_round:
    case RP_FORMULA_trunc:
    case RP_FORMULA_f16: return true;
    default: return false;
    }
}

bool rp_emit_formula_4(rp_emit *e, uint32_t member, const char *text, const char *name,
                       uint8_t dtype) {
    if (e->status != RP_OK || (dtype != RP_F32 && dtype != RP_F16)) return false;
    formula_job job = {.e = e, .member = member, .four = true};
    rp_emit_args args;
    rp_text_init(&job.lines, &e->allocator);
    uint8_t types[RP_NAME_COUNT];
    set_types(&e->members[member].call, types);
    rp_text result;
    rp_text_init(&result, &e->allocator);
    bool four = parse(&job, text, types);
    for (uint32_t i = 0; four && i < job.formula.count; i++) four = has_four(&job.formula.nodes[i]);
    if (four) {
        find_args(&job.formula, &args);
        put(&job, &result, job.formula.count - 1, RP_TYPE_F32);
        put_signature(&job, &e->functions, name, "vec4", &args, types);
        rp_text_format(&e->functions, "%s    %svec4 r = %s;\n    return %s;\n}\n\n",
                       job.lines.data ? job.lines.data : "", rp_emit_precise(e),
                       result.data ? result.data : "", dtype == RP_F16 ? "round_f16_4(r)" : "r");
    }
    if (result.failed || job.lines.failed) rp_emit_no_memory(e);
    rp_text_free(&result);
    rp_text_free(&job.lines);
    rp_formula_free(&e->allocator, &job.formula);
    return four;
}
