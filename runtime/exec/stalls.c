/* Plans with tagged buffers: which form a replay takes, and what becomes of one that gave up.
 *
 * A plan with tagged buffers is recorded in three forms (docs/checker.md). Two have the fewer barriers,
 * and differ in the tag that elements are stored and waited for with: they take turns, so that no word of
 * the replay before looks like one of this. They count on two things: that the driver starts in order
 * what was submitted in order, which the driver table says, and that all words hold the tag of an earlier
 * replay of another tag. The third form has the barriers of a plan without tags, a tag of its own, and
 * counts on nothing; it is for applications that submit commands on their own, for the first replay in
 * memory that anything may lie in, and behind one that was broken off.
 *
 * Where the order of starts is not kept after all, workgroups that wait give up after a while, set a word
 * that the host reads, and leave. Nothing hangs, results are wrong. The exec takes the third form from
 * then on, and whoever takes those results is told: waiting for such a replay and reading what it left
 * fail, always. Who does neither, but polls, or waits for a semaphore, and looks into mapped memory,
 * cannot be told at once; so the next submission fails, unless some call said it before, rather than
 * go on from wrong results. For that it reads one word of a replay that nobody has waited for. */
#include "driver/quirks.h"
#include "exec/exec.h"

/* The tags of the forms; any but 0, which memory holds that was cleared. */
static const uint32_t tags[RP_RECORDINGS] = {
    [RP_RECORD_BARRIERS] = 3, [RP_RECORD_ODD] = 1, [RP_RECORD_EVEN] = 2};

uint32_t rp_recording_tag(rp_recording recording) {
    return tags[recording];
}

static bool has_tags(const rp_plan *plan) {
    return rp_plan_count(plan, RP_SECTION_TAGGED_BARRIERS) != 0;
}

bool rp_node_is_tagged(const rp_plan *plan, const rp_plan_node *node) {
    if (!has_tags(plan)) return false;
    for (uint32_t i = 0; i < node->use_count; i++)
        if (rp_plan_buffers(plan)[rp_plan_uses(plan)[node->first_use + i].buffer].tagged)
            return true;
    return false;
}

rp_status rp_stalls_plan(rp_exec *exec, rp_diags *diags) {
    rp_tags mode = exec->params.tags;
    if (mode != RP_TAGS_AUTO && mode != RP_TAGS_OFF && mode != RP_TAGS_ON) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "rp_exec_params.tags is %d: no rp_tags",
                     (int)mode);
        return RP_ERROR_USAGE;
    }
    /* Layers that look for missing barriers know nothing of tags. */
    bool ordered = exec->device->quirks & RP_QUIRK_ORDERED_STARTS && !exec->device->validation;
    exec->waits = has_tags(exec->plan) && (mode == RP_TAGS_ON || (mode == RP_TAGS_AUTO && ordered));
    return RP_OK;
}

/* What the application lends it may use between replays. */
uint32_t rp_slot_recordings(const rp_exec *exec, const rp_slot *slot) {
    const rp_plan_buffer *buffers = rp_plan_buffers(exec->plan);
    bool own = exec->waits && has_tags(exec->plan);
    for (uint32_t i = exec->plan->external_count;
         own && i < rp_plan_count(exec->plan, RP_SECTION_BUFFERS); i++)
        if (buffers[i].tagged)
            own = slot->places[i].own ||
                  (slot->arena.own && slot->places[i].storage == slot->arena.storage);
    return own ? RP_RECORDINGS : 1;
}

void rp_slot_choose(const rp_exec *exec, rp_slot *slot) {
    rp_recording last = slot->recording;
    if (rp_form_slot(exec, slot, slot->ran)->recordings == 1 || !exec->waits || !slot->settled) {
        slot->recording = RP_RECORD_BARRIERS;
        slot->settled = true;
        return;
    }
    slot->recording = last == RP_RECORD_ODD ? RP_RECORD_EVEN : RP_RECORD_ODD;
}

/* ---- Stalls ---------------------------------------------------------------------------------- */

static bool form_has_stalled(const rp_exec *exec, const rp_slot *slot) {
    if (slot->recordings == 1 || !slot->live_block.mapped) return false;
    volatile const uint32_t *word =
        (const void *)(slot->live_block.mapped + exec->live.stall_offset);
    return *word != 0;
}

static bool has_stalled(const rp_exec *exec, const rp_slot *slot) {
    for (uint32_t f = 0; f <= exec->part_count; f++)
        if (form_has_stalled(rp_form_exec(exec, f), rp_form_slot(exec, slot, f))) return true;
    return false;
}

static void note_stall(rp_exec *exec) {
    exec->waits = false;
    exec->stalled = exec->submitted;
    exec->stall_untold = true;
    rp_exec_count(exec, RP_COUNT_stalls, 1);
}

void rp_exec_look_for_stalls(rp_exec *exec) {
    if (!exec->waits || !exec->slots) return; /* a creation that failed has none */
    for (uint32_t s = 0; s < exec->slots_count; s++)
        if (has_stalled(exec, &exec->slots[s])) {
            note_stall(exec);
            return;
        }
    exec->unstalled = exec->completed;
}

rp_status rp_exec_report_stall(rp_exec *exec, uint64_t replay, rp_diags *diags) {
    if (replay <= exec->unstalled || replay > exec->stalled) return RP_OK;
    exec->stall_untold = false;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                 "replay %llu gave up waiting for elements of a tagged buffer: the driver does not "
                 "start in order what comes in order. Its results, and those of all replays up to "
                 "%llu, are not to be used; later ones have all barriers",
                 (unsigned long long)replay, (unsigned long long)exec->stalled);
    return RP_ERROR_STALLED;
}

rp_status rp_exec_require_told(rp_exec *exec, const rp_slot *slot, rp_diags *diags) {
    if (exec->waits && slot->replay > exec->unstalled && has_stalled(exec, slot)) note_stall(exec);
    if (!exec->stall_untold) return RP_OK;
    rp_status status = rp_exec_report_stall(exec, exec->stalled, diags);
    if (status != RP_OK)
        rp_diags_add(diags, RP_NOTE, NULL, 0, 0,
                     "nothing was submitted, since no call has said that before; the next one is");
    return status;
}
