/* What the op compiler costs, and what fusion gives.
 *
 *   bench_ops [decoder [LAYERS]]    compiling a Llama-like decoder of LAYERS (16) layers from YAML
 *   bench_ops step [DTYPE]          one decode step of such a model, embedding to argmax, with
 *                                   weights of f16, q8_0 or q4_0, replayed at -O0 and at -O1
 *   bench_ops step DTYPE profile [LAYERS]
 *                                   where its time goes at -O1, group by group
 *   bench_ops step DTYPE print [LAYERS]
 *                                   its pipeline
 *   bench_ops knn [N [D]]           the 10 nearest of N (1000000) rows of D (128), for 1 to 1000
 *                                   queries, at -O0 and at -O1
 *   bench_ops run PIPELINE.yaml...  replays at -O0 and at -O1
 *
 * The decoder is generated as text: per layer two norms, seven matrix-vector products, rope, the KV
 * append, attention in 16 parts, the gated product, two residual sums. It is compiled once with
 * whatever kernels are cached (start with an empty XDG_CACHE_HOME to see a cold compile), then
 * again and again; the best run counts, since the others measure the machine. Reading YAML, each
 * pass, and the checker with the packing are told apart.
 *
 * What is replayed is compiled for the device's own target. Replays have inputs and weights of
 * random numbers, f32 and f16 between -1/8 and 1/8; integers are
 * small. Each figure is the median time from submission to completion of replays that the host waits
 * for, and of the GPU alone with a full queue (busy.h). */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reprise/compiler.h"
#include "reprise/profile.h"
#include "reprise/runtime.h"
#include "busy.h"
#include "fill.h"

enum { COMPILES = 20, REPLAYS = 200, FEWEST = 5 };

static rp_target own = RP_TARGET_INIT; /* the device's */

static const double BUSY_PERIOD = 0.3;
static gpu_clock gpu_clocks;
static const double ENOUGH_SECONDS = 2; /* of replays at one level; the first tenth is warm-up */

/* ---- The decoder ----------------------------------------------------------------------------- */

typedef struct text {
    char *data;
    size_t size, room;
} text;

static void add(text *t, const char *format, ...) {
    va_list args;
    if (t->room - t->size < 1024) t->data = realloc(t->data, t->room = t->room * 2 + 65536);
    if (!t->data) abort();
    va_start(args, format);
    t->size += (size_t)vsnprintf(t->data + t->size, 1024, format, args);
    va_end(args);
}

enum { WIDTH = 2048, HEADS = 32, GROUPS = 8, HEAD = 64, HIDDEN = 8192, ROWS = 2048 };

enum { VOCABULARY = 128256 };

static void add_weights(text *t, uint32_t l, const char *dtype) {
    static const struct {
        const char *name;
        uint32_t rows, columns;
    } weights[] = {{"wq", WIDTH, WIDTH}, {"wk", GROUPS * HEAD, WIDTH}, {"wv", GROUPS * HEAD, WIDTH},
                   {"wo", WIDTH, WIDTH}, {"wg", HIDDEN, WIDTH},        {"wu", HIDDEN, WIDTH},
                   {"wd", WIDTH, HIDDEN}};
    for (uint32_t i = 0; i < sizeof weights / sizeof *weights; i++)
        add(t, "  l%u_%s: {kind: weight, dtype: %s, shape: [%u, %u]}\n", l, weights[i].name, dtype,
            weights[i].rows, weights[i].columns);
    for (uint32_t i = 1; i <= 2; i++)
        add(t, "  l%u_g%u: {kind: weight, dtype: f32, shape: [%u]}\n", l, i, WIDTH);
    for (uint32_t i = 0; i < 2; i++)
        add(t, "  l%u_%s: {kind: inout, dtype: f16, shape: [%u, %u]}\n", l, i ? "vc" : "kc", ROWS,
            GROUPS * HEAD);
}

