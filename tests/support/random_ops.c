/* Random graphs of ops; see random_ops.h. What they are made of is in random_ops_motifs.c, in
 * random_ops_constants.c, and in random_ops_attention.c for that family. */
#include <stdio.h>
#include <stdlib.h>

#include "support/random_ops_parts.h"

static void *need(void *block) {
    if (!block) abort();
    return block;
}

bool rops_percent(rops_maker *m, uint32_t percent) {
    return rp_random_percent(&m->random, percent);
}

uint32_t rops_below(rops_maker *m, uint32_t limit) {
    return rp_random_below(&m->random, limit);
}

rp_tensor rops_shape(rp_dtype dtype, uint32_t rank, const uint64_t *dims) {
    rp_tensor t = {.dtype = (uint8_t)dtype, .rank = (uint8_t)rank};
    for (uint32_t i = 0; i < rank; i++) t.dims[i] = dims[i];
    return t;
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* Primes that no other dimension is a multiple of. */
static const uint32_t most_of[RP_SIZED] = {RP_SIZED_ROWS, RP_SIZED_COLUMNS};

static bool follows(const rp_random_ops *ops, uint32_t size, uint64_t dim) {
    return ops->sized[size] && dim % most_of[size] == 0;
}

bool rops_is_sized(const rp_random_ops *ops, const rp_tensor *tensor) {
    for (uint32_t d = 0; d < tensor->rank; d++)
        for (uint32_t i = 0; i < RP_SIZED; i++)
            if (follows(ops, i, tensor->dims[d])) return true;
    return false;
}

void rp_random_ops_fix(rp_random_ops *ops, const uint32_t sizes[RP_SIZED]) {
    ops->fixed = sizes != NULL;
    if (sizes) memcpy(ops->sizes, sizes, sizeof ops->sizes);
}

static rp_tensor tensor_at(const rp_random_ops *ops, const rp_tensor *t, const uint32_t *sizes) {
    rp_tensor out = *t;
    for (uint32_t d = 0; d < t->rank; d++)
        for (uint32_t i = 0; i < RP_SIZED; i++)
            if (follows(ops, i, t->dims[d])) out.dims[d] = out.dims[d] / most_of[i] * sizes[i];
    return out;
}

rp_tensor rp_random_ops_tensor_at(const rp_random_ops *ops, uint32_t buffer,
                                  const uint32_t sizes[RP_SIZED]) {
    return tensor_at(ops, &ops->buffers[buffer].tensor, sizes);
}

/* A tensor as it is built. */
static rp_tensor built(const rp_random_ops *ops, const rp_tensor *t) {
    if (ops->fixed) return tensor_at(ops, t, ops->sizes);
    rp_tensor out = *t;
    for (uint32_t d = 0; d < t->rank; d++)
        for (uint32_t i = 0; i < RP_SIZED; i++)
            if (follows(ops, i, t->dims[d])) out.powers[d] |= ops->powers[i];
    return out;
}

/* The live buffers, and the sizes that they are; or that are half of them, rounded up. */
static void add_sizes(rp_graph *g, bool halved, rp_powers powers[RP_SIZED]) {
    for (uint32_t i = 0; i < RP_SIZED; i++) {
        char name[8], error[RP_SIZE_ERROR];
        snprintf(name, sizeof name, "size%u", i);
        rp_graph_buffer live = {.name = rp_graph_intern(g, name, 5),
                                .kind = RP_LIVE,
                                .dtype = RP_U32,
                                .size = 4,
                                .offset = RP_NOT_PLACED,
                                .first_default = RP_NONE,
                                .max_value = halved ? 2 * most_of[i] : most_of[i]};
        const rp_expr_op half[] = {
            {.code = RP_EXPR_LIVE, .buffer = rp_graph_add_buffer(g, &live, NULL)},
            {.code = RP_EXPR_CONST, .value = 2},
            {.code = RP_EXPR_CEIL_DIV}};
        rp_extent extent;
        if (rp_graph_size(g, half, halved ? 3 : 1, &extent, error) != RP_OK) abort();
        powers[i] = extent.powers;
    }
}

uint32_t rp_random_ops_live(const rp_random_ops *ops, uint32_t size) {
    return ops->halved && size ? 2 * size - size % 2 : size;
}

/* ---- Making ---------------------------------------------------------------------------------- */

uint32_t rops_new_buffer(rops_maker *m, const rp_tensor *tensor, const char *fill) {
    rp_random_ops *ops = m->ops;
    if (ops->buffer_count == ROPS_MAX_BUFFERS) return RP_NONE;
    rops_buffer *b = &ops->buffers[ops->buffer_count];
    *b = (rops_buffer){.tensor = *tensor};
    snprintf(b->fill, sizeof b->fill, "%s", fill ? fill : "");
    return ops->buffer_count++;
}

/* A buffer for the value's tensor; now and then with elements in front of it and behind it, so that
 * the view begins anywhere. Elements that must all differ have no room for others. */
static void place_new(rops_maker *m, rops_value *v, const char *fill, uint32_t percent) {
    v->offset = 0;
    if (!rops_percent(m, percent) || (fill && strncmp(fill, "each", 4) == 0) ||
        rops_is_sized(m->ops, &v->tensor)) {
        v->buffer = rops_new_buffer(m, &v->tensor, fill);
        return;
    }
    rp_dtype dtype = (rp_dtype)v->tensor.dtype;
    uint64_t block = rp_dtype_block(dtype), before = 1 + rops_below(m, 70);
    uint64_t all = rp_tensor_elements(&v->tensor) + (before + rops_below(m, 3)) * block;
    for (uint32_t i = 0; i < RP_SIZED; i++)
        if (follows(m->ops, i, all)) all += block, i = UINT32_MAX;
    const rp_tensor whole = rops_shape(dtype, 1, &all);
    v->buffer = rops_new_buffer(m, &whole, fill);
    v->offset = before * rp_dtype_size(dtype);
}

rops_value rops_new_input(rops_maker *m, rp_dtype dtype, uint32_t rank, const uint64_t *dims,
                          const char *fill) {
    rops_value v = {.tensor = rops_shape(dtype, rank, dims)};
    place_new(m, &v, fill, 25);
    return v;
}

static bool same_bytes(const rops_value *a, const rops_value *b) {
    return a->buffer == b->buffer && a->offset == b->offset &&
           rp_tensor_bytes(&a->tensor) == rp_tensor_bytes(&b->tensor);
}

static bool overlap(const rops_value *a, const rops_value *b) {
    return a->buffer == b->buffer && a->offset < b->offset + rp_tensor_bytes(&b->tensor) &&
           b->offset < a->offset + rp_tensor_bytes(&a->tensor);
}

static bool is_output(const rp_op_call *call, uint32_t operand) {
    return rp_op_line_writes(call, operand);
}

/* In place is for inputs of which each element is read by the thread that writes it. */
static bool may_write_there(const rops_node *n, uint32_t output) {
    for (uint32_t i = 0; i < n->line.call.operand_count; i++) {
        const rops_value *in = &n->operands[i], *out = &n->operands[output];
        if (i == output || in->tensor.absent || !overlap(in, out)) continue;
        if (n->as) return false; /* several ops read and write there */
        if (is_output(&n->line.call, i) || !same_bytes(in, out)) return false;
        if (in->tensor.dtype != out->tensor.dtype) return false;
        if (rp_op_reads_at(&n->line.call, i) != RP_AT_SAME) return false;
        if (rp_op_operand_of(&n->line.call, output)->access != RP_WRITE) return false;
    }
    return true;
}

/* Some earlier value of the same size, to be overwritten. */
static bool reuse(rops_maker *m, rops_node *n, uint32_t output) {
    for (uint32_t k = 0; k < m->value_count; k++) {
        const rops_value *v = &m->values[rops_below(m, m->value_count)];
        if (rp_tensor_bytes(&v->tensor) != rp_tensor_bytes(&n->operands[output].tensor) ||
            v->tensor.dtype != n->operands[output].tensor.dtype)
            continue;
        n->operands[output].buffer = v->buffer;
        n->operands[output].offset = v->offset;
        if (may_write_there(n, output)) return true;
    }
    return false;
}

static bool place_output(rops_maker *m, rops_node *n, uint32_t output, const rops_value *into) {
    rops_value *v = &n->operands[output];
    if (into) {
        v->buffer = into->buffer;
        v->offset = into->offset;
        return may_write_there(n, output);
    }
    bool whole = rp_op_operand_of(&n->line.call, output)->access == RP_WRITE;
    if (whole && rops_percent(m, 12) && reuse(m, n, output)) return true;
    place_new(m, v, NULL, 15);
    return v->buffer != RP_NONE;
}

static void remember(rops_maker *m, const rops_value *v) {
    if (!(RP_DT(v->tensor.dtype) & RP_DT_FLOAT)) return;
    if (m->value_count < ROPS_MAX_VALUES) m->values[m->value_count++] = *v;
}

/* Where the call says that an output goes; NULL where it does not. */
static const rops_value *given_output(const rops_call *c, uint32_t operand, uint32_t count) {
    if (operand == c->input_count && c->has_into) return &c->into;
    return operand + c->kept_count >= count ? &c->kept[operand + c->kept_count - count] : NULL;
}

static bool prepare(rops_maker *m, const rops_call *c, rops_node *n) {
    char text[16] = "";
    memset(n, 0, sizeof *n);
    const rp_op *op = rp_op_find(c->op, strlen(c->op));
    if (op) rp_op_line_parse(&n->line, c->op, c->attrs, text); /* attributes; operands follow */
    rp_op_call *call = &n->line.call;
    if (!op || strncmp(call->error, "the line", 8) == 0) {
        fprintf(stderr, "\n  random ops: %s {%s}: %s\n", c->op, c->attrs ? c->attrs : "",
                op ? call->error : "no such op");
        m->ops->refused++;
        return false;
    }
    call->operand_count = call->formula ? c->input_count + 1 : op->operand_count;
    if (call->operand_count > ROPS_OPERANDS) return false;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        bool given = i < c->input_count;
        const rops_value *into = given ? NULL : given_output(c, i, call->operand_count);
        if (given && c->inputs[i].buffer == RP_NONE)
            call->operands[i] = (rp_tensor){.absent = true};
        else if (given)
            call->operands[i] = c->inputs[i].tensor;
        else if (into)
            call->operands[i] = into->tensor;
        else
            call->operands[i] = (rp_tensor){
                .rank = RP_OP_INFER, .dtype = i == c->input_count ? (uint8_t)c->dtype : RP_RAW};
    }
    if (rp_op_infer(call)) return true;
    fprintf(stderr, "\n  random ops, seed %llu: %s\n", (unsigned long long)m->ops->seed,
            call->error);
    m->ops->refused++;
    return false;
}

