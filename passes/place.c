/* place: gives transients their offsets in the arena.
 *
 * Lifetimes are intervals of groups, not of nodes: nodes of one group run at the same time, so two
 * transients of one group never share bytes, and sharing never needs a barrier that is not there
 * already. (Planning on node intervals, as allocators of sequential runtimes do, saves bytes by
 * adding barriers.) rp_place_lifetimes in pack.c does the packing. Images do not lie in the arena:
 * they are given alias sets.
 */
#include "pass.h"

#include "base/checked.h"
#include "base/interval_map.h"
#include "base/sort.h"
#include "place.h"

enum { SETS_TRIED = 256 };

rp_status rp_place_gather(const rp_graph *graph, bool images, rp_lifetime **out_items,
                          uint32_t *out_count) {
    const rp_allocator *a = &graph->allocator;
    *out_items = NULL;
    *out_count = 0;
    uint32_t *slot = rp_alloc(a, graph->buffers_count, sizeof *slot);
    rp_lifetime *items = rp_alloc(a, graph->buffers_count, sizeof *items);
    if (!slot || !items) {
        rp_release(a, slot);
        rp_release(a, items);
        return RP_ERROR_NO_MEMORY;
    }
    uint32_t count = 0;
    bool fits = true;
    for (uint32_t i = 0; i < graph->buffers_count; i++) {
        const rp_graph_buffer *b = &graph->buffers[i];
        slot[i] = RP_NONE;
        if (b->kind != RP_TMP || b->removed || rp_buffer_is_image(b) != images) continue;
        slot[i] = count;
        /* A transient that nothing uses lives nowhere: first > last until a use is seen. */
        items[count] = (rp_lifetime){.first = RP_NONE, .buffer = i};
        fits &= rp_align_u64(rp_buffer_footprint(b), RP_ARENA_ALIGNMENT, &items[count++].size);
    }
    for (uint32_t i = 0; i < graph->nodes_count; i++) {
        const rp_graph_node *n = &graph->nodes[i];
        for (uint32_t u = 0; u < n->use_count; u++) {
            uint32_t at = slot[rp_node_uses(graph, n)[u].buffer];
            if (at == RP_NONE) continue;
            if (n->group < items[at].first) items[at].first = n->group;
            if (n->group > items[at].last) items[at].last = n->group;
        }
    }
    /* With a node whose uses are unknown, every transient is alive all the time; a tagged one always
     * is, for its tags are from one replay to the next. */
    bool unknown = false;
    for (uint32_t i = 0; i < graph->nodes_count; i++) unknown |= graph->nodes[i].unknown;
    for (uint32_t i = 0; i < count; i++) {
        if (unknown || graph->buffers[items[i].buffer].tagged)
            items[i].first = 0, items[i].last = graph->group_count - 1;
        else if (items[i].first == RP_NONE)
            items[i].first = items[i].last = 0;
    }
    rp_release(a, slot);
    if (!fits) {
        rp_release(a, items);
        return RP_ERROR_INVALID;
    }
    *out_items = items;
    *out_count = count;
    return RP_OK;
}

/* Every transient on its own bytes, in buffer order. */
static rp_status separate(rp_lifetime *items, uint32_t count, uint64_t *arena) {
    *arena = 0;
    for (uint32_t i = 0; i < count; i++) {
        items[i].offset = *arena;
        if (!rp_add_u64(*arena, items[i].size, arena)) return RP_ERROR_INVALID;
    }
    return RP_OK;
}

/* ---- Images ---------------------------------------------------------------------------------- */

/* Largest first; equals stay in the order of buffers. */
static bool sort_by_size(const rp_allocator *a, rp_sort_item *order, const rp_lifetime *items,
                         uint32_t count) {
    for (uint32_t i = 0; i < count; i++) order[i] = (rp_sort_item){~items[i].size, i};
    return rp_sort(a, order, count);
}

static uint32_t note_alive(void *context, uint64_t lo, uint64_t hi, uint32_t value) {
    (void)lo, (void)hi;
    if (value != RP_ABSENT) *(bool *)context = true;
    return value;
}

/* The first set none of whose images is alive in the item's groups, RP_NONE for none. */
static uint32_t set_with_room(rp_interval_map *sets, uint32_t count, const rp_lifetime *item) {
    for (uint32_t s = 0; s < count && s < SETS_TRIED; s++) {
        bool alive = false;
        rp_interval_map_each(&sets[s], item->first, (uint64_t)item->last + 1, note_alive, &alive);
        if (!alive) return s;
    }
    return RP_NONE;
}

/* Gives each item its set, in the order of their sizes; returns how many sets there are, RP_NONE
 * without memory. */
