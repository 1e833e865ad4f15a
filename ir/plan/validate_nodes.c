/* Validation of a plan, third part: nodes, their uses, and the groups they stand in. Everything
 * that nodes refer to is valid already. What a node does to memory is checked here, byte range by
 * byte range; whether nodes are ordered as they must be is the checker's business, not the
 * reader's. */
#include "plan/validate.h"

#include "base/checked.h"
#include "base/image.h"

typedef struct checker {
    rp_plan_validation *at;
    const rp_plan *plan;
    const rp_plan_buffer *buffers;
    const rp_plan_kernel *kernels;
    const rp_plan_param *params;
    const rp_plan_use *uses;
    const uint32_t *samplers;
} checker;

static bool writes(const rp_plan_use *use) {
    return use->access == RP_WRITE || use->access == RP_READ_WRITE;
}

/* What holds for every use, whatever node it belongs to. `which` counts from 0 in the node. */
static rp_status check_use(checker *c, uint32_t which, const rp_plan_use *use) {
    if (use->buffer >= rp_plan_count(c->plan, RP_SECTION_BUFFERS))
        return rp_plan_damaged(c->at, "use %u: buffer index %u is outside 0..%u", which,
                               use->buffer, rp_plan_count(c->plan, RP_SECTION_BUFFERS));
    if (!rp_access_name((rp_access)use->access) || use->indirect > 1 ||
        use->step > RP_USE_ADDRESSED ||
        (use->format && !rp_image_format_name((rp_image_format)use->format)))
        return rp_plan_damaged(c->at, "use %u: access %u or a flag is unknown", which, use->access);
    const rp_plan_buffer *b = &c->buffers[use->buffer];
    if (use->size == 0 || !rp_range_inside(use->offset, use->size, b->size))
        return rp_plan_damaged(c->at, "use %u: bytes %llu + %llu are not inside buffer %u of %llu",
                               which, (unsigned long long)use->offset,
                               (unsigned long long)use->size, use->buffer,
                               (unsigned long long)b->size);
    const rp_image_shape shape = rp_plan_image(b);
    rp_subresources s;
    if (rp_plan_is_image(b) && !rp_image_subresources(&shape, use->offset, use->size, &s))
        return rp_plan_damaged(c->at, "use %u: bytes %llu + %llu are no subresources of image %u",
                               which, (unsigned long long)use->offset,
                               (unsigned long long)use->size, use->buffer);
    if (writes(use) && b->kind != RP_OUT && b->kind != RP_INOUT && b->kind != RP_TMP)
        return rp_plan_damaged(c->at, "use %u: writes buffer %u of kind %s", which, use->buffer,
                               rp_buffer_kind_name((rp_buffer_kind)b->kind));
    return RP_OK;
}

static rp_status check_grid(checker *c, const rp_plan_node *n) {
    bool live = n->grid_kind == RP_GRID_LIVE;
    if (n->grid_kind > RP_GRID_INDIRECT || n->live_mask > 7 || live != (n->live_mask != 0) ||
        (!live && n->flags & RP_NODE_SIZED))
        return rp_plan_damaged(c->at, "grid kind %u with live mask %u is unknown", n->grid_kind,
                               n->live_mask);
    for (int i = 0; i < 3; i++) {
        if (n->grid_kind == RP_GRID_INDIRECT) {
            if (n->grid[i]) return rp_plan_damaged(c->at, "an indirect grid has constants");
        } else if (n->live_mask >> i & 1) {
            if (!rp_plan_take(c->at, RP_SECTION_EXPRS, n->grid[i], 1))
                return rp_plan_damaged(c->at, "expression index %u is not the next of %u",
                                       n->grid[i], rp_plan_count(c->plan, RP_SECTION_EXPRS));
        } else if (n->grid[i] == 0) {
            return rp_plan_damaged(c->at, "the grid is empty");
        }
    }
    return RP_OK;
}

