/* Opens pipelines, graph texts and plans.
 *
 * The kind is recognised by content: names lie, and stdin has none. A plan begins with its magic; a
 * graph text with `reprise 1` behind comments that start with ';'; a pipeline holds `reprise:` at
 * the start of a line. Only where the content says nothing does the name's ending decide, so that
 * an empty or damaged plan gets the plan reader's message.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "files.h"
#include "level.h"
#include "options.h"
#include "source.h"
#include "take.h"
#include "target.h"

/* Adds "name=value". False when it is not of that form. */
static bool add_param(cli_params *params, const char *text) {
    char *name;
    const char *value;
    if (params->count == sizeof params->values / sizeof *params->values) return false;
    if (!cli_split(text, &name, &value)) return false;
    rp_param_value *param = &params->values[params->count];
    *param = (rp_param_value){.name = name};
    if (!cli_number(value, INT64_MIN, INT64_MAX, &param->value)) {
        char *end;
        strtod(value, &end); /* 0.5, 1e-6 */
        if (end == value || *end) {
            free(name);
            return false;
        }
        param->text = value;
    }
    params->count++;
    return true;
}

int cli_params_option(const cli_command *command, int id, const char *value, cli_params *params) {
    if (id == PARAMS_INCLUDE) return cli_take_text(command, "-I", value, &params->folders);
    if (id == PARAMS_FORM)
        return cli_take_count(command, "--form", 1, RP_MAX_FORMS, value, &params->form);
    if (add_param(params, value)) return CLI_OK;
    return cli_usage(command, "-D needs PARAM=NUMBER; got '%s'", value);
}

void cli_params_free(cli_params *params) {
    for (uint32_t i = 0; i < params->count; i++) free((char *)params->values[i].name);
    params->count = 0;
}

int cli_params_target(const cli_command *command, cli_params *params, const char *text) {
    int status = cli_needs_file(command, "--target", text);
    return status == CLI_OK ? cli_target_read(text, &params->target) : status;
}

enum { MOST_BYTES = 1 << 30 }; /* of a pipe, which may never end */

/* The bytes of a file or of stdin, followed by a zero; NULL after a message. */
static char *read_source(const char *path, size_t *out_size) {
    if (!strcmp(path, "-")) return cli_file_read(STDIN_FILENO, "<stdin>", MOST_BYTES, out_size);
    struct stat info;
    int descriptor = cli_file_open(path, "a pipeline, a graph text or a compiled plan", &info);
    if (descriptor < 0) return NULL;
    uint64_t most = S_ISREG(info.st_mode) ? UINT64_MAX : MOST_BYTES;
    char *data = cli_file_read(descriptor, path, most, out_size);
    close(descriptor);
    return data;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && !strcmp(text + length - wanted, end);
}

/* 0 when the text looks like none of them. */
static cli_kind kind_of_text(const char *text, size_t size) {
    static const char magic[] = "\x89RPLAN\r\n";
    if (size >= 8 && !memcmp(text, magic, 8)) return CLI_PLAN;
    for (const char *line = text; line;) {
        while (isspace((unsigned char)*line)) line++;
        if (!strncmp(line, "reprise", 7)) {
            const char *next = line + 7 + strspn(line + 7, " \t");
            if (*next == ':') return CLI_PIPELINE;
            if (next > line + 7 && isdigit((unsigned char)*next)) return CLI_GRAPH;
        }
        line = strchr(line, '\n');
    }
    return 0;
}

static cli_kind kind_of(const char *path, const char *text, size_t size) {
    cli_kind kind = kind_of_text(text, size);
    if (kind) return kind;
    if (ends_with(path, ".rplan")) return CLI_PLAN;
    if (ends_with(path, ".rpir")) return CLI_GRAPH;
    if (ends_with(path, ".yaml") || ends_with(path, ".yml")) return CLI_PIPELINE;
    return 0;
}

static const char *kind_name(cli_kind kind) {
    switch (kind) {
    case CLI_PIPELINE: return "a YAML pipeline";
    case CLI_GRAPH: return "a graph text";
    case CLI_PLAN: return "a compiled plan";
    }
    return "none of the known kinds";
}

static int wrong_kind(const char *name, cli_kind kind, unsigned allowed) {
    char wanted[128] = "";
    for (unsigned bit = CLI_PIPELINE; bit <= CLI_PLAN; bit <<= 1) {
        if (!(allowed & bit)) continue;
        if (*wanted) strncat(wanted, " or ", sizeof wanted - strlen(wanted) - 1);
        strncat(wanted, kind_name((cli_kind)bit), sizeof wanted - strlen(wanted) - 1);
    }
    if (kind)
        cli_error(name, "is %s; expected %s", kind_name(kind), wanted);
    else
        cli_error(name,
                  "is neither a YAML pipeline (`reprise: 1`), nor a graph text (`reprise 1`), "
                  "nor a compiled plan; expected %s",
                  wanted);
    return CLI_INPUT;
}

static rp_status read_pipeline(const char *name, const char *text, size_t size,
                               const cli_params *params, rp_diags *diags, cli_source *out) {
    rp_target target = params->target;
    if (params->find_target) params->find_target(params->user, &target);
    const rp_pipeline_source source = {.size = sizeof source,
                                       .path = name,
                                       .target = target.size ? &target : NULL,
                                       .text = text,
                                       .text_size = size,
                                       .params = params->values,
                                       .param_count = params->count,
                                       .progress = cli_watch_work,
                                       .keep_flat = params->keep_flat,
                                       .include_folders = params->folders.items,
                                       .include_folder_count = params->folders.count};
    rp_status status = rp_pipeline_read(NULL, &source, diags, &out->pipeline);
    cli_progress(NULL);
    return status;
}

