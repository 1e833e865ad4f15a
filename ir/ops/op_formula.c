/* The formulas of ops: their names and types, and what a call costs by them.
 *
 * A formula has at most RP_FORMULA_MAX_NODES nodes, so there is room for one on the stack, and
 * checking a call needs no allocator and cannot fail for want of memory. */
#include "base/checked.h"
#include "ops/op_formula.h"
#include "ops/tables.h"

/* ---- Parsing --------------------------------------------------------------------------------- */

/* An allocator with one block, which is enough for one growing array. */
static void *block_resize(void *user, void *block, size_t size) {
    (void)block; /* what grows stays where it is */
    return size <= sizeof(rp_formula_block) ? user : NULL;
}

static void block_release(void *user, void *block) {
    (void)user;
    (void)block;
}

static bool is_word(const char *word, const char *name, size_t length) {
    return strncmp(word, name, length) == 0 && word[length] == '\0';
}

static bool look_up(void *context, const char *name, size_t length, uint32_t *out) {
    const rp_op_call *call = context;
    const rp_op *op = call->op;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        if (rp_op_operand_of(call, i)->access != RP_READ) continue;
        *out = i;
        if (is_word(rp_op_operand_name(call, i), name, length)) return true;
    }
    for (uint32_t i = 0; i < op->attr_count; i++) {
        *out = RP_OP_NAME_ATTR + i;
        if (is_word(op->attrs[i].name, name, length)) return true;
    }
    for (uint32_t i = 0; i < op->step_count; i++) {
        *out = RP_OP_NAME_STEP + i;
        if (is_word(op->steps[i].name, name, length)) return true;
    }
    if (op->form == RP_OP_POINTWISE && rp_formula_place(name, length, out)) {
        const rp_tensor *result = &call->operands[call->operand_count - 1];
        bool there = *out == RP_FORMULA_INDEX || *out < result->rank;
        *out += RP_OP_NAME_PLACE;
        return there;
    }
    *out = RP_OP_NAME_LENGTH;
    return op->form == RP_OP_ROWS && is_word("n", name, length);
}

