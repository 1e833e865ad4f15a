/* Internal: the tracker's short way, to be inlined where every access counts.
 *
 * Memory is mostly used in the same pieces again. An access to a piece that was touched not long ago,
 * or that the caller has a hint for, needs no search and moves no piece: it meets one cell. Whoever
 * encodes at once inlines that, together with what it does with a conflict; tracker.c does the same
 * through pointers.
 */
#ifndef RP_HAZARD_TOUCH_H
#define RP_HAZARD_TOUCH_H

#include "hazard/tracker.h"

static const uint8_t rp_read_kinds[RP_READ_KINDS] = {RP_SCOPE_COMPUTE_R, RP_SCOPE_COMPUTE_U,
                                                     RP_SCOPE_TRANSFER_R, RP_SCOPE_INDIRECT_R,
                                                     RP_SCOPE_COMPUTE_S};

static inline uint32_t rp_read_kind(uint32_t scope) {
    return scope == RP_SCOPE_COMPUTE_R    ? 0
           : scope == RP_SCOPE_COMPUTE_U  ? 1
           : scope == RP_SCOPE_TRANSFER_R ? 2
           : scope == RP_SCOPE_INDIRECT_R ? 3
                                          : 4;
}

/* Makes room for one cell and one reader. False without memory. */
bool rp_tracker_grow(rp_tracker *t);
/* Gives a piece whose cell is shared a copy of it. False without memory. */
bool rp_tracker_own_cell(rp_tracker *t, uint32_t *value);
/* rp_tracker_touch of bytes that are no recent piece. */
bool rp_tracker_touch_any(rp_tracker *t, const rp_touch *touch);
/* rp_tracker_touch, and what to know the bytes by the next time, if they are one piece. */
bool rp_tracker_touch_and_note(rp_tracker *t, const rp_touch *touch, rp_tracker_hint *hint);

/* Where a piece is remembered. */
static inline rp_recent_piece *rp_tracker_recent(rp_tracker_space *s, uint64_t lo) {
    return &s->recent[lo * UINT64_C(0x9e3779b97f4a7c15) >> 61];
}

/* Reports a conflict with an earlier access, unless the current step made it. */
static inline void rp_tracker_found(const rp_tracker *t, rp_conflict_visit *visit,
                                    const rp_touch *touch, rp_hazard_kind kind,
                                    const rp_touched *earlier, uint32_t dst, uint64_t lo,
                                    uint64_t hi) {
    if (earlier->step != t->step) visit(t->context, touch, kind, earlier, dst, lo, hi);
}

/* The index of a new cell or reader; without memory t->failed is set, and the result is a fold's or
 * none. */
static inline uint32_t rp_tracker_push_cell(rp_tracker *t, rp_tracker_cell c) {
    if (t->cell_count == t->cell_capacity && !rp_tracker_grow(t)) return RP_ABSENT;
    c.era = t->era;
    t->cells[t->cell_count] = c;
    return t->cell_count++;
}

static inline uint32_t rp_tracker_push_reader(rp_tracker *t, rp_touched by, uint32_t next) {
    if (t->reader_count == t->reader_capacity && !rp_tracker_grow(t)) return UINT32_MAX;
    uint32_t index = t->reader_count++;
    rp_tracker_reader *r = &t->readers[index];
    *r = (rp_tracker_reader){.by = by, .next = next};
    if (next != UINT32_MAX)
        memcpy(r->latest, t->readers[next].latest, sizeof r->latest);
    else
        memset(r->latest, 0xff, sizeof r->latest); /* UINT32_MAX */
    r->latest[rp_read_kind(by.scope)] = index;
    return index;
}

/* The latest reader of a kind in a list, apart from the current step; UINT32_MAX for none. */
static inline uint32_t rp_tracker_latest_other(const rp_tracker *t, uint32_t list, uint32_t kind) {
    uint32_t r = list == UINT32_MAX ? list : t->readers[list].latest[kind];
    while (r != UINT32_MAX && t->readers[r].by.step == t->step) {
        uint32_t next = t->readers[r].next;
        r = next == UINT32_MAX ? next : t->readers[next].latest[kind];
    }
    return r;
}

/* Reports the latest readers of a list, and the latest of each kind that is not among them; `old`:
 * those behind the list, of a fold, or NULL. */
