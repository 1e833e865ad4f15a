/* Why each barrier of a plan stands; see reasons.h.
 *
 * The hazards of the plan's nodes are walked, and each is attributed to the barrier that orders it:
 * the same code that placed the barriers and that prints their reasons, so all three agree. */
#include "plan/reasons.h"

#include "hazard/boundary.h"

static const rp_plan_node *node_at(const rp_plan *plan, uint32_t node) {
    return (const rp_plan_node *)rp_plan_records(plan, RP_SECTION_NODES) + node;
}

static rp_step_kind kind(const void *program, uint32_t node) {
    const rp_plan_node *n = node_at(program, node);
    return n->kind == RP_FENCE          ? RP_STEP_FENCE
           : n->flags & RP_NODE_UNKNOWN ? RP_STEP_UNKNOWN
                                        : RP_STEP_WORK;
}

static bool visit_uses(const void *program, uint32_t node, rp_walk_visit *visit, void *context) {
    const rp_plan_node *n = node_at(program, node);
    const rp_plan_use *uses =
        (const rp_plan_use *)rp_plan_records(program, RP_SECTION_USES) + n->first_use;
    bool compute = n->kind == RP_RUN;
    for (uint32_t phase = 0; phase < 2; phase++)
        for (uint32_t i = 0; i < n->use_count; i++) {
            const rp_plan_use *u = &uses[i];
            const rp_walk_use use = {u->buffer, u->offset, u->size,
                                     rp_scope_of_read(compute, u->indirect, u->access),
                                     rp_scope_of_write(compute, u->indirect, u->access)};
            if ((use.write != RP_SCOPE_NONE) == (phase == 1) && !visit(context, &use)) return false;
        }
    return true;
}

/* One space per buffer outside the arena, and one for the arena behind them. */
static rp_walk_buffer place(const void *program, uint32_t buffer) {
    const rp_plan *plan = program;
    const rp_plan_buffer *b =
        (const rp_plan_buffer *)rp_plan_records(plan, RP_SECTION_BUFFERS) + buffer;
    bool in_arena = rp_plan_in_arena(b);
    return (rp_walk_buffer){.space = in_arena ? rp_plan_count(plan, RP_SECTION_BUFFERS) : buffer,
                            .base = in_arena ? b->offset : 0,
                            .size = b->size,
                            .result = b->kind == RP_OUT || b->kind == RP_INOUT};
}

enum {
    NEXT = RP_HAZARD_KINDS
}; /* of kinds[]: where the bits of hazards to the next replay begin */

typedef struct attribution {
    const rp_plan *plan;
    rp_boundaries boundaries;
    uint8_t *kinds; /* of hazard by barrier, as bits */
} attribution;

static rp_status attribute(void *context, const rp_hazard *h) {
    attribution *a = context;
    uint32_t from = node_at(a->plan, h->from)->group, boundary;
    uint32_t to = h->to == RP_HAZARD_HOST ? a->boundaries.count : node_at(a->plan, h->to)->group;
    if (!h->next_replay && from == to) return RP_OK; /* no barrier stands between them */
    if (!rp_boundary_of(&a->boundaries, h, from, to, &boundary)) return RP_ERROR_NO_MEMORY;
    if (boundary != RP_NO_BOUNDARY)
        a->kinds[boundary] |= (uint8_t)(1u << h->kind << (h->next_replay ? NEXT : 0));
    return RP_OK;
}

rp_status rp_plan_barrier_reasons(const rp_plan *plan, uint8_t *reasons) {
    attribution a = {.plan = plan,
                     .boundaries = {.a = &plan->allocator,
                                    .barriers = rp_plan_records(plan, RP_SECTION_BARRIERS),
                                    .count = rp_plan_count(plan, RP_SECTION_BARRIERS)},
                     .kinds = reasons};
    const rp_walk_source source = {.allocator = &plan->allocator,
                                   .program = plan,
                                   .node_count = rp_plan_count(plan, RP_SECTION_NODES),
                                   .buffer_count = rp_plan_count(plan, RP_SECTION_BUFFERS),
                                   .space_count = rp_plan_count(plan, RP_SECTION_BUFFERS) + 1,
                                   .kind = kind,
                                   .uses = visit_uses,
                                   .buffer = place};
    uint32_t count = a.boundaries.count;
    memset(reasons, 0, count);
    rp_status status = rp_walk_hazards(&source, attribute, &a);
    for (uint32_t i = 0; i < count; i++) {
        rp_barrier b = a.boundaries.barriers[i];
        uint32_t within = reasons[i] & ((1u << NEXT) - 1),
                 kinds = within ? within : reasons[i] >> NEXT;
        reasons[i] = b.src && b.dst ? (uint8_t)rp_barrier_reason(kinds) : RP_NO_BARRIER;
    }
    rp_boundaries_free(&a.boundaries);
    return status;
}
