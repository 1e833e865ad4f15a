/* reprise explain: why a node, a barrier or a buffer is what and where it is, in words, and what would change it. */
#include "explain.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "inspect.h"
#include "level.h"
#include "message.h"
#include "values.h"

enum { OPTION_WHAT_IF = 1, OPTION_TARGET };

static const cli_option options_table[] = {
    {OPTION_WHAT_IF, 0, "what-if", "CHANGE",
     "no-reuse=BUFFER, range=nID:BUFFER[OFFSET+SIZE] or fuse=nID,nID: what would be then"},
    CLI_PARAMS_OPTIONS,
    {OPTION_TARGET, 0, "target", "NAME|device|FILE", "what it is compiled for"},
    CLI_LEVEL_OPTIONS,
    {0},
};

typedef struct explain_job {
    const char *input;
    cli_question question;
    cli_what_if what;
    cli_params params;
    rp_pass_options passes;
    bool level_given;
} explain_job;

/* "n17", "b3": its number. */
static bool read_numbered(const char *text, char letter, uint32_t *out) {
    int64_t number;
    if (text[0] != letter || !cli_number(text + 1, 0, UINT32_MAX - 1, &number)) return false;
    *out = (uint32_t)number;
    return true;
}

/* What is asked for, one word after the other. */
static int take_subject(const cli_command *command, const char *text, cli_question *q) {
    uint32_t id;
    if (q->subject == SUBJECT_NODE && read_numbered(text, 'n', &q->other)) {
        q->subject = SUBJECT_PAIR;
        return CLI_OK;
    }
    if (q->subject != SUBJECT_ALL)
        return cli_usage(command, "one thing at a time, or two nodes; '%s' is too many", text);
    if (read_numbered(text, 'n', &id))
        *q = (cli_question){SUBJECT_NODE, id, 0, NULL};
    else if (read_numbered(text, 'b', &id))
        *q = (cli_question){SUBJECT_BARRIER, id, 0, NULL};
    else
        *q = (cli_question){SUBJECT_BUFFER, 0, 0, text + strspn(text, "%$")};
    return CLI_OK;
}

static int take_option(const cli_command *command, int id, const char *value, explain_job *job) {
    if (id == CLI_HELPED) return -1;
    if (id == CLI_WRONG) return CLI_USAGE;
    if (id == OPTION_WHAT_IF) return cli_what_if_read(command, value, &job->what);
    if (id == OPTION_TARGET) {
        job->passes.target = &job->params.target;
        return cli_params_target(command, &job->params, value);
    }
    if (id >= PARAMS_DEFINE) return cli_params_option(command, id, value, &job->params);
    if (id >= LEVEL_O) job->level_given = true;
    if (id >= LEVEL_O) return cli_level_option(command, id, value, &job->passes);
    if (job->input) return take_subject(command, value, &job->question);
    job->input = value;
    return CLI_OK;
}

static int read_options(const cli_command *command, int argc, char **argv, explain_job *job) {
    cli_options options = cli_options_begin(command, argc, argv);
    for (int id; (id = cli_options_next(&options)) != CLI_END;) {
        int status = take_option(command, id, options.value, job);
        if (status != CLI_OK) return status;
    }
    return job->input ? CLI_OK : cli_usage(command, "names no file; '-' is stdin");
}

static bool open_last(const char *file, json_t *root, cli_facts *out) {
    json_t *forms = json_object_get(root, "forms");
    return cli_facts_open(file, root, json_array_get(forms, json_array_size(forms) - 1), out);
}

/* What would be, against what is. */
static int answer(explain_job *job, cli_source *source, const cli_facts *now) {
    int result;
    rp_inspection *inspection = NULL;
    json_t *root = NULL;
    cli_facts then = {0};
    const rp_graph *graph = cli_source_origin(source, &result);
    if (!graph) return result;
    result = cli_what_if_check(&job->what, now);
    if (result == CLI_OK) result = cli_inspect_begin(source, &inspection);
    if (result == CLI_OK)
        result = cli_what_if_compile(&job->what, graph, &job->passes, source->path, inspection);
    if (result == CLI_OK && !(root = cli_facts_document(source->path, inspection)))
        result = CLI_ENVIRONMENT;
    if (result == CLI_OK && open_last(source->path, root, &then)) {
        cli_what_if_say(&job->what, now, &then);
        cli_facts_close(&then);
    }
    json_decref(root);
    rp_inspection_destroy(inspection);
    return result;
}

static int explain(explain_job *job, cli_source *source) {
    rp_inspection *inspection = NULL;
    json_t *root = NULL;
    cli_facts facts = {0};
    bool asked = job->question.subject != SUBJECT_ALL || job->what.change == CHANGE_NOTHING;
    char title[512];
    if (job->params.target.size) job->passes.target = &job->params.target;
    cli_form_title(source, source->form_count - 1, title, sizeof title);
    if (*title && source->form_count > 1)
        cli_note("%s: %s is explained; --form N chooses another", source->path, title);
    int result = cli_inspect_begin(source, &inspection);
    if (result == CLI_OK)
        result = cli_inspect_source(source, &job->passes, NULL, NULL, inspection, NULL);
    if (result == CLI_OK && !(root = cli_facts_document(source->path, inspection)))
        result = CLI_ENVIRONMENT;
    if (result == CLI_OK && open_last(source->path, root, &facts)) {
        if (asked) result = cli_explain(&facts, &job->question);
        if (result == CLI_OK && job->what.change) result = answer(job, source, &facts);
        cli_facts_close(&facts);
    }
    json_decref(root);
    rp_inspection_destroy(inspection);
    return result;
}

static int run(const cli_command *command, int argc, char **argv) {
    explain_job job = {.passes.size = sizeof job.passes, .params.keep_text = true};
    cli_source source = {0};
    int result = read_options(command, argc, argv, &job);
    if (result == CLI_OK)
        result =
            cli_source_open(job.input, &job.params, CLI_PIPELINE | CLI_GRAPH | CLI_PLAN, &source);
    if (result == CLI_OK && source.kind == CLI_PLAN && (job.level_given || job.params.target.size))
        result = cli_usage(command, "a plan is already compiled; levels, passes and targets are "
                                    "for what is not");
    if (result == CLI_OK && source.kind == CLI_PLAN && job.what.change)
        result = cli_inspect_passes(&source, source.form_count - 1, &job.passes);
    if (result == CLI_OK) result = explain(&job, &source);
    cli_source_close(&source);
    cli_params_free(&job.params);
    return result < 0 ? CLI_OK : result;
}

const cli_command cli_explain_command = {
    .name = "explain",
    .arguments = "FILE|- [nID [nID]|bGROUP|BUFFER] [options]",
    .brief = "Says why a node, a barrier or a buffer is as it is, and what would change it.",
    .details = "n17: why it runs there, what orders it, why it was fused or not. n3 n7: what "
               "stands between the two.\n"
               "b5: the barrier before group 5, and what would break without it. NAME: who uses a "
               "buffer, who shares\n"
               "its memory. --what-if compiles the graph as it would be then, and says what is "
               "better and worse.",
    .options = options_table,
    .run = run,
};
