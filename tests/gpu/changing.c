/* What changes between replays without recording again, on the device at hand, with the validation
 * layer listening: push data that follows live values, and nodes that are left out. */
#include <stdlib.h>
#include "gpu.h"
#include "kernel/kernel.h"

enum { COUNT = 256 };

static rp_device *device;

static const char scale_glsl[] =
    "#version 450\nlayout(local_size_x = 64) in;\n"
    "layout(set = 0, binding = 0) readonly buffer X { float v[]; } x;\n"
    "layout(set = 0, binding = 1) buffer Y { float v[]; } y;\n"
    "layout(push_constant) uniform Push { uint count; float factor[2]; vec2 offset; } push;\n"
    "void main() {\n"
    "    uint i = gl_GlobalInvocationID.x;\n"
    "    if (i < push.count) y.v[i] = push.factor[i % 2] * x.v[i] + push.offset.y;\n"
    "}\n";

/* GLSL, or the same as SPIR-V of an application's own. */
static rp_kernel add_kernel(rp_program *program, const char *name, bool spirv) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_kernel kernel = {0};
    rp_kernel_module module;
    rp_kernel_params params = {.size = sizeof params, .name = name, .glsl = scale_glsl};
    CU_ASSERT_EQUAL_FATAL(rp_kernel_build(NULL, &params, diags, NULL, 0, 0, &module), RP_OK);
    const rp_kernel_params words = {.size = sizeof words,
                                    .name = name,
                                    .spirv = module.interface,
                                    .spirv_size = module.interface_count * 4};
    CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, spirv ? &words : &params, diags, &kernel),
                          RP_OK);
    rp_kernel_free(&module);
    rp_diags_destroy(diags);
    return kernel;
}

/* y = x by a live count, factor and offset; z = y by the same block; w = x by constants, but for
 * one live factor. The second kernel is SPIR-V. */
static rp_graph *record_push(void) {
    rp_program *program;
    rp_recorder *r;
    rp_graph *graph = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_buffer x, y, z, w, count, gain;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "push", &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    const struct {
        const char *name;
        rp_buffer_kind kind;
        rp_dtype dtype;
        uint64_t count;
        rp_buffer *out;
    } buffers[] = {{"x", RP_IN, RP_F32, COUNT, &x},       {"y", RP_INOUT, RP_F32, COUNT, &y},
                   {"z", RP_INOUT, RP_F32, COUNT, &z},    {"w", RP_INOUT, RP_F32, COUNT, &w},
                   {"count", RP_LIVE, RP_U32, 1, &count}, {"gain", RP_LIVE, RP_F32, 4, &gain}};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        const rp_buffer_params params = {.size = sizeof params,
                                         .name = buffers[i].name,
                                         .kind = buffers[i].kind,
                                         .dtype = buffers[i].dtype,
                                         .rank = 1,
                                         .shape = {buffers[i].count}};
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, buffers[i].out), RP_OK);
    }
    rp_kernel glsl = add_kernel(program, "glsl", false), spirv = add_kernel(program, "spirv", true);
    const uint32_t zeros[6] = {0};
    rp_bind_kernel(r, glsl);
    rp_push(r, 0, zeros, 24);
    rp_push_live(r, 0, (rp_range){count});
    rp_push_live(r, 4, (rp_range){gain, 0, 8});
    rp_push_live(r, 16, (rp_range){gain, 8, 8});
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){y});
    rp_dispatch(r, COUNT / 64, 1, 1);
    rp_bind(r, 0, (rp_range){y});
    rp_bind(r, 1, (rp_range){z});
    rp_dispatch(r, COUNT / 64, 1, 1);
    rp_bind_kernel(r, spirv);
    rp_push(r, 0, zeros, 24);
    rp_push(r, 0, &(uint32_t){COUNT - 7}, 4);
    rp_push(r, 8, &(float){10}, 4);
    rp_push(r, 20, &(float){0.25f}, 4);
    rp_push_live(r, 4, (rp_range){gain, 12, 4});
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){w});
    rp_dispatch(r, COUNT / 64, 1, 1);
    CU_ASSERT_EQUAL(rp_program_graph(program, &r, 1, diags, &graph), RP_OK);
    gpu_report(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return graph;
}

