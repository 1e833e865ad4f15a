/* The text of a shader before it is compiled: its version, where a prelude goes, and definitions
 * that give way to those that the kernel was asked for with.
 *
 * Only directives are read, in logical lines: comments and lines joined by a backslash are what they
 * are to a preprocessor. What gives way becomes blanks, so that all lines and columns stay. Whether
 * a definition counts is not guessed, as it may stand behind conditions of any kind: the text is put
 * through the preprocessor once more, with a mark in the place of each, and the marks that come out
 * are those that count. That costs nothing where no definition gives way.
 *
 * An #undef of such a name goes as well: it would be there for a definition that follows. */
#include "kernel/glsl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"

#define MARK "reprise_gives_way_"

typedef struct cursor {
    const char *at;
    uint32_t line;
} cursor;

/* ---- Lines ----------------------------------------------------------------------------------- */

/* Bytes of a backslash that joins this line to the next one; 0 for anything else. */
static size_t joint(const char *c) {
    if (c[0] != '\\') return 0;
    return c[1] == '\n' ? 2 : c[1] == '\r' && c[2] == '\n' ? 3 : 0;
}

/* Behind a comment that begins here; false where none does. */
static bool skip_comment(cursor *c) {
    if (c->at[0] != '/' || (c->at[1] != '/' && c->at[1] != '*')) return false;
    bool block = c->at[1] == '*';
    for (c->at += 2; *c->at;) {
        size_t joined = joint(c->at);
        if (block && c->at[0] == '*' && c->at[1] == '/') {
            c->at += 2;
            return true;
        }
        if (!block && *c->at == '\n') return true;
        c->line += *c->at == '\n' || joined;
        c->at += joined ? joined : 1;
    }
    return true;
}

/* Behind white space and comments, to the end of the logical line at most. */
static void skip_space(cursor *c) {
    for (;;) {
        size_t joined = joint(c->at);
        if (joined) {
            c->line++;
            c->at += joined;
        } else if (*c->at != '\n' && isspace((unsigned char)*c->at)) {
            c->at++;
        } else if (!skip_comment(c)) {
            return;
        }
    }
}

/* To the end of the logical line: its '\n', or that of the text. */
static void skip_rest(cursor *c) {
    for (bool quoted = false; *c->at && *c->at != '\n';) {
        size_t joined = joint(c->at);
        if (!quoted && !joined && skip_comment(c)) continue;
        if (*c->at == '"') quoted = !quoted;
        c->line += joined != 0;
        c->at += joined ? joined : 1;
    }
}

/* To the start of the next line; false at the end of the text. */
static bool next_line(cursor *c) {
    skip_rest(c);
    if (!*c->at) return false;
    c->at++;
    c->line++;
    return true;
}

static size_t word_length(const char *c) {
    size_t length = 0;
    while (isalnum((unsigned char)c[length]) || c[length] == '_') length++;
    return length;
}

static bool is_word(const char *c, size_t length, const char *word) {
    return strlen(word) == length && memcmp(c, word, length) == 0;
}

/* Whether the line is a directive: then behind its word, which lies at *word. */
static bool take_directive(cursor *c, const char **word, size_t *length) {
    skip_space(c);
    if (*c->at != '#') return false;
    c->at++;
    skip_space(c);
    *word = c->at;
    *length = word_length(c->at);
    c->at += *length;
    return true;
}

/* ---- #version -------------------------------------------------------------------------------- */

/* "430" to "460 core", "310 es", "320 es". */
static bool is_served_version(const char *c) {
    static const char *const desktop[] = {"430", "440", "450", "460"}, *const es[] = {"310", "320"};
    size_t digits = strspn(c, "0123456789");
    const char *profile = c + digits + strspn(c + digits, " \t");
    size_t length = 0;
    while (isalnum((unsigned char)profile[length])) length++;
    for (size_t i = 0; digits == 3 && i < 4; i++)
        if (memcmp(c, desktop[i], 3) == 0)
            return length == 0 || (length == 4 && memcmp(profile, "core", 4) == 0);
    for (size_t i = 0; digits == 3 && i < 2; i++)
        if (memcmp(c, es[i], 3) == 0) return length == 2 && memcmp(profile, "es", 2) == 0;
    return false;
}

/* glslang writes to stdout when a version has no compute shaders, and a library must not. So such
 * versions never get there. */
