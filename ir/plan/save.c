/* Writing a plan: into a new file beside the target, synchronised to the disk, then renamed over
 * it. At every moment the target is the old file or the whole new one; a process that has the old
 * one mapped keeps it. The folder itself is not synchronised: after a power cut either file is a
 * good answer. */
#include "plan/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"

enum { TRIES = 100 };

static rp_status failed(rp_diags *diags, const char *path, const char *what, int error) {
    const char *advice = "";
    if (error == ENOENT || error == ENOTDIR) advice = "; create the folder first";
    if (error == EACCES || error == EPERM || error == EROFS)
        advice = "; check the permissions of the folder";
    if (error == ENOSPC || error == EDQUOT) advice = "; free some space";
    rp_diags_add(diags, RP_ERROR, path, 0, 0, "cannot %s: %s%s", what, strerror(error), advice);
    return RP_ERROR_IO;
}

static int write_all(int file, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Writes to what is there already and cannot be replaced: a pipe, a terminal, /dev/stdout. */
static rp_status write_special(const rp_plan *plan, const char *path, rp_diags *diags) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return failed(diags, path, "open it", errno);
    int error = write_all(file, plan->data, plan->size);
    if (close(file) != 0 && !error) error = errno;
    return error ? failed(diags, path, "write the plan", error) : RP_OK;
}

/* Creates a file "PATH.tmp-PID-N" that did not exist; its name goes to `name`. */
static rp_status create_beside(const char *path, rp_diags *diags, rp_text *name, int *out_file) {
    for (int i = 0; i < TRIES; i++) {
        name->size = 0;
        rp_text_format(name, "%s.tmp-%ld-%d", path, (long)getpid(), i);
        if (name->failed) return RP_ERROR_NO_MEMORY;
        *out_file = open(name->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*out_file >= 0) return RP_OK;
        if (errno != EEXIST) return failed(diags, path, "create a file beside it", errno);
    }
    return failed(diags, path, "create a file beside it", EEXIST);
}

static rp_status write_beside(const rp_plan *plan, const char *path, rp_diags *diags,
                              rp_text *name) {
    int file = -1;
    RP_TRY(create_beside(path, diags, name, &file));
    int error = write_all(file, plan->data, plan->size);
    if (!error && fsync(file) != 0) error = errno;
    if (close(file) != 0 && !error) error = errno;
    if (!error && rename(name->data, path) != 0) error = errno;
    if (!error) return RP_OK;
    unlink(name->data);
    return failed(diags, path, "write the plan", error);
}

rp_status rp_plan_save(const rp_plan *plan, const char *path, rp_diags *diags) {
    if (!plan || !path || !*path) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "rp_plan_save: no plan or no path given");
        return RP_ERROR_USAGE;
    }
    struct stat info;
    bool exists = stat(path, &info) == 0;
    if (exists && S_ISDIR(info.st_mode)) {
        rp_diags_add(diags, RP_ERROR, path, 0, 0, "is a folder; name a file in it");
        return RP_ERROR_IO;
    }
    if (exists && !S_ISREG(info.st_mode)) return write_special(plan, path, diags);
    rp_text name;
    rp_text_init(&name, &plan->allocator);
    rp_status status = write_beside(plan, path, diags, &name);
    rp_text_free(&name);
    return status;
}
