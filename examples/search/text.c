/* Passages and n-gram vectors; see text.h. */
#include "text.h"

#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PASSAGE_MIN = 200, PASSAGE_MAX = 420, GRAM_MIN = 3, GRAM_MAX = 5 };

static uint32_t hash(const char *text, size_t size) { /* FNV-1a */
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

static int add(passages *p, const char *text, size_t size, const char *file) {
    for (uint32_t i = 0; i < p->count; i++)
        if (strlen(p->items[i].text) == size && memcmp(p->items[i].text, text, size) == 0) return 0;
    if (p->count == p->capacity) {
        uint32_t capacity = p->capacity ? p->capacity * 2 : 256;
        passage *grown = realloc(p->items, capacity * sizeof *grown);
        if (!grown) return -1;
        p->items = grown;
        p->capacity = capacity;
    }
    char *copy = strndup(text, size);
    if (!copy) return -1;
    p->items[p->count++] = (passage){copy, file};
    return 0;
}

/* Folds white space, and cuts at the first end of a sentence behind PASSAGE_MIN characters, or at a
 * space before PASSAGE_MAX. */
static int cut(passages *p, const char *text, const char *file) {
    char line[PASSAGE_MAX + 1];
    size_t size = 0;
    for (const char *c = text;; c++) {
        bool space = isspace((unsigned char)*c);
        bool end = *c == '\0' || size == PASSAGE_MAX ||
                   (size >= PASSAGE_MIN && space && strchr(".;:", line[size - 1]));
        if (end) {
            size_t keep = size;
            if (size == PASSAGE_MAX && !space)
                while (keep > PASSAGE_MIN && line[keep - 1] != ' ') keep--;
            size_t trimmed = keep;
            while (trimmed && line[trimmed - 1] == ' ') trimmed--;
            if (trimmed >= PASSAGE_MIN / 4 && add(p, line, trimmed, file)) return -1;
            memmove(line, line + keep, size - keep);
            size -= keep;
        }
        if (*c == '\0') return 0;
        if (space && (size == 0 || line[size - 1] == ' ')) continue;
        line[size++] = space ? ' ' : *c;
    }
}

static char *read_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    char *text = NULL;
    size_t size = 0, got;
    char block[65536];
    while ((got = fread(block, 1, sizeof block, f)) > 0) {
        char *grown = realloc(text, size + got + 1);
        if (!grown) break;
        text = grown;
        memcpy(text + size, block, got);
        size += got;
        text[size] = '\0';
    }
    fclose(f);
    return text;
}

static int read_entry(passages *p, const char *folder, const char *name) {
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode)) return 0; /* links name the same text */
    char *text = read_file(path);
    char *kept = strdup(name);
    char **files = realloc(p->files, (p->file_count + 1) * sizeof *files);
    if (files) p->files = files;
    if (!text || !kept || !files) {
        free(text);
        free(kept);
        return -1;
    }
    p->files[p->file_count++] = kept;
    int status = cut(p, text, kept);
    free(text);
    return status;
}

int passages_read(passages *out, const char *folder) {
    struct dirent **entries = NULL;
    *out = (passages){0};
    int count = scandir(folder, &entries, NULL, alphasort), status = 0;
    for (int i = 0; i < count; i++) {
        if (status == 0) status = read_entry(out, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (count < 0 || status || out->count == 0) {
        fprintf(stderr, "search: no text could be read from %s\n", folder);
        passages_free(out);
        return -1;
    }
    return 0;
}

void passages_free(passages *p) {
    for (uint32_t i = 0; i < p->count; i++) free(p->items[i].text);
    for (uint32_t i = 0; i < p->file_count; i++) free(p->files[i]);
    free(p->items);
    free(p->files);
    *p = (passages){0};
}

void count_ngrams(const char *text, float *slots, uint32_t dims) {
    char word[64];
    for (const char *c = text; *c;) {
        size_t size = 1;
        word[0] = '<'; /* marks the word's begin, as '>' its end */
        for (; isalnum((unsigned char)*c) && size < sizeof word - 1; c++)
            word[size++] = (char)tolower((unsigned char)*c);
        if (size == 1) {
            c++;
            continue;
        }
        word[size++] = '>';
        for (size_t n = GRAM_MIN; n <= GRAM_MAX; n++)
            for (size_t i = 0; i + n <= size; i++) {
                uint32_t h = hash(word + i, n);
                slots[h % dims] += h & 0x80000000u ? -1.0f : 1.0f;
            }
    }
}

void weigh(float *rows, uint32_t count, float *extra, uint32_t extra_count, uint32_t dims) {
    for (uint32_t d = 0; d < dims; d++) {
        uint32_t present = 0;
        for (uint32_t r = 0; r < count; r++) present += rows[(size_t)r * dims + d] != 0;
        float rare = logf((1.0f + (float)count) / (1.0f + (float)present));
        for (uint32_t r = 0; r < count + extra_count; r++) {
            float *slot =
                r < count ? &rows[(size_t)r * dims + d] : &extra[(size_t)(r - count) * dims + d];
            *slot = copysignf(log1pf(fabsf(*slot)), *slot) * rare;
        }
    }
}
