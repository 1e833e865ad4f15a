/* Text building with sticky failure; see text.h. */
#include "base/text.h"

#include <stdio.h>

void rp_text_init(rp_text *text, const rp_allocator *allocator) {
    *text = (rp_text){.allocator = rp_allocator_or_default(allocator)};
}

void rp_text_free(rp_text *text) {
    rp_release(&text->allocator, text->data);
    text->data = NULL;
    text->size = text->capacity = 0;
}

bool rp_text_reserve(rp_text *text, size_t size) {
    if (text->failed) return false;
    if (size >= UINT32_MAX ||
        !RP_RESERVE(&text->allocator, text->data, text->size, text->capacity, (uint32_t)size + 1)) {
        text->failed = true;
        return false;
    }
    return true;
}

void rp_text_hex(rp_text *text, const uint8_t *bytes, size_t count, size_t group) {
    size_t spaces = group ? (count + group - 1) / group : 0;
    if (count > UINT32_MAX / 4 || !rp_text_reserve(text, count * 2 + spaces)) {
        text->failed = true;
        return;
    }
    char *to = text->data + text->size;
    for (size_t i = 0, next = 0; i < count; i++) {
        if (group && i == next) {
            *to++ = ' ';
            next += group;
        }
        const char pair[] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15]};
        memcpy(to, pair, sizeof pair);
        to += sizeof pair;
    }
    *to = '\0';
    text->size = (uint32_t)(to - text->data);
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                            "34353637383940414243444546474849505152535455565758596061626364656667"
                            "6869707172737475767778798081828384858687888990919293949596979899";

void rp_text_u64(rp_text *text, uint64_t value) {
    enum { MOST = 20 };
    bool room = MOST < text->capacity - text->size && !text->failed;
    if (!room && !rp_text_reserve(text, MOST)) return;
    uint32_t count = 1;
    for (uint64_t limit = 10; count < MOST && value >= limit; limit *= 10) count++;
    text->size += count;
    char *at = text->data + text->size;
    *at = '\0';
    for (; value >= 100; value /= 100) memcpy(at -= 2, pairs + value % 100 * 2, 2);
    if (value >= 10)
        memcpy(at - 2, pairs + value * 2, 2);
    else
        at[-1] = (char)('0' + value);
}

void rp_text_vformat(rp_text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) text->failed = true;
    if (length >= 0 && rp_text_reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->size, (size_t)length + 1, format, again);
        text->size += (uint32_t)length;
    }
    va_end(again);
}

void rp_text_format(rp_text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    rp_text_vformat(text, format, args);
    va_end(args);
}

void rp_text_quoted(rp_text *text, const char *string) {
    rp_text_char(text, '"');
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        switch (*c) {
        case '"': rp_text_string(text, "\\\""); break;
        case '\\': rp_text_string(text, "\\\\"); break;
        case '\n': rp_text_string(text, "\\n"); break;
        case '\t': rp_text_string(text, "\\t"); break;
        default:
            if (*c < 0x20 || *c == 0x7f)
                rp_text_format(text, "\\u%04x", *c);
            else
                rp_text_char(text, (char)*c);
        }
    }
    rp_text_char(text, '"');
}

rp_status rp_text_take(rp_text *text, char **out_data, size_t *out_size) {
    *out_data = NULL;
    if (out_size) *out_size = 0;
    if (!text->failed && !text->data) rp_text_append(text, "", 0);
    if (text->failed) {
        rp_text_free(text);
        return RP_ERROR_NO_MEMORY;
    }
    *out_data = text->data;
    if (out_size) *out_size = text->size;
    text->data = NULL;
    text->size = text->capacity = 0;
    return RP_OK;
}
