/* How near matrix-vector products come to the memory's speed.
 *
 *   bench_matvec [MIB [DTYPE | DTYPE,B,M,K]...]
 *
 * For each shape and dtype (those that are named, else all) one plan of as many products as read about
 * MIB (default 1024) MiB of weights, each its own, so that no cache holds them. All products are
 * independent of each other ("apart", the best a kernel can do) or each takes the one before's
 * result ("chain", square shapes alone: a barrier stands between any two, as in a model); or they
 * are siblings, rows of one x in threes and what a compile fuses of them ("siblings"); all compiled
 * for the device's own target. GPU time by the replay's two timestamps, median over a fifth of a
 * second with a full queue, after at least as long to warm up (busy.h). The clock is the lowest
 * that was seen meanwhile. Numbers are bytes of weights by time; compare with what a copy reaches.
 * What a device cannot hold is left out, with the reason. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "busy.h"
#include "fill.h"
#include "statistics.h"

enum { MAX_PRODUCTS = 510, DEFAULT_MIB = 1024, FEW_MIB = 4096 };

typedef enum way { APART, CHAIN, SIBLINGS } way;

typedef struct shape {
    const char *dtype;
    uint32_t b, m, k;
} shape;

static const shape shapes[] = {
    {"f16", 1, 2048, 2048},   {"f16", 1, 8192, 2048},  {"f16", 1, 2048, 8192},
    {"f16", 1, 4096, 4096},   {"f16", 1, 14336, 4096}, {"f16", 1, 512, 2048},
    {"f16", 1, 128256, 2048}, {"f16", 4, 4096, 4096},  {"f16", 8, 4096, 4096},
    {"bf16", 1, 2048, 2048},  {"bf16", 1, 4096, 4096}, {"bf16", 8, 4096, 4096},
    {"f32", 1, 2048, 2048},   {"q8_0", 1, 2048, 2048}, {"q8_0", 1, 8192, 2048},
    {"q8_0", 1, 2048, 8192},  {"q8_0", 1, 4096, 4096}, {"q8_0", 1, 128256, 2048},
    {"q8_0", 8, 4096, 4096},  {"q4_0", 1, 2048, 2048}, {"q4_0", 1, 8192, 2048},
    {"q4_0", 1, 2048, 8192},  {"q4_0", 1, 4096, 4096}, {"q4_0", 1, 128256, 2048},
    {"q4_0", 8, 4096, 4096},
};

static double weight_bytes(const shape *s) {
    double elements = (double)s->m * s->k;
    if (strcmp(s->dtype, "f32") == 0) return elements * 4;
    if (strcmp(s->dtype, "f16") == 0 || strcmp(s->dtype, "bf16") == 0) return elements * 2;
    return elements / 32 * (strcmp(s->dtype, "q8_0") == 0 ? 34 : 18);
}

static char *program(const shape *s, uint32_t count, way how) {
    size_t room = 512 + (size_t)count * 768, n = 0;
    char *text = malloc(room);
    if (!text) abort();
#define ADD(...) n += (size_t)snprintf(text + n, room - n, __VA_ARGS__)
    ADD("reprise 1\ngraph products {\n  buf $x0 in f32[%u,%u]\n", s->b, s->k);
    for (uint32_t i = 0; i < count; i++) {
        ADD("  buf $w%u weight %s[%u,%u]\n", i, s->dtype, s->m, s->k);
        ADD("  buf $x%u out f32[%u,%u]\n", i + 1, s->b, s->m);
    }
    for (uint32_t i = 0; how == SIBLINGS && i < count; i += 3)
        ADD("  buf %%n%u tmp f32[%u,%u]\n", i, s->b, s->k);
    for (uint32_t i = 0; i < count; i++) {
        if (how == SIBLINGS && i % 3 == 0)
            ADD("  n%u = op rms_norm (r $x0:f32[%u,%u], -, w %%n%u:f32[%u,%u])\n", i + i / 3, s->b,
                s->k, i, s->b, s->k);
        ADD("  n%u = op matvec (r %s%u:f32[%u,%u], r $w%u:%s[%u,%u], w $x%u:f32[%u,%u])\n",
            how == SIBLINGS ? i + i / 3 + 1 : i, how == SIBLINGS ? "%n" : "$x",
            how == SIBLINGS ? i - i % 3
            : how == CHAIN  ? i
                            : 0,
            s->b, s->k, i, s->dtype, s->m, s->k, i + 1, s->b, s->m);
    }
    ADD("}\n");
#undef ADD
    return text;
}

static int complain(const rp_diags *diags, rp_status status) {
    fprintf(stderr, "bench_matvec: %s\n", rp_status_name(status));
    for (uint32_t i = 0; i < rp_diags_count(diags); i++)
        fprintf(stderr, "  %s\n", rp_diags_get(diags, i).message);
    return -1;
}

/* Seconds of one replay; negative when something failed. */
static double measure(rp_device *device, const rp_target *target, gpu_clock *clock, const shape *s,
                      uint32_t count, way how, unsigned *out_mhz) {
    rp_diags *diags = rp_diags_create(NULL);
    char *text = program(s, count, how);
    const rp_pass_options options = {
        .size = sizeof options, .lowering = rp_lowering_default(), .target = target};
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    rp_exec *exec = NULL;
    double seconds = -1;
    rp_status status = rp_graph_parse(NULL, text, strlen(text), "products", diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, &options, diags, &plan, NULL);
    if (status == RP_OK) status = rp_exec_create(device, plan, &params, diags, &exec);
    if (status == RP_OK) status = fill_buffers(exec, plan);
    unsigned mhz = 0;
    if (status == RP_OK) status = busy_seconds(exec, 0.2, clock, &seconds, &mhz);
    if (mhz && (!*out_mhz || mhz < *out_mhz)) *out_mhz = mhz;
    if (status != RP_OK) complain(diags, status);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    free(text);
    rp_diags_destroy(diags);
    return status == RP_OK ? seconds : -1;
}

