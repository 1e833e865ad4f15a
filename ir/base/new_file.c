/* New files; see new_file.h. The folder itself is not synchronised: after a power cut the old and
 * the new file are both good answers. */
#include "base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 100 }; /* names that threads, and processes that died, may have taken */

int rp_new_file_open(const rp_allocator *a, const char *path, rp_new_file *out_file) {
    *out_file = (rp_new_file){.allocator = a, .descriptor = -1};
    int error = EEXIST;
    rp_text name;
    rp_text_init(&name, a);
    for (int i = 0; i < TRIES && error == EEXIST; i++) {
        name.size = 0;
        rp_text_format(&name, "%s.tmp-%ld-%d", path, (long)getpid(), i);
        if (name.failed) break;
        out_file->descriptor = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        error = out_file->descriptor < 0 ? errno : 0;
    }
    if (rp_text_take(&name, &out_file->name, NULL) != RP_OK) return ENOMEM;
    if (error) {
        rp_release(a, out_file->name);
        *out_file = (rp_new_file){.allocator = a, .descriptor = -1};
    }
    return error;
}

int rp_write_all(int descriptor, const void *data, size_t size) {
    for (const char *at = data; size > 0;) {
        ssize_t written = write(descriptor, at, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

int rp_new_file_append(const rp_new_file *file, const void *data, size_t size) {
    return rp_write_all(file->descriptor, data, size);
}

int rp_new_file_sync(const rp_new_file *file) {
    return fsync(file->descriptor) == 0 ? 0 : errno;
}

int rp_new_file_commit(rp_new_file *file, const char *path) {
    int error = close(file->descriptor) == 0 ? 0 : errno; /* some report a full disk only here */
    file->descriptor = -1;
    if (!error && rename(file->name, path) != 0) error = errno;
    if (error) {
        rp_new_file_abandon(file);
        return error;
    }
    rp_release(file->allocator, file->name);
    file->name = NULL;
    return 0;
}

void rp_new_file_abandon(rp_new_file *file) {
    if (file->descriptor >= 0) close(file->descriptor);
    if (file->name) unlink(file->name);
    rp_release(file->allocator, file->name);
    *file = (rp_new_file){.allocator = file->allocator, .descriptor = -1};
}

/* ---- Caches ---------------------------------------------------------------------------------- */

bool rp_cache_folder(rp_text *text) {
    const char *home = getenv("HOME"), *xdg = getenv("XDG_CACHE_HOME");
    if (xdg && *xdg == '/') /* the specification wants relative paths ignored */
        rp_text_format(text, "%s/reprise", xdg);
    else if (home && *home)
        rp_text_format(text, "%s/.cache/reprise", home);
    else
        return false;
    return true;
}

void rp_make_folders(char *path) {
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
}
