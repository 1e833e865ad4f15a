/* Names of ops and composites to what they stand for. */
#include "composite/signature.h"

#include "composite/apply.h"
#include "composite/composite.h"

bool rp_signature_find(const char *name, rp_signature *out) {
    *out = (rp_signature){.op = rp_op_find(name, strlen(name))};
    const rp_composite *composite;
    for (uint32_t i = 0; !out->op && (composite = rp_composite_get(i)); i++)
        if (strcmp(composite->info.name, name) == 0) out->composite = composite;
    return out->op || out->composite;
}

const char *rp_signature_operand(const rp_signature *s, uint32_t index) {
    if (s->op) return index < s->op->operand_count ? s->op->operands[index].name : NULL;
    return index < s->composite->operand_count ? s->composite->operands[index].name : NULL;
}

uint8_t rp_signature_access(const rp_signature *s, uint32_t index) {
    return s->op ? s->op->operands[index].access : s->composite->operands[index].access;
}

const rp_op_attr *rp_signature_attr(const rp_signature *s, uint32_t index) {
    if (s->op) return index < s->op->attr_count ? &s->op->attrs[index] : NULL;
    return index < s->composite->attr_count ? &s->composite->attrs[index] : NULL;
}

rp_status rp_apply_to_graph(rp_application *x) {
    rp_signature signature;
    if (!rp_signature_find(x->op, &signature))
        return rp_apply_error(x, RP_BLAME_OP, 0, "there is no op '%.60s'", x->op);
    return signature.op ? rp_apply_op(x, signature.op) : rp_composite_apply(x, signature.composite);
}
