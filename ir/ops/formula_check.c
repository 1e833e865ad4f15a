/* Formulas: types, and what an evaluation costs.
 *
 * One pass over the nodes in order gives each its type from those of its operands. Integer literals
 * are the exception: they take the type of what they meet, which comes later. So they, and all that
 * is made of them alone, stay RP_TYPE_NUMBER until something else joins in, and are then settled
 * from there downwards: each node once, so the whole is linear. */
#include "ops/formula.h"

#include <stdio.h>

enum { ERROR_SIZE = 160 };

typedef struct checker {
    rp_formula *formula;
    const uint8_t *name_types;
    char *error;
} checker;

static const char *const type_names[] = {"f32", "i32",         "u32",       "i64",
                                         "u64", "a condition", "an integer"};

static const char *symbol_of(uint8_t code) {
    switch ((rp_formula_code)code) {
    case RP_FORMULA_NUMBER: return "number";
    case RP_FORMULA_NAME: return "name";
    case RP_FORMULA_NEGATE:
    case RP_FORMULA_SUB: return "-";
    case RP_FORMULA_NOT: return "!";
    case RP_FORMULA_INVERT: return "~";
    case RP_FORMULA_ADD: return "+";
    case RP_FORMULA_MUL: return "*";
    case RP_FORMULA_DIV: return "/";
    case RP_FORMULA_MOD: return "%";
    case RP_FORMULA_AND: return "&";
    case RP_FORMULA_OR: return "|";
    case RP_FORMULA_XOR: return "^";
    case RP_FORMULA_LEFT: return "<<";
    case RP_FORMULA_RIGHT: return ">>";
    case RP_FORMULA_LT: return "<";
    case RP_FORMULA_LE: return "<=";
    case RP_FORMULA_GT: return ">";
    case RP_FORMULA_GE: return ">=";
    case RP_FORMULA_EQ: return "==";
    case RP_FORMULA_NE: return "!=";
    case RP_FORMULA_BOTH: return "&&";
    case RP_FORMULA_EITHER: return "||";
    case RP_FORMULA_SELECT: return "?";
#define RP_X(name, arity, floats)                                                                  \
    case RP_FORMULA_##name: return #name;
        RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
    }
    return "?";
}

/* How a code treats its operands. */
typedef enum rule {
    RULE_LEAF,
    RULE_SAME,    /* numbers of one type; the result has it too */
    RULE_COMPARE, /* numbers of one type, or conditions for == and !=; a condition */
    RULE_INTEGER, /* integers of one type */
    RULE_SHIFT,   /* integers; the type of the left one */
    RULE_LOGIC,   /* conditions, or integers, which hold where they are not 0; a condition */
    RULE_SELECT,
    RULE_FLOAT, /* numbers, taken as f32 */
    RULE_TEST,  /* the same; a condition */
    RULE_CONVERT,
    RULE_BITS,
} rule;

static rule rule_of(uint8_t code) {
    switch ((rp_formula_code)code) {
    case RP_FORMULA_NUMBER:
    case RP_FORMULA_NAME: return RULE_LEAF;
    case RP_FORMULA_NEGATE:
    case RP_FORMULA_ADD:
    case RP_FORMULA_SUB:
    case RP_FORMULA_MUL:
    case RP_FORMULA_DIV:
    case RP_FORMULA_min:
    case RP_FORMULA_max:
    case RP_FORMULA_clamp:
    case RP_FORMULA_abs:
    case RP_FORMULA_sign:
    case RP_FORMULA_relu: return RULE_SAME;
    case RP_FORMULA_LT:
    case RP_FORMULA_LE:
    case RP_FORMULA_GT:
    case RP_FORMULA_GE:
    case RP_FORMULA_EQ:
    case RP_FORMULA_NE: return RULE_COMPARE;
    case RP_FORMULA_INVERT:
    case RP_FORMULA_MOD:
    case RP_FORMULA_AND:
    case RP_FORMULA_OR:
    case RP_FORMULA_XOR: return RULE_INTEGER;
    case RP_FORMULA_LEFT:
    case RP_FORMULA_RIGHT: return RULE_SHIFT;
    case RP_FORMULA_NOT:
    case RP_FORMULA_BOTH:
    case RP_FORMULA_EITHER: return RULE_LOGIC;
    case RP_FORMULA_SELECT: return RULE_SELECT;
    case RP_FORMULA_isnan:
    case RP_FORMULA_isinf: return RULE_TEST;
    case RP_FORMULA_f32:
    case RP_FORMULA_i32:
    case RP_FORMULA_u32:
    case RP_FORMULA_i64:
    case RP_FORMULA_u64: return RULE_CONVERT;
    case RP_FORMULA_bits: return RULE_BITS;
    case RP_FORMULA_sqrt:
    case RP_FORMULA_rsqrt:
    case RP_FORMULA_exp:
    case RP_FORMULA_exp2:
    case RP_FORMULA_log:
    case RP_FORMULA_log2:
    case RP_FORMULA_pow:
    case RP_FORMULA_sin:
    case RP_FORMULA_cos:
    case RP_FORMULA_tanh:
    case RP_FORMULA_erf:
    case RP_FORMULA_sigmoid:
    case RP_FORMULA_silu:
    case RP_FORMULA_gelu:
    case RP_FORMULA_gelu_tanh:
    case RP_FORMULA_softcap:
    case RP_FORMULA_floor:
    case RP_FORMULA_ceil:
    case RP_FORMULA_round:
    case RP_FORMULA_trunc:
    case RP_FORMULA_f16:
    case RP_FORMULA_bf16: break;
    }
    return RULE_FLOAT;
}