static rp_status check_version(const rp_glsl_source *s) {
    cursor c = {s->text, 1};
    const char *word;
    size_t length;
    for (skip_space(&c); *c.at == '\n' && next_line(&c);) skip_space(&c);
    uint32_t line = c.line;
    bool found = take_directive(&c, &word, &length) && is_word(word, length, "version");
    if (found) skip_space(&c);
    if (found && is_served_version(c.at)) return RP_OK;
    if (found)
        rp_diags_add(
            s->where->diags, RP_ERROR, s->file, line, 0,
            "'#version %.*s' has no compute shaders for Vulkan; expected 430 to 460, 310 es "
            "or 320 es",
            (int)strcspn(c.at, "\r\n") < 30 ? (int)strcspn(c.at, "\r\n") : 30, c.at);
    else
        rp_diags_add(s->where->diags, RP_ERROR, s->file, line, 0,
                     "a shader starts with its '#version'; expected '#version 450'");
    return RP_ERROR_INVALID;
}

/* ---- The prelude ----------------------------------------------------------------------------- */

/* Behind the last of #version and #extension, with the conditions they stand in, in front of all
 * code. */
static cursor find_place(const char *text) {
    cursor c = {text, 1}, place = c;
    uint32_t depth = 0;
    const char *word;
    size_t length;
    for (bool wanted = false;;) {
        bool directive = take_directive(&c, &word, &length);
        if (!directive && *c.at && *c.at != '\n') return place;
        bool ends = directive && is_word(word, length, "endif");
        if (directive && (is_word(word, length, "if") || is_word(word, length, "ifdef") ||
                          is_word(word, length, "ifndef")))
            depth++;
        if (ends && depth) depth--;
        wanted |=
            directive && (is_word(word, length, "version") || is_word(word, length, "extension"));
        bool more = next_line(&c);
        if (wanted && depth == 0) {
            place = c;
            wanted = false;
        }
        if (!more) return place;
    }
}

/* Puts the #include of the prelude into the shader's text. */
static rp_status insert_prelude(rp_glsl_source *s) {
    cursor place = find_place(s->text);
    bool open = place.at > s->text && place.at[-1] != '\n';
    rp_text text;
    rp_text_init(&text, s->where->allocator);
    rp_text_append(&text, s->text, (size_t)(place.at - s->text));
    rp_text_format(&text, "%s#include \"%s\"\n#line %u\n%s", open ? "\n" : "", RP_GLSL_PRELUDE,
                   place.line, place.at);
    rp_release(s->where->allocator, s->text);
    s->text = NULL;
    return rp_text_take(&text, &s->text, NULL);
}

/* ---- Defines --------------------------------------------------------------------------------- */

/* The length of the macro's name; its parameters may follow. */
static size_t name_of(const char *define) {
    return isdigit((unsigned char)*define) ? 0 : word_length(define);
}

/* NAME, NAME=VALUE, NAME(A, B)=VALUE. */
static bool is_define(const char *define) {
    size_t name = name_of(define);
    const char *c = define + name;
    if (!name || strpbrk(define, "\r\n")) return false;
    if (*c == '(') {
        c += 1 + strspn(c + 1, " ");
        for (bool more = *c != ')'; more;) {
            size_t parameter = name_of(c);
            if (!parameter) return false;
            c += parameter + strspn(c + parameter, " ");
            more = *c == ',';
            if (more) c += 1 + strspn(c + 1, " ");
        }
        if (*c++ != ')') return false;
    }
    return !*c || *c == '=';
}

static rp_status check_defines(const rp_glsl_source *s) {
    rp_status status = RP_OK;
    for (uint32_t i = 0; i < s->params->define_count; i++) {
        const char *define = s->params->defines[i] ? s->params->defines[i] : "";
        if (!is_define(define))
            status = rp_kernel_error(s->where,
                                     "'%s' is not a define; expected NAME, NAME=VALUE or "
                                     "NAME(A, B)=VALUE",
                                     define);
    }
    return status;
}

/* Which of the kernel's defines has this name; RP_NONE for none. */
static uint32_t find_define(const rp_glsl_source *s, const char *name, size_t length) {
    for (uint32_t i = 0; i < s->params->define_count; i++) {
        const char *define = s->params->defines[i];
        if (length && name_of(define) == length && memcmp(define, name, length) == 0) return i;
    }
    return RP_NONE;
}

/* Keeps what stands from the name on. False without memory. */
static bool note_own(rp_glsl_source *s, const char *file, const cursor *name, uint32_t define) {
    const rp_allocator *a = s->where->allocator;
    size_t length = strcspn(name->at, "\r\n");
    while (length && isspace((unsigned char)name->at[length - 1])) length--;
    if (!RP_RESERVE(a, s->own, s->own_count, s->own_capacity, 1)) return false;
    rp_glsl_own *own = &s->own[s->own_count++];
    *own = (rp_glsl_own){.file = rp_dup(a, file, strlen(file) + 1),
                         .text = rp_alloc_zero(a, length + 1, 1),
                         .line = name->line,
                         .define = define};
    if (!own->file || !own->text) return false;
    memcpy(own->text, name->at, length);
    return true;
}

