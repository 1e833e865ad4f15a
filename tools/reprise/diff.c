/* reprise diff: what changed between two graphs, by node id and buffer name, not by text lines. */
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "message.h"
#include "output.h"
#include "source.h"

enum { OPTION_TARGET = 1 };

static const cli_option options_table[] = {
    CLI_PARAMS_OPTIONS,
    {OPTION_TARGET, 0, "target", "NAME|device|FILE", "what pipelines are read for"},
    {0},
};

static int diff(cli_source *a, cli_source *b) {
    int result;
    const rp_graph *first = cli_source_graph(a, &result);
    if (!first) return result;
    const rp_graph *second = cli_source_graph(b, &result);
    if (!second) return result;
    char *text = NULL;
    size_t size = 0;
    rp_status status = rp_graph_diff(first, second, &text, &size);
    if (status != RP_OK) {
        cli_error(NULL, "%s; %s", rp_status_name(status), rp_status_advice(status));
        return cli_exit_status(status);
    }
    result = cli_output_whole("-", text, size);
    rp_text_release(first, text);
    return result != CLI_OK ? result : size ? CLI_INPUT : CLI_OK;
}

static int run(const cli_command *command, int argc, char **argv) {
    const char *names[2] = {0};
    unsigned count = 0;
    cli_params params = {.lenient = true}; /* concerns whichever of the two is a pipeline */
    cli_source sources[2] = {0};
    int result = CLI_OK;
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; result == CLI_OK && (id = cli_options_next(&options)) != CLI_END;) {
        if (id == CLI_HELPED)
            result = -1;
        else if (id == CLI_WRONG)
            result = CLI_USAGE;
        else if (id >= PARAMS_DEFINE)
            result = cli_params_option(command, id, options.value, &params);
        else if (id == OPTION_TARGET)
            result = cli_params_target(command, &params, options.value);
        else if (id == CLI_ARGUMENT && count == 2)
            result = cli_usage(command, "two files at a time; '%s' is too many", options.value);
        else if (id == CLI_ARGUMENT)
            names[count++] = options.value;
    }
    if (result == CLI_OK && count < 2) result = cli_usage(command, "needs two files");
    if (result == CLI_OK && !strcmp(names[0], "-") && !strcmp(names[1], "-"))
        result = cli_usage(command, "stdin can be one of the two, not both");
    for (int i = 0; i < 2 && result == CLI_OK; i++)
        result =
            cli_source_open(names[i], &params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN, &sources[i]);
    if (result == CLI_OK) result = diff(&sources[0], &sources[1]);
    for (int i = 0; i < 2; i++) cli_source_close(&sources[i]);
    cli_params_free(&params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_diff = {
    .name = "diff",
    .arguments = "A B",
    .brief = "Says what changed between two graphs, by node and buffer, not by text lines.",
    .details =
        "Pipelines, graph texts and plans can be compared with one another. Exit status 0: no\n"
        "difference, 1: differences, printed on stdout (or wrong input, said on stderr).",
    .options = options_table,
    .run = run,
};
