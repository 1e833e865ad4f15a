/* The pass manager: a pipeline is data, a pass is a function on a graph.
 *
 * After each pass (with verify_each): the graph is verified, printed and parsed back, and its
 * content hash is held against what the pass reported; a pass that lies about having changed
 * something is a bug. At the end, always: the checker proves the result against the source. What is
 * not proven is not returned.
 */
#include "pass.h"
#include "target.h"

#include <stdlib.h>
#include <time.h>
#include "base/sized.h"

typedef struct pass_entry {
    rp_pass_info info;
    uint32_t needs;
    rp_pass_function *run;
} pass_entry;

static const pass_entry menu[] = {
#define RP_PASS(name, modes, needs, brief) {{#name, modes, brief}, needs, rp_pass_##name},
#include "passes.def"
#undef RP_PASS
};

enum { MENU_COUNT = sizeof menu / sizeof menu[0] };

struct rp_pass_reports {
    rp_allocator allocator;
    RP_ARRAY(rp_pass_report, items); /* strings are owned */
};

const char *rp_pass_level(int level) {
    switch (level) {
    case 0: return "lower,schedule=source,place=separate,sync=full";
    case 1: return "dce,rename,transfers,fuse,lower,schedule,place,sync";
    case 2: return "dce,rename,transfers,fuse=tags,schedule,flow,lower,place,sync";
    }
    return NULL;
}

const rp_pass_info *rp_pass_list(uint32_t index) {
    return index < MENU_COUNT ? &menu[index].info : NULL;
}

uint32_t rp_pass_reports_count(const rp_pass_reports *reports) {
    return reports ? reports->items_count : 0;
}

const rp_pass_report *rp_pass_reports_get(const rp_pass_reports *reports, uint32_t index) {
    return reports && index < reports->items_count ? &reports->items[index] : NULL;
}

void rp_pass_reports_destroy(rp_pass_reports *reports) {
    if (!reports) return;
    rp_allocator a = reports->allocator;
    for (uint32_t i = 0; i < reports->items_count; i++) {
        rp_release(&a, (void *)reports->items[i].pass);
        rp_release(&a, (void *)reports->items[i].summary);
        rp_release(&a, (void *)reports->items[i].details);
    }
    rp_release(&a, reports->items);
    rp_release(&a, reports);
}

/* ---- Reading a pipeline ---------------------------------------------------------------------- */

typedef struct step {
    const pass_entry *pass;
    int mode;
    const char *text; /* in the pipeline string */
    size_t length;
} step;

static bool word_is(const char *word, size_t length, const char *name) {
    return strlen(name) == length && memcmp(word, name, length) == 0;
}

/* The index of `word` in "a|b|c", or -1. */
static int find_mode(const char *modes, const char *word, size_t length) {
    for (int index = 0; *modes; index++) {
        size_t n = strcspn(modes, "|");
        if (n == length && memcmp(modes, word, n) == 0) return index;
        modes += n + (modes[n] == '|');
    }
    return -1;
}

static void list_passes(rp_text *text) {
    for (uint32_t i = 0; i < MENU_COUNT; i++)
        rp_text_format(text, "%s%s", i ? ", " : "", menu[i].info.name);
}

static bool read_step(const rp_allocator *a, const char *text, size_t length, rp_diags *diags,
                      step *out) {
    const char *equals = memchr(text, '=', length);
    size_t name = equals ? (size_t)(equals - text) : length;
    *out = (step){.text = text, .length = length};
    for (uint32_t i = 0; i < MENU_COUNT; i++)
        if (word_is(text, name, menu[i].info.name)) out->pass = &menu[i];
    if (!out->pass) {
        rp_text known;
        rp_text_init(&known, a);
        list_passes(&known);
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "unknown pass '%.*s': there are %s", (int)name,
                     text, known.data ? known.data : "others");
        rp_text_free(&known);
        return false;
    }
    if (!equals) return true;
    out->mode = find_mode(out->pass->info.modes, equals + 1, length - name - 1);
    if (out->mode >= 0) return true;
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "pass %s has no mode '%.*s': it has %s",
                 out->pass->info.name, (int)(length - name - 1), equals + 1,
                 *out->pass->info.modes ? out->pass->info.modes : "none");
    return false;
}

