/* The rules of nodes: what each kind takes, access, ranges, alignment, grids, and that no node
 * contradicts itself. Uses are compared pairwise; a node has few (RP_MAX_USES at most). */
#include "graph/verify.h"

#include <stdio.h>

#include "base/checked.h"
#include "base/image.h"
#include "base/table.h"

rp_shown_use rp_show_use(const rp_graph *g, const rp_graph_use *u) {
    rp_shown_use s;
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    int at = snprintf(s.text, sizeof s.text, "%s %c%.50s",
                      u->indirect ? "indirect" : rp_access_name((rp_access)u->access),
                      b->kind == RP_TMP ? '%' : '$', rp_graph_string(g, b->name));
    rp_subresources r;
    if (u->offset == 0 && u->size == b->size) return s;
    if (rp_buffer_is_image(b) && rp_image_subresources(&b->image, u->offset, u->size, &r))
        snprintf(s.text + at, sizeof s.text - (size_t)at, "[mip %u+%u layer %u+%u]", r.first_mip,
                 r.mips, r.first_layer, r.layers);
    else
        snprintf(s.text + at, sizeof s.text - (size_t)at, "[%llu+%llu]",
                 (unsigned long long)u->offset, (unsigned long long)u->size);
    return s;
}

#define NODE_ERROR(v, n, format, ...)                                                              \
    rp_verify_error((v), (n)->pos, "n%u: " format, (n)->id, __VA_ARGS__)

/* ---- Uses ------------------------------------------------------------------------------------ */

/* One use for itself; false when its indices or values make it unfit for further questions. */
static bool verify_use(rp_verifier *v, const rp_graph_node *n, const rp_graph_use *u) {
    const rp_graph *g = v->graph;
    if (u->buffer >= g->buffers_count || g->buffers[u->buffer].removed ||
        !rp_access_name((rp_access)u->access)) {
        NODE_ERROR(v, n, "%s", "uses a buffer that does not exist");
        return false;
    }
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    if (u->size == 0 || !rp_range_inside(u->offset, u->size, b->size)) {
        NODE_ERROR(v, n, "%s is not a range of the buffer's %llu bytes", rp_show_use(g, u).text,
                   (unsigned long long)b->size);
        return false;
    }
    if (rp_access_writes(u->access) &&
        (b->kind == RP_IN || b->kind == RP_WEIGHT || b->kind == RP_LIVE))
        NODE_ERROR(v, n, "%s: %s buffers are read only", rp_show_use(g, u).text,
                   rp_buffer_kind_name((rp_buffer_kind)b->kind));
    rp_subresources s;
    if (rp_buffer_is_image(b) && !rp_image_subresources(&b->image, u->offset, u->size, &s)) {
        NODE_ERROR(v, n, "%s: a range of an image is one mip, some of its layers, or whole mips",
                   rp_show_use(g, u).text);
        return false;
    }
    if (rp_buffer_is_image(b) && (u->indirect || n->kind == RP_FILL || n->kind == RP_UPDATE ||
                                  n->kind == RP_OP || n->member_count)) {
        NODE_ERROR(v, n, "%s is an image, and %s takes buffers%s", rp_show_use(g, u).text,
                   u->indirect ? "an indirect grid" : rp_node_kind_name((rp_node_kind)n->kind),
                   n->kind == RP_FILL ? ": clear gives texels a value" : "");
        return false;
    }
    if (u->step > RP_USE_PIECE || (u->step && n->kind != RP_RUN) ||
        (u->format && (n->kind != RP_RUN || !rp_image_format_name((rp_image_format)u->format)))) {
        NODE_ERROR(v, n, "%s belongs to no binding", rp_show_use(g, u).text);
        return false;
    }
    if (u->offset % 4 && n->kind == RP_RUN && n->member_count == 0 && !u->indirect &&
        !rp_buffer_is_image(b) && !u->format)
        NODE_ERROR(v, n, "%s: the offset of a kernel's range is a multiple of 4",
                   rp_show_use(g, u).text);
    return true;
}

/* Two uses of one node on the same bytes, one of them writing: allowed as in-place work, where a
 * kernel reads and writes the very same range. */
