/* A graph as JSON, for other tools; docs/json.md lists the fields.
 *
 * The field names are a contract and are written out here one by one, so that a renamed struct
 * member cannot change the file. One line for each buffer, kernel, node and barrier: the text stays
 * greppable and its differences readable. Nodes are named by id, buffers and kernels by their
 * index. What is not known is null rather than absent, so that a reader needs no "has this key"
 * logic. Hashes are hexadecimal text: many readers lose bits of numbers beyond 2^53. Cost: linear,
 * beside the reasons. */
#include <math.h>

#include "base/image.h"
#include "base/number.h"
#include "graph/keywords.h"
#include "text/print.h"
#include "graph/reasons.h"
#include "views/json_text.h"
#include "views/views.h"

/* A string of the graph; null for RP_NONE. */
static void print_name(rp_text *t, const char *key, const rp_graph *g, uint32_t string) {
    rp_json_key(t, key);
    if (string == RP_NONE)
        rp_text_string(t, "null");
    else
        rp_json_string(t, rp_graph_string(g, string));
}

/* Begins the next item of an array, on a line of its own. */
static void next_item(rp_text *t, bool *first) {
    rp_text_string(t, *first ? "\n    " : ",\n    ");
    *first = false;
}

/* bytes[first .. first + count) as text, "00ff". */
static void print_hex(rp_text *t, const rp_graph *g, uint32_t first, uint64_t count) {
    static const char digits[] = "0123456789abcdef";
    rp_text_char(t, '"');
    for (uint64_t i = 0; i < count; i++) {
        uint8_t byte = g->bytes[first + i];
        char pair[2] = {digits[byte >> 4], digits[byte & 15]};
        rp_text_append(t, pair, 2);
    }
    rp_text_char(t, '"');
}

/* Where bytes of a live buffer come from, those that are nobody's to set. */
static void print_follows(rp_text *t, const rp_graph *g, const rp_graph_buffer *b) {
    rp_text_string(t, ",\"follows\":[");
    for (uint32_t i = 0; i < b->follow_count; i++) {
        const rp_graph_follow *f = &g->follows[b->first_follow + i];
        rp_text_format(t, "%s{\"buffer\":%u", i ? "," : "", f->buffer);
        rp_json_number(t, "offset", f->from);
        rp_json_number(t, "size", f->size);
        rp_json_number(t, "at", f->to);
        rp_text_char(t, '}');
    }
    rp_text_char(t, ']');
}

static void print_image(rp_text *t, const rp_graph_buffer *b) {
    const rp_image_shape *s = &b->image;
    rp_json_optional(t, "alias", b->kind == RP_TMP ? b->offset : RP_NOT_PLACED, RP_NOT_PLACED);
    rp_text_format(t,
                   ",\"image\":{\"format\":\"%s\",\"dim\":\"%s\",\"width\":%u,\"height\":%u,"
                   "\"depth\":%u,\"layers\":%u,\"mips\":%u}",
                   rp_image_format_name((rp_image_format)s->format),
                   rp_image_dim_name((rp_image_dim)s->dim), s->width, s->height, s->depth,
                   s->layers, s->mips);
}

/* Extents behind the '[': numbers, or text for one that follows live values; and the ']'. */
static void print_shape(rp_text *t, const rp_graph *g, uint32_t first_dim, uint32_t rank) {
    for (uint32_t d = first_dim; d < first_dim + rank; d++) {
        if (d > first_dim) rp_text_char(t, ',');
        if (g->dim_powers[d]) rp_text_char(t, '"'); /* nothing in it to escape, as in grids */
        if (g->dim_powers[d])
            rp_graph_print_size(t, g, d);
        else
            rp_text_u64(t, g->dims[d]);
        if (g->dim_powers[d]) rp_text_char(t, '"');
    }
    rp_text_char(t, ']');
}

