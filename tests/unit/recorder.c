/* Recorders: the graph that calls make, its state rules, several threads, and the way to a plan. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "graph/graph.h"
#include "reprise/compiler.h"
#include "support/unit.h"
#include "support/plan_info.h"

static const char *const scale =
    "#version 450\nlayout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer X { float x[]; };\n"
    "layout(binding = 1) writeonly buffer Y { float y[]; };\n"
    "layout(push_constant) uniform P { uint n; float factor; };\n"
    "void main() { uint i = gl_GlobalInvocationID.x; if (i < n) y[i] = x[i] * factor; }\n";

static rp_diags *diags;

static void report(void) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char text[600];
        rp_diag d = rp_diags_get(diags, i);
        rp_diag_format(&d, text, sizeof text);
        fprintf(stderr, "  %s\n", text);
    }
    rp_diags_clear(diags);
}

static void ok(rp_status status) {
    if (status != RP_OK) report();
    CU_ASSERT_EQUAL_FATAL(status, RP_OK);
}

static rp_buffer buffer(rp_program *p, const char *name, rp_buffer_kind kind, uint64_t count) {
    rp_buffer b;
    rp_buffer_params params = {.size = sizeof params,
                               .name = name,
                               .kind = kind,
                               .dtype = RP_F32,
                               .rank = 1,
                               .shape = {count}};
    ok(rp_program_buffer(p, &params, diags, &b));
    return b;
}

static rp_kernel kernel(rp_program *p, const char *name) {
    rp_kernel k;
    ok(rp_program_kernel(
        p, &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = name, .glsl = scale},
        diags, &k));
    return k;
}

static char *print(const rp_graph *g) {
    char *text = NULL;
    ok(rp_graph_print(g, RP_FORMAT_TEXT, &text, NULL));
    return text;
}

/* The lines that start with `prefix` behind their indentation, joined. */
static void lines(const char *text, const char *prefix, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n"), indent = strspn(line, " ");
        if (strncmp(line + indent, prefix, strlen(prefix)) == 0)
            used += (size_t)snprintf(out + used, size - used, "%.*s\n", (int)(length - indent),
                                     line + indent);
        line += length + (line[length] == '\n');
    }
}

static void push(rp_recorder *r, uint32_t n, float factor) {
    rp_push(r, 0, &n, 4);
    rp_push(r, 4, &factor, 4);
}

/* ---- Everything once, against text written by hand ------------------------------------------- */

static void record_all(rp_recorder *r, rp_program *p) {
    rp_buffer x = buffer(p, "x", RP_IN, 256), y = buffer(p, "y", RP_OUT, 256);
    rp_buffer t = buffer(p, "t", RP_TMP, 512), state = buffer(p, "state", RP_INOUT, 4);
    rp_buffer n, grid;
    uint32_t initial[2] = {3, 4};
    rp_buffer_params live = {.size = sizeof live,
                             .name = "n",
                             .kind = RP_LIVE,
                             .dtype = RP_U32,
                             .rank = 1,
                             .shape = {2},
                             .initial = initial,
                             .max_value = 1000};
    ok(rp_program_buffer(p, &live, diags, &n));
    ok(rp_program_buffer(
        p,
        &(rp_buffer_params){
            .size = sizeof(rp_buffer_params), .name = "grid", .kind = RP_IN, .bytes = 64},
        diags, &grid));
    rp_bind_kernel(r, kernel(p, "scale"));
    rp_label_begin(r, "layer");
    rp_label_begin(r, "up");
    rp_op_tag(r, "scale");
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){t, 0, 1024});
    push(r, 256, 2.0f);
    rp_dispatch(r, 4, 1, 1);
    rp_label_end(r);
    /* Only what changes is set again. */
    rp_bind(r, 0, (rp_range){t, 0, 1024});
    rp_bind_in_set(r, 0, 1, (rp_range){t, 1024});
    rp_push(r, 0, &(uint32_t){128}, 4);
    rp_bind_access(r, 0, 1, RP_READ_WRITE);
    rp_dispatch_live(r, "ceil_div(n, 64)", "$n[1] + 1", "2");
    rp_label_end(r);
    rp_bind_access(r, 0, 1, RP_WRITE);
    rp_dispatch_indirect(r, (rp_range){grid, 16});
    rp_dispatch_live(r, "7", "1", "1");
    rp_copy(r, (rp_range){t, 1024}, (rp_range){y});
    rp_fence(r);
    rp_fill(r, (rp_range){state, 8}, 0xdeadbeef);
    rp_update(r, (rp_range){state, 4}, &(uint32_t){0x01020304}, 4);
}

