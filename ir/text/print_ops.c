/* Members of nodes as text, and other pieces. What the parser derives is left out: the uses of an op node, and which
 * operands are values, except for values that have no place in memory, whose names begin with '^'.
 */
#include "text/print.h"

#include "base/image.h"
#include "base/number.h"
#include "graph/keywords.h"
#include "graph/reasons.h"

void rp_print_range(rp_text *t, const rp_graph *g, const rp_graph_use *u) {
    rp_buffer_print(t, g, u->buffer);
    if (u->offset == 0 && u->size == g->buffers[u->buffer].size) return;
    rp_subresources s;
    rp_text_char(t, '[');
    if (rp_image_subresources(&g->buffers[u->buffer].image, u->offset, u->size, &s)) {
        const rp_image_shape *shape = &g->buffers[u->buffer].image;
        if (s.mips != shape->mips) rp_text_format(t, "mip %u+%u", s.first_mip, s.mips);
        if (s.mips != shape->mips && s.layers != shape->layers) rp_text_char(t, ' ');
        if (s.layers != shape->layers) rp_text_format(t, "layer %u+%u", s.first_layer, s.layers);
    } else {
        rp_text_u64(t, u->offset);
        rp_text_char(t, '+');
        rp_text_u64(t, u->size);
    }
    rp_text_char(t, ']');
}

void rp_print_image(rp_text *t, const rp_image_shape *s) {
    const uint32_t extents[3] = {s->width, s->height, s->depth};
    uint32_t rank = s->dim == RP_IMAGE_1D ? 1 : s->dim == RP_IMAGE_3D ? 3 : 2;
    rp_text_format(t, "image %s %s[", rp_image_dim_name((rp_image_dim)s->dim),
                   rp_image_format_name((rp_image_format)s->format));
    for (uint32_t i = 0; i < rank; i++) rp_text_format(t, i ? ",%u" : "%u", extents[i]);
    rp_text_char(t, ']');
    if (s->layers != 1) rp_text_format(t, " layers %u", s->layers);
    if (s->mips != 1) rp_text_format(t, " mips %u", s->mips);
}

void rp_print_sampler(rp_text *t, const rp_sampler_info *info) {
    bool first = true;
    rp_text_char(t, '(');
    for (uint32_t i = 0; i < rp_sampler_field_count; i++) {
        const rp_sampler_field *field = &rp_sampler_fields[i];
        size_t size = field->kind == RP_SAMPLER_NUMBER ? sizeof(float) : sizeof(uint8_t);
        const char *value = (const char *)info + field->offset;
        if (memcmp(value, (const char *)&rp_sampler_default + field->offset, size) == 0) continue;
        rp_text_format(t, first ? "%s=" : ", %s=", field->name);
        if (field->kind == RP_SAMPLER_NUMBER)
            rp_number_print(t, (double)rp_sampler_number(info, field));
        else
            rp_text_string(t, rp_sampler_word(info, field));
        first = false;
    }
    rp_text_char(t, ')');
}

void rp_print_resource(rp_text *t, const rp_graph_param *p) {
    if (p->resource != RP_RESOURCE_BUFFER)
        rp_text_format(t, " %s", rp_resource_name((rp_resource)p->resource));
    if (p->resource == RP_RESOURCE_IMAGE || p->resource == RP_RESOURCE_COMBINED)
        rp_text_format(t, " %s", rp_view_name((rp_view)p->view));
    if (p->resource != RP_RESOURCE_BUFFER && rp_resource_has_uses(p->resource))
        rp_text_format(t, " %s",
                       p->format ? rp_image_format_name((rp_image_format)p->format)
                                 : rp_texel_name((rp_texel)p->texel));
    if (p->elements) rp_text_format(t, " x %u", p->elements);
}

