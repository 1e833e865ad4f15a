/* YAML pipelines through the public functions: wrong calls, files and folders, data, parameters,
 * memory that runs out at every allocation, and the rounding of halves. What pipelines mean and
 * which messages they give is in tests/golden/yaml. */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "yaml/pipeline.h"

#define SHADERS RP_SOURCE_ROOT "/tests/golden/yaml/shaders/"

/* One of everything that allocates, with SPIR-V, so that no time goes into compiling. */
static const char everything[] =
    "reprise: 1\n"
    "name: everything\n"
    "params: {n: 64, m: n * 2}\n"
    "live: {count: {default: [1, 2], max: 8}}\n"
    "buffers:\n"
    "  x: {kind: in, dtype: u32, shape: [n], data: x.npy}\n"
    "  y: {kind: out, dtype: u32, shape: [m], data: }\n"
    "kernels:\n"
    "  plain: {spirv: " SHADERS "plain.spv}\n"
    "nodes:\n"
    "  - {fill: {to: y, value: m}, label: a/b}\n"
    "  - {run: plain, bind: {0: y}, threads: 'count[1] * n', tag: plain}\n"
    "  - {update: {to: y, data: [1, 2, n]}}\n"
    "  - {copy: {from: x, to: {buffer: y, rows: [n, n]}}}\n"
    "  - fence\n";

/* The text above without the line that is wrong on purpose. */
static char *good_text(void) {
    char *text = strdup(everything), *at = strstr(text, ", data: }");
    memmove(at, at + 8, strlen(at + 8) + 1);
    return text;
}

static void test_wrong_calls(void) {
    rp_pipeline *pipeline = (rp_pipeline *)1;
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, "", 0, NULL, NULL, 0, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, NULL, 5, NULL, NULL, 0, NULL, &pipeline),
                    RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(pipeline);
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, "a", 1, NULL, NULL, 1, NULL, &pipeline),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, NULL, 0, NULL, NULL, 0, NULL, &pipeline),
                    RP_ERROR_INVALID);
    CU_ASSERT_EQUAL(rp_pipeline_load(NULL, NULL, NULL, 0, NULL, &pipeline), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_pipeline_load(NULL, "x", NULL, 0, NULL, NULL), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_pipeline_read(NULL, NULL, NULL, &pipeline), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_pipeline_read(NULL,
                                     &(rp_pipeline_source){.size = sizeof(rp_pipeline_source)},
                                     NULL, &pipeline),
                    RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(
        rp_pipeline_read(NULL,
                         &(rp_pipeline_source){.size = sizeof(rp_pipeline_source), .path = "x"},
                         NULL, NULL),
        RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(
        rp_pipeline_read(
            NULL,
            &(rp_pipeline_source){.size = sizeof(rp_pipeline_source), .path = "x", .text_size = 5},
            NULL, &pipeline),
        RP_ERROR_USAGE);
    rp_pipeline_destroy(NULL);
    CU_ASSERT_PTR_NULL(rp_pipeline_graph(NULL));
    CU_ASSERT_EQUAL(rp_pipeline_data_count(NULL), 0);
    CU_ASSERT_PTR_NULL(rp_pipeline_get_data(NULL, 0));
}

static void test_data(void) {
    char *text = good_text();
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL_FATAL(
        rp_pipeline_parse(NULL, text, strlen(text), "some/folder/p.yaml", NULL, 0, NULL, &pipeline),
        RP_OK);
    CU_ASSERT_EQUAL(rp_pipeline_data_count(pipeline), 1);
    memset(text, 'z', strlen(text)); /* the pipeline keeps no pointer into the text */
    const rp_pipeline_data *data = rp_pipeline_get_data(pipeline, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    CU_ASSERT_STRING_EQUAL(data->buffer, "x");
    CU_ASSERT_STRING_EQUAL(data->path, "some/folder/x.npy");
    CU_ASSERT_EQUAL(data->line, 6);
    CU_ASSERT_EQUAL(data->column, 47);
    CU_ASSERT_PTR_NULL(rp_pipeline_get_data(pipeline, 1));
    CU_ASSERT_PTR_NOT_NULL(rp_pipeline_graph(pipeline));
    rp_pipeline_destroy(pipeline);
    free(text);
}

static void test_params(void) {
    char *text = good_text();
    rp_param_value sets[] = {{"n", 3}, {"n", 32}}; /* the last one counts */
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL_FATAL(
        rp_pipeline_parse(NULL, text, strlen(text), NULL, sets, 2, NULL, &pipeline), RP_OK);
    const rp_graph *graph = rp_pipeline_graph(pipeline);
    CU_ASSERT_EQUAL(graph->buffers[rp_graph_find_buffer(graph, "x")].size, 128);
    CU_ASSERT_EQUAL(graph->buffers[rp_graph_find_buffer(graph, "y")].size, 256);
    rp_pipeline_destroy(pipeline);
    rp_param_value written[] = {{.name = "n", .value = 1, .text = "4 * 8"}};
    CU_ASSERT_EQUAL_FATAL(
        rp_pipeline_parse(NULL, text, strlen(text), NULL, written, 1, NULL, &pipeline), RP_OK);
    graph = rp_pipeline_graph(pipeline);
    CU_ASSERT_EQUAL(graph->buffers[rp_graph_find_buffer(graph, "x")].size, 128);
    rp_pipeline_destroy(pipeline);
    written[0].text = "";
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, text, strlen(text), NULL, written, 1, NULL, &pipeline),
                    RP_ERROR_INVALID);
    sets[0].name = NULL;
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, text, strlen(text), NULL, sets, 2, NULL, &pipeline),
                    RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(pipeline);
    free(text);
}

