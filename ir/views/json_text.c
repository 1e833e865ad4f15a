/* Pieces of JSON; see json_text.h. */
#include "views/json_text.h"

#include <math.h>

#include "base/number.h"

/* The length of the UTF-8 sequence at `s`, 0 for bytes that are none. */
static uint32_t utf8_length(const unsigned char *s) {
    uint32_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] > 0xf4) return 0;
    for (uint32_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;   /* stops at the terminator, too */
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0; /* overlong */
    if (s[0] == 0xed && s[1] > 0x9f) return 0; /* surrogate */
    if (s[0] == 0xf0 && s[1] < 0x90) return 0; /* overlong */
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0; /* beyond U+10FFFF */
    return length;
}

/* rp_text_quoted passes bad UTF-8 on, JSON readers refuse it. */
void rp_json_bytes(rp_text *t, const char *string, size_t size) {
    const unsigned char *s = (const unsigned char *)string, *end = s + size;
    rp_text_char(t, '"');
    while (s < end) {
        uint32_t length = utf8_length(s);
        if (length == 0 || length > (size_t)(end - s)) {
            rp_text_string(t, "\\ufffd");
            length = 1;
        } else if (*s == '"' || *s == '\\')
            rp_text_format(t, "\\%c", *s);
        else if (*s < 0x20)
            rp_text_format(t, "\\u%04x", *s);
        else
            rp_text_append(t, (const char *)s, length);
        s += length;
    }
    rp_text_char(t, '"');
}

void rp_json_string(rp_text *t, const char *string) {
    rp_json_bytes(t, string, strlen(string));
}

void rp_json_key(rp_text *t, const char *key) {
    rp_text_format(t, ",\"%s\":", key);
}

void rp_json_number(rp_text *t, const char *key, uint64_t value) {
    rp_json_key(t, key);
    rp_text_u64(t, value);
}

void rp_json_optional(rp_text *t, const char *key, uint64_t value, uint64_t null) {
    rp_json_key(t, key);
    if (value == null)
        rp_text_string(t, "null");
    else
        rp_text_u64(t, value);
}

void rp_json_flag(rp_text *t, const char *key, bool value) {
    rp_json_key(t, key);
    rp_text_string(t, value ? "true" : "false");
}

void rp_json_text(rp_text *t, const char *key, const char *value) {
    rp_json_key(t, key);
    if (value)
        rp_json_string(t, value);
    else
        rp_text_string(t, "null");
}

void rp_json_real(rp_text *t, const char *key, double value) {
    rp_json_key(t, key);
    if (isfinite(value) && value >= 0)
        rp_number_print(t, value);
    else
        rp_text_string(t, "null");
}

/* ---- Reading --------------------------------------------------------------------------------- */

enum { MOST_DEPTH = 64 };

typedef struct reader {
    const char *at, *end;
} reader;

static void skip_space(reader *r) {
    while (r->at < r->end && memchr(" \t\r\n", *r->at, 4)) r->at++;
}

static bool take(reader *r, char c) {
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool take_digits(reader *r) {
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > from;
}

static bool take_number(reader *r) {
    take(r, '-');
    if (!take(r, '0') && !take_digits(r)) return false;
    if (take(r, '.') && !take_digits(r)) return false;
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+')) take(r, '-');
        return take_digits(r);
    }
    return true;
}

static bool take_escape(reader *r) {
    if (r->at == r->end) return false;
    char c = *r->at++;
    if (c != 'u') return c && strchr("\"\\/bfnrt", c);
    for (int i = 0; i < 4; i++, r->at++)
        if (r->at == r->end || !*r->at || !strchr("0123456789abcdefABCDEF", *r->at)) return false;
    return true;
}

static bool take_string(reader *r) {
    if (!take(r, '"')) return false;
    while (r->at < r->end && *r->at != '"') {
        uint32_t length = utf8_length((const unsigned char *)r->at);
        if ((unsigned char)*r->at < 0x20 || length == 0 || length > (size_t)(r->end - r->at))
            return false;
        bool escape = *r->at == '\\';
        r->at += length;
        if (escape && !take_escape(r)) return false;
    }
    return take(r, '"');
}

static bool take_word(reader *r, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
    r->at += length;
    return true;
}

static bool take_plain(reader *r) {
    if (r->at == r->end) return false;
    switch (*r->at) {
    case '"': return take_string(r);
    case 't': return take_word(r, "true");
    case 'f': return take_word(r, "false");
    case 'n': return take_word(r, "null");
    default: return take_number(r);
    }
}

/* "key": in an object. */
static bool take_name(reader *r) {
    skip_space(r);
    if (!take_string(r)) return false;
    skip_space(r);
    return take(r, ':');
}

bool rp_json_valid(const char *text, size_t size) {
    reader r = {text, text + size};
    char open[MOST_DEPTH]; /* what ends each object and array that has begun */
    uint32_t depth = 0;
    for (bool value = true;;) {
        skip_space(&r);
        if (value && (take(&r, '{') || take(&r, '['))) {
            if (depth == MOST_DEPTH) return false;
            open[depth] = r.at[-1] == '{' ? '}' : ']';
            skip_space(&r);
            if (!take(&r, open[depth])) {
                if (open[depth++] == '}' && !take_name(&r)) return false;
                continue;
            }
        } else if (value && !take_plain(&r)) {
            return false;
        }
        skip_space(&r);
        if (depth == 0) return r.at == r.end;
        value = take(&r, ',');
        if (value ? open[depth - 1] == '}' && !take_name(&r) : !take(&r, open[--depth]))
            return false;
    }
}
