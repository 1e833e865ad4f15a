/* What one replay of a slot counts for, and reading the counters.
 *
 * Why a barrier stands is read off its scopes (base/scope.h). plan/reasons.c finds the same by
 * walking the hazards, at a price that creating an exec need not pay. */
#include "exec/runs.h"

#include <stdlib.h>

#include "base/scope.h"
#include "base/sized.h"
#include "driver/barrier.h"

static rp_counter counter_of(rp_barrier barrier) {
    switch (rp_scope_reason(barrier)) {
    case RP_RAW_HAZARD: return RP_COUNT_barriers_raw;
    case RP_WAR_HAZARD: return RP_COUNT_barriers_war;
    case RP_WAW_HAZARD: return RP_COUNT_barriers_waw;
    case RP_ORDER: break;
    }
    return RP_COUNT_barriers_forced;
}

static void weigh(const rp_exec *exec, rp_slot *slot, rp_recording recording) {
    const rp_plan *plan = exec->plan;
    bool tagged = recording != RP_RECORD_BARRIERS;
    const rp_barrier *barriers =
        rp_plan_records(plan, tagged ? RP_SECTION_TAGGED_BARRIERS : RP_SECTION_BARRIERS);
    rp_replay_weight *weight = &slot->weights[recording];
    memset(weight, 0, sizeof *weight);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        rp_node_kind kind = (rp_node_kind)rp_plan_nodes(plan)[i].kind;
        if (kind == RP_RUN) weight->counts[RP_COUNT_dispatches]++;
        if (kind != RP_RUN && kind != RP_FENCE && kind != RP_OP)
            weight->counts[RP_COUNT_transfers]++;
    }
    weight->counts[RP_COUNT_dispatches] -= rp_runs_spare(exec, slot, recording);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_BARRIERS); i++) {
        VkMemoryBarrier2 lowered;
        if ((i == 0 && rp_exec_overlaps(exec)) ||
            !rp_barrier_lower(barriers[i].src, barriers[i].dst, exec->device->quirks,
                              slot->results_mapped, &lowered)) {
            /* What stands for images alone: one takes over what another has written. */
            bool images = rp_boundary_images(exec, slot, i, &lowered) > 0;
            weight->counts[RP_COUNT_barriers] += images;
            weight->counts[RP_COUNT_barriers_waw] += images;
            continue;
        }
        weight->counts[RP_COUNT_barriers]++;
        weight->counts[counter_of(barriers[i])]++;
    }
}

void rp_replay_weigh(const rp_exec *exec, rp_slot *slot) {
    for (uint32_t i = 0; i < slot->recordings; i++) {
        weigh(exec, slot, (rp_recording)i);
        slot->weights[i].counts[RP_COUNT_replays] = 1;
        slot->weights[i].counts[RP_COUNT_replays_tagged] = i != RP_RECORD_BARRIERS;
    }
}

void rp_exec_count(rp_exec *exec, rp_counter which, uint64_t more) {
    rp_count(&exec->counts, which, more);
    rp_count(&exec->device->counts, which, more);
}

/* What replays count for. It is counted on the way of every submission, so by plain additions under
 * the exec's lock, and by no one else. */
static const rp_counter of_replays[] = {
    RP_COUNT_replays,      RP_COUNT_dispatches,      RP_COUNT_transfers,
    RP_COUNT_barriers,     RP_COUNT_barriers_raw,    RP_COUNT_barriers_war,
    RP_COUNT_barriers_waw, RP_COUNT_barriers_forced, RP_COUNT_replays_tagged};
enum { OF_REPLAYS = sizeof of_replays / sizeof *of_replays };

