/* reprise show: any file as text, JSON or DOT, as a page, or its figures. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "dump.h"
#include "glsl.h"
#include "inspect.h"
#include "message.h"
#include "output.h"
#include "source.h"
#include "values.h"

enum {
    OPTION_OUTPUT = 1,
    OPTION_FORMAT,
    OPTION_SOURCE,
    OPTION_STATS,
    OPTION_GLSL,
    OPTION_TARGET,
    OPTION_PROFILE
};

static const cli_option options_table[] = {
    {OPTION_FORMAT, 'f', "format", "text|json|dot|html|inspection",
     "how to show it (default: text); html: a page of all that is known, inspection: its JSON"},
    {OPTION_SOURCE, 0, "source", NULL, "of a plan, show the graph it was compiled from"},
    {OPTION_STATS, 0, "stats", NULL, "show figures instead of the graph"},
    {OPTION_GLSL, 0, "glsl", NULL, "show the GLSL that op nodes are computed with"},
    {OPTION_OUTPUT, 'o', "output", "FILE", "where it goes (default: stdout)"},
    CLI_PARAMS_OPTIONS,
    {OPTION_TARGET, 0, "target", "NAME|device|FILE", "what a pipeline is read for"},
    {OPTION_PROFILE, 0, "profile", "FILE.json",
     "times for the page, as 'reprise profile --format json' printed them"},
    CLI_LEVEL_OPTIONS,
    {0},
};

typedef struct show_job {
    const char *input, *output;
    cli_params params;
    rp_pass_options passes;
    cli_view format;
    const char *profile;
    bool source, stats, glsl, level_given;
} show_job;

static bool is_page(const show_job *job) {
    return job->format == CLI_VIEW_HTML || job->format == CLI_VIEW_INSPECTION;
}

static int read_options(const cli_command *command, int argc, char **argv, show_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED) return -1;
        if (id == CLI_WRONG) return CLI_USAGE;
        if (id == CLI_ARGUMENT && job->input)
            return cli_usage(command, "one file at a time; '%s' is too many", options.value);
        if (id == CLI_ARGUMENT)
            job->input = options.value;
        else if (id == OPTION_OUTPUT)
            job->output = options.value;
        else if (id == OPTION_SOURCE)
            job->source = true;
        else if (id == OPTION_STATS)
            job->stats = true;
        else if (id == OPTION_GLSL)
            job->glsl = true;
        else if (id == OPTION_PROFILE)
            job->profile = options.value;
        else if (id >= LEVEL_O && id <= LEVEL_VERIFY_EACH) {
            job->level_given = true;
            int status = cli_level_option(command, id, options.value, &job->passes);
            if (status != CLI_OK) return status;
        } else if (id >= PARAMS_DEFINE &&
                   cli_params_option(command, id, options.value, &job->params) != CLI_OK)
            return CLI_USAGE;
        else if (id == OPTION_TARGET) {
            int status = cli_params_target(command, &job->params, options.value);
            if (status != CLI_OK) return status;
        } else if (id == OPTION_FORMAT &&
                   !cli_view_read(command, "--format", options.value, &job->format))
            return CLI_USAGE;
    }
    if (!job->input) return cli_usage(command, "names no file; '-' is stdin");
    if (job->stats && job->glsl) return cli_usage(command, "--stats or --glsl, not both");
    bool page = is_page(job);
    if (page && (job->stats || job->glsl || job->source))
        return cli_usage(command,
                         "--stats, --glsl and --source are not for pages, which show all of it");
    if (!page && (job->profile || job->level_given))
        return cli_usage(command, "%s for --format html or inspection",
                         job->profile ? "--profile is" : "levels and passes are");
    if (job->profile && cli_needs_file(command, "--profile", job->profile) != CLI_OK)
        return CLI_USAGE;
    if (job->stats && job->output) return cli_usage(command, "--stats goes to stdout, not to -o");
    return CLI_OK;
}

static void print_plan_stats(const rp_plan *plan) {
    rp_plan_info info = cli_plan_info(plan);
    size_t size;
    rp_plan_data(plan, &size);
    printf("plan              %s\n", info.name);
    printf("file              %zu bytes, format %d, content hash %016" PRIx64 "\n", size,
           RP_PLAN_VERSION, info.content_hash);
    printf("kernels           %" PRIu32 "\n", info.kernels);
    printf("proven            %" PRIu64 " reads, %" PRIu64 " conflicts, by checker %" PRIu32 "\n",
           info.certificate.reads_proven, info.certificate.conflicts_proven,
           info.certificate.checker_version);
    for (uint32_t i = 0; i < rp_plan_buffer_count(plan); i++) {
        rp_plan_buffer_info b = cli_plan_buffer(plan, i);
        printf("buffer            $%s %s %s", b.name, rp_buffer_kind_name(b.kind),
               rp_dtype_name(b.dtype));
        for (uint32_t d = 0; d < b.rank; d++)
            printf("%s%" PRIu64 "%s", d ? ", " : "[", b.shape[d], d + 1 == b.rank ? "]" : "");
        printf(", %" PRIu64 " bytes%s\n", b.bytes, b.follows ? ", follows live values" : "");
    }
}

static int print_stats(const cli_source *source, uint32_t form, const rp_graph *graph) {
    rp_graph_stats s = {.size = sizeof s};
    char title[512];
    rp_status status = rp_graph_get_stats(graph, &s);
    if (status != RP_OK) {
        cli_error(source->path, "%s; %s", rp_status_name(status), rp_status_advice(status));
        return cli_exit_status(status);
    }
    cli_form_title(source, form, title, sizeof title);
    if (*title) printf("%s%s\n", form ? "\n" : "", title);
    if (source->plan) print_plan_stats(rp_plan_form(source->plan, source->first_form + form));
    printf("nodes             %" PRIu32 " (%" PRIu32 " dispatches, %" PRIu32 " transfers)\n",
           s.nodes, s.dispatches, s.transfers);
    if (s.unknown) printf("unknown uses      %" PRIu32 " dispatches\n", s.unknown);
    if (s.stages & RP_STAGE_SCHEDULED) printf("groups            %" PRIu32 "\n", s.groups);
    if (s.tagged)
        printf("tagged buffers    %" PRIu32 ", %" PRIu64 " bytes of words\n", s.tagged,
               s.tagged_bytes);
    if (s.stages & RP_STAGE_SYNCED) printf("barriers          %" PRIu32 "\n", s.barriers);
    if (s.stages & RP_STAGE_SYNCED && s.tagged)
        printf("tagged form       %" PRIu32 " barriers\n", s.tagged_barriers);
    printf("barrier bound     %" PRIu32 "\n", s.barrier_bound);
    if (s.stages & RP_STAGE_PLACED) printf("arena             %" PRIu64 " bytes\n", s.arena_bytes);
    if (s.stages & RP_STAGE_SCHEDULED)
        printf("arena bound       %" PRIu64 " bytes\n", s.arena_bound_bytes);
    printf("transients        %" PRIu64 " bytes unshared\n", s.transient_bytes);
    if (s.image_bytes) printf("images            %" PRIu64 " bytes unshared\n", s.image_bytes);
    printf("other buffers     %" PRIu64 " bytes\n", s.external_bytes);
    return CLI_OK;
}

/* What is shown, which is written at the end. */
typedef struct shown {
    char *text;
    size_t size;
} shown;

