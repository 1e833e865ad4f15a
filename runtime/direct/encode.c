/* The calls of an encoder.
 *
 * A call is first judged as a whole, then its ranges are shown to the tracker, those that only read
 * first; what conflicts and is not ordered yet gives the scopes of the barrier before it; then the
 * commands are written. It is pass `sync` with every call a group of its own: a barrier comes as
 * late as it can and covers what no earlier one does, so none could be left out, and no scope of it.
 *
 * Nothing is allocated but in the tracker's arrays and for new descriptor sets. What calls have in
 * common with those before them is not found out again: descriptor sets know which one follows, and
 * where the tracker found their bytes; a barrier is lowered once for calls in a row that need it. */
#include "direct/encoder.h"

#include "base/checked.h"
#include "hazard/touch.h"

typedef rp_encoder_use use;

static inline rp_status closed(const rp_encoder *e) {
    return e ? e->status : RP_ERROR_USAGE;
}

/* ---- Judging --------------------------------------------------------------------------------- */

/* Finds the bytes of a range; false when something is wrong. */
static inline bool find(const rp_encoder *e, uint32_t buffer, uint64_t offset, uint64_t size,
                        use *out) {
    if (buffer >= e->place_count) return false;
    const rp_encoder_place *p = &e->places[buffer];
    if (size == 0) size = p->reach - offset;
    if (offset >= p->reach || size > p->reach - offset) return false;
    out->serial = p->serial;
    out->lo = p->offset + offset;
    out->hi = p->offset + offset + size;
    out->space = p->space;
    out->buffer = buffer;
    return true;
}

/* The same of a transfer. */
static inline bool find_range(const rp_encoder *e, const rp_encoder_range *r, uint32_t read,
                              uint32_t write, use *out) {
    out->read = read;
    out->write = write;
    return find(e, r->buffer, r->offset, r->size, out) && !(write & e->places[r->buffer].denied);
}

bool rp_encoder_find(const rp_encoder *e, const rp_encoder_range *r, uint32_t read, uint32_t write,
                     use *out) {
    return find_range(e, r, read, write, out);
}

rp_status rp_encoder_refuse_range(rp_encoder *e, const char *what, uint32_t buffer, uint64_t offset,
                                  uint64_t size) {
    if (buffer >= e->place_count)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: there is no buffer %u; there are %u",
                                 what, buffer, e->place_count);
    const rp_encoder_place *p = &e->places[buffer];
    if (offset >= p->size || size > p->size - offset)
        return rp_encoder_refuse(e, RP_ERROR_INVALID,
                                 "%s: %s has %llu bytes; bytes [%llu+%llu] are no range of it",
                                 what, p->name, (unsigned long long)p->size,
                                 (unsigned long long)offset, (unsigned long long)size);
    if (!p->storage)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: %s is not bound to a storage", what,
                                 p->name);
    if (p->shape.format)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: %s is an image; expected a buffer", what,
                                 p->name);
    return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: writes %s, which is read only", what,
                             p->name);
}

/* Two uses of the same bytes, one of them writing: allowed as in-place work, where a kernel reads and
 * writes the very same range. */
static rp_status judge_overlap(rp_encoder *e, const char *what, const use *x, const use *y) {
    const char *why;
    if (x->write && y->write)
        why = "both are written";
    else if ((x->write ? y : x)->read != RP_SCOPE_COMPUTE_R)
        why = "one is written, and the other a source, a grid or a uniform buffer, or sampled";
    else if (x->lo != y->lo || x->hi != y->hi)
        why = "one is written; only the very same range can be read and written";
    else
        return RP_OK;
    return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: ranges of %s and %s overlap, and %s", what,
                             e->places[x->buffer].name, e->places[y->buffer].name, why);
}