/* Whether the shape or its dtype stands behind MIB; where nothing does, all are. */
static bool is_wanted(int argc, char **argv, const shape *s) {
    char given[64];
    snprintf(given, sizeof given, "%s,%u,%u,%u", s->dtype, s->b, s->m, s->k);
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], given) == 0 || strcmp(argv[i], s->dtype) == 0) return true;
    return argc < 3;
}

int main(int argc, char **argv) {
    double mib = argc > 1 ? atof(argv[1]) : DEFAULT_MIB;
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    if (mib <= 0 || mib > FEW_MIB) {
        fprintf(stderr, "usage: bench_matvec [MIB [DTYPE | DTYPE,B,M,K]...], at most %d MiB\n",
                FEW_MIB);
        return 2;
    }
    rp_status status = rp_device_create(NULL, NULL, diags, &device);
    if (status != RP_OK) return complain(diags, status) ? 3 : 0;
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(device, &info);
    rp_target target = RP_TARGET_INIT;
    rp_device_target(device, &target);
    gpu_clock clock;
    clock_open(&clock, info.name);
    printf("%s, about %.0f MiB of weights a replay; GB/s of weights\n", info.name, mib);
    printf("%-6s %2s %7s %6s %9s %9s %9s %9s %6s\n", "dtype", "B", "M", "K", "products", "apart",
           "chain", "siblings", "MHz");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *s = &shapes[i];
        if (!is_wanted(argc, argv, s)) continue;
        double bytes = weight_bytes(s), wanted = mib * 1048576 / bytes;
        uint32_t count = wanted < 3 ? 3 : wanted > MAX_PRODUCTS ? MAX_PRODUCTS : (uint32_t)wanted;
        count -= count % 3;
        unsigned mhz = 0;
        printf("%-6s %2u %7u %6u %9u", s->dtype, s->b, s->m, s->k, count);
        for (way how = APART; how <= SIBLINGS; how++) {
            bool has = how != CHAIN || s->m == s->k;
            double seconds = has ? measure(device, &target, &clock, s, count, how, &mhz) : 0;
            if (seconds > 0)
                printf(" %9.0f", bytes * count / seconds * 1e-9);
            else
                printf(" %9s", has ? "failed" : "");
        }
        if (mhz) printf(" %6u", mhz);
        printf("\n");
        fflush(stdout);
    }
    clock_close(&clock);
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return 0;
}
