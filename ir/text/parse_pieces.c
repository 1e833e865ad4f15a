/* The small pieces of .rpir text that all statements share: tokens, numbers, hexadecimal data,
 * strings, names, and the messages about them. Numbers are read without strtoull, whose locale,
 * signs and leading blanks have no place in a file format. */
#include "text/parse.h"

#include <stdio.h>

#include "graph/keywords.h"

/* ---- Errors ---------------------------------------------------------------------------------- */

bool rp_parse_fail(rp_parser *p, uint32_t line, uint32_t column, const char *format, ...) {
    char message[320];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rp_diags_add(p->diags, RP_ERROR, p->file, line, column, "%s", message);
    if (p->status == RP_OK) p->status = RP_ERROR_INVALID;
    return false;
}

bool rp_parse_no_memory(rp_parser *p) {
    p->status = RP_ERROR_NO_MEMORY;
    return false;
}

rp_shown_token rp_parse_show(const rp_token *t) {
    rp_shown_token s;
    const char *sigil = t->kind == RP_TOKEN_EXTERNAL    ? "$"
                        : t->kind == RP_TOKEN_TRANSIENT ? "%"
                        : t->kind == RP_TOKEN_KERNEL    ? "@"
                        : t->kind == RP_TOKEN_VALUE     ? "^"
                                                        : "";
    bool cut = t->length > 40;
    if (t->kind == RP_TOKEN_END)
        snprintf(s.text, sizeof s.text, "the end of the text");
    else if (t->kind == RP_TOKEN_NEWLINE)
        snprintf(s.text, sizeof s.text, "the end of the line");
    else if (t->kind == RP_TOKEN_STRING)
        snprintf(s.text, sizeof s.text, "a string");
    else if (t->kind == RP_TOKEN_BAD && t->mark == '"')
        snprintf(s.text, sizeof s.text, "a string without its closing '\"'");
    else if (t->kind == RP_TOKEN_BAD && ((unsigned char)*t->text < 0x20 || *t->text & 0x80))
        snprintf(s.text, sizeof s.text, "the byte 0x%02x", (unsigned char)*t->text);
    else
        snprintf(s.text, sizeof s.text, "'%s%.*s%s'", sigil, cut ? 40 : (int)t->length, t->text,
                 cut ? "..." : "");
    return s;
}