/* The call with every input there: optional ones that were not named are left out. */
static rops_call with_all_inputs(const rops_call *given) {
    rops_call c = *given;
    const rp_op *op = rp_op_find(c.op, strlen(c.op));
    bool map = c.attrs && strncmp(c.attrs, "expr=", 5) == 0;
    while (op && !map && c.input_count < op->operand_count && c.input_count < ROPS_OPERANDS &&
           !rp_access_writes(op->operands[c.input_count].access))
        c.inputs[c.input_count++] = (rops_value){RP_NONE, 0, {.absent = true}};
    return c;
}

bool rops_add(rops_maker *m, const rops_call *given, rops_value *out, uint32_t out_count) {
    const rops_call whole = with_all_inputs(given), *c = &whole;
    rp_random_ops *ops = m->ops;
    if (ops->node_count == ROPS_MAX_NODES) return false;
    for (uint32_t i = 0; i < c->input_count; i++)
        if (c->inputs[i].buffer == RP_NONE && !c->inputs[i].tensor.absent) return false;
    rops_node *n = &ops->nodes[ops->node_count];
    if (!prepare(m, c, n)) return false;
    n->as = c->as;
    n->as_attrs = c->as_attrs;
    uint32_t count = n->line.call.operand_count;
    for (uint32_t i = 0; i < count; i++) {
        if (i < c->input_count) n->operands[i] = c->inputs[i];
        n->operands[i].tensor = n->line.call.operands[i];
    }
    for (uint32_t i = c->input_count; i < count; i++)
        if (!place_output(m, n, i, given_output(c, i, count))) return false;
    ops->node_count++;
    for (uint32_t i = c->input_count; i < count; i++) {
        remember(m, &n->operands[i]);
        if (i - c->input_count < out_count) out[i - c->input_count] = n->operands[i];
    }
    return true;
}

