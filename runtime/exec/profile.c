/* Measuring an exec: reprise/profile.h says what, and why in four ways.
 *
 * Each way is a phase of its own: `ahead` command buffers that write timestamps into query pools of
 * their own, submitted in turn; before one is submitted again, its replay before is waited for and
 * read. So there are always some in the queue, and the GPU never waits for the host. A phase that
 * measures the whole puts its timestamps in command buffers in front of the recorded ones and behind
 * them, in the same batch; the others put a twin in their place.
 *
 * All are replays like others, with numbers on the exec's timeline: what is known of order, loss and
 * idleness holds for them. The exec's lock is held all the time, so that nobody binds, updates or
 * replays what is being measured. */
#include "exec/profile.h"

#include <time.h>

#include "base/sized.h"
#include "driver/barrier.h"
#include "exec/batch.h"

enum {
    ROUNDS = 20,
    WARM_UP_LEAST = 3,
    AHEAD = 8, /* replays of a few microseconds outlast the host's waking up */
};
static const uint64_t warm_up_ns = 100000000;

typedef enum profile_way { WHOLE, GROUPS, BARRIERS, NODES } profile_way;

/* What is recorded for a way that measures more than the whole. */
static rp_twin twin_of(profile_way way) {
    return way == GROUPS ? RP_TWIN_GROUPS : way == BARRIERS ? RP_TWIN_BARRIERS : RP_TWIN_NODES;
}

typedef struct phase {
    rp_exec *exec;
    const rp_exec *form; /* that the slot takes: what twins are recorded of */
    const rp_slot *recorded;
    const rp_profile_params *params;
    rp_diags *diags;
    profile_way way;
    uint32_t stamps; /* of one replay */
    VkCommandPool pool;
    VkCommandBuffer commands[2 * AHEAD]; /* twins, or those in front; and those behind */
    VkQueryPool queries[AHEAD];
    uint64_t replays[AHEAD]; /* in flight, or read */
    uint64_t *ticks;         /* room for those of one replay */
    double *spans;           /* [rounds][stamps - 1]: nanoseconds from one timestamp to the next */
} phase;

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- Recording ------------------------------------------------------------------------------- */

static void record_stamp(const phase *p, VkCommandBuffer commands, VkQueryPool queries,
                         uint32_t query) {
    const rp_vk *vk = &p->exec->device->vk;
    if (query == 0) {
        rp_barrier_full(vk, commands);
        vk->CmdResetQueryPool(commands, queries, 0, p->stamps);
    }
    vk->CmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, queries, query);
}

static rp_status record(const phase *p, uint32_t index) {
    const rp_vk *vk = &p->exec->device->vk;
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkCommandBuffer commands = p->commands[index];
    VkQueryPool queries = p->queries[index % AHEAD];
    RP_TRY(RP_VK(p->diags, vk->BeginCommandBuffer(commands, &begin)));
    if (p->way == WHOLE)
        record_stamp(p, commands, queries, index / AHEAD);
    else
        rp_record_twin(p->form, p->recorded, twin_of(p->way), queries, commands);
    return RP_VK(p->diags, vk->EndCommandBuffer(commands));
}

static rp_status create_phase(phase *p) {
    rp_device *device = p->exec->device;
    const rp_allocator *a = &device->allocator;
    uint32_t buffers = p->way == WHOLE ? 2 * AHEAD : AHEAD;
    p->stamps = p->way == WHOLE ? 2 : rp_twin_stamps(p->form, twin_of(p->way));
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                        .queryCount = p->stamps};
    p->ticks = rp_alloc(a, p->stamps, sizeof *p->ticks);
    p->spans = rp_alloc(a, (size_t)p->stamps * p->params->rounds, sizeof *p->spans);
    if (!p->ticks || !p->spans) return RP_ERROR_NO_MEMORY;
    RP_TRY(rp_commands_create(device, device->adapter.queue_family, 0, buffers, p->diags, &p->pool,
                              p->commands));
    for (uint32_t i = 0; i < AHEAD; i++)
        RP_TRY(RP_VK(p->diags,
                     device->vk.CreateQueryPool(device->handle, &info, NULL, &p->queries[i])));
    for (uint32_t i = 0; i < buffers; i++) RP_TRY(record(p, i));
    return RP_OK;
}

static void free_phase(phase *p) {
    rp_device *device = p->exec->device;
    device->vk.DestroyCommandPool(device->handle, p->pool, NULL);
    for (uint32_t i = 0; i < AHEAD; i++)
        device->vk.DestroyQueryPool(device->handle, p->queries[i], NULL);
    rp_release(&device->allocator, p->ticks);
    rp_release(&device->allocator, p->spans);
}

/* ---- Replaying ------------------------------------------------------------------------------- */

