/* What real pipelines cost, as one table: NAME.yaml in this folder is a row of table.txt, and so is that of
 * each other folder, as FOLDER/NAME.
 *
 *   golden_pipelines FOLDER [OTHER...]      RP_BLESS=1 in the environment writes the table instead
 *
 * A row says how many ops the pipeline has; dispatches, barriers, arena bytes, and bytes that the
 * nodes read and write in all, at -O0 and at -O1; the fewest barriers that the fused nodes allow;
 * and the bytes of its external buffers. Each number is exact: a change that makes a pipeline worse
 * is a change of this table, and so is one that makes it better. Kernels are not generated here
 * (tests/gpu runs the same pipelines): the numbers are decided by the passes.
 *
 * A second table, tags.txt, says what -O2 makes of them for the target h200: nodes and barriers at -O1 and
 * at -O2, tagged buffers and the candidates that there were, bytes of words, and in nanoseconds by the
 * target's figures what the words cost and what is gained in all; and which pipelines gain most and
 * least.
 *
 * `# at most N dispatches` and `# at most N barriers` in a file are promises, which blessing does
 * not move. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "graph/graph.h"
#include "reprise/compiler.h"
#include "support/abstract_lowering.h"
#include "support/read_file.h"

enum { MAX_FILES = 128, SHOWN = 6 };

typedef struct cost {
    rp_graph_stats stats;
    uint64_t traffic;
    uint32_t candidates; /* for tags */
    double words_ns;     /* that reading words takes more than reading elements */
} cost;

/* What -O2 gains: barriers, without the dispatches behind them, less the words. */
typedef struct gain {
    const char *name;
    double ns;
    uint64_t arena; /* bytes that are added */
} gain;

static uint32_t failures;

static void fail(const char *name, const char *what) {
    fprintf(stderr, "FAIL %s: %s\n", name, what);
    failures++;
}

static void show_diags(const rp_diags *diags) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char line[1024];
        rp_diag diag = rp_diags_get(diags, i);
        rp_diag_format(&diag, line, sizeof line);
        fprintf(stderr, "  %s\n", line);
    }
}

/* What pass flow says of each candidate. */
static void read_decisions(const rp_pass_reports *reports, cost *out) {
    for (uint32_t i = 0; i < rp_pass_reports_count(reports); i++) {
        const rp_pass_report *r = rp_pass_reports_get(reports, i);
        if (strcmp(r->pass, "flow") != 0) continue;
        for (const char *line = r->details; line && *line;
             line = strchr(line, '\n'), line += line != NULL) {
            const char *price = strstr(line, "take about ");
            out->candidates++;
            if (strncmp(line, "tagged ", 7) == 0 && price)
                out->words_ns += strtod(price + strlen("take about "), NULL);
        }
    }
}

static bool cost_of(const rp_graph *source, int level, rp_diags *diags, cost *out) {
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = rp_pass_level(level),
                                     .verify_each = 1,
                                     .lowering = abstract_lowering()};
    rp_graph *g = NULL;
    rp_pass_reports *reports = NULL;
    *out = (cost){.stats.size = sizeof out->stats};
    bool ok = rp_passes_run(source, &options, diags, &g, NULL, &reports) == RP_OK &&
              rp_graph_get_stats(g, &out->stats) == RP_OK;
    for (uint32_t i = 0; ok && i < g->nodes_count; i++)
        for (uint32_t k = 0; k < g->nodes[i].use_count; k++)
            out->traffic += rp_node_uses(g, &g->nodes[i])[k].size;
    if (ok) read_decisions(reports, out);
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(g);
    return ok;
}

/* "# at most 6 dispatches" */
static void check_promise(const char *name, const char *text, const char *what, uint32_t got) {
    for (const char *at = text; (at = strstr(at, "# at most "));) {
        char *end;
        at += strlen("# at most ");
        unsigned long most = strtoul(at, &end, 10);
        if (strncmp(end, what, strlen(what)) == 0 && got > most) {
            fprintf(stderr, "  %s: %u, promised are at most %lu\n", name, got, most);
            fail(name, "breaks its promise");
        }
    }
}

