/* Targets as text: one line for each limit, by the names in RP_TARGET_LIST. Numbers are decimal, or
 * hexadecimal behind 0x; what is not known has no line. */
#include "reprise/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "plan/fit.h"

enum { NAME, LIMITS_FIRST };

static const char *const keys[] = {"name",
#define RP_X(field, what) #field,
                                   RP_TARGET_LIST(RP_X)
#undef RP_X
};
enum { KEYS = sizeof keys / sizeof *keys };

/* The limits stand behind one another, in the order of the keys. */
static uint64_t *limit(rp_target *target, uint32_t key) {
    return &target->storage_buffers + (key - LIMITS_FIRST);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static int read_number(const char *text, size_t length, uint64_t *out) {
    unsigned base = length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    size_t at = base == 16 ? 2 : 0;
    *out = 0;
    if (at == length) return 0;
    for (; at < length; at++) {
        unsigned d = (unsigned)digit(text[at]);
        if (d >= base || *out > (UINT64_MAX - d) / base) return 0;
        *out = *out * base + d;
    }
    return 1;
}

static size_t trimmed(const char **text, size_t length) {
    while (length && (**text == ' ' || **text == '\t')) (*text)++, length--;
    while (length && strchr(" \t\r", (*text)[length - 1])) length--;
    return length;
}

typedef struct reader {
    const char *file;
    rp_diags *diags;
    rp_target out;
    uint32_t line, errors;
    uint8_t seen[KEYS];
} reader;

RP_PRINTF(2, 3)
static void wrong(reader *r, const char *format, ...) {
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    r->errors++;
    rp_diags_add(r->diags, RP_ERROR, r->file, r->line, 1, "%s", message);
}

static int is_power(uint32_t key) {
    return strstr(keys[key], "alignment") || strcmp(keys[key], "subgroup") == 0;
}

/* Zero would mean "not known", which is no limit at all. */
static void read_limit(reader *r, uint32_t key, const char *value, size_t length) {
    uint64_t *out = limit(&r->out, key);
    if (!read_number(value, length, out))
        wrong(r, "expected a number for %s, decimal or behind 0x", keys[key]);
    else if (*out == 0)
        wrong(r, "%s is 0: leave the line out where there is no limit", keys[key]);
    else if (is_power(key) && (*out & (*out - 1)))
        wrong(r, "%s is %llu, expected a power of two", keys[key], (unsigned long long)*out);
}

/* One line without its comment. */
static void read_line(reader *r, const char *line, size_t length) {
    length = trimmed(&line, length);
    if (length == 0) return;
    const char *colon = memchr(line, ':', length);
    if (!colon) {
        wrong(r, "expected 'key: number'");
        return;
    }
    const char *key = line, *value = colon + 1;
    size_t key_length = trimmed(&key, (size_t)(colon - line));
    size_t value_length = trimmed(&value, length - (size_t)(value - line));
    uint32_t k = 0;
    while (k < KEYS && (strlen(keys[k]) != key_length || memcmp(keys[k], key, key_length) != 0))
        k++;
    if (k == KEYS) {
        wrong(r, "there is no such limit as '%.*s': 'reprise devices --limits' prints them all",
              (int)(key_length < 60 ? key_length : 60), key);
        return;
    }
    if (r->seen[k]) {
        wrong(r, "%s is given twice", keys[k]);
        return;
    }
    r->seen[k] = 1;
    if (k == NAME)
        snprintf(r->out.name, sizeof r->out.name, "%.*s",
                 (int)(value_length < 255 ? value_length : 255), value);
    else
        read_limit(r, k, value, value_length);
}

rp_status rp_target_parse(const char *text, size_t size, const char *file, rp_diags *diags,
                          rp_target *target) {
    reader r = {.file = file, .diags = diags, .out = {.size = sizeof r.out}};
    if (!text || !target) return RP_ERROR_USAGE;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        const char *comment = memchr(text + at, '#', length);
        r.line++;
        read_line(&r, text + at, comment ? (size_t)(comment - text) - at : length);
        at += length + 1;
    }
    return r.errors ? RP_ERROR_INVALID : rp_target_give(&r.out, target);
}

/* ---- Printing -------------------------------------------------------------------------------- */

size_t rp_target_print(const rp_target *target, char *text, size_t size) {
    rp_target t;
    if (!text) size = 0;
    rp_target_take(target, &t);
    size_t at = 0;
    int n = snprintf(text, size, "name: %s\n", t.name);
    if (n > 0) at = (size_t)n;
    for (uint32_t k = LIMITS_FIRST; k < KEYS; k++) {
        unsigned long long value = *limit(&t, k);
        if (value == 0) continue;
        n = snprintf(at < size ? text + at : NULL, at < size ? size - at : 0,
                     strcmp(keys[k], "needs") == 0 ? "%s: 0x%llx\n" : "%s: %llu\n", keys[k], value);
        if (n > 0) at += (size_t)n;
    }
    return at;
}
