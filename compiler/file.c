/* Reads a whole file, bounded. Not through its size: a file may grow. */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include "base/path.h"

static rp_status fill(const rp_allocator *a, FILE *file, uint32_t limit, char **text,
                      uint32_t *size, uint32_t *capacity, char why[RP_FILE_WHY]) {
    for (size_t got = 1; got > 0; *size += (uint32_t)got) {
        if (*size > limit) {
            snprintf(why, RP_FILE_WHY, "it is larger than %u bytes", limit);
            return RP_ERROR_IO;
        }
        /* One byte more than asked for, for the terminator. */
        if (!RP_RESERVE(a, *text, *size, *capacity, 4096)) return RP_ERROR_NO_MEMORY;
        got = fread(*text + *size, 1, *capacity - *size - 1, file);
    }
    if (!ferror(file)) return RP_OK;
    snprintf(why, RP_FILE_WHY, "%s", strerror(errno));
    return RP_ERROR_IO;
}

rp_status rp_file_read(const rp_allocator *a, const char *path, uint32_t limit, char **out,
                       uint32_t *out_size, char why[RP_FILE_WHY]) {
    *out = NULL;
    *out_size = 0;
    const char *no_file = rp_path_is_no_file(path, false);
    if (no_file) {
        snprintf(why, RP_FILE_WHY, "it %s", no_file);
        return RP_ERROR_IO;
    }
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(why, RP_FILE_WHY, "%s", strerror(errno));
        return RP_ERROR_IO;
    }
    char *text = NULL;
    uint32_t size = 0, capacity = 0;
    rp_status status = fill(a, file, limit, &text, &size, &capacity, why);
    fclose(file);
    if (status != RP_OK) {
        rp_release(a, text);
        return status;
    }
    text[size] = '\0';
    *out = text;
    *out_size = size;
    return RP_OK;
}
