/* Graphs where a plain walk would look at every pair: what the analyses report stays linear in the
 * nodes (counts, not times), and what they say stays what all pairs say. */
#include "support/cases.h"
#include "support/conflict.h"
#include "support/failing_alloc.h"
#include "support/unit.h"

#include <stdlib.h>

#include "base/text.h"
#include "graph/deps.h"
#include "graph/graph.h"
#include "graph/hazards.h"
#include "reprise/check.h"
#include "reprise/passes.h"

enum { SLICE = 256 };

static rp_graph *parse(rp_text *t) {
    rp_graph *g = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, t->data, t->size, "wide", NULL, &g), RP_OK);
    rp_text_free(t);
    return g;
}

/* `rounds` times: `width` nodes add to slices of a buffer, then as many read all of it; and between
 * two reads one slice changes, when `mixed`. */
static rp_graph *all_to_all(uint32_t width, uint32_t rounds, bool mixed) {
    rp_text t;
    rp_text_init(&t, NULL);
    uint32_t id = 0, reads = width * rounds;
    rp_text_format(&t, "reprise 1\ngraph all {\nbuf $x in %u\nbuf $s inout %u\n", SLICE,
                   width * SLICE);
    rp_text_format(&t, "buf $y out %u\nkern @change spirv - local 1 1 1 (r, rw)\n", reads * SLICE);
    rp_text_format(&t, "kern @read spirv - local 1 1 1 (r, w)\n");
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < width; i++)
            rp_text_format(&t, "n%u = run @change grid 1 1 1 (r $x, rw $s[%u+256])\n", id++,
                           i * SLICE);
        for (uint32_t i = 0; i < width; i++) {
            uint32_t at = (round * width + i) * SLICE, other = i * 7 % width * SLICE;
            rp_text_format(&t, "n%u = run @read grid 1 1 1 (r $s, w $y[%u+256])\n", id++, at);
            if (mixed)
                rp_text_format(&t, "n%u = run @change grid 1 1 1 (r $x, rw $s[%u+256])\n", id++,
                               other);
        }
    }
    rp_text_format(&t, "}\n");
    return parse(&t);
}

static rp_status count_hazard(void *context, const rp_hazard *hazard) {
    (void)hazard;
    ++*(uint32_t *)context;
    return RP_OK;
}

typedef struct counts {
    uint32_t nodes, edges, vertices, hazards, barriers, bound;
    uint64_t proven;
} counts;

static counts count(rp_graph *source) {
    counts c = {.nodes = source->nodes_count};
    rp_deps deps;
    CU_ASSERT_EQUAL_FATAL(rp_deps_build(source, &deps), RP_OK);
    uint32_t deepest = 0, *depth = calloc(deps.vertex_count + 1, sizeof *depth);
    CU_ASSERT_EQUAL(rp_deps_deepest(source, &deepest), RP_OK);
    CU_ASSERT_EQUAL(deepest, rp_deps_depth(&deps, depth));
    free(depth);
    c.edges = deps.edge_count;
    c.vertices = deps.vertex_count;
    rp_deps_free(source, &deps);

    rp_graph *compiled = NULL;
    rp_certificate proof;
    rp_graph_stats stats = {.size = sizeof stats};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, NULL, NULL, &compiled, &proof, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_hazards_walk(compiled, count_hazard, &c.hazards), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_graph_get_stats(compiled, &stats), RP_OK);
    c.barriers = stats.barriers;
    c.bound = stats.barrier_bound;
    c.proven = proof.conflicts_proven;
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return c;
}

static void test_all_to_all(void) {
    counts c = count(all_to_all(1024, 3, false));
    CU_ASSERT_EQUAL(c.barriers, 5);
    CU_ASSERT_EQUAL(c.bound, 5);
    CU_ASSERT(c.vertices < 2 * c.nodes);
    CU_ASSERT(c.edges < 8 * c.nodes);
    CU_ASSERT(c.hazards < 16 * c.nodes);
    CU_ASSERT(c.proven < 16 * c.nodes);
}

/* A write between two reads opens a path of a tree, not all of it: with four times the nodes and
 * four times the pieces the counts grow little more than fourfold, not sixteenfold. */
static void test_changing_slices(void) {
    counts few = count(all_to_all(512, 1, true)), many = count(all_to_all(2048, 1, true));
    CU_ASSERT_EQUAL(few.barriers, few.bound);
    CU_ASSERT_EQUAL(many.barriers, many.bound);
    CU_ASSERT(many.vertices < 6 * few.vertices);
    CU_ASSERT(many.edges < 6 * few.edges);
    CU_ASSERT(many.hazards < 6 * few.hazards);
}

/* ---- Against all pairs ----------------------------------------------------------------------- */

enum { SLICES = 48, NODES = 240 };

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % limit);
}

/* Nodes that read or change some slices of one buffer, many of them all; readers have results of
 * their own. */