static void verify_overlap(rp_verifier *v, const rp_graph_node *n, const rp_graph_use *x,
                           const rp_graph_use *y) {
    if (x->buffer != y->buffer || !rp_ranges_overlap(x->offset, x->size, y->offset, y->size))
        return;
    bool x_writes = rp_access_writes(x->access), y_writes = rp_access_writes(y->access);
    if (!x_writes && !y_writes) return;
    rp_shown_use first = rp_show_use(v->graph, x), second = rp_show_use(v->graph, y);
    if (x_writes && y_writes)
        NODE_ERROR(v, n, "writes the same bytes twice: %s and %s", first.text, second.text);
    else if (n->kind == RP_COPY || n->kind == RP_BLIT)
        NODE_ERROR(v, n, "copies between overlapping ranges: %s and %s", first.text, second.text);
    else if (x->indirect || y->indirect)
        NODE_ERROR(v, n, "writes the grid it is run with: %s and %s", first.text, second.text);
    else if (x->access == RP_UNIFORM || y->access == RP_UNIFORM)
        NODE_ERROR(v, n, "writes what it reads as uniform: %s and %s", first.text, second.text);
    else if (x->access == RP_SAMPLED || y->access == RP_SAMPLED)
        NODE_ERROR(v, n, "writes what it samples: %s and %s", first.text, second.text);
    else if (x->offset != y->offset || x->size != y->size)
        NODE_ERROR(v, n,
                   "%s and %s overlap, and one writes; only the very same range can be read and "
                   "written",
                   first.text, second.text);
}

static bool verify_uses(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph_use *uses = rp_node_uses(v->graph, n);
    bool ok = true;
    for (uint32_t i = 0; i < n->use_count; i++) ok = verify_use(v, n, &uses[i]) && ok;
    for (uint32_t i = 1; ok && !n->unknown && i < n->use_count; i++)
        for (uint32_t j = 0; j < i; j++) verify_overlap(v, n, &uses[j], &uses[i]);
    return ok;
}

/* ---- Run ------------------------------------------------------------------------------------- */

/* Names with '-' read as subtractions inside an expression. */
static bool usable_in_expr(const char *name) {
    return !strchr(name, '-');
}

static void verify_grid_expr(rp_verifier *v, const rp_graph_node *n, uint32_t expr) {
    const rp_graph *g = v->graph;
    const rp_graph_expr *e = expr < g->exprs_count ? &g->exprs[expr] : NULL;
    if (!e || !rp_expr_valid(g->expr_ops + e->first_op, e->op_count, g->buffers_count)) {
        NODE_ERROR(v, n, "%s", "the grid's expression is damaged");
        return;
    }
    for (uint32_t i = 0; i < e->op_count; i++) {
        const rp_expr_op *op = &g->expr_ops[e->first_op + i];
        if (op->code != RP_EXPR_LIVE) continue;
        const rp_graph_buffer *b = &g->buffers[op->buffer];
        const char *name = rp_graph_string(g, b->name);
        if (b->removed || b->kind != RP_LIVE)
            NODE_ERROR(v, n, "the grid reads %.60s, which is not a live buffer", name);
        else if (b->dtype != RP_U32 && b->dtype != RP_I32)
            NODE_ERROR(v, n, "the grid reads $%.60s, which is neither u32 nor i32", name);
        else if (op->element >= b->size / 4)
            NODE_ERROR(v, n, "the grid reads $%.60s[%u], but the buffer has %llu elements", name,
                       op->element, (unsigned long long)(b->size / 4));
        else if (b->follow_count)
            NODE_ERROR(v, n, "the grid reads $%.60s, which follows others: read those", name);
        else if (!usable_in_expr(name))
            NODE_ERROR(v, n, "the grid reads $%.60s; a name with '-' cannot stand in an expression",
                       name);
    }
}

static void verify_indirect(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph_use *uses = rp_node_uses(v->graph, n);
    bool wanted = n->grid_kind == RP_GRID_INDIRECT;
    uint32_t plain = n->use_count - (wanted && n->use_count > 0);
    for (uint32_t i = 0; i < plain; i++)
        if (uses[i].indirect) NODE_ERROR(v, n, "%s", "only the last use can be an indirect grid");
    if (!wanted) return;
    const rp_graph_use *u = n->use_count ? &uses[n->use_count - 1] : NULL;
    if (!u || !u->indirect || u->access != RP_READ)
        NODE_ERROR(v, n, "%s", "an indirect grid has a last use that says where it is read");
    else if (u->size != 12 || u->offset % 4)
        NODE_ERROR(v, n, "%s: an indirect grid is 12 bytes at a multiple of 4",
                   rp_show_use(v->graph, u).text);
}

