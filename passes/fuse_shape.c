/* fuse, legality: can one generated kernel compute a set of op nodes?
 *
 * A generated kernel has one of four shapes (fuse.h), decided by the forms of its ops. Every value
 * that stays inside is a function of its element's index, so an op in front of the shape's core may
 * be read at any index; an op behind the core may only ask for the core's result at its own element
 * (or the other one of its pair, or its row's), because that is all that a thread has at hand.
 *
 * Each output gets a place that says what it depends on; ops are gone through in id order, so
 * inputs have theirs already. */
#include "fuse.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/checked.h"

/* What an output depends on, and so where its elements can be asked for. */
typedef enum place {
    FRONT,   /* only memory and other such values: any element, any time */
    ELEMENT, /* ROW: an element of the row. MATVEC: x itself, behind a row operation */
    PER_ROW, /* one number for each row */
    BEHIND,  /* KERNEL, MATVEC: an element of the core's result */
} place;

typedef struct shape {
    rp_fuse_set *set;
    uint8_t place[RP_FUSE_MEMBERS][RP_OP_MAX_OPERANDS];
    /* MATVEC: behind which product a BEHIND value is; products that meet are joined. KERNEL: which
     * output of the core. */
    uint32_t core[RP_FUSE_MEMBERS][RP_OP_MAX_OPERANDS];
    uint32_t parent[RP_FUSE_MEMBERS];
    bool paired[RP_FUSE_MEMBERS]; /* MATVEC: a pair op follows the product */
    uint32_t first;               /* the core, or the first op over rows; RP_NONE */
    uint64_t rows, columns;
    uint32_t views; /* uses that need a number to begin with */
} shape;

/* ---- Reasons --------------------------------------------------------------------------------- */

static uint32_t id_of(const shape *s, uint32_t i) {
    return rp_fuse_member(s->set, i)->id;
}

static const char *op_of(const shape *s, uint32_t i) {
    return s->set->calls[i].op->name;
}

static bool refuse(shape *s, const char *format, ...) RP_PRINTF(2, 3);
static bool refuse(shape *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(s->set->reason, sizeof s->set->reason, format, args);
    va_end(args);
    return false;
}

/* ---- Dataflow within the set ----------------------------------------------------------------- */

uint32_t rp_fuse_place(const rp_fuse_set *set, uint32_t node) {
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (set->nodes[mid] < node)
            low = mid + 1;
        else
            high = mid;
    }
    return low < set->count && set->nodes[low] == node ? low : RP_NONE;
}

uint32_t rp_fuse_producer(const rp_fuse_set *set, uint32_t input, uint32_t *out_operand) {
    uint32_t output = set->values->writer[input];
    if (output == RP_NONE) return RP_NONE;
    uint32_t i = rp_fuse_place(set, set->values->node[output]);
    if (i != RP_NONE) *out_operand = output - rp_fuse_member(set, i)->first_operand;
    return i;
}

bool rp_fuse_is_stored(const rp_fuse_set *set, uint32_t output) {
    const rp_fuse_values *v = set->values;
    if (v->escape[output] != RP_FUSE_STAYS_INSIDE || v->first_reader[output] == RP_NONE)
        return true;
    for (uint32_t r = v->first_reader[output]; r != RP_NONE; r = v->next_reader[r])
        if (rp_fuse_place(set, v->node[r]) == RP_NONE) return true;
    return false;
}

static uint64_t elements(const shape *s, uint32_t i, uint32_t k) {
    return rp_tensor_elements(&s->set->calls[i].operands[k]);
}

static bool is_output(const shape *s, uint32_t i, uint32_t k) {
    const rp_op_call *c = &s->set->calls[i];
    return !c->operands[k].absent && rp_access_writes(rp_op_operand_of(c, k)->access);
}

static uint8_t form(const shape *s, uint32_t i) {
    return s->set->calls[i].op->form;
}

static bool is_product(const shape *s, uint32_t i) {
    return s->set->calls[i].op->product;
}

/* How many elements a pointwise or scatter op goes over: those of its output, of its source. */
static uint64_t domain(const shape *s, uint32_t i) {
    if (form(s, i) == RP_OP_SCATTER) return elements(s, i, 0);
    for (uint32_t k = 0; k < s->set->calls[i].operand_count; k++)
        if (is_output(s, i, k)) return elements(s, i, k);
    return 0;
}

