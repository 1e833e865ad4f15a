/* fuse: merges op nodes into fewer nodes, each of which becomes one generated kernel.
 *
 * Candidates come from dataflow, never from neighbourhood in the list:
 *   siblings   matrix-vector products of one x: one pass over x, one dispatch
 *   values     an op's output together with all that read it: it then need not be in memory
 * in the order of ids, so that what follows a product is taken up before what precedes the next.
 * Candidates are tried again when something around them was merged.
 *
 * A candidate is merged when all of this holds:
 *   - the value has no other readers and is no result (fuse_values.c)
 *   - one kernel can compute the merged ops (fuse_set.c, kernel_shape.h)
 *   - there is a place for the merged node in source order: an id of a member behind everything
 *     that any member waits for and before everything that waits for any member (fuse_order.c)
 *   - it is estimated to be faster (fuse_cost.c; in mode `tags`, for pass `flow` behind, fuse_tags.c)
 * Each refusal is told with its reason. Op nodes of several members are left as they are, and
 * graphs with nodes whose uses are unknown.
 *
 * Cost: candidates times their members, of which there are at most 40; a few candidates per op. */
#include "fuse.h"

#include <stdio.h>

#include "pass.h"

enum { TAGS = 1 }; /* the mode in which pass `flow` comes later */

/* Nodes that are one: a circular list through next[]. */
typedef struct cluster {
    uint32_t count;
    uint32_t position;           /* the id that the merged node gets */
    double parts[RP_FUSE_PARTS]; /* estimated seconds; negative: not known yet */
} cluster;

typedef struct state {
    rp_graph *g;
    const rp_pass_context *context;
    rp_fuse_values values;
    rp_fuse_order order;
    uint32_t *owner;   /* node -> its cluster, named by a node */
    uint32_t *next;    /* node -> the next node of the cluster */
    cluster *clusters; /* by name */
    rp_fuse_tags tags; /* in mode `tags` */
    uint64_t *open;    /* a bit for each node: its outputs are worth trying */
    rp_fuse_set *set;
    uint32_t merged, refused;
} state;

static const rp_graph_member *member_of(const state *s, uint32_t node) {
    return rp_node_members(s->g, &s->g->nodes[node]);
}

/* ---- Candidates ------------------------------------------------------------------------------ */

/* The set of all nodes of some clusters. False with the reason. */
static bool fill_nodes(const state *s, rp_fuse_set *set, const uint32_t *names, uint32_t count) {
    set->count = 0;
    for (uint32_t c = 0; c < count; c++) {
        uint32_t node = names[c];
        if (set->count + s->clusters[names[c]].count > RP_FUSE_MEMBERS) {
            snprintf(set->reason, sizeof set->reason, "more than %d ops would be one kernel",
                     RP_FUSE_MEMBERS);
            return false;
        }
        do {
            uint32_t at = set->count++;
            for (; at > 0 && set->nodes[at - 1] > node; at--) set->nodes[at] = set->nodes[at - 1];
            set->nodes[at] = node;
            node = s->next[node];
        } while (node != names[c]);
    }
    return true;
}

static bool fill_set(const state *s, rp_fuse_set *set, const uint32_t *names, uint32_t count) {
    return fill_nodes(s, set, names, count) && rp_fuse_set_calls(set);
}

/* Adds the cluster's parts to `sum`. */
static void add_time(state *s, uint32_t name, double sum[RP_FUSE_PARTS]) {
    cluster *c = &s->clusters[name];
    if (c->parts[0] < 0) {
        bool ok = fill_set(s, s->set, &name, 1) && rp_fuse_set_shape(s->set);
        const rp_fuse_estimate own = ok ? rp_fuse_time(s->set) : (rp_fuse_estimate){0};
        memcpy(c->parts, own.parts, sizeof c->parts);
    }
    for (uint32_t i = 0; i < RP_FUSE_PARTS; i++) sum[i] += c->parts[i];
}

