/* reprise profile: replays a pipeline or a plan to see where the GPU's time goes, and sets it against
 * what each node does and what the target could do it in. */
#include <stdlib.h>
#include "arrays.h"
#include "commands.h"
#include "device.h"
#include "level.h"
#include "live.h"
#include "message.h"
#include "profile_report.h"
#include "sizes.h"
#include "source.h"
#include "take.h"
#include "values.h"

enum {
    OPTION_INPUT = 1,
    OPTION_WEIGHTS,
    OPTION_SET,
    OPTION_WITHOUT,
    OPTION_ROUNDS,
    OPTION_TOP,
    OPTION_DEVICE,
    OPTION_TAGS,
    OPTION_TARGET,
    OPTION_FORMAT,
};

static const cli_option options_table[] = {
    {OPTION_ROUNDS, 'n', "rounds", "COUNT", "measure so often; 20 by default, at most 10000"},
    {OPTION_TOP, 0, "top", "COUNT", "show so many nodes and groups, 20 by default; 0: all"},
    {OPTION_FORMAT, 'f', "format", "text|json", "json: all nodes and groups, in plan order"},
    {OPTION_INPUT, 'i', "input", "NAME=FILE", "the data of a buffer of kind in, inout or weight"},
    {OPTION_WEIGHTS, 0, "weights", "FILE.safetensors", "data by the buffers' names; repeatable"},
    {OPTION_SET, 0, "set", "NAME=VALUE,...", "set a live value; NAME[K]=VALUE sets element K"},
    {OPTION_WITHOUT, 0, "without", "NAME",
     "leave out the nodes with that label or below it, or node nID; repeatable"},
    CLI_PARAMS_OPTIONS,
    {OPTION_DEVICE, 0, "device", "N|NAME", "the device, see 'reprise devices'"},
    CLI_TAGS_OPTION(OPTION_TAGS),
    {OPTION_TARGET, 0, "target", "NAME|device|FILE",
     "compile for it, and take the ceilings from it; default: the device"},
    CLI_LEVEL_OPTIONS,
    {0},
};

typedef struct profile_job {
    const char *input;
    cli_device device;
    rp_tags tags;
    cli_params params;
    cli_pairs inputs, lives;
    rp_pass_options passes;
    bool level_given, json;
    uint32_t rounds, top;
    cli_texts weights, switches;
    const rp_pipeline *pipeline; /* NULL: a plan is run */
} profile_job;

static int take_option(const cli_command *command, int id, const cli_options *options,
                       profile_job *job) {
    uint32_t most = (uint32_t)options->argc;
    const char *value = options->value;
    int status;
    switch (id) {
    case CLI_ARGUMENT:
        if (job->input) return cli_usage(command, "one input at a time; '%s' is too many", value);
        job->input = value;
        return CLI_OK;
    case OPTION_INPUT: return cli_take_file(command, "-i", "NAME=FILE", value, most, &job->inputs);
    case OPTION_WEIGHTS:
        status = cli_take_text(command, "--weights", value, &job->weights);
        return status == CLI_OK ? cli_needs_file(command, "--weights", value) : status;
    case OPTION_SET: return cli_take_pair(command, "--set", "NAME=VALUE", value, most, &job->lives);
    case OPTION_WITHOUT: return cli_take_text(command, "--without", value, &job->switches);
    case PARAMS_DEFINE:
    case PARAMS_INCLUDE: return cli_params_option(command, id, value, &job->params);
    case OPTION_ROUNDS:
        return cli_take_count(command, "-n", 1, RP_PROFILE_MOST_ROUNDS, value, &job->rounds);
    case OPTION_TOP: return cli_take_count(command, "--top", 0, 1000000, value, &job->top);
    case OPTION_DEVICE: job->device.select = value; return CLI_OK;
    case OPTION_TAGS: return cli_take_tags(command, value, &job->tags);
    case OPTION_TARGET: return cli_params_target(command, &job->params, value);
    case OPTION_FORMAT: return cli_take_format(command, value, &job->json);
    }
    job->level_given = true;
    return cli_level_option(command, id, value, &job->passes);
}

