/* The registry of ops, and the small questions about one op or one call of it.
 *
 * Ops live in the constant tables of their families and are found by going through them: there are
 * about a hundred, names differ early, and a graph asks once for each node. Nothing is computed at
 * start, so there is no state to initialise and every function here may be called from any thread.
 */
#include "ops/op.h"

#include <math.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/shape.h"
#include "ops/op_sizes.h"
#include "ops/tables.h"
#include "reprise/needs.h"

/* ---- The tables ------------------------------------------------------------------------------ */

typedef struct family {
    const char *name;
    const rp_op *ops;
    const uint32_t *count;
} family;

static const family families[] = {
#define RP_X(family) {#family, rp_ops_##family, &rp_ops_##family##_count},
    RP_OP_FAMILIES(RP_X)
#undef RP_X
};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

uint32_t rp_op_count(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < FAMILY_COUNT; i++) count += *families[i].count;
    return count;
}

const rp_op *rp_op_at(uint32_t index) {
    for (uint32_t i = 0; i < FAMILY_COUNT; i++) {
        if (index < *families[i].count) return families[i].ops + index;
        index -= *families[i].count;
    }
    return NULL;
}

static bool same_name(const char *name, const char *text, size_t length) {
    return strncmp(name, text, length) == 0 && name[length] == '\0';
}

const rp_op *rp_op_find(const char *name, size_t length) {
    if (!name) return NULL;
    for (uint32_t i = 0; i < FAMILY_COUNT; i++)
        for (uint32_t j = 0; j < *families[i].count; j++)
            if (same_name(families[i].ops[j].name, name, length)) return families[i].ops + j;
    return NULL;
}

const char *rp_op_name(const rp_op *op) {
    return op ? op->name : NULL;
}

const char *rp_op_family(const rp_op *op) {
    return op ? op->family : NULL;
}

const char *rp_op_brief(const rp_op *op) {
    return op ? op->brief : NULL;
}

/* ---- Operands and attributes ----------------------------------------------------------------- */

static const char map_names[RP_OP_MAP_INPUTS][2] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                                    "j", "k", "l", "m", "n", "o", "p", "q", "r",
                                                    "s", "t", "u", "v", "w", "x", "y", "z"};

uint32_t rp_op_operand_index(const rp_op *op, const char *name, size_t length) {
    if (op == rp_op_map) {
        if (length == 1 && *name >= 'a' && *name <= 'z') return (uint32_t)(*name - 'a');
        return same_name("out", name, length) ? RP_OP_MAP_OUT : RP_OP_MISSING;
    }
    for (uint32_t i = 0; i < op->operand_count; i++)
        if (same_name(op->operands[i].name, name, length)) return i;
    return RP_OP_MISSING;
}

uint32_t rp_op_attr_index(const rp_op *op, const char *name, size_t length) {
    for (uint32_t i = 0; i < op->attr_count; i++)
        if (same_name(op->attrs[i].name, name, length)) return i;
    return RP_OP_MISSING;
}

const rp_op_operand *rp_op_operand_of(const rp_op_call *call, uint32_t index) {
    if (call->op != rp_op_map) return call->op->operands + index;
    return call->op->operands + (index + 1 == call->operand_count);
}

const char *rp_op_operand_name(const rp_op_call *call, uint32_t index) {
    if (call->op != rp_op_map) return call->op->operands[index].name;
    if (index + 1 == call->operand_count) return "out";
    return index < RP_OP_MAP_INPUTS ? map_names[index] : "?";
}

void rp_op_call_init(rp_op_call *call, const rp_op *op, uint32_t operand_count) {
    memset(call, 0, sizeof *call);
    call->op = op;
    call->operand_count = operand_count;
    for (uint32_t i = 0; i < op->attr_count; i++)
        call->attrs[i] = op->attrs[i].required ? NAN : op->attrs[i].fallback;
}