/* ---- What is worth trying -------------------------------------------------------------------- */

static void set_open(state *s, uint32_t node) {
    s->open[node / 64] |= UINT64_C(1) << (node % 64);
}

/* The first such node from `node` on; the number of nodes when there is none. */
static uint32_t next_open(const state *s, uint32_t node) {
    uint32_t count = s->g->nodes_count;
    while (node < count) {
        uint64_t bits = s->open[node / 64] >> (node % 64);
        if (bits) return node + (uint32_t)__builtin_ctzll(bits);
        node = node / 64 * 64 + 64;
    }
    return count;
}

/* A refusal holds while the clusters that it was about stay what they are; elsewhere, places in
 * source order only get fewer. So behind a merge only what meets the merged nodes is tried again.
 */
static void open_around(state *s, const rp_fuse_set *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        const rp_graph_member *m = rp_fuse_member(set, i);
        set_open(s, set->nodes[i]);
        for (uint32_t k = m->first_operand; k < m->first_operand + m->operand_count; k++)
            if (s->values.writer[k] != RP_NONE) set_open(s, s->values.node[s->values.writer[k]]);
    }
}

/* The reason why it does not pay, with what decided: the figure of the target by which most time
 * would be lost. */
static void tell_estimate(const state *s, const rp_fuse_estimate *together,
                          const double apart[RP_FUSE_PARTS], double words, double barriers) {
    rp_fuse_set *set = s->set;
    rp_target target = s->g->target;
    uint32_t most = 0;
    for (uint32_t i = 1; i < RP_FUSE_PARTS; i++)
        if (together->parts[i] - apart[i] > together->parts[most] - apart[most]) most = i;
    uint32_t figure = rp_fuse_figures[most];
    int at = snprintf(
        set->reason, sizeof set->reason,
        "estimated %.3g us as one kernel, %.3g us apart; n%u %s would be computed %.3g times; "
        "decided by %s %llu of target %.40s",
        rp_fuse_seconds(together->parts) * 1e6, rp_fuse_seconds(apart) * 1e6,
        s->g->nodes[set->nodes[together->worst]].id, set->calls[together->worst]->call.op->name,
        together->repeats, rp_target_keys[figure],
        (unsigned long long)*rp_target_figure_of(&target, figure), target.name);
    if (barriers > 0 && at > 0 && (size_t)at < sizeof set->reason)
        snprintf(set->reason + at, sizeof set->reason - (size_t)at,
                 "; apart, tags would take %.3g us and save barriers of %.3g", words * 1e6,
                 barriers * 1e6);
}

/* Merges clusters when that is right and pays; false with the reason in the set. */
static bool merge(state *s, const uint32_t *names, uint32_t count) {
    double apart[RP_FUSE_PARTS] = {0};
    for (uint32_t i = 0; i < count; i++) add_time(s, names[i], apart);
    rp_fuse_set *set = s->set;
    if (!fill_set(s, set, names, count) || !rp_fuse_set_shape(set)) return false;
    uint32_t position = rp_fuse_order_find(&s->order, set);
    if (position == RP_NONE) return false;
    rp_fuse_estimate together = rp_fuse_time(set);
    double barriers, words = rp_fuse_words_in_place_of_barriers(set, &barriers);
    apart[0] -= barriers;
    apart[RP_FUSE_WORDS] += words;
    const rp_target *target = rp_graph_target(s->g);
    if (!rp_target_turns(target, together.turns)) {
        snprintf(
            set->reason, sizeof set->reason,
            "about %.0f turns of loops would be one invocation's; decided by loop_turns %llu of "
            "target %.60s",
            together.turns, (unsigned long long)target->loop_turns, target->name);
        return false;
    }
    if (rp_fuse_seconds(together.parts) >= rp_fuse_seconds(apart) &&
        !rp_fuse_is_wanted(s->context->options, set, s->owner, names, count)) {
        tell_estimate(s, &together, apart, words, barriers);
        return false;
    }
    uint32_t name = names[0];
    for (uint32_t i = 0; i < set->count; i++) {
        s->owner[set->nodes[i]] = name;
        s->next[set->nodes[i]] = set->nodes[(i + 1) % set->count];
        rp_fuse_order_move(&s->order, set->nodes[i], position);
    }
    for (uint32_t i = 0; i < count && s->tags.product; i++)
        s->tags.product[name] |= s->tags.product[names[i]];
    s->clusters[name] = (cluster){.count = set->count, .position = position};
    memcpy(s->clusters[name].parts, together.parts, sizeof together.parts);
    open_around(s, set);
    s->merged++;
    return true;
}

