/* The shared pipeline. The expected values are computed here, in C, from its description. */
#include "gpu.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char scale_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(set = 0, binding = 0) readonly buffer X { uint v[]; } x;\n"
    "layout(set = 0, binding = 1) readonly buffer W { uint v[]; } w;\n"
    "layout(set = 1, binding = 0) uniform N { uint n; uint factor; } live;\n"
    "layout(set = 1, binding = 2) buffer T { uint v[]; } t;\n"
    "void main() {\n"
    "    uint i = gl_GlobalInvocationID.x;\n"
    "    if (i < live.n) t.v[i] = x.v[i] * live.factor + w.v[i];\n"
    "}\n";

static const char grid_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 1) in;\n"
    "layout(constant_id = 3) const uint elements = 1;\n"
    "layout(set = 0, binding = 0) writeonly buffer G { uint v[3]; } g;\n"
    "void main() { g.v[0] = elements / 64u; g.v[1] = 1u; g.v[2] = 1u; }\n";

static const char add_glsl[] = "#version 450\n"
                               "layout(local_size_x = 64) in;\n"
                               "layout(set = 0, binding = 0) readonly buffer T { uint v[]; } t;\n"
                               "layout(set = 0, binding = 1) readonly buffer A { uint v[]; } a;\n"
                               "layout(set = 0, binding = 2) buffer U { uint v[]; } u;\n"
                               "layout(push_constant) uniform Push { uint more; } push;\n"
                               "void main() {\n"
                               "    uint i = gl_GlobalInvocationID.x;\n"
                               "    u.v[i] = t.v[i] + a.v[i] + push.more;\n"
                               "}\n";

static const char sum_glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(set = 0, binding = 0) readonly buffer U { uint v[]; } u;\n"
    "layout(set = 0, binding = 1) buffer S { uint v[]; } s;\n"
    "void main() { uint i = gl_GlobalInvocationID.x; s.v[i] += u.v[i]; }\n";

enum { MORE = 1000, FILL = 7 };

typedef struct maker {
    rp_program *program;
    rp_recorder *recorder;
    rp_diags *diags;
} maker;

static rp_buffer buffer(maker *m, const char *name, rp_buffer_kind kind, uint64_t count) {
    static const uint32_t initial[2] = {GPU_COUNT, 2};
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = RP_U32,
                                     .rank = 1,
                                     .shape = {count},
                                     .initial = kind == RP_LIVE ? initial : NULL,
                                     .max_value = kind == RP_LIVE ? GPU_COUNT : 0};
    rp_buffer handle = {0};
    CU_ASSERT_EQUAL(rp_program_buffer(m->program, &params, m->diags, &handle), RP_OK);
    return handle;
}

static rp_kernel kernel(maker *m, const char *name, const char *glsl, uint32_t spec) {
    const rp_spec_constant constant = {3, spec};
    const rp_kernel_params params = {.size = sizeof params,
                                     .name = name,
                                     .glsl = glsl,
                                     .spec = &constant,
                                     .spec_count = spec ? 1 : 0};
    rp_kernel handle = {0};
    CU_ASSERT_EQUAL(rp_program_kernel(m->program, &params, m->diags, &handle), RP_OK);
    return handle;
}

