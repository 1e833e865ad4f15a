/* The checker's entry: is the compiled graph well formed enough to be judged, and which rules hold.
 *
 * The proof has five parts, each in its own file, none of which uses the passes' analysis:
 *   check_match.c  the compiled nodes are nodes of the source, unchanged (rule 0);
 *                  check_members.c does it for fused nodes
 *   check_flow.c   every read finds the bytes of the same writer as in the source (rule 1)
 *   check_order.c  fences and nodes without declared uses order everything (rules 1 and 2)
 *   check_race.c   barriers cover all conflicting accesses on physical bytes (rule 2)
 *   check_tags.c   readers of tagged buffers wait for the right words (rule 3); in the form whose
 *                  barriers count on that, rule 2 is judged again
 * Rule 1 speaks about the plan's nodes one at a time, in plan order. Rule 2 makes every concurrent
 * execution equal to that order. Together they make the plan equal to the source.
 *
 * Everything that is not understood is a finding: the checker fails closed. Not even indices and
 * ranges are taken on trust, because a pass may have written them.
 *
 * Cost: near linear in uses; four walks over each use, and about 350 bytes a node at the peak. */
#include "check/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"

/* How findings begin: by the form of a replay, and of the next one. */
static const char *const forms[RP_FORMS][RP_FORMS] = {
    [RP_FORM_BARRIERS] = {"", "with the tagged form behind the other: "},
    [RP_FORM_TAGGED] = {"with all barriers behind the tagged form: ", "in the tagged form: "},
};

void rp_check_fail(rp_check_run *run, const rp_graph_node *at, const char *format, ...) {
    run->errors++;
    rp_text text;
    rp_text_init(&text, run->a);
    va_list args;
    va_start(args, format);
    rp_text_vformat(&text, format, args);
    va_end(args);
    rp_diags_add(run->diags, RP_ERROR, run->file, at ? at->pos.line : 0, at ? at->pos.column : 0,
                 "%s%s", forms[run->form][run->next_form],
                 text.failed || !text.data ? "not proven" : text.data);
    rp_text_free(&text);
}

const char *rp_check_range(char text[RP_CHECK_RANGE], const rp_graph *graph, uint32_t buffer,
                           uint64_t offset, uint64_t size) {
    const rp_graph_buffer *b = &graph->buffers[buffer];
    snprintf(text, RP_CHECK_RANGE, "%c%.80s[%llu+%llu]", b->kind == RP_TMP ? '%' : '$',
             rp_graph_string(graph, b->name), (unsigned long long)offset, (unsigned long long)size);
    return text;
}

const char *rp_check_bit(char text[RP_CHECK_RANGE], uint32_t scope) {
    static const char *const names[] = {
#define RP_X(symbol, bit, stage, access, ...) [bit] = stage ":" access,
        RP_SCOPE_LIST(RP_X)
#undef RP_X
    };
    text[0] = 0;
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        if (scope & (1u << i)) snprintf(text, RP_CHECK_RANGE, "%s", names[i]);
    return text;
}

/* ---- Is there anything to judge? ------------------------------------------------------------- */

static bool members_are_sound(const rp_graph *g, const rp_graph_node *n) {
    if (!rp_range_inside(n->first_member, n->member_count,
                         n->member_count ? g->members_count : UINT32_MAX))
        return false;
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &g->members[n->first_member + i];
        if (!m->op || !rp_range_inside(m->first_operand, m->operand_count, g->operands_count) ||
            !rp_range_inside(m->first_attr, m->attr_count,
                             m->attr_count ? g->attrs_count : UINT32_MAX))
            return false;
        for (uint32_t k = 0; k < m->operand_count; k++) {
            const rp_graph_operand *o = &g->operands[m->first_operand + k];
            if (o->absent) continue;
            if (o->rank > RP_MAX_RANK ||
                !rp_range_inside(o->first_dim, o->rank, o->rank ? g->dims_count : UINT32_MAX) ||
                (o->use != RP_NONE && o->use >= n->use_count) ||
                (o->use == RP_NONE && o->value == RP_NONE))
                return false;
        }
    }
    return n->kind != RP_OP || n->member_count > 0;
}