/* Adds a cluster to a list of different ones; false when the list is full. */
static bool add_name(const state *s, uint32_t *names, uint32_t *count, uint32_t node) {
    for (uint32_t i = 0; i < *count; i++)
        if (names[i] == s->owner[node]) return true;
    if (*count == RP_FUSE_MEMBERS) return false;
    names[(*count)++] = s->owner[node];
    return true;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void tell_refusal(state *s, const char *what, const char *reason) {
    rp_text_format(s->context->details, "kept apart: %s: %s\n", what, reason);
    s->refused++;
}

static void value_name(const state *s, uint32_t output, char text[RP_FUSE_REASON]) {
    const rp_graph *g = s->g;
    uint32_t node = s->values.node[output];
    const rp_graph_use *u = &rp_node_uses(g, &g->nodes[node])[g->operands[output].use];
    const rp_graph_buffer *b = &g->buffers[u->buffer];
    int at = snprintf(text, RP_FUSE_REASON, "n%u -> ", g->nodes[node].id);
    uint32_t shown = 0;
    if (s->values.first_reader[output] == RP_NONE)
        at += snprintf(text + at, RP_FUSE_REASON - (size_t)at, "n%u",
                       g->nodes[s->values.other[output]].id);
    for (uint32_t r = s->values.first_reader[output]; r != RP_NONE; r = s->values.next_reader[r]) {
        if (at < 0 || (size_t)at >= RP_FUSE_REASON || ++shown > 6) break;
        at += snprintf(text + at, RP_FUSE_REASON - (size_t)at, "%sn%u", shown > 1 ? " " : "",
                       g->nodes[s->values.node[r]].id);
    }
    if (at > 0 && (size_t)at < RP_FUSE_REASON)
        snprintf(text + at, RP_FUSE_REASON - (size_t)at, "%s (%c%.80s)", shown > 6 ? " ..." : "",
                 b->kind == RP_TMP ? '%' : '$', rp_graph_string(g, b->name));
}

/* ---- Siblings -------------------------------------------------------------------------------- */

static bool is_product(const state *s, uint32_t node) {
    return rp_fuse_is_single(&s->g->nodes[node]) && member_of(s, node)->op->product;
}

static const rp_graph_use *x_of(const state *s, uint32_t node) {
    const rp_graph *g = s->g;
    return &rp_node_uses(g, &g->nodes[node])[g->operands[member_of(s, node)->first_operand].use];
}

static int compare_x(const state *s, uint32_t m, uint32_t n) {
    const rp_graph_use *u = x_of(s, m), *v = x_of(s, n);
    if (u->buffer != v->buffer) return u->buffer < v->buffer ? -1 : 1;
    if (u->offset != v->offset) return u->offset < v->offset ? -1 : 1;
    uint32_t a = s->values.writer[member_of(s, m)->first_operand];
    uint32_t b = s->values.writer[member_of(s, n)->first_operand];
    return (a > b) - (a < b);
}

/* Sorts the products by x, ids ascending within: a stable merge sort, for graphs of any size. */
static bool sort_products(const state *s, uint32_t *items, uint32_t count) {
    uint32_t *other = rp_alloc(&s->g->allocator, count, sizeof *other);
    if (!other) return false;
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t i = 0; i < count; i += 2 * width) {
            uint32_t a = i, a_end = i + width < count ? i + width : count;
            uint32_t b = a_end, b_end = i + 2 * width < count ? i + 2 * width : count;
            for (uint32_t k = i; k < b_end; k++)
                other[k] = a < a_end && (b == b_end || compare_x(s, items[a], items[b]) <= 0)
                               ? items[a++]
                               : items[b++];
        }
        memcpy(items, other, count * sizeof *items);
    }
    rp_release(&s->g->allocator, other);
    return true;
}

