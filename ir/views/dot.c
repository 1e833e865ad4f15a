/* A graph for Graphviz.
 *
 * Edges are values: the node that wrote some bytes, and each node that reads them (in plan order,
 * which is source order before scheduling). WAR and WAW hazards would bury them, so these stand
 * only in the notes of the barriers they forced. A group is a cluster of one rank; a dotted chain
 * through the barriers keeps the groups in order from top to bottom. What enters and leaves a plan
 * (in, live, out, inout) is drawn as ellipses; weights are not, since almost every node reads one.
 * Cost: one walk over the hazards, linear in the result. */
#include <stdio.h>

#include "text/print.h"
#include "graph/reasons.h"
#include "views/views.h"

typedef struct painter {
    rp_text *text;
    const rp_graph *graph;
} painter;

/* A string's characters for use inside quotes. */
static void print_escaped(rp_text *t, const char *string) {
    for (const char *c = string; *c; c++) {
        if (*c == '"' || *c == '\\') rp_text_char(t, '\\');
        rp_text_char(t, (unsigned char)*c < 0x20 ? ' ' : *c);
    }
}

static void print_name_line(rp_text *t, const rp_graph *g, uint32_t string) {
    if (string == RP_NONE) return;
    rp_text_string(t, "\\n");
    print_escaped(t, rp_graph_string(g, string));
}

static void print_node(rp_text *t, const rp_graph *g, const rp_graph_node *n, const char *indent) {
    rp_text_format(t, "%sn%u [label=\"n%u ", indent, n->id, n->id);
    if (n->kind == RP_RUN) {
        rp_text_char(t, '@');
        print_escaped(t, rp_graph_string(g, g->kernels[n->kernel].name));
    } else if (n->kind == RP_OP) {
        rp_text_string(t, rp_members_name(g, n));
    } else {
        rp_text_string(t, rp_node_kind_name(n->kind));
    }
    for (uint32_t i = 0; i < n->member_count && n->member_count > 1; i++)
        rp_text_format(t, "\\nn%u %s", rp_node_members(g, n)[i].id,
                       rp_node_members(g, n)[i].op->name);
    print_name_line(t, g, n->label);
    if (n->op != n->label) print_name_line(t, g, n->op);
    rp_text_char(t, '"');
    if (n->unknown)
        rp_text_string(t, ", color=red, tooltip=\"uses unknown: orders everything\"");
    else if (n->kind == RP_FENCE)
        rp_text_string(t, ", color=red, style=dashed");
    else if (n->optional)
        rp_text_string(t, ", style=dashed, tooltip=\"optional: may be left out of a replay\"");
    else if (n->kind != RP_RUN && n->kind != RP_OP)
        rp_text_string(t, ", style=rounded");
    rp_text_string(t, "];\n");
}

/* The barrier before group `b` as a note, with its reason. */
static void print_barrier(rp_text *t, const rp_graph *g, const rp_reasons *reasons, uint32_t b) {
    rp_text_format(t, "  barrier%u [shape=note, fontsize=10, label=\"", b);
    const rp_graph_barrier *forms[] = {&g->barriers[b], &rp_graph_form(g, RP_FORM_TAGGED)[b]};
    bool two = forms[0]->src != forms[1]->src || forms[0]->dst != forms[1]->dst;
    for (uint32_t f = 0; f < (two ? RP_FORMS : 1); f++) {
        rp_text_string(t, f ? "\\ntagged: " : "");
        rp_scope_print(t, forms[f]->src);
        rp_text_string(t, " -> ");
        rp_scope_print(t, forms[f]->dst);
    }
    rp_reasons_print(t, g, reasons, b, "\\n"); /* names and numbers: nothing to escape */
    rp_text_string(t, "\"];\n");
}

/* The groups with the barriers between them. `link` is what the chain has reached: the first node
 * of the group before, or a barrier. */
static void print_groups(rp_text *t, const rp_graph *g, const rp_reasons *reasons) {
    uint32_t at = 0;
    char link[32] = "", next[32];
    for (uint32_t i = 0; i <= g->group_count; i++) {
        bool barrier = false;
        for (uint32_t f = 0; f < reasons->form_count; f++)
            barrier |= rp_graph_form(g, (rp_form)f)[i].src || rp_graph_form(g, (rp_form)f)[i].dst;
        if (barrier) {
            print_barrier(t, g, reasons, i);
            snprintf(next, sizeof next, "barrier%u", i);
            if (*link)
                rp_text_format(t, "  %s -> %s [style=dotted, arrowhead=none];\n", link, next);
            memcpy(link, next, sizeof link);
        }
        if (at == g->nodes_count || g->nodes[at].group != i) continue;
        snprintf(next, sizeof next, "n%u", g->nodes[at].id);
        rp_text_format(t, "  subgraph cluster_group%u {\n    label=\"group %u\"; rank=same;\n", i,
                       i);
        for (; at < g->nodes_count && g->nodes[at].group == i; at++)
            print_node(t, g, &g->nodes[at], "    ");
        rp_text_string(t, "  }\n");
        if (*link) rp_text_format(t, "  %s -> %s [style=dotted, arrowhead=none];\n", link, next);
        memcpy(link, next, sizeof link);
    }
}

