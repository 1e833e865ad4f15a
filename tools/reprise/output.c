/* Files that appear whole or not at all.
 *
 * A result is written to a hidden temporary in the target's folder (rename works only within one
 * file system) and renamed when every byte is known to be on its way to the disk. Temporaries that
 * are still open are kept in a list that exit and the terminating signals empty, so that ^C leaves
 * nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files.h"
#include "message.h"
#include "output.h"

struct cli_output {
    char *path, *temporary; /* temporary NULL: written directly */
    int descriptor;
    cli_output *next_open;
};

static cli_output *volatile open_outputs;

/* Runs in signal handlers too: unlink is async-signal-safe. */
static void remove_temporaries(void) {
    for (cli_output *output = open_outputs; output; output = output->next_open)
        if (output->temporary) unlink(output->temporary);
}

static void on_signal(int number) {
    remove_temporaries();
    signal(number, SIG_DFL);
    raise(number);
}

void cli_output_init(void) {
    static const int fatal[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    atexit(remove_temporaries);
    /* A reader that went away is an ordinary write error: reported once, with cleanup. */
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction old;
        if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            struct sigaction action = {.sa_handler = on_signal};
            sigaction(fatal[i], &action, NULL);
        }
    }
}

static void block_signals(bool block, sigset_t *old) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(block ? SIG_BLOCK : SIG_SETMASK, block ? &all : old, block ? old : NULL);
}

static void forget(cli_output *output) {
    sigset_t old;
    block_signals(true, &old);
    for (cli_output *o = open_outputs, *before = NULL; o; before = o, o = o->next_open) {
        if (o != output) continue;
        if (before)
            before->next_open = o->next_open;
        else
            open_outputs = o->next_open;
        break;
    }
    block_signals(false, &old);
    free(output->path);
    free(output->temporary);
    free(output);
}

static char *temporary_name(const char *path) {
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path + 1) : 0;
    size_t size = strlen(path) + 32;
    char *name = cli_alloc(size, 1);
    snprintf(name, size, "%.*s.%.200s.XXXXXX", folder, path, path + folder);
    return name;
}

/* mkstemp makes files for the owner alone; a result gets the mode that open() would have given it,
 * or keeps that of the file it replaces. */
static void set_mode(int descriptor, const struct stat *replaced) {
    mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, replaced ? replaced->st_mode & 07777 : 0666 & ~mask);
}

/* What to replace: of a symbolic link (/dev/stdout is one) the file it leads to, never the link. */
static char *target_of(const char *path, const struct stat *info, bool exists) {
    char *resolved = exists && S_ISREG(info->st_mode) ? realpath(path, NULL) : NULL;
    if (resolved) return resolved;
    char *copy = cli_alloc(strlen(path) + 1, 1);
    memcpy(copy, path, strlen(path));
    return copy;
}

/* The folder that a path leads into, and the name in it. */
static char *folder_of(const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 2;
    char *folder = cli_alloc(length + 1, 1);
    memcpy(folder, slash ? path : "./", length);
    *name = slash ? slash + 1 : path;
    return folder;
}

static int check_folder(const char *path) {
    const char *name;
    char *folder = folder_of(path, &name);
    bool good = access(folder, W_OK | X_OK) == 0;
    if (!good) cli_error(path, "cannot be written: %s: %s", folder, strerror(errno));
    free(folder);
    return good ? CLI_OK : CLI_ENVIRONMENT;
}

int cli_output_check(const char *path) {
    struct stat info, link;
    if (!strcmp(path, "-")) return CLI_OK;
    bool exists = stat(path, &info) == 0;
    if (!exists && lstat(path, &link) == 0) {
        cli_error(path, "is a symbolic link that leads to no file: %s", strerror(errno));
        return CLI_ENVIRONMENT;
    }
    if (!exists) return check_folder(path);
    if (S_ISDIR(info.st_mode)) {
        cli_error(path, "is a folder; name a file");
        return CLI_ENVIRONMENT;
    }
    if (!S_ISREG(info.st_mode)) return CLI_OK;
    if (cli_file_noted(&info)) {
        cli_error(path, "is read by this command, and not written over; name another file");
        return CLI_USAGE;
    }
    if (!(info.st_mode & 0222) || access(path, W_OK) != 0) {
        cli_error(path, "is read-only; name another file");
        return CLI_ENVIRONMENT;
    }
    char *target = realpath(path, NULL);
    int status = check_folder(target ? target : path);
    free(target);
    return status;
}

