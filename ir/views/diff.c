/* What changed from one graph to another, in terms of the graphs.
 *
 * Comparing lines of text would report every node behind a dropped one as moved and would not see
 * that n5 is still n5. So nodes are paired by id, buffers, kernels and samplers by name, barriers by the
 * group they stand before. For each pair a table of fields is printed from both sides and compared
 * as text: what is reported is what differs, in the words of the text form, and a new field is one
 * line here. Pairs are found by sorting keys and merging. Cost: O(n log n), or linear but for that
 * sort. */
#include "views/diff.h"

#include <stdlib.h>

enum { NODES_SHOWN = 16 }; /* of a group, on one line */

typedef struct tally {
    uint32_t dropped, added, changed;
} tally;

/* Which item of the other graph an item is; RP_NONE for none. */
typedef struct pairing {
    uint32_t *to_b, *to_a;
} pairing;

typedef struct differ {
    const rp_graph *a, *b;
    rp_text *summary;
    rp_text line, left, right;
    rp_diff_visit *visit;
    void *context;
    bool failed;
} differ;

/* ---- Pairing --------------------------------------------------------------------------------- */

typedef struct entry {
    uint64_t key;
    const char *name;
    uint32_t index;
} entry;

static int compare_entries(const void *left, const void *right) {
    const entry *a = left, *b = right;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* The present items of a graph, sorted; NULL without memory. */
static entry *sort_entries(const rp_allocator *alloc, const rp_graph *g, const rp_diff_category *c,
                           uint32_t *out_count) {
    entry *entries = rp_alloc(alloc, c->count(g), sizeof *entries);
    *out_count = 0;
    if (!entries) return NULL;
    for (uint32_t i = 0; i < c->count(g); i++)
        if (c->present(g, i)) entries[(*out_count)++] = (entry){c->key(g, i), c->name(g, i), i};
    qsort(entries, *out_count, sizeof *entries, compare_entries);
    return entries;
}

static uint32_t *new_links(const rp_allocator *alloc, uint32_t count) {
    uint32_t *links = rp_alloc(alloc, count, sizeof *links);
    for (uint32_t i = 0; links && i < count; i++) links[i] = RP_NONE;
    return links;
}

static void free_pairing(const differ *d, pairing *p) {
    rp_release(&d->a->allocator, p->to_a);
    rp_release(&d->a->allocator, p->to_b);
    *p = (pairing){0};
}

static rp_status pair(const differ *d, const rp_diff_category *c, pairing *out) {
    const rp_allocator *alloc = &d->a->allocator;
    uint32_t count_a, count_b, i = 0, j = 0;
    entry *in_a = sort_entries(alloc, d->a, c, &count_a);
    entry *in_b = sort_entries(alloc, d->b, c, &count_b);
    *out = (pairing){.to_b = new_links(alloc, c->count(d->a)),
                     .to_a = new_links(alloc, c->count(d->b))};
    bool ok = in_a && in_b && out->to_a && out->to_b;
    while (ok && i < count_a && j < count_b) {
        int order = compare_entries(&in_a[i], &in_b[j]);
        if (order == 0) {
            out->to_b[in_a[i].index] = in_b[j].index;
            out->to_a[in_b[j].index] = in_a[i].index;
        }
        i += order <= 0;
        j += order >= 0;
    }
    rp_release(alloc, in_a);
    rp_release(alloc, in_b);
    if (!ok) free_pairing(d, out);
    return ok ? RP_OK : RP_ERROR_NO_MEMORY;
}

/* ---- Reporting ------------------------------------------------------------------------------- */

static bool values_differ(differ *d) {
    if (d->left.size != d->right.size) return true;
    return d->left.size != 0 && memcmp(d->left.data, d->right.data, d->left.size) != 0;
}

static void clear(rp_text *t) {
    t->size = 0;
    if (t->data) t->data[0] = '\0';
}

/* Hands out the line that was begun. */
static void end_line(differ *d, char sign, const char *what, uint32_t id) {
    d->failed |= d->line.failed;
    if (!d->failed)
        d->visit(d->context, &(rp_diff_line){sign, what, id, d->line.size ? d->line.data : ""});
    clear(&d->line);
}

/* The name of an item in rp_diff_line. */
static uint32_t id_of(const rp_diff_category *c, const rp_graph *g, uint32_t index) {
    if (c == &rp_diff_nodes) return g->nodes[index].id;
    return c == &rp_diff_buffers ? index : RP_NONE;
}

static void print_values(differ *d) {
    rp_text_char(&d->line, ' ');
    rp_text_string(&d->line, d->left.size ? d->left.data : "none");
    rp_text_string(&d->line, " -> ");
    rp_text_string(&d->line, d->right.size ? d->right.data : "none");
}

/* One line for each field that differs; whether there was one. */
static bool compare_fields(differ *d, const rp_diff_category *c, uint32_t in_a, uint32_t in_b) {
    bool changed = false;
    for (uint32_t f = 0; f < c->field_count; f++) {
        clear(&d->left);
        clear(&d->right);
        c->fields[f].print(&d->left, d->a, in_a);
        c->fields[f].print(&d->right, d->b, in_b);
        if (!values_differ(d)) continue;
        changed = true;
        rp_text_string(&d->line, "~ ");
        c->subject(&d->line, d->a, in_a);
        rp_text_char(&d->line, ' ');
        rp_text_string(&d->line, c->fields[f].name);
        print_values(d);
        end_line(d, '~', c->plural, id_of(c, d->b, in_b));
    }
    return changed;
}

/* "; buffers: 1 dropped, 2 changed" */
static void summarise(differ *d, const char *what, tally t) {
    if (t.dropped + t.added + t.changed == 0) return;
    const char *comma = "";
    if (d->summary->size) rp_text_string(d->summary, "; ");
    rp_text_format(d->summary, "%s: ", what);
    if (t.dropped) rp_text_format(d->summary, "%u dropped", t.dropped), comma = ", ";
    if (t.added) rp_text_format(d->summary, "%s%u added", comma, t.added), comma = ", ";
    if (t.changed) rp_text_format(d->summary, "%s%u changed", comma, t.changed);
}

/* Dropped and changed items in a's order, then the added ones in b's. */
static void compare_items(differ *d, const rp_diff_category *c, const pairing *p) {
    tally t = {0};
    uint32_t last = 0;
    bool reordered = false;
    for (uint32_t i = 0; i < c->count(d->a); i++) {
        if (!c->present(d->a, i)) continue;
        if (p->to_b[i] == RP_NONE) {
            rp_text_string(&d->line, "- ");
            c->brief(&d->line, d->a, i);
            rp_text_string(&d->line, " (dropped)");
            end_line(d, '-', c->plural, id_of(c, d->a, i));
            t.dropped++;
            continue;
        }
        t.changed += compare_fields(d, c, i, p->to_b[i]);
        reordered |= p->to_b[i] < last;
        last = p->to_b[i];
    }
    for (uint32_t i = 0; i < c->count(d->b); i++) {
        if (!c->present(d->b, i) || p->to_a[i] != RP_NONE) continue;
        rp_text_string(&d->line, "+ ");
        c->brief(&d->line, d->b, i);
        end_line(d, '+', c->plural, id_of(c, d->b, i));
        t.added++;
    }
    summarise(d, c->plural, t);
    if (reordered && c != &rp_diff_nodes) { /* the order of nodes is told by their groups */
        rp_text_format(&d->line, "~ %s are listed in another order", c->plural);
        end_line(d, '~', c->plural, RP_NONE);
        if (!d->summary->size) rp_text_format(d->summary, "%s: reordered", c->plural);
    }
}

/* ---- Schedule -------------------------------------------------------------------------------- */

/* Nodes list[first .. first + count), or those indices themselves without a list. */
static void print_node_list(rp_text *t, const rp_graph *g, const uint32_t *list, uint32_t first,
                            uint32_t count) {
    for (uint32_t i = 0; i < count && i < NODES_SHOWN; i++) {
        rp_text_string(t, i ? " n" : "n");
        rp_text_u64(t, g->nodes[list ? list[first + i] : first + i].id);
    }
    if (count > NODES_SHOWN) rp_text_format(t, " and %u more", count - NODES_SHOWN);
}

/* Every group of the one graph that is scheduled: to name each node's move would say no more. */
static void print_all_groups(differ *d, const rp_graph *g, char sign) {
    for (uint32_t at = 0, end; at < g->nodes_count; at = end) {
        for (end = at + 1; end < g->nodes_count && g->nodes[end].group == g->nodes[at].group;)
            end++;
        rp_text_format(&d->line, "%c group %u: ", sign, g->nodes[at].group);
        print_node_list(&d->line, g, NULL, at, end - at);
        end_line(d, sign, "groups", g->nodes[at].group);
    }
}

/* Nodes that stayed in their group, listed as indices into a's nodes in the order of either graph:
 * where the lists differ the group was reordered. */
static void compare_order(differ *d, const uint32_t *in_a, const uint32_t *in_b, uint32_t count,
                          tally *t) {
    for (uint32_t at = 0, end; at < count; at = end) {
        uint32_t group = d->a->nodes[in_a[at]].group;
        bool same = true;
        for (end = at; end < count && d->a->nodes[in_a[end]].group == group; end++)
            same &= in_a[end] == in_b[end];
        if (same) continue;
        rp_text_format(&d->line, "~ group %u order ", group);
        print_node_list(&d->line, d->a, in_a, at, end - at);
        rp_text_string(&d->line, " -> ");
        print_node_list(&d->line, d->a, in_b, at, end - at);
        end_line(d, '~', "groups", group);
        t->changed++;
    }
}

static void compare_groups(differ *d, const pairing *p, tally *t) {
    const rp_graph *a = d->a, *b = d->b;
    uint32_t *in_a = rp_alloc(&a->allocator, a->nodes_count, sizeof *in_a);
    uint32_t *in_b = rp_alloc(&a->allocator, b->nodes_count, sizeof *in_b);
    uint32_t count_a = 0, count_b = 0;
    for (uint32_t i = 0; in_a && in_b && i < a->nodes_count; i++) {
        if (p->to_b[i] == RP_NONE) continue;
        uint32_t group_a = a->nodes[i].group, group_b = b->nodes[p->to_b[i]].group;
        if (group_a == group_b) {
            in_a[count_a++] = i;
            continue;
        }
        rp_text_format(&d->line, "~ n%u group %u -> %u", a->nodes[i].id, group_a, group_b);
        end_line(d, '>', "nodes", a->nodes[i].id);
        t->changed++;
    }
    for (uint32_t i = 0; in_a && in_b && i < b->nodes_count; i++) {
        uint32_t other = p->to_a[i];
        if (other != RP_NONE && a->nodes[other].group == b->nodes[i].group) in_b[count_b++] = other;
    }
    if (in_a && in_b) compare_order(d, in_a, in_b, count_a, t);
    if (!in_a || !in_b) d->failed = true;
    rp_release(&a->allocator, in_a);
    rp_release(&a->allocator, in_b);
}

static void compare_schedule(differ *d, const pairing *p) {
    tally t = {0};
    if (rp_graph_has(d->a, RP_STAGE_SCHEDULED) && rp_graph_has(d->b, RP_STAGE_SCHEDULED)) {
        compare_groups(d, p, &t);
    } else if (rp_graph_has(d->a, RP_STAGE_SCHEDULED)) {
        print_all_groups(d, d->a, '-');
        t.dropped = d->a->group_count;
    } else if (rp_graph_has(d->b, RP_STAGE_SCHEDULED)) {
        print_all_groups(d, d->b, '+');
        t.added = d->b->group_count;
    }
    summarise(d, "groups", t);
}

/* ---- Barriers -------------------------------------------------------------------------------- */

/* The barrier before group `i`, or at the plan's end; NULL when there is none. */
static const rp_graph_barrier *find_barrier(const rp_graph *g, rp_form form, uint32_t i, bool end) {
    if (!rp_graph_has(g, RP_STAGE_SYNCED) || (!end && i >= g->group_count)) return NULL;
    const rp_graph_barrier *barrier = &rp_graph_form(g, form)[end ? g->group_count : i];
    return barrier->src || barrier->dst ? barrier : NULL;
}

static void print_scope_change(differ *d, const char *name, uint32_t from, uint32_t to) {
    if (from == to) return;
    rp_text_format(&d->line, " %s ", name);
    rp_scope_print(&d->line, from);
    rp_text_string(&d->line, " -> ");
    rp_scope_print(&d->line, to);
}

static void compare_barrier(differ *d, rp_form form, uint32_t i, bool end, tally *t) {
    const rp_graph_barrier *in_a = find_barrier(d->a, form, i, end);
    const rp_graph_barrier *in_b = find_barrier(d->b, form, i, end);
    if (!in_a && !in_b) return;
    if (in_a && in_b && in_a->src == in_b->src && in_a->dst == in_b->dst) return;
    rp_text_string(&d->line, in_a && in_b ? "~ barrier " : in_a ? "- barrier " : "+ barrier ");
    if (form == RP_FORM_TAGGED) rp_text_string(&d->line, "of the tagged form ");
    if (!end) rp_text_format(&d->line, "before group %u:", i);
    if (end) rp_text_string(&d->line, "at the end:");
    if (in_a && in_b) {
        print_scope_change(d, "src", in_a->src, in_b->src);
        print_scope_change(d, "dst", in_a->dst, in_b->dst);
        t->changed++;
    } else {
        rp_text_char(&d->line, ' ');
        rp_scope_print(&d->line, in_a ? in_a->src : in_b->src);
        rp_text_string(&d->line, " -> ");
        rp_scope_print(&d->line, in_a ? in_a->dst : in_b->dst);
        t->dropped += in_a != NULL;
        t->added += in_b != NULL;
    }
    end_line(d, in_a && in_b ? '~' : in_a ? '-' : '+', "barriers", end ? d->b->group_count : i);
}

static void compare_barriers(differ *d) {
    tally t = {0};
    uint32_t groups = d->a->group_count > d->b->group_count ? d->a->group_count : d->b->group_count;
    bool tagged = d->a->tagged_barriers_count || d->b->tagged_barriers_count;
    for (uint32_t form = 0; form < (tagged ? RP_FORMS : 1); form++) {
        for (uint32_t i = 0; i < groups; i++) compare_barrier(d, (rp_form)form, i, false, &t);
        compare_barrier(d, (rp_form)form, 0, true, &t);
    }
    summarise(d, "barriers", t);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static rp_status compare(differ *d) {
    static const rp_diff_category *const listed[] = {&rp_diff_kernels, &rp_diff_samplers,
                                                     &rp_diff_buffers};
    pairing p;
    if (compare_fields(d, &rp_diff_graph, 0, 0)) summarise(d, "graph", (tally){.changed = 1});
    for (uint32_t i = 0; i < sizeof listed / sizeof *listed; i++) {
        RP_TRY(pair(d, listed[i], &p));
        compare_items(d, listed[i], &p);
        free_pairing(d, &p);
    }
    RP_TRY(pair(d, &rp_diff_nodes, &p));
    compare_items(d, &rp_diff_nodes, &p);
    compare_schedule(d, &p);
    compare_barriers(d);
    free_pairing(d, &p);
    return d->left.failed || d->right.failed || d->failed ? RP_ERROR_NO_MEMORY : RP_OK;
}

rp_status rp_diff_each(const rp_graph *a, const rp_graph *b, rp_diff_visit *visit, void *context,
                       rp_text *summary) {
    differ d = {.a = a, .b = b, .summary = summary, .visit = visit, .context = context};
    rp_text *texts[] = {&d.line, &d.left, &d.right};
    for (uint32_t i = 0; i < 3; i++) rp_text_init(texts[i], &a->allocator);
    rp_status status = compare(&d);
    for (uint32_t i = 0; i < 3; i++) rp_text_free(texts[i]);
    return status;
}

static void add_line(void *context, const rp_diff_line *line) {
    rp_text_string(context, line->text);
    rp_text_char(context, '\n');
}

rp_status rp_graph_diff(const rp_graph *a, const rp_graph *b, char **out_text, size_t *out_size) {
    rp_text summary, lines;
    if (!out_text) return RP_ERROR_USAGE;
    *out_text = NULL;
    if (out_size) *out_size = 0;
    if (!a || !b) return RP_ERROR_USAGE;
    rp_text_init(&summary, &a->allocator);
    rp_text_init(&lines, &a->allocator);
    rp_status status = rp_diff_each(a, b, add_line, &lines, &summary);
    if (lines.failed) status = RP_ERROR_NO_MEMORY;
    if (status == RP_OK && lines.size) {
        rp_text_char(&summary, '\n');
        rp_text_append(&summary, lines.data, lines.size);
    }
    if (status == RP_OK) status = rp_text_take(&summary, out_text, out_size);
    rp_text_free(&summary);
    rp_text_free(&lines);
    return status;
}
