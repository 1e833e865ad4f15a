/* What the code that an entry point reaches does to the variables of the module. Functions that it
 * does not call do nothing for it.
 *
 * Functions are walked from a list that begins with the entry point's and grows by those called;
 * each is put there once. In a function a pointer is defined before it is used: one walk from front
 * to back finds the variable behind every load, store and atomic. Anything that is not understood
 * counts as both reading and writing: a pointer handed to an instruction that is not listed here.
 *
 * Operands are compared with ids, so a literal among them may look like one. Where an instruction
 * has literals they are skipped; in one that is not known they can at worst add a use. */
#include <stdlib.h>
#include "plan/format.h"
#include "spirv/reader.h"

/* What an operand points into is used so. */
static void note(rp_spirv_reader *r, uint32_t id, uint8_t use) {
    uint32_t root = rp_spirv_entry(r, id)->root;
    if (root) rp_spirv_entry(r, root)->use |= RP_USED | use;
}

/* Whether an instruction has no pointer among its operands, but literals. */
static bool takes_no_pointer(uint32_t op) {
    switch (op) {
    case OP_COMPOSITE_EXTRACT:
    case OP_COMPOSITE_INSERT:
    case OP_VECTOR_SHUFFLE:
    case OP_SWITCH:
    case OP_LINE:
    case OP_NO_LINE:
    case OP_LABEL:
    case OP_BRANCH:
    case OP_BRANCH_CONDITIONAL:
    case OP_LOOP_MERGE:
    case OP_SELECTION_MERGE:
    case OP_FUNCTION:
    case OP_FUNCTION_PARAMETER:
    case OP_COOPERATIVE_MATRIX_LENGTH: return true;
    }
    return (op >= OP_GROUP_NON_UNIFORM_FIRST && op <= OP_GROUP_NON_UNIFORM_LAST) ||
           (op >= OP_DOT_FIRST && op <= OP_DOT_LAST);
}

/* Atomics on memory; those that take the pointer as their first operand have no result. */
static bool is_atomic(uint32_t op) {
    return (op >= OP_ATOMIC_LOAD && op <= OP_ATOMIC_XOR) || op == OP_ATOMIC_FLAG_TEST_AND_SET ||
           op == OP_ATOMIC_FLAG_CLEAR || op == OP_ATOMIC_FADD || op == OP_ATOMIC_FMIN ||
           op == OP_ATOMIC_FMAX;
}

static void visit_atomic(rp_spirv_reader *r, const uint32_t *w, uint32_t op) {
    bool first = op == OP_ATOMIC_STORE || op == OP_ATOMIC_FLAG_CLEAR;
    rp_spirv_note_atomic(r, op, first ? w[1] : w[3]);
    if (op == OP_ATOMIC_STORE)
        note(r, w[1], RP_WRITES);
    else if (op == OP_ATOMIC_LOAD)
        note(r, w[3], RP_READS);
    else
        note(r, first ? w[1] : w[3], RP_READS | RP_WRITES);
}

/* Of pointers and matrices it is remembered of which type they are: in code, whatever has such a
 * type as its first operand is a result of that type. */
static void note_type(rp_spirv_reader *r, uint32_t at) {
    const uint32_t *w = r->words + at;
    if (rp_spirv_length(r, at) < 3) return;
    uint32_t type = rp_spirv_defined_by(r, rp_spirv_entry(r, w[1]));
    if (type == OP_TYPE_POINTER || type == OP_TYPE_COOPERATIVE_MATRIX)
        rp_spirv_entry(r, w[2])->type = w[1];
}

/* A pointer made of another one points into the same variable. */
static rp_status derive(rp_spirv_reader *r, uint32_t at, char why[128]) {
    const uint32_t *w = r->words + at;
    uint32_t root = rp_spirv_entry(r, w[3])->root;
    note(r, w[3], 0);
    rp_spirv_id *result = rp_spirv_entry(r, w[2]);
    if (result->at || (result->root && result->root != root))
        return rp_spirv_damaged(why, "SPIR-V word %u: id %u is defined twice", at, w[2]);
    result->root = root;
    return RP_OK;
}

