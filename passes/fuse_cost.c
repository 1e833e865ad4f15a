/* fuse, profit: is one kernel faster than several?
 *
 * A fused kernel saves dispatches, barriers and traffic; it may pay by computing elements many
 * times and by running on fewer threads. The estimate below weighs these against each other with
 * the costs of the graph's target (docs/fusion.md). It decides, and it is printed with each
 * refusal; it is no prediction. */
#include "fuse.h"

#include <math.h>

#include "target/target.h"

static const double PRODUCT_ROWS = RP_OP_PRODUCT_ROWS;
static const double PRODUCT_LANES = 32; /* that a row of a product keeps busy */
/* Rows of products that a workgroup computes in a turn, and its memory that is not for their x. */
static const double PRODUCT_TURN = 64, PRODUCT_RESERVE = 8192;
/* What is fused are short formulas, with conversions, addresses and conditions around every
 * operation that counts: about a third of what the arithmetic can do. */
static const double FORMULAS = 1.0 / 3;
/* What a cache of a GPU gives at once, for one element as for all in it. */
static const double SECTOR = 32;

/* Threads that keep the whole device busy. */
static double busy_threads(const rp_fuse_set *set) {
    const rp_target *t = rp_graph_target(set->graph);
    return (double)t->multiprocessors * (double)t->busy_invocations;
}

static double elements(const rp_tensor *t) {
    return (double)rp_tensor_elements(t);
}

static bool is_output(const rp_op_call *c, uint32_t k) {
    return rp_access_writes(rp_op_operand_of(c, k)->access);
}

/* Elements of the op's first output, or of what a scatter goes over. */
static double domain(const rp_op_call *c) {
    if (c->op->form == RP_OP_SCATTER) return elements(&c->operands[0]);
    for (uint32_t k = 0; k < c->operand_count; k++)
        if (!c->operands[k].absent && is_output(c, k)) return elements(&c->operands[k]);
    return 1;
}

/* Workgroups that compute x for `rows` rows: a few for each, and no more than multiprocessors, which
 * share the others among them. */
static double groups_for(const rp_fuse_set *set, double rows) {
    double most = (double)rp_graph_target(set->graph)->multiprocessors;
    double groups = rows > PRODUCT_ROWS ? rows / PRODUCT_ROWS : 1;
    return groups < most ? groups : most;
}

/* Of all matrix-vector products together. */
static double product_rows(const rp_fuse_set *set) {
    double rows = 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->calls[i]->call.op->product) rows += (double)rp_sym(&set->calls[i]->call, 'M');
    return rows;
}

/* Threads of the first op over rows that share a row. */
static double row_threads(const rp_fuse_set *set) {
    for (uint32_t i = 0; i < set->count; i++)
        if (set->calls[i]->call.op->form == RP_OP_ROWS)
            return rp_op_row_threads(&set->calls[i]->call, rp_graph_target(set->graph));
    return 1;
}

/* How often a row of numbers that wide rows are made with is gone over: by each workgroup, and by each of
 * its threads where one has all of it. */
static double wide_runs(const rp_fuse_set *set) {
    double groups = (double)rp_shape_wide_groups(&set->shape);
    return row_threads(set) > 1 ? groups : groups * RP_OP_ROW_THREADS;
}

static double threads(const rp_fuse_set *set) {
    switch (set->shape.kind) {
    case RP_SHAPE_MAP: return domain(&set->calls[set->count - 1]->call);
    case RP_SHAPE_MATVEC: return product_rows(set) * PRODUCT_LANES;
    case RP_SHAPE_ROWS:
        if (set->shape.wide)
            return (double)(set->shape.rows * rp_shape_wide_groups(&set->shape)) *
                   RP_OP_ROW_THREADS;
        return (double)set->shape.rows * row_threads(set);
    case RP_SHAPE_KERNEL:
        for (uint32_t i = 0; i < set->count; i++) {
            const rp_op_variant *variant = set->calls[i]->call.variant;
            if (variant && variant->groups)
                return rp_op_product(&set->calls[i]->call, variant->groups) *
                       (variant->threads ? variant->threads : 256);
        }
        break;
    }
    return busy_threads(set);
}

/* Whether teams keep elements of their rows from pass to pass. What is scattered is computed one by one, from the
 * start. */
static bool keeps_rows(const rp_fuse_set *set) {
    if (set->shape.kind != RP_SHAPE_ROWS || set->shape.wide || set->count > RP_SHAPE_FEW)
        return false;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->calls[i]->call.op->form == RP_OP_SCATTER) return false;
    return true;
}

