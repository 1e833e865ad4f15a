/* Levels and pass pipelines on the command line. A pipeline is checked against the menu of passes
 * here, so that a misspelt pass is wrong usage with a suggestion and not an error in somebody's
 * graph. */
#include <string.h>
#include "level.h"
#include "message.h"
#include "trace.h"
#include "reprise/compiler.h"

int cli_level_number(const char *text) {
    if (!strncmp(text, "-O", 2)) text++;
    if (text[0] == 'O') text++;
    return text[0] >= '0' && text[0] <= '2' && !text[1] ? text[0] - '0' : -1;
}

static bool mode_allowed(const char *modes, const char *mode) {
    size_t length = strlen(mode);
    while (*modes) {
        size_t next = strcspn(modes, "|");
        if (length && next == length && !strncmp(modes, mode, length)) return true;
        modes += next + (modes[next] == '|');
    }
    return false;
}

static int check_pass(const cli_command *command, char *pass) {
    const char *names[64];
    uint32_t count = 0;
    char *mode = strchr(pass, '=');
    if (mode) *mode++ = '\0';
    const rp_pass_info *info;
    for (; (info = rp_pass_list(count)) && count < 63; count++) {
        names[count] = info->name;
        if (strcmp(info->name, pass)) continue;
        if (!mode || mode_allowed(info->modes, mode)) return CLI_OK;
        return cli_usage(command, "pass '%s' has no mode '%s'; it has %s", pass, mode,
                         *info->modes ? info->modes : "none");
    }
    names[count] = NULL;
    char menu[512] = "";
    for (uint32_t i = 0; i < count; i++) {
        if (i) strncat(menu, ", ", sizeof menu - strlen(menu) - 1);
        strncat(menu, names[i], sizeof menu - strlen(menu) - 1);
    }
    const char *near = cli_nearest(pass, names);
    if (near)
        return cli_usage(command, "no pass '%s'; did you mean '%s'? There are: %s", pass, near,
                         menu);
    return cli_usage(command, "no pass '%s'; there are: %s", pass, menu);
}

static int check_pipeline(const cli_command *command, const char *text) {
    char pass[64];
    while (*text) {
        size_t length = strcspn(text, ",");
        if (length == 0 || length >= sizeof pass)
            return cli_usage(command, "--passes needs names with commas between");
        memcpy(pass, text, length);
        pass[length] = '\0';
        int status = check_pass(command, pass);
        if (status != CLI_OK) return status;
        text += length;
        if (*text == ',' && !*++text)
            return cli_usage(command, "--passes needs names with commas between");
    }
    return CLI_OK;
}

int cli_level_option(const cli_command *command, int id, const char *value,
                     rp_pass_options *options) {
    switch (id) {
    case LEVEL_O:
        options->pipeline = rp_pass_level(cli_level_number(value));
        if (!options->pipeline)
            return cli_usage(command, "no level -O%s; use -O0, -O1 or -O2", value);
        return CLI_OK;
    case LEVEL_PASSES: options->pipeline = value; return check_pipeline(command, value);
    case LEVEL_ARENA_LIMIT:
        if (cli_bytes(value, &options->arena_limit) && options->arena_limit) return CLI_OK;
        return cli_usage(
            command, "--arena-limit needs a number of bytes above 0, such as 64M; got '%s'", value);
    case LEVEL_VERIFY_EACH: options->verify_each = 1; return CLI_OK;
    }
    return CLI_USAGE;
}

void cli_pass_progress(const rp_pass_options *options, int index) {
    const char *at = options->pipeline ? options->pipeline : rp_pass_level(1);
    for (int i = 0; i <= index && *at; i++) {
        at += strcspn(at, ",");
        at += *at == ',';
    }
    int length = (int)strcspn(at, ",");
    if (length)
        cli_progress("pass %.*s", length, at);
    else
        cli_progress(NULL);
}

void cli_watch_work(void *user, const char *what, uint32_t done, uint32_t total) {
    (void)user;
    cli_progress("%u of %u %s", done, total, what);
}

rp_status cli_watch_passes(void *user, int index, const rp_pass_report *report,
                           const rp_graph *graph) {
    (void)graph;
    cli_trace_pass(report);
    cli_pass_progress(user, index);
    return RP_OK;
}

int cli_make_plan(const rp_graph *const *graphs, uint32_t count, const rp_pass_options *passes,
                  const char *file, rp_plan **out) {
    rp_diags *diags = cli_diags();
    rp_pass_options watched = *passes;
    watched.observer = cli_watch_passes;
    watched.progress = cli_watch_work;
    watched.observer_user = &watched;
    cli_progress("compiling %s", file);
    rp_status status = rp_compile_forms(graphs, count, &watched, diags, out, NULL);
    cli_progress(NULL);
    int result = cli_report(diags, file, status);
    rp_diags_destroy(diags);
    return result;
}