static void print_buffers(rp_text *t, const rp_graph *g) {
    bool first = true;
    rp_text_string(t, ",\n\"buffers\":[");
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (b->removed) continue;
        next_item(t, &first);
        rp_text_format(t, "{\"id\":%u", i);
        print_name(t, "name", g, b->name);
        rp_text_format(t, ",\"kind\":\"%s\",\"dtype\":\"%s\",\"shape\":[",
                       rp_buffer_kind_name(b->kind), rp_dtype_name(b->dtype));
        print_shape(t, g, b->first_dim, b->rank);
        rp_json_number(t, "size", b->size);
        rp_json_optional(t, "offset", rp_buffer_in_arena(b) ? b->offset : RP_NOT_PLACED,
                         RP_NOT_PLACED);
        if (b->tagged) rp_json_flag(t, "tagged", true);
        if (rp_buffer_is_image(b)) print_image(t, b);
        if (b->kind == RP_LIVE) {
            rp_json_optional(t, "max", b->max_value, UINT32_MAX);
            rp_json_key(t, "default");
            if (b->first_default == RP_NONE)
                rp_text_string(t, "null");
            else
                print_hex(t, g, b->first_default, b->size);
            print_follows(t, g, b);
        }
        rp_text_char(t, '}');
    }
    rp_text_string(t, "]");
}

/* What a parameter is, where it is not one buffer. */
static void print_resource(rp_text *t, const rp_graph_param *p) {
    bool viewed = p->resource == RP_RESOURCE_IMAGE || p->resource == RP_RESOURCE_COMBINED;
    rp_text_format(t, ",\"resource\":\"%s\"", rp_resource_name((rp_resource)p->resource));
    if (viewed) rp_text_format(t, ",\"view\":\"%s\"", rp_view_name((rp_view)p->view));
    if (viewed || p->resource == RP_RESOURCE_TEXELS)
        rp_text_format(t, ",\"texel\":\"%s\"", rp_texel_name((rp_texel)p->texel));
    if (p->format)
        rp_text_format(t, ",\"format\":\"%s\"", rp_image_format_name((rp_image_format)p->format));
    if (p->elements) rp_json_number(t, "elements", p->elements);
}

static void print_kernel(rp_text *t, const rp_graph *g, uint32_t index) {
    const rp_graph_kernel *k = &g->kernels[index];
    rp_text_format(t, "{\"id\":%u", index);
    print_name(t, "name", g, k->name);
    rp_json_key(t, "hash");
    if (k->hash == 0)
        rp_text_string(t, "null");
    else
        rp_text_format(t, "\"%016llx\"", (unsigned long long)k->hash);
    print_name(t, "entry", g, k->entry);
    rp_text_format(t, ",\"local\":[%u,%u,%u]", k->local[0], k->local[1], k->local[2]);
    rp_json_number(t, "shared_bytes", k->shared_bytes);
    rp_json_number(t, "push_bytes", k->push_bytes);
    rp_text_string(t, ",\"params\":[");
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_graph_param *p = &g->params[k->first_param + i];
        rp_text_format(t, "%s{\"access\":\"%s\",\"set\":%u,\"binding\":%u", i ? "," : "",
                       rp_access_name(p->access), p->set, p->binding);
        if (p->skip) rp_json_number(t, "skip", p->skip);
        if (p->resource != RP_RESOURCE_BUFFER || p->elements) print_resource(t, p);
        print_name(t, "name", g, p->name);
        rp_text_char(t, '}');
    }
    rp_text_string(t, "],\"spec\":[");
    for (uint32_t i = 0; i < k->spec_count; i++) {
        const rp_graph_spec *s = &g->specs[k->first_spec + i];
        rp_text_format(t, "%s{\"id\":%u,\"value\":%llu", i ? "," : "", s->id,
                       (unsigned long long)s->value);
        if (s->bytes != 4) rp_json_number(t, "bytes", s->bytes);
        rp_text_char(t, '}');
    }
    rp_text_string(t, "]}");
}

/* All fields; left out where there is no sampler. */
static void print_samplers(rp_text *t, const rp_graph *g) {
    bool first = true;
    if (g->samplers_count == 0) return;
    rp_text_string(t, ",\n\"samplers\":[");
    for (uint32_t i = 0; i < g->samplers_count; i++) {
        const rp_graph_sampler *s = &g->samplers[i];
        next_item(t, &first);
        rp_text_string(t, "{\"name\":");
        rp_json_string(t, rp_graph_string(g, s->name));
        for (uint32_t k = 0; k < rp_sampler_field_count; k++) {
            const rp_sampler_field *field = &rp_sampler_fields[k];
            rp_json_key(t, field->name);
            if (field->kind == RP_SAMPLER_NUMBER)
                rp_number_print(t, (double)rp_sampler_number(&s->info, field));
            else if (field->kind == RP_SAMPLER_FLAG)
                rp_text_string(t, rp_sampler_word(&s->info, field));
            else
                rp_json_string(t, rp_sampler_word(&s->info, field));
        }
        rp_text_char(t, '}');
    }
    rp_text_string(t, "]");
}

