/* flow: tags transients, so that their readers wait for elements instead of for barriers.
 *
 * A barrier makes everything wait for everything. A small transient between two generated kernels can
 * carry its own order: each element lies in a word with the tag of its replay, and who reads it reads
 * again until it is there (docs/checker.md). Weights and all else that nobody waits for are on their way
 * meanwhile. What that costs is bytes: a word is twice an element, and each workgroup of a reader reads
 * what it needs of them. What it saves are the barriers that nothing else asks for; a tag on a value
 * whose readers stand behind such a barrier anyway would be for nothing.
 *
 *   candidates  transients of 4-byte elements that one op node writes, whole and in every replay, and op
 *               nodes read, whole, through functions of the generator's
 *   price       of the words that readers load, against the barrier at the first reader's group
 *   use         barriers are found as pass `sync` does, with all that is too dear left untagged; then a
 *               candidate stays only if one of its hazards meets none of those that are left
 *
 * In mode `auto` the target decides: it has 64-bit atomics, starts in order what is submitted in order,
 * and says what a barrier takes. Only what products and attention over a cache read
 * is tagged then: they have weights and rows to load meanwhile, and it was measured to pay
 * (docs/benchmarks.md). Mode `all` tags every candidate, whatever its
 * readers, its price and its use. */
#include "flow.h"

#include "graph/hazards.h"
#include "hazard/cover.h"
#include "pass.h"
#include "reprise/needs.h"

/* What is known of a transient. */
typedef enum flow_state {
    FLOW_NONE,      /* it cannot be tagged */
    FLOW_CANDIDATE, /* it may */
    FLOW_DEAR,      /* a barrier is cheaper */
    FLOW_USELESS,   /* a barrier stands there for others */
} flow_state;

typedef struct value {
    uint8_t state;   /* flow_state */
    uint32_t writer; /* node; RP_NONE */
    uint32_t group;  /* of its first reader; RP_NONE without one */
    double ns;       /* that reading words takes more than reading elements */
} value;

typedef struct flow {
    rp_graph *graph;
    rp_text *details;
    bool priced;                /* mode auto */
    value *values;              /* by buffer */
    double *ns_at;              /* by group: of candidates whose first reader it has */
    rp_graph_barrier *barriers; /* that are left: group_count + 1 */
    rp_cover cover;
} flow;

/* ---- Candidates ------------------------------------------------------------------------------ */

double rp_flow_barrier_ns(const rp_target *t) {
    return t->barrier_ns > t->dispatch_ns ? (double)(t->barrier_ns - t->dispatch_ns) : 0;
}

/* Text that looks at memory itself does not know of tags, nor do kernels of cooperative matrices, whose
 * memory model is another. */
bool rp_flow_is_by_element(const rp_op_call *call, uint32_t k) {
    const rp_op_operand *o = rp_op_operand_of(call, k);
    bool matrices = call->variant && (call->variant->needs & RP_NEED_COOPERATIVE_MATRIX);
    if (matrices || o->access == RP_READ_WRITE) return false;
    if (o->access == RP_WRITE) return call->op->form != RP_OP_SCATTER;
    return call->op->form != RP_OP_KERNEL || o->hook;
}

/* Loading a word takes two elements' bytes, and half as fast: words are atomics. */
double rp_flow_words_ns(const rp_target *t, const rp_op_call *call, uint32_t k, bool product) {
    enum { ELEMENT = 4, WORD = 8 };
    double elements = (double)rp_tensor_elements(&call->operands[k]), count = elements;
    double staged = elements * (double)t->multiprocessors;
    rp_op_cost cost;
    rp_op_cost_of(call, &cost);
    if (call->op->product)
        count = staged;
    else if (cost.loads[k] > elements)
        count = cost.loads[k];
    if (product && staged > count) count = staged;
    return t->cache_rate ? count * (2 * WORD - ELEMENT) / (double)t->cache_rate * 1e3 : 0;
}

static bool has_product(const rp_graph *g, const rp_graph_node *n) {
    for (uint32_t i = 0; i < n->member_count; i++)
        if (rp_node_members(g, n)[i].op->product) return true;
    return false;
}

static void add_reader(flow *f, const rp_graph_node *n, value *v, const rp_op_call *call,
                       uint32_t k) {
    bool product = has_product(f->graph, n);
    if (f->priced && !product && !rp_op_operand_of(call, k)->late) v->state = FLOW_NONE;
    v->ns += rp_flow_words_ns(rp_graph_target(f->graph), call, k, product);
    if (n->group < v->group) v->group = n->group;
}

