/* Live values, and the grids that follow from them.
 *
 * All live buffers of an exec lie in one mapped block, and behind them one slot of three u32 per
 * different live grid, which the recorded indirect dispatches read. Setting values computes every
 * grid that follows from one of these elements, checks all of them, and only then writes: a refused
 * value changes nothing, and nothing is ever re-recorded. Reads go to a copy in ordinary memory,
 * because mapped memory may be uncached. Blocks of push constants that follow live values are live
 * buffers as well: bytes that are set are copied to those that follow them. Nodes that can be left
 * out (switches.c) have such a slot too, zeros while they are: their switches are listed as if they
 * were elements of one more live buffer, RP_UNSET.
 *
 * Which grid follows from what is the plan's alone and never changes: reads[] lists it in the order
 * of the elements, so that those of a set are a run of it, found by halving. Cost of a set: the
 * bytes, and the grids that follow from them, however many others there are. */
#include "exec/exec.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/hash.h"
#include "base/table.h"
#include "plan/shape.h"

enum { SLOT_BYTES = 16 };

/* ---- Laying out the block -------------------------------------------------------------------- */

static const rp_expr_op *expr_of(const rp_plan *plan, uint32_t index, uint32_t *count) {
    const rp_plan_expr *exprs = rp_plan_records(plan, RP_SECTION_EXPRS);
    const rp_expr_op *ops = rp_plan_records(plan, RP_SECTION_EXPR_OPS);
    *count = exprs[index].op_count;
    return ops + exprs[index].first_op;
}

static uint32_t switch_count(const rp_switch_map *map, uint32_t node) {
    return map->first[node + 1] - map->first[node];
}

static bool equal_switches(const rp_switch_map *map, uint32_t a, uint32_t b) {
    uint32_t count = switch_count(map, a);
    return count == switch_count(map, b) &&
           (count == 0 || memcmp(map->items + map->first[a], map->items + map->first[b],
                                 count * sizeof *map->items) == 0);
}

static bool equal_grids(const rp_plan *plan, const rp_live_grid *a, const rp_plan_node *b) {
    if (a->live_mask != b->live_mask) return false;
    for (uint32_t i = 0; i < 3; i++) {
        if (!(a->live_mask >> i & 1)) {
            if (a->grid[i] != b->grid[i]) return false;
            continue;
        }
        uint32_t x_count, y_count;
        const rp_expr_op *x = expr_of(plan, a->grid[i], &x_count);
        const rp_expr_op *y = expr_of(plan, b->grid[i], &y_count);
        if (x_count != y_count || memcmp(x, y, x_count * sizeof *x) != 0) return false;
    }
    return true;
}

static uint64_t hash_grid(const rp_plan *plan, const rp_plan_node *node) {
    uint64_t hash = node->live_mask;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t count;
        if (node->live_mask >> i & 1) {
            const rp_expr_op *ops = expr_of(plan, node->grid[i], &count);
            hash = rp_hash_mix(hash, ops, count * sizeof *ops);
        } else {
            hash = rp_hash_mix(hash, &node->grid[i], sizeof node->grid[i]);
        }
    }
    return hash;
}

/* The grid of a node, one that an earlier node has if it can be; RP_UNSET without memory. */
static uint32_t grid_of(rp_live *live, rp_table *grids, uint32_t index) {
    const rp_plan_node *node = &rp_plan_nodes(live->plan)[index];
    const uint32_t *switches = live->switches.items + live->switches.first[index];
    uint64_t hash = hash_grid(live->plan, node);
    uint32_t count = switch_count(&live->switches, index), found;
    if (count) hash = rp_hash_mix(hash, switches, count * sizeof *switches);
    uint32_t key = (uint32_t)hash;
    for (uint32_t at = 0; rp_table_next(grids, key, &at, &found);)
        if (equal_grids(live->plan, &live->grids[found], node) &&
            equal_switches(&live->switches, live->grids[found].node, index))
            return found;
    found = live->grids_count;
    if (!rp_table_add(&live->device->allocator, grids, key, found)) return RP_UNSET;
    rp_live_grid *grid = &live->grids[live->grids_count++];
    *grid = (rp_live_grid){.node = index, .live_mask = node->live_mask, .offset = live->size};
    memcpy(grid->grid, node->grid, sizeof grid->grid);
    live->size += SLOT_BYTES;
    return found;
}