static int read_options(const cli_command *command, int argc, char **argv, profile_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED) return -1;
        if (id == CLI_WRONG) return CLI_USAGE;
        int status = take_option(command, id, &options, job);
        if (status != CLI_OK) return status;
    }
    return job->input ? CLI_OK : cli_usage(command, "names no pipeline and no plan");
}

/* ---- The plan -------------------------------------------------------------------------------- */

/* Unless a target was given that of the device: to read and compile a pipeline for it, and for the
 * ceilings. */
static void find_target(void *user, rp_target *out) {
    profile_job *job = user;
    if (!job->params.target.size) (void)cli_device_target(&job->device, &job->params.target);
    if (out) *out = job->params.target;
}

/* The target that ceilings are taken from: the one that was given, or else the device, where it has
 * any, or else the one that the plan was compiled for. That one has `portable`'s where the device's
 * were not known, and is then called so. */
static const rp_target *find_ceilings(const profile_job *job, const rp_graph *compiled) {
    const rp_target *portable = rp_target_builtin("portable"), *own = rp_graph_target(compiled);
    if (job->params.target.memory_rate) return &job->params.target;
    bool known = own->memory_rate != portable->memory_rate || own->f32_rate != portable->f32_rate;
    if (!known)
        cli_note("what the device can do is not known, ceilings are those of target portable: "
                 "--target names others");
    return known ? own : portable;
}