static void add_layer(text *t, uint32_t l, const char *x) {
    add(t, "  - {op: rms_norm, x: %s, weight: l%u_g1, out: l%u_n1}\n", x, l, l);
    for (uint32_t i = 0; i < 3; i++)
        add(t, "  - {op: matvec, x: l%u_n1, weight: l%u_w%c, out: l%u_%c}\n", l, l, "qkv"[i], l,
            "qkv"[i]);
    for (uint32_t i = 0; i < 2; i++)
        add(t,
            "  - {op: rope, x: {buffer: l%u_%c, shape: [1, %u, %u]}, positions: position, "
            "out: l%u_%cr}\n",
            l, "qk"[i], i ? GROUPS : HEADS, HEAD, l, "qk"[i]);
    add(t, "  - {op: attention, q: {buffer: l%u_qr, shape: [%u, %u]}, ", l, HEADS, HEAD);
    add(t, "k: {buffer: l%u_kc, shape: [%u, %u, %u]}, v: {buffer: l%u_vc, shape: [%u, %u, %u]}, ",
        l, ROWS, GROUPS, HEAD, l, ROWS, GROUPS, HEAD);
    add(t, "key: {buffer: l%u_kr, shape: [%u, %u]}, value: {buffer: l%u_v, shape: [%u, %u]}, ", l,
        GROUPS, HEAD, l, GROUPS, HEAD);
    add(t, "position: position, length: length, out: l%u_a}\n", l);
    add(t, "  - {op: matvec, x: {buffer: l%u_a, shape: [1, %u]}, weight: l%u_wo, out: l%u_o}\n", l,
        WIDTH, l, l);
    add(t, "  - {op: add, a: l%u_o, b: %s, out: l%u_h}\n", l, x, l);
    add(t, "  - {op: rms_norm, x: l%u_h, weight: l%u_g2, out: l%u_n2}\n", l, l, l);
    add(t, "  - {op: matvec, x: l%u_n2, weight: l%u_wg, out: l%u_gate}\n", l, l, l);
    add(t, "  - {op: matvec, x: l%u_n2, weight: l%u_wu, out: l%u_up}\n", l, l, l);
    add(t, "  - {map: \"silu(l%u_gate) * l%u_up\", out: l%u_f}\n", l, l, l);
    add(t, "  - {op: matvec, x: l%u_f, weight: l%u_wd, out: l%u_d}\n", l, l, l);
    add(t, "  - {op: add, a: l%u_d, b: l%u_h, out: l%u_out}\n", l, l, l);
}