static void test_text(void) {
    rp_program *p;
    rp_recorder *r;
    rp_graph *g;
    char got[2000];
    ok(rp_program_create(NULL, "hello", &p));
    ok(rp_recorder_create(p, &r));
    record_all(r, p);
    ok(rp_program_graph(p, &r, 1, diags, &g));
    report();
    char *text = print(g);
    lines(text, "graph", got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, "graph hello {\n");
    lines(text, "buf", got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, "buf $x in f32[256]\nbuf $y out f32[256]\nbuf %t tmp f32[512]\n"
                                "buf $state inout f32[4]\n"
                                "buf $n live u32[2] = 03000000 04000000 max 1000\n"
                                "buf $grid in 64\n");
    lines(text, "kern", got, sizeof got);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, " local 64 1 1 push 8 (r, w)\n"));
    lines(text, "n", got, sizeof got);
    const char *want =
        "n0 = run @scale grid 4 1 1 push 00010000 00000040 (r $x, w %t[0+1024]) label \"layer/up\" "
        "op scale\n"
        "n1 = run @scale grid {ceil_div($n, 64)} {$n[1] + 1} 2 push 80000000 00000040 "
        "(r %t[0+1024], rw %t[1024+1024]) label \"layer\"\n"
        "n2 = run @scale grid indirect $grid[16+12] push 80000000 00000040 "
        "(r %t[0+1024], w %t[1024+1024])\n"
        "n3 = run @scale grid 7 1 1 push 80000000 00000040 (r %t[0+1024], w %t[1024+1024])\n"
        "n4 = copy (r %t[1024+1024], w $y)\n"
        "n5 = fence\n"
        "n6 = fill deadbeef (w $state[8+8])\n"
        "n7 = update 04030201 (w $state[4+4])\n";
    CU_ASSERT_STRING_EQUAL(got, want);
    if (strcmp(got, want) != 0) fprintf(stderr, "%s", text);
    rp_text_release(g, text);
    rp_graph_destroy(g);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
}

/* ---- Optional -------------------------------------------------------------------------------- */

static void test_optional(void) {
    rp_program *p;
    rp_recorder *r;
    rp_graph *g = NULL;
    char got[1000];
    ok(rp_program_create(NULL, "optional", &p));
    rp_buffer x = buffer(p, "x", RP_IN, 256), y = buffer(p, "y", RP_INOUT, 256);
    ok(rp_recorder_create(p, &r));
    rp_bind_kernel(r, kernel(p, "scale"));
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){y});
    push(r, 256, 2.0f);
    rp_optional_begin(r);
    rp_label_begin(r, "side");
    rp_dispatch(r, 4, 1, 1);
    rp_optional_begin(r);
    rp_fence(r);
    rp_optional_end(r);
    const rp_operand operands[] = {{.name = "x", .range = {x}}, {.name = "out", .range = {y}}};
    rp_apply(r, "silu", operands, 2, NULL, 0);
    rp_label_end(r);
    rp_optional_end(r);
    rp_dispatch(r, 4, 1, 1);
    ok(rp_program_graph(p, &r, 1, diags, &g));
    char *text = print(g);
    lines(text, "n", got, sizeof got);
    CU_ASSERT_STRING_EQUAL(
        got,
        "n0 = run @scale grid 4 1 1 push 00010000 00000040 (r $x, w $y) optional label \"side\"\n"
        "n1 = fence label \"side\"\n"
        "n2 = op silu (r $x:f32[256], w $y:f32[256]) optional label \"side\"\n"
        "n3 = run @scale grid 4 1 1 push 00010000 00000040 (r $x, w $y)\n");
    rp_text_release(g, text);
    rp_graph_destroy(g);

    report();
    /* A copy is no kernel. */
    rp_optional_begin(r);
    rp_copy(r, (rp_range){x}, (rp_range){y});
    rp_optional_end(r);
    CU_ASSERT_EQUAL(rp_program_graph(p, &r, 1, diags, &g), RP_ERROR_INVALID);
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 1);
    CU_ASSERT_STRING_EQUAL(
        rp_diags_get(diags, 0).message,
        "recorder 1, call 17 (rp_copy): n4: a copy cannot be optional, only what "
        "runs a kernel can: op copy does the same");
    rp_diags_clear(diags);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static rp_graph *chain(rp_program *p, uint32_t length) {
    rp_recorder *r;
    rp_graph *g;
    rp_buffer x = buffer(p, "x", RP_IN, 256), y = buffer(p, "y", RP_OUT, 256);
    rp_buffer t[2] = {buffer(p, "t0", RP_TMP, 256), buffer(p, "t1", RP_TMP, 256)};
    ok(rp_recorder_create(p, &r));
    rp_bind_kernel(r, kernel(p, "scale"));
    push(r, 256, 0.5f);
    for (uint32_t i = 0; i < length; i++) {
        rp_bind(r, 0, (rp_range){i ? t[i % 2] : x});
        rp_bind(r, 1, (rp_range){i + 1 < length ? t[(i + 1) % 2] : y});
        rp_dispatch(r, 4, 1, 1);
    }
    ok(rp_program_graph(p, &r, 1, diags, &g));
    rp_recorder_destroy(r);
    return g;
}