static void record(maker *m) {
    rp_recorder *r = m->recorder;
    rp_buffer x = buffer(m, "x", RP_IN, GPU_COUNT), w = buffer(m, "w", RP_WEIGHT, GPU_COUNT);
    rp_buffer s = buffer(m, "s", RP_INOUT, GPU_COUNT), y = buffer(m, "y", RP_OUT, GPU_COUNT);
    rp_buffer z = buffer(m, "z", RP_OUT, 16), n = buffer(m, "n", RP_LIVE, 2);
    rp_buffer a = buffer(m, "a", RP_TMP, GPU_COUNT), t = buffer(m, "t", RP_TMP, GPU_COUNT);
    rp_buffer u = buffer(m, "u", RP_TMP, GPU_COUNT), grid = buffer(m, "grid", RP_TMP, 16);

    rp_label_begin(r, "prepare");
    rp_fill(r, (rp_range){a}, FILL);
    rp_fill(r, (rp_range){t}, 0);
    rp_fill(r, (rp_range){z}, 0);
    rp_fill(r, (rp_range){u}, 0);
    rp_bind_kernel(r, kernel(m, "grid", grid_glsl, GPU_COUNT));
    rp_bind(r, 0, (rp_range){grid, 0, 12});
    rp_dispatch(r, 1, 1, 1);
    rp_label_end(r);
    rp_bind_kernel(r, kernel(m, "scale", scale_glsl, 0));
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){w});
    rp_bind_in_set(r, 1, 0, (rp_range){n});
    rp_bind_in_set(r, 1, 2, (rp_range){t});
    rp_dispatch_live(r, "ceil_div(n, 64)", "1", "n[1] - n[1] + 1");
    rp_bind_kernel(r, kernel(m, "add", add_glsl, 0));
    rp_bind(r, 0, (rp_range){t});
    rp_bind(r, 1, (rp_range){a});
    rp_bind(r, 2, (rp_range){u});
    rp_push(r, 0, &(uint32_t){MORE}, 4);
    rp_dispatch_indirect(r, (rp_range){grid, 0, 12});
    rp_bind_kernel(r, kernel(m, "sum", sum_glsl, 0));
    rp_bind(r, 0, (rp_range){u});
    rp_bind(r, 1, (rp_range){s});
    rp_dispatch(r, GPU_COUNT / 64, 1, 1);
    rp_copy(r, (rp_range){s}, (rp_range){y});
    rp_update(r, (rp_range){y, 0, 16}, (uint32_t[]){1, 2, 3, 4}, 16);
    rp_copy(r, (rp_range){grid, 0, 12}, (rp_range){z, 0, 12});
}

rp_graph *gpu_everything(void) {
    maker m = {.diags = rp_diags_create(NULL)};
    rp_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_program_create(NULL, "everything", &m.program), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_recorder_create(m.program, &m.recorder), RP_OK);
    record(&m);
    CU_ASSERT_EQUAL(rp_program_graph(m.program, &m.recorder, 1, m.diags, &graph), RP_OK);
    if (!graph) gpu_report(m.diags);
    rp_recorder_destroy(m.recorder);
    rp_program_destroy(m.program);
    rp_diags_destroy(m.diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    return graph;
}

uint32_t gpu_expected_y(uint32_t i, uint32_t x, uint32_t w, uint32_t s, uint32_t n, uint32_t factor,
                        uint32_t replays) {
    uint32_t t = i < n ? x * factor + w : 0;
    return i < 4 ? i + 1 : s + replays * (t + FILL + MORE);
}

bool gpu_tries(rp_device *device, uint32_t number, uint32_t every) {
    const char *all = getenv("RP_ALL");
    rp_target own = RP_TARGET_INIT;
    if (rp_device_target(device, &own) != RP_OK) abort();
    return !rp_target_is_software(&own) || (all && strcmp(all, "1") == 0) || number % every == 0;
}

bool gpu_tries_middle(rp_device *device, uint32_t number) {
    return gpu_tries(device, number % 4 == 0 || number % 4 == 3, 2);
}

bool gpu_has_time(void) {
    return gpu_has_seconds(60);
}

bool gpu_has_seconds(long most) {
    static struct timespec begin;
    struct timespec now;
    const char *seconds = getenv("RP_SECONDS");
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (begin.tv_sec == 0) begin = now;
    return now.tv_sec - begin.tv_sec < (seconds ? atol(seconds) : most);
}

rp_device *gpu_open(int validation) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    const rp_device_params params = {.size = sizeof params, .validation = validation};
    CU_ASSERT_EQUAL(rp_device_create(NULL, &params, diags, &device), RP_OK);
    if (!device) gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    return device;
}

const rp_target *gpu_target_like(rp_device *device, const rp_target *from, rp_target *own) {
    rp_target has = RP_TARGET_INIT;
    if (rp_device_target(device, &has) != RP_OK) abort();
    *own = *from;
    own->needs &= has.needs;
    own->matrix_shapes &= has.matrix_shapes;
    own->subgroup = has.subgroup;
    own->subgroup_least = has.subgroup_least;
    own->subgroup_most = has.subgroup_most;
    if (own->shared_bytes > has.shared_bytes) own->shared_bytes = has.shared_bytes;
    if (own->invocations > has.invocations) own->invocations = has.invocations;
    return own;
}