/* The three words of an indirect grid, the last use. */
static rp_status check_indirect(checker *c, const rp_plan_use *use) {
    if (!use->indirect || use->step || use->access != RP_READ || use->size != 12 || use->offset % 4)
        return rp_plan_damaged(c->at,
                               "the indirect grid is not 12 bytes, read, at a multiple of 4");
    return RP_OK;
}

/* What is bound, against what the kernel sees there: a buffer, an image of a fitting view and format,
 * texels. */
static bool fits(const checker *c, const rp_plan_param *p, const rp_plan_use *u, uint32_t pieces) {
    const rp_plan_buffer *b = &c->buffers[u->buffer];
    const rp_image_shape shape = rp_plan_image(b);
    const rp_image_format_info texels = rp_image_format_get((rp_image_format)u->format);
    rp_subresources first, s;
    if (p->resource == RP_RESOURCE_BUFFER) return !rp_plan_is_image(b) && !u->format;
    if (p->resource == RP_RESOURCE_TEXELS)
        return !rp_plan_is_image(b) && u->format && texels.texel == p->texel &&
               (!p->format || p->format == u->format) && u->size % texels.bytes == 0 &&
               u->offset % texels.bytes == 0;
    if (!rp_plan_is_image(b) || u->format ||
        !rp_image_subresources(&shape, u->offset, u->size, &first) ||
        !rp_view_fits((rp_view)p->view, &shape, first.layers) ||
        (p->format && p->format != b->format) ||
        p->texel != (uint8_t)rp_image_format_get((rp_image_format)b->format).texel ||
        (p->access != RP_SAMPLED && (pieces > 1 || first.mips > 1)))
        return false;
    for (uint32_t i = 1; i < pieces; i++)
        if (u[i].buffer != u->buffer || u[i].access != u->access || u[i].format || u[i].indirect ||
            first.layers == shape.layers ||
            !rp_image_subresources(&shape, u[i].offset, u[i].size, &s) || s.mips != 1 ||
            s.first_mip != first.first_mip + i || s.first_layer != first.first_layer ||
            s.layers != first.layers)
            return false;
    return true;
}

static rp_status check_descriptors(checker *c, const rp_plan_node *n,
                                   const rp_descriptor_source *source) {
    const rp_plan_use *uses = c->uses + n->first_use;
    const rp_plan_param *params = c->params + c->kernels[n->kernel].first_param;
    rp_descriptor d = {0};
    while (rp_descriptor_step(source, &d)) {
        const rp_plan_param *p = &params[d.param];
        const rp_plan_use *u = &uses[d.first_use];
        if (d.use_count == 0) continue;
        if (p->skip ? u->offset % RP_ARENA_ALIGNMENT != p->skip
                    : u->offset % 4 != 0 && p->resource == RP_RESOURCE_BUFFER)
            return rp_plan_damaged(c->at, "use %u: offset %llu is not %u behind a multiple of %d",
                                   d.first_use, (unsigned long long)u->offset, p->skip,
                                   p->skip ? RP_ARENA_ALIGNMENT : 4);
        bool special = p->access == RP_UNIFORM || u->access == RP_UNIFORM ||
                       p->access == RP_SAMPLED || u->access == RP_SAMPLED;
        if (special && p->access != u->access)
            return rp_plan_damaged(c->at, "use %u: access %s does not fit the kernel's %s",
                                   d.first_use, rp_access_name((rp_access)u->access),
                                   rp_access_name((rp_access)p->access));
        if (u->indirect || !fits(c, p, u, d.use_count))
            return rp_plan_damaged(c->at, "use %u is not what param %u of kernel %u sees",
                                   d.first_use, d.param, n->kernel);
    }
    if (n->sampler_count != d.next_sampler)
        return rp_plan_damaged(c->at, "%u samplers do not fit kernel %u's %u", n->sampler_count,
                               n->kernel, d.next_sampler);
    for (uint32_t i = 0; i < n->sampler_count; i++)
        if (c->samplers[n->first_sampler + i] >= rp_plan_count(c->plan, RP_SECTION_SAMPLERS))
            return rp_plan_damaged(c->at, "sampler index %u is outside 0..%u",
                                   c->samplers[n->first_sampler + i],
                                   rp_plan_count(c->plan, RP_SECTION_SAMPLERS));
    return RP_OK;
}