static void test_compile(void) {
    rp_program *p;
    rp_plan *plan, *again;
    rp_pass_reports *reports;
    ok(rp_program_create(NULL, "chain", &p));
    rp_graph *g = chain(p, 10);
    ok(rp_compile(g, NULL, diags, &plan, &reports));
    rp_plan_info info = plan_info(plan);
    CU_ASSERT_EQUAL(info.nodes, 10);
    CU_ASSERT_EQUAL(info.barriers, 9);
    CU_ASSERT_EQUAL(info.certificate.verdict, 1);
    CU_ASSERT_EQUAL(rp_pass_reports_count(reports), 8);
    ok(rp_compile(g, NULL, NULL, &again, NULL));
    size_t size, size_again;
    const void *data = rp_plan_data(plan, &size), *data_again = rp_plan_data(again, &size_again);
    CU_ASSERT_EQUAL(size, size_again);
    CU_ASSERT(size == size_again && memcmp(data, data_again, size) == 0);
    rp_pass_reports_destroy(reports);
    rp_plan_destroy(again);
    rp_plan_destroy(plan);
    rp_graph_destroy(g);
    rp_program_destroy(p);
}

/* ---- Threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, PER_THREAD = 200 };

typedef struct job {
    rp_program *program;
    rp_recorder *recorder;
    rp_buffer in, out;
    uint32_t number;
    pthread_t thread;
} job;

/* Makes a kernel and buffers of its own while the others do the same, and records with them. */
static void *record_job(void *argument) {
    job *j = argument;
    char name[32];
    rp_kernel k = {0};
    snprintf(name, sizeof name, "kernel%u", j->number);
    rp_program_kernel(
        j->program,
        &(rp_kernel_params){.size = sizeof(rp_kernel_params), .name = name, .glsl = scale}, NULL,
        &k);
    rp_bind_kernel(j->recorder, k);
    push(j->recorder, 64, (float)j->number);
    rp_range before = {j->in};
    for (uint32_t i = 0; i < PER_THREAD; i++) {
        rp_buffer b = {0};
        snprintf(name, sizeof name, "b%u.%u", j->number, i);
        rp_buffer_params params = {.size = sizeof params,
                                   .name = name,
                                   .kind = RP_TMP,
                                   .dtype = RP_F32,
                                   .rank = 1,
                                   .shape = {64}};
        rp_program_buffer(j->program, &params, NULL, &b);
        rp_range next =
            i + 1 < PER_THREAD ? (rp_range){b} : (rp_range){j->out, (uint64_t)j->number * 256, 256};
        rp_bind(j->recorder, 0, before);
        rp_bind(j->recorder, 1, next);
        rp_dispatch(j->recorder, 1, 1, 1);
        before = next;
    }
    return NULL;
}

static void test_threads(void) {
    rp_program *p;
    rp_graph *g;
    job jobs[THREADS];
    rp_recorder *recorders[THREADS];
    ok(rp_program_create(NULL, "threads", &p));
    rp_buffer in = buffer(p, "in", RP_IN, 64), out = buffer(p, "out", RP_OUT, 64 * THREADS);
    for (uint32_t i = 0; i < THREADS; i++) {
        jobs[i] = (job){.program = p, .in = in, .out = out, .number = i};
        ok(rp_recorder_create(p, &jobs[i].recorder));
        recorders[i] = jobs[i].recorder;
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_create(&jobs[i].thread, NULL, record_job, &jobs[i]);
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(jobs[i].thread, NULL);
    ok(rp_program_graph(p, recorders, THREADS, diags, &g));
    CU_ASSERT_EQUAL_FATAL(g->nodes_count, THREADS * PER_THREAD);
    /* All calls of recorder 0 first, in their order. */
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "kernel%u", i / PER_THREAD);
        CU_ASSERT_EQUAL(g->nodes[i].id, i);
        CU_ASSERT_STRING_EQUAL(rp_graph_string(g, g->kernels[g->nodes[i].kernel].name), name);
    }
    rp_graph_stats stats = {.size = sizeof stats};
    ok(rp_graph_get_stats(g, &stats));
    CU_ASSERT_EQUAL(stats.barrier_bound, PER_THREAD - 1); /* the four chains are independent */
    rp_graph_destroy(g);
    for (uint32_t i = 0; i < THREADS; i++) rp_recorder_destroy(recorders[i]);
    rp_program_destroy(p);
}

