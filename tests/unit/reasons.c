/* The reasons of barriers in both forms of random graphs with tagged buffers: what is listed needs every
 * scope of its barrier and no other; what waits is no reason in the tagged form, and is told where the
 * other form has it. */
#include "support/abstract_lowering.h"
#include "support/cases.h"
#include "support/random_ops.h"
#include "support/unit.h"

#include "graph/graph.h"
#include "graph/reasons.h"
#include "hazard/cover.h"
#include "reprise/passes.h"

static rp_graph *compile(const rp_graph *source) {
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline =
                                         "dce,rename,fuse,schedule,flow=all,lower,place,sync",
                                     .lowering = abstract_lowering()};
    rp_graph *compiled = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, NULL, NULL), RP_OK);
    return compiled;
}

typedef struct seen {
    uint64_t waits, mixed, moved; /* moved: reasons of the tagged form at another barrier */
} seen;

/* The scopes that the reasons of a barrier need. */
static rp_barrier needs(const rp_graph *g, const rp_reasons *all, rp_form form, uint32_t b,
                        seen *s) {
    const rp_form_reasons *r = &all->forms[form];
    rp_barrier barrier = {0};
    for (uint32_t i = r->first[b]; i < r->first[b + 1]; i++) {
        const rp_hazard *h = &r->reasons[i].hazard;
        rp_barrier_widen(&barrier, h->src, h->dst);
        s->mixed += r->reasons[i].mixed;
        if (rp_hazard_waits(g, h)) {
            CU_ASSERT_EQUAL(form, RP_FORM_BARRIERS);
            s->waits++;
        } else if (form == RP_FORM_TAGGED && h->to != RP_HAZARD_HOST && !h->next_replay)
            s->moved += b < g->nodes[h->to].group;
    }
    return barrier;
}

/* A reader that waits is named with the writer, where all barriers would stand. */
static void find_waits(const rp_graph *g, const rp_reasons *all, uint32_t b) {
    const rp_form_reasons *r = &all->forms[RP_FORM_BARRIERS];
    bool waits = false;
    rp_text text;
    rp_text_init(&text, NULL);
    for (uint32_t i = r->first[b]; i < r->first[b + 1]; i++)
        waits |= rp_hazard_waits(g, &r->reasons[i].hazard);
    rp_reasons_print(&text, g, all, b, "");
    CU_ASSERT_EQUAL(waits, text.size && strstr(text.data, "; not needed: n") != NULL);
    rp_text_free(&text);
}

static void look_at(const rp_graph *g, seen *s) {
    rp_reasons all;
    CU_ASSERT_EQUAL_FATAL(rp_reasons_build(g, &all), RP_OK);
    CU_ASSERT_EQUAL(all.unordered, 0);
    for (uint32_t b = 0; b < all.barrier_count; b++) {
        for (uint32_t f = 0; f < all.form_count; f++) {
            rp_barrier is = rp_graph_form(g, (rp_form)f)[b], n = needs(g, &all, (rp_form)f, b, s);
            CU_ASSERT_EQUAL(n.src, is.src);
            CU_ASSERT_EQUAL(n.dst, is.dst);
        }
        find_waits(g, &all, b);
    }
    rp_reasons_free(g, &all);
}

static void test_random(void) {
    uint64_t cases = rp_cases(400, 60), seed = rp_environment("RP_SEED", 1);
    seen s = {0};
    for (uint64_t i = 0; i < cases; i++) {
        rp_random_ops *ops = rp_random_ops_create(seed + i);
        rp_graph *source = rp_random_ops_build(&ops, 1), *compiled = compile(source);
        uint32_t before = CU_get_number_of_failures();
        look_at(compiled, &s);
        if (CU_get_number_of_failures() != before)
            fprintf(stderr, "\nRP_SEED=%llu\n", (unsigned long long)(seed + i));
        rp_graph_destroy(source);
        rp_graph_destroy(compiled);
        rp_random_ops_destroy(ops);
    }
    printf("%llu waits, %llu moved, %llu behind the other form\n", (unsigned long long)s.waits,
           (unsigned long long)s.moved, (unsigned long long)s.mixed);
    if (cases >= 60) CU_ASSERT(s.waits > 0 && s.moved > 0);
}

int main(void) {
    static const rp_test tests[] = {{"both forms", test_random}, {NULL, NULL}};
    return rp_run_tests("reasons of barriers", tests);
}
