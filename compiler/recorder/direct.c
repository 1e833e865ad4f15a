/* Direct mode: each call of a recorder becomes one of an encoder.
 *
 * What is left to do here is what an encoder does not know: handles of a program, and bindings by set
 * and number, of which those that a kernel's code does not use are passed over. Everything else about
 * a call is judged by the encoder; its messages are followed by the number of the call. The program's
 * lists are taken as they are when direct mode is created: its buffers and the modules of its kernels
 * never change, and others may be added meanwhile. */
#include "reprise/direct.h"

#include <stdio.h>
#include "base/sized.h"
#include "recorder/recorder.h"

/* A binding of a kernel. */
typedef struct slot {
    uint32_t set, binding;
    uint32_t param; /* of the encoder's kernel; RP_NONE: the code does not use it */
} slot;

typedef struct kernel {
    const char *name;
    const slot *slots;
    uint32_t slot_count;
    uint32_t push_declared, push_bytes; /* bytes of its block; what is pushed: as many, or none when
                                         * the code does not use it */
    uint64_t padding;                   /* words of it that belong to no member */
} kernel;

struct rp_direct {
    rp_recorder recorder; /* the first: a recorder of this sink is a rp_direct */
    rp_allocator allocator;
    rp_device *device;
    rp_program *program;
    rp_graph *graph; /* the program's buffers */
    kernel *kernels;
    uint32_t kernel_count;
    slot *slots; /* of all kernels */
    rp_encoder *encoder;
    bool *bound;           /* by buffer: to a storage */
    bool unbound;          /* some transient is not */
    const kernel *current; /* that is set; NULL */
    uint32_t call;         /* the number of the latest */
    uint32_t optional;     /* rp_optional_begin that are open */
};

/* ---- Mistakes -------------------------------------------------------------------------------- */

/* The encoder has said what is wrong, or hears it now; later calls are ignored. */
static void refuse(rp_direct *d, rp_call_kind kind, rp_status status, const char *what) {
    char text[400];
    snprintf(text, sizeof text, "call %u (%s)%s%s", d->call, rp_call_name(kind), what ? ": " : "",
             what ? what : " was refused");
    rp_encoder_fail(d->encoder, status, text);
    d->recorder.closed = true;
}

static inline void check(rp_direct *d, rp_call_kind kind, rp_status status) {
    if (status != RP_OK) refuse(d, kind, status, NULL);
}

/* What is wrong about a handle that is none of the first `count` of the program's buffers or kernels:
 * it may be one of those that were made since. */
static const char *why_unknown(rp_direct *d, bool buffer, uint32_t handle, uint32_t count) {
    const char *why, *late;
    rp_program *program = d->program;
    pthread_mutex_lock(&program->mutex);
    uint32_t now = buffer ? program->base->buffers_count : program->modules_count;
    pthread_mutex_unlock(&program->mutex);
    (void)rp_handle_index(program, handle, count, &why);
    return rp_handle_index(program, handle, now, &late) == RP_NONE
               ? why
               : "it was made after the rp_direct, which has what the program had by then";
}