static void print_kernels(rp_text *t, const rp_graph *g) {
    bool first = true;
    rp_text_string(t, ",\n\"kernels\":[");
    for (uint32_t i = 0; i < g->kernels_count; i++) {
        if (g->kernels[i].removed) continue;
        next_item(t, &first);
        print_kernel(t, g, i);
    }
    rp_text_string(t, "]");
}

static const char *live_name(void *context, uint32_t buffer) {
    const rp_graph *g = context;
    return rp_graph_string(g, g->buffers[buffer].name);
}

/* Three numbers, or text for an expression over live values; null when the GPU reads it. */
static void print_grid(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    rp_json_key(t, "grid");
    if (n->kind != RP_RUN || n->grid_kind == RP_GRID_INDIRECT) {
        rp_text_string(t, "null");
        return;
    }
    for (uint32_t i = 0; i < 3; i++) {
        rp_text_char(t, i ? ',' : '[');
        if (n->grid_kind == RP_GRID_LIVE && (n->live_mask >> i & 1)) {
            const rp_graph_expr *e = &g->exprs[n->grid[i]];
            rp_text_char(t, '"'); /* digits, names and operators: nothing to escape */
            rp_expr_print(t, g->expr_ops + e->first_op, e->op_count, live_name, (void *)g);
            rp_text_char(t, '"');
        } else {
            rp_text_u64(t, n->grid[i]);
        }
    }
    rp_text_char(t, ']');
}

/* The mips and layers of an image that a use is. */
static void print_subresources(rp_text *t, const rp_image_shape *shape, const rp_graph_use *u) {
    rp_subresources s;
    if (!shape->format || !rp_image_subresources(shape, u->offset, u->size, &s)) return;
    rp_text_format(t, ",\"mips\":[%u,%u],\"layers\":[%u,%u]", s.first_mip, s.mips, s.first_layer,
                   s.layers);
}

static void print_uses(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    rp_text_string(t, ",\"uses\":[");
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[i];
        rp_text_format(t, "%s{\"access\":\"%s\"", i ? "," : "", rp_access_name(u->access));
        rp_json_number(t, "buffer", u->buffer);
        rp_json_number(t, "offset", u->offset);
        rp_json_number(t, "size", u->size);
        if (u->indirect) rp_json_flag(t, "indirect", true);
        if (u->addressed) rp_json_flag(t, "address", true);
        if (u->step)
            rp_text_format(t, ",\"step\":\"%s\"", u->step == RP_USE_PIECE ? "also" : "next");
        if (u->format)
            rp_text_format(t, ",\"format\":\"%s\"",
                           rp_image_format_name((rp_image_format)u->format));
        print_subresources(t, &g->buffers[u->buffer].image, u);
        rp_text_char(t, '}');
    }
    rp_text_char(t, ']');
    for (uint32_t i = 0; i < n->address_count; i++) {
        const rp_graph_address *a = &g->addresses[n->first_address + i];
        rp_text_format(t, "%s{\"at\":%u,\"use\":%u", i ? "," : ",\"addresses\":[", a->at, a->use);
        rp_json_number(t, "offset", a->offset);
        rp_text_string(t, i + 1 < n->address_count ? "}" : "}]");
    }
    if (n->sampler_count == 0) return;
    rp_text_string(t, ",\"samplers\":[");
    for (uint32_t i = 0; i < n->sampler_count; i++) {
        if (i) rp_text_char(t, ',');
        rp_json_string(t,
                       rp_graph_string(g, g->samplers[g->sampler_refs[n->first_sampler + i]].name));
    }
    rp_text_char(t, ']');
}

/* {"eps":1e-06,"layout":"neox"}: JSON has no infinities and no NaN, which come out as text, and many readers have
 * doubles: so do integers whose digits those have not. */