static void verify_grid(rp_verifier *v, const rp_graph_node *n) {
    switch ((rp_grid_kind)n->grid_kind) {
    case RP_GRID_INDIRECT: return;
    case RP_GRID_LIVE:
        if (n->live_mask == 0 || n->live_mask > 7)
            NODE_ERROR(v, n, "%s", "a live grid has one to three expressions");
        break;
    case RP_GRID_DIRECT: break;
    }
    if (n->grid_kind > RP_GRID_INDIRECT) NODE_ERROR(v, n, "%s", "the grid is of an unknown kind");
    for (uint32_t i = 0; i < 3; i++) {
        if (n->grid_kind == RP_GRID_LIVE && n->live_mask >> i & 1)
            verify_grid_expr(v, n, n->grid[i]);
        else if (n->grid[i] == 0)
            NODE_ERROR(v, n, "the grid has 0 workgroups in dimension %u", i);
    }
}

static void verify_push(rp_verifier *v, const rp_graph_node *n, const rp_graph_kernel *k) {
    const char *kernel = rp_graph_string(v->graph, k->name);
    bool known = k->push_bytes != 0 || k->hash != 0; /* an abstract kernel may leave it open */
    if (known && n->byte_count != k->push_bytes)
        NODE_ERROR(v, n, "%u bytes of push data, but @%.60s takes %u", n->byte_count, kernel,
                   k->push_bytes);
    else if (n->byte_count % 4 || n->byte_count > RP_MAX_PUSH_BYTES)
        NODE_ERROR(v, n, "%u bytes of push data; a multiple of 4 up to %d is possible",
                   n->byte_count, RP_MAX_PUSH_BYTES);
}

/* What is reached through addresses stands behind what is bound. */
static void verify_addressed(rp_verifier *v, const rp_graph_node *n, uint32_t bound) {
    const rp_graph_use *uses = rp_node_uses(v->graph, n);
    for (uint32_t i = 0; i < n->use_count; i++) {
        if (uses[i].addressed && (i < bound || uses[i].indirect))
            NODE_ERROR(v, n, "%s is both bound and reached through an address",
                       rp_show_use(v->graph, &uses[i]).text);
        else if (uses[i].addressed && (rp_buffer_is_image(&v->graph->buffers[uses[i].buffer]) ||
                                       uses[i].step || uses[i].format))
            NODE_ERROR(v, n, "%s is no range of a buffer, which alone have addresses",
                       rp_show_use(v->graph, &uses[i]).text);
        else if (uses[i].addressed &&
                 (uses[i].access == RP_UNIFORM || uses[i].access == RP_SAMPLED))
            NODE_ERROR(v, n, "%s: through an address memory is r, w or rw",
                       rp_show_use(v->graph, &uses[i]).text);
    }
}

static void verify_address(rp_verifier *v, const rp_graph_node *n, const rp_graph_address *a,
                           uint32_t least) {
    static const uint8_t zeros[8];
    const rp_graph *g = v->graph;
    if (a->at % 4 || a->at < least || n->byte_count < 8 || a->at > n->byte_count - 8)
        NODE_ERROR(
            v, n,
            "an address at byte %u of %u: they are 8 bytes at multiples of 4, one behind the "
            "other",
            a->at, n->byte_count);
    else if (memcmp(g->bytes + n->first_byte + a->at, zeros, sizeof zeros) != 0)
        NODE_ERROR(v, n, "the push data has other bytes where the address at byte %u goes", a->at);
    if (a->use >= n->use_count || !rp_node_uses(g, n)[a->use].addressed)
        NODE_ERROR(v, n, "the address at byte %u is of use %u, which is not reached through one",
                   a->at, a->use);
    else if (a->offset >= rp_node_uses(g, n)[a->use].size)
        NODE_ERROR(v, n, "the address at byte %u is of byte %llu, and %s ends before it", a->at,
                   (unsigned long long)a->offset, rp_show_use(g, &rp_node_uses(g, n)[a->use]).text);
}

static void verify_addresses(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph *g = v->graph;
    if (!rp_range_inside(n->first_address, n->address_count, g->addresses_count)) {
        NODE_ERROR(v, n, "%s", "its addresses do not exist");
        return;
    }
    for (uint32_t i = 0; i < n->address_count; i++) {
        const rp_graph_address *a = &g->addresses[n->first_address + i];
        verify_address(v, n, a, i ? a[-1].at + 8 : 0);
    }
}

