/* Finds the references of ops, and converts as they all do; see reference.h. */
#include "reference/reference.h"

#include <math.h>

/* ---- The families ---------------------------------------------------------------------------- */

rp_reference *rp_reference_of(const rp_op *op) {
    static const struct {
        const char *name;
        rp_reference *(*find)(const char *name);
    } families[] = {
#define RP_X(family) {#family, rp_reference_of_##family},
        RP_OP_FAMILIES(RP_X)
#undef RP_X
    };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(families[i].name, op->family) == 0) return families[i].find(op->name);
    return NULL;
}

rp_reference *rp_reference_among(const rp_reference_entry *entries, size_t count,
                                 const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0) return entries[i].reference;
    return NULL;
}

/* ---- Conversions ----------------------------------------------------------------------------- */

/* To a number of significant bits, fewer below 2^(least - 1); an infinity from `beyond` on. */
static double nearest(double value, int digits, int least, double beyond) {
    if (!isfinite(value) || value == 0) return value;
    if (fabs(value) >= beyond) return value < 0 ? -INFINITY : INFINITY;
    int exponent;
    frexp(value, &exponent); /* value = 0.1... * 2^exponent */
    if (exponent < least) exponent = least;
    double unit = ldexp(1, exponent - digits);
    return rint(value / unit) * unit;
}

double rp_reference_f16(double value) {
    return nearest(value, 11, -13, 65520);
}

double rp_reference_bf16(double value) {
    return nearest(value, 8, -125, 0x1.ffp127);
}

static double saturate(double value, double low, double high) {
    if (isnan(value)) return 0;
    value = trunc(value);
    return value < low ? low : value > high ? high : value;
}

double rp_reference_store(uint8_t dtype, double value) {
    switch ((rp_dtype)dtype) {
    case RP_I8: return saturate(value, INT8_MIN, INT8_MAX);
    case RP_U8: return saturate(value, 0, UINT8_MAX);
    case RP_I16: return saturate(value, INT16_MIN, INT16_MAX);
    case RP_U16: return saturate(value, 0, UINT16_MAX);
    case RP_I64: return saturate(value, -0x1p63, 0x1p63);
    case RP_U64: return saturate(value, 0, 0x1p64);
    case RP_BOOL: return value != 0;
    case RP_F64: return value;
    case RP_I32: return saturate(value, INT32_MIN, INT32_MAX);
    case RP_U32: return saturate(value, 0, UINT32_MAX);
    case RP_F16: return fabs(value) >= 65520 ? rp_reference_f16(value) : value;
    case RP_BF16: return fabs(value) >= 0x1.ffp127 ? rp_reference_bf16(value) : value;
    case RP_F32: return fabs(value) >= 0x1.ffffffp127 ? copysign(INFINITY, value) : value;
    case RP_RAW:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return value;
}

double rp_reference_mask(const rp_op_call *call, uint32_t operand, double value) {
    if (call->operands[operand].dtype != RP_BOOL) return value;
    return value != 0 ? 0 : -INFINITY;
}

double rp_reference_scale(double result, double scale) {
    return isfinite(scale) && scale >= 0 ? scale : fabs(result);
}

uint64_t rp_reference_broadcast(const rp_op_call *call, uint32_t input, uint32_t to,
                                uint64_t index) {
    const rp_tensor *from = call->operands + input, *shape = call->operands + to;
    uint64_t result = 0, stride = 1;
    for (uint32_t place = 0; place < shape->rank && place < from->rank; place++) {
        uint64_t dim = shape->dims[shape->rank - 1 - place];
        uint64_t own = from->dims[from->rank - 1 - place];
        if (own != 1) result += index % dim * stride;
        stride *= own;
        index /= dim;
    }
    return result;
}