/* The layers alone, or with the embedding in front and the head behind. */
static text decoder(uint32_t layers, const char *dtype, bool whole) {
    text t = {0};
    char x[32] = "x";
    add(&t, "reprise: 1\nname: decoder\nbuffers:\n");
    if (whole) {
        add(&t, "  token: {kind: in, dtype: u32, shape: [1]}\n");
        add(&t, "  vocabulary: {kind: weight, dtype: %s, shape: [%u, %u]}\n", dtype, VOCABULARY,
            WIDTH);
        add(&t, "  norm: {kind: weight, dtype: f32, shape: [%u]}\n", WIDTH);
        add(&t, "  next: {kind: out, dtype: u32, shape: [1]}\n");
    } else {
        add(&t, "  x: {kind: in, dtype: f32, shape: [1, %u]}\n", WIDTH);
        add(&t, "  y: {kind: out, dtype: f32, shape: [1, %u]}\n", WIDTH);
    }
    add(&t, "  position: {kind: in, dtype: u32, shape: [1]}\n");
    add(&t, "  length: {kind: in, dtype: u32, shape: [1]}\n");
    for (uint32_t l = 0; l < layers; l++) add_weights(&t, l, dtype);
    add(&t, "nodes:\n");
    if (whole)
        add(&t,
            "  - {op: gather_rows, table: vocabulary, ids: token, out: {name: x, dtype: f32, "
            "shape: [1, %u]}}\n",
            WIDTH);
    for (uint32_t l = 0; l < layers; l++) {
        add_layer(&t, l, x);
        snprintf(x, sizeof x, "l%u_out", l);
    }
    if (whole) {
        add(&t, "  - {op: rms_norm, x: %s, weight: norm, out: last}\n", x);
        add(&t, "  - {op: matvec, x: last, weight: vocabulary, out: logits}\n");
        add(&t, "  - {op: argmax, x: logits, out: next}\n");
    } else {
        add(&t, "  - {op: copy, x: %s, out: y}\n", x);
    }
    return t;
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static void complain(const char *what, const rp_diags *diags) {
    fprintf(stderr, "bench_ops: %s\n", what);
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
}

typedef struct timing {
    double total, yaml, compile;
    char passes[512];
    rp_plan_info info;
} timing;

static void list_passes(const rp_pass_reports *reports, timing *out) {
    size_t at = 0;
    for (uint32_t i = 0; i < rp_pass_reports_count(reports) && at < sizeof out->passes; i++) {
        const rp_pass_report *r = rp_pass_reports_get(reports, i);
        at += (size_t)snprintf(out->passes + at, sizeof out->passes - at, " %s %.2f", r->pass,
                               r->seconds * 1e3);
    }
}

static int compile_text(const text *t, timing *out) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    rp_plan *plan = NULL;
    rp_pass_reports *reports = NULL;
    const rp_pass_options options = {.size = sizeof options, .lowering = rp_lowering_default()};
    double start = wall_seconds();
    rp_status status =
        rp_pipeline_parse(NULL, t->data, t->size, "decoder.yaml", NULL, 0, diags, &pipeline);
    out->yaml = wall_seconds() - start;
    if (status == RP_OK)
        status = rp_compile(rp_pipeline_graph(pipeline), &options, diags, &plan, &reports);
    out->total = wall_seconds() - start;
    out->compile = out->total - out->yaml;
    if (status == RP_OK) {
        list_passes(reports, out);
        out->info.size = sizeof out->info;
        rp_plan_get_info(plan, &out->info);
    } else {
        complain(rp_status_name(status), diags);
    }
    rp_pass_reports_destroy(reports);
    rp_plan_destroy(plan);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    return status == RP_OK ? 0 : -1;
}

static void print_timing(const char *name, const timing *t) {
    printf("%-6s %8.2f ms: yaml %.2f, compile %.2f |%s\n", name, t->total * 1e3, t->yaml * 1e3,
           t->compile * 1e3, t->passes);
}

static int bench_decoder(uint32_t layers) {
    text t = decoder(layers, "q8_0", false);
    timing first = {0}, best = {0}, now = {0};
    int failed = compile_text(&t, &first);
    for (uint32_t i = 0; i < COMPILES && !failed; i++) {
        failed = compile_text(&t, &now);
        if (i == 0 || now.total < best.total) best = now;
    }
    if (!failed) {
        printf("decoder of %u layers: %u dispatches, %u barriers (bound %u), %u kernels, arena "
               "%llu bytes\n",
               layers, first.info.dispatches, first.info.barriers, first.info.barrier_bound,
               first.info.kernels, (unsigned long long)first.info.arena_bytes);
        print_timing("first", &first);
        print_timing("best", &best);
    }
    free(t.data);
    return failed ? 1 : 0;
}

/* ---- Running --------------------------------------------------------------------------------- */

typedef struct replay {
    double wall, gpu;
    unsigned mhz; /* the lowest clock meanwhile; 0: not known */
    uint32_t dispatches, barriers;
} replay;