/* A failure of the driver's, with what is known where the device is lost. */
static rp_status explain(rp_exec *exec, VkResult result, const char *call, rp_diags *diags) {
    (void)rp_exec_note_loss(exec, rp_vk_status(result));
    return exec->lost ? rp_exec_report_loss(exec, diags) : rp_vk_result(result, call, diags);
}

/* Without letting go of the exec's lock. */
static rp_status wait_for(rp_exec *exec, uint64_t replay, rp_diags *diags) {
    if (exec->completed >= replay) return RP_OK;
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &exec->timeline,
                                      .pValues = &replay};
    rp_device *device = exec->device;
    rp_exec_count(exec, RP_COUNT_waits, 1);
    VkResult result = device->vk.WaitSemaphores(device->handle, &info, UINT64_MAX);
    if (result != VK_SUCCESS) return explain(exec, result, "vk->WaitSemaphores", diags);
    exec->completed = replay;
    rp_exec_look_for_stalls(exec);
    return rp_exec_report_stall(exec, replay, diags);
}

static rp_status submit(phase *p, uint32_t at) {
    const rp_submit_params params = {.size = sizeof params, .slot = p->params->slot};
    rp_exec *exec = p->exec;
    rp_batch b = {0};
    rp_status status = rp_batch_begin(&b, exec, &params, p->diags);
    if (status == RP_OK) {
        if (p->way == WHOLE) {
            b.link = p->commands[at];
            b.behind = p->commands[AHEAD + at];
        } else {
            b.twin = p->commands[at];
            b.slot->recording = RP_RECORD_BARRIERS; /* what it is a twin of */
        }
        rp_batch_fill(&b);
        VkResult result = rp_queue_submit(exec->device, rp_batch_pieces(&b), b.infos);
        if (result == VK_SUCCESS) {
            rp_exec_count(exec, RP_COUNT_submissions, 1);
            rp_batch_settle(&b);
            p->replays[at] = b.replay;
        } else {
            rp_batch_take_back(&b);
            status = explain(exec, result, "vk->QueueSubmit2", p->diags);
        }
    }
    rp_batch_release(&b);
    return status;
}

/* Waits for a replay, and puts its times at a round's place. */
static rp_status read(phase *p, uint32_t at, uint64_t round) {
    rp_device *device = p->exec->device;
    RP_TRY(wait_for(p->exec, p->replays[at], p->diags));
    VkResult result = device->vk.GetQueryPoolResults(device->handle, p->queries[at], 0, p->stamps,
                                                     p->stamps * sizeof *p->ticks, p->ticks,
                                                     sizeof *p->ticks, VK_QUERY_RESULT_64_BIT);
    /* They belong to a replay that is done. */
    if (result == VK_NOT_READY) result = VK_ERROR_UNKNOWN;
    if (result != VK_SUCCESS) return explain(p->exec, result, "vk->GetQueryPoolResults", p->diags);
    uint32_t bits = device->adapter.timestamp_bits;
    uint64_t mask = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    double period = (double)device->adapter.properties.limits.timestampPeriod;
    for (uint32_t i = 0; i + 1 < p->stamps; i++)
        p->spans[round * (p->stamps - 1) + i] =
            (double)((p->ticks[i + 1] - p->ticks[i]) & mask) * period;
    return RP_OK;
}

/* Replays without a pause, and reads those behind the warm-up. While nobody knows how long a replay takes, no more are in
 * flight than a warm-up needs: of replays of many seconds all that are in the queue would be warm-up. */
static rp_status replay(phase *p) {
    uint64_t warm = p->params->warm_up ? p->params->warm_up : UINT64_MAX, start = now_ns();
    uint64_t end = warm == UINT64_MAX ? UINT64_MAX : warm + p->params->rounds, done = 0, next = 0;
    while (done < end) {
        if (warm == UINT64_MAX && next >= WARM_UP_LEAST && now_ns() - start >= warm_up_ns) {
            warm = next;
            end = next + p->params->rounds;
        }
        if (next < end && next - done < (warm == UINT64_MAX ? WARM_UP_LEAST : AHEAD)) {
            RP_TRY(submit(p, (uint32_t)(next % AHEAD)));
            next++;
            continue;
        }
        RP_TRY(done >= warm ? read(p, done % AHEAD, done - warm)
                            : wait_for(p->exec, p->replays[done % AHEAD], p->diags));
        done++;
    }
    return RP_OK;
}

/* ---- Results --------------------------------------------------------------------------------- */

