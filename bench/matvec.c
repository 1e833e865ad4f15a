/* How near matrix-vector products come to the memory's speed.
 *
 *   bench_matvec [MIB]
 *
 * For each shape and dtype one plan of as many products as read about MIB (default 1024) MiB of
 * weights, each its own, so that no cache holds them. All products are independent of each other
 * ("apart", the best a kernel can do) or each takes the one before's result ("chain", square shapes
 * alone: a barrier stands between any two, as in a model). GPU time by the replay's two timestamps,
 * median of 30 replays. Numbers are bytes of weights by time; compare with what a copy reaches.
 * What a device cannot hold is left out, with the reason. */
#include <stdio.h>
#include <string.h>

#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "fill.h"
#include "statistics.h"

enum { REPLAYS = 30, WARM_UP = 3, MAX_PRODUCTS = 512, DEFAULT_MIB = 1024, FEW_MIB = 4096 };

typedef struct shape {
    const char *dtype;
    uint32_t b, m, k;
} shape;

static const shape shapes[] = {
    {"f16", 1, 2048, 2048},   {"f16", 1, 8192, 2048},  {"f16", 1, 2048, 8192},
    {"f16", 1, 4096, 4096},   {"f16", 1, 14336, 4096}, {"f16", 1, 512, 2048},
    {"f16", 1, 128256, 2048}, {"f16", 4, 4096, 4096},  {"f16", 8, 4096, 4096},
    {"f32", 1, 2048, 2048},   {"q8_0", 1, 2048, 2048}, {"q8_0", 1, 8192, 2048},
    {"q8_0", 1, 4096, 4096},  {"q8_0", 8, 4096, 4096}, {"q4_0", 1, 2048, 2048},
    {"q4_0", 1, 8192, 2048},  {"q4_0", 1, 4096, 4096}, {"q4_0", 8, 4096, 4096},
};

static double weight_bytes(const shape *s) {
    double elements = (double)s->m * s->k;
    if (strcmp(s->dtype, "f32") == 0) return elements * 4;
    if (strcmp(s->dtype, "f16") == 0) return elements * 2;
    return elements / 32 * (strcmp(s->dtype, "q8_0") == 0 ? 34 : 18);
}

static char *program(const shape *s, uint32_t count, int chain) {
    size_t room = 512 + (size_t)count * 512, n = 0;
    char *text = malloc(room);
    if (!text) abort();
#define ADD(...) n += (size_t)snprintf(text + n, room - n, __VA_ARGS__)
    ADD("reprise 1\ngraph products {\n  buf $x0 in f32[%u,%u]\n", s->b, s->k);
    for (uint32_t i = 0; i < count; i++) {
        ADD("  buf $w%u weight %s[%u,%u]\n", i, s->dtype, s->m, s->k);
        ADD("  buf $x%u out f32[%u,%u]\n", i + 1, s->b, s->m);
    }
    for (uint32_t i = 0; i < count; i++)
        ADD("  n%u = op matvec (r $x%u:f32[%u,%u], r $w%u:%s[%u,%u], w $x%u:f32[%u,%u])\n", i,
            chain ? i : 0, s->b, s->k, i, s->dtype, s->m, s->k, i + 1, s->b, s->m);
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

static rp_status replay(rp_exec *exec, double *seconds) {
    static double gpu[REPLAYS];
    for (uint32_t i = 0; i < WARM_UP + REPLAYS; i++) {
        rp_status status = rp_exec_submit(exec, NULL, NULL, NULL);
        if (status == RP_OK) status = rp_exec_wait(exec, 0, UINT64_MAX, NULL);
        if (status != RP_OK) return status;
        if (i >= WARM_UP) gpu[i - WARM_UP] = rp_exec_gpu_seconds(exec, 0);
    }
    *seconds = median(gpu, REPLAYS);
    return RP_OK;
}

/* Seconds of one replay; negative when something failed. */
static double measure(rp_device *device, const shape *s, uint32_t count, int chain) {
    rp_diags *diags = rp_diags_create(NULL);
    char *text = program(s, count, chain);
    const rp_pass_options options = {.lowering = rp_lowering_default()};
    const rp_exec_params params = {.size = sizeof params, .timestamps = 1};
    rp_graph *graph = NULL;
    rp_plan *plan = NULL;
    rp_exec *exec = NULL;
    double seconds = -1;
    rp_status status = rp_graph_parse(NULL, text, strlen(text), "products", diags, &graph);
    if (status == RP_OK) status = rp_compile(graph, &options, diags, &plan, NULL);
    if (status == RP_OK) status = rp_exec_create(device, plan, &params, diags, &exec);
    if (status == RP_OK) status = fill_buffers(exec, plan);
    if (status == RP_OK) status = replay(exec, &seconds);
    if (status != RP_OK) complain(diags, status);
    rp_exec_destroy(exec);
    rp_plan_destroy(plan);
    rp_graph_destroy(graph);
    free(text);
    rp_diags_destroy(diags);
    return status == RP_OK ? seconds : -1;
}

int main(int argc, char **argv) {
    double mib = argc > 1 ? atof(argv[1]) : DEFAULT_MIB;
    rp_diags *diags = rp_diags_create(NULL);
    rp_device *device = NULL;
    if (mib <= 0 || mib > FEW_MIB) {
        fprintf(stderr, "usage: bench_matvec [MIB], at most %d\n", FEW_MIB);
        return 2;
    }
    rp_status status = rp_device_create(NULL, NULL, diags, &device);
    if (status != RP_OK) return complain(diags, status) ? 3 : 0;
    rp_device_info info = {.size = sizeof info};
    rp_device_get_info(device, &info);
    printf("%s, about %.0f MiB of weights a replay\n", info.name, mib);
    printf("%-6s %2s %7s %6s %9s %12s %9s %12s %9s\n", "dtype", "B", "M", "K", "products",
           "apart us", "GB/s", "chain us", "GB/s");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *s = &shapes[i];
        double bytes = weight_bytes(s), wanted = mib * 1048576 / bytes;
        uint32_t count = wanted < 1 ? 1 : wanted > MAX_PRODUCTS ? MAX_PRODUCTS : (uint32_t)wanted;
        double apart = measure(device, s, count, 0);
        double chain = s->m == s->k ? measure(device, s, count, 1) : 0;
        if (apart < 0 || chain < 0) continue;
        printf("%-6s %2u %7u %6u %9u %12.2f %9.0f", s->dtype, s->b, s->m, s->k, count,
               apart / count * 1e6, bytes * count / apart * 1e-9);
        if (chain > 0) printf(" %12.2f %9.0f", chain / count * 1e6, bytes * count / chain * 1e-9);
        printf("\n");
        fflush(stdout);
    }
    rp_device_destroy(device, NULL);
    rp_diags_destroy(diags);
    return 0;
}
