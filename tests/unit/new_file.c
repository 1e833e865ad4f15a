/* Files that appear whole or not at all: what is there after success, after each kind of failure,
 * and when names beside are taken. */
#include "support/unit.h"
#include "support/failing_alloc.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/new_file.h"

static char folder[] = "/tmp/reprise-new-file-XXXXXX";
static char target[128];

static void write_target(const char *text) {
    FILE *file = fopen(target, "w");
    CU_ASSERT_FATAL(file != NULL);
    fputs(text, file);
    fclose(file);
}

static bool target_holds(const char *text) {
    char found[64] = "";
    FILE *file = fopen(target, "r");
    if (!file) return false;
    size_t size = fread(found, 1, sizeof found - 1, file);
    fclose(file);
    return size == strlen(text) && memcmp(found, text, size) == 0;
}

static int count_files(void) {
    DIR *all = opendir(folder);
    int count = -2; /* . and .. */
    while (all && readdir(all)) count++;
    if (all) closedir(all);
    return count;
}

static void replaces(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_new_file file;
    write_target("old");
    CU_ASSERT_EQUAL_FATAL(rp_new_file_open(&a, target, &file), 0);
    CU_ASSERT_EQUAL(rp_new_file_append(&file, "new ", 4), 0);
    CU_ASSERT_EQUAL(rp_new_file_append(&file, "text", 4), 0);
    CU_ASSERT_EQUAL(rp_new_file_sync(&file), 0);
    CU_ASSERT(target_holds("old") && count_files() == 2);
    CU_ASSERT_EQUAL(rp_new_file_commit(&file, target), 0);
    CU_ASSERT(target_holds("new text") && count_files() == 1);
}

static void keeps_the_old(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_new_file file;
    write_target("old");
    CU_ASSERT_EQUAL_FATAL(rp_new_file_open(&a, target, &file), 0);
    CU_ASSERT_EQUAL(rp_new_file_append(&file, "new", 3), 0);
    rp_new_file_abandon(&file);
    CU_ASSERT(target_holds("old") && count_files() == 1);
    rp_new_file_abandon(&file); /* a second time does nothing */

    CU_ASSERT_EQUAL_FATAL(rp_new_file_open(&a, target, &file), 0);
    CU_ASSERT_NOT_EQUAL(rp_new_file_commit(&file, folder), 0);
    CU_ASSERT(target_holds("old") && count_files() == 1);
}

/* A disk that takes 4096 bytes. */
static void full(void) {
    static const char data[8192];
    rp_allocator a = rp_allocator_or_default(NULL);
    struct rlimit old, small;
    rp_new_file file;
    write_target("old");
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){4096, old.rlim_max};
    CU_ASSERT_EQUAL_FATAL(rp_new_file_open(&a, target, &file), 0);
    setrlimit(RLIMIT_FSIZE, &small);
    int error = rp_new_file_append(&file, data, sizeof data);
    setrlimit(RLIMIT_FSIZE, &old);
    CU_ASSERT_EQUAL(error, EFBIG);
    rp_new_file_abandon(&file);
    CU_ASSERT(target_holds("old") && count_files() == 1);
}

/* Two at once, as two threads would, and names that a process of this number left behind. */
static void names_beside(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    rp_new_file one, two, more[98], none;
    CU_ASSERT_EQUAL_FATAL(rp_new_file_open(&a, target, &one), 0);
    CU_ASSERT_EQUAL_FATAL(rp_new_file_open(&a, target, &two), 0);
    CU_ASSERT_STRING_NOT_EQUAL(one.name, two.name);
    CU_ASSERT_EQUAL(rp_new_file_append(&one, "one", 3), 0);
    CU_ASSERT_EQUAL(rp_new_file_append(&two, "two", 3), 0);
    for (int i = 0; i < 98; i++) CU_ASSERT_EQUAL(rp_new_file_open(&a, target, &more[i]), 0);
    CU_ASSERT_EQUAL(rp_new_file_open(&a, target, &none), EEXIST);
    for (int i = 0; i < 98; i++) rp_new_file_abandon(&more[i]);
    CU_ASSERT_EQUAL(rp_new_file_commit(&two, target), 0);
    CU_ASSERT_EQUAL(rp_new_file_commit(&one, target), 0);
    CU_ASSERT(target_holds("one") && count_files() == 1);
}

static void cannot_open(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    failing_alloc f = {.fail_at = 1, .stay = true};
    rp_allocator none = failing_allocator(&f);
    rp_new_file file;
    CU_ASSERT_EQUAL(rp_new_file_open(&a, "/nowhere/at/all", &file), ENOENT);
    CU_ASSERT_EQUAL(rp_new_file_open(&none, target, &file), ENOMEM);
    CU_ASSERT(f.live == 0 && count_files() == 1);
}

static void folders(void) {
    rp_allocator a = rp_allocator_or_default(NULL);
    char path[192];
    struct stat info;
    rp_text text;
    rp_text_init(&text, &a);
    snprintf(path, sizeof path, "%s/x/y/file", folder);
    rp_make_folders(path);
    CU_ASSERT(stat(path, &info) != 0 && errno == ENOENT);
    snprintf(path, sizeof path, "%s/x/y", folder);
    CU_ASSERT(stat(path, &info) == 0 && S_ISDIR(info.st_mode));
    rmdir(path);
    snprintf(path, sizeof path, "%s/x", folder);
    rmdir(path);

    setenv("HOME", "/home/me", 1);
    setenv("XDG_CACHE_HOME", "relative", 1);
    CU_ASSERT(rp_cache_folder(&text));
    CU_ASSERT_STRING_EQUAL(text.data, "/home/me/.cache/reprise");
    text.size = 0;
    setenv("XDG_CACHE_HOME", "/cache", 1);
    CU_ASSERT(rp_cache_folder(&text));
    CU_ASSERT_STRING_EQUAL(text.data, "/cache/reprise");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "", 1);
    CU_ASSERT(!rp_cache_folder(&text));
    rp_text_free(&text);
}

int main(void) {
    static const rp_test tests[] = {{"replaces", replaces},
                                    {"keeps the old", keeps_the_old},
                                    {"full", full},
                                    {"names beside", names_beside},
                                    {"cannot open", cannot_open},
                                    {"folders", folders},
                                    {NULL, NULL}};
    if (!mkdtemp(folder)) return 1;
    snprintf(target, sizeof target, "%s/target", folder);
    int result = rp_run_tests("new_file", tests);
    unlink(target);
    rmdir(folder);
    return result;
}
