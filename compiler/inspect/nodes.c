/* Where nodes could stand, what orders them, and what they cost.
 *
 * `earliest` and `latest` are the groups that a node's dependences leave it, given how many groups there are; nodes of
 * the longest path, which no schedule makes shorter, are `critical`. */
#include "inspect/internal.h"

#include "base/number.h"
#include "graph/deps.h"
#include "reprise/cost.h"

typedef struct paths {
    rp_deps deps;
    uint32_t *depth,
        *height;      /* vertex: weighing ones of the longest path up to it, and from it on */
    uint32_t *vertex; /* node -> vertex */
    uint32_t deepest;
} paths;

static void free_paths(const rp_graph *g, paths *p) {
    rp_release(&g->allocator, p->depth);
    rp_release(&g->allocator, p->height);
    rp_release(&g->allocator, p->vertex);
    rp_deps_free(g, &p->deps);
}

static rp_status find_paths(const rp_graph *g, paths *p) {
    const rp_allocator *a = &g->allocator;
    RP_TRY(rp_deps_build(g, &p->deps));
    rp_deps *d = &p->deps;
    p->depth = rp_alloc_zero(a, d->vertex_count, sizeof *p->depth);
    p->height = rp_alloc_zero(a, d->vertex_count, sizeof *p->height);
    p->vertex = rp_alloc_zero(a, g->nodes_count, sizeof *p->vertex);
    if (!p->depth || !p->height || !p->vertex) return RP_ERROR_NO_MEMORY;
    p->deepest = rp_deps_depth(d, p->depth);
    for (uint32_t i = d->vertex_count; i--;) {
        uint32_t v = d->order[i], most = 0;
        for (uint32_t e = d->first_succ[v]; e < d->first_succ[v + 1]; e++)
            if (p->height[d->succ[e]] > most) most = p->height[d->succ[e]];
        p->height[v] = most + d->weight[v];
    }
    for (uint32_t v = 0; v < d->node_count; v++) p->vertex[d->node[v]] = v;
    return RP_OK;
}

/* Nodes in front of a vertex or behind it, those behind joins among them: at most RP_INSPECT_NEAR. */
typedef struct neighbours {
    uint32_t ids[RP_INSPECT_NEAR];
    uint32_t count, steps;
    bool cut;
} neighbours;

/* Keeps ids ascending, each once. */
static void add_neighbour(neighbours *n, uint32_t id) {
    uint32_t at = n->count;
    while (at > 0 && n->ids[at - 1] > id) at--;
    if (at > 0 && n->ids[at - 1] == id) return;
    if (n->count == RP_INSPECT_NEAR) {
        n->cut = true;
        return;
    }
    memmove(n->ids + at + 1, n->ids + at, (n->count - at) * sizeof *n->ids);
    n->ids[at] = id;
    n->count++;
}

/* `first` and `edges`: the edges of each vertex, to those before it or to those behind it. */
static void find_neighbours(neighbours *n, const rp_graph *g, const rp_deps *d,
                            const uint32_t *first, const uint32_t *edges, uint32_t vertex) {
    uint32_t stack[64], depth = 0;
    stack[depth++] = vertex;
    while (depth && !n->cut) {
        uint32_t v = stack[--depth];
        for (uint32_t e = first[v]; e < first[v + 1] && !n->cut; e++) {
            uint32_t other = edges[e];
            n->cut = ++n->steps > 1024 || (other >= d->node_count && depth == 64);
            if (other < d->node_count)
                add_neighbour(n, g->nodes[d->node[other]].id);
            else if (!n->cut)
                stack[depth++] = other;
        }
    }
}

static void put_neighbours(rp_text *t, const rp_graph *g, const paths *p, uint32_t vertex,
                           bool behind) {
    const rp_deps *d = &p->deps;
    neighbours near = {.count = 0};
    find_neighbours(&near, g, d, behind ? d->first_succ : d->first_pred, behind ? d->succ : d->pred,
                    vertex);
    rp_json_key(t, behind ? "before" : "after");
    rp_inspect_list(t, near.ids, near.count);
    if (near.cut) rp_json_flag(t, behind ? "before_more" : "after_more", true);
}

