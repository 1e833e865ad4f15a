/* The front ends without memory: recorders and YAML. The kernel is SPIR-V from tests/fuzz/kernels:
 * what the shader compiler takes for GLSL is its own. */
#include "fault.h"
#include "reprise/compiler.h"

#include <string.h>

static uint32_t words[4096];
static size_t words_size;

static void read_kernel(void) {
    FILE *file = fopen(RP_SOURCE_ROOT "/tests/fuzz/kernels/scale.spv", "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    words_size = fread(words, 1, sizeof words, file);
    fclose(file);
    CU_ASSERT_TRUE_FATAL(words_size > 20);
}

typedef struct buffers {
    rp_buffer x, t, y, count;
} buffers;

static rp_status declare(rp_program *program, buffers *b, rp_kernel *kernel) {
    static const rp_buffer_params params[] = {
        {.size = sizeof *params,
         .name = "x",
         .kind = RP_IN,
         .dtype = RP_F32,
         .rank = 2,
         .shape = {8, 8}},
        {.size = sizeof *params, .name = "t", .kind = RP_TMP, .bytes = 256},
        {.size = sizeof *params,
         .name = "y",
         .kind = RP_OUT,
         .dtype = RP_F32,
         .rank = 1,
         .shape = {64}},
        {.size = sizeof *params,
         .name = "count",
         .kind = RP_LIVE,
         .dtype = RP_U32,
         .rank = 1,
         .shape = {1},
         .initial = "\100\0\0"}};
    rp_buffer *handles[] = {&b->x, &b->t, &b->y, &b->count};
    rp_status status = RP_OK;
    for (int i = 0; i < 4 && status == RP_OK; i++)
        status = rp_program_buffer(program, &params[i], NULL, handles[i]);
    rp_spec_constant width = {3, 32};
    rp_kernel_params kernel_params = {.size = sizeof kernel_params,
                                      .name = "scale",
                                      .spirv = words,
                                      .spirv_size = words_size,
                                      .spec = &width,
                                      .spec_count = 1};
    if (status == RP_OK) status = rp_program_kernel(program, &kernel_params, NULL, kernel);
    return status;
}

static void record(rp_recorder *r, const buffers *b, rp_kernel kernel) {
    rp_fill(r, (rp_range){b->t, 0, 0}, 0); /* else a warning: it may get lost without memory */
    rp_label_begin(r, "layer");
    rp_label_begin(r, "scale");
    rp_bind_kernel(r, kernel);
    rp_bind(r, 0, (rp_range){b->x, 0, 0});
    rp_bind(r, 1, (rp_range){b->t, 0, 0});
    rp_bind_in_set(r, 1, 0, (rp_range){b->count, 0, 0});
    rp_bind_access(r, 0, 1, RP_READ_WRITE);
    rp_push(r, 0, (uint32_t[]){64, 0x3f000000}, 8);
    rp_op_tag(r, "scale");
    rp_push_live(r, 0, (rp_range){b->count, 0, 4});
    rp_optional_begin(r);
    rp_dispatch_live(r, "ceil_div(count, 32)", "1", "1");
    rp_optional_end(r);
    rp_label_end(r);
    rp_label_end(r);
    rp_fence(r);
    rp_fill(r, (rp_range){b->y, 0, 0}, 7);
    rp_update(r, (rp_range){b->y, 128, 16}, "0123456789abcdef", 16);
    rp_copy(r, (rp_range){b->t, 0, 64}, (rp_range){b->y, 192, 64});
}

static rp_status record_graph(const rp_allocator *allocator, void *context) {
    (void)context;
    rp_program *program = NULL;
    rp_recorder *recorders[2] = {NULL, NULL};
    rp_graph *graph = NULL;
    rp_kernel kernel = {0};
    buffers b = {0};
    rp_status status = rp_program_create(allocator, "recorded", &program);
    if (status == RP_OK) status = declare(program, &b, &kernel);
    for (int i = 0; i < 2 && status == RP_OK; i++) {
        status = rp_recorder_create(program, &recorders[i]);
        if (status == RP_OK) record(recorders[i], &b, kernel);
    }
    if (status == RP_OK) status = rp_program_graph(program, recorders, 2, NULL, &graph);
    CU_ASSERT_EQUAL(graph != NULL, status == RP_OK);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorders[0]);
    rp_recorder_destroy(recorders[1]);
    rp_program_destroy(program);
    return status;
}

static void test_recorder(void) {
    read_kernel();
    fault_each(record_graph, NULL);
}

/* GLSL with an include, a prelude and a definition that gives way. */
static rp_status compile_glsl(const rp_allocator *allocator, void *context) {
    static const char *const defines[] = {"SIZE=8", "F(a)=(a)"};
    const char *const folder = context;
    const rp_kernel_params params = {
        .size = sizeof params,
        .name = "k",
        .glsl = "#version 450\n#define F(a) 2\n#include <common/local.glsl>\n"
                "layout(binding = 0) buffer B { int b[]; };\nvoid main() { b[0] = F(PRE); }\n",
        .defines = defines,
        .define_count = 2,
        .include_folders = &folder,
        .include_folder_count = 1,
        .prelude = "#define PRE 3\n"};
    rp_program *program = NULL;
    rp_kernel kernel;
    rp_status status = rp_program_create(allocator, "glsl", &program);
    if (status == RP_OK) status = rp_program_kernel(program, &params, NULL, &kernel);
    rp_program_destroy(program);
    return status;
}

