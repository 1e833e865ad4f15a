/* reprise compile: a pipeline or a graph text becomes a plan file. */
#include <stdio.h>
#include "commands.h"
#include "job.h"
#include "message.h"
#include "output.h"
#include "values.h"

static const cli_option options_table[] = {
    CLI_JOB_OPTIONS("PLAN.rplan", "the plan to write"),
    {0},
};

static int read_options(const cli_command *command, int argc, char **argv, cli_job *job) {
    int status = cli_job_read(command, argc, argv, job);
    if (status != CLI_OK) return status;
    if (!job->input) return cli_usage(command, "names no input");
    if (!job->output && !job->dump.after)
        return cli_usage(command, "needs -o PLAN.rplan (or --dump-after)");
    return CLI_OK;
}

static void say_form(const char *path, const char *title, const rp_plan *plan, size_t size) {
    rp_plan_info info = cli_plan_info(plan);
    char tagged[64] = "";
    if (info.tagged)
        snprintf(tagged, sizeof tagged, ", %u where readers wait", info.tagged_barriers);
    cli_say(
        "%s: %s%s%zu bytes, %u dispatches, %u groups, %u barriers (bound %u%s), arena %llu bytes "
        "(bound %llu), proven: %llu reads, %llu conflicts",
        path, title, *title ? ": " : "", size, info.dispatches, info.groups, info.barriers,
        info.barrier_bound, tagged, (unsigned long long)info.arena_bytes,
        (unsigned long long)info.arena_bound_bytes,
        (unsigned long long)info.certificate.reads_proven,
        (unsigned long long)info.certificate.conflicts_proven);
}

static void say_plan(const char *path, const cli_source *source, const rp_plan *plan) {
    for (uint32_t i = 0; i < source->form_count; i++) {
        char title[512];
        size_t size;
        cli_form_title(source, i, title, sizeof title);
        (void)rp_plan_data(rp_plan_form(plan, i), &size);
        say_form(path, title, rp_plan_form(plan, i), size);
    }
}

static int compile(cli_job *job, cli_source *source) {
    const rp_graph *graphs[RP_MAX_FORMS];
    int result = CLI_OK;
    for (uint32_t i = 0; i < source->form_count; i++)
        if (!(graphs[i] = cli_form_graph(source, i, &result))) return result;
    rp_plan *plan = NULL;
    rp_diags *diags = cli_diags();
    job->dump.source = source;
    cli_progress("compiling %s", source->path);
    rp_status status =
        rp_compile_forms(graphs, source->form_count, &job->passes, diags, &plan, NULL);
    cli_progress(NULL);
    result = job->dump.failed ? job->dump.failed : cli_report(diags, source->path, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK && job->output) {
        size_t size = 0;
        const void *data = rp_plan_data(plan, &size);
        result = cli_output_whole(job->output, data, size);
        if (result == CLI_OK) say_plan(job->output, source, plan);
    }
    rp_plan_destroy(plan);
    return cli_dump_end(&job->dump, result);
}

static int run(const cli_command *command, int argc, char **argv) {
    cli_job job = {.passes.size = sizeof job.passes};
    cli_source source = {0};
    job.params.keep_text = true;
    int result = read_options(command, argc, argv, &job);
    if (result == CLI_OK) result = cli_dump_begin(command, &job.dump, &job.passes);
    if (result == CLI_OK)
        result = cli_source_open(job.input, &job.params, CLI_PIPELINE | CLI_GRAPH, &source);
    if (result == CLI_OK && job.output) result = cli_output_check(job.output);
    if (result == CLI_OK) result = cli_dump_begin_page(&job.dump, &source);
    if (result == CLI_OK) result = compile(&job, &source);
    cli_source_close(&source);
    cli_params_free(&job.params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_compile = {
    .name = "compile",
    .arguments = "PIPELINE.yaml|GRAPH.rpir -o PLAN.rplan [options]",
    .brief = "Compiles a pipeline or a graph text to a plan, and proves it.",
    .details =
        "Each pass says on stderr what it changed. --dump-after all writes DIR/00-source.rpir,\n"
        "DIR/01-dce.rpir and so on, each a whole graph, and what fuse decided is shown, line by "
        "line.",
    .options = options_table,
    .run = run,
};
