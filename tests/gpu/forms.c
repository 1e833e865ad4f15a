/* Plans of several forms on the device at hand: at every size the bits of a plan that is compiled for the largest
 * size of its range alone, with state carried from one form to the next, in one slot and in three, whole
 * and in pieces, with all barriers and with tags, and never waited for between replays. */
#include <stdio.h>

#include "gpu.h"
#include "support/same_values.h"

enum { MOST = 20, FORMS = 3, WIDTH = 16, REPLAYS = 66, SLOTS = 3 };
static const uint32_t most[FORMS] = {4, 9, MOST};

/* h is as long as there are tokens; s is of fixed size, and goes through transients that may be tagged. */
static const char text[] = "reprise: 1\n"
                           "name: forms\n"
                           "live: {tokens: {max: %u%s, default: 1}, k: {dtype: f32}}\n"
                           "buffers:\n"
                           "  x: {kind: in, dtype: f32, shape: [tokens, 16]}\n"
                           "  h: {kind: inout, dtype: f32, shape: [tokens, 16]}\n"
                           "  s: {kind: inout, dtype: f32, shape: [16]}\n"
                           "  y: {kind: out, dtype: f32, shape: [tokens, 16]}\n"
                           "nodes:\n"
                           "  - {op: rms_norm, x: x, out: n}\n"
                           "  - {map: 'silu(a) + b', bind: {a: n, b: s}, out: y}\n"
                           "  - {map: 'a * 0.75 + b', bind: {a: h, b: x}, out: h}\n"
                           "  - {op: softmax, x: s, out: t}\n"
                           "  - {map: 'a + b * k', bind: {a: s, b: t, k: k}, out: s}\n";

static rp_device *device;
static rp_target target;
static rp_diags *diags;

static void expect(rp_status status, rp_status wanted) {
    CU_ASSERT_EQUAL(status, wanted);
    if (status != wanted) gpu_report(diags);
    rp_diags_clear(diags);
}

/* With its ranges, or for one largest size alone. */
static rp_plan *compile(uint32_t size, const char *ranges, const char *passes) {
    char own[2048];
    snprintf(own, sizeof own, text, size, ranges);
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = "forms.yaml",
                                       .text = own,
                                       .text_size = strlen(own),
                                       .target = &target};
    const rp_pass_options options = {.size = sizeof options, .pipeline = passes, .target = &target};
    const rp_graph *graphs[RP_MAX_FORMS];
    rp_pipeline *pipeline = NULL;
    rp_plan *plan = NULL;
    expect(rp_pipeline_read(NULL, &source, diags, &pipeline), RP_OK);
    uint32_t count = rp_pipeline_form_count(pipeline);
    CU_ASSERT_EQUAL_FATAL(count, *ranges ? FORMS : 1);
    for (uint32_t i = 0; i < count; i++) graphs[i] = rp_pipeline_form(pipeline, i);
    expect(rp_compile_forms(graphs, count, &options, diags, &plan, NULL), RP_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    expect(rp_plan_check(plan, NULL, diags, NULL), RP_OK);
    rp_pipeline_destroy(pipeline);
    return plan;
}

static rp_exec *open_exec(const rp_plan *plan, rp_exec_params params) {
    params.size = sizeof params;
    params.cache_path = "";
    return gpu_exec(device, plan, &params);
}

static void set(rp_exec *exec, uint32_t slot, uint32_t tokens, float k) {
    expect(rp_exec_set_live(exec, slot, "tokens", 0, &tokens, 1, diags), RP_OK);
    expect(rp_exec_set_live(exec, slot, "k", 0, &k, 1, diags), RP_OK);
}

/* A replay: of so many tokens; what y is behind it, and the state. */
typedef struct step {
    uint32_t tokens;
    float k, x[MOST * WIDTH], y[MOST * WIDTH], h[MOST * WIDTH], s[WIDTH];
} step;

static uint32_t form_of(uint32_t tokens) {
    uint32_t form = 0;
    while (tokens > most[form]) form++;
    return form;
}

/* What plans for one range each make of the steps, the state being carried by hand. */
static void reference(rp_exec *const *alone, step *steps) {
    float h[MOST * WIDTH] = {0}, s[WIDTH] = {0};
    for (uint32_t i = 0; i < REPLAYS; i++) {
        step *at = &steps[i];
        rp_exec *exec = alone[form_of(at->tokens)];
        uint64_t bytes = at->tokens * WIDTH * sizeof(float);
        set(exec, 0, at->tokens, at->k);
        expect(rp_exec_write(exec, 0, "x", 0, at->x, bytes, diags), RP_OK);
        expect(rp_exec_write(exec, 0, "h", 0, h, bytes, diags), RP_OK);
        expect(rp_exec_write(exec, 0, "s", 0, s, sizeof s, diags), RP_OK);
        expect(rp_exec_submit(exec, NULL, diags, NULL), RP_OK);
        expect(rp_exec_wait(exec, 0, UINT64_MAX, diags), RP_OK);
        expect(rp_exec_read(exec, 0, "y", 0, at->y, bytes, diags), RP_OK);
        expect(rp_exec_read(exec, 0, "h", 0, h, bytes, diags), RP_OK);
        expect(rp_exec_read(exec, 0, "s", 0, s, sizeof s, diags), RP_OK);
        memcpy(at->h, h, sizeof h);
        memcpy(at->s, s, sizeof s);
    }
}

