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
void rp_text_append(rp_text *text, const char *data, size_t size);
void rp_text_string(rp_text *text, const char *string);
void rp_text_char(rp_text *text, char c);
/* Decimal, without the cost of printf: dumps of large graphs are mostly numbers. */
void rp_text_u64(rp_text *text, uint64_t value);
void rp_text_format(rp_text *text, const char *format, ...) RP_PRINTF(2, 3);
void rp_text_vformat(rp_text *text, const char *format, va_list args);
/* A quoted string with \" \\ \n \t and \u00xx escapes: the form JSON, DOT and .rpir share. */
void rp_text_quoted(rp_text *text, const char *string);

/* Moves the text out: the caller releases it with the same allocator. RP_ERROR_NO_MEMORY when an
 * append failed. `size` (may be NULL) excludes the terminator. */
rp_status rp_text_take(rp_text *text, char **out_data, size_t *out_size);

#endif
