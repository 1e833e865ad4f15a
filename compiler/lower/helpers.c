/* Helpers: the functions of kernels/include that a kernel's text mentions.
 *
 * The files are paragraphs, each with what it declares; a paragraph is taken when the text, or a
 * paragraph taken already, mentions one of its names. So a kernel holds only what it uses, and
 * compiles faster. Names are found once for the process; a graph has hundreds of kernels.
 *
 * Paragraphs of some files are for some kernels alone: those that mention numbers of 64 bits, or all for a target
 * whose devices convert halves exactly, where they stand in place of others with their names. */
#include <ctype.h>
#include <pthread.h>
#include "base/table.h"
#include "lower/internal.h"
#include "embedded.h"
#include "reprise/needs.h"
#include "target/target.h"

/* Which kernels a file is for. */
typedef enum helper_use { FOR_ALL, FOR_WIDE, FOR_HALVES } helper_use;

static const struct {
    const char *file;
    helper_use use;
} special[] = {{"include/wide_math", FOR_WIDE}, {"include/hidden_halves", FOR_HALVES}};

enum { MAX_PARAGRAPHS = 384, MAX_NAMES = 512, MAX_WORDS = 2048 };

typedef struct helper_name {
    const char *word;
    uint8_t length;
    uint16_t paragraph;
} helper_name;

/* All paragraphs, in the order of the files' names: a helper uses only what is before it. */
static struct {
    const char *texts[MAX_PARAGRAPHS];
    uint32_t sizes[MAX_PARAGRAPHS];
    helper_use uses[MAX_PARAGRAPHS];
    uint32_t count;
    helper_name names[MAX_NAMES];
    uint32_t name_count;
    bool full; /* there are more than the tables hold */
} helpers;

