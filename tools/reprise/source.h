/* The three kinds of file the program reads, recognised by what is in them. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "message.h"
#include "options.h"
#include "reprise/compiler.h"
#include "reprise/plan_build.h"

typedef enum cli_kind { CLI_PIPELINE = 1, CLI_GRAPH = 2, CLI_PLAN = 4 } cli_kind;

enum { PARAMS_DEFINE = 1200, PARAMS_INCLUDE, PARAMS_FORM };

/* The options of all commands that read pipelines. */
#define CLI_PARAMS_OPTIONS                                                                         \
    {PARAMS_DEFINE, 'D', "define", "PARAM=VALUE", "set a parameter of a pipeline"},                \
        {PARAMS_INCLUDE, 'I', "include", "FOLDER",                                                 \
         "where shaders of a pipeline find what they #include, behind their own folders"},         \
    {                                                                                              \
        PARAMS_FORM, 0, "form", "N", "of a plan of several forms the N-th alone, from 1 on"        \
    }

/* -D NAME=VALUE: parameters of a pipeline; -I FOLDER; and what it is read for. */
typedef struct cli_params {
    rp_param_value values[64];
    uint32_t count;
    cli_texts folders;
    bool lenient; /* files of other kinds are fine, they are not concerned; an error otherwise */
    rp_target target; /* what pipelines are read for; size 0: `portable` */
    void (*find_target)(void *user,
                        rp_target *out); /* asked for it when a pipeline is to be read */
    void *user;
    bool keep_flat; /* of pipelines, for rp_pipeline_flat_text */
    bool keep_text; /* of pipelines and graph texts, in cli_source.text */
    uint32_t form;  /* --form; 0: all */
} cli_params;

/* Takes one of CLI_PARAMS_OPTIONS: CLI_OK, or CLI_USAGE after a message. */
int cli_params_option(const cli_command *command, int id, const char *value, cli_params *params);
void cli_params_free(cli_params *params);
/* --target: reads one by cli_target_read. CLI_OK, or an exit status after a message. */
int cli_params_target(const cli_command *command, cli_params *params, const char *text);

typedef struct cli_source {
    const char *path;
    cli_kind kind;
    rp_pipeline *pipeline;           /* CLI_PIPELINE */
    rp_plan *plan;                   /* CLI_PLAN: all of its forms */
    uint32_t first_form, form_count; /* that are meant: all that there are, or one */
    char *text;                      /* of the file, where it was to be kept; NULL */
    size_t text_size;
    rp_graph *parsed[RP_MAX_FORMS]; /* CLI_GRAPH, or compiled graphs of a plan once asked for */
    rp_graph *origin[RP_MAX_FORMS]; /* a plan's source graphs once asked for */
} cli_source;

/* Opens a file of one of the kinds in `allowed` (cli_kind bits); path "-" is stdin. Prints what is
 * wrong and returns an exit status; then nothing is to be closed. */
int cli_source_open(const char *path, const cli_params *params, unsigned allowed, cli_source *out);
void cli_source_close(cli_source *source);

/* The plan of all forms that are meant. */
const rp_plan *cli_source_plan(const cli_source *source);
/* "form 1 of 3: tokens <= 8", of the forms that are meant, counted from 0; "" where there is but one. */
void cli_form_title(const cli_source *source, uint32_t form, char *text, size_t size);

/* The graph of one of these forms: of a pipeline its source graph, of a plan the compiled one. NULL after a message,
 * and then *out_status (an exit status) is set. */
const rp_graph *cli_form_graph(cli_source *source, uint32_t form, int *out_status);
/* The graph it was compiled from, for a plan; the same as above for the other kinds. */
const rp_graph *cli_form_origin(cli_source *source, uint32_t form, int *out_status);
/* For those who take one graph: refuses a file of several forms of which none was chosen. */
const rp_graph *cli_source_origin(cli_source *source, int *out_status);
/* The last form, which is that of the largest sizes. */
const rp_graph *cli_source_graph(cli_source *source, int *out_status);

#endif