static bool samplers_are_sound(const rp_graph *g, const rp_graph_node *n) {
    if (!rp_range_inside(n->first_sampler, n->sampler_count,
                         n->sampler_count ? g->sampler_refs_count : UINT32_MAX))
        return false;
    for (uint32_t i = 0; i < n->sampler_count; i++)
        if (g->sampler_refs[n->first_sampler + i] >= g->samplers_count) return false;
    return true;
}

static bool uses_are_sound(rp_check_run *run, const rp_graph *g, const rp_graph_node *n) {
    const char *which = g == run->source ? "source " : "";
    if (!rp_range_inside(n->first_use, n->use_count, g->uses_count) ||
        !rp_range_inside(n->first_byte, n->byte_count,
                         n->byte_count ? g->bytes_count : UINT32_MAX) ||
        !samplers_are_sound(g, n) || (n->kind == RP_RUN && n->kernel >= g->kernels_count) ||
        !members_are_sound(g, n)) {
        rp_check_fail(run, n, "%sn%u is damaged: an index is out of range", which, n->id);
        return false;
    }
    const rp_graph_use *uses = rp_node_uses(g, n);
    for (uint32_t i = 0; i < n->use_count; i++) {
        const rp_graph_use *u = &uses[i];
        if (u->buffer >= g->buffers_count || g->buffers[u->buffer].removed) {
            rp_check_fail(run, n, "%sn%u uses a buffer that does not exist", which, n->id);
            return false;
        }
        if (u->size == 0 || !rp_range_inside(u->offset, u->size, g->buffers[u->buffer].size)) {
            char range[RP_CHECK_RANGE];
            rp_check_fail(run, n, "%sn%u uses %s, which is not inside the buffer", which, n->id,
                          rp_check_range(range, g, u->buffer, u->offset, u->size));
            return false;
        }
    }
    return true;
}

static void check_shape(rp_check_run *run) {
    const rp_graph *g = run->compiled;
    if (!(g->stages & RP_STAGE_SCHEDULED) || !(g->stages & RP_STAGE_SYNCED)) {
        rp_check_fail(run, NULL, "the graph is %s: only a scheduled and synced graph can be proven",
                      g->stages & RP_STAGE_SCHEDULED ? "not synced" : "not scheduled");
        return;
    }
    if (g->barriers_count != (uint64_t)g->group_count + 1) {
        rp_check_fail(run, NULL, "%u groups need %llu barrier places, the graph has %u",
                      g->group_count, (unsigned long long)g->group_count + 1, g->barriers_count);
        return;
    }
    bool tagged = false;
    for (uint32_t i = 0; i < g->buffers_count; i++) tagged |= g->buffers[i].tagged;
    if (g->tagged_barriers_count != (tagged ? g->barriers_count : 0)) {
        rp_check_fail(run, NULL,
                      "the graph has %u barriers of a tagged form, and %s tagged buffers",
                      g->tagged_barriers_count, tagged ? "has" : "no");
        return;
    }
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (!b->removed && rp_check_in_arena(g, i) &&
            !rp_range_inside(b->offset, rp_buffer_footprint(b), g->arena_bytes))
            rp_check_fail(run, NULL, "%%%s at %llu ends outside the arena of %llu bytes",
                          rp_graph_string(g, b->name), (unsigned long long)b->offset,
                          (unsigned long long)g->arena_bytes);
    }
    uint32_t group = 0;
    for (uint32_t i = 0; i < g->nodes_count && !rp_check_stop(run); i++) {
        const rp_graph_node *n = &g->nodes[i];
        if (n->group < group || n->group >= g->group_count)
            rp_check_fail(run, n, "n%u in group %u stands behind group %u of %u", n->id, n->group,
                          group, g->group_count);
        group = n->group;
        uses_are_sound(run, g, n);
    }
}

/* ---- Nodes in id order ----------------------------------------------------------------------- */

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool ascending(const rp_graph *g) {
    for (uint32_t i = 1; i < g->nodes_count; i++)
        if (g->nodes[i - 1].id >= g->nodes[i].id) return false;
    return true;
}