static void add(shown *all, const char *text, size_t size) {
    char *more = cli_alloc(all->size + size + 1, 1);
    if (all->size) memcpy(more, all->text, all->size);
    memcpy(more + all->size, text, size);
    free(all->text);
    all->text = more;
    all->size += size;
}

static int add_graph(const show_job *job, const cli_source *source, const rp_graph *graph,
                     shown *all) {
    char *text = NULL;
    size_t size = 0;
    if (job->glsl) {
        int result = cli_glsl_all(source->path, graph, &text, &size);
        if (result == CLI_OK) add(all, text, size);
        free(text);
        return result;
    }
    rp_status status = rp_graph_print(graph, (rp_format)job->format, &text, &size);
    if (status != RP_OK) {
        cli_error(source->path, "%s; %s", rp_status_name(status), rp_status_advice(status));
        return cli_exit_status(status);
    }
    add(all, text, size);
    rp_text_release(graph, text);
    return CLI_OK;
}

/* Of several forms one behind the other, under their titles; in JSON a list of graphs. */
static void add_title(const show_job *job, const cli_source *source, uint32_t form, shown *all) {
    char title[512], line[600];
    bool json = job->format == CLI_VIEW_JSON && !job->glsl;
    bool text = job->format == CLI_VIEW_TEXT && !job->glsl;
    if (source->form_count == 1) return;
    cli_form_title(source, form, title, sizeof title);
    snprintf(line, sizeof line, "%s %s\n", text ? ";" : "//", title);
    if (json) snprintf(line, sizeof line, "%s\n", form ? "," : "[");
    add(all, line, strlen(line));
}