uint32_t rp_formula_arity(uint8_t code) {
    switch ((rp_formula_code)code) {
    case RP_FORMULA_NUMBER:
    case RP_FORMULA_NAME: return 0;
    case RP_FORMULA_NEGATE:
    case RP_FORMULA_NOT:
    case RP_FORMULA_INVERT: return 1;
    case RP_FORMULA_SELECT: return 3;
#define RP_X(name, arity, floats)                                                                  \
    case RP_FORMULA_##name: return arity;
        RP_FORMULA_FUNCTIONS(RP_X)
#undef RP_X
    case RP_FORMULA_ADD:
    case RP_FORMULA_SUB:
    case RP_FORMULA_MUL:
    case RP_FORMULA_DIV:
    case RP_FORMULA_MOD:
    case RP_FORMULA_AND:
    case RP_FORMULA_OR:
    case RP_FORMULA_XOR:
    case RP_FORMULA_LEFT:
    case RP_FORMULA_RIGHT:
    case RP_FORMULA_LT:
    case RP_FORMULA_LE:
    case RP_FORMULA_GT:
    case RP_FORMULA_GE:
    case RP_FORMULA_EQ:
    case RP_FORMULA_NE:
    case RP_FORMULA_BOTH:
    case RP_FORMULA_EITHER: break;
    }
    return 2;
}

/* ---- Literals -------------------------------------------------------------------------------- */

/* Gives a subtree of integer literals its type. Recursion is bounded by the number of nodes, which
 * rp_formula_parse limits. */
static void settle(checker *c, uint32_t index, uint8_t type) {
    rp_formula_node *node = c->formula->nodes + index;
    if (node->type != RP_TYPE_NUMBER) return;
    rule how = rule_of(node->code);
    /* What only integers can do is done with integers, and converted afterwards. */
    if (type == RP_TYPE_F32 && (how == RULE_INTEGER || how == RULE_SHIFT)) type = RP_TYPE_I32;
    node->type = type;
    uint32_t first = how == RULE_SELECT ? 1 : 0; /* its condition has a type */
    uint32_t count = how == RULE_SHIFT ? 1 : rp_formula_arity(node->code);
    for (uint32_t i = first; i < count; i++) settle(c, node->args[i], type);
}

/* ---- Types ----------------------------------------------------------------------------------- */

static bool fail(checker *c, const rp_formula_node *node, const char *takes, uint8_t type) {
    snprintf(c->error, ERROR_SIZE, "'%s' takes %s, not %s", symbol_of(node->code), takes,
             type_names[type]);
    return false;
}

static uint8_t type_of(const checker *c, const rp_formula_node *node, uint32_t arg) {
    return c->formula->nodes[node->args[arg]].type;
}

/* The type in which two numbers meet. */
static uint8_t meet(uint8_t a, uint8_t b) {
    if (a == RP_TYPE_NUMBER) return b;
    if (b == RP_TYPE_NUMBER || a == b) return a;
    if (a == RP_TYPE_F32 || b == RP_TYPE_F32) return RP_TYPE_F32;
    bool wide = rp_formula_is_wide(a) || rp_formula_is_wide(b);
    bool negative = a == RP_TYPE_I32 || a == RP_TYPE_I64 || b == RP_TYPE_I32 || b == RP_TYPE_I64;
    if (wide) return negative ? RP_TYPE_I64 : RP_TYPE_U64;
    return negative ? RP_TYPE_I32 : RP_TYPE_U32;
}

