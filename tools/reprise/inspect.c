/* Inspections of files.
 *
 * What a plan does not say is which passes made it. Its source is compiled again, at the levels that there are, for the
 * plan's target: where that gives the plan's graph, these were the passes, and the page shows them. Otherwise it shows
 * the graph, and says nothing of passes. */
#include "inspect.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "files.h"
#include "level.h"
#include "message.h"
#include "output.h"
#include "reprise/compiler.h"

enum { MOST_PROFILE = 1 << 28 }; /* bytes */

static int failed(const char *file, rp_status status) {
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result;
}

int cli_inspect_begin(const cli_source *source, rp_inspection **out) {
    const rp_inspection_params params = {.size = sizeof params,
                                         .file = source->path,
                                         .text = source->text,
                                         .text_size = source->text_size};
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, source->path, rp_inspection_create(NULL, &params, diags, out));
    rp_diags_destroy(diags);
    return result;
}

/* ---- Compiling ------------------------------------------------------------------------------- */

typedef struct watched {
    rp_inspection *inspection;
    const rp_pass_options *passes;
} watched;

static rp_status observe(void *user, int index, const rp_pass_report *report,
                         const rp_graph *graph) {
    watched *w = user;
    rp_status status = RP_OK;
    if (w->inspection) status = rp_inspection_observe(w->inspection, index, report, graph);
    cli_pass_progress(w->passes, index);
    return status;
}

/* Runs the passes, and tells `into` (may be NULL) of them. */
static rp_status compile(const rp_graph *graph, const rp_pass_options *passes, rp_diags *diags,
                         rp_inspection *into, rp_graph **out) {
    rp_pass_options own = *passes;
    watched w = {into, &own};
    own.lowering = rp_lowering_default();
    own.observer = observe;
    own.observer_user = &w;
    own.progress = cli_watch_work;
    rp_status status = rp_passes_run(graph, &own, diags, out, NULL, NULL);
    cli_progress(NULL);
    return status;
}

static int compile_form(const rp_graph *graph, const rp_pass_options *passes, const char *file,
                        rp_inspection *into, rp_graph **out) {
    rp_diags *diags = cli_diags();
    int result = cli_report(diags, file, compile(graph, passes, diags, into, out));
    rp_diags_destroy(diags);
    return result;
}

/* What a graph was compiled for; NULL for `portable`, whose limits nothing is held against. */
static const rp_target *target_of(const rp_graph *graph) {
    const rp_target *target = rp_graph_target(graph);
    return strcmp(target->name, "portable") ? target : NULL;
}

/* Whether a level makes the compiled graph of the source: its passes, or NULL. */
static const char *find_passes(const rp_graph *source, const rp_graph *compiled) {
    static const int levels[] = {1, 2, 0};
    for (int i = 0; i < 3; i++) {
        rp_graph *again = NULL;
        rp_diags *diags = cli_diags(); /* what is wrong with another level is nobody's business */
        const rp_pass_options passes = {.size = sizeof passes,
                                        .pipeline = rp_pass_level(levels[i]),
                                        .target = target_of(compiled)};
        rp_status status = compile(source, &passes, diags, NULL, &again);
        bool same = status == RP_OK && rp_graph_equal(again, compiled);
        rp_graph_destroy(again);
        rp_diags_destroy(diags);
        if (same) return passes.pipeline;
    }
    return NULL;
}

static int add_graph(const char *file, const rp_graph *source, const rp_graph *compiled,
                     rp_inspection *into, rp_graph **out) {
    rp_status status = into ? rp_inspection_add(into, source, compiled) : RP_OK;
    if (status == RP_OK) status = rp_graph_clone(compiled, out);
    return failed(file, status);
}