bool rp_op_fail(rp_op_call *call, const char *format, ...) {
    int used = snprintf(call->error, sizeof call->error, "%s: ", call->op->name);
    if (used < 0 || (size_t)used >= sizeof call->error) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(call->error + used, sizeof call->error - (size_t)used, format, args);
    va_end(args);
    return false;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* Both saturate rather than wrap, so that a caller who did not check first sees a size that fits
 * nowhere instead of a small one. */
uint64_t rp_tensor_elements(const rp_tensor *tensor) {
    if (tensor->absent) return 0;
    uint64_t elements = 1;
    for (uint32_t i = 0; i < tensor->rank && i < RP_MAX_RANK; i++)
        if (!rp_mul_u64(elements, tensor->dims[i], &elements)) return UINT64_MAX;
    return elements;
}

uint64_t rp_tensor_bytes(const rp_tensor *tensor) {
    uint64_t elements = rp_tensor_elements(tensor), block = rp_dtype_block(tensor->dtype), bytes;
    if (block == 0 || elements == UINT64_MAX) return elements ? UINT64_MAX : 0;
    if (elements == 0 && !tensor->absent) return RP_EMPTY_BYTES;
    uint64_t blocks = elements / block + (elements % block != 0);
    return rp_mul_u64(blocks, rp_dtype_size(tensor->dtype), &bytes) ? bytes : UINT64_MAX;
}

void rp_tensor_print(rp_text *text, const rp_tensor *tensor) {
    if (tensor->absent) {
        rp_text_char(text, '-');
        return;
    }
    const char *dtype = rp_dtype_name(tensor->dtype);
    rp_text_string(text, dtype ? dtype : "?");
    for (uint32_t i = 0; i < tensor->rank && i < RP_MAX_RANK; i++) {
        rp_text_char(text, i ? ',' : '[');
        rp_text_u64(text, tensor->dims[i]);
    }
    if (tensor->rank) rp_text_char(text, ']');
}

bool rp_tensor_is_shaped(const rp_tensor *a, const rp_tensor *b) {
    uint32_t rank = a->rank > b->rank ? a->rank : b->rank;
    for (uint32_t place = 1; place <= rank; place++) {
        uint64_t one = place <= a->rank ? a->dims[a->rank - place] : 1;
        uint64_t other = place <= b->rank ? b->dims[b->rank - place] : 1;
        if (one != other) return false;
    }
    return true;
}

/* A block that serves as the memory of one short text. */
static void *fixed_resize(void *user, void *block, size_t size) {
    (void)block;
    return size <= RP_TENSOR_TEXT ? user : NULL;
}

static void fixed_release(void *user, void *block) {
    (void)user;
    (void)block;
}

const char *rp_tensor_text(char text[RP_TENSOR_TEXT], const rp_tensor *tensor) {
    rp_allocator fixed = {fixed_resize, fixed_release, text};
    rp_text out;
    *text = '\0';
    rp_text_init(&out, &fixed);
    rp_tensor_print(&out, tensor);
    return out.failed ? "a tensor" : text;
}

const char *rp_dimension_name(uint32_t at, uint32_t rank) {
    static const char *const names[] = {"first dimension",   "second dimension", "third dimension",
                                        "fourth dimension",  "fifth dimension",  "sixth dimension",
                                        "seventh dimension", "eighth dimension"};
    if (rank == 1) return "only dimension";
    if (at + 1 == rank || at >= sizeof names / sizeof *names) return "last dimension";
    return names[at];
}

const char *rp_part_verb(const char *part) {
    if (strcmp(part, "elements") == 0) return "are";
    return strcmp(part, "leading dimensions") == 0 ? "make" : "is";
}

void rp_op_bind_count(rp_op_call *call, char symbol, const char *of, uint64_t per, uint64_t each) {
    uint64_t all = 1;
    for (const char *c = of; *c; c++)
        if (!rp_mul_u64(all, rp_sym(call, *c), &all)) all = UINT64_MAX;
    all = all / per + (all % per != 0);
    if (!rp_mul_u64(all, each, &all)) all = UINT64_MAX;
    rp_op_bind(call, symbol, all);
    call->counts[symbol - 'A'] = (rp_op_counted){.of = of, .per = per, .each = each};
}

bool rp_op_bind_shown(rp_op_call *call, char symbol, uint32_t operand, uint32_t dim) {
    const rp_tensor *t = &call->operands[operand];
    const char *name = "?";
    if (rp_op_is_bound(call, symbol)) return true;
    for (uint32_t i = 0; i < call->op->attr_count; i++)
        if (call->op->attrs[i].symbol == symbol) name = call->op->attrs[i].name;
    if (t->absent || t->rank == RP_OP_INFER || dim >= t->rank)
        return rp_op_fail(call, "neither attribute %s nor the shape of %s says how many there are",
                          name, rp_op_operand_name(call, operand));
    rp_op_bind(call, symbol, t->dims[dim]);
    return true;
}

void rp_op_count_more(rp_op_call *call, char symbol, char more) {
    uint64_t *all = &call->symbols[symbol - 'A'];
    if (!rp_add_u64(*all, rp_sym(call, more), all)) *all = UINT64_MAX;
    call->counts[symbol - 'A'].more = more;
}

/* ---- What a call does ------------------------------------------------------------------------ */

double rp_op_product(const rp_op_call *call, const char *symbols) {
    double product = 1;
    for (; symbols && *symbols; symbols++)
        if (*symbols >= 'A' && *symbols <= 'Z') product *= (double)rp_sym(call, *symbols);
    return product;
}

bool rp_op_is_idle(const rp_op_call *call) {
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const rp_op_operand *operand = rp_op_operand_of(call, i);
        /* What is written in part gets elements of the first operand. */
        uint32_t from = operand->access == RP_READ_WRITE ? 0 : i;
        if (operand->access == RP_READ || call->operands[i].absent) continue;
        if (rp_tensor_elements(&call->operands[i]) && rp_tensor_elements(&call->operands[from]))
            return false;
    }
    return true;
}