uint8_t rp_op_formula_type(uint8_t dtype) {
    switch ((rp_dtype)dtype) {
    case RP_I8:
    case RP_I16:
    case RP_I32: return RP_TYPE_I32;
    case RP_U8:
    case RP_BOOL:
    case RP_U16:
    case RP_U32: return RP_TYPE_U32;
    case RP_I64: return RP_TYPE_I64;
    case RP_U64: return RP_TYPE_U64;
    case RP_RAW:
    case RP_F32:
    case RP_F64:
    case RP_F16:
    case RP_BF16:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return RP_TYPE_F32;
}

/* An operand that was left out stands for a literal like "1.0": an f32. */
static void find_types(const rp_op_call *call, uint8_t types[RP_OP_NAME_COUNT]) {
    memset(types, RP_TYPE_F32, RP_OP_NAME_COUNT);
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (!call->operands[i].absent && !rp_op_is_bool_mask(call, i))
            types[i] = rp_op_formula_type(call->operands[i].dtype);
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        types[RP_OP_NAME_ATTR + i] = rp_op_attr_type(call, i);
    for (uint32_t i = 0; i < call->op->step_count; i++)
        if (call->op->steps[i].reduce == RP_REDUCE_ARGMIN ||
            call->op->steps[i].reduce == RP_REDUCE_ARGMAX)
            types[RP_OP_NAME_STEP + i] = RP_TYPE_U32;
    memset(types + RP_OP_NAME_PLACE, RP_TYPE_I32, RP_FORMULA_PLACES);
}

bool rp_op_parse_formula(const rp_op_call *call, const char *text, rp_formula_block *block,
                         rp_formula *out, char *error, size_t *error_at) {
    rp_allocator fixed = {block_resize, block_release, block};
    uint8_t types[RP_OP_NAME_COUNT];
    *error_at = 0;
    find_types(call, types);
    return rp_formula_parse(&fixed, text, strlen(text), look_up, (void *)call, out, error,
                            error_at) == RP_OK &&
           rp_formula_check(out, types, error);
}

/* ---- Cost ------------------------------------------------------------------------------------ */

/* Adds what evaluating a formula `times` times takes: its arithmetic, and a load for each operand
 * that it names. */
static void add_formula(const rp_op_call *call, const char *text, double times, rp_op_cost *cost) {
    rp_formula_block block;
    rp_formula formula;
    char error[160];
    size_t at;
    bool named[RP_OP_NAME_COUNT] = {false};
    if (!text || !rp_op_parse_formula(call, text, &block, &formula, error, &at)) return;
    cost->flops += times * rp_formula_flops(&formula);
    for (uint32_t i = 0; i < formula.count; i++) {
        const rp_formula_node *node = formula.nodes + i;
        if (node->code != RP_FORMULA_NAME || node->name >= call->operand_count) continue;
        if (named[node->name] || call->operands[node->name].absent) continue;
        named[node->name] = true;
        cost->loads[node->name] += times;
    }
}

/* Elements of the first output that is computed. */
static double written_elements(const rp_op_call *call) {
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (rp_op_operand_of(call, i)->access != RP_READ && !call->operands[i].absent)
            return (double)rp_tensor_elements(call->operands + i);
    return 0;
}

static void cost_of_formulas(const rp_op_call *call, rp_op_cost *out) {
    const rp_op *op = call->op;
    if (op->form == RP_OP_POINTWISE) {
        if (rp_op_formula(call))
            add_formula(call, rp_op_formula(call), written_elements(call), out);
        return;
    }
    if (op->form != RP_OP_ROWS) return;
    double elements = rp_op_product(call, "RC");
    for (uint32_t i = 0; i < op->step_count; i++) {
        bool once = op->steps[i].reduce == RP_REDUCE_NONE;
        double times = once ? (double)rp_op_reductions(call) : elements;
        add_formula(call, op->steps[i].expression, times, out);
        if (!once) out->flops += elements; /* the reduction itself */
        if (op->steps[i].at)
            out->loads[rp_op_operand_index(op, op->steps[i].at, strlen(op->steps[i].at))] +=
                elements;
    }
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (!call->operands[i].absent)
            add_formula(call, op->operands[i].expression,
                        (double)rp_tensor_elements(call->operands + i), out);
}

static double loads_of(const rp_op_call *call, uint32_t index, double from_formulas) {
    const rp_op_operand *operand = rp_op_operand_of(call, index);
    double own = (double)rp_tensor_elements(call->operands + index);
    if (call->operands[index].absent) return 0;
    if (operand->access != RP_READ)
        return call->op->form == RP_OP_SCATTER ? (double)rp_tensor_elements(call->operands) : own;
    if (rp_op_reads(call, index)) return rp_op_product(call, rp_op_reads(call, index));
    if (call->op->form == RP_OP_ROWS) return from_formulas;
    if (call->op->form != RP_OP_POINTWISE) return own;
    return rp_op_formula(call) ? from_formulas : written_elements(call);
}

void rp_op_cost_of(const rp_op_call *call, rp_op_cost *out) {
    memset(out, 0, sizeof *out);
    cost_of_formulas(call, out);
    if (call->op->flops > 0)
        out->flops =
            call->op->flops * written_elements(call) * rp_op_product(call, call->op->length);
    for (uint32_t i = 0; i < call->operand_count; i++)
        out->loads[i] = loads_of(call, i, out->loads[i]);
}

/* ---- Size ------------------------------------------------------------------------------------ */

enum { LOAD = 4, CONVERT = 12, TEXT = 60 };

/* The size of a formula; *first_step becomes the lowest of the steps that it names. */
static double formula_size(const rp_op_call *call, const char *text, uint32_t *first_step) {
    rp_formula_block block;
    rp_formula formula;
    char error[160];
    size_t at;
    *first_step = RP_OP_MAX_STEPS;
    if (!text || !rp_op_parse_formula(call, text, &block, &formula, error, &at)) return 0;
    double size = rp_formula_size(&formula);
    for (uint32_t i = 0; i < formula.count; i++) {
        if (formula.nodes[i].code != RP_FORMULA_NAME) continue;
        uint32_t name = formula.nodes[i].name;
        size += LOAD;
        if (name >= RP_OP_NAME_STEP && name < RP_OP_NAME_LENGTH &&
            name - RP_OP_NAME_STEP < *first_step)
            *first_step = name - RP_OP_NAME_STEP;
    }
    return size;
}

static void add_steps(const rp_op_call *call, rp_op_size *out) {
    uint32_t pass = 0, named;
    for (uint32_t i = 0; i < call->op->step_count; i++) {
        out->steps += formula_size(call, call->op->steps[i].expression, &named);
        if (call->op->steps[i].reduce == RP_REDUCE_NONE) continue;
        bool alone = i == 0 || (named < RP_OP_MAX_STEPS && named >= pass);
        if (!alone) continue;
        pass = i;
        out->passes++;
    }
}

void rp_op_size_of(const rp_op_call *call, rp_op_size *out) {
    const rp_op *op = call->op;
    uint16_t text = call->variant ? call->variant->text : op->text;
    uint32_t named;
    memset(out, 0, sizeof *out);
    if (op->form == RP_OP_ROWS) add_steps(call, out);
    if (rp_op_formula(call) && op->form == RP_OP_POINTWISE)
        out->element = formula_size(call, rp_op_formula(call), &named);
    else if (op->form != RP_OP_ROWS)
        out->element = text ? text : TEXT;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_op_operand *o = rp_op_operand_of(call, i);
        if (call->operands[i].absent || o->access == RP_READ) continue;
        out->element += formula_size(call, o->expression, &named);
        out->element += call->operands[i].dtype == RP_F32 ? LOAD : CONVERT;
    }
}
