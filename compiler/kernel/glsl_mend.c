/* What glslang makes that is not valid, of shaders that are.
 *
 * float16_t(x) of an x in a 16-bit block becomes a conversion from 16 to 16 bits where the shader
 * asks for no 16-bit arithmetic, only for storage; int8_t and the like do the same. A conversion
 * to the type that is there already is a copy. */
#include "kernel/glsl.h"

#include <spirv/unified1/spirv.h>

static bool converts(uint32_t op) {
    return op == SpvOpFConvert || op == SpvOpSConvert || op == SpvOpUConvert;
}

static bool is_number_type(uint32_t op) {
    return op == SpvOpTypeFloat || op == SpvOpTypeInt || op == SpvOpTypeVector;
}

rp_status rp_glsl_mend(const rp_allocator *a, uint32_t *words, uint32_t count) {
    bool any = false;
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16)
        any |= converts(words[at] & 0xffff);
    if (!any) return RP_OK;
    uint32_t bound = words[3], *type = rp_alloc_zero(a, bound, sizeof *type);
    if (!type) return RP_ERROR_NO_MEMORY;
    for (uint32_t at = RP_SPIRV_HEADER; at < count; at += words[at] >> 16) {
        uint32_t *w = words + at, op = w[0] & 0xffff;
        /* A type is its own. What begins with one has a result of it; names and decorations, where
         * that is not so, come before all results. */
        if (is_number_type(op) && w[1] < bound)
            type[w[1]] = w[1];
        else if (w[0] >> 16 > 2 && w[1] < bound && type[w[1]] == w[1] && w[1] && w[2] < bound)
            type[w[2]] = w[1];
        if (converts(op) && w[3] < bound && type[w[3]] == w[1]) w[0] = 4 << 16 | SpvOpCopyObject;
    }
    rp_release(a, type);
    return RP_OK;
}