static uint32_t choose_sets(const rp_allocator *a, rp_lifetime *items, uint32_t count, bool share) {
    rp_sort_item *order = rp_alloc(a, count, sizeof *order);
    rp_interval_map *sets =
        rp_alloc_zero(a, count, sizeof *sets); /* the groups they are alive in */
    bool ok = order && sets && sort_by_size(a, order, items, count);
    uint32_t used = 0;
    for (uint32_t i = 0; ok && i < count; i++) {
        rp_lifetime *item = &items[order[i].value];
        uint32_t set = share ? set_with_room(sets, used, item) : RP_NONE;
        if (set == RP_NONE) set = used++;
        item->offset = set;
        ok = rp_interval_map_set(a, &sets[set], item->first, (uint64_t)item->last + 1, 0);
    }
    for (uint32_t i = 0; i < used; i++) rp_interval_map_free(a, &sets[i]);
    rp_release(a, order);
    rp_release(a, sets);
    return ok ? used : RP_NONE;
}

/* How large an image is, and where it may begin, only the device knows. What is decided here is who
 * may share memory: images of one alias set, which are never alive in the same group. The device
 * gives a set the memory of its largest image. Largest first, each into the first set that has room
 * for its lifetime (among SETS_TRIED, so that placing stays near linear); sets are numbered in the
 * order of buffers. */
static rp_status place_images(rp_graph *graph, bool share, bool *out_changed, uint32_t *out_images,
                              uint32_t *out_sets) {
    const rp_allocator *a = &graph->allocator;
    rp_lifetime *items;
    uint32_t count, next = 0;
    RP_TRY(rp_place_gather(graph, true, &items, &count));
    uint32_t *number = rp_alloc(a, count, sizeof *number); /* per set */
    uint32_t sets = number ? choose_sets(a, items, count, share) : RP_NONE;
    for (uint32_t i = 0; sets != RP_NONE && i < sets; i++) number[i] = RP_NONE;
    for (uint32_t i = 0; sets != RP_NONE && i < count; i++) { /* items are in order of buffers */
        uint32_t *n = &number[items[i].offset];
        rp_graph_buffer *b = &graph->buffers[items[i].buffer];
        if (*n == RP_NONE) *n = next++;
        if (b->offset != *n) *out_changed = true;
        b->offset = *n;
    }
    rp_release(a, items);
    rp_release(a, number);
    *out_images = count;
    *out_sets = sets;
    return sets == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

/* ---- The pass -------------------------------------------------------------------------------- */

rp_status rp_pass_place(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    const rp_allocator *a = &graph->allocator;
    rp_lifetime *items = NULL;
    uint32_t count = 0, images = 0, sets = 0;
    uint64_t arena = 0, bound = 0, total = 0;
    rp_status status = rp_place_gather(graph, false, &items, &count);
    for (uint32_t i = 0; i < count && status == RP_OK; i++)
        if (!rp_add_u64(total, items[i].size, &total)) status = RP_ERROR_INVALID;
    if (status == RP_OK)
        status = context->mode == 0 ? rp_place_lifetimes(a, items, count, &arena, &bound)
                                    : separate(items, count, &arena);
    if (status == RP_ERROR_INVALID)
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "transients need more than 2^64 bytes together");
    if (status == RP_OK && context->options->arena_limit && arena > context->options->arena_limit) {
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "transients need %llu bytes of arena, more than the limit of %llu: raise the "
                     "limit, or run schedule in mode pack, which trades barriers for memory",
                     (unsigned long long)arena, (unsigned long long)context->options->arena_limit);
        status = RP_ERROR_INVALID;
    }
    if (status == RP_OK)
        status = place_images(graph, context->mode == 0, out_changed, &images, &sets);
    if (status == RP_OK) {
        for (uint32_t i = 0; i < count; i++) {
            rp_graph_buffer *b = &graph->buffers[items[i].buffer];
            if (b->offset != items[i].offset) *out_changed = true;
            b->offset = items[i].offset;
        }
        if (!(graph->stages & RP_STAGE_PLACED) || graph->arena_bytes != arena) *out_changed = true;
        graph->stages |= RP_STAGE_PLACED;
        graph->arena_bytes = arena;
        rp_text_format(context->summary, "%u transients of %llu bytes in an arena of %llu", count,
                       (unsigned long long)total, (unsigned long long)arena);
        if (context->mode == 0)
            rp_text_format(context->summary, " (bound %llu)", (unsigned long long)bound);
        if (images) rp_text_format(context->summary, ", %u images in %u alias sets", images, sets);
    }
    rp_release(a, items);
    return status;
}
