/* reprise expand: a pipeline without repetitions, blocks, includes and expressions. */
#include <string.h>
#include "commands.h"
#include "message.h"
#include "output.h"
#include "source.h"

enum { OPTION_OUTPUT = 1, OPTION_TARGET };

static const cli_option options_table[] = {
    {OPTION_OUTPUT, 'o', "output", "FILE", "where it goes (default: stdout)"},
    CLI_PARAMS_OPTIONS,
    {OPTION_TARGET, 0, "target", "NAME|device|FILE", "what the pipeline is read for"},
    {0},
};

static int expand(const char *input, const char *output, const cli_params *params) {
    cli_source source;
    int result = cli_source_open(input, params, CLI_PIPELINE, &source);
    if (result != CLI_OK) return result;
    const char *text = rp_pipeline_flat_text(source.pipeline);
    result = cli_output_whole(output, text, strlen(text));
    cli_source_close(&source);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    const char *input = NULL, *output = "-";
    cli_params params = {.keep_flat = true};
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
        else if (id == OPTION_OUTPUT)
            output = options.value;
        else if (id == CLI_ARGUMENT && input)
            result = cli_usage(command, "one pipeline at a time; '%s' is too many", options.value);
        else if (id == CLI_ARGUMENT)
            input = options.value;
    }
    if (result == CLI_OK && !input) result = cli_usage(command, "names no pipeline; '-' is stdin");
    if (result == CLI_OK) result = expand(input, output, &params);
    cli_params_free(&params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_expand = {
    .name = "expand",
    .arguments = "PIPELINE.yaml",
    .brief = "Prints a pipeline without repetitions, blocks, includes and expressions.",
    .details =
        "What it prints reads as the very same graph. Paths in it are relative to the folder\n"
        "of the pipeline, so -o goes best into the same folder.",
    .options = options_table,
    .run = run,
};
