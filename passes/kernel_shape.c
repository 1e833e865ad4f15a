/* Which of the four shapes ops have together, and whether every op finds in it what it needs.
 *
 * Each output gets a place that says what it depends on; members are gone through in order, so
 * inputs have theirs already. Products whose results meet in one op are joined: they must have the
 * same rows, and the kernel computes them together. Cost: members times their operands. */
#include "kernel_shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel_size.h"

/* ---- Reasons --------------------------------------------------------------------------------- */

static uint32_t id_of(const rp_shape *s, uint32_t i) {
    return s->members[i].id;
}

static const char *op_of(const rp_shape *s, uint32_t i) {
    return s->members[i].call->op->name;
}

static bool refuse(rp_shape *s, const char *format, ...) RP_PRINTF(2, 3);
static bool refuse(rp_shape *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(s->reason, sizeof s->reason, format, args);
    va_end(args);
    return false;
}

/* ---- Members --------------------------------------------------------------------------------- */

/* Numbers are compared as they follow live sizes: what is equal at the largest need not be at others. */
static rp_extent elements(const rp_shape *s, uint32_t i, uint32_t k) {
    return rp_tensor_extent(&s->members[i].call->operands[k]);
}

static rp_extent domain(const rp_shape *s, uint32_t i) {
    return rp_shape_domain_extent(s->members[i].call);
}

static rp_extent symbol(const rp_shape *s, uint32_t i, char name) {
    return rp_sym_extent(s->members[i].call, name);
}

static rp_extent reductions(const rp_op_call *c) {
    rp_extent rows = rp_sym_extent(c, 'R');
    return c->op->parts ? rp_extent_product(rows, rp_sym_extent(c, 'P')) : rows;
}

static bool is_output(const rp_shape *s, uint32_t i, uint32_t k) {
    const rp_op_call *c = s->members[i].call;
    return !c->operands[k].absent && rp_access_writes(rp_op_operand_of(c, k)->access);
}

static uint8_t form(const rp_shape *s, uint32_t i) {
    return s->members[i].call->op->form;
}

static bool is_product(const rp_shape *s, uint32_t i) {
    return s->members[i].call->op->product;
}

/* Whose output input k of member i is, and where that is; RP_NONE for what is in memory. */
static uint32_t source_of(const rp_shape *s, uint32_t i, uint32_t k, uint8_t *out_place) {
    const rp_shape_member *m = &s->members[i];
    if (m->call->operands[k].absent || m->source[k] == RP_NONE) return RP_NONE;
    *out_place = s->members[m->source[k]].place[m->output[k]];
    return m->source[k];
}

