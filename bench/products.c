/* How fast matrix products are, beside a plain shader.
 *
 *   bench_products                     the shapes below that suit the device
 *   bench_products DTYPE M N K...      these: DTYPE of the weights, x being f32, or of f16, bf16 and
 *                                      i8 the same, where of i8 a shift makes i8 of the sums
 *   bench_products parts DTYPE M N K...   the same products with k whole and in 2, 4, 8 and 16 parts, beside
 *                                      the number that the target's figures lead to
 *
 * For each shape one plan of an even number of products in a chain, each taking the one before's
 * result: x of M x K times weights of N x K, transposed as `linear` has them, then of K x N, and so
 * on. So a barrier stands between any two, as in a model, and both shapes have the same share. For
 * f32 the same chain is made of a shader that anybody would write first: a thread for each element
 * of the result, which goes over k. Replays of the two alternate; times are the medians of rounds
 * by the replays' timestamps, the ratio is the median of the rounds' ratios.
 *
 * On a GPU the queue is kept full for two seconds before the first shape, and a little before each
 * of the others, since one that idles runs at a fraction of its clock. Large products leave the
 * plain shader out, which is a hundred times slower.
 *
 * Products in parts are graphs in the text form, which leaves them as they are written: x of M x K
 * times each of four weights in turn, a fence between any two; rounds of all ways alternate, with a
 * full queue. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "busy.h"
#include "fill.h"
#include "statistics.h"

enum { ROUNDS = 40, WARM_UP = 3, MOST_PRODUCTS = 32, IN_FLIGHT = 4 };

static const double FIRST_SECONDS = 2, NEXT_SECONDS = 0.25; /* of warming up */
static const double REPLAY_OPERATIONS = 1e11, SOFTWARE_OPERATIONS = 4e7;
static const double PLAIN_OPERATIONS = 1e9; /* of a product that the plain shader is timed at */

typedef struct shape {
    const char *dtype;
    uint32_t m, n, k;
} shape;

/* Those that are too long for a software device come last. */
static const shape shapes[] = {
    {"f32", 32, 384, 384},      {"f32", 16, 384, 384},     {"f32", 16, 1536, 384},
    {"f32", 128, 384, 384},     {"f32", 128, 1536, 384},   {"q8_0", 32, 384, 384},
    {"q4_0", 32, 384, 384},     {"f16", 32, 384, 384},     {"f32", 1024, 384, 384},
    {"f32", 1024, 1536, 384},   {"f32", 8192, 384, 384},   {"f32", 8192, 1536, 384},
    {"f32", 32, 4096, 4096},    {"f32", 256, 256, 4096},   {"f32", 2048, 2048, 2048},
    {"f32", 4096, 4096, 4096},  {"f16", 4096, 4096, 4096}, {"q8_0", 4096, 4096, 4096},
    {"q4_0", 4096, 4096, 4096},
};

static const char plain_shader[] =
    "#version 450\n"
    "layout(local_size_x = 64) in;\n"
    "layout(binding = 0) readonly buffer X { float x[]; };\n"
    "layout(binding = 1) readonly buffer Weight { float weight[]; };\n"
    "layout(binding = 2) writeonly buffer Out { float y[]; };\n"
    "void main() {\n"
    "    uint i = gl_GlobalInvocationID.x, row = i / N, column = i % N;\n"
    "    if (row >= M) return;\n"
    "    float sum = 0.0;\n"
    "    for (uint k = 0u; k < K; k++)\n"
    "        sum = fma(x[row * K + k], weight[column * K + k], sum);\n"
    "    y[i] = sum;\n"
    "}\n";

static int complain(const char *what, const rp_diags *diags, rp_status status) {
    fprintf(stderr, "bench_products: %s: %s\n", what, rp_status_name(status));
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
    return -1;
}

/* ---- Chains ---------------------------------------------------------------------------------- */

typedef struct chain {
    const shape *s;
    uint32_t count;    /* of products, even */
    bool plain, bytes; /* of i8 */
    rp_buffer sums[2]; /* of bytes */
    rp_program *program;
    rp_recorder *recorder;
    rp_kernel kernels[2];
    rp_exec *exec;
    rp_plan *plan;
} chain;

static rp_dtype dtype_of(const char *name) {
    for (uint32_t i = 0; rp_dtype_name((rp_dtype)i); i++)
        if (strcmp(rp_dtype_name((rp_dtype)i), name) == 0) return (rp_dtype)i;
    return RP_RAW;
}

/* Whether x has the dtype of the weights. */
static bool is_same(rp_dtype weights) {
    return weights == RP_F16 || weights == RP_BF16 || weights == RP_I8;
}

