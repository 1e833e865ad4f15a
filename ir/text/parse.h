/* Internal: what the files of the .rpir parser share. Functions that return bool have reported the
 * error when they return false; the statement is then given up. */
#ifndef RP_TEXT_PARSE_H
#define RP_TEXT_PARSE_H

#include "graph/graph.h"
#include "base/table.h"
#include "text/lex.h"

/* What the tables hold for a name whose declaration was wrong. */
#define RP_POISONED (RP_NONE - 1)

typedef struct rp_parser {
    rp_lexer lx;
    rp_graph *g;
    const rp_allocator *a;
    const char *file;
    rp_diags *diags;
    rp_status status;                    /* RP_ERROR_INVALID after the first wrong line */
    rp_table buffers, kernels, samplers; /* string index -> index of what it names */
    rp_text scratch;                     /* unescaped strings */
    bool has_target;
    bool header_wrong;   /* nobody knows which stages the graph has */
    bool behind_barrier; /* a barrier was the last statement: a group must follow */
    bool lost_group;     /* a line was wrong that may have been a group's */
    uint32_t group_skew; /* what the last group's number was above what it had to be */
} rp_parser;

/* ---- Statements, behind their first word ----------------------------------------------------- */

bool rp_parse_buffer(rp_parser *p);
bool rp_parse_kernel(rp_parser *p);
bool rp_parse_sampler(rp_parser *p);
bool rp_parse_node(rp_parser *p, const rp_token *first, uint32_t id);
/* "rms_norm {eps=1e-06} (r $x:f32[8], ...)" behind `op`: the node is that one member. */
bool rp_parse_op_node(rp_parser *p, rp_graph_node *n);
/* "{", members one a line, "}" behind `fused`. */
bool rp_parse_fused(rp_parser *p, rp_graph_node *n);
/* The same behind `for`: what the members use is what the node says it uses. */
bool rp_parse_for(rp_parser *p, rp_graph_node *n);
/* Whether a token is a node's id, like "n7". */
bool rp_parse_node_id(const rp_token *t, uint32_t *out);

/* ---- Errors; all of them return false -------------------------------------------------------- */

bool rp_parse_fail(rp_parser *p, uint32_t line, uint32_t column, const char *format, ...)
    RP_PRINTF(4, 5);
#define RP_FAIL(p, token, ...) rp_parse_fail((p), (token)->line, (token)->column, __VA_ARGS__)
bool rp_parse_no_memory(rp_parser *p);
/* "expected WHAT, found the current token" */
bool rp_parse_expected(rp_parser *p, const char *what);

/* A token as a message shows it. */
typedef struct rp_shown_token {
    char text[64];
} rp_shown_token;
rp_shown_token rp_parse_show(const rp_token *t);

/* ---- Pieces ---------------------------------------------------------------------------------- */

rp_token rp_parse_take(rp_parser *p); /* the current token, and moves on */
bool rp_parse_word_is(const rp_token *t, const char *word);
/* Moves on when the current token is this word or mark. Neither reports anything. */
bool rp_parse_accept_word(rp_parser *p, const char *word);
bool rp_parse_accept(rp_parser *p, char mark);
/* `where` completes the message: "expected ')' behind the uses". */
bool rp_parse_expect(rp_parser *p, char mark, const char *where);
bool rp_parse_line_end(rp_parser *p);

/* `what` names the thing in messages: "the arena offset". */
bool rp_parse_number(rp_parser *p, const char *what, uint64_t max, uint64_t *out);
bool rp_parse_u32(rp_parser *p, const char *what, uint32_t *out);
/* "{ceil_div($pos, 64)}": code over live buffers, to be freed; out_brace may be NULL. */
bool rp_parse_live(rp_parser *p, rp_token *out_brace, rp_expr *out);
/* A number, or an expression over live values that dimensions may follow; into g->dims. */
bool rp_parse_dim(rp_parser *p);
/* "f32[64,{$tokens}]": the element type, its dimensions (into g->dims) and the bytes. */
typedef struct rp_parsed_type {
    uint8_t dtype, rank;
    uint32_t first_dim;
    uint64_t size;
} rp_parsed_type;
bool rp_parse_type(rp_parser *p, const char *what, rp_parsed_type *out);
/* "image 2d rgba8[512,512] layers 6 mips 3", behind `image`: into b->image and b->size. */
bool rp_parse_image(rp_parser *p, rp_graph_buffer *b);
/* "%n" or "%n[0+4096]", of an image "%n[mip 1+2]", "%n[mip 0+1 layer 2+1]" */
bool rp_parse_range(rp_parser *p, rp_graph_use *use);
/* Exactly 8 hexadecimal digits: a 32-bit value, most significant digit first. */
bool rp_parse_hex_word(rp_parser *p, const char *what, uint32_t *out);
bool rp_parse_is_hex(const rp_token *t);
/* Bytes in memory order, in groups of 8 digits (only the last may be shorter); into g->bytes. */
bool rp_parse_hex_bytes(rp_parser *p, const char *what, uint32_t max, uint32_t *out_first,
                        uint32_t *out_count);
bool rp_parse_string(rp_parser *p, const char *what, uint32_t *out);
/* A name that is declared or used here, interned. */
bool rp_parse_name(rp_parser *p, const rp_token *t, uint32_t *out);
/* Remembers a name, unless it is known, as one whose declaration was reported. */
void rp_parse_poison(rp_parser *p, rp_table *index, const rp_token *t);

#endif
