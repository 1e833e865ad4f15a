/* Text of kernels/: finding it, and making it a member's own.
 *
 * A file of kernels/ speaks of its op's symbols, attributes and operands; here each becomes the
 * name that it has in this kernel, word by word, in place of #defines: what the compiler reports
 * and what a reader sees is what runs. Comments stay as they are. The functions that read inputs
 * and take outputs are made by those who ask for the text, through rp_emit_names. */
#include <ctype.h>
#include <stdio.h>
#include "lower/internal.h"
#include "embedded.h"
#include "reprise/needs.h"

const char *rp_kernel_source(const char *name) {
    for (uint32_t i = 0; i < rp_kernel_sources_count; i++)
        if (strcmp(rp_kernel_sources[i].name, name) == 0) return rp_kernel_sources[i].text;
    return NULL;
}

static bool is_word(char c) {
    char letter = (char)(c | 32);
    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* ---- Substitution ---------------------------------------------------------------------------- */

typedef struct text_job {
    rp_emit *e;
    rp_text *to;
    uint32_t member;
    const char *value; /* for VALUE */
    const rp_emit_names *names;
    const char *first; /* of the array whose name was just put: the element to begin with */
    uint32_t depth;    /* of brackets */
    uint64_t shifted;  /* bit d: the index at depth d has something in front */
    const char *twins; /* "a b, left right": words and what stands for them; NULL: nothing does */
    size_t twins_size;
    bool in_constant; /* put_constant() has begun it */
} text_job;

static bool word_equals(const char *word, size_t length, const char *name) {
    return strlen(name) == length && memcmp(word, name, length) == 0;
}

/* The operand that `word` begins with, followed by `tail`: "x_DTYPE" of x. */
static uint32_t operand_before(const rp_op_call *call, const char *word, size_t length,
                               const char *tail) {
    size_t end = strlen(tail);
    if (length <= end || memcmp(word + length - end, tail, end) != 0) return RP_NONE;
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (word_equals(word, length - end, rp_op_operand_name(call, i))) return i;
    return RP_NONE;
}

/* One that the text reads by element: an input, or what it changes in place. */
static uint32_t input_before(const text_job *job, const char *word, size_t length,
                             const char *tail) {
    const rp_op_call *call = &job->e->members[job->member].call;
    uint32_t i = operand_before(call, word, length, tail);
    return i != RP_NONE && rp_op_operand_of(call, i)->access != RP_WRITE ? i : RP_NONE;
}

/* One that it hands on elements of. */
static uint32_t output_before(const text_job *job, const char *word, size_t length,
                              const char *tail) {
    uint32_t i = operand_before(&job->e->members[job->member].call, word, length, tail);
    return i != RP_NONE && rp_emit_is_output(job->e, job->member, i) ? i : RP_NONE;
}

/* The name of the operand's function, where the text may have such. */
static void put_function(text_job *job, rp_emit_function *make, uint32_t operand) {
    rp_text_string(job->to, make ? make(job->e, job->member, operand) : "");
}

/* "F16": kernels/include/common.glsl gives these numbers. */
static void put_dtype(rp_text *to, uint8_t dtype) {
    for (const char *c = rp_dtype_name((rp_dtype)dtype); c && *c; c++)
        rp_text_char(to, (char)toupper((unsigned char)*c));
}

/* Whether the operand is there, and begins where an element of x_data does. */
static bool is_aligned(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_graph_operand *o = &e->members[member].operands[operand];
    const char *type = rp_emit_bind(e, member, operand);
    if (o->absent || !type || o->use == RP_NONE) return !o->absent;
    return rp_node_uses(e->graph, e->node)[o->use].offset % rp_emit_type_bytes(type) == 0;
}

static void put_array(text_job *job, uint32_t operand) {
    rp_emit *e = job->e;
    if (rp_emit_is_tagged(e, job->member, operand))
        rp_emit_fail(e, "%s is tagged, and its text reads it as it lies in memory",
                     rp_op_operand_name(&e->members[job->member].call, operand));
    rp_emit_array_type array =
        rp_emit_array(e, job->member, operand, rp_emit_bind(e, job->member, operand));
    rp_text_string(job->to, array.name);
    job->first = array.first;
}

/* "b3[i]" becomes "b3[b3_first + (i)]": the brackets are counted to find the one that ends it. */
static void put_mark(text_job *job, char mark) {
    uint64_t bit = UINT64_C(1) << job->depth % 64;
    if (mark == ']' && job->depth && (job->shifted & UINT64_C(1) << (job->depth - 1) % 64))
        rp_text_char(job->to, ')');
    rp_text_char(job->to, mark);
    if (mark == '[') {
        job->shifted = job->first ? job->shifted | bit : job->shifted & ~bit;
        if (job->first) rp_text_format(job->to, "%s + (", job->first);
        job->first = NULL;
        job->depth++;
    } else if (mark == ']' && job->depth) {
        job->depth--;
    }
}

/* Dimension `from_end` of an operand, the last one being 1, or with 0 all its elements: of those that it
 * has not, 1. */
static void put_dimension(text_job *job, uint32_t operand, uint32_t from_end) {
    const rp_op_call *call = &job->e->members[job->member].call;
    const rp_tensor *t = &call->operands[operand];
    if (t->absent || from_end > t->rank) {
        rp_text_string(job->to, "1u");
        return;
    }
    rp_extent extent = rp_tensor_extent(t);
    if (from_end != 0)
        extent = (rp_extent){t->dims[t->rank - from_end], t->powers[t->rank - from_end]};
    const char *name = rp_emit_name(job->e, from_end ? "m%u_%s_dim_%u" : "m%u_%s_count",
                                    job->member, rp_op_operand_name(call, operand), from_end);
    rp_text_string(job->to, rp_emit_extent(job->e, name, extent));
}

/* Replaces "x_RANK", "x_COUNT" and "x_DIM_1" to "x_DIM_4"; false when the word is none. */
static bool put_shape(text_job *job, const char *word, size_t length) {
    static const char *const tails[] = {"_COUNT", "_DIM_1", "_DIM_2", "_DIM_3", "_DIM_4"};
    const rp_op_call *call = &job->e->members[job->member].call;
    uint32_t i = operand_before(call, word, length, "_RANK");
    if (i != RP_NONE) {
        rp_text_format(job->to, "%u", call->operands[i].absent ? 0 : call->operands[i].rank);
        return true;
    }
    for (uint32_t from_end = 0; from_end < sizeof tails / sizeof *tails; from_end++) {
        i = operand_before(call, word, length, tails[from_end]);
        if (i == RP_NONE) continue;
        put_dimension(job, i, from_end);
        return true;
    }
    return false;
}

/* The input of "x_halves", or of "x_bytes" where it has such; text behind #if may ask for either. */
static uint32_t words_before(const text_job *job, const char *word, size_t length) {
    uint32_t halves = input_before(job, word, length, "_halves");
    uint32_t bytes = input_before(job, word, length, "_bytes");
    const rp_tensor *operands = job->e->members[job->member].call.operands;
    if (halves != RP_NONE) return RP_DT(operands[halves].dtype) & RP_DT_BYTE ? RP_NONE : halves;
    return bytes != RP_NONE && (RP_DT(operands[bytes].dtype) & RP_DT_BYTE) ? bytes : RP_NONE;
}

/* Replaces names that belong to an operand; false when the word is none. */
static bool put_operand(text_job *job, const char *word, size_t length, bool called) {
    rp_emit *e = job->e;
    const rp_op_call *call = &e->members[job->member].call;
    uint32_t i;
    if ((i = operand_before(call, word, length, "_CLASS")) != RP_NONE) {
        rp_text_string(job->to, rp_emit_text_class(e, job->member, i));
    } else if ((i = operand_before(call, word, length, "_CLASS_4")) != RP_NONE) {
        rp_text_string(job->to, rp_emit_type_4(e, job->member, i));
    } else if ((i = operand_before(call, word, length, "_DTYPE")) != RP_NONE) {
        put_dtype(job->to, call->operands[i].absent ? RP_F32 : call->operands[i].dtype);
    } else if ((i = operand_before(call, word, length, "_PRESENT")) != RP_NONE) {
        rp_text_char(job->to, call->operands[i].absent ? '0' : '1');
    } else if ((i = operand_before(call, word, length, "_ALIGNED")) != RP_NONE) {
        rp_text_char(job->to, is_aligned(e, job->member, i) ? '1' : '0');
    } else if ((i = operand_before(call, word, length, "_data")) != RP_NONE) {
        if (!is_aligned(e, job->member, i)) return false; /* behind #if x_PRESENT or x_ALIGNED */
        put_array(job, i);
    } else if ((i = output_before(job, word, length, "_store")) != RP_NONE) {
        if (RP_DT(call->operands[i].dtype) & RP_DT_BLOCK) return false; /* behind #if x_DTYPE */
        put_function(job, job->names->store, i);
    } else if ((i = output_before(job, word, length, "_store_4")) != RP_NONE) {
        put_function(job, job->names->store_4, i);
    } else if ((i = output_before(job, word, length, "_AHEAD")) != RP_NONE) {
        put_function(job, job->names->ahead_type, i);
    } else if ((i = output_before(job, word, length, "_ahead")) != RP_NONE) {
        put_function(job, job->names->ahead, i);
    } else if ((i = output_before(job, word, length, "_store_ahead")) != RP_NONE) {
        put_function(job, job->names->store_ahead, i);
    } else if (called && (i = input_before(job, word, length, "_4")) != RP_NONE) {
        put_function(job, job->names->reader_4, i);
    } else if (called && (i = input_before(job, word, length, "_8")) != RP_NONE) {
        put_function(job, job->names->reader_8, i);
    } else if (called && (i = words_before(job, word, length)) != RP_NONE) {
        put_function(job, job->names->reader_words, i);
    } else if (called && (i = input_before(job, word, length, "_fetch")) != RP_NONE) {
        put_function(job, job->names->fetch, i);
    } else if (called && (i = input_before(job, word, length, "_fetched")) != RP_NONE) {
        put_function(job, job->names->fetched, i);
    } else if (called && (i = input_before(job, word, length, "")) != RP_NONE) {
        put_function(job, job->names->reader, i);
    } else {
        return false;
    }
    return true;
}

/* Waiting, in a text that does so itself: nothing where the node's inputs are not tagged. */
static bool put_wait(text_job *job, const char *word, size_t length) {
    rp_emit *e = job->e;
    uint32_t i = input_before(job, word, length, "_await");
    if (word_equals(word, length, "looks_again"))
        rp_text_string(job->to, rp_node_waits(e->graph, e->node) ? "looks_again" : "looks_once");
    else if (i != RP_NONE)
        rp_text_string(job->to, rp_emit_is_tagged(e, job->member, i)
                                    ? rp_emit_await_function(e, job->member, i)
                                    : "waits_for_none");
    else
        return false;
    return true;
}

/* "NEEDS_INT_DOT", for #if: whether the variant may use the instruction. Where it may not, the
 * helper is not named, so that it stays away. And "IS_PREPARED", of pairs. */
static bool put_need(text_job *job, const char *word, size_t length) {
    const rp_op_variant *variant = job->e->members[job->member].call.variant;
    bool has = variant && (variant->needs & RP_NEED_INT_DOT);
    if (word_equals(word, length, "NEEDS_INT_DOT"))
        rp_text_char(job->to, has ? '1' : '0');
    else if (word_equals(word, length, "IS_PREPARED"))
        rp_text_char(job->to, job->e->members[job->member].is_prepared ? '1' : '0');
    else if (word_equals(word, length, "dot_i8"))
        rp_text_string(job->to, has ? "dot_i8" : "left_out");
    else
        return false;
    return true;
}

static void put_word(text_job *job, const char *word, size_t length, bool member, bool called) {
    rp_emit *e = job->e;
    const rp_op_call *call = &e->members[job->member].call;
    if (member) { /* v.N is a part of v */
        rp_text_append(job->to, word, length);
        return;
    }
    if (length == 1 && *word >= 'A' && *word <= 'Z' && rp_sym(call, *word)) {
        rp_text_string(job->to, rp_emit_symbol(e, job->member, *word));
        return;
    }
    uint32_t attr = rp_op_attr_index(call->op, word, length);
    if (attr != RP_OP_MISSING && !called) {
        bool computes = call->op->form == RP_OP_KERNEL;
        rp_text_string(job->to, computes ? rp_emit_attr_number(e, job->member, attr)
                                         : rp_emit_attr(e, job->member, attr));
        return;
    }
    if (job->value && length >= 5 && memcmp(word, "VALUE", 5) == 0 &&
        (length == 5 || word[5] == '_')) {
        rp_text_string(job->to, job->value);
        rp_text_append(job->to, word + 5, length - 5);
        return;
    }
    if (called && put_wait(job, word, length)) return;
    if (!put_need(job, word, length) && !put_shape(job, word, length) &&
        !put_operand(job, word, length, called))
        rp_text_append(job->to, word, length);
}

/* The end of a comment that starts at `c`, or NULL. */
static const char *comment_end(const char *c) {
    if (c[0] != '/') return NULL;
    if (c[1] == '/') return c + strcspn(c, "\n");
    if (c[1] != '*') return NULL;
    const char *end = strstr(c + 2, "*/");
    return end ? end + 2 : c + strlen(c);
}

static size_t word_length(const char *c, const char *end) {
    size_t length = 0;
    while (c + length < end && is_word(c[length])) length++;
    return length;
}

/* The word of a pair that stands for this one, or the word itself. */
static const char *twin_of(const text_job *job, const char *word, size_t *length) {
    const char *end = job->twins + job->twins_size;
    for (const char *c = job->twins; c && c < end; c += strspn(c, ", /\n")) {
        size_t first = word_length(c, end);
        const char *second = c + first + strspn(c + first, " ");
        size_t size = word_length(second, end);
        if (first == 0 || size == 0) {
            rp_emit_fail(job->e, "more than pairs of words behind '// twin:'");
            return word;
        }
        if (first == *length && memcmp(c, word, first) == 0) {
            *length = size;
            return second;
        }
        c = second + size;
    }
    return word;
}

static void put_text(text_job *job, const char *c, const char *end);

/* A paragraph behind lines `// twin: a b, left right`: as it is, and with the second word of each pair
 * in place of the first. Its end. */
static const char *put_twins(text_job *job, const char *c, const char *end) {
    const char *pairs = c + strcspn(c, ":") + 1, *line = c, *blank = strstr(c, "\n\n");
    pairs += strspn(pairs, " ");
    if (!blank || blank > end) blank = end;
    while (line < blank && line[0] == '/' && line[1] == '/') line += strcspn(line, "\n") + 1;
    put_text(job, line, blank);
    rp_text_string(job->to, "\n\n");
    text_job twin = *job;
    twin.twins = pairs;
    twin.twins_size = (size_t)(line - pairs);
    put_text(&twin, line, blank);
    return blank;
}

/* ---- Constants of a text --------------------------------------------------------------------- */

static bool varies(const rp_emit *e, const char *word, size_t length) {
    for (uint32_t i = 0; i < e->extents_count; i++)
        if (word_equals(word, length, e->extents[i].name)) return true;
    for (uint32_t i = 0; i < e->varying_count; i++)
        if (word_equals(word, length, e->varying[i])) return true;
    return false;
}

static bool mentions_varying(const rp_emit *e, const char *c) {
    while (*c) {
        size_t length = word_length(c, c + strlen(c));
        if (length && varies(e, c, length)) return true;
        c += length ? length : 1;
    }
    return false;
}

/* The end of a declaration: a comma outside of brackets, or the semicolon. */
static const char *declaration_end(const char *c) {
    uint32_t depth = 0;
    for (; *c && *c != ';' && (*c != ',' || depth); c++) {
        if (*c == '(') depth++;
        if (*c == ')' && depth) depth--;
    }
    return c;
}

/* "N = expression" as a macro: no constant is made of what is known when the kernel runs. */
static void put_macro(text_job *job, const char *c, const char *end) {
    rp_emit *e = job->e;
    c += strspn(c, " \n");
    size_t name = word_length(c, end);
    const char *value = memchr(c, '=', (size_t)(end - c));
    if (name == 0 || !value) {
        rp_emit_fail(e, "no name or no value behind 'const'");
        return;
    }
    if (!RP_RESERVE(&e->allocator, e->varying, e->varying_count, e->varying_capacity, 1)) {
        rp_emit_no_memory(e);
        return;
    }
    e->varying[e->varying_count++] = rp_emit_name(e, "%.*s", (int)name, c);
    rp_text_format(job->to, "#define %.*s (", (int)name, c);
    for (value += 1 + strspn(value + 1, " "); value < end; value++)
        rp_text_char(job->to, *value == '\n' ? ' ' : *value);
    rp_text_string(job->to, ")\n");
}

/* `const uint N = ...;` at the left margin; behind its semicolon. What is made of numbers that follow live
 * sizes, or of another such constant, is an expression wherever it stands. */
static const char *put_constant(text_job *job, const char *c, const char *end) {
    const char *behind = memchr(c, ';', (size_t)(end - c));
    if (!behind) behind = end - 1;
    rp_text own;
    rp_text_init(&own, &job->e->allocator);
    text_job inner = *job;
    inner.to = &own;
    inner.in_constant = true;
    put_text(&inner, c, behind + 1);
    if (own.failed) rp_emit_no_memory(job->e);
    if (own.data && mentions_varying(job->e, own.data)) {
        const char *at = own.data + strlen("const ");
        at += word_length(at, at + strlen(at));
        for (const char *next; *at && *at != ';'; at = next + (*next == ','))
            put_macro(job, at, next = declaration_end(at));
    } else if (own.data) {
        rp_text_append(job->to, own.data, own.size);
    }
    rp_text_free(&own);
    return behind + 1;
}

/* In place of a line `// with: NAME` the text of kernels/NAME.glsl. */
static void put_piece(text_job *job, const char *name, const char *end) {
    size_t length = (size_t)(end - name);
    const char *piece = rp_kernel_source(rp_emit_name(job->e, "%.*s", (int)length, name));
    if (!piece)
        rp_emit_fail(job->e, "there is no kernels/%.*s.glsl", (int)length, name);
    else
        put_text(job, piece, piece + strlen(piece));
}

/* What is neither a word, nor counted, nor perhaps a comment; the last of it that is no space. */
static size_t plain_length(const char *c, const char *end, char *last) {
    size_t length = 0;
    for (; c + length < end; length++) {
        char mark = c[length];
        if (is_word(mark) || mark == '[' || mark == ']' || mark == '/') break;
        if (mark != ' ' && mark != '\n') *last = mark;
    }
    return length;
}

static const char *put_words(text_job *job, const char *c, const char *end, char *last) {
    size_t length = word_length(c, end), size = length;
    const char *next = c + length, *word = c;
    next += strspn(next, " ");
    if (job->twins) word = twin_of(job, c, &size);
    if (isdigit((unsigned char)*c))
        rp_text_append(job->to, c, length);
    else
        put_word(job, word, size, *last == '.', *next == '(');
    *last = 'a';
    return c + length;
}

static void put_text(text_job *job, const char *c, const char *end) {
    static const char twin[] = "// twin:", with[] = "// with: ";
    const char *begin = c;
    char last = '\0';
    while (c < end) {
        size_t plain = plain_length(c, end, &last);
        rp_text_append(job->to, c, plain);
        c += plain;
        if (c == end) return;
        const char *behind = comment_end(c);
        if (!job->in_constant && (c == begin || c[-1] == '\n') && end - c > 6 &&
            memcmp(c, "const ", 6) == 0) {
            c = put_constant(job, c, end);
            last = ';';
        } else if (is_word(*c)) {
            c = put_words(job, c, end, &last);
        } else if (behind && strncmp(c, twin, strlen(twin)) == 0) {
            c = put_twins(job, c, end);
        } else if (behind && strncmp(c, with, strlen(with)) == 0) {
            put_piece(job, c + strlen(with), behind);
            c = behind;
        } else if (behind) {
            rp_text_append(job->to, c, (size_t)(behind - c));
            c = behind;
        } else {
            put_mark(job, *c);
            last = *c++;
        }
    }
}

void rp_emit_text(rp_emit *e, rp_text *to, uint32_t member, const char *source, const char *value,
                  const rp_emit_names *names) {
    if (e->status != RP_OK) return;
    /* Readers append to the same pieces while this text is made: it goes there at the end. */
    rp_text own;
    rp_text_init(&own, &e->allocator);
    text_job job = {.e = e, .to = &own, .member = member, .value = value, .names = names};
    put_text(&job, source, source + strlen(source));
    if (own.failed) rp_emit_no_memory(e);
    if (own.data) rp_text_append(to, own.data, own.size);
    if (to->failed) rp_emit_no_memory(e);
    rp_text_free(&own);
}

/* ---- Pragmas --------------------------------------------------------------------------------- */

const char *rp_emit_pragma(const char *source, const char *name, size_t *out_length) {
    size_t length = strlen(name);
    for (const char *line = source; *line;) {
        size_t size = strcspn(line, "\n");
        const char *c = line;
        while (c < line + size && (*c == '/' || *c == ' ')) c++;
        if (c >= line + 2 && line[0] == '/' && line[1] == '/' && strncmp(c, name, length) == 0 &&
            c[length] == ':') {
            c += length + 1;
            c += strspn(c, " ");
            *out_length = (size_t)(line + size - c);
            return c;
        }
        line += size + (line[size] == '\n');
    }
    return NULL;
}

const char *rp_emit_kernel_source(rp_emit *e, uint32_t member) {
    const rp_op_call *call = &e->members[member].call;
    if (!call->variant) {
        rp_emit_fail(e, "%s has no kernel", call->op->name);
        return NULL;
    }
    const char *path = call->variant->source;
    if (!path) path = rp_emit_name(e, "%s/%s", call->op->name, call->variant->name);
    const char *source = rp_kernel_source(path);
    if (!source) rp_emit_fail(e, "there is no kernels/%s.glsl", path);
    return source;
}

/* "// bind: w uvec4, x uvec2"; blocks are always of their own type, for they do not begin at wider ones. */
const char *rp_emit_bind(rp_emit *e, uint32_t member, uint32_t operand) {
    const rp_op_call *call = &e->members[member].call;
    bool own = call->variant && !call->op->product &&
               !(RP_DT(call->operands[operand].dtype) & RP_DT_BLOCK);
    const char *source = own ? rp_emit_kernel_source(e, member) : NULL;
    if (!source) return NULL;
    const char *name = rp_op_operand_name(call, operand);
    for (const char *from = source;;) {
        size_t length;
        const char *c = rp_emit_pragma(from, "bind", &length);
        if (!c) return NULL;
        const char *end = c + length;
        while (c < end) {
            size_t word = 0, type = 0;
            while (c < end && !is_word(*c)) c++;
            while (c + word < end && is_word(c[word])) word++;
            const char *t = c + word;
            while (t < end && !is_word(*t)) t++;
            while (t + type < end && is_word(t[type])) type++;
            if (word && type && word_equals(c, word, name))
                return rp_emit_name(e, "%.*s", (int)type, t);
            c = t + type;
        }
        from = end;
    }
}