/* Puts a function on the list, unless it is or was there. */
static rp_status reach(rp_spirv_reader *r, uint32_t at, uint32_t id, char why[128]) {
    rp_spirv_id *function = rp_spirv_entry(r, id);
    if (rp_spirv_defined_by(r, function) != OP_FUNCTION)
        return rp_spirv_damaged(why, "SPIR-V word %u: id %u is no function", at, id);
    if (function->use & RP_USED) return RP_OK;
    function->use |= RP_USED;
    if (!RP_RESERVE(&r->allocator, r->todo, r->todo_count, r->todo_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    r->todo[r->todo_count++] = function->at;
    return RP_OK;
}

/* Whether a pointer is to a handle of an image or sampler, whose loads touch no texels. */
static bool is_handle(rp_spirv_reader *r, uint32_t id) {
    uint32_t root = rp_spirv_entry(r, id)->root;
    const rp_spirv_id *variable = rp_spirv_entry(r, root);
    return root && rp_spirv_defined_by(r, variable) == OP_VARIABLE &&
           r->words[variable->at + 3] == CLASS_UNIFORM_CONSTANT;
}

static bool is_image_op(uint32_t op) {
    return op == OP_IMAGE_TEXEL_POINTER || (op >= OP_SAMPLED_IMAGE && op <= OP_IMAGE_QUERY_LAST);
}

static rp_status pair(rp_spirv_reader *r, uint32_t image, uint32_t sampler) {
    const rp_spirv_pair made = {rp_spirv_entry(r, image)->root, rp_spirv_entry(r, sampler)->root};
    if (!made.image || !made.sampler) return RP_OK;
    if (!RP_RESERVE(&r->allocator, r->pairs, r->pair_count, r->pair_capacity, 1))
        return RP_ERROR_NO_MEMORY;
    r->pairs[r->pair_count++] = made;
    return RP_OK;
}

static int by_pair(const void *left, const void *right) {
    const rp_spirv_pair *a = left, *b = right;
    if (a->image != b->image) return a->image < b->image ? -1 : 1;
    return a->sampler < b->sampler ? -1 : a->sampler > b->sampler;
}

static void sort_pairs(rp_spirv_reader *r) {
    uint32_t kept = 0;
    if (r->pair_count) qsort(r->pairs, r->pair_count, sizeof *r->pairs, by_pair);
    for (uint32_t i = 0; i < r->pair_count; i++)
        if (kept == 0 || by_pair(&r->pairs[kept - 1], &r->pairs[i]) != 0)
            r->pairs[kept++] = r->pairs[i];
    r->pair_count = kept;
}

/* What is made of an image is that image; what reads or writes texels does so to it. */
static rp_status visit_image(rp_spirv_reader *r, uint32_t at, uint32_t op, char why[128]) {
    const uint32_t *w = r->words + at;
    switch (op) {
    case OP_SAMPLED_IMAGE:
        note(r, w[4], 0); /* the sampler */
        RP_TRY(pair(r, w[3], w[4]));
        return derive(r, at, why);
    case OP_IMAGE_TEXEL_POINTER:
    case OP_IMAGE: return derive(r, at, why);
    case OP_IMAGE_WRITE: note(r, w[1], RP_WRITES); return RP_OK;
    }
    note(r, w[3], op <= OP_IMAGE_READ ? RP_READS : 0);
    return RP_OK;
}

static rp_status visit(rp_spirv_reader *r, uint32_t at, char why[128]) {
    const uint32_t *w = r->words + at;
    uint32_t op = rp_spirv_op(r, at), length = rp_spirv_length(r, at), first = 1;
    note_type(r, at);
    if (is_image_op(op)) return visit_image(r, at, op, why);
    if (op == OP_LOAD && is_handle(r, w[3])) return derive(r, at, why);
    switch (op) {
    case OP_ACCESS_CHAIN:
    case OP_IN_BOUNDS_ACCESS_CHAIN:
    case OP_PTR_ACCESS_CHAIN:
    case OP_IN_BOUNDS_PTR_ACCESS_CHAIN:
    case OP_COPY_OBJECT: return derive(r, at, why);
    case OP_LOAD: note(r, w[3], RP_READS); return RP_OK;
    case OP_ARRAY_LENGTH: note(r, w[3], 0); return RP_OK;
    case OP_STORE:
        note(r, w[1], RP_WRITES);
        note(r, w[2], RP_READS | RP_WRITES); /* the pointer itself is stored away */
        return RP_OK;
    case OP_COPY_MEMORY:
    case OP_COPY_MEMORY_SIZED:
        note(r, w[1], RP_WRITES);
        note(r, w[2], RP_READS);
        return RP_OK;
    case OP_COOPERATIVE_MATRIX_LOAD: note(r, w[3], RP_READS); return RP_OK;
    case OP_COOPERATIVE_MATRIX_STORE: note(r, w[1], RP_WRITES); return RP_OK;
    case OP_COOPERATIVE_MATRIX_MUL_ADD: return rp_spirv_note_product(r, at);
    case OP_READ_CLOCK: rp_spirv_note_clock(r, w[3]); return RP_OK;
    case OP_FUNCTION_CALL: RP_TRY(reach(r, at, w[3], why)); break;
    case OP_EXT_INST: first = 5; break;
    case OP_VARIABLE: first = 4; break;
    }
    if ((op >= OP_GROUP_NON_UNIFORM_FIRST && op <= OP_GROUP_NON_UNIFORM_LAST) ||
        op == OP_GROUP_NON_UNIFORM_ROTATE)
        rp_spirv_note_subgroup(r, op, w[1]);
    if (is_atomic(op)) {
        visit_atomic(r, w, op);
        return RP_OK;
    }
    if (takes_no_pointer(op)) return RP_OK;
    for (uint32_t i = first; i < length; i++) note(r, w[i], RP_READS | RP_WRITES);
    return RP_OK;
}

rp_status rp_spirv_walk_code(rp_spirv_reader *r, char why[128]) {
    RP_TRY(reach(r, r->entry_at, r->words[r->entry_at + 2], why));
    while (r->todo_count) {
        uint32_t at = r->todo[--r->todo_count];
        at += rp_spirv_length(r, at);
        while (at < r->count && rp_spirv_op(r, at) != OP_FUNCTION_END &&
               rp_spirv_op(r, at) != OP_FUNCTION) {
            RP_TRY(visit(r, at, why));
            at += rp_spirv_length(r, at);
        }
    }
    sort_pairs(r);
    return RP_OK;
}
