/* Encoders: what they are made of, where buffers lie, and the frame of an encoding.
 *
 * A VkBuffer is a space of the tracker, whatever storages and buffers lie in it, so that bytes with
 * two names are the same bytes; a VkImage is one, too, with its packed bytes. Spaces are numbered as they
 * are bound, and numbered anew before an encoding once there are many more of them than buffers. */
#include "direct/encoder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/checked.h"
#include "base/given.h"
#include "base/sized.h"
#include "device/images.h"

/* ---- Creating -------------------------------------------------------------------------------- */

static size_t length_of(const char *name) {
    return name ? strlen(name) + 1 : 0;
}

/* Copies the names of everything into one block. */
static bool copy_names(rp_encoder *e, const rp_encoder_params *p) {
    size_t size = 0;
    for (uint32_t i = 0; i < p->kernel_count; i++) size += length_of(p->kernels[i].name);
    for (uint32_t i = 0; i < p->buffer_count; i++) size += length_of(p->buffers[i].name);
    char *at = e->names = rp_alloc(&e->allocator, size, 1);
    if (!at) return false;
    for (uint32_t i = 0; i < p->kernel_count; i++) {
        e->kernels[i].name = at;
        memcpy(at, p->kernels[i].name, length_of(p->kernels[i].name));
        at += length_of(p->kernels[i].name);
    }
    for (uint32_t i = 0; i < p->buffer_count; i++) {
        size_t length = length_of(p->buffers[i].name);
        e->places[i].name = length ? at : "a buffer";
        if (length) memcpy(at, p->buffers[i].name, length);
        at += length;
    }
    return true;
}

/* The parameter at a binding. */
static uint32_t find_param(const rp_encoder_kernel *k, uint32_t set, uint32_t binding) {
    uint32_t i = 0;
    while (k->params[i].set != set || k->params[i].binding != binding) i++;
    return i;
}

/* The sets of a kernel, and which descriptors are in them; parameters are few. */
static bool add_kernel(rp_encoder *e, uint32_t index, const rp_encoder_kernel *k,
                       rp_encoder_param_info *params, uint16_t **set_uses,
                       rp_encoder_set **kernel_sets) {
    rp_encoder_pipeline *out = &e->kernels[index];
    out->layout = rp_prepared_layout(e->preparation, index);
    out->param_count = k->param_count;
    out->all_params = rp_low_bits(k->param_count);
    out->push_bytes = k->push_bytes;
    out->all_push = rp_low_bits(k->push_bytes / 4);
    out->params = params;
    out->sets = *kernel_sets;
    out->plain = true;
    for (uint32_t i = 0; i < e->pairs.count; i++) {
        if (e->pairs.items[i].kernel != index) continue;
        if (out->pair_count++ == 0) out->first_pair = i;
    }
    for (uint32_t i = 0; i < k->param_count; i++) {
        out->use_count += rp_param_descriptors(&params[i]);
        out->plain &= params[i].resource == RP_RESOURCE_BUFFER && params[i].elements == 0;
    }
    for (uint32_t set = 0; set < out->layout->set_count; set++) {
        const rp_set_layout *layout = out->layout->sets[set];
        if (layout->binding_count == 0) continue;
        rp_encoder_set *s = (*kernel_sets)++;
        *s = (rp_encoder_set){.set = set,
                              .family = rp_sets_family(&e->sets, layout),
                              .count = layout->descriptor_count,
                              .at = *set_uses};
        if (s->family == RP_UNSET) return false;
        for (uint32_t b = 0; b < layout->binding_count; b++) {
            uint32_t param = find_param(k, set, layout->bindings[b].binding);
            for (uint32_t i = 0; i < layout->bindings[b].descriptorCount; i++)
                *(*set_uses)++ = (uint16_t)(params[param].first + i);
        }
        out->set_count++;
    }
    return true;
}

static rp_status create_kernels(rp_encoder *e, const rp_encoder_params *p, rp_diags *diags) {
    RP_TRY(rp_encoder_prepare(e->device, p, e->params, diags, &e->preparation));
    rp_encoder_param_info *params = e->params;
    uint16_t *set_uses = e->set_uses;
    rp_encoder_set *sets = e->kernel_sets;
    for (uint32_t i = 0; i < p->kernel_count; i++) {
        if (!add_kernel(e, i, &p->kernels[i], params, &set_uses, &sets)) return RP_ERROR_NO_MEMORY;
        params += p->kernels[i].param_count;
    }
    return RP_OK;
}