static rp_status time_plan(rp_device *device, const rp_plan *plan, rp_diags *diags, replay *out) {
    static double wall[REPLAYS];
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_exec *exec = NULL;
    rp_status status = rp_exec_create(device, plan, &params, diags, &exec);
    if (status == RP_OK) status = fill_buffers(exec, plan);
    uint32_t count = 0;
    if (status == RP_OK)
        status = busy_seconds(exec, BUSY_PERIOD, &gpu_clocks, &out->gpu, &out->mhz);
    double begin = wall_seconds();
    while (status == RP_OK && count < REPLAYS) {
        double start = wall_seconds();
        if (count >= FEWEST && start - begin > ENOUGH_SECONDS) break;
        status = rp_exec_submit(exec, NULL, NULL, NULL);
        if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
        wall[count++] = wall_seconds() - start;
    }
    uint32_t cold = count / 10;
    rp_exec_destroy(exec);
    out->wall = median(wall + cold, count - cold);
    rp_plan_info info = {.size = sizeof info};
    rp_plan_get_info(plan, &info);
    out->dispatches = info.dispatches;
    out->barriers = info.barriers;
    return status;
}

/* Replays at both levels. The text, NULL: that of the file `path`, which names it anyway. */
static int bench_pipeline(rp_device *device, const char *path, const text *t) {
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = path,
                                       .text = t ? t->data : NULL,
                                       .text_size = t ? t->size : 0,
                                       .target = &own};
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    rp_status status = rp_pipeline_read(NULL, &source, diags, &pipeline);
    replay r[2] = {{0}};
    for (int level = 0; level < 2 && status == RP_OK; level++) {
        rp_plan *plan = NULL;
        const rp_pass_options options = {.size = sizeof options,
                                         .pipeline = rp_pass_level(level),
                                         .lowering = rp_lowering_default()};
        status = rp_compile(rp_pipeline_graph(pipeline), &options, diags, &plan, NULL);
        if (status == RP_OK) status = time_plan(device, plan, diags, &r[level]);
        rp_plan_destroy(plan);
    }
    if (status != RP_OK)
        complain(name, diags);
    else
        printf("%-32s -O0 %3u dispatches %9.1f us (gpu %9.1f) | -O1 %3u dispatches %3u barriers "
               "%9.1f us (gpu %9.1f)",
               name, r[0].dispatches, r[0].wall * 1e6, r[0].gpu * 1e6, r[1].dispatches,
               r[1].barriers, r[1].wall * 1e6, r[1].gpu * 1e6);
    if (status == RP_OK && r[1].mhz) printf(" | %u MHz", r[0].mhz < r[1].mhz ? r[0].mhz : r[1].mhz);
    printf("\n");
    fflush(stdout);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    return status == RP_OK ? 0 : 1;
}

static int bench_text(rp_device *device, text t, const char *name) {
    int failed = bench_pipeline(device, name, &t);
    free(t.data);
    return failed;
}

/* Groups of one replay at -O1, medians, with the labels of their nodes. */
static rp_status print_profile(rp_exec *exec, rp_diags *diags) {
    rp_profile *profile = NULL;
    rp_profile_info info = {.size = sizeof info};
    rp_status status = rp_exec_profile(exec, NULL, diags, &profile);
    if (status != RP_OK) return status;
    rp_profile_get_info(profile, &info);
    printf("whole %.1f us, groups %.1f us, nodes %.1f us, a timestamp %.2f us\n",
           info.whole.median / 1e3, info.groups_sum / 1e3, info.nodes_sum / 1e3, info.stamp / 1e3);
    for (uint32_t i = 0; i < info.groups; i++) {
        rp_profile_group g = {.size = sizeof g};
        rp_profile_get_group(profile, i, &g);
        printf("%8.2f us |", g.time.median / 1e3);
        for (uint32_t n = g.first_node; n < g.first_node + g.node_count; n++) {
            rp_profile_node node = {.size = sizeof node};
            rp_profile_get_node(profile, n, &node);
            printf(" n%u %s [%u] alone %.2f us", node.id, node.kernel ? node.kernel : "",
                   node.grid[0], node.time.median / 1e3);
        }
        printf("\n");
    }
    rp_profile_destroy(profile);
    return RP_OK;
}

