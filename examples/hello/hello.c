/* Hello, Reprise: y = 2x + 1 in two dispatches, recorded once, compiled, and replayed 1000 times.
 * `hello PLAN.rplan` also saves the plan, for a program that only replays it. */
#include <reprise/compiler.h>
#include <reprise/runtime.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 4096, REPLAYS = 1000 };
static const char glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer From { float from[]; };\n"
    "layout(binding = 1) writeonly buffer To { float to[]; };\n"
    "layout(push_constant) uniform Push { float scale, offset; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x; to[i] = scale * from[i] + offset; }\n";
static rp_diags *diags;

static void check(rp_status status) {
    char line[1024];
    if (status == RP_OK) return;
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag diag = rp_diags_get(diags, i);
        rp_diag_format(&diag, line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
    fprintf(stderr, "hello: %s: %s\n", rp_status_name(status), rp_status_advice(status));
    exit(1);
}

static rp_range buffer(rp_program *program, const char *name, rp_buffer_kind kind) {
    rp_range range = {0};
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = RP_F32,
                                     .rank = 1,
                                     .shape = {COUNT}};
    check(rp_program_buffer(program, &params, diags, &range.buffer));
    return range;
}

static void affine(rp_recorder *recorder, rp_range from, rp_range to, float scale, float offset) {
    rp_bind(recorder, 0, from);
    rp_bind(recorder, 1, to);
    rp_push(recorder, 0, (float[]){scale, offset}, 2 * sizeof(float));
    rp_dispatch(recorder, COUNT / 64, 1, 1);
}

static rp_plan *compile(void) {
    rp_program *program;
    rp_recorder *recorder;
    rp_kernel kernel;
    rp_graph *graph;
    rp_plan *plan;
    check(rp_program_create(NULL, "hello", &program));
    const rp_kernel_params params = {.size = sizeof params, .name = "affine", .glsl = glsl};
    check(rp_program_kernel(program, &params, diags, &kernel));
    rp_range x = buffer(program, "x", RP_IN), y = buffer(program, "y", RP_OUT);
    rp_range twice = buffer(program, "twice", RP_TMP);
    check(rp_recorder_create(program, &recorder));
    rp_bind_kernel(recorder, kernel);
    affine(recorder, x, twice, 2, 0);
    affine(recorder, twice, y, 1, 1);
    check(rp_program_graph(program, &recorder, 1, diags, &graph));
    check(rp_compile(graph, NULL, diags, &plan, NULL));
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    rp_program_destroy(program);
    return plan;
}

int main(int argc, char **argv) {
    static float x[COUNT], y[COUNT];
    rp_device *device;
    rp_exec *exec;
    int wrong = 0;
    diags = rp_diags_create(NULL);
    rp_plan *plan = compile();
    if (argc > 1) check(rp_plan_save(plan, argv[1], diags));
    check(rp_device_create(NULL, NULL, diags, &device));
    check(rp_exec_create(device, plan, NULL, diags, &exec));
    for (int i = 0; i < COUNT; i++) x[i] = (float)i;
    check(rp_exec_write(exec, 0, "x", 0, x, sizeof x, diags));
    for (int i = 0; i < REPLAYS; i++) check(rp_exec_submit(exec, NULL, NULL, NULL));
    check(rp_exec_wait(exec, 0, UINT64_MAX, NULL));
    check(rp_exec_read(exec, 0, "y", 0, y, sizeof y, diags));
    for (int i = 0; i < COUNT; i++) wrong += y[i] != 2 * x[i] + 1;
    rp_plan_info info = {.size = sizeof info};
    check(rp_plan_get_info(plan, &info));
    rp_device_info device_info = {.size = sizeof device_info};
    check(rp_device_get_info(device, &device_info));
    printf("%d replays of %u dispatches, %u barrier, on %s: %d of %d values wrong\n", REPLAYS,
           info.dispatches, info.barriers, device_info.name, wrong, COUNT);
    rp_exec_destroy(exec);
    rp_device_destroy(device, NULL);
    rp_plan_destroy(plan);
    rp_diags_destroy(diags);
    return wrong != 0;
}