/* Room for what kernels bind: all their descriptors in sets, and the most of one with a grid. */
static bool allocate_uses(rp_encoder *e, const rp_encoder_params *p) {
    const rp_encoder_param_info *info = e->params;
    uint32_t all = 0, most = 0;
    for (uint32_t i = 0; i < p->kernel_count; i++) {
        uint32_t count = 0;
        for (uint32_t j = 0; j < p->kernels[i].param_count; j++, info++)
            count += rp_param_descriptors(info);
        all += count;
        if (count > most) most = count;
    }
    e->set_uses = rp_alloc(&e->allocator, all, sizeof *e->set_uses);
    e->uses = rp_alloc_zero(&e->allocator, most + 1, sizeof *e->uses);
    return e->set_uses && e->uses;
}

static rp_status create_places(rp_encoder *e, const rp_encoder_params *p, rp_diags *diags) {
    for (uint32_t i = 0; i < p->buffer_count; i++) {
        const rp_encoder_buffer *b = &p->buffers[i];
        const char *wrong = b->image.format ? rp_image_wrong(&b->image) : NULL;
        uint64_t bytes = b->image.format && !wrong ? rp_image_bytes(&b->image) : b->bytes;
        if (b->image.format && !wrong && b->bytes && b->bytes != bytes)
            wrong = "its packed form has another number of bytes: leave it 0";
        if (wrong) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer %u: there is no such image: %s", i,
                         wrong);
            return RP_ERROR_INVALID;
        }
        if (bytes == 0 || bytes > RP_MAX_BUFFER_BYTES) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer %u: %llu bytes; expected 1 to %llu",
                         i, (unsigned long long)bytes, (unsigned long long)RP_MAX_BUFFER_BYTES);
            return RP_ERROR_INVALID;
        }
        e->places[i].size = bytes;
        e->places[i].shape = b->image;
        if (b->image.format)
            e->places[i].features = rp_format_features(e->device, b->image.format, false);
        e->places[i].read_only = b->read_only != 0;
        e->places[i].denied = b->read_only ? rp_scope_writes() : 0;
    }
    return RP_OK;
}

/* Samplers are there as long as the encoder. */
static rp_status create_samplers(rp_encoder *e, const rp_encoder_params *p, rp_diags *diags) {
    uint32_t lacking = 0;
    e->samplers = rp_alloc_zero(&e->allocator, p->sampler_count, sizeof *e->samplers);
    e->sampler_infos = rp_alloc(&e->allocator, p->sampler_count, sizeof *e->sampler_infos);
    if (!e->samplers || !e->sampler_infos) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < p->sampler_count; i++) {
        char name[24];
        const char *wrong = rp_sampler_wrong(&p->samplers[i]);
        snprintf(name, sizeof name, "%u", i);
        e->sampler_infos[i] = p->samplers[i];
        if (!wrong) {
            lacking += rp_sampler_check(e->device, name, &p->samplers[i], diags);
            continue;
        }
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "sampler %u: there is no such sampler: %s", i,
                     wrong);
        return RP_ERROR_INVALID;
    }
    if (lacking) return RP_ERROR_UNSUPPORTED;
    for (; e->sampler_count < p->sampler_count; e->sampler_count++)
        RP_TRY(rp_sampler_open(e->device, &p->samplers[e->sampler_count], diags,
                               &e->samplers[e->sampler_count]));
    return RP_OK;
}

static rp_status create(rp_encoder *e, const rp_encoder_params *p, rp_diags *diags) {
    const rp_allocator *a = &e->allocator;
    uint64_t params = 0;
    for (uint32_t i = 0; i < p->kernel_count; i++) params += p->kernels[i].param_count;
    e->params = rp_alloc_zero(a, params, sizeof *e->params);
    e->kernel_sets = rp_alloc(a, params, sizeof *e->kernel_sets);
    if (!e->params || !e->kernel_sets) return RP_ERROR_NO_MEMORY;
    RP_TRY(rp_encoder_check(e->device, p->kernels, p->kernel_count, diags, e->params, &e->pairs));
    e->kernels = rp_alloc_zero(a, p->kernel_count, sizeof *e->kernels);
    e->places = rp_alloc_zero(a, p->buffer_count, sizeof *e->places);
    if (!e->kernels || !e->places || !copy_names(e, p) || !allocate_uses(e, p))
        return RP_ERROR_NO_MEMORY;
    e->kernel_count = p->kernel_count;
    e->place_count = p->buffer_count;
    RP_TRY(create_places(e, p, diags));
    RP_TRY(create_samplers(e, p, diags));
    return create_kernels(e, p, diags);
}

