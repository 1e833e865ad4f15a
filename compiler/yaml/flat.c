/* The flat pipeline as text: what the readers of sections saw, with every expression as what it was
 * worth.
 *
 * Which texts are expressions the readers alone know, so they note what they read: at a node its
 * value, or the text that stands for it. Everything else is printed as it is, an entry a line. */
#include "yaml/expand.h"

#include <stdio.h>

typedef struct printer {
    rp_reader *r;
    rp_text *out;
} printer;

/* ---- Noting ---------------------------------------------------------------------------------- */

/* A node that several aliases or repetitions share is worth the same to all. */
static const char *find_note(const rp_reader *r, const rp_yaml_node *node) {
    uint32_t key = rp_table_key(&node, sizeof(const rp_yaml_node *));
    for (uint32_t at = 0, i; rp_table_next(&r->note_table, key, &at, &i);)
        if (r->notes[i].node == node) return r->notes[i].text;
    return NULL;
}

void rp_flat_text(rp_reader *r, const rp_yaml_node *node, const char *text) {
    if (!r->source->keep_flat || find_note(r, node)) return;
    size_t length = strlen(text);
    char *copy = rp_make(r, length + 1);
    if (!copy || !RP_RESERVE(&r->a, r->notes, r->notes_count, r->notes_capacity, 1) ||
        !rp_table_add(&r->a, &r->note_table, rp_table_key(&node, sizeof(const rp_yaml_node *)),
                      r->notes_count)) {
        rp_read_no_memory(r);
        return;
    }
    memcpy(copy, text, length + 1);
    r->notes[r->notes_count++] = (rp_flat_note){node, copy};
}

static const char *live_name(void *context, uint32_t buffer) {
    const rp_graph *g = context;
    return rp_graph_string(g, g->buffers[buffer].name);
}

void rp_flat_value(rp_reader *r, const rp_yaml_node *node, const rp_value *value,
                   const rp_expr *code) {
    if (!r->source->keep_flat) return;
    rp_text text;
    rp_text_init(&text, &r->a);
    if (value->kind == RP_VALUE_LIVE)
        rp_expr_print(&text, code->ops, code->count, live_name, r->graph);
    else if (value->kind == RP_VALUE_REAL && !(value->real - value->real == 0))
        rp_text_string(&text, value->real != value->real ? ".nan"
                              : value->real > 0          ? ".inf"
                                                         : "-.inf");
    else
        rp_value_print(&text, value);
    if (text.failed) {
        rp_read_no_memory(r);
    } else {
        uint32_t kept = 0; /* graph texts have '$' in front of live values */
        for (uint32_t i = 0; i < text.size; i++)
            if (text.data[i] != '$') text.data[kept++] = text.data[i];
        text.data[kept] = '\0';
        rp_flat_text(r, node, text.data);
    }
    rp_text_free(&text);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Whether YAML reads a plain text as that text, between brackets too. */
static bool is_plain(const char *text) {
    static const char *const words[] = {"null", "true", "false"};
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
    bool sign = *text == '-' && text[1] && strchr("0123456789.", text[1]);
    if (!*text || (!strchr(letters, *text) && !sign)) return false;
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) return false;
    for (const char *c = text; *c; c++)
        if (!strchr(letters, *c) && !strchr("+-*%", *c) && !(*c == ' ' && c[1] && c[1] != ' '))
            return false;
    return true;
}

/* The code point that begins at *at, which moves behind it. The parser has checked the text. */
static uint32_t next_point(const char **at) {
    const unsigned char *c = (const unsigned char *)*at;
    uint32_t length = *c < 0x80 ? 1 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? *c : *c & (0x7fu >> length);
    for (uint32_t i = 1; i < length && c[i]; i++) point = point << 6 | (c[i] & 0x3fu);
    *at += length;
    return point;
}

static void print_quoted(rp_text *out, const char *text) {
    rp_text_char(out, '"');
    while (*text) {
        uint32_t point = next_point(&text);
        if (point == '"' || point == '\\')
            rp_text_format(out, "\\%c", (char)point);
        else if (point >= ' ' && point < 0x7f)
            rp_text_char(out, (char)point);
        else if (point == '\n')
            rp_text_string(out, "\\n");
        else
            rp_text_format(out, point > 0xffff ? "\\U%08x" : "\\u%04x", point);
    }
    rp_text_char(out, '"');
}

static void print_scalar(printer *p, const rp_yaml_node *node) {
    const char *note = find_note(p->r, node), *text = note ? note : node->text;
    if (!note && !node->quoted && rp_yaml_is_null(node))
        rp_text_char(p->out, '~');
    else if (is_plain(text) || (!note && rp_read_bool(node) >= 0))
        rp_text_string(p->out, text);
    else
        print_quoted(p->out, text);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void print_value(printer *p, const rp_yaml_node *node) {
    if (node->kind == RP_YAML_SCALAR) {
        print_scalar(p, node);
        return;
    }
    bool is_map = node->kind == RP_YAML_MAP;
    rp_text_char(p->out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < node->count; i++) {
        if (i) rp_text_string(p->out, ", ");
        if (is_map) {
            print_scalar(p, rp_yaml_key(node, i));
            rp_text_string(p->out, ": ");
        }
        print_value(p, is_map ? rp_yaml_value(node, i) : node->items[i]);
    }
    rp_text_char(p->out, is_map ? '}' : ']');
}

static void print_section(printer *p, const char *name, const rp_yaml_node *section) {
    bool is_list = section && section->kind == RP_YAML_LIST;
    if (!section || (section->count == 0 && !is_list)) return;
    rp_text_format(p->out, section->count ? "%s:\n" : "%s: []\n", name);
    for (uint32_t i = 0; i < section->count; i++) {
        rp_text_string(p->out, is_list ? "  - " : "  ");
        if (!is_list) {
            print_scalar(p, rp_yaml_key(section, i));
            rp_text_string(p->out, ": ");
        }
        print_value(p, is_list ? section->items[i] : rp_yaml_value(section, i));
        rp_text_char(p->out, '\n');
    }
}

bool rp_flat_print(rp_reader *r, const rp_yaml_node *root, const rp_sections *flat) {
    rp_text text;
    rp_text_init(&text, &r->a);
    printer p = {r, &text};
    const rp_yaml_node *name = rp_yaml_find(root, "name");
    rp_text_string(&text, "reprise: 1\n");
    if (name) {
        rp_text_string(&text, "name: ");
        print_scalar(&p, name);
        rp_text_char(&text, '\n');
    }
    print_section(&p, "live", flat->live);
    print_section(&p, "buffers", flat->buffers);
    print_section(&p, "samplers", flat->samplers);
    print_section(&p, "kernels", flat->kernels);
    print_section(&p, "nodes", flat->nodes);
    size_t size;
    rp_status status = rp_text_take(&text, &r->pipeline->flat, &size);
    if (status != RP_OK) rp_text_free(&text);
    return status == RP_OK || rp_read_no_memory(r);
}