/* Whether a node's grid can change. */
static bool has_slot(const rp_live *live, uint32_t index) {
    const rp_plan_node *node = &rp_plan_nodes(live->plan)[index];
    return node->kind == RP_RUN &&
           (node->grid_kind == RP_GRID_LIVE || switch_count(&live->switches, index));
}

/* Gives each node whose grid can change the slot of its grid; equal grids under the same switches
 * share one. */
static rp_status plan_grids(rp_live *live, uint32_t nodes) {
    const rp_plan *plan = live->plan;
    const rp_allocator *a = &live->device->allocator;
    rp_table grids = {0};
    live->grids = rp_alloc(a, nodes, sizeof *live->grids);
    rp_status status = live->grids ? RP_OK : RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; status == RP_OK && i < rp_plan_count(plan, RP_SECTION_NODES); i++) {
        if (!has_slot(live, i)) continue;
        live->of_node[i] = grid_of(live, &grids, i);
        if (live->of_node[i] == RP_UNSET) status = RP_ERROR_NO_MEMORY;
    }
    rp_table_free(a, &grids);
    return status;
}

/* ---- What follows from what ------------------------------------------------------------------ */

static int compare_reads(const void *left, const void *right) {
    const rp_live_read *a = left, *b = right;
    if (a->buffer != b->buffer) return a->buffer < b->buffer ? -1 : 1;
    if (a->element != b->element) return a->element < b->element ? -1 : 1;
    return (a->grid > b->grid) - (a->grid < b->grid);
}

/* Counts the reads of a grid, and adds them where there is room for them. */
static uint32_t list_reads(const rp_live *live, uint32_t grid, rp_live_read *out) {
    const rp_live_grid *g = &live->grids[grid];
    uint32_t found = 0;
    for (uint32_t i = 0; i < 3; i++) {
        if (!(g->live_mask >> i & 1)) continue;
        uint32_t count;
        const rp_expr_op *ops = expr_of(live->plan, g->grid[i], &count);
        for (uint32_t j = 0; j < count; j++) {
            if (ops[j].code != RP_EXPR_LIVE) continue;
            if (out) out[found] = (rp_live_read){ops[j].buffer, ops[j].element, grid};
            found++;
        }
    }
    const rp_switch_map *map = &live->switches;
    for (uint32_t i = map->first[g->node]; i < map->first[g->node + 1]; i++, found++)
        if (out) out[found] = (rp_live_read){RP_UNSET, map->items[i], grid};
    return found;
}

static rp_status plan_reads(rp_live *live) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < live->grids_count; i++) total += list_reads(live, i, NULL);
    if (total > UINT32_MAX) return RP_ERROR_NO_MEMORY;
    live->reads = rp_alloc(&live->device->allocator, total, sizeof *live->reads);
    if (!live->reads) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < live->grids_count; i++)
        live->reads_count += list_reads(live, i, live->reads + live->reads_count);
    if (total) qsort(live->reads, live->reads_count, sizeof *live->reads, compare_reads);
    return RP_OK;
}

