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

static bool reserve(rp_text *text, size_t extra) {
    if (text->failed) return false;
    if (extra >= UINT32_MAX || !RP_RESERVE(&text->allocator, text->data, text->size, text->capacity,
                                           (uint32_t)extra + 1)) {
        text->failed = true;
        return false;
    }
    return true;
}

void rp_text_append(rp_text *text, const char *data, size_t size) {
    if (!reserve(text, size)) return;
    if (size) memcpy(text->data + text->size, data, size);
    text->size += (uint32_t)size;
    text->data[text->size] = '\0';
}

void rp_text_string(rp_text *text, const char *string) {
    rp_text_append(text, string, strlen(string));
}

void rp_text_char(rp_text *text, char c) {
    rp_text_append(text, &c, 1);
}

void rp_text_u64(rp_text *text, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    rp_text_append(text, digits + at, sizeof digits - at);
}

void rp_text_vformat(rp_text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) text->failed = true;
    if (length >= 0 && reserve(text, (size_t)length)) {
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