static void replay_push(rp_exec *exec, uint32_t count, const float gain[4]) {
    static float x[COUNT], zero[COUNT], y[COUNT], z[COUNT], w[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) x[i] = (float)i;
    static const char *const results[] = {"y", "z", "w"};
    float *const got[] = {y, z, w};
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rp_exec_write(exec, 0, results[i], 0, zero, sizeof zero, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "count", 0, &count, 1, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "gain", 0, gain, 4, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    uint32_t wrong = 0;
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rp_exec_read(exec, 0, results[i], 0, got[i], sizeof y, NULL), RP_OK);
    for (uint32_t i = 0; i < COUNT; i++) { /* small whole numbers and quarters: exact */
        float expected_y = i < count ? gain[i % 2] * x[i] + gain[3] : 0;
        float expected_z = i < count ? gain[i % 2] * expected_y + gain[3] : 0;
        float expected_w = i < COUNT - 7 ? (i % 2 ? 10 : gain[3]) * x[i] + 0.25f : 0;
        wrong += y[i] != expected_y || z[i] != expected_z || w[i] != expected_w;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_push(void) {
    rp_graph *graph = record_push();
    for (int level = 0; level < 2; level++) {
        rp_plan *plan = gpu_compile(graph, level);
        rp_exec *exec = gpu_exec(device, plan, NULL);
        const void *commands = rp_exec_command_buffer(exec, 0, 0);
        replay_push(exec, COUNT, (const float[]){1, 2, 3, 4});
        replay_push(exec, 100, (const float[]){3, 0, 9, 0.5f});
        replay_push(exec, 0, (const float[]){1, 1, 1, 2});
        CU_ASSERT_EQUAL(rp_exec_command_buffer(exec, 0, 0), commands);
        rp_exec_destroy(exec);
        rp_plan_destroy(plan);
    }
    rp_graph_destroy(graph);
}

/* ---- Nodes that are left out ----------------------------------------------------------------- */

static const char set_glsl[] = "#version 450\nlayout(local_size_x = 64) in;\n"
                               "layout(binding = 0) readonly buffer X { uint v[]; } x;\n"
                               "layout(binding = 1) writeonly buffer Y { uint v[]; } y;\n"
                               "layout(push_constant) uniform Push { uint factor; };\n"
                               "void main() {\n"
                               "    uint i = gl_GlobalInvocationID.x;\n"
                               "    y.v[i] = factor * x.v[i] + 1;\n"
                               "}\n";
static const char add_glsl[] = "#version 450\nlayout(local_size_x = 64) in;\n"
                               "layout(binding = 0) readonly buffer X { uint v[]; } x;\n"
                               "layout(binding = 1) buffer Y { uint v[]; } y;\n"
                               "void main() {\n"
                               "    uint i = gl_GlobalInvocationID.x;\n"
                               "    y.v[i] += x.v[i];\n"
                               "}\n";

static const char *const switch_names[] = {"side", "adapter", "tail", "side/again"};
enum { SWITCHES = sizeof switch_names / sizeof *switch_names };

enum { X, Y, Z, T, BUFFERS };

/* What is dispatched, in this order: to = factor * from + 1, or with factor 0: to += from. */
static const struct call {
    uint32_t from, to, factor;
    const char *label;
    bool optional, live; /* live: the first n of four workgroups */
    uint32_t switches;   /* bits */
} calls[] = {
    {X, T, 2, "begin", false, false, 0},   {X, T, 3, "side", true, false, 1},
    {T, Y, 1, NULL, false, false, 0},      {T, Y, 0, "adapter/up", false, false, 2},
    {T, Y, 5, "tail", false, true, 4},     {Y, T, 7, "side/again", true, false, 1 | 8},
    {T, Y, 0, "adapter", false, false, 2}, {T, Z, 0, NULL, false, false, 0},
};

static rp_graph *record_switched(void) {
    rp_program *program;
    rp_recorder *r;
    rp_graph *graph = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    rp_kernel kernels[2];
    rp_buffer b[BUFFERS], n;
    static const rp_buffer_kind kinds[] = {RP_IN, RP_INOUT, RP_INOUT, RP_TMP};
    static const char *const names[] = {"x", "y", "z", "t"};
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "switched", &program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(program, &r), RP_OK);
    for (int i = 0; i < BUFFERS; i++) {
        const rp_buffer_params params = {.size = sizeof params,
                                         .name = names[i],
                                         .kind = kinds[i],
                                         .dtype = RP_U32,
                                         .rank = 1,
                                         .shape = {COUNT}};
        CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &params, diags, &b[i]), RP_OK);
    }
    const rp_buffer_params live = {.size = sizeof live,
                                   .name = "n",
                                   .kind = RP_LIVE,
                                   .dtype = RP_U32,
                                   .rank = 1,
                                   .shape = {1}};
    CU_ASSERT_EQUAL_FATAL(rp_program_buffer(program, &live, diags, &n), RP_OK);
    for (int i = 0; i < 2; i++) {
        const rp_kernel_params params = {
            .size = sizeof params, .name = i ? "set" : "add", .glsl = i ? set_glsl : add_glsl};
        CU_ASSERT_EQUAL_FATAL(rp_program_kernel(program, &params, diags, &kernels[i]), RP_OK);
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *c = &calls[i];
        if (c->label) rp_label_begin(r, c->label);
        if (c->optional) rp_optional_begin(r);
        rp_bind_kernel(r, kernels[c->factor > 0]);
        if (c->factor) rp_push(r, 0, &c->factor, 4);
        rp_bind(r, 0, (rp_range){b[c->from]});
        rp_bind(r, 1, (rp_range){b[c->to]});
        if (c->live)
            rp_dispatch_live(r, "n", "1", "1");
        else
            rp_dispatch(r, COUNT / 64, 1, 1);
        if (c->optional) rp_optional_end(r);
        if (c->label) rp_label_end(r);
    }
    CU_ASSERT_EQUAL(rp_program_graph(program, &r, 1, diags, &graph), RP_OK);
    gpu_report(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return graph;
}