/* The first read of that element or of one behind it. */
static uint32_t first_read(const rp_live *live, uint32_t buffer, uint64_t element) {
    uint32_t low = 0, high = live->reads_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const rp_live_read *read = &live->reads[middle];
        if (read->buffer < buffer || (read->buffer == buffer && read->element < element))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int compare_follows(const void *left, const void *right) {
    const rp_live_follow *a = left, *b = right;
    if (a->source != b->source) return a->source < b->source ? -1 : 1;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    if (a->target != b->target) return a->target < b->target ? -1 : 1;
    return (a->to > b->to) - (a->to < b->to);
}

static rp_status plan_follows(rp_live *live) {
    const rp_plan_follow *all = rp_plan_records(live->plan, RP_SECTION_FOLLOWS);
    uint32_t count = rp_plan_count(live->plan, RP_SECTION_FOLLOWS);
    live->follows = rp_alloc(&live->device->allocator, count, sizeof *live->follows);
    if (!live->follows) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < live->plan->external_count; i++) {
        const rp_plan_buffer *buffer = &rp_plan_buffers(live->plan)[i];
        for (uint32_t j = 0; j < buffer->follow_count; j++) {
            const rp_plan_follow *f = &all[buffer->first_follow + j];
            live->follows[live->follows_count++] =
                (rp_live_follow){f->buffer, f->from, i, f->to, f->size};
        }
    }
    if (count) qsort(live->follows, count, sizeof *live->follows, compare_follows);
    return RP_OK;
}