static pthread_once_t helpers_once = PTHREAD_ONCE_INIT;

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* What a line at the left margin declares: the second word of a #define, else the last word before
 * the first of ( [ = or ;. */
static size_t declared_name(const char *line, size_t size, const char **out) {
    size_t start = 8, end = 8;
    if (size > 8 && memcmp(line, "#define ", 8) == 0) {
        while (end < size && is_word(line[end])) end++;
    } else if (size && isalpha((unsigned char)*line)) {
        end = 0;
        while (end < size && !strchr("([=;", line[end])) end++;
        while (end && !is_word(line[end - 1])) end--;
        start = end;
        while (start && is_word(line[start - 1])) start--;
    }
    *out = line + start;
    return end - start;
}

static void add_paragraph(const char *text, size_t size, helper_use use) {
    if (helpers.count == MAX_PARAGRAPHS) {
        helpers.full = true;
        return;
    }
    for (size_t at = 0, length; at < size; at += length + 1) {
        const char *name;
        length = 0;
        while (at + length < size && text[at + length] != '\n') length++;
        size_t letters = declared_name(text + at, length, &name);
        if (letters == 0) continue;
        helpers.full |= helpers.name_count == MAX_NAMES || letters > UINT8_MAX;
        if (helpers.full) return;
        helpers.names[helpers.name_count++] =
            (helper_name){name, (uint8_t)letters, (uint16_t)helpers.count};
    }
    helpers.texts[helpers.count] = text;
    helpers.uses[helpers.count] = use;
    helpers.sizes[helpers.count++] = (uint32_t)size;
}

static void read_helpers(void) {
    for (uint32_t i = 0; i < rp_kernel_sources_count; i++) {
        const char *text = rp_kernel_sources[i].text;
        if (strncmp(rp_kernel_sources[i].name, "include/", 8) != 0) continue;
        helper_use use = FOR_ALL;
        for (size_t k = 0; k < sizeof special / sizeof *special; k++)
            if (strcmp(rp_kernel_sources[i].name, special[k].file) == 0) use = special[k].use;
        while (*(text += strspn(text, "\n"))) {
            const char *end = strstr(text, "\n\n");
            size_t size = end ? (size_t)(end - text) + 1 : strlen(text);
            add_paragraph(text, size, use);
            text += size;
        }
    }
}

/* ---- Words of a text ------------------------------------------------------------------------- */

typedef struct word {
    const char *text;
    size_t length;
} word;

typedef struct word_set {
    word *words;
    uint32_t count;
    rp_table table; /* rp_table_key of a word -> its index; there is room for all of them */
} word_set;

static bool has_word(const word_set *set, const char *text, size_t length) {
    uint32_t key = rp_table_key(text, length);
    for (uint32_t at = 0, i; rp_table_next(&set->table, key, &at, &i);)
        if (set->words[i].length == length && memcmp(set->words[i].text, text, length) == 0)
            return true;
    return false;
}

static bool add_word(const rp_allocator *a, word_set *set, const char *text, size_t length) {
    if (set->count == MAX_WORDS ||
        !rp_table_add(a, &set->table, rp_table_key(text, length), set->count))
        return false;
    set->words[set->count++] = (word){text, length};
    return true;
}

/* False when there are more words than a kernel has. Comments do not count. */
static bool add_words(const rp_allocator *a, word_set *set, const char *text, size_t size) {
    for (size_t i = 0, length; i < size; i += length ? length : 1) {
        length = 0;
        if (text[i] == '/' && i + 1 < size && text[i + 1] == '/')
            while (i < size && text[i] != '\n') i++;
        while (i + length < size && is_word(text[i + length])) length++;
        if (length == 0 || isdigit((unsigned char)text[i])) continue;
        if (!has_word(set, text + i, length) && !add_word(a, set, text + i, length)) return false;
    }
    return true;
}

/* Whether the name is declared for devices that convert halves, too. */
static bool is_of_halves(const helper_name *name) {
    for (uint32_t i = 0; i < helpers.name_count; i++) {
        const helper_name *other = &helpers.names[i];
        if (helpers.uses[other->paragraph] == FOR_HALVES && other->length == name->length &&
            memcmp(other->word, name->word, name->length) == 0)
            return true;
    }
    return false;
}

static bool is_for(const helper_name *name, bool wide, bool halves) {
    switch (helpers.uses[name->paragraph]) {
    case FOR_WIDE: return wide;
    case FOR_HALVES: return halves;
    case FOR_ALL: break;
    }
    return !halves || !is_of_halves(name);
}

/* Marks what is mentioned, from the last helper to the first, since none uses a later one. */
static bool choose(const rp_allocator *a, word_set *set, bool halves, bool *wanted) {
    bool wide = has_word(set, "int64_t", 7) || has_word(set, "uint64_t", 8);
    for (uint32_t i = helpers.name_count; i-- > 0;) {
        const helper_name *name = &helpers.names[i];
        uint32_t p = name->paragraph;
        if (wanted[p] || !has_word(set, name->word, name->length) || !is_for(name, wide, halves))
            continue;
        wanted[p] = true;
        if (!add_words(a, set, helpers.texts[p], helpers.sizes[p])) return false;
    }
    return true;
}

bool rp_emit_has_halves(const rp_emit *e) {
    const rp_target *t = rp_graph_target(e->graph);
    return !rp_target_is_software(t) &&
           rp_target_has(t, RP_NEED_FLOAT16 | RP_NEED_EXACT16 | RP_NEED_DENORM16 | RP_NEED_EVEN16);
}

void rp_emit_helpers(rp_emit *e, const rp_text *body, rp_text *to) {
    pthread_once(&helpers_once, read_helpers);
    const rp_allocator *a = &e->allocator;
    bool wanted[MAX_PARAGRAPHS] = {false};
    word_set set = {.words = rp_alloc(a, MAX_WORDS, sizeof *set.words)};
    if (!set.words || !rp_table_reserve(a, &set.table, MAX_WORDS) || !body->data)
        rp_emit_no_memory(e);
    else if (helpers.full || !add_words(a, &set, body->data, body->size) ||
             !choose(a, &set, rp_emit_has_halves(e), wanted))
        rp_emit_fail(e, "its text is too long");
    for (uint32_t i = 0; i < helpers.count; i++) {
        if (!wanted[i]) continue;
        rp_text_append(to, helpers.texts[i], helpers.sizes[i]);
        rp_text_char(to, '\n');
    }
    rp_table_free(a, &set.table);
    rp_release(a, set.words);
}