static bool same(rp_exec *exec, uint32_t slot, const char *buffer, const float *wanted,
                 uint64_t bytes) {
    float is[MOST * WIDTH];
    expect(rp_exec_read(exec, slot, buffer, 0, is, bytes, diags), RP_OK);
    return rp_first_difference(RP_F32, (const uint8_t *)is, (const uint8_t *)wanted, bytes) ==
           UINT64_MAX;
}

/* The same steps by one exec, each slot waited for only when its turn comes again. */
static void run(rp_exec *exec, uint32_t slots, const step *steps) {
    uint32_t differ = 0;
    const step *last[SLOTS] = {0};
    for (uint32_t i = 0; i <= REPLAYS + slots; i++) {
        uint32_t slot = i % slots;
        const step *before = last[slot];
        last[slot] = NULL;
        if (before) {
            expect(rp_exec_wait(exec, (uint64_t)(before - steps) + 1, UINT64_MAX, diags), RP_OK);
            differ += !same(exec, slot, "y", before->y, before->tokens * WIDTH * sizeof(float));
        }
        if (i >= REPLAYS) continue;
        const step *at = last[slot] = &steps[i];
        const rp_submit_params params = {.size = sizeof params, .slot = slot};
        set(exec, slot, at->tokens, at->k);
        CU_ASSERT_EQUAL(rp_exec_get_form(exec, slot), form_of(at->tokens));
        expect(rp_exec_write(exec, slot, "x", 0, at->x, at->tokens * WIDTH * sizeof(float), diags),
               RP_OK);
        expect(rp_exec_submit(exec, &params, diags, NULL), RP_OK);
    }
    const step *end = &steps[REPLAYS - 1];
    differ += !same(exec, 0, "h", end->h, sizeof end->h);
    differ += !same(exec, 0, "s", end->s, sizeof end->s);
    CU_ASSERT_EQUAL(differ, 0);
}

/* Every size, once in order and then back and forth across the ranges. */
static void fill(step *steps) {
    for (uint32_t i = 0; i < REPLAYS; i++) {
        steps[i].tokens = i <= MOST ? i : i * 8 % (MOST + 1);
        steps[i].k = 0.25f + (float)i / 8;
        for (uint32_t e = 0; e < MOST * WIDTH; e++)
            steps[i].x[e] = (float)((e * 37 + i * 11) % 64) / 16 - 2;
    }
}

static void try_passes(const char *passes, rp_tags tags) {
    static step steps[REPLAYS];
    rp_exec *alone[FORMS];
    for (uint32_t i = 0; i < FORMS; i++) {
        rp_plan *plan = compile(most[i], "", passes);
        alone[i] = open_exec(plan, (rp_exec_params){0});
        rp_plan_destroy(plan);
    }
    fill(steps);
    reference(alone, steps);
    for (uint32_t i = 0; i < FORMS; i++) rp_exec_destroy(alone[i]);
    rp_plan *plan = compile(MOST, ", ranges: [4, 9]", passes);
    static const rp_exec_params ways[] = {{.slots = 1}, {.slots = SLOTS}, {.pieces = 3}};
    for (uint32_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        rp_exec_params params = ways[i];
        params.tags = tags;
        rp_exec *exec = open_exec(plan, params);
        run(exec, params.slots ? params.slots : 1, steps);
        rp_counters counters = {.size = sizeof counters};
        expect(rp_exec_get_counters(exec, &counters), RP_OK);
        if (tags == RP_TAGS_ON && params.slots == 1) CU_ASSERT(counters.replays_tagged > 0);
        rp_exec_destroy(exec);
    }
    rp_plan_destroy(plan);
}

static void test_barriers(void) {
    try_passes(rp_pass_level(1), RP_TAGS_OFF);
}

static void test_tags(void) {
    try_passes("dce,rename,schedule,flow=all,lower,place,sync", RP_TAGS_ON);
}

static void test_open(void) {
    device = gpu_open(0);
    target.size = sizeof target;
    expect(rp_device_target(device, &target), RP_OK);
}

int main(void) {
    static const rp_test tests[] = {{"device", test_open},
                                    {"at every size", test_barriers},
                                    {"with tags", test_tags},
                                    {NULL, NULL}};
    diags = rp_diags_create(NULL);
    int status = rp_run_tests("forms", tests);
    rp_diags_destroy(diags);
    rp_device_destroy(device, NULL);
    return status;
}
