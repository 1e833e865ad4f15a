/* Writing a plan: into a new file beside the target, synchronised to the disk, then renamed over
 * it (base/new_file.h); into what cannot be replaced, a pipe or a terminal, directly. */
#include "plan/format.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/new_file.h"

static rp_status failed(rp_diags *diags, const char *path, const char *what, int error) {
    const char *advice = "";
    if (error == ENOENT || error == ENOTDIR) advice = "; create the folder first";
    if (error == EACCES || error == EPERM || error == EROFS)
        advice = "; check the permissions of the folder";
    if (error == ENOSPC || error == EDQUOT) advice = "; free some space";
    rp_diags_add(diags, RP_ERROR, path, 0, 0, "cannot %s: %s%s", what, strerror(error), advice);
    return RP_ERROR_IO;
}

/* Writes to what is there already and cannot be replaced: a pipe, a terminal, /dev/stdout. */
static rp_status write_special(const rp_plan *plan, const char *path, rp_diags *diags) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return failed(diags, path, "open it", errno);
    int error = rp_write_all(file, plan->file, plan->file_size);
    if (close(file) != 0 && !error) error = errno;
    return error ? failed(diags, path, "write the plan", error) : RP_OK;
}

static rp_status write_beside(const rp_plan *plan, const char *path, rp_diags *diags) {
    rp_new_file file;
    int error = rp_new_file_open(&plan->allocator, path, &file);
    if (error == ENOMEM) return RP_ERROR_NO_MEMORY;
    if (error) return failed(diags, path, "create a file beside it", error);
    error = rp_new_file_append(&file, plan->file, plan->file_size);
    if (!error) error = rp_new_file_sync(&file);
    if (error)
        rp_new_file_abandon(&file);
    else
        error = rp_new_file_commit(&file, path);
    return error ? failed(diags, path, "write the plan", error) : RP_OK;
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
    return write_beside(plan, path, diags);
}
