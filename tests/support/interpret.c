/* Running ops on the CPU; see interpret.h. */
#include "support/interpret.h"

#include <stdio.h>
#include <stdlib.h>

#include "reference/reference.h"
#include "support/op_calls.h"
#include "support/same_values.h"

enum { MAX_VALUES = 256, WHY = 400 };

typedef struct machine {
    const rp_graph *g;
    interpreted *out;
    uint8_t *arena;
    double *values[MAX_VALUES]; /* of the node that runs, by number */
    uint64_t value_counts[MAX_VALUES];
    char *why;
} machine;

static void *need(void *block) {
    if (!block) abort();
    return block;
}

static uint8_t *bytes_of(machine *m, const rp_graph_node *n, const rp_graph_operand *o) {
    const rp_graph_use *u = &m->g->uses[n->first_use + o->use];
    const rp_graph_buffer *b = &m->g->buffers[u->buffer];
    uint8_t *start = m->out->bytes[u->buffer];
    if (!start) start = m->arena + b->offset;
    return start + u->offset;
}

static bool refuse(machine *m, uint32_t id, const char *what) {
    snprintf(m->why, WHY, "n%u: %s", id, what);
    return false;
}

/* Rounds as storing would. */
static void keep_value(machine *m, uint32_t value, const rp_tensor *t, const double *data) {
    uint64_t count = rp_tensor_elements(t);
    void *stored = need(calloc(rp_tensor_bytes(t) + 8, 1));
    free(m->values[value]);
    m->values[value] = need(malloc((count + 1) * sizeof(double)));
    m->value_counts[value] = count;
    rp_values_encode(t, data, stored);
    rp_values_decode(t, stored, m->values[value]);
    free(stored);
}

static bool load(machine *m, const rp_graph_node *n, const rp_graph_member *member,
                 const rp_graph_operand *o, const rp_tensor *t, double *into) {
    uint64_t count = rp_tensor_elements(t);
    if (o->use != RP_NONE) {
        rp_values_decode(t, bytes_of(m, n, o), into);
        return true;
    }
    if (o->value >= MAX_VALUES || !m->values[o->value] || m->value_counts[o->value] != count)
        return refuse(m, member->id, "reads a value that is not there");
    memcpy(into, m->values[o->value], count * sizeof *into);
    return true;
}

/* Whether operand i of the member is written, wholly or in part. */
static bool run_member(machine *m, const rp_graph_node *n, const rp_graph_member *member) {
    rp_op_call call;
    rp_op_data data = {0};
    const rp_graph_operand *operands = rp_member_operands(m->g, member);
    bool ok = true, scaled = false;
    rp_member_call(m->g, member, &call);
    if (!rp_op_check(&call)) return refuse(m, member->id, call.error);
    for (uint32_t i = 0; i < call.operand_count && ok; i++) {
        if (call.operands[i].absent) continue;
        uint64_t count = rp_tensor_elements(&call.operands[i]);
        uint8_t access = rp_op_operand_of(&call, i)->access;
        data.operands[i] = need(calloc(count + 1, sizeof(double)));
        if (access != RP_WRITE)
            ok = load(m, n, member, &operands[i], &call.operands[i], data.operands[i]);
        if (access != RP_READ && !scaled)
            data.scale = need(calloc(count + 1, sizeof(double))), scaled = true;
    }
    if (ok) rp_reference_of(call.op)(&call, &data);
    for (uint32_t i = 0; i < call.operand_count && ok; i++) {
        if (call.operands[i].absent || !rp_op_line_writes(&call, i)) continue;
        if (operands[i].use != RP_NONE)
            rp_values_encode(&call.operands[i], data.operands[i], bytes_of(m, n, &operands[i]));
        if (operands[i].value < MAX_VALUES)
            keep_value(m, operands[i].value, &call.operands[i], data.operands[i]);
    }
    for (uint32_t i = 0; i < call.operand_count; i++) free(data.operands[i]);
    free(data.scale);
    return ok;
}

static bool run_node(machine *m, const rp_graph_node *n) {
    bool ok = n->member_count > 0 || n->kind == RP_FENCE || refuse(m, n->id, "not an op");
    for (uint32_t i = 0; i < n->member_count && ok; i++)
        ok = run_member(m, n, &rp_node_members(m->g, n)[i]);
    for (uint32_t v = 0; v < MAX_VALUES; v++) {
        free(m->values[v]);
        m->values[v] = NULL;
    }
    return ok;
}

static void fill_buffers(machine *m, interpret_fill *fill, void *context) {
    const rp_graph *g = m->g;
    bool placed = g->stages & RP_STAGE_PLACED;
    m->out->count = g->buffers_count;
    m->out->bytes = need(calloc(g->buffers_count + 1, sizeof *m->out->bytes));
    for (uint32_t i = 0; i < g->buffers_count; i++) {
        const rp_graph_buffer *b = &g->buffers[i];
        if (b->removed || (b->kind == RP_TMP && placed)) continue;
        m->out->bytes[i] = need(malloc(b->size + 8));
        memset(m->out->bytes[i], 0xa5, b->size + 8);
        if (b->kind != RP_TMP && b->kind != RP_OUT)
            fill(context, rp_graph_string(g, b->name), b->size, m->out->bytes[i]);
    }
    m->arena = need(malloc(g->arena_bytes + 8));
    memset(m->arena, 0x5a, g->arena_bytes + 8);
}

static bool is_absent(const rp_graph *g, const rp_graph_node *n, uint32_t absent) {
    uint32_t bit = 8 + n->id % 24;
    if (n->label != RP_NONE) bit = (uint32_t)(rp_graph_string(g, n->label)[1] - '0');
    return n->optional && (absent >> bit & 1);
}

bool interpret_run(const rp_graph *g, bool backwards, uint32_t absent, interpret_fill *fill,
                   void *context, interpreted *out, char *why) {
    machine m = {.g = g, .out = out, .why = why};
    bool ok = true;
    *why = '\0';
    fill_buffers(&m, fill, context);
    for (uint32_t i = 0, end; i < g->nodes_count && ok; i = end) {
        for (end = i + 1; end < g->nodes_count && (g->stages & RP_STAGE_SCHEDULED) &&
                          g->nodes[end].group == g->nodes[i].group;)
            end++;
        for (uint32_t k = i; k < end && ok; k++) {
            const rp_graph_node *n = &g->nodes[backwards ? end - 1 - (k - i) : k];
            ok = is_absent(g, n, absent) || run_node(&m, n);
        }
    }
    free(m.arena);
    return ok;
}

void interpret_free(interpreted *out) {
    for (uint32_t i = 0; i < out->count; i++) free(out->bytes[i]);
    free(out->bytes);
    *out = (interpreted){0};
}

bool interpret_same(const rp_graph *a, const interpreted *of_a, const rp_graph *b,
                    const interpreted *of_b, char *why) {
    for (uint32_t i = 0; i < a->buffers_count; i++) {
        if (a->buffers[i].removed || !rp_buffer_has_result(&a->buffers[i])) continue;
        const char *name = rp_graph_string(a, a->buffers[i].name);
        uint32_t k = rp_graph_find_buffer(b, name);
        if (k == RP_NONE || !of_b->bytes[k]) {
            snprintf(why, WHY, "%s is gone", name);
            return false;
        }
        if (rp_first_difference(a->buffers[i].dtype, of_a->bytes[i], of_b->bytes[k],
                                a->buffers[i].size) != UINT64_MAX) {
            snprintf(why, WHY, "%s has other bytes", name);
            return false;
        }
    }
    return true;
}