static rp_status read_pipeline(const rp_allocator *a, const char *text, rp_diags *diags,
                               step **out_steps, uint32_t *out_count) {
    uint32_t capacity = 0, count = 0;
    step *steps = NULL;
    bool valid = true;
    while (*text) {
        size_t length = strcspn(text, ",");
        if (!RP_RESERVE(a, steps, count, capacity, 1)) {
            rp_release(a, steps);
            return RP_ERROR_NO_MEMORY;
        }
        valid &= read_step(a, text, length, diags, &steps[count++]);
        text += length + (text[length] == ',');
    }
    if (!valid) {
        rp_release(a, steps);
        return RP_ERROR_USAGE;
    }
    *out_steps = steps;
    *out_count = count;
    return RP_OK;
}

/* ---- Verification after a pass --------------------------------------------------------------- */

static rp_status bug(rp_diags *diags, const step *at, const char *what) {
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "after pass %.*s: %s", (int)at->length, at->text,
                 what);
    return RP_ERROR_UNPROVEN;
}

static rp_status verify_round_trip(const rp_graph *graph, const step *at, rp_diags *diags) {
    char *text = NULL;
    size_t size = 0;
    rp_graph *again = NULL;
    RP_TRY(rp_graph_print(graph, RP_FORMAT_TEXT, &text, &size));
    rp_status status = rp_graph_parse_again(&graph->allocator, text, size, "(dump)", diags, &again);
    if (status == RP_ERROR_INVALID) status = bug(diags, at, "the dump does not parse");
    if (status == RP_OK && !rp_graph_equal(graph, again))
        status = bug(diags, at, "the dump parses to another graph");
    rp_graph_destroy(again);
    rp_text_release(graph, text);
    return status;
}

static rp_status verify(const rp_graph *graph, uint64_t hash_before, bool changed, const step *at,
                        rp_diags *diags) {
    rp_status status = rp_graph_verify_again(graph, diags);
    if (status == RP_ERROR_INVALID) return bug(diags, at, "the graph breaks a rule");
    RP_TRY(status);
    if ((rp_graph_hash(graph) != hash_before) != changed)
        return bug(diags, at,
                   changed ? "reported a change and made none" : "made a change and hid it");
    return verify_round_trip(graph, at, diags);
}

/* ---- Running --------------------------------------------------------------------------------- */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t transient_bytes(const rp_graph *g) {
    if (g->stages & RP_STAGE_PLACED) return g->arena_bytes;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (rp_buffer_in_arena(&g->buffers[i]) && !g->buffers[i].removed) sum += g->buffers[i].size;
    return sum;
}

static uint32_t count_barriers(const rp_graph *g) {
    uint32_t count = 0;
    for (uint32_t i = 1; i < g->group_count && i < g->barriers_count; i++)
        count += g->barriers[i].src || g->barriers[i].dst;
    return count;
}

typedef struct run {
    const rp_pass_options *options;
    rp_diags *diags;
    rp_graph *graph;
    rp_pass_reports *reports;
} run;

/* Keeps the report; takes over `summary` and `details`. */
static rp_status keep_report(run *r, rp_pass_report *report, const step *at, char *summary,
                             char *details) {
    rp_pass_reports *all = r->reports;
    char *name = rp_alloc_zero(&all->allocator, at->length + 1, 1);
    if (!name ||
        !RP_RESERVE(&all->allocator, all->items, all->items_count, all->items_capacity, 1)) {
        rp_release(&all->allocator, name);
        rp_release(&all->allocator, summary);
        rp_release(&all->allocator, details);
        return RP_ERROR_NO_MEMORY;
    }
    memcpy(name, at->text, at->length);
    report->pass = name;
    report->summary = summary;
    report->details = details;
    all->items[all->items_count++] = *report;
    return RP_OK;
}

static bool has_stages(const rp_graph *graph, const step *at, rp_diags *diags) {
    uint32_t missing = at->pass->needs & ~graph->stages;
    if (!missing) return true;
    const char *first = missing & RP_STAGE_SCHEDULED ? "schedule" : "place";
    rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "pass %s needs pass %s before it",
                 at->pass->info.name, first);
    return false;
}

