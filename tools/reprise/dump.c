/* Dumps: DIR/00-source.rpir, DIR/01-dce.rpir, ... one numbered file per pass, each a whole graph
 * that every other subcommand reads, and one line per pass on stderr. After fuse and lower the GLSL
 * of every node with ops lies beside, DIR/03-fuse-n6.glsl. Hooked in as the passes'
 * observer, so that a pass that fails leaves the dumps of all before it. In the formats html and inspection there is
 * one file for all of that, DIR/inspection.html. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "dump.h"
#include "glsl.h"
#include "inspect.h"
#include "message.h"
#include "output.h"

bool cli_view_read(const cli_command *command, const char *option, const char *value,
                   cli_view *out) {
    static const char *const names[] = {"text", "json", "dot", "html", "inspection", NULL};
    static const char there[] = "text, json, dot, html, inspection";
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], value)) continue;
        *out = (cli_view)i;
        return true;
    }
    const char *near = cli_nearest(value, names);
    if (near)
        cli_usage(command, "%s has no format '%s'; did you mean '%s'? There are: %s", option, value,
                  near, there);
    else
        cli_usage(command, "%s has no format '%s'; there are: %s", option, value, there);
    return false;
}

/* Whether `list` ("a,b") holds the pass `name`, with or without its mode. */
static bool listed(const char *list, const char *name) {
    size_t whole = strlen(name), bare = strcspn(name, "=");
    while (*list) {
        size_t length = strcspn(list, ",");
        if ((length == whole || length == bare) && !strncmp(list, name, length)) return true;
        list += length + (list[length] == ',');
    }
    return false;
}

static int check_list(const cli_command *command, const char *list) {
    while (*list) {
        size_t length = strcspn(list, ",");
        bool known = (length == 6 && !strncmp(list, "source", 6)) ||
                     (length == 3 && !strncmp(list, "all", 3));
        size_t bare = strcspn(list, "=,");
        const rp_pass_info *pass;
        for (uint32_t i = 0; !known && (pass = rp_pass_list(i)); i++)
            known = strlen(pass->name) == bare && !strncmp(pass->name, list, bare);
        if (!known)
            return cli_usage(command,
                             "--dump-after: no pass '%.*s'; use all, source, or names of passes",
                             (int)length, list);
        list += length + (list[length] == ',');
    }
    return CLI_OK;
}

int cli_dump_option(const cli_command *command, int id, const char *value, cli_dump *dump) {
    switch (id) {
    case DUMP_AFTER: dump->after = value; return check_list(command, value);
    case DUMP_DIR: dump->directory = value; return CLI_OK;
    case DUMP_FORMAT:
        return cli_view_read(command, "--dump-format", value, &dump->format) ? CLI_OK : CLI_USAGE;
    }
    return CLI_USAGE;
}

static const char *extension(cli_view format) {
    switch (format) {
    case CLI_VIEW_TEXT: return "rpir";
    case CLI_VIEW_JSON: return "json";
    case CLI_VIEW_DOT: return "dot";
    case CLI_VIEW_HTML: return "html";
    case CLI_VIEW_INSPECTION: return "json";
    }
    return "txt";
}

static bool is_one_file(const cli_dump *dump) {
    return dump->format == CLI_VIEW_HTML || dump->format == CLI_VIEW_INSPECTION;
}

/* DIR, or DIR/form-2. */
static void name_folder(const cli_dump *dump, char *out, size_t size) {
    bool several = dump->source && dump->source->form_count > 1;
    if (several)
        snprintf(out, size, "%s/form-%u", dump->directory, dump->form);
    else
        snprintf(out, size, "%s", dump->directory);
}

static rp_status write_dump(cli_dump *dump, int number, const char *name, const rp_graph *graph) {
    char path[4096], folder[4000], safe[64], *text = NULL;
    size_t size = 0;
    name_folder(dump, folder, sizeof folder);
    snprintf(safe, sizeof safe, "%s", name);
    for (char *c = safe; *c; c++)
        if (*c == '=' || *c == '/') *c = '-';
    int length =
        snprintf(path, sizeof path, "%s/%02d-%s.%s", folder, number, safe, extension(dump->format));
    if (length < 0 || (size_t)length >= sizeof path) {
        cli_error(dump->directory, "the path is too long");
        dump->failed = CLI_ENVIRONMENT;
        return RP_ERROR_IO;
    }
    rp_status status = rp_graph_print(graph, (rp_format)dump->format, &text, &size);
    if (status != RP_OK) return status;
    dump->failed = cli_output_whole(path, text, size);
    rp_text_release(graph, text);
    bool has_kernels = !strncmp(name, "fuse", 4) || !strncmp(name, "lower", 5);
    if (!dump->failed && has_kernels) {
        snprintf(path, sizeof path, "%s/%02d-%s", folder, number, safe);
        dump->failed = cli_glsl_files(path, graph, strstr(name, "=fast") != NULL);
    }
    return dump->failed ? RP_ERROR_IO : RP_OK;
}