static int add_plan(cli_source *source, uint32_t form, rp_inspection *into, rp_graph **out) {
    int result;
    const rp_graph *origin = cli_form_origin(source, form, &result);
    const rp_graph *compiled = origin ? cli_form_graph(source, form, &result) : NULL;
    if (!compiled) return result;
    const char *pipeline = into ? find_passes(origin, compiled) : NULL;
    const rp_pass_options passes = {
        .size = sizeof passes, .pipeline = pipeline, .target = target_of(compiled)};
    if (pipeline) return compile_form(origin, &passes, source->path, into, out);
    if (into)
        cli_note("%s: no level makes this plan of its source, so its passes are not shown",
                 source->path);
    return add_graph(source->path, origin, compiled, into, out);
}

/* The compiled graph of a form, to be destroyed; `into` (may be NULL) is told how it came to be. */
static int add_form(cli_source *source, uint32_t form, const rp_pass_options *passes,
                    rp_inspection *into, rp_graph **out) {
    int result;
    if (source->kind == CLI_PLAN) return add_plan(source, form, into, out);
    const rp_graph *graph = cli_form_graph(source, form, &result);
    if (!graph) return result;
    rp_graph_stats stats = {.size = sizeof stats};
    rp_status status = rp_graph_get_stats(graph, &stats);
    if (status != RP_OK) return failed(source->path, status);
    if (stats.stages) return add_graph(source->path, NULL, graph, into, out);
    return compile_form(graph, passes, source->path, into, out);
}

/* What differs from a form of the other file, as compiled for the same target. */
static int compare(cli_source *other, uint32_t form, const rp_pass_options *passes,
                   const rp_graph *compiled, rp_inspection *into, bool *differs) {
    rp_pass_options own = *passes;
    rp_graph *graph = NULL;
    own.target = target_of(compiled);
    int result = add_form(other, form, &own, NULL, &graph);
    if (result == CLI_OK)
        result = failed(other->path, rp_inspection_compare(into, other->path, graph));
    if (result == CLI_OK && !rp_graph_equal(graph, compiled)) *differs = true;
    rp_graph_destroy(graph);
    return result;
}

int cli_inspect_source(cli_source *source, const rp_pass_options *passes, cli_source *other,
                       rp_inspection *into, bool *out_differs) {
    int result = CLI_OK;
    bool same_forms = other && other->form_count == source->form_count;
    bool differs = other && !same_forms;
    for (uint32_t i = 0; i < source->form_count && result == CLI_OK; i++) {
        char title[512];
        rp_graph *compiled = NULL;
        cli_form_title(source, i, title, sizeof title);
        rp_status status = rp_inspection_begin(into, *title ? title : NULL);
        result = failed(source->path, status);
        if (result == CLI_OK) result = add_form(source, i, passes, into, &compiled);
        bool last = i + 1 == source->form_count;
        if (result == CLI_OK && other && (same_forms || last))
            result = compare(other, same_forms ? i : other->form_count - 1, passes, compiled, into,
                             &differs);
        rp_graph_destroy(compiled);
    }
    if (out_differs) *out_differs = differs;
    return result;
}

/* ---- Files ----------------------------------------------------------------------------------- */

int cli_inspect_profile(const char *path, rp_inspection *into) {
    struct stat info;
    size_t size = 0;
    int descriptor = cli_file_open(path, "the JSON of a profile", &info);
    if (descriptor < 0) return CLI_INPUT;
    char *json = cli_file_read(descriptor, path, MOST_PROFILE, &size);
    close(descriptor);
    if (!json) return CLI_INPUT;
    rp_status status = rp_inspection_profile(into, json, size);
    free(json);
    if (status != RP_ERROR_INVALID) return failed(path, status);
    cli_error(path, "is no profile; expected what 'reprise profile --format json' prints");
    return CLI_INPUT;
}

int cli_inspect_write(rp_inspection *inspection, bool page, const char *path) {
    char *text = NULL;
    size_t size = 0;
    rp_diags *diags = cli_diags();
    rp_status status = rp_inspection_print(
        inspection, page ? RP_INSPECTION_PAGE : RP_INSPECTION_JSON, diags, &text, &size);
    int result = cli_report(diags, NULL, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK) result = cli_output_whole(path, text, size);
    rp_inspection_release(inspection, text);
    return result;
}
