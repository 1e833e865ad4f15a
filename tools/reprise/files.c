/* Files that the program reads.
 *
 * Which they were is kept for the whole run, by device and inode, so that an output is never put in
 * the place of an input, whatever links and dots the two paths are made of.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "files.h"
#include "message.h"

static struct noted {
    dev_t device;
    ino_t inode;
} * noted;
static size_t noted_count;

static void note(const struct stat *info) {
    struct noted *larger = realloc(noted, (noted_count + 1) * sizeof *noted);
    if (!larger) {
        cli_error(NULL, "out of host memory");
        exit(CLI_ENVIRONMENT);
    }
    noted = larger;
    noted[noted_count++] = (struct noted){info->st_dev, info->st_ino};
}

void cli_file_note(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0) note(&info);
}

bool cli_file_noted(const struct stat *info) {
    for (size_t i = 0; i < noted_count; i++)
        if (noted[i].device == info->st_dev && noted[i].inode == info->st_ino) return true;
    return false;
}

/* What a path leads to that is no file; NULL for files and pipes. */
static const char *no_file(mode_t mode) {
    if (S_ISREG(mode) || S_ISFIFO(mode)) return NULL;
    return S_ISDIR(mode) ? "folder" : S_ISSOCK(mode) ? "socket" : "device";
}

int cli_file_open(const char *path, const char *expected, struct stat *info) {
    const char *what = stat(path, info) == 0 ? no_file(info->st_mode) : NULL;
    if (what) {
        cli_error(path, "is a %s; expected %s", what, expected);
        return -1;
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0 && fstat(descriptor, info) == 0) {
        note(info);
        return descriptor;
    }
    cli_error(path, "cannot be read: %s", strerror(errno));
    if (descriptor >= 0) close(descriptor);
    return -1;
}

char *cli_file_read(int descriptor, const char *path, uint64_t most, size_t *out_size) {
    size_t capacity = 1 << 16, size = 0;
    char *data = malloc(capacity);
    while (data) {
        ssize_t got = read(descriptor, data + size, capacity - size - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 || size + (size_t)got > most) {
            if (got < 0)
                cli_error(path, "cannot be read: %s", strerror(errno));
            else
                cli_error(path, "goes on behind %llu bytes, which are the most that fit",
                          (unsigned long long)most);
            free(data);
            return NULL;
        }
        size += (size_t)got;
        if (got == 0) break;
        if (size < capacity - 1) continue;
        char *larger = capacity > SIZE_MAX / 2 ? NULL : realloc(data, capacity * 2);
        if (!larger) free(data);
        data = larger;
        capacity *= 2;
    }
    if (!data) {
        cli_error(path, "cannot be read: out of host memory");
        return NULL;
    }
    data[size] = '\0';
    *out_size = size;
    return data;
}
