/* Internal: the hazards of something scheduled, on physical bytes.
 *
 * The nodes are walked in order, twice in a row (two replays). Each access is compared with the
 * last write of its bytes and with the reads since then (hazard/tracker.h). What the nodes are, those
 * of a graph (graph/hazards.h) or of a plan (plan/reasons.h), is told by callbacks.
 */
#ifndef RP_HAZARD_WALK_H
#define RP_HAZARD_WALK_H

#include "hazard/tracker.h"

enum { RP_HAZARD_HOST = UINT32_MAX };

/* Two conflicting accesses with nothing between them. `from` and `to` are node indices; `to` is
 * RP_HAZARD_HOST when the host reads results at the end. */
typedef struct rp_hazard {
    uint64_t offset, size; /* of the shared bytes, relative to to_buffer */
    uint32_t from, to;
    uint32_t from_buffer,
        to_buffer;     /* different when two transients share bytes; UINT32_MAX for order */
    uint16_t src, dst; /* rp_scope bit of either access; RP_SCOPE_ANY for order */
    uint8_t kind;      /* rp_hazard_kind */
    bool next_replay;  /* `to` belongs to the following replay */
} rp_hazard;

/* What a node is to the walk. */
typedef enum rp_step_kind {
    RP_STEP_WORK,
    RP_STEP_UNKNOWN, /* may touch anything: ordered against everything */
    RP_STEP_FENCE    /* touches nothing, orders everything */
} rp_step_kind;

/* Where a buffer lies: bytes [base, base + size) of a space. `result`: the host reads it. */
typedef struct rp_walk_buffer {
    uint32_t space;
    uint64_t base, size;
    bool result;
} rp_walk_buffer;

/* A use of a buffer, relative to it; `read` and `write` are scope bits. */
typedef struct rp_walk_use {
    uint32_t buffer;
    uint64_t offset, size;
    uint32_t read, write;
} rp_walk_use;
typedef bool rp_walk_visit(void *context, const rp_walk_use *use);

typedef struct rp_walk_source {
    const rp_allocator *allocator;
    const void *program;
    uint32_t node_count, buffer_count, space_count;
    rp_step_kind (*kind)(const void *program, uint32_t node);
    /* The uses of a node, those that only read first. Stops, and returns false, when `visit` does. */
    bool (*uses)(const void *program, uint32_t node, rp_walk_visit *visit, void *context);
    rp_walk_buffer (*buffer)(const void *program, uint32_t buffer);
} rp_walk_source;

/* Calls `visit` for each hazard, ordered by `to` in plan order (those with next_replay last, then
 * the host's). At most one call per (kind, from, to, to_buffer) for neighbouring bytes. To bound
 * the work, of many readers of the same bytes the latest few per scope bit are reported, and of
 * many pieces that are used as a whole again the latest writer per scope bit; whoever orders those
 * orders all. Stops early when `visit` returns other than RP_OK. */
typedef rp_status rp_hazard_visit(void *context, const rp_hazard *hazard);
rp_status rp_walk_hazards(const rp_walk_source *source, rp_hazard_visit *visit, void *context);

#endif