/* The first follow of that source. */
static uint32_t first_follow(const rp_live *live, uint32_t source) {
    uint32_t low = 0, high = live->follows_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (live->follows[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

rp_status rp_live_plan(rp_live *live, rp_device *device, const rp_plan *plan,
                       const rp_switches *switches, rp_diags *diags) {
    const rp_allocator *a = &device->allocator;
    uint32_t node_count = rp_plan_count(plan, RP_SECTION_NODES), changing = 0;
    live->device = device;
    live->plan = plan;
    live->switches_count = switches->count;
    RP_TRY(rp_switch_map_create(&live->switches, switches, a, plan, diags));
    live->offsets = rp_alloc_zero(a, plan->external_count, sizeof *live->offsets);
    live->of_node = rp_alloc(a, node_count, sizeof *live->of_node);
    if (!live->offsets || !live->of_node) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < plan->external_count; i++) {
        const rp_plan_buffer *buffer = &rp_plan_buffers(plan)[i];
        if (buffer->kind != RP_LIVE) continue;
        live->offsets[i] = live->size; /* each is bound on its own, so each starts aligned */
        if (!rp_align_u64(live->size + buffer->size, RP_ARENA_ALIGNMENT, &live->size))
            return RP_ERROR_DEVICE_MEMORY;
    }
    live->values_size = live->size;
    if (rp_plan_count(plan, RP_SECTION_TAGGED_BARRIERS)) {
        live->stall_offset = live->size;
        live->stall_size = sizeof(uint32_t);
        live->size += RP_ARENA_ALIGNMENT;
    }
    for (uint32_t i = 0; i < node_count; i++) {
        live->of_node[i] = RP_UNSET;
        changing += has_slot(live, i);
    }
    if (changing) RP_TRY(plan_grids(live, changing));
    RP_TRY(plan_reads(live));
    RP_TRY(plan_follows(live));
    live->results = rp_alloc_zero(a, live->grids_count, sizeof *live->results);
    return live->results ? RP_OK : RP_ERROR_NO_MEMORY;
}

void rp_live_free(rp_live *live) {
    if (!live->device) return;
    const rp_allocator *a = &live->device->allocator;
    rp_switch_map_free(&live->switches, a);
    rp_release(a, live->offsets);
    rp_release(a, live->of_node);
    rp_release(a, live->grids);
    rp_release(a, live->reads);
    rp_release(a, live->follows);
    rp_release(a, live->results);
    memset(live, 0, sizeof *live);
}

rp_status rp_live_values_create(const rp_live *live, rp_live_values *values) {
    const rp_allocator *a = &live->device->allocator;
    values->copy = rp_alloc_zero(a, live->size, 1);
    values->mapped = rp_alloc_zero(a, live->plan->external_count, sizeof *values->mapped);
    values->off = rp_alloc_zero(a, live->switches_count, sizeof *values->off);
    return values->copy && values->mapped && values->off ? RP_OK : RP_ERROR_NO_MEMORY;
}

void rp_live_values_free(const rp_live *live, rp_live_values *values) {
    if (!live->device) return;
    rp_release(&live->device->allocator, values->copy);
    rp_release(&live->device->allocator, values->mapped);
    rp_release(&live->device->allocator, values->off);
    memset(values, 0, sizeof *values);
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* New elements of one buffer, laid over the present values. */
typedef struct overlay {
    const rp_live *live;
    const rp_live_values *present;
    uint32_t buffer, first, count;
    const uint8_t *values;
} overlay;

/* False for an element that is no integer: grids and maxima are about integers alone. */
static bool read_element(void *context, uint32_t buffer, uint32_t element, int64_t *out) {
    const overlay *over = context;
    const rp_plan_buffer *record = &rp_plan_buffers(over->live->plan)[buffer];
    uint32_t width = rp_dtype_size((rp_dtype)record->dtype);
    const uint8_t *at = over->present->copy + over->live->offsets[buffer] + (size_t)element * width;
    if (buffer == over->buffer && element >= over->first && element - over->first < over->count)
        at = over->values + (size_t)(element - over->first) * width;
    switch ((rp_dtype)record->dtype) {
    case RP_I8: *out = (int8_t)*at; return true;
    case RP_BOOL:
    case RP_U8: *out = *at; return true;
    case RP_I16: {
        int16_t value;
        memcpy(&value, at, sizeof value);
        *out = value;
        return true;
    }
    case RP_U16: {
        uint16_t value;
        memcpy(&value, at, sizeof value);
        *out = value;
        return true;
    }
    case RP_I64: memcpy(out, at, sizeof *out); return true;
    case RP_U64: memcpy(out, at, sizeof *out); return *out >= 0; /* no grid has more */
    case RP_I32: {
        int32_t value;
        memcpy(&value, at, sizeof value);
        *out = value;
        return true;
    }
    case RP_U32: {
        uint32_t value;
        memcpy(&value, at, sizeof value);
        *out = value;
        return true;
    }
    case RP_RAW:
    case RP_F32:
    case RP_F64:
    case RP_F16:
    case RP_BF16:
    case RP_Q8_0:
    case RP_Q4_0: break;
    }
    return false;
}

bool rp_live_shape(const rp_live *live, const rp_live_values *values, uint32_t buffer,
                   uint64_t shape[RP_MAX_RANK], uint64_t *out_bytes) {
    const overlay none = {.live = live, .present = values, .buffer = RP_UNSET};
    return rp_plan_eval_shape(live->plan, buffer, read_element, (void *)&none, shape, out_bytes);
}

static rp_status check_maximum(const overlay *over, rp_diags *diags) {
    const rp_plan *plan = over->live->plan;
    const rp_plan_buffer *record = &rp_plan_buffers(plan)[over->buffer];
    if (record->max_value == UINT32_MAX) return RP_OK;
    for (uint32_t i = 0; i < over->count; i++) {
        int64_t value;
        if (!read_element((void *)over, over->buffer, over->first + i, &value) ||
            value <= record->max_value)
            continue;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s[%u] cannot be set to %lld: its declared maximum is %u",
                     rp_plan_string(plan, record->name), over->first + i, (long long)value,
                     record->max_value);
        return RP_ERROR_INVALID;
    }
    return RP_OK;
}

/* ---- Grids ----------------------------------------------------------------------------------- */

static rp_status compute_grid(const overlay *over, const rp_live_grid *grid, rp_live_result *out,
                              rp_diags *diags) {
    const rp_live *live = over->live;
    const uint32_t *most = live->device->adapter.properties.limits.maxComputeWorkGroupCount;
    uint32_t node_id = rp_plan_nodes(live->plan)[grid->node].id;
    for (uint32_t i = 0; i < 3; i++) {
        out->grid[i] = grid->grid[i];
        if (!(grid->live_mask >> i & 1)) continue;
        uint32_t count;
        const rp_expr_op *ops = expr_of(live->plan, grid->grid[i], &count);
        int64_t value;
        const char *why = "";
        if (!rp_expr_eval(ops, count, read_element, (void *)over, &value, &why)) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "the grid of n%u in %c cannot be computed from the live values: %s",
                         node_id, "xyz"[i], why);
            return RP_ERROR_INVALID;
        }
        if (value < 0 || value > most[i]) {
            rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                         "the live values make the grid of n%u %lld in %c; 0 to %u is possible",
                         node_id, (long long)value, "xyz"[i], most[i]);
            return RP_ERROR_INVALID;
        }
        out->grid[i] = (uint32_t)value;
    }
    return RP_OK;
}

