/* Internal: tokens of .rpir text. Statements end with their line, so the newline is a token. */
#ifndef RP_TEXT_LEX_H
#define RP_TEXT_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rp_token_kind {
    RP_TOKEN_END,
    RP_TOKEN_NEWLINE,
    RP_TOKEN_WORD,      /* letters, digits, '_', '.', '-': keywords, names, numbers, hex */
    RP_TOKEN_EXTERNAL,  /* $name; text and length are the name's */
    RP_TOKEN_TRANSIENT, /* %name */
    RP_TOKEN_KERNEL,    /* @name */
    RP_TOKEN_VALUE,     /* ^name */
    RP_TOKEN_STRING,    /* "..."; text and length are what stands between the quotes, escaped */
    RP_TOKEN_ARROW,     /* -> */
    RP_TOKEN_MARK,      /* one of ( ) [ ] { } , : = + */
    RP_TOKEN_BAD,       /* a byte that starts no token, or a string without its end */
} rp_token_kind;

typedef struct rp_token {
    rp_token_kind kind;
    char mark; /* RP_TOKEN_MARK: which; '"' for a string without its end; or '\0' */
    uint32_t line, column;
    const char *text;
    size_t length;
} rp_token;

typedef struct rp_lexer {
    const char *at, *end, *line_start;
    uint32_t line;
    rp_token token; /* the current one */
} rp_lexer;

/* Starts in front of the first token and reads it. */
void rp_lex_start(rp_lexer *lexer, const char *text, size_t size);
/* Reads the next token. At the end it stays at RP_TOKEN_END. */
void rp_lex_next(rp_lexer *lexer);
/* Moves to the RP_TOKEN_NEWLINE or RP_TOKEN_END that ends the current line. */
void rp_lex_skip_line(rp_lexer *lexer);

/* The text behind the current '{' up to its '}' on the same line, and moves behind that; false, and
 * nothing moved, when there is none. */
bool rp_lex_braced(rp_lexer *lexer, const char **out_text, size_t *out_length);

/* Reads a decimal number of digits only. False for anything else; *out_overflow tells whether it is
 * a number that does not fit. */
bool rp_lex_decimal(const char *text, size_t length, uint64_t *out, bool *out_overflow);

/* The value of a hexadecimal digit, 16 for another character. */
uint32_t rp_lex_hex_digit(char c);

/* Writes the bytes that an escaped string stands for to `out` (room for `length`), and returns
 * their count; SIZE_MAX and the offset of the bad escape in *out_at when there is one. */
size_t rp_lex_unescape(const char *text, size_t length, char *out, size_t *out_at);

#endif