static void print_attrs(rp_text *t, const rp_graph *g, const rp_graph_member *m) {
    rp_text_string(t, ",\"attrs\":{");
    for (uint32_t i = 0; i < m->attr_count; i++) {
        const rp_graph_attr *attr = &g->attrs[m->first_attr + i];
        bool plain = attr->text == RP_NONE && isfinite(attr->number) && attr->rest == 0;
        if (i) rp_text_char(t, ',');
        rp_json_string(t, rp_graph_string(g, attr->name));
        rp_text_char(t, ':');
        if (attr->text != RP_NONE) {
            rp_json_string(t, rp_graph_string(g, attr->text));
            continue;
        }
        if (!plain) rp_text_char(t, '"');
        rp_number_print_exact(t, attr->number, attr->rest);
        if (!plain) rp_text_char(t, '"');
    }
    rp_text_char(t, '}');
}

/* Where an operand is: in a range of a buffer, or, without one, in a value of its node. */
static void print_operand(rp_text *t, const rp_graph *g, const rp_graph_node *n,
                          const rp_graph_member *m, uint32_t index) {
    const rp_graph_operand *o = &rp_member_operands(g, m)[index];
    const rp_op_call call = {.op = m->op, .operand_count = m->operand_count};
    const rp_graph_use *u = o->use < n->use_count ? &rp_node_uses(g, n)[o->use] : NULL;
    rp_text_format(t, "{\"name\":\"%s\",\"access\":", rp_op_operand_name(&call, index));
    if (o->absent) {
        rp_text_string(t, "null}");
        return;
    }
    rp_text_format(t, "\"%s\",\"dtype\":\"%s\",\"shape\":[", rp_access_name(o->access),
                   rp_dtype_name(o->dtype));
    print_shape(t, g, o->first_dim, o->rank);
    rp_json_optional(t, "buffer", u ? u->buffer : RP_NONE, RP_NONE);
    rp_json_optional(t, "offset", u ? u->offset : UINT64_MAX, UINT64_MAX);
    rp_json_optional(t, "size", u ? u->size : UINT64_MAX, UINT64_MAX);
    rp_json_optional(t, "value", o->value, RP_NONE);
    rp_text_char(t, '}');
}

static void print_members(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    if (n->member_count == 0) return;
    rp_text_string(t, ",\"members\":[");
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(g, n)[i];
        rp_text_format(t, "%s{\"id\":%u,\"op\":\"%s\"", i ? "," : "", m->id, m->op->name);
        print_attrs(t, g, m);
        rp_text_string(t, ",\"operands\":[");
        for (uint32_t k = 0; k < m->operand_count; k++) {
            if (k) rp_text_char(t, ',');
            print_operand(t, g, n, m, k);
        }
        rp_text_string(t, "]}");
    }
    rp_text_char(t, ']');
}

/* The source nodes whose work a node does, ascending: its members, or itself. Members need not be
 * sorted, and there are few: the next larger one is looked for each time. */
static void print_sources(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    rp_text_string(t, ",\"source\":[");
    if (n->member_count == 0) rp_text_u64(t, n->id);
    uint64_t from = 0; /* smallest id that may come next */
    for (uint32_t done = 0; done < n->member_count; done++) {
        uint64_t least = UINT64_MAX;
        for (uint32_t i = 0; i < n->member_count; i++) {
            uint32_t id = rp_node_members(g, n)[i].id;
            if (id >= from && id < least) least = id;
        }
        if (least == UINT64_MAX) break;
        if (done) rp_text_char(t, ',');
        rp_text_u64(t, least);
        from = least + 1;
    }
    rp_text_char(t, ']');
}

static void print_payload(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    switch ((rp_node_kind)n->kind) {
    case RP_RUN:
        rp_json_number(t, "kernel", n->kernel);
        print_grid(t, g, n);
        rp_json_key(t, "push");
        print_hex(t, g, n->first_byte, n->byte_count);
        rp_json_flag(t, "unknown", n->unknown);
        rp_json_flag(t, "optional", n->optional);
        break;
    case RP_FILL: rp_json_number(t, "pattern", n->pattern); break;
    case RP_UPDATE:
        rp_json_key(t, "data");
        print_hex(t, g, n->first_byte, n->byte_count);
        break;
    case RP_CLEAR:
        rp_json_key(t, "texel");
        print_hex(t, g, n->first_byte, n->byte_count);
        break;
    case RP_BLIT:
        rp_text_format(t, ",\"filter\":\"%s\"", rp_filter_name((rp_filter)n->pattern));
        break;
    case RP_OP: rp_json_flag(t, "optional", n->optional); break;
    case RP_COPY:
    case RP_FENCE: break;
    }
    print_members(t, g, n);
}

