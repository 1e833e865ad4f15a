/* What the program says besides its results: errors, notes, progress. All of it goes to stderr. */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include "reprise/graph.h"
#include "reprise/status.h"

/* The exit statuses of every subcommand. */
enum {
    CLI_OK = 0,          /* fine */
    CLI_INPUT = 1,       /* the input is wrong, or what was compared differs */
    CLI_USAGE = 2,       /* wrong usage */
    CLI_ENVIRONMENT = 3, /* no device, no memory, no space */
};

/* Reads NO_COLOR and whether stderr is a terminal. Call once, first. */
void cli_message_init(void);
/* --quiet: only errors are said. */
void cli_set_quiet(void);
bool cli_quiet(void);

/* "FILE: error: ...", `file` may be NULL. */
void cli_error(const char *file, const char *format, ...) RP_PRINTF(2, 3);
/* The same as a note, for advice below an error. */
void cli_note(const char *format, ...) RP_PRINTF(1, 2);
/* Plain talk, dropped by --quiet. */
void cli_say(const char *format, ...) RP_PRINTF(1, 2);
/* One line that replaces the previous one, on a terminal only; NULL clears it. */
void cli_progress(const char *format, ...) RP_PRINTF(1, 2);

/* Prints every diagnostic and clears the list; when `status` is a failure that no error explains,
 * adds a line from the status itself. Returns the exit status that `status` means. `file` (may be
 * NULL) is what was worked on. */
int cli_report(rp_diags *diags, const char *file, rp_status status);
/* The same of a plan that was made of a graph (may be NULL): messages that begin with a node stand at
 * its line. */
int cli_report_nodes(rp_diags *diags, const char *file, const rp_graph *graph, rp_status status);
int cli_exit_status(rp_status status);

/* An empty list of diagnostics; exits when there is no memory. */
rp_diags *cli_diags(void);

/* Memory that is there, or the program ends with CLI_ENVIRONMENT. `count` is never 0. */
void *cli_alloc(size_t count, size_t size);

/* The nearest of `names` (NULL ends the list) to a misspelt word, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *names);

#endif
