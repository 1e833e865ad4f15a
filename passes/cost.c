/* What nodes do by their definition: bytes, operations, and the time that the target could do it in.
 *
 * A node that was made of ops is counted by those: an embedding binds all of its table and reads a
 * few rows. Of other kernels their ranges are all that is known. What the passes had expected of a
 * node is found in the source graph, where its members are nodes of their own (cost_expected.c). */
#include "cost.h"

#include <stdlib.h>

#include "base/sized.h"
#include "reprise/needs.h"

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static int by_place(const void *left, const void *right) {
    const rp_graph_use *a = left, *b = right;
    if (a->buffer != b->buffer) return a->buffer < b->buffer ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Bytes that some of the uses touch, each once. */
static double union_of(rp_graph_use *uses, uint32_t count) {
    double bytes = 0;
    uint64_t end = 0;
    qsort(uses, count, sizeof *uses, by_place);
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || uses[i].buffer != uses[i - 1].buffer) end = 0;
        uint64_t last = uses[i].offset + uses[i].size;
        uint64_t first = uses[i].offset > end ? uses[i].offset : end;
        if (last <= first) continue;
        bytes += (double)(last - first);
        end = last;
    }
    return bytes;
}

/* By ranges, of any node. */
static void count_ranges(const rp_graph *g, const rp_graph_node *n, rp_cost_record *cost) {
    rp_graph_use uses[RP_MAX_PARAMS + 1];
    for (uint32_t writes = 0; writes < 2; writes++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < n->use_count && count <= RP_MAX_PARAMS; i++) {
            const rp_graph_use *u = &rp_node_uses(g, n)[i];
            if (writes ? rp_access_writes(u->access) : rp_access_reads(u->access))
                uses[count++] = *u;
        }
        *(writes ? &cost->bytes_written : &cost->bytes_read) = union_of(uses, count);
    }
}

/* The bytes of an operand that are loaded or stored at least once. */
static double operand_bytes(const rp_op_call *call, const rp_op_cost *cost, uint32_t k) {
    double bytes = (double)rp_tensor_bytes(&call->operands[k]);
    double elements = (double)rp_tensor_elements(&call->operands[k]);
    return cost->loads[k] < elements ? bytes * cost->loads[k] / elements : bytes;
}

/* By members: of operands that share a use the one with the most. */
static void count_members(rp_cost_counter *c, const rp_graph_node *n, rp_cost_record *cost) {
    double read[RP_MAX_PARAMS] = {0}, written[RP_MAX_PARAMS] = {0};
    for (uint32_t i = 0; i < n->member_count; i++) {
        const rp_graph_member *m = &rp_node_members(c->graph, n)[i];
        const rp_cost_call *call = &c->calls[i];
        for (uint32_t k = 0; k < m->operand_count; k++) {
            const rp_graph_operand *o = &rp_member_operands(c->graph, m)[k];
            if (o->absent || o->use >= RP_MAX_PARAMS) continue;
            double bytes = operand_bytes(&call->call, &call->cost, k);
            if (rp_access_writes(o->access))
                written[o->use] = larger(written[o->use], bytes);
            else
                read[o->use] = larger(read[o->use], bytes);
        }
    }
    cost->bytes_read = cost->bytes_written = 0;
    for (uint32_t u = 0; u < RP_MAX_PARAMS; u++) {
        cost->bytes_read += read[u];
        cost->bytes_written += written[u];
    }
}

/* ---- Operations ------------------------------------------------------------------------------ */

typedef struct ceiling {
    const char *figure;
    uint64_t rate;
} ceiling;

static bool is_byte(const rp_op_call *call, uint32_t k) {
    return k < call->operand_count && (RP_DT(call->operands[k].dtype) & RP_DT_BYTE);
}

/* What the op's arithmetic goes by: its variant's units, and what it multiplies. */
static ceiling ceiling_of(const rp_op_call *call, const rp_target *target) {
    bool bytes = call->op->form == RP_OP_KERNEL && is_byte(call, 0) && is_byte(call, 1);
    bool matrices = call->variant && call->variant->needs & RP_NEED_COOPERATIVE_MATRIX;
    if (matrices && bytes && target->matrix_i8_rate)
        return (ceiling){"matrix_i8_rate", target->matrix_i8_rate};
    if (matrices && target->matrix_f16_rate)
        return (ceiling){"matrix_f16_rate", target->matrix_f16_rate};
    if (bytes) return (ceiling){"i8_rate", target->i8_rate};
    return (ceiling){"f32_rate", target->f32_rate};
}

