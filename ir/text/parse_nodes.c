/* Nodes in .rpir text: `n3 = run @k grid 4 1 1 (r $x, w %n) label "a" op o`. */
#include "base/checked.h"
#include "base/image.h"
#include "graph/keywords.h"
#include "text/parse.h"

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* Finds what a name stands for. False, with a message unless its declaration had one already. */
static bool find(rp_parser *p, rp_table *index, const rp_token *t, const char *what,
                 uint32_t *out) {
    uint32_t name;
    if (!rp_name_valid(t->text, t->length)) { /* the declaration of such a name was refused */
        name = rp_graph_intern(p->g, t->text, t->length);
        if (name == RP_NONE) return rp_parse_no_memory(p);
        if (rp_table_find(index, name, out)) return false;
    }
    if (!rp_parse_name(p, t, &name)) return false;
    if (!rp_table_find(index, name, out)) {
        rp_parse_poison(p, index, t);
        return RP_FAIL(p, t, "there is no %s %s above this line", what, rp_parse_show(t).text);
    }
    return *out != RP_POISONED;
}

/* "mip 1+2 layer 0+6]" */
static bool parse_subresources(rp_parser *p, const rp_image_shape *shape, rp_graph_use *use) {
    rp_subresources s = {0, shape->mips, 0, shape->layers};
    rp_token at = p->lx.token;
    bool mips = rp_parse_accept_word(p, "mip");
    if (mips && (!rp_parse_u32(p, "the first mip", &s.first_mip) ||
                 !rp_parse_expect(p, '+', "and how many mips") ||
                 !rp_parse_u32(p, "how many mips", &s.mips)))
        return false;
    bool layers = rp_parse_accept_word(p, "layer");
    if (layers && (!rp_parse_u32(p, "the first layer", &s.first_layer) ||
                   !rp_parse_expect(p, '+', "and how many layers") ||
                   !rp_parse_u32(p, "how many layers", &s.layers)))
        return false;
    if (!mips && !layers) return rp_parse_expected(p, "'mip' or 'layer' of the image");
    if (!rp_parse_expect(p, ']', "behind the range")) return false;
    if (rp_image_range(shape, s.first_mip, s.mips, s.first_layer, s.layers, &use->offset,
                       &use->size) != RP_OK)
        return RP_FAIL(p, &at,
                       "an image of %u mips and %u layers has no range of %u mips from %u and %u "
                       "layers from %u: expected one mip, or all layers",
                       shape->mips, shape->layers, s.mips, s.first_mip, s.layers, s.first_layer);
    return true;
}

bool rp_parse_range(rp_parser *p, rp_graph_use *use) {
    rp_token t = p->lx.token;
    if (t.kind != RP_TOKEN_EXTERNAL && t.kind != RP_TOKEN_TRANSIENT)
        return rp_parse_expected(p, "'$name' or '%name'");
    rp_lex_next(&p->lx);
    if (!find(p, &p->buffers, &t, "buffer", &use->buffer)) return false;
    const rp_graph_buffer *b = &p->g->buffers[use->buffer];
    if ((b->kind == RP_TMP) != (t.kind == RP_TOKEN_TRANSIENT))
        return RP_FAIL(p, &t, "%s is declared with '%c'", rp_parse_show(&t).text,
                       b->kind == RP_TMP ? '%' : '$');
    use->offset = 0;
    use->size = b->size;
    if (!rp_parse_accept(p, '[')) return true;
    if (rp_buffer_is_image(b)) return parse_subresources(p, &b->image, use);
    rp_token at = p->lx.token;
    if (!rp_parse_number(p, "the byte offset", UINT64_MAX, &use->offset) ||
        !rp_parse_expect(p, '+', "and the byte count") ||
        !rp_parse_number(p, "the byte count", UINT64_MAX, &use->size) ||
        !rp_parse_expect(p, ']', "behind the range"))
        return false;
    if (use->size == 0) return RP_FAIL(p, &at, "the range is empty");
    if (!rp_range_inside(use->offset, use->size, b->size))
        return RP_FAIL(p, &at, "the range %llu+%llu ends behind %s, which has %llu bytes",
                       (unsigned long long)use->offset, (unsigned long long)use->size,
                       rp_parse_show(&t).text, (unsigned long long)b->size);
    return true;
}

static bool add_use(rp_parser *p, rp_graph_node *n, const rp_graph_use *use) {
    rp_graph *g = p->g;
    if (!RP_RESERVE(p->a, g->uses, g->uses_count, g->uses_capacity, 1))
        return rp_parse_no_memory(p);
    g->uses[g->uses_count++] = *use;
    n->use_count++;
    return true;
}