/* One operand of a member that is in memory: what it says of its buffer. */
static void look_at_operand(flow *f, uint32_t node, const rp_op_call *call, uint32_t k,
                            const rp_graph_operand *o) {
    const rp_graph_node *n = &f->graph->nodes[node];
    const rp_graph_use *u = &rp_node_uses(f->graph, n)[o->use];
    value *v = &f->values[u->buffer];
    bool writes = rp_access_writes(u->access);
    if (rp_tags_wrong_use(f->graph, n, u) || o->dtype != f->graph->buffers[u->buffer].dtype ||
        !rp_flow_is_by_element(call, k) || (writes && v->writer != RP_NONE)) {
        v->state = FLOW_NONE;
        return;
    }
    if (writes)
        v->writer = node;
    else
        add_reader(f, n, v, call, k);
}

static void look_at_ops(flow *f, uint32_t node) {
    const rp_graph *g = f->graph;
    const rp_graph_node *n = &g->nodes[node];
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(g, n)[i];
        rp_op_call call;
        rp_member_call(g, m, &call);
        bool known = rp_member_choose(g, &call);
        for (uint32_t k = 0; k < m->operand_count; k++) {
            const rp_graph_operand *o = &rp_member_operands(g, m)[k];
            if (o->absent || o->use == RP_NONE) continue;
            if (known)
                look_at_operand(f, node, &call, k, o);
            else
                f->values[rp_node_uses(g, n)[o->use].buffer].state = FLOW_NONE;
        }
    }
}

static void find_candidates(flow *f) {
    const rp_graph *g = f->graph;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        bool fits = !b->removed && !rp_tags_wrong_buffer(b);
        f->values[i] = (value){fits ? FLOW_CANDIDATE : FLOW_NONE, RP_NONE, RP_NONE, 0};
    }
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->kind == RP_OP) {
            look_at_ops(f, i);
            continue;
        }
        for (uint32_t k = 0; k < n->use_count; k++)
            f->values[rp_node_uses(g, n)[k].buffer].state = FLOW_NONE;
    }
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        value *v = &f->values[i];
        if (v->writer == RP_NONE || v->group == RP_NONE) v->state = FLOW_NONE;
    }
}

/* What a barrier in front of a reader takes: itself, and one way through memory, for the weights or rows that
 * a reader who waits has on their way by then. */
static double saved_ns(const rp_target *t) {
    double flight = t->memory_rate ? (double)t->flight_bytes / (double)t->memory_rate * 1e3 : 0;
    return rp_flow_barrier_ns(t) + flight;
}

/* Candidates with the same first group save the same barrier, if any. */
static void leave_dear(flow *f) {
    const rp_graph *g = f->graph;
    double saved = saved_ns(rp_graph_target(g));
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (f->values[i].state == FLOW_CANDIDATE) f->ns_at[f->values[i].group] += f->values[i].ns;
    for (uint32_t i = 0; f->priced && i < g->buffers_count; i++)
        if (f->values[i].state == FLOW_CANDIDATE && f->ns_at[f->values[i].group] >= saved)
            f->values[i].state = FLOW_DEAR;
}

/* ---- Use ------------------------------------------------------------------------------------- */

static bool waits(const flow *f, const rp_hazard *h) {
    return h->kind == RP_RAW_HAZARD && !h->next_replay && h->to != RP_HAZARD_HOST &&
           f->values[h->to_buffer].state == FLOW_CANDIDATE;
}

/* As in pass sync: whether a barrier behind group `from` orders the hazard. */
static bool is_ordered(const flow *f, const rp_hazard *h) {
    return rp_cover_orders(&f->cover, h->kind, h->src, h->dst, f->graph->nodes[h->from].group);
}

/* Finds the barriers that candidates leave. */
static rp_status stab(void *context, const rp_hazard *h) {
    flow *f = context;
    if (h->to == RP_HAZARD_HOST || h->next_replay || waits(f, h) || is_ordered(f, h)) return RP_OK;
    uint32_t to = f->graph->nodes[h->to].group;
    uint32_t at = f->cover.at > f->graph->nodes[h->from].group ? f->cover.at : to;
    rp_barrier_widen(&f->barriers[at], h->src, h->dst);
    rp_cover_note(&f->cover, at, rp_covered_by(f->barriers[at]));
    return RP_OK;
}

/* The same walk again, with all barriers known: a candidate is of use where nothing orders its hazard. */
typedef struct usefulness {
    flow *f;
    uint32_t boundary; /* the next one to be noted */
    bool *useful;      /* by buffer */
} usefulness;