static int show(const show_job *job, cli_source *source) {
    shown all = {0};
    int result = CLI_OK;
    for (uint32_t i = 0; i < source->form_count && result == CLI_OK; i++) {
        const rp_graph *graph =
            job->source ? cli_form_origin(source, i, &result) : cli_form_graph(source, i, &result);
        if (!graph) break;
        if (job->stats) {
            result = print_stats(source, i, graph);
            continue;
        }
        add_title(job, source, i, &all);
        result = add_graph(job, source, graph, &all);
    }
    if (source->form_count > 1 && job->format == CLI_VIEW_JSON && !job->glsl) add(&all, "]\n", 2);
    if (result == CLI_OK && !job->stats)
        result = cli_output_whole(job->output ? job->output : "-", all.text, all.size);
    free(all.text);
    return result;
}

static int show_page(show_job *job, cli_source *source) {
    rp_inspection *inspection = NULL;
    if (job->params.target.size) job->passes.target = &job->params.target;
    cli_profile_file profile = {0};
    int result = job->profile ? cli_profile_open(job->profile, &profile) : CLI_OK;
    if (result == CLI_OK) result = cli_inspect_begin(source, &inspection);
    if (result == CLI_OK)
        result = cli_inspect_source(source, &job->passes, &profile, NULL, inspection, NULL);
    if (result == CLI_OK)
        result = cli_inspect_write(inspection, job->format == CLI_VIEW_HTML,
                                   job->output ? job->output : "-");
    rp_inspection_destroy(inspection);
    cli_profile_close(&profile);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    show_job job = {.passes.size = sizeof job.passes, .params.keep_text = true};
    cli_source source = {0};
    int result = read_options(command, argc, argv, &job);
    if (result == CLI_OK)
        result =
            cli_source_open(job.input, &job.params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN, &source);
    bool compiles = source.kind == CLI_PIPELINE || (source.kind == CLI_GRAPH && is_page(&job));
    if (result == CLI_OK && job.params.target.size && !compiles)
        result = cli_usage(command, "--target is for pipelines, and for pages of graph texts: what "
                                    "else is shown has one already");
    if (result == CLI_OK && job.output) result = cli_output_check(job.output);
    if (result == CLI_OK && job.level_given && source.kind == CLI_PLAN)
        result =
            cli_usage(command, "a plan is already compiled; levels and passes are for what is not");
    if (result == CLI_OK) result = is_page(&job) ? show_page(&job, &source) : show(&job, &source);
    cli_source_close(&source);
    cli_params_free(&job.params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_show = {
    .name = "show",
    .arguments = "FILE|- [options]",
    .brief = "Shows a pipeline, a graph text or a plan.",
    .details =
        "The kind of file is recognised by its content. Of a plan the compiled graph is shown.\n"
        "--glsl prints the kernels that are generated from ops, one after the other.\n"
        "DOT is for Graphviz: reprise show --format dot FILE | dot -Tsvg > graph.svg\n"
        "--format html compiles what is not compiled (-O1 by default) and writes one page that "
        "needs "
        "no network:\n"
        "passes, schedule, memory, kernels and reasons; docs/inspection.md is a tour.",
    .options = options_table,
    .run = run,
};
