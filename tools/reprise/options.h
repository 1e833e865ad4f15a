/* Options of a subcommand: one table gives the parser, --help and "did you mean". */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* One option. `letter` 0: no short form; `name` NULL: no long form; `value` NULL: takes none. */
typedef struct cli_option {
    int id; /* > 0, what cli_options_next returns */
    char letter;
    const char *name, *value, *help;
    bool empty; /* the value may be "" */
} cli_option;

typedef struct cli_command {
    const char *name;
    const char *arguments;     /* "GRAPH.rpir", as in the usage line */
    const char *brief;         /* one line */
    const char *details;       /* paragraphs below the options, or NULL */
    const cli_option *options; /* ends with id 0; --help and --quiet are added to every command */
    int (*run)(const struct cli_command *command, int argc, char **argv);
} cli_command;

enum { CLI_ARGUMENT = 0, CLI_END = -1, CLI_WRONG = -2, CLI_HELPED = -3 };

typedef struct cli_options {
    const cli_command *command;
    int argc, next;
    char **argv;
    bool only_arguments;
    const char *value; /* of the option or argument just returned */
    const char *shown; /* the option as it was written, for messages */
} cli_options;

/* argv[0] is the subcommand's name. */
cli_options cli_options_begin(const cli_command *command, int argc, char **argv);

/* The next option's id; CLI_ARGUMENT for a plain argument; CLI_END; CLI_WRONG after a message was
 * printed; CLI_HELPED after --help was answered. --quiet is handled here. Options and arguments mix
 * freely, "--" ends the options. */
int cli_options_next(cli_options *options);

/* Prints "reprise CMD: error" with a pointer to --help, and returns CLI_USAGE. */
int cli_usage(const cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether `path` can be read or written as a file: CLI_OK, or CLI_USAGE after a message for "-". */
int cli_needs_file(const cli_command *command, const char *option, const char *path);

void cli_help(const cli_command *command);

/* Splits "name=value" at the first '='. A copy of the name (without a leading '$') goes to *name,
 * to be freed; *value points into `text`. False when there is no '=', or nothing
 * on one of its sides. */
bool cli_split(const char *text, char **name, const char **value);

/* A whole number in [least, most], all of `text`; `bytes` also takes K, M and G (powers of 1024).
 */
bool cli_number(const char *text, int64_t least, int64_t most, int64_t *out);
bool cli_bytes(const char *text, uint64_t *out);

/* The values of an option that may be given again and again. The texts are not copied. */
enum { CLI_MOST_TEXTS = 64 };

typedef struct cli_texts {
    const char *items[CLI_MOST_TEXTS];
    uint32_t count;
} cli_texts;

#endif