/* Computes the grid if this round has not yet. */
static rp_status compute_once(rp_live *live, const overlay *over, uint32_t grid, rp_diags *diags) {
    rp_live_result *result = &live->results[grid];
    if (result->round == live->round) return RP_OK;
    result->round = live->round;
    return compute_grid(over, &live->grids[grid], result, diags);
}

static bool is_left_out(const rp_live *live, const rp_live_values *values, uint32_t node) {
    const rp_switch_map *map = &live->switches;
    for (uint32_t i = map->first[node]; i < map->first[node + 1]; i++)
        if (values->off[map->items[i]]) return true;
    return false;
}

static void write_grid(const rp_live *live, const rp_live_values *values, uint32_t grid) {
    static const uint32_t none[3] = {0};
    const rp_live_grid *g = &live->grids[grid];
    bool out = is_left_out(live, values, g->node);
    memcpy(values->grids + g->offset, out ? none : live->results[grid].grid, sizeof none);
}

/* Copies bytes [at, at + size) of a buffer to those that follow them. */
static void write_followers(const rp_live *live, const rp_live_values *values, uint32_t buffer,
                            uint64_t at, uint64_t size) {
    const uint8_t *source = values->copy + live->offsets[buffer];
    for (uint32_t i = first_follow(live, buffer); i < live->follows_count; i++) {
        const rp_live_follow *f = &live->follows[i];
        if (f->source != buffer || f->from >= at + size) break;
        uint64_t lo = f->from > at ? f->from : at, end = (uint64_t)f->from + f->size;
        uint64_t hi = end < at + size ? end : at + size;
        if (lo >= hi) continue;
        uint64_t to = f->to + (lo - f->from);
        memcpy(values->copy + live->offsets[f->target] + to, source + lo, hi - lo);
        memcpy(values->mapped[f->target] + to, source + lo, hi - lo);
    }
}

/* Sets elements that are known to lie inside the buffer. */
static rp_status apply(rp_live *live, rp_live_values *values, const overlay *over,
                       rp_diags *diags) {
    uint32_t first = first_read(live, over->buffer, over->first);
    uint32_t end = first_read(live, over->buffer, (uint64_t)over->first + over->count);
    live->round++;
    for (uint32_t i = first; i < end; i++)
        RP_TRY(compute_once(live, over, live->reads[i].grid, diags));
    uint32_t width = rp_dtype_size((rp_dtype)rp_plan_buffers(live->plan)[over->buffer].dtype);
    size_t at = (size_t)over->first * width, size = (size_t)over->count * width;
    memcpy(values->copy + live->offsets[over->buffer] + at, over->values, size);
    memcpy(values->mapped[over->buffer] + at, over->values, size);
    write_followers(live, values, over->buffer, at, size);
    for (uint32_t i = first; i < end; i++) write_grid(live, values, live->reads[i].grid);
    return RP_OK;
}

rp_status rp_live_check(rp_live *live, const rp_live_values *values, rp_diags *diags) {
    const rp_plan_buffer *buffers = rp_plan_buffers(live->plan);
    const overlay none = {.live = live, .present = values, .buffer = RP_UNSET};
    for (uint32_t i = 0; i < live->plan->external_count; i++) {
        if (buffers[i].kind != RP_LIVE || buffers[i].max_value == UINT32_MAX) continue;
        const overlay over = {
            .live = live,
            .present = values,
            .buffer = i,
            .count = (uint32_t)(buffers[i].size / rp_dtype_size((rp_dtype)buffers[i].dtype)),
            .values = values->copy + live->offsets[i],
        };
        RP_TRY(check_maximum(&over, diags));
    }
    live->round++;
    for (uint32_t i = 0; i < live->grids_count; i++) RP_TRY(compute_once(live, &none, i, diags));
    return RP_OK;
}