static inline rp_status check_overlaps(rp_encoder *e, const char *what, const use *uses,
                                       uint32_t count, bool *in_place) {
    *in_place = false;
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (uses[i].space == uses[j].space && uses[i].write | uses[j].write &&
                uses[j].lo < uses[i].hi && uses[i].lo < uses[j].hi) {
                RP_TRY(judge_overlap(e, what, &uses[j], &uses[i]));
                *in_place = true;
            }
    return RP_OK;
}

rp_status rp_encoder_check_overlaps(rp_encoder *e, const char *what, const use *uses,
                                    uint32_t count) {
    bool in_place;
    return check_overlaps(e, what, uses, count, &in_place);
}

/* ---- Hazards --------------------------------------------------------------------------------- */

static inline void on_conflict(void *context, const rp_touch *touch, rp_hazard_kind kind,
                               const rp_touched *earlier, uint32_t dst, uint64_t lo, uint64_t hi) {
    rp_encoder *e = context;
    (void)touch, (void)lo, (void)hi;
    e->conflicts |= 1u << kind;
    if (rp_cover_orders(&e->cover, kind, earlier->scope, dst, earlier->step)) return;
    e->uncovered |= 1u << kind;
    e->needed.src |= earlier->scope;
    e->needed.dst |= dst;
}

void rp_encoder_on_conflict(void *context, const rp_touch *touch, rp_hazard_kind kind,
                            const rp_touched *earlier, uint32_t dst, uint64_t lo, uint64_t hi) {
    on_conflict(context, touch, kind, earlier, dst, lo, hi);
}

/* The barrier of the call, in the scopes of Vulkan. Without a source there are only the application's
 * own scopes: any will do for lowering. */
static void lower(rp_encoder *e, uint32_t incoming) {
    const rp_barrier b = {rp_scope_normalise_src(e->needed.src), e->needed.dst | incoming};
    e->covered = rp_covered_by(b);
    (void)rp_barrier_lower(b.src ? b.src : RP_SCOPE_COMPUTE_W, b.dst, e->device->quirks, true,
                           &e->lowered);
    if (!b.src) e->lowered.srcStageMask = e->lowered.srcAccessMask = 0;
    e->lowered_from = incoming ? (rp_barrier){0} : e->needed;
    if (incoming) {
        e->lowered.srcStageMask |= e->incoming_stages;
        e->lowered.srcAccessMask |= e->incoming_access;
    }
}

static void write_barrier(rp_encoder *e, uint32_t incoming) {
    if (incoming || e->needed.src != e->lowered_from.src || e->needed.dst != e->lowered_from.dst)
        lower(e, incoming);
    rp_barrier_record(e->bound.vk, e->bound.commands, &e->lowered);
    if (!e->needed.src) return;
    rp_cover_note(&e->cover, e->step, e->covered);
    e->open &= ~e->covered.src;
}

/* A use of the kernel: it has a hint. */
static inline __attribute__((always_inline)) bool show_hinted(rp_encoder *e, const use *u) {
    const rp_touch touch = {
        .space = u->space, .lo = u->lo, .hi = u->hi, .read = u->read, .write = u->write};
    e->used |= u->read | u->write;
    return rp_tracker_touch_hinted(&e->tracker, on_conflict, &touch,
                                   &e->sets.ranges[u->range].hint);
}

/* Where uses share bytes, those that only read come first. */
static bool show_in_place(rp_encoder *e) {
    const use *end = e->uses + e->kernel->param_count;
    for (int writing = 0; writing < 2; writing++)
        for (const use *u = e->uses; u < end; u++)
            if ((u->write != RP_SCOPE_NONE) == writing && !show_hinted(e, u)) return false;
    return true;
}

static inline bool show_kernel(rp_encoder *e) {
    if (e->in_place) return show_in_place(e);
    for (const use *u = e->uses, *end = u + e->kernel->param_count; u < end; u++)
        if (!show_hinted(e, u)) return false;
    return true;
}

