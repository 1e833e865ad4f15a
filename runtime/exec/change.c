/* Changing an exec that is there: other memory for its buffers, or another plan.
 *
 * Both make what is new beside what is old and exchange the two when all of it has come about, so
 * that a failure leaves the exec as it was. */
#include "exec/exec.h"

#include "base/image.h"

#include "base/given.h"
#include "base/sized.h"

/* ---- Binding anew ---------------------------------------------------------------------------- */

/* Whether a binding moves a buffer of that slot. */
static bool concerns(const rp_exec *exec, const rp_binding *bindings, uint32_t count,
                     uint32_t slot) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index;
        if (bindings[i].slot == RP_ALL_SLOTS || bindings[i].slot == slot) return true;
        if (bindings[i].buffer && rp_exec_look_up(exec, bindings[i].buffer, &index) == RP_OK &&
            rp_slots_share(exec, &rp_plan_buffers(exec->plan)[index]))
            return true;
    }
    return false;
}

/* What a slot knows of its replays. The next one waits for all of the exec by semaphore: the host
 * knows that they are done, but what they wrote becomes visible to other accesses, of another plan
 * or to memory under another name, by a dependency on the device alone. */
static void keep_replays(const rp_exec *exec, const rp_slot *old, rp_slot *new) {
    new->replay = old->replay;
    new->reserved = old->reserved;
    new->left_off = old->left_off;
    new->wait_for = exec->submitted;
    new->recorded = exec->submitted;
}

/* Exchanges a slot's memory and recordings. */
static void exchange_slots(const rp_exec *exec, rp_slot *a, rp_slot *b) {
    rp_slot old = *a;
    *a = *b;
    *b = old;
    keep_replays(exec, b, a);
}

static rp_status require_all_idle(rp_exec *exec, const rp_binding *bindings, uint32_t count,
                                  bool all, rp_diags *diags) {
    for (uint32_t s = 0; s < exec->slots_count; s++)
        if (all || concerns(exec, bindings, count, s)) RP_TRY(rp_exec_require_idle(exec, s, diags));
    return RP_OK;
}

/* Places, descriptors and recordings of `next` as the bindings want them. */
static rp_status make_slots(rp_exec *exec, rp_slot *next, rp_slot **parts,
                            const rp_binding *bindings, uint32_t count, rp_diags *diags,
                            bool *out_all, uint64_t *out_bytes) {
    bool ordered, before = exec->ordered;
    RP_TRY(rp_slots_bind(exec, next, bindings, count, diags));
    RP_TRY(rp_slots_inherit(exec, next, exec, diags));
    RP_TRY(rp_slots_place(exec, next, diags, &ordered));
    RP_TRY(rp_parts_place(exec, next, true, parts, diags));
    RP_TRY(rp_slots_memory(exec, next, parts, out_bytes));
    *out_all = ordered != before; /* every recording begins otherwise */
    RP_TRY(require_all_idle(exec, bindings, count, *out_all, diags));
    rp_exec_set_ordered(exec, ordered);
    rp_status status = RP_OK;
    for (uint32_t s = 0; s < exec->slots_count && status == RP_OK; s++) {
        if (!*out_all && !concerns(exec, bindings, count, s)) continue;
        memcpy(next[s].live.copy, exec->slots[s].live.copy, exec->live.size);
        memcpy(next[s].live.off, exec->slots[s].live.off, exec->switches.count * sizeof(bool));
        status = rp_slot_prepare(exec, &next[s], &exec->slots[s], diags);
        if (status == RP_OK) status = rp_parts_prepare(exec, parts, s, true, diags);
    }
    for (uint32_t s = 0; s < exec->slots_count && status == RP_OK; s++) {
        if (!*out_all && !concerns(exec, bindings, count, s)) continue;
        status = rp_live_refresh(&exec->live, &next[s].live, diags);
        if (status == RP_OK) status = rp_forms_choose(exec, &next[s], s, parts, diags);
    }
    if (status != RP_OK) rp_exec_set_ordered(exec, before);
    return status;
}