/* Whether input k, one number per row, is broadcast along the columns of op i's output. */
static bool is_column(const shape *s, uint32_t i, uint32_t k) {
    const rp_op_call *c = &s->set->calls[i];
    const rp_tensor *t = &c->operands[k], *o = &c->operands[c->operand_count - 1];
    if (rp_op_operand_of(c, k)->shape || t->rank != o->rank || t->rank == 0) return false;
    for (uint32_t d = 0; d + 1 < t->rank; d++)
        if (t->dims[d] != o->dims[d]) return false;
    return t->dims[t->rank - 1] == 1;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Gives op i over rows its outputs' places. All such ops of a set go over the same rows. */
static bool place_rows(shape *s, uint32_t i) {
    const rp_op_call *c = &s->set->calls[i];
    if (rp_sym(c, 'R') != s->rows || rp_sym(c, 'C') != s->columns)
        return refuse(s, "n%u %s goes over %llu rows of %llu, n%u %s over %llu of %llu",
                      id_of(s, i), op_of(s, i), (unsigned long long)rp_sym(c, 'R'),
                      (unsigned long long)rp_sym(c, 'C'), id_of(s, s->first), op_of(s, s->first),
                      (unsigned long long)s->rows, (unsigned long long)s->columns);
    for (uint32_t k = 0; k < c->operand_count; k++) {
        if (is_output(s, i, k)) {
            s->place[i][k] = c->op->operands[k].shape && c->op->operands[k].shape[0] == '*' &&
                                     strchr(c->op->operands[k].shape, 'C')
                                 ? ELEMENT
                                 : PER_ROW;
            continue;
        }
        uint32_t from,
            j = c->operands[k].absent
                    ? RP_NONE
                    : rp_fuse_producer(s->set, rp_fuse_member(s->set, i)->first_operand + k, &from);
        if (j == RP_NONE || s->place[j][from] == FRONT) continue;
        if (s->place[j][from] != ELEMENT || elements(s, i, k) != s->rows * s->columns)
            return refuse(s, "n%u %s needs whole rows of n%u %s first", id_of(s, i), op_of(s, i),
                          id_of(s, j), op_of(s, j));
    }
    return true;
}

/* A pointwise op or a scatter that depends on row operations: at its own element, or a row's
 * number. */
static bool place_on_rows(shape *s, uint32_t i, uint32_t k, uint32_t j, uint32_t from,
                          uint8_t *out) {
    uint64_t size = domain(s, i), all = s->rows * s->columns;
    bool same = rp_op_reads_at(&s->set->calls[i], k) == RP_AT_SAME;
    if (s->place[j][from] == ELEMENT && same && size == all) {
        *out = ELEMENT;
        return true;
    }
    if (s->place[j][from] == PER_ROW && same && size == s->rows) {
        if (*out != ELEMENT) *out = PER_ROW;
        return true;
    }
    if (s->place[j][from] == PER_ROW && size == all && is_column(s, i, k)) {
        *out = ELEMENT;
        return true;
    }
    return refuse(s, "n%u %s asks n%u %s for more than its own element", id_of(s, i), op_of(s, i),
                  id_of(s, j), op_of(s, j));
}

/* ---- Behind a core --------------------------------------------------------------------------- */

static uint32_t root(shape *s, uint32_t i) {
    while (s->parent[i] != i) i = s->parent[i] = s->parent[s->parent[i]];
    return i;
}

/* Two products meet in one op: they must have the same rows. */
static bool join(shape *s, uint32_t a, uint32_t b, uint32_t i) {
    if (root(s, a) == root(s, b)) return true;
    const rp_op_call *x = &s->set->calls[a], *y = &s->set->calls[b];
    if (rp_sym(x, 'M') != rp_sym(y, 'M'))
        return refuse(s, "n%u %s meets products of %llu and of %llu rows", id_of(s, i), op_of(s, i),
                      (unsigned long long)rp_sym(x, 'M'), (unsigned long long)rp_sym(y, 'M'));
    s->paired[root(s, a)] |= s->paired[root(s, b)];
    s->parent[root(s, b)] = root(s, a);
    return true;
}

/* The kernel computes the two rows of a pair together, for one op that says which they are. Pairs
 * lie within the last dimension; that must lie within a row of the product. */
static bool pair_fits(shape *s, uint32_t i, uint32_t k, uint32_t product) {
    const rp_tensor *t = &s->set->calls[i].operands[k];
    uint64_t last = t->rank ? t->dims[t->rank - 1] : 1;
    if (s->paired[root(s, product)])
        return refuse(s, "n%u %s is the second that needs pairs of rows", id_of(s, i), op_of(s, i));
    if (rp_sym(&s->set->calls[product], 'M') % last != 0)
        return refuse(s, "n%u %s needs pairs across the ends of n%u %s's rows", id_of(s, i),
                      op_of(s, i), id_of(s, product), op_of(s, product));
    s->paired[root(s, product)] = true;
    return true;
}

static bool place_behind(shape *s, uint32_t i, uint32_t k, uint32_t j, uint32_t from,
                         uint32_t *core) {
    rp_op_place at = rp_op_reads_at(&s->set->calls[i], k);
    bool product = s->set->kind == RP_FUSE_MATVEC;
    if ((at != RP_AT_SAME && !(at == RP_AT_PAIR && product)) || elements(s, i, k) != domain(s, i))
        return refuse(s, "n%u %s asks n%u %s for more than its own element", id_of(s, i),
                      op_of(s, i), id_of(s, j), op_of(s, j));
    const rp_op_operand *result = rp_op_operand_of(&s->set->calls[j], from);
    if (form(s, j) == RP_OP_KERNEL && !result->hook)
        return refuse(s, "n%u %s writes %s to memory only", id_of(s, j), op_of(s, j), result->name);
    uint32_t mine = s->core[j][from];
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
static bool place_pointwise(shape *s, uint32_t i) {
    const rp_op_call *c = &s->set->calls[i];
    uint8_t mine = FRONT;
    uint32_t core = RP_NONE;
    for (uint32_t k = 0; k < c->operand_count; k++) {
        if (c->operands[k].absent || is_output(s, i, k)) continue;
        uint32_t from,
            j = rp_fuse_producer(s->set, rp_fuse_member(s->set, i)->first_operand + k, &from);
        if (j == RP_NONE || s->place[j][from] == FRONT) continue;
        if (form(s, i) == RP_OP_SCATTER && k != 0)
            return refuse(s, "n%u %s needs its places from memory", id_of(s, i), op_of(s, i));
        if (s->place[j][from] == BEHIND) {
            if (mine == ELEMENT || mine == PER_ROW)
                return refuse(s, "n%u %s needs x and a product of it", id_of(s, i), op_of(s, i));
            mine = BEHIND;
            if (!place_behind(s, i, k, j, from, &core)) return false;
        } else if (mine == BEHIND) {
            return refuse(s, "n%u %s needs x and a product of it", id_of(s, i), op_of(s, i));
        } else if (!place_on_rows(s, i, k, j, from, &mine)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < c->operand_count; k++)
        if (is_output(s, i, k)) {
            s->place[i][k] = mine;
            s->core[i][k] = core;
        }
    return true;
}

/* The one kernel op, or a matrix-vector product. */
static bool place_core(shape *s, uint32_t i) {
    const rp_op_call *c = &s->set->calls[i];
    bool product = s->set->kind == RP_FUSE_MATVEC;
    for (uint32_t k = 0; k < c->operand_count; k++) {
        if (c->operands[k].absent) continue;
        if (is_output(s, i, k)) {
            s->place[i][k] = BEHIND;
            s->core[i][k] = product ? i : k;
            continue;
        }
        uint32_t from,
            j = rp_fuse_producer(s->set, rp_fuse_member(s->set, i)->first_operand + k, &from);
        if (j == RP_NONE) continue;
        if (!rp_op_operand_of(c, k)->hook)
            return refuse(s, "n%u %s reads %s from memory only", id_of(s, i), op_of(s, i),
                          rp_op_operand_name(c, k));
        if (s->place[j][from] == BEHIND || s->place[j][from] == PER_ROW ||
            (s->place[j][from] == ELEMENT && !product))
            return refuse(s, "n%u %s needs all of n%u %s first", id_of(s, i), op_of(s, i),
                          id_of(s, j), op_of(s, j));
    }
    return true;
}

/* All products must have the same x: the same value or the same bytes. */
static bool same_x(shape *s, uint32_t i) {
    const rp_fuse_set *set = s->set;
    const rp_op_call *a = &set->calls[s->first], *b = &set->calls[i];
    uint32_t x = rp_fuse_member(set, s->first)->first_operand;
    uint32_t y = rp_fuse_member(set, i)->first_operand;
    const rp_graph *g = set->graph;
    const rp_graph_use *u = &rp_node_uses(g, &g->nodes[set->nodes[s->first]])[g->operands[x].use];
    const rp_graph_use *v = &rp_node_uses(g, &g->nodes[set->nodes[i]])[g->operands[y].use];
    bool same = u->buffer == v->buffer && u->offset == v->offset && u->size == v->size &&
                set->values->writer[x] == set->values->writer[y] &&
                a->operands[0].dtype == b->operands[0].dtype;
    if (!same || rp_sym(a, 'K') != rp_sym(b, 'K') || rp_sym(a, 'B') != rp_sym(b, 'B'))
        return refuse(s, "n%u and n%u multiply different vectors", id_of(s, s->first), id_of(s, i));
    return true;
}

/* Finds the kind and what belongs to it. */
static bool classify(shape *s) {
    rp_fuse_set *set = s->set;
    uint32_t kernel = RP_NONE, product = RP_NONE, row = RP_NONE;
    for (uint32_t i = 0; i < set->count; i++) {
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
    set->kind = kernel != RP_NONE    ? RP_FUSE_KERNEL
                : product != RP_NONE ? RP_FUSE_MATVEC
                : row != RP_NONE     ? RP_FUSE_ROW
                                     : RP_FUSE_MAP;
    s->first = kernel != RP_NONE ? kernel : product != RP_NONE ? product : row;
    if (set->kind == RP_FUSE_ROW) {
        s->rows = rp_sym(&set->calls[row], 'R');
        s->columns = rp_sym(&set->calls[row], 'C');
    } else if (set->kind == RP_FUSE_MATVEC) {
        s->rows = rp_sym(&set->calls[product], 'B');
        s->columns = rp_sym(&set->calls[product], 'K');
        if (set->count > 1 && s->rows > RP_FUSE_ROWS)
            return refuse(s, "n%u matvec has %llu rows of x", id_of(s, product),
                          (unsigned long long)s->rows);
    }
    return true;
}

static bool place_all(shape *s) {
    for (uint32_t i = 0; i < s->set->count; i++) {
        s->parent[i] = i;
        bool ok = false;
        switch ((rp_op_form)form(s, i)) {
        case RP_OP_ROWS: ok = place_rows(s, i); break;
        case RP_OP_KERNEL:
            ok = (!is_product(s, i) || i == s->first || same_x(s, i)) && place_core(s, i);
            break;
        case RP_OP_POINTWISE:
        case RP_OP_SCATTER: ok = place_pointwise(s, i); break;
        }
        if (!ok) return false;
    }
    for (uint32_t i = 0; i < s->set->count; i++)
        if (s->paired[i])
            for (uint32_t j = 0; j < s->set->count; j++)
                if (j != i && is_product(s, j) && root(s, j) == root(s, i))
                    return refuse(s, "n%u and n%u meet, and pairs of rows are needed", id_of(s, i),
                                  id_of(s, j));
    return true;
}

/* ---- What is stored -------------------------------------------------------------------------- */

/* Every output that goes to memory must be one that the kernel goes over. */
static bool check_stores(shape *s) {
    uint64_t all = s->rows * s->columns, size = 0;
    for (uint32_t i = 0; i < s->set->count; i++) {
        const rp_op_call *c = &s->set->calls[i];
        bool scatter = form(s, i) == RP_OP_SCATTER;
        for (uint32_t k = 0; k < c->operand_count; k++) {
            if (!is_output(s, i, k)) continue;
            if (!scatter &&
                !rp_fuse_is_stored(s->set, rp_fuse_member(s->set, i)->first_operand + k))
                continue;
            uint64_t mine = scatter ? domain(s, i) : elements(s, i, k);
            switch (s->set->kind) {
            case RP_FUSE_MAP:
                if (size && size != mine)
                    return refuse(s, "%llu and %llu elements go to memory",
                                  (unsigned long long)size, (unsigned long long)mine);
                size = mine;
                continue;
            case RP_FUSE_ROW:
                if (mine == all || mine == s->rows) continue;
                break;
            case RP_FUSE_KERNEL:
            case RP_FUSE_MATVEC:
                if (s->place[i][k] == BEHIND) continue;
                break;
            }
            return refuse(s, "n%u %s goes to memory, but is not what n%u %s goes over", id_of(s, i),
                          op_of(s, i), id_of(s, s->first), op_of(s, s->first));
        }
    }
    return true;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

typedef struct bytes {
    rp_graph_use use;
    uint32_t member;
} bytes;

/* No member may write what another one touches, and the buffers must not be too many. */
static bool check_memory(shape *s) {
    const rp_graph *g = s->set->graph;
    bytes all[RP_FUSE_USES + 1];
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->set->count; i++) {
        const rp_graph_node *n = &g->nodes[s->set->nodes[i]];
        const rp_graph_member *m = rp_fuse_member(s->set, i);
        for (uint32_t k = 0; k < m->operand_count; k++) {
            uint32_t from, operand = m->first_operand + k;
            const rp_graph_operand *o = &g->operands[operand];
            if (o->absent || o->use == RP_NONE) continue;
            if (o->access == RP_READ && rp_fuse_producer(s->set, operand, &from) != RP_NONE)
                continue;
            if (o->access == RP_WRITE && !rp_fuse_is_stored(s->set, operand)) continue;
            const rp_graph_use *u = &rp_node_uses(g, n)[o->use];
            bool shared = false;
            for (uint32_t b = 0; b < count; b++) {
                const rp_graph_use *v = &all[b].use;
                if (v->buffer != u->buffer ||
                    !rp_ranges_overlap(u->offset, u->size, v->offset, v->size))
                    continue;
                bool writes = rp_access_writes(u->access) || rp_access_writes(v->access);
                if (writes && all[b].member != i)
                    return refuse(s, "n%u and n%u touch the same bytes of %s, and one writes",
                                  id_of(s, all[b].member), id_of(s, i),
                                  rp_graph_string(g, g->buffers[u->buffer].name));
                if (!writes && u->offset == v->offset && u->size == v->size) shared = true;
                if (writes && s->set->count > 1)
                    return refuse(s, "n%u works in place", id_of(s, i));
            }
            if (shared) continue;
            if (count >= RP_FUSE_USES)
                return refuse(s, "more than %d buffers would be bound", RP_FUSE_USES);
            all[count++] = (bytes){*u, i};
            s->views += rp_use_skip(u) != 0;
        }
    }
    return true;
}

/* ---- Constants ------------------------------------------------------------------------------- */

/* Shapes and attributes are specialisation constants, of which a kernel has only so many; beyond
 * them its text would hold literals, and be another one for each shape. This
 * counts what the generator may ask for at most: a broadcast takes three for every other dimension,
 * since neighbours that repeat are one, and those that do not as well; a view where it begins, for
 * each of the two types that its array may have. */
static bool check_constants(shape *s) {
    uint32_t count = RP_FUSE_MEMBERS +
                     2 * s->views; /* what a kernel needs for itself, sections of products too */
    for (uint32_t i = 0; i < s->set->count; i++) {
        const rp_op_call *c = &s->set->calls[i];
        count += c->op->attr_count;
        for (uint32_t k = 0; k < 'Z' - 'A' + 1; k++) count += c->symbols[k] != 0;
        for (uint32_t k = 0; k < c->operand_count; k++)
            if (!c->operands[k].absent && !is_output(s, i, k) && elements(s, i, k) > 1 &&
                elements(s, i, k) != domain(s, i))
                count += 3 * ((c->operands[c->operand_count - 1].rank + 1u) / 2);
    }
    if (s->set->count == 1 || count <= RP_MAX_PARAMS) return true;
    return refuse(s, "about %u numbers would have to be given to one kernel", count);
}

bool rp_fuse_shape(rp_fuse_set *set) {
    shape s = {.set = set, .first = RP_NONE};
    set->reason[0] = 0;
    return classify(&s) && place_all(&s) && check_stores(&s) && check_memory(&s) &&
           check_constants(&s);
}
