/* What golden cases can do; main.c describes the language. Everything goes through the public
 * functions that the command line uses, so that a golden test sees what a user sees. A graph that
 * comes out as text must parse back to an equal graph: checked here for every case, it costs
 * nothing extra. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "reprise/compiler.h"

char *read_file(const char *path, size_t *out_size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    rp_text text;
    char block[65536];
    size_t got;
    rp_text_init(&text, NULL);
    while ((got = fread(block, 1, sizeof block, file)) > 0) rp_text_append(&text, block, got);
    fclose(file);
    char *data;
    return rp_text_take(&text, &data, out_size) == RP_OK ? data : NULL;
}

static void print_diags(const rp_diags *diags, rp_text *out) {
    for (uint32_t i = 0; i < rp_diags_count(diags); i++) {
        char line[1024];
        rp_diag diag = rp_diags_get(diags, i);
        rp_diag_format(&diag, line, sizeof line);
        rp_text_format(out, "%s\n", line);
    }
}

/* Messages that a case did not ask for help to repair it. */
static void show_diags(const rp_diags *diags) {
    rp_text text;
    rp_text_init(&text, NULL);
    print_diags(diags, &text);
    if (text.data) fputs(text.data, stderr);
    rp_text_free(&text);
}

/* Messages name the file without its folder, so that they read the same everywhere. */
static rp_status parse(const char *folder, const char *name, rp_diags *diags, rp_graph **out) {
    char path[4096];
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = read_file(path, &size);
    *out = NULL;
    if (!text) {
        rp_diags_add(diags, RP_ERROR, name, 0, 0, "cannot be read");
        return RP_ERROR_IO;
    }
    rp_status status = rp_graph_parse(NULL, text, size, name, diags, out);
    free(text);
    return status;
}

static rp_status compile(const char *pipeline, const char *limit, rp_diags *diags, rp_graph **graph,
                         rp_graph **source, rp_pass_reports **reports) {
    rp_pass_options options = {.size = sizeof options,
                               .pipeline = pipeline,
                               .verify_each = 1,
                               .lowering = rp_lowering_default()};
    if (strncmp(pipeline, "-O", 2) == 0) options.pipeline = rp_pass_level(atoi(pipeline + 2));
    if (limit) options.arena_limit = strtoull(limit, NULL, 10);
    *source = *graph;
    *graph = NULL;
    return rp_passes_run(*source, &options, diags, graph, NULL, reports);
}

/* What the passes with something to tell decided. */
static void print_decisions(const rp_pass_reports *reports, rp_text *out) {
    for (uint32_t i = 0; i < rp_pass_reports_count(reports); i++) {
        const rp_pass_report *r = rp_pass_reports_get(reports, i);
        if (*r->details) rp_text_format(out, "; %s: %s\n%s", r->pass, r->summary, r->details);
    }
}

static rp_status print_stats(const rp_graph *graph, const char *file, rp_text *out) {
    rp_graph_stats s = {.size = sizeof s};
    rp_status status = rp_graph_get_stats(graph, &s);
    rp_text_format(out,
                   "%s: %u dispatches, %u transfers, %u groups, %u barriers (bound %u), "
                   "arena %llu (bound %llu)\n",
                   file, s.dispatches, s.transfers, s.groups, s.barriers, s.barrier_bound,
                   (unsigned long long)s.arena_bytes, (unsigned long long)s.arena_bound_bytes);
    return status;
}

static const char *print_view(const rp_graph *graph, rp_format format, rp_diags *diags,
                              rp_text *out) {
    char *text;
    size_t size;
    if (rp_graph_print(graph, format, &text, &size) != RP_OK) return "cannot be printed";
    rp_text_append(out, text, size);
    rp_graph *again = NULL;
    const char *error = NULL;
    if (format == RP_FORMAT_TEXT) {
        if (rp_graph_parse(NULL, text, size, "printed", diags, &again) != RP_OK)
            error = "the printed text does not parse";
        else if (!rp_graph_equal(graph, again) || rp_graph_hash(graph) != rp_graph_hash(again))
            error = "the printed text parses to another graph";
    }
    rp_graph_destroy(again);
    rp_text_release(graph, text);
    return error;
}

static const char *print_diff(const rp_graph *a, const rp_graph *b, rp_text *out) {
    char *text;
    size_t size;
    if (rp_graph_diff(a, b, &text, &size) != RP_OK) return "cannot be compared";
    rp_text_append(out, text, size);
    rp_text_release(a, text);
    return NULL;
}

/* The last word, or the last two of "diff OTHER". */
static const char *view(const char *folder, char *const *words, unsigned count,
                        const rp_graph *graph, const rp_graph *source, rp_diags *diags,
                        rp_text *out) {
    if (count == 2 && strcmp(words[0], "diff") == 0) {
        rp_graph *other;
        if (parse(folder, words[1], diags, &other) != RP_OK) return "the other graph is wrong";
        const char *error = print_diff(graph, other, out);
        rp_graph_destroy(other);
        return error;
    }
    if (count != 1) return "expected one of text, json, dot, stats, decisions, diff, check, errors";
    if (strcmp(words[0], "text") == 0) return print_view(graph, RP_FORMAT_TEXT, diags, out);
    if (strcmp(words[0], "json") == 0) return print_view(graph, RP_FORMAT_JSON, diags, out);
    if (strcmp(words[0], "dot") == 0) return print_view(graph, RP_FORMAT_DOT, diags, out);
    if (strcmp(words[0], "diff") == 0 && source) return print_diff(source, graph, out);
    return "expected one of text, json, dot, stats, decisions, diff, check, errors";
}

const char *run_case(const char *folder, char *const *words, unsigned count, rp_text *out) {
    rp_graph *graph = NULL, *source = NULL;
    rp_pass_reports *reports = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    const char *error = NULL, *name = words[0], *pipeline = NULL, *limit = NULL;
    unsigned at = 1;
    if (at + 1 < count && strcmp(words[at], "passes") == 0) pipeline = words[at + 1], at += 2;
    if (at + 1 < count && strcmp(words[at], "limit") == 0) limit = words[at + 1], at += 2;
    bool wants_errors = at + 1 == count && strcmp(words[at], "errors") == 0;

    rp_status status = parse(folder, name, diags, &graph);
    if (status == RP_OK && pipeline)
        status = compile(pipeline, limit, diags, &graph, &source, &reports);
    if (wants_errors) {
        rp_text_format(out, "%s: %s\n", name, rp_status_name(status));
        print_diags(diags, out);
    } else if (status != RP_OK) {
        error = rp_status_name(status);
    } else if (at + 1 == count && strcmp(words[at], "stats") == 0) {
        if (print_stats(graph, name, out) != RP_OK) error = "no statistics";
    } else if (at + 1 == count && strcmp(words[at], "check") == 0) {
        if (rp_check(graph, source, name, diags, NULL) != RP_OK) error = "the checker objects";
        rp_text_format(out, "%s: proven\n", name);
    } else if (at + 1 == count && strcmp(words[at], "decisions") == 0) {
        print_decisions(reports, out);
        error = print_view(graph, RP_FORMAT_TEXT, diags, out);
    } else {
        error = view(folder, words + at, count - at, graph, source, diags, out);
    }
    if (error) show_diags(diags);
    rp_diags_destroy(diags);
    rp_pass_reports_destroy(reports);
    rp_graph_destroy(source);
    rp_graph_destroy(graph);
    return error;
}
