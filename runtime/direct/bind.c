/* What a kernel binds beside single buffers: images, samplers, texels, and elements of arrays of all that.
 *
 * Each descriptor has one use, which says what it shows as a set is found by: a storage, bytes, and in
 * `seen` the rest. What the tracker is shown are ranges: most uses are one, some layers of several mips are
 * one for each mip, a sampler is none. They are listed when something was set since the dispatch before,
 * and kernels of single buffers, which come most often, have nothing to do with it. */
#include "direct/encoder.h"

#include <stdio.h>
#include "device/images.h"

typedef rp_encoder_use use;

void rp_encoder_clear_uses(rp_encoder *e) {
    const rp_encoder_pipeline *k = e->kernel;
    for (uint32_t i = 0; i < k->param_count; i++)
        for (uint32_t d = 0; d < rp_param_descriptors(&k->params[i]); d++)
            e->uses[k->params[i].first + d] =
                (use){.read = k->params[i].read, .write = k->params[i].write, .buffer = UINT32_MAX};
}

/* ---- Setting --------------------------------------------------------------------------------- */

/* "a storage image" as messages name parameters. */
static const char *resource_text(const rp_encoder_param_info *p) {
    bool sampled = p->access == RP_SAMPLED;
    switch ((rp_resource)p->resource) {
    case RP_RESOURCE_BUFFER:
        return p->access == RP_UNIFORM ? "a uniform buffer" : "a storage buffer";
    case RP_RESOURCE_IMAGE: return sampled ? "a sampled image" : "a storage image";
    case RP_RESOURCE_COMBINED: return "a sampled image with its sampler";
    case RP_RESOURCE_SAMPLER: return "a sampler";
    case RP_RESOURCE_TEXELS: return "a texel buffer";
    case RP_RESOURCE_STALL: break; /* no module says so of itself */
    }
    return "";
}

/* The use of an element of a parameter that is of such a kind; NULL after a message. */
static use *find_use(rp_encoder *e, uint32_t param, uint32_t element, rp_resource resource) {
    const rp_encoder_pipeline *k = e->kernel;
    if (!k || param >= k->param_count) {
        (void)rp_encoder_refuse_param(e, param);
        return NULL;
    }
    const rp_encoder_param_info *p = &k->params[param];
    if (p->resource != resource)
        (void)rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: parameter %u is %s", k->name, param,
                                resource_text(p));
    else if (element >= rp_param_descriptors(p))
        (void)rp_encoder_refuse(e, RP_ERROR_INVALID,
                                "%s: parameter %u has no element %u; it has %u", k->name, param,
                                element, rp_param_descriptors(p));
    else
        return &e->uses[p->first + element];
    return NULL;
}

/* Takes what was found for a use. */
static rp_status set_use(rp_encoder *e, uint32_t param, use *u, const use *found) {
    e->unset &= ~(UINT64_C(1) << param);
    u->space = found->space; /* it may be numbered anew since */
    if (u->lo == found->lo && u->hi == found->hi && u->serial == found->serial &&
        u->buffer == found->buffer && u->seen == found->seen)
        return RP_OK;
    u->lo = found->lo;
    u->hi = found->hi;
    u->serial = found->serial;
    u->buffer = found->buffer;
    u->seen = found->seen;
    e->changed = true;
    return RP_OK;
}

rp_status rp_encoder_set_element(rp_encoder *e, uint32_t param, uint32_t element, uint32_t buffer,
                                 uint64_t offset, uint64_t size) {
    if (!e) return RP_ERROR_USAGE;
    RP_TRY(e->status);
    use found = {0}, *u = find_use(e, param, element, RP_RESOURCE_BUFFER);
    const rp_encoder_range range = {buffer, offset, size};
    if (!u) return e->status;
    if (!rp_encoder_find(e, &range, RP_SCOPE_NONE, RP_SCOPE_NONE, &found))
        return rp_encoder_refuse_range(e, e->kernel->name, buffer, offset, size);
    if (found.hi - found.lo < e->kernel->params[param].min_size)
        return rp_encoder_refuse_size(e, param, &found);
    return set_use(e, param, u, &found);
}

