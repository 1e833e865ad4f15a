/* Direct mode: each call of a recorder becomes one of an encoder.
 *
 * What is left to do here is what an encoder does not know: handles of a program, and bindings by set
 * and number, of which those that a kernel's code does not use are passed over. Everything else about
 * a call is judged by the encoder; its messages are followed by the number of the call. The program's
 * lists are taken as they are when direct mode is created: its buffers and the modules of its kernels
 * never change, and others may be added meanwhile. */
#include "recorder/direct.h"

#include <stdio.h>
#include "base/image.h"

/* ---- Mistakes -------------------------------------------------------------------------------- */

void rp_direct_refuse(rp_direct *d, rp_call_kind kind, rp_status status, const char *what) {
    char text[400];
    snprintf(text, sizeof text, "call %u (%s)%s%s", d->call, rp_call_name(kind), what ? ": " : "",
             what ? what : " was refused");
    rp_encoder_fail(d->encoder, status, text);
    d->recorder.closed = true;
}

static inline void check(rp_direct *d, rp_call_kind kind, rp_status status) {
    if (status != RP_OK) rp_direct_refuse(d, kind, status, NULL);
}

static const char *const handle_names[] = {"buffer", "kernel", "sampler"};

const char *rp_direct_why_unknown(rp_direct *d, rp_direct_handle kind, uint32_t handle,
                                  uint32_t count) {
    const char *why, *late;
    rp_program *program = d->program;
    pthread_mutex_lock(&program->mutex);
    uint32_t now = kind == RP_DIRECT_BUFFER   ? program->base->buffers_count
                   : kind == RP_DIRECT_KERNEL ? program->modules_count
                                              : program->base->samplers_count;
    pthread_mutex_unlock(&program->mutex);
    (void)rp_handle_index(program, handle, count, &why);
    return rp_handle_index(program, handle, now, &late) == RP_NONE
               ? why
               : "it was made after the rp_direct, which has what the program had by then";
}

static void refuse_handle(rp_direct *d, rp_call_kind kind, rp_direct_handle of, uint32_t handle,
                          uint32_t count) {
    char text[200];
    snprintf(text, sizeof text, "%s: %s", handle_names[of],
             rp_direct_why_unknown(d, of, handle, count));
    rp_direct_refuse(d, kind, RP_ERROR_INVALID, text);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* A range as the encoder wants it; `implied` is the size that 0 stands for. */
static bool take_range(rp_direct *d, rp_call_kind kind, const rp_range *range, uint64_t implied,
                       rp_encoder_range *out) {
    uint32_t index = rp_handle_quick(d->program, range->buffer.id);
    *out = (rp_encoder_range){index, range->offset, range->size ? range->size : implied};
    if (index < d->graph->buffers_count) return true;
    refuse_handle(d, kind, RP_DIRECT_BUFFER, range->buffer.id, d->graph->buffers_count);
    return false;
}

/* The same of a part of an image; `bytes` are those of a call, of which it is number `index`. */
static bool take_part(rp_direct *d, rp_call_kind kind, const void *bytes, uint32_t index,
                      rp_encoder_part *out) {
    rp_image_part part;
    memcpy(&part, (const char *)bytes + index * sizeof part, sizeof part);
    uint32_t image = rp_handle_quick(d->program, part.image.id);
    *out = (rp_encoder_part){image, part.first_mip, part.mips, part.first_layer, part.layers};
    if (image < d->graph->buffers_count) return true;
    refuse_handle(d, kind, RP_DIRECT_BUFFER, part.image.id, d->graph->buffers_count);
    return false;
}

static bool take_sampler(rp_direct *d, rp_call_kind kind, uint32_t handle, uint32_t *out) {
    *out = rp_handle_quick(d->program, handle);
    if (*out < d->graph->samplers_count) return true;
    refuse_handle(d, kind, RP_DIRECT_SAMPLER, handle, d->graph->samplers_count);
    return false;
}

static void set_kernel(rp_recorder *r, uint32_t handle) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    uint32_t index = rp_handle_quick(d->program, handle);
    if (index >= d->kernel_count) {
        refuse_handle(d, RP_CALL_BIND_KERNEL, RP_DIRECT_KERNEL, handle, d->kernel_count);
        return;
    }
    d->current = &d->kernels[index];
    check(d, RP_CALL_BIND_KERNEL, rp_encoder_set_kernel(d->encoder, index));
    for (uint64_t left = d->current->padding; left; left &= left - 1) {
        uint32_t word = (uint32_t)__builtin_ctzll(left);
        check(d, RP_CALL_BIND_KERNEL,
              rp_encoder_push(d->encoder, 4 * word, &(uint32_t){0}, sizeof word));
    }
}