rp_status rp_exec_bind(rp_exec *exec, const rp_binding *bindings, uint32_t count, rp_diags *diags) {
    if (!exec || !rp_array_given(bindings, count, "bindings", diags)) return RP_ERROR_USAGE;
    bool all = false;
    uint64_t bytes = 0;
    rp_exec_lock(exec);
    rp_status status = require_all_idle(exec, bindings, count, false, diags);
    rp_slot *next = status == RP_OK ? rp_slots_create(exec) : NULL, *parts[RP_MAX_FORMS] = {0};
    if (status == RP_OK && !next) status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK)
        status = make_slots(exec, next, parts, bindings, count, diags, &all, &bytes);
    for (uint32_t s = 0; s < exec->slots_count && status == RP_OK; s++)
        if (all || concerns(exec, bindings, count, s)) {
            exchange_slots(exec, &exec->slots[s], &next[s]);
            for (uint32_t i = 0; i < exec->part_count; i++)
                exchange_slots(exec->parts[i], &exec->parts[i]->slots[s], &parts[i][s]);
        }
    rp_slots_free(exec, next);
    rp_parts_free_slots(exec, parts);
    if (status == RP_OK) {
        rp_exec_count_memory(exec, bytes);
        exec->round++;
    }
    rp_exec_unlock(exec);
    return status;
}

/* ---- Another plan ---------------------------------------------------------------------------- */

static const char *const result_names[] = {
#define RP_X(symbol, value, name) name,
    RP_UPDATE_RESULT_LIST(RP_X)
#undef RP_X
};

const char *rp_update_result_name(rp_update_result result) {
    return (uint32_t)result < sizeof result_names / sizeof *result_names ? result_names[result]
                                                                         : "unknown";
}

/* What of the buffers that the application sees differs; out_name: of which. Blocks of push
 * constants that follow live values are the plan's own. */
static rp_update_result compare_buffers(const rp_plan *old, const rp_plan *new,
                                        const char **out_name) {
    const rp_plan_buffer *a = rp_plan_buffers(old), *b = rp_plan_buffers(new);
    for (uint32_t i = 0; i < new->external_count; i++) {
        uint32_t j = 0;
        if (b[i].follow_count) continue;
        *out_name = rp_plan_string(new, b[i].name);
        while (j < old->external_count && strcmp(rp_plan_string(old, a[j].name), *out_name) != 0)
            j++;
        if (j == old->external_count) return RP_UPDATE_BUFFER_ADDED;
        if (a[j].kind != b[i].kind) return RP_UPDATE_BUFFER_KIND;
        const rp_image_shape was = rp_plan_image(&a[j]), is = rp_plan_image(&b[i]);
        if (a[j].size != b[i].size || a[j].dtype != b[i].dtype || !rp_image_same(&was, &is))
            return RP_UPDATE_BUFFER_SIZE;
    }
    for (uint32_t i = 0; i < old->external_count; i++) {
        uint32_t j = 0;
        if (a[i].follow_count) continue;
        *out_name = rp_plan_string(old, a[i].name);
        while (j < new->external_count && strcmp(rp_plan_string(new, b[j].name), *out_name) != 0)
            j++;
        if (j == new->external_count) return RP_UPDATE_BUFFER_REMOVED;
    }
    *out_name = NULL;
    return RP_UPDATE_DONE;
}

/* Counts the buffers that the application made; blocks of push constants are none. */
static void count_buffers(const rp_exec *next, const rp_exec *old, rp_update_report *report) {
    const rp_plan_buffer *buffers = rp_plan_buffers(next->plan);
    const rp_slot *a = next->slots, *b = old->slots;
    for (uint32_t i = 0; i < next->plan->external_count; i++) {
        if (buffers[i].follow_count) continue;
        report->buffers++;
        for (uint32_t j = 0; j < old->plan->external_count; j++)
            if (a->places[i].storage == b->places[j].storage &&
                a->places[i].offset == b->places[j].offset) {
                report->buffers_kept++;
                break;
            }
    }
}

static bool arenas_kept(const rp_exec *a, const rp_exec *b) {
    for (uint32_t s = 0; s < a->slots_count; s++)
        if (a->slots[s].arena.storage != b->slots[s].arena.storage) return false;
    return true;
}

