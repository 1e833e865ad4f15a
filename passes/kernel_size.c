/* How large a kernel becomes: about how many instructions, once compilers have replaced every call
 * by what is called. That is what they all do, so a value that is asked for at three places is
 * there three times, with everything in front of it.
 *
 * What is computed at one index is there once (an evaluation, compiler/lower/values.c): going back
 * from what is wanted, each member counts once, and each input that is read at another index counts
 * as a whole evaluation of its own. Every pass over a row is an evaluation, and so are a kernel's
 * hooks, at each place of its text that calls them.
 *
 * Cost: the square of the members, in the worst case. */
#include "kernel_size.h"

#include <string.h>

enum { STEP = 60, PRODUCT = 300 }; /* a reduction; a product's loops */

typedef struct sizes {
    const rp_shape *s;
    double whole[RP_SHAPE_MEMBERS]; /* an evaluation of the member at any index */
    bool wanted[RP_SHAPE_MEMBERS];  /* at the index of the evaluation under way */
} sizes;

rp_extent rp_shape_domain_extent(const rp_op_call *c) {
    if (c->op->form == RP_OP_SCATTER) return rp_tensor_extent(&c->operands[0]);
    if (c->op->form == RP_OP_ROWS)
        return rp_extent_product(rp_sym_extent(c, 'R'), rp_sym_extent(c, 'C'));
    for (uint32_t k = 0; k < c->operand_count; k++)
        if (!c->operands[k].absent && rp_access_writes(rp_op_operand_of(c, k)->access))
            return rp_tensor_extent(&c->operands[k]);
    return rp_extent_fixed(0);
}

uint64_t rp_shape_domain(const rp_op_call *c) {
    return rp_shape_domain_extent(c).most;
}

static bool reads_here(const rp_op_call *c, uint32_t k) {
    bool text = c->op->form == RP_OP_POINTWISE && !rp_op_formula(c);
    return !text && rp_tensor_elements(&c->operands[k]) == rp_shape_domain(c);
}

bool rp_shape_reads_here(const rp_op_call *c, uint32_t k) {
    return c->op->form == RP_OP_POINTWISE && reads_here(c, k);
}

/* What a member's inputs cost: those at hand are wanted, the others are evaluated at once. */
static double inputs_of(sizes *z, uint32_t i) {
    const rp_shape_member *m = &z->s->members[i];
    double size = 0;
    for (uint32_t k = 0; k < m->call->operand_count; k++) {
        if (m->call->operands[k].absent || m->source[k] == RP_NONE) continue;
        if (reads_here(m->call, k))
            z->wanted[m->source[k]] = true;
        else
            size += rp_op_sites(m->call, k) * z->whole[m->source[k]];
    }
    return size;
}

/* Everything wanted, and what that needs. Nothing is wanted afterwards. */
static double evaluate(sizes *z) {
    double size = 0;
    for (uint32_t i = z->s->count; i--;) {
        if (!z->wanted[i]) continue;
        z->wanted[i] = false;
        if (z->s->members[i].call->op->form == RP_OP_KERNEL) continue; /* at hand */
        size += z->s->members[i].size.element + inputs_of(z, i);
    }
    return size;
}

/* All reductions: each pass over the rows evaluates what it reduces. */
static double reductions(sizes *z) {
    double size = 0;
    for (uint32_t i = 0; i < z->s->count; i++) {
        const rp_shape_member *m = &z->s->members[i];
        if (m->call->op->form != RP_OP_ROWS) continue;
        size += m->size.steps + STEP * m->call->op->step_count;
        if (m->size.passes == 0) continue;
        double far = inputs_of(z, i);
        size += m->size.passes * (far + evaluate(z));
    }
    return size;
}

static void want_stored(sizes *z, uint64_t elements) {
    for (uint32_t i = 0; i < z->s->count; i++) {
        const rp_shape_member *m = &z->s->members[i];
        for (uint32_t k = 0; k < m->call->operand_count; k++) {
            if (!(m->stored >> k & 1)) continue;
            bool scatter = m->call->op->form == RP_OP_SCATTER;
            uint64_t own =
                scatter ? rp_shape_domain(m->call) : rp_tensor_elements(&m->call->operands[k]);
            z->wanted[i] |= own == elements;
        }
    }
}

/* What is stored behind a core: one of a kernel's outputs, or products that meet. */
static double behind(sizes *z, uint32_t core) {
    for (uint32_t i = 0; i < z->s->count; i++) {
        const rp_shape_member *m = &z->s->members[i];
        z->wanted[i] = m->stored && m->call->op->form != RP_OP_KERNEL && m->core == core;
    }
    return evaluate(z);
}

/* Whether a member moves what is in memory, four neighbours together. */
static bool moves_fours(const sizes *z, uint32_t i) {
    for (; i != RP_NONE; i = z->s->members[i].source[0])
        if (!rp_op_moves_together(z->s->members[i].call, 4)) return false;
    return true;
}

/* At how many places a kernel's input is computed: what is moved by fours is asked for by fours. */
static double places(const sizes *z, const rp_shape_member *m, uint32_t k) {
    uint32_t sites = rp_op_sites(m->call, k);
    return moves_fours(z, m->source[k]) ? (sites + 3) / 4 : sites;
}

static double kernel_size(sizes *z) {
    const rp_shape_member *m = &z->s->members[z->s->first];
    double size = m->size.element;
    for (uint32_t k = 0; k < m->call->operand_count; k++) {
        if (m->call->operands[k].absent) continue;
        if (rp_access_writes(rp_op_operand_of(m->call, k)->access))
            size += rp_op_sites(m->call, k) * behind(z, k);
        else if (m->source[k] != RP_NONE)
            size += places(z, m, k) * z->whole[m->source[k]];
    }
    return size;
}

/* Products that meet are one section of the text; each has its own way to x. */
static double products_size(sizes *z) {
    double rows = reductions(z), size = 0;
    for (uint32_t i = 0; i < z->s->count; i++) {
        const rp_shape_member *m = &z->s->members[i];
        if (!m->call->op->product) continue;
        size += PRODUCT;
        if (m->core != i) continue;
        size += rows + (m->source[0] != RP_NONE ? z->whole[m->source[0]] : 0) +
                behind(z, i) * (m->pair != RP_NONE ? 2 : 1);
    }
    return size;
}

double rp_shape_size(const rp_shape *s) {
    sizes z = {.s = s};
    for (uint32_t i = 0; i < s->count; i++) {
        z.wanted[i] = true;
        z.whole[i] = evaluate(&z);
    }
    double size = 0;
    switch (s->kind) {
    case RP_SHAPE_MAP: want_stored(&z, s->elements); return evaluate(&z);
    case RP_SHAPE_ROWS:
        size = reductions(&z);
        want_stored(&z, s->rows * s->columns);
        size += evaluate(&z);
        want_stored(&z, s->wide);
        size += evaluate(&z);
        want_stored(&z, s->rows);
        return size + (s->columns > 1 ? evaluate(&z) : 0);
    case RP_SHAPE_KERNEL: return kernel_size(&z);
    case RP_SHAPE_MATVEC: return products_size(&z);
    }
    return size;
}