static rp_status add_buffer(chain *c, const char *name, rp_buffer_kind kind, rp_dtype dtype,
                            uint32_t rows, uint32_t columns, rp_diags *diags, rp_buffer *out) {
    const rp_buffer_params params = {.size = sizeof params,
                                     .name = name,
                                     .kind = kind,
                                     .dtype = dtype,
                                     .rank = 2,
                                     .shape = {rows, columns}};
    return rp_program_buffer(c->program, &params, diags, out);
}

/* The shader for products that give `columns` of `length` terms. */
static rp_status add_kernel(chain *c, const char *name, uint32_t columns, uint32_t length,
                            rp_diags *diags, rp_kernel *out) {
    char sizes[3][16];
    const char *const defines[] = {sizes[0], sizes[1], sizes[2]};
    snprintf(sizes[0], sizeof sizes[0], "M=%uu", c->s->m);
    snprintf(sizes[1], sizeof sizes[1], "N=%uu", columns);
    snprintf(sizes[2], sizeof sizes[2], "K=%uu", length);
    const rp_kernel_params params = {.size = sizeof params,
                                     .name = name,
                                     .glsl = plain_shader,
                                     .defines = defines,
                                     .define_count = 3};
    return rp_program_kernel(c->program, &params, diags, out);
}

/* The upper bits of sums in i32: what is fused behind products of i8. */
static void add_shift(chain *c, rp_buffer sums, rp_buffer out) {
    const rp_operand operands[] = {{.name = "a", .range = {.buffer = sums}},
                                   {.name = "out", .range = {.buffer = out}}};
    const rp_attribute shift = {.name = "expr", .text = "a >> 8"};
    rp_apply(c->recorder, "map", operands, 2, &shift, 1);
}

static void add_product(chain *c, uint32_t i, rp_buffer x, rp_buffer weight, rp_buffer out) {
    if (!c->plain) {
        const rp_operand operands[] = {
            {.name = "a", .range = {.buffer = x}},
            {.name = "b", .range = {.buffer = weight}},
            {.name = "out", .range = {.buffer = c->bytes ? c->sums[i % 2] : out}},
        };
        const rp_attribute transposed = {.name = "transpose_b", .number = 1};
        rp_apply(c->recorder, "matmul", operands, 3, &transposed, 1);
        if (c->bytes) add_shift(c, c->sums[i % 2], out);
        return;
    }
    uint64_t threads = (uint64_t)c->s->m * (i % 2 ? c->s->k : c->s->n);
    rp_bind_kernel(c->recorder, c->kernels[i % 2]);
    rp_bind(c->recorder, 0, (rp_range){.buffer = x});
    rp_bind(c->recorder, 1, (rp_range){.buffer = weight});
    rp_bind(c->recorder, 2, (rp_range){.buffer = out});
    rp_dispatch(c->recorder, (uint32_t)((threads + 63) / 64), 1, 1);
}

static rp_status record(chain *c, rp_diags *diags) {
    const shape *s = c->s;
    rp_dtype weights = dtype_of(s->dtype);
    rp_dtype dtype = is_same(weights) ? weights : RP_F32;
    c->bytes = weights == RP_I8;
    rp_buffer x, weight[2], between[2], y;
    rp_status status = add_buffer(c, "x", RP_IN, dtype, s->m, s->k, diags, &x);
    if (status == RP_OK) status = add_buffer(c, "y", RP_OUT, dtype, s->m, s->k, diags, &y);
    for (uint32_t i = 0; i < 2 && status == RP_OK; i++) {
        uint32_t columns = i ? s->k : s->n, length = i ? s->n : s->k;
        status =
            add_buffer(c, i ? "w1" : "w0", RP_WEIGHT, weights, columns, length, diags, &weight[i]);
        if (status == RP_OK)
            status =
                add_buffer(c, i ? "t1" : "t0", RP_TMP, dtype, s->m, columns, diags, &between[i]);
        if (status == RP_OK && c->bytes)
            status =
                add_buffer(c, i ? "s1" : "s0", RP_TMP, RP_I32, s->m, columns, diags, &c->sums[i]);
        if (status == RP_OK && c->plain)
            status = add_kernel(c, i ? "second" : "first", columns, length, diags, &c->kernels[i]);
    }
    for (uint32_t i = 0; i < c->count && status == RP_OK; i++)
        add_product(c, i, i ? between[(i - 1) % 2] : x, weight[i % 2],
                    i + 1 < c->count ? between[i % 2] : y);
    return status;
}

