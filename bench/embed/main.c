/* What plans cost inside an application, against the same in plain Vulkan, measured in one run.
 *
 *   bench_embed [-r ROUNDS] [-b BYTES] [-j FILE] [CASE...]
 *
 *   -r  rounds of each comparison (default 200; a tenth of it for long ones)
 *   -b  bytes of the case "upload" (default 1 GiB; K, M and G may follow)
 *   -j  writes the results as JSON, too; "-": to standard output
 *
 * Cases are those of embed.h, all without any. The benchmark has its own VkDevice, which Reprise
 * gets imported. The ways of a case run in turn, round by round, on one queue, in another order each
 * time, so that what else the machine does meets all of them. Shown are medians; a ratio is the
 * median of the ratios of each round. CPU time is that of the calling thread. */
#include <stdlib.h>
#include <string.h>

#include "../statistics.h"
#include "embed.h"

/* ---- Comparing ------------------------------------------------------------------------------- */

enum { MAX_WAYS = 12, WARM = 2 };

typedef struct samples {
    double *wall, *cpu, *scratch;
    uint64_t submits, waits;
} samples;

static rp_counters counters_of(const bench *b) {
    rp_counters counters = {.size = sizeof counters};
    (void)rp_device_get_counters(b->device, &counters);
    return counters;
}

static int run_way(bench *b, const comparison *c, uint32_t w, samples *s, uint32_t round) {
    rp_counters before = counters_of(b);
    double wall = wall_seconds(), cpu = thread_seconds();
    TRY(c->ways[w].run(b, c->state));
    cpu = thread_seconds() - cpu;
    wall = wall_seconds() - wall;
    rp_counters after = counters_of(b);
    if (c->ways[w].settle) TRY(c->ways[w].settle(b, c->state));
    TRY(vk.DeviceWaitIdle(b->plain.device));
    if (round < WARM) return 0;
    s->wall[round - WARM] = wall;
    s->cpu[round - WARM] = cpu;
    s->submits += after.submissions - before.submissions;
    s->waits += after.waits - before.waits;
    return 0;
}

/* Median of a / b, pair by pair. */
static double ratio_of(const double *a, const double *b, double *scratch, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) scratch[i] = a[i] / b[i];
    return median(scratch, count);
}

static double median_of(const double *values, double *scratch, uint32_t count) {
    memcpy(scratch, values, count * sizeof *values);
    return median(scratch, count);
}

static void print_row(const row *r) {
    printf("  %-44s %12.2f %12.2f %8.2f", r->way, r->wall * 1e6, r->cpu * 1e6, r->ratio);
    if (r->bytes > 0) printf(" %8.2f GB/s", r->bytes / r->wall * 1e-9);
    if (r->submits >= 0) printf("  %g submits, %g waits", r->submits, r->waits);
    printf("\n");
}

static void add_rows(bench *b, const comparison *c, samples *all, uint32_t rounds) {
    uint32_t operations = c->operations ? c->operations : 1;
    printf("\n%-46s %12s %12s %8s\n", c->group, "wall us", "CPU us",
           c->by_cpu ? "x CPU" : "x wall");
    for (uint32_t w = 0; w < c->count && b->row_count < MAX_ROWS; w++) {
        const samples *s = &all[w], *base = &all[c->ways[w].against];
        row *r = &b->rows[b->row_count++];
        *r = (row){
            .group = c->group,
            .way = c->ways[w].name,
            .against = c->ways[c->ways[w].against].name,
            .wall = median_of(s->wall, s->scratch, rounds) / operations,
            .cpu = median_of(s->cpu, s->scratch, rounds) / operations,
            .ratio = c->by_cpu ? ratio_of(s->cpu, base->cpu, s->scratch, rounds)
                               : ratio_of(s->wall, base->wall, s->scratch, rounds),
            .bytes = (double)c->bytes,
            .submits = c->counted ? (double)s->submits / rounds / operations : -1,
            .waits = c->counted ? (double)s->waits / rounds / operations : -1,
        };
        print_row(r);
    }
    fflush(stdout);
}

