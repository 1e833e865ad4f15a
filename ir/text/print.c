/* Graphs as .rpir text, so that rp_graph_parse(rp_graph_print(g)) equals g.
 *
 * The form is canonical: one spelling of each thing, in the order of the arrays, so equal graphs
 * print equal text. Comments tell what a reader wants to know and the parser ignores: the
 * statistics in the first line, and behind each barrier the hazards that forced it; both are
 * derived here from the graph alone. Text and JSON and DOT share that derivation (stats.c,
 * reasons.c). */
#include "graph/keywords.h"
#include "text/print.h"
#include "graph/reasons.h"

static void name(rp_text *t, const rp_graph *g, char sigil, uint32_t string) {
    rp_text_char(t, sigil);
    rp_text_string(t, rp_graph_string(g, string));
}

/* " key value" */
static void clause(rp_text *t, const char *key, uint64_t value) {
    rp_text_char(t, ' ');
    rp_text_string(t, key);
    rp_text_char(t, ' ');
    rp_text_u64(t, value);
}

static void hex(rp_text *t, uint64_t value, int digits) {
    char out[16];
    for (int i = digits; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
    rp_text_append(t, out, (size_t)digits);
}

/* " 00100000 acc52737": bytes in memory order, a space in front of each four. */
static void bytes(rp_text *t, const uint8_t *data, uint64_t count) {
    rp_text_hex(t, data, count, 4);
}

static void print_header(rp_text *t, const rp_graph *g) {
    rp_text_string(t, "reprise 1\ngraph ");
    rp_text_string(t, rp_graph_string(g, g->name));
    if (g->stages & RP_STAGE_SCHEDULED) rp_text_string(t, " scheduled");
    if (g->stages & RP_STAGE_PLACED) rp_text_string(t, " placed");
    if (g->stages & RP_STAGE_SYNCED) rp_text_string(t, " synced");
    if (g->stages & RP_STAGE_PLACED) clause(t, "arena", g->arena_bytes);
    rp_text_string(t, " {\n");
}

static void print_stats(rp_text *t, const rp_graph *g, const rp_graph_stats *s) {
    rp_text_format(t, "  ; nodes %u, dispatches %u, ", s->nodes, s->dispatches);
    if (s->transfers) rp_text_format(t, "transfers %u, ", s->transfers);
    if (s->unknown) rp_text_format(t, "without declared uses %u, ", s->unknown);
    if (g->stages & RP_STAGE_SCHEDULED) rp_text_format(t, "groups %u, ", s->groups);
    if (g->stages & RP_STAGE_SYNCED)
        rp_text_format(t, "barriers %u (bound %u)", s->barriers, s->barrier_bound);
    else
        rp_text_format(t, "barrier bound %u", s->barrier_bound);
    if (s->tagged && g->stages & RP_STAGE_SYNCED)
        rp_text_format(t, ", %u with %u buffers tagged", s->tagged_barriers, s->tagged);
    else if (s->tagged)
        rp_text_format(t, ", %u buffers tagged", s->tagged);
    if (s->tagged) rp_text_format(t, " (%llu bytes of words)", (unsigned long long)s->tagged_bytes);
    if (g->stages & RP_STAGE_PLACED)
        rp_text_format(t, ", arena %llu bytes (bound %llu)", (unsigned long long)s->arena_bytes,
                       (unsigned long long)s->arena_bound_bytes);
    rp_text_char(t, '\n');
}

/* `portable` goes without saying. */
static void print_target(rp_text *t, const rp_graph *g) {
    rp_target target = g->target;
    if (rp_graph_is_portable(g)) return;
    rp_text_string(t, "  target ");
    rp_text_quoted(t, target.name);
    for (uint32_t key = 0; key < RP_TARGET_KEYS; key++) {
        uint64_t value = *rp_target_figure_of(&target, key);
        if (value) clause(t, rp_target_keys[key], value);
    }
    rp_text_char(t, '\n');
}

static void print_buffer(rp_text *t, const rp_graph *g, uint32_t index) {
    const rp_graph_buffer *b = &g->buffers[index];
    rp_text_string(t, "  buf ");
    rp_buffer_print(t, g, index);
    rp_text_char(t, ' ');
    rp_text_string(t, rp_buffer_kind_name((rp_buffer_kind)b->kind));
    rp_text_char(t, ' ');
    if (rp_buffer_is_image(b)) {
        rp_print_image(t, &b->image);
    } else if (b->dtype == RP_RAW) {
        rp_text_u64(t, b->size);
    } else {
        rp_text_string(t, rp_dtype_name((rp_dtype)b->dtype));
        rp_text_char(t, '[');
        for (uint32_t i = 0; i < b->rank; i++) {
            if (i) rp_text_char(t, ',');
            rp_graph_print_dim(t, g, b->first_dim + i);
        }
        rp_text_char(t, ']');
    }
    if (b->tagged) rp_text_string(t, " tagged");
    if (b->offset != RP_NOT_PLACED) clause(t, rp_buffer_is_image(b) ? "alias" : "at", b->offset);
    if (b->kind == RP_LIVE && b->first_default != RP_NONE) {
        rp_text_string(t, " =");
        bytes(t, g->bytes + b->first_default, b->size);
    }
    if (b->kind == RP_LIVE && b->max_value != UINT32_MAX) clause(t, "max", b->max_value);
    if (b->kind == RP_LIVE) rp_print_follows(t, g, b);
    rp_text_char(t, '\n');
}

static void print_kernel(rp_text *t, const rp_graph *g, const rp_graph_kernel *k) {
    rp_text_string(t, "  kern ");
    name(t, g, '@', k->name);
    rp_text_string(t, " spirv ");
    if (k->hash)
        hex(t, k->hash, 16);
    else
        rp_text_char(t, '-');
    const char *entry = rp_graph_string(g, k->entry);
    if (strcmp(entry, "main") != 0) {
        rp_text_string(t, " entry ");
        rp_text_quoted(t, entry);
    }
    clause(t, "local", k->local[0]);
    for (int i = 1; i < 3; i++) {
        rp_text_char(t, ' ');
        rp_text_u64(t, k->local[i]);
    }
    if (k->shared_bytes) clause(t, "shared", k->shared_bytes);
    if (k->push_bytes) clause(t, "push", k->push_bytes);
    for (uint32_t i = 0; i < k->spec_count; i++) {
        const rp_graph_spec *s = &g->specs[k->first_spec + i];
        rp_text_string(t, i ? " " : " spec ");
        rp_text_u64(t, s->id);
        rp_text_char(t, '=');
        hex(t, s->value, 2 * s->bytes);
    }
    rp_text_string(t, " (");
    for (uint32_t i = 0; i < k->param_count; i++) {
        const rp_graph_param *p = &g->params[k->first_param + i];
        if (i) rp_text_string(t, ", ");
        rp_text_string(t, rp_access_name((rp_access)p->access));
        if (p->set != 0 || p->binding != i) rp_text_format(t, " %u.%u", p->set, p->binding);
        if (p->skip) clause(t, "skip", p->skip);
        rp_print_resource(t, p);
    }
    rp_text_string(t, ")\n");
}

static void print_uses(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    bool first = true;
    rp_text_string(t, " (");
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &rp_node_uses(g, n)[i];
        if (u->indirect) continue;
        if (!first) rp_text_string(t, ", ");
        if (u->step) rp_text_string(t, u->step == RP_USE_ELEMENT ? "next " : "also ");
        rp_text_string(t, rp_access_name((rp_access)u->access));
        rp_text_string(t, u->addressed ? " address " : " ");
        rp_print_range(t, g, u);
        if (u->format)
            rp_text_format(t, " as %s", rp_image_format_name((rp_image_format)u->format));
        first = false;
    }
    if (n->unknown) rp_text_string(t, ", any");
    rp_text_char(t, ')');
}

