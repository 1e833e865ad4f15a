/* Tagged buffers, changed: the checker must object to every change that breaks what readers of tags
 * count on, and the tagged form must have every barrier that tags do not replace. Plans of random graphs
 * of ops, in which everything is tagged that can be, and of one by hand. */
#include <stdio.h>
#include <string.h>

#include "reprise/check.h"
#include "reprise/passes.h"
#include "support/abstract_lowering.h"
#include "support/cases.h"
#include "support/random_ops.h"
#include "support/unit.h"
#include "../../ir/graph/graph.h"
#include "../../ir/hazard/cover.h"

enum kind {
    FLAG_ON,    /* a transient that is not made for it is said to be tagged */
    FLAG_OFF,   /* one whose readers wait is said not to be: barriers are missing then */
    SHARED,     /* its memory is another's, or reaches into it */
    BARRIER,    /* a barrier of the tagged form is left out */
    SCOPE,      /* or one bit of it */
    OTHER_FORM, /* the barriers of one form in place of the other's */
    ORDER,      /* its writer stands with a reader, or behind it */
    PARTIAL,    /* it is written, or read, in part */
    UNCERTAIN,  /* its writer may be left out, or has a grid of its own */
    OWN_KERNEL, /* a node of no ops uses it */
    DTYPE,      /* of elements that have no word */
    KINDS
};

typedef struct trial {
    const rp_graph *source, *compiled;
    uint64_t tried[KINDS];
    char why[RP_WHY];
} trial;

static bool objects(const rp_graph *graph, const rp_graph *source) {
    return rp_check(graph, source, NULL, NULL, NULL) == RP_ERROR_UNPROVEN;
}

static rp_graph *mutant_of(const rp_graph *graph) {
    rp_graph *m = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_clone(graph, &m), RP_OK);
    return m;
}

/* Frees the mutant. */
static void must_object(trial *t, rp_graph *mutant, enum kind kind, const char *what, uint32_t of) {
    t->tried[kind]++;
    if (!objects(mutant, t->source) && !*t->why)
        snprintf(t->why, sizeof t->why, "no objection: %s (%u)", what, of);
    rp_graph_destroy(mutant);
}

/* ---- Buffers --------------------------------------------------------------------------------- */

static void change_buffer(trial *t, uint32_t b) {
    const rp_graph *g = t->compiled;
    if (g->buffers[b].removed || !rp_buffer_in_arena(&g->buffers[b])) return;
    bool tagged = g->buffers[b].tagged;
    if (!tagged) return;
    rp_graph *m = mutant_of(g);
    m->buffers[b].dtype = RP_F16;
    must_object(t, m, DTYPE, "a tagged buffer of another dtype", b);
    m = mutant_of(g);
    m->buffers[b].kind = RP_OUT;
    must_object(t, m, FLAG_ON, "a result is tagged", b);
    for (uint32_t k = 0; k < g->buffers_count; k++) {
        const rp_graph_buffer *other = &g->buffers[k];
        if (k == b || other->removed || !rp_buffer_in_arena(other)) continue;
        m = mutant_of(g);
        m->buffers[b].offset = other->offset;
        must_object(t, m, SHARED, "a tagged buffer on another's memory", b);
        m = mutant_of(g); /* only its second half, where the last tags lie */
        m->buffers[k].offset = g->buffers[b].offset + g->buffers[b].size;
        must_object(t, m, SHARED, "another's memory in the second half of a tagged one's", b);
    }
}

/* Whether some barrier of the tagged form orders a hazard of the buffer, so that its tag is spare. */
static bool is_spare(const rp_graph *g, uint32_t b) {
    rp_graph *m = mutant_of(g);
    bool other = false;
    m->buffers[b].tagged = false;
    for (uint32_t i = 0; i < m->buffers_count; i++) other |= m->buffers[i].tagged;
    bool spare = other && !objects(m, NULL);
    rp_graph_destroy(m);
    return spare;
}

static void change_flags(trial *t, uint32_t b) {
    if (!t->compiled->buffers[b].tagged || is_spare(t->compiled, b)) return;
    rp_graph *m = mutant_of(t->compiled);
    m->buffers[b].tagged = false;
    must_object(t, m, FLAG_OFF, "a buffer that is waited for has no tags", b);
}

/* ---- Barriers -------------------------------------------------------------------------------- */

