/* Plans of several forms: one set of buffers, and commands for each form.
 *
 * The exec is that of the last form, whose sizes are the largest: what the application sees, memory, copies, the counting
 * of replays are all its own. Every other form is a part: an exec within it that has what follows from that form's
 * nodes, its kernels, descriptors, grids and recordings, in the same memory. Which form the next replay of a slot takes is found
 * when live values are set, so that submitting it is a matter of which command buffer is named.
 *
 * Live values and the grids of the last form are kept up to date always, those of a part while it is the form of
 * its slot: when it becomes that, all of its grids are computed, and from then on what follows from what is set.
 *
 * How replays of different forms are ordered is in batch.c; what is proven of that in docs/checker.md. */
#include "exec/exec.h"

#include "base/checked.h"
#include "base/scope.h"
#include "exec/links.h"
#include "plan/forms.h"

/* ---- What parts ask for ---------------------------------------------------------------------- */

static const rp_plan_buffer *buffers_of(const rp_exec *exec) {
    return rp_plan_buffers(exec->plan);
}

/* What goes for all of an exec: the part's own copy of the params, whose arrays are the exec's. */
static rp_status plan_part(rp_exec *exec, uint32_t index, rp_diags *diags) {
    rp_exec *part = rp_alloc_zero(&exec->device->allocator, 1, sizeof *part);
    if (!part) return RP_ERROR_NO_MEMORY;
    exec->parts[index] = part;
    part->device = exec->device;
    part->plan = rp_plan_form(exec->plan, index);
    part->params = exec->params;
    part->switches = exec->switches;
    part->slots_count = exec->slots_count;
    part->of_forms = true;
    return rp_exec_plan(part, diags);
}

/* What each buffer that all forms have is used as, in whichever; and the largest arena. */
static void merge(rp_exec *exec, const rp_exec *part) {
    for (uint32_t i = 0; i < exec->plan->external_count; i++) {
        rp_want *all = &exec->wants[i];
        const rp_want *own = &part->wants[i];
        exec->scopes[i] |= part->scopes[i];
        all->usage |= own->usage;
        if (own->alignment > all->alignment) all->alignment = own->alignment;
    }
    if (part->arena_bytes > exec->arena_bytes) exec->arena_bytes = part->arena_bytes;
    exec->waits |= part->waits;
    exec->runs.usage |= part->runs.usage;
    if (part->pieces > exec->pieces) exec->pieces = part->pieces;
}

/* Every form is cut into as many pieces: of one with fewer the last are empty. */
static rp_status pad_pieces(rp_exec *exec, uint32_t own, uint32_t all) {
    uint32_t *cuts = rp_alloc(&exec->device->allocator, (size_t)all + 1, sizeof *cuts);
    if (!cuts) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i <= all; i++) cuts[i] = exec->cuts[i < own ? i : own];
    rp_release(&exec->device->allocator, exec->cuts);
    exec->cuts = cuts;
    exec->pieces = all;
    return RP_OK;
}

/* Live buffers whose largest value tells the forms apart, and room for the bytes of any. */
static rp_status find_ranged(rp_exec *exec) {
    const rp_allocator *a = &exec->device->allocator;
    uint32_t count = exec->plan->external_count;
    uint64_t most = 0;
    exec->ranged = rp_alloc(a, count, sizeof *exec->ranged);
    if (!exec->ranged) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        const rp_plan_buffer *b = &buffers_of(exec)[i];
        if (b->kind != RP_LIVE) continue;
        if (b->size > most) most = b->size;
        if (rp_plan_is_ranged(exec->plan, i)) exec->ranged[exec->ranged_count++] = i;
    }
    exec->before_set = rp_alloc(a, most, 1);
    return exec->before_set ? RP_OK : RP_ERROR_NO_MEMORY;
}

rp_status rp_parts_plan(rp_exec *exec, rp_diags *diags) {
    uint32_t count = rp_plan_form_count(exec->plan) - 1, own = exec->pieces, kernels = 0;
    if (count == 0) return RP_OK;
    exec->of_forms = true;
    exec->parts = rp_alloc_zero(&exec->device->allocator, count, sizeof(rp_exec *));
    if (!exec->parts) return RP_ERROR_NO_MEMORY;
    exec->part_count = count;
    for (uint32_t i = 0; i < count; i++) {
        RP_TRY(plan_part(exec, i, diags));
        exec->parts[i]->first_kernel = kernels;
        kernels += rp_plan_count(exec->parts[i]->plan, RP_SECTION_KERNELS);
        merge(exec, exec->parts[i]);
    }
    exec->first_kernel = kernels;
    uint32_t pieces = exec->pieces;
    RP_TRY(pad_pieces(exec, own, pieces));
    for (uint32_t i = 0; i < count; i++)
        RP_TRY(pad_pieces(exec->parts[i], exec->parts[i]->pieces, pieces));
    /* What stands between forms is recorded before it is needed. */
    VkCommandBuffer turn;
    RP_TRY(rp_links_get(exec->device, RP_SCOPE_ANY, RP_SCOPE_ALL, diags, &turn));
    return find_ranged(exec);
}

void rp_parts_free(rp_exec *exec) {
    for (uint32_t i = 0; i < exec->part_count; i++) {
        rp_exec *part = exec->parts[i];
        if (!part) continue;
        rp_slots_free(part, part->slots);
        rp_exec_free_plan(part);
        rp_release(&exec->device->allocator, part);
    }
    rp_release(&exec->device->allocator, exec->parts);
}

void rp_exec_set_ordered(rp_exec *exec, bool ordered) {
    exec->ordered = ordered;
    for (uint32_t i = 0; i < exec->part_count; i++) exec->parts[i]->ordered = ordered;
}

/* ---- Slots ----------------------------------------------------------------------------------- */