/* ---- Variants -------------------------------------------------------------------------------- */

char rp_op_fixed_symbol(const rp_op_variant *variant, const rp_op_call *call) {
    bool all = variant->sized && *variant->sized == '*';
    for (char s = 'A'; s <= 'Z' && !all; s++)
        if (call->powers[s - 'A'] && !call->counts[s - 'A'].of &&
            !(variant->sized && strchr(variant->sized, s)))
            return s;
    return 0;
}

bool rp_op_takes_sizes(const rp_op_variant *variant, const rp_op_call *call) {
    return !rp_op_fixed_symbol(variant, call);
}

/* The last one always does. What varies is for those that are made for it, which the last one is then,
 * or no other is. */
static bool fits(const rp_op_variant *variant, const rp_op_call *call, const rp_target *target) {
    if (!variant[1].name) return true;
    if (!rp_op_takes_sizes(variant, call)) return false;
    return rp_target_has(target, variant->needs) &&
           (!variant->turns || rp_target_turns(target, variant->turns(call))) &&
           (!variant->fits || variant->fits(call, target));
}

const rp_op_variant *rp_op_variant_find(const rp_op *op, const char *name) {
    for (const rp_op_variant *v = op->variants; v && v->name; v++)
        if (strcmp(v->name, name) == 0) return v;
    return NULL;
}

uint32_t rp_op_fitting(const rp_op_call *call, const rp_target *target) {
    uint32_t count = 0;
    if (!target) target = rp_target_portable;
    for (const rp_op_variant *v = call->op->variants; v && v->name; v++)
        count += fits(v, call, target);
    return count;
}

/* What has no elements, as kernels take it: a size that is 0. */
static void see_empty(rp_op_call *call) {
    for (uint32_t i = 0; i < call->operand_count && i < RP_OP_MAX_OPERANDS; i++) {
        rp_tensor *t = &call->operands[i];
        for (uint32_t d = 0; !t->absent && d < t->rank && d < RP_MAX_RANK; d++)
            if (t->dims[d] == 0) t->dims[d] = RP_EMPTY_MOST, t->powers[d] = RP_POWERS_EMPTY;
    }
    for (char s = 'A'; s <= 'Z'; s++) {
        if (!rp_op_is_bound(call, s) || rp_sym(call, s)) continue;
        call->symbols[s - 'A'] = RP_EMPTY_MOST;
        call->powers[s - 'A'] = call->counts[s - 'A'].of ? RP_POWERS_NONE : RP_POWERS_EMPTY;
    }
}

void rp_op_choose_after(rp_op_call *call, const rp_target *target, uint32_t skip) {
    if (!target) target = rp_target_portable;
    call->variant = NULL;
    see_empty(call);
    if (call->op->product) return;
    for (const rp_op_variant *v = call->op->variants; v && v->name; v++) {
        if (!fits(v, call, target)) continue;
        call->variant = v;
        if (skip-- == 0) break;
    }
    if (!call->variant || !call->variant->bind) return;
    uint32_t bound = call->bound;
    call->bound = 0;
    call->variant->bind(call, target);
    if (rp_op_is_sized(call)) rp_op_bind_sizes(call);
    call->bound |= bound;
}

void rp_op_choose(rp_op_call *call, const rp_target *target) {
    rp_op_choose_after(call, target, 0);
}

bool rp_op_explain(const rp_op_call *call, const rp_target *target, const char *before,
                   rp_text *text) {
    const rp_op_variant *v = call->variant;
    if (!v || (!v->explain && !v->time)) return false;
    rp_text_string(text, before);
    if (v->explain) v->explain(call, target, text);
    if (v->time)
        rp_text_format(text, "%sabout %.1f us", v->explain ? ", " : "",
                       v->time(call, target) / 1000);
    return true;
}

/* Threads of a team at most, and in subgroups of a size that nobody asked for; elements for each. */
enum { TEAM_MOST = 32, TEAM_ANYWHERE = 8, TEAM_ELEMENTS = 32 };

/* As many as have four elements each, within the smallest subgroup that there may be; 0 where the
 * row is too long for that, or subgroups are not known. */