void rp_print_follows(rp_text *t, const rp_graph *g, const rp_graph_buffer *b) {
    for (uint32_t i = 0; i < b->follow_count; i++) {
        const rp_graph_follow *f = &g->follows[b->first_follow + i];
        const rp_graph_use range = {.buffer = f->buffer, .offset = f->from, .size = f->size};
        rp_text_string(t, i ? ", " : " follows ");
        rp_print_range(t, g, &range);
        rp_text_string(t, " at ");
        rp_text_u64(t, f->to);
    }
}

static void print_attrs(rp_text *t, const rp_graph *g, const rp_graph_member *m) {
    for (uint32_t i = 0; i < m->attr_count; i++) {
        const rp_graph_attr *attr = &g->attrs[m->first_attr + i];
        const char *name = rp_graph_string(g, attr->name), *text = rp_graph_string(g, attr->text);
        bool choice = rp_op_attr_index(m->op, name, strlen(name)) != RP_OP_MISSING;
        rp_text_string(t, i ? ", " : " {");
        rp_text_string(t, name);
        rp_text_char(t, '=');
        if (attr->text == RP_NONE)
            rp_number_print_exact(t, attr->number, attr->rest);
        else if (choice && rp_name_valid(text, strlen(text)))
            rp_text_string(t, text);
        else
            rp_text_quoted(t, text);
    }
    if (m->attr_count) rp_text_char(t, '}');
}

/* The output that computes a value; NULL in a damaged node. */
static const rp_graph_operand *find_output(const rp_graph *g, const rp_graph_node *n,
                                           uint32_t value) {
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(g, n)[i];
        for (uint32_t k = 0; k < m->operand_count; k++) {
            const rp_graph_operand *o = &rp_member_operands(g, m)[k];
            if (o->access != RP_READ && o->value == value) return o;
        }
    }
    return NULL;
}

static void print_operand(rp_text *t, const rp_graph *g, const rp_graph_node *n,
                          const rp_graph_operand *o) {
    if (o->absent) {
        rp_text_char(t, '-');
        return;
    }
    bool value = o->access == RP_READ && o->value != RP_NONE;
    const rp_graph_operand *place = value ? find_output(g, n, o->value) : o;
    rp_text_string(t, rp_access_name((rp_access)o->access));
    rp_text_char(t, ' ');
    if (!place || place->use >= n->use_count) {
        rp_text_char(t, '^');
        rp_text_string(t, place ? rp_graph_string(g, place->name) : "");
    } else {
        rp_print_range(t, g, &rp_node_uses(g, n)[place->use]);
    }
    rp_text_char(t, ':');
    rp_text_string(t, rp_dtype_name((rp_dtype)o->dtype));
    rp_text_char(t, '[');
    for (uint32_t i = 0; i < o->rank; i++) {
        if (i) rp_text_char(t, ',');
        rp_graph_print_dim(t, g, o->first_dim + i);
    }
    rp_text_char(t, ']');
}

void rp_print_member(rp_text *t, const rp_graph *g, const rp_graph_node *n,
                     const rp_graph_member *m) {
    rp_text_string(t, m->op->name);
    print_attrs(t, g, m);
    rp_text_string(t, " (");
    for (uint32_t i = 0; i < m->operand_count; i++) {
        if (i) rp_text_string(t, ", ");
        print_operand(t, g, n, &rp_member_operands(g, m)[i]);
    }
    rp_text_char(t, ')');
}

void rp_print_choice(rp_text *t, const rp_graph *g, const rp_graph_member *m) {
    rp_op_call call;
    if (!m->op->variants) return;
    rp_member_call(g, m, &call);
    if (!rp_member_choose(g, &call)) return; /* a damaged graph is shown, too */
    if (!call.variant || (!m->op->variants[1].name && !call.variant->explain)) return;
    rp_text_format(t, "    ; by %s", call.variant->name);
    rp_op_explain(&call, rp_graph_target(g), ": ", t);
}

const char *rp_members_name(const rp_graph *g, const rp_graph_node *n) {
    return n->member_count == 1 ? rp_node_members(g, n)->op->name : "fused";
}