/* Live buffers, too, lie where the exec has them: what is set is there once. */
static void share_places(const rp_exec *exec, const rp_slot *from, const rp_exec *part,
                         rp_slot *to) {
    for (uint32_t i = 0; i < exec->plan->external_count; i++) {
        const rp_plan_buffer *b = &buffers_of(part)[i];
        to->places[i] = from->places[i];
        to->places[i].bytes = rp_plan_footprint(b, b->size);
        rp_storage_hold(to->places[i].storage);
    }
    if (part->arena_bytes == 0 || !from->arena.storage) return;
    to->arena = from->arena;
    rp_storage_hold(to->arena.storage);
}

static rp_status place_part(const rp_exec *exec, const rp_slot *slots, rp_exec *part, bool again,
                            rp_diags *diags, rp_slot **out) {
    bool ordered;
    *out = rp_slots_create(part);
    if (!*out) return RP_ERROR_NO_MEMORY;
    for (uint32_t s = 0; s < exec->slots_count; s++)
        share_places(exec, &slots[s], part, &(*out)[s]);
    if (again) RP_TRY(rp_slots_inherit(part, *out, part, diags));
    return rp_slots_place(part, *out, diags, &ordered);
}

rp_status rp_parts_place(const rp_exec *exec, const rp_slot *slots, bool again, rp_slot **out,
                         rp_diags *diags) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < exec->part_count; i++) {
        out[i] = NULL;
        if (status == RP_OK)
            status = place_part(exec, slots, exec->parts[i], again, diags, &out[i]);
    }
    return status;
}

void rp_parts_free_slots(const rp_exec *exec, rp_slot **slots) {
    for (uint32_t i = 0; i < exec->part_count; i++) rp_slots_free(exec->parts[i], slots[i]);
}

rp_status rp_parts_prepare(const rp_exec *exec, rp_slot *const *slots, uint32_t slot, bool again,
                           rp_diags *diags) {
    for (uint32_t i = 0; i < exec->part_count; i++)
        RP_TRY(rp_slot_prepare(exec->parts[i], &slots[i][slot],
                               again ? &exec->parts[i]->slots[slot] : NULL, diags));
    return RP_OK;
}

/* ---- The form of a slot ---------------------------------------------------------------------- */

/* The first form that is for the values at hand. */
static uint32_t find_form(const rp_exec *exec, const rp_slot *slot) {
    for (uint32_t f = 0; f < exec->part_count; f++) {
        bool fits = true;
        for (uint32_t i = 0; i < exec->ranged_count && fits; i++) {
            uint32_t value, buffer = exec->ranged[i];
            memcpy(&value, slot->live.copy + exec->live.offsets[buffer], sizeof value);
            fits = rp_plan_takes_value(exec->plan, exec->parts[f]->plan, buffer, value);
        }
        if (fits) return f;
    }
    return exec->part_count;
}

/* All that a part's slot knows of live values, from what the exec's knows. */
static rp_status renew(const rp_exec *exec, const rp_slot *slot, rp_exec *part, rp_slot *own,
                       rp_diags *diags) {
    memcpy(own->live.copy, slot->live.copy, exec->live.values_size);
    memcpy(own->live.off, slot->live.off, exec->switches.count * sizeof(bool));
    return rp_live_refresh(&part->live, &own->live, diags);
}

rp_status rp_forms_choose(const rp_exec *exec, rp_slot *slot, uint32_t index, rp_slot *const *parts,
                          rp_diags *diags) {
    uint32_t form = find_form(exec, slot);
    if (form < exec->part_count)
        RP_TRY(renew(exec, slot, exec->parts[form], &parts[form][index], diags));
    slot->form = form;
    return RP_OK;
}

rp_status rp_forms_set(rp_exec *exec, rp_slot *slot, uint32_t buffer, uint32_t first,
                       const void *elements, uint32_t count, rp_diags *diags) {
    if (exec->part_count == 0)
        return rp_live_set(&exec->live, &slot->live, buffer, first, elements, count, diags);
    const rp_plan_buffer *record = &buffers_of(exec)[buffer];
    uint64_t width = rp_dtype_size((rp_dtype)record->dtype);
    if (rp_range_inside(first, count, record->size / width))
        memcpy(exec->before_set, slot->live.copy + exec->live.offsets[buffer] + first * width,
               count * width);
    RP_TRY(rp_live_set(&exec->live, &slot->live, buffer, first, elements, count, diags));
    uint32_t form = find_form(exec, slot);
    rp_status status = RP_OK;
    if (form < exec->part_count) {
        rp_exec *part = exec->parts[form];
        rp_slot *own = rp_form_slot(exec, slot, form);
        status = form == slot->form
                     ? rp_live_set(&part->live, &own->live, buffer, first, elements, count, diags)
                     : renew(exec, slot, part, own, diags);
    }
    if (status == RP_OK)
        slot->form = form;
    else /* the values before were possible */
        (void)rp_live_set(&exec->live, &slot->live, buffer, first, exec->before_set, count, NULL);
    return status;
}

rp_status rp_forms_switch(rp_exec *exec, rp_slot *slot, uint32_t which, bool on, rp_diags *diags) {
    if (slot->form < exec->part_count) {
        rp_slot *own = rp_form_slot(exec, slot, slot->form);
        RP_TRY(rp_live_switch(&exec->parts[slot->form]->live, &own->live, which, on, diags));
    }
    return rp_live_switch(&exec->live, &slot->live, which, on, diags);
}

uint32_t rp_exec_get_form(const rp_exec *exec, uint32_t slot) {
    if (!exec || slot >= exec->slots_count) return 0;
    rp_exec_lock(exec);
    uint32_t form = exec->slots[slot].form;
    rp_exec_unlock(exec);
    return form;
}