/* Uses of a transfer, or a grid. */
static bool show(rp_encoder *e, const use *uses, uint32_t count) {
    for (const use *u = uses; u < uses + count; u++) {
        const rp_touch touch = {
            .space = u->space, .lo = u->lo, .hi = u->hi, .read = u->read, .write = u->write};
        e->used |= u->read | u->write;
        if (!rp_tracker_touch_with(&e->tracker, on_conflict, &touch)) return false;
    }
    return true;
}

/* Begins a call whose uses are judged and are shown next. */
static inline rp_status begin_call(rp_encoder *e) {
    if (e->step == RP_NO_STEP - 1)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "an encoding has at most %u calls", e->step);
    bool fence = e->fenced && e->step > 0;
    rp_tracker_step(&e->tracker, ++e->step);
    e->fenced = false;
    e->needed = fence ? (rp_barrier){RP_SCOPE_ANY, RP_SCOPE_ANY} : (rp_barrier){0};
    e->uncovered = fence ? 1u << RP_ORDER : 0;
    e->conflicts = e->used = 0;
    return RP_OK;
}

/* Its uses are shown: the barrier before it, and what it leaves open. */
static inline void order(rp_encoder *e) {
    uint32_t incoming = e->used & e->unwaited;
    if (e->uncovered | incoming) {
        write_barrier(e, incoming);
        e->report.emitted[rp_barrier_reason(e->uncovered)]++;
        e->unwaited &= ~incoming;
    } else if (e->conflicts) {
        e->report.elided[rp_barrier_reason(e->conflicts)]++;
    } else {
        e->report.independent++;
    }
    e->open |= e->used;
}

/* All of that for a transfer, whose uses share no bytes. */
rp_status rp_encoder_order_transfer(rp_encoder *e, const use *uses, uint32_t count) {
    RP_TRY(begin_call(e));
    if (!show(e, uses, count)) return e->status = RP_ERROR_NO_MEMORY;
    order(e);
    return RP_OK;
}

/* ---- What a dispatch runs -------------------------------------------------------------------- */

rp_status rp_encoder_set_kernel(rp_encoder *e, uint32_t kernel) {
    RP_TRY(closed(e));
    if (kernel >= e->kernel_count)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "there is no kernel %u; there are %u", kernel,
                                 e->kernel_count);
    const rp_encoder_pipeline *k = e->kernel = &e->kernels[kernel];
    for (uint32_t i = 0; k->plain && i < k->param_count; i++) {
        e->uses[i].read = k->params[i].read;
        e->uses[i].write = k->params[i].write;
        e->uses[i].seen = 0;
    }
    if (!k->plain) rp_encoder_clear_uses(e);
    e->unset = k->all_params;
    e->unpushed = k->all_push;
    e->changed = true;
    return RP_OK;
}

rp_status rp_encoder_refuse_param(rp_encoder *e, uint32_t param) {
    if (!e->kernel) return rp_encoder_refuse(e, RP_ERROR_INVALID, "no kernel is set");
    return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: there is no parameter %u; there are %u",
                             e->kernel->name, param, e->kernel->param_count);
}

rp_status rp_encoder_refuse_size(rp_encoder *e, uint32_t param, const use *u) {
    return rp_encoder_refuse(
        e, RP_ERROR_INVALID, "%s: parameter %u needs at least %llu bytes; the range of %s has %llu",
        e->kernel->name, param, (unsigned long long)e->kernel->params[param].min_size,
        e->places[u->buffer].name, (unsigned long long)(u->hi - u->lo));
}

