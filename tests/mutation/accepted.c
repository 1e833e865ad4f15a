/* What the checker accepts computes what the source means.
 *
 * Compiled random graphs are changed at random, harmlessly or not. Whenever the checker still
 * accepts one, the symbolic memory must find the source's results in it, whatever order its
 * barriers allow. The changes that the checker objects to are run as well: enough of them must
 * really go wrong, or the symbolic memory would be too blind to say anything. */
#include "mutate.h"
#include "support/simulate.h"
#include "support/unit.h"

typedef struct tally {
    uint64_t accepted, refused, wrong; /* wrong: refused, and seen to go wrong */
} tally;

static void change_barrier(rp_graph *g, rp_random *r) {
    rp_graph_barrier *b = &g->barriers[rp_random_below(r, g->barriers_count)];
    uint32_t bit = 1u << rp_random_below(r, RP_SCOPE_BITS);
    switch (rp_random_below(r, 4)) {
    case 0: *b = (rp_graph_barrier){0}; break;
    case 1: b->src &= ~bit; break;
    case 2: b->dst &= ~bit; break;
    case 3: b->src ^= bit, b->dst ^= 1u << rp_random_below(r, RP_SCOPE_BITS); break;
    }
}

static void change_order(rp_graph *g, rp_random *r) {
    uint32_t i = rp_random_below(r, g->nodes_count), k = rp_random_below(r, g->nodes_count);
    if (rp_random_percent(r, 50)) {
        g->nodes[i].group = rp_random_below(r, g->group_count);
    } else {
        rp_graph_node swap = g->nodes[i];
        g->nodes[i] = g->nodes[k];
        g->nodes[k] = swap;
        uint32_t group = g->nodes[i].group;
        g->nodes[i].group = g->nodes[k].group;
        g->nodes[k].group = group;
    }
    sort_by_group(g);
}

static uint32_t random_transient(const rp_graph *g, rp_random *r) {
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t b = rp_random_below(r, g->buffers_count);
        if (g->buffers[b].kind == RP_TMP && !g->buffers[b].removed) return b;
    }
    return RP_NONE;
}

static void change_place(rp_graph *g, rp_random *r) {
    uint32_t a = random_transient(g, r), b = random_transient(g, r);
    if (a == RP_NONE || b == RP_NONE || g->buffers[a].offset == RP_NOT_PLACED) return;
    uint64_t at = g->buffers[b].offset;
    if (rp_buffer_is_image(&g->buffers[a]) != rp_buffer_is_image(&g->buffers[b])) return;
    if (rp_buffer_is_image(&g->buffers[a])) { /* into its alias set */
        g->buffers[a].offset = at;
        return;
    }
    if (rp_random_percent(r, 40)) at = rp_random_below(r, (uint32_t)(g->arena_bytes / 4)) * 4u;
    if (at + g->buffers[a].size > g->arena_bytes) g->arena_bytes = at + g->buffers[a].size;
    g->buffers[a].offset = at;
}

static void change_use(rp_graph *g, rp_random *r) {
    const rp_graph_node *n = &g->nodes[rp_random_below(r, g->nodes_count)];
    if (n->use_count == 0) return;
    rp_graph_use *u = &g->uses[n->first_use + rp_random_below(r, n->use_count)];
    uint32_t b = rp_random_percent(r, 50) ? random_transient(g, r) : u->buffer;
    if (b == RP_NONE || g->buffers[b].size < u->size) return;
    u->buffer = b;
    u->offset = rp_random_below(r, (uint32_t)((g->buffers[b].size - u->size) / 4 + 1)) * 4u;
}

static void change(rp_graph *g, rp_random *r) {
    if (g->nodes_count == 0) return;
    switch (rp_random_below(r, 8)) {
    case 0:
    case 1:
    case 2: change_barrier(g, r); break;
    case 3:
    case 4: change_order(g, r); break;
    case 5: change_place(g, r); break;
    case 6: change_use(g, r); break;
    case 7: drop_node(g, rp_random_below(r, g->nodes_count)); break;
    }
}