static void add(rp_exec *exec, rp_counter which, uint64_t more) {
    atomic_ullong *value = &exec->counts.values[which];
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

void rp_exec_count_replay(rp_exec *exec, const rp_slot *slot) {
    const rp_replay_weight *weights = rp_form_slot(exec, slot, slot->ran)->weights;
    for (uint32_t i = 0; i < OF_REPLAYS; i++) {
        rp_counter which = of_replays[i];
        add(exec, which, weights[slot->recording].counts[which]);
    }
}

void rp_exec_count_barrier(rp_exec *exec, rp_barrier barrier) {
    if (barrier.src == 0 && barrier.dst == 0) return;
    add(exec, RP_COUNT_barriers, 1);
    add(exec, counter_of(barrier), 1);
}

void rp_execs_add(rp_exec *exec) {
    rp_device *device = exec->device;
    pthread_mutex_lock(&device->execs_mutex);
    exec->behind = device->execs;
    if (exec->behind) exec->behind->before = exec;
    device->execs = exec;
    pthread_mutex_unlock(&device->execs_mutex);
}

void rp_execs_remove(rp_exec *exec) {
    rp_device *device = exec->device;
    pthread_mutex_lock(&device->execs_mutex);
    if (exec->before)
        exec->before->behind = exec->behind;
    else
        device->execs = exec->behind;
    if (exec->behind) exec->behind->before = exec->before;
    for (uint32_t i = 0; i < OF_REPLAYS; i++)
        rp_count(&device->counts, of_replays[i],
                 atomic_load_explicit(&exec->counts.values[of_replays[i]], memory_order_relaxed));
    pthread_mutex_unlock(&device->execs_mutex);
}

rp_status rp_device_get_counters(rp_device *device, rp_counters *counters) {
    if (!device || !counters) return RP_ERROR_USAGE;
    pthread_mutex_lock(&device->execs_mutex);
    rp_counts all = {0};
    for (uint32_t i = 0; i < RP_COUNTERS; i++)
        all.values[i] = atomic_load_explicit(&device->counts.values[i], memory_order_relaxed);
    for (const rp_exec *exec = device->execs; exec; exec = exec->behind)
        for (uint32_t i = 0; i < OF_REPLAYS; i++)
            rp_count(
                &all, of_replays[i],
                atomic_load_explicit(&exec->counts.values[of_replays[i]], memory_order_relaxed));
    pthread_mutex_unlock(&device->execs_mutex);
    const rp_counters own = rp_counts_read(&all);
    return rp_sized_give(&own, sizeof own, counters) ? RP_OK : RP_ERROR_USAGE;
}

static int by_address(const void *left, const void *right) {
    const rp_storage *a = *(rp_storage *const *)left, *b = *(rp_storage *const *)right;
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

/* Adds what the slots of an exec or a part lie in. */
static size_t list_storages(const rp_exec *exec, const rp_slot *slots, rp_storage **out) {
    uint32_t buffers = rp_plan_count(exec->plan, RP_SECTION_BUFFERS);
    size_t count = 0;
    for (uint32_t s = 0; s < exec->slots_count; s++) {
        const rp_slot *slot = &slots[s];
        for (uint32_t i = 0; i < buffers; i++) out[count++] = slot->places[i].storage;
        out[count++] = slot->arena.storage;
        out[count++] = slot->live_block.storage;
        out[count++] = slot->run_sets.tables;
        out[count++] = exec->runs.probe;
    }
    return count;
}

rp_status rp_slots_memory(const rp_exec *exec, const rp_slot *slots, rp_slot *const *parts,
                          uint64_t *out_bytes) {
    size_t count = 0, each = 0;
    for (uint32_t f = 0; f <= exec->part_count; f++)
        each += (size_t)rp_plan_count(rp_form_exec(exec, f)->plan, RP_SECTION_BUFFERS) + 4;
    rp_storage **all = rp_alloc(&exec->device->allocator, each * exec->slots_count, sizeof *all);
    if (!all) return RP_ERROR_NO_MEMORY;
    for (uint32_t f = 0; f < exec->part_count; f++)
        count += list_storages(exec->parts[f], parts[f], all + count);
    count += list_storages(exec, slots, all + count);
    qsort(all, count, sizeof *all, by_address);
    *out_bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (all[i] && (i == 0 || all[i] != all[i - 1])) *out_bytes += all[i]->memory_bytes;
    rp_release(&exec->device->allocator, all);
    return RP_OK;
}

void rp_exec_count_memory(rp_exec *exec, uint64_t bytes) {
    rp_uncount_memory(&exec->counts, rp_counts_read(&exec->counts).memory_bytes);
    rp_count_memory(&exec->counts, bytes);
}

/* Adds what an exec has counted, and what its parts have while they were made. */
void rp_counts_sum(rp_counts *all, const rp_exec *exec) {
    for (uint32_t f = 0; f <= exec->part_count; f++) {
        const rp_counts *counts = &rp_form_exec(exec, f)->counts;
        for (uint32_t i = 0; i < RP_COUNTERS; i++)
            rp_count(all, i, atomic_load_explicit(&counts->values[i], memory_order_relaxed));
    }
}

rp_status rp_exec_get_counters(rp_exec *exec, rp_counters *counters) {
    if (!exec || !counters) return RP_ERROR_USAGE;
    rp_preparation_progress progress = {sizeof progress};
    rp_exec_lock(exec);
    rp_counts all = {0};
    rp_counts_sum(&all, exec);
    rp_counters own = rp_counts_read(&all);
    (void)rp_preparation_get_progress(exec->pipelines, &progress);
    rp_exec_unlock(exec);
    own.pipelines = progress.total; /* they may come about while the exec is there */
    own.pipelines_created = progress.created;
    own.pipelines_cached = progress.from_cache;
    return rp_sized_give(&own, sizeof own, counters) ? RP_OK : RP_ERROR_USAGE;
}