rp_status rp_encoder_set_range(rp_encoder *e, uint32_t param, uint32_t buffer, uint64_t offset,
                               uint64_t size) {
    RP_TRY(closed(e));
    const rp_encoder_pipeline *k = e->kernel;
    if (!k || param >= k->param_count) return rp_encoder_refuse_param(e, param);
    if (!k->plain) return rp_encoder_set_element(e, param, 0, buffer, offset, size);
    use found, *u = &e->uses[param];
    if (!find(e, buffer, offset, size, &found))
        return rp_encoder_refuse_range(e, k->name, buffer, offset, size);
    if (found.hi - found.lo < k->params[param].min_size)
        return rp_encoder_refuse_size(e, param, &found);
    e->unset &= ~(UINT64_C(1) << param);
    u->space = found.space; /* it may be numbered anew since */
    if (u->lo == found.lo && u->hi == found.hi && u->serial == found.serial && u->buffer == buffer)
        return RP_OK;
    u->lo = found.lo;
    u->hi = found.hi;
    u->serial = found.serial;
    u->buffer = buffer;
    e->changed = true;
    return RP_OK;
}

rp_status rp_encoder_set_access(rp_encoder *e, uint32_t param, rp_access access) {
    RP_TRY(closed(e));
    const rp_encoder_pipeline *k = e->kernel;
    if (!k || param >= k->param_count) return rp_encoder_refuse_param(e, param);
    const char *name = rp_access_name(access);
    if (!name || !(k->params[param].allowed >> access & 1))
        return rp_encoder_refuse(e, RP_ERROR_INVALID,
                                 "%s: parameter %u cannot be used with access %s: its SPIR-V does "
                                 "more, or the buffer is of the other kind",
                                 k->name, param, name ? name : "of no known kind");
    const rp_encoder_param_info *info = &k->params[param];
    for (uint32_t i = info->first; i < info->first + rp_param_descriptors(info); i++) {
        e->uses[i].read = rp_scope_of_read(true, false, (uint8_t)access);
        e->uses[i].write = rp_scope_of_write(true, false, (uint8_t)access);
    }
    e->changed = true;
    return RP_OK;
}

static rp_status refuse_push(rp_encoder *e, uint32_t offset, uint32_t size) {
    if (!e->kernel) return rp_encoder_refuse_param(e, 0);
    return rp_encoder_refuse(e, RP_ERROR_INVALID,
                             "%s: push bytes [%u+%u] are no words of its %u bytes", e->kernel->name,
                             offset, size, e->kernel->push_bytes);
}

rp_status rp_encoder_push(rp_encoder *e, uint32_t offset, const void *data, uint32_t size) {
    RP_TRY(closed(e));
    uint32_t most = e->kernel ? e->kernel->push_bytes : 0;
    bool whole = offset == 0 && size == most;
    if (!data || size == 0 ||
        (!whole && ((offset | size) % 4 || size > most || offset > most - size)))
        return refuse_push(e, offset, size);
    for (uint32_t at = 0; at < size; at += 4) {
        uint32_t word, before;
        memcpy(&word, (const uint8_t *)data + at, sizeof word);
        memcpy(&before, e->push + offset + at, sizeof before);
        if (word == before) continue;
        memcpy(e->push + offset + at, &word, sizeof word);
        if (e->push_end < offset + at + 4) e->push_end = offset + at + 4;
    }
    e->unpushed = whole ? 0 : e->unpushed & ~(rp_low_bits(size / 4) << offset / 4);
    return RP_OK;
}

/* ---- Dispatches ------------------------------------------------------------------------------ */

/* The first dispatch of a kernel waits for its pipeline. */
static rp_status wait_for(rp_encoder *e) {
    rp_encoder_pipeline *k = (rp_encoder_pipeline *)e->kernel; /* one of e->kernels */
    uint32_t number = (uint32_t)(k - e->kernels);
    rp_status status =
        rp_prepared_wait(e->preparation, number, RP_PIPELINE_CRITICAL, UINT64_MAX, e->diags);
    if (status != RP_OK) return e->status = status;
    k->handle = rp_prepared_pipeline(e->preparation, number);
    return RP_OK;
}