static const char *live_name(void *context, uint32_t buffer) {
    const rp_graph *g = context;
    return rp_graph_string(g, g->buffers[buffer].name);
}

static void print_grid(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    rp_text_string(t, " grid");
    if (n->grid_kind == RP_GRID_INDIRECT) {
        rp_text_string(t, " indirect ");
        rp_print_range(t, g, &rp_node_uses(g, n)[n->use_count - 1]);
        return;
    }
    for (uint32_t i = 0; i < 3; i++) {
        rp_text_char(t, ' ');
        if (n->grid_kind == RP_GRID_LIVE && n->live_mask >> i & 1) {
            const rp_graph_expr *e = &g->exprs[n->grid[i]];
            rp_text_char(t, '{');
            rp_expr_print(t, g->expr_ops + e->first_op, e->op_count, live_name, (void *)g);
            rp_text_char(t, '}');
        } else {
            rp_text_u64(t, n->grid[i]);
        }
    }
}

static void print_run(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    rp_text_char(t, ' ');
    name(t, g, '@', g->kernels[n->kernel].name);
    print_grid(t, g, n);
    if (n->byte_count) {
        rp_text_string(t, " push");
        bytes(t, g->bytes + n->first_byte, n->byte_count);
    }
    for (uint32_t i = 0; i < n->address_count; i++) {
        const rp_graph_address *a = &g->addresses[n->first_address + i];
        rp_text_format(t, "%s%u=%u", i ? " " : " address ", a->at, a->use);
        if (a->offset) rp_text_format(t, "+%llu", (unsigned long long)a->offset);
    }
    if (!n->unknown || n->use_count > (n->grid_kind == RP_GRID_INDIRECT)) print_uses(t, g, n);
    for (uint32_t i = 0; i < n->sampler_count; i++) {
        rp_text_string(t, i ? ", " : " samplers (");
        name(t, g, '@', g->samplers[g->sampler_refs[n->first_sampler + i]].name);
    }
    if (n->sampler_count) rp_text_char(t, ')');
}

