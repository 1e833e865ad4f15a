/* reprise bench: holds pipelines against a baseline. Counts must be equal or better on any machine; times, within a
 * tolerance, on the device and driver that they were measured with. Of what got worse it says which decisions changed.
 *
 * A baseline is a JSON file for any number of pipelines (docs/json.md, "Baselines"). What is compared are the figures of
 * inspections, so that a baseline says no more and no less than the page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "commands.h"
#include "device.h"
#include "explain.h"
#include "inspect.h"
#include "level.h"
#include "measure_whole.h"
#include "message.h"
#include "output.h"
#include "take.h"

enum {
    OPTION_BASELINE = 1,
    OPTION_UPDATE,
    OPTION_COUNTS,
    OPTION_TOLERANCE,
    OPTION_ROUNDS,
    OPTION_DEVICE,
    OPTION_TARGET
};
enum { MOST_FILES = 256 };

static const cli_option options_table[] = {
    {OPTION_BASELINE, 'b', "baseline", "FILE.json", "what to compare with"},
    {OPTION_UPDATE, 'u', "update", NULL,
     "write what is now into it instead; other pipelines and devices in it stay"},
    {OPTION_COUNTS, 0, "counts", NULL, "compare counts alone, without a device"},
    {OPTION_TOLERANCE, 0, "tolerance", "PERCENT", "so much slower is no difference; 10 by default"},
    {OPTION_ROUNDS, 'n', "rounds", "COUNT", "measure so often; 20 by default"},
    {OPTION_DEVICE, 0, "device", "N|NAME", "the device, see 'reprise devices'"},
    CLI_PARAMS_OPTIONS,
    {OPTION_TARGET, 0, "target", "NAME|device|FILE",
     "what is compiled for; default: the device, with --counts portable"},
    CLI_LEVEL_OPTIONS,
    {0},
};

typedef struct bench_job {
    const char *files[MOST_FILES], *baseline;
    uint32_t count, tolerance, rounds;
    bool update, counts;
    cli_device device;
    cli_params params;
    rp_pass_options passes;
    cli_comparison comparison;
} bench_job;

static int take_option(const cli_command *command, int id, const char *value, bench_job *job) {
    switch (id) {
    case CLI_HELPED: return -1;
    case CLI_WRONG: return CLI_USAGE;
    case CLI_ARGUMENT:
        if (job->count == MOST_FILES)
            return cli_usage(command, "at most %d files at a time", MOST_FILES);
        job->files[job->count++] = value;
        return CLI_OK;
    case OPTION_BASELINE:
        job->baseline = value;
        return cli_needs_file(command, "--baseline", value);
    case OPTION_UPDATE: job->update = true; return CLI_OK;
    case OPTION_COUNTS: job->counts = true; return CLI_OK;
    case OPTION_TOLERANCE:
        return cli_take_count(command, "--tolerance", 0, 10000, value, &job->tolerance);
    case OPTION_ROUNDS:
        return cli_take_count(command, "-n", 1, RP_PROFILE_MOST_ROUNDS, value, &job->rounds);
    case OPTION_DEVICE: job->device.select = value; return CLI_OK;
    case OPTION_TARGET: return cli_params_target(command, &job->params, value);
    }
    if (id >= PARAMS_DEFINE) return cli_params_option(command, id, value, &job->params);
    return cli_level_option(command, id, value, &job->passes);
}

static int read_options(const cli_command *command, int argc, char **argv, bench_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        int status = take_option(command, id, options.value, job);
        if (status != CLI_OK) return status;
    }
    if (!job->count) return cli_usage(command, "names no pipeline");
    if (!job->baseline) return cli_usage(command, "needs --baseline FILE.json");
    if (job->counts && (job->device.select || job->rounds))
        return cli_usage(command, "--counts measures nothing: no --device and no -n");
    if (job->counts && job->params.target.size == 0)
        job->params.target = *rp_target_builtin("portable");
    return CLI_OK;
}

/* The device's, where no other is asked for. */
static void find_target(void *user, rp_target *out) {
    bench_job *job = user;
    if (!job->params.target.size) (void)cli_device_target(&job->device, &job->params.target);
    *out = job->params.target;
}

/* ---- One file -------------------------------------------------------------------------------- */

static json_t *inspect(bench_job *job, cli_source *source, int *out_result) {
    rp_inspection *inspection = NULL;
    json_t *root = NULL;
    *out_result = cli_inspect_begin(source, &inspection);
    if (*out_result == CLI_OK)
        *out_result = cli_inspect_source(source, &job->passes, NULL, NULL, inspection, NULL);
    if (*out_result == CLI_OK && !(root = cli_facts_document(source->path, inspection)))
        *out_result = CLI_ENVIRONMENT;
    rp_inspection_destroy(inspection);
    return root;
}

static int bench_form(bench_job *job, cli_source *source, json_t *form,
                      const cli_measured *measured) {
    cli_facts facts;
    if (!cli_facts_open(source->path, NULL, form, &facts)) return CLI_OK;
    const char *passes = job->passes.pipeline ? job->passes.pipeline : rp_pass_level(1);
    json_t *entry = cli_bench_entry(&facts, passes, measured);
    int result = job->update ? cli_bench_keep(&job->comparison, entry)
                             : cli_bench_compare(&job->comparison, entry, job->tolerance);
    json_decref(entry);
    cli_facts_close(&facts);
    return result;
}

static int bench_file(const cli_command *command, bench_job *job, const char *file) {
    cli_source source = {0};
    cli_measured measured = {.form = UINT32_MAX};
    json_t *root = NULL, *form;
    size_t i;
    int result = cli_source_open(file, &job->params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN, &source);
    if (result != CLI_OK) return result;
    if (job->params.target.size && strcmp(job->params.target.name, "portable"))
        job->passes.target = &job->params.target;
    root = inspect(job, &source, &result);
    if (result == CLI_OK && !job->counts) {
        if (source.kind == CLI_GRAPH)
            result = cli_usage(
                command, "%s is a graph text, which cannot be run: --counts compares what can be",
                file);
        else
            result = cli_measure_whole(command, &source, &job->passes, &job->device, job->rounds,
                                       &measured);
    }
    json_array_foreach(json_object_get(root, "forms"), i, form) {
        if (result != CLI_OK) break;
        result = bench_form(job, &source, form,
                            measured.form == source.first_form + i ? &measured : NULL);
    }
    json_decref(root);
    cli_source_close(&source);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    bench_job job = {.tolerance = 10, .passes.size = sizeof job.passes};
    int result = read_options(command, argc, argv, &job);
    job.params.find_target = find_target;
    job.params.user = &job;
    job.params.lenient = true;
    if (result == CLI_OK) result = cli_bench_open(job.baseline, job.update, &job.comparison);
    for (uint32_t i = 0; i < job.count && result == CLI_OK; i++)
        result = bench_file(command, &job, job.files[i]);
    if (result == CLI_OK) result = cli_bench_end(&job.comparison, job.baseline, job.update);
    json_decref(job.comparison.root);
    cli_device_close(&job.device);
    cli_params_free(&job.params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_bench_command = {
    .name = "bench",
    .arguments = "PIPELINE... --baseline FILE.json [options]",
    .brief = "Compares counts and times with a baseline; what got worse fails.",
    .details = "Dispatches, barriers, groups, bytes, arena and kernels must be equal or better, "
               "times within\n"
               "--tolerance on the same device and driver. Exit status 1 and a table say what got "
               "worse, and\n"
               "which decisions changed. --update writes the baseline.",
    .options = options_table,
    .run = run,
};