/* Most kernels number their bindings from 0. */
static inline const rp_direct_slot *find_slot(const rp_direct_kernel *k, uint32_t set,
                                              uint32_t binding) {
    if (binding < k->slot_count && k->slots[binding].binding == binding &&
        k->slots[binding].set == set)
        return &k->slots[binding];
    for (uint32_t i = 0; i < k->slot_count; i++)
        if (k->slots[i].set == set && k->slots[i].binding == binding) return &k->slots[i];
    return NULL;
}

static void refuse_slot(rp_direct *d, rp_call_kind kind, uint32_t set, uint32_t binding) {
    char text[200];
    if (d->current)
        snprintf(text, sizeof text, "kernel '%.100s' has no binding %u in set %u", d->current->name,
                 binding, set);
    rp_direct_refuse(d, kind, RP_ERROR_INVALID,
                     d->current ? text : "no kernel is bound; call rp_bind_kernel first");
}

static inline const rp_direct_slot *slot_of(rp_direct *d, rp_call_kind kind, uint32_t set,
                                            uint32_t binding) {
    const rp_direct_slot *s = d->current ? find_slot(d->current, set, binding) : NULL;
    if (!s) refuse_slot(d, kind, set, binding);
    return s;
}

static void bind(rp_recorder *r, rp_call_kind kind, uint32_t set, uint32_t binding,
                 const rp_range *range) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    const rp_direct_slot *s = slot_of(d, kind, set, binding);
    uint32_t buffer = rp_handle_quick(d->program, range->buffer.id);
    if (!s) return;
    if (buffer >= d->graph->buffers_count)
        refuse_handle(d, kind, RP_DIRECT_BUFFER, range->buffer.id, d->graph->buffers_count);
    else if (s->param != RP_NONE)
        check(d, kind,
              rp_encoder_set_range(d->encoder, s->param, buffer, range->offset, range->size));
}

/* What binds an element of whatever kind. */
static void bind_element(rp_direct *d, const rp_call *call, const rp_range *range,
                         const void *bytes) {
    rp_call_kind kind = (rp_call_kind)call->kind;
    const rp_direct_slot *s = slot_of(d, kind, call->y, call->z);
    rp_encoder_range r = {0};
    rp_encoder_part part = {0};
    uint32_t sampler = 0;
    bool ranged = kind == RP_CALL_BIND_ELEMENT || kind == RP_CALL_BIND_TEXELS;
    bool sampled = kind == RP_CALL_BIND_COMBINED || kind == RP_CALL_BIND_SAMPLER;
    bool image = kind == RP_CALL_BIND_IMAGE || kind == RP_CALL_BIND_COMBINED;
    if (!s || (ranged && !take_range(d, kind, range, 0, &r)) ||
        (image && !take_part(d, kind, bytes, 0, &part)) ||
        (sampled && !take_sampler(d, kind, call->w, &sampler)) || s->param == RP_NONE)
        return;
    rp_status status = RP_OK;
    if (kind == RP_CALL_BIND_ELEMENT)
        status = rp_encoder_set_element(d->encoder, s->param, call->x, r.buffer, r.offset, r.size);
    else if (kind == RP_CALL_BIND_TEXELS)
        status = rp_encoder_set_texels(d->encoder, s->param, call->x, r.buffer, r.offset, r.size,
                                       (rp_image_format)call->w);
    else if (kind == RP_CALL_BIND_IMAGE)
        status = rp_encoder_set_image(d->encoder, s->param, call->x, &part);
    else if (kind == RP_CALL_BIND_COMBINED)
        status = rp_encoder_set_combined(d->encoder, s->param, call->x, &part, sampler);
    else
        status = rp_encoder_set_sampler(d->encoder, s->param, call->x, sampler);
    check(d, kind, status);
}

static void bind_access(rp_direct *d, const rp_call *call) {
    const rp_direct_slot *s = slot_of(d, RP_CALL_BIND_ACCESS, call->y, call->z);
    if (s && s->param != RP_NONE)
        check(d, RP_CALL_BIND_ACCESS,
              rp_encoder_set_access(d->encoder, s->param, (rp_access)call->x));
}

static void push(rp_recorder *r, uint32_t offset, const void *data, uint32_t size) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    /* What the code does not use may be pushed all the same. */
    const rp_direct_kernel *k = d->current;
    if (k && k->push_bytes == 0 && offset <= k->push_declared && size <= k->push_declared - offset)
        return;
    check(d, RP_CALL_PUSH, rp_encoder_push(d->encoder, offset, data, size));
}

static void dispatch(rp_recorder *r, uint32_t x, uint32_t y, uint32_t z) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    check(d, RP_CALL_DISPATCH, rp_encoder_dispatch(d->encoder, x, y, z));
}