uint8_t rp_formula_operand_type(const rp_formula *formula, const rp_formula_node *node) {
    const rp_formula_node *nodes = formula->nodes;
    switch (rule_of(node->code)) {
    case RULE_LEAF:
    case RULE_SAME:
    case RULE_INTEGER:
    case RULE_SHIFT:
    case RULE_SELECT: return node->type;
    case RULE_COMPARE: return meet(nodes[node->args[0]].type, nodes[node->args[1]].type);
    case RULE_LOGIC: return RP_TYPE_BOOL;
    case RULE_FLOAT:
    case RULE_TEST: return RP_TYPE_F32;
    case RULE_CONVERT:
    case RULE_BITS: break;
    }
    return nodes[node->args[0]].type;
}

/* Unifies the arguments from `first` on, and settles literals among them. */
static uint8_t meet_args(checker *c, const rp_formula_node *node, uint32_t first) {
    uint32_t count = rp_formula_arity(node->code);
    uint8_t type = RP_TYPE_NUMBER;
    for (uint32_t i = first; i < count; i++) type = meet(type, type_of(c, node, i));
    if (type != RP_TYPE_NUMBER)
        for (uint32_t i = first; i < count; i++) settle(c, node->args[i], type);
    return type;
}

/* Whether no argument is a condition. */
static bool numbers(checker *c, const rp_formula_node *node) {
    for (uint32_t i = 0; i < rp_formula_arity(node->code); i++)
        if (type_of(c, node, i) == RP_TYPE_BOOL) return fail(c, node, "numbers", RP_TYPE_BOOL);
    return true;
}

/* Whether the first `count` arguments hold or do not. A float says rarely what it is compared with. */
static bool conditions(checker *c, const rp_formula_node *node, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t type = type_of(c, node, i);
        if (type == RP_TYPE_F32)
            return fail(c, node, "conditions and integers (compare with != 0)", type);
        settle(c, node->args[i], RP_TYPE_I32);
    }
    return true;
}

static bool integers(checker *c, const rp_formula_node *node) {
    for (uint32_t i = 0; i < rp_formula_arity(node->code); i++) {
        uint8_t type = type_of(c, node, i);
        if (type == RP_TYPE_F32 || type == RP_TYPE_BOOL) return fail(c, node, "integers", type);
    }
    return true;
}

static void settle_args(checker *c, const rp_formula_node *node, uint8_t type) {
    for (uint32_t i = 0; i < rp_formula_arity(node->code); i++) settle(c, node->args[i], type);
}

static bool check_compare(checker *c, rp_formula_node *node) {
    bool equality = node->code == RP_FORMULA_EQ || node->code == RP_FORMULA_NE;
    bool both = type_of(c, node, 0) == RP_TYPE_BOOL && type_of(c, node, 1) == RP_TYPE_BOOL;
    if (!(equality && both)) {
        if (!numbers(c, node)) return false;
        if (meet_args(c, node, 0) == RP_TYPE_NUMBER) settle_args(c, node, RP_TYPE_I32);
    }
    node->type = RP_TYPE_BOOL;
    return true;
}

static bool check_select(checker *c, rp_formula_node *node) {
    if (!conditions(c, node, 1)) return false;
    bool wanted = type_of(c, node, 1) == RP_TYPE_BOOL;
    if (wanted != (type_of(c, node, 2) == RP_TYPE_BOOL)) {
        snprintf(c->error, ERROR_SIZE,
                 "'?' has a number on one side of ':' and a condition on the "
                 "other");
        return false;
    }
    node->type = wanted ? RP_TYPE_BOOL : meet_args(c, node, 1);
    return true;
}

static bool check_leaf(checker *c, rp_formula_node *node) {
    if (node->code == RP_FORMULA_NAME)
        node->type = c->name_types[node->name];
    else if (!node->integer)
        node->type = RP_TYPE_F32;
    else if (node->whole > UINT32_MAX)
        node->type = node->whole > INT64_MAX ? RP_TYPE_U64 : RP_TYPE_I64;
    else
        node->type = RP_TYPE_NUMBER;
    return true;
}

static uint8_t converted_type(uint8_t code) {
    switch (code) {
    case RP_FORMULA_f32: return RP_TYPE_F32;
    case RP_FORMULA_i32: return RP_TYPE_I32;
    case RP_FORMULA_u32: return RP_TYPE_U32;
    case RP_FORMULA_i64: return RP_TYPE_I64;
    }
    return RP_TYPE_U64;
}

