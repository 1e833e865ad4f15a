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

int cli_inspect_passes(cli_source *plan, uint32_t form, rp_pass_options *out) {
    int result;
    const rp_graph *origin = cli_form_origin(plan, form, &result);
    const rp_graph *compiled = origin ? cli_form_graph(plan, form, &result) : NULL;
    if (!compiled) return result;
    out->pipeline = find_passes(origin, compiled);
    out->target = target_of(compiled);
    if (out->pipeline) return CLI_OK;
    cli_error(plan->path,
              "no level makes this plan of its source: what it would be otherwise is not "
              "known; expected a pipeline, a graph text, or a plan of -O0, -O1 or -O2");
    return CLI_INPUT;
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

/* ---- Times ----------------------------------------------------------------------------------- */

static int no_profile(const char *path) {
    cli_error(path, "is no profile; expected what 'reprise profile --format json' prints");
    return CLI_INPUT;
}

int cli_profile_open(const char *path, cli_profile_file *out) {
    struct stat info;
    json_error_t error;
    *out = (cli_profile_file){.path = path};
    int descriptor = cli_file_open(path, "the JSON of a profile", &info);
    if (descriptor < 0) return CLI_INPUT;
    out->text = cli_file_read(descriptor, path, MOST_PROFILE, &out->size);
    close(descriptor);
    if (!out->text) return CLI_INPUT;
    out->root = json_loadb(out->text, out->size, JSON_DECODE_INT_AS_REAL, &error);
    double form = json_number_value(json_object_get(out->root, "form"));
    if (!json_is_array(json_object_get(out->root, "nodes")) || form < 0 || form > RP_MAX_FORMS)
        return no_profile(path);
    out->form = (uint32_t)form;
    return CLI_OK;
}

void cli_profile_close(cli_profile_file *profile) {
    json_decref(profile->root);
    free(profile->text);
    *profile = (cli_profile_file){0};
}

/* The first of the profile's nodes that is not the graph's at its place, both in plan order; SIZE_MAX. */
static size_t find_other(const json_t *measured, const json_t *nodes) {
    static const char *const keys[] = {"id", "group"};
    size_t count = json_array_size(measured), there = json_array_size(nodes);
    for (size_t i = 0; i < count && i < there; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (json_number_value(json_object_get(json_array_get(measured, i), keys[k])) !=
                json_number_value(json_object_get(json_array_get(nodes, i), keys[k])))
                return i;
    return count == there ? SIZE_MAX : count < there ? count : there;
}

/* Times of another plan would stand at nodes that they are not about. */
static int check_times(const cli_profile_file *profile, const char *file, const rp_graph *graph) {
    char *text = NULL;
    json_error_t error;
    rp_status status = rp_graph_print(graph, RP_FORMAT_JSON, &text, NULL);
    if (status != RP_OK) return failed(file, status);
    json_t *root = json_loads(text, JSON_DECODE_INT_AS_REAL, &error);
    const json_t *measured = json_object_get(profile->root, "nodes"),
                 *nodes = json_object_get(root, "nodes");
    size_t other = find_other(measured, nodes);
    if (other != SIZE_MAX)
        cli_error(profile->path,
                  "was measured of another plan: it has %zu nodes and %s %zu, and the %zu. is "
                  "another one; expected times of this plan, compiled by the same passes for the "
                  "same target",
                  json_array_size(measured), file, json_array_size(nodes), other + 1);
    json_decref(root);
    rp_text_release(graph, text);
    return other == SIZE_MAX ? CLI_OK : CLI_INPUT;
}

static int add_times(const cli_profile_file *profile, const char *file, const rp_graph *graph,
                     rp_inspection *into) {
    int result = check_times(profile, file, graph);
    if (result != CLI_OK) return result;
    rp_status status = rp_inspection_profile(into, profile->text, profile->size);
    return status == RP_ERROR_INVALID ? no_profile(profile->path) : failed(profile->path, status);
}

/* ---- Sources --------------------------------------------------------------------------------- */

int cli_inspect_source(cli_source *source, const rp_pass_options *passes,
                       const cli_profile_file *profile, cli_source *other, rp_inspection *into,
                       bool *out_differs) {
    int result = CLI_OK;
    bool timed = profile && profile->text, found = false;
    bool same_forms = other && other->form_count == source->form_count;
    bool differs = other && !same_forms;
    for (uint32_t i = 0; i < source->form_count && result == CLI_OK; i++) {
        char title[512];
        rp_graph *compiled = NULL;
        cli_form_title(source, i, title, sizeof title);
        rp_status status = rp_inspection_begin(into, *title ? title : NULL);
        result = failed(source->path, status);
        if (result == CLI_OK) result = add_form(source, i, passes, into, &compiled);
        bool measured = timed && source->first_form + i == profile->form;
        found |= measured;
        if (result == CLI_OK && measured) result = add_times(profile, source->path, compiled, into);
        bool last = i + 1 == source->form_count;
        if (result == CLI_OK && other && (same_forms || last))
            result = compare(other, same_forms ? i : other->form_count - 1, passes, compiled, into,
                             &differs);
        rp_graph_destroy(compiled);
    }
    if (result == CLI_OK && timed && !found) {
        cli_error(profile->path, "was measured of form %u, which is not shown of %s",
                  profile->form + 1, source->path);
        result = CLI_INPUT;
    }
    if (out_differs) *out_differs = differs;
    return result;
}

/* ---- Files ----------------------------------------------------------------------------------- */

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