static void count_operations(rp_cost_counter *c, uint32_t members, rp_cost_record *cost) {
    double slowest = 0;
    cost->operations = cost->arithmetic_ns = 0;
    for (uint32_t i = 0; i < members; i++) {
        double flops = c->calls[i].cost.flops;
        ceiling by = ceiling_of(&c->calls[i].call, c->target);
        double ns = flops / (double)by.rate * 1e3;
        cost->operations += flops;
        cost->arithmetic_ns += ns;
        if (ns <= slowest) continue;
        slowest = ns;
        cost->ceiling = by.figure;
    }
}

/* ---- Words ----------------------------------------------------------------------------------- */

/* Adds a string to the text, which later has a zero behind it; where it begins. */
static uint32_t end_string(rp_text *text, uint32_t begin) {
    if (text->size == begin) return RP_NONE;
    rp_text_append(text, "", 1);
    return begin;
}

/* "matvec*2 map". */
static uint32_t say_ops(rp_cost_counter *c, uint32_t members) {
    uint32_t begin = c->text->size;
    for (uint32_t i = 0, end; i < members; i = end) {
        for (end = i + 1; end < members && c->calls[end].call.op == c->calls[i].call.op;) end++;
        rp_text_format(c->text, "%s%s", i ? " " : "", rp_op_name(c->calls[i].call.op));
        if (end - i > 1) rp_text_format(c->text, "*%u", end - i);
    }
    return end_string(c->text, begin);
}

static bool is_first_of(const rp_cost_counter *c, uint32_t i) {
    for (uint32_t j = 0; j < i; j++)
        if (c->calls[j].call.variant == c->calls[i].call.variant) return false;
    return c->calls[i].call.variant != NULL;
}

static uint32_t say_variants(rp_cost_counter *c, uint32_t members) {
    uint32_t begin = c->text->size;
    for (uint32_t i = 0; i < members; i++)
        if (is_first_of(c, i))
            rp_text_format(c->text, "%s%s", c->text->size > begin ? " " : "",
                           c->calls[i].call.variant->name);
    return end_string(c->text, begin);
}

static uint32_t say_decided(rp_cost_counter *c, uint32_t members) {
    uint32_t begin = c->text->size;
    for (uint32_t i = 0; i < members; i++) {
        const rp_op_call *call = &c->calls[i].call;
        if (!is_first_of(c, i)) continue;
        rp_op_explain(call, rp_graph_target(c->graph), c->text->size > begin ? "; " : "", c->text);
    }
    return end_string(c->text, begin);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static rp_status take_calls(rp_cost_counter *c, const rp_graph_node *n) {
    if (!RP_RESERVE(&c->graph->allocator, c->calls, 0, c->calls_capacity, n->member_count))
        return RP_ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < n->member_count; i++) {
        rp_cost_call *to = &c->calls[i];
        rp_member_call(c->graph, &rp_node_members(c->graph, n)[i], &to->call);
        (void)rp_member_choose(c->graph, &to->call); /* a verified graph's */
        rp_op_cost_of(&to->call, &to->cost);
    }
    return RP_OK;
}

static rp_status count_node(rp_cost_counter *c, const rp_graph_node *n, rp_cost_record *cost) {
    *cost = (rp_cost_record){
        .id = n->id, .ops = RP_NONE, .variant = RP_NONE, .decided = RP_NONE, .expected_ns = -1};
    if (n->kind == RP_RUN && n->member_count == 0) cost->operations = cost->arithmetic_ns = -1;
    count_ranges(c->graph, n, cost);
    if (n->unknown) cost->bytes_read = cost->bytes_written = cost->memory_ns = -1;
    if (n->member_count == 0) return RP_OK;
    RP_TRY(take_calls(c, n));
    count_members(c, n, cost);
    count_operations(c, n->member_count, cost);
    cost->ops = say_ops(c, n->member_count);
    cost->variant = say_variants(c, n->member_count);
    cost->decided = say_decided(c, n->member_count);
    return c->text->failed ? RP_ERROR_NO_MEMORY : RP_OK;
}