bool rp_parse_expected(rp_parser *p, const char *what) {
    return RP_FAIL(p, &p->lx.token, "expected %s, found %s", what,
                   rp_parse_show(&p->lx.token).text);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

rp_token rp_parse_take(rp_parser *p) {
    rp_token t = p->lx.token;
    if (t.kind != RP_TOKEN_NEWLINE) rp_lex_next(&p->lx); /* a line ends once, for errors too */
    return t;
}

bool rp_parse_word_is(const rp_token *t, const char *word) {
    return t->kind == RP_TOKEN_WORD && t->length == strlen(word) &&
           memcmp(t->text, word, t->length) == 0;
}

bool rp_parse_accept_word(rp_parser *p, const char *word) {
    if (!rp_parse_word_is(&p->lx.token, word)) return false;
    rp_lex_next(&p->lx);
    return true;
}

bool rp_parse_accept(rp_parser *p, char mark) {
    if (p->lx.token.mark != mark) return false;
    rp_lex_next(&p->lx);
    return true;
}

bool rp_parse_expect(rp_parser *p, char mark, const char *where) {
    if (rp_parse_accept(p, mark)) return true;
    char what[64];
    snprintf(what, sizeof what, "'%c' %s", mark, where);
    return rp_parse_expected(p, what);
}

bool rp_parse_line_end(rp_parser *p) {
    rp_token_kind kind = p->lx.token.kind;
    return kind == RP_TOKEN_NEWLINE || kind == RP_TOKEN_END ||
           rp_parse_expected(p, "the end of the line");
}

/* A decimal number up to `max`; `what` names it in messages ("the shared bytes"). */
static bool number_in(rp_parser *p, const rp_token *t, const char *what, uint64_t max,
                      uint64_t *out) {
    bool overflow = false;
    if (t->kind == RP_TOKEN_WORD && rp_lex_decimal(t->text, t->length, out, &overflow) &&
        *out <= max)
        return true;
    if (t->kind == RP_TOKEN_WORD &&
        (overflow || rp_lex_decimal(t->text, t->length, out, &overflow)))
        return RP_FAIL(p, t, "%s: %s is larger than %llu", what, rp_parse_show(t).text,
                       (unsigned long long)max);
    return RP_FAIL(p, t, "expected %s as a decimal number, found %s", what, rp_parse_show(t).text);
}

bool rp_parse_number(rp_parser *p, const char *what, uint64_t max, uint64_t *out) {
    rp_token t = p->lx.token;
    if (!number_in(p, &t, what, max, out)) return false;
    rp_lex_next(&p->lx);
    return true;
}

bool rp_parse_u32(rp_parser *p, const char *what, uint32_t *out) {
    uint64_t value;
    if (!rp_parse_number(p, what, UINT32_MAX, &value)) return false;
    *out = (uint32_t)value;
    return true;
}

bool rp_parse_hex_word(rp_parser *p, const char *what, uint32_t *out) {
    rp_token t = p->lx.token;
    uint32_t value = 0;
    bool ok = t.kind == RP_TOKEN_WORD && t.length == 8;
    for (size_t i = 0; ok && i < t.length; i++) {
        uint32_t digit = rp_lex_hex_digit(t.text[i]);
        ok = digit < 16;
        value = value << 4 | digit;
    }
    if (!ok)
        return RP_FAIL(p, &t, "expected %s as 8 hexadecimal digits, found %s", what,
                       rp_parse_show(&t).text);
    *out = value;
    rp_lex_next(&p->lx);
    return true;
}

bool rp_parse_is_hex(const rp_token *t) {
    if (t->kind != RP_TOKEN_WORD) return false;
    for (size_t i = 0; i < t->length; i++)
        if (rp_lex_hex_digit(t->text[i]) > 15) return false;
    return true;
}

bool rp_parse_hex_bytes(rp_parser *p, const char *what, uint32_t max, uint32_t *out_first,
                        uint32_t *out_count) {
    rp_graph *g = p->g;
    *out_first = g->bytes_count;
    rp_token t = p->lx.token;
    for (bool last = false; rp_parse_is_hex(&p->lx.token); last = t.length < 8) {
        t = p->lx.token;
        if (last || t.length > 8 || t.length % 2)
            return RP_FAIL(p, &t, "%s must be groups of 8 hexadecimal digits, found %s", what,
                           rp_parse_show(&t).text);
        if (!RP_RESERVE(p->a, g->bytes, g->bytes_count, g->bytes_capacity, 4))
            return rp_parse_no_memory(p);
        for (size_t i = 0; i < t.length; i += 2)
            g->bytes[g->bytes_count++] =
                (uint8_t)(rp_lex_hex_digit(t.text[i]) << 4 | rp_lex_hex_digit(t.text[i + 1]));
        if (g->bytes_count - *out_first > max)
            return RP_FAIL(p, &t, "%s is longer than %u bytes", what, max);
        rp_lex_next(&p->lx);
    }
    *out_count = g->bytes_count - *out_first;
    if (*out_count == 0)
        return RP_FAIL(p, &t, "expected %s as groups of 8 hexadecimal digits, found %s", what,
                       rp_parse_show(&t).text);
    return true;
}

bool rp_parse_string(rp_parser *p, const char *what, uint32_t *out) {
    rp_token t = p->lx.token;
    if (t.kind != RP_TOKEN_STRING) return rp_parse_expected(p, what);
    const char *text = t.text;
    size_t size = t.length, at = 0;
    p->scratch.size = 0;
    rp_text_append(&p->scratch, text, size); /* room for the unescaped form, which is no longer */
    if (p->scratch.failed) return rp_parse_no_memory(p);
    size = rp_lex_unescape(t.text, t.length, p->scratch.data, &at);
    if (size == SIZE_MAX)
        return rp_parse_fail(p, t.line, t.column + 1 + (uint32_t)at,
                             "a string holds \\\" \\\\ \\n \\t \\uXXXX and no control characters");
    *out = rp_graph_intern(p->g, p->scratch.data, size);
    if (*out == RP_NONE) return rp_parse_no_memory(p);
    rp_lex_next(&p->lx);
    return true;
}

bool rp_parse_name(rp_parser *p, const rp_token *t, uint32_t *out) {
    if (!rp_name_valid(t->text, t->length))
        return RP_FAIL(
            p, t,
            "%s is no name: names are letters, digits, '_', '.' and '-', and do not start "
            "with a digit or '-'",
            rp_parse_show(t).text);
    *out = rp_graph_intern(p->g, t->text, t->length);
    return *out != RP_NONE || rp_parse_no_memory(p);
}

void rp_parse_poison(rp_parser *p, rp_table *index, const rp_token *t) {
    uint32_t name = rp_graph_intern(p->g, t->text, t->length), known;
    if (name == RP_NONE ||
        (!rp_table_find(index, name, &known) && !rp_table_add(p->a, index, name, RP_POISONED)))
        rp_parse_no_memory(p);
}

/* ---- Live values ----------------------------------------------------------------------------- */

typedef struct live_names {
    rp_parser *p;
    bool poisoned; /* the name's declaration was wrong, and was reported */
} live_names;

static bool resolve_live(void *context, const char *name, size_t length, uint32_t element,
                         rp_expr_op *out) {
    live_names *live = context;
    rp_parser *p = live->p;
    uint32_t index = RP_NONE;
    if (*name != '$') return false;
    uint32_t string = rp_graph_intern(p->g, name + 1, length - 1);
    if (string == RP_NONE) p->status = RP_ERROR_NO_MEMORY;
    if (string == RP_NONE || !rp_table_find(&p->buffers, string, &index)) return false;
    live->poisoned = index == RP_POISONED;
    if (live->poisoned) return false;
    *out = (rp_expr_op){.code = RP_EXPR_LIVE, .element = (uint16_t)element, .buffer = index};
    return true;
}

bool rp_parse_live(rp_parser *p, rp_token *out_brace, rp_expr *out) {
    rp_token brace = p->lx.token;
    const char *text;
    size_t size, at;
    if (!rp_lex_braced(&p->lx, &text, &size))
        return RP_FAIL(p, &brace, "the expression has no '}' on its line");
    char error[128];
    if (out_brace) *out_brace = brace;
    live_names live = {.p = p};
    rp_status status = rp_expr_parse(p->a, text, size, resolve_live, &live, out, error, &at);
    if (status == RP_ERROR_NO_MEMORY || p->status == RP_ERROR_NO_MEMORY) {
        rp_expr_free(p->a, out);
        return rp_parse_no_memory(p);
    }
    if (status == RP_OK) return true;
    if (live.poisoned) return false;
    return rp_parse_fail(p, brace.line, brace.column + 1 + (uint32_t)at, "%s", error);
}

/* A dimension that follows live sizes. */
static bool parse_live_dim(rp_parser *p, rp_extent *out) {
    rp_expr expr;
    rp_token brace;
    char error[RP_SIZE_ERROR];
    if (!rp_parse_live(p, &brace, &expr)) return false;
    rp_status status = rp_graph_size(p->g, expr.ops, expr.count, out, error);
    rp_expr_free(p->a, &expr);
    if (status == RP_ERROR_NO_MEMORY) return rp_parse_no_memory(p);
    return status == RP_OK || RP_FAIL(p, &brace, "%s", error);
}

bool rp_parse_dim(rp_parser *p) {
    rp_extent dim = {0, 0};
    bool live = p->lx.token.mark == '{';
    if (live ? !parse_live_dim(p, &dim) : !rp_parse_number(p, "a dimension", UINT64_MAX, &dim.most))
        return false;
    return rp_graph_add_dims(p->g, &dim.most, &dim.powers, 1) != RP_NONE || rp_parse_no_memory(p);
}
