/* The cache of compiled kernels: SPIR-V by a hash of the GLSL it comes from, in the memory of the
 * process and in one small file each, under $XDG_CACHE_HOME/reprise/kernels or
 * ~/.cache/reprise/kernels.
 *
 * What is found was compiled and validated by this very version of the library: the version is part
 * of the key. A file that is cut, damaged or of another layout is a miss, and is written again.
 * Files appear whole or not at all (base/new_file.h). The table in memory outlives every caller,
 * hence its own malloc; it is emptied when it has grown beyond what a process's pipelines need. */
#include "kernel/cache.h"

#include <pthread.h>
#include <stdio.h>
#include "base/hash.h"
#include "base/new_file.h"
#include "base/table.h"

enum {
    MAX_WORDS = 1 << 22,      /* of one kernel: a file that claims more is not ours */
    MAX_KEPT_WORDS = 1 << 23, /* in memory: 32 MiB */
    LAYOUT = 2,               /* of files, and of what is done behind the compiler */
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
    rp_kernel_key key;
    uint32_t count;
    uint32_t words[];
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry **entries;
static uint32_t entry_count, entry_capacity;
static rp_table by_key; /* low bits of the key -> entry */
static uint64_t kept_words;

static entry *find_entry(rp_kernel_key key) {
    for (uint32_t at = 0, i; rp_table_next(&by_key, (uint32_t)key.bits[0], &at, &i);)
        if (same_key(entries[i]->key, key)) return entries[i];
    return NULL;
}

static void drop_all(const rp_allocator *a) {
    for (uint32_t i = 0; i < entry_count; i++) rp_release(a, entries[i]);
    rp_table_free(a, &by_key);
    entry_count = 0;
    kept_words = 0;
}

static bool add_entry(const rp_allocator *a, entry *e) {
    if (!RP_RESERVE(a, entries, entry_count, entry_capacity, 1) ||
        !rp_table_add(a, &by_key, (uint32_t)e->key.bits[0], entry_count))
        return false;
    entries[entry_count++] = e;
    kept_words += e->count;
    return true;
}

static void keep_in_memory(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    rp_allocator a = rp_allocator_or_default(NULL);
    entry *e = rp_alloc(&a, 1, sizeof *e + (size_t)count * 4);
    if (!e) return;
    e->key = key;
    e->count = count;
    memcpy(e->words, words, (size_t)count * 4);
    pthread_mutex_lock(&lock);
    bool known = find_entry(key) != NULL;
    if (!known && kept_words + count > MAX_KEPT_WORDS) drop_all(&a);
    if (known || !add_entry(&a, e)) rp_release(&a, e);
    pthread_mutex_unlock(&lock);
}

/* ---- On disk --------------------------------------------------------------------------------- */

/* The path of a kernel's file; NULL, with RP_OK, when there is nowhere to keep it. */
static rp_status path_of(rp_kernel_key key, const rp_allocator *a, char **out_path) {
    rp_text text;
    *out_path = NULL;
    rp_text_init(&text, a);
    if (!rp_cache_folder(&text)) return RP_OK;
    rp_text_format(&text, "/kernels/%016llx%016llx.spv", (unsigned long long)key.bits[0],
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

static void store(rp_kernel_key key, const uint32_t *words, uint32_t count) {
    rp_allocator a = rp_allocator_or_default(NULL);
    char *path;
    if (path_of(key, &a, &path) != RP_OK || !path) return;
    rp_make_folders(path);
    rp_new_file file;
    if (rp_new_file_open(&a, path, &file) == 0) {
        file_header header = header_of(key, words, count);
        if (rp_new_file_append(&file, &header, sizeof header) == 0 &&
            rp_new_file_append(&file, words, (size_t)count * 4) == 0)
            rp_new_file_commit(&file, path);
        else
            rp_new_file_abandon(&file);
    }
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
