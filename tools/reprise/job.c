/* The command line that compile and opt share. */
#include "job.h"
#include "message.h"

static int take_option(const cli_command *command, int id, const char *value, cli_job *job) {
    if (id == CLI_WRONG) return CLI_USAGE;
    if (id == CLI_ARGUMENT && job->input)
        return cli_usage(command, "one input at a time; '%s' is too many", value);
    if (id == CLI_ARGUMENT) job->input = value;
    if (id == JOB_OUTPUT) job->output = value;
    if (id == JOB_TARGET) {
        job->passes.target = &job->params.target;
        return cli_params_target(command, &job->params, value);
    }
    if (id >= PARAMS_DEFINE) return cli_params_option(command, id, value, &job->params);
    if (id >= DUMP_AFTER) return cli_dump_option(command, id, value, &job->dump);
    if (id >= LEVEL_O) return cli_level_option(command, id, value, &job->passes);
    return CLI_OK;
}

int cli_job_read(const cli_command *command, int argc, char **argv, cli_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED) return -1;
        int status = take_option(command, id, options.value, job);
        if (status != CLI_OK) return status;
    }
    return CLI_OK;
}