static void refuse_handle(rp_direct *d, rp_call_kind kind, bool buffer, uint32_t handle,
                          uint32_t count) {
    char text[200];
    snprintf(text, sizeof text, "%s: %s", buffer ? "buffer" : "kernel",
             why_unknown(d, buffer, handle, count));
    refuse(d, kind, RP_ERROR_INVALID, text);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* A range as the encoder wants it; `implied` is the size that 0 stands for. */
static bool take_range(rp_direct *d, rp_call_kind kind, const rp_range *range, uint64_t implied,
                       rp_encoder_range *out) {
    uint32_t index = rp_handle_quick(d->program, range->buffer.id);
    *out = (rp_encoder_range){index, range->offset, range->size ? range->size : implied};
    if (index < d->graph->buffers_count) return true;
    refuse_handle(d, kind, true, range->buffer.id, d->graph->buffers_count);
    return false;
}

static void set_kernel(rp_recorder *r, uint32_t handle) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    uint32_t index = rp_handle_quick(d->program, handle);
    if (index >= d->kernel_count) {
        refuse_handle(d, RP_CALL_BIND_KERNEL, false, handle, d->kernel_count);
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
static inline const slot *find_slot(const kernel *k, uint32_t set, uint32_t binding) {
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
    refuse(d, kind, RP_ERROR_INVALID,
           d->current ? text : "no kernel is bound; call rp_bind_kernel first");
}

static inline const slot *slot_of(rp_direct *d, rp_call_kind kind, uint32_t set, uint32_t binding) {
    const slot *s = d->current ? find_slot(d->current, set, binding) : NULL;
    if (!s) refuse_slot(d, kind, set, binding);
    return s;
}

static void bind(rp_recorder *r, rp_call_kind kind, uint32_t set, uint32_t binding,
                 const rp_range *range) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    const slot *s = slot_of(d, kind, set, binding);
    uint32_t buffer = rp_handle_quick(d->program, range->buffer.id);
    if (!s) return;
    if (buffer >= d->graph->buffers_count)
        refuse_handle(d, kind, true, range->buffer.id, d->graph->buffers_count);
    else if (s->param != RP_NONE)
        check(d, kind,
              rp_encoder_set_range(d->encoder, s->param, buffer, range->offset, range->size));
}

static void bind_access(rp_direct *d, const rp_call *call) {
    const slot *s = slot_of(d, RP_CALL_BIND_ACCESS, call->y, call->z);
    if (s && s->param != RP_NONE)
        check(d, RP_CALL_BIND_ACCESS,
              rp_encoder_set_access(d->encoder, s->param, (rp_access)call->x));
}

static void push(rp_recorder *r, uint32_t offset, const void *data, uint32_t size) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    /* What the code does not use may be pushed all the same. */
    const kernel *k = d->current;
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
    refuse(d, RP_CALL_UPDATE, RP_ERROR_INVALID, "the range has another size than the data");
    return RP_OK;
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
        refuse(d, kind, RP_ERROR_INVALID,
               "direct mode has no live grids; give the grid with rp_dispatch, or in a buffer with "
               "rp_dispatch_indirect");
        return;
    case RP_CALL_PUSH_LIVE:
        refuse(d, kind, RP_ERROR_INVALID,
               "direct mode has no live values; push the value itself with rp_push");
        return;
    case RP_CALL_PUSH_ADDRESS:
    case RP_CALL_USE_ADDRESS:
        refuse(d, kind, RP_ERROR_INVALID,
               "direct mode binds its buffers and has no addresses; record a graph for them");
        return;
    case RP_CALL_BIND_ELEMENT:
    case RP_CALL_BIND_TEXELS:
    case RP_CALL_BIND_IMAGE:
    case RP_CALL_BIND_COMBINED:
    case RP_CALL_BIND_SAMPLER:
    case RP_CALL_COPY_IMAGE:
    case RP_CALL_COPY_TO_IMAGE:
    case RP_CALL_COPY_FROM_IMAGE:
    case RP_CALL_BLIT:
    case RP_CALL_MAKE_MIPS:
    case RP_CALL_CLEAR:
        refuse(d, kind, RP_ERROR_INVALID,
               "direct mode binds single buffers; record a graph for images, texels and arrays");
        return;
    case RP_CALL_APPLY:
        refuse(d, kind, RP_ERROR_INVALID,
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
            refuse(d, kind, RP_ERROR_INVALID,
                   "nothing is open; each rp_optional_end needs its rp_optional_begin");
        else
            d->optional--;
        return;
    }
}

static void fail(rp_recorder *r, rp_call_kind kind, const char *mistake) {
    rp_direct *d = (rp_direct *)r;
    d->call++;
    refuse(d, kind, mistake ? RP_ERROR_INVALID : RP_ERROR_NO_MEMORY,
           mistake ? mistake : "out of memory");
}

static const rp_recorder_sink direct_sink = {set_kernel, bind, push, dispatch, take, fail};

/* ---- Creating -------------------------------------------------------------------------------- */

static rp_encoder_buffer describe_buffer(const rp_graph *g, uint32_t index) {
    const rp_graph_buffer *b = &g->buffers[index];
    return (rp_encoder_buffer){.size = sizeof(rp_encoder_buffer),
                               .name = rp_graph_string(g, b->name),
                               .bytes = b->size,
                               .read_only =
                                   b->kind == RP_IN || b->kind == RP_WEIGHT || b->kind == RP_LIVE};
}

/* While creating: what the encoder is told. */
typedef struct description {
    rp_encoder_kernel *kernels;
    rp_encoder_buffer *buffers;
    rp_encoder_param *params;
    rp_wide_constant *constants;
} description;