/* The plan and all that was made from it. */
static void exchange_plans(rp_exec *a, rp_exec *b) {
#define EXCHANGE(member)                                                                           \
    do {                                                                                           \
        __typeof__(a->member) swapped = a->member;                                                 \
        a->member = b->member;                                                                     \
        b->member = swapped;                                                                       \
    } while (0)
    uint64_t value = a->pieces_timeline ? rp_exec_piece_value(a, a->submitted, a->pieces) : 0;
    for (uint32_t s = 0; s < a->slots_count; s++) {
        keep_replays(a, &a->slots[s], &b->slots[s]);
        a->slots[s].replay = 0; /* nothing of it is in flight */
    }
    EXCHANGE(plan);
    EXCHANGE(pipelines);
    EXCHANGE(runs);
    EXCHANGE(live);
    EXCHANGE(scopes);
    EXCHANGE(wants);
    EXCHANGE(takeovers);
    EXCHANGE(takeovers_count);
    EXCHANGE(image_barriers);
    EXCHANGE(slots);
    EXCHANGE(ordered);
    EXCHANGE(cuts);
    EXCHANGE(pieces);
    EXCHANGE(parts);
    EXCHANGE(part_count);
    EXCHANGE(of_forms);
    EXCHANGE(first_kernel);
    EXCHANGE(arena_bytes);
    EXCHANGE(ranged);
    EXCHANGE(ranged_count);
    EXCHANGE(before_set);
    a->last_form = RP_UNSET;
    /* Where starts turned out to be in another order they are for another plan, too. */
    a->waits = b->waits && !a->stalled;
    if (!a->stalled) a->unstalled = a->submitted;
    /* Somebody may still be on the way out of a wait for the old one: it stays. */
    if (!a->pieces_timeline) EXCHANGE(pieces_timeline);
    a->pieces_replay = a->submitted;
    a->pieces_value = value;
#undef EXCHANGE
}

/* What making the new parts has counted becomes the exec's. */
static void add_counts(rp_exec *exec, const rp_exec *made) {
    for (uint32_t i = 0; i < RP_COUNTERS; i++)
        if (i != RP_COUNT_memory_bytes && i != RP_COUNT_memory_peak_bytes)
            rp_count(&exec->counts, i,
                     atomic_load_explicit(&made->counts.values[i], memory_order_relaxed));
}

static rp_status update(rp_exec *exec, const rp_plan *plan, rp_update_report *report,
                        rp_diags *diags) {
    const char *name;
    RP_TRY(rp_exec_require_idle(exec, RP_ALL_SLOTS, diags));
    report->result = compare_buffers(exec->plan, plan, &name);
    if (report->result != RP_UPDATE_DONE) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "the plan is not an update: %s %s; create an exec for it", name,
                     rp_update_result_name(report->result));
        return RP_ERROR_INVALID;
    }
    rp_exec *next = NULL;
    rp_status status = rp_exec_make(exec->device, plan, &exec->params, exec, diags, &next);
    if (status != RP_OK) {
        report->result = RP_UPDATE_FAILED;
        return status;
    }
    count_buffers(next, exec, report);
    for (uint32_t s = 0; s < next->slots_count; s++) {
        for (uint32_t f = 0; f <= next->part_count; f++) {
            const rp_slot *slot = rp_form_slot(next, &next->slots[s], f);
            report->descriptor_sets += slot->descriptors.count;
            report->descriptor_sets_kept += slot->descriptors.kept;
        }
    }
    report->arena_kept = arenas_kept(next, exec);
    rp_counters counters = {.size = sizeof counters};
    RP_TRY(rp_exec_get_counters(next, &counters));
    report->pipelines = (uint32_t)counters.pipelines;
    report->pipelines_created = (uint32_t)counters.pipelines_created;
    report->record_ns = counters.record_ns;
    report->pipeline_ns = counters.pipeline_ns;
    add_counts(exec, next);
    for (uint32_t i = 0; i < exec->part_count; i++) add_counts(exec, exec->parts[i]);
    rp_exec_count_memory(exec, counters.memory_bytes);
    exchange_plans(exec, next);
    exec->round++;
    rp_exec_destroy(next);
    return RP_OK;
}

rp_status rp_exec_update(rp_exec *exec, const rp_plan *plan, rp_update_report *out_report,
                         rp_diags *diags) {
    rp_update_report report = {0};
    if (!exec || !plan) return RP_ERROR_USAGE;
    if (out_report && !rp_sized_give(&report, sizeof report, out_report))
        return rp_sized_refuse(diags, "rp_update_report");
    rp_exec_lock(exec);
    rp_status status = update(exec, plan, &report, diags);
    rp_exec_unlock(exec);
    if (out_report) (void)rp_sized_give(&report, sizeof report, out_report);
    return status;
}
