/* The tracker of accesses; see tracker.h.
 *
 * For every byte it keeps the last write and an immutable list of the reads since then, in cells
 * that neighbouring bytes share. Each reader knows the latest reader of each kind from there to the
 * list's end: after a few reports only those are named, since the latest of a kind is the hardest to
 * order.
 *
 * A range in many pieces that is read as a whole is folded. For a fold the latest write of each
 * kind stands for all writes, likewise for reads; so thousands of readers of thousands of pieces
 * cost one report each.
 *
 * Fading, only what meets the accesses before is of interest: bytes that are overwritten are done,
 * and reads are not remembered. */
#include "hazard/touch.h"

#define NONE UINT32_MAX /* no index, no step */

typedef rp_tracker_reader reader;
typedef rp_tracker_cell cell;

static const cell untouched = {{NONE, NONE, 0}, NONE, 0, true};

/* Of a fold: its latest write of each kind, with the bytes it wrote there; the latest read of each
 * kind among its pieces; and a list of those who read the whole since it was made. */
struct rp_tracker_whole {
    struct {
        rp_touched by;
        uint64_t lo, hi;
    } writes[RP_WRITE_KINDS];
    uint32_t old[RP_READ_KINDS];
    uint32_t readers;
};
typedef rp_tracker_whole whole;

void rp_tracker_init(rp_tracker *t, const rp_allocator *a, uint32_t named, rp_conflict_visit *visit,
                     void *context) {
    *t = (rp_tracker){
        .a = a, .visit = visit, .context = context, .named = named, .era = 1, .issue = 1};
}

void rp_tracker_free(rp_tracker *t) {
    for (uint32_t i = 0; i < t->space_count; i++) rp_interval_map_free(t->a, &t->spaces[i].map);
    rp_release(t->a, t->spaces);
    rp_interval_pool_free(t->a, &t->leaves);
    rp_release(t->a, t->readers);
    rp_release(t->a, t->cells);
    rp_release(t->a, t->wholes);
    rp_folds_free(t->a, &t->folds);
    *t = (rp_tracker){0};
}

bool rp_tracker_spaces(rp_tracker *t, uint32_t count) {
    uint32_t more = count > t->space_count ? count - t->space_count : 0;
    if (!RP_RESERVE(t->a, t->spaces, t->space_count, t->space_capacity, more)) return false;
    for (uint32_t i = 0; more && i < t->space_count; i++) t->spaces[i].age++; /* they have moved */
    for (; t->space_count < count; t->space_count++)
        t->spaces[t->space_count] = (rp_tracker_space){.map = {.pool = &t->leaves}, .age = 1};
    return true;
}

static void drop_pieces(rp_tracker *t) {
    for (uint32_t i = 0; i < t->space_count; i++) {
        rp_interval_map_clear(t->a, &t->spaces[i].map);
        t->spaces[i].age++;
    }
    t->cell_count = t->whole_count = t->replaced = 0;
    rp_folds_clear(&t->folds);
    t->issue++;
    t->era = 0;
}

/* Whether the pieces may stay. Cells that were replaced are of no use any more: when there is no room
 * for as many again, they are either few, and there is to be more room, or all are dropped. */
static bool keep_pieces(rp_tracker *t) {
    uint32_t replaced = t->cell_count - t->placed;
    t->replaced += replaced;
    if (t->whole_count || t->fading || t->failed || t->era == UINT32_MAX) return false;
    return replaced <= t->cell_capacity - t->cell_count ||
           (t->replaced <= t->cell_count / 4 &&
            RP_RESERVE(t->a, t->cells, t->cell_count, t->cell_capacity, replaced));
}

/* A new era makes cells of those before it stand for nothing. Folds know more than their cells. */
void rp_tracker_clear(rp_tracker *t) {
    if (!keep_pieces(t)) drop_pieces(t);
    t->era++;
    t->placed = t->cell_count;
    t->reader_count = t->step = 0;
    t->fading = t->failed = false;
}

static inline void found(const rp_tracker *t, rp_hazard_kind kind, const rp_touched *earlier,
                         uint32_t dst, uint64_t lo, uint64_t hi) {
    rp_tracker_found(t, t->visit, t->touch, kind, earlier, dst, lo, hi);
}

static uint32_t push_cell(rp_tracker *t, cell c) {
    return rp_tracker_push_cell(t, c);
}

/* A value that says something of this era; of another one, RP_ABSENT. No fold. */
static uint32_t current(const rp_tracker *t, uint32_t value) {
    return value == RP_ABSENT || t->cells[value].era == t->era ? value : RP_ABSENT;
}

