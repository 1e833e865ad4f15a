/* What all sections of a pipeline share: errors at a node's place, the check of a map's keys, names
 * with suggestions, and paths.
 *
 * Errors never unwind: a function reports, marks the reader as failed and returns false, and its
 * caller goes on with the next item. Messages quote the user's text clipped and with control
 * characters masked, since they go to terminals. */
#include "yaml/expand.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/spelling.h"
#include "text/lex.h"

/* ---- Names ----------------------------------------------------------------------------------- */

bool rp_names_add(const rp_allocator *a, rp_names *names, const rp_name *name) {
    if (!RP_RESERVE(a, names->items, names->count, names->capacity, 1)) return false;
    uint32_t key = rp_table_key(name->text, strlen(name->text));
    if (!rp_table_add(a, &names->table, key, names->count)) return false;
    names->items[names->count++] = *name;
    return true;
}

const rp_name *rp_names_find(const rp_names *names, const char *text, size_t length) {
    uint32_t key = rp_table_key(text, length);
    for (uint32_t at = 0, found; rp_table_next(&names->table, key, &at, &found);) {
        const rp_name *name = &names->items[found];
        if (strncmp(name->text, text, length) == 0 && !name->text[length]) return name;
    }
    return NULL;
}

void rp_names_free(const rp_allocator *a, rp_names *names) {
    rp_release(a, names->items);
    rp_table_free(a, &names->table);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

const char *rp_read_file(const rp_reader *r, const rp_yaml_node *node) {
    return node->origin && node->origin->file ? node->origin->file : r->file;
}

rp_source_pos rp_read_pos(const rp_yaml_node *node) {
    const rp_yaml_origin *origin = node->origin;
    while (origin && origin->file) {
        node = origin->at;
        origin = origin->outer;
    }
    return (rp_source_pos){node->line, node->column};
}

/* "l = 3, x = h0": what a use gives. */
static void list_given(const rp_yaml_scope *scope, rp_name_list *list) {
    for (uint32_t i = 0; i < scope->count; i++) {
        const rp_yaml_binding *b = &scope->items[i];
        if (b->is_number && b->value.kind == RP_VALUE_INTEGER)
            rp_list_add(list, "%.30s = %lld", b->name, (long long)b->value.integer);
        else if (b->is_number)
            rp_list_add(list, "%.30s = %g", b->name, b->value.real);
        else if (b->given->kind == RP_YAML_SCALAR)
            rp_list_add(list, "%.30s = %.30s", b->name, b->given->text);
    }
}

static void note_origin(rp_reader *r, const rp_yaml_origin *origin) {
    rp_name_list list = {0};
    const rp_yaml_node *at = origin->at;
    const char *file = rp_read_file(r, at);
    if (origin->scope) list_given(origin->scope, &list);
    switch (origin->kind) {
    case RP_ORIGIN_INCLUDE:
        rp_diags_add(r->diags, RP_NOTE, file, at->line, at->column, "included here");
        break;
    case RP_ORIGIN_REPEAT:
        rp_diags_add(r->diags, RP_NOTE, file, at->line, at->column, "repeated here with %s",
                     list.text);
        break;
    case RP_ORIGIN_USE:
        rp_diags_add(r->diags, RP_NOTE, file, at->line, at->column, "in block '%s', used here%s%s",
                     origin->block->key->text, list.length ? " with " : "", list.text);
        break;
    case RP_ORIGIN_GIVEN:
        rp_diags_add(r->diags, RP_NOTE, file, at->line, at->column, "it stands here for '%s'",
                     at->text);
        break;
    }
}

static void note_origins(rp_reader *r, const rp_yaml_origin *origin) {
    enum { MOST = 12 };
    for (uint32_t i = 0; origin && i < MOST; i++, origin = origin->outer) note_origin(r, origin);
}

/* One line of what was reported: "kind file:line:column: text". */
static uint32_t report_key(const rp_yaml_node *at, char kind, const char *text) {
    char place[1536];
    const char *file = at->origin->file ? at->origin->file : "";
    int n = snprintf(place, sizeof place, "%c%.400s:%u:%u:%.1024s", kind, file, at->line,
                     at->column, text);
    return rp_table_key(place, (size_t)n);
}

/* Whether the same mistake was reported of the same place in another repetition or use, where names
 * and numbers in it may differ: `format` tells what kind it is. In one and the same repetition a
 * place may have several, which differ in their message. */
static bool said_before(rp_reader *r, const rp_yaml_node *at, const char *format,
                        const char *message) {
    if (!at->origin) return false;
    uint32_t exact = report_key(at, '=', message), kind = report_key(at, '~', format), other;
    uint32_t here = rp_table_key(&at->origin, sizeof(const rp_yaml_origin *)) >> 1;
    if (rp_table_find(&r->reported, exact, &other)) return true;
    bool known = rp_table_find(&r->reported, kind, &other);
    if (known && other != here) return true;
    if (!rp_table_add(&r->a, &r->reported, exact, 0) ||
        (!known && !rp_table_add(&r->a, &r->reported, kind, here)))
        rp_read_no_memory(r);
    return false;
}

bool rp_read_error(rp_reader *r, const rp_yaml_node *at, const char *format, ...) {
    r->failed = true;
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    if (said_before(r, at, format, message)) return false;
    if (r->errors < UINT32_MAX) r->errors++;
    rp_diags_add(r->diags, RP_ERROR, rp_read_file(r, at), at->line, at->column, "%s", message);
    note_origins(r, at->origin);
    return false;
}

bool rp_read_no_memory(rp_reader *r) {
    r->no_memory = true;
    return false;
}

/* Near enough to be the same word: one mistake in up to three letters, two in longer words. */
static bool is_near(const char *name, const char *candidate, uint32_t *best) {
    uint32_t d = rp_edit_distance(name, strlen(name), candidate, strlen(candidate));
    uint32_t limit = strlen(name) > 3 ? 2 : 1;
    if (d > limit || d >= *best || d >= strlen(name)) return false;
    *best = d;
    return true;
}

void rp_read_suggest(const rp_reader *r, char *text, size_t size, const rp_names *names,
                     const char *name) {
    /* How many errors get a suggestion, and how many names are looked at: a file full of errors
     * must not take longer than one without. */
    enum { MOST_ERRORS = 100, MOST = 10000 };
    uint32_t best = 99;
    const char *found = NULL;
    for (uint32_t i = 0; i < names->count && i < MOST && r->errors < MOST_ERRORS; i++)
        if (names->items[i].value != RP_NONE && is_near(name, names->items[i].text, &best))
            found = names->items[i].text;
    text[0] = '\0';
    if (found) snprintf(text, size, " (did you mean '%s'?)", found);
}

/* ---- Maps, lists and texts ------------------------------------------------------------------- */

void rp_list_add(rp_name_list *list, const char *format, ...) {
    char item[96];
    va_list args;
    va_start(args, format);
    vsnprintf(item, sizeof item, format, args);
    va_end(args);
    size_t left = sizeof list->text - list->length;
    int n = snprintf(list->text + list->length, left, "%s%s", list->length ? ", " : "", item);
    if (n > 0 && (size_t)n < left)
        list->length += (size_t)n;
    else
        list->text[list->length] = '\0';
}

/* `alone`: it stands behind a ',' and has no value. */
static void unknown_key(rp_reader *r, const rp_yaml_node *key, bool alone, const char *what,
                        const char *const *keys) {
    rp_name_list list = {0};
    uint32_t best = 99;
    const char *found = NULL;
    for (uint32_t i = 0; keys[i]; i++) {
        if (is_near(key->text, keys[i], &best)) found = keys[i];
        rp_list_add(&list, "%s", keys[i]);
    }
    if (alone && !found)
        rp_read_error(r, key,
                      "unknown key '%.*s' in %s, and it has no value: a text with a comma between "
                      "{ } needs quotes",
                      RP_CLIP(key), what);
    else if (found)
        rp_read_error(r, key, "unknown key '%.*s' in %s: did you mean '%s'? (known: %s)",
                      RP_CLIP(key), what, found, list.text);
    else
        rp_read_error(r, key, "unknown key '%.*s' in %s (known: %s)", RP_CLIP(key), what,
                      list.text);
}

bool rp_read_map(rp_reader *r, const rp_yaml_node *node, const char *what,
                 const char *const *keys) {
    if (node->kind != RP_YAML_MAP)
        return rp_read_error(r, node, "%s is a map, not %s", what, rp_yaml_kind_name(node));
    bool good = true;
    for (uint32_t i = 0; keys && i < node->count; i++) {
        const rp_yaml_node *key = rp_yaml_key(node, i);
        uint32_t k = 0;
        while (keys[k] && !rp_yaml_is(key, keys[k])) k++;
        if (keys[k]) continue;
        const rp_yaml_node *value = rp_yaml_value(node, i);
        bool alone = node->flow && !key->quoted && !value->quoted && rp_yaml_is_null(value);
        unknown_key(r, key, alone, what, keys);
        good = false;
    }
    return good;
}

bool rp_read_list(rp_reader *r, const rp_yaml_node *node, const char *what) {
    if (node->kind == RP_YAML_LIST) return true;
    return rp_read_error(r, node, "%s is a list, not %s", what, rp_yaml_kind_name(node));
}

bool rp_read_text(rp_reader *r, const rp_yaml_node *node, const char *what) {
    if (node->kind == RP_YAML_SCALAR && node->length && !rp_yaml_is_null(node)) return true;
    return rp_read_error(r, node, "%s is a text, not %s", what,
                         node->kind == RP_YAML_SCALAR ? "nothing" : rp_yaml_kind_name(node));
}

bool rp_read_is_name(const char *text) {
    const char *c = text;
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_')) return false;
    while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
           *c == '_' || *c == '.')
        c++;
    return *c == '\0';
}