static rp_status encode_copy(rp_direct *d, const rp_range *ranges) {
    rp_encoder_range from, to;
    if (!take_range(d, RP_CALL_COPY, &ranges[0], 0, &from) ||
        !take_range(d, RP_CALL_COPY, &ranges[1], 0, &to))
        return RP_OK; /* said already */
    return rp_encoder_copy(d->encoder, &from, &to);
}

static rp_status encode_update(rp_direct *d, const rp_range *range, const void *bytes,
                               uint32_t size) {
    rp_encoder_range to;
    if (!take_range(d, RP_CALL_UPDATE, range, size, &to)) return RP_OK;
    if (to.size == size) return rp_encoder_update(d->encoder, to.buffer, to.offset, bytes, size);
    rp_direct_refuse(d, RP_CALL_UPDATE, RP_ERROR_INVALID,
                     "the range has another size than the data");
    return RP_OK;
}

/* ---- Transfers of images --------------------------------------------------------------------- */

/* The range of packed bytes that a part is; false after a mistake. */
static bool find_range(rp_direct *d, rp_call_kind kind, const rp_encoder_part *part,
                       rp_encoder_range *out) {
    const rp_graph_buffer *b = &d->graph->buffers[part->buffer];
    const rp_subresources given = {part->first_mip, part->mips, part->first_layer, part->layers};
    rp_subresources found;
    char text[300];
    const char *wrong = rp_image_find_part(&b->image, &given, false, &found);
    if (!wrong && rp_image_pieces(&b->image, &found) > 1)
        wrong = "expected one mip, or all layers of some";
    *out = (rp_encoder_range){.buffer = part->buffer};
    if (!wrong) rp_image_piece(&b->image, &found, 0, &out->offset, &out->size);
    if (!wrong) return true;
    snprintf(text, sizeof text, "mips %u+%u, layers %u+%u of '%.60s', which has %u and %u: %s",
             part->first_mip, part->mips, part->first_layer, part->layers,
             rp_graph_string(d->graph, b->name), b->image.mips, b->image.layers, wrong);
    rp_direct_refuse(d, kind, RP_ERROR_INVALID, text);
    return false;
}

/* Between two images, or an image and a buffer; what is wrong is said already where it returns RP_OK. */
static rp_status encode_copy_image(rp_direct *d, rp_call_kind kind, const rp_range *range,
                                   const void *bytes) {
    rp_encoder_part first, second;
    rp_encoder_range a, b;
    if (!take_part(d, kind, bytes, 0, &first) || !find_range(d, kind, &first, &a)) return RP_OK;
    if (kind == RP_CALL_COPY_IMAGE) {
        if (!take_part(d, kind, bytes, 1, &second) || !find_range(d, kind, &second, &b))
            return RP_OK;
        return rp_encoder_copy(d->encoder, &a, &b);
    }
    if (!take_range(d, kind, range, a.size, &b)) return RP_OK;
    return kind == RP_CALL_COPY_TO_IMAGE ? rp_encoder_copy(d->encoder, &b, &a)
                                         : rp_encoder_copy(d->encoder, &a, &b);
}

static rp_status encode_blit(rp_direct *d, const void *bytes, rp_filter filter) {
    rp_encoder_part from, to;
    if (!take_part(d, RP_CALL_BLIT, bytes, 0, &from) || !take_part(d, RP_CALL_BLIT, bytes, 1, &to))
        return RP_OK;
    return rp_encoder_blit(d->encoder, &from, &to, filter);
}

static rp_status encode_mips(rp_direct *d, const void *bytes, rp_filter filter) {
    rp_encoder_part part;
    if (!take_part(d, RP_CALL_MAKE_MIPS, bytes, 0, &part)) return RP_OK;
    const rp_image_shape *shape = &d->graph->buffers[part.buffer].image;
    uint32_t mips = part.mips                      ? part.mips
                    : part.first_mip < shape->mips ? shape->mips - part.first_mip
                                                   : 0;
    if (shape->format && mips < 2) {
        rp_direct_refuse(d, RP_CALL_MAKE_MIPS, RP_ERROR_INVALID,
                         "the part has one mip, or none: there is nothing to make");
        return RP_OK;
    }
    rp_status status = RP_OK;
    for (uint32_t i = 1; status == RP_OK && i < (mips ? mips : 2); i++) {
        rp_encoder_part from = part, to = part;
        from.first_mip = part.first_mip + i - 1;
        to.first_mip = part.first_mip + i;
        from.mips = to.mips = 1;
        status = rp_encoder_blit(d->encoder, &from, &to, filter);
    }
    return status;
}