/* What the pass decided, line by line. */
static void say_details(const rp_pass_report *report) {
    for (const char *line = report->details; *line;) {
        size_t length = strcspn(line, "\n");
        cli_say("%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void say_pass(const rp_pass_report *r) {
    char nodes[48], bytes[64];
    if (r->nodes_before == r->nodes_after)
        snprintf(nodes, sizeof nodes, "%" PRIu32, r->nodes_after);
    else
        snprintf(nodes, sizeof nodes, "%" PRIu32 "->%" PRIu32, r->nodes_before, r->nodes_after);
    if (r->transient_bytes_before == r->transient_bytes_after)
        snprintf(bytes, sizeof bytes, "%" PRIu64, r->transient_bytes_after);
    else
        snprintf(bytes, sizeof bytes, "%" PRIu64 "->%" PRIu64, r->transient_bytes_before,
                 r->transient_bytes_after);
    cli_say("%-16s %-9s nodes %s groups %" PRIu32 " barriers %" PRIu32 " bytes %s in %.3f ms%s%s",
            r->pass, r->changed ? "changed" : "unchanged", nodes, r->groups_after,
            r->barriers_after, bytes, r->seconds * 1e3, r->summary && *r->summary ? ": " : "",
            r->summary ? r->summary : "");
}

/* mkdir -p */
static int make_folder(const char *path) {
    char part[4096];
    if (strlen(path) >= sizeof part) {
        cli_error(path, "the path is too long");
        return CLI_USAGE;
    }
    for (size_t i = 0; path[i]; i++) {
        part[i] = path[i];
        part[i + 1] = '\0';
        if (path[i + 1] && path[i + 1] != '/') continue;
        if (mkdir(part, 0777) != 0 && errno != EEXIST && errno != EISDIR) {
            cli_error(path, "cannot be created: %s", strerror(errno));
            return CLI_ENVIRONMENT;
        }
    }
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return CLI_OK;
    cli_error(path, "is no folder; --dump-dir needs one");
    return CLI_ENVIRONMENT;
}

/* Before the first pass of each form. */
static int begin_form(cli_dump *dump) {
    char title[512], folder[4000];
    dump->form++;
    if (!dump->source || dump->source->form_count == 1) return CLI_OK;
    cli_progress(NULL);
    cli_form_title(dump->source, dump->form - 1, title, sizeof title);
    cli_say("%s", title);
    if (dump->inspection) return cli_exit_status(rp_inspection_begin(dump->inspection, title));
    name_folder(dump, folder, sizeof folder);
    return dump->after ? make_folder(folder) : CLI_OK;
}

static rp_status observe(void *user, int index, const rp_pass_report *report,
                         const rp_graph *graph) {
    cli_dump *dump = user;
    if (report) {
        cli_progress(NULL);
        say_pass(report);
    } else {
        dump->failed = begin_form(dump);
        if (dump->failed) return RP_ERROR_IO;
    }
    const char *name = report ? report->pass : "source";
    bool wanted = dump->after && (listed(dump->after, "all") || listed(dump->after, name));
    rp_status status = RP_OK;
    if (dump->inspection)
        status = rp_inspection_observe(dump->inspection, index, report, graph);
    else if (wanted)
        status = write_dump(dump, index + 1, name, graph);
    if (wanted && report) say_details(report);
    if (status == RP_OK) cli_pass_progress(dump->passes, index);
    return status;
}

int cli_dump_begin(const cli_command *command, cli_dump *dump, rp_pass_options *options) {
    options->observer = observe;
    options->progress = cli_watch_work;
    options->observer_user = dump;
    dump->passes = options;
    if (!dump->after) {
        if (!dump->directory) return CLI_OK;
        return cli_usage(command, "--dump-dir needs --dump-after");
    }
    if (!dump->directory) dump->directory = "reprise-dump";
    if (is_one_file(dump) && !listed(dump->after, "all"))
        return cli_usage(command, "--dump-format %s shows all passes: --dump-after all",
                         dump->format == CLI_VIEW_HTML ? "html" : "inspection");
    return make_folder(dump->directory);
}

int cli_dump_begin_page(cli_dump *dump, const cli_source *source) {
    return dump->after && is_one_file(dump) ? cli_inspect_begin(source, &dump->inspection) : CLI_OK;
}

int cli_dump_end(cli_dump *dump, int result) {
    char path[4096];
    if (!dump->inspection) return result;
    snprintf(path, sizeof path, "%.4000s/inspection.%s", dump->directory, extension(dump->format));
    int written = cli_inspect_write(dump->inspection, dump->format == CLI_VIEW_HTML, path);
    rp_inspection_destroy(dump->inspection);
    dump->inspection = NULL;
    return result != CLI_OK ? result : written;
}
