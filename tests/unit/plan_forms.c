/* Plans of several forms: joining them, what they must agree on, and which one is for which values. */
#include <stdlib.h>
#include <unistd.h>

#include "plan/format.h"
#include "reprise/compiler.h"
#include "support/plan_info.h"
#include "support/said.h"
#include "support/unit.h"

static rp_diags *diags;

/* Whether a message has this part; all are gone then. */
static bool said(const char *part) {
    bool found = rp_test_said(diags, part);
    rp_diags_clear(diags);
    return found;
}

/* A copy as long as n says; and what a form may have otherwise. */
typedef struct variant {
    uint32_t n, m;
    const char *name, *live, *buffers, *nodes;
} variant;

static rp_plan *make(variant v) {
    char text[2048];
    snprintf(text, sizeof text,
             "reprise 1\ngraph %s {\n"
             "  buf $n live u32[1] %s max %u\n"
             "  buf $m live u32[1] max %u\n"
             "  buf $x in f32[{$n},4]\n"
             "  buf $y out f32[{$n},4]\n"
             "  buf $z out f32[{$m}]\n"
             "%s"
             "  n0 = copy (r $x, w $y)\n"
             "%s}\n",
             v.name ? v.name : "g", v.live ? v.live : "", v.n, v.m ? v.m : 6,
             v.buffers ? v.buffers : "  buf $w inout 64\n", v.nodes ? v.nodes : "");
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    rp_status status = rp_graph_parse(NULL, text, strlen(text), NULL, diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, NULL, diags, &plan, NULL);
    for (uint32_t i = 0; status != RP_OK && i < rp_diags_count(diags); i++)
        printf("\n%s", rp_diags_get(diags, i).message);
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
    rp_graph_destroy(graph);
    return plan;
}

/* Joins the plans, which go. */
static rp_status join(const variant *variants, uint32_t count, rp_plan **out) {
    rp_plan *plans[RP_MAX_FORMS] = {NULL};
    for (uint32_t i = 0; i < count; i++) plans[i] = make(variants[i]);
    rp_status status = rp_plan_join(NULL, (const rp_plan *const *)plans, count, diags, out);
    for (uint32_t i = 0; i < count; i++) rp_plan_destroy(plans[i]);
    return status;
}

static const variant four[] = {
    {.n = 2, .m = 3}, {.n = 2, .m = 6}, {.n = 8, .m = 3}, {.n = 8, .m = 6}};