static rp_status find_use(void *context, const rp_hazard *h) {
    usefulness *u = context;
    flow *f = u->f;
    if (!waits(f, h)) return RP_OK;
    uint32_t to = f->graph->nodes[h->to].group;
    for (; u->boundary <= to; u->boundary++)
        if (f->barriers[u->boundary].src || f->barriers[u->boundary].dst)
            rp_cover_note(&f->cover, u->boundary, rp_covered_by(f->barriers[u->boundary]));
    if (!is_ordered(f, h)) u->useful[h->to_buffer] = true;
    return RP_OK;
}

static rp_status leave_useless(flow *f) {
    const rp_graph *g = f->graph;
    usefulness u = {f, 1, rp_alloc_zero(&g->allocator, g->buffers_count, sizeof *u.useful)};
    if (!u.useful) return RP_ERROR_NO_MEMORY;
    rp_status status = rp_hazards_walk(g, stab, f);
    f->cover = (rp_cover){0};
    if (status == RP_OK) status = rp_hazards_walk(g, find_use, &u);
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (f->values[i].state == FLOW_CANDIDATE && !u.useful[i]) f->values[i].state = FLOW_USELESS;
    rp_release(&g->allocator, u.useful);
    return status;
}

/* ---- The pass -------------------------------------------------------------------------------- */

const char *rp_flow_against(const rp_target *t) {
    const uint64_t atomics = RP_NEED_INT64 | RP_NEED_INT64_ATOMICS;
    if ((t->needs & atomics) != atomics) return "the target has no 64-bit atomics";
    if (!t->ordered_starts) return "the target is not known to start in order what comes in order";
    return rp_flow_barrier_ns(t) > 0 ? NULL : "barriers cost nothing on the target";
}

/* Why nothing is tagged in this graph, or for its target; NULL for no reason. */
static const char *reason_against(const flow *f) {
    const rp_graph *g = f->graph;
    for (uint32_t i = 0; i < g->nodes_count; i++)
        if (g->nodes[i].unknown) return "a node may use any memory";
    return f->priced ? rp_flow_against(rp_graph_target(g)) : NULL;
}

static void tell(const flow *f, uint32_t buffer) {
    static const char *const words[] = {
        [FLOW_CANDIDATE] = "tagged", [FLOW_DEAR] = "left", [FLOW_USELESS] = "left"};
    const rp_graph *g = f->graph;
    const value *v = &f->values[buffer];
    double saved = saved_ns(rp_graph_target(g));
    rp_text_format(f->details, "%s %%%s of n%u for group %u: its words take about %.0f ns more",
                   words[v->state], rp_graph_string(g, g->buffers[buffer].name),
                   g->nodes[v->writer].id, v->group, v->ns);
    if (v->state == FLOW_DEAR)
        rp_text_format(
            f->details,
            ", with others read there %.0f, a barrier %.0f (barrier_ns - dispatch_ns, and "
            "flight_bytes by memory_rate)",
            f->ns_at[v->group], saved);
    else if (v->state == FLOW_USELESS)
        rp_text_string(f->details, ", and a barrier stands there for other hazards");
    else
        rp_text_format(f->details, ", a barrier %.0f", saved);
    rp_text_char(f->details, '\n');
}

static void tag(flow *f, rp_text *summary, bool *out_changed) {
    rp_graph *g = f->graph;
    uint32_t tagged = 0, candidates = 0;
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        if (f->values[i].state == FLOW_NONE) continue;
        bool now = f->values[i].state == FLOW_CANDIDATE;
        *out_changed |= now != g->buffers[i].tagged;
        g->buffers[i].tagged = now;
        candidates++;
        tagged += now;
        tell(f, i);
    }
    rp_text_format(summary, "%u of %u transients that could be are tagged", tagged, candidates);
}

rp_status rp_pass_flow(rp_graph *graph, rp_pass_context *context, bool *out_changed) {
    const rp_allocator *a = &graph->allocator;
    flow f = {.graph = graph, .details = context->details, .priced = context->mode == 0};
    const char *why = reason_against(&f);
    if (why) {
        rp_text_format(context->summary, "nothing is tagged: %s", why);
        return RP_OK;
    }
    f.values = rp_alloc(a, graph->buffers_count, sizeof *f.values);
    f.ns_at = rp_alloc_zero(a, graph->group_count, sizeof *f.ns_at);
    f.barriers = rp_alloc_zero(a, (size_t)graph->group_count + 1, sizeof *f.barriers);
    rp_status status = f.values && f.ns_at && f.barriers ? RP_OK : RP_ERROR_NO_MEMORY;
    if (status == RP_OK) {
        find_candidates(&f);
        leave_dear(&f);
        if (f.priced) status = leave_useless(&f);
    }
    if (status == RP_OK) tag(&f, context->summary, out_changed);
    rp_release(a, f.values);
    rp_release(a, f.ns_at);
    rp_release(a, f.barriers);
    return status;
}
