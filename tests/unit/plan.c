/* Plans: building, saving, opening, looking at them, and getting the graphs back. */
#include "plan_sample.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "plan/format.h"
#include "support/plan_info.h"

/* A folder for one test; removed with what is in it. */
static char folder[64];

static void make_folder(void) {
    strcpy(folder, "/tmp/reprise-plan-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static const char *in_folder(const char *name) {
    static char path[2][320];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* Removes the folder; returns how many files were in it. */
static int remove_folder(void) {
    int count = 0;
    DIR *list = opendir(folder);
    struct dirent *entry;
    while (list && (entry = readdir(list))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (remove(in_folder(entry->d_name)) == 0) count++;
    }
    closedir(list);
    rmdir(folder);
    return count;
}

static int same_bytes(const rp_plan *a, const rp_plan *b) {
    size_t x, y;
    const void *p = rp_plan_data(a, &x), *q = rp_plan_data(b, &y);
    return x == y && memcmp(p, q, x) == 0;
}

/* ---- Building -------------------------------------------------------------------------------- */

static void test_info(void) {
    sample s = sample_make(sample_text);
    rp_graph_stats stats = {.size = sizeof stats};
    CU_ASSERT_EQUAL(rp_graph_get_stats(s.compiled, &stats), RP_OK);
    rp_plan_info info = plan_info(s.plan);
    CU_ASSERT_STRING_EQUAL(info.name, "sample");
    CU_ASSERT_EQUAL(info.nodes, 6); /* n4 reaches no output */
    CU_ASSERT_EQUAL(info.dispatches, 3);
    CU_ASSERT_EQUAL(info.groups, stats.groups);
    CU_ASSERT_EQUAL(info.barriers, stats.barriers);
    CU_ASSERT_EQUAL(info.barrier_bound, stats.barrier_bound);
    CU_ASSERT_EQUAL(info.arena_bytes, stats.arena_bytes);
    CU_ASSERT_EQUAL(info.arena_bound_bytes, stats.arena_bound_bytes);
    CU_ASSERT_EQUAL(info.certificate.source_hash, rp_graph_hash(s.source));
    CU_ASSERT_EQUAL(info.certificate.compiled_hash, rp_graph_hash(s.compiled));
    CU_ASSERT_EQUAL(info.certificate.verdict, 1);
    CU_ASSERT_NOT_EQUAL(info.content_hash, 0);
    sample_free(&s);
}

static void test_buffers(void) {
    static const struct {
        const char *name;
        rp_buffer_kind kind;
        rp_dtype dtype;
        uint32_t rank;
        uint64_t size;
    } want[] = {{"x", RP_IN, RP_F32, 2, 256},  {"w", RP_WEIGHT, RP_RAW, 0, 256},
                {"n", RP_LIVE, RP_U32, 1, 8},  {"y", RP_OUT, RP_F32, 1, 256},
                {"z", RP_OUT, RP_RAW, 0, 256}, {"p", RP_LIVE, RP_RAW, 0, 16}};
    sample s = sample_make(sample_text);
    CU_ASSERT_EQUAL_FATAL(rp_plan_buffer_count(s.plan), 6);
    for (uint32_t i = 0; i < 6; i++) {
        rp_plan_buffer_info b = plan_buffer(s.plan, i);
        CU_ASSERT_STRING_EQUAL(b.name, want[i].name);
        CU_ASSERT_EQUAL(b.kind, want[i].kind);
        CU_ASSERT_EQUAL(b.dtype, want[i].dtype);
        CU_ASSERT_EQUAL(b.rank, want[i].rank);
        CU_ASSERT_EQUAL(b.bytes, want[i].size);
        CU_ASSERT_EQUAL(b.follows, i == 5);
    }
    CU_ASSERT_EQUAL(plan_buffer(s.plan, 0).shape[1], 8);
    rp_plan_buffer_info older = {.size = offsetof(rp_plan_buffer_info, bytes), .bytes = 77};
    CU_ASSERT_EQUAL(rp_plan_get_buffer(s.plan, 0, &older), RP_OK);
    CU_ASSERT_STRING_EQUAL(older.name, want[0].name);
    CU_ASSERT_EQUAL(older.bytes, 77); /* behind what the caller knows */
    CU_ASSERT_EQUAL(rp_plan_get_buffer(s.plan, 6, &older), RP_ERROR_USAGE);
    older.size = 0;
    CU_ASSERT_EQUAL(rp_plan_get_buffer(s.plan, 0, &older), RP_ERROR_USAGE);
    sample_free(&s);
}

static void test_kernels(void) {
    sample s = sample_make(sample_text);
    uint32_t count = rp_plan_kernel_count(s.plan);
    CU_ASSERT_EQUAL(count, plan_info(s.plan).kernels);
    rp_plan_kernel_info k = plan_kernel(s.plan, 0);
    CU_ASSERT_STRING_EQUAL(k.name, "scale");
    CU_ASSERT_STRING_EQUAL(k.entry, "main");
    CU_ASSERT_EQUAL(k.local_size[0], 64);
    CU_ASSERT_EQUAL(k.push_bytes, 4);
    CU_ASSERT_EQUAL(k.spirv_bytes, sizeof sample_words);
    CU_ASSERT_EQUAL(memcmp(k.spirv, sample_words, sizeof sample_words), 0);
    CU_ASSERT_EQUAL(rp_plan_get_kernel(s.plan, count, &k), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_kernel_count(NULL), 0);
    sample_free(&s);
}

static void test_texts(void) {
    sample s = sample_make(sample_text);
    char *text;
    size_t size, held;
    CU_ASSERT_EQUAL(rp_graph_print(s.compiled, RP_FORMAT_TEXT, &text, &size), RP_OK);
    CU_ASSERT_STRING_EQUAL(rp_plan_text(s.plan, &held), text);
    CU_ASSERT_EQUAL(held, size);
    rp_text_release(s.compiled, text);
    CU_ASSERT_EQUAL(rp_graph_print(s.source, RP_FORMAT_TEXT, &text, &size), RP_OK);
    CU_ASSERT_STRING_EQUAL(rp_plan_source_text(s.plan, &held), text);
    CU_ASSERT_EQUAL(held, size);
    rp_text_release(s.source, text);
    sample_free(&s);
}

static void test_records(void) {
    sample s = sample_make(sample_text);
    const rp_plan_buffer *buffers = rp_plan_records(s.plan, RP_SECTION_BUFFERS);
    const rp_plan_kernel *kernels = rp_plan_records(s.plan, RP_SECTION_KERNELS);
    const rp_plan_spec *specs = rp_plan_records(s.plan, RP_SECTION_SPECS);
    const rp_plan_node *nodes = rp_plan_records(s.plan, RP_SECTION_NODES);
    const rp_expr_op *ops = rp_plan_records(s.plan, RP_SECTION_EXPR_OPS);
    CU_ASSERT_EQUAL(s.plan->header->needs, RP_NEED_INT64);
    /* the live buffer: index 2 although it is 3 in the graph */
    CU_ASSERT_EQUAL(buffers[2].max_value, 64);
    CU_ASSERT_EQUAL(ops[0].code, RP_EXPR_LIVE);
    CU_ASSERT_EQUAL(ops[0].buffer, 2);
    /* constants come in order of id */
    CU_ASSERT_EQUAL(rp_plan_count(s.plan, RP_SECTION_SPECS), 2);
    CU_ASSERT_EQUAL(specs[0].id, 3);
    CU_ASSERT_EQUAL(specs[1].id, 7);
    CU_ASSERT_EQUAL(kernels[0].word_count, sizeof sample_words / 4);
    for (uint32_t i = 0; i < rp_plan_count(s.plan, RP_SECTION_BUFFERS); i++)
        CU_ASSERT_EQUAL(buffers[i].kind == RP_TMP, i >= 6);
    for (uint32_t i = 0; i < rp_plan_count(s.plan, RP_SECTION_NODES); i++) {
        if (nodes[i].id != 1) continue;
        CU_ASSERT_EQUAL(nodes[i].live_mask, 3);
        CU_ASSERT_EQUAL(nodes[i].grid[2], 3);
        CU_ASSERT_STRING_EQUAL(rp_plan_string(s.plan, nodes[i].label), "layer 0");
        CU_ASSERT_STRING_EQUAL(rp_plan_string(s.plan, nodes[i].op), "scale");
    }
    sample_free(&s);
}

/* What passes removed is not in the plan, and no string is in it twice. */
static void test_dropped(void) {
    sample s = sample_make(sample_text);
    const char *strings = rp_plan_records(s.plan, RP_SECTION_STRINGS);
    uint32_t count = rp_plan_count(s.plan, RP_SECTION_STRINGS), labels = 0;
    for (uint32_t at = 0; at < count; at += (uint32_t)strlen(strings + at) + 1) {
        CU_ASSERT_STRING_NOT_EQUAL(strings + at, "dead");
        labels += strcmp(strings + at, "layer 0") == 0;
    }
    CU_ASSERT_EQUAL(labels, 1);
    sample_free(&s);
}

/* What labels the one node of a plan stands for. */
static void expect_labels(const char *text, const char *label, uint32_t count,
                          const char *const *labels) {
    rp_plan *plan = sample_compile(text);
    const rp_plan_node *node = rp_plan_records(plan, RP_SECTION_NODES);
    const uint32_t *got = rp_plan_records(plan, RP_SECTION_LABELS);
    CU_ASSERT_EQUAL(rp_plan_count(plan, RP_SECTION_NODES), 1);
    CU_ASSERT_EQUAL(node->label == UINT32_MAX, label == NULL);
    if (label) CU_ASSERT_STRING_EQUAL(rp_plan_string(plan, node->label), label);
    CU_ASSERT_EQUAL(node->first_label, 0);
    CU_ASSERT_EQUAL_FATAL(node->label_count, count);
    for (uint32_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(got[i] == UINT32_MAX, labels[i] == NULL);
        if (labels[i]) CU_ASSERT_STRING_EQUAL(rp_plan_string(plan, got[i]), labels[i]);
    }
    rp_graph *compiled = NULL, *source = NULL; /* the records are those of the texts */
    CU_ASSERT_EQUAL(rp_plan_graphs(plan, NULL, &compiled, &source), RP_OK);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    rp_plan_destroy(plan);
}

static void test_labels(void) {
    expect_labels(SAMPLE_FUSED("", "", ""), NULL, 0, NULL);
    expect_labels(SAMPLE_FUSED(" label \"a\"", " label \"a\"", " label \"a\""), "a", 0, NULL);
    expect_labels(SAMPLE_FUSED(" label \"a\"", " label \"b/c\"", " label \"a\""), "a", 2,
                  (const char *const[]){"a", "b/c"});
    expect_labels(SAMPLE_FUSED(" label \"a\"", "", " label \"b\""), "b", 3,
                  (const char *const[]){"a", NULL, "b"});
    expect_labels(SAMPLE_FUSED(" label \"a\"", " label \"fused\"", ""), NULL, 3,
                  (const char *const[]){"a", "fused", NULL});
    expect_labels(
        SAMPLE_FUSED(" optional label \"a\"", " optional label \"a\"", " optional label \"a\""),
        "a", 0, NULL);
}

/* The same graph gives the same bytes, also when its string table came about in another way. */
static void test_deterministic(void) {
    sample a = sample_make(sample_text), b = sample_make(sample_text);
    CU_ASSERT_TRUE(same_bytes(a.plan, b.plan));
    rp_plan *other = NULL;
    char *text;
    size_t size;
    rp_graph *again = NULL;
    CU_ASSERT_EQUAL(rp_graph_print(a.compiled, RP_FORMAT_TEXT, &text, &size), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_graph_parse(NULL, text, size, NULL, NULL, &again), RP_OK);
    rp_text_release(a.compiled, text);
    sample_add_words(again);
    CU_ASSERT_EQUAL(rp_plan_build(again, a.source, &a.certificate, NULL, &other), RP_OK);
    CU_ASSERT_TRUE(same_bytes(a.plan, other));
    rp_plan_destroy(other);
    rp_graph_destroy(again);
    sample_free(&a);
    sample_free(&b);
}

static void test_build_wrong(void) {
    sample s = sample_make(sample_text);
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = (rp_plan *)1;
    CU_ASSERT_EQUAL(rp_plan_build(NULL, s.source, &s.certificate, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(plan);
    CU_ASSERT_EQUAL(rp_plan_build(s.compiled, s.source, &s.certificate, NULL, NULL),
                    RP_ERROR_USAGE);
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_plan_build(s.source, s.source, &s.certificate, diags, &plan),
                    RP_ERROR_USAGE);
    CU_ASSERT_TRUE(message_has(diags, "not scheduled"));
    rp_diags_clear(diags);
    rp_certificate other = s.certificate;
    other.source_hash++;
    CU_ASSERT_EQUAL(rp_plan_build(s.compiled, s.source, &other, diags, &plan), RP_ERROR_USAGE);
    CU_ASSERT_TRUE(message_has(diags, "another source graph"));
    rp_diags_destroy(diags);
    sample_free(&s);
}

/* A kernel that plans cannot serve is named. */
static void test_unsupported(void) {
    rp_graph *source = sample_source(sample_text), *compiled = NULL;
    rp_certificate certificate;
    for (uint32_t i = 0; i < source->kernels_count; i++) {
        uint32_t *words = source->words + source->kernels[i].first_word;
        words[8] = 4472; /* ray queries instead of Int64 */
        source->kernels[i].hash = rp_hash(words, sizeof sample_words);
    }
    CU_ASSERT_EQUAL(rp_passes_run(source, NULL, NULL, &compiled, &certificate, NULL), RP_OK);
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL(rp_plan_build(compiled, source, &certificate, diags, &plan),
                    RP_ERROR_UNSUPPORTED);
    rp_diag first = rp_diags_get(diags, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(first.message, "kernel @scale needs SPIR-V capability 4472"));
    CU_ASSERT_PTR_NOT_NULL(strstr(first.message, "ray queries"));
    rp_diags_destroy(diags);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
}

/* ---- Graphs out of plans --------------------------------------------------------------------- */

static void test_graphs(void) {
    sample s = sample_make(sample_text);
    rp_graph *compiled = NULL, *source = NULL;
    rp_certificate proven;
    rp_plan *again = NULL;
    CU_ASSERT_EQUAL_FATAL(rp_plan_graphs(s.plan, NULL, &compiled, &source), RP_OK);
    CU_ASSERT_TRUE(rp_graph_equal(compiled, s.compiled));
    CU_ASSERT_TRUE(rp_graph_equal(source, s.source));
    CU_ASSERT_EQUAL(rp_check(compiled, source, NULL, NULL, &proven), RP_OK);
    CU_ASSERT_EQUAL(memcmp(&proven, &s.certificate, sizeof proven), 0);
    /* the kernels came along: the same plan again */
    CU_ASSERT_EQUAL(rp_plan_build(compiled, source, &proven, NULL, &again), RP_OK);
    CU_ASSERT_TRUE(same_bytes(s.plan, again));
    rp_plan_destroy(again);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    CU_ASSERT_EQUAL(rp_plan_graphs(s.plan, NULL, NULL, &source), RP_OK);
    rp_graph_destroy(source);
    CU_ASSERT_EQUAL(rp_plan_graphs(NULL, NULL, &compiled, &source), RP_ERROR_USAGE);
    CU_ASSERT_PTR_NULL(compiled);
    sample_free(&s);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void test_save_and_open(void) {
    sample s = sample_make(sample_text);
    rp_plan *opened = NULL;
    make_folder();
    const char *path = in_folder("a.rplan");
    FILE *old = fopen(path, "w"); /* what was there is replaced */
    fputs("old", old);
    fclose(old);
    CU_ASSERT_EQUAL(rp_plan_save(s.plan, path, NULL), RP_OK);
    CU_ASSERT_EQUAL_FATAL(rp_plan_open(NULL, path, NULL, &opened), RP_OK);
    CU_ASSERT_TRUE(same_bytes(s.plan, opened));
    /* saving over a plan that is open leaves the open one as it was */
    CU_ASSERT_EQUAL(rp_plan_save(s.plan, path, NULL), RP_OK);
    CU_ASSERT_TRUE(same_bytes(s.plan, opened));
    CU_ASSERT_STRING_EQUAL(plan_info(opened).name, "sample");
    rp_plan_destroy(opened);
    CU_ASSERT_EQUAL(remove_folder(), 1); /* and no temporary file */
    sample_free(&s);
}

static void test_save_fails(void) {
    static const struct {
        const char *path;
        const char *message;
    } cases[] = {{"/nonexistent-folder/a.rplan", "create the folder first"},
                 {"/dev/full", "free some space"},
                 {"/tmp", "is a folder"},
                 {"/dev/null/a.rplan", "create the folder first"}};
    sample s = sample_make(sample_text);
    rp_diags *diags = rp_diags_create(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rp_diags_clear(diags);
        CU_ASSERT_EQUAL(rp_plan_save(s.plan, cases[i].path, diags), RP_ERROR_IO);
        CU_ASSERT_TRUE(message_has(diags, cases[i].message));
        CU_ASSERT_TRUE(message_has(diags, cases[i].path));
    }
    rp_diags_clear(diags);
    CU_ASSERT_EQUAL(rp_plan_save(s.plan, NULL, diags), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_save(NULL, "a", NULL), RP_ERROR_USAGE);
    rp_diags_destroy(diags);
    sample_free(&s);
}

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void expect_open(const char *path, rp_status status, const char *message) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_plan *plan = (rp_plan *)1;
    CU_ASSERT_EQUAL(rp_plan_open(NULL, path, diags, &plan), status);
    CU_ASSERT_PTR_NULL(plan);
    CU_ASSERT_TRUE(message_has(diags, message));
    CU_ASSERT_TRUE(!path || message_has(diags, path));
    rp_diags_destroy(diags);
}

static void test_open_fails(void) {
    sample s = sample_make(sample_text);
    size_t size;
    const uint8_t *data = rp_plan_data(s.plan, &size);
    make_folder();
    write_file(in_folder("empty"), "", 0);
    write_file(in_folder("short"), data, 40);
    write_file(in_folder("cut"), data, size - 8);
    write_file(in_folder("yaml"), "reprise: 1\n", 11);
    expect_open(in_folder("missing"), RP_ERROR_IO, "check the path");
    expect_open(folder, RP_ERROR_IO, "is a folder; expected a compiled plan");
    expect_open(in_folder("empty"), RP_ERROR_DAMAGED, "is empty");
    expect_open(in_folder("short"), RP_ERROR_DAMAGED, "ends after 40 bytes");
    expect_open(in_folder("cut"), RP_ERROR_DAMAGED, "it was cut off");
    expect_open(in_folder("yaml"), RP_ERROR_DAMAGED, "not a plan file");
    expect_open(NULL, RP_ERROR_USAGE, "path is NULL");
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL(rp_plan_from_memory(NULL, NULL, 5, NULL, NULL, &plan), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_open(NULL, folder, NULL, NULL), RP_ERROR_USAGE);
    remove_folder();
    sample_free(&s);
}

/* What cannot be mapped is read. */
static void test_open_pipe(void) {
    sample s = sample_make(sample_text);
    size_t size;
    const void *data = rp_plan_data(s.plan, &size);
    int ends[2];
    char path[64];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT_TRUE(size < 60000 && write(ends[1], data, size) == (ssize_t)size);
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    rp_plan *plan = NULL;
    CU_ASSERT_EQUAL(rp_plan_open(NULL, path, NULL, &plan), RP_OK);
    CU_ASSERT_TRUE(same_bytes(s.plan, plan));
    rp_plan_destroy(plan);
    close(ends[0]);
    sample_free(&s);
}

static void test_null(void) {
    size_t size = 1;
    rp_plan_destroy(NULL);
    CU_ASSERT_PTR_NULL(rp_plan_data(NULL, &size));
    CU_ASSERT_EQUAL(size, 0);
    uint32_t count = 7;
    CU_ASSERT_EQUAL(rp_plan_get_unwritten(NULL, 0, NULL, 0, &count), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT_EQUAL(rp_plan_buffer_count(NULL), 0);
    rp_plan_info info = {.size = sizeof info};
    rp_plan_buffer_info buffer = {.size = sizeof buffer};
    CU_ASSERT_EQUAL(rp_plan_get_info(NULL, &info), RP_ERROR_USAGE);
    CU_ASSERT_EQUAL(rp_plan_get_buffer(NULL, 0, &buffer), RP_ERROR_USAGE);
    CU_ASSERT_STRING_EQUAL(rp_plan_text(NULL, &size), "");
}

int main(void) {
    static const rp_test tests[] = {{"info", test_info},
                                    {"buffers", test_buffers},
                                    {"kernels", test_kernels},
                                    {"texts", test_texts},
                                    {"records", test_records},
                                    {"labels", test_labels},
                                    {"dropped", test_dropped},
                                    {"deterministic", test_deterministic},
                                    {"build wrong", test_build_wrong},
                                    {"unsupported", test_unsupported},
                                    {"graphs", test_graphs},
                                    {"save and open", test_save_and_open},
                                    {"save fails", test_save_fails},
                                    {"open fails", test_open_fails},
                                    {"open pipe", test_open_pipe},
                                    {"null", test_null},
                                    {0}};
    return rp_run_tests("plan", tests);
}
