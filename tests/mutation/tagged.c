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
#include "../../ir/graph/hazards.h"
#include "../../ir/hazard/cover.h"

enum kind {
    FLAG_ON,    /* a transient that is not made for it is said to be tagged */
    FLAG_OFF,   /* one whose readers wait is said not to be: barriers are missing then */
    SHARED,     /* its memory is another's, or reaches into it */
    BARRIER,    /* a barrier is left out, of one form */
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

/* What passes say of barriers, in place of the checker: whether each hazard finds one, whatever form
 * the replay and the next one take. Bits that hazards were given before others came may be spare. */
typedef struct oracle {
    const rp_graph *graph;
    bool lacks; /* some hazard finds none */
} oracle;

/* Whether one of the boundaries [first, end) of a form covers the hazard. */
static bool finds(const rp_graph *g, rp_form form, const rp_hazard *h, uint32_t first,
                  uint32_t end) {
    bool found = false;
    for (uint32_t i = first; i < end; i++)
        found |= rp_barrier_covers(rp_graph_form(g, form)[i], h->src, h->dst);
    return found;
}

static rp_status ask(void *context, const rp_hazard *h) {
    oracle *o = context;
    const rp_graph *g = o->graph;
    bool host = h->to == RP_HAZARD_HOST;
    uint32_t from = g->nodes[h->from].group, to = host ? g->group_count : g->nodes[h->to].group;
    for (uint32_t f = 0; f < RP_FORMS; f++) {
        rp_form form = (rp_form)f;
        if (!h->next_replay)
            o->lacks |= !(form == RP_FORM_TAGGED && rp_hazard_waits(g, h)) &&
                        !finds(g, form, h, from + 1, to + 1);
        for (uint32_t next = 0; h->next_replay && next < RP_FORMS; next++)
            o->lacks |= !finds(g, form, h, from + 1, g->group_count + 1) &&
                        !finds(g, (rp_form)next, h, 0, to + 1);
    }
    return RP_OK;
}

static bool lacks_barriers(const rp_graph *g) {
    oracle o = {.graph = g};
    CU_ASSERT_EQUAL_FATAL(rp_hazards_walk(g, ask, &o), RP_OK);
    return o.lacks;
}

/* Of a mutant with other barriers. Frees it. */
static void must_object_if_lacking(trial *t, rp_graph *mutant, enum kind kind, const char *what,
                                   uint32_t of) {
    if (lacks_barriers(mutant))
        must_object(t, mutant, kind, what, of);
    else
        rp_graph_destroy(mutant);
}

/* The graph with bits of both scopes of a barrier taken away. */
static rp_graph *without(const rp_graph *g, rp_form form, uint32_t i, uint32_t src, uint32_t dst) {
    rp_graph *m = mutant_of(g);
    rp_graph_barrier *b = &(form == RP_FORM_TAGGED ? m->tagged_barriers : m->barriers)[i];
    b->src &= ~src;
    b->dst &= ~dst;
    return m;
}

static void change_barrier(trial *t, rp_form form, uint32_t i) {
    const rp_graph *g = t->compiled;
    const uint32_t all = UINT32_MAX;
    rp_graph_barrier b = rp_graph_form(g, form)[i];
    if (!b.src && !b.dst) return;
    must_object_if_lacking(t, without(g, form, i, all, all), BARRIER, "a barrier is left out", i);
    for (uint32_t bit = 1; bit & RP_SCOPE_ALL; bit <<= 1) {
        must_object_if_lacking(t, without(g, form, i, bit, 0), SCOPE, "a bit of a source", i);
        must_object_if_lacking(t, without(g, form, i, 0, bit), SCOPE, "a bit of a destination", i);
    }
}

static void change_forms(trial *t) {
    const rp_graph *g = t->compiled;
    rp_graph *m = mutant_of(g);
    m->tagged_barriers_count = 0;
    must_object(t, m, OTHER_FORM, "no barriers of the tagged form", 0);
    m = mutant_of(g);
    memcpy(m->barriers, g->tagged_barriers, g->barriers_count * sizeof *m->barriers);
    must_object_if_lacking(t, m, OTHER_FORM, "the tagged form's barriers for those who do not wait",
                           0);
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
    if (g->tagged_barriers_count && lacks_barriers(g)) {
        snprintf(t->why, sizeof t->why, "the passes' hazards lack a barrier");
        return;
    }
    if (g->tagged_barriers_count == 0) return;
    change_forms(t);
    for (uint32_t i = 0; i < g->buffers_count && !*t->why; i++) {
        change_buffer(t, i);
        change_flags(t, i);
    }
    for (uint32_t i = 0; i < g->tagged_barriers_count && !*t->why; i++) {
        change_barrier(t, RP_FORM_BARRIERS, i);
        change_barrier(t, RP_FORM_TAGGED, i);
    }
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

/* Whether the checker finds `finding` in a graph of these lines; NULL: nothing. */
static void must_find(const char *const *lines, uint32_t count, const char *finding) {
    char text[4096];
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s", lines[i]);
    rp_graph *g = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, NULL, diags, &g), RP_OK);
    CU_ASSERT_EQUAL(rp_check(g, NULL, NULL, diags, NULL), finding ? RP_ERROR_UNPROVEN : RP_OK);
    bool found = !finding;
    for (size_t i = 0; i < rp_diags_count(diags); i++)
        found |= strstr(rp_diags_get(diags, i).message, finding) != NULL;
    if (!found) fprintf(stderr, "\nnot found: %s\n", finding);
    CU_ASSERT(found);
    rp_graph_destroy(g);
    rp_diags_destroy(diags);
}