static rp_status make(rp_device *device, const rp_encoder_params *params, rp_diags *diags,
                      rp_encoder **out_encoder) {
    rp_encoder *e = rp_alloc_zero(&device->allocator, 1, sizeof *e);
    if (!e) return RP_ERROR_NO_MEMORY;
    e->device = device;
    e->allocator = device->allocator;
    e->status = RP_ERROR_USAGE;
    rp_sets_init(&e->sets, device);
    memcpy(e->max_groups, device->adapter.properties.limits.maxComputeWorkGroupCount,
           sizeof e->max_groups);
    rp_device_retain(device, RP_OBJECT_ENCODER);
    rp_tracker_init(&e->tracker, &e->allocator, 0, rp_encoder_on_conflict, e);
    rp_status status = create(e, params, diags);
    if (status != RP_OK) {
        rp_encoder_destroy(e);
        return status;
    }
    *out_encoder = e;
    return RP_OK;
}

rp_status rp_encoder_create(rp_device *device, const rp_encoder_params *given, rp_diags *diags,
                            rp_encoder **out_encoder) {
    if (!out_encoder) return RP_ERROR_USAGE;
    *out_encoder = NULL;
    rp_encoder_params params;
    if (!device || !given) return RP_ERROR_USAGE;
    if (!rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_encoder_params");
    if (!rp_array_given(params.kernels, params.kernel_count, "rp_encoder_params.kernels", diags) ||
        !rp_array_given(params.buffers, params.buffer_count, "rp_encoder_params.buffers", diags) ||
        !rp_array_given(params.samplers, params.sampler_count, "rp_encoder_params.samplers", diags))
        return RP_ERROR_USAGE;
    const rp_allocator *a = &device->allocator;
    rp_encoder_kernel *kernels = rp_alloc(a, params.kernel_count, sizeof *kernels);
    rp_encoder_buffer *buffers = rp_alloc(a, params.buffer_count, sizeof *buffers);
    rp_wide_constant *constants = NULL;
    rp_status status = RP_ERROR_NO_MEMORY;
    if (!kernels || !buffers) {
        /* nothing was done */
    } else if (!rp_sized_take_all(params.kernels, params.kernel_count, kernels, sizeof *kernels)) {
        status = rp_sized_refuse(diags, "rp_encoder_kernel");
    } else if (!rp_sized_take_all(params.buffers, params.buffer_count, buffers, sizeof *buffers)) {
        status = rp_sized_refuse(diags, "rp_encoder_buffer");
    } else {
        params.kernels = kernels;
        params.buffers = buffers;
        status = rp_encoder_join_constants(a, kernels, params.kernel_count, &constants);
        if (status == RP_OK) status = make(device, &params, diags, out_encoder);
    }
    rp_release(a, constants);
    rp_release(a, kernels);
    rp_release(a, buffers);
    return status;
}

void rp_encoder_destroy(rp_encoder *e) {
    if (!e) return;
    rp_allocator a = e->allocator;
    rp_device *device = e->device;
    rp_encoder_forget_lent(e);
    for (uint32_t i = 0; i < e->place_count; i++) rp_storage_drop(e->places[i].storage);
    for (uint32_t i = 0; i < e->sampler_count; i++) rp_sampler_close(device, e->samplers[i]);
    rp_sets_free(&e->sets);
    rp_preparation_destroy(e->preparation);
    rp_tracker_free(&e->tracker);
    rp_table_free(&a, &e->space_of);
    rp_release(&a, e->spaces);
    rp_release(&a, e->lent);
    rp_release(&a, e->pieces);
    rp_release(&a, e->uses);
    rp_release(&a, e->samplers);
    rp_release(&a, e->sampler_infos);
    rp_release(&a, e->pairs.items);
    rp_release(&a, e->kernel_sets);
    rp_release(&a, e->set_uses);
    rp_release(&a, e->params);
    rp_release(&a, e->places);
    rp_release(&a, e->kernels);
    rp_release(&a, e->names);
    rp_release(&a, e);
    rp_device_release(device, RP_OBJECT_ENCODER);
}

/* ---- Where buffers lie ----------------------------------------------------------------------- */

static uint32_t key_of(VkBuffer buffer) {
    uint64_t bits = (uint64_t)buffer * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(bits >> 32);
}

/* The space of a VkBuffer; RP_UNSET without memory. */
static uint32_t space_of(rp_encoder *e, VkBuffer buffer) {
    uint32_t key = key_of(buffer);
    for (uint32_t at = 0, space; rp_table_next(&e->space_of, key, &at, &space);)
        if (e->spaces[space] == buffer) return space;
    if (!RP_RESERVE(&e->allocator, e->spaces, e->space_count, e->space_capacity, 1) ||
        !rp_tracker_spaces(&e->tracker, e->space_count + 1) ||
        !rp_table_add(&e->allocator, &e->space_of, key, e->space_count))
        return RP_UNSET;
    e->spaces[e->space_count] = buffer;
    return e->space_count++;
}

/* Forgets VkBuffers that are no longer bound; the tracker is empty. */
static bool renumber_spaces(rp_encoder *e) {
    e->renumber = true; /* again, if it fails half way */
    rp_table_free(&e->allocator, &e->space_of);
    e->space_count = 0;
    for (uint32_t i = 0; i < e->place_count; i++) {
        rp_encoder_place *p = &e->places[i];
        if (!p->storage) continue;
        p->space = space_of(e, p->handle);
        if (p->space == RP_UNSET) return false;
    }
    e->renumber = false;
    return true;
}

/* The ranges of a buffer that are set move with it; without a storage they are gone. */
static void move_ranges(rp_encoder *e, uint32_t buffer, uint64_t before) {
    const rp_encoder_place *p = &e->places[buffer];
    if (e->kernel && !e->kernel->plain) {
        rp_encoder_move_uses(e, buffer, before);
        return;
    }
    for (uint32_t i = 0; e->kernel && i < e->kernel->param_count; i++) {
        rp_encoder_use *u = &e->uses[i];
        if (e->unset >> i & 1 || u->buffer != buffer) continue;
        if (p->storage)
            (void)rp_encoder_set_range(e, i, buffer, u->lo - before, u->hi - u->lo);
        else
            e->unset |= UINT64_C(1) << i;
    }
}

/* Whether a buffer, or an image, can lie in a storage. */
static rp_status check_fit(const rp_encoder_place *p, const rp_storage *storage, uint64_t offset,
                           rp_diags *diags) {
    const char *wrong = NULL;
    if (p->shape.format && !storage->image)
        wrong = "it is an image, and the storage is a buffer";
    else if (!p->shape.format && storage->image)
        wrong = "it is a buffer, and the storage is an image";
    else if (p->shape.format && !rp_image_same(&p->shape, &storage->shape))
        wrong =
            "the storage is an image of another format, dimension, extent, or number of mips or "
            "layers";
    else if (rp_image_is_depth(p->shape.format) && !storage->device->adapter.info.queue_draws)
        wrong = "the device's queue only computes: depth is filled and copied in one that draws";
    if (wrong) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s cannot lie in %s: %s", p->name, storage->name,
                     wrong);
        return RP_ERROR_USAGE;
    }
    if (rp_range_inside(offset, p->size, storage->size)) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s has %llu bytes; at byte %llu of %s, which has %llu, they do not fit", p->name,
                 (unsigned long long)p->size, (unsigned long long)offset, storage->name,
                 (unsigned long long)storage->size);
    return RP_ERROR_USAGE;
}