rp_plan *gpu_compile(const rp_graph *graph, int level) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    /* Without pass `transfers`: the runtime's own copies and fills are to be seen at work. */
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = level == 0 ? rp_pass_level(0)
                                                            : "dce,rename,schedule,place,sync"};
    CU_ASSERT_EQUAL(rp_compile(graph, &options, diags, &plan, NULL), RP_OK);
    if (!plan) gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

rp_graph *gpu_parse(const char *text) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_graph *g = NULL;
    CU_ASSERT_EQUAL(rp_graph_parse(NULL, text, strlen(text), "program", diags, &g), RP_OK);
    if (!g) {
        gpu_report(diags);
        fprintf(stderr, "\n%s\n", text);
    }
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    return g;
}

rp_given_operand gpu_operand(rp_graph *graph, const char *operand, const char *buffer,
                             rp_buffer_kind kind, const rp_tensor *tensor) {
    rp_given_operand out = {.name = operand, .fresh = RP_NONE, .argument = {.tensor = *tensor}};
    const rp_graph_buffer made = {.name = rp_graph_intern(graph, buffer, strlen(buffer)),
                                  .kind = kind,
                                  .dtype = tensor->dtype,
                                  .rank = tensor->rank,
                                  .size = rp_tensor_bytes(tensor),
                                  .offset = RP_NOT_PLACED,
                                  .first_default = RP_NONE,
                                  .max_value = UINT32_MAX};
    out.argument.buffer = rp_graph_add_buffer(graph, &made, tensor->dims);
    return out;
}

rp_plan *gpu_try_compile_ops(const rp_graph *graph, int level, const rp_target *target,
                             rp_diags *diags) {
    rp_plan *plan = NULL;
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = level == GPU_ALL_TAGGED
                                                     ? "dce,rename,transfers,fuse,schedule,"
                                                       "flow=all,lower,place,sync"
                                                     : rp_pass_level(level),
                                     .lowering = rp_lowering_default(),
                                     .target = target};
    (void)rp_compile(graph, &options, diags, &plan, NULL);
    return plan;
}

rp_plan *gpu_compile_ops(const rp_graph *graph, int level, const rp_target *target) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = gpu_try_compile_ops(graph, level, target, diags);
    if (!plan) gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

rp_plan *gpu_pack(const rp_graph *compiled) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    const rp_certificate certificate = {.checker_version = RP_CHECKER_VERSION,
                                        .verdict = 2,
                                        .source_hash = rp_graph_hash(compiled),
                                        .compiled_hash = rp_graph_hash(compiled)};
    CU_ASSERT_EQUAL(rp_plan_build(compiled, compiled, &certificate, diags, &plan), RP_OK);
    if (!plan) gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

rp_exec *gpu_exec(rp_device *device, const rp_plan *plan, const rp_exec_params *params) {
    const rp_exec_params no_cache = {.size = sizeof no_cache, .cache_path = ""};
    rp_diags *diags = rp_diags_create(NULL);
    rp_exec *exec = NULL;
    CU_ASSERT_EQUAL(rp_exec_create(device, plan, params ? params : &no_cache, diags, &exec), RP_OK);
    if (!exec) gpu_report(diags);
    rp_diags_destroy(diags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(exec);
    return exec;
}

void gpu_check_everything(rp_exec *exec) {
    static uint32_t x[GPU_COUNT], w[GPU_COUNT], s[GPU_COUNT], y[GPU_COUNT], z[16];
    for (uint32_t i = 0; i < GPU_COUNT; i++) {
        x[i] = i * 2654435761u;
        w[i] = i ^ 0x5555;
        s[i] = i * 3;
    }
    const uint32_t live[2] = {GPU_COUNT - 100, 5};
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "x", 0, x, sizeof x, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "w", 0, w, sizeof w, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_write(exec, 0, "s", 0, s, sizeof s, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_set_live(exec, 0, "n", 0, live, 2, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_submit(exec, NULL, NULL, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_wait(exec, 0, UINT64_MAX, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "y", 0, y, sizeof y, NULL), RP_OK);
    CU_ASSERT_EQUAL(rp_exec_read(exec, 0, "z", 0, z, sizeof z, NULL), RP_OK);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < GPU_COUNT; i++)
        wrong += y[i] != gpu_expected_y(i, x[i], w[i], s[i], live[0], live[1], 1);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(z[0] == GPU_COUNT / 64 && z[1] == 1 && z[2] == 1 && z[3] == 0);
}
