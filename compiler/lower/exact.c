/* Makes a module exact: every float operation is decorated NoContraction, so that no driver turns a
 * product and a sum into one operation with one rounding. The generator says `precise` where GLSL
 * allows it; what is left, in text of kernels/ and behind arguments of calls, is reached here, once
 * for all. Whether two operations may be contracted would otherwise depend on what was fused around
 * them. */
#include <spirv/unified1/spirv.h>
#include "base/checked.h"
#include "lower/internal.h"

enum { HEADER = 5 };

static bool is_arithmetic(uint32_t op) {
    switch (op) {
    case SpvOpFNegate:
    case SpvOpFAdd:
    case SpvOpFSub:
    case SpvOpFMul:
    case SpvOpFDiv:
    case SpvOpFRem:
    case SpvOpFMod:
    case SpvOpVectorTimesScalar:
    case SpvOpMatrixTimesScalar:
    case SpvOpVectorTimesMatrix:
    case SpvOpMatrixTimesVector:
    case SpvOpMatrixTimesMatrix:
    case SpvOpOuterProduct:
    case SpvOpDot: return true;
    }
    return false;
}

/* Where annotations end, and which results are decorated already. */
static uint32_t read_decorations(const uint32_t *words, uint32_t count, bool *decorated) {
    uint32_t end = 0;
    for (uint32_t at = HEADER; at < count; at += words[at] >> 16) {
        uint32_t op = words[at] & 0xffff;
        if (op == SpvOpFunction) break;
        if (op != SpvOpDecorate && op != SpvOpMemberDecorate) continue;
        end = at + (words[at] >> 16);
        if (op == SpvOpDecorate && words[at + 2] == SpvDecorationNoContraction)
            decorated[words[at + 1]] = true;
    }
    return end;
}

rp_status rp_make_exact(const rp_allocator *a, uint32_t **words, uint32_t *count) {
    const uint32_t *from = *words;
    bool *decorated = rp_alloc_zero(a, from[3], 1);
    uint32_t *found = rp_alloc(a, *count, sizeof *found);
    rp_status status = RP_ERROR_NO_MEMORY;
    if (decorated && found) {
        uint32_t place = read_decorations(from, *count, decorated), total = 0;
        for (uint32_t at = HEADER; at < *count; at += from[at] >> 16)
            if (is_arithmetic(from[at] & 0xffff) && !decorated[from[at + 2]])
                found[total++] = from[at + 2];
        uint64_t size = (uint64_t)*count + 3 * (uint64_t)total;
        uint32_t *out = size <= UINT32_MAX ? rp_alloc(a, size, 4) : NULL;
        if (place == 0) total = 0; /* a module without bindings computes nothing */
        if (out) {
            memcpy(out, from, (size_t)place * 4);
            uint32_t *to = out + place;
            for (uint32_t i = 0; i < total; i++) {
                *to++ = 3u << 16 | SpvOpDecorate;
                *to++ = found[i];
                *to++ = SpvDecorationNoContraction;
            }
            memcpy(to, from + place, (size_t)(*count - place) * 4);
            rp_release(a, *words);
            *words = out;
            *count += 3 * total;
            status = RP_OK;
        }
    }
    rp_release(a, decorated);
    rp_release(a, found);
    return status;
}
