/* The tokenizer of .rpir text: one pass, one table lookup a byte, no copies. It reads whole words
 * and leaves their meaning to the parser, because 00100000 is a number, push data or a hash by
 * context. */
#include "text/lex.h"

#include <string.h>

enum { WORD = 1, SPACE = 2, MARK = 4 };

static const uint8_t classes[256] = {
    ['0' ... '9'] = WORD, ['a' ... 'z'] = WORD, ['A' ... 'Z'] = WORD, ['_'] = WORD,   ['.'] = WORD,
    ['-'] = WORD,         [' '] = SPACE,        ['\t'] = SPACE,       ['\r'] = SPACE, ['('] = MARK,
    [')'] = MARK,         ['['] = MARK,         [']'] = MARK,         ['{'] = MARK,   ['}'] = MARK,
    [','] = MARK,         [':'] = MARK,         ['='] = MARK,         ['+'] = MARK,
};

static uint8_t class_of(char c) {
    return classes[(unsigned char)c];
}

/* The end of the word that starts at `at`; '-' in front of '>' is an arrow's. */
static const char *word_end(const rp_lexer *lx, const char *at) {
    while (at < lx->end && class_of(*at) == WORD) {
        if (*at == '-' && at + 1 < lx->end && at[1] == '>') break;
        at++;
    }
    return at;
}

static void read_string(rp_lexer *lx, rp_token *t) {
    const char *at = lx->at + 1;
    for (; at < lx->end && *at != '"' && *at != '\n'; at++)
        if (*at == '\\' && at + 1 < lx->end && at[1] != '\n') at++;
    t->text = lx->at + 1;
    t->length = (size_t)(at - t->text);
    t->kind = at < lx->end && *at == '"' ? RP_TOKEN_STRING : RP_TOKEN_BAD;
    t->mark = t->kind == RP_TOKEN_BAD ? '"' : '\0';
    lx->at = t->kind == RP_TOKEN_STRING ? at + 1 : at;
}

static void read_named(rp_lexer *lx, rp_token *t) {
    char sigil = *lx->at;
    t->kind = sigil == '$'   ? RP_TOKEN_EXTERNAL
              : sigil == '%' ? RP_TOKEN_TRANSIENT
              : sigil == '@' ? RP_TOKEN_KERNEL
                             : RP_TOKEN_VALUE;
    t->text = lx->at + 1;
    lx->at = word_end(lx, t->text);
    t->length = (size_t)(lx->at - t->text);
}

void rp_lex_next(rp_lexer *lx) {
    rp_token *t = &lx->token;
    if (t->kind == RP_TOKEN_NEWLINE) {
        lx->line++;
        lx->line_start = lx->at;
    }
    while (lx->at < lx->end && class_of(*lx->at) == SPACE) lx->at++;
    if (lx->at < lx->end && *lx->at == ';') {
        const char *newline = memchr(lx->at, '\n', (size_t)(lx->end - lx->at));
        lx->at = newline ? newline : lx->end;
    }
    *t = (rp_token){.line = lx->line,
                    .column = (uint32_t)(lx->at - lx->line_start) + 1,
                    .text = lx->at,
                    .length = 1};
    if (lx->at == lx->end) {
        t->kind = RP_TOKEN_END;
        t->length = 0;
        return;
    }
    char c = *lx->at;
    uint8_t class = class_of(c);
    const char *end = class == WORD ? word_end(lx, lx->at) : lx->at;
    if (end > lx->at) {
        t->kind = RP_TOKEN_WORD;
        t->length = (size_t)(end - lx->at);
        lx->at = end;
    } else if (class == WORD) {
        t->kind = RP_TOKEN_ARROW;
        t->length = 2;
        lx->at += 2;
    } else if (class == MARK) {
        t->kind = RP_TOKEN_MARK;
        t->mark = c;
        lx->at++;
    } else if (c == '$' || c == '%' || c == '@' || c == '^') {
        read_named(lx, t);
    } else if (c == '"') {
        read_string(lx, t);
    } else {
        t->kind = c == '\n' ? RP_TOKEN_NEWLINE : RP_TOKEN_BAD;
        lx->at++;
    }
}

void rp_lex_start(rp_lexer *lexer, const char *text, size_t size) {
    *lexer =
        (rp_lexer){.at = text, .end = size ? text + size : text, .line_start = text, .line = 1};
    rp_lex_next(lexer);
}

void rp_lex_skip_line(rp_lexer *lx) {
    if (lx->token.kind == RP_TOKEN_NEWLINE || lx->token.kind == RP_TOKEN_END) return;
    const char *newline = memchr(lx->at, '\n', (size_t)(lx->end - lx->at));
    lx->at = newline ? newline : lx->end;
    rp_lex_next(lx);
}

bool rp_lex_braced(rp_lexer *lx, const char **out_text, size_t *out_length) {
    const char *at = lx->at;
    while (at < lx->end && *at != '}' && *at != '\n' && *at != ';') at++;
    if (at == lx->end || *at != '}') return false;
    *out_text = lx->at;
    *out_length = (size_t)(at - lx->at);
    lx->at = at + 1;
    rp_lex_next(lx);
    return true;
}

bool rp_lex_decimal(const char *text, size_t length, uint64_t *out, bool *out_overflow) {
    uint64_t value = 0;
    *out_overflow = false;
    for (size_t i = 0; i < length; i++) {
        uint32_t digit = (uint32_t)(unsigned char)text[i] - '0';
        if (digit > 9) return false;
        if (value > (UINT64_MAX - digit) / 10) *out_overflow = true;
        value = value * 10 + digit;
    }
    *out = value;
    return length > 0 && !*out_overflow;
}

uint32_t rp_lex_hex_digit(char c) {
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f') return (uint32_t)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return (uint32_t)(c - 'A') + 10;
    return 16;
}

/* Writes a code point as UTF-8, which is never longer than its \uXXXX; 0 when it is not one. */
static size_t write_utf8(uint32_t c, char *out) {
    if (c == 0 || (c >= 0xd800 && c < 0xe000)) return 0;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

static size_t unescape_unicode(const char *digits, size_t left, char *out) {
    uint32_t value = 0;
    if (left < 4) return 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = rp_lex_hex_digit(digits[i]);
        if (digit > 15) return 0;
        value = value << 4 | digit;
    }
    return write_utf8(value, out);
}

size_t rp_lex_unescape(const char *text, size_t length, char *out, size_t *out_at) {
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        size_t added = 1;
        *out_at = i;
        if ((unsigned char)text[i] < 0x20) return SIZE_MAX;
        if (text[i] != '\\') {
            out[size++] = text[i];
            continue;
        }
        switch (++i < length ? text[i] : '\0') {
        case '"': out[size] = '"'; break;
        case '\\': out[size] = '\\'; break;
        case 'n': out[size] = '\n'; break;
        case 't': out[size] = '\t'; break;
        case 'u':
            added = unescape_unicode(text + i + 1, length - i - 1, out + size);
            i += 4;
            break;
        default: added = 0;
        }
        if (added == 0) return SIZE_MAX;
        size += added;
    }
    return size;
}