static void print_sampler(rp_text *t, const rp_graph *g, const rp_graph_sampler *s) {
    rp_text_string(t, "  samp ");
    name(t, g, '@', s->name);
    rp_text_char(t, ' ');
    rp_print_sampler(t, &s->info);
    rp_text_char(t, '\n');
}

static void print_tags(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    if (n->optional) rp_text_string(t, " optional");
    if (n->label != RP_NONE) {
        rp_text_string(t, " label ");
        rp_text_quoted(t, rp_graph_string(g, n->label));
    }
    if (n->op != RP_NONE) {
        const char *op = rp_graph_string(g, n->op);
        rp_text_string(t, " op ");
        if (rp_name_valid(op, strlen(op)))
            rp_text_string(t, op);
        else
            rp_text_quoted(t, op);
    }
}

/* " {", the members one a line, and "}". */
static void print_members(rp_text *t, const rp_graph *g, const rp_graph_node *n,
                          const char *indent) {
    rp_text_string(t, " {\n");
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(g, n)[i];
        rp_text_string(t, indent);
        rp_text_string(t, "  n");
        rp_text_u64(t, m->id);
        rp_text_string(t, " = ");
        rp_print_member(t, g, n, m);
        rp_print_choice(t, g, m);
        rp_text_char(t, '\n');
    }
    rp_text_string(t, indent);
    rp_text_char(t, '}');
}

