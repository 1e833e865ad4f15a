/* reprise run: compiles a pipeline or opens a plan, replays it on a device, and saves its arrays.
 *
 * The order of the work: everything that can be wrong with the command line and the files is told
 * before what is wrong with the device; nothing is written before every replay and comparison is
 * done.
 */
#include <stdio.h>
#include <string.h>
#include "arrays.h"
#include "commands.h"
#include "counters.h"
#include "device.h"
#include "level.h"
#include "live.h"
#include "message.h"
#include "output.h"
#include "replay.h"
#include "sizes.h"
#include "source.h"
#include "take.h"
#include "trace.h"

enum {
    OPTION_INPUT = 1,
    OPTION_OUTPUT,
    OPTION_SET,
    OPTION_REPLAYS,
    OPTION_DEVICE,
    OPTION_TAGS,
    OPTION_CHECK,
    OPTION_VALIDATE,
    OPTION_WEIGHTS,
    OPTION_COUNTERS,
    OPTION_FORMAT,
    OPTION_WITHOUT,
    OPTION_TRACE,
    OPTION_SLOTS,
};

static const cli_option options_table[] = {
    {OPTION_INPUT, 'i', "input", "NAME=FILE", "the data of a buffer of kind in, inout or weight"},
    {OPTION_WEIGHTS, 0, "weights", "FILE.safetensors", "data by the buffers' names; repeatable"},
    {OPTION_OUTPUT, 'o', "output", "NAME=OUT.npy", "save a buffer of kind out or inout"},
    {OPTION_SET, 0, "set", "NAME=VALUE,...", "set a live value; NAME[K]=VALUE sets element K"},
    {OPTION_WITHOUT, 0, "without", "NAME",
     "leave out the nodes with that label or below it, or node nID; repeatable"},
    CLI_PARAMS_OPTIONS,
    {OPTION_REPLAYS, 'n', "replays", "COUNT", "replay so often, and print figures"},
    {OPTION_SLOTS, 0, "slots", "COUNT", "as many replays of -n in flight, where they may overlap"},
    {OPTION_DEVICE, 0, "device", "N|NAME", "the device, see 'reprise devices'"},
    {OPTION_CHECK, 0, "check-against", "-O0",
     "run this level too and compare bit for bit (NaN equals NaN)"},
    CLI_TAGS_OPTION(OPTION_TAGS),
    {OPTION_VALIDATE, 0, "validate", NULL, "with Vulkan's validation layer; any message fails"},
    {OPTION_COUNTERS, 0, "counters", NULL, "print what exec and device counted"},
    {OPTION_FORMAT, 'f', "format", "text|json", "of the counters; text by default"},
    {OPTION_TRACE, 0, "trace", "FILE.json", "write when what ran on host and device, for Perfetto"},
    CLI_LEVEL_OPTIONS,
    {0},
};

typedef struct run_job {
    const char *input, *check_text, *trace;
    cli_device device;
    rp_tags tags;
    cli_params params;
    cli_pairs inputs, outputs, lives;
    rp_pass_options passes, check_passes;
    int check_level;
    bool level_given, figures, counters, json, format_given;
    uint32_t replays, slots;
    cli_texts weights, switches; /* switches: what is left out */
    const rp_pipeline *pipeline; /* NULL: a plan is run */
} run_job;

static int take_option(const cli_command *command, int id, const cli_options *options,
                       run_job *job) {
    uint32_t most = (uint32_t)options->argc;
    const char *value = options->value;
    int status;
    switch (id) {
    case CLI_ARGUMENT:
        if (job->input) return cli_usage(command, "one input at a time; '%s' is too many", value);
        job->input = value;
        return CLI_OK;
    case OPTION_INPUT: return cli_take_file(command, "-i", "NAME=FILE", value, most, &job->inputs);
    case OPTION_OUTPUT:
        return cli_take_file(command, "-o", "NAME=FILE.npy", value, most, &job->outputs);
    case OPTION_SET: return cli_take_pair(command, "--set", "NAME=VALUE", value, most, &job->lives);
    case PARAMS_DEFINE:
    case PARAMS_INCLUDE:
    case PARAMS_FORM: return cli_params_option(command, id, value, &job->params);
    case OPTION_REPLAYS:
        job->figures = true;
        return cli_take_count(command, "-n", 1, 10000000, value, &job->replays);
    case OPTION_SLOTS:
        return cli_take_count(command, "--slots", 1, RP_MAX_SLOTS, value, &job->slots);
    case OPTION_DEVICE: job->device.select = value; return CLI_OK;
    case OPTION_TAGS: return cli_take_tags(command, value, &job->tags);
    case OPTION_CHECK:
        job->check_text = value;
        job->check_level = cli_level_number(value);
        job->check_passes.pipeline = rp_pass_level(job->check_level);
        if (job->check_passes.pipeline) return CLI_OK;
        return cli_usage(command, "--check-against needs -O0, -O1 or -O2; got '%s'", value);
    case OPTION_WEIGHTS:
        status = cli_take_text(command, "--weights", value, &job->weights);
        return status == CLI_OK ? cli_needs_file(command, "--weights", value) : status;
    case OPTION_WITHOUT: return cli_take_text(command, "--without", value, &job->switches);
    case OPTION_TRACE: job->trace = value; return cli_needs_file(command, "--trace", value);
    case OPTION_VALIDATE: job->device.validate = true; return CLI_OK;
    case OPTION_COUNTERS: job->counters = true; return CLI_OK;
    case OPTION_FORMAT:
        job->format_given = true;
        return cli_take_format(command, value, &job->json);
    }
    job->level_given = true;
    return cli_level_option(command, id, value, &job->passes);
}