bool rp_read_name(rp_reader *r, const rp_yaml_node *node, const char *what) {
    if (!rp_read_text(r, node, what)) return false;
    if (node->length <= 128 && rp_read_is_name(node->text)) return true;
    return rp_read_error(r, node,
                         "%s '%.*s' is not a name: a letter or '_', then letters, digits, '_' and "
                         "'.', 128 at most",
                         what, RP_CLIP(node));
}

static bool names_odd(const rp_names *names, const char *text) {
    for (uint32_t i = 0; names->odd && i < names->count; i++)
        if (!rp_read_is_name(names->items[i].text) && strstr(text, names->items[i].text))
            return true;
    return false;
}

bool rp_read_names_odd(const rp_reader *r, const char *text) {
    return names_odd(&r->param_names, text) || names_odd(&r->buffer_names, text);
}

const rp_name *rp_read_find(rp_reader *r, rp_names *names, const rp_yaml_node *node,
                            const char *what) {
    if (!rp_read_text(r, node, what)) return NULL;
    const rp_name *name = rp_names_find(names, node->text, node->length);
    if (name || names->broken) return name;
    char suggestion[192];
    rp_read_suggest(r, suggestion, sizeof suggestion, names, node->text);
    rp_read_error(r, node, "unknown %s '%.*s'%s", what, RP_CLIP(node), suggestion);
    if (!rp_names_add(&r->a, names, &(rp_name){node->text, NULL, RP_NONE})) rp_read_no_memory(r);
    return NULL;
}