/* Which forms there are, and which are meant. */
static int choose_forms(const cli_params *params, cli_source *out) {
    uint32_t count = 1;
    if (out->plan) count = rp_plan_form_count(out->plan);
    if (out->pipeline) count = rp_pipeline_form_count(out->pipeline);
    out->form_count = count;
    if (!params->form) return CLI_OK;
    if (params->form > count) {
        cli_error(out->path, "has %u form%s; --form %u is none of them", count,
                  count == 1 ? "" : "s", params->form);
        return CLI_USAGE;
    }
    out->first_form = params->form - 1;
    out->form_count = 1;
    return CLI_OK;
}

int cli_source_open(const char *path, const cli_params *params, unsigned allowed, cli_source *out) {
    const char *name = strcmp(path, "-") ? path : "<stdin>";
    *out = (cli_source){.path = name};
    size_t size = 0;
    char *text = read_source(path, &size);
    if (!text) return CLI_INPUT;
    out->kind = kind_of(path, text, size);
    if (!(out->kind & allowed)) {
        free(text);
        return wrong_kind(name, out->kind, allowed);
    }
    if (params->count && !params->lenient && out->kind != CLI_PIPELINE) {
        free(text);
        cli_error(name, "-D sets parameters of a YAML pipeline; this is %s", kind_name(out->kind));
        return CLI_USAGE;
    }
    rp_diags *diags = cli_diags();
    rp_status status = RP_OK;
    switch (out->kind) {
    case CLI_PIPELINE: status = read_pipeline(name, text, size, params, diags, out); break;
    case CLI_GRAPH: status = rp_graph_parse(NULL, text, size, name, diags, &out->parsed[0]); break;
    case CLI_PLAN: status = rp_plan_from_memory(NULL, text, size, name, diags, &out->plan); break;
    }
    if (params->keep_text && out->kind != CLI_PLAN) {
        out->text = text;
        out->text_size = size;
    } else {
        free(text);
    }
    for (uint32_t i = 0; i < rp_pipeline_file_count(out->pipeline); i++)
        cli_file_note(rp_pipeline_get_file(out->pipeline, i));
    int result = cli_report(diags, name, status);
    rp_diags_destroy(diags);
    if (result == CLI_OK) result = choose_forms(params, out);
    if (result != CLI_OK) cli_source_close(out);
    return result;
}

void cli_source_close(cli_source *source) {
    for (uint32_t i = 0; i < RP_MAX_FORMS; i++) {
        rp_graph_destroy(source->parsed[i]);
        rp_graph_destroy(source->origin[i]);
    }
    rp_pipeline_destroy(source->pipeline);
    rp_plan_destroy(source->plan);
    free(source->text);
    *source = (cli_source){0};
}

const rp_plan *cli_source_plan(const cli_source *source) {
    bool one = source->form_count < rp_plan_form_count(source->plan);
    return one ? rp_plan_form(source->plan, source->first_form) : source->plan;
}

void cli_form_title(const cli_source *source, uint32_t form, char *text, size_t size) {
    uint32_t count = source->form_count;
    char what[256] = "";
    if (source->pipeline)
        (void)rp_pipeline_form_title(source->pipeline, source->first_form + form, what,
                                     sizeof what);
    else if (source->plan)
        (void)rp_plan_form_title(source->plan, source->first_form + form, what, sizeof what);
    *text = '\0';
    if (count > 1) snprintf(text, size, "form %u of %u: %s", form + 1, count, what);
}

static int read_plan_graphs(cli_source *source, uint32_t form) {
    if (source->parsed[form]) return CLI_OK;
    rp_diags *diags = cli_diags();
    rp_status status = rp_plan_graphs(rp_plan_form(source->plan, source->first_form + form), diags,
                                      &source->parsed[form], &source->origin[form]);
    int result = cli_report(diags, source->path, status);
    rp_diags_destroy(diags);
    return result;
}

const rp_graph *cli_form_graph(cli_source *source, uint32_t form, int *out_status) {
    *out_status = CLI_OK;
    switch (source->kind) {
    case CLI_PIPELINE: return rp_pipeline_form(source->pipeline, source->first_form + form);
    case CLI_GRAPH: return source->parsed[0];
    case CLI_PLAN: *out_status = read_plan_graphs(source, form); return source->parsed[form];
    }
    return NULL;
}

const rp_graph *cli_form_origin(cli_source *source, uint32_t form, int *out_status) {
    if (source->kind != CLI_PLAN) return cli_form_graph(source, form, out_status);
    *out_status = read_plan_graphs(source, form);
    return source->origin[form];
}

const rp_graph *cli_source_graph(cli_source *source, int *out_status) {
    return cli_form_graph(source, source->form_count - 1, out_status);
}

const rp_graph *cli_source_origin(cli_source *source, int *out_status) {
    if (source->form_count == 1) return cli_form_origin(source, 0, out_status);
    cli_error(source->path, "has %u forms, and this takes one graph: choose one with --form",
              source->form_count);
    *out_status = CLI_USAGE;
    return NULL;
}