rp_status rp_encoder_bind(rp_encoder *e, uint32_t buffer, rp_storage *storage, uint64_t offset,
                          rp_diags *diags) {
    if (!e) return RP_ERROR_USAGE;
    if (buffer >= e->place_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "there is no buffer %u: the encoder has %u",
                     buffer, e->place_count);
        return RP_ERROR_USAGE;
    }
    rp_encoder_place *p = &e->places[buffer];
    uint32_t space = 0;
    if (storage) {
        if (storage->device != e->device) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s lies on another device than the encoder",
                         storage->name);
            return RP_ERROR_USAGE;
        }
        RP_TRY(check_fit(p, storage, offset, diags));
        space = space_of(e, storage->handle);
        if (space == RP_UNSET) return RP_ERROR_NO_MEMORY;
        rp_storage_hold(storage);
    }
    rp_storage_drop(p->storage);
    uint64_t before = p->offset;
    p->storage = storage;
    p->reach = storage && !storage->image ? p->size : 0;
    p->denied = p->read_only ? rp_scope_writes() : 0;
    p->lent = false;
    if (storage && storage->image) {
        p->denied |= rp_encoder_denied(storage);
        p->lent =
            storage->before != VK_IMAGE_LAYOUT_GENERAL || storage->after != VK_IMAGE_LAYOUT_GENERAL;
    }
    p->handle = storage ? storage->handle : VK_NULL_HANDLE;
    p->serial = storage ? storage->serial : 0;
    p->offset = storage ? storage->offset + offset : 0;
    p->space = space;
    if (e->encoding) move_ranges(e, buffer, before);
    return RP_OK;
}