/* "(r $x, w %n)", behind the '('. */
static bool parse_uses(rp_parser *p, rp_graph_node *n) {
    if (rp_parse_accept(p, ')')) return true;
    do {
        rp_graph_use use = {0};
        if (rp_parse_accept_word(p, "next"))
            use.step = RP_USE_ELEMENT;
        else if (rp_parse_accept_word(p, "also"))
            use.step = RP_USE_PIECE;
        rp_token t = p->lx.token;
        if (n->use_count && rp_parse_accept_word(p, "any")) {
            n->unknown = true;
            break;
        }
        if (t.kind != RP_TOKEN_WORD || !rp_access_parse(t.text, t.length, &use.access))
            return rp_parse_expected(p, "r, w, rw, u or s and a buffer");
        rp_lex_next(&p->lx);
        use.addressed = rp_parse_accept_word(p, "address");
        if (!rp_parse_range(p, &use)) return false;
        if (rp_parse_accept_word(p, "as")) {
            t = p->lx.token;
            if (t.kind != RP_TOKEN_WORD || !rp_image_format_parse(t.text, t.length, &use.format))
                return rp_parse_expected(p, "a format like rgba32f");
            rp_lex_next(&p->lx);
        }
        if (!add_use(p, n, &use)) return false;
    } while (rp_parse_accept(p, ','));
    return rp_parse_expect(p, ')', "behind the uses");
}

/* "{ceil_div($pos, 64)}" */
static bool parse_live_grid(rp_parser *p, uint32_t *out_expr) {
    rp_expr expr;
    if (!rp_parse_live(p, NULL, &expr)) return false;
    *out_expr = rp_graph_add_expr(p->g, expr.ops, expr.count);
    rp_expr_free(p->a, &expr);
    return *out_expr != RP_NONE || rp_parse_no_memory(p);
}

static bool parse_grid(rp_parser *p, rp_graph_node *n, rp_graph_use *indirect) {
    if (!rp_parse_accept_word(p, "grid")) return rp_parse_expected(p, "'grid'");
    if (rp_parse_accept_word(p, "indirect")) {
        n->grid_kind = RP_GRID_INDIRECT;
        *indirect = (rp_graph_use){.access = RP_READ, .indirect = true};
        return rp_parse_range(p, indirect);
    }
    for (uint8_t i = 0; i < 3; i++) {
        if (p->lx.token.mark == '{') {
            if (!parse_live_grid(p, &n->grid[i])) return false;
            n->grid_kind = RP_GRID_LIVE;
            n->live_mask |= (uint8_t)(1u << i);
        } else if (!rp_parse_u32(p, "the workgroups", &n->grid[i])) {
            return false;
        }
    }
    return true;
}

/* "(@linear, @nearest)" behind `samplers`. */
static bool parse_samplers(rp_parser *p, rp_graph_node *n) {
    rp_graph *g = p->g;
    n->first_sampler = g->sampler_refs_count;
    if (!rp_parse_expect(p, '(', "and the samplers")) return false;
    do {
        rp_token t = rp_parse_take(p);
        uint32_t sampler;
        if (t.kind != RP_TOKEN_KERNEL)
            return RP_FAIL(p, &t, "expected '@sampler', found %s", rp_parse_show(&t).text);
        if (!find(p, &p->samplers, &t, "sampler", &sampler)) return false;
        if (!RP_RESERVE(p->a, g->sampler_refs, g->sampler_refs_count, g->sampler_refs_capacity, 1))
            return rp_parse_no_memory(p);
        g->sampler_refs[g->sampler_refs_count++] = sampler;
        n->sampler_count++;
    } while (rp_parse_accept(p, ','));
    return rp_parse_expect(p, ')', "behind the samplers");
}

/* "8=1+64": byte 8 of the push data on is the address of byte 64 of use 1. */
static bool parse_address(rp_parser *p, rp_graph_node *n) {
    rp_graph *g = p->g;
    rp_graph_address address = {0};
    if (!rp_parse_u32(p, "the byte of an address", &address.at) ||
        !rp_parse_expect(p, '=', "behind the byte") ||
        !rp_parse_u32(p, "the number of a use", &address.use))
        return false;
    if (rp_parse_accept(p, '+') &&
        !rp_parse_number(p, "the bytes from the range's start", UINT64_MAX, &address.offset))
        return false;
    if (!RP_RESERVE(p->a, g->addresses, g->addresses_count, g->addresses_capacity, 1))
        return rp_parse_no_memory(p);
    g->addresses[g->addresses_count++] = address;
    n->address_count++;
    return true;
}

static bool parse_addresses(rp_parser *p, rp_graph_node *n) {
    n->first_address = p->g->addresses_count;
    if (!rp_parse_accept_word(p, "address")) return true;
    do {
        if (!parse_address(p, n)) return false;
    } while (p->lx.token.kind == RP_TOKEN_WORD && *p->lx.token.text >= '0' &&
             *p->lx.token.text <= '9');
    return true;
}