static rp_status refuse_incomplete(rp_encoder *e) {
    if (!e->kernel) return rp_encoder_refuse_param(e, 0);
    for (uint32_t i = 0; i < e->kernel->param_count; i++)
        if (e->unset >> i & 1)
            return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: parameter %u has no range",
                                     e->kernel->name, i);
    return rp_encoder_refuse(e, RP_ERROR_INVALID, "%s: push bytes %u and on are not set",
                             e->kernel->name, 4 * (uint32_t)__builtin_ctzll(e->unpushed));
}

/* What is asked of uses when ranges or accesses have changed. */
static inline rp_status judge_uses(rp_encoder *e, uint32_t count) {
    const rp_encoder_pipeline *k = e->kernel;
    for (uint32_t i = 0; i < k->param_count; i++)
        if (e->uses[i].write & e->places[e->uses[i].buffer].denied)
            return rp_encoder_refuse_range(e, k->name, e->uses[i].buffer, 0, 0);
    return check_overlaps(e, k->name, e->uses, count, &e->in_place);
}

static inline rp_status find_sets(rp_encoder *e) {
    for (uint32_t n = 0; n < e->kernel->set_count; n++) {
        const rp_encoder_set *s = &e->kernel->sets[n];
        const rp_set_key key = {s->family, s->count, s->at, e->uses};
        uint32_t set = rp_sets_find(&e->sets, &key, e->number);
        if (set == RP_UNSET) RP_TRY(rp_encoder_make_set(e, &key, &set));
        e->handles[n] = e->sets.all[set].handle;
        for (uint32_t i = 0; i < s->count; i++)
            e->uses[s->at[i]].range = e->sets.all[set].first_range + i;
    }
    return RP_OK;
}

/* The same of a kernel that is not plain: each use may be several ranges, and an image lent. */
static rp_status judge_pieces(rp_encoder *e, uint32_t grid) {
    if (e->changed) RP_TRY(rp_encoder_list_pieces(e));
    if (grid) e->pieces[e->piece_count] = e->uses[e->kernel->use_count];
    for (uint32_t i = 0; i < e->piece_count; i++) {
        const rp_encoder_place *p = &e->places[e->pieces[i].buffer];
        uint32_t denied = (e->pieces[i].read | e->pieces[i].write) & p->denied;
        if (denied) return rp_encoder_refuse_use(e, e->kernel->name, e->pieces[i].buffer, denied);
    }
    RP_TRY(rp_encoder_check_overlaps(e, e->kernel->name, e->pieces, e->piece_count + grid));
    return rp_encoder_borrow(e, e->pieces, e->piece_count);
}

/* Those that only read come first. */
static bool show_pieces(rp_encoder *e) {
    for (int writing = 0; writing < 2; writing++)
        for (uint32_t i = 0; i < e->piece_count; i++)
            if ((e->pieces[i].write != RP_SCOPE_NONE) == writing && !show(e, &e->pieces[i], 1))
                return false;
    return true;
}

/* Everything of a dispatch but itself; `grid` is one more use, or none. */
static inline rp_status prepare(rp_encoder *e, uint32_t grid) {
    const rp_encoder_pipeline *k = e->kernel;
    if (!k || e->unset || e->unpushed) return refuse_incomplete(e);
    if (e->changed || grid)
        RP_TRY(k->plain ? judge_uses(e, k->param_count + grid) : judge_pieces(e, grid));
    if (!k->handle) RP_TRY(wait_for(e));
    if (e->changed) RP_TRY(find_sets(e));
    RP_TRY(begin_call(e));
    if (!(k->plain ? show_kernel(e) : show_pieces(e)) ||
        (grid && !show(e, &e->uses[k->use_count], 1)))
        return e->status = RP_ERROR_NO_MEMORY;
    order(e);
    rp_bind_pipeline(&e->bound, k->handle, k->layout);
    if (e->changed)
        for (uint32_t n = 0; n < k->set_count; n++)
            rp_bind_set(&e->bound, k->sets[n].set, e->handles[n]);
    rp_bind_push_block(&e->bound, e->push, k->push_bytes, &e->push_end);
    e->changed = false;
    e->report.dispatches++;
    return RP_OK;
}

