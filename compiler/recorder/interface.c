/* What reflection found of a program's kernels, for who binds by name. */
#include "base/sized.h"
#include "recorder/recorder.h"

/* The mutex is held. */
static rp_status find(const rp_program *p, rp_kernel kernel, rp_diags *diags,
                      const rp_kernel_module **out) {
    const char *why;
    uint32_t index = rp_handle_index(p, kernel.id, p->modules_count, &why);
    *out = index == RP_NONE ? NULL : &p->modules[index];
    if (!*out) rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "kernel: %s", why);
    return *out ? RP_OK : RP_ERROR_USAGE;
}

static rp_status get_kernel(const rp_program *p, rp_kernel kernel, rp_diags *diags,
                            rp_kernel_interface *out) {
    const rp_kernel_module *m;
    RP_TRY(find(p, kernel, diags, &m));
    *out = (rp_kernel_interface){.name = m->name,
                                 .local_size = {m->local[0], m->local[1], m->local[2]},
                                 .push_bytes = rp_kernel_push_bytes(m),
                                 .binding_count = m->binding_count};
    return RP_OK;
}

static rp_status get_binding(const rp_program *p, rp_kernel kernel, uint32_t index, rp_diags *diags,
                             rp_binding_info *out) {
    const rp_kernel_module *m;
    RP_TRY(find(p, kernel, diags, &m));
    if (index >= m->binding_count) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "kernel '%s' has %u bindings: there is no number %u", m->name,
                     m->binding_count, index);
        return RP_ERROR_USAGE;
    }
    const rp_kernel_binding *b = &m->bindings[index];
    *out = (rp_binding_info){.name = b->name,
                             .set = b->set,
                             .binding = b->binding,
                             .resource = (rp_resource)b->resource,
                             .access = (rp_access)b->access,
                             .elements = b->elements,
                             .used = b->used};
    return RP_OK;
}

rp_status rp_program_get_kernel(rp_program *program, rp_kernel kernel, rp_diags *diags,
                                rp_kernel_interface *out_interface) {
    rp_kernel_interface own = {0};
    if (!program || !out_interface) return RP_ERROR_USAGE;
    if (!rp_sized_give(&own, sizeof own, out_interface))
        return rp_sized_refuse(diags, "rp_kernel_interface");
    pthread_mutex_lock(&program->mutex);
    rp_status status = get_kernel(program, kernel, diags, &own);
    pthread_mutex_unlock(&program->mutex);
    rp_sized_give(&own, sizeof own, out_interface);
    return status;
}

rp_status rp_program_get_binding(rp_program *program, rp_kernel kernel, uint32_t index,
                                 rp_diags *diags, rp_binding_info *out_binding) {
    rp_binding_info own = {0};
    if (!program || !out_binding) return RP_ERROR_USAGE;
    if (!rp_sized_give(&own, sizeof own, out_binding))
        return rp_sized_refuse(diags, "rp_binding_info");
    pthread_mutex_lock(&program->mutex);
    rp_status status = get_binding(program, kernel, index, diags, &own);
    pthread_mutex_unlock(&program->mutex);
    rp_sized_give(&own, sizeof own, out_binding);
    return status;
}