/* ---- The frame ------------------------------------------------------------------------------- */

enum { SPARE_SPACES = 64 };

rp_status rp_encoder_begin(rp_encoder *e, void *command_buffer,
                           const rp_encoder_begin_params *given, rp_diags *diags) {
    rp_encoder_begin_params params = {0};
    if (!e || !command_buffer) return RP_ERROR_USAGE;
    if (given && !rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_encoder_begin_params");
    if (e->encoding) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "it is encoding already: rp_encoder_end or rp_direct_end comes first");
        return RP_ERROR_BUSY;
    }
    rp_tracker_clear(&e->tracker);
    bool many = e->space_count > 2 * e->place_count + SPARE_SPACES;
    if ((many || e->renumber) && !renumber_spaces(e)) return RP_ERROR_NO_MEMORY;
    e->encoding = true;
    e->status = RP_OK;
    e->diags = diags;
    e->cover = (rp_cover){0};
    rp_bound_begin(&e->bound, &e->device->vk, command_buffer);
    e->step = e->open = e->labels = 0;
    e->fenced = false;
    e->kernel = NULL;
    e->push_end = 0;
    rp_encoder_forget_lent(e);
    e->incoming_stages = params.open_stages;
    e->incoming_access = params.open_access;
    e->unwaited = params.open_stages ? RP_SCOPE_ANY : 0;
    e->sets_before = e->sets.written;
    e->report = (rp_encoder_report){.number = ++e->number};
    return RP_OK;
}

static void vrefuse(rp_encoder *e, rp_status status, const char *format, va_list args) {
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    rp_diags_add(e->diags, e->status == RP_OK ? RP_ERROR : RP_NOTE, NULL, 0, 0, "%s", text);
    if (e->status == RP_OK) e->status = status;
}

rp_status rp_encoder_refuse(rp_encoder *e, rp_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vrefuse(e, status, format, args);
    va_end(args);
    return e->status;
}

void rp_encoder_fail(rp_encoder *e, rp_status status, const char *message) {
    if (!e || !e->encoding || status == RP_OK) return;
    if (message)
        (void)rp_encoder_refuse(e, status, "%s", message);
    else if (e->status == RP_OK)
        e->status = status;
}

/* What is open: what no barrier of the encoding has waited for. Whatever one has waited for is
 * ordered through the calls that it stood before, which are open themselves, or so in turn. */
static void report_open(const rp_encoder *e, rp_encoder_report *report) {
    VkMemoryBarrier2 open = {0};
    (void)rp_barrier_lower(rp_scope_normalise_src(e->open), RP_SCOPE_ANY, e->device->quirks, true,
                           &open);
    report->open_stages = open.srcStageMask;
    report->open_access = open.srcAccessMask;
    if (e->unwaited != RP_SCOPE_ANY) return; /* some call has waited */
    report->open_stages |= e->incoming_stages;
    report->open_access |= e->incoming_access;
}

rp_status rp_encoder_end(rp_encoder *e, rp_encoder_report *report) {
    if (report && !rp_sized_give(&(rp_encoder_report){0}, sizeof *report, report))
        return RP_ERROR_USAGE;
    if (!e || !e->encoding) return RP_ERROR_USAGE;
    if (e->labels && e->status == RP_OK)
        (void)rp_encoder_refuse(e, RP_ERROR_INVALID,
                                "%u label%s still open: each rp_encoder_label_begin needs its "
                                "rp_encoder_label_end",
                                e->labels, e->labels == 1 ? " is" : "s are");
    rp_status status = e->status;
    e->encoding = false;
    e->status = RP_ERROR_USAGE;
    e->diags = NULL;
    if (status == RP_OK) rp_encoder_give_back(e);
    rp_encoder_forget_lent(e);
    if (status != RP_OK) return status;
    e->report.sets_written = e->sets.written - e->sets_before;
    report_open(e, &e->report);
    if (report) (void)rp_sized_give(&e->report, sizeof e->report, report);
    return RP_OK;
}

void rp_encoder_done(rp_encoder *e, uint64_t number) {
    if (!e) return;
    uint64_t last = e->number - e->encoding; /* the GPU has not begun the one that is encoded */
    if (number > e->sets.done && number <= last) e->sets.done = number;
}
