/* The corpus of the plan target must hold plans that open, or the target would only ever see the
 * first checks. After a change of the format the files are written anew:
 *
 *   RP_BLESS=1 ctest -R fuzz.plan_corpus */
#include "../unit/plan_sample.h"
#include "plan/format.h"
#include "support/abstract_lowering.h"
#include "support/plan_info.h"

#include <stdlib.h>

static const char *const names[] = {"empty",     "every-kind", "ranges", "reuse",
                                    "pq-search", "cascades",   "images"};

static bool blessing(void) {
    const char *bless = getenv("RP_BLESS");
    return bless && strcmp(bless, "1") == 0;
}

/* With `pipeline` NULL, at the default level. Ops get kernels without a body. */
static rp_plan *compile(const char *text, size_t size, const char *name, const char *pipeline) {
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = pipeline,
                                     .lowering = pipeline ? abstract_lowering() : NULL};
    rp_graph *source = NULL, *compiled = NULL;
    rp_certificate certificate;
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, name, NULL, &source), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, &certificate, NULL),
                          RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_plan_build(compiled, source, &certificate, NULL, &plan), RP_OK);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return plan;
}

static rp_plan *compile_file(const char *name) {
    static char text[1 << 16];
    char path[256];
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/passes/%s.rpir", name);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return compile(text, size, path, NULL);
}

/* Readers of %a and %b wait for their elements instead of barriers. */
static const char tagged[] = "reprise 1\ngraph tagged {\n  buf $x in f32[64]\n"
                             "  buf %a tmp f32[64]\n  buf %b tmp f32[64]\n  buf $y out f32[64]\n"
                             "  n0 = op silu (r $x:f32[64], w %a:f32[64])\n"
                             "  n1 = op silu (r %a:f32[64], w %b:f32[64])\n"
                             "  n2 = op add (r %a:f32[64], r %b:f32[64], w $y:f32[64])\n}\n";

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
static const struct {
    const char *name;
    size_t size; /* at most */
    uint32_t add_to_version;
    rp_status wanted;
} refused[] = {{"cut-in-header", 40, 0, RP_ERROR_DAMAGED},
               {"cut-in-table", 100, 0, RP_ERROR_DAMAGED},
               {"cut-in-records", 1000, 0, RP_ERROR_DAMAGED},
               {"newer-version", 80, 1, RP_ERROR_VERSION}};

static size_t read_corpus(const char *name, unsigned char *bytes, size_t capacity) {
    char path[256];
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/%s", name);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t size = fread(bytes, 1, capacity, file);
    fclose(file);
    return size;
}

static void write_corpus(const char *name, const unsigned char *bytes, size_t size) {
    char path[256];
    snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/%s", name);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void test_refused(void) {
    static unsigned char plan[1 << 16], stored[sizeof plan];
    size_t size = read_corpus("valid-every-kind", plan, sizeof plan);
    uint32_t version;
    memcpy(&version, plan + offsetof(rp_plan_header, version), sizeof version);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CU_ASSERT_FATAL(refused[i].size < size);
        uint32_t written = version + refused[i].add_to_version;
        memcpy(plan + offsetof(rp_plan_header, version), &written, sizeof written);
        if (blessing()) write_corpus(refused[i].name, plan, refused[i].size);
        CU_ASSERT_EQUAL(read_corpus(refused[i].name, stored, sizeof stored), refused[i].size);
        CU_ASSERT_EQUAL(memcmp(stored, plan, refused[i].size), 0);

        char path[256];
        rp_plan *opened = NULL;
        snprintf(path, sizeof path, RP_TEST_DATA "/corpus/plan/%s", refused[i].name);
        CU_ASSERT_EQUAL(rp_plan_open(NULL, path, NULL, &opened), refused[i].wanted);
        CU_ASSERT_PTR_NULL(opened);
    }
}

static void test_corpus(void) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rp_plan *plan = compile_file(names[i]);
        check_file(names[i], plan);
        rp_plan_destroy(plan);
    }
    rp_plan *waiting =
        compile(tagged, sizeof tagged - 1, "tagged.rpir", "schedule,flow=all,lower,place,sync");
    check_file("tagged", waiting);
    rp_plan_destroy(waiting);
    sample s = sample_make(sample_text);
    check_file("spirv", s.plan);
    sample_free(&s);
}

int main(void) {
    static const rp_test tests[] = {{"corpus", test_corpus}, {"refused", test_refused}, {0}};
    return rp_run_tests("plan corpus", tests);
}
