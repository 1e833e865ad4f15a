/* Images and arrays of bindings in recorders: the calls, and what is played of them.
 *
 * A part of an image is kept as it was given. When calls are played it becomes mips and layers of a
 * shape that is known by then, and with the dispatch the ranges of packed bytes that everybody behind
 * knows: one use, or for some layers of several mips one for each mip. What fits to what (views,
 * formats, extents) is the verifier's to say, whose messages name the call as well. */
#include "recorder/player.h"

#include "base/descriptor.h"

/* ---- Recording ------------------------------------------------------------------------------- */

void rp_bind_element(rp_recorder *r, uint32_t set, uint32_t binding, uint32_t element,
                     rp_range range) {
    if (!rp_recorder_is_open(r)) return;
    const rp_call call = {.kind = RP_CALL_BIND_ELEMENT, .x = element, .y = set, .z = binding};
    rp_recorder_append(r, call, &range, 1, NULL, 0);
}

void rp_bind_texels(rp_recorder *r, uint32_t set, uint32_t binding, uint32_t element,
                    rp_range range, rp_image_format format) {
    if (!rp_recorder_is_open(r)) return;
    const rp_call call = {
        .kind = RP_CALL_BIND_TEXELS, .x = element, .y = set, .z = binding, .w = (uint32_t)format};
    rp_recorder_append(r, call, &range, 1, NULL, 0);
}

void rp_bind_image(rp_recorder *r, uint32_t set, uint32_t binding, uint32_t element,
                   rp_image_part part) {
    if (!rp_recorder_is_open(r)) return;
    const rp_call call = {.kind = RP_CALL_BIND_IMAGE, .x = element, .y = set, .z = binding};
    rp_recorder_append(r, call, NULL, 0, &part, sizeof part);
}

void rp_bind_combined(rp_recorder *r, uint32_t set, uint32_t binding, uint32_t element,
                      rp_image_part part, rp_sampler sampler) {
    if (!rp_recorder_is_open(r)) return;
    const rp_call call = {
        .kind = RP_CALL_BIND_COMBINED, .x = element, .y = set, .z = binding, .w = sampler.id};
    rp_recorder_append(r, call, NULL, 0, &part, sizeof part);
}

void rp_bind_sampler(rp_recorder *r, uint32_t set, uint32_t binding, uint32_t element,
                     rp_sampler sampler) {
    if (!rp_recorder_is_open(r)) return;
    const rp_call call = {
        .kind = RP_CALL_BIND_SAMPLER, .x = element, .y = set, .z = binding, .w = sampler.id};
    rp_recorder_append(r, call, NULL, 0, NULL, 0);
}

/* Two parts, or one and a range. */
static void append_transfer(rp_recorder *r, rp_call call, const rp_image_part *parts,
                            uint32_t part_count, const rp_range *range) {
    rp_recorder_append(r, call, range, range != NULL, parts, part_count * (uint32_t)sizeof *parts);
}

void rp_copy_image(rp_recorder *r, rp_image_part source, rp_image_part destination) {
    const rp_image_part parts[2] = {source, destination};
    if (rp_recorder_is_open(r))
        append_transfer(r, (rp_call){.kind = RP_CALL_COPY_IMAGE}, parts, 2, NULL);
}

void rp_copy_to_image(rp_recorder *r, rp_range source, rp_image_part destination) {
    if (rp_recorder_is_open(r))
        append_transfer(r, (rp_call){.kind = RP_CALL_COPY_TO_IMAGE}, &destination, 1, &source);
}

void rp_copy_from_image(rp_recorder *r, rp_image_part source, rp_range destination) {
    if (rp_recorder_is_open(r))
        append_transfer(r, (rp_call){.kind = RP_CALL_COPY_FROM_IMAGE}, &source, 1, &destination);
}

void rp_blit(rp_recorder *r, rp_image_part source, rp_image_part destination, rp_filter filter) {
    const rp_image_part parts[2] = {source, destination};
    if (rp_recorder_is_open(r))
        append_transfer(r, (rp_call){.kind = RP_CALL_BLIT, .x = (uint32_t)filter}, parts, 2, NULL);
}

