/* Whether an array is what a buffer of a plan wants. */
#include <inttypes.h>
#include <stdio.h>
#include "base/bfloat.h"
#include "base/sized.h"
#include "file.h"

/* What .npy files say of f32: in others bf16 is bf16. */
static const char npy_f32[] = "<f4";

int rp_weight_converts(const rp_weight *weight, rp_dtype dtype) {
    if (!weight || !weight->type) return 0;
    return (dtype == RP_F32 && (weight->dtype == RP_BF16 || weight->dtype == RP_F16)) ||
           (dtype == RP_BF16 && strcmp(weight->type, npy_f32) == 0);
}

rp_status rp_weight_convert(const rp_weight *weight, rp_dtype dtype, uint64_t first, uint64_t count,
                            void *out) {
    if (!rp_weight_converts(weight, dtype) || (!out && count)) return RP_ERROR_USAGE;
    uint64_t all = weight->size / rp_dtype_size(weight->dtype);
    if (first > all || count > all - first) return RP_ERROR_USAGE;
    const uint8_t *from = (const uint8_t *)weight->data + first * rp_dtype_size(weight->dtype);
    uint8_t *to = out;
    for (uint64_t i = 0; i < count; i++) {
        uint16_t half;
        float value;
        if (dtype == RP_F32) {
            memcpy(&half, from + i * sizeof half, sizeof half);
            value = weight->dtype == RP_F16 ? rp_f16_to_f32(half) : rp_bf16_to_f32(half);
            memcpy(to + i * sizeof value, &value, sizeof value);
        } else {
            memcpy(&value, from + i * sizeof value, sizeof value);
            half = rp_bf16_of_f32(value);
            memcpy(to + i * sizeof half, &half, sizeof half);
        }
    }
    return RP_OK;
}

/* A shape of no dimensions is that of a single element, (1,). */
static bool same_shape(const rp_weight *w, const rp_plan_buffer_info *b) {
    static const uint64_t one = 1;
    uint32_t rank = w->rank ? w->rank : 1, other_rank = b->rank ? b->rank : 1;
    const uint64_t *shape = w->rank ? w->shape : &one, *other = b->rank ? b->shape : &one;
    return rank == other_rank && rank <= RP_MAX_RANK &&
           memcmp(shape, other, rank * sizeof *shape) == 0;
}

static rp_status wrong_type(const rp_weights *file, const rp_weight *w, const char *subject,
                            const rp_plan_buffer_info *b, rp_diags *diags) {
    if (!file->npy)
        return rp_weights_say(file, diags, "%sis %s; buffer '%s' is %s%s", subject, w->type,
                              b->name, rp_dtype_name(b->dtype),
                              w->dtype == RP_BF16  ? ": BF16 fits buffers of bf16 and f32"
                              : w->dtype == RP_F16 ? ": F16 fits buffers of f16 and f32"
                                                   : "");
    static const char *const numpy[] = {
#define RP_X(symbol, code, keyword, bytes, block, name) [symbol] = name,
        RP_DTYPE_LIST(RP_X)
#undef RP_X
    };
    const char *wanted = (unsigned)b->dtype < sizeof numpy / sizeof *numpy ? numpy[b->dtype] : "u1";
    return rp_weights_say(file, diags,
                          "has elements of type '%s'; buffer '%s' is %s: save it with "
                          "array.astype('%c%s')",
                          w->type, b->name, rp_dtype_name(b->dtype), wanted[1] > '1' ? '<' : '|',
                          wanted);
}

static rp_status check(const rp_weights *file, const rp_weight *w, const rp_plan_buffer_info *b,
                       rp_diags *diags) {
    char subject[96] = "";
    if (!file->npy) snprintf(subject, sizeof subject, "tensor '%.60s' ", w->name);
    bool blocks = rp_dtype_block(b->dtype) > 1; /* no file has them: their bytes, in any shape */
    if (blocks && file->npy && w->dtype != RP_U8) return wrong_type(file, w, subject, b, diags);
    if (b->dtype == RP_RAW || blocks) {
        if (w->size == b->bytes && (!blocks || w->dtype == RP_U8)) return RP_OK;
        return rp_weights_say(file, diags,
                              "%shas %" PRIu64 " bytes of %s; buffer '%s' needs %" PRIu64 "%s",
                              subject, w->size, w->type, b->name, b->bytes, blocks ? " of U8" : "");
    }
    if (w->dtype != b->dtype && !rp_weight_converts(w, b->dtype))
        return wrong_type(file, w, subject, b, diags);
    if (same_shape(w, b)) return RP_OK;
    char have[256], want[256];
    uint32_t shown = w->rank < RP_MAX_RANK ? w->rank : RP_MAX_RANK;
    rp_shape_text(shown, w->shape, have, sizeof have);
    rp_shape_text(b->rank, b->shape, want, sizeof want);
    return rp_weights_say(file, diags, "%shas shape %s%s; buffer '%s' has shape %s", subject, have,
                          shown < w->rank ? " and more" : "", b->name, want);
}

rp_status rp_weights_check(const rp_weights *weights, uint32_t index,
                           const rp_plan_buffer_info *buffer, rp_diags *diags) {
    rp_plan_buffer_info own;
    if (!weights || index >= weights->count || !buffer) return RP_ERROR_USAGE;
    if (!rp_sized_take(buffer, &own, sizeof own) || !own.name) return RP_ERROR_USAGE;
    return check(weights, &weights->items[index], &own, diags);
}