/* What is not made of ops is expected to be as fast as its memory. */
static void finish(const rp_graph *g, const rp_costs *costs, uint32_t index) {
    rp_cost_record *cost = &costs->records[index];
    const rp_target *t = &costs->target;
    if (cost->memory_ns < 0) return;
    double bytes = cost->bytes_read + cost->bytes_written;
    cost->memory_ns = bytes / (double)(costs->cached ? t->cache_rate : t->memory_rate) * 1e3;
    const rp_graph_node *n = &g->nodes[index];
    if (n->member_count == 0 && n->kind != RP_FENCE)
        cost->expected_ns = (double)t->barrier_ns + bytes / (double)t->memory_rate * 1e3;
}

static rp_status add_buffers(const rp_graph *g, rp_costs *costs) {
    rp_graph_stats stats = {.size = sizeof stats};
    RP_TRY(rp_graph_get_stats(g, &stats));
    costs->plan_bytes = stats.external_bytes + stats.image_bytes;
    costs->plan_bytes += stats.stages & RP_STAGE_PLACED ? stats.arena_bytes : stats.transient_bytes;
    costs->cached = costs->plan_bytes <= costs->target.cache_bytes;
    return RP_OK;
}

static rp_status fill(const rp_graph *g, const rp_graph *source, rp_diags *diags, rp_costs *costs) {
    costs->records = rp_alloc_zero(&g->allocator, g->nodes_count, sizeof *costs->records);
    if (!costs->records) return RP_ERROR_NO_MEMORY;
    rp_cost_counter c = {.graph = g, .target = &costs->target, .text = &costs->text};
    rp_status status = add_buffers(g, costs);
    costs->count = g->nodes_count;
    for (uint32_t i = 0; i < g->nodes_count && status == RP_OK; i++) {
        status = count_node(&c, &g->nodes[i], &costs->records[i]);
        finish(g, costs, i);
    }
    rp_release(&g->allocator, c.calls);
    if (status == RP_OK && source) status = rp_cost_expect(g, source, diags, costs->records);
    return status;
}

rp_status rp_costs_create(const rp_graph *compiled, const rp_graph *source, const rp_target *target,
                          rp_diags *diags, rp_costs **out_costs) {
    if (!out_costs) return RP_ERROR_USAGE;
    *out_costs = NULL;
    if (!compiled) return RP_ERROR_USAGE;
    rp_target filled;
    if (!rp_target_fill(target ? target : &compiled->target, &filled))
        return rp_sized_refuse(diags, "rp_target");
    rp_costs *costs = rp_alloc_zero(&compiled->allocator, 1, sizeof *costs);
    if (!costs) return RP_ERROR_NO_MEMORY;
    costs->allocator = compiled->allocator;
    costs->target = filled;
    rp_text_init(&costs->text, &compiled->allocator);
    rp_status status = fill(compiled, source, diags, costs);
    if (status == RP_OK)
        *out_costs = costs;
    else
        rp_costs_destroy(costs);
    return status;
}

void rp_costs_destroy(rp_costs *costs) {
    if (!costs) return;
    const rp_allocator a = costs->allocator;
    rp_text_free(&costs->text);
    rp_release(&a, costs->records);
    rp_release(&a, costs);
}

rp_status rp_costs_get_info(const rp_costs *costs, rp_costs_info *info) {
    if (!costs || !info) return RP_ERROR_USAGE;
    const rp_costs_info own = {.count = costs->count,
                               .target = &costs->target,
                               .plan_bytes = costs->plan_bytes,
                               .cached = costs->cached};
    return rp_sized_give(&own, sizeof own, info) ? RP_OK : RP_ERROR_USAGE;
}

static const char *string_of(const rp_costs *costs, uint32_t string) {
    return string == RP_NONE ? NULL : costs->text.data + string;
}

rp_status rp_costs_get(const rp_costs *costs, uint32_t index, rp_node_cost *cost) {
    if (!costs || !cost || index >= costs->count) return RP_ERROR_USAGE;
    const rp_cost_record *record = &costs->records[index];
    const rp_node_cost own = {
        .id = record->id,
        .ops = string_of(costs, record->ops),
        .variant = string_of(costs, record->variant),
        .decided = string_of(costs, record->decided),
        .bytes_read = record->bytes_read,
        .bytes_written = record->bytes_written,
        .operations = record->operations,
        .ceiling = record->ceiling,
        .memory_ns = record->memory_ns,
        .arithmetic_ns = record->arithmetic_ns,
        .expected_ns = record->expected_ns,
    };
    return rp_sized_give(&own, sizeof own, cost) ? RP_OK : RP_ERROR_USAGE;
}