/* Replays with those switches on (bits), and the same by hand. */
static void replay_switched(rp_exec *exec, uint32_t on, uint32_t n) {
    static uint32_t values[BUFFERS][COUNT], got[2][COUNT];
    memset(values, 0, sizeof values);
    for (uint32_t i = 0; i < COUNT; i++) values[X][i] = i, values[Z][i] = 1000 + i;
    for (uint32_t i = 0; i < SWITCHES; i++)
        CU_ASSERT_EQUAL(rp_exec_enable(exec, 0, switch_names[i], on >> i & 1, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, &n, 1, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, values[X], sizeof *values, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "z", 0, values[Z], sizeof *values, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, got[0], sizeof *got, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "z", 0, got[1], sizeof *got, NULL), RP_OK);
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        const struct call *c = &calls[k];
        uint32_t *to = values[c->to], count = c->live ? n * 64 : COUNT;
        if ((c->switches & on) != c->switches) continue;
        for (uint32_t i = 0; i < count; i++)
            to[i] = c->factor ? c->factor * values[c->from][i] + 1 : to[i] + values[c->from][i];
    }
    CU_ASSERT_EQUAL(memcmp(got[0], values[Y], sizeof *got), 0);
    CU_ASSERT_EQUAL(memcmp(got[1], values[Z], sizeof *got), 0);
}

static void test_switches(void) {
    rp_graph *graph = record_switched();
    const rp_exec_params params = {.size = sizeof params,
                                   .cache_path = "",
                                   .switches = switch_names,
                                   .switch_count = SWITCHES};
    for (int level = 0; level < 2; level++) {
        rp_plan *plan = gpu_compile(graph, level);
        rp_exec *exec = gpu_exec(device, plan, &params);
        const void *commands = rp_exec_command_buffer(exec, 0, 0);
        for (uint32_t i = 0; i < 1 << SWITCHES; i++)
            replay_switched(exec, i * 5 & ((1 << SWITCHES) - 1), i % 5);
        replay_switched(exec, (1 << SWITCHES) - 1, COUNT / 64);
        CU_ASSERT_EQUAL(rp_exec_command_buffer(exec, 0, 0), commands);
        rp_exec_destroy(exec);
        rp_plan_destroy(plan);
    }
    rp_graph_destroy(graph);
}

static void test_silence(void) {
    rp_diags *diags = rp_diags_create(NULL);
    CU_ASSERT_EQUAL(rp_device_messages(device, diags), 0);
    gpu_report(diags);
    rp_diags_destroy(diags);
}

/* First and last. */
static void set_up(void) {
    device = gpu_open(1);
}

static void tear_down(void) {
    CU_ASSERT_EQUAL(rp_device_destroy(device, NULL), RP_OK);
}

int main(void) {
    static const rp_test tests[] = {{"set up", set_up},
                                    {"push data that follows live values", test_push},
                                    {"nodes that are left out", test_switches},
                                    {"the validation layer is silent", test_silence},
                                    {"tear down", tear_down},
                                    {NULL, NULL}};
    return rp_run_tests("changing on a device", tests);
}