static inline void rp_tracker_found_readers(const rp_tracker *t, rp_conflict_visit *visit,
                                            const rp_touch *touch, uint32_t list,
                                            const uint32_t *old, uint64_t lo, uint64_t hi) {
    uint32_t reported = 0, named = 0;
    for (uint32_t r = list; r != UINT32_MAX && reported < t->named; r = t->readers[r].next) {
        const rp_tracker_reader *cur = &t->readers[r];
        if (cur->by.step == t->step) continue;
        rp_tracker_found(t, visit, touch, RP_WAR_HAZARD, &cur->by, touch->write, lo, hi);
        named |= cur->by.scope;
        reported++;
    }
    for (uint32_t k = 0; k < RP_READ_KINDS; k++) {
        if (named & rp_read_kinds[k]) continue;
        uint32_t r = rp_tracker_latest_other(t, list, k);
        if (r == UINT32_MAX && old) r = old[k];
        if (r != UINT32_MAX)
            rp_tracker_found(t, visit, touch, RP_WAR_HAZARD, &t->readers[r].by, touch->write, lo,
                             hi);
    }
}

/* An access to all bytes of a cell that is not shared: reports what conflicts, and changes the cell. */
static inline __attribute__((always_inline)) bool
rp_tracker_meet(rp_tracker *t, rp_conflict_visit *visit, const rp_touch *touch, uint32_t cell) {
    rp_tracker_cell *c = &t->cells[cell];
    if (c->era != t->era) {
        c->era = t->era;
        c->by.step = RP_NO_STEP;
        c->readers = UINT32_MAX;
    } else if (c->by.step != RP_NO_STEP) {
        const rp_touch said = *touch; /* a copy for those who are told: touch stays in registers */
        if (touch->read)
            rp_tracker_found(t, visit, &said, RP_RAW_HAZARD, &c->by, said.read, said.lo, said.hi);
        if (touch->write)
            rp_tracker_found(t, visit, &said, RP_WAW_HAZARD, &c->by, said.write, said.lo, said.hi);
    }
    if (touch->write) {
        if (c->readers != UINT32_MAX) {
            const rp_touch said = *touch;
            const rp_tracker_reader *r = &t->readers[c->readers];
            if (r->next == UINT32_MAX) /* one, mostly */
                rp_tracker_found(t, visit, &said, RP_WAR_HAZARD, &r->by, said.write, said.lo,
                                 said.hi);
            else
                rp_tracker_found_readers(t, visit, &said, c->readers, NULL, said.lo, said.hi);
        }
        c->by = (rp_touched){t->step, touch->tag, touch->write};
        c->readers = UINT32_MAX;
        return true;
    }
    uint32_t reader =
        rp_tracker_push_reader(t, (rp_touched){t->step, touch->tag, touch->read}, c->readers);
    t->cells[cell].readers = reader; /* cells may have moved */
    return !t->failed;
}

/* An access to one piece of the map, no fold, whose value is there. A cell of this piece alone is
 * changed, another is replaced by one that is. */
static inline bool rp_tracker_touch_piece(rp_tracker *t, rp_conflict_visit *visit,
                                          const rp_touch *touch, uint32_t *value) {
    if (t->cells[*value].shared && !rp_tracker_own_cell(t, value)) return false;
    return rp_tracker_meet(t, visit, touch, *value);
}

/* rp_tracker_touch, with conflicts to `visit`. */
static inline bool rp_tracker_touch_with(rp_tracker *t, rp_conflict_visit *visit,
                                         const rp_touch *touch) {
    rp_tracker_space *s = &t->spaces[touch->space];
    const rp_recent_piece *r = rp_tracker_recent(s, touch->lo);
    if (r->lo == touch->lo && r->hi == touch->hi && r->age == s->age)
        return rp_tracker_touch_piece(t, visit, touch, r->value);
    return rp_tracker_touch_any(t, touch);
}

/* The same, of bytes for which the caller keeps a hint. Not while fading. */
static inline __attribute__((always_inline)) bool rp_tracker_touch_hinted(rp_tracker *t,
                                                                          rp_conflict_visit *visit,
                                                                          const rp_touch *touch,
                                                                          rp_tracker_hint *hint) {
    if (hint->issue != t->issue || hint->space != touch->space || t->cells[hint->cell].shared) {
        const rp_touch said = *touch;
        return rp_tracker_touch_and_note(t, &said, hint);
    }
    return rp_tracker_meet(t, visit, touch, hint->cell);
}

#endif