static const char *node_name(const rp_graph *g, const rp_graph_node *n) {
    if (n->kind == RP_RUN) return rp_graph_string(g, g->kernels[n->kernel].name);
    return n->kind == RP_OP ? rp_members_name(g, n) : rp_node_kind_name(n->kind);
}

static void print_nodes(rp_text *t, const rp_graph *g) {
    bool first = true, scheduled = (g->stages & RP_STAGE_SCHEDULED) != 0;
    rp_text_string(t, ",\n\"nodes\":[");
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        next_item(t, &first);
        rp_text_format(t, "{\"id\":%u,\"kind\":\"%s\"", n->id, rp_node_kind_name(n->kind));
        rp_json_key(t, "name");
        rp_json_string(t, node_name(g, n));
        print_name(t, "label", g, n->label);
        print_name(t, "op", g, n->op);
        rp_json_optional(t, "group", scheduled ? n->group : RP_NONE, RP_NONE);
        print_sources(t, g, n);
        print_payload(t, g, n);
        print_uses(t, g, n);
        rp_text_char(t, '}');
    }
    rp_text_string(t, "]");
}

/* The nodes stand in plan order, so each group is one run of them. */
static void print_groups(rp_text *t, const rp_graph *g) {
    bool first = true;
    uint32_t node = 0;
    rp_text_string(t, ",\n\"groups\":[");
    for (uint32_t i = 0; i < g->group_count && (g->stages & RP_STAGE_SCHEDULED); i++) {
        next_item(t, &first);
        rp_text_char(t, '[');
        for (bool comma = false; node < g->nodes_count && g->nodes[node].group == i; node++) {
            if (comma) rp_text_char(t, ',');
            rp_text_u64(t, g->nodes[node].id);
            comma = true;
        }
        rp_text_char(t, ']');
    }
    rp_text_string(t, "]");
}

static void print_reason(rp_text *t, const rp_graph *g, const rp_reason *r) {
    const rp_hazard *h = &r->hazard;
    bool bytes = h->to_buffer != RP_NONE; /* an order hazard is about no bytes in particular */
    rp_text_format(t, "{\"kind\":\"%s\"", rp_hazard_name(h->kind));
    rp_json_optional(t, "buffer", h->to_buffer, RP_NONE);
    rp_json_optional(t, "offset", bytes ? h->offset : UINT64_MAX, UINT64_MAX);
    rp_json_optional(t, "size", bytes ? h->size : UINT64_MAX, UINT64_MAX);
    rp_json_number(t, "from", g->nodes[h->from].id);
    rp_json_key(t, "to");
    if (h->to == RP_HAZARD_HOST)
        rp_text_string(t, "\"host\"");
    else
        rp_text_u64(t, g->nodes[h->to].id);
    rp_json_optional(t, "from_buffer", h->from_buffer, RP_NONE);
    rp_json_flag(t, "next_replay", h->next_replay);
    if (rp_hazard_waits(g, h)) rp_json_flag(t, "waits", true);
    if (r->mixed) rp_json_flag(t, "behind_other_form", true);
    rp_text_char(t, '}');
}

static void print_scopes(rp_text *t, const char *form, const rp_graph_barrier *b) {
    rp_text_format(t, ",\"%ssrc\":\"", form);
    rp_scope_print(t, b->src);
    rp_text_format(t, "\",\"%sdst\":\"", form);
    rp_scope_print(t, b->dst);
    rp_text_char(t, '"');
}

static void print_reasons(rp_text *t, const char *key, const rp_graph *g, const rp_form_reasons *r,
                          uint32_t barrier) {
    rp_json_key(t, key);
    rp_text_char(t, '[');
    for (uint32_t i = r->first[barrier]; i < r->first[barrier + 1]; i++) {
        if (i > r->first[barrier]) rp_text_char(t, ',');
        print_reason(t, g, &r->reasons[i]);
    }
    rp_text_char(t, ']');
}

