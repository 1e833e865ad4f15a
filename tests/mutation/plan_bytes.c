/* Every change to a plan's bytes must be noticed, also where whoever made it made the hash right.
 *
 * Plans of real graphs, of random ones, of one of own kernels and of fused ops with generated
 * kernels are changed field by field: zero, all ones, one more and one less, single bits, the value
 * of the neighbouring record, whole records swapped. Which fields there are the format says
 * (plan/fields.h), so a new one is tried as soon as it exists. A plan that was changed must not
 * open, or must not be proven: nothing in it is free. */
#include <stdlib.h>

#include "mutate.h"
#include "plan/fields.h"
#include "reprise/compiler.h"
#include "support/cases.h"
#include "support/abstract_lowering.h"
#include "support/plan_walk.h"
#include "support/random_ops.h"
#include "support/unit.h"
#include "support/plan_info.h"

enum { MANY = RP_PART > 1 ? 2 : 8, MOST_NODES = RP_PART > 1 ? 60 : 300 };

typedef struct trial {
    const char *name;
    rp_random random;
    const uint8_t *good;
    uint8_t *copy;
    size_t size;
    uint64_t refused, unlike, unproven; /* when opened, against the text, by the proof */
    bool tried[RP_SECTION_COUNT][32];   /* fields that were changed */
    uint32_t failures;
} trial;

/* Tries the changed copy, and makes it good again. */
static void must_notice(trial *t, const rp_plan_layout *layout, const rp_plan_field *field,
                        uint64_t record, const char *change) {
    rp_plan *plan = NULL;
    rp_graph *compiled = NULL;
    if (memcmp(t->copy, t->good, t->size) == 0) return;
    walk_repair(t->copy, t->size);
    if (memcmp(t->copy, t->good, t->size) == 0) return; /* in what is made right again */
    if (rp_plan_from_memory(NULL, t->copy, t->size, t->name, NULL, &plan) != RP_OK) {
        t->refused++;
    } else if (rp_plan_graphs(plan, NULL, &compiled, NULL) != RP_OK) {
        t->unlike++;
    } else if (rp_plan_check(plan, NULL, NULL, NULL) != RP_OK) {
        t->unproven++;
    } else if (t->failures++ < 10) {
        fprintf(stderr, "\n%s: unnoticed: section %s, record %llu, field %s: %s", t->name,
                layout->name, (unsigned long long)record, field ? field->name : "(all)", change);
    }
    rp_graph_destroy(compiled);
    rp_plan_destroy(plan);
    memcpy(t->copy, t->good, t->size);
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static void change_number(trial *t, const rp_plan_layout *layout, const rp_plan_field *field,
                          uint64_t record, uint64_t at, uint64_t neighbour) {
    uint64_t value = 0, bit = 1ull << rp_random_below(&t->random, field->size * 8);
    memcpy(&value, t->good + at, field->size);
    const struct {
        uint64_t value;
        const char *what;
    } changes[] = {{0, "zero"},         {UINT64_MAX, "all ones"}, {value + 1, "one more"},
                   {value - 1, "less"}, {value ^ bit, "a bit"},   {value ^ 1, "the lowest bit"}};
    for (uint32_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        memcpy(t->copy + at, &changes[i].value, field->size);
        must_notice(t, layout, field, record, changes[i].what);
    }
    if (neighbour == at) return;
    memcpy(t->copy + at, t->good + neighbour, field->size);
    must_notice(t, layout, field, record, "that of the neighbour");
    memcpy(t->copy + at, t->good + neighbour, field->size);
    memcpy(t->copy + neighbour, t->good + at, field->size);
    must_notice(t, layout, field, record, "swapped with the neighbour");
}

/* All fields of `count` records that start at `start`, or of MANY among them. */
static void change_records(trial *t, const rp_plan_layout *layout, uint64_t start, uint64_t count,
                           bool *tried) {
    uint64_t stride = layout->stride, step = 1 + count / MANY;
    for (uint64_t r = rp_random_below(&t->random, (uint32_t)step); r < count; r += step) {
        uint64_t at = start + r * stride, other = r + 1 < count ? at + stride : at - stride;
        if (count == 1) other = at;
        for (uint32_t f = 0; f < layout->field_count; f++)
            for (uint32_t e = 0; e < layout->fields[f].elements; e++) {
                const rp_plan_field *field = &layout->fields[f];
                uint64_t in = field->offset + (uint64_t)e * field->size;
                change_number(t, layout, field, r, at + in, other + in);
                if (tried) tried[f] = true;
            }
        memcpy(t->copy + at, t->good + other, stride);
        memcpy(t->copy + other, t->good + at, stride);
        must_notice(t, layout, NULL, r, "swapped with the neighbour");
    }
}

static void change_form(trial *t, const rp_plan *form) {
    uint64_t start = (uint64_t)(form->data - t->good);
    change_records(t, &rp_plan_header_layout, start, 1, NULL);
    change_records(t, &rp_plan_table_layout, start + sizeof(rp_plan_header), RP_SECTION_COUNT,
                   NULL);
    for (uint32_t s = 0; s < RP_SECTION_COUNT; s++)
        change_records(t, &rp_plan_layouts[s], start + form->sections[s].offset,
                       form->sections[s].count, t->tried[s]);
}

static void change_plan(trial *t, const char *name, const rp_plan *plan) {
    t->name = name;
    t->good = rp_plan_data(plan, &t->size);
    t->copy = malloc(t->size);
    if (!t->copy) abort();
    memcpy(t->copy, t->good, t->size);
    if (plan->form_count) {
        change_records(t, &rp_plan_header_layout, 0, 1, NULL);
        change_records(t, &rp_plan_forms_layout, sizeof(rp_plan_header), plan->form_count, NULL);
    }
    for (uint32_t f = 0; f < rp_plan_form_count(plan); f++) change_form(t, rp_plan_form(plan, f));
    free(t->copy);
}

/* ---- Plans ----------------------------------------------------------------------------------- */

/* NULL, with a failure, when the plan cannot be made or is not proven as it is. */
static rp_plan *compile(const rp_graph *source, const char *pipeline, const rp_lowering *lowering) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pass_options options = {.size = sizeof options, .pipeline = pipeline, .lowering = lowering};
    rp_plan *plan = NULL;
    rp_certificate found, stated = {0};
    bool good = rp_compile(source, &options, diags, &plan, NULL) == RP_OK &&
                rp_plan_check(plan, NULL, diags, &found) == RP_OK &&
                rp_plan_check(plan, source, diags, &found) == RP_OK;
    if (plan) stated = plan_info(plan).certificate;
    CU_ASSERT(good && memcmp(&found, &stated, sizeof found) == 0);
    for (uint32_t i = 0; !good && i < rp_diags_count(diags); i++)
        fprintf(stderr, "\n%s: %s", pipeline, rp_diags_get(diags, i).message);
    if (!good) {
        rp_plan_destroy(plan);
        plan = NULL;
    }
    rp_diags_destroy(diags);
    return plan;
}

