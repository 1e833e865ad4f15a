/* The corpus of the plan target must hold plans that open, or the target would only ever see the
 * first checks. After a change of the format the files are written anew:
 *
 *   RP_BLESS=1 ctest -R fuzz.plan_corpus */
#include "../unit/plan_sample.h"
#include "support/plan_info.h"

#include <stdlib.h>

static const char *const names[] = {"empty",     "every-kind", "ranges", "reuse",
                                    "pq-search", "cascades",   "images"};

static rp_plan *compile_file(const char *name) {
    static char text[1 << 16];
    char path[256];
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/passes/%s.rpir", name);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    rp_graph *source = NULL, *compiled = NULL;
    rp_certificate certificate;
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, path, NULL, &source), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, NULL, NULL, &compiled, &certificate, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_plan_build(compiled, source, &certificate, NULL, &plan), RP_OK);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return plan;
}

static void check_file(const char *name, const rp_plan *plan) {
    char path[256];
    rp_plan *opened = NULL;
    const char *bless = getenv("RP_BLESS");
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/valid-%s", name);
    if (bless && strcmp(bless, "1") == 0) CU_ASSERT_EQUAL(rp_plan_save(plan, path, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_open(NULL, path, NULL, &opened), RP_OK);
    CU_ASSERT_EQUAL(plan_info(opened).nodes, plan_info(plan).nodes);
    rp_plan_destroy(opened);
}

static void test_corpus(void) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rp_plan *plan = compile_file(names[i]);
        check_file(names[i], plan);
        rp_plan_destroy(plan);
    }
    sample s = sample_make(sample_text);
    check_file("spirv", s.plan);
    sample_free(&s);
}

int main(void) {
    static const rp_test tests[] = {{"corpus", test_corpus}, {0}};
    return rp_run_tests("plan corpus", tests);
}