static const char hand_head[] = "reprise 1\ngraph g scheduled placed synced arena 512 {\n"
                                "  buf $x in f32[64]\n  buf $kept inout f32[64]\n"
                                "  buf $y out f32[64]\n  buf %a tmp f32[64] tagged at 0\n"
                                "  kern @w spirv - local 64 1 1 push 4 (r, w)\n"
                                "  kern @r spirv - local 64 1 1 push 4 (r, r, w, rw stall)\n"
                                "  kern @k spirv - local 64 1 1 (r, w)\n";
static const char hand_writer[] =
    "  group 0\n    n0 = run @w grid 1 1 1 push 00000000 (r $x, w %a) for {\n"
    "      n0 = silu (r $x:f32[64], w %a:f32[64])\n    }\n";
static const char hand_reader[] =
    "  group 1\n    n1 = run @r grid 1 1 1 push 00000000 (r %a, r $kept, w $y) for {\n"
    "      n1 = add (r %a:f32[64], r $kept:f32[64], w $y:f32[64])\n    }\n";

/* Barriers of either form that are missing. */
static void test_by_hand(void) {
    static const char first[] = "  barrier compute:w -> compute:w\n",
                      second[] = "  barrier compute:w -> compute:r tagged none -> none\n",
                      last[] = "  barrier compute:w -> host:r\n";
    static const struct {
        const char *barriers[3], *finding;
    } cases[] = {
        {{first, second, last}, NULL},
        {{"  barrier compute:w -> compute:r\n", second, last}, "of the next replay overwrites"},
        {{first, "  barrier compute:w -> compute:u tagged none -> none\n", last}, "n1 reads what"},
        {{first, second, "  barrier compute:w -> compute:r\n"}, "the host reads"},
        /* Each form by itself is right: here the second barrier orders what the first one does not. */
        {{"  barrier compute:r -> compute:w tagged compute:w -> compute:w\n",
          "  barrier compute:w -> compute:rw tagged none -> none\n", last},
         "with all barriers behind the tagged form: rule 2: n0 of the next replay overwrites"},
        {{"  barrier compute:w -> compute:w tagged compute:r -> compute:w\n",
          "  barrier compute:w -> compute:r tagged compute:w -> compute:w\n", last},
         "with the tagged form behind the other: rule 2: n0 of the next replay overwrites"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const *b = cases[i].barriers;
        must_find(
            (const char *const[]){hand_head, b[0], hand_writer, b[1], hand_reader, b[2], "}\n"}, 7,
            cases[i].finding);
    }
}

/* What a node reads in place hides no older reader, in either form. */
static void test_in_place(void) {
    static const char node[] = "  group 2\n    n2 = run @k grid 1 1 1 (r $kept, w $kept)\n";
    static const char *const barriers[] = {
        "  barrier compute:r -> compute:w\n",
        "  barrier compute:r -> compute:w tagged none -> none\n",
    };
    for (uint32_t wrong = 0; wrong < 2; wrong++)
        must_find(
            (const char *const[]){hand_head, "  barrier compute:w -> compute:rw\n", hand_writer,
                                  "  barrier compute:w -> compute:r tagged none -> none\n",
                                  hand_reader, barriers[wrong], node,
                                  "  barrier compute:w -> host:r\n}\n"},
            8,
            wrong ? "in the tagged form: rule 2: n2 overwrites what n1 read ($kept[0+256]" : NULL);
}

int main(void) {
    static const rp_test tests[] = {
        {"random graphs of ops", test_random},
        {"by hand", test_by_hand},
        {"in place", test_in_place},
        {NULL, NULL},
    };
    return rp_run_tests("tagged buffers, changed", tests);
}
