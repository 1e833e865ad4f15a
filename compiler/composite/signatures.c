/* Signatures as data, for who is no C (reprise/signatures.h): ops and composites seen as one list. */
#include "reprise/signatures.h"

#include <math.h>
#include "base/sized.h"
#include "composite/composite.h"
#include "composite/signature.h"
#include "ops/tables.h"

static bool find(uint32_t index, rp_signature *out) {
    uint32_t ops = rp_op_count();
    *out = (rp_signature){.op = index < ops ? rp_op_at(index) : NULL};
    if (!out->op) out->composite = rp_composite_get(index - ops);
    return out->op || out->composite;
}

static bool is_map(const rp_signature *s) {
    return s->op == rp_op_map;
}

/* A map's formula is no attribute of its op: each call has its own. */
static uint32_t attribute_count(const rp_signature *s) {
    return is_map(s) ? 1 : s->op ? s->op->attr_count : s->composite->attr_count;
}

static uint32_t operand_count(const rp_signature *s) {
    return s->op ? s->op->operand_count : s->composite->operand_count;
}

uint32_t rp_signature_count(void) {
    uint32_t count = rp_op_count();
    while (rp_composite_get(count - rp_op_count())) count++;
    return count;
}

/* Gives what was found to a caller who has set the size of `info`. */
static rp_status give(const void *own, size_t size, void *info) {
    return rp_sized_give(own, size, info) ? RP_OK : RP_ERROR_USAGE;
}

rp_status rp_signature_get(uint32_t index, rp_signature_info *info) {
    rp_signature s;
    if (!info || !find(index, &s)) return RP_ERROR_USAGE;
    const rp_signature_info own = {
        .name = s.op ? s.op->name : s.composite->info.name,
        .family = s.op ? s.op->family : s.composite->info.family,
        .brief = s.op ? s.op->brief : s.composite->info.brief,
        .composite = !s.op,
        .formula = is_map(&s),
        .operand_count = operand_count(&s),
        .attribute_count = attribute_count(&s),
    };
    return give(&own, sizeof own, info);
}

rp_status rp_signature_get_operand(uint32_t signature, uint32_t index,
                                   rp_signature_operand_info *info) {
    rp_signature s;
    rp_signature_operand_info own = {0};
    if (!info || !find(signature, &s) || index >= operand_count(&s)) return RP_ERROR_USAGE;
    if (s.op) {
        const rp_op_operand *o = &s.op->operands[index];
        own = (rp_signature_operand_info){.name = o->name,
                                          .brief = o->brief,
                                          .access = (rp_access)o->access,
                                          .optional = o->optional,
                                          .dtypes = o->dtypes | o->taken,
                                          .shape = o->shape,
                                          .like = o->like};
    } else {
        const rp_composite_operand *o = &s.composite->operands[index];
        own = (rp_signature_operand_info){.name = o->name,
                                          .brief = o->brief,
                                          .access = (rp_access)o->access,
                                          .optional = o->optional,
                                          .dtypes = o->counts ? RP_DT_ID : 0,
                                          .shape = o->shape};
    }
    return give(&own, sizeof own, info);
}

static rp_attribute_kind kind_of(rp_op_attr_kind kind) {
    switch (kind) {
    case RP_ATTR_NUMBER: return RP_ATTRIBUTE_NUMBER;
    case RP_ATTR_INTEGER: return RP_ATTRIBUTE_INTEGER;
    case RP_ATTR_CHOICE: return RP_ATTRIBUTE_CHOICE;
    case RP_ATTR_LIST: return RP_ATTRIBUTE_INTEGERS;
    case RP_ATTR_NUMBERS: return RP_ATTRIBUTE_NUMBERS;
    case RP_ATTR_TEXT: return RP_ATTRIBUTE_FORMULA;
    }
    return RP_ATTRIBUTE_NUMBER;
}

rp_status rp_signature_get_attribute(uint32_t signature, uint32_t index,
                                     rp_signature_attribute_info *info) {
    rp_signature s;
    rp_signature_attribute_info own = {.name = "expr",
                                       .brief = "the formula, over the names of the inputs",
                                       .kind = RP_ATTRIBUTE_FORMULA,
                                       .required = 1,
                                       .fallback = NAN};
    if (!info || !find(signature, &s) || index >= attribute_count(&s)) return RP_ERROR_USAGE;
    if (!is_map(&s)) {
        const rp_op_attr *a = rp_signature_attr(&s, index);
        own = (rp_signature_attribute_info){.name = a->name,
                                            .brief = a->brief,
                                            .kind = kind_of((rp_op_attr_kind)a->kind),
                                            .required = a->required,
                                            .fallback = a->required ? NAN : a->fallback,
                                            .low = a->low,
                                            .high = a->high,
                                            .choices = a->choices};
    }
    return give(&own, sizeof own, info);
}