static void test_joined(void) {
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(join(four, 4, &plan), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_form_count(plan), 4);
    CU_ASSERT_EQUAL(plan_info(plan).forms, 4);
    CU_ASSERT_EQUAL(plan_info(rp_plan_form(plan, 1)).forms, 1);
    CU_ASSERT_EQUAL(plan_buffer(plan, 2).bytes, 8 * 16);
    CU_ASSERT_EQUAL(plan_buffer(rp_plan_form(plan, 1), 2).bytes, 2 * 16);
    CU_ASSERT_EQUAL(plan_buffer(rp_plan_form(plan, 2), 1).max_value, 3);
    CU_ASSERT_PTR_NULL(rp_plan_form(plan, 4));
    CU_ASSERT_PTR_NULL(rp_plan_form(NULL, 0));
    char title[64], one[8];
    static const char *const titles[] = {"n <= 2, m <= 3", "n <= 2, m <= 6", "n <= 8, m <= 3",
                                         "n <= 8, m <= 6"};
    for (uint32_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(rp_plan_form_title(plan, i, title, sizeof title), RP_OK);
        CU_ASSERT_STRING_EQUAL(title, titles[i]);
    }
    CU_ASSERT_EQUAL(rp_plan_form_title(plan, 3, one, sizeof one), RP_OK);
    CU_ASSERT_STRING_EQUAL(one, "n <= 8,");
    CU_ASSERT_EQUAL(rp_plan_form_title(plan, 4, title, sizeof title), RP_ERROR_USAGE);
    /* Each is proven, and no source goes with all of them. */
    rp_certificate certificate;
    rp_graph *source = NULL;
    CU_ASSERT_EQUAL(rp_plan_check(plan, NULL, diags, &certificate), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_graphs(plan, diags, NULL, &source), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_check(plan, source, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(said("4 forms"));
    CU_ASSERT_EQUAL(rp_plan_check(rp_plan_form(plan, 3), source, diags, NULL), RP_OK);
    CU_ASSERT_NOT_EQUAL(rp_plan_check(rp_plan_form(plan, 0), source, diags, NULL), RP_OK);
    rp_diags_clear(diags);
    rp_graph_destroy(source);
    rp_plan_destroy(plan);
}

static void test_chosen(void) {
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(join(four, 4, &plan), RP_OK);
    for (uint32_t n = 0; n <= 9; n++)
        for (uint32_t m = 0; m <= 7; m++) {
            const rp_plan_live_value values[] = {{.buffer = "n", .value = n},
                                                 {.buffer = "m", .value = m}};
            uint32_t form = 99;
            bool possible = n <= 8 && m <= 6;
            CU_ASSERT_EQUAL(rp_plan_choose_form(plan, values, 2, &form),
                            possible ? RP_OK : RP_ERROR_USAGE);
            CU_ASSERT_EQUAL(form, possible ? 2 * (n > 2) + (m > 3) : 0);
            uint64_t shape[RP_MAX_RANK], bytes;
            if (possible) {
                CU_ASSERT_EQUAL(rp_plan_get_shape(plan, 2, values, 2, shape, &bytes), RP_OK);
                CU_ASSERT_EQUAL(bytes, n * 16);
            }
        }
    uint32_t form;
    CU_ASSERT_EQUAL(rp_plan_choose_form(plan, NULL, 0, &form), RP_OK); /* as it begins */
    CU_ASSERT_EQUAL(form, 0);
    CU_ASSERT_EQUAL(rp_plan_choose_form(plan, NULL, 1, &form), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_choose_form(NULL, NULL, 0, &form), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_choose_form(plan, NULL, 0, NULL), RP_ERROR_USAGE);
    rp_plan_destroy(plan);
    plan = make(four[0]);
    CU_ASSERT_EQUAL(rp_plan_choose_form(plan, NULL, 0, &form), RP_OK);
    CU_ASSERT_EQUAL(form, 0);
    CU_ASSERT_PTR_EQUAL(rp_plan_form(plan, 0), plan);
    char title[8];
    CU_ASSERT_EQUAL(rp_plan_form_title(plan, 0, title, sizeof title), RP_OK);
    CU_ASSERT_STRING_EQUAL(title, "");
    rp_plan_destroy(plan);
}

/* The same bytes again from a file, from memory and from the same plans; and a form alone is a plan. */
static void test_bytes(void) {
    rp_plan *plan = NULL, *again = NULL, *alone = NULL;
    size_t size, other;
    CU_ASSERT_EQUAL_FATAL(join(four, 4, &plan), RP_OK);
    const void *data = rp_plan_data(plan, &size);
    CU_ASSERT_EQUAL_FATAL(join(four, 4, &again), RP_OK);
    CU_ASSERT_TRUE(memcmp(data, rp_plan_data(again, &other), size) == 0 && size == other);
    rp_plan_destroy(again);
    char path[] = "/tmp/reprise-forms-XXXXXX";
    int file = mkstemp(path);
    CU_ASSERT_FATAL(file >= 0);
    CU_ASSERT_EQUAL(rp_plan_save(plan, path, diags), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_plan_open(NULL, path, diags, &again), RP_OK);
    CU_ASSERT_TRUE(memcmp(data, rp_plan_data(again, &other), size) == 0 && size == other);
    CU_ASSERT_EQUAL(plan_info(again).content_hash, plan_info(plan).content_hash);
    CU_ASSERT_NOT_EQUAL(plan_info(rp_plan_form(again, 3)).content_hash,
                        plan_info(again).content_hash);
    const void *form = rp_plan_data(rp_plan_form(again, 2), &other);
    CU_ASSERT_EQUAL(rp_plan_from_memory(NULL, form, other, NULL, diags, &alone), RP_OK);
    CU_ASSERT_EQUAL(plan_buffer(alone, 2).bytes, 8 * 16);
    rp_plan_destroy(alone);
    /* Who holds a form holds the plan. */
    const rp_plan *held = rp_plan_retain(rp_plan_form(again, 0));
    rp_plan_destroy(again);
    CU_ASSERT_EQUAL(plan_buffer(held, 2).bytes, 2 * 16);
    rp_plan_destroy((rp_plan *)held);
    rp_plan_destroy(plan);
    close(file);
    unlink(path);
}

/* Bytes that some form writes are written. */
static void test_unwritten(void) {
    static const variant variants[] = {
        {.n = 2, .nodes = "  n1 = fill 00000000 (w $w[0+16])\n"},
        {.n = 8, .nodes = "  n1 = fill 00000000 (w $w[32+16])\n"},
    };
    rp_plan *plan = NULL;
    rp_plan_bytes gaps[4] = {0};
    uint32_t count = 0;
    CU_ASSERT_EQUAL_FATAL(join(variants, 2, &plan), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_get_unwritten(plan, 5, gaps, 4, &count), RP_OK);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT(gaps[0].offset == 16 && gaps[0].size == 16);
    CU_ASSERT(gaps[1].offset == 48 && gaps[1].size == 16);
    rp_plan_destroy(plan);
}

/* Each difference that there may not be, between a form and the last one. */
static void test_disagreement(void) {
    static const struct {
        variant form;
        const char *message;
    } cases[] = {
        {{.n = 8}, "form 2 is for no values: form 1 before it fits them all"},
        {{.n = 9}, "form 1: n may be 9, which is more than in the last form"},
        {{.n = 2, .m = 7}, "form 1: m may be 7, which is more than in the last form"},
        {{.n = 2, .name = "h"}, "form 1 is of graph h, the last form of g"},
        {{.n = 2, .live = "= 01000000"}, "the first value of n is not that of the last form"},
        {{.n = 2, .buffers = "  buf $w inout 32\n"}, "the shape of w is not that of the last form"},
        {{.n = 2, .buffers = "  buf $w out 64\n"}, "the kind or type of w"},
        {{.n = 2, .buffers = "  buf $w inout f32[16]\n"}, "the kind or type of w"},
        {{.n = 2, .buffers = "  buf $v inout 64\n"}, "the name of buffer v"},
        {{.n = 2, .buffers = "  buf $w inout 64\n  buf $v in 4\n"},
         "form 1 has 7 buffers to be seen, the last form 6"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const variant both[] = {cases[i].form, {.n = 8}};
        rp_plan *plan = NULL;
        CU_ASSERT_EQUAL(join(both, 2, &plan), RP_ERROR_INVALID);
        CU_ASSERT_PTR_NULL(plan);
        CU_ASSERT_TRUE(said(cases[i].message));
    }
    /* A live value that no dimension follows has one largest value, and shapes follow the same. */
    static const variant limits[][2] = {
        {{.n = 2, .buffers = "  buf $w live u32[1] max 3\n"},
         {.n = 8, .buffers = "  buf $w live u32[1] max 4\n"}},
        {{.n = 2, .buffers = "  buf $w in f32[{$n + $m}]\n"},
         {.n = 8, .buffers = "  buf $w in f32[{$m + $n}]\n"}},
        {{.n = 2, .buffers = "  buf $w live 8\n  buf $p live 8 follows $w at 0\n"},
         {.n = 8, .buffers = "  buf $w live 8\n  buf $p live 8 follows $w[0+4] at 4\n"}},
    };
    static const char *const messages[] = {"no dimension follows it", "the shape of w",
                                           "what is followed by p"};
    for (uint32_t i = 0; i < 3; i++) {
        rp_plan *plan = NULL;
        CU_ASSERT_EQUAL(join(limits[i], 2, &plan), RP_ERROR_INVALID);
        CU_ASSERT_TRUE(said(messages[i]));
    }
    /* What begins above a form's largest begins there as that. */
    static const variant clipped[] = {{.n = 2, .live = "= 02000000"},
                                      {.n = 8, .live = "= 05000000"}};
    rp_plan *plan = NULL;
    uint32_t form = 0;
    CU_ASSERT_EQUAL(join(clipped, 2, &plan), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_choose_form(plan, NULL, 0, &form), RP_OK);
    CU_ASSERT_EQUAL(form, 1);
    rp_plan_destroy(plan);
}

static void test_calls(void) {
    rp_plan *plan = NULL, *one = make(four[0]);
    const rp_plan *plans[RP_MAX_FORMS + 1];
    for (uint32_t i = 0; i <= RP_MAX_FORMS; i++) plans[i] = one;
    CU_ASSERT_EQUAL(rp_plan_join(NULL, plans, 1, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_join(NULL, NULL, 2, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_join(NULL, plans, 2, diags, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_join(NULL, plans, RP_MAX_FORMS + 1, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(said("33 forms are too many for a plan: it holds at most 32"));
    rp_plan *joined = NULL;
    CU_ASSERT_EQUAL_FATAL(join(four, 2, &joined), RP_OK);
    plans[0] = joined;
    CU_ASSERT_EQUAL(rp_plan_join(NULL, plans, 2, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(said("a plan has forms already"));
    plans[0] = NULL;
    CU_ASSERT_EQUAL(rp_plan_join(NULL, plans, 2, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(plan);
    CU_ASSERT_EQUAL(rp_plan_form_count(NULL), 0);
    CU_ASSERT_EQUAL(rp_compile_forms(NULL, 1, NULL, diags, &plan, NULL), RP_ERROR_USAGE);
    rp_plan_destroy(joined);
    rp_plan_destroy(one);
    rp_diags_clear(diags);
}

int main(void) {
    static const rp_test tests[] = {{"joined", test_joined},
                                    {"chosen by values", test_chosen},
                                    {"bytes", test_bytes},
                                    {"unwritten bytes", test_unwritten},
                                    {"disagreement", test_disagreement},
                                    {"wrong calls", test_calls},
                                    {NULL, NULL}};
    diags = rp_diags_create(NULL);
    int result = rp_run_tests("forms of plans", tests);
    rp_diags_destroy(diags);
    return result;
}
