/* How long compiling takes, and how much memory, as graphs grow.
 *
 *   bench_compile [GRAPH.rpir [NODES...]]
 *
 * The graph (default: the decoder of 870 dispatches among the golden tests) is repeated until it
 * has at least NODES nodes (default: 1x, 10000, 100000): the same kernels and buffers again and
 * again, as a decoder does for token after token, but each repetition with output buffers of its
 * own, so that nothing is dead. Three synthetic graphs of the largest size follow: a chain, one
 * 4096 wide with the same work for each node, and one where 4096 nodes write slices of a buffer
 * that 4096 others read as a whole. Every size is compiled at -O1 with the checker, as in every
 * compile. Best of five runs; memory is the peak of what the library holds beyond its input.
 *
 * Then chains of ops, at several lengths: fused and lowered, with no kernel in any cache. A number
 * in each op's formula makes every kernel another one, so the time for an op is that of compiling
 * it; what is to be seen is that it does not grow with the length.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "graph/graph.h"
#include "reprise/compiler.h"
#include "reprise/passes.h"
#include "repeated.h"
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

static rp_graph *parse(rp_text *t, const char *name) {
    rp_graph *g = NULL;
    rp_graph_parse(NULL, t->data, t->size, name, NULL, &g);
    rp_text_free(t);
    return g;
}

/* Levels of `width` nodes. Each reads two nodes of the level before; in a chain, width 1, the two
 * nodes before. So a node is the same work at any width. */
static rp_graph *make_wide(uint32_t width, uint32_t nodes) {
    rp_text t;
    rp_text_init(&t, NULL);
    uint32_t levels = nodes / width;
    rp_text_format(&t, "reprise 1\ngraph wide {\nbuf $x in 4096\nbuf $y out %u\n", width * 256);
    rp_text_format(&t, "kern @a spirv - local 1 1 1 (r, r, w)\n");
    for (uint32_t i = 0; i < width * 3; i++) rp_text_format(&t, "buf %%t%u tmp 256\n", i);
    for (uint32_t i = 0; i < levels * width; i++) {
        uint32_t level = i / width, lane = i % width;
        uint32_t one = (level + 2) % 3 * width + lane, two = (level + 1) % 3 * width + lane;
        if (width > 1) two = (level + 2) % 3 * width + (lane * 7 + level) % width;
        rp_text_format(&t, "n%u = run @a grid 1 1 1 (r ", i);
        if (level < 2)
            rp_text_format(&t, level ? "%%t%u, r $x" : "$x[%u+256], r $x", level ? one : 0);
        else
            rp_text_format(&t, "%%t%u, r %%t%u", one, two);
        if (level + 1 < levels)
            rp_text_format(&t, ", w %%t%u)\n", level % 3 * width + lane);
        else
            rp_text_format(&t, ", w $y[%u+256])\n", lane * 256);
    }
    rp_text_format(&t, "}\n");
    return parse(&t, "wide");
}

/* All to all, again and again: `width` nodes write slices of a buffer, then as many read all of it.
 * What the buffer holds at the end is a result, so that it stays one buffer. */