static cell cell_of(const rp_tracker *t, uint32_t value) {
    value = current(t, value);
    return value == RP_ABSENT ? untouched : t->cells[value];
}

static uint32_t push_reader(rp_tracker *t, uint32_t step, uint32_t tag, uint32_t scope,
                            uint32_t next) {
    return rp_tracker_push_reader(t, (rp_touched){step, tag, scope}, next);
}

/* Out of the way of the inlined functions: arrays seldom grow. */
bool rp_tracker_grow(rp_tracker *t) {
    if (t->cell_count >= RP_FOLDED - 1 ||
        !RP_RESERVE(t->a, t->cells, t->cell_count, t->cell_capacity, 1) ||
        !RP_RESERVE(t->a, t->readers, t->reader_count, t->reader_capacity, 1))
        t->failed = true;
    return !t->failed;
}

static uint32_t copy_reader(rp_tracker *t, uint32_t r, uint32_t next) {
    reader c = t->readers[r];
    return push_reader(t, c.by.step, c.by.tag, c.by.scope, next);
}

/* The piece of this cell may go on elsewhere. */
static void share(rp_tracker *t, uint32_t value) {
    if (value != RP_ABSENT) t->cells[value].shared = true;
}

/* ---- Folds ----------------------------------------------------------------------------------- */

static whole *whole_of(const rp_tracker *t, uint32_t value) {
    return &t->wholes[value & ~RP_FOLDED];
}

static void latest_write(whole *to, rp_touched by, uint64_t lo, uint64_t hi) {
    if (by.step == NONE) return;
    uint32_t k = by.scope == RP_SCOPE_TRANSFER_W;
    if (to->writes[k].by.step != NONE && to->writes[k].by.step >= by.step) return;
    to->writes[k].by = by;
    to->writes[k].lo = lo;
    to->writes[k].hi = hi;
}

static uint32_t latest_other(const rp_tracker *t, uint32_t list, uint32_t kind) {
    return rp_tracker_latest_other(t, list, kind);
}

static void latest_read(const rp_tracker *t, uint32_t *to, uint32_t r) {
    if (r != NONE && (*to == NONE || t->readers[r].by.step > t->readers[*to].by.step)) *to = r;
}

static bool fold_made(void *context, const rp_interval *pieces, uint32_t count) {
    rp_tracker *t = context;
    if (!RP_RESERVE(t->a, t->wholes, t->whole_count, t->whole_capacity, 1)) return false;
    const rp_touched none = {NONE, NONE, 0};
    whole made = {.writes = {{none, 0, 0}, {none, 0, 0}}, .readers = NONE};
    for (uint32_t k = 0; k < RP_READ_KINDS; k++) made.old[k] = NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = pieces[i].value;
        const whole *c = rp_is_fold(value) ? whole_of(t, value) : NULL;
        uint32_t readers = c ? c->readers : cell_of(t, value).readers;
        for (uint32_t k = 0; c && k < RP_WRITE_KINDS; k++)
            latest_write(&made, c->writes[k].by, c->writes[k].lo, c->writes[k].hi);
        if (!c) latest_write(&made, cell_of(t, value).by, pieces[i].lo, pieces[i].hi);
        if (!c) share(t, value);
        for (uint32_t k = 0; k < RP_READ_KINDS; k++) {
            if (c) latest_read(t, &made.old[k], c->old[k]);
            latest_read(t, &made.old[k], latest_other(t, readers, k));
        }
    }
    t->wholes[t->whole_count++] = made;
    return true;
}

/* Whoever read the whole read its pieces: of each kind the latest is kept, in the order in which
 * they came, and the current step last. */
static bool fold_opened(void *context, uint32_t parent, uint32_t *child) {
    rp_tracker *t = context;
    uint32_t from = whole_of(t, parent)->readers, latest[RP_READ_KINDS];
    if (from == NONE) return true;
    cell c = untouched;
    if (rp_is_fold(*child))
        c.readers = whole_of(t, *child)->readers;
    else
        c = cell_of(t, *child);
    for (uint32_t k = 0; k < RP_READ_KINDS; k++) latest[k] = latest_other(t, from, k);
    for (uint32_t n = 0; n < RP_READ_KINDS; n++) {
        uint32_t oldest = 0;
        for (uint32_t k = 1; k < RP_READ_KINDS; k++)
            if (latest[oldest] == NONE ||
                (latest[k] != NONE &&
                 t->readers[latest[k]].by.step < t->readers[latest[oldest]].by.step))
                oldest = k;
        if (latest[oldest] == NONE) break;
        c.readers = copy_reader(t, latest[oldest], c.readers);
        latest[oldest] = NONE;
    }
    for (uint32_t k = 0; k < RP_READ_KINDS; k++) {
        uint32_t r = t->readers[from].latest[k];
        if (r != NONE && t->readers[r].by.step == t->step) c.readers = copy_reader(t, r, c.readers);
    }
    if (rp_is_fold(*child))
        whole_of(t, *child)->readers = c.readers;
    else
        *child = push_cell(t, c);
    return !t->failed;
}