static rp_seen_as seen_as(const rp_encoder_param_info *p) {
    return (rp_seen_as){p->view, p->format, p->texel, p->access == RP_SAMPLED};
}

rp_status rp_encoder_set_texels(rp_encoder *e, uint32_t param, uint32_t element, uint32_t buffer,
                                uint64_t offset, uint64_t size, rp_image_format format) {
    if (!e) return RP_ERROR_USAGE;
    RP_TRY(e->status);
    use found = {0}, *u = find_use(e, param, element, RP_RESOURCE_TEXELS);
    const rp_encoder_range range = {buffer, offset, size};
    if (!u) return e->status;
    if (!rp_encoder_find(e, &range, RP_SCOPE_NONE, RP_SCOPE_NONE, &found))
        return rp_encoder_refuse_range(e, e->kernel->name, buffer, offset, size);
    const rp_seen_as as = seen_as(&e->kernel->params[param]);
    if (format == RP_IMAGE_NONE) format = (rp_image_format)as.format;
    char why[RP_MISFIT_TEXT];
    if (rp_texels_misfit(&as, (uint32_t)format, found.lo, found.hi - found.lo, why))
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: parameter %u, %s: %s", e->kernel->name,
                                 param, e->places[buffer].name, why);
    found.seen = (uint64_t)format << RP_SEEN_FORMAT;
    return set_use(e, param, u, &found);
}

/* An image, with the sampler that `seen` already says. */
static rp_status set_image(rp_encoder *e, uint32_t param, use *u, const rp_encoder_part *part,
                           uint64_t seen) {
    const rp_seen_as as = seen_as(&e->kernel->params[param]);
    rp_subresources s;
    if (!rp_encoder_find_part(e, e->kernel->name, part, !as.sampled, &s)) return e->status;
    const rp_encoder_place *p = &e->places[part->buffer];
    char why[RP_MISFIT_TEXT];
    if (rp_image_misfit(&as, &p->shape, &s, why))
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: parameter %u, %s: %s", e->kernel->name,
                                 param, p->name, why);
    uint64_t offset, size, pieces = rp_image_pieces(&p->shape, &s);
    rp_image_piece(&p->shape, &s, 0, &offset, &size);
    const use found = {.serial = p->serial,
                       .lo = p->offset + offset,
                       .hi = p->offset + offset + size,
                       .seen = seen | pieces << RP_SEEN_MIPS,
                       .space = p->space,
                       .buffer = part->buffer};
    return set_use(e, param, u, &found);
}

rp_status rp_encoder_set_image(rp_encoder *e, uint32_t param, uint32_t element,
                               const rp_encoder_part *part) {
    if (!e) return RP_ERROR_USAGE;
    RP_TRY(e->status);
    use *u = find_use(e, param, element, RP_RESOURCE_IMAGE);
    return u ? set_image(e, param, u, part, 0) : e->status;
}

static bool has_sampler(rp_encoder *e, uint32_t sampler) {
    if (sampler < e->sampler_count) return true;
    (void)rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: there is no sampler %u; there are %u",
                            e->kernel->name, sampler, e->sampler_count);
    return false;
}

rp_status rp_encoder_set_combined(rp_encoder *e, uint32_t param, uint32_t element,
                                  const rp_encoder_part *part, uint32_t sampler) {
    if (!e) return RP_ERROR_USAGE;
    RP_TRY(e->status);
    use *u = find_use(e, param, element, RP_RESOURCE_COMBINED);
    if (!u || !has_sampler(e, sampler)) return e->status;
    return set_image(e, param, u, part, rp_seen_sampler(sampler));
}

rp_status rp_encoder_set_sampler(rp_encoder *e, uint32_t param, uint32_t element,
                                 uint32_t sampler) {
    if (!e) return RP_ERROR_USAGE;
    RP_TRY(e->status);
    use *u = find_use(e, param, element, RP_RESOURCE_SAMPLER);
    if (!u || !has_sampler(e, sampler)) return e->status;
    const use found = {
        .serial = RP_SAMPLER_SERIAL, .seen = rp_seen_sampler(sampler), .buffer = UINT32_MAX};
    return set_use(e, param, u, &found);
}

