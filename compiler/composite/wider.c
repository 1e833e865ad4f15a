/* Operands of dtypes that an op's kernels do not have.
 *
 * A kernel for every dtype of every operand would be many, most of which differ in a conversion alone. So ops say
 * what front ends take beside what their kernels have (`taken`), and here that becomes other ops: the one with the
 * same meaning that has kernels for it (`taken_as`: the sum of a row of i64 is a reduce_sum), or the op itself behind
 * conversions. Integers that are computed with as floats become f32, rounded to the nearest; counts and numbers of
 * rows become i32 or u32, saturated, and are then beyond all that there is. Conversions fuse where operands are
 * asked for through hooks; what kernels bind as it is takes a small dispatch.
 *
 * The other way round, places and counts that ops and composites give as u32 are converted behind them: models have
 * them as i64. */
#include "composite/wider.h"

#include "composite/apply.h"

static const rp_op_operand *operand_named(const rp_op *op, const char *name) {
    uint32_t index = rp_op_operand_index(op, name, strlen(name));
    return index < op->operand_count ? &op->operands[index] : NULL;
}

/* ---- Outputs --------------------------------------------------------------------------------- */

/* Whether an output is one of u32 that is asked for as another integer. */
static bool is_given(const rp_signature *s, const rp_given_operand *given) {
    uint8_t dtype = given->argument.tensor.dtype;
    if (!rp_op_is_in(dtype, RP_DT_GIVEN)) return false;
    if (s->op) {
        const rp_op_operand *operand = operand_named(s->op, given->name);
        return operand && operand->access == RP_WRITE && operand->taken != 0;
    }
    for (uint32_t i = 0; i < s->composite->operand_count; i++)
        if (strcmp(s->composite->operands[i].name, given->name) == 0)
            return s->composite->operands[i].counts;
    return false;
}

bool rp_wider_gives(const rp_application *x, const rp_signature *s) {
    for (uint32_t i = 0; i < x->operand_count; i++)
        if (is_given(s, &x->operands[i])) return true;
    return false;
}