/* Results: mostly what nothing reads, now and then something in the middle. */
static void choose_results(rops_maker *m) {
    rp_random_ops *ops = m->ops;
    bool any = false;
    for (uint32_t b = 0; b < ops->buffer_count; b++) {
        bool written = false, read = false;
        for (uint32_t i = 0; i < ops->node_count; i++)
            for (uint32_t k = 0; k < ops->nodes[i].line.call.operand_count; k++) {
                const rops_value *v = &ops->nodes[i].operands[k];
                if (v->tensor.absent || v->buffer != b) continue;
                if (is_output(&ops->nodes[i].line.call, k))
                    written = true, read = false;
                else
                    read = true;
            }
        ops->buffers[b].result = written && rops_percent(m, read ? 12 : 90);
        any |= ops->buffers[b].result;
    }
    if (any || ops->node_count == 0) return;
    const rops_node *last = &ops->nodes[ops->node_count - 1];
    for (uint32_t k = 0; k < last->line.call.operand_count; k++)
        if (is_output(&last->line.call, k)) ops->buffers[last->operands[k].buffer].result = true;
}

/* In some graphs some nodes may be left out, neighbours often under one label: those whose outputs
 * are floats, since who reads them takes whatever else is there. */
static void choose_optional(rp_random_ops *ops) {
    rp_random random = {ops->seed ^ 0x0b7};
    uint32_t percent = rp_random_percent(&random, 60) ? 0 : 20 + rp_random_below(&random, 60);
    uint32_t label = 1;
    for (uint32_t i = 0; i < ops->node_count && percent; i++) {
        rops_node *n = &ops->nodes[i];
        bool floats = true;
        for (uint32_t k = 0; k < n->line.call.operand_count; k++)
            if (is_output(&n->line.call, k) && !n->operands[k].tensor.absent)
                floats &= (RP_DT(n->operands[k].tensor.dtype) & RP_DT_FLOAT) != 0;
        if (rp_random_percent(&random, 30)) label = 1 + rp_random_below(&random, ROPS_ALONE);
        if (floats && !n->as && rp_random_percent(&random, percent)) n->optional = (uint8_t)label;
    }
}