/* A chain of parameters is fine in order, however long; in reverse it must not use up the stack. */
static void test_long_chain(void) {
    enum { COUNT = 20000 };
    char *text = malloc(COUNT * 40);
    int n = sprintf(text, "reprise: 1\nnodes: [fence]\nparams:\n  p0: 1\n");
    for (int i = 1; i < COUNT; i++) n += sprintf(text + n, "  p%d: p%d + 1\n", i, i - 1);
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, text, (size_t)n, NULL, NULL, 0, NULL, &pipeline),
                    RP_OK);
    rp_pipeline_destroy(pipeline);
    n = sprintf(text, "reprise: 1\nnodes: [fence]\nparams:\n");
    for (int i = 1; i < COUNT; i++) n += sprintf(text + n, "  p%d: p%d + 1\n", i, i + 1);
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, text, (size_t)n, NULL, NULL, 0, NULL, &pipeline),
                    RP_ERROR_INVALID);
    free(text);
}

/* What is short and would become huge, or deep, ends in a message. */
static void expect_refusal(const char *text, const char *expected) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, text, strlen(text), NULL, NULL, 0, diags, &pipeline),
                    RP_ERROR_INVALID);
    CU_ASSERT_PTR_NULL(pipeline);
    CU_ASSERT_TRUE_FATAL(rp_diags_count(diags) > 0);
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 0).message, expected);
    rp_diags_destroy(diags);
}

static void test_hostile(void) {
    enum { BYTES = 1 << 17 };
    char *text = malloc(BYTES);
    /* Ten uses in each block of the next: 10^12 in all. */
    int n = sprintf(text, "reprise: 1\nblocks:\n");
    for (int i = 0; i < 12; i++) {
        n += sprintf(text + n, "  b%d: {nodes: [", i);
        for (int k = 0; k < 10; k++) n += sprintf(text + n, "{use: b%d}, ", i + 1);
        n += sprintf(text + n, "]}\n");
    }
    sprintf(text + n, "  b12: {nodes: []}\nnodes: [{use: b0}]\n");
    expect_refusal(text, "repetitions and blocks make more than 4194304 values");
    /* A text that doubles in each block. */
    n = sprintf(text, "reprise: 1\nblocks:\n");
    for (int i = 0; i < 30; i++)
        n += sprintf(text + n, "  b%d: {params: {x: }, nodes: [{use: b%d, x: \"{x}{x}\"}]}\n", i,
                     i + 1);
    sprintf(text + n, "  b30: {params: {x: }, nodes: []}\nnodes: [{use: b0, x: text}]\n");
    expect_refusal(text, "the text becomes longer than 65536 bytes");
    /* Blocks in blocks. */
    n = sprintf(text, "reprise: 1\nblocks:\n");
    for (int i = 0; i < 40; i++) n += sprintf(text + n, "  b%d: {nodes: [{use: b%d}]}\n", i, i + 1);
    sprintf(text + n, "  b40: {nodes: []}\nnodes: [{use: b0}]\n");
    expect_refusal(text, "blocks use blocks more than 32 deep");
    /* A long text with an index in it, a million times. */
    n = sprintf(text, "reprise: 1\nnodes:\n  - {repeat: {i: 1000000}, label: \"{i}");
    memset(text + n, 'x', 50000);
    sprintf(text + n + 50000, "\", copy: {}}\n");
    expect_refusal(text, "repetitions and blocks make more than 67108864 bytes of text");
    free(text);
}

