/* The types of outputs before they are made: rp_program_infer.
 *
 * The call is applied to a graph of its own, which has the buffers of the operands and what sizes are, and
 * nothing else, by the code that applies it when recorders are joined (composite/): so both agree, and the
 * program's lists, which may be long, are not cloned for a question. What the outputs were made as is the answer. */
#include "composite/signature.h"
#include "recorder/player.h"

/* What is asked, and the graph that it is tried on. */
typedef struct inference {
    rp_program *program;
    rp_diags *diags;
    rp_graph *g;
    const char *op;
    rp_operand *operands;
    rp_given_operand given[RP_APPLY_MAX_OPERANDS];
    rp_tensor seen[RP_APPLY_MAX_OPERANDS]; /* as the application gave them */
    uint32_t from[RP_APPLY_MAX_OPERANDS];  /* the program's buffer; RP_NONE: to be made */
    uint32_t count;
} inference;

static void report(rp_player *p, rp_call_kind kind, const char *text) {
    (void)kind;
    inference *x = p->user;
    rp_diags_add(x->diags, RP_ERROR, NULL, 0, 0, "%s: %s", x->op, text);
}

/* The program's buffer in the graph that is tried: one for all operands that are ranges of it. */
static uint32_t copy_buffer(inference *x, uint32_t operand, uint32_t index) {
    const rp_graph *base = x->program->base;
    rp_graph_buffer buffer = base->buffers[index];
    rp_tensor shape = {.rank = buffer.rank};
    for (uint32_t i = 0; i < operand; i++)
        if (x->from[i] == index) return x->given[i].argument.buffer;
    const char *name = rp_graph_string(base, buffer.name);
    buffer.name = rp_graph_intern(x->g, name, strlen(name));
    buffer.first_default = RP_NONE; /* nobody looks at values */
    buffer.first_follow = buffer.follow_count = 0;
    if (buffer.name == RP_NONE) return RP_NONE;
    for (uint32_t i = 0; i < buffer.rank; i++) {
        shape.dims[i] = base->dims[buffer.first_dim + i];
        shape.powers[i] = base->dim_powers[buffer.first_dim + i];
    }
    return rp_graph_add_shaped(x->g, &buffer, &shape);
}

/* What sizes are: a composite may write live values into a formula, in place of a number that follows them. */
static rp_status copy_sizes(inference *x) {
    const rp_graph *base = x->program->base;
    x->g->sizes = base->sizes;
    for (uint32_t i = 0; i < base->sizes.count; i++) {
        const rp_graph_expr *e = &base->exprs[base->size_exprs[i]];
        rp_expr_op steps[RP_SIZE_STEPS];
        memcpy(steps, base->expr_ops + e->first_op, e->op_count * sizeof *steps);
        for (uint32_t s = 0; s < e->op_count; s++) {
            if (steps[s].code != RP_EXPR_LIVE) continue;
            steps[s].buffer = copy_buffer(x, 0, steps[s].buffer);
            if (steps[s].buffer == RP_NONE) return RP_ERROR_NO_MEMORY;
        }
        x->g->size_exprs[i] = rp_graph_add_expr(x->g, steps, e->op_count);
        if (x->g->size_exprs[i] == RP_NONE) return RP_ERROR_NO_MEMORY;
    }
    return RP_OK;
}