static rp_status refuse_grid(rp_encoder *e, uint32_t x, uint32_t y, uint32_t z) {
    return rp_encoder_refuse(
        e, RP_ERROR_INVALID, "the grid is %u x %u x %u; %s takes 1 to %u x %u x %u", x, y, z,
        e->device->adapter.info.name, e->max_groups[0], e->max_groups[1], e->max_groups[2]);
}

rp_status rp_encoder_dispatch(rp_encoder *e, uint32_t x, uint32_t y, uint32_t z) {
    RP_TRY(closed(e));
    /* 0 wraps around. */
    if (x - 1 >= e->max_groups[0] || y - 1 >= e->max_groups[1] || z - 1 >= e->max_groups[2])
        return refuse_grid(e, x, y, z);
    RP_TRY(prepare(e, 0));
    e->bound.vk->CmdDispatch(e->bound.commands, x, y, z);
    return RP_OK;
}

rp_status rp_encoder_dispatch_indirect(rp_encoder *e, const rp_encoder_range *grid) {
    RP_TRY(closed(e));
    if (!e->kernel) return rp_encoder_refuse_param(e, 0);
    if (!grid || grid->offset % 4 || (grid->size && grid->size < 12))
        return rp_encoder_refuse(e, RP_ERROR_INVALID,
                                 grid && grid->size && grid->size < 12
                                     ? "%s: %llu bytes for a grid of 12"
                                     : "%s: its grid is read at a multiple of 4",
                                 e->kernel->name, grid ? (unsigned long long)grid->size : 0);
    use *u = &e->uses[e->kernel->use_count];
    const rp_encoder_range words = {grid->buffer, grid->offset, 12};
    if (!find_range(e, &words, RP_SCOPE_INDIRECT_R, RP_SCOPE_NONE, u))
        return rp_encoder_refuse_range(e, e->kernel->name, words.buffer, words.offset, words.size);
    if (u->lo % 4)
        return rp_encoder_refuse(e, RP_ERROR_INVALID,
                                 "the grid in %s lies at no multiple of 4 of its VkBuffer",
                                 e->places[grid->buffer].name);
    RP_TRY(prepare(e, 1));
    e->bound.vk->CmdDispatchIndirect(e->bound.commands, e->places[grid->buffer].handle, u->lo);
    return RP_OK;
}

/* ---- Transfers ------------------------------------------------------------------------------- */

rp_status rp_encoder_copy(rp_encoder *e, const rp_encoder_range *from, const rp_encoder_range *to) {
    RP_TRY(closed(e));
    use uses[2];
    if (!from || !to) return rp_encoder_refuse(e, RP_ERROR_INVALID, "copy: two ranges are needed");
    if ((from->buffer < e->place_count && e->places[from->buffer].shape.format) ||
        (to->buffer < e->place_count && e->places[to->buffer].shape.format))
        return rp_encoder_copy_image(e, from, to);
    if (!find_range(e, from, RP_SCOPE_TRANSFER_R, RP_SCOPE_NONE, &uses[0]))
        return rp_encoder_refuse_range(e, "copy", from->buffer, from->offset, from->size);
    if (!find_range(e, to, RP_SCOPE_NONE, RP_SCOPE_TRANSFER_W, &uses[1]))
        return rp_encoder_refuse_range(e, "copy", to->buffer, to->offset, to->size);
    uint64_t size = uses[0].hi - uses[0].lo;
    if (size != uses[1].hi - uses[1].lo)
        return rp_encoder_refuse(
            e, RP_ERROR_INVALID, "copy: the source has %llu bytes, the destination %llu",
            (unsigned long long)size, (unsigned long long)(uses[1].hi - uses[1].lo));
    bool in_place; /* never: copies do not overlap */
    RP_TRY(check_overlaps(e, "copy", uses, 2, &in_place));
    RP_TRY(rp_encoder_order_transfer(e, uses, 2));
    const VkBufferCopy region = {.srcOffset = uses[0].lo, .dstOffset = uses[1].lo, .size = size};
    e->bound.vk->CmdCopyBuffer(e->bound.commands, e->places[from->buffer].handle,
                               e->places[to->buffer].handle, 1, &region);
    e->report.transfers++;
    return RP_OK;
}