static void change_barrier(trial *t, uint32_t i) {
    const rp_graph *g = t->compiled;
    rp_graph_barrier b = g->tagged_barriers[i];
    if (!b.src && !b.dst) return;
    rp_graph *m = mutant_of(g);
    m->tagged_barriers[i] = (rp_graph_barrier){0};
    must_object(t, m, BARRIER, "a barrier of the tagged form is left out", i);
    for (uint32_t bit = 1; bit & RP_SCOPE_ALL; bit <<= 1) {
        if (!(b.dst & bit)) continue;
        m = mutant_of(g);
        m->tagged_barriers[i].dst &= ~bit;
        must_object(t, m, SCOPE, "a bit of a barrier of the tagged form", i);
    }
}

static void change_forms(trial *t) {
    const rp_graph *g = t->compiled;
    bool same = true;
    for (uint32_t i = 0; i < g->barriers_count; i++)
        same &= rp_barrier_covers(g->tagged_barriers[i],
                                  rp_scope_covered_by_src(g->barriers[i].src), g->barriers[i].dst);
    rp_graph *m = mutant_of(g);
    m->tagged_barriers_count = 0;
    must_object(t, m, OTHER_FORM, "no barriers of the tagged form", 0);
    if (same) return;
    m = mutant_of(g);
    memcpy(m->barriers, g->tagged_barriers, g->barriers_count * sizeof *m->barriers);
    must_object(t, m, OTHER_FORM, "the tagged form's barriers for those who do not wait", 0);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static void change_use(trial *t, uint32_t node, uint32_t k) {
    const rp_graph *g = t->compiled;
    const rp_graph_node *n = &g->nodes[node];
    const rp_graph_use *u = &rp_node_uses(g, n)[k];
    if (!g->buffers[u->buffer].tagged) return;
    rp_graph *m;
    if (u->size >= 8) {
        m = mutant_of(g);
        m->uses[n->first_use + k].size -= 4;
        must_object(t, m, PARTIAL, "all but one word of a tagged buffer", n->id);
    }
    m = mutant_of(g);
    m->nodes[node].member_count = 0;
    must_object(t, m, OWN_KERNEL, "a kernel of no ops uses a tagged buffer", n->id);
    if (!rp_access_writes(u->access)) return;
    m = mutant_of(g);
    m->nodes[node].optional = !n->optional;
    must_object(t, m, UNCERTAIN, "the writer of a tagged buffer may be left out", n->id);
    m = mutant_of(g);
    m->nodes[node].grid_kind = RP_GRID_LIVE;
    must_object(t, m, UNCERTAIN, "the writer of a tagged buffer has a live grid", n->id);
}

/* Groups of two neighbours become one: a writer and its reader in it, where nothing else parts them. */
static void change_groups(trial *t, uint32_t group) {
    const rp_graph *g = t->compiled;
    rp_graph *m = mutant_of(g);
    bool waits = false;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        for (uint32_t k = 0; g->nodes[i].group == group && k < g->nodes[i].use_count; k++) {
            const rp_graph_use *u = &rp_node_uses(g, &g->nodes[i])[k];
            if (!g->buffers[u->buffer].tagged || rp_access_writes(u->access)) continue;
            for (uint32_t j = 0; j < i; j++)
                for (uint32_t l = 0; l < g->nodes[j].use_count; l++) {
                    const rp_graph_use *w = &rp_node_uses(g, &g->nodes[j])[l];
                    waits |= g->nodes[j].group == group - 1 && w->buffer == u->buffer &&
                             rp_access_writes(w->access);
                }
        }
    if (!waits) {
        rp_graph_destroy(m);
        return;
    }
    for (uint32_t i = 0; i < m->nodes_count; i++)
        if (m->nodes[i].group >= group) m->nodes[i].group--;
    memmove(m->barriers + group, m->barriers + group + 1,
            (m->barriers_count - group - 1) * sizeof *m->barriers);
    memmove(m->tagged_barriers + group, m->tagged_barriers + group + 1,
            (m->barriers_count - group - 1) * sizeof *m->barriers);
    m->group_count--;
    m->barriers_count--;
    m->tagged_barriers_count--;
    must_object(t, m, ORDER, "a reader of a tagged buffer in its writer's group", group);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void try_all(trial *t) {
    const rp_graph *g = t->compiled;
    if (objects(g, t->source)) {
        snprintf(t->why, sizeof t->why, "objects to the unchanged graph");
        return;
    }
    if (g->tagged_barriers_count == 0) return;
    change_forms(t);
    for (uint32_t i = 0; i < g->buffers_count && !*t->why; i++) {
        change_buffer(t, i);
        change_flags(t, i);
    }
    for (uint32_t i = 0; i < g->tagged_barriers_count && !*t->why; i++) change_barrier(t, i);
    for (uint32_t i = 1; i < g->group_count && !*t->why; i++) change_groups(t, i);
    for (uint32_t i = 0; i < g->nodes_count && !*t->why; i++)
        for (uint32_t k = 0; k < g->nodes[i].use_count; k++) change_use(t, i, k);
}

static void try_graph(trial *t, const rp_graph *source) {
    rp_graph *compiled = NULL;
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline =
                                         "dce,rename,fuse,schedule,flow=all,lower,place,sync",
                                     .verify_each = 1,
                                     .lowering = abstract_lowering()};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, NULL, NULL), RP_OK);
    t->source = source;
    t->compiled = compiled;
    try_all(t);
    rp_graph_destroy(compiled);
}

