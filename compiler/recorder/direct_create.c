/* Direct mode: what an encoder is told of a program, where buffers lie, and the frame of an encoding. */
#include "recorder/direct.h"

#include "base/sized.h"

/* VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT and VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT */
enum { TEXEL_USAGE = 0x4 | 0x8 };

/* ---- Creating -------------------------------------------------------------------------------- */

static rp_encoder_buffer describe_buffer(const rp_graph *g, uint32_t index) {
    const rp_graph_buffer *b = &g->buffers[index];
    return (rp_encoder_buffer){.size = sizeof(rp_encoder_buffer),
                               .name = rp_graph_string(g, b->name),
                               .bytes = b->size,
                               .read_only =
                                   b->kind == RP_IN || b->kind == RP_WEIGHT || b->kind == RP_LIVE,
                               .image = b->image};
}

/* While creating: what the encoder is told. */
typedef struct description {
    rp_encoder_kernel *kernels;
    rp_encoder_buffer *buffers;
    rp_encoder_param *params;
    rp_wide_constant *constants;
    rp_sampler_info *samplers;
} description;

/* The parameters are the bindings that the code uses, as in a node's uses. */
static void describe_kernel(const rp_kernel_module *m, rp_direct_kernel *k, rp_direct_slot *slots,
                            rp_encoder_kernel *out, rp_encoder_param *params,
                            rp_wide_constant *constants) {
    uint32_t push_bytes = rp_kernel_push_bytes(m);
    *k = (rp_direct_kernel){.name = m->name,
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
        slots[i] = (rp_direct_slot){b->set, b->binding, b->used ? out->param_count : RP_NONE};
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

static bool has_texels(const rp_kernel_module *m) {
    for (uint32_t i = 0; i < m->binding_count; i++)
        if (m->bindings[i].used && m->bindings[i].resource == RP_RESOURCE_TEXELS) return true;
    return false;
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
    out->samplers = rp_alloc(a, d->graph->samplers_count, sizeof *out->samplers);
    if (!d->kernels || !d->slots || !d->bound || !out->kernels || !out->buffers || !out->params ||
        !out->constants || !out->samplers)
        return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < d->graph->samplers_count; i++)
        out->samplers[i] = d->graph->samplers[i].info;
    for (uint32_t i = 0; i < d->graph->buffers_count; i++)
        out->buffers[i] = describe_buffer(d->graph, i);
    rp_direct_slot *slots = d->slots;
    rp_encoder_param *params = out->params;
    rp_wide_constant *values = out->constants;
    for (uint32_t i = 0; i < d->kernel_count; i++) {
        describe_kernel(&modules[i], &d->kernels[i], slots, &out->kernels[i], params, values);
        d->texels |= has_texels(&modules[i]);
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
                                          .cache_path = cache_path,
                                          .samplers = told.samplers,
                                          .sampler_count = d->graph->samplers_count};
        status = rp_encoder_create(d->device, &params, diags, &d->encoder);
    }
    d->unbound = true;
    rp_release(a, told.kernels);
    rp_release(a, told.buffers);
    rp_release(a, told.params);
    rp_release(a, told.constants);
    rp_release(a, told.samplers);
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
    d->recorder = (rp_recorder){.sink = &rp_direct_sink,
                                .program = program,
                                .allocator = program->allocator,
                                .closed = true};
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
                     rp_direct_why_unknown(d, RP_DIRECT_BUFFER, buffer.id, count));
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
        bool image = rp_buffer_is_image(b);
        const rp_storage_params params = {.size = sizeof params,
                                          .bytes = b->size,
                                          .name = rp_graph_string(d->graph, b->name),
                                          .usage = d->texels && !image ? TEXEL_USAGE : 0,
                                          .uninitialised = !image,
                                          .image = b->image};
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
        rp_direct_refuse(d, RP_CALL_OPTIONAL_END, RP_ERROR_INVALID, "missing at the end");
    }
    if (d) d->recorder.closed = true;
    return rp_encoder_end(d ? d->encoder : NULL, report);
}

void rp_direct_done(rp_direct *d, uint64_t number) {
    if (d) rp_encoder_done(d->encoder, number);
}