/* Whether they do those of input k. */
static bool keeps(const rp_fuse_set *set, uint32_t i, uint32_t k) {
    return rp_op_row_keeps(&set->calls[i]->call, k, &set->calls[i]->cost,
                           rp_graph_target(set->graph)) &&
           keeps_rows(set);
}

/* Elements that each thread asks memory for at once: all that it keeps, but for the turns of loops in front. */
static double elements_at_once(const rp_fuse_set *set) {
    double most = 1, turns = 1;
    for (uint32_t i = 0; i < set->count; i++) {
        const rp_op_call *c = &set->calls[i]->call;
        if (c->op->form == RP_OP_POINTWISE) turns = fmax(turns, rp_op_element_turns(c));
        for (uint32_t k = 0; k < c->operand_count; k++)
            if (keeps(set, i, k)) most = 4.0 * rp_op_row_fours(c, rp_graph_target(set->graph));
    }
    return fmax(most / turns, 1);
}

/* How often all of the op's computation is done, `once` being the number without fusion: as often
 * as its outputs' elements are asked for. */
typedef struct estimate {
    const rp_fuse_set *set;
    double asked[RP_FUSE_MEMBERS]; /* elements computed, of the op's domain */
    double here[RP_FUSE_MEMBERS];  /* those that are asked for where they are computed: once for all
                                    * who ask there (compiler/lower/values.c) */
    bool scattered[RP_FUSE_MEMBERS]; /* somebody asks for them in no order */
    double arithmetic, cached, memory;
} estimate;

static double runs(const estimate *e, uint32_t i) {
    const rp_op_call *c = &e->set->calls[i]->call;
    double size = domain(c);
    switch ((rp_op_form)c->op->form) {
    case RP_OP_POINTWISE:
    case RP_OP_SCATTER: return size > 0 ? e->asked[i] / size : 1;
    case RP_OP_ROWS:
        if (e->set->shape.wide) return wide_runs(e->set);
        return e->set->shape.kind == RP_SHAPE_MATVEC ? groups_for(e->set, product_rows(e->set)) : 1;
    case RP_OP_KERNEL: break;
    }
    return 1;
}

/* Loads of input k in one run of the op. */
static double loads_of(const estimate *e, uint32_t i, uint32_t k, const rp_op_cost *cost) {
    const rp_op_call *c = &e->set->calls[i]->call;
    if (keeps(e->set, i, k)) return elements(&c->operands[k]);
    if (k == 0 && c->op->product)
        return elements(&c->operands[0]) * groups_for(e->set, (double)rp_sym(c, 'M'));
    return cost->loads[k];
}

/* What it takes to find where each element comes from that an op moves; neighbours that stay neighbours are found
 * by the first. Of a text that is for all attributes about a quarter is left. */
static double finding(const estimate *e, uint32_t i) {
    const rp_op_call *c = &e->set->calls[i]->call;
    bool alone = c->op->together && !rp_op_moves_together(c, 4);
    return alone ? c->op->text * e->asked[i] / 4 : 0;
}

static void ask(estimate *e, uint32_t i, uint32_t k, uint32_t j, double loads) {
    if (!rp_shape_reads_here(&e->set->calls[i]->call, k))
        e->asked[j] += loads;
    else if (loads > e->here[j])
        e->here[j] = loads;
}

/* One op: what it does itself, and what it asks of others in the set. */
static void add(estimate *e, uint32_t i) {
    const rp_op_call *c = &e->set->calls[i]->call;
    const rp_graph_member *m = rp_fuse_member(e->set, i);
    for (uint32_t k = 0; k < c->operand_count; k++) {
        if (c->operands[k].absent || !is_output(c, k)) continue;
        if (c->op->form != RP_OP_SCATTER && !rp_fuse_is_stored(e->set, m->first_operand + k))
            continue;
        e->memory += (double)rp_tensor_bytes(&c->operands[k]);
        if (e->here[i] < domain(c)) e->here[i] = domain(c);
    }
    e->asked[i] += e->here[i];
    const rp_op_cost *cost = &e->set->calls[i]->cost;
    double times = runs(e, i);
    bool software = rp_target_is_software(rp_graph_target(e->set->graph));
    bool scattered = !software && (e->scattered[i] || rp_op_moves_across(c));
    e->arithmetic += cost->flops * times + finding(e, i);
    for (uint32_t k = 0; k < c->operand_count; k++) {
        if (c->operands[k].absent || is_output(c, k)) continue;
        double loads = loads_of(e, i, k, cost) * times;
        uint32_t from, j = rp_fuse_producer(e->set, m->first_operand + k, &from);
        if (j != RP_NONE) {
            ask(e, i, k, j, loads);
            e->scattered[j] |= scattered;
            continue;
        }
        double once = elements(&c->operands[k]);
        double size = once > 0 ? (double)rp_tensor_bytes(&c->operands[k]) / once : 0;
        if (loads < once) once = loads;
        e->memory += once * size;
        e->cached += scattered ? loads * SECTOR : (loads - once) * size;
    }
}