static void test_glsl(void) {
    fault_each(compile_glsl, RP_SOURCE_ROOT "/tests/unit/data");
}

static rp_status load(const rp_allocator *allocator, void *context) {
    rp_pipeline *pipeline = NULL;
    rp_param_value n = {"n", 960};
    const rp_pipeline_source source = {
        .size = sizeof source, .path = context, .params = &n, .param_count = 1, .keep_flat = 1};
    rp_status status = rp_pipeline_read(allocator, &source, NULL, &pipeline);
    CU_ASSERT_EQUAL(rp_pipeline_flat_text(pipeline) != NULL, status == RP_OK);
    CU_ASSERT_EQUAL(pipeline != NULL, status == RP_OK);
    rp_pipeline_destroy(pipeline);
    return status;
}

static void test_yaml(void) {
    fault_each(load, RP_SOURCE_ROOT "/tests/fault/pipeline.yaml");
    fault_each(load, RP_SOURCE_ROOT "/tests/fault/blocks.yaml");
}

/* Ranges: read, compiled and joined for each form, opened and proven again. */
static rp_status compile_forms(const rp_allocator *allocator, void *context) {
    const char *text = context;
    const rp_graph *graphs[RP_MAX_FORMS];
    rp_pipeline *pipeline = NULL;
    rp_plan *plan = NULL, *again = NULL;
    size_t size;
    rp_status status =
        rp_pipeline_parse(allocator, text, strlen(text), "f", NULL, 0, NULL, &pipeline);
    uint32_t count = rp_pipeline_form_count(pipeline);
    for (uint32_t i = 0; i < count; i++) graphs[i] = rp_pipeline_form(pipeline, i);
    const rp_pass_options options = {.size = sizeof options, .pipeline = rp_pass_level(0)};
    if (status == RP_OK) status = rp_compile_forms(graphs, count, &options, NULL, &plan, NULL);
    const void *data = rp_plan_data(plan, &size);
    if (status == RP_OK) status = rp_plan_from_memory(allocator, data, size, "f", NULL, &again);
    if (status == RP_OK) status = rp_plan_check(again, NULL, NULL, NULL);
    CU_ASSERT_EQUAL(rp_plan_form_count(again) == 6, again != NULL);
    rp_plan_destroy(again);
    rp_plan_destroy(plan);
    rp_pipeline_destroy(pipeline);
    return status;
}

static rp_status record_forms(const rp_allocator *allocator, void *context) {
    (void)context;
    rp_program *program = NULL;
    rp_recorder *recorder = NULL;
    rp_graph *graph = NULL;
    rp_buffer n, x, y;
    static const uint32_t ranges[] = {2, 4};
    const rp_buffer_params live = {.size = sizeof live,
                                   .name = "n",
                                   .kind = RP_LIVE,
                                   .dtype = RP_U32,
                                   .rank = 1,
                                   .shape = {1},
                                   .initial = "\3\0\0",
                                   .max_value = 8,
                                   .ranges = ranges,
                                   .range_count = 2};
    rp_buffer_params sized = {
        .size = sizeof sized, .name = "x", .kind = RP_IN, .dtype = RP_F32, .rank = 1};
    rp_status status = rp_program_create(allocator, "forms", &program);
    if (status == RP_OK) status = rp_program_buffer(program, &live, NULL, &n);
    if (status == RP_OK) status = rp_program_extent(program, "n", NULL, &sized.shape[0]);
    if (status == RP_OK) status = rp_program_buffer(program, &sized, NULL, &x);
    sized.name = "y";
    sized.kind = RP_OUT;
    if (status == RP_OK) status = rp_program_buffer(program, &sized, NULL, &y);
    if (status == RP_OK) status = rp_recorder_create(program, &recorder);
    if (status == RP_OK) rp_copy(recorder, (rp_range){.buffer = x}, (rp_range){.buffer = y});
    if (status == RP_OK) status = rp_program_form(program, &recorder, 1, 0, NULL, &graph);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    rp_program_destroy(program);
    return status;
}

static void test_forms(void) {
    static const char text[] =
        "reprise: 1\nlive: {n: {max: 8, ranges: [2, 4], default: 3}, m: {max: 3, ranges: [2]}}\n"
        "buffers: {x: {kind: in, dtype: f32, shape: [n, m]}, y: {kind: out, dtype: f32, shape: [n, "
        "m]}}\n"
        "nodes: [{copy: {from: x, to: y}}]\n";
    fault_each(compile_forms, (void *)text);
    fault_each(record_forms, NULL);
}

int main(void) {
    static const rp_test tests[] = {{"recorder", test_recorder},
                                    {"GLSL", test_glsl},
                                    {"YAML", test_yaml},
                                    {"forms", test_forms},
                                    {0}};
    return rp_run_tests("front ends without memory", tests);
}
