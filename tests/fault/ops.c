/* Ops without memory: from YAML, from C, their documentation, and files of weights. */
#include "fault.h"
#include <string.h>

#include "reprise/compiler.h"
#include "reprise/weights.h"

static rp_status load(const rp_allocator *allocator, void *context) {
    rp_pipeline *pipeline = NULL;
    rp_status status = rp_pipeline_load(allocator, context, NULL, 0, NULL, &pipeline);
    CU_ASSERT_EQUAL(pipeline != NULL, status == RP_OK);
    rp_pipeline_destroy(pipeline);
    return status;
}

static void test_yaml(void) {
    fault_each(load, RP_SOURCE_ROOT "/tests/fault/ops.yaml");
}

static rp_status declare(rp_program *program, rp_buffer *x, rp_buffer *w, rp_buffer *y) {
    static const rp_buffer_params params[] = {{.size = sizeof *params,
                                               .name = "x",
                                               .kind = RP_IN,
                                               .dtype = RP_F32,
                                               .rank = 2,
                                               .shape = {4, 8}},
                                              {.size = sizeof *params,
                                               .name = "w",
                                               .kind = RP_WEIGHT,
                                               .dtype = RP_F32,
                                               .rank = 2,
                                               .shape = {8, 8}},
                                              {.size = sizeof *params,
                                               .name = "y",
                                               .kind = RP_OUT,
                                               .dtype = RP_F32,
                                               .rank = 2,
                                               .shape = {4, 8}}};
    rp_buffer *out[] = {x, w, y};
    rp_status status = RP_OK;
    for (int i = 0; i < 3 && status == RP_OK; i++)
        status = rp_program_buffer(program, &params[i], NULL, out[i]);
    return status;
}

static void record(rp_recorder *r, rp_buffer x, rp_buffer w, rp_buffer y) {
    rp_operand linear[] = {{.name = "x", .range = {.buffer = x}},
                           {.name = "weight", .range = {.buffer = w}},
                           {.name = "bias", .range = {x, 0, 32}},
                           {.name = "out", .range = {.buffer = y}}};
    rp_operand map[] = {
        {.name = "in", .range = {.buffer = x}},
        {.name = "out", .range = {.buffer = y}, .dtype = RP_F32, .rank = 2, .shape = {4, 8}}};
    rp_attribute formula = {.name = "expr", .text = "tanh(in) * 0.5"};
    rp_apply(r, "linear", linear, 4, NULL, 0);
    rp_apply(r, "map", map, 2, &formula, 1);
}

/* Composites with lists, transients that are seen in other shapes, and chains. */
static void record_grids(rp_recorder *r, rp_buffer x, rp_buffer w, rp_buffer y) {
    rp_operand conv[] = {
        {.name = "x", .range = {.buffer = x}, .dtype = RP_F32, .rank = 4, .shape = {4, 2, 2, 2}},
        {.name = "weight",
         .range = {.buffer = w},
         .dtype = RP_F32,
         .rank = 4,
         .shape = {8, 2, 2, 2}},
        {.name = "bias", .range = {x, 0, 32}},
        {.name = "out", .range = {.buffer = y}, .dtype = RP_F32, .rank = 4, .shape = {4, 8, 1, 1}}};
    rp_operand pad[] = {
        {.name = "x", .range = {w, 0, 36}, .dtype = RP_F32, .rank = 2, .shape = {3, 3}},
        {.name = "out", .range = {.buffer = y}, .dtype = RP_F32, .rank = 2, .shape = {4, 8}}};
    rp_attribute attrs[] = {{.name = "strides", .text = "2, 1"},
                            {.name = "pads", .text = "[0, 0, 0, 0]"},
                            {.name = "dilations", .number = 1}};
    rp_attribute pads = {.name = "pads", .text = "1,2,0,3"};
    rp_apply(r, "conv2d", conv, 4, attrs, 3);
    rp_apply(r, "pad", pad, 2, &pads, 1);
    rp_operand sums[] = {
        {.name = "a", .range = {x, 0, 64}, .dtype = RP_F32, .rank = 3, .shape = {4, 2, 2}},
        {.name = "b", .range = {w, 0, 16}, .dtype = RP_F32, .rank = 2, .shape = {2, 2}},
        {.name = "c", .range = {w, 64, 128}, .dtype = RP_F32, .rank = 3, .shape = {8, 2, 2}},
        {.name = "out", .range = {.buffer = y}, .dtype = RP_F32, .rank = 2, .shape = {4, 8}}};
    rp_attribute equation = {.name = "equation", .text = "ijj,jk,lkj->il"};
    rp_apply(r, "einsum", sums, 4, &equation, 1);
}

static rp_status apply(const rp_allocator *allocator, void *context) {
    (void)context;
    rp_program *program = NULL;
    rp_recorder *recorder = NULL;
    rp_graph *graph = NULL;
    rp_buffer x, w, y;
    rp_status status = rp_program_create(allocator, "ops", &program);
    if (status == RP_OK) status = declare(program, &x, &w, &y);
    if (status == RP_OK) status = rp_recorder_create(program, &recorder);
    if (status == RP_OK) {
        record(recorder, x, w, y);
        record_grids(recorder, x, w, y);
        status = rp_program_graph(program, &recorder, 1, NULL, &graph);
    }
    CU_ASSERT_EQUAL(graph != NULL, status == RP_OK);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    rp_program_destroy(program);
    return status;
}

