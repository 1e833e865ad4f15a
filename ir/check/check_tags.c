/* Rule 3: tagged buffers are what their readers take them for.
 *
 * A reader of a tagged buffer trusts a word whose tag is that of the replay at hand: the element in it
 * is then the one that the buffer's writer stored in this replay. That is so when nobody else can have
 * stored such a word. One node writes the buffer, all of it, in every replay; it and the readers are
 * kernels made of ops, whose text the generator makes for tags (reprise check PLAN generates it again);
 * its memory, the tags included, is shared with nothing; and the writer stands in a group before those
 * of all readers, so that whoever waits has been started behind whom it waits for. Two replays write
 * different tags, and are ordered by rule 2 (docs/checker.md). O(uses + transients log transients). */
#include "check/check.h"

#include <stdlib.h>

typedef struct range {
    uint64_t lo, hi;
    uint32_t buffer;
} range;

static int by_place(const void *a, const void *b) {
    const range *x = a, *y = b;
    if (x->lo != y->lo) return x->lo < y->lo ? -1 : 1;
    return x->buffer < y->buffer ? -1 : x->buffer > y->buffer;
}

static const char *name_of(const rp_graph *g, uint32_t buffer) {
    return rp_graph_string(g, g->buffers[buffer].name);
}

/* Elements and tags take twice the bytes. */
static uint64_t end_of(const rp_graph_buffer *b) {
    return b->offset + (b->tagged ? 2 * b->size : b->size);
}

/* Bytes of a tagged buffer that another transient has, too: sorted by where they begin, each range is
 * held against the one that reaches farthest so far, of the tagged ones and of all. */
static bool check_memory(rp_check_run *run) {
    const rp_graph *g = run->compiled;
    range *all = rp_alloc(run->a, g->buffers_count, sizeof *all), tagged = {0}, any = {0};
    uint32_t count = 0;
    if (!all) return false;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (b->removed || !rp_check_in_arena(g, i)) continue;
        all[count++] = (range){b->offset, end_of(b), i};
    }
    if (count) qsort(all, count, sizeof *all, by_place);
    for (uint32_t i = 0; i < count && !rp_check_stop(run); i++) {
        bool own = g->buffers[all[i].buffer].tagged;
        const range *other = own ? &any : &tagged;
        if (all[i].lo < other->hi)
            rp_check_fail(run, NULL,
                          "rule 3: %%%.80s and %%%.80s share memory, and %%%.80s is tagged",
                          name_of(g, other->buffer), name_of(g, all[i].buffer),
                          name_of(g, own ? all[i].buffer : other->buffer));
        if (all[i].hi > any.hi) any = all[i];
        if (own && all[i].hi > tagged.hi) tagged = all[i];
    }
    rp_release(run->a, all);
    return true;
}

static void check_buffer(rp_check_run *run, uint32_t buffer) {
    const rp_graph_buffer *b = &run->compiled->buffers[buffer];
    const char *wrong = NULL;
    if (rp_check_external(b) || rp_buffer_is_image(b))
        wrong = "is no transient buffer";
    else if (b->offset == RP_NOT_PLACED)
        wrong = "has no place in the arena";
    else if (b->dtype != RP_F32 && b->dtype != RP_I32 && b->dtype != RP_U32)
        wrong = "has elements of other than 4 bytes";
    if (wrong)
        rp_check_fail(run, NULL, "rule 3: %%%.80s is tagged and %s", name_of(run->compiled, buffer),
                      wrong);
}

/* A use of a tagged buffer; `writer` is the node that writes it, RP_NONE for none so far in plan order. */
static void check_use(rp_check_run *run, const rp_graph_node *n, const rp_graph_use *u,
                      uint32_t *writer, uint32_t index) {
    const rp_graph *g = run->compiled;
    const char *wrong = NULL, *name = name_of(g, u->buffer);
    bool writes = rp_check_writes(u);
    if (n->kind != RP_RUN || n->member_count == 0)
        wrong = "is no kernel made of ops";
    else if (u->offset || u->size != g->buffers[u->buffer].size || u->indirect || u->addressed)
        wrong = "uses a part of it, or not as a kernel's buffer";
    else if (writes && (u->access != RP_WRITE || n->grid_kind != RP_GRID_DIRECT || n->optional))
        wrong = "may not write all of it in every replay";
    else if (!writes && u->access != RP_READ)
        wrong = "reads it otherwise than as a storage buffer";
    else if (writes && *writer != RP_NONE)
        wrong = "writes it a second time";
    else if (!writes && (*writer == RP_NONE || g->nodes[*writer].group >= n->group))
        wrong = "reads it, and its writer is in no group before";
    if (wrong) rp_check_fail(run, n, "rule 3: %%%.80s is tagged, and n%u %s", name, n->id, wrong);
    if (writes) *writer = index;
}

rp_status rp_check_tags(rp_check_run *run) {
    const rp_graph *g = run->compiled;
    uint32_t *writer = rp_alloc(run->a, g->buffers_count, sizeof *writer);
    if (!writer) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        writer[i] = RP_NONE;
        if (g->buffers[i].tagged && !g->buffers[i].removed) check_buffer(run, i);
    }
    for (uint32_t i = 0; i < g->nodes_count && !rp_check_stop(run); i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->unknown)
            rp_check_fail(run, n, "rule 3: n%u may use any memory, and there are tagged buffers",
                          n->id);
        for (uint32_t k = 0; k < n->use_count && !rp_check_stop(run); k++) {
            const rp_graph_use *u = &rp_node_uses(g, n)[k];
            if (g->buffers[u->buffer].tagged) check_use(run, n, u, &writer[u->buffer], i);
        }
    }
    rp_release(run->a, writer);
    if (rp_check_stop(run)) return RP_OK;
    return check_memory(run) ? RP_OK : RP_ERROR_NO_MEMORY;
}
