/* reprise diff: what changed between two graphs, by node id and buffer name, not by text lines. */
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "dump.h"
#include "inspect.h"
#include "message.h"
#include "output.h"
#include "source.h"

enum { OPTION_TARGET = 1, OPTION_FORMAT, OPTION_OUTPUT };

static const cli_option options_table[] = {
    {OPTION_FORMAT, 'f', "format", "text|html|inspection",
     "how to show it (default: text); html: the page of B with what differs from A"},
    {OPTION_OUTPUT, 'o', "output", "FILE", "where the page goes (default: stdout)"},
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

/* The page of B with what differs from A. */
static int show_page(cli_source *a, cli_source *b, const cli_params *params, cli_view view,
                     const char *output) {
    const rp_pass_options passes = {.size = sizeof passes,
                                    .target = params->target.size ? &params->target : NULL};
    rp_inspection *inspection = NULL;
    bool differs = false;
    int result = output ? cli_output_check(output) : CLI_OK;
    if (result == CLI_OK) result = cli_inspect_begin(b, &inspection);
    if (result == CLI_OK) result = cli_inspect_source(b, &passes, NULL, a, inspection, &differs);
    if (result == CLI_OK)
        result = cli_inspect_write(inspection, view == CLI_VIEW_HTML, output ? output : "-");
    rp_inspection_destroy(inspection);
    return result != CLI_OK ? result : differs ? CLI_INPUT : CLI_OK;
}

typedef struct diff_job {
    const char *names[2], *output;
    unsigned count;
    cli_params params;
    cli_view view;
} diff_job;

static int take_option(const cli_command *command, int id, const char *value, diff_job *job) {
    if (id == CLI_HELPED) return -1;
    if (id == CLI_WRONG) return CLI_USAGE;
    if (id >= PARAMS_DEFINE) return cli_params_option(command, id, value, &job->params);
    if (id == OPTION_TARGET) return cli_params_target(command, &job->params, value);
    if (id == OPTION_FORMAT)
        return cli_view_read(command, "--format", value, &job->view) ? CLI_OK : CLI_USAGE;
    if (id == OPTION_OUTPUT)
        job->output = value;
    else if (job->count == 2)
        return cli_usage(command, "two files at a time; '%s' is too many", value);
    else
        job->names[job->count++] = value;
    return CLI_OK;
}

static int read_options(const cli_command *command, int argc, char **argv, diff_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        int result = take_option(command, id, options.value, job);
        if (result != CLI_OK) return result;
    }
    if (job->count < 2) return cli_usage(command, "needs two files");
    if (!strcmp(job->names[0], "-") && !strcmp(job->names[1], "-"))
        return cli_usage(command, "stdin can be one of the two, not both");
    if (job->view == CLI_VIEW_JSON || job->view == CLI_VIEW_DOT)
        return cli_usage(command, "--format is text, html or inspection");
    if (job->output && job->view == CLI_VIEW_TEXT)
        return cli_usage(command, "-o is for --format html or inspection");
    return CLI_OK;
}

static int run(const cli_command *command, int argc, char **argv) {
    /* Parameters concern whichever of the two is a pipeline. */
    diff_job job = {.params = {.lenient = true, .keep_text = true}};
    cli_source sources[2] = {0};
    int result = read_options(command, argc, argv, &job);
    for (int i = 0; i < 2 && result == CLI_OK; i++)
        result = cli_source_open(job.names[i], &job.params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN,
                                 &sources[i]);
    if (result == CLI_OK && job.view == CLI_VIEW_TEXT)
        result = diff(&sources[0], &sources[1]);
    else if (result == CLI_OK)
        result = show_page(&sources[0], &sources[1], &job.params, job.view, job.output);
    for (int i = 0; i < 2; i++) cli_source_close(&sources[i]);
    cli_params_free(&job.params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_diff = {
    .name = "diff",
    .arguments = "A B [options]",
    .brief = "Says what changed between two graphs, by node and buffer, not by text lines.",
    .details =
        "Pipelines, graph texts and plans can be compared with one another. Exit status 0: no\n"
        "difference, 1: differences, printed on stdout (or wrong input, said on stderr).",
    .options = options_table,
    .run = run,
};
