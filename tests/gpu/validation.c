/* The validation layer's view: it must object to plans that are wrong, and only then does its
 * silence about the right ones mean anything. Synchronisation checks are made while commands are
 * recorded, so creating an exec is enough to hear them. */
#include <stdlib.h>
#include "exec/exec.h"
#include "gpu.h"

/* The device has noted that all nodes had begun and ended: with its own markers in two words for
 * each, else in two for all. */
static void check_markers(const rp_exec *exec) {
    const rp_storage *storage = exec->slots[0].marks.storage;
    uint32_t noted[2], nodes = rp_plan_count(exec->plan, RP_SECTION_NODES);
    CU_ASSERT_TRUE(storage || exec->slots[0].marks.checkpoints);
    if (!storage) return;
    bool each = storage->size > sizeof noted;
    for (uint32_t i = 0; i < (each ? nodes : 1); i++) {
        memcpy(noted, storage->mapped + i * sizeof noted, sizeof noted);
        CU_ASSERT_EQUAL(noted[0], each ? 1 : nodes);
        CU_ASSERT_EQUAL(noted[1], each ? 1 : nodes);
    }
}

/* Messages while an exec of `plan` is created and, with `replay`, used. Printed when unexpected. */
static uint32_t messages_of(const rp_plan *plan, int separate, int replay, int expected) {
    rp_device *device = gpu_open(1);
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .separate_buffers = separate,
                                   .timestamps = replay,
                                   .markers = replay && separate,
                                   /* recorded at once, or by the first submission */
                                   .priority = replay ? RP_PIPELINE_RARE : RP_PIPELINE_NORMAL};
    rp_exec *exec = gpu_exec(device, plan, &params);
    if (replay) {
        for (int i = 0; i < 2; i++) gpu_check_everything(exec);
        for (int i = 0; i < 2; i++) CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
        CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
        if (params.markers) check_markers(exec);
    }
    rp_exec_destroy(exec);
    rp_diags *diags = rp_diags_create(NULL);
    uint32_t count = rp_device_messages(device, diags);
    if (!expected) gpu_report(diags);
    rp_diags_destroy(diags);
    rp_device_destroy(device, NULL);
    return count;
}

/* ---- Canaries -------------------------------------------------------------------------------- */

static const char copy_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(set = 0, binding = 0) readonly buffer X { uint v[]; } x;\n"
    "layout(set = 0, binding = 1) writeonly buffer Y { uint v[]; } y;\n"
    "void main() { uint i = gl_GlobalInvocationID.x; y.v[i] = x.v[i]; }\n";

/* Two dispatches of "copy", as index pairs into x, s, t, y: {from, to}. */
typedef struct canary {
    const char *what;
    uint32_t first[2], second[2];
    int with_fill; /* the first is a fill of first[1] instead */
} canary;

static rp_graph *compile_canary(const canary *c) {
    static const struct {
        const char *name;
        rp_buffer_kind kind;
    } kinds[4] = {{"x", RP_IN}, {"s", RP_INOUT}, {"t", RP_TMP}, {"y", RP_OUT}};
    rp_program *program;
    rp_recorder *r;
    rp_buffer buffers[4];
    rp_kernel kernel;
    rp_graph *source, *compiled = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, c->what, &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    for (int i = 0; i < 4; i++) {
        const rp_buffer_params params = {.size = sizeof params,
                                         .name = kinds[i].name,
                                         .kind = kinds[i].kind,
                                         .bytes = GPU_COUNT * 4};
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, NULL, &buffers[i]), RP_OK);
    }
    const rp_kernel_params params = {.size = sizeof params, .name = "copy", .glsl = copy_glsl};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &params, NULL, &kernel), RP_OK);
    rp_bind_kernel(r, kernel);
    for (int i = 0; i < 2; i++) {
        const uint32_t *pair = i ? c->second : c->first;
        if (!i && c->with_fill) {
            rp_fill(r, (rp_range){buffers[pair[1]]}, 7);
            continue;
        }
        rp_bind(r, 0, (rp_range){buffers[pair[0]]});
        rp_bind(r, 1, (rp_range){buffers[pair[1]]});
        rp_dispatch(r, GPU_COUNT / 64, 1, 1);
    }
    CU_ASSERT_EQUAL_FATAL(rp_program_graph(program, &r, 1, NULL, &source), RP_OK);
    const rp_pass_options options = {.size = sizeof options, .pipeline = "schedule,place,sync"};
    CU_ASSERT_EQUAL_FATAL(rp_passes_run(source, &options, NULL, &compiled, NULL, NULL), RP_OK);
    rp_graph_destroy(source);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    return compiled;
}

