/* reprise: the one command-line program. Finds the subcommand and runs it. */
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "message.h"
#include "output.h"
#include "reprise/status.h"

static const cli_command *const commands[] = {
    &cli_run,           &cli_profile_command,
    &cli_compile,       &cli_opt,
    &cli_show,          &cli_explain_command,
    &cli_bench_command, &cli_expand,
    &cli_check,         &cli_diff,
    &cli_devices,       &cli_kernels,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const cli_command *find_command(const char *name) {
    const char *names[COMMANDS + 1] = {0};
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = commands[i]->name;
        if (!strcmp(names[i], name)) return commands[i];
    }
    const char *near = cli_nearest(name, names);
    if (near)
        cli_error(NULL, "no command '%s'; did you mean '%s'?", name, near);
    else
        cli_error(NULL, "no command '%s'; see 'reprise --help'", name);
    return NULL;
}

static void print_help(void) {
    printf("usage: reprise COMMAND [options]\n\n"
           "Compiles a DAG of GPU dispatches once, proves the result, and replays it on Vulkan.\n\n"
           "commands:\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->brief);
    printf("\nother:\n"
           "  help CMD   the options of a command, as 'reprise CMD --help'\n"
           "  --version  the version\n\n"
           "Exit status: 0 fine, 1 the input is wrong or differs, 2 wrong usage, 3 no device, no "
           "memory\n"
           "or no space. NO_COLOR turns colour off; --quiet leaves errors and results.\n");
}

static int dispatch(int argc, char **argv) {
    const char *first = argc > 1 ? argv[1] : NULL;
    if (!first) {
        cli_error(NULL, "no command; see 'reprise --help'");
        return CLI_USAGE;
    }
    if (!strcmp(first, "--version") || !strcmp(first, "-V")) {
        printf("reprise %s\n", rp_version());
        return CLI_OK;
    }
    bool help = !strcmp(first, "help");
    if (!strcmp(first, "--help") || !strcmp(first, "-h") || (help && argc == 2)) {
        print_help();
        return CLI_OK;
    }
    if (first[0] == '-') {
        cli_error(NULL, "unknown option '%s'; the command comes first, see 'reprise --help'",
                  first);
        return CLI_USAGE;
    }
    const cli_command *command = find_command(help ? argv[2] : first);
    if (!command) return CLI_USAGE;
    if (help) {
        cli_help(command);
        return CLI_OK;
    }
    return command->run(command, argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    cli_message_init();
    cli_output_init();
    int result = dispatch(argc, argv);
    int flushed = cli_flush_results();
    return result != CLI_OK ? result : flushed;
}