static void verify_run(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph *g = v->graph;
    if (n->kernel >= g->kernels_count || g->kernels[n->kernel].removed) {
        NODE_ERROR(v, n, "%s", "runs a kernel that does not exist");
        return;
    }
    const rp_graph_kernel *k = &g->kernels[n->kernel];
    if (!rp_range_inside(k->first_param, k->param_count, g->params_count)) return; /* said there */
    verify_grid(v, n);
    verify_push(v, n, k);
    uint32_t indirect = n->grid_kind == RP_GRID_INDIRECT ? 1 : 0;
    uint32_t bound = rp_node_bound(g, n);
    const rp_descriptor_source source = rp_node_descriptors(g, n);
    uint32_t have, wanted;
    const char *wrong = rp_descriptors_wrong(&source, &have, &wanted);
    if (have != wanted)
        NODE_ERROR(v, n, "%u uses, but @%.60s has %u parameters", have, rp_graph_string(g, k->name),
                   wanted);
    else if (wrong)
        NODE_ERROR(v, n, "its uses do not fit @%.60s: %s", rp_graph_string(g, k->name), wrong);
    if (wrong) return;
    if (n->use_count < indirect || !verify_uses(v, n)) return;
    verify_indirect(v, n);
    verify_addressed(v, n, bound);
    verify_addresses(v, n);
    if (bound || n->sampler_count || !n->unknown) rp_verify_params(v, n);
    bool sized = n->member_count && rp_node_powers(g, n);
    bool numbers = n->grid_kind == RP_GRID_DIRECT || (n->grid_kind == RP_GRID_LIVE && sized);
    if (n->member_count && (n->unknown || !numbers))
        NODE_ERROR(v, n, "%s",
                   "a kernel made of ops has declared uses, and a grid of numbers or of the live "
                   "sizes that its operands follow");
    else if (n->member_count)
        rp_verify_members(v, n);
    rp_verify_sizes(v, n);
}

static void verify_op(rp_verifier *v, const rp_graph_node *n) {
    if (n->member_count == 0)
        NODE_ERROR(v, n, "%s", "an op node has members");
    else if (n->byte_count || n->grid_kind != RP_GRID_DIRECT)
        NODE_ERROR(v, n, "%s", "an op node has neither push data nor a grid");
    else if (verify_uses(v, n)) {
        rp_verify_members(v, n);
        rp_verify_sizes(v, n);
    }
}

/* ---- Transfers ------------------------------------------------------------------------------- */

/* Nothing comes out of a buffer without elements, and nothing goes there. */
static bool verify_elements(rp_verifier *v, const rp_graph_node *n) {
    const rp_graph *g = v->graph;
    const rp_graph_use *u = rp_node_uses(g, n);
    uint32_t empty = RP_NONE, count = 0;
    for (uint32_t i = 0; i < n->use_count; i++)
        if (rp_buffer_is_empty(g, &g->buffers[u[i].buffer])) empty = i, count++;
    if (count == 0 || (count == n->use_count && n->kind != RP_UPDATE)) return true;
    if (n->use_count == 1)
        NODE_ERROR(v, n, "%s has no elements to be written", rp_show_use(g, &u[empty]).text);
    else
        NODE_ERROR(v, n, "%s has no elements, and %s has some", rp_show_use(g, &u[empty]).text,
                   rp_show_use(g, &u[1 - empty]).text);
    return false;
}

/* copy, fill and update: as many uses as `accesses` has letters. */
static bool verify_transfer(rp_verifier *v, const rp_graph_node *n, const uint8_t *accesses,
                            uint32_t count) {
    const char *kind = rp_node_kind_name((rp_node_kind)n->kind);
    bool ok = n->use_count == count;
    for (uint32_t i = 0; ok && i < count; i++)
        ok = rp_node_uses(v->graph, n)[i].access == accesses[i] &&
             !rp_node_uses(v->graph, n)[i].indirect && !rp_node_uses(v->graph, n)[i].addressed;
    if (!ok) {
        NODE_ERROR(v, n, "%s takes %s", kind,
                   count == 2 ? "(r source, w destination)" : "(w destination)");
        return false;
    }
    if (!verify_uses(v, n)) return false;
    rp_verify_sizes(v, n);
    return verify_elements(v, n);
}

/* A range of an image as its subresources. */
static bool subresources(const rp_graph *g, const rp_graph_use *u, rp_subresources *out) {
    const rp_image_shape *shape = &g->buffers[u->buffer].image;
    return shape->format != RP_IMAGE_NONE && rp_image_subresources(shape, u->offset, u->size, out);
}