rp_status rp_live_refresh(rp_live *live, rp_live_values *values, rp_diags *diags) {
    const rp_plan_buffer *buffers = rp_plan_buffers(live->plan);
    const overlay none = {.live = live, .present = values, .buffer = RP_UNSET};
    live->round++;
    for (uint32_t i = 0; i < live->grids_count; i++) RP_TRY(compute_once(live, &none, i, diags));
    for (uint32_t i = 0; i < live->follows_count; i++) {
        const rp_live_follow *f = &live->follows[i];
        memcpy(values->copy + live->offsets[f->target] + f->to,
               values->copy + live->offsets[f->source] + f->from, f->size);
    }
    for (uint32_t i = 0; i < live->plan->external_count; i++)
        if (buffers[i].kind == RP_LIVE)
            memcpy(values->mapped[i], values->copy + live->offsets[i], buffers[i].size);
    for (uint32_t i = 0; i < live->grids_count; i++) write_grid(live, values, i);
    /* In a block that was another plan's the word of stalls is something else of it. */
    if (live->stall_size) memset(values->grids + live->stall_offset, 0, live->stall_size);
    return RP_OK;
}

void rp_live_defaults(const rp_live *live, rp_live_values *values) {
    const rp_plan *plan = live->plan;
    const uint8_t *bytes = rp_plan_records(plan, RP_SECTION_BYTES);
    for (uint32_t i = 0; i < plan->external_count; i++) {
        const rp_plan_buffer *buffer = &rp_plan_buffers(plan)[i];
        if (buffer->kind == RP_LIVE && buffer->first_default != UINT32_MAX)
            memcpy(values->copy + live->offsets[i], bytes + buffer->first_default, buffer->size);
    }
}

rp_status rp_live_set(rp_live *live, rp_live_values *values, uint32_t buffer, uint32_t first,
                      const void *elements, uint32_t count, rp_diags *diags) {
    const rp_plan_buffer *record = &rp_plan_buffers(live->plan)[buffer];
    if (record->follow_count) {
        const rp_plan_follow *f = rp_plan_records(live->plan, RP_SECTION_FOLLOWS);
        uint32_t source = f[record->first_follow].buffer;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s follows other live values and is not set itself: set %s",
                     rp_plan_string(live->plan, record->name),
                     rp_plan_string(live->plan, rp_plan_buffers(live->plan)[source].name));
        return RP_ERROR_USAGE;
    }
    uint64_t all = record->size / rp_dtype_size((rp_dtype)record->dtype);
    if (!rp_range_inside(first, count, all)) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "elements %u + %u are outside live buffer %s, which has %llu", first, count,
                     rp_plan_string(live->plan, record->name), (unsigned long long)all);
        return RP_ERROR_USAGE;
    }
    const overlay over = {live, values, buffer, first, count, elements};
    RP_TRY(check_maximum(&over, diags));
    return apply(live, values, &over, diags);
}

/* Values are such that every grid is possible, whether its node is left out or not. */
rp_status rp_live_switch(rp_live *live, rp_live_values *values, uint32_t which, bool on,
                         rp_diags *diags) {
    const overlay none = {.live = live, .present = values, .buffer = RP_UNSET};
    uint32_t first = first_read(live, RP_UNSET, which);
    uint32_t end = first_read(live, RP_UNSET, (uint64_t)which + 1);
    live->round++;
    for (uint32_t i = first; i < end; i++)
        RP_TRY(compute_once(live, &none, live->reads[i].grid, diags));
    values->off[which] = !on;
    for (uint32_t i = first; i < end; i++) write_grid(live, values, live->reads[i].grid);
    return RP_OK;
}