static void print_barriers(rp_text *t, const rp_graph *g, const rp_reasons *reasons) {
    bool first = true;
    rp_text_string(t, ",\n\"barriers\":[");
    for (uint32_t i = 0; i < reasons->barrier_count; i++) {
        const rp_graph_barrier *b = &g->barriers[i];
        const rp_graph_barrier *tagged = &rp_graph_form(g, RP_FORM_TAGGED)[i];
        if (!(b->src | b->dst | tagged->src | tagged->dst)) continue;
        next_item(t, &first);
        rp_text_format(t, "{\"before_group\":%u", i);
        print_scopes(t, "", b);
        if (g->tagged_barriers_count) print_scopes(t, "tagged_", tagged);
        print_reasons(t, "hazards", g, &reasons->forms[RP_FORM_BARRIERS], i);
        if (reasons->form_count > 1)
            print_reasons(t, "tagged_hazards", g, &reasons->forms[RP_FORM_TAGGED], i);
        rp_text_char(t, '}');
    }
    rp_text_string(t, "]");
}

void rp_stats_print_json(rp_text *t, const rp_graph_stats *s) {
    rp_text_format(t, "{\"nodes\":%u", s->nodes);
    rp_json_number(t, "dispatches", s->dispatches);
    rp_json_number(t, "transfers", s->transfers);
    rp_json_number(t, "unknown", s->unknown);
    rp_json_number(t, "groups", s->groups);
    rp_json_number(t, "barriers", s->barriers);
    rp_json_number(t, "barrier_bound", s->barrier_bound);
    rp_json_number(t, "arena_bytes", s->arena_bytes);
    rp_json_number(t, "arena_bound_bytes", s->arena_bound_bytes);
    rp_json_number(t, "transient_bytes", s->transient_bytes);
    rp_json_number(t, "image_bytes", s->image_bytes);
    rp_json_number(t, "external_bytes", s->external_bytes);
    if (s->tagged) rp_json_number(t, "tagged", s->tagged);
    if (s->tagged) rp_json_number(t, "tagged_bytes", s->tagged_bytes);
    if (s->tagged) rp_json_number(t, "tagged_barriers", s->tagged_barriers);
    rp_text_char(t, '}');
}

/* Left out for `portable`. */
static void print_target(rp_text *t, const rp_graph *g) {
    rp_target target = g->target;
    if (rp_graph_is_portable(g)) return;
    rp_text_string(t, ",\n\"target\":{\"name\":");
    rp_json_string(t, target.name);
    for (uint32_t key = 0; key < RP_TARGET_KEYS; key++) {
        uint64_t value = *rp_target_figure_of(&target, key);
        if (value) rp_json_number(t, rp_target_keys[key], value);
    }
    rp_text_char(t, '}');
}

rp_status rp_graph_print_json(const rp_graph *graph, rp_text *text) {
    rp_graph_stats stats = {.size = sizeof stats};
    RP_TRY(rp_graph_get_stats(graph, &stats));
    rp_reasons reasons;
    RP_TRY(rp_reasons_build(graph, &reasons));
    rp_text_string(text, "{\"graph\":");
    rp_json_string(text, rp_graph_string(graph, graph->name));
    rp_text_format(text, ",\n\"scheduled\":%s,\"placed\":%s,\"synced\":%s",
                   graph->stages & RP_STAGE_SCHEDULED ? "true" : "false",
                   graph->stages & RP_STAGE_PLACED ? "true" : "false",
                   graph->stages & RP_STAGE_SYNCED ? "true" : "false");
    print_target(text, graph);
    print_buffers(text, graph);
    print_kernels(text, graph);
    print_samplers(text, graph);
    print_nodes(text, graph);
    print_groups(text, graph);
    print_barriers(text, graph, &reasons);
    rp_text_string(text, ",\n\"stats\":");
    rp_stats_print_json(text, &stats);
    rp_text_string(text, "}\n");
    rp_reasons_free(graph, &reasons);
    return text->failed ? RP_ERROR_NO_MEMORY : RP_OK;
}