/* ---- Accesses ------------------------------------------------------------------------------------ */

static bool read_now(const rp_tracker *t, cell c) {
    return c.readers != NONE && t->readers[c.readers].by.step == t->step;
}

static uint32_t read_fold(rp_tracker *t, uint32_t value) {
    whole *f = whole_of(t, value);
    for (uint32_t k = 0; k < RP_WRITE_KINDS; k++)
        if (f->writes[k].by.step != NONE)
            found(t, RP_RAW_HAZARD, &f->writes[k].by, t->touch->read, f->writes[k].lo,
                  f->writes[k].hi);
    if (!t->touch->write && !t->fading)
        f->readers = push_reader(t, t->step, t->touch->tag, t->touch->read, f->readers);
    return value;
}

/* The cell of bytes that are read: what they know, and the reader. */
static uint32_t add_reader(rp_tracker *t, uint32_t value) {
    cell c = cell_of(t, value);
    c.readers = push_reader(t, t->step, t->touch->tag, t->touch->read, c.readers);
    c.shared = false;
    return push_cell(t, c);
}

static uint32_t on_read(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    rp_tracker *t = context;
    cell c = untouched;
    if (rp_is_fold(value))
        c.readers = whole_of(t, value)->readers;
    else
        c = cell_of(t, value);
    t->touched |= read_now(t, c);
    if (t->pieces++ >= t->piece_limit) return value; /* will be folded */
    if (rp_is_fold(value)) return read_fold(t, value);
    if (c.by.step != NONE) found(t, RP_RAW_HAZARD, &c.by, t->touch->read, lo, hi);
    if (t->touch->write || t->fading) return value; /* nobody will ask for this read */
    share(t, value);
    value = current(t, value);
    if (value == t->seen_cell && t->seen_result != RP_ABSENT) {
        t->cells[t->seen_result].shared = true;
        return t->seen_result;
    }
    t->seen_cell = value;
    return t->seen_result = add_reader(t, value);
}

static void found_readers(rp_tracker *t, uint32_t list, const uint32_t *old, uint64_t lo,
                          uint64_t hi) {
    rp_tracker_found_readers(t, t->visit, t->touch, list, old, lo, hi);
}

static void found_earlier(rp_tracker *t, const cell *c, uint64_t lo, uint64_t hi) {
    if (c->by.step != NONE) found(t, RP_WAW_HAZARD, &c->by, t->touch->write, lo, hi);
    if (c->readers != NONE) found_readers(t, c->readers, NULL, lo, hi);
}

static cell new_write(const rp_tracker *t) {
    return (cell){{t->step, t->touch->tag, t->touch->write}, NONE, t->era, false};
}

static uint32_t on_write(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    rp_tracker *t = context;
    if (value == RP_ABSENT) return t->fresh;
    if (rp_is_fold(value)) {
        const whole *f = whole_of(t, value);
        for (uint32_t k = 0; k < RP_WRITE_KINDS; k++)
            if (f->writes[k].by.step != NONE)
                found(t, RP_WAW_HAZARD, &f->writes[k].by, t->touch->write, f->writes[k].lo,
                      f->writes[k].hi);
        found_readers(t, f->readers, f->old, lo, hi);
        return t->fresh;
    }
    const cell c = cell_of(t, value);
    found_earlier(t, &c, lo, hi);
    share(t, value);
    return t->fresh;
}

/* ---- Any bytes ------------------------------------------------------------------------------- */

static bool touch_read(rp_tracker *t, rp_interval_map *map, const rp_fold_owner *owner) {
    uint64_t lo = t->touch->lo, hi = t->touch->hi;
    t->seen_cell = t->seen_result = RP_ABSENT;
    t->pieces = 0;
    t->piece_limit = RP_FOLD_WIDTH;
    t->touched = false;
    if (!rp_interval_map_update(t->a, map, lo, hi, on_read, t)) return false;
    if (t->pieces <= RP_FOLD_WIDTH) return !t->failed;
    /* Of a fold only the latest access is known: it must not be the reader's own. */
    if (!t->touched && !rp_fold_range(t->a, &t->folds, map, lo, hi, owner)) return false;
    t->seen_cell = t->seen_result = RP_ABSENT;
    t->piece_limit = UINT32_MAX;
    return rp_interval_map_update(t->a, map, lo, hi, on_read, t) && !t->failed;
}

