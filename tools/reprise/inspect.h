/* Inspections of files: what show, diff and the dumps write as a page. Each returns an exit status after messages. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include <jansson.h>
#include "reprise/inspect.h"
#include "source.h"

/* An empty one that knows the source's name and, where it was kept, its text. */
int cli_inspect_begin(const cli_source *source, rp_inspection **out);

/* The measured times in a file that `reprise profile --format json` has written. */
typedef struct cli_profile_file {
    const char *path;
    char *text;
    size_t size;
    json_t *root;
    uint32_t form; /* of the plan, that was measured */
} cli_profile_file;

int cli_profile_open(const char *path, cli_profile_file *out);
void cli_profile_close(cli_profile_file *profile);

/* Tells it of all forms: of what is not compiled by compiling it, of a plan by its two graphs, with the passes where
 * compiling its source again gives the very same graph. With `other` (may be NULL) also what differs from that one's
 * forms, from the last one where there are others; *out_differs (may be NULL) says whether anything does. Times (may be
 * NULL) go to the form that they were measured of, whose nodes they must have. */
int cli_inspect_source(cli_source *source, const rp_pass_options *passes,
                       const cli_profile_file *profile, cli_source *other, rp_inspection *into,
                       bool *out_differs);

/* The passes that make a plan's form of its source, and their target, which is the plan's; CLI_INPUT where no level
 * does. */
int cli_inspect_passes(cli_source *plan, uint32_t form, rp_pass_options *out);

/* The page, or its document, as a file. */
int cli_inspect_write(rp_inspection *inspection, bool page, const char *path);

#endif