/* A use behind those that are bound: bytes of a buffer. */
static bool reached(const checker *c, const rp_plan_use *u) {
    return u->step == RP_USE_ADDRESSED && !u->indirect && !u->format && u->access != RP_UNIFORM &&
           u->access != RP_SAMPLED && !rp_plan_is_image(&c->buffers[u->buffer]);
}

/* Who reads tagged buffers, and nobody else, has the word of stalls: without such there is none. */
static rp_status check_stalls(checker *c, const rp_plan_node *n, const rp_plan_kernel *k) {
    uint32_t stalls = 0;
    bool waits = false;
    for (uint32_t i = 0; i < k->param_count; i++)
        stalls += c->params[k->first_param + i].resource == RP_RESOURCE_STALL;
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_plan_use *u = &c->uses[n->first_use + i];
        waits |= c->buffers[u->buffer].tagged && u->access != RP_WRITE;
    }
    if (stalls == (uint32_t)waits) return RP_OK;
    return rp_plan_damaged(c->at, "its kernel %u has %u words of stalls, and it %s tagged buffers",
                           n->kernel, stalls, waits ? "reads" : "reads no");
}

static rp_status check_run(checker *c, const rp_plan_node *n) {
    if (n->kernel >= rp_plan_count(c->plan, RP_SECTION_KERNELS))
        return rp_plan_damaged(c->at, "kernel index %u is outside 0..%u", n->kernel,
                               rp_plan_count(c->plan, RP_SECTION_KERNELS));
    RP_TRY(check_grid(c, n));
    const rp_plan_kernel *k = &c->kernels[n->kernel];
    RP_TRY(check_stalls(c, n, k));
    const rp_plan_use *uses = c->uses + n->first_use;
    uint32_t indirect = n->grid_kind == RP_GRID_INDIRECT;
    const rp_descriptor_source source = rp_plan_descriptors(n, c->kernels, c->params, c->uses);
    uint32_t have, wanted;
    const char *wrong = rp_descriptors_wrong(&source, &have, &wanted);
    if (indirect && (n->flags & RP_NODE_OPTIONAL))
        return rp_plan_damaged(c->at, "it is optional and its grid is indirect");
    if (n->use_count < (uint64_t)source.use_count + indirect)
        return rp_plan_damaged(c->at, "%u uses do not fit its grid", n->use_count);
    if (wrong) return rp_plan_damaged(c->at, "its uses do not fit kernel %u: %s", n->kernel, wrong);
    for (uint32_t i = source.use_count; i + indirect < n->use_count; i++)
        if (!reached(c, &uses[i]))
            return rp_plan_damaged(c->at, "use %u is neither bound nor reached through an address",
                                   i);
    bool open = k->push_bytes == 0 && k->hash == 0; /* an abstract kernel may leave it open */
    if (n->byte_count % 4 || n->byte_count > RP_MAX_PUSH_BYTES ||
        (!open && n->byte_count != k->push_bytes))
        return rp_plan_damaged(c->at, "%u bytes of push data do not fit kernel %u's %u",
                               n->byte_count, n->kernel, k->push_bytes);
    RP_TRY(check_descriptors(c, n, &source));
    return indirect ? check_indirect(c, &uses[n->use_count - 1]) : RP_OK;
}

/* The bytes of both uses overlap, in one buffer or in the arena. */
static bool overlap(const checker *c, const rp_plan_use *a, const rp_plan_use *b) {
    const rp_plan_buffer *x = &c->buffers[a->buffer], *y = &c->buffers[b->buffer];
    if (rp_plan_in_arena(x) && rp_plan_in_arena(y))
        return rp_ranges_overlap(x->offset + a->offset, a->size, y->offset + b->offset, b->size);
    return x == y && rp_ranges_overlap(a->offset, a->size, b->offset, b->size);
}