/* A pipeline: where it is, and its name in the tables. */
typedef struct entry {
    char path[4096], name[128];
} entry;

static void add_row(rp_text *table, const char *path, const char *name) {
    size_t size;
    cost plain, fused;
    rp_pipeline *pipeline = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    char *text = read_file(path, &size);
    bool ok = text && rp_pipeline_parse(NULL, text, size, path, NULL, 0, diags, &pipeline) == RP_OK;
    ok = ok && cost_of(rp_pipeline_graph(pipeline), 0, diags, &plain) &&
         cost_of(rp_pipeline_graph(pipeline), 1, diags, &fused);
    if (ok) {
        const rp_graph_stats *a = &plain.stats, *b = &fused.stats;
        rp_text_format(table, "%-28s %4u %10u -> %-4u %10u -> %-4u %5u ", name,
                       rp_pipeline_graph(pipeline)->nodes_count, a->dispatches + a->transfers,
                       b->dispatches + b->transfers, a->barriers, b->barriers, b->barrier_bound);
        rp_text_format(table, "%10llu -> %-8llu %10llu -> %-9llu %10llu\n",
                       (unsigned long long)a->arena_bytes, (unsigned long long)b->arena_bytes,
                       (unsigned long long)plain.traffic, (unsigned long long)fused.traffic,
                       (unsigned long long)b->external_bytes);
        check_promise(name, text, " dispatches", b->dispatches + b->transfers);
        check_promise(name, text, " barriers", b->barriers);
    } else {
        fail(name, "cannot be compiled");
        show_diags(diags);
    }
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
    free(text);
}

/* The same for the target, at -O1 and at -O2. */
static void add_tags_row(rp_text *table, const char *path, const char *name, gain *out) {
    cost plain, tagged;
    const rp_target *target = rp_target_builtin("h200");
    const rp_pipeline_source source = {.size = sizeof source, .path = path, .target = target};
    rp_pipeline *pipeline = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    bool ok = rp_pipeline_read(NULL, &source, diags, &pipeline) == RP_OK &&
              cost_of(rp_pipeline_graph(pipeline), 1, diags, &plain) &&
              cost_of(rp_pipeline_graph(pipeline), 2, diags, &tagged);
    if (ok) {
        const rp_graph_stats *a = &plain.stats, *b = &tagged.stats;
        double each = (double)(target->barrier_ns - target->dispatch_ns);
        uint32_t after = b->tagged ? b->tagged_barriers : b->barriers;
        *out = (gain){name, ((double)a->barriers - (double)after) * each - tagged.words_ns,
                      b->arena_bytes - a->arena_bytes};
        out->ns -= ((double)b->dispatches - (double)a->dispatches) * (double)target->dispatch_ns;
        rp_text_format(table, "%-28s %6u -> %-4u %6u -> %-4u %6u of %-4u %8llu %8.0f %8.0f\n", name,
                       a->dispatches + a->transfers, b->dispatches + b->transfers, a->barriers,
                       after, b->tagged, tagged.candidates, (unsigned long long)b->tagged_bytes,
                       tagged.words_ns, out->ns);
    } else {
        fail(name, "cannot be compiled for the target");
        show_diags(diags);
    }
    rp_pipeline_destroy(pipeline);
    rp_diags_destroy(diags);
}