static void merge_siblings(state *s, const uint32_t *items, uint32_t count) {
    if (count <= RP_FUSE_MEMBERS && merge(s, items, count)) return;
    /* Not all at once: each with the ones before it. */
    for (uint32_t i = 1; i < count; i++) {
        uint32_t pair[2] = {s->owner[items[i - 1]], items[i]};
        if (pair[0] == s->owner[pair[1]] || merge(s, pair, 2)) continue;
        char what[RP_FUSE_REASON];
        snprintf(what, sizeof what, "n%u and n%u, products of one x", s->g->nodes[items[i - 1]].id,
                 s->g->nodes[items[i]].id);
        tell_refusal(s, what, s->set->reason);
    }
}

static bool all_siblings(state *s) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->g->nodes_count; i++) count += is_product(s, i);
    uint32_t *items = rp_alloc(&s->g->allocator, count, sizeof *items);
    if (!items) return false;
    count = 0;
    for (uint32_t i = 0; i < s->g->nodes_count; i++)
        if (is_product(s, i)) items[count++] = i;
    bool ok = sort_products(s, items, count);
    for (uint32_t i = 0, end; ok && i < count; i = end) {
        for (end = i + 1; end < count && compare_x(s, items[i], items[end]) == 0;) end++;
        if (end - i > 1) merge_siblings(s, items + i, end - i);
    }
    rp_release(&s->g->allocator, items);
    return ok;
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* Somebody reads the output's bytes, but not as the value that was written. */
static void tell_misfit(state *s, uint32_t output) {
    uint32_t other = s->values.other[output];
    if (other == RP_NONE) return;
    const rp_graph_node *n = &s->g->nodes[other];
    char what[RP_FUSE_REASON], why[RP_FUSE_REASON];
    const char *reason = "only a part of it is read, or more than it, or as another type";
    value_name(s, output, what);
    if (!rp_fuse_is_single(n)) {
        snprintf(why, sizeof why, "n%u is %s", n->id, n->kind == RP_OP ? "fused already" : "no op");
        reason = why;
    } else if (n->optional) {
        snprintf(why, sizeof why, "n%u can be left out of a replay, and then it stays", n->id);
        reason = why;
    }
    tell_refusal(s, what, reason);
}

/* Tries to keep an output's value inside: true when something was merged. With `tell`, refusals are
 * told instead. */
static bool try_value(state *s, uint32_t output, bool tell) {
    const rp_fuse_values *v = &s->values;
    if (v->node[output] == RP_NONE) return false;
    if (v->first_reader[output] == RP_NONE) {
        if (tell) tell_misfit(s, output);
        return false;
    }
    uint32_t names[RP_FUSE_MEMBERS], count = 0;
    bool room = add_name(s, names, &count, v->node[output]);
    for (uint32_t r = v->first_reader[output]; r != RP_NONE && room; r = v->next_reader[r])
        room = add_name(s, names, &count, v->node[r]);
    if (room && count < 2) return false;
    char reason[RP_FUSE_REASON];
    if (!room) {
        snprintf(reason, sizeof reason, "more than %d ops would be one kernel", RP_FUSE_MEMBERS);
    } else if (v->escape[output] == RP_FUSE_IS_RESULT) {
        snprintf(reason, sizeof reason, "it is a result and must be in memory");
    } else if (v->escape[output] == RP_FUSE_IS_SHARED) {
        snprintf(reason, sizeof reason, "n%u needs it in memory", s->g->nodes[v->other[output]].id);
    } else if (merge(s, names, count)) {
        return true;
    } else {
        memcpy(reason, s->set->reason, sizeof reason);
    }
    if (!tell) return false;
    char what[RP_FUSE_REASON];
    value_name(s, output, what);
    tell_refusal(s, what, reason);
    return false;
}