/* A range of an image as its subresources. */
static bool subresources(const checker *c, const rp_plan_use *u, rp_image_shape *shape,
                         rp_subresources *out) {
    *shape = rp_plan_image(&c->buffers[u->buffer]);
    return shape->format != RP_IMAGE_NONE && rp_image_subresources(shape, u->offset, u->size, out);
}

/* Between images texel by texel, to and from a buffer in its packed form. */
static bool copy_fits(const checker *c, const rp_plan_use *from, const rp_plan_use *to) {
    rp_image_shape shapes[2];
    rp_subresources s, t;
    bool images[2] = {subresources(c, from, &shapes[0], &s), subresources(c, to, &shapes[1], &t)};
    const rp_plan_use *buffer = images[0] ? to : from;
    const rp_image_shape *image = &shapes[images[0] ? 0 : 1];
    uint32_t bytes = rp_image_format_get((rp_image_format)image->format).bytes;
    if (!images[0] && !images[1]) return true;
    if (!images[0] || !images[1]) return buffer->offset % 4 == 0 && buffer->offset % bytes == 0;
    return rp_image_copies(&shapes[0], &s, &shapes[1], &t);
}

static rp_status check_blit(checker *c, const rp_plan_node *n) {
    const rp_plan_use *uses = c->uses + n->first_use;
    rp_image_shape from, to;
    rp_subresources s, t;
    if (n->use_count != 2 || uses[0].access != RP_READ || uses[1].access != RP_WRITE ||
        uses[0].indirect || uses[1].indirect || !subresources(c, &uses[0], &from, &s) ||
        !subresources(c, &uses[1], &to, &t) || overlap(c, &uses[0], &uses[1]))
        return rp_plan_damaged(c->at, "its uses are not two different parts of images");
    const char *wrong = rp_image_blit_wrong(&from, &s, &to, &t, n->pattern);
    return wrong ? rp_plan_damaged(c->at, "it cannot be: %s", wrong) : RP_OK;
}

static rp_status check_clear(checker *c, const rp_plan_node *n) {
    const rp_plan_use *uses = c->uses + n->first_use;
    if (n->use_count != 1 || uses->access != RP_WRITE || uses->indirect ||
        !rp_plan_is_image(&c->buffers[uses->buffer]) || n->byte_count != 16)
        return rp_plan_damaged(c->at, "it has not one use of an image and a texel of 16 bytes");
    return RP_OK;
}

/* Copy, fill and update: `reads` uses are read, then one is written. */
static rp_status check_transfer(checker *c, const rp_plan_node *n) {
    const rp_plan_use *uses = c->uses + n->first_use;
    uint32_t reads = n->kind == RP_COPY;
    if (n->use_count != reads + 1)
        return rp_plan_damaged(c->at, "%u uses instead of %u", n->use_count, reads + 1);
    const rp_plan_use *to = &uses[reads];
    if ((reads && uses[0].access != RP_READ) || to->access != RP_WRITE || to->indirect ||
        uses[0].indirect)
        return rp_plan_damaged(c->at, "its uses have other accesses than a %s has",
                               rp_node_kind_name((rp_node_kind)n->kind));
    if (reads && (uses[0].size != to->size || overlap(c, &uses[0], to)))
        return rp_plan_damaged(c->at, "its two ranges differ in size or overlap");
    if (reads && !copy_fits(c, &uses[0], to))
        return rp_plan_damaged(c->at, "it copies between texels that do not fit");
    if (!reads && rp_plan_is_image(&c->buffers[to->buffer]))
        return rp_plan_damaged(c->at, "it writes bytes of an image");
    if (!reads && (to->offset % 4 || to->size % 4))
        return rp_plan_damaged(c->at, "bytes %llu + %llu are not multiples of 4",
                               (unsigned long long)to->offset, (unsigned long long)to->size);
    if (n->kind == RP_UPDATE && (to->size != n->byte_count || to->size > RP_MAX_UPDATE_BYTES))
        return rp_plan_damaged(c->at,
                               "%u bytes of data for a range of %llu; at most %d are allowed",
                               n->byte_count, (unsigned long long)to->size, RP_MAX_UPDATE_BYTES);
    return RP_OK;
}