static uint32_t team_threads(const rp_op_call *call, const rp_target *t) {
    uint64_t length = rp_sym(call, 'C'), most = 1, team = 1;
    uint64_t subgroup = t->subgroup_least ? t->subgroup_least : t->subgroup;
    if (!rp_target_has(t, RP_NEED_SUBGROUP_BASIC | RP_NEED_SUBGROUP_SHUFFLE)) return 0;
    while (most < TEAM_MOST && 2 * most <= subgroup) most *= 2;
    if (most > TEAM_ANYWHERE && !rp_target_has(t, RP_NEED_SUBGROUP_SIZE)) most = TEAM_ANYWHERE;
    if (most < TEAM_ANYWHERE || length > most * TEAM_ELEMENTS) return 0;
    while (team < most && 4 * team < length) team *= 2;
    return (uint32_t)team;
}

uint32_t rp_op_row_subgroup(uint32_t threads, const rp_target *target) {
    bool asks = threads > TEAM_ANYWHERE && threads < RP_OP_ROW_THREADS;
    return asks ? (uint32_t)target->subgroup : 0;
}

/* On a processor barriers inside a workgroup cost more than they bring, and rows are as quick side by
 * side. On a GPU a thread that goes along a row of its own reads what no neighbour reads, and a workgroup
 * has too little to do for its barriers. How many rows there are does not matter: the order of a sum is
 * the same for every number of them, which may follow a live size. */
uint32_t rp_op_row_threads(const rp_op_call *call, const rp_target *target) {
    if (call->op->parts) return RP_OP_ROW_THREADS;
    bool processor = rp_target_is_software(target) && target->subgroup;
    uint32_t team = processor ? 0 : team_threads(call, target);
    if (team) return team;
    if (rp_sym(call, 'C') <= RP_OP_SHORT_ROW) return 1;
    return processor && rp_target_turns(target, rp_op_row_turns(call, 1)) ? 1 : RP_OP_ROW_THREADS;
}

uint32_t rp_op_row_fours(const rp_op_call *call, const rp_target *target) {
    uint64_t length = rp_sym(call, 'C'), each = 4 * (uint64_t)rp_op_row_threads(call, target);
    bool team = each > 4 && each < 4 * RP_OP_ROW_THREADS;
    bool varies = call->powers['C' - 'A'] != 0;
    return team && !varies && length % 4 == 0 ? (uint32_t)((length + each - 1) / each) : 0;
}

bool rp_op_moves_together(const rp_op_call *call, uint64_t count) {
    return call->op->form == RP_OP_POINTWISE && call->op->together &&
           rp_sym(call, call->op->together) % count == 0;
}

bool rp_op_moves_across(const rp_op_call *call) {
    return call->op->across && rp_sym(call, 'L') > 1;
}

uint32_t rp_op_sites(const rp_op_call *call, uint32_t index) {
    uint8_t sites = rp_op_operand_of(call, index)->sites;
    if (call->variant && call->variant->sites[index]) sites = call->variant->sites[index];
    return sites ? sites : 1;
}

const char *rp_op_reads(const rp_op_call *call, uint32_t index) {
    const char *reads = call->variant ? call->variant->reads[index] : NULL;
    return reads ? reads : rp_op_operand_of(call, index)->reads;
}

bool rp_op_row_keeps(const rp_op_call *call, uint32_t index, const rp_op_cost *cost,
                     const rp_target *target) {
    const rp_tensor *x = &call->operands[index];
    return call->op->form == RP_OP_ROWS && !x->absent &&
           rp_op_operand_of(call, index)->access == RP_READ && rp_op_is_in(x->dtype, RP_DT_FLOAT) &&
           rp_op_reads_at(call, index) == RP_AT_ROW &&
           cost->loads[index] > (double)rp_tensor_elements(x) && rp_op_row_fours(call, target) > 0;
}

/* The first operand that is written, which every op has. */
static uint32_t first_output(const rp_op_call *call) {
    uint32_t i = 0;
    while (i + 1 < call->operand_count && rp_op_operand_of(call, i)->access == RP_READ) i++;
    return i;
}

rp_op_place rp_op_reads_at(const rp_op_call *call, uint32_t index) {
    const rp_op_operand *operand = rp_op_operand_of(call, index);
    uint64_t elements = rp_tensor_elements(call->operands + index);
    if (call->op->form == RP_OP_ROWS) {
        /* What is not as large as the rows is shared by them: a weight, a broadcast mask. */
        double rows = rp_op_product(call, "RC");
        return (double)elements == rows ? RP_AT_ROW : RP_AT_ANY;
    }
    if (operand->shape) return (rp_op_place)operand->at;
    uint64_t written = rp_tensor_elements(call->operands + first_output(call));
    return elements == written ? RP_AT_SAME : RP_AT_ANY;
}
