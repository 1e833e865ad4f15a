/* What the op compiler costs, and what fusion gives.
 *
 *   bench_ops decoder [LAYERS]      compiling a Llama-like decoder of LAYERS (16) layers from YAML
 *   bench_ops run PIPELINE.yaml...  replays at -O0 and at -O1
 *
 * The decoder is generated as text: per layer two norms, seven matrix-vector products, rope, the KV
 * append, attention in 8 parts, the gated product, two residual sums. It is compiled once with
 * whatever kernels are cached (start with an empty XDG_CACHE_HOME to see a cold compile), then
 * again and again; the best run counts, since the others measure the machine. Reading YAML, each
 * pass, and the checker with the packing are told apart.
 *
 * `run` makes up inputs of zeros, which for ids and lengths are always valid, and gives the median
 * time from submission to completion, and of the GPU alone where it says. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "statistics.h"

enum { COMPILES = 20, REPLAYS = 200, WARM_UP = 20 };

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

static void add_weights(text *t, uint32_t l) {
    static const struct {
        const char *name;
        uint32_t rows, columns;
    } weights[] = {{"wq", WIDTH, WIDTH}, {"wk", GROUPS * HEAD, WIDTH}, {"wv", GROUPS * HEAD, WIDTH},
                   {"wo", WIDTH, WIDTH}, {"wg", HIDDEN, WIDTH},        {"wu", HIDDEN, WIDTH},
                   {"wd", WIDTH, HIDDEN}};
    for (uint32_t i = 0; i < sizeof weights / sizeof *weights; i++)
        add(t, "  l%u_%s: {kind: weight, dtype: q8_0, shape: [%u, %u]}\n", l, weights[i].name,
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
    for (uint32_t i = 0; i < 2; i++) {
        add(t, "  - {op: cast, x: l%u_%s, out: {name: l%u_%ch, dtype: f16}}\n", l, i ? "v" : "kr",
            l, "kv"[i]);
        add(t,
            "  - {op: scatter_rows, src: {buffer: l%u_%ch, shape: [1, %u]}, index: position, "
            "dst: l%u_%cc}\n",
            l, "kv"[i], GROUPS * HEAD, l, "kv"[i]);
    }
    add(t, "  - {op: attention_partial, q: {buffer: l%u_qr, shape: [%u, %u]}, ", l, HEADS, HEAD);
    add(t, "k: {buffer: l%u_kc, shape: [%u, %u, %u]}, v: {buffer: l%u_vc, shape: [%u, %u, %u]}, ",
        l, ROWS, GROUPS, HEAD, l, ROWS, GROUPS, HEAD);
    add(t, "length: length, splits: 8, partial: l%u_p, maxima: l%u_m, sums: l%u_s}\n", l, l, l);
    add(t, "  - {op: attention_combine, partial: l%u_p, maxima: l%u_m, sums: l%u_s, out: l%u_a}\n",
        l, l, l, l);
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

static text decoder(uint32_t layers) {
    text t = {0};
    char x[32] = "x";
    add(&t, "reprise: 1\nname: decoder\nbuffers:\n");
    add(&t, "  x: {kind: in, dtype: f32, shape: [1, %u]}\n", WIDTH);
    add(&t, "  y: {kind: out, dtype: f32, shape: [1, %u]}\n", WIDTH);
    add(&t, "  position: {kind: in, dtype: u32, shape: [1]}\n");
    add(&t, "  length: {kind: in, dtype: u32, shape: [1]}\n");
    for (uint32_t l = 0; l < layers; l++) add_weights(&t, l);
    add(&t, "nodes:\n");
    for (uint32_t l = 0; l < layers; l++) {
        add_layer(&t, l, x);
        snprintf(x, sizeof x, "l%u_out", l);
    }
    add(&t, "  - {op: copy, x: %s, out: y}\n", x);
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
    const rp_pass_options options = {.lowering = rp_lowering_default()};
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
        out->info = rp_plan_get_info(plan);
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
    text t = decoder(layers);
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
    uint32_t dispatches, barriers;
} replay;

static rp_status time_plan(rp_device *device, const rp_plan *plan, rp_diags *diags, replay *out) {
    static double wall[REPLAYS], gpu[REPLAYS];
    const rp_exec_params params = {.timestamps = 1};
    rp_exec *exec = NULL;
    rp_status status = rp_exec_create(device, plan, &params, diags, &exec);
    for (uint32_t i = 0; i < WARM_UP + REPLAYS && status == RP_OK; i++) {
        uint32_t k = i < WARM_UP ? 0 : i - WARM_UP;
        double start = wall_seconds();
        status = rp_exec_submit(exec);
        if (status == RP_OK) status = rp_exec_wait(exec, UINT64_MAX);
        wall[k] = wall_seconds() - start;
        gpu[k] = rp_exec_gpu_seconds(exec);
    }
    rp_exec_destroy(exec);
    out->wall = median(wall, REPLAYS);
    out->gpu = median(gpu, REPLAYS);
    out->dispatches = rp_plan_get_info(plan).dispatches;
    out->barriers = rp_plan_get_info(plan).barriers;
    return status;
}

static int bench_run(rp_device *device, const char *path) {
    rp_diags *diags = rp_diags_create(NULL);
    rp_pipeline *pipeline = NULL;
    replay r[2] = {{0}};
    rp_status status = rp_pipeline_load(NULL, path, NULL, 0, diags, &pipeline);
    for (int level = 0; level < 2 && status == RP_OK; level++) {
        rp_plan *plan = NULL;
        const rp_pass_options options = {.pipeline = rp_pass_level(level),
                                         .lowering = rp_lowering_default()};
        status = rp_compile(rp_pipeline_graph(pipeline), &options, diags, &plan, NULL);
        if (status == RP_OK) status = time_plan(device, plan, diags, &r[level]);
        rp_plan_destroy(plan);
    }
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (status != RP_OK)
        complain(name, diags);
    else
        printf("%-32s -O0 %3u dispatches %9.1f us (gpu %9.1f) | -O1 %3u dispatches %3u barriers "
               "%9.1f us (gpu %9.1f)\n",
               name, r[0].dispatches, r[0].wall * 1e6, r[0].gpu * 1e6, r[1].dispatches,
               r[1].barriers, r[1].wall * 1e6, r[1].gpu * 1e6);
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    return status == RP_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "decoder") == 0)
        return bench_decoder(argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 16);
    if (argc < 3 || strcmp(argv[1], "run") != 0) {
        fprintf(stderr, "usage: bench_ops decoder [LAYERS] | run PIPELINE.yaml...\n");
        return 2;
    }
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    int failures = 0;
    if (rp_device_create(NULL, NULL, diags, &device) != RP_OK) {
        complain("no device", diags);
        return 3;
    }
    printf("%s\n", rp_device_get_info(device).name);
    for (int i = 2; i < argc; i++) failures += bench_run(device, argv[i]);
    rp_device_destroy(device);
    rp_diags_destroy(diags);
    return failures ? 1 : 0;
}