static rp_random random_of(uint64_t seed) {
    return (rp_random){seed * 0x9e3779b97f4a7c15u + 11};
}

static void choose_shapes(rp_random *random, uint64_t *out_rows, uint64_t *out_columns) {
    static const uint64_t rows[] = {1, 1, 1, 2, 3, 6}, columns[] = {8, 32, 64, 96, 130, 320};
    *out_rows = rows[rp_random_below(random, 6)];
    *out_columns = columns[rp_random_below(random, 6)];
}

uint32_t rp_random_ops_shapes(uint64_t seed) {
    uint64_t rows, columns;
    rp_random random = random_of(seed);
    choose_shapes(&random, &rows, &columns);
    return (uint32_t)(columns * 8 + rows);
}

static void make(rops_maker *m) {
    rp_random_ops *ops = m->ops;
    uint32_t wanted = 2 + rops_below(m, rops_percent(m, 25) ? 24 : 9);
    for (uint32_t tries = 0; ops->node_count < wanted && tries < 200; tries++) rops_motif(m);
    choose_results(m);
    choose_optional(ops);
}

static rops_maker *begin(uint64_t seed) {
    rops_maker *m = need(calloc(1, sizeof *m));
    m->ops = need(calloc(1, sizeof *m->ops));
    m->ops->seed = seed;
    m->ops->nodes = need(calloc(ROPS_MAX_NODES, sizeof *m->ops->nodes));
    m->random = random_of(seed);
    return m;
}

rp_random_ops *rp_random_ops_create(uint64_t seed) {
    rops_maker *m = begin(seed);
    rp_random_ops *ops = m->ops;
    choose_shapes(&m->random, &m->rows, &m->columns);
    make(m);
    free(m);
    return ops;
}