static int read_options(const cli_command *command, int argc, char **argv, run_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED) return -1;
        if (id == CLI_WRONG) return CLI_USAGE;
        int status = take_option(command, id, &options, job);
        if (status != CLI_OK) return status;
    }
    if (!job->input) return cli_usage(command, "names no pipeline and no plan");
    if (job->format_given && !job->counters)
        return cli_usage(command, "--format is that of --counters");
    if (job->json) job->figures = false; /* nothing but JSON on stdout */
    return CLI_OK;
}

/* What runs: `plan`, and with --check-against `oracle` too. */
typedef struct run_plans {
    const rp_plan *plan;
    rp_plan *compiled, *oracle; /* owned */
    rp_target target;           /* of the device that they are compiled for */
} run_plans;

/* That of the device, to read and to compile pipelines for it; NULL where there is none. */
static const rp_target *find_target(run_job *job, run_plans *plans) {
    if (!plans->target.size && !cli_device_target(&job->device, &plans->target)) return NULL;
    return &plans->target;
}

typedef struct run_finder {
    run_job *job;
    run_plans *plans;
} run_finder;

static void find_for_pipeline(void *user, rp_target *out) {
    const run_finder *finder = user;
    const rp_target *target = find_target(finder->job, finder->plans);
    if (target) *out = *target;
}

static int make_forms(cli_source *source, const rp_pass_options *passes, rp_plan **out) {
    const rp_graph *graphs[RP_MAX_FORMS];
    int result = CLI_OK;
    for (uint32_t i = 0; i < source->form_count; i++)
        if (!(graphs[i] = cli_form_origin(source, i, &result))) return result;
    return cli_make_plan(graphs, source->form_count, passes, source->path, out);
}

static int make_plans(const cli_command *command, run_job *job, cli_source *source,
                      run_plans *plans) {
    int result = CLI_OK;
    if (source->kind == CLI_PLAN && job->level_given)
        return cli_usage(command,
                         "a plan is already compiled; levels and passes are for pipelines");
    plans->plan = cli_source_plan(source);
    if (source->kind == CLI_PIPELINE) {
        job->passes.target = find_target(job, plans);
        result = make_forms(source, &job->passes, &plans->compiled);
        plans->plan = plans->compiled;
    }
    if (result != CLI_OK || !job->check_text) return result;
    job->check_passes.target = find_target(job, plans);
    return make_forms(source, &job->check_passes, &plans->oracle);
}

/* One plan from its inputs to its results. `plan` is executed, `names` is the plan whose buffers
 * `inputs` and `out` are indexed by: both were compiled from one graph. */
static int execute(const cli_command *command, const run_job *job, const char *file,
                   rp_device *device, const rp_plan *plan, const rp_plan *names,
                   const cli_inputs *inputs, int figures, int counters, cli_results *out) {
    rp_exec *exec = NULL;
    uint32_t last = (job->replays - 1) % job->slots;
    rp_exec_params params = {.size = sizeof params,
                             .tags = job->tags,
                             .timestamps = figures || cli_trace_is_on(),
                             .slots = job->slots,
                             .switches = job->switches.items,
                             .switch_count = job->switches.count};
    rp_diags *diags = cli_diags();
    const rp_graph *graph = job->pipeline ? rp_pipeline_graph(job->pipeline) : NULL;
    double start = cli_trace_now();
    rp_status status = rp_exec_create(device, plan, &params, diags, &exec);
    int result = cli_report_nodes(diags, file, graph, status);
    rp_diags_destroy(diags);
    cli_trace_host("create", "exec and pipelines", start, -1);
    start = cli_trace_now();
    for (uint32_t slot = 0; slot < job->slots && result == CLI_OK; slot++)
        result = cli_inputs_upload(inputs, names, file, exec, slot);
    cli_trace_host("upload", "uploads", start, -1);
    for (uint32_t slot = 0; slot < job->slots && result == CLI_OK; slot++) {
        result = cli_live_set(command, names, job->pipeline, file, &job->lives, exec, slot);
        if (result == CLI_OK) result = cli_leave_out(&job->switches, file, exec, slot);
    }
    cli_trace_calibrate(device);
    if (result == CLI_OK) result = cli_replay(exec, file, job->replays, job->slots, figures);
    cli_trace_calibrate(device);
    start = cli_trace_now();
    if (result == CLI_OK) result = cli_results_read(names, file, exec, last, out);
    cli_trace_host("read", "results", start, -1);
    if (result == CLI_OK && counters) cli_counters_print(exec, device, job->json);
    rp_exec_destroy(exec);
    return result;
}

