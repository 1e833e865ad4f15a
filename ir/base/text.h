/* Internal: a growable text buffer. After a failed append (no memory) the buffer stays valid,
 * `failed` is set, and later appends do nothing: check once, at the end. */
#ifndef RP_BASE_TEXT_H
#define RP_BASE_TEXT_H

#include <stdarg.h>
#include "base/alloc.h"

typedef struct rp_text {
    rp_allocator allocator;
    char *data; /* always terminated once anything was appended */
    uint32_t size;
    uint32_t capacity;
    bool failed;
} rp_text;

void rp_text_init(rp_text *text, const rp_allocator *allocator);
void rp_text_free(rp_text *text);
/* Makes room for `size` bytes more. Whoever appends need not ask for it. */
bool rp_text_reserve(rp_text *text, size_t size);

/* These are inline because dumps of large graphs call them for every word. */
static inline void rp_text_append(rp_text *text, const char *data, size_t size) {
    bool room = size < text->capacity - text->size && !text->failed;
    if (!room && !rp_text_reserve(text, size)) return;
    char *to = text->data + text->size;
    if (size) memcpy(to, data, size);
    to[size] = '\0';
    text->size += (uint32_t)size;
}

static inline void rp_text_string(rp_text *text, const char *string) {
    rp_text_append(text, string, strlen(string));
}

static inline void rp_text_char(rp_text *text, char c) {
    rp_text_append(text, &c, 1);
}

/* Decimal, without the cost of printf: dumps of large graphs are mostly numbers. */
void rp_text_u64(rp_text *text, uint64_t value);
/* Two digits a byte, with a space in front of each `group` bytes (0: no spaces). */
void rp_text_hex(rp_text *text, const uint8_t *bytes, size_t count, size_t group);
void rp_text_format(rp_text *text, const char *format, ...) RP_PRINTF(2, 3);
void rp_text_vformat(rp_text *text, const char *format, va_list args);
/* A quoted string with \" \\ \n \t and \u00xx escapes: the form JSON, DOT and .rpir share. */
void rp_text_quoted(rp_text *text, const char *string);

/* Moves the text out: the caller releases it with the same allocator. RP_ERROR_NO_MEMORY when an
 * append failed. `size` (may be NULL) excludes the terminator. */
rp_status rp_text_take(rp_text *text, char **out_data, size_t *out_size);

#endif