void rp_encoder_move_uses(rp_encoder *e, uint32_t buffer, uint64_t before) {
    const rp_encoder_place *p = &e->places[buffer];
    for (uint32_t i = 0; i < e->kernel->use_count; i++) {
        use *u = &e->uses[i];
        if (u->serial == 0 || u->buffer != buffer) continue;
        u->serial = p->storage ? p->serial : 0;
        u->space = p->space;
        u->lo += p->offset - before;
        u->hi += p->offset - before;
        e->changed = true;
    }
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

/* How many elements of a parameter are set, from the first on; 0 after a message. */
static uint32_t count_set(rp_encoder *e, uint32_t param) {
    const rp_encoder_param_info *p = &e->kernel->params[param];
    uint32_t count = rp_param_descriptors(p), set = 0, more;
    while (set < count && e->uses[p->first + set].serial) set++;
    for (more = set; more < count && !e->uses[p->first + more].serial;) more++;
    bool whole = p->resource == RP_RESOURCE_SAMPLER ||
                 !(e->device->adapter.features & RP_FEATURE_PARTIALLY_BOUND);
    if (set == count || (set && more == count && !whole)) return set;
    if (p->elements == 0)
        (void)rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: parameter %u has no range",
                                e->kernel->name, param);
    else
        (void)rp_encoder_refuse(
            e, RP_ERROR_INVALID, "%s: element %u of parameter %u is not set; expected %s",
            e->kernel->name, set, param, whole ? "all of them" : "the first ones without gaps");
    return 0;
}

static rp_status list_use(rp_encoder *e, const use *u) {
    if (u->serial == RP_SAMPLER_SERIAL) return RP_OK;
    const rp_encoder_place *p = &e->places[u->buffer];
    uint32_t pieces = (uint32_t)(u->seen >> RP_SEEN_MIPS);
    rp_subresources part = {0};
    if (pieces > 1) {
        part = rp_image_part_of(p->storage, u->lo - RP_IMAGE_ORIGIN, u->hi - u->lo);
        part.mips = pieces;
    }
    if (pieces == 0) pieces = 1;
    if (e->piece_count + pieces > RP_MAX_DESCRIPTORS)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: a dispatch uses at most %d ranges",
                                 e->kernel->name, RP_MAX_DESCRIPTORS);
    if (!RP_RESERVE(&e->allocator, e->pieces, e->piece_count, e->piece_capacity, pieces + 1))
        return e->status = RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < pieces; i++) {
        use *piece = &e->pieces[e->piece_count++];
        uint64_t offset, size;
        *piece = *u;
        if (pieces == 1) break;
        rp_image_piece(&p->shape, &part, i, &offset, &size);
        piece->lo = p->offset + offset;
        piece->hi = p->offset + offset + size;
    }
    return RP_OK;
}

/* Whether a format is for all that is wanted of it; else it is said. */
static rp_status check_format(rp_encoder *e, const use *u, bool texels, uint32_t format,
                              VkFormatFeatureFlags2 wanted) {
    char place[80];
    snprintf(place, sizeof place, "%.60s: ", e->kernel->name);
    const rp_format_asked asked = {.place = place,
                                   .name = e->places[u->buffer].name,
                                   .format = format,
                                   .texels = texels,
                                   .wanted = wanted};
    if (rp_format_check(e->device, &asked, e->diags)) e->status = RP_ERROR_UNSUPPORTED;
    return e->status;
}

/* Every image of one parameter may be read through every sampler of another: which elements meet, no
 * module says. */
static rp_status check_pair(rp_encoder *e, const rp_encoder_pair *pair) {
    const rp_encoder_param_info *images = &e->kernel->params[pair->image];
    const rp_encoder_param_info *samplers = &e->kernel->params[pair->sampler];
    for (uint32_t i = 0; i < rp_param_descriptors(images); i++) {
        const use *image = &e->uses[images->first + i];
        if (!image->serial) continue;
        const rp_encoder_place *p = &e->places[image->buffer];
        for (uint32_t s = 0; s < rp_param_descriptors(samplers); s++) {
            uint32_t sampler = (uint32_t)e->uses[samplers->first + s].seen - 1;
            VkFormatFeatureFlags2 wanted = rp_sampler_wants(&e->sampler_infos[sampler]);
            if (wanted & ~p->features)
                RP_TRY(check_format(e, image, false, p->shape.format, wanted));
        }
    }
    return RP_OK;
}

