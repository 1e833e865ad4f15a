/* The options that say how to compile, shared by compile, opt and run. */
#ifndef CLI_LEVEL_H
#define CLI_LEVEL_H

#include "options.h"
#include "reprise/passes.h"

enum {
    LEVEL_O = 1000,
    LEVEL_PASSES,
    LEVEL_ARENA_LIMIT,
    LEVEL_VERIFY_EACH,
};

#define CLI_LEVEL_OPTIONS                                                                          \
    {LEVEL_O, 'O', NULL, "0|1|2", "optimisation level; -O0 is the oracle, -O1 the default"},       \
        {LEVEL_PASSES, 0, "passes", "A,B,C", "run these passes instead of a level's"},             \
        {LEVEL_ARENA_LIMIT, 0, "arena-limit", "BYTES",                                             \
         "most transient memory (K, M, G allowed); trades barriers for it"},                       \
    {                                                                                              \
        LEVEL_VERIFY_EACH, 0, "verify-each", NULL, "verify the graph after every pass"             \
    }

/* Handles an option of the list above: CLI_OK, or CLI_USAGE after a message. */
int cli_level_option(const cli_command *command, int id, const char *value,
                     rp_pass_options *options);

/* "0" or "-O0" or "O0": the level, or -1. */
int cli_level_number(const char *text);

#endif