static void test_nothing(void) {
    rp_program *p;
    rp_recorder *r;
    rp_graph *g;
    ok(rp_program_create(NULL, "nothing", &p));
    ok(rp_program_graph(p, NULL, 0, diags, &g));
    CU_ASSERT_EQUAL(g->nodes_count, 0);
    rp_graph_destroy(g);
    ok(rp_recorder_create(p, &r));
    ok(rp_program_graph(p, &r, 1, diags, &g));
    rp_graph_destroy(g);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
}

/* A block that says nothing and is only written: rw, or w where the application promises it. The
 * promise is what lets the second half have its own memory, hence no barrier between the halves. */
static void test_promise(void) {
    rp_program *p;
    rp_recorder *r;
    rp_graph *g, *parsed = NULL;
    rp_kernel k;
    char got[400], want[] = "n0 = run @k grid 1 1 1 (rw $y)\n"
                            "n1 = run @k-w0 grid 4 1 1 (w %t)\n"
                            "n2 = copy (r %t, w $y)\n"
                            "n3 = run @k-w0 grid 4 1 1 (w %t)\n"
                            "n4 = copy (r %t, w $z)\n";
    ok(rp_program_create(NULL, "promise", &p));
    ok(rp_recorder_create(p, &r));
    rp_buffer t = buffer(p, "t", RP_TMP, 256), y = buffer(p, "y", RP_OUT, 256);
    rp_buffer z = buffer(p, "z", RP_OUT, 256);
    rp_kernel_params params = {.size = sizeof params,
                               .name = "k",
                               .glsl = "#version 450\nlayout(local_size_x = 64) in;\n"
                                       "layout(binding = 0) buffer Y { float y[]; };\n"
                                       "void main() { y[gl_GlobalInvocationID.x] = 1; }\n"};
    ok(rp_program_kernel(p, &params, diags, &k));
    rp_bind_kernel(r, k);
    rp_bind(r, 0, (rp_range){y});
    rp_dispatch(r, 1, 1, 1);
    rp_bind(r, 0, (rp_range){t});
    rp_bind_access(r, 0, 0, RP_WRITE);
    for (int i = 0; i < 2; i++) {
        rp_dispatch(r, 4, 1, 1);
        rp_copy(r, (rp_range){t}, (rp_range){i ? z : y});
    }
    ok(rp_program_graph(p, &r, 1, diags, &g));
    char *text = print(g);
    lines(text, "n", got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, want);
    ok(rp_graph_parse(NULL, text, strlen(text), "text", diags, &parsed));
    rp_plan *plan;
    ok(rp_compile(g, NULL, diags, &plan, NULL));
    rp_plan_destroy(plan);
    rp_text_release(g, text);
    rp_graph_destroy(parsed);
    rp_graph_destroy(g);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
}

/* What can be seen to go wrong is said, with the call; the graph is made all the same. */
static void test_warnings(void) {
    rp_program *p;
    rp_recorder *r;
    rp_graph *g;
    rp_diags_clear(diags);
    ok(rp_program_create(NULL, "warnings", &p));
    ok(rp_recorder_create(p, &r));
    rp_buffer x = buffer(p, "x", RP_IN, 256), y = buffer(p, "y", RP_OUT, 256);
    rp_bind_kernel(r, kernel(p, "scale"));
    rp_bind(r, 0, (rp_range){x});
    rp_bind(r, 1, (rp_range){y, 0, 512});
    push(r, 256, 2);
    rp_dispatch(r, 1, 1, 1);
    ok(rp_program_graph(p, &r, 1, diags, &g));
    CU_ASSERT_EQUAL_FATAL(rp_diags_count(diags), 2);
    CU_ASSERT_STRING_EQUAL(rp_diags_get(diags, 0).message,
                           "$y is a result, and no node writes 512 of its 1024 bytes: 512 to 1024");
    CU_ASSERT_PTR_NOT_NULL(strstr(rp_diags_get(diags, 1).message,
                                  "recorder 1, call 6 (rp_dispatch): n0: w $y[0+512]: its 64 "
                                  "invocations write at most 64 of 128 elements"));
    rp_diags_clear(diags);
    rp_graph_destroy(g);
    rp_recorder_destroy(r);
    rp_program_destroy(p);
}

int main(void) {
    const rp_test tests[] = {{"text", test_text},         {"promise", test_promise},
                             {"optional", test_optional}, {"compile", test_compile},
                             {"threads", test_threads},   {"warnings", test_warnings},
                             {"nothing", test_nothing},   {NULL, NULL}};
    diags = rp_diags_create(NULL);
    int failures = rp_run_tests("recorder", tests);
    rp_diags_destroy(diags);
    return failures;
}
