/* The options that say how to compile, shared by compile, opt and run. */
#ifndef CLI_LEVEL_H
#define CLI_LEVEL_H

#include "options.h"
#include "reprise/passes.h"
#include "reprise/plan.h"

enum {
    LEVEL_O = 1000,
    LEVEL_PASSES,
    LEVEL_ARENA_LIMIT,
    LEVEL_VERIFY_EACH,
};

#define CLI_LEVEL_OPTIONS                                                                          \
    {LEVEL_O, 'O', NULL, "0|1|2", "optimisation level; -O0 is the oracle, -O1 the default"},       \
        {LEVEL_PASSES, 0, "passes", "A,B,C", "run these passes instead of a level's", true},       \
        {LEVEL_ARENA_LIMIT, 0, "arena-limit", "BYTES",                                             \
         "most transient memory (K, M, G allowed); trades barriers for it"},                       \
    {                                                                                              \
        LEVEL_VERIFY_EACH, 0, "verify-each", NULL, "verify the graph after every pass"             \
    }

/* Handles an option of the list above: CLI_OK, or CLI_USAGE after a message. */
int cli_level_option(const cli_command *command, int id, const char *value,
                     rp_pass_options *options);

/* Says on a terminal which pass comes after pass `index`: making kernels of ops may take a while.
 * An observer of passes calls it. */
void cli_pass_progress(const rp_pass_options *options, int index);
/* An observer that does only that; its user is the rp_pass_options. */
rp_pass_observer cli_watch_passes;
/* Shows what a pass is busy with. */
rp_pass_progress cli_watch_work;

/* Compiles the forms of a plan, and says on a terminal how far it is. Returns an exit status after messages. */
int cli_make_plan(const rp_graph *const *graphs, uint32_t count, const rp_pass_options *passes,
                  const char *file, rp_plan **out);

/* "0" or "-O0" or "O0": the level, or -1. */
int cli_level_number(const char *text);

#endif