static void close_chain(chain *c) {
    rp_exec_destroy(c->exec);
    rp_plan_destroy(c->plan);
    rp_recorder_destroy(c->recorder);
    rp_program_destroy(c->program);
}

static rp_status open_chain(rp_device *device, const rp_target *target, chain *c, rp_diags *diags) {
    const rp_pass_options options = {
        .size = sizeof options, .lowering = rp_lowering_default(), .target = target};
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1, .slots = IN_FLIGHT};
    rp_graph *graph = NULL;
    rp_status status = rp_program_create(NULL, "products", &c->program);
    if (status == RP_OK) status = rp_recorder_create(c->program, &c->recorder);
    if (status == RP_OK) status = record(c, diags);
    if (status == RP_OK) status = rp_program_graph(c->program, &c->recorder, 1, diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, &options, diags, &c->plan, NULL);
    if (status == RP_OK) status = rp_exec_create(device, c->plan, &params, diags, &c->exec);
    if (status == RP_OK) status = fill_buffers(c->exec, c->plan);
    rp_graph_destroy(graph);
    return status;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static rp_status warm_up(chain *c) {
    static bool warm;
    double start = wall_seconds(), least = warm ? NEXT_SECONDS : FIRST_SECONDS;
    rp_status status = RP_OK;
    warm = true;
    for (uint32_t i = 0; status == RP_OK && wall_seconds() - start < least; i++) {
        if (i >= IN_FLIGHT) status = rp_exec_wait(c->exec, i % IN_FLIGHT, UINT64_MAX, NULL);
        const rp_submit_params params = {.size = sizeof params, .slot = i % IN_FLIGHT};
        if (status == RP_OK) status = rp_exec_submit(c->exec, &params, NULL, NULL);
    }
    for (uint32_t i = 0; status == RP_OK && i < IN_FLIGHT; i++)
        status = rp_exec_wait(c->exec, i, UINT64_MAX, NULL);
    return status;
}

static rp_status replay(chain *c, double *seconds) {
    rp_status status = rp_exec_submit(c->exec, NULL, NULL, NULL);
    if (status == RP_OK) status = rp_exec_wait(c->exec, 0, UINT64_MAX, NULL);
    *seconds = rp_exec_gpu_seconds(c->exec, 0);
    return status;
}

static rp_status measure(chain chains[2], uint32_t count, bool gpu, double *out, double *ratio) {
    static double seconds[2][ROUNDS], ratios[ROUNDS];
    rp_status status = gpu ? warm_up(&chains[0]) : RP_OK;
    for (uint32_t i = 0; i < WARM_UP + ROUNDS && status == RP_OK; i++) {
        double now[2] = {1, 1};
        for (uint32_t c = 0; c < count && status == RP_OK; c++)
            status = replay(&chains[c], &now[c]);
        if (i < WARM_UP) continue;
        for (uint32_t c = 0; c < 2; c++) seconds[c][i - WARM_UP] = now[c];
        ratios[i - WARM_UP] = now[0] / now[1];
    }
    for (uint32_t c = 0; c < 2; c++) out[c] = median(seconds[c], ROUNDS);
    *ratio = median(ratios, ROUNDS);
    return status;
}