/* The plan as compiled is silent; without its one barrier between groups it is not. */
static void check_canary(const canary *c) {
    for (int separate = 0; separate < 2; separate++)
        for (int broken = 0; broken < 2; broken++) {
            rp_graph *graph = compile_canary(c);
            CU_ASSERT_EQUAL_FATAL(graph->group_count, 2);
            if (broken) graph->barriers[1] = (rp_graph_barrier){0};
            rp_plan *plan = gpu_pack(graph);
            uint32_t heard = messages_of(plan, separate, 0, broken);
            if (broken ? heard == 0 : heard > 0)
                printf("\n  %s, %s: %u messages %s its barrier\n", c->what,
                       separate ? "separate buffers" : "arena", heard, broken ? "without" : "with");
            CU_ASSERT_EQUAL(heard > 0, broken);
            rp_plan_destroy(plan);
            rp_graph_destroy(graph);
        }
}

enum { X, S, T, Y };

static void test_raw(void) {
    check_canary(&(canary){"raw-tmp", {X, T}, {T, Y}, 0});
    check_canary(&(canary){"raw-inout", {X, S}, {S, Y}, 0});
}

static void test_war(void) {
    check_canary(&(canary){"war-inout", {S, Y}, {X, S}, 0});
}

static void test_transfer(void) {
    check_canary(&(canary){"raw-fill", {0, T}, {T, Y}, 1});
}

/* ---- Silence --------------------------------------------------------------------------------- */

static void test_everything(void) {
    rp_graph *graph = gpu_everything();
    for (int level = 0; level < 2; level++) {
        rp_plan *plan = gpu_compile(graph, level);
        for (int separate = 0; separate < 2; separate++)
            CU_ASSERT_EQUAL(messages_of(plan, separate, 1, 0), 0);
        rp_plan_destroy(plan);
    }
    rp_graph_destroy(graph);
}

/* Staging on a device that would map everything: pieces on both slots, odd sizes and places. */
static void test_staging(void) {
    enum { SIZE = 10000003, AT = 77 };
    rp_device *device = gpu_open(1);
    const rp_storage_wish wish = {
        .purpose = RP_PURPOSE_ARENA, .size = SIZE + 2 * AT, .name = "target"};
    rp_storage *target;
    unsigned char *sent = malloc(SIZE), *got = calloc(1, SIZE);
    CU_ASSERT_FATAL(sent && got);
    for (uint32_t i = 0; i < SIZE; i++) sent[i] = (unsigned char)(i * 31 + i / 65536);
    CU_ASSERT_EQUAL_FATAL(rp_storage_allocate(device, &wish, 1, NULL, &target), RP_OK);
    CU_ASSERT_PTR_NULL(target->mapped);
    CU_ASSERT_EQUAL(rp_storage_write(target, AT, sent, SIZE, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_storage_write(target, AT + 5, "over", 4, NULL), RP_OK);
    memcpy(sent + 5, "over", 4);
    CU_ASSERT_EQUAL(rp_storage_read(target, AT, got, SIZE, NULL), RP_OK);
    CU_ASSERT_EQUAL(memcmp(sent, got, SIZE), 0);
    rp_storage_release(target);
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
    rp_diags_destroy(diags);
    rp_device_destroy(device, NULL);
    free(sent);
    free(got);
}

int main(void) {
    static const rp_test tests[] = {
        {"RAW canary", test_raw},           {"WAR canary", test_war},
        {"transfer canary", test_transfer}, {"everything", test_everything},
        {"staging", test_staging},          {0}};
    int failures = rp_run_tests("validation", tests);
    if (failures)
        printf("A layer that is silent about shader accesses may want its setting "
               "syncval_shader_accesses_heuristic.\n");
    return failures;
}