rp_status rp_encoder_list_pieces(rp_encoder *e) {
    e->piece_count = 0;
    if (!RP_RESERVE(&e->allocator, e->pieces, e->piece_count, e->piece_capacity, 1))
        return e->status = RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < e->kernel->param_count; i++) {
        uint32_t count = count_set(e, i);
        if (count == 0) return e->status;
        for (uint32_t d = 0; d < count; d++)
            RP_TRY(list_use(e, &e->uses[e->kernel->params[i].first + d]));
    }
    for (uint32_t i = 0; i < e->kernel->pair_count; i++)
        RP_TRY(check_pair(e, &e->pairs.items[e->kernel->first_pair + i]));
    return RP_OK;
}

rp_status rp_encoder_refuse_use(rp_encoder *e, const char *what, uint32_t buffer, uint32_t denied) {
    const rp_encoder_place *p = &e->places[buffer];
    if (p->read_only && denied & rp_scope_writes())
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: writes %s, which is read only", what,
                                 p->name);
    return rp_encoder_refuse(e, RP_ERROR_INVALID,
                             "%s: the storage of %s was created without a usage that this takes "
                             "(storage, sampled, transfer source or destination)",
                             what, p->name);
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

/* What descriptors ask of a range; asked of new sets alone, as a set that is there was fine. */
static rp_status check_buffer(rp_encoder *e, const use *u, bool uniform) {
    const VkPhysicalDeviceLimits *l = &e->device->adapter.properties.limits;
    uint64_t alignment =
        uniform ? l->minUniformBufferOffsetAlignment : l->minStorageBufferOffsetAlignment;
    uint64_t most = uniform ? l->maxUniformBufferRange : l->maxStorageBufferRange;
    const char *kind = uniform ? "uniform" : "storage", *name = e->places[u->buffer].name;
    if (alignment && u->lo % alignment)
        return rp_encoder_refuse(
            e, RP_ERROR_UNSUPPORTED,
            "%s: the range of %s begins at byte %llu of its VkBuffer; %s binds "
            "%s buffers at multiples of %llu",
            e->kernel->name, name, (unsigned long long)u->lo, e->device->adapter.info.name, kind,
            (unsigned long long)alignment);
    if (u->hi - u->lo > most)
        return rp_encoder_refuse(
            e, RP_ERROR_UNSUPPORTED,
            "%s: the range of %s has %llu bytes; %s binds %s buffers of at most "
            "%llu",
            e->kernel->name, name, (unsigned long long)(u->hi - u->lo),
            e->device->adapter.info.name, kind, (unsigned long long)most);
    return RP_OK;
}

static rp_status name_buffer(rp_encoder *e, const rp_encoder_param_info *p, const use *u,
                             rp_named *out) {
    RP_TRY(check_buffer(e, u, p->access == RP_UNIFORM));
    out->buffer = (VkDescriptorBufferInfo){e->places[u->buffer].handle, u->lo, u->hi - u->lo};
    return RP_OK;
}