static bool is_drawn(const rp_graph_buffer *b) {
    switch ((rp_buffer_kind)b->kind) {
    case RP_IN:
    case RP_OUT:
    case RP_INOUT:
    case RP_LIVE: return !b->removed;
    case RP_WEIGHT:
    case RP_TMP: return false;
    }
    return false;
}

static void print_buffers(rp_text *t, const rp_graph *g) {
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        if (!is_drawn(&g->buffers[i])) continue;
        rp_text_format(t, "  buffer%u [shape=ellipse, label=\"", i);
        rp_buffer_print(t, g, i);
        rp_text_format(t, "\\n%s ", rp_buffer_kind_name(g->buffers[i].kind));
        rp_text_u64(t, g->buffers[i].size);
        rp_text_string(t, " B\"];\n");
    }
}

static void print_edge_label(painter *p, uint32_t buffer, uint64_t size, const char *rest) {
    rp_text_string(p->text, " [label=\"");
    rp_buffer_print(p->text, p->graph, buffer);
    rp_text_char(p->text, ' ');
    rp_text_u64(p->text, size);
    rp_text_format(p->text, " B\"%s];\n", rest);
}

static rp_status print_hazard(void *context, const rp_hazard *h) {
    painter *p = context;
    rp_text *t = p->text;
    if (h->kind != RP_RAW_HAZARD && h->kind != RP_ORDER) return RP_OK;
    if (h->kind == RP_ORDER && h->next_replay) return RP_OK;
    rp_text_format(t, "  n%u -> ", p->graph->nodes[h->from].id);
    if (h->to == RP_HAZARD_HOST)
        rp_text_format(t, "buffer%u", h->to_buffer);
    else
        rp_text_format(t, "n%u", p->graph->nodes[h->to].id);
    if (h->kind == RP_ORDER)
        rp_text_string(t, " [color=red, style=dashed];\n");
    else if (h->next_replay)
        print_edge_label(p, h->to_buffer, h->size, ", style=dashed, constraint=false");
    else
        print_edge_label(p, h->to_buffer, h->size, "");
    return RP_OK;
}

/* What nodes read from the host: no node wrote it, so it is no hazard. */
static void print_inputs(painter *p) {
    const rp_graph *g = p->graph;
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        for (uint32_t u = 0; u < n->use_count; u++) {
            const rp_graph_use *use = &rp_node_uses(g, n)[u];
            uint8_t kind = g->buffers[use->buffer].kind;
            if (kind != RP_IN && kind != RP_LIVE) continue;
            rp_text_format(p->text, "  buffer%u -> n%u", use->buffer, n->id);
            print_edge_label(p, use->buffer, use->size, "");
        }
    }
}

static void print_heading(rp_text *t, const rp_graph *g, const rp_graph_stats *s) {
    rp_text_string(t, "digraph \"");
    print_escaped(t, rp_graph_string(g, g->name));
    rp_text_string(t, "\" {\n  graph [newrank=true, labelloc=t, fontname=\"sans-serif\", label=\"");
    print_escaped(t, rp_graph_string(g, g->name));
    rp_text_format(t, ": %u nodes", s->nodes);
    if (s->stages & RP_STAGE_SCHEDULED) rp_text_format(t, ", %u groups", s->groups);
    if (s->stages & RP_STAGE_SYNCED)
        rp_text_format(t, ", %u barriers (bound %u)", s->barriers, s->barrier_bound);
    if (s->stages & RP_STAGE_PLACED) {
        rp_text_string(t, ", arena ");
        rp_text_u64(t, s->arena_bytes);
        rp_text_string(t, " B (bound ");
        rp_text_u64(t, s->arena_bound_bytes);
        rp_text_string(t, " B)");
    }
    rp_text_string(t, "\"];\n  node [shape=box, fontname=\"sans-serif\"];\n"
                      "  edge [fontname=\"sans-serif\", fontsize=10];\n");
}

rp_status rp_graph_print_dot(const rp_graph *graph, rp_text *text) {
    rp_graph_stats stats = {.size = sizeof stats};
    RP_TRY(rp_graph_get_stats(graph, &stats));
    rp_reasons reasons;
    RP_TRY(rp_reasons_build(graph, &reasons));
    painter p = {text, graph};
    print_heading(text, graph, &stats);
    print_buffers(text, graph);
    if (graph->stages & RP_STAGE_SCHEDULED) {
        print_groups(text, graph, &reasons);
    } else {
        for (uint32_t i = 0; i < graph->nodes_count; i++)
            print_node(text, graph, &graph->nodes[i], "  ");
    }
    rp_reasons_free(graph, &reasons);
    print_inputs(&p);
    RP_TRY(rp_hazards_walk(graph, print_hazard, &p));
    rp_text_string(text, "}\n");
    return text->failed ? RP_ERROR_NO_MEMORY : RP_OK;
}