static rp_status run_step(run *r, const step *at, int index) {
    rp_graph *g = r->graph;
    if (!has_stages(g, at, r->diags)) return RP_ERROR_USAGE;
    rp_text summary, details;
    rp_text_init(&summary, &g->allocator);
    rp_text_init(&details, &g->allocator);
    rp_pass_report report = {.nodes_before = g->nodes_count,
                             .transient_bytes_before = transient_bytes(g)};
    uint64_t hash = r->options->verify_each ? rp_graph_hash(g) : 0;
    rp_pass_context context = {r->options, at->mode, r->diags, &summary, &details};
    bool changed = false;
    double start = now();
    rp_status status = at->pass->run(g, &context, &changed);
    report.seconds = now() - start;
    report.changed = changed;
    report.nodes_after = g->nodes_count;
    report.groups_after = g->stages & RP_STAGE_SCHEDULED ? g->group_count : 0;
    report.barriers_after = count_barriers(g);
    report.transient_bytes_after = transient_bytes(g);
    if (status == RP_OK && r->options->verify_each) status = verify(g, hash, changed, at, r->diags);
    char *line = NULL, *lines = NULL;
    if (status == RP_OK) status = rp_text_take(&summary, &line, NULL);
    if (status == RP_OK) status = rp_text_take(&details, &lines, NULL);
    if (status == RP_OK) {
        status = keep_report(r, &report, at, line, lines);
    } else {
        rp_release(&g->allocator, line);
        rp_text_free(&summary);
        rp_text_free(&details);
    }
    if (status == RP_OK && r->options->observer)
        status = r->options->observer(r->options->observer_user, index,
                                      &r->reports->items[r->reports->items_count - 1], g);
    return status;
}

static rp_status run_all(run *r, const step *steps, uint32_t count) {
    if (r->options->observer)
        RP_TRY(r->options->observer(r->options->observer_user, -1, NULL, r->graph));
    for (uint32_t i = 0; i < count; i++) RP_TRY(run_step(r, &steps[i], (int)i));
    return RP_OK;
}

rp_status rp_passes_run(const rp_graph *source, const rp_pass_options *options, rp_diags *diags,
                        rp_graph **out_graph, rp_certificate *out_certificate,
                        rp_pass_reports **out_reports) {
    rp_pass_options own = {0};
    if (out_graph) *out_graph = NULL;
    if (out_certificate) *out_certificate = (rp_certificate){0};
    if (out_reports) *out_reports = NULL;
    if (!source || !out_graph) return RP_ERROR_USAGE;
    if (options && !rp_sized_take(options, &own, sizeof own))
        return rp_sized_refuse(diags, "rp_pass_options");
    rp_target target;
    if (!rp_target_take(own.target, &target)) return rp_sized_refuse(diags, "rp_target");
    options = &own;
    const char *pipeline = options->pipeline ? options->pipeline : rp_pass_level(1);

    const rp_allocator *a = &source->allocator;
    run r = {.options = options, .diags = diags};
    step *steps = NULL;
    uint32_t count = 0;
    RP_TRY(read_pipeline(a, pipeline, diags, &steps, &count));
    rp_status status = RP_OK;
    r.reports = rp_alloc_zero(a, 1, sizeof *r.reports);
    if (!r.reports)
        status = RP_ERROR_NO_MEMORY;
    else
        r.reports->allocator = *a;
    if (status == RP_OK) status = rp_graph_clone(source, &r.graph);
    if (status == RP_OK && options->target) status = rp_graph_set_target(r.graph, options->target);
    if (status == RP_OK && options->target)
        status = rp_target_check(source, options->target, diags);
    if (status == RP_OK) status = run_all(&r, steps, count);
    if (status == RP_OK && options->target)
        status = rp_target_check(r.graph, options->target, diags);
    const uint32_t complete = RP_STAGE_SCHEDULED | RP_STAGE_SYNCED;
    if (status == RP_OK && (r.graph->stages & complete) == complete)
        status = rp_check(r.graph, source, NULL, diags, out_certificate);
    rp_release(a, steps);
    if (status != RP_OK) {
        rp_graph_destroy(r.graph);
        rp_pass_reports_destroy(r.reports);
        return status;
    }
    *out_graph = r.graph;
    if (out_reports)
        *out_reports = r.reports;
    else
        rp_pass_reports_destroy(r.reports);
    return RP_OK;
}