static bool same_place(const char *a, const char *b) {
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

bool cli_output_same(const char *a, const char *b) {
    const char *name, *other_name;
    char *folder = folder_of(a, &name), *other = folder_of(b, &other_name);
    bool same = same_place(a, b) || (!strcmp(name, other_name) && same_place(folder, other));
    free(folder);
    free(other);
    return same;
}

cli_output *cli_output_begin(const char *path) {
    struct stat info;
    if (cli_output_check(path) != CLI_OK) return NULL;
    bool exists = stat(path, &info) == 0;
    cli_output *output = cli_alloc(1, sizeof *output);
    output->path = target_of(path, &info, exists);
    sigset_t old;
    bool direct = exists && !S_ISREG(info.st_mode);
    /* Opening a pipe waits for its reader: ^C must work meanwhile. */
    if (direct) output->descriptor = open(path, O_WRONLY | O_CLOEXEC);
    int reason = errno;
    block_signals(true, &old);
    if (!direct) {
        output->temporary = temporary_name(output->path);
        output->descriptor = mkstemp(output->temporary);
        reason = errno;
        if (output->descriptor >= 0) set_mode(output->descriptor, exists ? &info : NULL);
    }
    if (output->descriptor >= 0) {
        output->next_open = open_outputs;
        open_outputs = output;
    }
    block_signals(false, &old);
    if (output->descriptor >= 0) return output;
    cli_error(path, "cannot be written: %s", strerror(reason));
    free(output->path);
    free(output->temporary);
    free(output);
    return NULL;
}

static bool write_all(int descriptor, const char *path, const void *data, size_t size) {
    for (const char *at = data; size > 0;) {
        ssize_t written = write(descriptor, at, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            /* `reprise show x | head` is no failure worth a message. */
            if (errno != EPIPE) cli_error(path, "cannot be written: %s", strerror(errno));
            return false;
        }
        at += written;
        size -= (size_t)written;
    }
    return true;
}

bool cli_output_write(cli_output *output, const void *data, size_t size) {
    return write_all(output->descriptor, output->path, data, size);
}

bool cli_output_finish(cli_output *output) {
    /* Some file systems report a full disk only here. */
    int descriptor = output->descriptor;
    output->descriptor = -1;
    if (close(descriptor) == 0) return true;
    cli_error(output->path, "cannot be written: %s", strerror(errno));
    return false;
}

bool cli_output_commit(cli_output *output) {
    if (output->temporary && rename(output->temporary, output->path) != 0) {
        cli_error(output->path, "cannot be written: %s", strerror(errno));
        cli_output_abandon(output);
        return false;
    }
    forget(output);
    return true;
}

void cli_output_abandon(cli_output *output) {
    if (!output) return;
    if (output->descriptor >= 0) close(output->descriptor);
    if (output->temporary) unlink(output->temporary);
    forget(output);
}

int cli_output_whole(const char *path, const void *data, size_t size) {
    if (!strcmp(path, "-")) {
        if (fflush(stdout) == 0 && write_all(STDOUT_FILENO, "stdout", data, size)) return CLI_OK;
        return CLI_ENVIRONMENT;
    }
    cli_output *output = cli_output_begin(path);
    if (!output) return CLI_ENVIRONMENT;
    if (!cli_output_write(output, data, size) || !cli_output_finish(output)) {
        cli_output_abandon(output);
        return CLI_ENVIRONMENT;
    }
    return cli_output_commit(output) ? CLI_OK : CLI_ENVIRONMENT;
}

int cli_flush_results(void) {
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (!failed) return CLI_OK;
    if (errno != EPIPE) cli_error("stdout", "cannot be written: %s", strerror(errno));
    return CLI_ENVIRONMENT;
}
