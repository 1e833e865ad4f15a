/* From one dtype to another: what a formula computes, or memory has, as an output keeps it. Helpers of
 * kernels/include saturate and round; those of 64 bits take words, so that no conversion alone needs shaderInt64. */
#include "lower/internal.h"
#include "ops/op_formula.h"

const char *rp_emit_rounding(uint8_t dtype) {
    switch ((rp_dtype)dtype) {
    case RP_F16: return "round_f16";
    case RP_BF16: return "round_bf16";
    case RP_I8: return "to_i8";
    case RP_U8: return "to_u8";
    case RP_I16: return "to_i16";
    case RP_U16: return "to_u16";
    case RP_BOOL: return "to_bool";
    case RP_F64:
    case RP_I64:
    case RP_U64:
    case RP_RAW:
    case RP_F32:
    case RP_I32:
    case RP_U32:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return "";
}

const char *rp_emit_round_4(rp_emit *e, uint8_t dtype, const char *type, const char *value) {
    const char *one = rp_emit_rounding(dtype);
    if (!*one) return value;
    if (dtype == RP_F16) return rp_emit_name(e, "round_f16_4(%s)", value);
    return rp_emit_name(e, "%s(%s(%s.x), %s(%s.y), %s(%s.z), %s(%s.w))", type, one, value, one,
                        value, one, value, one, value);
}

static const char *class_name(uint8_t dtype) {
    switch (rp_op_formula_type(dtype)) {
    case RP_TYPE_I32: return "i32";
    case RP_TYPE_U32: return "u32";
    }
    return "f32";
}

const char *rp_emit_converted_64(rp_emit *e, uint8_t from, uint8_t to, const char *x) {
    const char *own = rp_dtype_name((rp_dtype)from), *wanted = rp_dtype_name((rp_dtype)to);
    if (from == to) return x;
    if (rp_op_is_wide(to))
        return rp_emit_name(e, "%s_of_%s(%s)", wanted, rp_op_is_wide(from) ? own : class_name(from),
                            x);
    if (to == RP_BOOL) return rp_emit_name(e, "bool_of_%s(%s)", own, x);
    bool half = to == RP_F16 || to == RP_BF16;
    return rp_emit_name(e, "%s(%s_of_%s(%s))", rp_emit_rounding(to), half ? "odd" : class_name(to),
                        own, x);
}

uint8_t rp_emit_dtype_of(uint8_t type) {
    static const uint8_t dtypes[] = {
        [RP_TYPE_F32] = RP_F32, [RP_TYPE_I32] = RP_I32, [RP_TYPE_U32] = RP_U32,
        [RP_TYPE_I64] = RP_I64, [RP_TYPE_U64] = RP_U64, [RP_TYPE_BOOL] = RP_U32};
    return dtypes[type];
}

/* The result as an output of a dtype has it; `r` is a variable of `type`. */
static const char *result_of(uint8_t dtype, uint8_t type) {
    bool from_float = type == RP_TYPE_F32;
    switch ((rp_dtype)dtype) {
    case RP_F16: return from_float ? "round_f16(r)" : "round_f16(float(r))";
    case RP_BF16: return from_float ? "round_bf16(r)" : "round_bf16(float(r))";
    case RP_I8: return from_float ? "to_i8(to_i32(r))" : "to_i8(r)";
    case RP_U8: return from_float ? "to_u8(to_u32(r))" : "to_u8(r)";
    case RP_I16: return from_float ? "to_i16(to_i32(r))" : "to_i16(r)";
    case RP_U16: return from_float ? "to_u16(to_u32(r))" : "to_u16(r)";
    case RP_BOOL: return "to_bool(r)";
    case RP_I32: return from_float ? "to_i32(r)" : type == RP_TYPE_I32 ? "r" : "to_i32(r)";
    case RP_U32: return from_float ? "to_u32(r)" : type == RP_TYPE_U32 ? "r" : "to_u32(r)";
    case RP_F64:
    case RP_I64:
    case RP_U64:
    case RP_RAW:
    case RP_F32:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return from_float ? "r" : "float(r)";
}

void rp_emit_put_result(rp_emit *e, uint8_t dtype, uint8_t type) {
    const char *result = result_of(dtype, type);
    if (rp_op_is_wide(dtype) || rp_formula_is_wide(type))
        result = rp_emit_converted_64(e, rp_emit_dtype_of(type), dtype,
                                      rp_formula_is_wide(type) ? "words" : "r");
    if (rp_formula_is_wide(type)) rp_text_string(&e->functions, "    uvec2 words = to_words(r);\n");
    rp_text_format(&e->functions, "    return %s;\n}\n\n", result);
}