static rp_status take_operand(inference *x, rp_player *p, uint32_t i) {
    const rp_operand *operand = &x->operands[i];
    rp_graph_use use;
    rp_tensor tensor = x->seen[i];
    if (!rp_play_seen(p, operand->name, &operand->range, &use, &tensor)) return RP_ERROR_INVALID;
    uint32_t buffer = copy_buffer(x, i, use.buffer);
    x->from[i] = use.buffer;
    x->given[i] =
        (rp_given_operand){.name = operand->name,
                           .argument = {.tensor = tensor, .buffer = buffer, .offset = use.offset},
                           .fresh = RP_NONE};
    return buffer == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

static rp_status take_output(inference *x, uint32_t i) {
    const char *name = x->operands[i].name;
    rp_tensor tensor = x->seen[i];
    if (tensor.dtype != RP_RAW && rp_dtype_size((rp_dtype)tensor.dtype) == 0) {
        rp_diags_add(x->diags, RP_ERROR, NULL, 0, 0, "%s: operand '%.60s': unknown dtype", x->op,
                     name);
        return RP_ERROR_INVALID;
    }
    if (tensor.rank == 0) tensor.rank = RP_OP_INFER;
    x->from[i] = RP_NONE;
    x->given[i] = (rp_given_operand){.name = name,
                                     .argument = {.tensor = tensor, .buffer = RP_NONE},
                                     .fresh = rp_graph_intern(x->g, name, strlen(name))};
    return x->given[i].fresh == RP_NONE ? RP_ERROR_NO_MEMORY : RP_OK;
}

static rp_status take_operands(inference *x) {
    rp_player p;
    rp_status status = RP_OK;
    rp_player_init(&p, &x->program->allocator, x->program, x->program->base);
    p.mistake = report;
    p.user = x;
    for (uint32_t i = 0; i < x->count && status == RP_OK; i++)
        status = x->operands[i].range.buffer.id ? take_operand(x, &p, i) : take_output(x, i);
    if (p.no_memory) status = RP_ERROR_NO_MEMORY;
    rp_player_free(&p);
    return status;
}

static rp_status answer(inference *x) {
    for (uint32_t i = 0; i < x->count; i++) {
        const rp_tensor *made = &x->given[i].argument.tensor;
        rp_operand *out = &x->operands[i];
        if (x->from[i] != RP_NONE) continue;
        out->dtype = (rp_dtype)made->dtype;
        out->rank = made->rank ? made->rank : 1; /* a single element has one dimension */
        out->shape[0] = 1;
        for (uint32_t d = 0; d < made->rank; d++)
            RP_TRY(rp_program_give_extent(x->program, (rp_extent){made->dims[d], made->powers[d]},
                                          &out->shape[d]));
    }
    return RP_OK;
}

/* The mutex is held. */
static rp_status infer(inference *x, const rp_attribute *attributes, uint32_t attribute_count) {
    RP_TRY(copy_sizes(x));
    RP_TRY(take_operands(x));
    rp_application application = {.graph = x->g,
                                  .op = x->op,
                                  .node = {.kernel = RP_NONE, .label = RP_NONE, .op = RP_NONE},
                                  .operands = x->given,
                                  .attrs = attributes,
                                  .operand_count = x->count,
                                  .attr_count = attribute_count};
    rp_status status = rp_apply_to_graph(&application);
    if (status == RP_OK) return answer(x);
    if (status != RP_ERROR_INVALID) return status;
    char message[RP_APPLY_MESSAGE];
    rp_apply_message(&application, message);
    rp_diags_add(x->diags, RP_ERROR, NULL, 0, 0, "%s", message);
    return status;
}

rp_status rp_program_infer(rp_program *program, const char *op, rp_operand *operands,
                           uint32_t operand_count, const rp_attribute *attributes,
                           uint32_t attribute_count, rp_diags *diags) {
    if (!program) return RP_ERROR_USAGE;
    const char *wrong = rp_apply_wrong(op, operands, operand_count, attributes, attribute_count);
    if (wrong) {
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0, "%s", wrong);
        return RP_ERROR_USAGE;
    }
    inference x = {
        .program = program, .diags = diags, .op = op, .operands = operands, .count = operand_count};
    for (uint32_t i = 0; i < operand_count; i++) {
        const rp_operand *o = &operands[i];
        x.seen[i].dtype = (unsigned)o->dtype > UINT8_MAX ? UINT8_MAX : (uint8_t)o->dtype;
        if (rp_program_take_shape(program, o->shape, o->rank, &x.seen[i])) continue;
        rp_diags_add(diags, RP_ERROR, NULL, 0, 0,
                     "%s: a dimension of operand '%.60s' is no extent of this program", op,
                     o->name);
        return RP_ERROR_INVALID;
    }
    x.g = rp_graph_create(&program->allocator, "infer");
    if (!x.g) return RP_ERROR_NO_MEMORY;
    pthread_mutex_lock(&program->mutex);
    x.g->target = program->base->target;
    rp_status status = infer(&x, attributes, attribute_count);
    pthread_mutex_unlock(&program->mutex);
    rp_graph_destroy(x.g);
    return status;
}
