/* A user of both libraries: compiles a plan from C and saves it. */
#include <reprise/compiler.h>
#include <stdio.h>

static const char glsl[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer X { float x[]; };\n"
    "layout(binding = 1) writeonly buffer Y { float y[]; };\n"
    "void main() { y[gl_GlobalInvocationID.x] = x[gl_GlobalInvocationID.x]; }\n";

static int save(const char *path, rp_program *program, rp_diags *diags) {
    rp_buffer_params x_params = {.size = sizeof x_params,
                                 .name = "x",
                                 .kind = RP_IN,
                                 .dtype = RP_F32,
                                 .rank = 1,
                                 .shape = {256}};
    rp_buffer_params y_params = {.size = sizeof y_params,
                                 .name = "y",
                                 .kind = RP_OUT,
                                 .dtype = RP_F32,
                                 .rank = 1,
                                 .shape = {256}};
    rp_kernel_params kernel_params = {.size = sizeof kernel_params, .name = "copy", .glsl = glsl};
    rp_buffer x, y;
    rp_kernel kernel;
    rp_recorder *recorder = NULL;
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    int failed = rp_program_buffer(program, &x_params, diags, &x) != RP_OK ||
                 rp_program_buffer(program, &y_params, diags, &y) != RP_OK ||
                 rp_program_kernel(program, &kernel_params, diags, &kernel) != RP_OK ||
                 rp_recorder_create(program, &recorder) != RP_OK;
    if (!failed) {
        rp_bind_kernel(recorder, kernel);
        rp_bind(recorder, 0, (rp_range){.buffer = x});
        rp_bind(recorder, 1, (rp_range){.buffer = y});
        rp_dispatch(recorder, 4, 1, 1);
        failed = rp_program_graph(program, &recorder, 1, diags, &graph) != RP_OK ||
                 rp_compile(graph, NULL, diags, &plan, NULL) != RP_OK ||
                 rp_plan_save(plan, path, diags) != RP_OK;
    }
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    return failed;
}

int main(int argc, char **argv) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_program *program = NULL;
    if (argc != 2 || rp_program_create(NULL, "consumer", &program) != RP_OK) return 2;
    int failed = save(argv[1], program, diags);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "%s\n", rp_diags_get(diags, i).message);
    rp_program_destroy(program);
    rp_diags_destroy(diags);
    return failed;
}
