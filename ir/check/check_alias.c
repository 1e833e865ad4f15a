/* Part of rule 2: images that share memory are never alive at the same time.
 *
 * How an image lies in memory only the device knows, so bytes cannot be compared: two images of one
 * alias set may share any of them. They must then not be used in one group, nor between two uses of the
 * other. Whoever replays the plan takes the memory over in front of the first group that uses an image:
 * its contents become undefined behind everything that used an image of the set before, of the replay
 * before too, and in front of everything that uses this one (docs/checker.md). So nothing else is to be
 * proven. A node without declared uses may use any image at any time. O(images log images). */
#include "check/check.h"

#include <stdlib.h>

typedef struct lifetime {
    uint64_t set;
    uint32_t first, last, buffer; /* groups; first > last: nothing uses it */
} lifetime;

static int by_set(const void *a, const void *b) {
    const lifetime *x = a, *y = b;
    if (x->set != y->set) return x->set < y->set ? -1 : 1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x->buffer < y->buffer ? -1 : x->buffer > y->buffer;
}

static bool shares(const rp_graph_buffer *b) {
    return !b->removed && !rp_check_external(b) && rp_buffer_is_image(b) &&
           b->offset != RP_NOT_PLACED;
}

static uint32_t gather(const rp_graph *g, lifetime *out, uint32_t *at) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        at[i] = RP_NONE;
        if (!shares(&g->buffers[i])) continue;
        at[i] = count;
        out[count++] = (lifetime){g->buffers[i].offset, RP_NONE, 0, i};
    }
    for (uint32_t i = 0; count && i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        for (uint32_t u = 0; u < n->use_count; u++) {
            uint32_t image = at[rp_node_uses(g, n)[u].buffer];
            if (image == RP_NONE) continue;
            if (n->group < out[image].first) out[image].first = n->group;
            if (n->group > out[image].last) out[image].last = n->group;
        }
    }
    return count;
}

static void compare(rp_check_run *run, lifetime *items, uint32_t count) {
    const rp_graph *g = run->compiled;
    if (count) qsort(items, count, sizeof *items, by_set);
    for (uint32_t i = 1, longest = 0; i < count && !rp_check_stop(run); i++) {
        const lifetime *a = &items[longest], *b = &items[i];
        const char *x = rp_graph_string(g, g->buffers[a->buffer].name);
        const char *y = rp_graph_string(g, g->buffers[b->buffer].name);
        if (a->set == b->set && run->has_unknown)
            rp_check_fail(run, NULL,
                          "rule 2: %%%.80s and %%%.80s share memory beside a node without declared "
                          "uses, which may use both",
                          x, y);
        else if (a->set == b->set && b->first != RP_NONE && b->first <= a->last)
            rp_check_fail(run, NULL,
                          "rule 2: %%%.80s and %%%.80s share memory, and both are used in group %u "
                          "or around it",
                          x, y, b->first);
        if (a->set != b->set || b->last > a->last) longest = i;
    }
}

rp_status rp_check_aliases(rp_check_run *run) {
    const rp_graph *g = run->compiled;
    lifetime *items = rp_alloc(run->a, g->buffers_count, sizeof *items);
    uint32_t *at = rp_alloc(run->a, g->buffers_count, sizeof *at);
    bool room = items && at;
    if (room) compare(run, items, gather(g, items, at));
    rp_release(run->a, items);
    rp_release(run->a, at);
    return room ? RP_OK : RP_ERROR_NO_MEMORY;
}
