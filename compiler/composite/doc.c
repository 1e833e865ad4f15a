/* What `reprise kernels NAME` and docs/ops.md say: an op's own page, or a composite's. */
#include "composite/composite.h"
#include "composite/signature.h"

const rp_composite_info *rp_composite_at(uint32_t index) {
    const rp_composite *composite = rp_composite_get(index);
    return composite ? &composite->info : NULL;
}

/* The columns are those of rp_op_doc. */
static void put_operands(rp_text *out, const rp_composite *c) {
    rp_text_string(out, "| operand | is | shape | |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < c->operand_count; i++) {
        const rp_composite_operand *o = &c->operands[i];
        bool star = o->shape[0] == '*';
        rp_text_format(out, "| `%s` | %s%s | `[", o->name,
                       o->access == RP_READ    ? "read"
                       : o->access == RP_WRITE ? "written"
                                               : "read and written",
                       o->optional ? ", optional" : "");
        for (const char *at = o->shape + star; *at; at++)
            if (*at == ' ')
                rp_text_string(out, ", ");
            else if (star && at == o->shape + 1)
                rp_text_string(out, "...");
            else
                rp_text_char(out, *at);
        rp_text_format(out, "]` | %s%s |\n", o->brief, o->counts ? "; u32, or any integers" : "");
    }
}

static void put_attr(rp_text *out, const rp_op_attr *a) {
    static const char *const kinds[] = {"number",           "integer",         "",
                                        "list of integers", "list of numbers", "text"};
    rp_text_format(out, "| `%s` | ", a->name);
    const char *choice = a->kind == RP_ATTR_CHOICE ? a->choices : "";
    for (const char *at = choice; *at;) {
        int length = (int)strcspn(at, "|");
        rp_text_format(out, "%s`%.*s`", at == choice ? "" : ", ", length, at);
        at += length + (at[length] == '|');
    }
    if (a->kind == RP_ATTR_TEXT)
        rp_text_string(out, kinds[a->kind]);
    else if (a->kind != RP_ATTR_CHOICE)
        rp_text_format(out, "%s%s%s%s, %.9g to %.9g", kinds[a->kind], a->like ? " like `" : "",
                       a->like ? a->like : "", a->like ? "`" : "", a->low, a->high);
    if (a->required)
        rp_text_string(out, " | required");
    else if (a->kind == RP_ATTR_CHOICE)
        rp_text_format(out, " | `%.*s`", (int)strcspn(choice, "|"), choice);
    else if (a->kind == RP_ATTR_LIST || a->kind == RP_ATTR_NUMBERS)
        rp_text_format(out, " | %s", a->choices);
    else
        rp_text_format(out, " | %.9g", a->fallback);
    rp_text_format(out, " | %s |\n", a->brief);
}

static void put_composite(rp_text *out, const rp_composite *c) {
    rp_text_format(out, "## %s\n\nComposite of family %s: %s.\n\n", c->info.name, c->info.family,
                   c->info.brief);
    put_operands(out, c);
    if (c->attr_count)
        rp_text_string(out, "\n| attribute | values | default | |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < c->attr_count; i++) put_attr(out, &c->attrs[i]);
    rp_text_format(out, "\nStands for: %s\n", c->notes);
}

rp_status rp_kernel_doc(const rp_allocator *allocator, const char *name, char **out_text) {
    if (!out_text) return RP_ERROR_USAGE;
    *out_text = NULL;
    if (!name) return RP_ERROR_USAGE;
    rp_signature signature;
    if (!rp_signature_find(name, &signature)) return RP_ERROR_NOT_FOUND;
    if (!signature.composite) return rp_op_doc(allocator, signature.op, out_text);
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_text out;
    rp_text_init(&out, &a);
    put_composite(&out, signature.composite);
    rp_status status = rp_text_take(&out, out_text, NULL);
    rp_text_free(&out);
    return status;
}
