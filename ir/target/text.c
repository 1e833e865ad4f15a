/* Targets as text: one line for each figure, by the names in RP_TARGET_LIST. Numbers are decimal,
 * or hexadecimal behind 0x; what is not known has no line. */
#include "target/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/sized.h"

enum { NAME = RP_TARGET_KEYS, SEEN };

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
    uint8_t seen[SEEN];
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

static void read_figure(reader *r, uint32_t key, const char *value, size_t length) {
    uint64_t *out = rp_target_figure_of(&r->out, key);
    rp_target_fault fault;
    if (!read_number(value, length, out))
        wrong(r, "expected a number for %s, decimal or behind 0x", rp_target_keys[key]);
    else if (rp_target_is_wrong(key, *out, &fault))
        wrong(r, "%s %s", rp_target_keys[key], fault.text);
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
    bool name = key_length == 4 && memcmp(key, "name", 4) == 0;
    uint32_t k = name ? NAME : rp_target_key(key, key_length);
    if (k == RP_TARGET_KEYS && !name) {
        wrong(r, "there is no such figure as '%.*s': 'reprise devices --limits' prints them all",
              (int)(key_length < 60 ? key_length : 60), key);
        return;
    }
    if (r->seen[k]) {
        wrong(r, "%s is given twice", name ? "name" : rp_target_keys[k]);
        return;
    }
    r->seen[k] = 1;
    if (name)
        snprintf(r->out.name, sizeof r->out.name, "%.*s",
                 (int)(value_length < 255 ? value_length : 255), value);
    else
        read_figure(r, k, value, value_length);
}

rp_status rp_target_parse(const char *text, size_t size, const char *file, rp_diags *diags,
                          rp_target *target) {
    reader r = {.file = file, .diags = diags, .out = {.size = sizeof r.out}};
    if (!text || !target) return RP_ERROR_USAGE;
    const rp_target nothing = {0};
    if (!rp_sized_give(&nothing, sizeof nothing, target))
        return rp_sized_refuse(diags, "rp_target");
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        const char *comment = memchr(text + at, '#', length);
        r.line++;
        read_line(&r, text + at, comment ? (size_t)(comment - text) - at : length);
        at += length + 1;
    }
    if (r.errors) return RP_ERROR_INVALID;
    return rp_sized_give(&r.out, sizeof r.out, target) ? RP_OK : RP_ERROR_USAGE;
}

/* ---- What there is --------------------------------------------------------------------------- */

const rp_target *rp_target_list(uint32_t index) {
    return index < RP_TARGET_BUILTINS ? rp_target_builtins[index] : NULL;
}

const rp_target *rp_target_builtin(const char *name) {
    for (uint32_t i = 0; name && i < RP_TARGET_BUILTINS; i++)
        if (strcmp(rp_target_builtins[i]->name, name) == 0) return rp_target_builtins[i];
    return NULL;
}

const rp_target_figure *rp_target_figure_at(uint32_t index) {
    static const rp_target_figure figures[] = {
#define RP_X(field, what) {#field, what},
        RP_TARGET_LIST(RP_X)
#undef RP_X
    };
    return index < RP_TARGET_KEYS ? &figures[index] : NULL;
}

/* ---- Printing -------------------------------------------------------------------------------- */

size_t rp_target_print(const rp_target *target, char *text, size_t size) {
    rp_target t;
    if (!text) size = 0;
    rp_target_take(target, &t);
    size_t at = 0;
    int n = snprintf(text, size, "name: %s\n", t.name);
    if (n > 0) at = (size_t)n;
    for (uint32_t k = 0; k < RP_TARGET_KEYS; k++) {
        unsigned long long value = *rp_target_figure_of(&t, k);
        bool bits = k == RP_TARGET_KEY_needs || k == RP_TARGET_KEY_matrix_shapes;
        if (value == 0) continue;
        n = snprintf(at < size ? text + at : NULL, at < size ? size - at : 0,
                     bits ? "%s: 0x%llx\n" : "%s: %llu\n", rp_target_keys[k], value);
        if (n > 0) at += (size_t)n;
    }
    return at;
}
