/* Files that the program reads: what may be one, and which they were. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Opens a file for reading and notes that it is read. Folders, devices and sockets are refused
 * before anything waits for them: a device may never end. A pipe is a file, and is waited for.
 * `expected` says what the file should be, "a NumPy .npy file". The descriptor, or -1 after a
 * message. */
int cli_file_open(const char *path, const char *expected, struct stat *info);

/* Reads up to the end of a descriptor; more than `most` bytes are an error. The bytes are followed
 * by a zero. NULL after a message, which names `path`. */
char *cli_file_read(int descriptor, const char *path, uint64_t most, size_t *out_size);

/* Notes that a library reads this file. */
void cli_file_note(const char *path);
/* Whether a file is one that was noted, whatever its path was. */
bool cli_file_noted(const struct stat *info);

#endif