static void finish(const trial *t) {
    uint64_t total = 0;
    for (uint32_t k = 0; k < KINDS; k++) {
        if (!t->tried[k]) fprintf(stderr, "\nkind %u had no chance", k);
        CU_ASSERT(t->tried[k] > 0);
        total += t->tried[k];
    }
    printf("%llu changes noticed ... ", (unsigned long long)total);
}

static void test_random(void) {
    uint64_t seed = rp_environment("RP_SEED", 1), cases = rp_cases(150, 40);
    static trial t;
    for (uint64_t i = 0; i < cases && !*t.why; i++) {
        rp_random_ops *ops = rp_random_ops_create(seed + i);
        rp_graph *source = rp_random_ops_build(&ops, 1);
        try_graph(&t, source);
        if (*t.why) fprintf(stderr, "\nRP_SEED=%llu: %s\n", (unsigned long long)(seed + i), t.why);
        rp_graph_destroy(source);
        rp_random_ops_destroy(ops);
    }
    CU_ASSERT_EQUAL(*t.why, 0);
    finish(&t);
}

/* A hazard that no tag orders: $kept is overwritten behind a reader that waits for nobody. */
static void test_by_hand(void) {
    static const char head[] = "reprise 1\ngraph g scheduled placed synced arena 512 {\n"
                               "  buf $x in f32[64]\n  buf $kept inout f32[64]\n"
                               "  buf $y out f32[64]\n  buf %a tmp f32[64] tagged at 0\n"
                               "  kern @w spirv - local 64 1 1 push 4 (r, w)\n"
                               "  kern @r spirv - local 64 1 1 push 4 (r, r, w, rw stall)\n";
    static const char nodes[] =
        "  group 0\n    n0 = run @w grid 1 1 1 push 00000000 (r $x, w %a) for {\n"
        "      n0 = silu (r $x:f32[64], w %a:f32[64])\n    }\n";
    static const char last[] =
        "  group 1\n    n1 = run @r grid 1 1 1 push 00000000 (r %a, r $kept, w $y) for {\n"
        "      n1 = add (r %a:f32[64], r $kept:f32[64], w $y:f32[64])\n    }\n";
    static const char *const right[] = {"  barrier compute:w -> compute:w\n",
                                        "  barrier compute:w -> compute:r tagged none -> none\n",
                                        "  barrier compute:w -> host:r\n"};
    static const char *const wrong[][2] = {
        {"  barrier compute:w -> compute:r\n", "waw"}, /* towards the next replay */
        {"  barrier compute:w -> compute:u tagged none -> none\n", "raw"}, /* of the other form */
        {"  barrier compute:w -> compute:r\n", "host"},
    };
    char text[2048];
    for (uint32_t changed = 0; changed <= 3; changed++) {
        const char *b[3];
        for (uint32_t i = 0; i < 3; i++) b[i] = i == changed ? wrong[i][0] : right[i];
        snprintf(text, sizeof text, "%s%s%s%s%s%s}\n", head, b[0], nodes, b[1], last, b[2]);
        rp_graph *g = NULL;
        rp_diags *diags = rp_diags_create(NULL);
        CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), NULL, diags, &g), RP_OK);
        rp_status status = rp_check(g, NULL, NULL, diags, NULL);
        CU_ASSERT_EQUAL(status, changed == 3 ? RP_OK : RP_ERROR_UNPROVEN);
        rp_graph_destroy(g);
        rp_diags_destroy(diags);
    }
}

int main(void) {
    static const rp_test tests[] = {
        {"random graphs of ops", test_random},
        {"by hand", test_by_hand},
        {NULL, NULL},
    };
    return rp_run_tests("tagged buffers, changed", tests);
}