static void print_node(rp_text *t, const rp_graph *g, const rp_graph_node *n) {
    const char *indent = g->stages & RP_STAGE_SCHEDULED ? "    " : "  ";
    bool fused = n->kind == RP_OP && n->member_count != 1;
    rp_text_string(t, indent);
    rp_text_char(t, 'n');
    rp_text_u64(t, n->id);
    rp_text_string(t, " = ");
    rp_text_string(t, fused ? "fused" : rp_node_kind_name((rp_node_kind)n->kind));
    switch ((rp_node_kind)n->kind) {
    case RP_RUN:
        print_run(t, g, n);
        if (n->member_count == 0) break;
        rp_text_string(t, " for");
        print_members(t, g, n, indent);
        break;
    case RP_OP:
        if (fused) {
            print_members(t, g, n, indent);
            break;
        }
        rp_text_char(t, ' ');
        rp_print_member(t, g, n, rp_node_members(g, n));
        break;
    case RP_COPY: print_uses(t, g, n); break;
    case RP_FILL:
        rp_text_char(t, ' ');
        hex(t, n->pattern, 8);
        print_uses(t, g, n);
        break;
    case RP_UPDATE:
        bytes(t, g->bytes + n->first_byte, n->byte_count);
        print_uses(t, g, n);
        break;
    case RP_CLEAR:
        bytes(t, g->bytes + n->first_byte, n->byte_count);
        print_uses(t, g, n);
        break;
    case RP_BLIT:
        rp_text_char(t, ' ');
        rp_text_string(t, rp_filter_name((rp_filter)n->pattern));
        print_uses(t, g, n);
        break;
    case RP_FENCE: break;
    }
    print_tags(t, g, n);
    if (n->kind == RP_OP && !fused) rp_print_choice(t, g, rp_node_members(g, n));
    rp_text_char(t, '\n');
}

static void print_scopes(rp_text *t, const rp_graph_barrier *b) {
    rp_scope_print(t, b->src);
    rp_text_string(t, " -> ");
    rp_scope_print(t, b->dst);
}

static void print_barrier(rp_text *t, const rp_graph *g, const rp_reasons *reasons,
                          uint32_t index) {
    if (!(g->stages & RP_STAGE_SYNCED)) return;
    const rp_graph_barrier *b = &g->barriers[index];
    const rp_graph_barrier *tagged = &rp_graph_form(g, RP_FORM_TAGGED)[index];
    if (!(b->src | b->dst | tagged->src | tagged->dst)) return;
    rp_text_string(t, "  barrier ");
    print_scopes(t, b);
    if (b->src != tagged->src || b->dst != tagged->dst) {
        rp_text_string(t, " tagged ");
        print_scopes(t, tagged);
    }
    rp_reasons_print(t, g, reasons, index, "    ; ");
    rp_text_char(t, '\n');
}

static void print_plan(rp_text *t, const rp_graph *g, const rp_reasons *reasons) {
    uint32_t at = 0;
    for (uint32_t group = 0; group < g->group_count; group++) {
        print_barrier(t, g, reasons, group);
        rp_text_string(t, "  group ");
        rp_text_u64(t, group);
        rp_text_char(t, '\n');
        for (; at < g->nodes_count && g->nodes[at].group == group; at++)
            print_node(t, g, &g->nodes[at]);
    }
    print_barrier(t, g, reasons, g->group_count);
}

rp_status rp_graph_print_text(const rp_graph *g, const rp_graph_stats *stats, rp_text *t) {
    rp_reasons reasons = {0};
    rp_graph_stats own = {.size = sizeof own};
    if (!stats) {
        RP_TRY(rp_graph_get_stats(g, &own));
        stats = &own;
    }
    print_header(t, g);
    print_stats(t, g, stats);
    print_target(t, g);
    for (uint32_t i = 0; i < g->buffers_count; i++)
        if (!g->buffers[i].removed) print_buffer(t, g, i);
    for (uint32_t i = 0; i < g->kernels_count; i++)
        if (!g->kernels[i].removed) print_kernel(t, g, &g->kernels[i]);
    for (uint32_t i = 0; i < g->samplers_count; i++) print_sampler(t, g, &g->samplers[i]);
    if (g->stages & RP_STAGE_SCHEDULED) {
        if (g->stages & RP_STAGE_SYNCED) RP_TRY(rp_reasons_build(g, &reasons));
        print_plan(t, g, &reasons);
        rp_reasons_free(g, &reasons);
    } else {
        for (uint32_t i = 0; i < g->nodes_count; i++) print_node(t, g, &g->nodes[i]);
    }
    rp_text_string(t, "}\n");
    return RP_OK;
}
