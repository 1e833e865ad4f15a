/* Products of cooperative matrices: which shapes the entry point's code asks of a device. A device
 * has a list of those that it can do, and what is not on it is undefined there, so the shapes are
 * part of what a plan needs. They show in types, whose sizes may be specialisation constants.
 *
 * A product names values, not types: code.c notes which values have a matrix type. */
#include <stdio.h>
#include "spirv/reader.h"

const char *rp_spirv_component_name(uint32_t component) {
    static const char *const names[] = {
#define RP_X(symbol, number, name) [number] = name,
        RP_SPIRV_COMPONENT_LIST(RP_X)
#undef RP_X
    };
    return component < sizeof names / sizeof *names ? names[component] : "?";
}

void rp_spirv_print_product(const rp_spirv_product *p, char text[RP_SPIRV_PRODUCT_TEXT]) {
    const char *a = rp_spirv_component_name(p->a), *b = rp_spirv_component_name(p->b);
    const char *c = rp_spirv_component_name(p->c), *sums = rp_spirv_component_name(p->result);
    bool plain = p->a == p->b && p->c == p->result;
    snprintf(text, RP_SPIRV_PRODUCT_TEXT, plain ? "%ux%ux%u %s %s" : "%ux%ux%u %s %s %s %s", p->m,
             p->n, p->k, a, plain ? c : b, c, sums);
}

static bool is_matrix(rp_spirv_reader *r, uint32_t type) {
    return rp_spirv_defined_by(r, rp_spirv_entry(r, type)) == OP_TYPE_COOPERATIVE_MATRIX;
}

/* The words of the type of a matrix; NULL for any other value. */
static const uint32_t *type_of(rp_spirv_reader *r, uint32_t value) {
    uint32_t type = rp_spirv_type_of(r, value);
    return is_matrix(r, type) ? r->words + rp_spirv_entry(r, type)->at : NULL;
}

/* A size; 0 when it is not known. */
static uint32_t size_of(rp_spirv_reader *r, uint32_t constant) {
    const rp_spirv_id *e = rp_spirv_entry(r, constant);
    return e->known ? e->value : 0;
}

static uint8_t component_of(rp_spirv_reader *r, uint32_t type, bool sign) {
    const rp_spirv_id *e = rp_spirv_entry(r, type);
    bool real = rp_spirv_defined_by(r, e) == OP_TYPE_FLOAT;
    if (real && rp_spirv_length(r, e->at) > 3) return RP_SPIRV_COMPONENT_OTHER; /* an encoding */
    switch (e->component) {
    case 1: return real ? RP_SPIRV_COMPONENT_OTHER : sign ? RP_SPIRV_I8 : RP_SPIRV_U8;
    case 2: return real ? RP_SPIRV_F16 : sign ? RP_SPIRV_I16 : RP_SPIRV_U16;
    case 4: return real ? RP_SPIRV_F32 : sign ? RP_SPIRV_I32 : RP_SPIRV_U32;
    case 8: return real ? RP_SPIRV_F64 : sign ? RP_SPIRV_I64 : RP_SPIRV_U64;
    }
    return RP_SPIRV_COMPONENT_OTHER;
}

/* OpCooperativeMatrixMulAddKHR: type result a b c [signs] */
rp_status rp_spirv_note_product(rp_spirv_reader *r, uint32_t at) {
    const uint32_t *w = r->words + at;
    const uint32_t *a = type_of(r, w[3]), *b = type_of(r, w[4]), *c = type_of(r, w[5]);
    const uint32_t *sums = type_of(r, w[2]);
    uint32_t signs = rp_spirv_length(r, at) > 6 ? w[6] : 0;
    rp_spirv_product p = {.a = RP_SPIRV_COMPONENT_OTHER,
                          .b = RP_SPIRV_COMPONENT_OTHER,
                          .c = RP_SPIRV_COMPONENT_OTHER,
                          .result = RP_SPIRV_COMPONENT_OTHER};
    if (a && b && c && sums) {
        p = (rp_spirv_product){.m = size_of(r, a[4]),
                               .n = size_of(r, b[5]),
                               .k = size_of(r, a[5]),
                               .a = component_of(r, a[2], signs & 1),
                               .b = component_of(r, b[2], signs & 2),
                               .c = component_of(r, c[2], signs & 4),
                               .result = component_of(r, sums[2], signs & 8)};
        if (size_of(r, a[3]) != SCOPE_SUBGROUP && !*r->unsupported)
            snprintf(r->unsupported, sizeof r->unsupported,
                     "cooperative matrices of another scope than the subgroup");
    }
    for (uint32_t i = 0; i < r->product_count; i++)
        if (memcmp(&r->products[i], &p, sizeof p) == 0) return RP_OK;
    if (!RP_RESERVE(&r->allocator, r->products, r->product_count, r->product_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    r->products[r->product_count++] = p;
    return RP_OK;
}