/* Another order in each round but the first: no way has always the same one before it. */
static void shuffle(uint32_t *order, uint32_t count) {
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = (uint32_t)rand() % i, kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static int run_rounds(bench *b, const comparison *c, samples *all, uint32_t rounds) {
    uint32_t order[MAX_WAYS];
    for (uint32_t w = 0; w < c->count; w++) order[w] = w;
    for (uint32_t r = 0; r < rounds + WARM; r++) {
        if (r) shuffle(order, c->count);
        for (uint32_t k = 0; k < c->count; k++)
            if (run_way(b, c, order[k], &all[order[k]], r)) return -1;
    }
    return 0;
}

int compare(bench *b, const comparison *c) {
    samples all[MAX_WAYS] = {0};
    uint32_t rounds = c->rounds ? c->rounds : b->rounds;
    double *memory = calloc((size_t)c->count * rounds * 3, sizeof *memory);
    if (!memory || c->count > MAX_WAYS) return -1;
    for (uint32_t w = 0; w < c->count; w++) {
        all[w].wall = memory + (size_t)w * rounds * 3;
        all[w].cpu = all[w].wall + rounds;
        all[w].scratch = all[w].cpu + rounds;
    }
    int failed = run_rounds(b, c, all, rounds);
    if (!failed) add_rows(b, c, all, rounds);
    free(memory);
    return failed;
}

/* ---- Plans ----------------------------------------------------------------------------------- */

int plan_of(bench *b, int (*record)(bench *b, rp_program *program, rp_recorder *r, void *user),
            void *user, rp_plan **out_plan) {
    rp_program *program = NULL;
    rp_recorder *recorder = NULL;
    rp_graph *graph = NULL;
    int failed = rp_program_create(NULL, "embed", &program) ||
                 rp_recorder_create(program, &recorder) || record(b, program, recorder, user) ||
                 rp_program_graph(program, &recorder, 1, b->diags, &graph) ||
                 rp_compile(graph, NULL, b->diags, out_plan, NULL);
    rp_graph_destroy(graph);
    rp_recorder_destroy(recorder);
    rp_program_destroy(program);
    return failed ? -1 : 0;
}

/* ---- Results as JSON ------------------------------------------------------------------------- */

/* Names of devices and ways have no characters but quotes that JSON would mind. */
static void print_string(FILE *out, const char *text) {
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc('\\', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void print_json(const bench *b, const rp_device_info *info, FILE *out) {
    fprintf(out, "{\"device\": ");
    print_string(out, info->name);
    fprintf(out, ", \"driver\": ");
    print_string(out, info->driver);
    fprintf(out, ", \"rounds\": %u, \"rows\": [", b->rounds);
    for (uint32_t i = 0; i < b->row_count; i++) {
        const row *r = &b->rows[i];
        fprintf(out, "%s\n  {\"case\": ", i ? "," : "");
        print_string(out, r->group);
        fprintf(out, ", \"way\": ");
        print_string(out, r->way);
        fprintf(out, ", \"against\": ");
        print_string(out, r->against);
        fprintf(out, ", \"wall_us\": %.3f, \"cpu_us\": %.3f, \"ratio\": %.4f", r->wall * 1e6,
                r->cpu * 1e6, r->ratio);
        if (r->bytes > 0) fprintf(out, ", \"gb_per_s\": %.3f", r->bytes / r->wall * 1e-9);
        if (r->submits >= 0)
            fprintf(out, ", \"submissions\": %g, \"waits\": %g", r->submits, r->waits);
        fprintf(out, "}");
    }
    fprintf(out, "\n]}\n");
}

static int write_json(const bench *b, const rp_device_info *info, const char *path) {
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!out) {
        perror(path);
        return -1;
    }
    print_json(b, info, out);
    return out == stdout ? fflush(out) : fclose(out);
}

/* ---- The program ----------------------------------------------------------------------------- */

static const struct {
    const char *name, *what;
    int (*run)(bench *b);
} cases[] = {
#define X(name, what) {#name, what, bench_##name},
    CASES(X)
#undef X
};
enum { CASE_COUNT = sizeof cases / sizeof *cases };

static int usage(void) {
    fprintf(stderr, "usage: bench_embed [-r ROUNDS] [-b BYTES] [-j FILE] [CASE...]\n");
    for (uint32_t i = 0; i < CASE_COUNT; i++)
        fprintf(stderr, "  %-10s %s\n", cases[i].name, cases[i].what);
    return 2;
}

static uint64_t bytes_of(const char *text) {
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*end == 'K') value <<= 10;
    if (*end == 'M') value <<= 20;
    if (*end == 'G') value <<= 30;
    return value;
}

static int run_case(bench *b, const char *name) {
    for (uint32_t i = 0; i < CASE_COUNT; i++)
        if (strcmp(cases[i].name, name) == 0) {
            int failed = cases[i].run(b);
            if (failed) fprintf(stderr, "bench_embed: %s failed\n", name);
            return failed;
        }
    return usage();
}

static int run(bench *b, char **names, int count, const char *json) {
    rp_device_info info = {.size = sizeof info};
    TRY(plain_open(&b->plain));
    TRY(plain_import(&b->plain, b->diags, &b->device));
    TRY(rp_device_get_info(b->device, &info));
    printf("%s, %s, %u rounds\n", info.name, info.driver, b->rounds);
    int failed = 0;
    for (int i = 0; i < count; i++) failed |= run_case(b, names[i]);
    for (uint32_t i = 0; count == 0 && i < CASE_COUNT; i++) failed |= run_case(b, cases[i].name);
    if (json) failed |= write_json(b, &info, json);
    return failed;
}

int main(int argc, char **argv) {
    static bench b = {.rounds = 200, .upload_bytes = UINT64_C(1) << 30};
    const char *json = NULL;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i += 2) {
        if (i + 1 == argc || strlen(argv[i]) != 2) return usage();
        const char *value = argv[i + 1];
        if (argv[i][1] == 'r')
            b.rounds = (uint32_t)atoi(value);
        else if (argv[i][1] == 'b')
            b.upload_bytes = bytes_of(value);
        else if (argv[i][1] == 'j')
            json = value;
        else
            return usage();
    }
    if (b.rounds == 0 || b.upload_bytes == 0) return usage();
    srand((unsigned)time(NULL));
    setenv("MESA_SHADER_CACHE_DISABLE", "true", 0); /* what drivers keep on the disk: kernels of */
    setenv("__GL_SHADER_DISK_CACHE", "0", 0);       /* this run are of no use for another */
    b.diags = rp_diags_create(NULL);
    int failed = run(&b, argv + i, argc - i, json);
    for (uint32_t d = 0; d < rp_diags_count(b.diags); d++)
        fprintf(stderr, "%s\n", rp_diags_get(b.diags, d).message);
    if (rp_device_destroy(b.device, NULL) == RP_OK) plain_close(&b.plain);
    rp_diags_destroy(b.diags);
    return failed ? 1 : 0;
}
