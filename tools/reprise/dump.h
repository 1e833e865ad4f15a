/* What the passes did: a summary line per pass on stderr, and for those asked for what they decided
 * and the graph after them, as a file. */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "level.h"
#include "reprise/inspect.h"
#include "reprise/passes.h"
#include "source.h"

enum { DUMP_AFTER = 1100, DUMP_DIR, DUMP_FORMAT };

#define CLI_DUMP_OPTIONS                                                                           \
    {DUMP_AFTER, 0, "dump-after", "all|PASS,...", "write the graph after these passes as files"},  \
        {DUMP_DIR, 0, "dump-dir", "DIR", "where --dump-after writes (default: reprise-dump)"}, {   \
        DUMP_FORMAT, 0, "dump-format", "text|json|dot|html|inspection",                            \
            "what --dump-after writes (default: text); html: one page of all passes"               \
    }

/* How a graph is shown: rp_format, or all that is known of it. */
typedef enum cli_view {
    CLI_VIEW_TEXT = RP_FORMAT_TEXT,
    CLI_VIEW_JSON = RP_FORMAT_JSON,
    CLI_VIEW_DOT = RP_FORMAT_DOT,
    CLI_VIEW_HTML,      /* a page */
    CLI_VIEW_INSPECTION /* the document of such a page */
} cli_view;

typedef struct cli_dump {
    const char *after, *directory;
    cli_view format;
    rp_inspection *inspection;     /* of what runs, for a format that is one file */
    const rp_pass_options *passes; /* set by cli_dump_begin */
    const cli_source *source;      /* of which each form has a folder; NULL: one graph */
    uint32_t form;                 /* how many have begun */
    int failed;                    /* an exit status: a dump could not be written */
} cli_dump;

/* Handles an option of the list above: CLI_OK, or CLI_USAGE after a message. */
int cli_dump_option(const cli_command *command, int id, const char *value, cli_dump *dump);

/* Creates the folder and hooks the dump into the passes. Returns an exit status. */
int cli_dump_begin(const cli_command *command, cli_dump *dump, rp_pass_options *options);

/* Begins the page, where one is asked for, once the source is open. Returns an exit status. */
int cli_dump_begin_page(cli_dump *dump, const cli_source *source);
/* Writes the page, of passes that failed as far as there is one, and frees. `result` is the exit status until now;
 * returns it, or another one when the page could not be written. */
int cli_dump_end(cli_dump *dump, int result);

/* The name of a view; prints which there are otherwise. False: wrong usage. */
bool cli_view_read(const cli_command *command, const char *option, const char *value,
                   cli_view *out);

#endif