static bool try_node(state *s, uint32_t node, bool tell) {
    const rp_graph_member *m = member_of(s, node);
    bool merged = false;
    for (uint32_t k = 0; k < m->operand_count; k++)
        merged |= try_value(s, m->first_operand + k, tell);
    return merged;
}

static void all_values(state *s) {
    uint32_t count = s->g->nodes_count;
    for (uint32_t i = 0; i < count; i++)
        if (rp_fuse_is_single(&s->g->nodes[i])) set_open(s, i);
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = next_open(s, 0); i < count; i = next_open(s, i + 1)) {
            s->open[i / 64] &= ~(UINT64_C(1) << (i % 64));
            again |= try_node(s, i, false);
        }
    }
    for (uint32_t i = 0; i < count; i++)
        if (rp_fuse_is_single(&s->g->nodes[i])) try_node(s, i, true);
}

/* ---- Rewriting ------------------------------------------------------------------------------- */

/* The name of a value that leaves memory: its buffer's, with a number when the node has it twice.
 */
static uint32_t value_string(rp_graph *g, uint32_t first_operand, uint32_t buffer) {
    for (uint32_t number = 0;; number++) {
        uint32_t name = g->buffers[buffer].name;
        if (number) {
            rp_text text;
            rp_text_init(&text, &g->allocator);
            rp_text_format(&text, "%s.%u", rp_graph_string(g, name), number);
            name = text.failed ? RP_NONE : rp_graph_intern(g, text.data, text.size);
            rp_text_free(&text);
            if (name == RP_NONE) return RP_NONE;
        }
        bool taken = false;
        for (uint32_t k = first_operand; k < g->operands_count; k++)
            taken |= !g->operands[k].absent && g->operands[k].name == name;
        if (!taken) return name;
    }
}

/* The use of the node for an operand's bytes: a read shares one that is there. */
static uint32_t take_use(rp_graph *g, rp_graph_node *n, rp_graph_use use) {
    for (uint32_t i = 0; use.access == RP_READ && i < n->use_count; i++) {
        const rp_graph_use *u = &g->uses[n->first_use + i];
        if (u->access == RP_READ && u->buffer == use.buffer && u->offset == use.offset &&
            u->size == use.size)
            return i;
    }
    if (!RP_RESERVE(&g->allocator, g->uses, g->uses_count, g->uses_capacity, 1)) return RP_NONE;
    g->uses[g->uses_count++] = use;
    return n->use_count++;
}

/* Appends the operands of member i of the set; `numbers` are the values of outputs so far, by
 * operand of the source. */
static bool rewrite_operands(state *s, const rp_fuse_set *set, uint32_t i, rp_graph_node *n,
                             uint32_t first_operand, uint32_t *value_count, uint32_t *numbers) {
    rp_graph *g = s->g;
    const rp_graph_member old = *rp_fuse_member(set, i);
    const rp_graph_node *from = &g->nodes[set->nodes[i]];
    for (uint32_t k = 0; k < old.operand_count; k++) {
        uint32_t source = old.first_operand + k, output;
        rp_graph_operand o = g->operands[source];
        if (!o.absent) {
            rp_graph_use use = g->uses[from->first_use + o.use];
            uint32_t j = o.access == RP_READ ? rp_fuse_producer(set, source, &output) : RP_NONE;
            bool stays = o.access == RP_WRITE && !rp_fuse_is_stored(set, source);
            o.use = o.value = o.name = RP_NONE;
            if (j != RP_NONE)
                o.value = numbers[s->values.writer[source]];
            else if (!stays && (o.use = take_use(g, n, use)) == RP_NONE)
                return false;
            if (o.access != RP_READ) o.value = numbers[source] = (*value_count)++;
            if (stays && (o.name = value_string(g, first_operand, use.buffer)) == RP_NONE)
                return false;
        }
        if (!RP_RESERVE(&g->allocator, g->operands, g->operands_count, g->operands_capacity, 1))
            return false;
        g->operands[g->operands_count++] = o;
    }
    return true;
}

