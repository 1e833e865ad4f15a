/* Values of options that several subcommands take. Each is CLI_OK, or CLI_USAGE after a message that
 * names the option. */
#ifndef CLI_TAKE_H
#define CLI_TAKE_H

#include "arrays.h"
#include "options.h"
#include "reprise/exec.h"

int cli_take_text(const cli_command *command, const char *option, const char *value,
                  cli_texts *texts);
/* NAME=TEXT; `needed` says so in the option's own words. `most` bounds the number of all pairs. */
int cli_take_pair(const cli_command *command, const char *option, const char *needed,
                  const char *value, uint32_t most, cli_pairs *pairs);
/* The same, of a pair that names a file. */
int cli_take_file(const cli_command *command, const char *option, const char *needed,
                  const char *value, uint32_t most, cli_pairs *pairs);
/* A whole number from `least` to `most`. */
int cli_take_count(const cli_command *command, const char *option, uint32_t least, uint32_t most,
                   const char *value, uint32_t *out);
/* --tags auto, on or off: how replays of a plan with tagged buffers wait. */
#define CLI_TAGS_OPTION(id)                                                                        \
    {                                                                                              \
        id, 0, "tags", "auto|on|off",                                                              \
            "whether readers wait for elements (-O2); auto: where the driver is known to allow it" \
    }
int cli_take_tags(const cli_command *command, const char *value, rp_tags *out);
/* --format text or json. */
int cli_take_format(const cli_command *command, const char *value, bool *out_json);

#endif