static int profile_step(rp_device *device, const char *dtype, uint32_t layers) {
    text t = decoder(layers, dtype, true);
    const rp_pipeline_source source = {
        .size = sizeof source, .text = t.data, .text_size = t.size, .target = &own};
    const rp_pass_options options = {.size = sizeof options, .lowering = rp_lowering_default()};
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    rp_plan *plan = NULL;
    rp_exec *exec = NULL;
    rp_status status = rp_pipeline_read(NULL, &source, diags, &pipeline);
    if (status == RP_OK)
        status = rp_compile(rp_pipeline_graph(pipeline), &options, diags, &plan, NULL);
    if (status == RP_OK) status = rp_exec_create(device, plan, NULL, diags, &exec);
    if (status == RP_OK) status = fill_buffers(exec, plan);
    if (status == RP_OK) status = print_profile(exec, diags);
    if (status != RP_OK) complain("profile", diags);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    free(t.data);
    return status == RP_OK ? 0 : 1;
}

static int print_step(const char *dtype, uint32_t layers) {
    text t = decoder(layers, dtype, true);
    fputs(t.data, stdout);
    free(t.data);
    return 0;
}

static int bench_step(rp_device *device, const char *dtype) {
    char name[64];
    snprintf(name, sizeof name, "decode step, %s", dtype);
    return bench_text(device, decoder(16, dtype, true), name);
}

static int bench_knn(rp_device *device, unsigned long n, unsigned long d) {
    int failures = 0;
    for (uint32_t q = 1; q <= 1000; q *= 10) {
        text t = {0};
        char name[64];
        snprintf(name, sizeof name, "knn, %u of %lu x %lu", q, n, d);
        add(&t, "reprise: 1\nname: knn\nbuffers:\n");
        add(&t, "  q: {kind: in, dtype: f32, shape: [%u, %lu]}\n", q, d);
        add(&t, "  base: {kind: weight, dtype: f32, shape: [%lu, %lu]}\n", n, d);
        add(&t, "  values: {kind: out, dtype: f32, shape: [%u, 10]}\n", q);
        add(&t, "  ids: {kind: out, dtype: u32, shape: [%u, 10]}\nnodes:\n", q);
        add(&t, "  - {op: knn, queries: q, base: base, k: 10, values: values, indices: ids}\n");
        failures += bench_text(device, t, name);
    }
    return failures;
}

/* ---- The command line ------------------------------------------------------------------------ */

static int usage(void) {
    fprintf(stderr,
            "usage: bench_ops [decoder [LAYERS]] | step [DTYPE [profile|print [LAYERS]]] | knn "
            "[N [D]] | run PIPELINE.yaml...\n");
    return 2;
}

static unsigned long number(int argc, char **argv, int at, unsigned long fallback) {
    return at < argc ? strtoul(argv[at], NULL, 10) : fallback;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "decoder";
    if (strcmp(what, "decoder") == 0) return bench_decoder((uint32_t)number(argc, argv, 2, 16));
    if (strcmp(what, "step") == 0 && argc > 3 && strcmp(argv[3], "print") == 0)
        return print_step(argv[2], (uint32_t)number(argc, argv, 4, 16));
    bool step = strcmp(what, "step") == 0, knn = strcmp(what, "knn") == 0;
    if (!step && !knn && (argc < 3 || strcmp(what, "run") != 0)) return usage();
    if (step && argc > 3 && strcmp(argv[3], "profile") != 0) return usage();
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    int failures = 0;
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        complain("no device", diags);
        return 3;
    }
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(device, &info);
    rp_device_target(device, &own);
    printf("%s\n", info.name);
    clock_open(&gpu_clocks, info.name);
    if (step && argc > 3)
        failures = profile_step(device, argv[2], (uint32_t)number(argc, argv, 4, 16));
    else if (step)
        failures = bench_step(device, argc > 2 ? argv[2] : "f16");
    else if (knn)
        failures = bench_knn(device, number(argc, argv, 2, 1000000), number(argc, argv, 3, 128));
    else
        for (int i = 2; i < argc; i++) failures += bench_pipeline(device, argv[i], NULL);
    clock_close(&gpu_clocks);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures ? 1 : 0;
}