static void try_plan(trial *t, const char *name, const rp_graph *source, const char *pipeline,
                     const rp_lowering *lowering) {
    rp_plan *plan = compile(source, pipeline, lowering);
    if (plan) change_plan(t, name, plan);
    rp_plan_destroy(plan);
}

static void try_real(void *context, const char *name, const rp_graph *source) {
    if (source->nodes_count <= MOST_NODES)
        try_plan(context, name, source, rp_pass_level(1), abstract_lowering());
}

static bool try_random(void *context, uint64_t seed, const rp_graph *source, char why[RP_WHY]) {
    trial *t = context;
    char name[32];
    snprintf(name, sizeof name, "RP_SEED=%llu", (unsigned long long)seed);
    uint32_t before = t->failures;
    try_plan(t, name, source, rp_pass_level((int)(seed % 3)), NULL);
    snprintf(why, RP_WHY, "a change went unnoticed");
    return t->failures == before;
}

static void try_pipeline(trial *t, const char *path) {
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_pipeline_load(NULL, path, NULL, 0, NULL, &pipeline), RP_OK);
    try_plan(t, path, rp_pipeline_graph(pipeline), rp_pass_level(0), NULL);
    try_plan(t, path, rp_pipeline_graph(pipeline), rp_pass_level(1), NULL);
    rp_pipeline_destroy(pipeline);
}

static void try_ops(trial *t, uint64_t seed) {
    char name[48];
    rp_random_ops *ops = rp_random_ops_create(seed);
    rp_graph *source = rp_random_ops_build(&ops, 1);
    snprintf(name, sizeof name, "ops of seed %llu", (unsigned long long)seed);
    static const char *const pipelines[] = {"dce,rename,fuse,lower=fast,schedule,place,sync", NULL,
                                            "dce,rename,fuse,schedule,flow=all,lower,place,sync"};
    try_plan(t, name, source, pipelines[seed % 3], NULL);
    rp_graph_destroy(source);
    rp_random_ops_destroy(ops);
}

static void try_text(trial *t, const char *name, const char *text, const char *pipeline) {
    rp_graph *source = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), NULL, NULL, &source), RP_OK);
    try_plan(t, name, source, pipeline, NULL);
    rp_graph_destroy(source);
}

/* One kernel for nodes of two labels. */
static const char labels[] = "reprise 1\ngraph labels {\n  buf $x in f32[64]\n"
                             "  buf %a tmp f32[64]\n  buf $y out f32[64]\n"
                             "  n0 = op silu (r $x:f32[64], w %a:f32[64]) label \"a\"\n"
                             "  n1 = op silu (r %a:f32[64], w $y:f32[64]) label \"b\"\n}\n";

/* Readers of %a and %b wait for their elements. */
static const char tagged[] = "reprise 1\ngraph tagged {\n  buf $x in f32[64]\n"
                             "  buf %a tmp f32[64]\n  buf %b tmp f32[64]\n  buf $y out f32[64]\n"
                             "  n0 = op silu (r $x:f32[64], w %a:f32[64])\n"
                             "  n1 = op silu (r %a:f32[64], w %b:f32[64])\n"
                             "  n2 = op add (r %a:f32[64], r %b:f32[64], w $y:f32[64])\n}\n";