static int find_costs(const profile_job *job, const rp_plan *plan, const char *file,
                      rp_costs **out) {
    rp_graph *compiled = NULL, *source = NULL;
    rp_diags *diags = cli_diags();
    rp_status status = rp_plan_graphs(plan, diags, &compiled, &source);
    if (status == RP_OK)
        status = rp_costs_create(compiled, source, find_ceilings(job, compiled), diags, out);
    int result = cli_report(diags, file, status);
    rp_graph_destroy(compiled);
    rp_graph_destroy(source);
    rp_diags_destroy(diags);
    return result;
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static void report(const profile_job *job, const rp_plan *plan, uint32_t form, rp_device *device,
                   const rp_profile *profile, const rp_costs *costs) {
    rp_device_info info = {.size = sizeof info};
    (void)rp_device_get_info(device, &info);
    cli_profile p = {.plan = cli_plan_info(plan).name,
                     .device = info.name,
                     .form = form,
                     .info = {.size = sizeof p.info},
                     .about = {.size = sizeof p.about},
                     .profile = profile};
    (void)rp_profile_get_info(profile, &p.info);
    (void)rp_costs_get_info(costs, &p.about);
    p.nodes = cli_alloc((size_t)p.info.nodes + 1, sizeof *p.nodes);
    p.costs = cli_alloc((size_t)p.info.nodes + 1, sizeof *p.costs);
    for (uint32_t i = 0; i < p.info.nodes; i++) {
        p.nodes[i].size = sizeof *p.nodes;
        p.costs[i].size = sizeof *p.costs;
        (void)rp_profile_get_node(profile, i, &p.nodes[i]);
        (void)rp_costs_get(costs, i, &p.costs[i]);
    }
    if (job->json)
        cli_profile_print_json(&p);
    else
        cli_profile_print(&p, job->top);
    free(p.nodes);
    free(p.costs);
}

static int measure(const profile_job *job, const char *file, rp_exec *exec, rp_profile **out) {
    const rp_profile_params params = {.size = sizeof params, .rounds = job->rounds};
    rp_diags *diags = cli_diags();
    cli_progress("measuring %s", file);
    rp_status status = rp_exec_profile(exec, &params, diags, out);
    cli_progress(NULL);
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result;
}

static int execute(const cli_command *command, const profile_job *job, const char *file,
                   rp_device *device, const rp_plan *plan, const cli_inputs *inputs,
                   uint32_t *out_form, rp_profile **out) {
    rp_exec *exec = NULL;
    const rp_exec_params params = {.size = sizeof params,
                                   .tags = job->tags,
                                   .switches = job->switches.items,
                                   .switch_count = job->switches.count};
    rp_diags *diags = cli_diags();
    const rp_graph *graph = job->pipeline ? rp_pipeline_graph(job->pipeline) : NULL;
    rp_status status = rp_exec_create(device, plan, &params, diags, &exec);
    int result = cli_report_nodes(diags, file, graph, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK) result = cli_inputs_upload(inputs, plan, file, exec, 0);
    if (result == CLI_OK) result = cli_inputs_make_up(inputs, plan, file, exec);
    if (result == CLI_OK)
        result = cli_live_set(command, plan, job->pipeline, file, &job->lives, exec, 0);
    if (result == CLI_OK) result = cli_leave_out(&job->switches, file, exec, 0);
    if (result == CLI_OK) *out_form = rp_exec_get_form(exec, 0);
    if (result == CLI_OK) result = measure(job, file, exec, out);
    rp_exec_destroy(exec);
    return result;
}

static int profile_source(const cli_command *command, profile_job *job, cli_source *source) {
    rp_plan *compiled = NULL;
    rp_costs *costs = NULL;
    rp_profile *profile = NULL;
    cli_inputs inputs = {0};
    const rp_plan *plan = cli_source_plan(source);
    uint32_t form = 0;
    job->pipeline = source->pipeline;
    if (plan && job->level_given)
        return cli_usage(command,
                         "a plan is already compiled; levels and passes are for pipelines");
    int result = CLI_OK;
    if (!plan) {
        if (job->params.target.size) job->passes.target = &job->params.target;
        const rp_graph *graphs[RP_MAX_FORMS];
        for (uint32_t i = 0; i < source->form_count; i++)
            graphs[i] = rp_pipeline_form(source->pipeline, source->first_form + i);
        result = cli_make_plan(graphs, source->form_count, &job->passes, source->path, &compiled);
        plan = compiled;
    }
    const cli_input_files files = {.given = &job->inputs,
                                   .pipeline = source->pipeline,
                                   .weights = &job->weights,
                                   .optional = true};
    if (result == CLI_OK)
        result = cli_live_set(command, plan, source->pipeline, source->path, &job->lives, NULL, 0);
    if (result == CLI_OK) result = cli_inputs_open(command, plan, source->path, &files, &inputs);
    if (result == CLI_OK) result = cli_device_open(&job->device);
    if (result == CLI_OK) find_target(job, NULL);
    if (result == CLI_OK)
        result =
            execute(command, job, source->path, job->device.handle, plan, &inputs, &form, &profile);
    if (result == CLI_OK) result = find_costs(job, rp_plan_form(plan, form), source->path, &costs);
    if (result == CLI_OK) {
        char title[512];
        cli_form_title(source, form, title, sizeof title);
        if (*title) cli_say("%s: %s", source->path, title);
        report(job, plan, source->first_form + form, job->device.handle, profile, costs);
    }
    cli_inputs_close(&inputs);
    rp_profile_destroy(profile);
    rp_costs_destroy(costs);
    rp_plan_destroy(compiled);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    profile_job job = {.top = 20, .passes.size = sizeof job.passes};
    cli_source source = {0};
    int result = read_options(command, argc, argv, &job);
    job.params.find_target = find_target;
    job.params.user = &job;
    if (result == CLI_OK)
        result = cli_source_open(job.input, &job.params, CLI_PIPELINE | CLI_PLAN, &source);
    if (result == CLI_OK) result = profile_source(command, &job, &source);
    cli_source_close(&source);
    cli_device_close(&job.device);
    cli_params_free(&job.params);
    cli_pairs_free(&job.inputs);
    cli_pairs_free(&job.lives);
    cli_sizes_free();
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_profile_command = {
    .name = "profile",
    .arguments = "PIPELINE.yaml|PLAN.rplan [options]",
    .brief = "Measures where the GPU's time goes, node by node, and what limits it.",
    .details =
        "Each node is measured alone, and set against its bytes and operations, what the target "
        "could\n"
        "do them in, and what the compiler had expected. Buffers without data get numbers that are "
        "made up.\n"
        "docs/profiling.md says how to read it.",
    .options = options_table,
    .run = run,
};