/* What fills and updates have in common: the words that they write. */
static rp_status write_words(rp_encoder *e, const char *what, const rp_encoder_range *to,
                             use *out) {
    if (!find_range(e, to, RP_SCOPE_NONE, RP_SCOPE_TRANSFER_W, out))
        return rp_encoder_refuse_range(e, what, to->buffer, to->offset, to->size);
    if (out->lo % 4 || out->hi % 4)
        return rp_encoder_refuse(
            e, RP_ERROR_INVALID,
            "%s: offset and size in %s, and where that lies, are multiples of 4", what,
            e->places[to->buffer].name);
    RP_TRY(rp_encoder_order_transfer(e, out, 1));
    e->report.transfers++;
    return RP_OK;
}

rp_status rp_encoder_fill(rp_encoder *e, const rp_encoder_range *to, uint32_t pattern) {
    RP_TRY(closed(e));
    use found;
    if (!to) return rp_encoder_refuse(e, RP_ERROR_INVALID, "fill: a range is needed");
    RP_TRY(write_words(e, "fill", to, &found));
    e->bound.vk->CmdFillBuffer(e->bound.commands, e->places[to->buffer].handle, found.lo,
                               found.hi - found.lo, pattern);
    return RP_OK;
}

rp_status rp_encoder_update(rp_encoder *e, uint32_t buffer, uint64_t offset, const void *data,
                            uint32_t size) {
    RP_TRY(closed(e));
    use found;
    if (!data || size == 0 || size > RP_MAX_UPDATE_BYTES)
        return rp_encoder_refuse(e, RP_ERROR_INVALID, "update: 4 to %d bytes of data are needed",
                                 RP_MAX_UPDATE_BYTES);
    const rp_encoder_range to = {buffer, offset, size};
    RP_TRY(write_words(e, "update", &to, &found));
    e->bound.vk->CmdUpdateBuffer(e->bound.commands, e->places[buffer].handle, found.lo, size, data);
    return RP_OK;
}

/* ---- What writes nothing --------------------------------------------------------------------- */

rp_status rp_encoder_fence(rp_encoder *e) {
    RP_TRY(closed(e));
    e->fenced = true;
    return RP_OK;
}

static bool has_labels(const rp_encoder *e) {
    const rp_vk *vk = e->bound.vk;
    return e->device->instance.debug_utils && vk->CmdBeginDebugUtilsLabelEXT &&
           vk->CmdEndDebugUtilsLabelEXT;
}

rp_status rp_encoder_label_begin(rp_encoder *e, const char *label) {
    RP_TRY(closed(e));
    if (!label || !*label) return rp_encoder_refuse(e, RP_ERROR_INVALID, "a label is empty");
    e->labels++;
    const VkDebugUtilsLabelEXT info = {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT,
                                       .pLabelName = label};
    if (has_labels(e)) e->bound.vk->CmdBeginDebugUtilsLabelEXT(e->bound.commands, &info);
    return RP_OK;
}

rp_status rp_encoder_label_end(rp_encoder *e) {
    RP_TRY(closed(e));
    if (e->labels == 0) return rp_encoder_refuse(e, RP_ERROR_INVALID, "no label is open");
    e->labels--;
    if (has_labels(e)) e->bound.vk->CmdEndDebugUtilsLabelEXT(e->bound.commands);
    return RP_OK;
}