static rp_status summarise(const phase *p, rp_profile *profile) {
    const rp_allocator *a = &p->exec->device->allocator;
    uint32_t rounds = p->params->rounds;
    size_t stride = p->stamps - 1;
    double *sorted = rp_alloc(a, rounds, sizeof *sorted);
    if (!sorted) return RP_ERROR_NO_MEMORY;
    double first = rp_profile_summary(p->spans, rounds, stride, 0, sorted).median;
    if (p->way == WHOLE) profile->whole = rp_profile_summary(p->spans, rounds, stride, 0, sorted);
    for (uint32_t g = 0; p->way == GROUPS && g < profile->groups_count; g++)
        profile->groups[g] = rp_profile_summary(p->spans + 1 + g, rounds, stride, first, sorted);
    /* Of two timestamps each: the time between is theirs, and that to the next two nobody's. */
    rp_profile_time *pairs = p->way == BARRIERS ? profile->barriers : profile->nodes;
    uint32_t count = p->way == BARRIERS ? profile->groups_count
                     : p->way == NODES  ? profile->nodes_count
                                        : 0;
    for (uint32_t i = 0; i < count; i++)
        pairs[i] = rp_profile_summary(p->spans + 2 + 2 * (size_t)i, rounds, stride, first, sorted);
    if (p->way == NODES) profile->stamp = first;
    rp_release(a, sorted);
    return RP_OK;
}

static rp_status measure(rp_exec *exec, const rp_profile_params *params, profile_way way,
                         const rp_kept_state *state, rp_diags *diags, rp_profile *profile) {
    const rp_slot *slot = &exec->slots[params->slot];
    phase p = {.exec = exec,
               .form = rp_form_exec(exec, slot->form),
               .recorded = rp_form_slot(exec, slot, slot->form),
               .params = params,
               .diags = diags,
               .way = way};
    rp_status status = create_phase(&p);
    if (status == RP_OK) status = replay(&p);
    if (status == RP_OK) status = summarise(&p, profile);
    (void)rp_exec_note_loss(exec, status);
    /* On a lost device nothing is in flight. */
    if (!exec->lost && wait_for(exec, exec->submitted, NULL) != RP_OK)
        (void)wait_for(exec, exec->submitted, NULL);
    free_phase(&p);
    rp_status restored = exec->lost ? RP_OK : rp_state_restore(state, diags);
    return status == RP_OK ? restored : status;
}

static rp_status take_params(const rp_exec *exec, const rp_profile_params *given, rp_diags *diags,
                             rp_profile_params *out) {
    const rp_profile_params defaults = {.size = sizeof defaults};
    if (!rp_sized_take(given ? given : &defaults, out, sizeof *out))
        return rp_sized_refuse(diags, "rp_profile_params");
    RP_TRY(rp_exec_check_slot(exec, out->slot, diags));
    if (out->rounds == 0) out->rounds = ROUNDS;
    if (out->rounds > RP_PROFILE_MOST_ROUNDS || out->warm_up > RP_PROFILE_MOST_ROUNDS) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "a profile has at most %d rounds, and as many to warm up, not %u and %u",
                     RP_PROFILE_MOST_ROUNDS, out->rounds, out->warm_up);
        return RP_ERROR_USAGE;
    }
    const rp_adapter *adapter = &exec->device->adapter;
    if (adapter->timestamp_bits) return RP_OK;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "%s has no timestamps in queue family %u: nothing can be measured there",
                 adapter->info.name, adapter->queue_family);
    return RP_ERROR_UNSUPPORTED;
}

static rp_status profile_exec(rp_exec *exec, const rp_profile_params *given, rp_diags *diags,
                              rp_profile **out) {
    rp_profile_params params;
    rp_kept_state state = {0};
    if (exec->lost) return rp_exec_report_loss(exec, diags);
    RP_TRY(take_params(exec, given, diags, &params));
    RP_TRY(rp_exec_require_whole(exec, diags));
    RP_TRY(rp_exec_require_idle(exec, RP_ALL_SLOTS, diags));
    rp_slot *slot = &exec->slots[params.slot];
    rp_exec *form = (rp_exec *)rp_form_exec(exec, slot->form);
    rp_slot *recorded = rp_form_slot(exec, slot, slot->form);
    RP_TRY(rp_slot_record(form, recorded, diags)); /* twins want the pipelines too */
    rp_profile *profile = rp_profile_create(form, recorded, params.rounds);
    if (!profile) return RP_ERROR_NO_MEMORY;
    rp_status status = RP_OK;
    if (!params.leave_state) status = rp_state_keep(&state, exec, slot, diags);
    for (profile_way way = WHOLE; way <= NODES && status == RP_OK; way++)
        status = measure(exec, &params, way, &state, diags, profile);
    rp_state_free(&state);
    slot->recorded = exec->submitted; /* its own timestamps are of some round */
    if (status == RP_OK)
        *out = profile;
    else
        rp_profile_destroy(profile);
    return status;
}

rp_status rp_exec_profile(rp_exec *exec, const rp_profile_params *params, rp_diags *diags,
                          rp_profile **out_profile) {
    if (!out_profile) return RP_ERROR_USAGE;
    *out_profile = NULL;
    if (!exec) return RP_ERROR_USAGE;
    rp_exec_lock(exec);
    rp_status status = profile_exec(exec, params, diags, out_profile);
    rp_exec_unlock(exec);
    return status;
}