static void verify_copy(rp_verifier *v, const rp_graph_node *n) {
    static const uint8_t accesses[] = {RP_READ, RP_WRITE};
    if (!verify_transfer(v, n, accesses, 2)) return;
    const rp_graph_use *u = rp_node_uses(v->graph, n);
    const rp_graph *g = v->graph;
    rp_subresources s, t;
    bool images[2] = {subresources(g, &u[0], &s), subresources(g, &u[1], &t)};
    const rp_graph_use *buffer = &u[images[0]], *image = &u[!images[0]];
    const rp_image_shape *from = &g->buffers[u[0].buffer].image;
    const rp_image_shape *to = &g->buffers[u[1].buffer].image;
    if (images[0] && images[1] && !rp_image_copies(from, &s, to, &t)) {
        NODE_ERROR(v, n, "%s and %s are not texels of one size in the same extents: blit scales",
                   rp_show_use(g, &u[0]).text, rp_show_use(g, &u[1]).text);
        return;
    }
    uint8_t format = g->buffers[image->buffer].image.format;
    uint32_t bytes = rp_image_format_get((rp_image_format)format).bytes;
    if (images[0] != images[1] && (buffer->offset % 4 || buffer->offset % bytes))
        NODE_ERROR(
            v, n, "%s: to or from %s, its offset is a multiple of 4 and of a texel's %u bytes",
            rp_show_use(g, buffer).text, rp_image_format_name((rp_image_format)format), bytes);
    if (u[0].size != u[1].size)
        NODE_ERROR(v, n, "copies %llu bytes to %llu bytes", (unsigned long long)u[0].size,
                   (unsigned long long)u[1].size);
}

static void verify_blit(rp_verifier *v, const rp_graph_node *n) {
    static const uint8_t accesses[] = {RP_READ, RP_WRITE};
    const rp_graph *g = v->graph;
    const char *wrong = "both sides are images";
    rp_subresources s, t;
    if (!verify_transfer(v, n, accesses, 2)) return;
    const rp_graph_use *u = rp_node_uses(g, n);
    if (subresources(g, &u[0], &s) && subresources(g, &u[1], &t))
        wrong = rp_image_blit_wrong(&g->buffers[u[0].buffer].image, &s,
                                    &g->buffers[u[1].buffer].image, &t, n->pattern);
    if (wrong)
        NODE_ERROR(v, n, "blits %s to %s: %s", rp_show_use(g, &u[0]).text,
                   rp_show_use(g, &u[1]).text, wrong);
}

static void verify_clear(rp_verifier *v, const rp_graph_node *n) {
    static const uint8_t accesses[] = {RP_WRITE};
    if (!verify_transfer(v, n, accesses, 1)) return;
    const rp_graph_use *u = rp_node_uses(v->graph, n);
    if (!rp_buffer_is_image(&v->graph->buffers[u->buffer]))
        NODE_ERROR(v, n, "%s is no image: fill takes buffers", rp_show_use(v->graph, u).text);
    if (n->byte_count != 16 || !rp_range_inside(n->first_byte, 16, v->graph->bytes_count))
        NODE_ERROR(v, n, "a texel of %u bytes; it has four channels of four bytes", n->byte_count);
}

static void verify_fill(rp_verifier *v, const rp_graph_node *n) {
    static const uint8_t accesses[] = {RP_WRITE};
    if (!verify_transfer(v, n, accesses, 1)) return;
    const rp_graph_use *u = rp_node_uses(v->graph, n);
    if (u->offset % 4 || u->size % 4)
        NODE_ERROR(v, n, "%s: offset and size of %s are multiples of 4",
                   rp_show_use(v->graph, u).text, rp_node_kind_name((rp_node_kind)n->kind));
    if (n->kind == RP_UPDATE && n->byte_count != u->size)
        NODE_ERROR(v, n, "%u bytes of data for a range of %llu", n->byte_count,
                   (unsigned long long)u->size);
    if (n->kind == RP_UPDATE && n->byte_count > RP_MAX_UPDATE_BYTES)
        NODE_ERROR(v, n, "%u bytes of data, more than %d", n->byte_count, RP_MAX_UPDATE_BYTES);
}

/* ---- All nodes ------------------------------------------------------------------------------- */

/* What is left out of a replay is a dispatch: its grid becomes zero. A grid that the GPU reads is
 * made zero by whoever writes it. */
