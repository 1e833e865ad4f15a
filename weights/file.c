/* Files of arrays: mapped, handed to the reader of their format, and searched by name.
 *
 * What a file is, its first bytes say: a .npy file has a magic, which as the length of a header is
 * larger than any .safetensors file. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/checked.h"
#include "base/path.h"

/* ---- Messages -------------------------------------------------------------------------------- */

static void say(const rp_weights *w, rp_diags *diags, const char *format, va_list args) {
    char message[1024];
    vsnprintf(message, sizeof message, format, args);
    for (char *c = message; *c; c++) /* names come from strangers, messages go to terminals */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    rp_diags_add(diags, RP_ERROR, w->path, 0, 0, "%s", message);
}

rp_status rp_weights_fail(const rp_weights *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(w, w->diags, format, args);
    va_end(args);
    return RP_ERROR_INVALID;
}

rp_status rp_weights_say(const rp_weights *w, rp_diags *diags, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(w, diags, format, args);
    va_end(args);
    return RP_ERROR_INVALID;
}

void rp_shape_text(uint32_t rank, const uint64_t *shape, char *text, size_t size) {
    size_t length = (size_t)snprintf(text, size, "(");
    for (uint32_t i = 0; i < rank && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "%s%" PRIu64, i ? ", " : "", shape[i]);
    if (length < size) snprintf(text + length, size - length, rank == 1 ? ",)" : ")");
}

/* ---- The file's bytes ------------------------------------------------------------------------ */

static rp_status unreadable(const rp_weights *w, const char *what) {
    rp_weights_fail(w, "cannot be %s: %s", what, strerror(errno));
    return RP_ERROR_IO;
}

static rp_status map_file(rp_weights *w, int descriptor, size_t size) {
    if (size == 0) return RP_OK; /* the readers say what is missing */
    void *block = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (block == MAP_FAILED) return unreadable(w, "mapped");
    w->mapped = true;
    w->block = block;
    w->block_size = size;
    return RP_OK;
}