static int on_device(const cli_command *command, run_job *job, const char *file,
                     const run_plans *plans, const cli_inputs *inputs) {
    cli_results results = {0}, oracle = {0};
    rp_diags *diags = cli_diags();
    double start = cli_trace_now();
    int result = cli_device_open(&job->device);
    rp_device *device = job->device.handle;
    cli_trace_host("create", "device", start, -1);
    if (result == CLI_OK)
        result = execute(command, job, file, device, plans->plan, plans->plan, inputs, job->figures,
                         job->counters, &results);
    if (result == CLI_OK && plans->oracle) {
        char name[8];
        snprintf(name, sizeof name, "-O%d", job->check_level);
        result =
            execute(command, job, file, device, plans->oracle, plans->plan, inputs, 0, 0, &oracle);
        if (result == CLI_OK)
            result = cli_results_compare(plans->plan, file, &results, &oracle, name);
    }
    if (device && job->device.validate && rp_device_messages(device, diags)) {
        cli_report(diags, NULL, RP_OK);
        cli_error(file, "Vulkan's validation layer has objections");
        if (result == CLI_OK) result = CLI_INPUT;
    }
    if (result == CLI_OK)
        result = cli_results_save(command, plans->plan, &results, &job->outputs, !job->json);
    rp_diags_destroy(diags);
    cli_results_free(&results);
    cli_results_free(&oracle);
    return result;
}

static int open_inputs(const cli_command *command, const run_job *job, const cli_source *source,
                       const rp_plan *plan, cli_inputs *inputs) {
    cli_input_files files = {
        .given = &job->inputs, .pipeline = source->pipeline, .weights = &job->weights};
    return cli_inputs_open(command, plan, source->path, &files, inputs);
}

static int run_source(const cli_command *command, run_job *job, cli_source *source,
                      run_plans *plans) {
    cli_inputs inputs = {0};
    job->pipeline = source->pipeline;
    int result = make_plans(command, job, source, plans);
    if (result == CLI_OK)
        result = cli_live_set(command, plans->plan, source->pipeline, source->path, &job->lives,
                              NULL, 0);
    if (result == CLI_OK) result = open_inputs(command, job, source, plans->plan, &inputs);
    if (result == CLI_OK) result = cli_results_check(command, plans->plan, &job->outputs);
    if (result == CLI_OK) result = on_device(command, job, source->path, plans, &inputs);
    cli_inputs_close(&inputs);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    run_job job = {.replays = 1,
                   .slots = 1,
                   .passes.size = sizeof job.passes,
                   .check_passes.size = sizeof job.check_passes};
    cli_source source = {0};
    run_plans plans = {0};
    run_finder finder = {&job, &plans};
    int result = read_options(command, argc, argv, &job);
    job.params.find_target = find_for_pipeline;
    job.params.user = &finder;
    if (result == CLI_OK && job.trace) result = cli_output_check(job.trace);
    if (result == CLI_OK && job.trace) cli_trace_begin();
    double start = cli_trace_now();
    if (result == CLI_OK)
        result = cli_source_open(job.input, &job.params, CLI_PIPELINE | CLI_PLAN, &source);
    cli_trace_host("read", "source", start, -1);
    if (result == CLI_OK) result = run_source(command, &job, &source, &plans);
    if (result == CLI_OK && job.trace) {
        rp_device_info info = {.size = sizeof info};
        (void)rp_device_get_info(job.device.handle, &info);
        result = cli_trace_end(job.trace, info.name);
    }
    cli_source_close(&source);
    rp_plan_destroy(plans.compiled);
    rp_plan_destroy(plans.oracle);
    cli_device_close(&job.device);
    cli_params_free(&job.params);
    cli_pairs_free(&job.inputs);
    cli_pairs_free(&job.outputs);
    cli_pairs_free(&job.lives);
    cli_sizes_free();
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_run = {
    .name = "run",
    .arguments = "PIPELINE.yaml|PLAN.rplan [options]",
    .brief = "Compiles a pipeline, or takes a plan, and replays it on a Vulkan device.",
    .details =
        "Arrays are NumPy .npy files, or come from .safetensors files: -i NAME=FILE.safetensors "
        "takes\n"
        "the tensor of the buffer's name, FILE.safetensors:TENSOR another. Buffers of kind in and\n"
        "weight need data, from -i, the pipeline's `data:` or --weights; inout buffers begin with\n"
        "zeros. Results that -o does not save are summarised, one line each. With -n an inout "
        "buffer\n"
        "keeps its bytes from one replay to the next, and results are those of the last replay.",
    .options = options_table,
    .run = run,
};