int rp_read_keyword(rp_reader *r, const rp_yaml_node *node, const char *what, rp_keyword *keyword,
                    uint32_t count) {
    if (!rp_read_text(r, node, what)) return -1;
    rp_name_list list = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (rp_yaml_is(node, keyword(i))) return (int)i;
        rp_list_add(&list, "%s", keyword(i));
    }
    rp_read_error(r, node, "%s '%.*s' is not one of: %s", what, RP_CLIP(node), list.text);
    return -1;
}

static const char *dtype_keyword(uint32_t code) {
    return rp_dtype_name((rp_dtype)(code + 1));
}

int rp_read_dtype(rp_reader *r, const rp_yaml_node *node) {
    int code = rp_read_keyword(r, node, "dtype", dtype_keyword, RP_DTYPES - 1); /* not raw */
    return code < 0 ? -1 : code + 1;
}

int rp_read_bool(const rp_yaml_node *node) {
    if (node->kind != RP_YAML_SCALAR || node->quoted) return -1;
    return rp_yaml_is(node, "true") ? 1 : rp_yaml_is(node, "false") ? 0 : -1;
}

bool rp_read_hex(const rp_yaml_node *node, uint32_t max_digits, uint64_t *out) {
    const char *c = node->kind == RP_YAML_SCALAR ? node->text : "";
    if (c[0] != '0' || (c[1] != 'x' && c[1] != 'X') || !c[2]) return false;
    uint64_t value = 0;
    for (c += 2; *c; c++) {
        uint32_t digit = rp_lex_hex_digit(*c);
        if (digit == 16 || max_digits-- == 0) return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

char *rp_read_kept(rp_reader *r, size_t size) {
    char *text = NULL;
    if (RP_RESERVE(&r->a, r->kept, r->kept_count, r->kept_capacity, 1))
        text = rp_alloc(&r->a, size, 1);
    if (text) r->kept[r->kept_count++] = text;
    return text;
}

/* In the flat pipeline the path is relative to the pipeline's folder. */
static void note_path(rp_reader *r, const rp_yaml_node *node, const char *path) {
    const char *slash = r->file ? strrchr(r->file, '/') : NULL;
    size_t folder = slash ? (size_t)(slash - r->file) + 1 : 0;
    rp_flat_text(r, node, folder && strncmp(path, r->file, folder) == 0 ? path + folder : path);
}

char *rp_read_path(rp_reader *r, const rp_yaml_node *node) {
    const char *file = rp_read_file(r, node), *text = node->text;
    const char *slash = file && text[0] != '/' ? strrchr(file, '/') : NULL;
    size_t folder = slash ? (size_t)(slash - file) + 1 : 0, length = strlen(text) + 1;
    char *path = rp_alloc(&r->a, folder + length, 1);
    if (!path) {
        rp_read_no_memory(r);
        return NULL;
    }
    if (folder) memcpy(path, file, folder);
    memcpy(path + folder, text, length);
    if (file != r->file) note_path(r, node, path);
    return path;
}