/* The parameters are the bindings that the code uses, as in a node's uses. */
static void describe_kernel(const rp_kernel_module *m, kernel *k, slot *slots,
                            rp_encoder_kernel *out, rp_encoder_param *params,
                            rp_wide_constant *constants) {
    uint32_t push_bytes = rp_kernel_push_bytes(m);
    *k = (kernel){.name = m->name,
                  .slots = slots,
                  .slot_count = m->binding_count,
                  .push_declared = m->push_bytes,
                  .push_bytes = push_bytes,
                  .padding = push_bytes ? rp_kernel_push_padding(m) : 0};
    *out = (rp_encoder_kernel){.size = sizeof(rp_encoder_kernel),
                               .name = m->name,
                               .spirv = m->words,
                               .spirv_size = (size_t)m->word_count * 4,
                               .entry = m->entry,
                               .params = params,
                               .wide = constants,
                               .push_bytes = push_bytes};
    for (uint32_t i = 0; i < m->binding_count; i++) {
        const rp_kernel_binding *b = &m->bindings[i];
        slots[i] = (slot){b->set, b->binding, b->used ? out->param_count : RP_NONE};
        if (b->used)
            params[out->param_count++] =
                (rp_encoder_param){b->set, b->binding, (rp_access)b->access};
    }
    /* Several constants may share an id. */
    for (uint32_t i = 0; i < m->constant_count; i++)
        if (m->constants[i].specialised &&
            (out->wide_count == 0 || constants[out->wide_count - 1].id != m->constants[i].id))
            constants[out->wide_count++] = (rp_wide_constant){
                m->constants[i].id, rp_scalar_bytes(m->constants[i].scalar), m->constants[i].value};
}

static rp_status describe(rp_direct *d, const rp_program *program, description *out) {
    const rp_allocator *a = &d->allocator;
    const rp_kernel_module *modules = program->modules;
    uint32_t bindings = 0, constants = 0;
    for (uint32_t i = 0; i < d->kernel_count; i++) {
        bindings += modules[i].binding_count;
        constants += modules[i].constant_count;
    }
    d->kernels = rp_alloc(a, d->kernel_count, sizeof *d->kernels);
    d->slots = rp_alloc(a, bindings, sizeof *d->slots);
    d->bound = rp_alloc_zero(a, d->graph->buffers_count, sizeof *d->bound);
    out->kernels = rp_alloc(a, d->kernel_count, sizeof *out->kernels);
    out->buffers = rp_alloc(a, d->graph->buffers_count, sizeof *out->buffers);
    out->params = rp_alloc(a, bindings, sizeof *out->params);
    out->constants = rp_alloc(a, constants, sizeof *out->constants);
    if (!d->kernels || !d->slots || !d->bound || !out->kernels || !out->buffers || !out->params ||
        !out->constants)
        return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < d->graph->buffers_count; i++)
        out->buffers[i] = describe_buffer(d->graph, i);
    slot *slots = d->slots;
    rp_encoder_param *params = out->params;
    rp_wide_constant *values = out->constants;
    for (uint32_t i = 0; i < d->kernel_count; i++) {
        describe_kernel(&modules[i], &d->kernels[i], slots, &out->kernels[i], params, values);
        slots += modules[i].binding_count;
        params += out->kernels[i].param_count;
        values += out->kernels[i].wide_count;
    }
    return RP_OK;
}

static rp_status create(rp_direct *d, const char *cache_path, rp_diags *diags) {
    const rp_allocator *a = &d->allocator;
    rp_program *program = d->program;
    description told = {0};
    pthread_mutex_lock(&program->mutex);
    rp_status status = rp_graph_clone(program->base, &d->graph);
    d->kernel_count = program->modules_count;
    if (status == RP_OK) status = describe(d, program, &told);
    pthread_mutex_unlock(&program->mutex);
    if (status == RP_OK) {
        const rp_encoder_params params = {.size = sizeof params,
                                          .kernels = told.kernels,
                                          .kernel_count = d->kernel_count,
                                          .buffers = told.buffers,
                                          .buffer_count = d->graph->buffers_count,
                                          .cache_path = cache_path};
        status = rp_encoder_create(d->device, &params, diags, &d->encoder);
    }
    d->unbound = true;
    rp_release(a, told.kernels);
    rp_release(a, told.buffers);
    rp_release(a, told.params);
    rp_release(a, told.constants);
    return status;
}