static void verify_optional(rp_verifier *v, const rp_graph_node *n) {
    const char *kind = rp_node_kind_name((rp_node_kind)n->kind);
    if (n->kind == RP_COPY || n->kind == RP_FILL)
        NODE_ERROR(v, n,
                   "a %s cannot be optional, only what runs a kernel can: op %s does the same",
                   kind, n->kind == RP_COPY ? "copy" : "fill_words");
    else if (n->kind != RP_RUN && n->kind != RP_OP)
        NODE_ERROR(v, n, "%s %s cannot be optional, only what runs a kernel can",
                   n->kind == RP_UPDATE ? "an" : "a", kind ? kind : "?");
    else if (n->grid_kind == RP_GRID_INDIRECT)
        NODE_ERROR(v, n, "%s",
                   "an optional node has a grid of numbers or of live values; one that reads its "
                   "grid from a buffer is left out by a 0 there");
}

static void verify_node(rp_verifier *v, const rp_graph_node *n) {
    if (n->unknown && n->kind != RP_RUN)
        NODE_ERROR(v, n, "%s", "only a run node can have unknown uses");
    if (n->sampler_count && n->kind != RP_RUN)
        NODE_ERROR(v, n, "a %s has no samplers", rp_node_kind_name((rp_node_kind)n->kind));
    if (n->address_count && (n->kind != RP_RUN || n->member_count))
        NODE_ERROR(v, n, "%s", "only a kernel of one's own is pushed addresses");
    if (n->member_count && n->kind != RP_RUN && n->kind != RP_OP)
        NODE_ERROR(v, n, "a %s has no members", rp_node_kind_name((rp_node_kind)n->kind));
    if (n->optional) verify_optional(v, n);
    switch ((rp_node_kind)n->kind) {
    case RP_RUN: verify_run(v, n); return;
    case RP_OP: verify_op(v, n); return;
    case RP_COPY: verify_copy(v, n); return;
    case RP_BLIT: verify_blit(v, n); return;
    case RP_CLEAR: verify_clear(v, n); return;
    case RP_FILL:
    case RP_UPDATE: verify_fill(v, n); return;
    case RP_FENCE:
        if (n->use_count) NODE_ERROR(v, n, "%s", "a fence has no uses");
        return;
    }
    NODE_ERROR(v, n, "%s", "is of a kind that does not exist");
}

static bool verify_id(rp_verifier *v, rp_table *seen, uint32_t id, rp_source_pos pos) {
    uint32_t first;
    if (id == RP_NONE || !rp_table_find(seen, id, &first))
        return id == RP_NONE || rp_table_add(&v->graph->allocator, seen, id, 0);
    rp_verify_error(v, pos, "there is another n%u", id);
    return true;
}

/* Ids ascend in source order; a schedule may permute the nodes, so then they are only unique. */
static void verify_ids(rp_verifier *v) {
    const rp_graph *g = v->graph;
    bool permuted = g->stages & RP_STAGE_SCHEDULED, ascending = true, members = false;
    for (uint32_t i = 0; i < g->nodes_count && !members; i++)
        members = g->nodes[i].member_count > 0;
    for (uint32_t i = 1; i < g->nodes_count; i++) {
        if (g->nodes[i].id > g->nodes[i - 1].id) continue;
        ascending = false;
        if (!permuted)
            rp_verify_error(v, g->nodes[i].pos, "n%u stands behind n%u; ids ascend in source order",
                            g->nodes[i].id, g->nodes[i - 1].id);
    }
    if (!members && (!permuted || ascending)) return;
    rp_table seen = {0};
    bool room = rp_table_reserve(&g->allocator, &seen, g->nodes_count);
    for (uint32_t i = 0; room && i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        room = verify_id(v, &seen, n->id, n->pos);
        bool sound = rp_range_inside(n->first_member, n->member_count, g->members_count);
        for (uint32_t k = 0; room && sound && k < n->member_count; k++) {
            const rp_graph_member *m = &rp_node_members(g, n)[k];
            if (m->id != n->id) room = verify_id(v, &seen, m->id, m->pos);
        }
    }
    if (!room) v->status = RP_ERROR_NO_MEMORY;
    rp_table_free(&g->allocator, &seen);
}

void rp_verify_nodes(rp_verifier *v) {
    const rp_graph *g = v->graph;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        if (g->nodes[i].id == RP_NONE) /* no number in the text form */
            rp_verify_error(v, g->nodes[i].pos, "a node's id is at most %u", RP_NONE - 1);
        verify_node(v, &g->nodes[i]);
    }
    verify_ids(v);
}
