/* What the passes did: a summary line per pass on stderr, and for those asked for what they decided
 * and the graph after them, as a file. */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "level.h"
#include "reprise/passes.h"
#include "source.h"

enum { DUMP_AFTER = 1100, DUMP_DIR, DUMP_FORMAT };

#define CLI_DUMP_OPTIONS                                                                           \
    {DUMP_AFTER, 0, "dump-after", "all|PASS,...", "write the graph after these passes as files"},  \
        {DUMP_DIR, 0, "dump-dir", "DIR", "where --dump-after writes (default: reprise-dump)"}, {   \
        DUMP_FORMAT, 0, "dump-format", "text|json|dot", "what --dump-after writes (default: text)" \
    }

typedef struct cli_dump {
    const char *after, *directory;
    rp_format format;
    const rp_pass_options *passes; /* set by cli_dump_begin */
    const cli_source *source;      /* of which each form has a folder; NULL: one graph */
    uint32_t form;                 /* how many have begun */
    int failed;                    /* an exit status: a dump could not be written */
} cli_dump;

/* Handles an option of the list above: CLI_OK, or CLI_USAGE after a message. */
int cli_dump_option(const cli_command *command, int id, const char *value, cli_dump *dump);

/* Creates the folder and hooks the dump into the passes. Returns an exit status. */
int cli_dump_begin(const cli_command *command, cli_dump *dump, rp_pass_options *options);

/* "text", "json" or "dot"; prints what there is otherwise. False: wrong usage. */
bool cli_format(const cli_command *command, const char *option, const char *value, rp_format *out);

#endif