static rp_graph *make_all_to_all(uint32_t width, uint32_t nodes) {
    rp_text t;
    rp_text_init(&t, NULL);
    rp_text_format(&t, "reprise 1\ngraph all {\nbuf $x in 256\nbuf $y out %u\n", nodes * 256);
    rp_text_format(&t, "buf $s inout %u\nkern @a spirv - local 1 1 1 (r, w)\n", width * 256);
    rp_text_format(&t, "kern @b spirv - local 1 1 1 (r, rw)\n");
    for (uint32_t i = 0; i < nodes; i++)
        if (i / width % 2 == 0)
            rp_text_format(&t, "n%u = run @b grid 1 1 1 (r $x, rw $s[%u+256])\n", i,
                           i % width * 256);
        else
            rp_text_format(&t, "n%u = run @a grid 1 1 1 (r $s, w $y[%u+256])\n", i, i * 256);
    rp_text_format(&t, "}\n");
    return parse(&t, "all");
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
            out->stats.size = sizeof out->stats;
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

/* The graph at `path`, repeated to at least `nodes` nodes. */
static int report_repeated(const char *path, uint32_t nodes) {
    size_t size = 0;
    char *text = read_text(path, &size);
    rp_graph *g = NULL;
    if (!text || rp_graph_parse(NULL, text, size, path, NULL, &g) != RP_OK) {
        fprintf(stderr, "bench_compile: %s cannot be read as a graph\n", path);
        free(text);
        return -1;
    }
    free(text);
    repeat(g, nodes);
    report(rp_graph_string(g, g->name), g);
    rp_graph_destroy(g);
    return 0;
}

/* ---- Chains of ops --------------------------------------------------------------------------- */

typedef struct op_chain {
    const char *name, *tensor;
    const char
        *ops[3]; /* in turn; %1$s the value before, %2$s the one written, %3$s their tensor */
} op_chain;

static const op_chain op_chains[] = {
    {"norms and softmax",
     "f32[4,64]",
     {"rms_norm (r %1$s:%3$s, -, w %2$s:%3$s)", "softmax (r %1$s:%3$s, -, w %2$s:%3$s)",
      "map {expr=\"a * 1.%4$03u\"} (r %1$s:%3$s, w %2$s:%3$s)"}},
    {"maps", "f32[4,64]", {"map {expr=\"a * 1.%4$03u + a\"} (r %1$s:%3$s, w %2$s:%3$s)"}},
    {"gelus", "f32[4096]", {"map {expr=\"gelu(a * 1.%4$03u)\"} (r %1$s:%3$s, w %2$s:%3$s)"}},
    {"transposed",
     "f32[32,32]",
     {"transpose (r %1$s:%3$s, w %2$s:%3$s)",
      "map {expr=\"a + 1.%4$03u\"} (r %1$s:%3$s, w %2$s:%3$s)"}},
};

static rp_graph *make_op_chain(const op_chain *c, uint32_t length) {
    rp_text t;
    rp_text_init(&t, NULL);
    uint32_t turns = 1 + (c->ops[1] != NULL) + (c->ops[2] != NULL);
    rp_text_format(&t, "reprise 1\ngraph ops {\nbuf $x in %s\nbuf $y out %s\n", c->tensor,
                   c->tensor);
    for (uint32_t i = 1; i < length; i++) rp_text_format(&t, "buf %%t%u tmp %s\n", i, c->tensor);
    for (uint32_t i = 0; i < length; i++) {
        char from[16] = "$x", to[16] = "$y";
        if (i) snprintf(from, sizeof from, "%%t%u", i);
        if (i + 1 < length) snprintf(to, sizeof to, "%%t%u", i + 1);
        rp_text_format(&t, "n%u = op ", i);
        rp_text_format(&t, c->ops[i % turns], from, to, c->tensor, i);
        rp_text_format(&t, "\n");
    }
    rp_text_format(&t, "}\n");
    return parse(&t, "ops");
}

/* One run, with nothing compiled yet. */
static int report_op_chain(const op_chain *c, uint32_t length) {
    rp_graph *source = make_op_chain(c, length), *compiled = NULL;
    rp_pass_options options = {.size = sizeof options, .lowering = rp_lowering_default()};
    rp_pass_reports *reports = NULL;
    double start = wall_seconds();
    rp_status status = rp_passes_run(source, &options, NULL, &compiled, NULL, &reports);
    double total = wall_seconds() - start;
    if (status == RP_OK)
        printf("%-24s %7u ops    %8.2f ms  %6.2f ms/op  %u dispatches |", c->name, length,
               total * 1e3, total * 1e3 / length, compiled->nodes_count);
    for (uint32_t i = 0; i < rp_pass_reports_count(reports); i++) {
        const rp_pass_report *r = rp_pass_reports_get(reports, i);
        if (!strncmp(r->pass, "fuse", 4) || !strncmp(r->pass, "lower", 5))
            printf(" %s %.1f", r->pass, r->seconds * 1e3);
    }
    printf("\n");
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    return status == RP_OK ? 0 : -1;
}

/* Each chain at each length finds an empty cache: it runs in a process of its own. */
static int report_op_chains(void) {
    static const uint32_t lengths[] = {10, 100, 400};
    for (size_t i = 0; i < sizeof op_chains / sizeof *op_chains; i++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            char folder[] = "/tmp/reprise-bench-XXXXXX", command[64];
            int status = -1;
            if (!mkdtemp(folder)) return -1;
            fflush(stdout);
            pid_t child = fork();
            if (child == 0) {
                setenv("XDG_CACHE_HOME", folder, 1);
                status = report_op_chain(&op_chains[i], lengths[k]);
                fflush(stdout);
                _exit(status != 0);
            }
            if (child < 0 || waitpid(child, &status, 0) != child) status = -1;
            snprintf(command, sizeof command, "rm -rf %s", folder);
            if (system(command) != 0 || status != 0) return -1;
        }
    return 0;
}

int main(int argc, char **argv) {
    static const uint32_t usual[] = {1, 10000, 100000};
    const char *path = argc > 1 ? argv[1] : BENCH_GRAPH;
    uint32_t largest = 16384; /* the synthetic graphs need two rows of 4096 and more */
    for (int i = 0; i < (argc > 2 ? argc - 2 : 3); i++) {
        uint32_t nodes = argc > 2 ? (uint32_t)strtoul(argv[2 + i], NULL, 10) : usual[i];
        if (nodes > largest) largest = nodes;
        if (report_repeated(path, nodes) != 0) return 1;
    }
    rp_graph *synthetic[] = {make_wide(1, largest), make_wide(4096, largest),
                             make_all_to_all(4096, largest / 8192 * 8192)};
    const char *const names[] = {"chain", "4096 wide", "4096 to 4096"};
    for (int i = 0; i < 3; i++) {
        report(names[i], synthetic[i]);
        rp_graph_destroy(synthetic[i]);
    }
    return report_op_chains() != 0;
}