/* Whether input k, one number per row, is broadcast along the columns of op i's output. */
static bool is_column(const rp_shape *s, uint32_t i, uint32_t k) {
    const rp_op_call *c = s->members[i].call;
    const rp_tensor *t = &c->operands[k], *o = &c->operands[c->operand_count - 1];
    if (rp_op_operand_of(c, k)->shape || t->rank != o->rank || t->rank == 0) return false;
    for (uint32_t d = 0; d + 1 < t->rank; d++)
        if (t->dims[d] != o->dims[d]) return false;
    return t->dims[t->rank - 1] == 1;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Gives op i over rows its outputs' places. All such ops go over the same rows. */
static bool place_rows(rp_shape *s, uint32_t i) {
    rp_shape_member *m = &s->members[i];
    const rp_op_call *c = m->call;
    if ((c->op->parts ? rp_sym(c, 'P') : 0) != s->parts)
        return refuse(s, "n%u %s and n%u %s cut rows into other parts", id_of(s, s->first),
                      op_of(s, s->first), id_of(s, i), op_of(s, i));
    if (!rp_extent_same(reductions(c), s->all_rows) ||
        !rp_extent_same(rp_sym_extent(c, 'C'), s->all_columns))
        return refuse(s, "n%u %s goes over %llu rows of %llu, n%u %s over %llu of %llu",
                      id_of(s, i), op_of(s, i), (unsigned long long)rp_sym(c, 'R'),
                      (unsigned long long)rp_sym(c, 'C'), id_of(s, s->first), op_of(s, s->first),
                      (unsigned long long)s->rows, (unsigned long long)s->columns);
    for (uint32_t k = 0; k < c->operand_count; k++) {
        if (is_output(s, i, k)) {
            const char *shape = c->op->operands[k].shape;
            bool whole = shape && shape[0] == '*' && strchr(shape, 'C');
            m->place[k] = whole ? RP_SHAPE_ELEMENT : RP_SHAPE_PER_ROW;
            continue;
        }
        uint8_t place;
        uint32_t j = source_of(s, i, k, &place);
        if (j == RP_NONE || place == RP_SHAPE_FRONT) continue;
        if (place != RP_SHAPE_ELEMENT || !rp_extent_same(elements(s, i, k), s->whole))
            return refuse(s, "n%u %s needs whole rows of n%u %s first", id_of(s, i), op_of(s, i),
                          id_of(s, j), op_of(s, j));
    }
    return true;
}

/* A pointwise op or a scatter that depends on row operations: at its own element, or a row's
 * number. */
static bool place_on_rows(rp_shape *s, uint32_t i, uint32_t k, uint8_t *out) {
    uint8_t place;
    uint32_t j = source_of(s, i, k, &place);
    rp_extent size = domain(s, i);
    /* Nothing is at hand of parts' elements. */
    bool is_all = !s->parts && rp_extent_same(size, s->whole);
    bool is_rows = rp_extent_same(size, s->all_rows);
    bool same = rp_op_reads_at(s->members[i].call, k) == RP_AT_SAME;
    if (place == RP_SHAPE_ELEMENT && same && is_all) {
        *out = RP_SHAPE_ELEMENT;
        return true;
    }
    if (place == RP_SHAPE_PER_ROW && same && is_rows) {
        if (*out != RP_SHAPE_ELEMENT) *out = RP_SHAPE_PER_ROW;
        return true;
    }
    if (place == RP_SHAPE_PER_ROW && is_all && is_column(s, i, k)) {
        *out = RP_SHAPE_ELEMENT;
        return true;
    }
    bool wide = place == RP_SHAPE_WIDE ? same : place == RP_SHAPE_PER_ROW && is_column(s, i, k);
    if (wide && !s->parts && size.most > s->rows * RP_SHAPE_WIDE_GROUP &&
        size.powers == s->all_rows.powers && (s->wide == 0 || rp_extent_same(s->all_wide, size))) {
        s->wide = size.most;
        s->all_wide = size;
        *out = RP_SHAPE_WIDE;
        return true;
    }
    return refuse(s, "n%u %s asks n%u %s for more than its own element", id_of(s, i), op_of(s, i),
                  id_of(s, j), op_of(s, j));
}

/* ---- Behind a core --------------------------------------------------------------------------- */

/* The first of the products that meet this one. */
static uint32_t first_product(rp_shape *s, uint32_t i) {
    rp_shape_member *m = s->members;
    while (m[i].core != i) i = m[i].core = m[m[i].core].core;
    return i;
}

/* Two products meet in op i: they must have the same rows. */
static bool join(rp_shape *s, uint32_t a, uint32_t b, uint32_t i) {
    a = first_product(s, a), b = first_product(s, b);
    if (a == b) return true;
    uint64_t one = rp_sym(s->members[a].call, 'M'), two = rp_sym(s->members[b].call, 'M');
    if (!rp_extent_same(symbol(s, a, 'M'), symbol(s, b, 'M')))
        return refuse(s, "n%u %s meets products of %llu and of %llu rows", id_of(s, i), op_of(s, i),
                      (unsigned long long)one, (unsigned long long)two);
    uint32_t first = a < b ? a : b, second = a < b ? b : a;
    if (s->members[first].pair == RP_NONE) s->members[first].pair = s->members[second].pair;
    s->members[second].core = first;
    return true;
}

/* The kernel computes the two rows of a pair together, for one op that says which they are. Pairs
 * lie within the last dimension; that must lie within a row of the product. */
static bool pair_fits(rp_shape *s, uint32_t i, uint32_t k, uint32_t product) {
    const rp_tensor *t = &s->members[i].call->operands[k];
    uint64_t last = t->rank ? t->dims[t->rank - 1] : 1;
    rp_shape_member *first = &s->members[first_product(s, product)];
    if (first->pair != RP_NONE)
        return refuse(s, "n%u %s is the second that needs pairs of rows", id_of(s, i), op_of(s, i));
    if (rp_sym(s->members[product].call, 'M') % last != 0 || symbol(s, product, 'M').powers)
        return refuse(s, "n%u %s needs pairs across the ends of n%u %s's rows", id_of(s, i),
                      op_of(s, i), id_of(s, product), op_of(s, product));
    first->pair = i;
    return true;
}

static bool place_behind(rp_shape *s, uint32_t i, uint32_t k, uint32_t *core) {
    const rp_shape_member *m = &s->members[i], *from = &s->members[m->source[k]];
    uint32_t j = m->source[k], output = m->output[k];
    rp_op_place at = rp_op_reads_at(m->call, k);
    bool product = s->kind == RP_SHAPE_MATVEC;
    if ((at != RP_AT_SAME && !(at == RP_AT_PAIR && product)) ||
        !rp_extent_same(elements(s, i, k), domain(s, i)))
        return refuse(s, "n%u %s asks n%u %s for more than its own element", id_of(s, i),
                      op_of(s, i), id_of(s, j), op_of(s, j));
    const rp_op_operand *result = rp_op_operand_of(from->call, output);
    if (form(s, j) == RP_OP_KERNEL && !result->hook)
        return refuse(s, "n%u %s writes %s to memory only", id_of(s, j), op_of(s, j), result->name);
    uint32_t mine = form(s, j) == RP_OP_KERNEL && !product ? output : from->core;
    if (at == RP_AT_PAIR && !pair_fits(s, i, k, mine)) return false;
    if (*core != RP_NONE && *core != mine) {
        if (!product)
            return refuse(s, "n%u %s needs two results of n%u %s at once", id_of(s, i), op_of(s, i),
                          id_of(s, s->first), op_of(s, s->first));
        if (!join(s, *core, mine, i)) return false;
    }
    *core = mine;
    return true;
}

/* ---- Every op -------------------------------------------------------------------------------- */

/* A pointwise op or a scatter: where its inputs allow it to be. */
static bool place_pointwise(rp_shape *s, uint32_t i) {
    rp_shape_member *m = &s->members[i];
    uint8_t mine = RP_SHAPE_FRONT, place;
    uint32_t core = RP_NONE;
    for (uint32_t k = 0; k < m->call->operand_count; k++) {
        if (is_output(s, i, k)) continue;
        uint32_t j = source_of(s, i, k, &place);
        if (j == RP_NONE || place == RP_SHAPE_FRONT) continue;
        if (form(s, i) == RP_OP_SCATTER && k != 0)
            return refuse(s, "n%u %s needs its places from memory", id_of(s, i), op_of(s, i));
        if (place == RP_SHAPE_BEHIND) {
            if (mine != RP_SHAPE_FRONT && mine != RP_SHAPE_BEHIND)
                return refuse(s, "n%u %s needs x and a product of it", id_of(s, i), op_of(s, i));
            mine = RP_SHAPE_BEHIND;
            if (!place_behind(s, i, k, &core)) return false;
        } else if (mine == RP_SHAPE_BEHIND) {
            return refuse(s, "n%u %s needs x and a product of it", id_of(s, i), op_of(s, i));
        } else if (!place_on_rows(s, i, k, &mine)) {
            return false;
        }
    }
    m->core = core;
    memset(m->place, mine, sizeof m->place);
    return true;
}

/* The one kernel op, or a product. */
static bool place_core(rp_shape *s, uint32_t i) {
    rp_shape_member *m = &s->members[i];
    bool product = s->kind == RP_SHAPE_MATVEC;
    m->core = i;
    memset(m->place, RP_SHAPE_BEHIND, sizeof m->place);
    for (uint32_t k = 0; k < m->call->operand_count; k++) {
        if (is_output(s, i, k)) continue;
        uint8_t place;
        uint32_t j = source_of(s, i, k, &place);
        if (j == RP_NONE) continue;
        if (!rp_op_operand_of(m->call, k)->hook)
            return refuse(s, "n%u %s reads %s from memory only", id_of(s, i), op_of(s, i),
                          rp_op_operand_name(m->call, k));
        if (place == RP_SHAPE_BEHIND || place == RP_SHAPE_PER_ROW || place == RP_SHAPE_WIDE ||
            (place == RP_SHAPE_ELEMENT && !product))
            return refuse(s, "n%u %s needs all of n%u %s first", id_of(s, i), op_of(s, i),
                          id_of(s, j), op_of(s, j));
    }
    return true;
}

/* All products must have the same x: the same value or the same bytes. */
static bool same_x(rp_shape *s, uint32_t i) {
    const rp_shape_member *a = &s->members[s->first], *b = &s->members[i];
    bool same = a->source[0] == b->source[0] &&
                (a->source[0] == RP_NONE ? a->x == b->x : a->output[0] == b->output[0]) &&
                a->call->operands[0].dtype == b->call->operands[0].dtype &&
                rp_extent_same(symbol(s, s->first, 'K'), symbol(s, i, 'K')) &&
                rp_extent_same(symbol(s, s->first, 'B'), symbol(s, i, 'B'));
    return same ||
           refuse(s, "n%u and n%u multiply different vectors", id_of(s, s->first), id_of(s, i));
}

/* ---- The kind -------------------------------------------------------------------------------- */

/* Finds the kind and what belongs to it. */
static bool classify(rp_shape *s) {
    uint32_t kernel = RP_NONE, product = RP_NONE, row = RP_NONE;
    for (uint32_t i = 0; i < s->count; i++) {
        if (form(s, i) == RP_OP_ROWS && row == RP_NONE) row = i;
        if (form(s, i) != RP_OP_KERNEL) continue;
        if (is_product(s, i)) {
            if (product == RP_NONE) product = i;
        } else if (kernel != RP_NONE) {
            return refuse(s, "n%u %s and n%u %s are kernels of their own", id_of(s, kernel),
                          op_of(s, kernel), id_of(s, i), op_of(s, i));
        } else {
            kernel = i;
        }
    }
    if (kernel != RP_NONE && (product != RP_NONE || row != RP_NONE)) {
        uint32_t other = product != RP_NONE ? product : row;
        return refuse(s, "n%u %s and n%u %s go over their data in different ways", id_of(s, kernel),
                      op_of(s, kernel), id_of(s, other), op_of(s, other));
    }
    s->kind = kernel != RP_NONE    ? RP_SHAPE_KERNEL
              : product != RP_NONE ? RP_SHAPE_MATVEC
              : row != RP_NONE     ? RP_SHAPE_ROWS
                                   : RP_SHAPE_MAP;
    s->first = kernel != RP_NONE ? kernel : product != RP_NONE ? product : row;
    s->rows = s->columns = s->parts = s->wide = s->elements = 0;
    s->all_rows = s->all_columns = s->all_wide = s->all_elements = rp_extent_fixed(0);
    if (s->kind == RP_SHAPE_ROWS) {
        const rp_op_call *c = s->members[row].call;
        s->rows = rp_op_reductions(c);
        s->parts = c->op->parts ? rp_sym(c, 'P') : 0;
        s->columns = rp_sym(s->members[row].call, 'C');
        s->all_rows = reductions(c);
        s->all_columns = rp_sym_extent(c, 'C');
    } else if (s->kind == RP_SHAPE_MATVEC) {
        s->rows = rp_sym(s->members[product].call, 'B');
        s->columns = rp_sym(s->members[product].call, 'K');
        s->all_rows = symbol(s, product, 'B');
        s->all_columns = symbol(s, product, 'K');
    }
    s->whole = rp_extent_product(s->all_rows, s->all_columns);
    return true;
}

static bool place_member(rp_shape *s, uint32_t i) {
    s->members[i].core = s->members[i].pair = RP_NONE;
    switch ((rp_op_form)form(s, i)) {
    case RP_OP_ROWS: return place_rows(s, i);
    case RP_OP_KERNEL: return (!is_product(s, i) || same_x(s, i)) && place_core(s, i);
    case RP_OP_POINTWISE:
    case RP_OP_SCATTER: break;
    }
    return place_pointwise(s, i);
}

static bool place_all(rp_shape *s) {
    for (uint32_t i = 0; i < s->count; i++)
        if (!place_member(s, i)) return false;
    for (uint32_t i = 0; s->kind == RP_SHAPE_MATVEC && i < s->count; i++) {
        if (s->members[i].core == RP_NONE) continue;
        uint32_t first = s->members[i].core = first_product(s, s->members[i].core);
        if (is_product(s, i) && first != i && s->members[first].pair != RP_NONE)
            return refuse(s, "n%u and n%u meet, and pairs of rows are needed", id_of(s, first),
                          id_of(s, i));
    }
    return true;
}

/* ---- What is stored -------------------------------------------------------------------------- */

static bool store_fits(rp_shape *s, uint32_t i, uint32_t k) {
    rp_extent mine = form(s, i) == RP_OP_SCATTER ? domain(s, i) : elements(s, i, k);
    switch (s->kind) {
    case RP_SHAPE_MAP:
        if (s->elements && !rp_extent_same(s->all_elements, mine))
            return refuse(s, "%llu and %llu elements go to memory", (unsigned long long)s->elements,
                          (unsigned long long)mine.most);
        s->elements = mine.most;
        s->all_elements = mine;
        return true;
    case RP_SHAPE_ROWS:
        if (!s->parts && rp_extent_same(mine, s->whole)) return true;
        if (rp_extent_same(mine, s->all_rows)) return true;
        if (s->wide && rp_extent_same(mine, s->all_wide)) return true;
        break;
    case RP_SHAPE_KERNEL:
    case RP_SHAPE_MATVEC:
        if (s->members[i].place[k] == RP_SHAPE_BEHIND) return true;
        break;
    }
    return refuse(s, "n%u %s goes to memory, but is not what n%u %s goes over", id_of(s, i),
                  op_of(s, i), id_of(s, s->first), op_of(s, s->first));
}

/* Every output that goes to memory must be one that the kernel goes over. */
static bool check_stores(rp_shape *s) {
    uint32_t stores = 0;
    for (uint32_t i = 0; i < s->count; i++)
        for (uint32_t k = 0; k < s->members[i].call->operand_count; k++) {
            if (!is_output(s, i, k) || !(s->members[i].stored >> k & 1)) continue;
            if (!store_fits(s, i, k)) return false;
            stores++;
        }
    return stores > 0 || refuse(s, "nothing goes to memory");
}

/* Elements of 64 bits are two words, of which no kernel but a map makes values; a kernel's own text makes numbers
 * of its operands. */
static bool check_wide(rp_shape *s) {
    for (uint32_t i = 0; i < s->count && s->kind != RP_SHAPE_MAP; i++) {
        const rp_op_call *c = s->members[i].call;
        for (uint32_t k = 0; k < c->operand_count; k++)
            if (!c->operands[k].absent && !rp_op_is_long(c, k) &&
                rp_op_is_wide(c->operands[k].dtype) && (is_output(s, i, k) || rp_op_formula(c)))
                return refuse(s, "n%u %s has elements of 64 bits, which are fused with maps alone",
                              id_of(s, i), op_of(s, i));
    }
    return true;
}

bool rp_shape_find(rp_shape *shape) {
    shape->reason[0] = '\0';
    if (!classify(shape) || !place_all(shape) || !check_stores(shape) || !check_wide(shape))
        return false;
    shape->size = rp_shape_size(shape);
    return true;
}
