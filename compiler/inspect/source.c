/* The nodes of a source graph: what a person wrote, and where. */
#include "inspect/internal.h"

#include "text/print.h"

/* Line `number` (from 1) of a text; its end is that of the line. NULL where there is none. */
typedef struct line_reader {
    const char *at, *end;
    uint32_t number;
} line_reader;

static const char *find_line(line_reader *r, const char *text, uint32_t number, size_t *out_size) {
    if (!text || number == 0) return NULL;
    if (!r->at || number < r->number) {
        r->at = text;
        r->number = 1;
    }
    while (r->number < number) {
        const char *next = memchr(r->at, '\n', (size_t)(r->end - r->at));
        if (!next) return NULL;
        r->at = next + 1;
        r->number++;
    }
    const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    *out_size = (size_t)((stop ? stop : r->end) - r->at);
    return r->at;
}

/* What the node does, in the words of the text form, without its members' braces. */
static void put_work(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    rp_text_string(t, ",\"text\":");
    rp_text work;
    rp_text_init(&work, &g->allocator);
    if (n->kind == RP_OP && n->member_count == 1) {
        rp_print_member(&work, g, n, rp_node_members(g, n));
    } else {
        if (n->kind == RP_RUN)
            rp_text_format(&work, "@%s", rp_graph_string(g, g->kernels[n->kernel].name));
        else if (n->kind == RP_OP)
            rp_text_string(&work, rp_members_name(g, n));
        else
            rp_text_string(&work, rp_node_kind_name(n->kind));
        rp_text_string(&work, n->unknown ? " (any" : " (");
        for (uint32_t u = 0; u < n->use_count; u++) {
            const rp_graph_use *use = &rp_node_uses(g, n)[u];
            rp_text_format(&work, "%s%s ", u ? ", " : "", rp_access_name(use->access));
            rp_print_range(&work, g, use);
        }
        rp_text_char(&work, ')');
    }
    size_t size = work.size > 2048 ? 2048 : work.size;
    rp_json_bytes(t, work.data ? work.data : "", size);
    t->failed |= work.failed;
    rp_text_free(&work);
}

/* Whether the line says it in the words of the text form already: "n3 = ...", with all of its members. */
static bool is_graph_text(const char *line, size_t size) {
    size_t at = 0;
    while (at < size && (line[at] == ' ' || line[at] == '\t')) at++;
    if (at == size || line[at++] != 'n') return false;
    while (at < size && line[at] >= '0' && line[at] <= '9') at++;
    return size - at > 3 && !memcmp(line + at, " = ", 3) && line[size - 1] != '{';
}

void rp_inspect_source(rp_text *t, const rp_graph *g, const char *lines, size_t size) {
    line_reader reader = {.end = lines ? lines + size : NULL};
    rp_text_string(t, "{\"nodes\":[");
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        size_t length = 0;
        rp_text_format(t, "%s{\"id\":%u", i ? ",\n" : "\n", n->id);
        rp_json_optional(t, "line", n->pos.line, 0);
        if (n->label != RP_NONE) rp_json_text(t, "label", rp_graph_string(g, n->label));
        const char *line = find_line(&reader, lines, n->pos.line, &length);
        if (!line || !is_graph_text(line, length)) put_work(t, g, n);
        if (line && !memchr(line, 0, length)) {
            rp_json_key(t, "written");
            rp_json_bytes(t, line, length > 2048 ? 2048 : length);
        }
        rp_text_char(t, '}');
    }
    rp_text_string(t, "]}");
}
