/* Files that appear whole or not at all, and results on stdout. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* A file being written: bytes go to a temporary beside `path`, and cli_output_commit renames it. A
 * path that is no regular file (/dev/stdout, a pipe) is written directly. */
typedef struct cli_output cli_output;

/* Installs the removal of temporaries on exit and on signals. Call once, first. */
void cli_output_init(void);

/* Whether a file can be written here: its folder exists, it is no folder and not read-only, and it
 * is none of the files that this command reads. "-" can. Returns an exit status after a message. */
int cli_output_check(const char *path);
/* Whether two paths are one file, or would be. */
bool cli_output_same(const char *a, const char *b);

/* Each prints what went wrong and returns NULL or false. */
cli_output *cli_output_begin(const char *path);
bool cli_output_write(cli_output *output, const void *data, size_t size);
/* Puts the bytes on the disk and checks for late errors; still under the temporary name. */
bool cli_output_finish(cli_output *output);
/* Gives the file its name, and frees. */
bool cli_output_commit(cli_output *output);
/* Removes the temporary, and frees. NULL is fine. */
void cli_output_abandon(cli_output *output);

/* All of it for one block; path "-" is stdout. Returns an exit status. */
int cli_output_whole(const char *path, const void *data, size_t size);

/* Checks that everything printed on stdout got there; for the end of main. Returns an exit status.
 */
int cli_flush_results(void);

#endif