static rp_graph *random_slices(void) {
    rp_text t;
    rp_text_init(&t, NULL);
    rp_text_format(&t,
                   "reprise 1\ngraph slices {\nbuf $x in %u\nbuf $c inout 256\nbuf $s inout %u\n",
                   SLICE, SLICES * SLICE);
    rp_text_format(&t, "buf $y out %u\nkern @change spirv - local 1 1 1 (r, rw)\n", NODES * SLICE);
    rp_text_format(
        &t, "kern @read spirv - local 1 1 1 (r, w)\nkern @look spirv - local 1 1 1 (u, w)\n");
    for (uint32_t i = 0; i < NODES; i++) {
        uint32_t first = random_below(SLICES), count = 1 + random_below(SLICES - first);
        uint32_t kind = random_below(8);
        if (random_below(3) == 0) first = 0, count = SLICES;
        if (kind < 4 && random_below(8)) count = 1 + random_below(2) * (count > 1);
        if (kind < 4)
            rp_text_format(&t, "n%u = run @change grid 1 1 1 (r $x, rw $s[%u+%u])\n", i,
                           first * SLICE, count * SLICE);
        else if (kind == 7)
            rp_text_format(&t, "n%u = copy (r $s[%u+256], w $y[%u+256])\n", i, first * SLICE,
                           i * SLICE);
        else if (kind == 5) /* a chain of its own: reads in later groups than others */
            rp_text_format(&t, "n%u = run @change grid 1 1 1 (r $s[%u+%u], rw $c)\n", i,
                           first * SLICE, count * SLICE);
        else
            rp_text_format(&t, "n%u = run @%s grid 1 1 1 (%s $s[%u+%u], w $y[%u+256])\n", i,
                           kind == 6 ? "look" : "read", kind == 6 ? "u" : "r", first * SLICE,
                           count * SLICE, i * SLICE);
    }
    rp_text_format(&t, "}\n");
    return parse(&t);
}

/* Slices, then readers of all one after the other, then one write of all: it waits for the last. */
static rp_graph *taken_over(void) {
    rp_text t;
    rp_text_init(&t, NULL);
    uint32_t id = 0;
    rp_text_format(&t, "reprise 1\ngraph taken_over {\nbuf $x in %u\nbuf $c inout 256\n", SLICE);
    rp_text_format(&t, "buf $s inout %u\nkern @change spirv - local 1 1 1 (r, rw)\n",
                   SLICES * SLICE);
    for (; id < SLICES; id++)
        rp_text_format(&t, "n%u = run @change grid 1 1 1 (r $x, rw $s[%u+256])\n", id, id * SLICE);
    for (; id < SLICES + 3; id++)
        rp_text_format(&t, "n%u = run @change grid 1 1 1 (r $s, rw $c)\n", id);
    rp_text_format(&t, "n%u = run @change grid 1 1 1 (r $x, rw $s)\n}\n", id);
    return parse(&t);
}

static uint32_t longest_path(const rp_graph *g) {
    uint32_t depth[NODES], deepest = 0;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        depth[i] = 1;
        for (uint32_t k = 0; k < i; k++)
            if (depth[k] >= depth[i] && conflict(g, &g->nodes[k], &g->nodes[i]))
                depth[i] = depth[k] + 1;
        if (depth[i] > deepest) deepest = depth[i];
    }
    return deepest;
}

/* Folding changes no dependence: neither is one lost, which the checker would notice, nor is one
 * added, which would cost barriers. */
static void test_all_pairs(void) {
    counts c = count(taken_over());
    CU_ASSERT_EQUAL(c.bound, 4);
    CU_ASSERT_EQUAL(c.barriers, 4);
    for (uint32_t n = 1; n <= (RP_PART > 1 ? 20 : 60); n++) {
        seed = n;
        rp_graph *g = random_slices();
        uint32_t longest = longest_path(g);
        c = count(g);
        CU_ASSERT_EQUAL(c.bound, longest - 1);
        CU_ASSERT_EQUAL(c.barriers, longest - 1);
    }
}

/* The checker folds on its own: it must miss no barrier, and no bit of one. */
static void every_bit_counts(rp_graph *source) {
    rp_graph *compiled = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, NULL, NULL, &compiled, NULL, NULL), RP_OK);
    for (uint32_t i = 0; i < compiled->barriers_count; i++)
        for (uint32_t bit = 1; bit < 1u << 14; bit *= 2) {
            rp_graph_barrier *b = &compiled->barriers[i], whole = *b;
            b->src &= ~(bit & 0x7f);
            b->dst &= ~(bit >> 7);
            if (b->src != whole.src || b->dst != whole.dst)
                CU_ASSERT_EQUAL(rp_check(compiled, source, NULL, NULL, NULL), RP_ERROR_UNPROVEN);
            *b = whole;
        }
    CU_ASSERT_EQUAL(rp_check(compiled, source, NULL, NULL, NULL), RP_OK);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
}

static void test_every_bit(void) {
    every_bit_counts(all_to_all(64, 2, false));
    every_bit_counts(all_to_all(40, 1, true));
    every_bit_counts(taken_over());
    for (uint32_t n = 1; n <= 12; n++) {
        seed = n;
        every_bit_counts(random_slices());
    }
}

static void test_without_memory(void) {
    rp_graph *g = all_to_all(20, 1, true);
    uint64_t total = 1;
    for (uint64_t n = 0; n < total; n++) {
        failing_alloc f = {.fail_at = n};
        rp_allocator own = g->allocator;
        rp_graph *compiled = NULL;
        g->allocator = failing_allocator(&f); /* passes allocate with the source's */
        rp_status status = rp_passes_run(g, NULL, NULL, &compiled, NULL, NULL);
        g->allocator = own;
        CU_ASSERT_EQUAL(status, n ? RP_ERROR_NO_MEMORY : RP_OK);
        if (n == 0) total = f.requests + 1;
        rp_graph_destroy(compiled);
        CU_ASSERT_EQUAL(f.live, 0);
    }
    rp_graph_destroy(g);
}

int main(void) {
    static const rp_test tests[] = {
        {"all to all", test_all_to_all},         {"changing slices", test_changing_slices},
        {"all pairs", test_all_pairs},           {"every bit", test_every_bit},
        {"without memory", test_without_memory}, {NULL, NULL}};
    return rp_run_tests("wide graphs", tests);
}
