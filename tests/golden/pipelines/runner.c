/* What real pipelines cost, as one table: NAME.yaml in this folder is a row of table.txt.
 *
 *   golden_pipelines FOLDER      RP_BLESS=1 in the environment writes the table instead
 *
 * A row says how many ops the pipeline has; dispatches, barriers, arena bytes, and bytes that the
 * nodes read and write in all, at -O0 and at -O1; the fewest barriers that the fused nodes allow;
 * and the bytes of its external buffers. Each number is exact: a change that makes a pipeline worse
 * is a change of this table, and so is one that makes it better. Kernels are not generated here
 * (tests/gpu runs the same pipelines): the numbers are decided by the passes.
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
} cost;

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

static bool cost_of(const rp_graph *source, int level, rp_diags *diags, cost *out) {
    const rp_pass_options options = {.size = sizeof options,
                                     .pipeline = rp_pass_level(level),
                                     .verify_each = 1,
                                     .lowering = abstract_lowering()};
    rp_graph *g = NULL;
    *out = (cost){.stats.size = sizeof out->stats};
    bool ok = rp_passes_run(source, &options, diags, &g, NULL, NULL) == RP_OK &&
              rp_graph_get_stats(g, &out->stats) == RP_OK;
    for (uint32_t i = 0; ok && i < g->nodes_count; i++)
        for (uint32_t k = 0; k < g->nodes[i].use_count; k++)
            out->traffic += rp_node_uses(g, &g->nodes[i])[k].size;
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

static void add_row(rp_text *table, const char *folder, const char *name) {
    char path[16384];
    size_t size;
    cost plain, fused;
    rp_pipeline *pipeline = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    snprintf(path, sizeof path, "%s/%s.yaml", folder, name);
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

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

static uint32_t find_files(const char *folder, char names[][64]) {
    uint32_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *e; directory && (e = readdir(directory)) && count < MAX_FILES;) {
        size_t length = strlen(e->d_name);
        if (length < 6 || length > 60 || strcmp(e->d_name + length - 5, ".yaml") != 0) continue;
        snprintf(names[count++], 64, "%.*s", (int)(length - 5), e->d_name);
    }
    if (directory) closedir(directory);
    qsort(names, count, 64, by_name);
    return count;
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
    if (shown > 0) fail("table.txt", "differs (- expected, + got); RP_BLESS=1 rewrites it");
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
    static char names[MAX_FILES][64];
    if (argc != 2) {
        fprintf(stderr, "usage: golden_pipelines FOLDER\n");
        return 2;
    }
    uint32_t count = find_files(argv[1], names);
    rp_text table;
    rp_text_init(&table, NULL);
    rp_text_format(&table, "%-28s %4s %18s %18s %5s %22s %24s %10s\n", "# pipeline", "ops",
                   "dispatches", "barriers", "bound", "arena bytes", "bytes read and written",
                   "external");
    for (uint32_t i = 0; i < count; i++) add_row(&table, argv[1], names[i]);
    char path[4096];
    snprintf(path, sizeof path, "%s/table.txt", argv[1]);
    if (failures == 0) finish(path, &table);
    rp_text_free(&table);
    printf("%u pipelines, %u failures\n", count, failures);
    if (count == 0) return 1;
    return failures > 99 ? 99 : (int)failures;
}
