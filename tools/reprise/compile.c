/* reprise compile: a pipeline or a graph text becomes a plan file. */
#include <stdlib.h>
#include "commands.h"
#include "dump.h"
#include "level.h"
#include "message.h"
#include "options.h"
#include "output.h"
#include "source.h"

enum { OPTION_OUTPUT = 1, OPTION_DEFINE };

static const cli_option options_table[] = {
    {OPTION_OUTPUT, 'o', "output", "PLAN.rplan", "the plan to write"},
    {OPTION_DEFINE, 'D', "define", "PARAM=VALUE", "set a parameter of the pipeline"},
    CLI_LEVEL_OPTIONS,
    CLI_DUMP_OPTIONS,
    {0},
};

typedef struct compile_job {
    const char *input, *output;
    cli_params params;
    rp_pass_options passes;
    cli_dump dump;
} compile_job;

static int read_options(const cli_command *command, int argc, char **argv, compile_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        int status = CLI_OK;
        if (id == CLI_HELPED) return -1;
        if (id == CLI_WRONG) return CLI_USAGE;
        if (id == CLI_ARGUMENT && job->input)
            return cli_usage(command, "one input at a time; '%s' is too many", options.value);
        if (id == CLI_ARGUMENT)
            job->input = options.value;
        else if (id == OPTION_OUTPUT)
            job->output = options.value;
        else if (id == OPTION_DEFINE && !cli_params_add(&job->params, options.value))
            status = cli_usage(command, "-D needs PARAM=NUMBER; got '%s'", options.value);
        else if (id >= DUMP_AFTER)
            status = cli_dump_option(command, id, options.value, &job->dump);
        else if (id >= LEVEL_O)
            status = cli_level_option(command, id, options.value, &job->passes);
        if (status != CLI_OK) return status;
    }
    if (!job->input) return cli_usage(command, "names no input");
    if (!job->output && !job->dump.after)
        return cli_usage(command, "needs -o PLAN.rplan (or --dump-after)");
    return CLI_OK;
}

static void say_plan(const char *path, const rp_plan *plan, size_t size) {
    rp_plan_info info = rp_plan_get_info(plan);
    cli_say("%s: %zu bytes, %u dispatches, %u groups, %u barriers (bound %u), arena %llu bytes "
            "(bound %llu), proven: %llu reads, %llu conflicts",
            path, size, info.dispatches, info.groups, info.barriers, info.barrier_bound,
            (unsigned long long)info.arena_bytes, (unsigned long long)info.arena_bound_bytes,
            (unsigned long long)info.certificate.reads_proven,
            (unsigned long long)info.certificate.conflicts_proven);
}

static int compile(compile_job *job, cli_source *source) {
    int result;
    const rp_graph *graph = cli_source_graph(source, &result);
    if (!graph) return result;
    rp_plan *plan = NULL;
    rp_diags *diags = cli_diags();
    cli_progress("compiling %s", source->path);
    rp_status status = rp_compile(graph, &job->passes, diags, &plan, NULL);
    cli_progress(NULL);
    result = job->dump.failed ? job->dump.failed : cli_report(diags, source->path, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK && job->output) {
        size_t size = 0;
        const void *data = rp_plan_data(plan, &size);
        result = cli_output_whole(job->output, data, size);
        if (result == CLI_OK) say_plan(job->output, plan, size);
    }
    rp_plan_destroy(plan);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    compile_job job = {0};
    cli_source source = {0};
    int result = read_options(command, argc, argv, &job);
    if (result == CLI_OK) result = cli_dump_begin(command, &job.dump, &job.passes);
    if (result == CLI_OK)
        result = cli_source_open(job.input, &job.params, CLI_PIPELINE | CLI_GRAPH, &source);
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
        "DIR/01-dce.rpir and so on, each a whole graph.",
    .options = options_table,
    .run = run,
};