/* Blanks, and the ends of lines. */
static void append_blank(rp_text *text, const char *from, const char *to) {
    for (; from < to; from++) rp_text_char(text, *from == '\n' || *from == '\r' ? *from : ' ');
}

/* Copies what the line that was read so far, from `from` on, has become. */
static bool copy_line(rp_glsl_source *s, const char *file, const char *from, cursor *c,
                      const char *word, size_t length, rp_text *out) {
    bool defines = is_word(word, length, "define");
    if (!defines && !is_word(word, length, "undef")) return true;
    skip_space(c);
    cursor name = *c;
    uint32_t define = find_define(s, name.at, word_length(name.at));
    if (define == RP_NONE) return true;
    skip_rest(c);
    if (defines && !note_own(s, file, &name, define)) return false;
    if (defines && s->mark) rp_text_format(out, " " MARK "%u ", s->own_count - 1);
    append_blank(out, from, c->at);
    return true;
}

char *rp_glsl_give_way(rp_glsl_source *s, const char *file, const char *text) {
    rp_text out;
    char *taken = NULL;
    rp_text_init(&out, s->where->allocator);
    rp_text_append(&out, "", 0);
    bool room = true;
    cursor c = {text, 1};
    for (bool more = true; more && room;) {
        const char *from = c.at, *word;
        size_t length;
        if (take_directive(&c, &word, &length)) {
            uint32_t before = out.size;
            room = copy_line(s, file, from, &c, word, length, &out);
            if (out.size > before) from = c.at;
        }
        more = next_line(&c);
        rp_text_append(&out, from, (size_t)(c.at - from));
    }
    if (!room) {
        rp_text_free(&out);
        return NULL;
    }
    return rp_text_take(&out, &taken, NULL) == RP_OK ? taken : NULL;
}

void rp_glsl_find_marks(rp_glsl_source *s, const char *text) {
    while ((text = strstr(text, MARK))) {
        text += sizeof MARK - 1;
        unsigned long index = strtoul(text, NULL, 10);
        if (index < s->own_count) s->own[index].counts = true;
    }
}

bool rp_glsl_take_once(char *text) {
    bool found = false;
    cursor c = {text, 1};
    for (bool more = true; more;) {
        char *from = text + (c.at - text);
        const char *word;
        size_t length;
        bool pragma = take_directive(&c, &word, &length) && is_word(word, length, "pragma");
        if (pragma) skip_space(&c);
        if (pragma && is_word(c.at, word_length(c.at), "once")) {
            found = true;
            for (; from < c.at + 4; from++)
                if (!isspace((unsigned char)*from)) *from = ' ';
        }
        more = next_line(&c);
    }
    return found;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static const char *behind_mark(const char *text) { /* U+FEFF, in front of texts of some editors */
    return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

rp_status rp_glsl_source_make(const rp_kernel_where *where, const rp_kernel_params *params,
                              rp_glsl_source *out) {
    *out = (rp_glsl_source){.where = where, .params = params};
    out->file = params->glsl_file ? params->glsl_file : where->kernel;
    return rp_glsl_source_again(out, false);
}

static void forget(rp_glsl_source *s) {
    const rp_allocator *a = s->where->allocator;
    for (uint32_t i = 0; i < s->own_count; i++) {
        rp_release(a, s->own[i].file);
        rp_release(a, s->own[i].text);
    }
    rp_release(a, s->text);
    s->text = NULL;
    s->own_count = s->once_count = s->open_count = s->file_count = s->byte_count = 0;
    s->full = false;
}

rp_status rp_glsl_source_again(rp_glsl_source *s, bool mark) {
    bool first = !s->checked;
    forget(s);
    s->mark = mark;
    if (first) RP_TRY(check_defines(s));
    s->text = rp_glsl_give_way(s, s->file, behind_mark(s->params->glsl));
    if (!s->text) return RP_ERROR_NO_MEMORY;
    if (first) RP_TRY(check_version(s));
    s->checked = true;
    return s->params->prelude ? insert_prelude(s) : RP_OK;
}

void rp_glsl_source_free(rp_glsl_source *s) {
    const rp_allocator *a = s->where->allocator;
    forget(s);
    rp_release(a, s->own);
    rp_release(a, s->open);
    rp_release(a, s->once);
}
