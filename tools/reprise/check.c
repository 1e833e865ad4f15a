/* reprise check: proves a compiled graph again, on demand. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "message.h"
#include "source.h"

enum { OPTION_AGAINST = 1 };

static const cli_option options_table[] = {
    {OPTION_AGAINST, 0, "against", "SOURCE", "the source: a pipeline, a graph text or a plan"},
    CLI_PARAMS_OPTIONS,
    {0},
};

typedef struct check_job {
    const char *compiled, *against;
    cli_params params;
} check_job;

static int read_options(const cli_command *command, int argc, char **argv, check_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED) return -1;
        if (id == CLI_WRONG) return CLI_USAGE;
        if (id == CLI_ARGUMENT && job->compiled)
            return cli_usage(command, "one file at a time; use --against %s?", options.value);
        if (id == CLI_ARGUMENT)
            job->compiled = options.value;
        else if (id == OPTION_AGAINST)
            job->against = options.value;
        else if (id >= PARAMS_DEFINE &&
                 cli_params_option(command, id, options.value, &job->params) != CLI_OK)
            return CLI_USAGE;
    }
    if (!job->compiled) return cli_usage(command, "names no compiled file");
    if (job->against && !strcmp(job->compiled, "-") && !strcmp(job->against, "-"))
        return cli_usage(command, "stdin can be one of the two, not both");
    if (job->params.count && !job->against)
        return cli_usage(command, "-D needs --against PIPELINE.yaml");
    return CLI_OK;
}

/* A plan is proven record by record; of a graph text there is the graph alone. */
static rp_status prove(cli_source *compiled, uint32_t form, const rp_graph *source, rp_diags *diags,
                       rp_certificate *out) {
    if (compiled->plan)
        return rp_plan_check(rp_plan_form(compiled->plan, compiled->first_form + form), source,
                             diags, out);
    rp_status status = rp_check(compiled->parsed[0], source, compiled->path, diags, out);
    return status == RP_OK ? rp_check_kernels(compiled->parsed[0], compiled->path, diags) : status;
}

static int check_form(cli_source *compiled, cli_source *against, uint32_t form) {
    int result = CLI_OK;
    char title[512];
    const rp_graph *source = against->kind ? cli_form_origin(against, form, &result) : NULL;
    if (result != CLI_OK) return result;
    cli_form_title(compiled, form, title, sizeof title);
    rp_certificate certificate = {0};
    rp_diags *diags = cli_diags();
    cli_progress("checking %s", compiled->path);
    rp_status status = prove(compiled, form, source, diags, &certificate);
    cli_progress(NULL);
    if (status != RP_OK && *title) rp_diags_add(diags, RP_NOTE, NULL, 0, 0, "in %s", title);
    result = cli_report(diags, compiled->path, status);
    rp_diags_destroy(diags);
    if (result != CLI_OK) return result;
    printf("%s: %s%sproven: ", compiled->path, title, *title ? ": " : "");
    if (source || compiled->plan)
        printf("%" PRIu64 " reads see the writer they see in %s, ", certificate.reads_proven,
               against->kind ? against->path : "the plan's source");
    printf("%" PRIu64 " conflicts stand behind a barrier\n", certificate.conflicts_proven);
    if (!source && !compiled->plan)
        cli_note("without --against SOURCE only the barriers and generated kernels were "
                 "checked, not the flow of data");
    return CLI_OK;
}

/* Forms agree on what is there for every replay: that is validated when a plan is opened. */
static int check(cli_source *compiled, cli_source *against) {
    int result = CLI_OK;
    if (against->kind && against->form_count != compiled->form_count) {
        cli_error(compiled->path, "has %u form%s, and %s has %u: choose one with --form",
                  compiled->form_count, compiled->form_count == 1 ? "" : "s", against->path,
                  against->form_count);
        return CLI_INPUT;
    }
    for (uint32_t i = 0; i < compiled->form_count && result == CLI_OK; i++)
        result = check_form(compiled, against, i);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    check_job job = {0};
    cli_source compiled = {0}, against = {0};
    int result = read_options(command, argc, argv, &job);
    cli_params none = {.form = job.params.form};
    job.params.form = 0;
    if (result == CLI_OK)
        result = cli_source_open(job.compiled, &none, CLI_GRAPH | CLI_PLAN, &compiled);
    if (result == CLI_OK && job.against) {
        const rp_graph *graph = cli_source_graph(&compiled, &result);
        if (graph) job.params.target = *rp_graph_target(graph);
    }
    if (result == CLI_OK && job.against)
        result = cli_source_open(job.against, &job.params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN,
                                 &against);
    if (result == CLI_OK && none.form && against.form_count > 1) {
        against.first_form = compiled.first_form; /* which compares with as many */
        against.form_count = against.form_count > none.form - 1 ? 1 : against.form_count;
    }
    if (result == CLI_OK) result = check(&compiled, &against);
    cli_source_close(&compiled);
    cli_source_close(&against);
    cli_params_free(&job.params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_check = {
    .name = "check",
    .arguments = "COMPILED [--against SOURCE]",
    .brief = "Proves that a compiled graph or plan computes what its source means.",
    .details =
        "Every byte a node reads must come from the node that wrote it last in source order, and\n"
        "between conflicting accesses must stand a barrier that covers both. Kernels that were "
        "made\n"
        "of ops must be those that the ops make. A plan is checked record by record, against the\n"
        "source it carries unless --against names another, a pipeline being read for the plan's\n"
        "target; of a compiled graph text without --against the barriers and kernels alone are\n"
        "checked.\n"
        "Exit status 1 names the rule, both nodes, the buffer and the bytes.",
    .options = options_table,
    .run = run,
};
