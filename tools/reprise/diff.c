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

static int diff_form(cli_source *a, cli_source *b, uint32_t form, uint32_t other) {
    int result;
    const rp_graph *first = cli_form_graph(a, form, &result);
    if (!first) return result;
    const rp_graph *second = cli_form_graph(b, other, &result);
    if (!second) return result;
    char *text = NULL, title[512];
    size_t size = 0;
    rp_status status = rp_graph_diff(first, second, &text, &size);
    if (status != RP_OK) {
        cli_error(NULL, "%s; %s", rp_status_name(status), rp_status_advice(status));
        return cli_exit_status(status);
    }
    cli_form_title(a, form, title, sizeof title);
    if (size && *title) printf("%s\n", title);
    fflush(stdout);
    result = cli_output_whole("-", text, size);
    rp_text_release(first, text);
    return result != CLI_OK ? result : size ? CLI_INPUT : CLI_OK;
}

/* Form by form; of files with other numbers of them the largest ones. */
static int diff(cli_source *a, cli_source *b) {
    int result = CLI_OK;
    if (a->form_count != b->form_count) {
        printf("%u form%s against %u; what differs between the last ones:\n", a->form_count,
               a->form_count == 1 ? "" : "s", b->form_count);
        fflush(stdout);
        result = diff_form(a, b, a->form_count - 1, b->form_count - 1);
        return result == CLI_OK ? CLI_INPUT : result;
    }
    for (uint32_t i = 0; i < a->form_count; i++) {
        int one = diff_form(a, b, i, i);
        if (one != CLI_OK && one != CLI_INPUT) return one;
        if (one != CLI_OK) result = one;
    }
    return result;
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