/* A tagged buffer is bound as a whole, and the tag comes first in the push data. */
static rp_status check_tagged(checker *c, const rp_plan_node *n) {
    static const uint8_t zeros[RP_TAG_BYTES];
    const uint8_t *bytes = rp_plan_records(c->plan, RP_SECTION_BYTES);
    bool tagged = false;
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_plan_use *u = &c->uses[n->first_use + i];
        const rp_plan_buffer *b = &c->buffers[u->buffer];
        if (!b->tagged) continue;
        tagged = true;
        if (n->kind != RP_RUN || n->flags & RP_NODE_UNKNOWN || u->offset || u->size != b->size ||
            (u->access != RP_READ && u->access != RP_WRITE) || u->step || u->indirect)
            return rp_plan_damaged(c->at, "use %u is of a part of a tagged buffer, or no kernel's",
                                   i);
    }
    if (tagged &&
        (n->byte_count < RP_TAG_BYTES || memcmp(bytes + n->first_byte, zeros, sizeof zeros) != 0))
        return rp_plan_damaged(c->at, "its push data does not begin with 4 zeros for the tag");
    return RP_OK;
}

/* Fields that a node of this kind does not have hold their one neutral value. */
static rp_status check_neutral(checker *c, const rp_plan_node *n) {
    bool run = n->kind == RP_RUN, update = n->kind == RP_UPDATE || n->kind == RP_CLEAR;
    bool pattern = n->kind == RP_FILL || n->kind == RP_BLIT;
    bool grid = n->grid_kind || n->live_mask || n->grid[0] || n->grid[1] || n->grid[2];
    if ((!run && (n->kernel != UINT32_MAX || grid || n->flags)) ||
        (!run && !update && n->byte_count) || (!pattern && n->pattern) ||
        (!run && n->sampler_count) || n->flags & ~RP_NODE_FLAGS)
        return rp_plan_damaged(c->at, "it has fields that a %s does not have",
                               rp_node_kind_name((rp_node_kind)n->kind));
    return RP_OK;
}

static bool optional_string(const checker *c, uint32_t string) {
    return string == UINT32_MAX || rp_plan_string_valid(c->at, string);
}

/* Labels stand for ops, which a kernel computes; those of an optional one are all the same. */
static rp_status check_labels(checker *c, const rp_plan_node *n) {
    const uint32_t *labels = rp_plan_records(c->plan, RP_SECTION_LABELS);
    if (!rp_plan_take(c->at, RP_SECTION_LABELS, n->first_label, n->label_count))
        return rp_plan_damaged(
            c->at, "labels %u + %u do not follow those before, or exceed section labels",
            n->first_label, n->label_count);
    if (n->label_count && (n->kind != RP_RUN || n->flags & RP_NODE_OPTIONAL))
        return rp_plan_damaged(c->at, "it has more labels than one");
    for (uint32_t i = 0; i < n->label_count; i++)
        if (!optional_string(c, labels[n->first_label + i]))
            return rp_plan_damaged(c->at, "its label %u is not a string",
                                   labels[n->first_label + i]);
    return RP_OK;
}