static rp_status sort_by_id(rp_check_run *run, const rp_graph *g) {
    run->by_id = rp_alloc(run->a, g->nodes_count, sizeof *run->by_id);
    if (!run->by_id) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->nodes_count; i++) run->by_id[i] = i;
    if (ascending(g)) return RP_OK;

    uint64_t *keys = rp_alloc(run->a, g->nodes_count, sizeof *keys);
    if (!keys) return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < g->nodes_count; i++) keys[i] = (uint64_t)g->nodes[i].id << 32 | i;
    qsort(keys, g->nodes_count, sizeof *keys, compare_u64);
    for (uint32_t i = 0; i < g->nodes_count; i++) {
        if (i > 0 && keys[i] >> 32 == keys[i - 1] >> 32)
            rp_check_fail(run, &g->nodes[(uint32_t)keys[i]], "two nodes have the id n%u",
                          (uint32_t)(keys[i] >> 32));
        run->by_id[i] = (uint32_t)keys[i];
    }
    rp_release(run->a, keys);
    return RP_OK;
}

/* ---- The rules together ---------------------------------------------------------------------- */

/* What later parts take for granted. Numbers of uses and nodes are doubled for the two replays. */
static rp_status prepare(rp_check_run *run) {
    const rp_graph *judge = run->source ? run->source : run->compiled;
    check_shape(run);
    if (run->source)
        for (uint32_t i = 0; i < run->source->nodes_count && !rp_check_stop(run); i++)
            uses_are_sound(run, run->source, &run->source->nodes[i]);
    const uint32_t limit = UINT32_MAX / 4;
    if (run->compiled->nodes_count >= limit || run->compiled->group_count >= limit ||
        judge->uses_count >= limit || judge->nodes_count >= limit)
        rp_check_fail(run, NULL, "the graph is too large to be checked");
    if (run->errors) return RP_OK;
    for (uint32_t i = 0; i < judge->nodes_count; i++) run->has_unknown |= judge->nodes[i].unknown;
    return sort_by_id(run, judge);
}

/* A replay may take another form than the one before: their barriers must do together, too. */
static rp_status check_changes(rp_check_run *run) {
    run->form = RP_FORM_BARRIERS;
    RP_TRY(rp_check_races(run));
    run->form = RP_FORM_TAGGED;
    run->next_form = RP_FORM_BARRIERS;
    return rp_check_stop(run) ? RP_OK : rp_check_races(run);
}

static rp_status run_rules(rp_check_run *run) {
    RP_TRY(prepare(run));
    if (run->errors) return RP_OK;
    if (run->source) RP_TRY(rp_check_match(run));
    if (run->source && !run->errors) rp_check_sizes(run);
    if (run->source && !run->errors) RP_TRY(rp_check_flow(run));
    /* With nodes missing or unknown to the source, fences cannot be judged by it. */
    bool orders = !run->source || run->plan_of;
    if (!rp_check_stop(run) && orders) RP_TRY(rp_check_orders(run));
    if (!rp_check_stop(run)) RP_TRY(rp_check_aliases(run));
    if (!rp_check_stop(run)) RP_TRY(rp_check_races(run));
    if (run->compiled->tagged_barriers_count == 0) return RP_OK;
    if (!rp_check_stop(run)) RP_TRY(rp_check_tags(run));
    run->form = run->next_form = RP_FORM_TAGGED;
    if (!rp_check_stop(run) && orders) RP_TRY(rp_check_orders(run));
    if (!rp_check_stop(run)) RP_TRY(rp_check_races(run));
    /* What is found in one form would only be found again. */
    return run->errors ? RP_OK : check_changes(run);
}

rp_status rp_check(const rp_graph *compiled, const rp_graph *source, const char *file,
                   rp_diags *diags, rp_certificate *out_certificate) {
    if (out_certificate) *out_certificate = (rp_certificate){0};
    if (!compiled) return RP_ERROR_USAGE;
    rp_check_run run = {
        .a = &compiled->allocator,
        .compiled = compiled,
        .source = source,
        .file = file,
        .diags = diags,
    };
    rp_status status = run_rules(&run);
    rp_release(run.a, run.by_id);
    rp_release(run.a, run.plan_of);
    rp_release(run.a, run.source_of);
    rp_release(run.a, run.source_buffer);
    rp_release(run.a, run.source_use);
    if (status != RP_OK) return status;
    if (run.errors) return RP_ERROR_UNPROVEN;
    if (out_certificate)
        *out_certificate = (rp_certificate){
            .checker_version = RP_CHECKER_VERSION,
            .verdict = source ? 1 : 2,
            .source_hash = source ? rp_graph_hash(source) : 0,
            .compiled_hash = rp_graph_hash(compiled),
            .reads_proven = run.reads_proven,
            .conflicts_proven = run.conflicts_proven,
        };
    return RP_OK;
}
