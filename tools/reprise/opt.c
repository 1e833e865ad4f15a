/* reprise opt: runs passes over a graph text; text in, text out. What the passes' golden tests use.
 */
#include "commands.h"
#include "job.h"
#include "message.h"
#include "output.h"

static const cli_option options_table[] = {
    CLI_JOB_OPTIONS("OUT.rpir", "where the text goes (default: stdout)"),
    {0},
};

static int read_options(const cli_command *command, int argc, char **argv, cli_job *job) {
    int status = cli_job_read(command, argc, argv, job);
    if (status == CLI_OK && !job->input) return cli_usage(command, "names no input; '-' is stdin");
    return status;
}

static int optimise(cli_job *job, cli_source *source) {
    int result;
    const rp_graph *graph = cli_source_origin(source, &result);
    if (!graph) return result;
    rp_graph *compiled = NULL;
    rp_diags *diags = cli_diags();
    cli_progress("running passes over %s", source->path);
    job->passes.lowering = rp_lowering_default();
    rp_status status = rp_passes_run(graph, &job->passes, diags, &compiled, NULL, NULL);
    cli_progress(NULL);
    char *text = NULL;
    size_t size = 0;
    if (status == RP_OK) status = rp_graph_print(compiled, RP_FORMAT_TEXT, &text, &size);
    result = job->dump.failed ? job->dump.failed : cli_report(diags, source->path, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK) result = cli_output_whole(job->output ? job->output : "-", text, size);
    rp_text_release(compiled, text);
    rp_graph_destroy(compiled);
    return cli_dump_end(&job->dump, result);
}

static int run(const cli_command *command, int argc, char **argv) {
    cli_job job = {.passes.size = sizeof job.passes};
    cli_source source = {0};
    job.params.keep_text = true;
    int result = read_options(command, argc, argv, &job);
    if (result == CLI_OK) result = cli_dump_begin(command, &job.dump, &job.passes);
    if (result == CLI_OK)
        result =
            cli_source_open(job.input, &job.params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN, &source);
    if (result == CLI_OK && job.output) result = cli_output_check(job.output);
    if (result == CLI_OK) result = cli_dump_begin_page(&job.dump, &source);
    if (result == CLI_OK) result = optimise(&job, &source);
    cli_source_close(&source);
    cli_params_free(&job.params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_opt = {
    .name = "opt",
    .arguments = "PIPELINE.yaml|GRAPH.rpir|PLAN.rplan [options]",
    .brief = "Runs passes over a graph and prints the graph they leave, as text.",
    .details =
        "Pipelines are accepted too, and of a plan its source graph is taken. Passes may stop\n"
        "anywhere: --passes dce,rename prints a graph that is not scheduled yet.",
    .options = options_table,
    .run = run,
};
