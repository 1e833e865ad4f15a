/* The subcommands, a file each. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

extern const cli_command cli_run, cli_compile, cli_opt, cli_show, cli_check, cli_diff, cli_devices,
    cli_kernels, cli_expand, cli_profile_command, cli_explain_command, cli_bench_command;

#endif