static int bench_shape(rp_device *device, const rp_target *target, const shape *s, bool gpu) {
    double operations = 2.0 * s->m * s->n * s->k, seconds[2], ratio;
    double wanted = (gpu ? REPLAY_OPERATIONS : SOFTWARE_OPERATIONS) / operations;
    uint32_t count = wanted < 2 ? 2 : wanted > MOST_PRODUCTS ? MOST_PRODUCTS : (uint32_t)wanted;
    bool plain = strcmp(s->dtype, "f32") == 0 && (!gpu || operations <= PLAIN_OPERATIONS);
    uint32_t ways = plain ? 2 : 1;
    chain chains[2] = {{.s = s, .count = count / 2 * 2},
                       {.s = s, .count = count / 2 * 2, .plain = true}};
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = RP_OK;
    for (uint32_t c = 0; c < ways && status == RP_OK; c++)
        status = open_chain(device, target, &chains[c], diags);
    if (status == RP_OK) status = measure(chains, ways, gpu, seconds, &ratio);
    if (status == RP_OK) {
        double each = seconds[0] / chains[0].count;
        printf("%-5s %6u %6u %6u %9u %12.2f %10.1f", s->dtype, s->m, s->n, s->k, chains[0].count,
               each * 1e6, operations / each * 1e-9);
        if (ways == 2) printf(" %12.2f %7.3f", seconds[1] / chains[1].count * 1e6, ratio);
        printf("\n");
        fflush(stdout);
    } else {
        char name[64];
        snprintf(name, sizeof name, "%s %u %u %u", s->dtype, s->m, s->n, s->k);
        complain(name, diags, status);
    }
    for (uint32_t c = 0; c < 2; c++) close_chain(&chains[c]);
    rp_diags_destroy(diags);
    return status == RP_OK ? 0 : 1;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

enum { WAYS = 5, PART_ROUNDS = 3, GRAPH_TEXT = 16384, WEIGHTS = 4 };

/* `count` products, each in `parts` parts of k. */
static void write_parts(char text[GRAPH_TEXT], const shape *s, uint32_t count, uint32_t parts) {
    rp_dtype weights = dtype_of(s->dtype);
    const char *dtype = is_same(weights) ? s->dtype : "f32",
               *sums = weights == RP_I8 ? "i32" : "f32";
    const char *out = weights == RP_I8 ? "i32" : dtype;
    char a[64], b[64], y[64], p[64];
    size_t at = 0;
#define PUT(...) at += (size_t)snprintf(text + at, GRAPH_TEXT - at, __VA_ARGS__)
    snprintf(a, sizeof a, "%s[%u,%u]", dtype, s->m, s->k);
    snprintf(b, sizeof b, "%s[%u,%u]", s->dtype, s->n, s->k);
    snprintf(y, sizeof y, "%s[%u,%u]", out, s->m, s->n);
    snprintf(p, sizeof p, "%s[%u,1,%u,%u]", sums, parts, s->m, s->n);
    PUT("reprise 1\ngraph products {\n  buf $a in %s\n", a);
    for (uint32_t i = 0; i < WEIGHTS; i++) PUT("  buf $w%u weight %s\n", i, b);
    for (uint32_t i = 0; i < count; i++) PUT("  buf $y%u out %s\n  buf %%p%u tmp %s\n", i, y, i, p);
    for (uint32_t i = 0, id = 0; i < count; i++) {
        if (i) PUT("  n%u = fence\n", id++);
        if (parts == 1) {
            PUT("  n%u = op matmul {transpose_b=1} (r $a:%s, r $w%u:%s, w $y%u:%s)\n", id++, a,
                i % WEIGHTS, b, i, y);
            continue;
        }
        PUT("  n%u = op matmul_partial {transpose_b=1, splits=%u} (r $a:%s, r $w%u:%s, w "
            "%%p%u:%s)\n",
            id++, parts, a, i % WEIGHTS, b, i, p);
        PUT("  n%u = op matmul_merge (r %%p%u:%s, w $y%u:%s)\n", id++, i, p, i, y);
    }
    PUT("}\n");
#undef PUT
}

static rp_status open_parts(rp_device *device, const rp_target *target, const shape *s,
                            uint32_t count, uint32_t parts, rp_diags *diags, chain *c) {
    static char text[GRAPH_TEXT];
    const rp_pass_options options = {
        .size = sizeof options, .lowering = rp_lowering_default(), .target = target};
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_graph *graph = NULL;
    write_parts(text, s, count, parts);
    rp_status status = rp_graph_parse(NULL, text, strlen(text), "products", diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, &options, diags, &c->plan, NULL);
    if (status == RP_OK) status = rp_exec_create(device, c->plan, &params, diags, &c->exec);
    if (status == RP_OK) status = fill_buffers(c->exec, c->plan);
    rp_graph_destroy(graph);
    return status;
}

/* How many parts the target's figures lead to. */
static uint64_t default_parts(const shape *s, const rp_target *target) {
    char a[64], b[64], *text = NULL;
    const rp_kernel_given given[] = {{"a", a}, {"b", b}, {"transpose_b", "1"}};
    snprintf(a, sizeof a, "%s[%u,%u]", is_same(dtype_of(s->dtype)) ? s->dtype : "f32", s->m, s->k);
    snprintf(b, sizeof b, "%s[%u,%u]", s->dtype, s->n, s->k);
    rp_kernel_choice(NULL, "matmul", given, 3, target, NULL, &text);
    const char *splits = text ? strstr(text, "splits=") : NULL;
    uint64_t parts = splits ? strtoull(splits + strlen("splits="), NULL, 10) : 1;
    rp_op_doc_release(NULL, text);
    return parts;
}

static int bench_parts(rp_device *device, const rp_target *target, const shape *s,
                       gpu_clock *clock) {
    static double gpu[BUSY_SAMPLES], seconds[WAYS][PART_ROUNDS];
    double wanted = 2e10 / (2.0 * s->m * s->n * s->k), unused;
    uint32_t count = wanted < 2 ? 2 : wanted > 16 ? 16 : (uint32_t)wanted, samples = 0, ways = 0;
    chain chains[WAYS] = {{0}};
    rp_diags *diags = rp_diags_create(NULL);
    rp_status status = RP_OK;
    unsigned mhz = 0;
    for (; ways < WAYS && s->k >> ways >= 32 && status == RP_OK; ways++)
        status = open_parts(device, target, s, count, 1u << ways, diags, &chains[ways]);
    if (status == RP_OK) status = busy_seconds(chains[0].exec, 0.02, clock, &unused, NULL);
    clock_least(clock);
    for (uint32_t r = 0; r < PART_ROUNDS && status == RP_OK; r++)
        for (uint32_t w = 0; w < ways && status == RP_OK; w++) {
            status = busy_replays(chains[w].exec, 0.02, gpu, &samples);
            seconds[w][r] = median(gpu, samples);
        }
    mhz = clock_least(clock);
    if (status == RP_OK) {
        printf("%-5s %6u %6u %6u", s->dtype, s->m, s->n, s->k);
        for (uint32_t w = 0; w < WAYS; w++)
            if (w < ways)
                printf(" %9.2f", median(seconds[w], PART_ROUNDS) / count * 1e6);
            else
                printf("         -");
        printf(" %9llu %6u\n", (unsigned long long)default_parts(s, target), mhz);
        fflush(stdout);
    } else {
        complain(s->dtype, diags, status);
    }
    for (uint32_t w = 0; w < WAYS; w++) close_chain(&chains[w]);
    rp_diags_destroy(diags);
    return status == RP_OK ? 0 : 1;
}

static int bench_all_parts(rp_device *device, const rp_target *target, const char *name, int argc,
                           char **argv) {
    gpu_clock clock;
    int failures = 0;
    clock_open(&clock, name);
    printf("%-5s %6s %6s %6s %9s %9s %9s %9s %9s %9s %6s\n", "dtype", "M", "N", "K", "whole us",
           "2 parts", "4 parts", "8 parts", "16 parts", "default", "MHz");
    for (int i = 0; i + 3 < argc; i += 4) {
        const shape s = {argv[i], (uint32_t)atoi(argv[i + 1]), (uint32_t)atoi(argv[i + 2]),
                         (uint32_t)atoi(argv[i + 3])};
        failures += bench_parts(device, target, &s, &clock);
    }
    clock_close(&clock);
    return failures;
}

/* ---- The command line ------------------------------------------------------------------------ */

static int bench_all(rp_device *device, const rp_target *target, bool gpu) {
    enum { SUIT_SOFTWARE = 8 };
    uint32_t count = gpu ? (uint32_t)(sizeof shapes / sizeof *shapes) : SUIT_SOFTWARE;
    int failures = 0;
    for (uint32_t i = 0; i < count; i++) failures += bench_shape(device, target, &shapes[i], gpu);
    return failures;
}

static int bench_given(rp_device *device, const rp_target *target, int argc, char **argv,
                       bool gpu) {
    int failures = 0;
    for (int i = 1; i + 3 < argc; i += 4) {
        const shape s = {argv[i], (uint32_t)atoi(argv[i + 1]), (uint32_t)atoi(argv[i + 2]),
                         (uint32_t)atoi(argv[i + 3])};
        failures += bench_shape(device, target, &s, gpu);
    }
    return failures;
}

int main(int argc, char **argv) {
    bool parts = argc > 1 && strcmp(argv[1], "parts") == 0;
    if (argc % 4 != 1 + parts) {
        fprintf(stderr, "usage: bench_products [parts] [DTYPE M N K]...\n");
        return 2;
    }
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    rp_status status = rp_device_create(NULL, NULL, diags, &device);
    rp_device_info info = {.size = sizeof info};
    rp_target target = RP_TARGET_INIT;
    if (status == RP_OK) status = rp_device_target(device, &target);
    if (status != RP_OK) return complain("no device", diags, status) ? 3 : 0;
    rp_device_get_info(device, &info);
    bool gpu = !info.is_cpu;
    printf("%s\n", info.name);
    if (parts) {
        int result = bench_all_parts(device, &target, info.name, argc - 2, argv + 2);
        rp_device_destroy(device, NULL);
        rp_diags_destroy(diags);
        return result ? 1 : 0;
    }
    printf("%-5s %6s %6s %6s %9s %12s %10s %12s %7s\n", "dtype", "M", "N", "K", "products", "us",
           "GFLOP/s", "plain us", "ratio");
    int failures =
        argc > 1 ? bench_given(device, &target, argc, argv, gpu) : bench_all(device, &target, gpu);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return failures ? 1 : 0;
}
