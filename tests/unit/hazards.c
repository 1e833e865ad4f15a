/* What a graph keeps of its hazards against a walk of its copy, which keeps nothing: the same as
 * long as the graph is what was walked, and the truth after anything that a walk looks at changed. */
#include "support/failing_alloc.h"
#include "support/random_graph.h"
#include "support/unit.h"

#include "base/hash.h"
#include "graph/hazards.h"
#include "reprise/passes.h"

enum { CASES = 300 };

typedef struct found {
    uint64_t hash;
    uint32_t count;
} found;

static rp_status fold(void *context, const rp_hazard *h) {
    found *f = context;
    const uint64_t row[] = {h->kind,      h->next_replay, h->from, h->to,  h->from_buffer,
                            h->to_buffer, h->offset,      h->size, h->src, h->dst};
    f->hash = rp_hash_mix(f->hash, row, sizeof row);
    f->count++;
    return RP_OK;
}

static found walk(const rp_graph *g) {
    found f = {0};
    CU_ASSERT_EQUAL(rp_hazards_walk(g, fold, &f), RP_OK);
    return f;
}

static found list(const rp_graph *g) {
    found f = {0};
    const rp_hazard *hazards;
    rp_hazard *made;
    uint32_t count;
    CU_ASSERT_EQUAL(rp_hazards_list(g, &hazards, &count, &made), RP_OK);
    for (uint32_t i = 0; i < count; i++) fold(&f, &hazards[i]);
    rp_release(&g->allocator, made);
    return f;
}

/* Whether the graph's hazards are those of a copy; `last`: as they are found to be. */
static bool true_of_copy(const rp_graph *g, found *last) {
    rp_graph *copy = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(g, &copy), RP_OK);
    CU_ASSERT_PTR_NULL(copy->known);
    found a = walk(g), b = list(g), c = walk(copy), d = list(copy);
    rp_graph_destroy(copy);
    *last = c;
    return a.hash == c.hash && a.count == c.count && b.hash == c.hash && d.hash == c.hash;
}

/* Something that a walk looks at, changed. */
static void change(rp_graph *g, uint32_t what, rp_random *r) {
    rp_graph_use *u = &g->uses[rp_random_below(r, g->uses_count)];
    rp_graph_node *n = &g->nodes[rp_random_below(r, g->nodes_count)];
    rp_graph_buffer *b = &g->buffers[rp_random_below(r, g->buffers_count)];
    switch (what) {
    case 0: u->access = u->access == RP_READ ? RP_READ_WRITE : RP_READ; break;
    case 1: u->size = (u->size + 1) / 2; break;
    case 2: u->offset += 4; break;
    case 3: u->buffer = rp_random_below(r, g->buffers_count); break;
    case 4: u->indirect = !u->indirect; break;
    case 5: n->unknown = !n->unknown; break;
    case 6: n->kind = n->kind == RP_FENCE ? RP_RUN : RP_FENCE; break;
    case 7: n->use_count = n->use_count / 2; break;
    case 8: b->offset = b->offset == RP_NOT_PLACED ? 0 : RP_NOT_PLACED; break;
    case 9: b->kind = b->kind == RP_TMP ? RP_OUT : RP_TMP; break;
    case 10: b->removed = !b->removed; break;
    case 11: b->size *= 2; break;
    }
}

enum { CHANGES = 12 };

static void test_kept(void) {
    uint32_t differ[CHANGES] = {0};
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        rp_random_shape shape = rp_random_shape_of(seed);
        rp_random_graph *random = rp_random_graph_create(seed, &shape);
        rp_graph *source = rp_random_graph_build(random), *g = NULL;
        rp_random r = {seed};
        rp_status status = rp_passes_run(source, NULL, NULL, &g, NULL, NULL);
        CU_ASSERT_EQUAL(status, RP_OK);
        if (status == RP_OK && g->nodes_count && g->uses_count) {
            found before, after;
            CU_ASSERT_PTR_NOT_NULL(g->known);
            CU_ASSERT(true_of_copy(g, &before));
            for (uint32_t what = 0; what < CHANGES; what++) {
                rp_graph *saved = NULL;
                CU_ASSERT_EQUAL_FATAL(rp_graph_clone(g, &saved), RP_OK);
                change(g, what, &r);
                CU_ASSERT(true_of_copy(g, &after));
                differ[what] += after.hash != before.hash;
                memcpy(g->uses, saved->uses, g->uses_count * sizeof *g->uses);
                memcpy(g->nodes, saved->nodes, g->nodes_count * sizeof *g->nodes);
                memcpy(g->buffers, saved->buffers, g->buffers_count * sizeof *g->buffers);
                rp_graph_destroy(saved);
            }
            CU_ASSERT(true_of_copy(g, &after) && after.hash == before.hash);
        }
        rp_graph_destroy(g);
        rp_graph_destroy(source);
        rp_random_graph_destroy(random);
    }
    for (uint32_t what = 0; what < CHANGES; what++) CU_ASSERT(differ[what] > 0);
}

/* Without memory nothing is kept, and nothing is lost. */
static void test_no_memory(void) {
    rp_random_shape shape = rp_random_shape_of(3);
    rp_random_graph *random = rp_random_graph_create(3, &shape);
    rp_graph *source = rp_random_graph_build(random), *g = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, NULL, NULL, &g, NULL, NULL), RP_OK);
    uint64_t requests = 0;
    for (uint64_t n = 0; n <= requests; n++) {
        failing_alloc memory = {.fail_at = n};
        rp_allocator own = g->allocator;
        found f = {0};
        rp_hazards_forget(g);
        g->allocator = failing_allocator(&memory);
        rp_status status = rp_hazards_keep(g, fold, &f);
        CU_ASSERT_EQUAL(status, n == 0 ? RP_OK : RP_ERROR_NO_MEMORY);
        CU_ASSERT_EQUAL(g->known != NULL, n == 0);
        if (n == 0) requests = memory.requests;
        rp_hazards_forget(g);
        CU_ASSERT_EQUAL(memory.live, 0);
        g->allocator = own;
    }
    CU_ASSERT(requests > 5);
    rp_graph_destroy(g);
    rp_graph_destroy(source);
    rp_random_graph_destroy(random);
}

int main(void) {
    static const rp_test tests[] = {
        {"what is kept is true", test_kept}, {"no memory", test_no_memory}, {NULL, NULL}};
    return rp_run_tests("hazards", tests);
}
