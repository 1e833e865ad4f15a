/* A whole file, terminated; NULL when it cannot be read. Released with free(). */
#ifndef RP_TESTS_READ_FILE_H
#define RP_TESTS_READ_FILE_H

#include <stdio.h>
#include "base/text.h"

static inline char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    rp_text text;
    rp_text_init(&text, NULL);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) rp_text_append(&text, block, n);
    fclose(file);
    char *data = NULL;
    return rp_text_take(&text, &data, size) == RP_OK ? data : NULL;
}

#endif
