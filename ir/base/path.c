/* What a path leads to. */
#include "base/path.h"

#include <stddef.h>
#include <sys/stat.h>

const char *rp_path_is_no_file(const char *path, bool pipes) {
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return NULL;
    if (S_ISFIFO(info.st_mode)) return pipes ? NULL : "is a pipe";
    if (S_ISDIR(info.st_mode)) return "is a folder";
    return S_ISSOCK(info.st_mode) ? "is a socket" : "is a device";
}

bool rp_path_identity(const char *path, uint64_t out[2]) {
    struct stat info;
    if (stat(path, &info) != 0) return false;
    out[0] = (uint64_t)info.st_dev;
    out[1] = (uint64_t)info.st_ino;
    return true;
}
