/* Internal: files that appear whole or not at all, and where caches keep theirs.
 *
 * A new file is written beside its target, as "TARGET.tmp-PID-N", and renamed over it: readers,
 * other processes and crashes see the old file or the whole new one, and whoever has the old one
 * mapped keeps it. Functions return 0 or an errno. */
#ifndef RP_BASE_NEW_FILE_H
#define RP_BASE_NEW_FILE_H

#include "base/text.h"

typedef struct rp_new_file {
    const rp_allocator *allocator;
    char *name; /* of the file beside */
    int descriptor;
} rp_new_file;

/* Creates the file beside `path`. What was opened is committed or abandoned, also after a failure
 * of append. */
int rp_new_file_open(const rp_allocator *a, const char *path, rp_new_file *out_file);
int rp_new_file_append(const rp_new_file *file, const void *data, size_t size);
/* Waits until all of it is on the disk. */
int rp_new_file_sync(const rp_new_file *file);
/* Makes it the file at `path`; when that fails it is abandoned. */
int rp_new_file_commit(rp_new_file *file, const char *path);
void rp_new_file_abandon(rp_new_file *file);

/* All of `data` to a descriptor, however often it takes. */
int rp_write_all(int descriptor, const void *data, size_t size);

/* Appends the folder of the user's caches, "$XDG_CACHE_HOME/reprise" or "~/.cache/reprise"; false,
 * with nothing appended, when the environment names none. */
bool rp_cache_folder(rp_text *text);
/* Creates the folders that lead to `path`. Errors show when a file is opened there. */
void rp_make_folders(char *path);

#endif
