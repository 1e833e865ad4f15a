/* reprise check: proves a compiled graph again, on demand. */
#include <inttypes.h>
#include <stdio.h>
#include "commands.h"
#include "message.h"
#include "source.h"

enum { OPTION_AGAINST = 1, OPTION_DEFINE };

static const cli_option options_table[] = {
    {OPTION_AGAINST, 0, "against", "SOURCE", "the source: a pipeline, a graph text or a plan"},
    {OPTION_DEFINE, 'D', "define", "PARAM=VALUE", "set a parameter of a pipeline"},
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
        else if (id == OPTION_DEFINE && !cli_params_add(&job->params, options.value))
            return cli_usage(command, "-D needs PARAM=NUMBER; got '%s'", options.value);
    }
    if (!job->compiled) return cli_usage(command, "names no compiled file");
    if (job->params.count && !job->against)
        return cli_usage(command, "-D needs --against PIPELINE.yaml");
    return CLI_OK;
}

/* The certificate is what the plan claims; `fresh` is what was just found. */
static int compare_certificate(const cli_source *compiled, const rp_certificate *fresh) {
    if (!compiled->plan) return CLI_OK;
    rp_certificate stored = rp_plan_get_info(compiled->plan).certificate;
    if (stored.compiled_hash == fresh->compiled_hash && stored.verdict == 1) return CLI_OK;
    cli_error(compiled->path,
              "its certificate is for another graph (%016" PRIx64 ", this one is %016" PRIx64
              "); compile it again",
              stored.compiled_hash, fresh->compiled_hash);
    return CLI_INPUT;
}

static int check(cli_source *compiled, cli_source *against) {
    int result;
    const rp_graph *graph = cli_source_graph(compiled, &result), *source = NULL;
    if (!graph) return result;
    if (against->kind)
        source = cli_source_origin(against, &result);
    else if (compiled->kind == CLI_PLAN)
        source = cli_source_origin(compiled, &result);
    if (result != CLI_OK) return result;
    rp_certificate certificate = {0};
    rp_diags *diags = cli_diags();
    cli_progress("checking %s", compiled->path);
    rp_status status = rp_check(graph, source, compiled->path, diags, &certificate);
    cli_progress(NULL);
    result = cli_report(diags, compiled->path, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK) result = compare_certificate(compiled, &certificate);
    if (result != CLI_OK) return result;
    printf("%s: proven: ", compiled->path);
    if (source)
        printf("%" PRIu64 " reads see the writer they see in %s, ", certificate.reads_proven,
               against->kind ? against->path : "the plan's source");
    printf("%" PRIu64 " conflicts stand behind a barrier\n", certificate.conflicts_proven);
    if (!source)
        cli_note("without --against SOURCE only the barriers were checked, not what is computed");
    return CLI_OK;
}

static int run(const cli_command *command, int argc, char **argv) {
    check_job job = {0};
    cli_source compiled = {0}, against = {0};
    cli_params none = {0};
    int result = read_options(command, argc, argv, &job);
    if (result == CLI_OK)
        result = cli_source_open(job.compiled, &none, CLI_GRAPH | CLI_PLAN, &compiled);
    if (result == CLI_OK && job.against)
        result = cli_source_open(job.against, &job.params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN,
                                 &against);
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
        "between conflicting accesses must stand a barrier that covers both. A plan is checked\n"
        "against the source it carries unless --against names another; a compiled graph text\n"
        "without --against is checked for its barriers alone.\n"
        "Exit status 1 names the rule, both nodes, the buffer and the bytes.",
    .options = options_table,
    .run = run,
};