static void test_files(void) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL(rp_pipeline_load(NULL, "/nonexistent/p.yaml", NULL, 0, diags, &pipeline),
                    RP_ERROR_IO);
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 0).message,
                           "cannot read the file: No such file or directory");
    CU_ASSERT_EQUAL(rp_pipeline_load(NULL, "/", NULL, 0, diags, &pipeline), RP_ERROR_IO);
    CU_ASSERT_PTR_NULL(pipeline);
    rp_diags_destroy(diags);

    /* What a pipeline includes is among its files, once. */
    CU_ASSERT_EQUAL(rp_pipeline_load(NULL, RP_SOURCE_ROOT "/tests/golden/yaml/good/include.yaml",
                                     NULL, 0, NULL, &pipeline),
                    RP_OK);
    CU_ASSERT_EQUAL(rp_pipeline_file_count(pipeline), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_pipeline_get_file(pipeline, 0), "parts/layers.yaml"));
    CU_ASSERT_PTR_NULL(rp_pipeline_flat_text(pipeline));
    rp_pipeline_destroy(pipeline);

    /* A kernel is found beside the pipeline, wherever the process stands. */
    CU_ASSERT_EQUAL(rp_pipeline_load(NULL, RP_SOURCE_ROOT "/tests/golden/yaml/good/spirv.yaml",
                                     NULL, 0, NULL, &pipeline),
                    RP_OK);
    CU_ASSERT_PTR_NOT_NULL(pipeline);
    rp_pipeline_destroy(pipeline);
}

/* ---- The manual ------------------------------------------------------------------------------ */

/* The text of the first fenced block of a language, allocated. */
static char *fenced(const char *manual, const char *fence) {
    const char *begin = strstr(manual, fence);
    const char *end = begin ? strstr(begin + 3, "```") : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    begin += strlen(fence);
    return strndup(begin, (size_t)(end - begin));
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fputs(text, file) >= 0);
    fclose(file);
}

