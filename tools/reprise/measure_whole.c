/* How long a replay takes, for bench: by the profile of an exec, of which the whole alone is wanted. */
#include "measure_whole.h"
#include <stdio.h>
#include "arrays.h"
#include "level.h"
#include "message.h"

static int measure(rp_exec *exec, const char *file, uint32_t rounds, cli_measured *out) {
    const rp_profile_params params = {.size = sizeof params, .rounds = rounds};
    rp_profile *profile = NULL;
    rp_profile_info info = {.size = sizeof info};
    rp_diags *diags = cli_diags();
    cli_progress("measuring %s", file);
    rp_status status = rp_exec_profile(exec, &params, diags, &profile);
    cli_progress(NULL);
    if (status == RP_OK) status = rp_profile_get_info(profile, &info);
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    rp_profile_destroy(profile);
    out->whole_ns = info.whole.median;
    return result;
}

static int replay(const cli_source *source, rp_device *device, const rp_plan *plan,
                  const cli_inputs *inputs, uint32_t rounds, cli_measured *out) {
    rp_exec *exec = NULL;
    rp_diags *diags = cli_diags();
    rp_status status = rp_exec_create(device, plan, NULL, diags, &exec);
    int result = cli_report(diags, source->path, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK) result = cli_inputs_upload(inputs, plan, source->path, exec, 0);
    if (result == CLI_OK) result = cli_inputs_make_up(inputs, plan, source->path, exec);
    if (result == CLI_OK) out->form = source->first_form + rp_exec_get_form(exec, 0);
    if (result == CLI_OK) result = measure(exec, source->path, rounds, out);
    rp_exec_destroy(exec);
    return result;
}

int cli_measure_whole(const cli_command *command, cli_source *source, const rp_pass_options *passes,
                      cli_device *device, uint32_t rounds, cli_measured *out) {
    rp_plan *compiled = NULL;
    const rp_plan *plan = source->plan ? cli_source_plan(source) : NULL;
    cli_inputs inputs = {0};
    cli_pairs none = {0};
    cli_texts weights = {0};
    int result = cli_device_open(device);
    rp_device_info info = {.size = sizeof info};
    if (result == CLI_OK && !plan) {
        const rp_graph *graphs[RP_MAX_FORMS];
        for (uint32_t i = 0; i < source->form_count; i++)
            graphs[i] = rp_pipeline_form(source->pipeline, source->first_form + i);
        result = cli_make_plan(graphs, source->form_count, passes, source->path, &compiled);
        plan = compiled;
    }
    const cli_input_files files = {
        .given = &none, .pipeline = source->pipeline, .weights = &weights, .optional = true};
    if (result == CLI_OK) result = cli_inputs_open(command, plan, source->path, &files, &inputs);
    if (result == CLI_OK) result = replay(source, device->handle, plan, &inputs, rounds, out);
    if (result == CLI_OK) (void)rp_device_get_info(device->handle, &info);
    snprintf(out->device, sizeof out->device, "%.255s, %.255s", info.name, info.driver);
    cli_inputs_close(&inputs);
    rp_plan_destroy(compiled);
    return result;
}