rp_random_ops *rp_random_ops_create_sized(uint64_t seed) {
    static const uint64_t rows[] = {1, 2, 3, 6}, columns[] = {8, 32, 64, 96, 130, 320};
    rops_maker *m = begin(seed);
    rp_random_ops *ops = m->ops;
    uint32_t which = rops_below(m, 5);
    ops->sized[0] = which != 1;
    ops->sized[1] = which == 1 || which == 2;
    m->rows = ops->sized[0] ? RP_SIZED_ROWS : rows[rops_below(m, 4)];
    m->columns = ops->sized[1] ? RP_SIZED_COLUMNS : columns[rops_below(m, 6)];
    m->sized = true;
    make(m);
    free(m);
    return ops;
}

/* ---- A description --------------------------------------------------------------------------- */

static void fix_formulas(rp_random_ops *ops) {
    for (uint32_t i = 0; i < ops->node_count; i++)
        if (ops->nodes[i].line.call.formula)
            ops->nodes[i].line.call.formula = ops->nodes[i].line.expr;
}

rp_random_ops *rp_random_ops_copy(const rp_random_ops *from) {
    rp_random_ops *ops = need(malloc(sizeof *ops));
    *ops = *from;
    ops->nodes = need(malloc(ROPS_MAX_NODES * sizeof *ops->nodes));
    memcpy(ops->nodes, from->nodes, ROPS_MAX_NODES * sizeof *ops->nodes);
    fix_formulas(ops);
    return ops;
}

void rp_random_ops_destroy(rp_random_ops *ops) {
    if (ops) free(ops->nodes);
    free(ops);
}

uint64_t rp_random_ops_seed(const rp_random_ops *ops) {
    return ops->seed;
}
uint32_t rp_random_ops_refused(const rp_random_ops *ops) {
    return ops->refused;
}
uint32_t rp_random_ops_buffers(const rp_random_ops *ops) {
    return ops->buffer_count;
}
const rp_tensor *rp_random_ops_tensor(const rp_random_ops *ops, uint32_t buffer) {
    return &ops->buffers[buffer].tensor;
}

void rp_random_ops_drop(rp_random_ops *ops, uint32_t first, uint32_t count) {
    ops->node_count -= count;
    memmove(ops->nodes + first, ops->nodes + first + count,
            (ops->node_count - first) * sizeof *ops->nodes);
    fix_formulas(ops);
}

void rp_random_ops_fill(const rp_random_ops *ops, uint32_t buffer, void *bytes) {
    rp_random random = {ops->seed * 7919 + buffer};
    rp_values_fill(&random, &ops->buffers[buffer].tensor, ops->buffers[buffer].fill, bytes);
}

/* What happens to the buffer's bytes: whether any is read, or kept, before it is written. */
rp_buffer_kind rp_random_ops_kind(const rp_random_ops *ops, uint32_t buffer) {
    uint64_t size = rp_tensor_bytes(&ops->buffers[buffer].tensor);
    uint8_t *defined = need(calloc(size + 1, 1));
    bool written = false, needed = false, used = false;
    for (uint32_t i = 0; i < ops->node_count; i++) {
        const rops_node *n = &ops->nodes[i];
        for (uint32_t pass = 0; pass < 2; pass++) /* a node reads before it writes */
            for (uint32_t k = 0; k < n->line.call.operand_count; k++) {
                const rops_value *v = &n->operands[k];
                if (v->tensor.absent || v->buffer != buffer) continue;
                uint8_t access = rp_op_operand_of(&n->line.call, k)->access;
                used = true;
                for (uint64_t b = 0; b < rp_tensor_bytes(&v->tensor); b++)
                    if (pass == 0 && access != RP_WRITE && !defined[v->offset + b]) needed = true;
                if (pass == 0 || !rp_access_writes(access)) continue;
                written = true;
                if (n->optional) continue; /* it may be left out */
                memset(defined + v->offset, 1, rp_tensor_bytes(&v->tensor));
            }
    }
    bool whole = memchr(defined, 0, size) == NULL;
    free(defined);
    if (!used) return RP_TMP;
    if (!written) return RP_IN;
    if (needed || (!whole && ops->buffers[buffer].result)) return RP_INOUT;
    return ops->buffers[buffer].result ? RP_OUT : RP_TMP;
}

/* ---- Building -------------------------------------------------------------------------------- */