void rp_make_mips(rp_recorder *r, rp_image_part part, rp_filter filter) {
    const rp_call call = {.kind = RP_CALL_MAKE_MIPS, .x = (uint32_t)filter};
    if (rp_recorder_is_open(r)) append_transfer(r, call, &part, 1, NULL);
}

void rp_clear(rp_recorder *r, rp_image_part destination, rp_texel_value value) {
    uint8_t bytes[sizeof destination + sizeof value];
    if (!rp_recorder_is_open(r)) return;
    memcpy(bytes, &destination, sizeof destination);
    memcpy(bytes + sizeof destination, &value, sizeof value);
    rp_recorder_append(r, (rp_call){.kind = RP_CALL_CLEAR}, NULL, 0, bytes, sizeof bytes);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* The part number `index` of a call. `one_mip`: there can be no more. */
static bool find_part(rp_player *p, const rp_call *c, uint32_t index, bool one_mip,
                      uint32_t *out_image, rp_subresources *out) {
    rp_image_part given;
    const char *why;
    rp_call_kind kind = (rp_call_kind)c->kind;
    *out_image = 0;
    *out = (rp_subresources){0};
    memcpy(&given, p->bytes + c->first_byte + index * sizeof given, sizeof given);
    uint32_t image = rp_handle_index(p->program, given.image.id, p->g->buffers_count, &why);
    if (image == RP_NONE) return rp_play_mistake(p, kind, "image: %s", why);
    const rp_graph_buffer *b = &p->g->buffers[image];
    *out_image = image;
    const rp_subresources said = {given.first_mip, given.mips, given.first_layer, given.layers};
    why = rp_image_find_part(&b->image, &said, one_mip, out);
    if (!why) return true;
    return rp_play_mistake(p, kind, "mips %u+%u, layers %u+%u of '%s', which has %u and %u: %s",
                           given.first_mip, given.mips, given.first_layer, given.layers,
                           rp_graph_string(p->g, b->name), b->image.mips, b->image.layers, why);
}

/* ---- Binding --------------------------------------------------------------------------------- */

/* The call that binds what a binding is. */
static const char *binder_of(rp_resource resource) {
    switch (resource) {
    case RP_RESOURCE_BUFFER: return "a buffer; expected rp_bind or rp_bind_element";
    case RP_RESOURCE_IMAGE: return "an image; expected rp_bind_image";
    case RP_RESOURCE_COMBINED: return "an image with its sampler; expected rp_bind_combined";
    case RP_RESOURCE_SAMPLER: return "a sampler; expected rp_bind_sampler";
    case RP_RESOURCE_TEXELS: return "a texel buffer; expected rp_bind_texels";
    case RP_RESOURCE_STALL: break; /* no module says so of itself */
    }
    return "";
}

/* Whether a call binds what a binding is. */
static bool binds(rp_call_kind kind, rp_resource resource) {
    switch (resource) {
    case RP_RESOURCE_BUFFER:
        return kind == RP_CALL_BIND || kind == RP_CALL_BIND_IN_SET || kind == RP_CALL_BIND_ELEMENT;
    case RP_RESOURCE_IMAGE: return kind == RP_CALL_BIND_IMAGE;
    case RP_RESOURCE_COMBINED: return kind == RP_CALL_BIND_COMBINED;
    case RP_RESOURCE_SAMPLER: return kind == RP_CALL_BIND_SAMPLER;
    case RP_RESOURCE_TEXELS: return kind == RP_CALL_BIND_TEXELS;
    case RP_RESOURCE_STALL: break;
    }
    return false;
}

/* The slot of the element that a call binds. What the code does not use takes anything. */
static rp_slot *find_element(rp_player *p, const rp_call *c, const rp_kernel_binding **out) {
    rp_call_kind kind = (rp_call_kind)c->kind;
    rp_slot *slots = rp_play_slots(p, c, out);
    uint32_t element = kind == RP_CALL_BIND || kind == RP_CALL_BIND_IN_SET ? 0 : c->x;
    if (!slots) return NULL;
    const rp_kernel_binding *b = *out;
    if (element >= rp_binding_elements(b)) {
        rp_play_mistake(
            p, kind, "binding %u in set %u ('%s') of kernel '%s' has no element %u; it has %u",
            b->binding, b->set, b->name, p->module->name, element, rp_binding_elements(b));
        return NULL;
    }
    if (!b->used || binds(kind, (rp_resource)b->resource)) return slots + element;
    rp_play_mistake(p, kind, "binding %u in set %u ('%s') of kernel '%s' is %s", b->binding, b->set,
                    b->name, p->module->name, binder_of((rp_resource)b->resource));
    return NULL;
}

bool rp_play_bind_element(rp_player *p, const rp_call *c) {
    const rp_kernel_binding *b;
    rp_slot *s = find_element(p, c, &b);
    rp_graph_use use;
    if (!s || !rp_play_range(p, c, &p->ranges[c->first_range], 0, &use)) return false;
    const char *name = rp_graph_string(p->g, p->g->buffers[use.buffer].name);
    rp_call_kind kind = (rp_call_kind)c->kind;
    if (b->used && use.size < b->min_size)
        return rp_play_mistake(p, kind,
                               "block '%s' of kernel '%s' needs at least %llu bytes; the range of "
                               "'%s' has %llu",
                               b->name, p->module->name, (unsigned long long)b->min_size, name,
                               (unsigned long long)use.size);
    if (b->used && rp_buffer_is_image(&p->g->buffers[use.buffer]))
        return rp_play_mistake(p, kind,
                               "binding '%s' of kernel '%s' takes a buffer; '%s' is an image",
                               b->name, p->module->name, name);
    uint32_t format = kind == RP_CALL_BIND_TEXELS && c->w ? c->w : b->format;
    if (b->used && kind == RP_CALL_BIND_TEXELS && !rp_image_format_name((rp_image_format)format))
        return rp_play_mistake(p, kind,
                               format ? "there is no format %u"
                                      : "the shader declares no format of its texels; give one",
                               format);
    s->bound = true;
    s->buffer = use.buffer;
    s->offset = use.offset;
    s->size = use.size;
    s->format = (uint8_t)format;
    return true;
}

static bool find_sampler(rp_player *p, const rp_call *c, uint32_t *out) {
    const char *why;
    *out = rp_handle_index(p->program, c->w, p->g->samplers_count, &why);
    return *out != RP_NONE || rp_play_mistake(p, (rp_call_kind)c->kind, "sampler: %s", why);
}

bool rp_play_bind_image(rp_player *p, const rp_call *c) {
    const rp_kernel_binding *b;
    rp_slot *s = find_element(p, c, &b);
    uint32_t image, sampler = 0;
    rp_subresources part;
    if (!s || !find_part(p, c, 0, b->used && b->access != RP_SAMPLED, &image, &part) ||
        (c->kind == RP_CALL_BIND_COMBINED && !find_sampler(p, c, &sampler)))
        return false;
    s->bound = true;
    s->buffer = image;
    s->part = part;
    s->sampler = sampler;
    return true;
}

bool rp_play_bind_sampler(rp_player *p, const rp_call *c) {
    const rp_kernel_binding *b;
    rp_slot *s = find_element(p, c, &b);
    if (!s || !find_sampler(p, c, &s->sampler)) return false;
    s->bound = true;
    return true;
}

/* ---- Uses of a dispatch ---------------------------------------------------------------------- */

/* Appends what is bound to one descriptor. */
static bool add_descriptor(rp_player *p, const rp_kernel_binding *b, const rp_slot *s,
                           uint8_t access, uint8_t step, rp_graph_node *node) {
    bool image = b->resource == RP_RESOURCE_IMAGE || b->resource == RP_RESOURCE_COMBINED;
    if (b->resource == RP_RESOURCE_COMBINED || b->resource == RP_RESOURCE_SAMPLER) {
        rp_graph *g = p->g;
        if (!RP_RESERVE(&g->allocator, g->sampler_refs, g->sampler_refs_count,
                        g->sampler_refs_capacity, 1))
            return rp_play_no_memory(p);
        g->sampler_refs[g->sampler_refs_count++] = s->sampler;
        node->sampler_count++;
    }
    if (b->resource == RP_RESOURCE_SAMPLER) return true;
    const rp_image_shape *shape = &p->g->buffers[s->buffer].image;
    uint32_t pieces = image ? rp_image_pieces(shape, &s->part) : 1;
    /* Behind: a grid, and a block of push data that follows live values. */
    if (!RP_RESERVE(p->a, p->uses, p->uses_count, p->uses_capacity, node->use_count + pieces + 2))
        return rp_play_no_memory(p);
    for (uint32_t i = 0; i < pieces; i++) {
        rp_graph_use *use = &p->uses[node->use_count++];
        *use = (rp_graph_use){.buffer = s->buffer,
                              .access = access,
                              .offset = s->offset,
                              .size = s->size,
                              .step = i ? RP_USE_PIECE : step,
                              .format = b->resource == RP_RESOURCE_TEXELS ? s->format : 0};
        if (image) rp_image_piece(shape, &s->part, i, &use->offset, &use->size);
    }
    return true;
}

/* How many elements of a binding are bound, from the first on; none after a mistake. */
static uint32_t count_bound(rp_player *p, rp_call_kind kind, const rp_kernel_binding *b,
                            const rp_slot *slots) {
    uint32_t count = rp_binding_elements(b), bound = 0, more;
    while (bound < count && slots[bound].bound) bound++;
    for (more = bound; more < count && !slots[more].bound;) more++;
    if (bound == 0)
        rp_play_mistake(p, kind, "binding %u in set %u ('%s') of kernel '%s' is not bound",
                        b->binding, b->set, b->name, p->module->name);
    else if (more < count)
        rp_play_mistake(
            p, kind,
            "element %u of binding %u in set %u ('%s') of kernel '%s' is not bound, but "
            "element %u is: elements are bound from 0 on",
            bound, b->binding, b->set, b->name, p->module->name, more);
    else if (b->resource == RP_RESOURCE_SAMPLER && bound < count)
        rp_play_mistake(p, kind,
                        "element %u of binding %u in set %u ('%s') of kernel '%s' is not bound; "
                        "expected all %u samplers",
                        bound, b->binding, b->set, b->name, p->module->name, count);
    return p->failed ? 0 : bound;
}

bool rp_play_bound(rp_player *p, rp_call_kind kind, rp_graph_node *node) {
    const rp_slot *slots = p->slots;
    if (!RP_RESERVE(p->a, p->uses, p->uses_count, p->uses_capacity, 2)) return rp_play_no_memory(p);
    node->first_sampler = p->g->sampler_refs_count;
    for (uint32_t i = 0; i < p->module->binding_count; i++) {
        const rp_kernel_binding *b = &p->module->bindings[i];
        uint32_t bound = b->used ? count_bound(p, kind, b, slots) : 0;
        if (p->failed) return false;
        for (uint32_t e = 0; e < bound; e++)
            if (!add_descriptor(p, b, &slots[e], slots->access, e ? RP_USE_ELEMENT : RP_USE_PARAM,
                                node))
                return false;
        slots += rp_binding_elements(b);
    }
    return true;
}

/* ---- Transfers ------------------------------------------------------------------------------- */

/* A side that is a part: one range of packed bytes. */
static bool find_side(rp_player *p, const rp_call *c, uint32_t index, rp_access access,
                      rp_graph_use *out) {
    rp_subresources part;
    *out = (rp_graph_use){.access = (uint8_t)access};
    if (!find_part(p, c, index, c->kind == RP_CALL_BLIT, &out->buffer, &part)) return false;
    const rp_image_shape *shape = &p->g->buffers[out->buffer].image;
    if (rp_image_pieces(shape, &part) > 1)
        return rp_play_mistake(
            p, (rp_call_kind)c->kind,
            "layers %u+%u of %u of several mips of '%s'; expected one mip, or all "
            "layers of some",
            part.first_layer, part.layers, shape->layers,
            rp_graph_string(p->g, p->g->buffers[out->buffer].name));
    rp_image_piece(shape, &part, 0, &out->offset, &out->size);
    return true;
}

static bool play_copy_image(rp_player *p, const rp_call *c, rp_node_kind kind) {
    rp_graph_node node = {
        .kind = (uint8_t)kind, .kernel = RP_NONE, .pattern = c->x, .use_count = 2};
    rp_graph_use uses[2];
    return find_side(p, c, 0, RP_READ, &uses[0]) && find_side(p, c, 1, RP_WRITE, &uses[1]) &&
           rp_play_node(p, &node, uses, NULL);
}

/* Between a buffer and an image. */
static bool play_copy_bytes(rp_player *p, const rp_call *c, bool to_image) {
    rp_graph_node node = {.kind = RP_COPY, .kernel = RP_NONE, .use_count = 2};
    rp_graph_use uses[2], *image = &uses[to_image], *buffer = &uses[!to_image];
    if (!find_side(p, c, 0, to_image ? RP_WRITE : RP_READ, image) ||
        !rp_play_range(p, c, &p->ranges[c->first_range], image->size, buffer))
        return false;
    if (buffer->size != image->size)
        return rp_play_mistake(p, (rp_call_kind)c->kind,
                               "the part of the image has %llu bytes, the range %llu; expected the "
                               "same",
                               (unsigned long long)image->size, (unsigned long long)buffer->size);
    buffer->access = to_image ? RP_READ : RP_WRITE;
    return rp_play_node(p, &node, uses, NULL);
}

static bool play_make_mips(rp_player *p, const rp_call *c) {
    rp_subresources part;
    uint32_t image;
    if (!find_part(p, c, 0, false, &image, &part)) return false;
    const rp_image_shape shape = p->g->buffers[image].image;
    if (part.mips < 2)
        return rp_play_mistake(p, RP_CALL_MAKE_MIPS,
                               "mip %u of '%s' has none behind it that could be made",
                               part.first_mip, rp_graph_string(p->g, p->g->buffers[image].name));
    for (uint32_t mip = 1; mip < part.mips; mip++) {
        rp_graph_node node = {.kind = RP_BLIT, .kernel = RP_NONE, .pattern = c->x, .use_count = 2};
        rp_graph_use uses[2] = {{.buffer = image, .access = RP_READ},
                                {.buffer = image, .access = RP_WRITE}};
        for (uint32_t i = 0; i < 2; i++)
            (void)rp_image_range(&shape, part.first_mip + mip - 1 + i, 1, part.first_layer,
                                 part.layers, &uses[i].offset, &uses[i].size);
        if (!rp_play_node(p, &node, uses, NULL)) return false;
    }
    return true;
}

static bool play_clear(rp_player *p, const rp_call *c) {
    rp_graph_node node = {
        .kind = RP_CLEAR, .kernel = RP_NONE, .use_count = 1, .byte_count = sizeof(rp_texel_value)};
    rp_graph_use use;
    return find_side(p, c, 0, RP_WRITE, &use) &&
           rp_play_node(p, &node, &use, p->bytes + c->first_byte + sizeof(rp_image_part));
}

bool rp_play_image_transfer(rp_player *p, const rp_call *c) {
    rp_call_kind kind = (rp_call_kind)c->kind;
    if (kind == RP_CALL_MAKE_MIPS) return play_make_mips(p, c);
    if (kind == RP_CALL_CLEAR) return play_clear(p, c);
    if (kind == RP_CALL_COPY_TO_IMAGE || kind == RP_CALL_COPY_FROM_IMAGE)
        return play_copy_bytes(p, c, kind == RP_CALL_COPY_TO_IMAGE);
    return play_copy_image(p, c, kind == RP_CALL_BLIT ? RP_BLIT : RP_COPY);
}
