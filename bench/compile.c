/* How long compiling takes, and how much memory, as graphs grow.
 *
 *   bench_compile GRAPH.rpir [NODES...]
 *
 * The graph is repeated until it has at least NODES nodes (default: 1x, 10000, 100000): the same
 * kernels and buffers again and again, as a decoder does for token after token, but each repetition
 * with output buffers of its own, so that nothing is dead. Two synthetic graphs of the largest size
 * follow, a chain and one 4096 wide. Every size is compiled at -O1 with the checker, as in every
 * compile. Best of five runs; memory is the peak of what the library holds beyond its input.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "reprise/passes.h"
#include "statistics.h"

enum { RUNS = 5, PASSES = 8 };

typedef struct counter {
    size_t now, peak;
} counter;

static void *counted_resize(void *user, void *block, size_t size) {
    counter *c = user;
    size_t before = block ? malloc_usable_size(block) : 0;
    void *grown = realloc(block, size);
    if (!grown) return NULL;
    c->now += malloc_usable_size(grown) - before;
    if (c->now > c->peak) c->peak = c->now;
    return grown;
}

static void counted_release(void *user, void *block) {
    ((counter *)user)->now -= malloc_usable_size(block);
    free(block);
}

static char *read_text(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*size + 1);
    if (text) *size = fread(text, 1, *size, f);
    fclose(f);
    return text;
}

/* Output buffers of a repetition: a copy of each out buffer. */
static void own_outputs(rp_graph *g, uint32_t buffers, uint32_t repetition, uint32_t *map) {
    for (uint32_t b = 0; b < buffers; b++) {
        map[b] = b;
        if (g->buffers[b].kind != RP_OUT || repetition == 0) continue;
        char name[256];
        int length = snprintf(name, sizeof name, "%s.r%u", rp_graph_string(g, g->buffers[b].name),
                              repetition);
        rp_graph_buffer copy = g->buffers[b];
        uint64_t dims[RP_MAX_RANK];
        if (copy.rank) memcpy(dims, g->dims + copy.first_dim, copy.rank * sizeof *dims);
        copy.name = rp_graph_intern(g, name, (size_t)length);
        map[b] = rp_graph_add_buffer(g, &copy, dims);
    }
}

static void repeat(rp_graph *g, uint32_t wanted) {
    uint32_t nodes = g->nodes_count, buffers = g->buffers_count, id = g->nodes_count;
    uint32_t *map = malloc(buffers * sizeof *map);
    for (uint32_t r = 1; g->nodes_count < wanted; r++) {
        own_outputs(g, buffers, r, map);
        for (uint32_t i = 0; i < nodes; i++) {
            rp_graph_node n = g->nodes[i];
            rp_graph_use uses[64];
            uint8_t bytes[RP_MAX_PUSH_BYTES];
            for (uint32_t u = 0; u < n.use_count; u++) {
                uses[u] = g->uses[n.first_use + u];
                uses[u].buffer = map[uses[u].buffer];
            }
            if (n.byte_count) memcpy(bytes, g->bytes + n.first_byte, n.byte_count);
            n.id = id++;
            rp_graph_add_node(g, &n, uses, bytes);
        }
    }
    free(map);
}

/* `width` chains next to each other, each node reading its own predecessor and a neighbour's. */
static rp_graph *make_wide(uint32_t width, uint32_t nodes) {
    size_t capacity = (size_t)nodes * 96 + 4096, at = 0;
    char *text = malloc(capacity);
    uint32_t levels = nodes / width;
    at += (size_t)sprintf(text,
                          "reprise 1\ngraph wide {\nbuf $x in 4096\nbuf $y out %u\n"
                          "kern @a spirv - local 1 1 1 (r, w)\n"
                          "kern @b spirv - local 1 1 1 (r, r, w)\n",
                          width * 256);
    for (uint32_t i = 0; i < width * 2; i++)
        at += (size_t)sprintf(text + at, "buf %%t%u tmp 256\n", i);
    for (uint32_t i = 0; i < levels * width; i++) {
        uint32_t level = i / width, lane = i % width, from = (level + 1) % 2 * width;
        uint32_t to = level % 2 * width + lane;
        if (level == 0)
            at += (size_t)sprintf(text + at, "n%u = run @a grid 1 1 1 (r $x, w %%t%u)\n", i, to);
        else if (level + 1 < levels)
            at +=
                (size_t)sprintf(text + at, "n%u = run @b grid 1 1 1 (r %%t%u, r %%t%u, w %%t%u)\n",
                                i, from + lane, from + (lane * 7 + level) % width, to);
        else
            at += (size_t)sprintf(text + at, "n%u = run @a grid 1 1 1 (r %%t%u, w $y[%u+256])\n", i,
                                  from + lane, lane * 256);
    }
    at += (size_t)sprintf(text + at, "}\n");
    rp_graph *g = NULL;
    rp_graph_parse(NULL, text, at, "wide", NULL, &g);
    free(text);
    return g;
}