rp_status rp_wider_give(rp_application *x, const rp_signature *s) {
    const char *name = s->op ? s->op->name : s->composite->info.name;
    const rp_composite as = {.info.name = name};
    rp_expansion e = {.application = x, .composite = &as, .first_id = x->graph->nodes_count};
    rp_given_operand operands[RP_APPLY_MAX_OPERANDS];
    bool given[RP_APPLY_MAX_OPERANDS] = {false};
    rp_application inner = *x;
    if (x->operand_count > RP_APPLY_MAX_OPERANDS)
        return rp_apply_error(x, RP_BLAME_OP, 0, "%s: more than %d operands", name,
                              RP_APPLY_MAX_OPERANDS);
    RP_TRY(rp_expand_label(&e));
    for (uint32_t i = 0; i < x->operand_count; i++) {
        operands[i] = x->operands[i];
        given[i] = is_given(s, &operands[i]);
        if (!given[i]) continue;
        RP_TRY(rp_expand_temp(&e, "integers", &operands[i]));
        operands[i].name = x->operands[i].name;
        operands[i].argument.tensor =
            x->operands[i].argument.tensor; /* its shape, where it has one */
        operands[i].argument.tensor.dtype = RP_U32;
    }
    inner.operands = operands;
    inner.node = x->node;
    rp_status status =
        s->op ? rp_apply_op(&inner, s->op) : rp_composite_apply(&inner, s->composite);
    if (status == RP_ERROR_INVALID) {
        rp_apply_error(x, inner.blame, inner.blame_index, "%s", inner.error);
        x->error_at = inner.error_at;
    }
    for (uint32_t i = 0; i < x->operand_count && status == RP_OK; i++)
        if (!given[i])
            x->operands[i] = operands[i];
        else
            status = rp_expand_op(
                &e, "cast", RP_PARTS({"x", &operands[i]}, {"out", &x->operands[i]}), RP_NO_ATTRS);
    return status;
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static bool is_taken(const rp_op *op, const rp_given_operand *given) {
    const rp_op_operand *operand = operand_named(op, given->name);
    return operand && operand->access == RP_READ &&
           rp_op_is_in(given->argument.tensor.dtype, operand->taken);
}

/* Whether an op's integers are multiplied by einsum. */
static bool is_product(const rp_op *op) {
    return op->taken_as && strcmp(op->taken_as, "einsum") == 0;
}

bool rp_wider_takes(const rp_application *x, const rp_op *op) {
    bool any = false, integers = true;
    for (uint32_t i = 0; i < x->operand_count; i++) {
        const rp_op_operand *operand = operand_named(op, x->operands[i].name);
        uint8_t dtype = x->operands[i].argument.tensor.dtype;
        any |= is_taken(op, &x->operands[i]);
        if (operand && operand->access == RP_READ) integers &= rp_op_is_in(dtype, RP_DT_INTEGER);
    }
    return any && (integers || !is_product(op)); /* products of both are none */
}

/* What the op of the same meaning is told beside its attributes: of rows the last axis, of products which
 * dimensions meet, in the place of them. */
static rp_attribute more_for(const rp_application *x, const rp_op *op, const rp_signature *other) {
    static const char *const equations[2][2] = {{"...mk,...kn->...mn", "...mk,...nk->...mn"},
                                                {"...km,...kn->...mn", "...km,...nk->...mn"}};
    bool turned[2] = {false, false};
    const char *name = rp_signature_attr(other, 0)->name;
    if (op->form == RP_OP_ROWS) return (rp_attribute){.name = name, .text = "-1"};
    if (!is_product(op)) return (rp_attribute){0};
    for (uint32_t i = 0; i < x->attr_count; i++)
        turned[strcmp(x->attrs[i].name, "transpose_b") == 0] = x->attrs[i].number != 0;
    bool rows = op->attr_count == 0; /* of a matrix on the right, for a vector each */
    return (rp_attribute){.name = name,
                          .text = rows ? "...k,mk->...m" : equations[turned[0]][turned[1]]};
}

/* Operands of products are those of the first term, of the second, and what is made. */
static void name_factors(const rp_op *op, rp_given_operand *operands, uint32_t count) {
    static const char *const names[] = {"a", "b", "out"};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = rp_op_operand_index(op, operands[i].name, strlen(operands[i].name));
        if (is_product(op) && index < 3) operands[i].name = names[index];
    }
}

/* The op of the same meaning. */
static rp_status apply_other(rp_application *x, const rp_op *op) {
    rp_signature other;
    rp_attribute attrs[RP_APPLY_MAX_ATTRS] = {0};
    rp_given_operand operands[RP_APPLY_MAX_OPERANDS];
    rp_application inner = *x;
    if (!rp_signature_find(op->taken_as, &other) || x->attr_count == RP_APPLY_MAX_ATTRS ||
        x->operand_count > RP_APPLY_MAX_OPERANDS)
        return rp_apply_error(x, RP_BLAME_OP, 0, "%s takes no such operands", op->name);
    for (uint32_t i = 0; i < x->attr_count; i++) {
        attrs[i] = x->attrs[i];
        if (rp_op_attr_index(op, attrs[i].name, strlen(attrs[i].name)) >= op->attr_count)
            return rp_attribute_unknown(x, op->name, i);
    }
    for (uint32_t i = 0; i < x->operand_count; i++) operands[i] = x->operands[i];
    name_factors(op, operands, x->operand_count);
    if (is_product(op)) inner.attr_count = 0;
    attrs[inner.attr_count] = more_for(x, op, &other);
    inner.attr_count += attrs[inner.attr_count].name != NULL;
    inner.op = op->taken_as;
    inner.attrs = attrs;
    inner.operands = operands;
    rp_status status = rp_apply_to_graph(&inner);
    for (uint32_t i = 0; i < x->operand_count; i++) {
        x->operands[i].argument = operands[i].argument;
        x->operands[i].fresh = operands[i].fresh;
    }
    if (status == RP_ERROR_INVALID)
        rp_apply_error(x, is_product(op) ? RP_BLAME_OP : inner.blame, inner.blame_index, "%s: %s",
                       op->name, inner.error);
    return status;
}