static bool parse_run(rp_parser *p, rp_graph_node *n) {
    rp_token kernel = rp_parse_take(p);
    rp_graph_use indirect;
    if (kernel.kind != RP_TOKEN_KERNEL)
        return RP_FAIL(p, &kernel, "expected '@kernel', found %s", rp_parse_show(&kernel).text);
    if (!find(p, &p->kernels, &kernel, "kernel", &n->kernel) || !parse_grid(p, n, &indirect))
        return false;
    if (rp_parse_accept_word(p, "push") &&
        !rp_parse_hex_bytes(p, "the push data", RP_MAX_PUSH_BYTES, &n->first_byte, &n->byte_count))
        return false;
    if (!parse_addresses(p, n)) return false;
    n->unknown = !rp_parse_accept(p, '(');
    bool declared = !n->unknown;
    if (declared && !parse_uses(p, n)) return false;
    if (rp_parse_accept_word(p, "samplers") && !parse_samplers(p, n)) return false;
    if (n->grid_kind == RP_GRID_INDIRECT && !add_use(p, n, &indirect)) return false;
    return !rp_parse_accept_word(p, "for") || rp_parse_for(p, n);
}

/* What stands behind the node's id and '='. */
static bool parse_work(rp_parser *p, rp_graph_node *n) {
    rp_token kind = rp_parse_take(p);
    if (rp_parse_word_is(&kind, "fused")) return rp_parse_fused(p, n);
    if (kind.kind != RP_TOKEN_WORD || !rp_node_kind_parse(kind.text, kind.length, &n->kind))
        return RP_FAIL(
            p, &kind, "expected op, fused, run, copy, fill, update, blit, clear or fence, found %s",
            rp_parse_show(&kind).text);
    switch ((rp_node_kind)n->kind) {
    case RP_RUN: return parse_run(p, n);
    case RP_OP: return rp_parse_op_node(p, n);
    case RP_FENCE: return true;
    case RP_COPY: break;
    case RP_FILL:
        if (!rp_parse_hex_word(p, "the fill value", &n->pattern)) return false;
        break;
    case RP_UPDATE:
        if (!rp_parse_hex_bytes(p, "the data", RP_MAX_UPDATE_BYTES, &n->first_byte, &n->byte_count))
            return false;
        break;
    case RP_CLEAR:
        if (!rp_parse_hex_bytes(p, "the texel", 16, &n->first_byte, &n->byte_count)) return false;
        break;
    case RP_BLIT: {
        uint8_t filter;
        rp_token t = rp_parse_take(p);
        if (t.kind != RP_TOKEN_WORD || !rp_filter_parse(t.text, t.length, &filter))
            return RP_FAIL(p, &t, "expected nearest or linear, found %s", rp_parse_show(&t).text);
        n->pattern = filter;
        break;
    }
    }
    return rp_parse_expect(p, '(', "and the uses") && parse_uses(p, n);
}

bool rp_parse_node_id(const rp_token *t, uint32_t *out) {
    uint64_t id;
    bool overflow;
    if (t->kind != RP_TOKEN_WORD || t->length < 2 || t->text[0] != 'n' ||
        !rp_lex_decimal(t->text + 1, t->length - 1, &id, &overflow) || id >= RP_NONE)
        return false;
    *out = (uint32_t)id;
    return true;
}

static bool parse_op(rp_parser *p, uint32_t *out) {
    rp_token t = p->lx.token;
    if (t.kind == RP_TOKEN_STRING) return rp_parse_string(p, "an op", out);
    if (t.kind != RP_TOKEN_WORD) return rp_parse_expected(p, "an op");
    *out = rp_graph_intern(p->g, t.text, t.length);
    rp_lex_next(&p->lx);
    return *out != RP_NONE || rp_parse_no_memory(p);
}

bool rp_parse_node(rp_parser *p, const rp_token *first, uint32_t id) {
    rp_graph *g = p->g;
    rp_graph_node n = {.id = id,
                       .kernel = RP_NONE,
                       .label = RP_NONE,
                       .op = RP_NONE,
                       .first_use = g->uses_count,
                       .pos = {first->line, first->column}};
    if (!rp_parse_expect(p, '=', "behind the node's id") || !parse_work(p, &n)) return false;
    n.optional = rp_parse_accept_word(p, "optional");
    if (rp_parse_accept_word(p, "label") && !rp_parse_string(p, "the label as a string", &n.label))
        return false;
    if (rp_parse_accept_word(p, "op") && !parse_op(p, &n.op)) return false;
    if (p->lx.token.kind != RP_TOKEN_NEWLINE && p->lx.token.kind != RP_TOKEN_END)
        return rp_parse_expected(
            p, n.kind == RP_RUN && n.unknown
                   ? "'push', 'address', '(' and the uses, 'for', 'optional', 'label', 'op' (in "
                     "this order) "
                     "or the end of the line"
                   : "'optional', 'label', 'op' (in this order) or the end of the line");
    if ((g->stages & RP_STAGE_SCHEDULED) && !p->header_wrong && !p->lost_group) {
        p->lost_group = g->group_count == 0 || p->behind_barrier;
        if (p->behind_barrier)
            return RP_FAIL(p, first, "a barrier is followed by a group, not a node");
        if (g->group_count == 0)
            return RP_FAIL(p, first, "a scheduled graph's nodes stand in groups");
        n.group = g->group_count - 1;
    }
    return rp_graph_add_node(g, &n, NULL, NULL) != RP_NONE || rp_parse_no_memory(p);
}