static rp_status check_node(checker *c, const rp_plan_node *n) {
    const char *kind = rp_node_kind_name((rp_node_kind)n->kind);
    if (!kind) return rp_plan_damaged(c->at, "node kind %u is unknown", n->kind);
    if (n->kind == RP_OP) return rp_plan_damaged(c->at, "it is an op, which no plan can replay");
    if (!rp_plan_take(c->at, RP_SECTION_USES, n->first_use, n->use_count))
        return rp_plan_damaged(c->at,
                               "uses %u + %u do not follow those before, or exceed section uses",
                               n->first_use, n->use_count);
    if (!rp_plan_take(c->at, RP_SECTION_BYTES, n->first_byte, n->byte_count))
        return rp_plan_damaged(c->at,
                               "bytes %u + %u do not follow those before, or exceed section bytes",
                               n->first_byte, n->byte_count);
    if (!rp_plan_take(c->at, RP_SECTION_SAMPLER_REFS, n->first_sampler, n->sampler_count))
        return rp_plan_damaged(
            c->at, "samplers %u + %u do not follow those before, or exceed section sampler refs",
            n->first_sampler, n->sampler_count);
    if (!optional_string(c, n->label) || !optional_string(c, n->op))
        return rp_plan_damaged(c->at, "the label %u or the op tag %u is not a string", n->label,
                               n->op);
    RP_TRY(check_labels(c, n));
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_plan_use *u = &c->uses[n->first_use + i];
        RP_TRY(check_use(c, i, u));
        if (n->kind != RP_RUN && (u->step || u->format))
            return rp_plan_damaged(c->at, "use %u belongs to no binding", i);
    }
    RP_TRY(check_neutral(c, n));
    RP_TRY(check_tagged(c, n));
    switch ((rp_node_kind)n->kind) {
    case RP_RUN: return check_run(c, n);
    case RP_COPY:
    case RP_FILL:
    case RP_UPDATE: return check_transfer(c, n);
    case RP_BLIT: return check_blit(c, n);
    case RP_CLEAR: return check_clear(c, n);
    case RP_FENCE:
        if (n->use_count) return rp_plan_damaged(c->at, "a fence has uses");
        return RP_OK;
    case RP_OP: break;
    }
    return RP_OK;
}

/* In order of their nodes, and in these of the bytes that they fill. */
static rp_status check_addresses(checker *c) {
    static const uint8_t zeros[8];
    const rp_plan_address *addresses = rp_plan_records(c->plan, RP_SECTION_ADDRESSES);
    const rp_plan_node *nodes = rp_plan_records(c->plan, RP_SECTION_NODES);
    const uint8_t *bytes = rp_plan_records(c->plan, RP_SECTION_BYTES);
    c->at->section = RP_SECTION_ADDRESSES;
    for (uint32_t i = 0; i < rp_plan_count(c->plan, RP_SECTION_ADDRESSES); i++) {
        const rp_plan_address *a = &addresses[i], *before = i ? a - 1 : NULL;
        c->at->record = i;
        if (a->node >= rp_plan_count(c->plan, RP_SECTION_NODES) || nodes[a->node].kind != RP_RUN ||
            (before && before->node > a->node))
            return rp_plan_damaged(c->at, "node index %u is not that of the next run node",
                                   a->node);
        const rp_plan_node *n = &nodes[a->node];
        uint32_t least = before && before->node == a->node ? before->at + 8 : 0;
        if (a->at % 4 || a->at < least || n->byte_count < 8 || a->at > n->byte_count - 8 ||
            a->reserved || memcmp(bytes + n->first_byte + a->at, zeros, sizeof zeros) != 0)
            return rp_plan_damaged(c->at, "byte %u is no place for the next address", a->at);
        const rp_plan_use *use = a->use < n->use_count ? &c->uses[n->first_use + a->use] : NULL;
        if (!use || use->step != RP_USE_ADDRESSED || a->offset >= use->size)
            return rp_plan_damaged(c->at, "byte %llu of use %u is not reached through an address",
                                   (unsigned long long)a->offset, a->use);
    }
    return RP_OK;
}

/* What a kernel does through addresses nobody sees: its nodes say it, or that it may be anything. */
static rp_status check_addressing(checker *c) {
    const rp_plan_node *nodes = rp_plan_records(c->plan, RP_SECTION_NODES);
    c->at->section = RP_SECTION_NODES;
    for (uint32_t i = 0; i < rp_plan_count(c->plan, RP_SECTION_NODES); i++) {
        const rp_plan_node *n = &nodes[i];
        const rp_plan_use *uses = c->uses + n->first_use;
        bool said = n->kind != RP_RUN || (n->flags & RP_NODE_UNKNOWN) ||
                    !(c->at->addressing && c->at->addressing[n->kernel]);
        for (uint32_t k = 0; !said && k < n->use_count; k++)
            said = uses[k].step == RP_USE_ADDRESSED;
        c->at->record = i;
        if (!said)
            return rp_plan_damaged(c->at,
                                   "its kernel uses buffer device addresses, and it does not say "
                                   "what of");
    }
    return RP_OK;
}