static void add_extremes(rp_text *table, const gain *gains, uint32_t count) {
    const gain *most = gains, *least = gains, *arena = gains;
    for (uint32_t i = 1; i < count; i++) {
        if (gains[i].ns > most->ns) most = &gains[i];
        if (gains[i].ns < least->ns) least = &gains[i];
        if (gains[i].arena > arena->arena) arena = &gains[i];
    }
    rp_text_format(table,
                   "# largest win: %s, %.0f ns; largest loss: %s, %.0f ns; most arena added: %s, "
                   "%llu bytes\n",
                   most->name, most->ns, least->name, least->ns, arena->name,
                   (unsigned long long)arena->arena);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

/* Adds the pipelines of a folder behind the `count` that there are; returns how many there are then. */
static uint32_t find_files(const char *folder, const char *prefix, entry *entries, uint32_t count) {
    uint32_t first = count;
    DIR *directory = opendir(folder);
    if (!directory) fail(folder, "cannot be opened");
    for (struct dirent *e; directory && (e = readdir(directory)) && count < MAX_FILES;) {
        size_t length = strlen(e->d_name);
        if (length < 6 || length > 60 || strcmp(e->d_name + length - 5, ".yaml") != 0) continue;
        entry *to = &entries[count++];
        snprintf(to->path, sizeof to->path, "%s/%s", folder, e->d_name);
        snprintf(to->name, sizeof to->name, "%.50s%.*s", prefix, (int)(length - 5), e->d_name);
    }
    if (directory) closedir(directory);
    qsort(entries + first, count - first, sizeof *entries, by_name);
    return count;
}

/* The last part of a path, as "workloads/". */
static const char *prefix_of(const char *folder, char *prefix, size_t size) {
    const char *slash = strrchr(folder, '/');
    snprintf(prefix, size, "%s/", slash ? slash + 1 : folder);
    return prefix;
}

static void compare(const char *expected, const char *got) {
    uint32_t shown = 0;
    while (*expected || *got) {
        size_t a = strcspn(expected, "\n"), b = strcspn(got, "\n");
        if ((a != b || memcmp(expected, got, a) != 0) && shown++ < SHOWN)
            fprintf(stderr, "  - %.*s\n  + %.*s\n", (int)a, expected, (int)b, got);
        expected += a + (expected[a] == '\n');
        got += b + (got[b] == '\n');
    }
    if (shown > 0) fail("the table", "differs (- expected, + got); RP_BLESS=1 rewrites it");
}

static void finish(const char *path, const rp_text *table) {
    const char *bless = getenv("RP_BLESS");
    size_t size;
    if (bless && strcmp(bless, "1") == 0) {
        FILE *file = fopen(path, "wb");
        bool ok = file && fwrite(table->data, 1, table->size, file) == table->size;
        if (file) ok &= fclose(file) == 0;
        if (!ok) fail(path, "cannot be written");
        return;
    }
    char *expected = read_file(path, &size);
    if (expected)
        compare(expected, table->data);
    else
        fail(path, "is missing; RP_BLESS=1 writes it");
    free(expected);
}

int main(int argc, char **argv) {
    static entry entries[MAX_FILES];
    char prefix[64];
    if (argc < 2) {
        fprintf(stderr, "usage: golden_pipelines FOLDER [OTHER...]\n");
        return 2;
    }
    uint32_t count = find_files(argv[1], "", entries, 0);
    for (int i = 2; i < argc; i++)
        count = find_files(argv[i], prefix_of(argv[i], prefix, sizeof prefix), entries, count);
    rp_text table, tags;
    rp_text_init(&table, NULL);
    rp_text_init(&tags, NULL);
    rp_text_format(&table, "%-28s %4s %18s %18s %5s %22s %24s %10s\n", "# pipeline", "ops",
                   "dispatches", "barriers", "bound", "arena bytes", "bytes read and written",
                   "external");
    rp_text_format(&tags, "%-28s %14s %14s %14s %8s %8s %8s\n", "# pipeline", "nodes", "barriers",
                   "tagged", "bytes", "cost ns", "gain ns");
    static gain gains[MAX_FILES];
    for (uint32_t i = 0; i < count; i++) {
        add_row(&table, entries[i].path, entries[i].name);
        add_tags_row(&tags, entries[i].path, entries[i].name, &gains[i]);
    }
    if (failures == 0) add_extremes(&tags, gains, count);
    char path[4096];
    snprintf(path, sizeof path, "%s/table.txt", argv[1]);
    if (failures == 0) finish(path, &table);
    snprintf(path, sizeof path, "%s/tags.txt", argv[1]);
    if (failures == 0) finish(path, &tags);
    rp_text_free(&table);
    rp_text_free(&tags);
    printf("%u pipelines, %u failures\n", count, failures);
    if (count == 0) return 1;
    return failures > 99 ? 99 : (int)failures;
}