static void put_place(rp_text *t, const rp_graph *g, const paths *p, uint32_t node) {
    const rp_graph_node *n = &g->nodes[node];
    uint32_t v = p->vertex[node], weight = p->deps.weight[v];
    if (g->stages & RP_STAGE_SCHEDULED) {
        uint32_t earliest = p->depth[v] - weight;
        uint32_t latest = g->group_count > p->height[v] ? g->group_count - p->height[v] : 0;
        if (earliest > n->group) earliest = n->group;
        if (latest < n->group) latest = n->group;
        rp_json_number(t, "earliest", earliest);
        rp_json_number(t, "latest", latest);
        rp_json_number(t, "slack", latest - earliest);
    }
    if (weight && p->depth[v] + p->height[v] - 1 == p->deepest) rp_json_flag(t, "critical", true);
    put_neighbours(t, g, p, v, false);
    put_neighbours(t, g, p, v, true);
}

static void put_known(rp_text *t, const char *key, double value) {
    if (value >= 0) rp_json_real(t, key, value);
}

static void put_said(rp_text *t, const char *key, const char *value) {
    if (value) rp_json_text(t, key, value);
}

static void put_cost(rp_text *t, const rp_costs *costs, uint32_t node) {
    rp_node_cost c = {.size = sizeof c};
    if (!costs || rp_costs_get(costs, node, &c) != RP_OK) return;
    put_said(t, "ops", c.ops);
    put_said(t, "variant", c.variant);
    put_said(t, "decided", c.decided);
    put_known(t, "bytes_read", c.bytes_read);
    put_known(t, "bytes_written", c.bytes_written);
    put_known(t, "operations", c.operations);
    put_said(t, "ceiling", c.ceiling);
    put_known(t, "memory_ns", c.memory_ns);
    put_known(t, "arithmetic_ns", c.arithmetic_ns);
    put_known(t, "expected_ns", c.expected_ns);
}

/* Of each group what the longest of its nodes is expected to take. */
static void put_expected(rp_text *t, const rp_graph *g, const rp_costs *costs) {
    uint32_t node = 0; /* they are in plan order */
    rp_text_string(t, ",\n\"longest_expected_ns\":[");
    for (uint32_t group = 0; group < g->group_count; group++) {
        double most = 0;
        for (; node < g->nodes_count && g->nodes[node].group == group; node++) {
            rp_node_cost c = {.size = sizeof c};
            if (rp_costs_get(costs, node, &c) == RP_OK && c.expected_ns > most)
                most = c.expected_ns;
        }
        if (group) rp_text_char(t, ',');
        rp_number_print(t, most);
    }
    rp_text_char(t, ']');
}

static void put_nodes(rp_text *t, const rp_graph *g, const paths *p, const rp_costs *costs,
                      const uint32_t *glsl) {
    rp_text_string(t, ",\n\"nodes\":[");
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        rp_text_format(t, "%s{\"id\":%u", i ? ",\n" : "\n", g->nodes[i].id);
        put_place(t, g, p, i);
        if (glsl[i] != RP_NONE) rp_json_number(t, "glsl", glsl[i]);
        put_cost(t, costs, i);
        rp_text_char(t, '}');
    }
    rp_text_format(t, "],\n\"longest_path\":%u", p->deepest);
    if (g->stages & RP_STAGE_SCHEDULED) put_expected(t, g, costs);
}

rp_status rp_inspect_nodes(rp_text *t, const rp_graph *g, const rp_graph *source,
                           const uint32_t *glsl, rp_diags *diags) {
    paths p = {0};
    rp_costs *costs = NULL;
    rp_status status = find_paths(g, &p);
    if (status == RP_OK) status = rp_costs_create(g, source, NULL, diags, &costs);
    if (status == RP_OK) put_nodes(t, g, &p, costs, glsl);
    rp_costs_destroy(costs);
    free_paths(g, &p);
    return status;
}