/* A pipe has no size to map: it is read until it ends, or has more bytes than may come. */
static rp_status read_pipe(rp_weights *w, int descriptor, uint64_t most) {
    size_t capacity = 1 << 16;
    char *data = rp_alloc(&w->allocator, capacity, 1);
    if (!data) return RP_ERROR_NO_MEMORY;
    w->owned = true;
    w->block = data;
    for (;;) {
        ssize_t got = read(descriptor, data + w->block_size, capacity - w->block_size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return unreadable(w, "read");
        if (got == 0) return RP_OK;
        w->block_size += (size_t)got;
        if (w->block_size > most)
            return rp_weights_fail(
                w, "goes on behind %" PRIu64 " bytes, which are the most that fit", most);
        if (w->block_size < capacity) continue;
        char *larger = rp_alloc(&w->allocator, capacity, 2);
        if (!larger) return RP_ERROR_NO_MEMORY;
        memcpy(larger, data, w->block_size);
        rp_release(&w->allocator, data);
        w->block = data = larger;
        capacity *= 2;
    }
}

/* How many bytes a pipe may have; 0: it must be a file. */
static rp_status take_bytes(rp_weights *w, uint64_t pipe_most) {
    const char *no_file = rp_path_is_no_file(w->path, pipe_most > 0);
    if (no_file) {
        rp_weights_fail(w, "%s; expected a %s file", no_file,
                        w->npy ? "NumPy .npy" : ".safetensors");
        return RP_ERROR_IO;
    }
    int descriptor = open(w->path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    rp_status status;
    if (descriptor < 0 || fstat(descriptor, &info) != 0)
        status = unreadable(w, "read");
    else if (pipe_most && !S_ISREG(info.st_mode))
        status = read_pipe(w, descriptor, pipe_most);
    else
        status = map_file(w, descriptor, (size_t)info.st_size);
    if (descriptor >= 0) close(descriptor);
    return status;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right, void *user) {
    const rp_weight *items = user;
    return strcmp(items[*(const uint32_t *)left].name, items[*(const uint32_t *)right].name);
}

static rp_status read_arrays(rp_weights *w) {
    RP_TRY(w->npy ? rp_npy_read(w) : rp_safetensors_read(w));
    w->by_name = rp_alloc(&w->allocator, w->count, sizeof *w->by_name);
    if (!w->by_name) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < w->count; i++) w->by_name[i] = i;
    qsort_r(w->by_name, w->count, sizeof *w->by_name, compare_names, w->items);
    return RP_OK;
}

static bool ends_as_npy(const char *path) {
    size_t length = path ? strlen(path) : 0;
    return length >= 4 && strcmp(path + length - 4, ".npy") == 0;
}

static rp_status begin(const rp_allocator *allocator, const char *path, rp_diags *diags,
                       rp_weights **out) {
    rp_allocator a = rp_allocator_or_default(allocator);
    rp_weights *w = rp_alloc_zero(&a, 1, sizeof *w);
    if (!w) return RP_ERROR_NO_MEMORY;
    *w = (rp_weights){.allocator = a, .diags = diags, .npy = ends_as_npy(path)};
    if (path && !(w->path = rp_dup(&a, path, strlen(path) + 1))) {
        rp_release(&a, w);
        return RP_ERROR_NO_MEMORY;
    }
    *out = w;
    return RP_OK;
}

static rp_status finish(rp_weights *w, rp_status status, rp_weights **out) {
    if (status == RP_OK) status = read_arrays(w);
    w->diags = NULL;
    if (status == RP_OK)
        *out = w;
    else
        rp_weights_close(w);
    return status;
}

rp_status rp_weights_open(const rp_allocator *allocator, const char *path, rp_diags *diags,
                          rp_weights **out_weights) {
    if (!out_weights) return RP_ERROR_USAGE;
    *out_weights = NULL;
    if (!path) return RP_ERROR_USAGE;
    rp_weights *w;
    RP_TRY(begin(allocator, path, diags, &w));
    rp_status status = take_bytes(w, 0);
    w->npy |= rp_npy_begins(w->block, w->block_size);
    return finish(w, status, out_weights);
}

rp_status rp_weights_open_npy(const rp_allocator *allocator, const char *path, uint64_t pipe_bytes,
                              rp_diags *diags, rp_weights **out_weights) {
    enum { LONGEST_HEADER = (1 << 16) + 12 };
    if (!out_weights) return RP_ERROR_USAGE;
    *out_weights = NULL;
    if (!path) return RP_ERROR_USAGE;
    rp_weights *w;
    RP_TRY(begin(allocator, path, diags, &w));
    w->npy = true;
    uint64_t most = pipe_bytes;
    if (pipe_bytes && !rp_add_u64(pipe_bytes, LONGEST_HEADER, &most)) most = UINT64_MAX;
    return finish(w, take_bytes(w, most), out_weights);
}

rp_status rp_weights_from_memory(const rp_allocator *allocator, const void *data, size_t size,
                                 const char *path, rp_diags *diags, rp_weights **out_weights) {
    if (!out_weights) return RP_ERROR_USAGE;
    *out_weights = NULL;
    if (!data) return RP_ERROR_USAGE;
    rp_weights *w;
    RP_TRY(begin(allocator, path, diags, &w));
    w->block = data;
    w->block_size = size;
    w->npy |= rp_npy_begins(data, size);
    return finish(w, RP_OK, out_weights);
}

void rp_weights_close(rp_weights *w) {
    if (!w) return;
    rp_allocator a = w->allocator;
    if (w->mapped) munmap((void *)w->block, w->block_size);
    if (w->owned) rp_release(&a, (void *)w->block);
    rp_safetensors_release(w);
    rp_release(&a, w->npy_name);
    rp_release(&a, w->by_name);
    rp_release(&a, w->items);
    rp_release(&a, w->path);
    rp_release(&a, w);
}

/* ---- Looking into it ------------------------------------------------------------------------- */

uint32_t rp_weights_count(const rp_weights *w) {
    return w ? w->count : 0;
}

const rp_weight *rp_weights_get(const rp_weights *w, uint32_t index) {
    return w && index < w->count ? &w->items[index] : NULL;
}

uint32_t rp_weights_find(const rp_weights *w, const char *name) {
    uint32_t begins = 0, end = w && name ? w->count : 0;
    while (begins < end) {
        uint32_t middle = begins + (end - begins) / 2;
        int order = strcmp(name, w->items[w->by_name[middle]].name);
        if (order == 0) return w->by_name[middle];
        if (order < 0)
            end = middle;
        else
            begins = middle + 1;
    }
    return UINT32_MAX;
}