typedef struct result {
    double total, pass[PASSES];
    uint32_t pass_count;
    char name[PASSES][32];
    size_t peak;
    rp_graph_stats stats;
} result;

static int measure(const rp_graph *source, result *out) {
    for (int run = 0; run < RUNS; run++) {
        counter count = {0, 0};
        rp_allocator a = {counted_resize, counted_release, &count};
        rp_graph *copy = NULL, *compiled = NULL;
        if (rp_graph_clone(source, &copy) != RP_OK) return -1;
        copy->allocator = a; /* grown and freed through the counter from here on */
        rp_allocator own = source->allocator;
        rp_pass_reports *reports = NULL;
        double start = wall_seconds();
        rp_status status = rp_passes_run(copy, NULL, NULL, &compiled, NULL, &reports);
        double total = wall_seconds() - start;
        if (status == RP_OK && (run == 0 || total < out->total)) {
            out->total = total;
            out->peak = count.peak;
            out->pass_count = rp_pass_reports_count(reports);
            for (uint32_t i = 0; i < out->pass_count && i < PASSES; i++) {
                const rp_pass_report *r = rp_pass_reports_get(reports, i);
                out->pass[i] = r->seconds;
                snprintf(out->name[i], sizeof out->name[i], "%s", r->pass);
            }
            rp_graph_get_stats(compiled, &out->stats);
        }
        rp_pass_reports_destroy(reports);
        rp_graph_destroy(compiled);
        copy->allocator = own;
        rp_graph_destroy(copy);
        if (status != RP_OK) return -1;
    }
    return 0;
}

static void report(const char *name, const rp_graph *source) {
    result r = {0};
    if (measure(source, &r) != 0) {
        printf("%-24s could not be compiled\n", name);
        return;
    }
    double passes = 0;
    for (uint32_t i = 0; i < r.pass_count; i++) passes += r.pass[i];
    printf("%-24s %7u nodes  %8.2f ms  %6.2f us/node  %5.0f B/node  barriers %u (bound %u)  arena "
           "%.3f "
           "of bound |",
           name, source->nodes_count, r.total * 1e3, r.total * 1e6 / source->nodes_count,
           (double)r.peak / source->nodes_count, r.stats.barriers, r.stats.barrier_bound,
           r.stats.arena_bound_bytes
               ? (double)r.stats.arena_bytes / (double)r.stats.arena_bound_bytes
               : 1.0);
    for (uint32_t i = 0; i < r.pass_count; i++) printf(" %s %.1f", r.name[i], r.pass[i] * 1e3);
    printf(" check and clone %.1f ms\n", (r.total - passes) * 1e3);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_compile GRAPH.rpir [NODES...]\n");
        return 2;
    }
    size_t size = 0;
    char *text = read_text(argv[1], &size);
    uint32_t largest = argc > 2 ? 0 : 100000;
    for (int i = 1; i < (argc > 2 ? argc : 4); i++) {
        uint32_t wanted = argc > 2 ? (i == 1 ? 1 : (uint32_t)atoi(argv[i]))
                          : i == 1 ? 1
                          : i == 2 ? 10000
                                   : 100000;
        if (wanted > largest) largest = wanted;
        rp_graph *g = NULL;
        if (!text || rp_graph_parse(NULL, text, size, argv[1], NULL, &g) != RP_OK) {
            fprintf(stderr, "bench_compile: %s cannot be read as a graph\n", argv[1]);
            return 1;
        }
        repeat(g, wanted);
        report(rp_graph_string(g, g->name), g);
        rp_graph_destroy(g);
    }
    rp_graph *chain = make_wide(1, largest), *wide = make_wide(4096, largest / 4096 * 4096);
    report("chain", chain);
    report("4096 wide", wide);
    rp_graph_destroy(chain);
    rp_graph_destroy(wide);
    free(text);
    return 0;
}
