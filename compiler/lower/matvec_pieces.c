/* Pieces of matrix-vector products (kernels/matvec), put into the text: as functions by
 * rp_emit_core_text(), or as statements of main here. */
#include "lower/matvec.h"

const char *rp_matvec_source(rp_emit *e, const char *name) {
    const char *text = rp_kernel_source(name);
    if (!text) rp_emit_fail(e, "kernels/%s.glsl is missing", name);
    return text ? text : "";
}

void rp_matvec_put(rp_emit *e, uint32_t member, const char *name, const char *prefix,
                   const char *indent) {
    rp_text text;
    rp_text_init(&text, &e->allocator);
    rp_emit_core_text(e, &text, member, rp_matvec_source(e, name), prefix);
    if (text.failed) rp_emit_no_memory(e);
    for (uint32_t i = 0; !text.failed && i < text.size;) {
        uint32_t end = i;
        while (end < text.size && text.data[end] != '\n') end++;
        rp_text_string(&e->main, indent);
        rp_text_append(&e->main, text.data + i, end - i);
        rp_text_char(&e->main, '\n');
        i = end + 1;
    }
    rp_text_free(&text);
}
