/* What a profile's rounds must not change: the buffers of kind out and inout of a slot. Transients
 * mean nothing between replays, and nobody writes the other kinds.
 *
 * The copy is in device memory: the GPU makes it and takes it back at the speed of its memory, and a
 * cache of many gigabytes never crosses to the host. */
#include "driver/barrier.h"
#include "exec/profile.h"
#include "memory/transfer.h"

enum {
    ALIGNMENT = 16
}; /* of each buffer in the copy: copies of aligned bytes are fast, and texels
                          * begin there */

static bool is_kept(const rp_plan_buffer *buffer) {
    return buffer->kind == RP_OUT || buffer->kind == RP_INOUT;
}

/* The next buffer's place in the copy; sizes add up to less than 2^63. */
static uint64_t behind(uint64_t at, const rp_plan_buffer *buffer) {
    return at + (buffer->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

typedef struct copying {
    const rp_kept_state *state;
    bool back;
} copying;

static void record(rp_device *device, VkCommandBuffer commands, const void *user) {
    const copying *c = user;
    const rp_kept_state *state = c->state;
    const rp_plan_buffer *buffers = rp_plan_buffers(state->exec->plan);
    uint64_t at = state->copy->offset;
    rp_barrier_full(&device->vk, commands);
    for (uint32_t i = 0; i < state->exec->plan->external_count; i++) {
        if (!is_kept(&buffers[i])) continue;
        const rp_place *place = &state->slot->places[i];
        const rp_copy whole = {.storage = place->storage,
                               .buffer = place->handle,
                               .offset = place->offset,
                               .size = buffers[i].size};
        const rp_copy_part part = {.copy = &whole,
                                   .size = whole.size,
                                   .buffer = state->copy->handle,
                                   .at = at,
                                   .upload = c->back};
        rp_copy_record(&device->vk, commands, &part);
        at = behind(at, &buffers[i]);
    }
    rp_barrier_full(&device->vk, commands);
}

static rp_status copy(const rp_kept_state *state, bool back, rp_diags *diags) {
    const copying c = {state, back};
    return rp_submit_once(state->exec->device, record, &c, diags);
}

rp_status rp_state_keep(rp_kept_state *state, rp_exec *exec, const rp_slot *slot, rp_diags *diags) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    uint64_t bytes = 0;
    *state = (rp_kept_state){.exec = exec, .slot = slot};
    for (uint32_t i = 0; i < exec->plan->external_count; i++) {
        const rp_place *place = &slot->places[i];
        const rp_copy whole = {.name = rp_plan_string(exec->plan, buffers[i].name),
                               .storage = place->storage,
                               .offset = place->offset,
                               .size = buffers[i].size};
        if (!is_kept(&buffers[i])) continue;
        RP_TRY(rp_copy_check_image(&whole, diags));
        bytes = behind(bytes, &buffers[i]);
    }
    if (bytes == 0) return RP_OK;
    const rp_storage_wish wish = {
        .purpose = RP_PURPOSE_BUFFERS, .size = bytes, .name = "the state that a profile keeps"};
    rp_status status = rp_storage_allocate(exec->device, &wish, 1, diags, &state->copy);
    if (status == RP_OK) status = copy(state, false, diags);
    if (status != RP_OK) rp_state_free(state);
    return rp_exec_note_loss(exec, status);
}

rp_status rp_state_restore(const rp_kept_state *state, rp_diags *diags) {
    return state->copy ? rp_exec_note_loss(state->exec, copy(state, true, diags)) : RP_OK;
}

void rp_state_free(rp_kept_state *state) {
    rp_storage_drop(state->copy);
    state->copy = NULL;
}