/* What kernels have in the place of a dtype. */
static uint8_t converted(const rp_op_operand *operand, uint8_t dtype) {
    bool sign = rp_op_is_in(dtype, RP_DT_SIGNED);
    if (operand->dtypes & RP_DT(RP_F32)) return RP_F32;
    return sign && (operand->dtypes & RP_DT(RP_I32)) ? RP_I32 : RP_U32;
}

rp_status rp_wider_view(rp_expansion *e, const rp_given_operand *given, rp_given_operand *out) {
    rp_tensor *t = &out->argument.tensor;
    char text[RP_TENSOR_TEXT];
    *out = *given;
    if (t->dtype == RP_U32) return RP_OK;
    uint32_t last = t->rank ? t->rank - 1u : 0, size = rp_dtype_size((rp_dtype)t->dtype);
    uint64_t bytes = (t->rank ? t->dims[last] : 1) * size;
    if (t->rank > RP_MAX_RANK || bytes % 4 != 0 || (t->powers[last] != 0 && size < 4))
        return rp_apply_error(e->application, RP_BLAME_OP, 0,
                              "%s: %s is %s, expected rows of a number of words of 32 bits",
                              e->composite->info.name, given->name,
                              rp_tensor_text(text, &given->argument.tensor));
    if (t->rank == 0) t->rank = 1;
    t->dims[last] = bytes / 4;
    t->dtype = RP_U32;
    return RP_OK;
}

/* Whether elements stand for bits of words. */
static bool is_mask(const rp_op_operand *operand, const rp_given_operand *given) {
    return given->argument.tensor.dtype == RP_BOOL && operand->dtypes == RP_DT(RP_U32);
}

rp_status rp_wider_words(rp_expansion *e, rp_given_operand *mask, rp_given_operand *out) {
    static const rp_attribute one = {.name = "threshold", .number = 1};
    *out = *mask;
    if (mask->argument.tensor.dtype != RP_BOOL) return RP_OK;
    RP_TRY(rp_expand_temp(e, "bits", out));
    return rp_expand_op(e, "binary_quantize", RP_PARTS({"x", mask}, {"out", out}), &one, 1);
}

rp_status rp_wider_apply(rp_application *x, const rp_op *op) {
    for (uint32_t i = 0; op->taken_as && i < x->operand_count; i++)
        if ((is_product(op) || operand_named(op, x->operands[i].name) == op->operands) &&
            is_taken(op, &x->operands[i]))
            return apply_other(x, op);
    const rp_composite as = {.info.name = op->name};
    rp_expansion e = {.application = x, .composite = &as, .first_id = x->graph->nodes_count};
    rp_given_operand made[RP_OP_FIXED_OPERANDS];
    rp_part parts[RP_APPLY_MAX_OPERANDS];
    uint32_t count = 0;
    RP_TRY(rp_expand_label(&e));
    for (uint32_t i = 0; i < x->operand_count; i++) {
        rp_given_operand *given = &x->operands[i];
        parts[i] = (rp_part){given->name, given};
        if (!is_taken(op, given) || count == RP_OP_FIXED_OPERANDS) continue;
        rp_given_operand *to = &made[count++];
        parts[i].operand = to;
        if (operand_named(op, given->name)->words) {
            RP_TRY(rp_wider_view(&e, given, to));
            continue;
        }
        if (is_mask(operand_named(op, given->name), given)) {
            RP_TRY(rp_wider_words(&e, given, to));
            continue;
        }
        RP_TRY(rp_expand_temp(&e, given->name, to));
        to->argument.tensor.dtype =
            converted(operand_named(op, given->name), given->argument.tensor.dtype);
        RP_TRY(rp_expand_op(&e, "cast", RP_PARTS({"x", given}, {"out", to}), RP_NO_ATTRS));
    }
    return rp_expand_op(&e, op->name, parts, x->operand_count, x->attrs, x->attr_count);
}