/* Groups cut the nodes into consecutive, non-empty pieces. */
static rp_status check_groups(rp_plan_validation *at) {
    const rp_plan *plan = at->plan;
    const rp_plan_group *groups = rp_plan_records(plan, RP_SECTION_GROUPS);
    const rp_plan_node *nodes = rp_plan_records(plan, RP_SECTION_NODES);
    uint32_t node_count = rp_plan_count(plan, RP_SECTION_NODES), next = 0;
    for (uint32_t g = 0; g < rp_plan_count(plan, RP_SECTION_GROUPS); g++) {
        at->section = RP_SECTION_GROUPS;
        at->record = g;
        if (groups[g].first_node != next || groups[g].node_count == 0 ||
            groups[g].node_count > node_count - next)
            return rp_plan_damaged(at, "nodes %u + %u do not follow the group before, or exceed %u",
                                   groups[g].first_node, groups[g].node_count, node_count);
        at->section = RP_SECTION_NODES;
        for (uint32_t end = next + groups[g].node_count; next < end; next++) {
            at->record = next;
            if (nodes[next].group != g)
                return rp_plan_damaged(at, "its group is %u, it stands in group %u",
                                       nodes[next].group, g);
        }
    }
    at->section = RP_SECTION_GROUPS;
    at->record = UINT32_MAX;
    if (next != node_count)
        return rp_plan_damaged(at, "%u of %u nodes stand in no group", node_count - next,
                               node_count);
    return RP_OK;
}

/* Every owned record has an owner. */
static rp_status check_leftovers(rp_plan_validation *check) {
    static const rp_section owned[] = {
        RP_SECTION_DIMS,    RP_SECTION_PARAMS, RP_SECTION_SPECS,       RP_SECTION_WORDS,
        RP_SECTION_USES,    RP_SECTION_BYTES,  RP_SECTION_EXPRS,       RP_SECTION_EXPR_OPS,
        RP_SECTION_FOLLOWS, RP_SECTION_LABELS, RP_SECTION_SAMPLER_REFS};
    check->record = UINT32_MAX;
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
        check->section = owned[i];
        uint32_t count = rp_plan_count(check->plan, owned[i]);
        if (check->taken[owned[i]] != count)
            return rp_plan_damaged(check, "%u of %u records belong to nothing",
                                   count - check->taken[owned[i]], count);
    }
    return RP_OK;
}

rp_status rp_plan_check_nodes(rp_plan_validation *check) {
    checker c = {.at = check,
                 .plan = check->plan,
                 .buffers = rp_plan_records(check->plan, RP_SECTION_BUFFERS),
                 .kernels = rp_plan_records(check->plan, RP_SECTION_KERNELS),
                 .params = rp_plan_records(check->plan, RP_SECTION_PARAMS),
                 .uses = rp_plan_records(check->plan, RP_SECTION_USES),
                 .samplers = rp_plan_records(check->plan, RP_SECTION_SAMPLER_REFS)};
    const rp_plan_graph *graph = rp_plan_records(check->plan, RP_SECTION_GRAPH);
    const rp_plan_node *nodes = rp_plan_records(check->plan, RP_SECTION_NODES);
    uint32_t dispatches = 0;
    check->section = RP_SECTION_NODES;
    for (uint32_t i = 0; i < rp_plan_count(check->plan, RP_SECTION_NODES); i++) {
        check->record = i;
        RP_TRY(check_node(&c, &nodes[i]));
        dispatches += nodes[i].kind == RP_RUN;
    }
    RP_TRY(check_addresses(&c));
    RP_TRY(check_addressing(&c));
    check->section = RP_SECTION_NODES;
    check->record = UINT32_MAX;
    if (dispatches != graph->dispatch_count)
        return rp_plan_damaged(check, "there are %u dispatches, the graph states %u", dispatches,
                               graph->dispatch_count);
    RP_TRY(check_groups(check));
    return check_leftovers(check);
}
