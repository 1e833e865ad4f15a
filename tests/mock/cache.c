/* The pipeline cache on the disk: written once, read by whoever has the same kernels and driver,
 * ignored and replaced when it is damaged, and no reason to fail where it cannot be written. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "opened.h"

static const char cached_text[] = "reprise 1\n"
                                  "graph cached scheduled placed synced arena 0 {\n"
                                  "  buf $y out 16\n"
                                  "  kern @k spirv - local 64 1 1 (rw)\n"
                                  "  group 0\n"
                                  "    n0 = run @k grid 1 1 1 (rw $y)\n"
                                  "}\n";

static size_t initial_cache_bytes(const char *folder, rp_diags **keep) {
    mock_reset();
    open_text(cached_text, &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = folder});
    CU_ASSERT_PTR_NOT_NULL(exec);
    size_t bytes = mock.initial_cache_bytes;
    if (keep) {
        *keep = diags;
        diags = NULL;
    }
    close_all();
    return bytes;
}

/* Changes the one cache file in a folder: cuts it to `size` bytes when that is >= 0, and writes
 * `text` at `at`. False unless there is exactly one file. */
static bool damage(const char *folder, long size, long at, const char *text) {
    char pattern[128];
    snprintf(pattern, sizeof pattern, "%s/*", folder);
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) return false;
    bool good = found.gl_pathc == 1 && strstr(found.gl_pathv[0], ".cache");
    FILE *file = good ? fopen(found.gl_pathv[0], "r+b") : NULL;
    globfree(&found);
    if (!file) return false;
    if (size >= 0) good = ftruncate(fileno(file), size) == 0;
    good = good && fseek(file, at, SEEK_SET) == 0 && fputs(text, file) >= 0;
    return fclose(file) == 0 && good;
}

static void test_cache(void) {
    char folder[] = "/tmp/reprise-cache-XXXXXX", nested[64], command[128];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(nested, sizeof nested, "%s/a/b", folder);
    CU_ASSERT_EQUAL(initial_cache_bytes(nested, NULL), 0); /* makes the folders, and the file */
    CU_ASSERT_EQUAL(initial_cache_bytes(nested, NULL), 64);
    CU_ASSERT_EQUAL(initial_cache_bytes(nested, NULL), 64);
    /* Damage of every kind: ignored, then replaced. */
    static const struct {
        long size, at;
        const char *text;
    } kinds[] = {{100, 0, ""},   {0, 0, ""},   {-1, 128, "x"},
                 {-1, 120, "x"}, {-1, 0, "x"}, {-1, 48, "\377\377\377\377\377\377\377\377"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        CU_ASSERT_TRUE(damage(nested, kinds[i].size, kinds[i].at, kinds[i].text));
        CU_ASSERT_EQUAL(initial_cache_bytes(nested, NULL), 0);
        CU_ASSERT_EQUAL(initial_cache_bytes(nested, NULL), 64);
    }
    CU_ASSERT_TRUE(damage(nested, -1, 0, "")); /* nothing is left beside the one file */

    rp_diags *said = NULL;
    initial_cache_bytes("/proc/nowhere", &said);
    CU_ASSERT_TRUE(rp_test_said(said, "the pipeline cache cannot be written"));
    rp_diags_destroy(said);

    setenv("XDG_CACHE_HOME", nested, 1); /* no folder named: the user's cache */
    initial_cache_bytes(NULL, NULL);
    CU_ASSERT_EQUAL(initial_cache_bytes(NULL, NULL), 64);
    unsetenv("XDG_CACHE_HOME");
    snprintf(command, sizeof command, "rm -r %s", folder);
    CU_ASSERT_EQUAL(system(command), 0);
}

/* Another driver version, or other kernels, are another file; another plan of the same kernels is
 * not. The driver's word counts for "from the cache". */
static void test_cache_key(void) {
    char folder[] = "/tmp/reprise-cache-XXXXXX", command[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL(initial_cache_bytes(folder, NULL), 0);
    mock_reset();
    mock.properties.driverVersion++;
    open_text(cached_text, &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = folder});
    CU_ASSERT_EQUAL(mock.initial_cache_bytes, 0);
    close_all();
    static const char same_kernels[] = "reprise 1\n"
                                       "graph other scheduled placed synced arena 0 {\n"
                                       "  buf $z out 64\n"
                                       "  kern @k spirv - local 64 1 1 (rw)\n"
                                       "  group 0\n"
                                       "    n0 = run @k grid 7 1 1 (rw $z)\n"
                                       "}\n";
    static const char other_kernels[] = "reprise 1\n"
                                        "graph other scheduled placed synced arena 0 {\n"
                                        "  buf $z out 64\n"
                                        "  kern @k spirv - local 32 1 1 (rw)\n"
                                        "  group 0\n"
                                        "    n0 = run @k grid 7 1 1 (rw $z)\n"
                                        "}\n";
    mock_reset();
    open_text(same_kernels,
              &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = folder});
    CU_ASSERT_EQUAL(mock.initial_cache_bytes, 64);
    close_all();
    mock_reset();
    open_text(other_kernels,
              &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = folder});
    CU_ASSERT_EQUAL(mock.initial_cache_bytes, 0);
    close_all();
    mock_reset();
    mock.cache_hits = true;
    open_text(cached_text, &(rp_exec_params){.size = sizeof(rp_exec_params), .cache_path = folder});
    CU_ASSERT_EQUAL(mock.initial_cache_bytes, 64);
    CU_ASSERT_EQUAL(mock_counters(exec).pipelines, 1);
    CU_ASSERT_EQUAL(mock_counters(exec).pipelines_created, 1);
    CU_ASSERT_EQUAL(mock_counters(exec).pipelines_cached, 1);
    close_all();
    snprintf(command, sizeof command, "rm -r %s", folder);
    CU_ASSERT_EQUAL(system(command), 0);
}

int main(void) {
    static const rp_test tests[] = {
        {"disk cache", test_cache}, {"disk cache key", test_cache_key}, {0}};
    return rp_run_tests("cache", tests);
}