static bool check_node(checker *c, rp_formula_node *node) {
    switch (rule_of(node->code)) {
    case RULE_LEAF: return check_leaf(c, node);
    case RULE_SAME:
        if (!numbers(c, node)) return false;
        node->type = meet_args(c, node, 0);
        return true;
    case RULE_COMPARE: return check_compare(c, node);
    case RULE_INTEGER:
        if (!integers(c, node)) return false;
        node->type = meet_args(c, node, 0);
        return true;
    case RULE_SHIFT:
        if (!integers(c, node)) return false;
        settle(c, node->args[1], RP_TYPE_I32);
        node->type = type_of(c, node, 0);
        return true;
    case RULE_LOGIC:
        node->type = RP_TYPE_BOOL;
        return conditions(c, node, rp_formula_arity(node->code));
    case RULE_SELECT: return check_select(c, node);
    case RULE_FLOAT:
    case RULE_TEST:
        if (!numbers(c, node)) return false;
        settle_args(c, node, RP_TYPE_F32);
        node->type = rule_of(node->code) == RULE_TEST ? RP_TYPE_BOOL : RP_TYPE_F32;
        return true;
    case RULE_CONVERT:
        node->type = converted_type(node->code);
        settle_args(c, node, node->type);
        return true;
    case RULE_BITS:
        if (!integers(c, node)) return false;
        settle_args(c, node, RP_TYPE_I32);
        node->type = RP_TYPE_I32;
        return true;
    }
    return false;
}

/* What literals are that met nothing: i32, or u32 when one is too large. */
static uint8_t literal_type(const rp_formula *formula) {
    for (uint32_t i = 0; i < formula->count; i++) {
        const rp_formula_node *node = formula->nodes + i;
        bool literal = node->code == RP_FORMULA_NUMBER && node->type == RP_TYPE_NUMBER;
        if (literal && node->whole > INT32_MAX) return RP_TYPE_U32;
    }
    return RP_TYPE_I32;
}

bool rp_formula_check(rp_formula *formula, const uint8_t *name_types, char *error) {
    checker c = {formula, name_types, error};
    *error = '\0';
    for (uint32_t i = 0; i < formula->count; i++)
        if (!check_node(&c, formula->nodes + i)) return false;
    if (formula->count) settle(&c, formula->count - 1, literal_type(formula));
    return true;
}

/* ---- Cost ------------------------------------------------------------------------------------ */

/* What a GPU computes by series or by its special function units, at about a quarter to an eighth
 * of the rate of an addition; as is a quotient that is exact. */
static bool is_transcendental(uint8_t code) {
    bool cheap = code == RP_FORMULA_floor || code == RP_FORMULA_ceil || code == RP_FORMULA_round ||
                 code == RP_FORMULA_trunc || code == RP_FORMULA_f16 || code == RP_FORMULA_bf16;
    return !cheap && rule_of(code) == RULE_FLOAT;
}

double rp_formula_flops(const rp_formula *formula) {
    double flops = 0;
    for (uint32_t i = 0; i < formula->count; i++) {
        uint8_t code = formula->nodes[i].code;
        if (rule_of(code) != RULE_LEAF)
            flops += is_transcendental(code) || code == RP_FORMULA_DIV ? 8 : 1;
    }
    return flops;
}

/* About what tests/unit/kernel_size.c counts: compilers put a function's code wherever it is called.
 */
static double size_of(uint8_t code) {
    static const uint16_t large[] = {
        [RP_FORMULA_DIV] = 75,      [RP_FORMULA_pow] = 220,       [RP_FORMULA_sin] = 240,
        [RP_FORMULA_cos] = 240,     [RP_FORMULA_tanh] = 115,      [RP_FORMULA_erf] = 170,
        [RP_FORMULA_sigmoid] = 175, [RP_FORMULA_silu] = 220,      [RP_FORMULA_gelu] = 90,
        [RP_FORMULA_sqrt] = 45,     [RP_FORMULA_gelu_tanh] = 230, [RP_FORMULA_softcap] = 270,
        [RP_FORMULA_f16] = 35,      [RP_FORMULA_bf16] = 20,
    };
    enum { FUNCTION = 80, OPERATION = 3 };
    if (rule_of(code) == RULE_LEAF) return 0;
    if (code < sizeof large / sizeof *large && large[code]) return large[code];
    return is_transcendental(code) ? FUNCTION : OPERATION;
}

double rp_formula_size(const rp_formula *formula) {
    double size = 0;
    for (uint32_t i = 0; i < formula->count; i++) size += size_of(formula->nodes[i].code);
    return size;
}