/* The node that was added last. */
static void mark_optional(rp_graph *g, uint8_t optional) {
    char label[] = {'s', (char)('0' + optional), '\0'};
    rp_graph_node *node = &g->nodes[g->nodes_count - 1];
    node->optional = true;
    if (optional == ROPS_ALONE) return;
    node->label = rp_graph_intern(g, label, 2);
    if (node->label == RP_NONE) abort();
}

static void build_item(rp_graph *g, rp_random_ops *ops, uint32_t item, uint32_t *id) {
    uint32_t map[ROPS_MAX_BUFFERS];
    for (uint32_t b = 0; b < ops->buffer_count; b++) {
        char name[32];
        bool used = false;
        for (uint32_t i = 0; i < ops->node_count; i++)
            for (uint32_t k = 0; k < ops->nodes[i].line.call.operand_count; k++)
                used |= !ops->nodes[i].operands[k].tensor.absent &&
                        ops->nodes[i].operands[k].buffer == b;
        map[b] = RP_NONE;
        if (!used) continue;
        snprintf(name, sizeof name, "g%u.b%u", item, b);
        const rp_tensor tensor = built(ops, &ops->buffers[b].tensor);
        map[b] = rp_add_tensor_buffer(g, name, rp_random_ops_kind(ops, b), &tensor);
    }
    for (uint32_t i = 0; i < ops->node_count; i++) {
        rops_node *n = &ops->nodes[i];
        rp_op_argument arguments[RP_OP_MAX_OPERANDS] = {0};
        for (uint32_t k = 0; k < n->line.call.operand_count; k++) {
            arguments[k].tensor = built(ops, &n->operands[k].tensor);
            if (n->operands[k].tensor.absent) continue;
            arguments[k].buffer = map[n->operands[k].buffer];
            arguments[k].offset = n->operands[k].offset;
        }
        if (n->as) {
            rops_apply_as(g, n, arguments);
            *id = g->nodes_count;
            continue;
        }
        rp_op_line_add(g, &n->line, (*id)++, arguments);
        if (n->optional) mark_optional(g, n->optional);
    }
}

rp_graph *rp_random_ops_build(rp_random_ops *const *items, uint32_t count) {
    char name[64];
    uint32_t id = 0;
    snprintf(name, sizeof name, "random_ops_%llu",
             (unsigned long long)(count ? items[0]->seed : 0));
    rp_graph *g = need(rp_graph_create(NULL, name));
    rp_powers powers[RP_SIZED] = {0};
    bool halved = count && items[0]->seed / 8 % 3 == 1;
    for (uint32_t i = 0; i < count && !g->sizes.count; i++)
        if ((items[i]->sized[0] || items[i]->sized[1]) && !items[i]->fixed)
            add_sizes(g, halved, powers);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(items[i]->powers, powers, sizeof powers);
        items[i]->halved = halved;
    }
    for (uint32_t i = 0; i < count; i++) build_item(g, items[i], i, &id);
    return g;
}

/* ---- Shrinking ------------------------------------------------------------------------------- */

static bool try_without(rp_random_ops *ops, uint32_t at, uint32_t count, rp_random_ops_test *fails,
                        void *context) {
    rp_random_ops *smaller = rp_random_ops_copy(ops);
    rp_random_ops_drop(smaller, at, count);
    bool still = smaller->node_count > 0 && fails(context, smaller);
    if (still) {
        rops_node *nodes = ops->nodes;
        *ops = *smaller;
        smaller->nodes = nodes;
        fix_formulas(ops);
    }
    rp_random_ops_destroy(smaller);
    return still;
}

void rp_random_ops_shrink(rp_random_ops *ops, rp_random_ops_test *fails, void *context) {
    for (bool again = true; again;) {
        again = false;
        for (uint32_t count = ops->node_count / 2; count > 0; count /= 2)
            for (uint32_t at = 0; at + count <= ops->node_count;)
                if (try_without(ops, at, count, fails, context))
                    again = true;
                else
                    at += count;
        for (uint32_t b = 0; b < ops->buffer_count; b++) {
            if (!ops->buffers[b].result) continue;
            ops->buffers[b].result = false;
            if (fails(context, ops))
                again = true;
            else
                ops->buffers[b].result = true;
        }
    }
}
