/* Targets as text: one line for each limit, by the names in RP_TARGET_LIST. Numbers are decimal, or
 * hexadecimal behind 0x. */
#include "reprise/target.h"

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

/* One line without its comment; NULL, or what is wrong with it. */
static const char *read_line(const char *line, size_t length, rp_target *out, uint8_t seen[KEYS]) {
    length = trimmed(&line, length);
    if (length == 0) return NULL;
    const char *colon = memchr(line, ':', length);
    if (!colon) return "expected 'key: number'";
    const char *key = line, *value = colon + 1;
    size_t key_length = trimmed(&key, (size_t)(colon - line));
    size_t value_length = trimmed(&value, length - (size_t)(value - line));
    uint32_t k = 0;
    while (k < KEYS && (strlen(keys[k]) != key_length || memcmp(keys[k], key, key_length) != 0))
        k++;
    if (k == KEYS) return "there is no such limit: 'reprise devices --limits' prints them all";
    if (seen[k]) return "the limit is given twice";
    seen[k] = 1;
    if (k == NAME)
        snprintf(out->name, sizeof out->name, "%.*s",
                 (int)(value_length < 255 ? value_length : 255), value);
    else if (!read_number(value, value_length, limit(out, k)))
        return "expected a number, decimal or behind 0x";
    return NULL;
}

rp_status rp_target_parse(const char *text, size_t size, const char *file, rp_diags *diags,
                          rp_target *target) {
    rp_target read = {.size = sizeof read};
    uint8_t seen[KEYS] = {0};
    uint32_t number = 0, errors = 0;
    if (!text || !target) return RP_ERROR_USAGE;
    for (size_t at = 0; at < size; number++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        const char *comment = memchr(text + at, '#', length);
        const char *wrong =
            read_line(text + at, comment ? (size_t)(comment - text) - at : length, &read, seen);
        if (wrong) {
            rp_diags_add(diags, RP_ERROR, file, number + 1, 1, "%s", wrong);
            errors++;
        }
        at += length + 1;
    }
    return errors ? RP_ERROR_INVALID : rp_target_give(&read, target);
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
        n = snprintf(at < size ? text + at : NULL, at < size ? size - at : 0,
                     strcmp(keys[k], "needs") == 0 ? "%s: 0x%llx\n" : "%s: %llu\n", keys[k], value);
        if (n > 0) at += (size_t)n;
    }
    return at;
}