/* A transient and a result as large as live values say, one of them a sum. */
static const char sized[] =
    "reprise 1\ngraph sized {\n  buf $n live u32[1] = 05000000 max 9\n"
    "  buf $past live u32[2] max 4\n  buf $x in f32[{$n},64]\n"
    "  buf $z in f32[{$n + $past[1]},2]\n"
    "  buf %a tmp f32[{$n},64]\n  buf $y out f32[{$n},64]\n  buf $w out f32[{$n + $past[1]},2]\n"
    "  n0 = op softmax (r $x:f32[{$n},64], -, w %a:f32[{$n},64])\n"
    "  n1 = op silu (r %a:f32[{$n},64], w $y:f32[{$n},64])\n"
    "  n2 = op silu (r $z:f32[{$n + $past[1]},2], w $w:f32[{$n + $past[1]},2])\n}\n";

static const char addresses[] =
    "reprise 1\ngraph addresses {\n  buf $x in 256\n  buf $y out 256\n  buf %a tmp 256\n"
    "  kern @k spirv - local 1 1 1 push 16 (rw)\n  n0 = fill 00000000 (w %a)\n"
    "  n1 = run @k grid 1 1 1 push 00000000 00000000 00000000 00000000 address 0=1+16 8=2 "
    "(rw $y, r address $x, rw address %a[64+64])\n"
    "  n2 = run @k grid 1 1 1 push 00000000 00000000 00000000 00000000 address 4=2 "
    "(rw $y, r address $x, r address %a)\n}\n";

/* The same for up to 2, to 5, and to 9: forms of one plan. Forms are swapped as well. */
static void try_forms(trial *t) {
    static const char *const most[] = {"max 2", "max 5", "max 9"};
    rp_plan *forms[3], *joined = NULL;
    for (uint32_t i = 0; i < 3; i++) {
        char text[sizeof sized];
        rp_graph *source = NULL;
        memcpy(text, sized, sizeof sized);
        memcpy(strstr(text, "max 9"), most[i], 5);
        if (i == 0) memcpy(strstr(text, "= 05"), "= 02", 4);
        CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, strlen(text), NULL, NULL, &source), RP_OK);
        forms[i] = compile(source, i == 1 ? rp_pass_level(0) : NULL, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(forms[i]);
        rp_graph_destroy(source);
    }
    CU_ASSERT_EQUAL_FATAL(rp_plan_join(NULL, (const rp_plan *const *)forms, 3, NULL, &joined),
                          RP_OK);
    CU_ASSERT_EQUAL(rp_plan_check(joined, NULL, NULL, NULL), RP_OK);
    change_plan(t, "forms", joined);
    rp_plan_destroy(joined);
    for (uint32_t i = 0; i < 3; i++) rp_plan_destroy(forms[i]);
}

/* Images, samplers and all that uses say of them. */
static void try_images(void *context, const char *name, const rp_graph *source) {
    if (source->samplers_count) try_plan(context, name, source, rp_pass_level(1), NULL);
}

static void finish(const trial *t, uint64_t least) {
    CU_ASSERT_EQUAL(t->failures, 0);
    CU_ASSERT(t->refused + t->unlike + t->unproven >= least / RP_PART / RP_PART);
    printf("%llu do not open, %llu are not what the text says, %llu are not proven ... ",
           (unsigned long long)t->refused, (unsigned long long)t->unlike,
           (unsigned long long)t->unproven);
}

static void test_graphs(void) {
    static trial t = {.random = {1}};
    each_real_graph(try_real, &t);
    CU_ASSERT_EQUAL(rp_random_suite("changes to plans of random graphs", 15, try_random, &t), 0);
    finish(&t, 10000);
}

static void test_kernels(void) {
    static trial t = {.random = {2}};
    try_pipeline(&t, RP_SOURCE_ROOT "/tests/fault/pipeline.yaml");
    try_text(&t, "labels", labels, NULL);
    try_text(&t, "addresses", addresses, NULL);
    try_text(&t, "sized", sized, NULL);
    try_text(&t, "tagged", tagged, "schedule,flow=all,lower,place,sync");
    try_forms(&t);
    each_real_graph(try_images, &t);
    for (uint64_t seed = 1; seed <= (RP_PART > 1 ? 3 : 6); seed++) try_ops(&t, seed);
    finish(&t, 5000);
    /* Each field of each record must have had its chance. */
    for (uint32_t s = 0; s < RP_SECTION_COUNT; s++)
        for (uint32_t f = 0; f < rp_plan_layouts[s].field_count; f++) {
            if (!t.tried[s][f])
                fprintf(stderr, "\nnot tried: section %s, field %s", rp_plan_layouts[s].name,
                        rp_plan_layouts[s].fields[f].name);
            CU_ASSERT(t.tried[s][f]);
        }
}

int main(void) {
    static const rp_test tests[] = {
        {"plans of graphs", test_graphs},
        {"plans with kernels", test_kernels},
        {NULL, NULL},
    };
    return rp_run_tests("changes to plans", tests);
}
