/* The cache of compiled kernels: SPIR-V by a hash of the GLSL it comes from, in the memory of the
 * process and in one small file each, under $XDG_CACHE_HOME/reprise/kernels or
 * ~/.cache/reprise/kernels.
 *
 * What is found was compiled and validated by this very version of the library: the version is part
 * of the key. A file that is cut, damaged or of another layout is a miss, and is written again.
 * Files are written beside and renamed, so that readers, other processes and crashes see a whole
 * file or none. The table in memory outlives every caller, hence its own malloc; it is emptied when
 * it has grown beyond what a process's pipelines need. */
#include "kernel/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/text.h"

enum {
    MAX_WORDS = 1 << 22,      /* of one kernel: a file that claims more is not ours */
    MAX_KEPT_WORDS = 1 << 23, /* in memory: 32 MiB */
    LAYOUT = 1,               /* of files */
};

typedef struct file_header {
    char magic[8];
    uint32_t layout, count;
    rp_kernel_key key;
    uint64_t hash; /* of the words, which follow */
} file_header;

rp_kernel_key rp_kernel_key_of(const char *text, const char *options) {
    uint64_t salt = rp_hash_mix(LAYOUT, rp_version(), strlen(rp_version()));
    salt = rp_hash_mix(salt, options, strlen(options) + 1);
    uint64_t first = rp_hash_mix(salt, text, strlen(text));
    return (rp_kernel_key){{first, rp_hash_mix(~salt, text, strlen(text))}};
}

static bool same_key(rp_kernel_key a, rp_kernel_key b) {
    return a.bits[0] == b.bits[0] && a.bits[1] == b.bits[1];
}

/* ---- In memory ------------------------------------------------------------------------------- */

typedef struct entry {
    struct entry *next;
    rp_kernel_key key;
    uint32_t count;
    uint32_t words[];
} entry;

enum { BUCKETS = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry *buckets[BUCKETS];
static uint64_t kept_words;

static entry *find_entry(rp_kernel_key key) {
    entry *e = buckets[key.bits[0] % BUCKETS];
    while (e && !same_key(e->key, key)) e = e->next;
    return e;
}

static void drop_all(void) {
    for (uint32_t i = 0; i < BUCKETS; i++) {
        for (entry *e = buckets[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
        buckets[i] = NULL;
    }
    kept_words = 0;
}

static void keep_in_memory(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    entry *e = malloc(sizeof *e + (size_t)count * 4);
    if (!e) return;
    e->key = key;
    e->count = count;
    memcpy(e->words, words, (size_t)count * 4);
    pthread_mutex_lock(&lock);
    if (kept_words + count > MAX_KEPT_WORDS) drop_all();
    if (find_entry(key)) {
        free(e);
    } else {
        e->next = buckets[key.bits[0] % BUCKETS];
        buckets[key.bits[0] % BUCKETS] = e;
        kept_words += count;
    }
    pthread_mutex_unlock(&lock);
}

/* ---- On disk --------------------------------------------------------------------------------- */

/* The path of a kernel's file; NULL, with RP_OK, when there is nowhere to keep it. */
static rp_status path_of(rp_kernel_key key, const rp_allocator *a, char **out_path) {
    const char *home = getenv("HOME"), *xdg = getenv("XDG_CACHE_HOME");
    rp_text text;
    *out_path = NULL;
    rp_text_init(&text, a);
    if (xdg && *xdg == '/') /* the specification wants relative paths ignored */
        rp_text_string(&text, xdg);
    else if (home && *home)
        rp_text_format(&text, "%s/.cache", home);
    else
        return RP_OK;
    rp_text_format(&text, "/reprise/kernels/%016llx%016llx.spv", (unsigned long long)key.bits[0],
                   (unsigned long long)key.bits[1]);
    return rp_text_take(&text, out_path, NULL);
}

static file_header header_of(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    file_header header = {.magic = "RPKERNEL", .layout = LAYOUT, .count = count, .key = key};
    header.hash = rp_hash(words, (size_t)count * 4);
    return header;
}

/* The words of a good file; NULL for none. */
static rp_status load(const rp_allocator *a, rp_kernel_key key, uint32_t **out_words,
                      uint32_t *out_count) {
    char *path;
    RP_TRY(path_of(key, a, &path));
    FILE *file = path ? fopen(path, "rb") : NULL;
    rp_release(a, path);
    if (!file) return RP_OK;
    file_header header;
    uint32_t *words = NULL;
    rp_status status = RP_OK;
    if (fread(&header, sizeof header, 1, file) == 1 && header.count > 0 &&
        header.count <= MAX_WORDS) {
        words = rp_alloc(a, header.count, 4);
        if (!words) status = RP_ERROR_NO_MEMORY;
    }
    bool good = words && fread(words, 4, header.count, file) == header.count && fgetc(file) == EOF;
    fclose(file);
    if (good) {
        file_header expected = header_of(key, words, header.count);
        good = memcmp(&header, &expected, sizeof header) == 0;
    }
    if (good) {
        *out_words = words;
        *out_count = header.count;
    } else {
        rp_release(a, words);
    }
    return status;
}

/* Creates the folders that lead to `path`. Errors show when the file is opened. */
static void make_folders(char *path) {
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
}

static void store(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    static atomic_uint counter; /* two threads of one process may keep the same kernel */
    rp_allocator a = rp_allocator_or_default(NULL);
    char *path, *beside = NULL;
    if (path_of(key, &a, &path) != RP_OK || !path) return;
    rp_text text;
    rp_text_init(&text, &a);
    rp_text_format(&text, "%s.%ld.%u", path, (long)getpid(), atomic_fetch_add(&counter, 1));
    if (rp_text_take(&text, &beside, NULL) == RP_OK) {
        make_folders(path);
        file_header header = header_of(key, words, count);
        FILE *file = fopen(beside, "wb");
        bool good = file && fwrite(&header, sizeof header, 1, file) == 1 &&
                    fwrite(words, 4, count, file) == count;
        if (file && fclose(file) != 0) good = false;
        if (!good || rename(beside, path) != 0) unlink(beside);
    }
    rp_release(&a, beside);
    rp_release(&a, path);
}

/* ---- Both ------------------------------------------------------------------------------------ */

rp_status rp_kernel_cache_find(const rp_allocator *a, rp_kernel_key key, uint32_t **out_words,
                               uint32_t *out_count) {
    *out_words = NULL;
    *out_count = 0;
    pthread_mutex_lock(&lock);
    const entry *e = find_entry(key);
    if (e) {
        *out_words = rp_dup(a, e->words, (size_t)e->count * 4);
        *out_count = e->count;
    }
    pthread_mutex_unlock(&lock);
    if (e) return *out_words ? RP_OK : RP_ERROR_NO_MEMORY;
    RP_TRY(load(a, key, out_words, out_count));
    if (*out_words) keep_in_memory(key, *out_words, *out_count);
    return RP_OK;
}

void rp_kernel_cache_keep(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    keep_in_memory(key, words, count);
    store(key, words, count);
}
