/* Attributes that are numbers like elements of an operand: a fill's, the ends of a range.
 *
 * Most numbers of ops are f32, whatever they are used with. Those that become elements, or are compared with some,
 * are what the elements are: of integers they are integers, with all 64 bits where the elements have so many. A
 * call has them as doubles with a rest (base/number.h), so whoever asks for less than that sees doubles. */
#include <stdio.h>

#include "base/number.h"
#include "ops/op_formula.h"

/* What elements of integers can be; false for other dtypes. */
static bool integer_range(uint8_t dtype, int64_t *low, uint64_t *high) {
    if (!rp_op_is_in(dtype, RP_DT_INTEGER)) return false;
    uint32_t bits = dtype == RP_BOOL ? 1 : 8 * rp_dtype_size(dtype);
    bool sign = rp_op_is_in(dtype, RP_DT_SIGNED);
    *high = UINT64_MAX >> (64 - bits + sign);
    *low = sign ? -(int64_t)*high - 1 : 0;
    return true;
}

/* The elements that an attribute is like; NULL: there are none. */
static const rp_tensor *elements_like(const rp_op_call *call, uint32_t index) {
    const char *like = call->op->attrs[index].like;
    if (!like) return NULL;
    const rp_tensor *t = &call->operands[rp_op_operand_index(call->op, like, strlen(like))];
    return t->absent ? NULL : t;
}

/* Whether all numbers that may have fractions have none. */
static bool are_whole(const rp_op_call *call, uint8_t dtype) {
    int64_t low;
    uint64_t high, bits;
    if (!integer_range(dtype, &low, &high)) return false;
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        if (call->op->attrs[i].fractions &&
            !rp_number_within(call->attrs[i], call->rests[i], low, high, &bits))
            return false;
    return true;
}

uint8_t rp_op_attr_type(const rp_op_call *call, uint32_t index) {
    const rp_tensor *like = elements_like(call, index);
    if (call->op->attrs[index].kind != RP_ATTR_NUMBER) return RP_TYPE_U32;
    if (!like || !rp_op_is_in(like->dtype, RP_DT_INDEX | RP_DT_LONG)) return RP_TYPE_F32;
    if (call->op->attrs[index].fractions && !rp_op_is_wide(like->dtype) &&
        !are_whole(call, like->dtype))
        return RP_TYPE_F32;
    return rp_op_formula_type(like->dtype);
}

uint64_t rp_op_attr_bits(const rp_op_call *call, uint32_t index) {
    int64_t low;
    uint64_t high, bits;
    const rp_tensor *like = elements_like(call, index);
    if (!like || !integer_range(like->dtype, &low, &high)) return 0;
    if (rp_number_within(call->attrs[index], call->rests[index], low, high, &bits)) return bits;
    return call->attrs[index] < 0 ? (uint64_t)low : high;
}

const char *rp_op_attr_text(char text[RP_ATTR_SHOWN], double number, double rest) {
    uint64_t bits;
    if (!rp_number_within(number, rest, INT64_MIN, UINT64_MAX, &bits))
        snprintf(text, RP_ATTR_SHOWN, "%.9g", number);
    else
        snprintf(text, RP_ATTR_SHOWN, number < 0 ? "-%llu" : "%llu",
                 (unsigned long long)(number < 0 ? 0 - bits : bits));
    return text;
}

/* A number like integers: one of them. */
static bool check_value(rp_op_call *call, uint32_t index) {
    const rp_op_attr *attr = &call->op->attrs[index];
    const rp_tensor *like = elements_like(call, index);
    double value = call->attrs[index];
    char text[RP_ATTR_SHOWN];
    int64_t low;
    uint64_t high, bits;
    if (!like || !integer_range(like->dtype, &low, &high)) return true;
    if (rp_number_within(value, call->rests[index], low, high, &bits)) return true;
    if (attr->fractions && !rp_op_is_wide(like->dtype)) return true;
    if (attr->saturates && (value == trunc(value) || rp_op_attr_type(call, index) == RP_TYPE_F32))
        return true;
    rp_op_attr_text(text, value, call->rests[index]);
    if (attr->saturates)
        return rp_op_fail(call, "attribute %s is %s, expected an integer, as %s is %s", attr->name,
                          text, attr->like, rp_dtype_name(like->dtype));
    return rp_op_fail(
        call, "attribute %s is %s, expected an integer from %lld to %llu, as %s is %s", attr->name,
        text, (long long)low, (unsigned long long)high, attr->like, rp_dtype_name(like->dtype));
}

bool rp_op_check_values(rp_op_call *call) {
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        if (!check_value(call, i)) return false;
    return true;
}
