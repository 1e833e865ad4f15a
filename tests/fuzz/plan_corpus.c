/* The corpus of the plan target must hold plans that open, or the target would only ever see the
 * first checks. After a change of the format the files are written anew:
 *
 *   RP_BLESS=1 ctest -R fuzz.plan_corpus */
#include "../unit/plan_sample.h"
#include "plan/format.h"
#include "support/abstract_lowering.h"
#include "support/plan_info.h"
#include "support/read_file.h"

#include <stdlib.h>

/* Graphs of corpus/passes, and the passes that each goes through: without a pipeline, -O1's. */
static const struct {
    const char *name, *pipeline;
} graphs[] = {{"empty", NULL},     {"every-kind", NULL},
              {"ranges", NULL},    {"reuse", NULL},
              {"pq-search", NULL}, {"cascades", NULL},
              {"images", NULL},    {"tagged", "schedule,flow=all,lower,place,sync"}};

static bool blessing(void) {
    const char *bless = getenv("RP_BLESS");
    return bless && strcmp(bless, "1") == 0;
}

/* Ops get kernels without a body. */
static rp_plan *compile_file(const char *name, const char *pipeline) {
    const rp_pass_options options = {
        .size = sizeof options, .pipeline = pipeline, .lowering = abstract_lowering()};
    char path[256];
    rp_graph *source = NULL, *compiled = NULL;
    rp_certificate certificate;
    rp_plan *plan = NULL;
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/passes/%s.rpir", name);
    size_t size = 0;
    char *text = read_file(path, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, path, NULL, &source), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, &certificate, NULL),
                          RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_plan_build(compiled, source, &certificate, NULL, &plan), RP_OK);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    free(text);
    return plan;
}

static void check_file(const char *name, const rp_plan *plan) {
    char path[256];
    rp_plan *opened = NULL;
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/valid-%s", name);
    if (blessing()) CU_ASSERT_EQUAL(rp_plan_save(plan, path, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_plan_open(NULL, path, NULL, &opened), RP_OK);
    CU_ASSERT_EQUAL(plan_info(opened).nodes, plan_info(plan).nodes);
    rp_plan_destroy(opened);
}

/* What is no plan: starts of one, each of which ends within another part, and one of the version to
 * come. They are made of a plan of today, for of an older one the version alone would be looked at. */
enum { NEWER = RP_PLAN_FORMS_VERSION + 1 - RP_PLAN_VERSION };
static const struct {
    const char *name;
    size_t size; /* bytes of it */
    uint32_t add_to_version;
    rp_status wanted;
} refused[] = {{"cut-in-header", 40, 0, RP_ERROR_DAMAGED},
               {"cut-in-table", 100, 0, RP_ERROR_DAMAGED},
               {"cut-in-records", 1000, 0, RP_ERROR_DAMAGED},
               {"newer-version", 80, NEWER, RP_ERROR_VERSION}};

static char *read_corpus(const char *name, size_t *size) {
    char path[256];
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/%s", name);
    char *bytes = read_file(path, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    return bytes;
}

static void write_corpus(const char *name, const char *bytes, size_t size) {
    char path[256];
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/%s", name);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void test_refused(void) {
    size_t size = 0;
    char *plan = read_corpus("valid-every-kind", &size);
    uint32_t version;
    memcpy(&version, plan + offsetof(rp_plan_header, version), sizeof version);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CU_ASSERT_FATAL(refused[i].size < size);
        uint32_t written = version + refused[i].add_to_version;
        memcpy(plan + offsetof(rp_plan_header, version), &written, sizeof written);
        if (blessing()) write_corpus(refused[i].name, plan, refused[i].size);
        size_t stored_size = 0;
        char *stored = read_corpus(refused[i].name, &stored_size);
        CU_ASSERT_EQUAL_FATAL(stored_size, refused[i].size);
        CU_ASSERT_EQUAL(memcmp(stored, plan, stored_size), 0);
        free(stored);

        char path[256];
        rp_plan *opened = NULL;
        snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/%s", refused[i].name);
        CU_ASSERT_EQUAL(rp_plan_open(NULL, path, NULL, &opened), refused[i].wanted);
        CU_ASSERT_PTR_NULL(opened);
    }
    free(plan);
}

/* Copies of a buffer that is at most 2 and at most 5 long. */
static rp_plan *make_forms(void) {
    rp_plan *forms[2], *joined = NULL;
    for (uint32_t i = 0; i < 2; i++) {
        char text[256];
        rp_graph *source = NULL;
        snprintf(text, sizeof text,
                 "reprise 1\ngraph forms {\n  buf $n live u32[1] max %u\n  buf $x in f32[{$n},4]\n"
                 "  buf $y out f32[{$n},4]\n  n0 = copy (r $x, w $y)\n}\n",
                 i ? 5 : 2);
        CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), NULL, NULL, &source), RP_OK);
        CU_ASSERT_EQUAL_FATAL(rp_compile(source, NULL, NULL, &forms[i], NULL), RP_OK);
        rp_graph_destroy(source);
    }
    CU_ASSERT_EQUAL(rp_plan_join(NULL, (const rp_plan *const *)forms, 2, NULL, &joined), RP_OK);
    for (uint32_t i = 0; i < 2; i++) rp_plan_destroy(forms[i]);
    return joined;
}

static void test_corpus(void) {
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        rp_plan *plan = compile_file(graphs[i].name, graphs[i].pipeline);
        check_file(graphs[i].name, plan);
        rp_plan_destroy(plan);
    }
    sample s = sample_make(sample_text);
    check_file("spirv", s.plan);
    sample_free(&s);
    rp_plan *forms = make_forms();
    check_file("forms", forms);
    rp_plan_destroy(forms);
}

int main(void) {
    static const rp_test tests[] = {{"corpus", test_corpus}, {"refused", test_refused}, {0}};
    return rp_run_tests("plan corpus", tests);
}
