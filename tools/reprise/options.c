/* Parses the options of a subcommand from its table.
 *
 * Not getopt_long: it abbreviates (so that adding an option breaks scripts), prints in its own
 * words, and knows nothing of --help texts, so that table, help and messages would drift apart.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"
#include "options.h"

enum { OPTION_HELP = 10000, OPTION_QUIET };

static const cli_option common[] = {
    {OPTION_QUIET, 'q', "quiet", NULL, "say nothing but errors and results"},
    {OPTION_HELP, 'h', "help", NULL, "show this help"},
    {0},
};

cli_options cli_options_begin(const cli_command *command, int argc, char **argv) {
    return (cli_options){.command = command, .argc = argc, .argv = argv, .next = 1};
}

static const cli_option *find_in(const cli_option *table, const char *text, size_t length) {
    for (const cli_option *o = table; o->id; o++) {
        if (length == 0 && o->letter == *text) return o;
        if (length && o->name && strlen(o->name) == length && !strncmp(o->name, text, length))
            return o;
    }
    return NULL;
}

/* A long option of `length` letters, or with length 0 the short option *text. */
static const cli_option *find(const cli_options *options, const char *text, size_t length) {
    const cli_option *found = find_in(options->command->options, text, length);
    return found ? found : find_in(common, text, length);
}

static int unknown_option(const cli_options *options, const char *written) {
    const char *names[64];
    size_t count = 0;
    for (const cli_option *o = options->command->options; o->id && count < 60; o++)
        if (o->name) names[count++] = o->name;
    for (const cli_option *o = common; o->id; o++) names[count++] = o->name;
    names[count] = NULL;
    char word[64];
    snprintf(word, sizeof word, "%s", written + strspn(written, "-"));
    word[strcspn(word, "=")] = '\0';
    const char *near = written[1] == '-' ? cli_nearest(word, names) : NULL;
    if (near)
        cli_usage(options->command, "unknown option '%s'; did you mean '--%s'?", written, near);
    else
        cli_usage(options->command, "unknown option '%s'", written);
    return CLI_WRONG;
}

static int finish(cli_options *options, const cli_option *option, const char *attached) {
    options->value = attached;
    if (option->id == OPTION_HELP) {
        cli_help(options->command);
        return CLI_HELPED;
    }
    if (option->id == OPTION_QUIET) cli_set_quiet();
    if (!option->value && attached) {
        cli_usage(options->command, "option '%s' takes no value", options->shown);
        return CLI_WRONG;
    }
    if (option->value && !attached)
        options->value = options->next < options->argc ? options->argv[options->next++] : NULL;
    if (option->value && (!options->value || (!*options->value && !option->empty))) {
        cli_usage(options->command, "option '%s' needs a value: %s", options->shown, option->value);
        return CLI_WRONG;
    }
    return option->id;
}

int cli_options_next(cli_options *options) {
    int id = OPTION_QUIET;
    while (id == OPTION_QUIET) {
        if (options->next >= options->argc) return CLI_END;
        const char *text = options->argv[options->next++];
        options->shown = options->value = text;
        if (!*text) {
            cli_usage(options->command, "an argument is empty");
            return CLI_WRONG;
        }
        if (options->only_arguments || text[0] != '-' || text[1] == '\0') return CLI_ARGUMENT;
        if (!strcmp(text, "--")) {
            options->only_arguments = true;
            continue;
        }
        bool is_long = text[1] == '-';
        const char *equals = is_long ? strchr(text, '=') : NULL;
        size_t length = !is_long ? 0 : equals ? (size_t)(equals - text - 2) : strlen(text + 2);
        if (is_long && length == 0) return unknown_option(options, text);
        const cli_option *option = find(options, is_long ? text + 2 : text + 1, length);
        if (!option) return unknown_option(options, text);
        const char *attached = is_long ? (equals ? equals + 1 : NULL) : text[2] ? text + 2 : NULL;
        id = finish(options, option, attached);
    }
    return id;
}

int cli_usage(const cli_command *command, const char *format, ...) {
    char message[2048], who[64];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    snprintf(who, sizeof who, "reprise %s", command->name);
    cli_error(who, "%s", message);
    cli_note("usage: reprise %s %s; see 'reprise %s --help'", command->name, command->arguments,
             command->name);
    return CLI_USAGE;
}

int cli_needs_file(const cli_command *command, const char *option, const char *path) {
    if (strcmp(path, "-") != 0) return CLI_OK;
    return cli_usage(command, "%s needs a file, '-' is none; one of that name is './-'", option);
}

static void help_options(const cli_option *table) {
    for (const cli_option *o = table; o->id; o++) {
        char left[64];
        int length = 0;
        if (o->letter) length += snprintf(left, sizeof left, "-%c", o->letter);
        if (o->name)
            length += snprintf(left + length, sizeof left - (size_t)length, "%s--%s",
                               o->letter ? ", " : "    ", o->name);
        if (o->value)
            snprintf(left + length, sizeof left - (size_t)length, "%s%s", o->name ? " " : "",
                     o->value);
        printf("  %-30s %s\n", left, o->help);
    }
}

void cli_help(const cli_command *command) {
    printf("usage: reprise %s %s\n\n%s\n\noptions:\n", command->name, command->arguments,
           command->brief);
    help_options(command->options);
    help_options(common);
    if (command->details) printf("\n%s\n", command->details);
}

bool cli_split(const char *text, char **name, const char **value) {
    const char *start = text + (*text == '$'), *equals = strchr(text, '=');
    if (!equals || equals == start || !equals[1]) return false;
    size_t length = (size_t)(equals - start);
    *name = cli_alloc(length + 1, 1);
    memcpy(*name, start, length);
    *value = equals + 1;
    return true;
}

bool cli_number(const char *text, int64_t least, int64_t most, int64_t *out) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 0);
    if (errno || end == text || *end || value < least || value > most) return false;
    *out = value;
    return true;
}

bool cli_bytes(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9') return false;
    unsigned long long value = strtoull(text, &end, 0);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (errno || end == text || end[shift != 0] || value > UINT64_MAX >> shift) return false;
    *out = value << shift;
    return true;
}
