/* The limits, one sentence each. Zero in a target is "not known". */
#include "plan/fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "plan/format.h"

RP_PRINTF(2, 3)
static void wrong(rp_fit *fit, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    fit->errors++;
    fit->say(fit->user, message);
}

static bool exceeds(uint64_t value, uint64_t most) {
    return most && value > most;
}

/* What pass lower asks for on its own account, and lower=fast does not. */
#define EXACT (RP_NEED_EXACT16 | RP_NEED_EXACT32)

void rp_fit_check_needs(rp_fit *fit, const char *whose, uint64_t needs) {
    uint64_t missing = fit->target->needs ? needs & ~fit->target->needs : 0;
#define RP_X(symbol, bit, name)                                                                    \
    if (missing & symbol)                                                                          \
        wrong(fit,                                                                                 \
              "%s need %s, which the device does not have: compile %s or choose another device",   \
              whose, name,                                                                         \
              (symbol)&EXACT ? "with the pass lower=fast," : "kernels that do without,");
    RP_PLAN_NEED_LIST(RP_X)
#undef RP_X
}

static void check_workgroup(rp_fit *fit, const rp_fit_kernel *k) {
    const uint64_t most[3] = {fit->target->workgroup_x, fit->target->workgroup_y,
                              fit->target->workgroup_z};
    uint64_t invocations = 1;
    for (uint32_t i = 0; i < 3; i++) {
        if (exceeds(k->local[i], most[i]))
            wrong(fit,
                  "kernel @%s has a workgroup of %u in %c, at most %llu fit: use a smaller local "
                  "size",
                  k->name, k->local[i], "xyz"[i], (unsigned long long)most[i]);
        if (invocations <= UINT32_MAX) invocations *= k->local[i];
    }
    if (exceeds(invocations, fit->target->invocations))
        wrong(
            fit,
            "kernel @%s has workgroups of %llu invocations, at most %llu fit: use a smaller local "
            "size",
            k->name, (unsigned long long)invocations, (unsigned long long)fit->target->invocations);
}

void rp_fit_check_kernel(rp_fit *fit, const rp_fit_kernel *k) {
    const rp_target *t = fit->target;
    check_workgroup(fit, k);
    if (exceeds(k->shared_bytes, t->shared_bytes))
        wrong(fit, "kernel @%s uses %u bytes of shared memory, at most %llu fit", k->name,
              k->shared_bytes, (unsigned long long)t->shared_bytes);
    if (exceeds(k->push_bytes, t->push_bytes))
        wrong(fit,
              "kernel @%s has %u bytes of push constants, at most %llu fit: move some to a uniform "
              "buffer",
              k->name, k->push_bytes, (unsigned long long)t->push_bytes);
    if (t->descriptor_sets && k->set >= t->descriptor_sets)
        wrong(fit, "kernel @%s uses descriptor set %u, sets 0 to %llu can be bound", k->name,
              k->set, (unsigned long long)t->descriptor_sets - 1);
    if (exceeds(k->storage, t->storage_buffers))
        wrong(fit, "kernel @%s binds %u storage buffers, at most %llu can be bound", k->name,
              k->storage, (unsigned long long)t->storage_buffers);
    if (exceeds(k->uniform, t->uniform_buffers))
        wrong(fit, "kernel @%s binds %u uniform buffers, at most %llu can be bound", k->name,
              k->uniform, (unsigned long long)t->uniform_buffers);
    if (exceeds((uint64_t)k->storage + k->uniform, t->resources))
        wrong(fit, "kernel @%s binds %u buffers of all kinds, at most %llu can be bound", k->name,
              k->storage + k->uniform, (unsigned long long)t->resources);
}

void rp_fit_check_binding(rp_fit *fit, const rp_fit_binding *b) {
    const rp_target *t = fit->target;
    uint64_t most = b->uniform ? t->uniform_range : t->storage_range;
    uint64_t align = b->uniform ? t->uniform_alignment : t->storage_alignment;
    const char *kind = b->uniform ? "uniform" : "storage";
    if (exceeds(b->size + b->skip, most))
        wrong(fit,
              "n%u binds %llu bytes of %s as one %s buffer, at most %llu fit: split the range or "
              "bind a smaller one",
              b->node, (unsigned long long)(b->size + b->skip), b->buffer, kind,
              (unsigned long long)most);
    /* Buffers start aligned, in the arena too; only the offset in the buffer counts. */
    if (align && (b->offset - b->skip) % align != 0)
        wrong(
            fit,
            "n%u binds %s at offset %llu, which must be a multiple of %llu for a %s buffer: begin "
            "the part there, or bind from offset %llu on and push the %llu bytes between",
            b->node, b->buffer, (unsigned long long)b->offset, (unsigned long long)align, kind,
            (unsigned long long)(b->offset - b->offset % align),
            (unsigned long long)(b->offset % align));
}

void rp_fit_check_grid(rp_fit *fit, uint32_t node, uint32_t axis, uint32_t groups) {
    const uint64_t most[3] = {fit->target->groups_x, fit->target->groups_y, fit->target->groups_z};
    if (exceeds(groups, most[axis]))
        wrong(
            fit,
            "n%u has a grid of %u in %c, at most %llu fit: loop inside the kernel, or use another "
            "dimension",
            node, groups, "xyz"[axis], (unsigned long long)most[axis]);
}