static bool touch_write(rp_tracker *t, rp_interval_map *map) {
    uint64_t lo = t->touch->lo, hi = t->touch->hi;
    t->piece_limit = UINT32_MAX;
    if (t->touch->read) rp_interval_map_each(map, lo, hi, on_read, t);
    t->fresh = t->fading ? t->done : push_cell(t, new_write(t));
    return !t->failed && rp_interval_map_update(t->a, map, lo, hi, on_write, t);
}

/* A piece of the map that nothing touched yet: its cell is the next one. */
static bool touch_new(rp_tracker *t, const rp_touch *touch) {
    cell c = {{t->step, touch->tag, touch->write}, NONE, t->era, false};
    if (!touch->write) {
        c.by = untouched.by;
        c.readers = push_reader(t, t->step, touch->tag, touch->read, NONE);
    }
    t->placed++;
    (void)push_cell(t, c);
    return !t->failed;
}

bool rp_tracker_own_cell(rp_tracker *t, uint32_t *value) {
    cell c = cell_of(t, *value);
    c.shared = false;
    uint32_t own = push_cell(t, c);
    if (!t->failed) *value = own;
    return !t->failed;
}

/* What needs but one search: bytes that are one piece, or where nothing is. NULL for others. */
static uint32_t *find_piece(rp_tracker *t, rp_tracker_space *s, const rp_touch *touch) {
    if (t->fading) return NULL;
    uint32_t *value = rp_interval_map_exact(&s->map, touch->lo, touch->hi, t->cell_count);
    if (!value || rp_is_fold(*value)) return NULL;
    s->age += *value == t->cell_count; /* others may have been moved */
    *rp_tracker_recent(s, touch->lo) = (rp_recent_piece){touch->lo, touch->hi, value, s->age};
    return value;
}

bool rp_tracker_touch_any(rp_tracker *t, const rp_touch *touch) {
    const rp_fold_owner owner = {t, fold_made, fold_opened};
    rp_tracker_space *s = &t->spaces[touch->space];
    /* Room for a new piece's cell and reader first: it is in the map before they are there. */
    if ((t->cell_count == t->cell_capacity || t->reader_count == t->reader_capacity) &&
        !rp_tracker_grow(t))
        return false;
    uint32_t *value = find_piece(t, s, touch);
    if (value && *value == t->cell_count) return touch_new(t, touch);
    if (value) return rp_tracker_touch_piece(t, t->visit, touch, value);
    s->age++;
    t->touch = touch;
    if (!rp_fold_cut(t->a, &t->folds, &s->map, touch->lo, touch->hi, &owner)) return false;
    return touch->write ? touch_write(t, &s->map) : touch_read(t, &s->map, &owner);
}

bool rp_tracker_touch(rp_tracker *t, const rp_touch *touch) {
    return rp_tracker_touch_with(t, t->visit, touch);
}

bool rp_tracker_touch_and_note(rp_tracker *t, const rp_touch *touch, rp_tracker_hint *hint) {
    if (!rp_tracker_touch_with(t, t->visit, touch)) return false;
    const rp_recent_piece *r = rp_tracker_recent(&t->spaces[touch->space], touch->lo);
    *hint = (rp_tracker_hint){0};
    if (r->lo == touch->lo && r->hi == touch->hi && r->age == t->spaces[touch->space].age)
        *hint = (rp_tracker_hint){t->issue, touch->space, *r->value};
    return true;
}

bool rp_tracker_fade(rp_tracker *t) {
    t->done = push_cell(t, untouched);
    for (uint32_t i = 0; i < t->space_count; i++) t->spaces[i].age++;
    t->fading = true;
    return !t->failed;
}

/* ---- What was written ------------------------------------------------------------------------ */

typedef struct writes {
    const rp_tracker *t;
    rp_written_visit *visit;
    void *context;
} writes;

static uint32_t on_written(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    const writes *w = context;
    if (rp_is_fold(value)) {
        const rp_interval *pieces = rp_fold_pieces(&w->t->folds, value);
        for (uint32_t i = 0; i < rp_fold_count(&w->t->folds, value); i++)
            on_written(context, pieces[i].lo, pieces[i].hi, pieces[i].value);
        return value;
    }
    cell c = cell_of(w->t, value);
    if (c.by.step != NONE) w->visit(w->context, lo, hi, &c.by);
    return value;
}

void rp_tracker_written(const rp_tracker *t, uint32_t space, uint64_t lo, uint64_t hi,
                        rp_written_visit *visit, void *context) {
    writes w = {t, visit, context};
    rp_interval_map_each(&t->spaces[space].map, lo, hi, on_written, &w);
}
