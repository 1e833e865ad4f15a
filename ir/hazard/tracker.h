/* Internal: which accesses to bytes conflict, found one access after the other.
 *
 * The one place where hazards are concluded for everybody but the checker: the walk over a
 * scheduled graph or plan (hazard/walk.h), and direct mode, which has no graph. A tracker knows
 * nothing of either. Memory is a number of spaces, each with bytes of its own; accesses are made by
 * steps, which only grow. For every byte it keeps the last write and the reads since then, compares
 * each new access with those, and reports what conflicts; earlier accesses are ordered
 * transitively. Whether something already orders the two is the caller's question (hazard/cover.h).
 *
 * Cost: O(log pieces) an access, plus the reports; O(1) for bytes that the caller has a hint for.
 * Once the arrays have grown, an access that comes back with the same pieces allocates nothing, and
 * rp_tracker_clear keeps what was allocated, the pieces too while most of them are used again.
 */
#ifndef RP_HAZARD_TRACKER_H
#define RP_HAZARD_TRACKER_H

#include "base/fold.h"
#include "base/scope.h"

enum { RP_READ_KINDS = 5, RP_WRITE_KINDS = 2 }; /* scope bits that read, that write; without host */

#define RP_NO_STEP UINT32_MAX

/* A new access to bytes [lo, hi) of a space, through what the caller calls `tag` (a buffer). `read`
 * and `write` are one scope bit each, or RP_SCOPE_NONE. */
typedef struct rp_touch {
    uint32_t space, tag;
    uint64_t lo, hi;
    uint32_t read, write;
} rp_touch;

/* An earlier access, as far as it is known: its step, its tag, its scope bit. */
typedef struct rp_touched {
    uint32_t step, tag, scope;
} rp_touched;

/* The new access and an earlier one conflict on bytes [lo, hi) of the space; `dst` is the scope bit of
 * the new one. */
typedef void rp_conflict_visit(void *context, const rp_touch *touch, rp_hazard_kind kind,
                               const rp_touched *earlier, uint32_t dst, uint64_t lo, uint64_t hi);

/* What the tracker keeps; see tracker.c. */
typedef struct rp_tracker_reader {
    rp_touched by;
    uint32_t next;
    uint32_t latest[RP_READ_KINDS]; /* from here to the list's end */
} rp_tracker_reader;

typedef struct rp_tracker_cell {
    rp_touched by;    /* the last write; step RP_NO_STEP: none */
    uint32_t readers; /* since then; UINT32_MAX: none */
    uint32_t era;     /* the tracker's; of another one, it stands for bytes that nothing touched */
    bool shared;      /* by several pieces, or so it may be: never changed, but replaced */
} rp_tracker_cell;

/* Where an access found its bytes, kept by the caller for the next access to the very same bytes of
 * whatever space. Zero knows nothing. It holds until all pieces are dropped, which is a new issue, or
 * the cell is shared: a cell that is not is that of one piece, the one it was made for. */
typedef struct rp_tracker_hint {
    uint64_t issue;
    uint32_t space, cell;
} rp_tracker_hint;

typedef struct rp_tracker_whole rp_tracker_whole;

/* A piece that was touched not long ago, and where the map keeps its value: as long as the space is in
 * its age. */
typedef struct rp_recent_piece {
    uint64_t lo, hi;
    uint32_t *value;
    uint64_t age;
} rp_recent_piece;

enum { RP_RECENT_PIECES = 8 };

/* The bytes of a space. It gets older when its pieces change. */
typedef struct rp_tracker_space {
    rp_interval_map map;
    uint64_t age;                             /* from 1 */
    rp_recent_piece recent[RP_RECENT_PIECES]; /* by where they begin */
} rp_tracker_space;

typedef struct rp_tracker {
    const rp_allocator *a;
    rp_conflict_visit *visit;
    void *context;
    uint32_t named; /* of many readers of the same bytes so many are reported, and of each kind the
                     * latest in any case: whoever orders those orders all */

    rp_tracker_space *spaces;
    uint32_t space_count, space_capacity;
    rp_interval_pool leaves;
    rp_tracker_reader *readers;
    uint32_t reader_count, reader_capacity;
    rp_tracker_cell *cells;
    uint32_t cell_count, cell_capacity;
    rp_folds folds;
    rp_tracker_whole *wholes; /* per fold */
    uint32_t whole_count, whole_capacity;

    uint32_t step;
    uint32_t era;      /* from 1; begun by each clearing */
    uint64_t issue;    /* of hints, from 1 */
    uint32_t placed;   /* cells of earlier eras, and of pieces put where nothing was */
    uint32_t replaced; /* the others, of earlier eras */
    bool fading;
    const rp_touch *touch; /* the one being looked at */
    uint32_t seen_cell, seen_result;
    uint32_t pieces, piece_limit; /* of the range being read */
    bool touched;                 /* some of it read by the current step, in another access */
    uint32_t fresh;               /* the cell of the write */
    uint32_t done;                /* fading: the cell of bytes that were written since */
    bool failed;
} rp_tracker;

/* `a` and `context` must outlive the tracker. */
void rp_tracker_init(rp_tracker *tracker, const rp_allocator *a, uint32_t named,
                     rp_conflict_visit *visit, void *context);
void rp_tracker_free(rp_tracker *tracker);
/* Makes spaces until there are `count`. False without memory. */
bool rp_tracker_spaces(rp_tracker *tracker, uint32_t count);
/* Forgets every access; spaces and memory are kept. So are the pieces, as bytes that nothing touched,
 * unless they are mostly cut and joined in other ways each time. */
void rp_tracker_clear(rp_tracker *tracker);

/* The step that makes the accesses that follow: more than the last one, below RP_NO_STEP. */
static inline void rp_tracker_step(rp_tracker *tracker, uint32_t step) {
    tracker->step = step;
}

/* From here on accesses are compared with those before, and not with each other. False without
 * memory. */
bool rp_tracker_fade(rp_tracker *tracker);

/* Reports what conflicts with `touch`, and remembers it. A step does not conflict with itself: its
 * accesses are given those that only read first. False without memory: the tracker is then good
 * for nothing but rp_tracker_clear and rp_tracker_free. */
bool rp_tracker_touch(rp_tracker *tracker, const rp_touch *touch);

/* Calls `visit` for each piece of a space that was written, in ascending order, with its last write.
 */
typedef void rp_written_visit(void *context, uint64_t lo, uint64_t hi, const rp_touched *by);
void rp_tracker_written(const rp_tracker *tracker, uint32_t space, uint64_t lo, uint64_t hi,
                        rp_written_visit *visit, void *context);

#endif
