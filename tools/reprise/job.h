/* What compile and opt are asked to do: an input, an output, and how to get from one to the other.
 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "dump.h"
#include "level.h"
#include "source.h"

enum { JOB_OUTPUT = 1, JOB_TARGET };

/* The options of both; what -o names is each command's own. */
#define CLI_JOB_OPTIONS(output_value, output_brief)                                                \
    {JOB_OUTPUT, 'o', "output", output_value, output_brief}, CLI_PARAMS_OPTIONS,                   \
        {JOB_TARGET, 0, "target", "NAME|device|FILE",                                              \
         "the device to compile for: portable, lavapipe, h200 ..."},                               \
        CLI_LEVEL_OPTIONS, CLI_DUMP_OPTIONS

typedef struct cli_job {
    const char *input, *output; /* NULL: not named */
    cli_params params;          /* to be freed by the caller; its target is passes.target */
    rp_pass_options passes;
    cli_dump dump;
} cli_job;

/* Reads the command line: CLI_OK, CLI_USAGE after a message, or -1 when it asked for help. Whether
 * input and output must be named is for the command to say. */
int cli_job_read(const cli_command *command, int argc, char **argv, cli_job *job);

#endif
