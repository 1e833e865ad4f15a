/* The arrays that go into a run and come out of it. */
#ifndef CLI_ARRAYS_H
#define CLI_ARRAYS_H

#include "options.h"
#include "reprise/compiler.h"
#include "reprise/runtime.h"
#include "weights.h"

/* -i, -o and --set: NAME=TEXT. `text` points into argv. */
typedef struct cli_pair {
    char *name;
    const char *text;
} cli_pair;

typedef struct cli_pairs {
    cli_pair *items;
    uint32_t count;
} cli_pairs;

/* Adds "name=text". False when it is not of that form. `most` bounds the number of all additions.
 */
bool cli_pairs_add(cli_pairs *pairs, const char *text, uint32_t most);
void cli_pairs_free(cli_pairs *pairs);

/* Which roles of buffers an option may name, as bits 1 << rp_buffer_kind. */
enum {
    CLI_ROLES_INPUT = 1 << RP_IN | 1 << RP_INOUT | 1 << RP_WEIGHT,
    CLI_ROLES_OUTPUT = 1 << RP_OUT | 1 << RP_INOUT,
    CLI_ROLES_LIVE = 1 << RP_LIVE,
};

/* The index of a plan's buffer that `option` names, or UINT32_MAX after a message. */
uint32_t cli_find_buffer(const cli_command *command, const rp_plan *plan, const char *option,
                         const char *name, unsigned roles);

/* The first bytes of one buffer, mapped. */
typedef struct cli_array {
    rp_weight weight; /* `data` NULL: none */
    bool converted;   /* its values are not the buffer's */
    void *texels;     /* of a .png file, which `weight` then points to; else NULL */
} cli_array;

/* One array per buffer of the plan; those without a file stay as an exec begins: zero. */
typedef struct cli_inputs {
    cli_array *arrays;
    uint32_t count;
    cli_weights weights;
} cli_inputs;

/* Where arrays may come from, in this order: -i, the pipeline's `data:`, and for what is left the
 * files of --weights, by the buffers' names. */
typedef struct cli_input_files {
    const cli_pairs *given;
    const rp_pipeline *pipeline; /* may be NULL */
    const cli_texts *weights;
    bool optional; /* buffers that need data may be without */
} cli_input_files;

/* Opens the files, and checks that every buffer that needs data has some. Reports all that is
 * wrong; returns an exit status. `file` is what is run. */
int cli_inputs_open(const cli_command *command, const rp_plan *plan, const char *file,
                    const cli_input_files *files, cli_inputs *out);
void cli_inputs_close(cli_inputs *inputs);
/* Writes them into a slot of an exec: into all but the first only what each has for itself. */
int cli_inputs_upload(const cli_inputs *inputs, const rp_plan *plan, const char *file,
                      rp_exec *exec, uint32_t slot);

/* Writes numbers into buffers of kind in and weight that have no data: floats and blocks from a
 * series that looks random, so that no device finds zeros easier; integers, which may be indices, stay
 * zero. Names them in a note. made_up.c. */
int cli_inputs_make_up(const cli_inputs *inputs, const rp_plan *plan, const char *file,
                       rp_exec *exec);

/* The bytes of every out and inout buffer; NULL for the other buffers. */
typedef struct cli_results {
    void **data;
    uint32_t count;
} cli_results;

int cli_results_read(const rp_plan *plan, const char *file, rp_exec *exec, uint32_t slot,
                     cli_results *out);
void cli_results_free(cli_results *results);
/* Compares bit for bit what nodes write, and names what they do not write, which becomes in `b`
 * what it is in `a`. Prints the first difference of each buffer; returns an exit status. */
int cli_results_compare(const rp_plan *plan, const char *file, const cli_results *a, cli_results *b,
                        const char *b_name);
/* Finds what is wrong with -o before anything runs: buffers without a result, two results in one
 * file, files that cannot be written or are read by this very run. Returns an exit status. */
int cli_results_check(const cli_command *command, const rp_plan *plan, const cli_pairs *outputs);
/* Writes the files of -o, all or none, and a summary line for each of the others. */
int cli_results_save(const cli_command *command, const rp_plan *plan, const cli_results *results,
                     const cli_pairs *outputs, int summarise);

#endif