rp_status rp_direct_create(rp_program *program, rp_device *device, const rp_direct_params *given,
                           rp_diags *diags, rp_direct **out_direct) {
    if (!out_direct) return RP_ERROR_USAGE;
    *out_direct = NULL;
    rp_direct_params params = {0};
    if (!program || !device) return RP_ERROR_USAGE;
    if (given && !rp_sized_take(given, &params, sizeof params))
        return rp_sized_refuse(diags, "rp_direct_params");
    rp_direct *d = rp_alloc_zero(&program->allocator, 1, sizeof *d);
    if (!d) return RP_ERROR_NO_MEMORY;
    d->allocator = program->allocator;
    d->device = device;
    d->program = program;
    d->recorder = (rp_recorder){
        .sink = &direct_sink, .program = program, .allocator = program->allocator, .closed = true};
    rp_status status = create(d, params.cache_path, diags);
    if (status != RP_OK) {
        rp_direct_destroy(d);
        return status;
    }
    *out_direct = d;
    return RP_OK;
}

void rp_direct_destroy(rp_direct *d) {
    if (!d) return;
    rp_allocator a = d->allocator;
    rp_encoder_destroy(d->encoder);
    rp_release(&a, d->bound);
    rp_release(&a, d->slots);
    rp_release(&a, d->kernels);
    rp_graph_destroy(d->graph);
    rp_release(&a, d);
}

/* ---- Where buffers lie ----------------------------------------------------------------------- */

rp_status rp_direct_bind(rp_direct *d, rp_buffer buffer, rp_storage *storage, uint64_t offset,
                         rp_diags *diags) {
    if (!d) return RP_ERROR_USAGE;
    uint32_t count = d->graph->buffers_count, index = rp_handle_quick(d->program, buffer.id);
    if (index >= count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "buffer: %s",
                     why_unknown(d, true, buffer.id, count));
        return RP_ERROR_USAGE;
    }
    RP_TRY(rp_encoder_bind(d->encoder, index, storage, offset, diags));
    d->bound[index] = storage != NULL;
    if (!storage) d->unbound = true;
    return RP_OK;
}

/* Gives the transients that nobody has bound a storage each. */
static rp_status bind_transients(rp_direct *d, rp_diags *diags) {
    for (uint32_t i = 0; i < d->graph->buffers_count; i++) {
        const rp_graph_buffer *b = &d->graph->buffers[i];
        if (b->kind != RP_TMP || d->bound[i]) continue;
        const rp_storage_params params = {.size = sizeof params,
                                          .bytes = b->size,
                                          .name = rp_graph_string(d->graph, b->name),
                                          .uninitialised = 1};
        rp_storage *storage = NULL;
        RP_TRY(rp_storage_create(d->device, &params, diags, &storage));
        rp_status status = rp_encoder_bind(d->encoder, i, storage, 0, diags);
        rp_storage_release(storage); /* the encoder holds on to it */
        RP_TRY(status);
        d->bound[i] = true;
    }
    d->unbound = false;
    return RP_OK;
}

/* ---- The frame ------------------------------------------------------------------------------- */

rp_status rp_direct_begin(rp_direct *d, void *command_buffer, const rp_encoder_begin_params *params,
                          rp_diags *diags, rp_recorder **out_recorder) {
    if (!out_recorder) return RP_ERROR_USAGE;
    *out_recorder = NULL;
    if (!d) return RP_ERROR_USAGE;
    if (d->unbound) RP_TRY(bind_transients(d, diags));
    RP_TRY(rp_encoder_begin(d->encoder, command_buffer, params, diags));
    d->current = NULL;
    d->call = 0;
    d->optional = 0;
    d->recorder.closed = false;
    *out_recorder = &d->recorder;
    return RP_OK;
}

rp_status rp_direct_end(rp_direct *d, rp_encoder_report *report) {
    if (d && d->optional && !d->recorder.closed) {
        d->call++;
        refuse(d, RP_CALL_OPTIONAL_END, RP_ERROR_INVALID, "missing at the end");
    }
    if (d) d->recorder.closed = true;
    return rp_encoder_end(d ? d->encoder : NULL, report);
}

void rp_direct_done(rp_direct *d, uint64_t number) {
    if (d) rp_encoder_done(d->encoder, number);
}