static bool runs_right(const rp_graph *source, const rp_graph *compiled, uint64_t seed,
                       char why[RP_WHY]) {
    return rp_simulate_some(source, compiled, seed, why);
}

static bool accepted_is_right(void *context, uint64_t seed, const rp_graph *source,
                              char why[RP_WHY]) {
    static const char *const pipelines[] = {
        "dce,rename,schedule,place,sync",
        "schedule=source,place,sync",
        "rename,schedule,place=separate,sync",
    };
    tally *t = context;
    rp_random r = {seed};
    rp_graph *compiled = compile_with(source, pipelines[seed % 3], why);
    if (!compiled) return false;
    bool right = true;
    for (uint32_t i = 0; i < 24 && right; i++) {
        char said[RP_WHY], seen[RP_WHY];
        rp_graph *mutant = mutant_of(compiled);
        for (uint32_t k = 1 + rp_random_below(&r, 2); k > 0; k--) change(mutant, &r);
        if (objects(mutant, source, said)) {
            t->refused++;
            if (i < 4) t->wrong += !runs_right(source, mutant, seed * 100 + i, seen);
        } else {
            t->accepted++;
            right = runs_right(source, mutant, seed * 100 + i, why);
        }
        if (!right) {
            char *text = NULL;
            fprintf(stderr, "\naccepted, but wrong:\n");
            if (rp_graph_print(mutant, RP_FORMAT_TEXT, &text, NULL) == RP_OK) fputs(text, stderr);
            rp_text_release(mutant, text);
        }
        rp_graph_destroy(mutant);
    }
    rp_graph_destroy(compiled);
    return right;
}

static void test_accepted_is_right(void) {
    tally t = {0};
    CU_ASSERT_EQUAL(rp_random_suite("accepted is right", 300, accepted_is_right, &t), 0);
    printf("%llu accepted, %llu refused (%llu of a sixth seen to fail) ... ",
           (unsigned long long)t.accepted, (unsigned long long)t.refused,
           (unsigned long long)t.wrong);
    CU_ASSERT(t.accepted > t.refused / 20);
    CU_ASSERT(t.wrong > t.refused / 30);
}

/* Two images that are alive at the same time, in the same memory: the symbolic memory sees it. */
static void test_shared_images(void) {
    static const char text[] = "reprise 1\ngraph shared {\n  buf $x in image 2d r8[3,3]\n"
                               "  buf %a tmp image 2d r8[3,3]\n  buf %b tmp image 2d r8[3,3]\n"
                               "  buf $y out image 2d r8[3,3]\n  buf $z out image 2d r8[3,3]\n"
                               "  n0 = copy (r $x, w %a)\n  n1 = blit nearest (r %a, w %b)\n"
                               "  n2 = copy (r %a, w $y)\n  n3 = copy (r %b, w $z)\n}\n";
    rp_graph *source = NULL;
    char why[RP_WHY] = "", said[RP_WHY];
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), "shared", NULL, &source), RP_OK);
    rp_graph *compiled = compile_with(source, "schedule,place,sync", why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(compiled);
    for (uint64_t seed = 0; seed < 20; seed++) CU_ASSERT(runs_right(source, compiled, seed, why));
    compiled->buffers[2].offset = compiled->buffers[1].offset;
    CU_ASSERT(objects(compiled, source, said));
    for (uint64_t seed = 0; seed < 20; seed++) CU_ASSERT(!runs_right(source, compiled, seed, why));
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
}

int main(void) {
    static const rp_test tests[] = {
        {"images in memory that is in use", test_shared_images},
        {"what is accepted computes the source's results", test_accepted_is_right},
        {NULL, NULL},
    };
    return rp_run_tests("accepted", tests);
}
