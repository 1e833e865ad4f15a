/* Which bytes of a buffer no node of a plan, in no form of it, writes: those that a use that writes does not name. A
 * node whose grid is not known may write less than its use says, and one without declared uses may
 * write anything: both count as writing all that they may. Cost: O(uses log pieces). */
#include "plan/format.h"

#include "base/interval_map.h"
#include "reprise/plan.h"

typedef struct gaps {
    rp_plan_bytes *out;
    uint32_t capacity, count;
} gaps;

static uint32_t note_gap(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    gaps *g = context;
    if (value != RP_ABSENT) return value;
    if (g->count < g->capacity) g->out[g->count] = (rp_plan_bytes){lo, hi - lo};
    g->count++;
    return value;
}

/* Marks what nodes write; false without memory. */
static bool mark_writes(const rp_plan *plan, uint32_t buffer, uint64_t size, rp_interval_map *map) {
    const rp_plan_node *nodes = rp_plan_records(plan, RP_SECTION_NODES);
    const rp_plan_use *uses = rp_plan_records(plan, RP_SECTION_USES);
    for (uint32_t i = 0; i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        if ((nodes[i].flags & RP_NODE_UNKNOWN) &&
            !rp_interval_map_set(&plan->allocator, map, 0, size, 0))
            return false;
        for (uint32_t k = 0; k < nodes[i].use_count; k++) {
            const rp_plan_use *u = &uses[nodes[i].first_use + k];
            bool writes = u->access == RP_WRITE || u->access == RP_READ_WRITE;
            if (writes && u->buffer == buffer &&
                !rp_interval_map_set(&plan->allocator, map, u->offset, u->offset + u->size, 0))
                return false;
        }
    }
    return true;
}

rp_status rp_plan_get_unwritten(const rp_plan *plan, uint32_t buffer, rp_plan_bytes *out,
                                uint32_t capacity, uint32_t *out_count) {
    if (out_count) *out_count = 0;
    if (!out_count || (!out && capacity) || buffer >= rp_plan_buffer_count(plan))
        return RP_ERROR_USAGE;
    const rp_plan_buffer *buffers = rp_plan_records(plan, RP_SECTION_BUFFERS);
    uint64_t size = buffers[buffer].size;
    gaps found = {.out = out, .capacity = capacity};
    rp_interval_map map = {0};
    bool room = mark_writes(plan, buffer, size, &map);
    for (uint32_t i = 0; i < plan->form_count && room; i++)
        room = mark_writes(&plan->forms[i], buffer, size, &map);
    if (room) rp_interval_map_each(&map, 0, size, note_gap, &found);
    rp_interval_map_free(&plan->allocator, &map);
    *out_count = found.count;
    return room ? RP_OK : RP_ERROR_NO_MEMORY;
}