static bool rewrite_cluster(state *s, uint32_t name, uint32_t *numbers, rp_graph_node *out) {
    rp_graph *g = s->g;
    rp_fuse_set *set = s->set;
    if (!fill_nodes(s, set, &name, 1)) return false;
    uint32_t at = set->nodes[0];
    for (uint32_t i = 0; i < set->count; i++)
        if (g->nodes[set->nodes[i]].id == s->clusters[name].position) at = set->nodes[i];
    *out = g->nodes[at];
    out->first_use = g->uses_count;
    out->use_count = 0;
    out->first_member = g->members_count;
    out->member_count = 0;
    uint32_t first_operand = g->operands_count, values = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        rp_graph_member m = *rp_fuse_member(set, i);
        uint32_t first = g->operands_count;
        if (!rewrite_operands(s, set, i, out, first_operand, &values, numbers)) return false;
        m.first_operand = first;
        if (!RP_RESERVE(&g->allocator, g->members, g->members_count, g->members_capacity, 1))
            return false;
        g->members[g->members_count++] = m;
        out->member_count++;
    }
    return true;
}

/* Transients that were values only are gone. */
static bool drop_buffers(rp_graph *g) {
    bool *used = rp_alloc_zero(&g->allocator, g->buffers_count, sizeof *used);
    if (!used) return false;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        for (uint32_t k = 0; k < g->nodes[i].use_count; k++)
            used[rp_node_uses(g, &g->nodes[i])[k].buffer] = true;
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (g->buffers[i].kind == RP_TMP && !used[i]) g->buffers[i].removed = true;
    rp_release(&g->allocator, used);
    return true;
}

/* Nodes come in id order again: a merged node stands where the member of its id stood. */
static rp_status rewrite(state *s) {
    rp_graph *g = s->g;
    const rp_allocator *a = &g->allocator;
    uint32_t count = g->nodes_count, kept = 0;
    uint32_t *numbers = rp_alloc(a, g->operands_count, sizeof *numbers);
    rp_graph_node *nodes = rp_alloc(a, count, sizeof *nodes);
    bool ok = numbers && nodes;
    for (uint32_t i = 0; ok && i < count; i++) {
        uint32_t name = s->owner[i];
        if (s->clusters[name].count == 1)
            nodes[kept++] = g->nodes[i];
        else if (s->clusters[name].position == g->nodes[i].id)
            ok = rewrite_cluster(s, name, numbers, &nodes[kept++]);
    }
    if (ok) {
        memcpy(g->nodes, nodes, kept * sizeof *nodes);
        g->nodes_count = kept;
        ok = drop_buffers(g);
    }
    rp_release(a, numbers);
    rp_release(a, nodes);
    return ok ? RP_OK : RP_ERROR_NO_MEMORY;
}

static void tell_merged(state *s) {
    for (uint32_t i = 0; i < s->g->nodes_count; i++) {
        const cluster *c = &s->clusters[s->owner[i]];
        if (c->count == 1 || c->position != s->g->nodes[i].id) continue;
        static const char *const kinds[] = {"map", "rows", "kernel", "matvec"};
        uint32_t name = s->owner[i];
        if (!fill_set(s, s->set, &name, 1) || !rp_fuse_set_shape(s->set)) continue;
        rp_text_format(s->context->details, "fused n%u (%s):", c->position,
                       kinds[s->set->shape.kind]);
        for (uint32_t k = 0; k < s->set->count; k++)
            rp_text_format(s->context->details, " n%u", s->g->nodes[s->set->nodes[k]].id);
        rp_text_char(s->context->details, '\n');
    }
}