static rp_status name_texels(rp_encoder *e, const rp_encoder_param_info *p, const use *u,
                             rp_named *out) {
    rp_storage *storage = e->places[u->buffer].storage;
    uint32_t format = (uint32_t)(u->seen >> RP_SEEN_FORMAT) & UINT8_MAX;
    char what[80];
    snprintf(what, sizeof what, "%.60s sees", e->kernel->name);
    const rp_texels_asked asked = {.what = what,
                                   .name = e->places[u->buffer].name,
                                   .format = format,
                                   .offset = u->lo,
                                   .size = u->hi - u->lo};
    bool sampled = p->access == RP_SAMPLED;
    VkFormatFeatureFlags2 wanted = VK_FORMAT_FEATURE_2_UNIFORM_TEXEL_BUFFER_BIT;
    if (!sampled)
        wanted = VK_FORMAT_FEATURE_2_STORAGE_TEXEL_BUFFER_BIT |
                 (p->format ? 0 : rp_undeclared_wants(p->reads, p->writes));
    VkFlags usage = sampled ? VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT
                            : VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT;
    if (!storage->imported && !(storage->usage & usage))
        return rp_encoder_refuse(e, RP_ERROR_INVALID,
                                 "%s: %s is seen as texels, and its storage was created without "
                                 "VK_BUFFER_USAGE_%s_TEXEL_BUFFER_BIT",
                                 e->kernel->name, asked.name, sampled ? "UNIFORM" : "STORAGE");
    RP_TRY(check_format(e, u, true, format, wanted));
    if (rp_texels_check(e->device, &asked, e->diags)) return e->status = RP_ERROR_UNSUPPORTED;
    const rp_view_key key = rp_view_key_texels(format, u->lo, u->hi - u->lo);
    rp_view_object *view;
    rp_status status = rp_view_keep(storage, &key, e->diags, &view);
    if (status != RP_OK) return e->status = status;
    out->texels = view->texels;
    return RP_OK;
}

/* Some of an image, whose format is for what is done to it. */
static rp_status name_image(rp_encoder *e, const rp_encoder_param_info *p, const use *u,
                            rp_named *out) {
    const rp_encoder_place *place = &e->places[u->buffer];
    uint32_t sampler = (uint32_t)u->seen - 1, pieces = (uint32_t)(u->seen >> RP_SEEN_MIPS);
    rp_subresources part = rp_image_part_of(place->storage, u->lo - RP_IMAGE_ORIGIN, u->hi - u->lo);
    if (pieces > 1) part.mips = pieces;
    VkFormatFeatureFlags2 wanted = VK_FORMAT_FEATURE_2_SAMPLED_IMAGE_BIT;
    if (p->access != RP_SAMPLED)
        wanted = VK_FORMAT_FEATURE_2_STORAGE_IMAGE_BIT |
                 (p->format ? 0 : rp_undeclared_wants(p->reads, p->writes));
    if (p->resource == RP_RESOURCE_COMBINED) {
        out->image.sampler = e->samplers[sampler]->handle;
        wanted |= rp_sampler_wants(&e->sampler_infos[sampler]);
    }
    if (wanted & ~place->features) RP_TRY(check_format(e, u, false, place->shape.format, wanted));
    const rp_view_key key = rp_view_key_image(place->storage, p->view, &part);
    rp_view_object *view;
    rp_status status = rp_view_keep(place->storage, &key, e->diags, &view);
    if (status != RP_OK) return e->status = status;
    out->image.imageView = view->image;
    out->image.imageLayout = VK_IMAGE_LAYOUT_GENERAL;
    return RP_OK;
}

static rp_status name(rp_encoder *e, const rp_encoder_param_info *p, const use *u, rp_named *out) {
    if (u->serial == 0) return RP_OK; /* an element that is not bound */
    switch ((rp_resource)p->resource) {
    case RP_RESOURCE_BUFFER: return name_buffer(e, p, u, out);
    case RP_RESOURCE_TEXELS: return name_texels(e, p, u, out);
    case RP_RESOURCE_IMAGE:
    case RP_RESOURCE_COMBINED: return name_image(e, p, u, out);
    case RP_RESOURCE_SAMPLER:
        out->image.sampler = e->samplers[(uint32_t)u->seen - 1]->handle;
        break;
    case RP_RESOURCE_STALL: break;
    }
    return RP_OK;
}

rp_status rp_encoder_make_set(rp_encoder *e, const rp_set_key *key, uint32_t *out) {
    rp_named named[RP_MAX_DESCRIPTORS];
    memset(named, 0, key->count * sizeof *named);
    const rp_encoder_param_info *p = e->kernel->params;
    for (uint32_t i = 0; i < key->count; i++) {
        uint32_t at = key->at[i];
        if (at < p->first) p = e->kernel->params;
        while (at >= p->first + rp_param_descriptors(p)) p++;
        RP_TRY(name(e, p, &e->uses[at], &named[i]));
    }
    rp_status status = rp_sets_make(&e->sets, key, named, e->number, e->diags, out);
    if (status != RP_OK) e->status = status;
    return status;
}
