/* Makes a module exact, so that what an operation gives does not depend on what was fused around
 * it.
 *
 * Every float operation is decorated NoContraction, so that no driver turns a product and a sum
 * into one operation with one rounding. The generator says `precise` where GLSL allows it; what is
 * left, in text of kernels/ and behind arguments of calls, is reached here, once for all.
 *
 * And the module says SignedZeroInfNanPreserve for the floats that it computes with; of 32-bit ones the
 * text does so itself (assemble.c), for an optimiser that unrolls loops drops decorations of what it
 * copies, and would make one operation of a product and a sum there. Without it
 * x * 0 may become 0, x + 0 and x - x too, wherever a driver sees that an operand is a constant or
 * that two are the same, which fusion is there to bring about. Constants are hidden besides
 * (kernels/include/hidden.glsl): this mode says nothing of denormals, nor of how precise a function
 * of a constant is. */
#include <spirv/unified1/spirv.h>
#include <stdio.h>
#include "base/checked.h"
#include "lower/internal.h"
#include "spirv/spirv.h"

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

/* What of a module is looked at before words are added to it. */
typedef struct outline {
    uint32_t modes;       /* where OpExecutionMode may stand: behind the entry points */
    uint32_t annotations; /* their end; 0: a module without bindings, which computes nothing */
    uint32_t entry;       /* the entry point's id */
    bool half;            /* it computes in 16-bit floats too */
    bool preserves;       /* it says so of 32-bit floats already */
    bool *decorated;      /* ids that are NoContraction already */
    uint32_t *found;      /* results to decorate */
    uint32_t found_count;
} outline;

static void look(const uint32_t *words, uint32_t count, outline *o) {
    bool code = false;
    for (uint32_t at = HEADER; at < count; at += words[at] >> 16) {
        uint32_t op = words[at] & 0xffff, end = at + (words[at] >> 16);
        code |= op == SpvOpFunction;
        if (op == SpvOpCapability && words[at + 1] == SpvCapabilityFloat16) o->half = true;
        if (op == SpvOpExecutionMode && words[at + 2] == SpvExecutionModeSignedZeroInfNanPreserve)
            o->preserves = true;
        if (op == SpvOpEntryPoint) o->entry = words[at + 2];
        if (op == SpvOpEntryPoint || op == SpvOpExecutionMode) o->modes = end;
        if (!code && (op == SpvOpDecorate || op == SpvOpMemberDecorate)) o->annotations = end;
        if (!code && op == SpvOpDecorate && words[at + 2] == SpvDecorationNoContraction)
            o->decorated[words[at + 1]] = true;
        if (is_arithmetic(op) && !o->decorated[words[at + 2]])
            o->found[o->found_count++] = words[at + 2];
    }
}

/* Copies the words from `*at` to `end`. */
static uint32_t *copy_to(uint32_t *to, const uint32_t *from, uint32_t *at, uint32_t end) {
    memcpy(to, from + *at, (size_t)(end - *at) * 4);
    to += end - *at;
    *at = end;
    return to;
}

/* Whether an instruction stands behind those that name and describe a module. */
static bool is_said_later(uint32_t op) {
    bool decorates = (op >= SpvOpDecorate && op <= SpvOpGroupMemberDecorate) ||
                     op == SpvOpDecorateId || op == SpvOpDecorateString ||
                     op == SpvOpMemberDecorateString;
    return decorates || (op >= SpvOpTypeVoid && op <= SpvOpFunction) || op == SpvOpUndef;
}

static uint32_t *put_mode(uint32_t *to, uint32_t entry, uint32_t width) {
    *to++ = 4u << 16 | SpvOpExecutionMode;
    *to++ = entry;
    *to++ = SpvExecutionModeSignedZeroInfNanPreserve;
    *to++ = width;
    return to;
}

static uint32_t *put_all(uint32_t *to, const uint32_t *from, uint32_t count, const outline *o) {
    uint32_t at = 0;
    to = copy_to(to, from, &at, HEADER);
    if (!o->preserves) {
        *to++ = 2u << 16 | SpvOpCapability; /* part of SPIR-V 1.4; generated kernels are 1.5 */
        *to++ = SpvCapabilitySignedZeroInfNanPreserve;
    }
    to = copy_to(to, from, &at, o->modes);
    if (!o->preserves) to = put_mode(to, o->entry, 32);
    if (o->half) to = put_mode(to, o->entry, 16);
    to = copy_to(to, from, &at, o->annotations);
    for (uint32_t i = 0; i < o->found_count; i++) {
        *to++ = 3u << 16 | SpvOpDecorate;
        *to++ = o->found[i];
        *to++ = SpvDecorationNoContraction;
    }
    return copy_to(to, from, &at, count);
}

rp_status rp_say_subgroup(const rp_allocator *a, uint32_t size, uint32_t **words, uint32_t *count) {
    uint32_t said[8] = {0}, at = HEADER, end = HEADER;
    int length = snprintf((char *)(said + 1), sizeof said - 4, RP_SPIRV_SUBGROUP "%u", size);
    uint32_t said_words = 1 + ((uint32_t)length + 4) / 4; /* and its end */
    said[0] = said_words << 16 | SpvOpModuleProcessed;
    const uint32_t *from = *words;
    /* It stands behind the names, before what is said of ids. */
    while (end < *count && !is_said_later(from[end] & 0xffff)) end += from[end] >> 16;
    uint32_t *out = rp_alloc(a, (uint64_t)*count + said_words, sizeof *out);
    if (!out) return RP_ERROR_NO_MEMORY;
    uint32_t zero = 0;
    uint32_t *to = copy_to(out, from, &zero, end);
    memcpy(to, said, (size_t)said_words * 4);
    at = end;
    copy_to(to + said_words, from, &at, *count);
    *count += said_words;
    rp_release(a, *words);
    *words = out;
    return RP_OK;
}

rp_status rp_make_exact(const rp_allocator *a, uint32_t **words, uint32_t *count) {
    const uint32_t *from = *words;
    outline o = {.decorated = rp_alloc_zero(a, from[3], 1),
                 .found = rp_alloc(a, *count, sizeof *o.found)};
    uint32_t *out = NULL;
    rp_status status = RP_ERROR_NO_MEMORY;
    if (o.decorated && o.found) {
        look(from, *count, &o);
        status = RP_OK;
        uint64_t size = (uint64_t)*count + 3 * (uint64_t)o.found_count + 10;
        bool computes = o.annotations > 0;
        if (computes) out = size <= UINT32_MAX ? rp_alloc(a, size, 4) : NULL;
        if (computes && !out) status = RP_ERROR_NO_MEMORY;
    }
    if (out) {
        *count = (uint32_t)(put_all(out, from, *count, &o) - out);
        rp_release(a, *words);
        *words = out;
    }
    rp_release(a, o.decorated);
    rp_release(a, o.found);
    return status;
}