/* The example that docs/yaml.md opens with works as it stands. */
static void test_manual(void) {
    char folder[] = "/tmp/reprise-yaml-XXXXXX", yaml_path[64], glsl_path[64], why[256], *manual;
    uint32_t size;
    rp_allocator a = rp_allocator_or_default(NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL_FATAL(
        rp_file_read(&a, RP_SOURCE_ROOT "/docs/yaml.md", 1 << 20, &manual, &size, why), RP_OK);
    char *yaml = fenced(manual, "```yaml\n"), *glsl = fenced(manual, "```glsl\n");
    snprintf(yaml_path, sizeof yaml_path, "%s/p.yaml", folder);
    snprintf(glsl_path, sizeof glsl_path, "%s/scale.comp", folder);
    write_file(yaml_path, yaml);
    write_file(glsl_path, glsl);
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL(rp_pipeline_load(NULL, yaml_path, NULL, 0, diags, &pipeline), RP_OK);
    CU_ASSERT_EQUAL(rp_diags_count(diags), 0);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    CU_ASSERT_TRUE(!remove(yaml_path) && !remove(glsl_path) && !rmdir(folder));
    free(yaml);
    free(glsl);
    free(manual);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

typedef struct counter {
    unsigned calls, fail_at; /* 0: never */
    long blocks;
} counter;

static void *counting_resize(void *user, void *block, size_t size) {
    counter *c = user;
    if (++c->calls == c->fail_at) return NULL;
    void *result = realloc(block, size);
    if (result && !block) c->blocks++;
    return result;
}

static void counting_release(void *user, void *block) {
    counter *c = user;
    if (block) c->blocks--;
    free(block);
}

static void run_out_of_memory(const char *text, rp_status expected) {
    counter c = {0};
    rp_allocator allocator = {counting_resize, counting_release, &c};
    rp_pipeline *pipeline = NULL;
    rp_status status =
        rp_pipeline_parse(&allocator, text, strlen(text), "p.yaml", NULL, 0, NULL, &pipeline);
    CU_ASSERT_EQUAL(status, expected);
    rp_pipeline_destroy(pipeline);
    CU_ASSERT_EQUAL(c.blocks, 0);
    unsigned calls = c.calls, wrong = 0;
    CU_ASSERT_TRUE(calls > 20);
    for (unsigned i = 1; i <= calls; i++) {
        c = (counter){.fail_at = i};
        status =
            rp_pipeline_parse(&allocator, text, strlen(text), "p.yaml", NULL, 0, NULL, &pipeline);
        /* Where the input is wrong as well, either answer is true. */
        wrong += status != RP_ERROR_NO_MEMORY && (expected == RP_OK || status != expected);
        wrong += pipeline != NULL || c.blocks != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_no_memory(void) {
    char *text = good_text();
    run_out_of_memory(text, RP_OK);
    run_out_of_memory(everything, RP_ERROR_INVALID); /* `data:` of nothing */
    free(text);
}

/* ---- Halves ---------------------------------------------------------------------------------- */

#ifdef __FLT16_MANT_DIG__
/* Every half, the points between neighbours and the values next to them, against the compiler's own
 * conversion. */
static void test_halves(void) {
    rp_reader reader = {.a = rp_allocator_or_default(NULL)};
    unsigned wrong = 0;
    for (uint32_t bits = 0; bits < 0x7bff; bits++) {
        _Float16 low, high;
        memcpy(&low, &(uint16_t){(uint16_t)bits}, 2);
        memcpy(&high, &(uint16_t){(uint16_t)(bits + 1)}, 2);
        double middle = ((double)low + (double)high) / 2;
        double values[] = {(double)low, middle, middle * (1 - 1e-13), -middle * (1 + 1e-13)};
        for (int i = 0; i < 4; i++) {
            char text[64];
            uint8_t out[8];
            int length = snprintf(text, sizeof text, "%.17g", values[i]);
            rp_yaml_node node = {.kind = RP_YAML_SCALAR, .text = text, .length = (uint32_t)length};
            _Float16 expected = (_Float16)values[i];
            wrong += !rp_read_number(&reader, &node, RP_F16, out) || memcmp(out, &expected, 2) != 0;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}
#else
static void test_halves(void) {}
#endif

/* Kernels are built on several threads: what comes out must not tell. Every third one is wrong. */
static void test_many_kernels(void) {
    enum { COUNT = 30 };
    char text[COUNT * 160 + 64];
    int n = sprintf(text, "reprise: 1\nnodes: [fence]\nkernels:\n");
    for (int i = 0; i < COUNT; i++)
        n += sprintf(text + n, "  k%d: {%s: %s%s}\n", i, i % 3 ? "glsl" : "spirv", SHADERS,
                     i % 3 == 2 ? "bad.comp"
                     : i % 3    ? "plain.comp"
                                : "plain.spv");
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    CU_ASSERT_EQUAL(rp_pipeline_parse(NULL, text, (size_t)n, "p.yaml", NULL, 0, diags, &pipeline),
                    RP_ERROR_INVALID);
    uint32_t expected = 4 + 2; /* line of the first wrong one */
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        rp_diag d = rp_diags_get(diags, i);
        if (d.severity != RP_NOTE) continue;
        CU_ASSERT_EQUAL(d.line, expected);
        expected += 3;
    }
    CU_ASSERT_EQUAL(expected, 4 + 2 + COUNT);
    rp_diags_destroy(diags);
}

int main(void) {
    static const rp_test tests[] = {
        {"wrong calls", test_wrong_calls},
        {"data", test_data},
        {"params", test_params},
        {"long chain", test_long_chain},
        {"hostile", test_hostile},
        {"files", test_files},
        {"manual", test_manual},
        {"no memory", test_no_memory},
        {"halves", test_halves},
        {"many kernels", test_many_kernels},
        {NULL, NULL},
    };
    return rp_run_tests("yaml_pipeline", tests);
}