/* ---- The pass -------------------------------------------------------------------------------- */

static bool allocate_tags(state *s) {
    s->tags.owner = s->owner;
    s->tags.product = rp_alloc_zero(&s->g->allocator, s->g->nodes_count, sizeof *s->tags.product);
    if (!s->tags.product) return false;
    for (uint32_t i = 0; i < s->g->nodes_count; i++) s->tags.product[i] = is_product(s, i);
    s->set->tags = &s->tags;
    return true;
}

static bool allocate(state *s) {
    const rp_allocator *a = &s->g->allocator;
    uint32_t nodes = s->g->nodes_count;
    s->owner = rp_alloc(a, nodes, sizeof *s->owner);
    s->next = rp_alloc(a, nodes, sizeof *s->next);
    s->clusters = rp_alloc(a, nodes, sizeof *s->clusters);
    s->open = rp_alloc_zero(a, nodes / 64 + 1, sizeof *s->open);
    s->set = rp_alloc_zero(a, 1, sizeof *s->set);
    if (!s->owner || !s->next || !s->clusters || !s->open || !s->set) return false;
    for (uint32_t i = 0; i < nodes; i++) {
        s->owner[i] = s->next[i] = i;
        s->clusters[i] = (cluster){.count = 1, .position = s->g->nodes[i].id, .parts = {-1}};
    }
    if (!rp_fuse_set_open(s->g, &s->values, s->set)) return false;
    const rp_target *target = rp_graph_target(s->g);
    if (target->storage_buffers < RP_FUSE_USES)
        s->set->most_uses = (uint32_t)target->storage_buffers;
    return s->context->mode == TAGS ? allocate_tags(s) : true;
}

static rp_status fuse(state *s) {
    RP_TRY(rp_fuse_values_build(s->g, &s->values));
    RP_TRY(rp_fuse_order_build(s->g, &s->order));
    if (!allocate(s)) return RP_ERROR_NO_MEMORY;
    if (!all_siblings(s)) return RP_ERROR_NO_MEMORY;
    all_values(s);
    tell_merged(s);
    return s->merged ? rewrite(s) : RP_OK;
}

rp_status rp_pass_fuse(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    if (graph->stages) {
        rp_diags_add(context->diags, RP_ERROR, NULL, 0, 0,
                     "pass fuse needs nodes in source order: run it before schedule");
        return RP_ERROR_INVALID;
    }
    uint32_t ops = 0, before = graph->nodes_count;
    for (uint32_t i = 0; i < graph->nodes_count; i++) {
        ops += rp_fuse_is_single(&graph->nodes[i]);
        if (!graph->nodes[i].unknown) continue;
        rp_text_format(context->summary, "left alone: n%u may address any buffer",
                       graph->nodes[i].id);
        return RP_OK;
    }
    if (ops < 2) {
        rp_text_format(context->summary, "%u ops: nothing to fuse", ops);
        return RP_OK;
    }
    state s = {.g = graph, .context = context};
    rp_status status = fuse(&s);
    const rp_allocator *a = &graph->allocator;
    rp_release(a, s.owner);
    rp_release(a, s.next);
    rp_release(a, s.clusters);
    rp_release(a, s.open);
    rp_release(a, s.tags.product);
    if (s.set) rp_fuse_set_close(s.set);
    rp_release(a, s.set);
    rp_fuse_values_free(graph, &s.values);
    rp_fuse_order_free(graph, &s.order);
    if (status != RP_OK) return status;
    *out_changed = s.merged > 0;
    rp_text_format(context->summary, "%u ops became %u nodes, %u candidates were kept apart", ops,
                   ops - (before - graph->nodes_count), s.refused);
    if (!rp_graph_is_portable(graph))
        rp_text_format(context->summary, ", for target %.40s", graph->target.name);
    return RP_OK;
}