/* Turns of the loops that the op brings into one of so many invocations: its own, and for a pointwise
 * one those for each element that is asked for. */
static double turns(const estimate *e, uint32_t i, double invocations) {
    const rp_op_call *c = &e->set->calls[i]->call;
    if (c->op->form != RP_OP_POINTWISE) return rp_op_turns(c, rp_graph_target(e->set->graph));
    double each = ceil(e->asked[i] / fmax(invocations, 1));
    return each * rp_op_element_turns(c);
}

/* The product whose x the set computes; RP_NONE. */
static uint32_t product_of_computed(const rp_fuse_set *set) {
    uint32_t from;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->calls[i]->call.op->product &&
            rp_fuse_producer(set, rp_fuse_member(set, i)->first_operand, &from) != RP_NONE)
            return i;
    return RP_NONE;
}

/* How often a workgroup waits for memory with nothing else on its way. An x that is computed and is more
 * than its own memory holds comes in parts, all of them again for each turn of rows; each is waited
 * for, and then the first weights behind it. What its rows are normalised by is found before, row
 * after row. */
static double lone_waits(const rp_fuse_set *set) {
    uint32_t product = product_of_computed(set);
    if (product == RP_NONE) return 0;
    const rp_op_call *c = &set->calls[product]->call;
    double bytes = 4 * elements(&c->operands[0]), waits = 0;
    double room = (double)rp_graph_target(set->graph)->shared_bytes - PRODUCT_RESERVE;
    if (room <= 0 || bytes <= room) return 0;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->calls[i]->call.op->form == RP_OP_ROWS) waits = (double)rp_sym(c, 'B');
    double rows = product_rows(set) / groups_for(set, product_rows(set));
    return waits + 2 * ceil(bytes / room) * ceil(rows / PRODUCT_TURN);
}

/* Whether all that the set reads is there before the replay: then it runs beside others, ahead of whoever needs
 * it, and no barrier is there for it alone. */
static bool is_first(const rp_fuse_set *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        const rp_op_call *c = &set->calls[i]->call;
        for (uint32_t k = 0; k < c->operand_count; k++) {
            uint32_t operand = rp_fuse_member(set, i)->first_operand + k, from;
            bool reads = !c->operands[k].absent && rp_op_operand_of(c, k)->access != RP_WRITE;
            if (reads && rp_fuse_producer(set, operand, &from) == RP_NONE &&
                !rp_fuse_is_given(set, operand))
                return false;
        }
    }
    return true;
}

const uint8_t rp_fuse_figures[RP_FUSE_PARTS] = {RP_TARGET_KEY_barrier_ns, RP_TARGET_KEY_memory_rate,
                                                RP_TARGET_KEY_cache_rate, RP_TARGET_KEY_f32_rate,
                                                RP_TARGET_KEY_shared_bytes};

/* What a target's rates, which are by the microsecond, are to be multiplied by: seconds, and no more of the device
 * than there is. */
static double share_of(double busy) {
    return 1e6 * fmin(fmax(busy, 1.0 / 1024), 1);
}

rp_fuse_estimate rp_fuse_time(const rp_fuse_set *set) {
    const rp_target *t = rp_graph_target(set->graph);
    estimate e = {.set = set};
    rp_fuse_estimate out = {0};
    for (uint32_t i = set->count; i--;) add(&e, i);
    for (uint32_t i = 0; i < set->count; i++) {
        double times = runs(&e, i);
        if (times > out.repeats) {
            out.repeats = times;
            out.worst = i;
        }
    }
    double invocations = threads(set), busy = invocations / busy_threads(set);
    for (uint32_t i = 0; i < set->count; i++) out.turns += turns(&e, i, invocations);
    double loading = share_of(busy * elements_at_once(set));
    busy = share_of(busy);
    out.parts[0] = (double)(is_first(set) ? t->dispatch_ns : t->barrier_ns) * 1e-9;
    out.parts[1] = e.memory / ((double)t->memory_rate * loading);
    out.parts[2] = e.cached / ((double)t->cache_rate * loading);
    out.parts[3] = e.arithmetic / ((double)t->f32_rate * FORMULAS * busy);
    out.parts[4] = lone_waits(set) * (double)t->flight_bytes / (double)t->memory_rate * 1e-6;
    return out;
}