static rp_status encode_clear(rp_direct *d, const void *bytes) {
    rp_encoder_part to;
    if (!take_part(d, RP_CALL_CLEAR, bytes, 0, &to)) return RP_OK;
    return rp_encoder_clear(d->encoder, &to, (const char *)bytes + sizeof(rp_image_part));
}

static void take(rp_recorder *r, const rp_call *call, const rp_range *ranges, uint32_t range_count,
                 const void *bytes, uint32_t size) {
    rp_direct *d = (rp_direct *)r;
    rp_call_kind kind = (rp_call_kind)call->kind;
    rp_encoder_range range;
    (void)range_count;
    d->call++;
    switch (kind) {
    case RP_CALL_BIND_ACCESS: bind_access(d, call); return;
    case RP_CALL_DISPATCH_INDIRECT:
        if (take_range(d, kind, ranges, 0, &range))
            check(d, kind, rp_encoder_dispatch_indirect(d->encoder, &range));
        return;
    case RP_CALL_DISPATCH_LIVE:
        rp_direct_refuse(
            d, kind, RP_ERROR_INVALID,
            "direct mode has no live grids; give the grid with rp_dispatch, or in a buffer with "
            "rp_dispatch_indirect");
        return;
    case RP_CALL_PUSH_LIVE:
        rp_direct_refuse(d, kind, RP_ERROR_INVALID,
                         "direct mode has no live values; push the value itself with rp_push");
        return;
    case RP_CALL_PUSH_ADDRESS:
    case RP_CALL_USE_ADDRESS:
        rp_direct_refuse(
            d, kind, RP_ERROR_INVALID,
            "direct mode binds its buffers and has no addresses; record a graph for them");
        return;
    case RP_CALL_BIND_ELEMENT:
    case RP_CALL_BIND_TEXELS:
    case RP_CALL_BIND_IMAGE:
    case RP_CALL_BIND_COMBINED:
    case RP_CALL_BIND_SAMPLER: bind_element(d, call, ranges, bytes); return;
    case RP_CALL_COPY_IMAGE:
    case RP_CALL_COPY_TO_IMAGE:
    case RP_CALL_COPY_FROM_IMAGE: check(d, kind, encode_copy_image(d, kind, ranges, bytes)); return;
    case RP_CALL_BLIT: check(d, kind, encode_blit(d, bytes, (rp_filter)call->x)); return;
    case RP_CALL_MAKE_MIPS: check(d, kind, encode_mips(d, bytes, (rp_filter)call->x)); return;
    case RP_CALL_CLEAR: check(d, kind, encode_clear(d, bytes)); return;
    case RP_CALL_APPLY:
        rp_direct_refuse(d, kind, RP_ERROR_INVALID,
                         "direct mode runs kernels and compiles no ops; record a graph for them");
        return;
    case RP_CALL_COPY: check(d, kind, encode_copy(d, ranges)); return;
    case RP_CALL_FILL:
        if (take_range(d, kind, ranges, 0, &range))
            check(d, kind, rp_encoder_fill(d->encoder, &range, call->x));
        return;
    case RP_CALL_UPDATE: check(d, kind, encode_update(d, ranges, bytes, size)); return;
    case RP_CALL_FENCE: check(d, kind, rp_encoder_fence(d->encoder)); return;
    case RP_CALL_LABEL_BEGIN: check(d, kind, rp_encoder_label_begin(d->encoder, bytes)); return;
    case RP_CALL_LABEL_END: check(d, kind, rp_encoder_label_end(d->encoder)); return;
    case RP_CALL_BIND_KERNEL: /* these have functions of their own */
    case RP_CALL_BIND:
    case RP_CALL_BIND_IN_SET:
    case RP_CALL_PUSH:
    case RP_CALL_DISPATCH:
    case RP_CALL_OP_TAG:
        return; /* names a node of a graph */
    /* They say what may be left out of a replay: nothing here, but a pair all the same. */
    case RP_CALL_OPTIONAL_BEGIN: d->optional++; return;
    case RP_CALL_OPTIONAL_END:
        if (d->optional == 0)
            rp_direct_refuse(d, kind, RP_ERROR_INVALID,
                             "nothing is open; each rp_optional_end needs its rp_optional_begin");
        else
            d->optional--;
        return;
    }
}

static void fail(rp_recorder *r, rp_call_kind kind, const char *mistake) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    rp_direct_refuse(d, kind, mistake ? RP_ERROR_INVALID : RP_ERROR_NO_MEMORY,
                     mistake ? mistake : "out of memory");
}

const rp_recorder_sink rp_direct_sink = {set_kernel, bind, push, dispatch, take, fail};