static void test_recorder(void) {
    fault_each(apply, NULL);
}

static rp_status document(const rp_allocator *allocator, void *context) {
    char *text = NULL;
    rp_status status = rp_kernel_doc(allocator, context, &text);
    CU_ASSERT_EQUAL(text != NULL, status == RP_OK);
    rp_op_doc_release(allocator, text);
    return status;
}

static void test_documentation(void) {
    fault_each(document, "knn");
    fault_each(document, "matvec");
}

static rp_status choose(const rp_allocator *allocator, void *context) {
    const rp_kernel_given given[] = {{"a", "f16[64,4096]"}, {"b", "f16[4096,256]"}};
    char *text = NULL;
    rp_status status = rp_kernel_choice(allocator, "matmul", given, context ? 2 : 0,
                                        rp_target_builtin("h200"), NULL, &text);
    CU_ASSERT_EQUAL(text != NULL, status == RP_OK);
    rp_op_doc_release(allocator, text);
    return status;
}

static void test_choice(void) {
    fault_each(choose, "call");
    fault_each(choose, NULL);
}

/* Types that follow a live value, and the place that a call has. */
static rp_status infer_and_place(const rp_allocator *allocator, void *context) {
    (void)context;
    const rp_buffer_params n = {.size = sizeof n,
                                .name = "n",
                                .kind = RP_LIVE,
                                .dtype = RP_U32,
                                .rank = 1,
                                .shape = {1},
                                .max_value = 9};
    rp_buffer_params x = {
        .size = sizeof x, .name = "x", .kind = RP_IN, .dtype = RP_F32, .rank = 2, .shape = {0, 4}};
    rp_program *program = NULL;
    rp_recorder *r = NULL;
    rp_graph *graph = NULL;
    rp_buffer live, in, out;
    rp_status status = rp_program_create(allocator, "p", &program);
    if (status == RP_OK) status = rp_program_buffer(program, &n, NULL, &live);
    if (status == RP_OK) status = rp_program_extent(program, "n", NULL, &x.shape[0]);
    if (status == RP_OK) status = rp_program_buffer(program, &x, NULL, &in);
    rp_operand operands[] = {{.name = "x", .range = {.buffer = in}}, {.name = "out"}};
    if (status == RP_OK) status = rp_program_infer(program, "rms_norm", operands, 2, NULL, 0, NULL);
    if (status == RP_OK) {
        x = (rp_buffer_params){.size = sizeof x, .name = "y", .kind = RP_OUT};
        x.dtype = operands[1].dtype;
        x.rank = operands[1].rank;
        memcpy(x.shape, operands[1].shape, sizeof x.shape);
        status = rp_program_buffer(program, &x, NULL, &out);
    }
    if (status == RP_OK) status = rp_recorder_create(program, &r);
    if (status == RP_OK) {
        operands[1] = (rp_operand){.name = "out", .range = {.buffer = out}};
        rp_source_line(r, "model.py", 7, 5);
        rp_apply(r, "rms_norm", operands, 2, NULL, 0);
        rp_source_line(r, "layers.py", 8, 1);
        status = rp_program_graph(program, &r, 1, NULL, &graph);
    }
    rp_graph_destroy(graph);
    rp_recorder_destroy(r);
    rp_program_destroy(program);
    return status;
}

static void test_infer(void) {
    fault_each(infer_and_place, NULL);
}

static rp_status open_weights(const rp_allocator *allocator, void *context) {
    static const char file[] = "\111\0\0\0\0\0\0\0"
                               "{\"a\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}"
                               ",\"__metadata__\":{}}0123";
    (void)context;
    rp_weights *w = NULL;
    rp_status status = rp_weights_from_memory(allocator, file, sizeof file - 1, NULL, NULL, &w);
    CU_ASSERT_EQUAL(w != NULL, status == RP_OK);
    rp_weights_close(w);
    return status;
}

static rp_status open_npy(const rp_allocator *allocator, void *context) {
    static const char file[] =
        "\x93NUMPY\1\0\063\0{'descr':'<f4','fortran_order':False,'shape':(1,)} 0123";
    (void)context;
    rp_weights *w = NULL;
    rp_status status = rp_weights_from_memory(allocator, file, sizeof file - 1, "a.npy", NULL, &w);
    CU_ASSERT_EQUAL(w != NULL, status == RP_OK);
    rp_weights_close(w);
    return status;
}

static void test_weights(void) {
    fault_each(open_weights, NULL);
    fault_each(open_npy, NULL);
}

int main(void) {
    static const rp_test tests[] = {{"YAML", test_yaml},
                                    {"recorder", test_recorder},
                                    {"documentation", test_documentation},
                                    {"the choice of kernels", test_choice},
                                    {"types of outputs", test_infer},
                                    {"weights", test_weights},
                                    {0}};
    return rp_run_tests("ops without memory", tests);
}
